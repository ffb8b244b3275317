/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V shared memory: segments. (shm_attach.c maps them, shm_ctl.c is shmctl(2).)
 *
 * Model: a segment is a file in memory without a name, and mapping that file is
 * all that attaching does. So page faults know nothing of segments, and two on
 * different pages write no common line.
 *
 * States: a segment is in the table until it is destroyed. IPC_RMID takes its key
 * and marks it (SHM_DEST); the last detachment destroys a marked one, or IPC_RMID
 * itself when nobody has it attached. Its memory goes with the last mapping.
 *
 * Ownership: the table has a reference, each attachment another. `attached`
 * counts attachments, and attaching that is under way: while it is not 0 the
 * segment is not destroyed.
 *
 * Locking: ipc_impl.h. What decides about the end is looked at again under
 * shm_ids.mutex and the segment's lock.
 */
#include "ipc/shm_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "fs/memfd.h"
#include "fs/proc/proc.h"
#include "ipc/task_impl.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "mm/slab.h"
#include "mm/space.h"

#define SHMMNI 4096
/* As much as fits, less some room for sums. */
#define SHM_UNLIMITED (U64_MAX - (1UL << 24))

__maybe_unused static LOCK_CLASS(shm_ids_class, RANK_IPC_IDS);
static void shm_named(struct ipc_object *o);
struct ipc_ids shm_ids = {
	.mutex = MUTEX_INIT(shm_ids.mutex, shm_ids_class),
	.limit = SHMMNI,
	.next_id = -1,
	.last_index = U32_MAX,
	.named = shm_named,
};

u32 shm_rmid_forced;
/* a  sysctl: bytes of a segment; pages of all */
static u64 max_bytes = SHM_UNLIMITED, max_pages = SHM_UNLIMITED;
/* a  pages of all segments; a line that only those who make and destroy segments write */
static u64 total_pages;

u64
shm_total(void)
{
	return atomic_read(&total_pages);
}

u64
shm_max(void)
{
	return READ_ONCE(max_bytes);
}

u64
shm_all(void)
{
	return READ_ONCE(max_pages);
}

u64
shm_resident(const struct shm *s)
{
	return READ_ONCE(s->file->inode->pages->nr_pages);
}

/* --- making --- */

static bool
reserve_pages(u64 n)
{
	u64 old = atomic_read(&total_pages);

	do {
		if (old + n < old || old + n > READ_ONCE(max_pages))
			return false;
	} while (!atomic_try_cmpxchg(&total_pages, &old, old + n));
	return true;
}

static void
shm_free(struct ipc_object *o)
{
	kfree(shm_of(o));
}

/* Gives back what the segment had, but for its struct. */
static void
shm_release(struct shm *s)
{
	shm_unlock_pages(s);
	space_commit(-s->committed);
	atomic_sub(&total_pages, shm_pages(s));
	file_put(s->file);
}

static void
shm_drop(struct ipc_object *o)
{
	shm_release(shm_of(o));
	ipc_put(o);
}

/* Large pages would have to be reserved beforehand, and none are. */
static int
check_huge(const struct ipc_request *r)
{
	u32 log = r->flags >> SHM_HUGE_SHIFT;

	if (!(r->flags & SHM_HUGETLB))
		return 0;
	if (log && log != 21)
		return -EINVAL;
	return capable(CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
}

static int
make_file(struct shm *s, const struct ipc_request *r)
{
	char name[16];

	if (!(r->flags & SHM_NORESERVE) || overcommit_mode == 2) {
		if (space_commit((s64)shm_pages(s)))
			return -ENOMEM;
		s->committed = (s64)shm_pages(s);
	}
	snprintf(name, sizeof(name), "SYSV%08x", (u32)r->key);
	s->file = memfd_file(name, s->size, F_SEAL_SEAL);
	if (!is_err(s->file))
		return 0;
	space_commit(-s->committed);
	return (int)ptr_err(s->file);
}

static struct ipc_object *
shm_make(const struct ipc_request *r)
{
	u64 pages = div_round_up(r->size, PAGE_SIZE);
	struct shm *s;
	int err;

	if (!r->size || r->size > READ_ONCE(max_bytes))
		return err_ptr(-EINVAL);
	if (r->size + PAGE_SIZE < r->size || !reserve_pages(pages))
		return err_ptr(-ENOSPC);
	err = check_huge(r);
	s = err ? NULL : kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s) {
		err = err ? err : -ENOMEM;
		goto out_pages;
	}
	ipc_init(&s->ipc, r);
	s->ipc.free = shm_free;
	s->size = r->size;
	err = make_file(s, r);
	if (err)
		goto out_free;
	s->ctime = ipc_now();
	s->cpid = ipc_pid();
	s->creator = current;
	current->shm_creator = true;
	return &s->ipc;
out_free:
	kfree(s);
out_pages:
	atomic_sub(&total_pages, pages);
	return err_ptr(err);
}

/* /proc/PID/maps shows the id as the number of the file. */
static void
shm_named(struct ipc_object *o)
{
	shm_of(o)->file->inode->ino = (u64)o->id;
}

static int
shm_suits(const struct ipc_object *o, const struct ipc_request *r)
{
	return container_of(o, const struct shm, ipc)->size < r->size ? -EINVAL : 0;
}

