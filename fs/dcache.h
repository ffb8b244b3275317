/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: the table of (directory, name) -> dentry, and the children of each
 * directory in order.
 *
 * Model: a dentry is in two structures. The name table is one hash table with a
 * lock and a sequence count a bucket; path walks read it under RCU and write
 * nothing. The children of a directory are spread over its shards (one a CPU, up
 * to DIR_SHARDS): each has a lock, a tree of children ordered by cookie, counts
 * and the directory's times. A name that a CPU makes goes to that CPU's shard, so
 * two CPUs that make or remove different names in one directory share no line.
 *
 * Cookies are time stamps with the CPU's number below, hence unique and rising;
 * directories are read from the newest to the oldest, and a position is the
 * cookie of the last entry read. Names made meanwhile are not seen, others
 * exactly once.
 *
 * States of a dentry: fresh (nobody else sees it) -> hashed -> unhashed. The
 * moves are dentry_publish() and dentry_claim(); dentry_move() changes name and
 * parent of a hashed one.
 *
 * Locking, in this order; two of one kind in address order:
 * 1. dir_move_mutex   directories change their parent (rename), so that the
 *                     ancestors of a directory stand still
 * 2. shard->lock      a part of the children of a directory
 * 3. bucket->lock     a chain of the name table
 * 4. dentry->lock     D_MOUNTED against removal; the inode while it is attached
 * A directory that is about to be removed is marked D_DYING: who wants to add a
 * name waits (the marker is pinned and quick) until it is D_DEAD or alive again.
 *
 * Readers: bucket->seq tells that a chain lost an entry meanwhile, dentry->seq
 * that its name, parent or inode changed. Both are only written with their lock.
 */
#ifndef FS_DCACHE_H
#define FS_DCACHE_H

#include "fs/vfs.h"

/* Bytes of a name, its NUL included, that lie inside the dentry. */
#define DNAME_INLINE 36

/* A name: never changes while readers may see it, except the inline one (under seq). */
struct dname {
	u32 len;
	char s[];
};

struct dname_long {
	struct rcu_head rcu;
	struct dname name;
};

/* Something is mounted here in some mount. */
#define D_MOUNTED 0x01u
#define D_DYING 0x02u
/* A directory that was removed: no names any more. */
#define D_DEAD 0x04u
/* In the name table. */
#define D_HASHED 0x08u
/* Made for one use by a file system that does not cache; not a removed one. */
#define D_UNCACHED 0x10u
/* The root of a super, or a file without a place: no parent. */
#define D_ROOT 0x20u

struct dentry_ops {
	/* Full name for /proc and getcwd of dentries without a place ("/memfd:x (deleted)"). */
	int (*show_name)(struct dentry *d, char *buf, size_t n);
	/* Before a cached dentry is used: false: forget it and look it up again. May not sleep. */
	bool (*valid)(struct dentry *d);
};

struct dir_shards;

struct dentry {
	/* r  chain of the name table (bucket->lock) */
	struct hnode hash;
	/* s  */
	struct seqcount seq;
	/* a  D_* */
	u32 flags;
	/* s  hash value of name and parent */
	u64 key;
	/* s r  NULL for D_ROOT */
	struct dentry *parent;
	/* s r */
	struct dname *name;
	/* s r  NULL: negative */
	struct inode *inode;
	/* I */
	struct super *sb;

	union {
		struct dname iname;
		char iname_space[sizeof(struct dname) + DNAME_INLINE];
	};
	/* I */
	const struct dentry_ops *ops;
	void *private;
	/* r  children of a directory; made with the first */
	struct dir_shards *shards;

	struct ref ref;
	struct spinlock lock;
	/* (shard->lock)  place among the siblings */
	u16 shard;
	struct rb_node order;
	u64 cookie;
	struct rcu_head rcu;
};

#define DIR_SHARDS 16

struct __cacheline_aligned dir_shard {
	struct spinlock lock;
	/* for readers without the lock of all that is below */
	struct seqcount seq;
	/* l  newest first */
	struct rb_root_cached order;
	u32 entries;
	u32 subdirs;
	/* l  when entries changed last: order (monotonic) and the time to show; 0: never */
	u64 stamp;
	s64 mtime;
};

struct dir_shards {
	u32 n;
	struct dir_shard shard[];
};

extern struct mutex dir_move_mutex;
extern struct seqcount dir_move_seq;

void dcache_init(void);

