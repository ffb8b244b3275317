/* SPDX-License-Identifier: BSD-2-Clause */
/* Between inotify.c (watches) and inotify_queue.c (the handle). */
#ifndef FS_INOTIFY_IMPL_H
#define FS_INOTIFY_IMPL_H

#include "fs/notify.h"

struct user;

/* inode->watches; lives as long as the inode. */
struct watches {
	struct spinlock lock;
	/* l  changed with inotify_mutex too */
	struct list list;
};

struct inotify {
	struct spinlock lock;
	/* l  struct event, oldest first; what they take when read */
	struct list events;
	u32 count;
	size_t bytes;
	bool overflow;
	struct waitq wait;
	/* handles with O_ASYNC: one at most */
	struct async_list async;
	/* (inotify_mutex) */
	struct list watches;
	struct list link;
	s32 last_wd;
	/* I */
	struct user *user;
};

struct watch {
	struct list inode_link;
	struct list group_link;
	struct inotify *group;
	struct inode *inode;
	s32 wd;
	/* (watches->lock) */
	u32 mask;
	/* (watches->lock)  IN_ONESHOT: had its event */
	bool fired;
	/* I  holds a reference of the inode */
	bool holds;
};

extern struct mutex inotify_mutex;
extern struct list inotify_groups;

/* inotify_mutex held: IN_IGNORED, and it is gone. */
void watch_remove(struct watch *w);
/* Adds an event; may be called with spinning locks held. */
void inotify_queue(struct inotify *g, s32 wd, u32 mask, u32 cookie, const char *name);
/* NULL: another kind of handle. */
struct inotify *inotify_of(const struct file *f);

#endif
