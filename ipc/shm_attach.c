/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching and detaching: shmat(2), shmdt(2), fork, exec, exit.
 *
 * Model: an attachment is a handle of the segment's memory, opened for reading or
 * writing, that is mapped somewhere in a space. A space knows its attachments;
 * whoever unmaps something in a space that has any looks afterwards whether one
 * of them has lost its last page: that is the detachment, by whatever call.
 *
 * Each attachment counts once for shm_nattch, in how many pieces it ever may be.
 *
 * Locking:
 *   1 space_shm()->lock  the list, and a fork of the space from beginning to end
 *   2 segment
 * An attachment enters the list before it is mapped (`pending`: not to be looked
 * at), so that a fork that copies the mapping has copied the attachment before.
 * A detachment waits until such a fork is over.
 */
#include "ipc/shm_impl.h"

#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "lib/errno.h"
#include "mm/port_space.h"
#include "mm/slab.h"
#include "mm/space.h"

#define READ_IMPLIES_EXEC 0x0400000u

struct attachment {
	/* (space's list) */
	struct list link;
	struct shm *shm;
	struct file *file;
	/* (space's list)  no page of it lies outside */
	unsigned long start, end;
	/* (space's list)  is being mapped */
	bool pending;
};

/* --- counting --- */

static void
count_attached(struct shm *s)
{
	spin_lock(&s->ipc.lock);
	s->attached++;
	s->atime = ipc_now();
	s->lpid = ipc_pid();
	spin_unlock(&s->ipc.lock);
}

/* One attachment (or an attempt, which leaves no trace) less. */
static void
count_detached(struct shm *s, bool was)
{
	bool last;

	spin_lock(&s->ipc.lock);
	if (was) {
		s->dtime = ipc_now();
		s->lpid = ipc_pid();
	}
	last = --s->attached == 0 && shm_doomed(s);
	spin_unlock(&s->ipc.lock);
	if (last)
		shm_reap(s);
	ipc_put(&s->ipc);
}

/* A segment that the caller may attach, counted and with a reference; err_ptr. */
static struct shm *
get_segment(s32 id, u32 perm)
{
	struct ipc_object *o = ipc_lock(&shm_ids, id, perm);

	if (is_err(o))
		return (struct shm *)o;
	shm_of(o)->attached++;
	ipc_hold(o);
	ipc_unlock(o);
	return shm_of(o);
}

/* --- attachments --- */

static struct attachment *
attachment_new(struct shm *s, struct file *f)
{
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	a->shm = s;
	a->file = f;
	a->end = USER_END;
	return a;
}

/* It is in no list any more. */
static void
attachment_end(struct attachment *a, bool was)
{
	file_put(a->file);
	count_detached(a->shm, was);
	kfree(a);
}

static void
end_all(struct list *gone)
{
	struct attachment *a, *tmp;

	list_for_each_entry_safe(a, tmp, gone, link)
		attachment_end(a, true);
}

struct search {
	const struct file *file;
	unsigned long end;
	bool found;
};

static int
search_run(const struct map_info *mi, void *ctx)
{
	struct search *s = ctx;

	if (mi->start < s->end && mi->file == s->file)
		s->found = true;
	return s->found || mi->start >= s->end;
}

/* Is any page of it still mapped? */
static bool
is_mapped(struct space *s, const struct attachment *a)
{
	struct search at = {.file = a->file, .end = a->end};

	(void)space_for_each(s, a->start, false, search_run, &at);
	return at.found;
}

/* --- shmat --- */

struct place {
	unsigned long addr;
	u32 prot, flags;
	u32 perm, open;
};

