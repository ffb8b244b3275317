/* SPDX-License-Identifier: BSD-2-Clause */
/* Between epoll.c and epoll_nest.c; epoll.c tells the model and the locking. */
#ifndef KERNEL_HANDLE_EPOLL_IMPL_H
#define KERNEL_HANDLE_EPOLL_IMPL_H

#include "kernel/file.h"
#include "lib/rbtree.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct epoll {
	struct mutex mutex;
	/* (mutex)  items by handle and descriptor */
	struct rb_root items;
	u32 nr_items;
	struct spinlock lock;
	/* l  items that may be ready; a wait is asking those that it took off */
	struct list ready;
	bool asking;
	struct waitq wait;
	/* those who poll the set itself */
	struct waitq poll_wait;
	/* a  the handle, and releases that look at us */
	u32 refs;
	/* I */
	struct file *file;
	/* (epoll_nest_mutex)  items that watch sets, by sub_link */
	struct list subs;
	/* (epoll_nest_mutex)  the walk that saw us last; the longest chain it found from here */
	u64 walk;
	int chain;
};

/* One queue that an item waits on. Handles with more than two are rare. */
struct item_wait {
	struct waiter waiter;
	struct item *item;
	struct item_wait *next;
};

struct item {
	struct rb_node node;
	/* (epoll->lock)  */
	struct list ready_link;
	/* (link lock)  in file->epoll_links */
	struct list file_link;
	/* (epoll_nest_mutex)  in ep->subs, if the handle is a set */
	struct list sub_link;
	struct epoll *ep;
	struct file *file;
	u32 fd;
	/* (mutex; read by callbacks) */
	u32 events;
	u64 data;
	struct item_wait *waits;
	/* out of memory while queueing */
	bool failed;
};

extern struct mutex epoll_nest_mutex;

/* The set behind a handle, or NULL. */
struct epoll *file_epoll(struct file *f);
/* May ep watch sub? 0, or -ELOOP. epoll_nest_mutex is held. */
int epoll_nest_check(struct epoll *ep, struct epoll *sub);

#endif
