/* SPDX-License-Identifier: BSD-2-Clause */
/* shmctl(2). */
#include "ipc/shm_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define SHMMIN 1

static long
limits(void __user *buf)
{
	struct shminfo64 info = {
		.shmmax = shm_max(),
		.shmmin = SHMMIN,
		.shmmni = READ_ONCE(shm_ids.limit),
		.shmseg = READ_ONCE(shm_ids.limit),
		.shmall = shm_all(),
	};

	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_highest(&shm_ids);
}

static long
usage(void __user *buf)
{
	struct shm_info info = {.used_ids = (s32)ipc_used(&shm_ids), .tot = shm_total()};
	struct ipc_object *o;
	u32 index = 0;

	rcu_read_lock();
	while ((o = ipc_next(&shm_ids, &index)) != NULL) {
		spin_lock(&o->lock);
		if (!o->removed)
			info.rss += shm_resident(shm_of(o));
		spin_unlock(&o->lock);
	}
	rcu_read_unlock();
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_highest(&shm_ids);
}

static long
status(s32 id, int cmd, void __user *buf)
{
	struct ipc_object *o = ipc_lock_status(&shm_ids, id, cmd == IPC_STAT, cmd != SHM_STAT_ANY);
	struct shmid64_ds ds;
	const struct shm *s;

	if (is_err(o))
		return ptr_err(o);
	memset(&ds, 0, sizeof(ds));
	s = shm_of(o);
	ipc_show_perm(o, &ds.perm);
	ds.segsz = s->size;
	ds.atime = s->atime;
	ds.dtime = s->dtime;
	ds.ctime = s->ctime;
	ds.cpid = s->cpid;
	ds.lpid = s->lpid;
	ds.nattch = s->attached;
	id = o->id;
	ipc_unlock(o);
	if (copy_to_user(buf, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long
set(s32 id, const void __user *buf)
{
	struct shmid64_ds ds;
	struct ipc_object *o;
	int err;

	if (copy_from_user(&ds, buf, sizeof(ds)))
		return -EFAULT;
	o = ipc_lock_owned(&shm_ids, id);
	if (is_err(o))
		return ptr_err(o);
	err = ipc_set_owner(o, &ds.perm);
	if (!err)
		shm_of(o)->ctime = ipc_now();
	ipc_unlock(o);
	return err;
}

/* --- SHM_LOCK: nothing is ever swapped out, so the pages are only counted --- */

void
shm_unlock_pages(struct shm *s)
{
	if (!s->locker)
		return;
	user_count_add(s->locker, USER_LOCKED_PAGES, -(s64)shm_pages(s));
	user_put(s->locker);
	s->locker = NULL;
}

static int
may_lock(const struct ipc_object *o, bool lock)
{
	u32 euid = current_cred()->euid;

	if (capable(CAP_IPC_LOCK))
		return 0;
	if (euid != o->uid && euid != o->cuid)
		return -EPERM;
	return lock && !rlimit(RLIMIT_MEMLOCK) ? -EPERM : 0;
}

static int
lock_pages(struct shm *s)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK);
	struct user *u = current_cred()->user;

	if (s->locker)
		return 0;
	limit = limit == RLIM_INFINITY || capable(CAP_IPC_LOCK) ? U64_MAX : limit >> PAGE_SHIFT;
	if (!user_count_try_add(u, USER_LOCKED_PAGES, (s64)shm_pages(s), limit))
		return -ENOMEM;
	s->locker = user_get(u);
	WRITE_ONCE(s->ipc.mode, s->ipc.mode | SHM_LOCKED);
	return 0;
}

static long
lock_or_unlock(s32 id, bool lock)
{
	struct ipc_object *o = ipc_lock(&shm_ids, id, 0);
	int err;

	if (is_err(o))
		return ptr_err(o);
	err = may_lock(o, lock);
	if (!err && lock)
		err = lock_pages(shm_of(o));
	if (!err && !lock) {
		shm_unlock_pages(shm_of(o));
		WRITE_ONCE(o->mode, o->mode & ~SHM_LOCKED);
	}
	ipc_unlock(o);
	return err;
}

long
sys_shmctl(int id, int cmd, void __user *buf)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return limits(buf);
	case SHM_INFO:
		return usage(buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return status(id, cmd, buf);
	case IPC_SET:
		return set(id, buf);
	case IPC_RMID:
		return shm_mark(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return lock_or_unlock(id, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
