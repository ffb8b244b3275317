/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors.
 *
 * Model: a table is an array of slots, each one word (fdtable.h). A descriptor is
 * taken first (reserved) and gets its handle later (published), so a call can make
 * sure of a number before it makes anything. That a slot is 0 is all that says that
 * its descriptor is free; `full` only spares who looks for one.
 *
 * Locking: a slot that is taken is changed by anybody, by a compare-and-exchange.
 * files->lock covers the step from free to taken and the replacement of the table.
 * So threads that use, close and replace different descriptors share nothing.
 *
 * The lowest free descriptor: with the lock held slots only become free. Two looks
 * that find the same one show that between them it was free and all below taken.
 * Who fills a group and who frees a slot of it see each other:
 *      find_in_group                           slot_free
 *      full bit is set                         slot = 0
 *      slots are looked at again               full bit? then it is cleared
 *
 * Lookups take no lock:
 *      fd_get                                  fd_close
 *      file = slot (RCU)                       slot = 0
 *      a reference, unless it is gone          put (0: freed after a grace period)
 *      slot still == file?
 * A reference taken on a handle whose slot changed meanwhile is given back and
 * the lookup done again. A table that only one task uses cannot change under
 * it, so its lookups take no reference at all.
 *
 * Growth (files.c): each slot is taken over by an exchange that leaves MOVED, after
 * which nobody changes it in the old table; who finds MOVED waits for the new one.
 */
#include "kernel/handle/fdtable.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "kernel/file.h"
#include "kernel/port_fs.h"
#include "kernel/task/task.h"
#include "lib/errno.h"

u32 file_nr_open = 1u << 20;

struct fdtable *
fdtable_find(struct files *fs, unsigned int fd, unsigned long *v)
{
	for (;;) {
		struct fdtable *t = rcu_load(fs->table);

		if (unlikely(fd >= t->max))
			return NULL;
		*v = READ_ONCE(t->slot[fd_index(fd)]);
		if (likely(*v != SLOT_MOVED))
			return t;
		cpu_relax();
	}
}

/* --- lookups --- */

struct file *
fd_peek(unsigned int fd)
{
	unsigned long v;

	return likely(fdtable_find(current->files, fd, &v)) ? slot_file(v) : NULL;
}

static struct file *
get_counted(unsigned int fd)
{
	struct file *f;

	rcu_read_lock();
	for (;;) {
		f = fd_peek(fd);
		if (!f)
			break;
		if (!tally_try_get(&f->refs))
			continue;
		if (likely(fd_peek(fd) == f))
			break;
		rcu_read_unlock();
		file_put(f);
		rcu_read_lock();
	}
	rcu_read_unlock();
	return f;
}

struct fdref
fd_get_path(unsigned int fd)
{
	if (likely(atomic_read(&current->files->refs) == 1))
		return (struct fdref){fd_peek(fd), false};
	return (struct fdref){get_counted(fd), true};
}

struct fdref
fd_get(unsigned int fd)
{
	struct fdref r = fd_get_path(fd);

	if (r.file && unlikely(r.file->mode & FMODE_PATH)) {
		fd_put(r);
		r.file = NULL;
	}
	return r;
}

void
fd_put(struct fdref r)
{
	if (r.counted && r.file)
		file_put(r.file);
}

struct file *
fd_get_file(unsigned int fd)
{
	struct file *f = get_counted(fd);

	if (f && f->mode & FMODE_PATH) {
		file_put(f);
		return NULL;
	}
	return f;
}

struct file *
files_next(struct files *fs, unsigned int *from)
{
	struct file *f = NULL;
	unsigned long v;
	unsigned int n;

	rcu_read_lock();
	for (n = *from; n < READ_ONCE(fs->top) && fdtable_find(fs, n, &v); n++) {
		f = slot_file(v);
		if (f && tally_try_get(&f->refs))
			break;
		f = NULL;
	}
	rcu_read_unlock();
	*from = n;
	return f;
}

bool
files_get_cloexec(struct files *fs, unsigned int fd)
{
	unsigned long v = 0;

	rcu_read_lock();
	fdtable_find(fs, fd, &v);
	rcu_read_unlock();
	return v & SLOT_CLOEXEC;
}

unsigned int
files_slots(struct files *fs)
{
	unsigned int n;

	rcu_read_lock();
	n = rcu_load(fs->table)->max;
	rcu_read_unlock();
	return n;
}

/* --- changes of a slot that is taken --- */

/*
 * Exchanges a slot that has any of the bits in `want` (~SLOT_FLAGS: a handle) for what is
 * left of it under `keep`, with `add`. False: it has none. *old: what it was.
 */
static bool
slot_change(unsigned int fd, unsigned long want, unsigned long keep, unsigned long add,
	    unsigned long *old)
{
	struct fdtable *t;
	bool done = false;

	rcu_read_lock();
	while (!done && (t = fdtable_find(current->files, fd, old)) != NULL && *old & want)
		done = atomic_try_cmpxchg(&t->slot[fd_index(fd)], old, (*old & keep) | add);
	if (done && !((*old & keep) | add)) {
		/* Freed: pairs with find_in_group(). */
		unsigned int group = fd / GROUP;

		if (READ_ONCE(t->full[group / 64]) & BIT(group % 64))
			atomic_clear_bit(group, t->full);
	}
	rcu_read_unlock();
	return done;
}

void
fd_publish(unsigned int fd, struct file *f)
{
	unsigned long old;

	slot_change(fd, SLOT_RESERVED, SLOT_CLOEXEC, slot_value(f, false), &old);
}

