/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounts: which tree is seen where.
 *
 * Model: a mount shows the tree below ->root of a super at ->mountpoint of
 * ->parent. Mounts form a tree in a namespace; each task is in one (fs/mount_ns.c),
 * and all namespaces share what follows. The table (parent mount,
 * mountpoint) -> mount is a hash read under RCU; mount_seq tells walks that
 * something was taken out of the tree or put elsewhere. What is only added does
 * not change it: a walk that has passed the place before is one that came
 * earlier, and ->parent and ->mountpoint go from NULL to their values.
 * References of a mount are per-CPU counts: while it is attached nobody adds
 * them up; after it was detached each put does, under mount_lock.
 *
 * Locking: the tree lock (mount_tree_lock(), sleeping: mount_mutex and what
 * fs/mount_local.c says) covers every change of the tree but new mounts that are
 * pending; mount_lock (spinning) the lists and counts, with mount_seq for readers.
 * The table has a lock for each chain.
 *
 * Why a walk may take a reference without a barrier: it counts up, then checks
 * mount_seq, all in one RCU section. A detach changes mount_seq, waits for a
 * grace period and only then drops the tree's own reference: by then the count
 * of each walk that saw the old value is visible.
 */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "fs/dcache.h"
#include "kernel/task/ns.h"
#include "kernel/uapi/mount.h"
#include "percpu/percpu.h"

/* mount->flags: the low bits are MNT_* as shown in /proc; numbers are ours. */
#define MOUNT_RDONLY 0x001u
#define MOUNT_NOSUID 0x002u
#define MOUNT_NODEV 0x004u
#define MOUNT_NOEXEC 0x008u
#define MOUNT_NOATIME 0x010u
#define MOUNT_NODIRATIME 0x020u
#define MOUNT_RELATIME 0x040u
#define MOUNT_NOSYMFOLLOW 0x080u
#define MOUNT_USER_FLAGS 0x0ffu
/* A remount is looking for writers: wait. */
#define MOUNT_WRITE_HOLD 0x100u
/* MNT_EXPIRE marked it; any use clears. */
#define MOUNT_EXPIRING 0x200u
#define MOUNT_UNBINDABLE 0x400u
/* No namespace: made by the kernel for itself, never attached. */
#define MOUNT_INTERNAL 0x800u
/* Its group was made for what is under way (mount_attach_tree()). */
#define MOUNT_NEW_GROUP 0x1000u

/* Every walk writes it: alone on its line, as others sum what they have beside it (statfs). */
struct mount_pcp {
	s32 count __cacheline_aligned;
	s32 writers;
};

struct mount_ns {
	struct ns common;
	/* I  rises in the order in which they are made */
	u64 seq;
	/* I  of a tree that no task is in: open_tree(2), fsmount(2) */
	bool anon;
	/* (tree lock)  whom it counts against; NULL: nobody */
	struct user *user;
	/* (tree lock)  in the list of all */
	struct list link;
	/* (tree lock)  mounts that what is under way is about to add */
	u32 coming;
	/* (mount_lock)  NULL: the tree is in another one now (anonymous) */
	struct mount *root;
	/* (mount_lock)  all mounts but pending ones, in order of mounting */
	struct list mounts;
	u32 count;
	/* (mount_lock)  changes, as poll of /proc/PID/mounts sees them */
	u32 event;
	/* (mount_lock)  ns_seq of the last in the list */
	u64 last_seq;
	struct waitq wait;
	/* a  next of those that nobody is in any more */
	struct mount_ns *next_dead;
};

struct mount {
	/* r  chain of the table (its lock) */
	struct hnode hash;
	/* (mount_lock)  all that are mounted on one dentry, whoever the parent */
	struct hnode point_hash;
	/* (mount_lock; mount_seq)  NULL: root of a namespace, or detached */
	struct mount *parent;
	struct dentry *mountpoint;
	/* I  below */
	struct dentry *root;
	struct super *sb;
	struct mount_pcp __percpu *pcp;
	const char *source;
	s32 id;
	/* a  MOUNT_* */
	u32 flags;
	/* a  in a namespace (or kept by the kernel): puts need not add up */
	bool attached;
	/* (mount_lock)  somebody is in mount_end() */
	bool ending;
	struct mount_ns *ns;
	/* (mount_lock)  rises in the order of the namespace's list; ns, or more than the last */
	u64 ns_seq;
	/*
	 * (mount_lock)  children, siblings, all of the namespace (or of the shard, while
	 * pending; or of those that were detached): written when others are mounted; walks
	 * read what is above.
	 */
	struct list children __cacheline_aligned;
	struct list child_link;
	struct list ns_link;
	/* (tree lock)  propagation: peers of a shared mount form a ring; slaves of a master */
	s32 group;
	struct list peer;
	struct mount *master;
	struct list slaves;
	struct list slave_link;
	/* (tree lock)  last propagation that visited it; its copy while a tree is copied */
	u64 visited;
	struct mount *twin;
	/* (tree lock)  on a list of mounts that are being detached, for sure; where it was */
	struct list gone_link;
	bool going;
	struct path was;
};

