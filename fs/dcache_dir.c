/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children of a directory: shards, cookies, reading in order.
 *
 * Model: see fs/dcache.h. The order is kept in one tree a shard, newest (largest
 * cookie) leftmost. Reading a directory merges the shards: the largest cookie
 * below the position is next, wherever it is.
 */
#include "fs/dcache.h"
#include "fs/dcache_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/string.h"
#include "mm/slab.h"

static LOCK_CLASS(shard_lock_class, RANK_DENTRY);

/* o  the last cookie that this CPU gave */
static DEFINE_PERCPU(u64, last_cookie);

#define COOKIE_CPU_BITS 10
static_assert(CONFIG_MAX_CPUS <= 1 << COOKIE_CPU_BITS, "a CPU's number fits below the time");

/* Pinned. */
static u64
cookie_new_oncpu(void)
{
	u64 step = 1UL << COOKIE_CPU_BITS;
	u64 c = DIR_COOKIE_MIN + align_down(ktime_get(), step) + cpu_id();
	u64 *last = &this_cpu(last_cookie);

	if (c <= *last)
		c = *last + step;
	*last = c;
	return c;
}

struct dir_shards *
dir_shards_get(struct dentry *dir)
{
	struct dir_shards *ds = smp_load_acquire(&dir->shards);
	struct dir_shards *none = NULL;
	u32 n;

	if (ds)
		return ds;
	n = min(nr_cpus, (unsigned int)DIR_SHARDS);
	ds = kzalloc(sizeof(*ds) + n * sizeof(ds->shard[0]), GFP_KERNEL);
	if (!ds)
		return NULL;
	ds->n = n;
	for (u32 i = 0; i < n; i++)
		spin_init(&ds->shard[i].lock, &shard_lock_class);
	if (!atomic_try_cmpxchg(&dir->shards, &none, ds)) {
		kfree(ds);
		ds = none;
	}
	return ds;
}

static void
shard_count(struct dir_shard *s, const struct dentry *d, u32 n)
{
	seq_write_begin(&s->seq);
	s->entries += n;
	if (dentry_is_dir(d))
		s->subdirs += n;
	s->stamp = ktime_get();
	s->mtime = inode_now();
	seq_write_end(&s->seq);
}

void
dir_shard_add(struct dir_shard *s, struct dentry *d, u16 index)
{
	struct rb_node **link = &s->order.root.node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	d->cookie = cookie_new_oncpu();
	WRITE_ONCE(d->shard, index);
	while (*link) {
		parent = *link;
		if (d->cookie > rb_entry(parent, struct dentry, order)->cookie) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&d->order, parent, link);
	rb_insert_cached(&d->order, &s->order, leftmost);
	shard_count(s, d, 1);
}

void
dir_shard_del(struct dir_shard *s, struct dentry *d)
{
	rb_erase_cached(&d->order, &s->order);
	rb_clear(&d->order);
	shard_count(s, d, -1u);
}

bool
dir_empty(struct dentry *dir)
{
	struct dir_shards *ds = smp_load_acquire(&dir->shards);
	u32 n = 0;

	for (u32 i = 0; ds && i < ds->n; i++) {
		spin_lock(&ds->shard[i].lock);
		n += ds->shard[i].entries;
		spin_unlock(&ds->shard[i].lock);
	}
	return n == 0;
}

int
dir_try_dying(struct dentry *dir)
{
	bool mine = false;

	while (!mine) {
		u32 flags;

		spin_lock(&dir->lock);
		flags = dir->flags;
		mine = !(flags & (D_DYING | D_DEAD));
		if (mine)
			atomic_or(&dir->flags, D_DYING);
		spin_unlock(&dir->lock);
		if (flags & D_DEAD)
			return -ENOENT;
		if (!mine)
			cpu_relax();
	}
	if (dir_empty(dir))
		return 0;
	dir_undying(dir);
	return -ENOTEMPTY;
}

void
dir_undying(struct dentry *dir)
{
	atomic_and(&dir->flags, ~D_DYING);
}

void
dir_sum(struct dentry *dir, struct dir_sums *sum)
{
	struct dir_shards *ds = smp_load_acquire(&dir->shards);

	*sum = (struct dir_sums){0};
	for (u32 i = 0; ds && i < ds->n; i++) {
		struct dir_shard *s = &ds->shard[i];
		u32 seq, entries, subdirs;
		u64 stamp;
		s64 mtime;

		do {
			seq = seq_read_begin(&s->seq);
			entries = s->entries;
			subdirs = s->subdirs;
			stamp = s->stamp;
			mtime = s->mtime;
		} while (seq_read_retry(&s->seq, seq));
		sum->entries += entries;
		sum->subdirs += subdirs;
		if (stamp > sum->stamp) {
			sum->stamp = stamp;
			sum->mtime = mtime;
		}
	}
}

