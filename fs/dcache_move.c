/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Renames inside the name table.
 *
 * Model: all shards and buckets that change are locked at once, what the caller
 * saw is verified again, and then nothing can fail. A walk that looks for the
 * target's name finds the old file or the new one, never neither: both happen in
 * one write section of the bucket's sequence count.
 */
#include "fs/dcache.h"
#include "fs/dcache_impl.h"
#include "lib/string.h"
#include "mm/slab.h"

__maybe_unused static LOCK_CLASS(dir_move_class, RANK_RENAME);
struct mutex dir_move_mutex = MUTEX_INIT(dir_move_mutex, dir_move_class);
/* (dir_move_mutex)  changes when a directory gets another parent */
struct seqcount dir_move_seq;

/* Up to three locks of one class, in address order, each once. */
struct lock_set {
	struct spinlock *lock[3];
	u32 n;
};

static void
lock_set_add(struct lock_set *ls, struct spinlock *l)
{
	u32 i;

	for (i = 0; i < ls->n && ls->lock[i] < l; i++)
		;
	if (i < ls->n && ls->lock[i] == l)
		return;
	for (u32 j = ls->n; j > i; j--)
		ls->lock[j] = ls->lock[j - 1];
	ls->lock[i] = l;
	ls->n++;
}

static void
lock_set_lock(struct lock_set *ls)
{
	for (u32 i = 0; i < ls->n; i++) {
		if (i == 0)
			spin_lock(ls->lock[i]);
		else
			spin_lock_nested(ls->lock[i]);
	}
}

static void
lock_set_unlock(struct lock_set *ls)
{
	for (u32 i = ls->n; i-- > 0;)
		spin_unlock(ls->lock[i]);
}

/* One attempt: what is locked and where things go. */
struct move {
	const struct dentry_move *m;
	struct dname *new_name;
	struct dir_shard *old_shard;
	struct dir_shard *new_shard;
	struct dir_shard *target_shard;
	u16 new_index;
	u16 target_index;
	u64 new_key;
	struct dcache_bucket *old_bucket;
	struct dcache_bucket *new_bucket;
	struct lock_set shards;
	struct lock_set buckets;
	struct lock_set dentries;
};

static struct dir_shard *
shard_of(struct dentry *d, u16 *index)
{
	struct dir_shards *ds = READ_ONCE(d->parent)->shards;

	*index = READ_ONCE(d->shard) % ds->n;
	return &ds->shard[*index];
}

/* Its shard is locked: name and parent stand still. */
static bool
old_unchanged(const struct dentry_move *m, u16 index)
{
	const struct dentry *d = m->old;

	return dentry_hashed(d) && d->parent == m->old_parent && d->shard == index &&
	       d->name->len == m->old_len && !memcmp(d->name->s, m->old_name, m->old_len);
}

static bool
target_unchanged(const struct dentry_move *m, u16 index)
{
	const struct dentry *d = m->target;

	return dentry_hashed(d) && d->parent == m->new_parent && d->shard == index;
}

/* Pinned. Locks the shards; -EAGAIN when the picture changed, -ENOENT when a directory is dead. */
static int
move_lock_shards(struct move *v, struct dir_shards *new_ds)
{
	const struct dentry_move *m = v->m;
	u16 index;
	u32 flags;

	if (!dentry_hashed(m->old) || READ_ONCE(m->old->parent) != m->old_parent ||
	    (m->target && !dentry_hashed(m->target)))
		return -EAGAIN;
	v->shards.n = 0;
	v->old_shard = shard_of(m->old, &index);
	v->new_index = cpu_id() % new_ds->n;
	v->new_shard = &new_ds->shard[v->new_index];
	lock_set_add(&v->shards, &v->old_shard->lock);
	lock_set_add(&v->shards, &v->new_shard->lock);
	if (m->target) {
		v->target_shard = shard_of(m->target, &v->target_index);
		lock_set_add(&v->shards, &v->target_shard->lock);
	}
	lock_set_lock(&v->shards);
	flags = READ_ONCE(m->new_parent->flags);
	if (flags & D_DEAD) {
		lock_set_unlock(&v->shards);
		return -ENOENT;
	}
	if ((flags & D_DYING) || !old_unchanged(m, index) ||
	    (m->target && !target_unchanged(m, v->target_index))) {
		lock_set_unlock(&v->shards);
		return -EAGAIN;
	}
	return 0;
}