void
fd_unreserve(unsigned int fd)
{
	unsigned long old;

	slot_change(fd, SLOT_RESERVED, 0, 0, &old);
}

struct file *
fd_take(unsigned int fd)
{
	unsigned long old;

	return slot_change(fd, ~SLOT_FLAGS, 0, 0, &old) ? slot_file(old) : NULL;
}

void
fd_set_cloexec(unsigned int fd, bool v)
{
	unsigned long old;

	if (files_get_cloexec(current->files, fd) != v)
		slot_change(fd, ~SLOT_FLAGS, ~SLOT_CLOEXEC, v ? SLOT_CLOEXEC : 0, &old);
}

void
fd_set_cloexec_range(unsigned int first, unsigned int last)
{
	unsigned int fd, top = READ_ONCE(current->files->top);

	for (fd = first; fd < top && fd <= last; fd++)
		fd_set_cloexec(fd, true);
}

/* --- taking a free slot: files->lock held --- */

/* The first free descriptor of those from `from` in its group; the group's end: none. */
static unsigned int
scan_group(const struct fdtable *t, unsigned int from)
{
	unsigned int end = from - from % GROUP + GROUP;

	while (from < end && READ_ONCE(t->slot[fd_index(from)]))
		from++;
	return from;
}

/* The same; a group that has none is marked. */
static unsigned int
find_in_group(struct fdtable *t, unsigned int from)
{
	unsigned int group = from / GROUP, end = (group + 1) * GROUP, n;

	n = scan_group(t, from);
	if (n < end || from % GROUP)
		return n;
	atomic_set_bit(group, t->full);
	n = scan_group(t, from);
	if (n < end)
		atomic_clear_bit(group, t->full);
	return n;
}

/* t->max: none. */
static unsigned int
find_free(struct fdtable *t, unsigned int from)
{
	while (from < t->max) {
		unsigned int group = from / GROUP, end = (group + 1) * GROUP;

		if (!(READ_ONCE(t->full[group / 64]) & BIT(group % 64))) {
			from = find_in_group(t, from);
			if (from < end)
				return from;
		}
		from = end;
	}
	return from;
}

/* The lowest free one. With others at work, two looks that agree (above). */
static unsigned int
lowest_free(struct files *fs, struct fdtable *t, unsigned int from)
{
	unsigned int n = find_free(t, from), again;

	if (atomic_read(&fs->refs) == 1)
		return n;
	while ((again = find_free(t, from)) != n)
		n = again;
	return n;
}

static unsigned int
fd_limit(void)
{
	return (unsigned int)min(rlimit(RLIMIT_NOFILE), (u64)file_nr_open);
}

static struct fdtable *
table_of(struct files *fs)
{
	return rcu_locked(fs->table);
}

/* Puts v into the lowest free slot. Lock held; growing lets it go. */
static int
take_locked(struct files *fs, unsigned int from, unsigned long v)
{
	struct fdtable *t;
	unsigned int n;
	int err;

	for (;;) {
		t = table_of(fs);
		n = lowest_free(fs, t, from);
		if (n >= fd_limit())
			return -EMFILE;
		if (n < t->max)
			break;
		err = files_grow(fs, n);
		if (err)
			return err;
	}
	smp_store_release(&t->slot[fd_index(n)], v);
	if (n >= fs->top)
		WRITE_ONCE(fs->top, n + 1);
	return (int)n;
}

static int
take(unsigned int from, unsigned long v)
{
	struct files *fs = current->files;
	int fd;

	spin_lock(&fs->lock);
	fd = take_locked(fs, from, v);
	spin_unlock(&fs->lock);
	return fd;
}

int
fd_reserve(unsigned int from, bool cloexec)
{
	return take(from, SLOT_RESERVED | (cloexec ? SLOT_CLOEXEC : 0));
}

int
fd_install(struct file *f, unsigned int from, bool cloexec)
{
	int fd = take(from, slot_value(f, cloexec));

	if (fd < 0)
		file_put(f);
	return fd;
}

/* fd_replace() where there was no handle. Lock held. */
static int
replace_locked(struct files *fs, unsigned int fd, unsigned long v, unsigned long *old)
{
	struct fdtable *t;
	int err;

	while (fd >= table_of(fs)->max) {
		err = files_grow(fs, fd);
		if (err)
			return err;
	}
	t = table_of(fs);
	*old = READ_ONCE(t->slot[fd_index(fd)]);
	do {
		if (*old & SLOT_RESERVED)
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&t->slot[fd_index(fd)], old, v));
	if (fd >= fs->top)
		WRITE_ONCE(fs->top, fd + 1);
	return 0;
}

/* Replaces what slot fd holds by f (dup2); returns the old handle through *old. */
int
fd_replace(unsigned int fd, struct file *f, bool cloexec, struct file **old)
{
	struct files *fs = current->files;
	unsigned long v = slot_value(f, cloexec), was;
	int err = 0;

	*old = NULL;
	if (fd >= fd_limit())
		return -EBADF;
	if (!slot_change(fd, ~SLOT_FLAGS, 0, v, &was)) {
		spin_lock(&fs->lock);
		err = replace_locked(fs, fd, v, &was);
		spin_unlock(&fs->lock);
	}
	if (!err)
		*old = slot_file(was);
	return err;
}

/* --- closing --- */

int
file_close(struct file *f, struct files *owner)
{
	int err = 0;

	if (f->ops->flush)
		err = f->ops->flush(f);
	if (!(f->mode & FMODE_PATH))
		fs_file_close(f, owner);
	file_put(f);
	return err;
}

int
fd_close(unsigned int fd)
{
	struct file *f = fd_take(fd);

	return f ? file_close(f, current->files) : -EBADF;
}
