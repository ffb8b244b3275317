/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name table: finding, entering and removing names. (fs/dcache.h tells the
 * model; dcache_dir.c has the children of directories, dcache_move.c renames.)
 *
 * Ordering:
 *      dentry_publish()                dentry_find_rcu()
 *      name, parent, inode are set     entry is loaded (acquire)
 *      entry is linked (release)       they are read
 */
#include "fs/dcache.h"
#include "fs/dcache_impl.h"
#include "kernel/log.h"
#include "lib/bits.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "percpu/counter.h"
#include "sync/port.h"

#define BUCKETS_MIN_SHIFT 10u
#define BUCKETS_MAX_SHIFT 18u
/* One bucket for each 16 KiB of memory: four share a line, and names of several CPUs meet there. */
#define BUCKET_PAGES 4

static LOCK_CLASS(bucket_lock_class, RANK_DENTRY_CHILD);
LOCK_CLASS(dentry_lock_class, RANK_DENTRY + 2);

static struct dcache_bucket *buckets __ro_after_init;
static unsigned int bucket_shift __ro_after_init;
static u64 hash_seed __ro_after_init;
static struct slab_cache *dentry_cache __ro_after_init;
static DEFINE_COUNTER(dentries_alive);

void
dcache_init(void)
{
	u64 want = pages_total() / BUCKET_PAGES;
	unsigned int shift = want ? ilog2(want) : 0;
	size_t n;

	static_assert(sizeof(struct dentry) <= 320, "keep dentries small");
	bucket_shift = clamp(shift, BUCKETS_MIN_SHIFT, BUCKETS_MAX_SHIFT);
	if (CONFIG_DEBUG)
		bucket_shift = BUCKETS_MIN_SHIFT;
	n = 1UL << bucket_shift;
	buckets = kvmalloc(n * sizeof(*buckets), GFP_KERNEL);
	dentry_cache = slab_cache_create("dentry", sizeof(struct dentry), CACHE_LINE, SLAB_ZERO);
	if (!buckets || !dentry_cache)
		panic("no memory for the name table");
	for (size_t i = 0; i < n; i++) {
		spin_init(&buckets[i].lock, &bucket_lock_class);
		buckets[i].seq.seq = 0;
		hlist_init(&buckets[i].chain);
	}
	hash_seed = hash_2u64(ktime_get(), (u64)buckets);
}

struct dcache_bucket *
dcache_bucket(u64 key)
{
	return &buckets[hash_bits(key, bucket_shift)];
}

/* The seed is secret, so that nobody can choose names that fall into one chain. */
u64
dentry_hash(const struct dentry *parent, const char *name, u32 len)
{
	return hash_mem(name, len, hash_seed ^ (u64)parent);
}

struct dname *
dname_alloc(u32 len)
{
	struct dname_long *l = kmalloc(sizeof(*l) + len + 1, GFP_KERNEL);

	return l ? &l->name : NULL;
}

void
dname_retire(struct dentry *d, struct dname *n)
{
	struct dname_long *l;

	if (n == &d->iname)
		return;
	l = container_of(n, struct dname_long, name);
	kfree_rcu(l, rcu);
}

static void
dentry_release(struct ref *r)
{
	struct dentry *d = container_of(r, struct dentry, ref);

	DEBUG_ASSERT(!(d->flags & D_HASHED));
	inode_put(d->inode);
	if (d->name != &d->iname)
		kfree(container_of(d->name, struct dname_long, name));
	kfree(d->shards);
	dentry_put(d->parent);
	counter_dec(dentries_alive);
	slab_free(dentry_cache, d);
}

struct dentry *
dentry_alloc(struct super *sb, struct dentry *parent, const char *name, u32 len)
{
	struct dentry *d = slab_alloc(dentry_cache, GFP_KERNEL);
	struct dname *n;

	if (!d)
		return NULL;
	n = len < DNAME_INLINE ? &d->iname : dname_alloc(len);
	if (!n) {
		slab_free(dentry_cache, d);
		return NULL;
	}
	n->len = len;
	memcpy(n->s, name, len);
	n->s[len] = '\0';
	d->name = n;
	d->sb = sb;
	d->key = dentry_hash(parent, name, len);
	hnode_init(&d->hash);
	spin_init(&d->lock, &dentry_lock_class);
	ref_init(&d->ref, dentry_release);
	if (parent)
		d->parent = dentry_get(parent);
	counter_inc(dentries_alive);
	return d;
}

struct dentry *
dentry_alloc_root(struct inode *i, const char *name)
{
	struct dentry *d = dentry_alloc(i->sb, NULL, name, strlen(name));

	if (!d) {
		inode_put(i);
		return NULL;
	}
	d->flags = D_ROOT;
	dentry_attach(d, i);
	return d;
}

void
dentry_attach(struct dentry *d, struct inode *i)
{
	DEBUG_ASSERT(!d->inode);
	seq_write_begin(&d->seq);
	WRITE_ONCE(d->inode, i);
	seq_write_end(&d->seq);
}

static bool
name_equal(const struct dname *n, const char *name, u32 len)
{
	return n->len == len && !memcmp(n->s, name, len);
}

struct dentry *
dentry_find_rcu(struct dentry *parent, const char *name, u32 len, u64 hash, u32 *seq)
{
	struct dcache_bucket *b = dcache_bucket(hash);
	struct dentry *d;
	u32 bseq, dseq;

again:
	bseq = seq_read_begin(&b->seq);
	hlist_for_each_entry_rcu(d, &b->chain, hash) {
		if (READ_ONCE(d->key) != hash)
			continue;
		dseq = seq_read_begin(&d->seq);
		if (READ_ONCE(d->parent) != parent || !name_equal(READ_ONCE(d->name), name, len))
			continue;
		if (seq_read_retry(&d->seq, dseq))
			goto again;
		*seq = dseq;
		return d;
	}
	/* An entry that moved away may have taken us along to another chain. */
	if (seq_read_retry(&b->seq, bseq))
		goto again;
	return NULL;
}

