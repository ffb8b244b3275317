/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOCB_CMD_POLL: requests of AIO that wait.
 *
 * A callback of a queue takes the request (POLL_WAITS to POLL_TAKEN) and posts work, in
 * which it ends: its waiters are taken off, its event is posted. One that comes while the
 * waiters are being queued leaves POLL_CALLED. Who cancels takes it the same way.
 */
#include "arch/x86_64/asm/atomic.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "uring/aio_impl.h"

#define POLL_ALWAYS (POLLERR | POLLHUP)
#define QUEUES 4

enum { POLL_ARMS, POLL_CALLED, POLL_WAITS, POLL_TAKEN };

struct aio_poll {
	struct aio_ctx *ctx;
	struct file *file, *resfd;
	/* (ctx->lock) */
	struct list link;
	u64 data, obj;
	u32 events;
	/* a  POLL_* */
	u32 state;
	bool cancelled;
	int err;
	u32 nr_queues;
	struct poll_table pt;
	struct waiter waiter[QUEUES];
	struct work work;
};

static bool
change(struct aio_poll *p, u32 from, u32 to)
{
	return atomic_try_cmpxchg(&p->state, &from, to);
}

static int
poll_wake(struct waiter *w, unsigned long key)
{
	struct aio_poll *p = (struct aio_poll *)w->task;

	if (key && !(key & (p->events | POLL_ALWAYS)))
		return 0;
	if (change(p, POLL_WAITS, POLL_TAKEN))
		work_post_here(&p->work);
	else
		(void)change(p, POLL_ARMS, POLL_CALLED);
	return 1;
}

static void
poll_queue(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct aio_poll *p = container_of(pt, struct aio_poll, pt);
	struct waiter *w;

	if (p->nr_queues == QUEUES) {
		p->err = -EINVAL;
		return;
	}
	w = &p->waiter[p->nr_queues++];
	*w = (struct waiter){.flags = WAITER_KEEP, .wake = poll_wake, .task = (struct task *)p};
	waitq_add(q, w);
}

static void
poll_free(struct aio_poll *p)
{
	for (u32 i = 0; i < p->nr_queues; i++)
		waitq_del(p->waiter[i].queue, &p->waiter[i]);
	file_put(p->file);
	if (p->resfd)
		file_put(p->resfd);
	kfree(p);
}

/* It is taken: its event, and its end. */
static void
poll_end(struct aio_poll *p, u32 events)
{
	struct aio_ctx *c = p->ctx;
	unsigned long f = spin_lock_irq(&c->lock);

	list_del(&p->link);
	spin_unlock_irq(&c->lock, f);
	aio_post(c, &(struct aio_event){p->data, p->obj, events, 0}, p->resfd);
	poll_free(p);
	aio_ctx_put(c);
}

/* True: it waits (and is no longer ours). False: it was called or cancelled meanwhile. */
static bool
poll_rest(struct aio_poll *p)
{
	struct aio_ctx *c = p->ctx;
	unsigned long f = spin_lock_irq(&c->lock);
	bool rests = !p->cancelled && change(p, POLL_ARMS, POLL_WAITS);

	spin_unlock_irq(&c->lock, f);
	return rests;
}

static void
poll_work(struct work *w)
{
	struct aio_poll *p = container_of(w, struct aio_poll, work);
	u32 events = 0;

	while (!READ_ONCE(p->cancelled)) {
		smp_store_mb(&p->state, (u32)POLL_ARMS);
		events = file_poll(p->file, NULL) & (p->events | POLL_ALWAYS);
		if (events)
			break;
		/* Another was faster: waits on. */
		if (poll_rest(p))
			return;
	}
	poll_end(p, events);
}

bool
aio_poll_cancel(struct aio_ctx *c, u64 obj)
{
	unsigned long f = spin_lock_irq(&c->lock);
	struct aio_poll *p;
	bool any = false;

	list_for_each_entry(p, &c->polls, link) {
		if (obj && p->obj != obj)
			continue;
		any = true;
		WRITE_ONCE(p->cancelled, true);
		if (change(p, POLL_WAITS, POLL_TAKEN))
			work_post_here(&p->work);
		if (obj)
			break;
	}
	spin_unlock_irq(&c->lock, f);
	return any;
}

/* Queues it; what is ready, or -Exxx. */
static long
poll_arm(struct aio_poll *p)
{
	long ready = file_poll(p->file, &p->pt) & (p->events | POLL_ALWAYS);

	if (p->err)
		return p->err;
	/* A file that has no queue will not call. */
	return ready || p->nr_queues ? ready : -EINVAL;
}

int
aio_poll_start(struct aio_ctx *c, const struct aio_iocb *cb, u64 obj, struct file *f,
	       struct file *resfd)
{
	struct aio_poll *p;
	unsigned long flags;
	long ready;

	if ((u16)cb->buf != cb->buf || cb->offset || cb->nbytes || cb->rw_flags)
		return -EINVAL;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->ctx = c;
	p->file = f;
	p->resfd = resfd;
	p->data = cb->data;
	p->obj = obj;
	p->events = (u16)cb->buf;
	p->pt = (struct poll_table){.queue = poll_queue, .events = p->events | POLL_ALWAYS};
	work_init(&p->work, poll_work);
	ready = poll_arm(p);
	if (ready < 0) {
		for (u32 i = 0; i < p->nr_queues; i++)
			waitq_del(p->waiter[i].queue, &p->waiter[i]);
		kfree(p);
		return (int)ready;
	}
	atomic_inc(&c->refs);
	flags = spin_lock_irq(&c->lock);
	list_add_tail(&p->link, &c->polls);
	/* A context that has ended meanwhile has cancelled what it found. */
	if (c->dead)
		p->cancelled = true;
	spin_unlock_irq(&c->lock, flags);
	if (!ready && poll_rest(p))
		return 0;
	/* Callers find it taken; the work looks at what called. */
	WRITE_ONCE(p->state, POLL_TAKEN);
	if (ready)
		poll_end(p, (u32)ready);
	else
		work_post_here(&p->work);
	return 0;
}