/* A fresh dentry with one reference; holds parent (NULL: root). NULL without memory. */
struct dentry *dentry_alloc(struct super *sb, struct dentry *parent, const char *name, u32 len);
/* A root or placeless dentry for i (takes the reference of i, also when it fails). */
struct dentry *dentry_alloc_root(struct inode *i, const char *name);
/* Gives a fresh (or negative) dentry its inode; takes the reference. */
void dentry_attach(struct dentry *d, struct inode *i);

static inline struct dentry *
dentry_get(struct dentry *d)
{
	ref_get(&d->ref);
	return d;
}

static inline void
dentry_put(struct dentry *d)
{
	if (d)
		ref_put(&d->ref);
}

static inline bool
dentry_hashed(const struct dentry *d)
{
	return READ_ONCE(d->flags) & D_HASHED;
}

/* Was its name removed while somebody holds it? */
static inline bool
dentry_deleted(const struct dentry *d)
{
	return !(READ_ONCE(d->flags) & (D_HASHED | D_UNCACHED | D_ROOT));
}

static inline bool
dentry_is_dir(const struct dentry *d)
{
	return d->inode && S_ISDIR(d->inode->mode);
}

u64 dentry_hash(const struct dentry *parent, const char *name, u32 len);

/*
 * In an RCU section: the dentry of that name, or NULL. *seq: its sequence count,
 * at which the name was right; the caller validates what it reads with it.
 */
struct dentry *dentry_find_rcu(struct dentry *parent, const char *name, u32 len, u64 hash,
			       u32 *seq);
/* With a reference; NULL. Any context that may take references. */
struct dentry *dentry_find(struct dentry *parent, const char *name, u32 len);

/*
 * Enters d, which must be positive and fresh: the name table gets a reference of
 * its own. -EEXIST: the name is there; -ENOENT: the directory is dead; -ENOMEM.
 */
int __must_check dentry_publish(struct dentry *d);
/*
 * Takes the name out. -ENOENT: it is not there any more; -EBUSY: a mount point;
 * dir: must be empty: -ENOTEMPTY, and is dead afterwards.
 */
int __must_check dentry_claim(struct dentry *d, bool dir);
/* Takes it out whatever it is (trees that go down, stale pseudo files). */
void dentry_forget(struct dentry *d);

/*
 * Gives `old` the place of (new_parent, name), removing `target` (NULL: nothing
 * was there) or exchanging the two. -EAGAIN: something changed since the caller
 * looked: look again. -EBUSY: something is mounted on the target; -ENOTEMPTY,
 * -ENOENT, -ENOMEM. The caller holds dir_move_mutex when a directory changes its
 * parent.
 */
struct dentry_move {
	struct dentry *old;
	/* Where the caller found it. */
	struct dentry *old_parent;
	const char *old_name;
	u32 old_len;
	struct dentry *new_parent;
	const char *name;
	u32 len;
	struct dentry *target;
	bool exchange;
};
int __must_check dentry_move(const struct dentry_move *m);

/* Is d == ancestor or below it? Stable with dir_move_mutex; else a snapshot. RCU section. */
bool dentry_is_below(const struct dentry *d, const struct dentry *ancestor);

/* Sum over the shards: entries, subdirectories, last change (0: never). */
struct dir_sums {
	u64 entries;
	u64 subdirs;
	u64 stamp;
	s64 mtime;
};
void dir_sum(struct dentry *dir, struct dir_sums *s);
bool dir_empty(struct dentry *dir);

/*
 * ->iterate for directories whose names are all in the table: ".", "..", then
 * the children, newest first. Positions are 0, 1, 2 and cookies, which are not
 * below DIR_COOKIE_MIN.
 */
#define DIR_COOKIE_MIN (1UL << 40)
int dcache_iterate(struct file *f, struct dir_context *ctx);
/* The same; true when all was emitted: a directory with more can go on (at positions from 3 on). */
bool dcache_emit(struct file *f, struct dir_context *ctx);
s64 dcache_seek(struct file *f, s64 off, int whence);
/* The next child below cookie `before` (U64_MAX: the newest), with a reference; NULL. */
struct dentry *dir_next_child(struct dentry *dir, u64 before);

/* Takes a whole tree out, root included (a super goes). May sleep. */
void dcache_shrink_tree(struct dentry *root);

/*
 * Copies the name of d: length, or -ENAMETOOLONG if n is too small (no NUL is
 * added). Consistent under renames.
 */
int dentry_copy_name(const struct dentry *d, char *buf, size_t n);

/* Entries of the name table, dentries alive: for /proc/sys/fs/dentry-state. */
u64 dcache_count(void);

#endif
