/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables.
 *
 * Model: a table is an array of slots with two bit maps. A slot's descriptor
 * is taken by its bit in `open` first (reserved) and gets its handle later
 * (published), so a call can make sure of a number before it makes anything.
 *
 * Locking: files->lock (RANK_FDTABLE) for all changes. Lookups take no lock:
 *      fd_get                                  fd_close
 *      file = slot (RCU)                       slot = NULL
 *      refs++ unless 0                         refs-- (0: freed after a grace period)
 *      slot still == file?
 * A reference taken on a handle whose slot changed meanwhile is given back and
 * the lookup done again. A table that only one task uses cannot change under
 * it, so its lookups take no reference at all.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "kernel/port_fs.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "lib/bitmap.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

#define TABLE_MIN 64u

static LOCK_CLASS(files_class, RANK_FDTABLE);
u32 file_nr_open = 1u << 20;

static struct fdtable *
table_alloc(u32 max)
{
	size_t words = max / 64;
	struct fdtable *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->max = max;
	t->fd = kvmalloc(max * sizeof(*t->fd) + 2 * words * sizeof(long), GFP_KERNEL | GFP_ZERO);
	if (!t->fd) {
		kfree(t);
		return NULL;
	}
	t->open = (unsigned long *)(t->fd + max);
	t->cloexec = t->open + words;
	return t;
}