/* Shard locked: the child with the largest cookie below `before`. */
static struct dentry *
shard_next(struct dir_shard *s, u64 before)
{
	struct rb_node *n = s->order.root.node;
	struct dentry *best = NULL;

	while (n) {
		struct dentry *d = rb_entry(n, struct dentry, order);

		if (d->cookie < before) {
			best = d;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

static u64
shard_next_cookie(struct dir_shard *s, u64 before)
{
	struct dentry *d;
	u64 c;

	spin_lock(&s->lock);
	d = shard_next(s, before);
	c = d ? d->cookie : 0;
	spin_unlock(&s->lock);
	return c;
}

struct dentry *
dir_next_child(struct dentry *dir, u64 before)
{
	struct dir_shards *ds = smp_load_acquire(&dir->shards);
	struct dentry *best = NULL;

	for (u32 i = 0; ds && i < ds->n; i++) {
		struct dir_shard *s = &ds->shard[i];
		struct dentry *d;

		spin_lock(&s->lock);
		d = shard_next(s, before);
		if (d && (!best || d->cookie > best->cookie)) {
			dentry_put(best);
			best = dentry_get(d);
		}
		spin_unlock(&s->lock);
	}
	return best;
}

/* What entries show, copied while their shard was locked: packed one behind another. */
struct dir_entry {
	u64 cookie;
	u64 ino;
	u16 len;
	u8 type;
	char name[];
};

#define BATCH_SIZE PAGE_SIZE
#define ENTRY_MAX (sizeof(struct dir_entry) + NAME_MAX + 1 + sizeof(u64))

static size_t
entry_size(u32 len)
{
	return align_up(sizeof(struct dir_entry) + len + 1, sizeof(u64));
}

static void
copy_entry(struct dir_entry *e, const struct dentry *d)
{
	e->cookie = d->cookie;
	e->ino = d->inode->ino;
	e->type = (d->inode->mode & S_IFMT) >> 12;
	e->len = d->name->len;
	memcpy(e->name, d->name->s, e->len + 1);
}

/*
 * Copies children of one shard from cookie `at` down to (not including) `stop`
 * into batch, as many as fit: bytes used. *next: the cookie that follows, 0: none.
 */
static size_t
shard_copy(struct dir_shard *s, u64 at, u64 stop, char *batch, u64 *next)
{
	struct dentry *d;
	size_t used = 0;

	spin_lock(&s->lock);
	d = shard_next(s, at + 1);
	while (d && d->cookie > stop && used + ENTRY_MAX <= BATCH_SIZE) {
		copy_entry((struct dir_entry *)(batch + used), d);
		used += entry_size(d->name->len);
		d = rb_entry_or_null(rb_next(&d->order), struct dentry, order);
	}
	*next = d ? d->cookie : 0;
	spin_unlock(&s->lock);
	return used;
}

/* Emits a batch; false: emit() was full. */
static bool
emit_batch(struct dir_context *ctx, const char *batch, size_t used)
{
	for (size_t at = 0; at < used;) {
		const struct dir_entry *e = (const struct dir_entry *)(batch + at);
		u64 pos = ctx->pos;

		ctx->pos = e->cookie;
		if (!ctx->emit(ctx, e->name, e->len, e->ino, e->type)) {
			ctx->pos = pos;
			return false;
		}
		at += entry_size(e->len);
	}
	return true;
}

/* Merges the shards from ctx->pos on; false: stopped because emit() was full. */
static bool
emit_children(struct dir_shards *ds, struct dir_context *ctx, char *batch)
{
	u64 cand[DIR_SHARDS];
	u64 before = ctx->pos < DIR_COOKIE_MIN ? U64_MAX : ctx->pos;

	for (u32 i = 0; i < ds->n; i++)
		cand[i] = shard_next_cookie(&ds->shard[i], before);
	for (;;) {
		u64 second = 0;
		u32 best = 0;
		size_t used;

		for (u32 i = 1; i < ds->n; i++) {
			if (cand[i] > cand[best]) {
				second = cand[best];
				best = i;
			} else if (cand[i] > second) {
				second = cand[i];
			}
		}
		if (!cand[best])
			return true;
		used = shard_copy(&ds->shard[best], cand[best], second, batch, &cand[best]);
		if (!emit_batch(ctx, batch, used))
			return false;
	}
}

static bool
emit_dots(struct dentry *dir, struct dir_context *ctx)
{
	if (ctx->pos == 0) {
		ctx->pos = 1;
		if (!ctx->emit(ctx, ".", 1, dir->inode->ino, DT_DIR)) {
			ctx->pos = 0;
			return false;
		}
	}
	if (ctx->pos == 1) {
		struct dentry *up;
		u64 ino;

		rcu_read_lock();
		up = READ_ONCE(dir->parent);
		ino = up ? up->inode->ino : dir->inode->ino;
		rcu_read_unlock();
		ctx->pos = 2;
		if (!ctx->emit(ctx, "..", 2, ino, DT_DIR)) {
			ctx->pos = 1;
			return false;
		}
	}
	return true;
}

bool
dcache_emit(struct file *f, struct dir_context *ctx)
{
	struct dentry *dir = f->path.dentry;
	struct dir_shards *ds = smp_load_acquire(&dir->shards);
	char *batch;
	bool all;

	if (!emit_dots(dir, ctx))
		return false;
	if (!ds)
		return true;
	batch = kmalloc(BATCH_SIZE, GFP_KERNEL);
	if (!batch)
		return false;
	all = emit_children(ds, ctx, batch);
	kfree(batch);
	return all;
}

int
dcache_iterate(struct file *f, struct dir_context *ctx)
{
	dcache_emit(f, ctx);
	return 0;
}

s64
dcache_seek(struct file *f, s64 off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

void
dcache_shrink_tree(struct dentry *root)
{
	struct dentry *d = dentry_get(root);

	for (;;) {
		struct dentry *child = dir_next_child(d, U64_MAX);
		struct dentry *up;

		if (child) {
			dentry_put(d);
			d = child;
			continue;
		}
		if (d == root)
			break;
		up = dentry_get(d->parent);
		dentry_forget(d);
		dentry_put(d);
		d = up;
	}
	dentry_put(d);
}