static int
move_lock_buckets(struct move *v)
{
	const struct dentry_move *m = v->m;
	struct dentry *there;

	v->new_key = dentry_hash(m->new_parent, m->name, m->len);
	v->old_bucket = dcache_bucket(m->old->key);
	v->new_bucket = dcache_bucket(v->new_key);
	v->buckets.n = 0;
	lock_set_add(&v->buckets, &v->old_bucket->lock);
	lock_set_add(&v->buckets, &v->new_bucket->lock);
	lock_set_lock(&v->buckets);
	there = dcache_chain_find(v->new_bucket, m->new_parent, m->name, m->len, v->new_key);
	if (there == m->target)
		return 0;
	lock_set_unlock(&v->buckets);
	return -EAGAIN;
}

static int
move_lock_dentries(struct move *v)
{
	const struct dentry_move *m = v->m;

	v->dentries.n = 0;
	lock_set_add(&v->dentries, &m->old->lock);
	if (m->target)
		lock_set_add(&v->dentries, &m->target->lock);
	lock_set_lock(&v->dentries);
	/* What is mounted on a name that stays goes with it. */
	if (m->target && !m->exchange && (m->target->flags & D_MOUNTED)) {
		lock_set_unlock(&v->dentries);
		return -EBUSY;
	}
	return 0;
}

static void
bucket_seqs_begin(struct move *v)
{
	seq_write_begin(&v->old_bucket->seq);
	if (v->new_bucket != v->old_bucket)
		seq_write_begin(&v->new_bucket->seq);
}

static void
bucket_seqs_end(struct move *v)
{
	if (v->new_bucket != v->old_bucket)
		seq_write_end(&v->new_bucket->seq);
	seq_write_end(&v->old_bucket->seq);
}

/* d->seq is odd. The name that goes is returned for dname_retire(). */
static struct dname *
set_name(struct dentry *d, struct dname *longer, const char *name, u32 len)
{
	struct dname *was = d->name;

	if (longer) {
		d->name = longer;
		return was;
	}
	d->iname.len = len;
	memcpy(d->iname.s, name, len);
	d->iname.s[len] = '\0';
	WRITE_ONCE(d->name, &d->iname);
	return was;
}

static void
commit_move(struct move *v)
{
	const struct dentry_move *m = v->m;
	struct dentry *old = m->old;
	struct dname *was;

	bucket_seqs_begin(v);
	hlist_unlink(&old->hash);
	if (m->target) {
		hlist_del_rcu(&m->target->hash);
		atomic_and(&m->target->flags, ~D_HASHED);
		if (dentry_is_dir(m->target))
			atomic_or(&m->target->flags, D_DEAD);
		dir_shard_del(v->target_shard, m->target);
	}
	dir_shard_del(v->old_shard, old);
	seq_write_begin(&old->seq);
	was = set_name(old, v->new_name, m->name, m->len);
	WRITE_ONCE(old->key, v->new_key);
	WRITE_ONCE(old->parent, m->new_parent);
	seq_write_end(&old->seq);
	dir_shard_add(v->new_shard, old, v->new_index);
	hlist_add_rcu(&old->hash, &v->new_bucket->chain);
	bucket_seqs_end(v);
	dname_retire(old, was);
}