/* What the arguments ask for: 0 or -EINVAL. */
static int
choose_place(struct place *p, int flags)
{
	*p = (struct place){
		.addr = p->addr,
		.prot = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED,
		.perm = flags & SHM_RDONLY ? IPC_READ : IPC_READ | IPC_WRITE,
		.open = flags & SHM_RDONLY ? O_RDONLY : O_RDWR,
	};
	if (flags & SHM_EXEC) {
		p->prot |= PROT_EXEC;
		p->perm |= 0111;
	} else if (current->personality & READ_IMPLIES_EXEC) {
		p->prot |= PROT_EXEC;
	}
	if (!p->addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (flags & SHM_RND)
		p->addr = align_down(p->addr, PAGE_SIZE);
	if (!is_aligned(p->addr, PAGE_SIZE) || (!p->addr && flags & SHM_REMAP))
		return -EINVAL;
	p->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED | MAP_FIXED_NOREPLACE;
	return 0;
}

static long
map_segment(const struct attachment *a, const struct place *p)
{
	struct map_backing b = {.file = a->file};
	long at = space_map(current->space, p->addr, a->shm->size, p->prot, p->flags, &b);

	return at == -EEXIST ? -EINVAL : at;
}

/* Enters, maps and counts a, or ends it. */
static long
attach(struct attachment *a, const struct place *p)
{
	struct space_shm *l = space_shm(current->space);
	bool there;
	long at;

	a->pending = true;
	mutex_lock(&l->lock);
	list_add_tail(&a->link, &l->attachments);
	mutex_unlock(&l->lock);
	at = map_segment(a, p);
	mutex_lock(&l->lock);
	a->pending = false;
	if (at >= 0) {
		a->start = (unsigned long)at;
		a->end = a->start + align_up(a->shm->size, PAGE_SIZE);
	}
	/* Another thread may have unmapped it at once. */
	there = at >= 0 && is_mapped(current->space, a);
	if (!there)
		list_del(&a->link);
	/* Before who unmaps it can end it. */
	if (at >= 0) {
		spin_lock(&a->shm->ipc.lock);
		a->shm->atime = ipc_now();
		a->shm->lpid = ipc_pid();
		spin_unlock(&a->shm->ipc.lock);
	}
	mutex_unlock(&l->lock);
	if (!there)
		attachment_end(a, at >= 0);
	return at;
}

long
sys_shmat(int id, unsigned long addr, int flags)
{
	struct place p = {.addr = addr};
	int err = id < 0 ? -EINVAL : choose_place(&p, flags);
	struct attachment *a;
	struct file *f;
	struct shm *s;

	if (err)
		return err;
	s = get_segment(id, p.perm);
	if (is_err(s))
		return ptr_err(s);
	f = file_open_path(&s->file->path, p.open, current_cred());
	if (is_err(f)) {
		count_detached(s, false);
		return ptr_err(f);
	}
	a = attachment_new(s, f);
	if (!a) {
		file_put(f);
		count_detached(s, false);
		return -ENOMEM;
	}
	return attach(a, &p);
}

/* --- shmdt --- */

/* The part of an attachment that is to be unmapped next. */
struct detach {
	struct space_shm *list;
	unsigned long addr;
	/* NULL: whichever begins at addr */
	const struct file *file;
	unsigned long limit;
	unsigned long start, end;
};

/* Is it an attachment's, and where it would be had it been attached at addr? */
static bool
is_part(struct detach *d, const struct map_info *mi)
{
	const struct attachment *a;

	if (!mi->file || mi->start - d->addr != mi->offset || (d->file && d->file != mi->file))
		return false;
	list_for_each_entry(a, &d->list->attachments, link) {
		if (a->file != mi->file)
			continue;
		d->file = a->file;
		d->limit = d->addr + align_up(a->shm->size, PAGE_SIZE);
		return true;
	}
	return false;
}

static int
detach_run(const struct map_info *mi, void *ctx)
{
	struct detach *d = ctx;

	if (d->file && mi->start >= d->limit)
		return 1;
	if (!is_part(d, mi))
		return 0;
	d->start = mi->start;
	d->end = min(mi->end, d->limit);
	return 1;
}

long
sys_shmdt(unsigned long addr)
{
	struct space *s = current->space;
	struct detach d = {.list = space_shm(s), .addr = addr, .end = addr};
	int ret = -EINVAL, err = 0;

	if (!is_aligned(addr, PAGE_SIZE))
		return -EINVAL;
	while (!err) {
		unsigned long from = d.end;

		d.start = d.end = 0;
		mutex_lock(&d.list->lock);
		if (!list_empty(&d.list->attachments))
			(void)space_for_each(s, from, false, detach_run, &d);
		mutex_unlock(&d.list->lock);
		if (!d.end)
			break;
		err = space_unmap(s, d.start, d.end - d.start);
		ret = err;
	}
	return ret;
}

/* --- what mm/ tells --- */

int
mm_port_shm_fork(struct space *parent, struct space *child)
{
	struct attachment *a, *copy;

	list_for_each_entry(a, &space_shm(parent)->attachments, link) {
		copy = attachment_new(a->shm, a->file);
		if (!copy)
			return -ENOMEM;
		copy->start = a->start;
		copy->end = a->end;
		file_get(a->file);
		ipc_hold(&a->shm->ipc);
		count_attached(a->shm);
		list_add_tail(&copy->link, &space_shm(child)->attachments);
	}
	return 0;
}

void
mm_port_shm_unmapped(struct space *s, unsigned long start, unsigned long end)
{
	struct space_shm *l = space_shm(s);
	struct list gone = LIST_INIT(gone);
	struct attachment *a, *tmp;

	mutex_lock(&l->lock);
	list_for_each_entry_safe(a, tmp, &l->attachments, link)
		if (!a->pending && a->start < end && start < a->end && !is_mapped(s, a)) {
			list_del(&a->link);
			list_add_tail(&a->link, &gone);
		}
	mutex_unlock(&l->lock);
	end_all(&gone);
}

void
mm_port_shm_moved(struct space *s, const struct file *f, unsigned long start, unsigned long end)
{
	struct space_shm *l = space_shm(s);
	struct attachment *a;

	mutex_lock(&l->lock);
	list_for_each_entry(a, &l->attachments, link)
		if (a->file == f) {
			a->start = min(a->start, start);
			a->end = max(a->end, end);
		}
	mutex_unlock(&l->lock);
}

void
mm_port_shm_end(struct space *s)
{
	struct list gone = LIST_INIT(gone);

	list_splice_tail_init(&space_shm(s)->attachments, &gone);
	end_all(&gone);
}