static void
table_free(struct fdtable *t)
{
	kvfree(t->fd);
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

struct files *
files_create(void)
{
	struct files *fs = kzalloc(sizeof(*fs), GFP_KERNEL);
	struct fdtable *t = table_alloc(TABLE_MIN);

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
files_get(struct files *fs)
{
	atomic_inc(&fs->refs);
	return fs;
}

static struct fdtable *
table_of(struct files *fs)
{
	return rcu_locked(fs->table);
}

static unsigned int
words_used(const struct fdtable *t)
{
	unsigned int w = t->max / 64;

	while (w && !t->open[w - 1])
		w--;
	return w;
}

/* Copies open slots with references; a reserved one is not the child's. Holds from's lock. */
static void
slots_copy(struct fdtable *to, const struct fdtable *from, unsigned int words)
{
	unsigned int w, i;
	unsigned long m;

	for (w = 0; w < words; w++) {
		for (m = from->open[w]; m; m &= m - 1) {
			i = w * 64 + (unsigned int)__builtin_ctzl(m);
			if (!from->fd[i])
				continue;
			rcu_init_field(to->fd[i], file_get(rcu_locked(from->fd[i])));
			to->open[w] |= BIT(i % 64);
		}
		to->cloexec[w] = from->cloexec[w] & to->open[w];
	}
}

struct files *
files_copy(struct files *fs)
{
	struct files *new = files_create();
	struct fdtable *t;
	unsigned int words;

	if (!new)
		return err_ptr(-ENOMEM);
	spin_lock(&fs->lock);
	for (;;) {
		words = words_used(table_of(fs));
		t = table_of(new);
		if (words * 64 <= t->max)
			break;
		spin_unlock(&fs->lock);
		table_free(t);
		t = table_alloc(words * 64);
		if (!t) {
			kfree(new);
			return err_ptr(-ENOMEM);
		}
		rcu_publish(new->table, t);
		spin_lock(&fs->lock);
	}
	slots_copy(t, table_of(fs), words);
	new->next_free = fs->next_free;
	spin_unlock(&fs->lock);
	return new;
}

static void
close_all(struct files *fs)
{
	struct fdtable *t = table_of(fs);
	unsigned int w, i, words = words_used(t);
	struct file *f;

	for (w = 0; w < words; w++)
		while (t->open[w]) {
			i = w * 64 + (unsigned int)__builtin_ctzl(t->open[w]);
			t->open[w] &= t->open[w] - 1;
			f = rcu_locked(t->fd[i]);
			if (!f)
				continue;
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

/* --- lookups --- */

struct file *
fd_peek(unsigned int fd)
{
	struct fdtable *t = rcu_load(current->files->table);

	return likely(fd < t->max) ? rcu_load(t->fd[fd]) : NULL;
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

/* --- changes --- */

/* Room for slot n: a table twice as large, or n + 1. Lock held on entry and return; may let go. */
static int
grow(struct files *fs, unsigned int n)
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
	memcpy(t->fd, old->fd, old->max * sizeof(*t->fd));
	memcpy(t->open, old->open, old->max / 8);
	memcpy(t->cloexec, old->cloexec, old->max / 8);
	rcu_publish(fs->table, t);
	rcu_call(&old->rcu, table_free_rcu);
	return 0;
}

static unsigned int
lowest_free(const struct fdtable *t, unsigned int from)
{
	unsigned int w = from / 64;
	unsigned long m;

	if (from >= t->max)
		return from;
	m = ~t->open[w] & (~0UL << from % 64);
	while (!m) {
		if (++w >= t->max / 64)
			return t->max;
		m = ~t->open[w];
	}
	return w * 64 + (unsigned int)__builtin_ctzl(m);
}

static void
slot_bit(unsigned long *map, unsigned int n, bool v)
{
	if (v)
		map[n / 64] |= BIT(n % 64);
	else
		map[n / 64] &= ~BIT(n % 64);
}

static unsigned int
fd_limit(void)
{
	return (unsigned int)min(rlimit(RLIMIT_NOFILE), (u64)file_nr_open);
}

/* Takes the bit of a free descriptor; lock held. */
static int
reserve_locked(struct files *fs, unsigned int from, bool cloexec)
{
	unsigned int n, start = max(from, fs->next_free);
	struct fdtable *t;
	int err;

	for (;;) {
		t = table_of(fs);
		n = lowest_free(t, start);
		if (n >= fd_limit())
			return -EMFILE;
		if (n < t->max)
			break;
		err = grow(fs, n);
		if (err)
			return err;
		/* The lock was let go: begin again. */
		start = max(from, fs->next_free);
	}
	slot_bit(t->open, n, true);
	slot_bit(t->cloexec, n, cloexec);
	if (start <= fs->next_free)
		fs->next_free = n + 1;
	return (int)n;
}

int
fd_reserve(unsigned int from, bool cloexec)
{
	struct files *fs = current->files;
	int fd;

	spin_lock(&fs->lock);
	fd = reserve_locked(fs, from, cloexec);
	spin_unlock(&fs->lock);
	return fd;
}

void
fd_publish(unsigned int fd, struct file *f)
{
	struct files *fs = current->files;

	spin_lock(&fs->lock);
	rcu_publish(table_of(fs)->fd[fd], f);
	spin_unlock(&fs->lock);
}

static void
unreserve_locked(struct files *fs, unsigned int fd)
{
	slot_bit(table_of(fs)->open, fd, false);
	fs->next_free = min(fs->next_free, fd);
}

void
fd_unreserve(unsigned int fd)
{
	struct files *fs = current->files;

	spin_lock(&fs->lock);
	unreserve_locked(fs, fd);
	spin_unlock(&fs->lock);
}

int
fd_install(struct file *f, unsigned int from, bool cloexec)
{
	struct files *fs = current->files;
	int fd;

	spin_lock(&fs->lock);
	fd = reserve_locked(fs, from, cloexec);
	if (fd >= 0)
		rcu_publish(table_of(fs)->fd[fd], f);
	spin_unlock(&fs->lock);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* Replaces what slot fd holds by f (dup2); returns the old handle through *old. */
int
fd_replace(unsigned int fd, struct file *f, bool cloexec, struct file **old)
{
	struct files *fs = current->files;
	struct fdtable *t;
	int err = 0;

	*old = NULL;
	if (fd >= fd_limit())
		return -EBADF;
	spin_lock(&fs->lock);
	while (!err && fd >= table_of(fs)->max)
		err = grow(fs, fd);
	t = table_of(fs);
	if (!err && !t->fd[fd] && t->open[fd / 64] & BIT(fd % 64))
		err = -EBUSY;
	if (!err) {
		*old = rcu_locked(t->fd[fd]);
		slot_bit(t->open, fd, true);
		slot_bit(t->cloexec, fd, cloexec);
		rcu_publish(t->fd[fd], f);
	}
	spin_unlock(&fs->lock);
	return err;
}

struct file *
fd_take(unsigned int fd)
{
	struct files *fs = current->files;
	struct fdtable *t;
	struct file *f = NULL;

	spin_lock(&fs->lock);
	t = table_of(fs);
	if (fd < t->max)
		f = rcu_locked(t->fd[fd]);
	if (f) {
		rcu_publish(t->fd[fd], NULL);
		unreserve_locked(fs, fd);
	}
	spin_unlock(&fs->lock);
	return f;
}

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

void
files_close_on_exec(void)
{
	struct files *fs = current->files;
	struct fdtable *t = table_of(fs);
	unsigned int w;

	for (w = 0; w < t->max / 64; w++)
		while (t->cloexec[w] & t->open[w]) {
			unsigned int fd =
				w * 64 + (unsigned int)__builtin_ctzl(t->cloexec[w] & t->open[w]);

			slot_bit(t->cloexec, fd, false);
			fd_close(fd);
		}
}

struct file *
files_next(struct files *fs, unsigned int *from)
{
	struct file *f = NULL;
	struct fdtable *t;
	unsigned int n;

	rcu_read_lock();
	t = rcu_load(fs->table);
	for (n = *from; n < t->max; n++) {
		f = rcu_load(t->fd[n]);
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
	struct fdtable *t;
	bool v;

	rcu_read_lock();
	t = rcu_load(fs->table);
	v = fd < t->max && READ_ONCE(t->cloexec[fd / 64]) & BIT(fd % 64);
	rcu_read_unlock();
	return v;
}

void
fd_set_cloexec(unsigned int fd, bool v)
{
	struct files *fs = current->files;

	if (files_get_cloexec(fs, fd) == v)
		return;
	spin_lock(&fs->lock);
	if (fd < table_of(fs)->max)
		slot_bit(table_of(fs)->cloexec, fd, v);
	spin_unlock(&fs->lock);
}
