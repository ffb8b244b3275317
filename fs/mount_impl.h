/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the mount tree: what mount*.c share. */
#ifndef FS_MOUNT_IMPL_H
#define FS_MOUNT_IMPL_H

#include "fs/mount.h"
#include "fs/namei.h"

extern struct mutex mount_mutex;
extern struct spinlock mount_lock;
/* (mount_lock)  by ns_link: those in no tree any more, till nobody uses them */
extern struct list mount_detached;

/* Write section of mount_seq, with mount_lock. */
void mount_write_lock(void) __acquires(&mount_lock);
void mount_write_unlock(void) __releases(&mount_lock);

/* A mount that is nowhere, with one reference; takes a use of sb and a reference of root. */
struct mount *mount_alloc(struct super *sb, struct dentry *root, const char *source);
/* References; exact when nobody else changes them (mount_lock held). */
s64 mount_count(const struct mount *m);
s64 mount_writers(const struct mount *m);
/* The table that walks read; to take out: write section of mount_seq. */
void mount_table_add(struct mount *m);
void mount_table_del(struct mount *m);

/* --- mount_ns.c --- */

void mount_ns_init(void);
/* A namespace without mounts that is not in use yet: its tree is added before it is. err_ptr. */
struct mount_ns *mount_ns_alloc(bool anon);
/* Such a one, or one whose tree has gone, goes. */
void mount_ns_free(struct mount_ns *ns);
/* The tree of an anonymous one is in another one now. The tree lock is held. */
void mount_ns_leave(struct mount_ns *ns);
/* Gives a tree, which is nowhere, to a new namespace as its root. The tree lock is held. */
void mount_ns_start(struct mount_ns *ns, struct mount *top);
/*
 * Nobody is in ns any more: it goes, with its mounts, now or when whoever has the tree lock
 * is done. Any task context.
 */
void mount_ns_retire(struct mount_ns *ns);
/* Retired ones go. For who has let go of mount_mutex. */
void mount_ns_reap(void);
bool mount_ns_dead(void);
/* The tree lock is held: all mounts of a super, in whatever namespace or none. fn never sleeps. */
void mount_for_super(const struct super *sb, void (*fn)(struct mount *m, void *arg), void *arg);
/* mount_lock held: something has changed. */
void mount_ns_touch(struct mount_ns *ns);

/* Lets go of mount_mutex; the second half of each of its sections. */
static inline void
mount_mutex_unlock(void) __releases(&mount_mutex)
{
	mutex_unlock(&mount_mutex);
	/* Pairs with mount_ns_retire(), which finds the mutex free or is seen here. */
	smp_mb();
	if (unlikely(mount_ns_dead()))
		mount_ns_reap();
}

/* --- mount_local.c --- */

void mount_local_init(void);
/* For changes of the tree: all mounts are linked, and others are attached by the holder only. */
void mount_tree_lock(void) __acquires(&mount_mutex);
bool mount_tree_try_lock(void) __try_acquires(true, &mount_mutex);
void mount_tree_unlock(void) __releases(&mount_mutex);
/* Leaves it to the caller to look for namespaces that were retired. */
void mount_tree_unlock_plain(void) __releases(&mount_mutex);
/* The rest needs mount_mutex only (till mount_tree_unlock()): lists stay, mounts get pending. */
void mount_tree_open(void) __must_hold(&mount_mutex);
/*
 * Attaches m, which is alone, at `where` beside what other CPUs attach; its first
 * reference becomes the tree's. -EAGAIN: needs the tree lock; -ENOENT, -EINVAL, -ENOTDIR.
 */
int mount_attach_local(struct mount *m, const struct path *where);
/* Mounts of a namespace that are pending. */
u32 mount_local_pending(const struct mount_ns *ns);
/* For its test: does not see that a place is taken. */
extern bool mount_local_blind;

/* Only root directories go on directories, only others on others. */
static inline int
mount_check_kinds(const struct dentry *root, const struct dentry *point)
{
	return dentry_is_dir(root) == dentry_is_dir(point) ? 0 : -ENOTDIR;
}

/* The part of mount_link() that walks need. Any lock, or a mount that nobody knows yet. */
void mount_place(struct mount *m, struct mount *parent, struct dentry *point);
/* The other part; mount_lock held. */
void mount_link_rest(struct mount *m);
/* Puts an attached mount at the end of its namespace's list, as of `stamp`. mount_lock held. */
void mount_enter_list(struct mount *m, u64 stamp);

/* --- mount_tree.c; the tree lock is held --- */

/* The next mount of the tree below top in depth-first order; NULL at the end. */
struct mount *mount_next(struct mount *m, struct mount *top);
u32 mount_tree_size(struct mount *top);
/* Marks d as a mount point. -ENOENT: it was removed. */
int mount_mark_point(struct dentry *d);
/*
 * Links m, which is linked nowhere, below (parent, point); mount_lock held, point
 * marked. References of both are taken; m's first reference becomes the tree's.
 */
