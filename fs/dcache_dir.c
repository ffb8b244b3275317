/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children of a directory: shards, cookies, reading in order.
 *
 * Model: see fs/dcache.h. The order is kept in one tree a shard, newest (largest
 * cookie) leftmost. Reading a directory merges the shards: the largest cookie
 * below the position is next, wherever it is.
 *
 * Locking: a shard's lock covers its tree and counts; its seq is odd while they
 * change, so that readers of counts and of entries take no lock. Who reads entries
 * and finds a change does it again under the lock.
 */
#include "fs/dcache.h"
#include "fs/dcache_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/string.h"
#include "mm/slab.h"

static LOCK_CLASS(shard_lock_class, RANK_DENTRY);
u32 dir_read_linger;
bool dir_read_trusting;

/* o  the last cookie that this CPU gave */
static DEFINE_PERCPU(u64, last_cookie);

/* More than a tree can have: a walk without the lock that went astray ends. */
#define DEPTH_MAX 128

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

/* seq is odd. */
static void
shard_count(struct dir_shard *s, const struct dentry *d, u32 n)
{
	s->entries += n;
	if (dentry_is_dir(d))
		s->subdirs += n;
	s->stamp = ktime_get();
	s->mtime = inode_now();
}

void
dir_shard_add(struct dir_shard *s, struct dentry *d, u16 index)
{
	struct rb_node **link = &s->order.root.node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	WRITE_ONCE(d->shard, index);
	seq_write_begin(&s->seq);
	WRITE_ONCE(d->cookie, cookie_new_oncpu());
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
	seq_write_end(&s->seq);
}

void
dir_shard_del(struct dir_shard *s, struct dentry *d)
{
	seq_write_begin(&s->seq);
	rb_erase_cached(&d->order, &s->order);
	rb_clear(&d->order);
	shard_count(s, d, -1u);
	seq_write_end(&s->seq);
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

/*
 * The child with the largest cookie below `before`. Shard locked, or in an RCU
 * section: see shard_read_begin().
 */
static struct dentry *
shard_next(struct dir_shard *s, u64 before)
{
	struct rb_node *n = READ_ONCE(s->order.root.node);
	struct dentry *best = NULL;

	for (unsigned int depth = 0; n && depth < DEPTH_MAX; depth++) {
		struct dentry *d = rb_entry(n, struct dentry, order);

		if (READ_ONCE(d->cookie) < before) {
			best = d;
			n = READ_ONCE(n->left);
		} else {
			n = READ_ONCE(n->right);
		}
		for (u32 i = 0; CONFIG_DEBUG && i < READ_ONCE(dir_read_linger); i++)
			cpu_relax();
	}
	return best;
}

/*
 * An attempt to read a shard without its lock. What is found on the way are dentries,
 * though perhaps of another place, with names and inodes that stay until the RCU
 * section ends; it counts if shard_read_end() says that nothing has changed meanwhile.
 */
static u32
shard_read_begin(struct dir_shard *s)
{
	rcu_read_lock();
	return smp_load_acquire(&s->seq.seq);
}

static bool
shard_read_end(struct dir_shard *s, u32 seq)
{
	bool good = !(seq & 1) && !seq_read_retry(&s->seq, seq);

	rcu_read_unlock();
	return good || (CONFIG_DEBUG && READ_ONCE(dir_read_trusting));
}

static u64
next_cookie(struct dir_shard *s, u64 before)
{
	struct dentry *d = shard_next(s, before);

	return d ? READ_ONCE(d->cookie) : 0;
}

static u64
shard_next_cookie(struct dir_shard *s, u64 before)
{
	u32 seq = shard_read_begin(s);
	u64 c = next_cookie(s, before);

	if (shard_read_end(s, seq))
		return c;
	spin_lock(&s->lock);
	c = next_cookie(s, before);
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

/* What entries show, copied while their shard stood still: packed one behind another. */
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

/* Shard locked, or in an attempt to read: then what does not fit together is of no use. */
static void
copy_entry(struct dir_entry *e, const struct dentry *d, u64 cookie)
{
	const struct dname *name = READ_ONCE(d->name);
	const struct inode *i = READ_ONCE(d->inode);

	e->cookie = cookie;
	e->ino = i ? i->ino : 0;
	e->type = i ? (READ_ONCE(i->mode) & S_IFMT) >> 12 : 0;
	e->len = min(READ_ONCE(name->len), (u32)NAME_MAX);
	memcpy(e->name, name->s, e->len);
	e->name[e->len] = '\0';
}

static size_t
copy_entries(struct dir_shard *s, u64 at, u64 stop, char *batch, u64 *next)
{
	struct dentry *d = shard_next(s, at + 1);
	size_t used = 0;

	while (d && used + ENTRY_MAX <= BATCH_SIZE) {
		struct dir_entry *e = (struct dir_entry *)(batch + used);
		u64 cookie = READ_ONCE(d->cookie);

		if (cookie <= stop)
			break;
		copy_entry(e, d, cookie);
		used += entry_size(e->len);
		d = shard_next(s, cookie);
	}
	*next = d ? READ_ONCE(d->cookie) : 0;
	return used;
}

/*
 * Copies children of one shard from cookie `at` down to (not including) `stop`
 * into batch, as many as fit: bytes used. *next: the cookie that follows, 0: none.
 */
static size_t
shard_copy(struct dir_shard *s, u64 at, u64 stop, char *batch, u64 *next)
{
	u32 seq = shard_read_begin(s);
	size_t used = copy_entries(s, at, stop, batch, next);

	if (shard_read_end(s, seq))
		return used;
	spin_lock(&s->lock);
	used = copy_entries(s, at, stop, batch, next);
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
