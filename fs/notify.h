/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events for inotify. While nobody watches anything a hook costs one load of a
 * line that nobody writes.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "fs/dcache.h"
#include "kernel/uapi/inotify.h"

/* a  watches in the system */
extern u32 notify_watches;

void notify_dentry_slow(struct dentry *d, u32 mask);
void notify_child_slow(struct inode *dir, u32 mask, const char *name, u32 cookie);
void notify_inode_slow(struct inode *i, u32 mask);

/* Something happened to d: tells its own watches and those of its directory. */
static inline void
notify_dentry(struct dentry *d, u32 mask)
{
	if (unlikely(READ_ONCE(notify_watches)))
		notify_dentry_slow(d, mask);
}

/* Entry `name` of dir: IN_CREATE, IN_DELETE, IN_MOVED_* (with IN_ISDIR). */
static inline void
notify_child(struct inode *dir, u32 mask, const char *name, u32 cookie)
{
	if (unlikely(READ_ONCE(notify_watches)))
		notify_child_slow(dir, mask, name, cookie);
}

static inline void
notify_inode(struct inode *i, u32 mask)
{
	if (unlikely(READ_ONCE(notify_watches)))
		notify_inode_slow(i, mask);
}

static inline void
notify_file(struct file *f, u32 mask)
{
	if (unlikely(READ_ONCE(notify_watches)) && f->path.dentry)
		notify_dentry_slow(f->path.dentry, mask);
}

/* A number that ties IN_MOVED_FROM and IN_MOVED_TO. */
u32 notify_cookie(void);
/* The file is gone for good (IN_DELETE_SELF), its file system is (IN_UNMOUNT). */
void notify_inode_gone(struct inode *i);
void notify_super_gone(struct super *sb);
/* Is anybody waiting for the end of this inode? Then its last user waits for it too. */
bool notify_watched(const struct inode *i);
void notify_init(void);

/* sysctl fs.inotify.* */
extern u32 inotify_max_queued_events, inotify_max_user_instances, inotify_max_user_watches;

#endif