extern struct seqcount mount_seq;
extern struct mount_ns init_mount_ns;
/* sysctl fs.mount-max, user.max_mnt_namespaces */
extern u32 mount_max, mount_ns_max;

void mount_init(void);

/* The caller holds one, or is in an RCU section and validates mount_seq afterwards. */
static inline void
mount_get(struct mount *m)
{
	this_cpu_inc(m->pcp->count);
}

/* May sleep (the last one may end the file system). NULL is allowed. */
void mount_put(struct mount *m);
/* The same without taking back the mark of MNT_EXPIRE. */
void mount_put_no_expire(struct mount *m);
/*
 * For walks, in the RCU section where mount_get() was followed by a changed
 * mount_seq. True: mount_end() must be called after the section.
 */
bool mount_unget_rcu(struct mount *m);
void mount_end(struct mount *m);

static inline void
path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}

static inline void
path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mnt);
}

static inline bool
path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* Write access for a change: 0 or -EROFS. */
int __must_check mount_want_write(struct mount *m);
/* Never sleeps: false also while a remount is going on. */
bool mount_try_want_write(struct mount *m);
void mount_drop_write(struct mount *m);
/* For permission checks that only ask. */
bool mount_readonly(const struct mount *m);

/* In an RCU section: the topmost of what is mounted right on (m, d), or NULL. */
struct mount *mount_find_rcu(const struct mount *m, const struct dentry *d);

/* A mount that no namespace has (pipefs-like, memfd). Keeps sb. err_ptr(-ENOMEM). */
struct mount *mount_internal(struct super *sb);

/* Boot: makes the namespace with this as its root. */
void mount_set_root(struct super *sb, const char *source);

/* mount(2), umount2(2), pivot_root(2) with kernel strings. */
struct mount_request {
	const char *source;
	const char *type;
	u64 flags;
	char *data;
};
int mount_at(const struct path *where, const struct mount_request *r);
/* For the kernel: mounts a type at a path. */
int mount_kernel(const char *source, const char *target, const char *type, u64 flags);
/* New MS_RDONLY and options of a file system, in all its mounts. -EBUSY: somebody writes. */
int super_reconfigure(struct super *sb, const struct mount_request *r);

/* mount_setattr(2): MOUNT_* to set and to clear, one of MS_SHARED etc. or 0; all below too. */
struct mount_change {
	u32 set, clear;
	u64 propagation;
	bool below;
};
int mount_change(const struct path *where, const struct mount_change *c);
/* move_mount(2): moves what is seen at `from`; gives `to` the group and master of `from`. */
int mount_move(const struct path *from, const struct path *to);
int mount_join(const struct path *from, const struct path *to);
/*
 * O_PATH handles of trees that are nowhere yet, which go with them (open_tree(2),
 * fsmount(2)): a copy of what is seen at a place, a new mount. err_ptr.
 */
struct file *mount_open_copy(const struct path *from, bool below);
struct file *mount_open_new(struct super *sb, const char *source, u32 flags);
int mount_umount(const struct path *where, int flags);
int mount_pivot_root(const struct path *new_root, const struct path *put_old);

/*
 * Before a name is taken away or given to another file: is something mounted on d in
 * current's namespace? May sleep; RANK_SB_MOUNT.
 */
bool mount_point_busy(struct dentry *d);
/*
 * d is to be removed, and what is mounted on it in other namespaces only stands in the
 * way: takes it down. False: there was none, or the point is busy. May sleep.
 */
bool mount_evict(struct dentry *d);

/* Lines of /proc/PID/mounts, mountinfo and mountstats as seen from `root`, by namespace order. */
void mounts_show(struct seq *s, struct mount_ns *ns, const struct path *root);
void mountinfo_show(struct seq *s, struct mount_ns *ns, const struct path *root);
void mountstats_show(struct seq *s, struct mount_ns *ns, const struct path *root);
/* What is seen at its root, with references. May sleep. */
void mount_ns_root(struct mount_ns *ns, struct path *p);
/*
 * How many changes a namespace has seen: another number after each. While others have it
 * changed the number may be too low for a moment, and be another one again afterwards.
 */
u32 mount_ns_event(struct mount_ns *ns);
/* Current's namespace, borrowed. */
struct mount_ns *current_mount_ns(void);

static inline struct mount_ns *
mount_ns_of(struct ns *ns)
{
	return container_of(ns, struct mount_ns, common);
}

#endif
