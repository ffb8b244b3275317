/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of epoll; epoll_item.c tells how items are kept, epoll.c the rest. */
#ifndef KERNEL_HANDLE_EPOLL_IMPL_H
#define KERNEL_HANDLE_EPOLL_IMPL_H

#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "lib/rbtree.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
/* Parts of a set that is contended. */
#define BOXES 8u

/* The ABI's layout: packed on x86_64. */
struct epoll_event {
	u32 events;
	u64 data;
} __packed;

/* Items of a set, and which of them may be ready: one line. */
struct epoll_box {
	struct mutex mutex;
	/* (mutex)  items by handle and descriptor */
	struct rb_root items;
	struct spinlock lock;
	/* l  a wait is asking items that it took off the list; or they are moving to boxes */
	bool asking;
	/* l  items that may be ready */
	struct list ready;
};

struct epoll {
	/* All items, until there are boxes. */
	struct epoll_box first;
	/* a  BOXES of them, published once under first.mutex, or NULL */
	struct epoll_box *boxes;
	/* I  once there are boxes: says which handle's items go where */
	u32 seed;
	/* (first.mutex)  items that were ready when they moved to boxes */
	u32 moved;
	/* a  hints, until there are boxes: who changed what last; how often another CPU did */
	u16 last_cpu;
	u16 turns;
	const struct file *last_file;
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
	/* a  changes once, under first.mutex and first.lock */
	struct epoll_box *box;
	/* (box->lock) */
	struct list ready_link;
	/* (box->lock)  in boxes: when it got ready */
	u64 stamp;
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

/* --- epoll_item.c --- */

struct epoll *epoll_alloc(void);
void epoll_put(struct epoll *ep);

/* Locks the box of a handle's items. */
struct epoll_box *epoll_box_lock(struct epoll *ep, const struct file *f);
/*
 * All boxes: for (i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++). Who has locked the first
 * and finds then that it is the first no more (boxes were made) begins again.
 */
struct epoll_box *epoll_box_nth(struct epoll *ep, u32 i);
/* After changes to f's items, nothing is locked: makes boxes if they are worth it. */
void epoll_note_change(struct epoll *ep, const struct file *f);

/* The mutex of the box is held by all of these; epoll_nest_mutex if the handle is a set. */
struct item *item_find(struct epoll_box *box, const struct file *f, u32 fd);
/* 0, -ENOMEM */
int item_add(struct epoll *ep, struct epoll_box *box, struct file *f, u32 fd,
	     const struct epoll_event *ev);
int item_modify(struct item *it, const struct epoll_event *ev);
void item_free(struct item *it);
/* box->lock held: on the ready list, if it is not there. */
void item_ready(struct item *it, bool first);

#endif
