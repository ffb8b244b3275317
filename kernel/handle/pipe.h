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

/* W: w.lock; what both sides read is written under both locks. */
struct pipe_slot {
	/* I  while the slot is in the ring */
	struct page *page;
	u32 offset;
	/* W  where the bytes end that are in it: grows if it is the newest */
	u32 end;
	/* PIPE_MERGE goes under both locks */
	u32 flags;
};

/* What readers change, under ->lock, on a line of its own. */
struct pipe_reader {
	struct mutex lock;
	/* The oldest slot once it was looked at, else NULL; what we know is left of it. */
	struct page *page;
	u32 at, end;
	/* a  the oldest slot; w.head as seen last */
	u32 tail, head;
	/* readers that sleep for data */
	u32 sleeping;
	/* The oldest slot is a packet; the ring was full before a slot was dropped. */
	bool packet, made_room;
};

/* What writers change, under ->lock, on a line of its own. */
struct pipe_writer {
	struct mutex lock;
	/* a  one beyond the newest slot; r.tail as seen last */
	u32 head, tail;
	/* The newest slot is in the ring and takes more. */
	bool merge;
	/* writers that sleep for room */
	u32 sleeping;
	/* a  a page kept from the last read */
	struct page *spare;
};

struct pipe {
	/* B: written under both locks   W: under w.lock, read without */
	struct pipe_slot *slot;
	/* B  a power of two; head - tail <= nr_slots */
	u32 nr_slots;
	/* W  ends that are open, and opens so far (a FIFO's opener waits for the other count) */
	u32 readers, writers;
	u32 reader_opens, writer_opens;
	/* I  it belongs to an inode, and fs/ frees it */
	bool named;
	struct waitq read_wait, write_wait;
	/* ends with O_ASYNC */
	struct async_list async;
	/* I  who pays for the slots: USER_PIPE_PAGES */
	struct user *user;
	/* file locks on the ends (fs/locks.c) */
	struct file_locks *locks;
	struct pipe_reader r __cacheline_aligned;
	struct pipe_writer w __cacheline_aligned;
};

static_assert(sizeof(struct pipe_reader) <= CACHE_LINE || CONFIG_DEBUG);
static_assert(sizeof(struct pipe_writer) <= CACHE_LINE || CONFIG_DEBUG);

/* Limits: /proc/sys/fs/pipe-max-size, pipe-user-pages-soft, pipe-user-pages-hard (0: none). */
extern u32 pipe_max_size, pipe_user_pages_soft, pipe_user_pages_hard;

/* pipe_size.c: slots and who pays for them, before p is seen by anyone: 0, -ENFILE, -ENOMEM. */
int pipe_slots_alloc(struct pipe *p);
void pipe_slots_free(struct pipe *p);

/* Both ends of a new pipe, each with a reference: 0, -ENFILE. */
int pipe_create(struct file *end[2], u32 flags);
/* f is the only writer: readers see the end of file; until the last one has closed, or a signal. */
void pipe_wait_no_reader(struct file *f);
/* The pipe behind a handle, or NULL. */
struct pipe *file_pipe(struct file *f);

/* For who holds no lock: was there a moment just now when it was so? */
static inline bool
pipe_empty(const struct pipe *p)
{
	u32 tail = smp_load_acquire(&p->r.tail);

	return READ_ONCE(p->w.head) == tail;
}

static inline bool
pipe_full(const struct pipe *p)
{
	u32 head = smp_load_acquire(&p->w.head);

	return head - READ_ONCE(p->r.tail) >= READ_ONCE(p->nr_slots);
}

static inline struct pipe_slot *
pipe_at(struct pipe *p, u32 pos)
{
	return &p->slot[pos & (p->nr_slots - 1)];
}

/* --- pipe_ring.c --- */

/* Both locks, in the order of addresses that all keep who take more than one. */
void pipe_lock_both(struct pipe *p);
void pipe_unlock_both(struct pipe *p);

/* r.lock held: shows the oldest slot; the bytes that r shows are used up, are there more? */
bool pipe_look(struct pipe *p);
void pipe_used_up(struct pipe *p);
/* r.lock held: is there data? Then r.page, r.at, r.end and r.packet show the next. */
static inline bool
pipe_readable(struct pipe *p)
{
	return p->r.page || pipe_look(p);
}

/* r.lock held: n of the bytes that r shows are used up; the slot goes with its last one. */
static inline void
pipe_consume(struct pipe *p, u32 n)
{
	p->r.at += n;
	if (p->r.at == p->r.end)
		pipe_used_up(p);
}

/* Both locks held: where the bytes of a slot begin. */
u32 pipe_slot_start(struct pipe *p, u32 pos);
/* w.lock held: is there a free slot? */
bool pipe_writable(struct pipe *p);
/* w.lock held. Adds a fragment (the page's reference goes to the pipe); there is a free slot. */
void pipe_push(struct pipe *p, struct page *page, u32 offset, u32 len, u32 flags);
/* Both locks held: nobody adds to the slot any more. */
void pipe_freeze(struct pipe *p, u32 pos);
/* No user is left: drops what is in it. */
void pipe_drain(struct pipe *p);
/*
 * r.lock (w.lock) held on entry and return 0; waits until there is data (1: end of
 * file), until there is room. -EAGAIN, -ERESTARTSYS, -EPIPE (no reader: SIGPIPE sent).
 */
int pipe_wait_readable(struct pipe *p, bool nonblock);
int pipe_wait_writable(struct pipe *p, bool nonblock);
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
/* r.lock held: did a slot get free in a full ring since the last call? */
static inline bool
pipe_made_room(struct pipe *p)
{
	bool made_room = p->r.made_room;

	p->r.made_room = false;
	return made_room;
}

/*
 * Whoever may have slept in pipe_wait_*() was woken alone: before it lets go of the
 * lock it passes on to the next sleeper what it leaves, data or room.
 */
void pipe_pass_data(struct pipe *p);
void pipe_pass_room(struct pipe *p);

#endif