long
sys_shmget(int key, size_t size, int flags)
{
	struct ipc_request r = {
		.ids = &shm_ids,
		.key = key,
		.flags = (u32)flags,
		.size = size,
		.make = shm_make,
		.suits = shm_suits,
		.drop = shm_drop,
	};

	return ipc_get(&r);
}

/* --- the end --- */

bool
shm_doomed(const struct shm *s)
{
	return s->ipc.mode & SHM_DEST || READ_ONCE(shm_rmid_forced);
}

/* Destroys s if nobody has it attached; mutex held. True: shm_drop() is to follow. */
static bool
take_out(struct shm *s)
{
	bool gone;

	spin_lock(&s->ipc.lock);
	gone = !s->ipc.removed && !s->attached && shm_doomed(s);
	if (gone)
		ipc_remove(&shm_ids, &s->ipc);
	spin_unlock(&s->ipc.lock);
	return gone;
}

void
shm_reap(struct shm *s)
{
	bool gone;

	mutex_lock(&shm_ids.mutex);
	gone = take_out(s);
	mutex_unlock(&shm_ids.mutex);
	if (gone)
		shm_drop(&s->ipc);
}

int
shm_mark(s32 id)
{
	struct ipc_object *o;
	bool unused = false;

	mutex_lock(&shm_ids.mutex);
	o = ipc_lock_owned(&shm_ids, id);
	if (is_err(o)) {
		mutex_unlock(&shm_ids.mutex);
		return (int)ptr_err(o);
	}
	unused = !shm_of(o)->attached;
	if (unused) {
		ipc_remove(&shm_ids, o);
	} else {
		WRITE_ONCE(o->mode, o->mode | SHM_DEST);
		ipc_forget_key(o);
	}
	ipc_unlock(o);
	mutex_unlock(&shm_ids.mutex);
	if (unused)
		shm_drop(o);
	return 0;
}

/* Forgets `creator` (NULL: nobody) and destroys what nobody uses and nobody made, when forced. */
static void
reap_orphans(const struct task *creator)
{
	struct ipc_object *o;
	u32 index = 0;

	mutex_lock(&shm_ids.mutex);
	for (;;) {
		rcu_read_lock();
		o = ipc_next(&shm_ids, &index);
		rcu_read_unlock();
		/* It stays while we hold the mutex. */
		if (!o)
			break;
		if (shm_of(o)->creator && shm_of(o)->creator != creator)
			continue;
		shm_of(o)->creator = NULL;
		if (READ_ONCE(shm_rmid_forced) && take_out(shm_of(o)))
			shm_drop(o);
	}
	mutex_unlock(&shm_ids.mutex);
}

void
shm_task_exit(struct task *t)
{
	if (t->shm_creator)
		reap_orphans(t);
}

/* --- /proc --- */

static void
show_one(struct ipc_object *o, struct seq *s)
{
	const struct shm *m = shm_of(o);

	seq_printf(s,
		   "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21lu "
		   "%21lu\n",
		   o->key, o->id, o->mode, m->size, m->cpid, m->lpid, m->attached, o->uid, o->gid,
		   o->cuid, o->cgid, m->atime, m->dtime, m->ctime, shm_resident(m) * PAGE_SIZE,
		   0UL);
}

static int
show_all(struct seq *s)
{
	seq_puts(
		s,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
		"cuid  cgid      atime      dtime      ctime                   rss             "
		"     swap\n");
	return ipc_show_all(&shm_ids, s, show_one);
}
PROC_FILE(sysvipc_shm, "sysvipc/shm", 0444, show_all);

static int
show_shmmax(struct seq *s)
{
	seq_printf(s, "%lu\n", shm_max());
	return 0;
}

static int
store_shmmax(char *text)
{
	u64 v;

	if (parse_u64(text, 10, &v))
		return -EINVAL;
	WRITE_ONCE(max_bytes, v);
	return 0;
}
SYSCTL_RW(shmmax, "kernel/shmmax", show_shmmax, store_shmmax);

static int
show_shmall(struct seq *s)
{
	seq_printf(s, "%lu\n", shm_all());
	return 0;
}

static int
store_shmall(char *text)
{
	u64 v;

	if (parse_u64(text, 10, &v))
		return -EINVAL;
	WRITE_ONCE(max_pages, v);
	return 0;
}
SYSCTL_RW(shmall, "kernel/shmall", show_shmall, store_shmall);
SYSCTL_U32(shmmni, "kernel/shmmni", &shm_ids.limit, 0, IPC_INDEX_MAX);

static int
show_forced(struct seq *s)
{
	seq_printf(s, "%u\n", READ_ONCE(shm_rmid_forced));
	return 0;
}

static int
store_forced(char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v > 1)
		return -EINVAL;
	WRITE_ONCE(shm_rmid_forced, v);
	if (v)
		reap_orphans(NULL);
	return 0;
}
SYSCTL_RW(shm_rmid_forced, "kernel/shm_rmid_forced", show_forced, store_forced);

static int
show_next(struct seq *s)
{
	return ipc_show_next(&shm_ids, s);
}

static int
store_next(char *text)
{
	return ipc_store_next(&shm_ids, text);
}
SYSCTL_RW(shm_next_id, "kernel/shm_next_id", show_next, store_next);
