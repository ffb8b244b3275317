/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of AIO; aio_ctx.c tells the model. */
#ifndef URING_AIO_IMPL_H
#define URING_AIO_IMPL_H

#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "lib/list.h"
#include "percpu/work.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct eventfd;

/* struct io_event of the ABI. */
struct aio_event {
	u64 data;
	u64 obj;
	s64 res;
	s64 res2;
};

/* The head of the memory that a context shares with its program (struct aio_ring). */
struct aio_ring {
	u32 id;
	u32 nr;
	/* p: the program may take events by itself */
	u32 head;
	u32 tail;
	u32 magic;
	u32 compat, incompat;
	u32 header_length;
	struct aio_event events[];
};
static_assert(sizeof(struct aio_ring) == 32, "ABI");

/* struct iocb of the ABI. */
struct aio_iocb {
	u64 data;
	u32 key;
	u32 rw_flags;
	u16 opcode;
	s16 reqprio;
	u32 fd;
	u64 buf;
	u64 nbytes;
	s64 offset;
	u64 reserved2;
	u32 flags;
	u32 resfd;
};
static_assert(sizeof(struct aio_iocb) == 64, "ABI");

struct aio_ctx {
	/* (space_aio()->lock) */
	struct list link;
	/* I  where its ring is mapped: its name */
	u64 id;
	/* I  slots, and what it counts for in fs.aio-nr */
	u32 nr, max_reqs;
	/* a  the space's list, calls that use it, requests that wait, the ring's handle */
	u32 refs;
	bool dead;
	struct aio_ring *ring;
	u32 nr_pages;
	struct page **pages;
	struct spinlock lock __cacheline_aligned;
	/* l  the next event's slot */
	u32 tail;
	/* l  requests that are not reported yet; those that wait */
	u32 active;
	struct list polls;
	struct waitq wait;
	/* who takes events */
	struct mutex reader;
	struct work free_work;
};

/* aio_ctx.c: the context of this name with a reference, or NULL. */
struct aio_ctx *aio_ctx_get(u64 id);
void aio_ctx_put(struct aio_ctx *c);
/* Room for one more event: 0 or -EAGAIN. It is used up by aio_post(). */
int aio_reserve(struct aio_ctx *c);
void aio_unreserve(struct aio_ctx *c);
/* An event; resfd may be NULL, its reference stays the caller's. */
void aio_post(struct aio_ctx *c, const struct aio_event *e, struct file *resfd);

/* aio_poll.c: IOCB_CMD_POLL; takes both files if it returns 0. */
int aio_poll_start(struct aio_ctx *c, const struct aio_iocb *cb, u64 obj, struct file *f,
		   struct file *resfd);
/* Ends the one that was submitted at obj, or (0) all. True: there was one. */
bool aio_poll_cancel(struct aio_ctx *c, u64 obj);

#endif
