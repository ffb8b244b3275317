/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and FIFOs: a ring of page fragments between two kinds of ends (pipe(7)). */
#ifndef KERNEL_HANDLE_PIPE_H
#define KERNEL_HANDLE_PIPE_H

#include "kernel/file.h"
#include "mm/page.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

/* Writes up to this are atomic. */
#define PIPE_BUF 4096u
#define PIPE_DEFAULT_SLOTS 16u

/* The page belongs to the pipe alone: a later write may add to it. */
#define PIPE_MERGE 1u
/* O_DIRECT: one write, one read. */
#define PIPE_PACKET 2u

struct file_locks;
struct user;

struct pipe_slot {
	struct page *page;
	u32 offset;
	u32 len;
	u32 flags;
};

struct pipe {
	struct mutex lock;
	/* l  slots head-1 (newest) back to tail (oldest) are full; head - tail <= nr_slots */
	u32 head, tail;
	/* l  a power of two */
	u32 nr_slots;
	struct pipe_slot *slot;
	/* l  ends that are open, and opens so far (a FIFO's opener waits for the other count) */
	u32 readers, writers;
	u32 reader_opens, writer_opens;
	/* l  a page kept from the last read */
	struct page *spare;
	struct waitq read_wait, write_wait;
	/* ends with O_ASYNC */
	struct async_list async;
	/* I  who pays for the slots: USER_PIPE_PAGES */
	struct user *user;
	/* l  tasks that sleep for data, for room */
	u32 sleeping_readers, sleeping_writers;
	/* file locks on the ends (fs/locks.c) */
	struct file_locks *locks;
};

/* Limits: /proc/sys/fs/pipe-max-size, pipe-user-pages-soft, pipe-user-pages-hard (0: none). */
extern u32 pipe_max_size, pipe_user_pages_soft, pipe_user_pages_hard;

/* pipe_size.c: slots and who pays for them, before p is seen by anyone: 0, -ENFILE, -ENOMEM. */
int pipe_slots_alloc(struct pipe *p);
void pipe_slots_free(struct pipe *p);

/* The pipe behind a handle, or NULL. */
struct pipe *file_pipe(struct file *f);

static inline u32
pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}

static inline bool
pipe_empty(const struct pipe *p)
{
	return READ_ONCE(p->head) == READ_ONCE(p->tail);
}

static inline bool
pipe_full(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail) >= READ_ONCE(p->nr_slots);
}

static inline struct pipe_slot *
pipe_at(struct pipe *p, u32 pos)
{
	return &p->slot[pos & (p->nr_slots - 1)];
}

/* Lock held. Adds a fragment (the page's reference goes to the pipe); the pipe is not full. */
void pipe_push(struct pipe *p, struct page *page, u32 offset, u32 len, u32 flags);
/* Lock held. The oldest slot is used up. */
void pipe_drop(struct pipe *p);
/*
 * Lock held on entry and return 0; waits until there is data (1: end of file),
 * until there is room. -EAGAIN, -ERESTARTSYS, -EPIPE (room, no reader: SIGPIPE sent).
 */
int pipe_wait_readable(struct pipe *p, bool nonblock);
int pipe_wait_writable(struct pipe *p, bool nonblock);
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
/*
 * Whoever may have slept in pipe_wait_*() was woken alone: before it lets go of the
 * lock it passes on to the next sleeper what it leaves, data or room.
 */
void pipe_pass_data(struct pipe *p);
void pipe_pass_room(struct pipe *p);

#endif