struct dentry *
dentry_find(struct dentry *parent, const char *name, u32 len)
{
	u64 hash = dentry_hash(parent, name, len);
	struct dentry *d;
	u32 seq;

	rcu_read_lock();
	d = dentry_find_rcu(parent, name, len, hash, &seq);
	if (d)
		dentry_get(d);
	rcu_read_unlock();
	return d;
}

struct dentry *
dcache_chain_find(struct dcache_bucket *b, const struct dentry *parent, const char *name, u32 len,
		  u64 key)
{
	struct dentry *d;

	hlist_for_each_entry(d, &b->chain, hash) {
		if (d->key == key && d->parent == parent && name_equal(d->name, name, len))
			return d;
	}
	return NULL;
}

static int
publish_locked(struct dentry *d, struct dir_shard *s, u16 index)
{
	struct dcache_bucket *b = dcache_bucket(d->key);
	int err = 0;

	spin_lock(&b->lock);
	if (dcache_chain_find(b, d->parent, d->name->s, d->name->len, d->key)) {
		err = -EEXIST;
	} else {
		dentry_get(d);
		dir_shard_add(s, d, index);
		atomic_or(&d->flags, D_HASHED);
		hlist_add_rcu(&d->hash, &b->chain);
	}
	spin_unlock(&b->lock);
	return err;
}

int
dentry_publish(struct dentry *d)
{
	struct dentry *dir = d->parent;
	struct dir_shards *ds = dir_shards_get(dir);
	int err;

	if (!ds)
		return -ENOMEM;
	for (;;) {
		struct dir_shard *s;
		unsigned int index;
		u32 flags;

		pin();
		index = cpu_id() % ds->n;
		s = &ds->shard[index];
		spin_lock(&s->lock);
		flags = READ_ONCE(dir->flags);
		err = flags & D_DEAD ? -ENOENT : flags & D_DYING ? -EAGAIN : 0;
		if (!err)
			err = publish_locked(d, s, index);
		spin_unlock(&s->lock);
		unpin();
		if (err != -EAGAIN)
			return err;
		cpu_relax();
	}
}

static void
put_table_rcu(struct rcu_head *h)
{
	dentry_put(container_of(h, struct dentry, rcu));
}

void
dentry_put_table(struct dentry *d)
{
	rcu_call(&d->rcu, put_table_rcu);
}

void
dentry_unhash_locked(struct dentry *d, struct dcache_bucket *b)
{
	seq_write_begin(&b->seq);
	hlist_del_rcu(&d->hash);
	seq_write_end(&b->seq);
	atomic_and(&d->flags, ~D_HASHED);
	if (dentry_is_dir(d))
		atomic_or(&d->flags, D_DEAD);
}

/* Pinned. Locks the shard that d is in: NULL when d is not hashed. */
static struct dir_shard *
lock_shard_of(struct dentry *d)
{
	for (;;) {
		struct dentry *parent;
		struct dir_shard *s;
		u16 index;

		if (!dentry_hashed(d))
			return NULL;
		parent = READ_ONCE(d->parent);
		index = READ_ONCE(d->shard);
		s = &parent->shards->shard[index % parent->shards->n];
		spin_lock(&s->lock);
		if (dentry_hashed(d) && d->parent == parent && d->shard == index)
			return s;
		spin_unlock(&s->lock);
	}
}

/* Pinned. mounted_ok: take it out even if something is mounted on it. */
static int
remove_name(struct dentry *d, bool mounted_ok)
{
	struct dir_shard *s = lock_shard_of(d);
	struct dcache_bucket *b;
	int err = 0;

	if (!s)
		return -ENOENT;
	b = dcache_bucket(d->key);
	spin_lock(&b->lock);
	spin_lock(&d->lock);
	if ((d->flags & D_MOUNTED) && !mounted_ok)
		err = -EBUSY;
	else
		dentry_unhash_locked(d, b);
	spin_unlock(&d->lock);
	spin_unlock(&b->lock);
	if (!err)
		dir_shard_del(s, d);
	spin_unlock(&s->lock);
	return err;
}

int
dentry_claim(struct dentry *d, bool dir)
{
	int err = 0;

	pin();
	if (dir)
		err = dir_try_dying(d);
	if (!err) {
		err = remove_name(d, false);
		if (err && dir)
			dir_undying(d);
	}
	unpin();
	if (!err)
		dentry_put_table(d);
	return err;
}

void
dentry_forget(struct dentry *d)
{
	int err;

	pin();
	err = remove_name(d, true);
	unpin();
	if (!err)
		dentry_put_table(d);
}

bool
dentry_is_below(const struct dentry *d, const struct dentry *ancestor)
{
	for (; d; d = READ_ONCE(d->parent)) {
		if (d == ancestor)
			return true;
	}
	return false;
}

int
dentry_copy_name(const struct dentry *d, char *buf, size_t n)
{
	const struct dname *name;
	u32 seq, len;

	rcu_read_lock();
	do {
		seq = seq_read_begin(&d->seq);
		name = READ_ONCE(d->name);
		len = READ_ONCE(name->len);
		if (len <= n)
			memcpy(buf, name->s, len);
	} while (seq_read_retry(&d->seq, seq));
	rcu_read_unlock();
	return len <= n ? (int)len : -ENAMETOOLONG;
}

u64
dcache_count(void)
{
	s64 n = counter_sum(dentries_alive);

	return n > 0 ? n : 0;
}