void mount_link(struct mount *m, struct mount *parent, struct dentry *point);
/* Takes m out of its place (write section); its place's references go to *place. */
void mount_unlink(struct mount *m, struct path *place);
/* With all below; with unbindable ones; with files that stand for namespaces of mounts. */
#define COPY_BELOW 0x1u
#define COPY_UNBINDABLE 0x2u
#define COPY_NS_FILES 0x4u
/* The copy of a mount, or of a tree. err_ptr(-ENOMEM, -EINVAL, -ENOSPC). */
struct mount *mount_copy_tree(struct mount *m, struct dentry *root, u32 how);
/* Enters a linked tree into a namespace, from none or from another. mount_lock held. */
void mount_enter_ns(struct mount *top, struct mount_ns *ns);
/* A tree goes, wherever it is, without propagation. */
void mount_free_tree(struct mount *top);
/* Does its root stand for a namespace of mounts? */
bool mount_is_ns_file(const struct mount *m);
/* Adds m and all below it to a list; children come behind their parents. */
void mount_collect(struct mount *top, struct list *gone);
/* Takes what is on the list out of the tree. Write section. */
void mount_detach_list(struct list *gone);
/* Takes what is on the list, no longer in the tree, out of its groups. */
void mount_part_list(struct list *gone);
/* Then drops what it held. No lock but mount_mutex. May sleep. */
void mount_put_list(struct list *gone);
/* In a tree that is nowhere, whose handle is open. */
bool mount_is_loose(const struct mount *m);
/* Is p (still) the place of an attached mount of current's namespace? */
bool mount_in_ns(const struct mount *m);
/* Goes to the topmost mount on p, replacing its references. */
void mount_follow_top(struct path *p);

/* Marks d, on which there is a mount already or which a mount keeps, as a mount point. */
void mount_mark_again(struct dentry *d);

/* --- mount_attach.c; the tree lock is held --- */

/*
 * Puts a tree at (parent, point), with propagation: a new one, one that is a namespace
 * without tasks, or one that moves. -ENOSPC, -ENOENT, -ENOMEM, -EINVAL.
 */
int mount_attach_tree(struct mount *top, struct mount *parent, struct dentry *point);
/* Counts a tree that is about to come into ns (ns->coming). -ENOSPC: there is no room. */
int mount_reserve(struct mount_ns *ns, struct mount *tree);

/* --- mount_propagate.c; the tree lock is held --- */

static inline bool
mount_shared(const struct mount *m)
{
	return m->group != 0;
}

/* Is p at or below `base`, looking through mounts? (mount_umount.c) */
bool path_below(const struct path *p, const struct path *base);
/* MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE for m, and all below with MS_REC. */
int mount_change_type(struct mount *m, u64 flags);
/* A clone has the type of what it was made from. */
void mount_clone_type(struct mount *clone, struct mount *from);
/* Leaves its group and its master; slaves go to a peer or become private. */
void mount_make_private(struct mount *m);

/* One mount where something happens too because it happens in the first one. */
struct prop_target {
	struct mount *m;
	/* Index of the first target of its peer group. */
	u32 head;
	/* Of such a first one: index of the target whose slave the group is. */
	u32 from;
	/* For mount_attach_tree(): the copy for it; of a first one: some copy in the group. */
	struct mount *copy;
	struct mount *source;
};

struct prop_set {
	struct prop_target *t;
	u32 n;
	u32 room;
};

/* All that follow `first` (which is t[0]), group by group. -ENOMEM. prop_free() in any case. */
int prop_collect(struct prop_set *set, struct mount *first);
void prop_free(struct prop_set *set);
/* Makes copies of a tree for the targets that can show `point`, with room for each. */
int prop_copy(struct prop_set *set, struct mount *top, struct dentry *point);
/* A group for every mount of the tree that has none; kept or not by prop_settle(). -ENOMEM. */
int prop_make_shared(struct mount *top);
void prop_settle(struct mount *top, bool keep);
/* Puts `to' into the group of `from' and below its master. */
void mount_set_group(struct mount *from, struct mount *to);

/* --- mount_ops.c --- */

/* A copy of what is seen at `from`. The tree lock is held. err_ptr(-EINVAL, -ENOMEM, -ENOSPC). */
struct mount *mount_clone(const struct path *from, bool below);
/* --- mount_remount.c --- */

/* MOUNT_* of MS_*; `old` gives the atime rules when none is named (remount). */
u32 mount_flags_of(u64 flags, u32 old, bool remount);
/* MS_REMOUNT with and without MS_BIND. */
int mount_reconfigure(const struct path *where, u64 flags);
int mount_remount(const struct path *where, const struct mount_request *r);

#endif
