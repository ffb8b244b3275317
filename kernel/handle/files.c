/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables: birth, fork, growth, exec, death.
 *
 * A table's copy for fork is what the table was at one moment, though threads close
 * and replace what is in it without the lock: it is compared with the table when it
 * is ready, and made again if that has changed.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/file.h"
#include "kernel/handle/fdtable.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

#define TABLE_MIN GROUP

static LOCK_CLASS(files_class, RANK_FDTABLE);

static struct fdtable *
table_alloc(u32 max)
{
	size_t words = BITS_TO_LONGS(max / GROUP);
	struct fdtable *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->max = max;
	t->slot = kvmalloc((max + words) * sizeof(long), GFP_KERNEL | GFP_ZERO);
	if (!t->slot) {
		kfree(t);
		return NULL;
	}
	t->full = t->slot + max;
	return t;
}

static void
table_free(struct fdtable *t)
{
	kvfree(t->slot);
	kfree(t);
}

/* Large tables are vmalloc memory, which a callback must not free. */
static void
table_free_work(struct work *w)
{
	table_free(container_of(w, struct fdtable, work));
}

static void
table_free_rcu(struct rcu_head *h)
{
	struct fdtable *t = container_of(h, struct fdtable, rcu);

	work_init(&t->work, table_free_work);
	work_post_here(&t->work);
}

static struct fdtable *
table_of(struct files *fs)
{
	return rcu_locked(fs->table);
}

static struct files *
files_alloc(u32 max)
{
	struct files *fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	struct fdtable *t = table_alloc(max);

	if (!fs || !t) {
		kfree(fs);
		if (t)
			table_free(t);
		return NULL;
	}
	fs->refs = 1;
	spin_init(&fs->lock, &files_class);
	rcu_publish(fs->table, t);
	return fs;
}

struct files *
files_create(void)
{
	return files_alloc(TABLE_MIN);
}

struct files *
files_get(struct files *fs)
{
	atomic_inc(&fs->refs);
	return fs;
}

/* --- death --- */

static void
close_all(struct files *fs)
{
	struct fdtable *t = table_of(fs);

	for (unsigned int fd = 0; fd < fs->top; fd++) {
		unsigned long *slot = &t->slot[fd_index(fd)];
		struct file *f = slot_file(*slot);

		if (!f)
			continue;
		WRITE_ONCE(*slot, 0);
		file_close(f, fs);
		cond_resched();
	}
}

void
files_put(struct files *fs)
{
	if (!atomic_dec_and_test(&fs->refs))
		return;
	close_all(fs);
	/* Nobody looks a table up through a task that is gone, but /proc may. */
	rcu_call(&table_of(fs)->rcu, table_free_rcu);
	kfree_rcu(fs, rcu);
}

/* --- fork --- */

/* One slot's value with a reference of its handle; what is reserved is not the child's. */
static unsigned long
slot_copy(const struct files *from, const unsigned long *slot)
{
	unsigned long v;
	struct file *f;

	for (;;) {
		v = READ_ONCE(*slot);
		f = slot_file(v);
		if (!f)
			return 0;
		if (atomic_read(&from->refs) == 1) {
			file_get(f);
			return v;
		}
		/* Gone: it has just left the slot. */
		if (tally_try_get(&f->refs))
			return v;
	}
}

static bool
slots_differ(const struct fdtable *a, const struct fdtable *b, unsigned int top)
{
	for (unsigned int fd = 0; fd < top; fd++) {
		unsigned long v = READ_ONCE(a->slot[fd_index(fd)]);

		if (b->slot[fd_index(fd)] != (slot_file(v) ? v : 0))
			return true;
	}
	return false;
}

/* from->lock held: false: it changed meanwhile. */
static bool
slots_copy(struct files *to, struct files *from)
{
	struct fdtable *a = table_of(from), *b = table_of(to);

	to->top = from->top;
	for (unsigned int fd = 0; fd < to->top; fd++)
		b->slot[fd_index(fd)] = slot_copy(from, &a->slot[fd_index(fd)]);
	return atomic_read(&from->refs) == 1 || !slots_differ(a, b, to->top);
}

/* Gives back a copy that nobody has seen. */
static void
files_discard(struct files *fs)
{
	for (unsigned int fd = 0; fd < fs->top; fd++) {
		struct file *f = slot_file(table_of(fs)->slot[fd_index(fd)]);

		if (f)
			file_put(f);
	}
	table_free(table_of(fs));
	kfree(fs);
}

/* Lowers `top` to where it would be without what is closed by now. Lock held. */
static u32
files_trim(struct files *fs)
{
	const struct fdtable *t = table_of(fs);
	u32 top = fs->top;

	while (top && !READ_ONCE(t->slot[fd_index(top - 1)]))
		top--;
	if (top != fs->top)
		WRITE_ONCE(fs->top, top);
	return top;
}

struct files *
files_copy(struct files *fs)
{
	struct files *new;
	bool done;

	do {
		new = files_alloc(max(align_up(READ_ONCE(fs->top), GROUP), TABLE_MIN));
		if (!new)
			return err_ptr(-ENOMEM);
		spin_lock(&fs->lock);
		done = files_trim(fs) <= table_of(new)->max && slots_copy(new, fs);
		spin_unlock(&fs->lock);
		if (!done)
			files_discard(new);
	} while (!done);
	return new;
}

int
files_unshare(void)
{
	struct files *old = current->files, *new;

	if (atomic_read(&old->refs) == 1)
		return 0;
	new = files_copy(old);
	if (is_err(new))
		return (int)ptr_err(new);
	spin_lock(&current->alloc_lock);
	current->files = new;
	spin_unlock(&current->alloc_lock);
	files_put(old);
	return 0;
}

/* --- growth --- */

/* Takes the slots over; nobody changes them in the old table any more. */
static void
slots_move(struct files *fs, struct fdtable *to, struct fdtable *from)
{
	if (atomic_read(&fs->refs) == 1) {
		memcpy(to->slot, from->slot, from->max * sizeof(*to->slot));
		return;
	}
	for (u32 i = 0; i < from->max; i++)
		to->slot[i] = atomic_xchg(&from->slot[i], SLOT_MOVED);
}

int
files_grow(struct files *fs, unsigned int n)
{
	struct fdtable *old = table_of(fs), *t;
	u32 max = old->max;

	while (max <= n)
		max *= 2;
	spin_unlock(&fs->lock);
	t = table_alloc(max);
	spin_lock(&fs->lock);
	if (!t)
		return -ENOMEM;
	old = table_of(fs);
	if (old->max > n) {
		/* Another task was faster. */
		spin_unlock(&fs->lock);
		table_free(t);
		spin_lock(&fs->lock);
		return 0;
	}
	/* `full` begins empty: who frees a slot of the old table clears its bit there. */
	slots_move(fs, t, old);
	rcu_publish(fs->table, t);
	rcu_call(&old->rcu, table_free_rcu);
	return 0;
}

/* --- exec --- */

void
files_close_on_exec(void)
{
	struct files *fs = current->files;
	unsigned long v;

	for (unsigned int fd = 0; fd < fs->top; fd++)
		if (fdtable_find(fs, fd, &v) && slot_file(v) && v & SLOT_CLOEXEC)
			fd_close(fd);
}