/* Both seqs are odd: the two exchange their names. */
static void
swap_names(struct dentry *a, struct dentry *b)
{
	struct dname *an = a->name;
	struct dname *bn = b->name;
	char tmp[sizeof(a->iname_space)];

	memcpy(tmp, a->iname_space, sizeof(tmp));
	if (bn == &b->iname) {
		memcpy(a->iname_space, b->iname_space, sizeof(tmp));
		WRITE_ONCE(a->name, &a->iname);
	} else {
		WRITE_ONCE(a->name, bn);
	}
	if (an == &a->iname) {
		memcpy(b->iname_space, tmp, sizeof(tmp));
		WRITE_ONCE(b->name, &b->iname);
	} else {
		WRITE_ONCE(b->name, an);
	}
}

static void
commit_exchange(struct move *v)
{
	struct dentry *a = v->m->old;
	struct dentry *b = v->m->target;
	struct dentry *parent = a->parent;
	u16 index = a->shard;
	u64 key = a->key;

	bucket_seqs_begin(v);
	hlist_unlink(&a->hash);
	hlist_unlink(&b->hash);
	dir_shard_del(v->old_shard, a);
	dir_shard_del(v->target_shard, b);
	seq_write_begin(&a->seq);
	seq_write_begin(&b->seq);
	swap_names(a, b);
	WRITE_ONCE(a->key, b->key);
	WRITE_ONCE(b->key, key);
	WRITE_ONCE(a->parent, b->parent);
	WRITE_ONCE(b->parent, parent);
	seq_write_end(&b->seq);
	seq_write_end(&a->seq);
	dir_shard_add(v->target_shard, a, v->target_index);
	dir_shard_add(v->old_shard, b, index);
	hlist_add_rcu(&a->hash, &v->new_bucket->chain);
	hlist_add_rcu(&b->hash, &v->old_bucket->chain);
	bucket_seqs_end(v);
}

/* Does a directory get another parent? */
static bool
moves_directory(const struct dentry_move *m)
{
	if (m->old_parent == m->new_parent)
		return false;
	return dentry_is_dir(m->old) || (m->exchange && dentry_is_dir(m->target));
}

static int
move_once(struct move *v, struct dir_shards *new_ds)
{
	bool dirs = moves_directory(v->m);
	int err = move_lock_shards(v, new_ds);

	if (err)
		return err;
	err = move_lock_buckets(v);
	if (err)
		goto out_shards;
	err = move_lock_dentries(v);
	if (err)
		goto out_buckets;
	if (dirs)
		seq_write_begin(&dir_move_seq);
	if (v->m->exchange)
		commit_exchange(v);
	else
		commit_move(v);
	if (dirs)
		seq_write_end(&dir_move_seq);
	lock_set_unlock(&v->dentries);
out_buckets:
	lock_set_unlock(&v->buckets);
out_shards:
	lock_set_unlock(&v->shards);
	return err;
}

int
dentry_move(const struct dentry_move *m)
{
	struct move v = {.m = m};
	struct dir_shards *ds = dir_shards_get(m->new_parent);
	bool kills = m->target && !m->exchange && dentry_is_dir(m->target);
	int err = 0;

	if (!ds)
		return -ENOMEM;
	if (!m->exchange && m->len >= DNAME_INLINE) {
		v.new_name = dname_alloc(m->len);
		if (!v.new_name)
			return -ENOMEM;
		v.new_name->len = m->len;
		memcpy(v.new_name->s, m->name, m->len);
		v.new_name->s[m->len] = '\0';
	}
	/* The reference that old will hold on its new parent. */
	dentry_get(m->new_parent);
	pin();
	if (kills)
		err = dir_try_dying(m->target);
	if (!err) {
		err = move_once(&v, ds);
		if (err && kills)
			dir_undying(m->target);
	}
	unpin();
	if (err) {
		if (v.new_name)
			kfree(container_of(v.new_name, struct dname_long, name));
		dentry_put(m->new_parent);
		return err == -ENOENT && kills ? -EAGAIN : err;
	}
	/* In an exchange the parents' references are exchanged too. */
	dentry_put(m->exchange ? m->new_parent : m->old_parent);
	if (m->target && !m->exchange)
		dentry_put_table(m->target);
	return 0;
}
