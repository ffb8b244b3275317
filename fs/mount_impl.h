/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the mount tree: what mount*.c share. */
#ifndef FS_MOUNT_IMPL_H
#define FS_MOUNT_IMPL_H

#include "fs/mount.h"
#include "fs/namei.h"

extern struct mutex mount_mutex;
extern struct spinlock mount_lock;

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

/* --- mount_local.c --- */

void mount_local_init(void);
/* For changes of the tree: all mounts are linked, and others are attached by the holder only. */
void mount_tree_lock(void) __acquires(&mount_mutex);
void mount_tree_unlock(void) __releases(&mount_mutex);
/* The rest needs mount_mutex only (till mount_tree_unlock()): lists stay, mounts get pending. */
void mount_tree_open(void) __must_hold(&mount_mutex);
/*
 * Attaches m, which is alone, at `where` beside what other CPUs attach; its first
 * reference becomes the tree's. -EAGAIN: needs the tree lock; -ENOENT, -EINVAL, -ENOTDIR.
 */
int mount_attach_local(struct mount *m, const struct path *where);
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
/* The copy of a mount and, `rec`, of all below it. err_ptr(-ENOMEM, -EINVAL, -ENOSPC). */
struct mount *mount_copy_tree(struct mount *m, struct dentry *root, bool rec);
/* Enters a linked tree into the namespace. mount_lock held. */
void mount_enter_ns(struct mount *top, struct mount_ns *ns);
/* A tree that was never attached goes. */
void mount_free_tree(struct mount *top);
/* Puts a tree at (parent, point), with propagation. -ENOSPC, -ENOENT, -ENOMEM. */
int mount_attach_tree(struct mount *top, struct mount *parent, struct dentry *point);
/* Moves m and all below it to a list, with what follows by propagation. Write section. */
void mount_collect(struct mount *top, struct list *gone);
/* Takes what is on the list out of the tree. Write section. */
void mount_detach_list(struct list *gone);
/* Takes what is on the list, no longer in the tree, out of its groups. */
void mount_part_list(struct list *gone);
/* Then drops what it held. No lock but mount_mutex. May sleep. */
void mount_put_list(struct list *gone);
/* Is p (still) the place of an attached mount of current's namespace? */
bool mount_in_ns(const struct mount *m);
/* Goes to the topmost mount on p, replacing its references. */
void mount_follow_top(struct path *p);

/* --- mount_propagate.c; the tree lock is held --- */

static inline bool
mount_shared(const struct mount *m)
{
	return m->group != 0;
}

/* MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE for m, and all below with MS_REC. */
int mount_change_type(struct mount *m, u64 flags);
/* A clone has the type of what it was made from. */
void mount_clone_type(struct mount *clone, struct mount *from);
/* Leaves its group and its master; slaves go to a peer or become private. */
void mount_make_private(struct mount *m);

/* One mount where something happens too because it happens in the first one. */
struct prop_target {
	struct mount *m;
	/* Index of the target that it follows; itself for the first. */
	u32 from;
	/* As a slave of that (else as a peer). */
	bool slave;
	/* For mount_attach_tree(): the copy made for it. */
	struct mount *copy;
};

struct prop_set {
	struct prop_target *t;
	u32 n;
	u32 room;
};

/* All that follow `first` (which is t[0]). -ENOMEM. prop_free() in any case. */
int prop_collect(struct prop_set *set, struct mount *first);
void prop_free(struct prop_set *set);
/* Makes copies of a tree for the targets that can show `point`. */
int prop_copy(struct prop_set *set, struct mount *top, struct dentry *point);
/* A group for every mount of the tree that has none. -ENOMEM. */
int prop_make_shared(struct mount *top);

#endif
