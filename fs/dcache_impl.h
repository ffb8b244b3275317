/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the name table: buckets, and what dcache.c, dcache_move.c and dcache_dir.c share. */
#ifndef FS_DCACHE_IMPL_H
#define FS_DCACHE_IMPL_H

#include "fs/dcache.h"

struct dcache_bucket {
	struct spinlock lock;
	struct seqcount seq;
	/* l r */
	struct hlist chain;
};

struct dcache_bucket *dcache_bucket(u64 key);
/* Bucket locked: the dentry of that name or NULL. */
struct dentry *dcache_chain_find(struct dcache_bucket *b, const struct dentry *parent,
				 const char *name, u32 len, u64 key);
/* Allocated with n names' worth of space behind it, or NULL. */
struct dname *dname_alloc(u32 len);
void dname_retire(struct dentry *d, struct dname *n);

/* The shards of a directory, made when there are none; NULL without memory. May sleep. */
struct dir_shards *dir_shards_get(struct dentry *dir);
/* Shard locked. Adds with a new cookie; removes; marks the time of a change. */
void dir_shard_add(struct dir_shard *s, struct dentry *d, u16 index);
void dir_shard_del(struct dir_shard *s, struct dentry *d);

/*
 * For the test, in debug kernels: readers of entries linger at each step, so that they meet
 * changes; and believe what they saw though it changed.
 */
extern u32 dir_read_linger;
extern bool dir_read_trusting;

/*
 * Pinned. Marks a directory D_DYING if it is empty: 0, -ENOTEMPTY, -ENOENT (dead
 * already). The caller then makes it D_DEAD or calls dir_undying(), still pinned.
 */
int dir_try_dying(struct dentry *dir);
void dir_undying(struct dentry *dir);

/* dentry->lock, shard, bucket locked: the flags of a dentry that leaves the table. */
void dentry_unhash_locked(struct dentry *d, struct dcache_bucket *b);
/* Drops the table's reference after a grace period. */
void dentry_put_table(struct dentry *d);

extern const struct lock_class dentry_lock_class;

#endif
