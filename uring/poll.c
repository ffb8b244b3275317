/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for files: requests that poll first, and IORING_OP_POLL_ADD.
 *
 * Model: a request queues a waiter on each of its file's queues and looks. A callback
 * exchanges REQ_POLL for REQ_WORK and pushes the request; one that comes while the
 * waiters are still being queued leaves REQ_ARM_FIRED, and the file is asked again.
 * A multishot poll stays queued; a callback that finds it at work makes that
 * REQ_WORK_AGAIN, and it asks its file once more before it rests.
 *
 * Ownership: the request holds its file, whose queues live as long.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/task/task.h"
#include "uring/uring_impl.h"

#define POLL_ALWAYS (POLLERR | POLLHUP)
#define EVENTS_MASK 0xffffu

struct arm_table {
	struct poll_table pt;
	struct request *req;
	int err;
};

/* Notes that the file calls. True: r waited, and is the caller's to push. */
static bool
poll_called(struct request *r)
{
	u32 state = READ_ONCE(r->state), next;

	do {
		if (state == REQ_POLL)
			next = REQ_WORK;
		else if (state == REQ_ARM)
			next = REQ_ARM_FIRED;
		else if (state == REQ_WORK)
			next = REQ_WORK_AGAIN;
		else
			return false;
	} while (!atomic_try_cmpxchg(&r->state, &state, next));
	return next == REQ_WORK;
}

static int
poll_wake(struct waiter *w, unsigned long key)
{
	struct request *r = container_of(w, struct poll_entry, waiter)->req;

	if (key && !(key & (READ_ONCE(r->poll_events) | POLL_ALWAYS)))
		return 0;
	if (poll_called(r))
		request_push(r);
	return 1;
}

static void
arm_queue(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct arm_table *a = container_of(pt, struct arm_table, pt);
	struct request *r = a->req;
	struct poll_entry *e = &r->poll;

	if (e->req) {
		e = kmalloc(sizeof(*e), GFP_KERNEL);
		if (!e) {
			a->err = -ENOMEM;
			return;
		}
		e->next = r->poll.next;
		r->poll.next = e;
	} else {
		e->next = NULL;
	}
	e->req = r;
	e->waiter = (struct waiter){.flags = WAITER_KEEP, .wake = poll_wake};
	waitq_add(q, &e->waiter);
}

void
request_poll_remove(struct request *r)
{
	struct poll_entry *e;

	while ((e = r->poll.next) != NULL) {
		r->poll.next = e->next;
		waitq_del(e->waiter.queue, &e->waiter);
		kfree(e);
	}
	waitq_del(r->poll.waiter.queue, &r->poll.waiter);
	r->poll.req = NULL;
}

/*
 * From `state` to REQ_POLL: 0, and r is no longer ours; 1: it was called meanwhile;
 * -ECANCELED.
 */
static int
poll_rest(struct request *r, u32 state)
{
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->req_lock);
	int ret = 1;

	if (r->cancel || READ_ONCE(ring->dying) || READ_ONCE(r->task->exiting))
		ret = -ECANCELED;
	else if (atomic_try_cmpxchg(&r->state, &state, (u32)REQ_POLL))
		ret = 0;
	/* Nobody runs it: a worker that did may be gone when it is cancelled. */
	r->worker = NULL;
	spin_unlock_irq(&ring->req_lock, f);
	return ret;
}

/* Queues r on what its file has; what is ready, or -Exxx. */
static long
poll_queue(struct request *r, u32 state)
{
	struct arm_table a = {.pt = {.queue = arm_queue, .events = r->poll_events | POLL_ALWAYS},
			      .req = r};
	u32 ready;

	smp_store_mb(&r->state, state);
	ready = file_poll(r->file, &a.pt) & (r->poll_events | POLL_ALWAYS);
	if (a.err)
		return a.err;
	/* A file that has no queue will not call. */
	return ready || r->poll.req ? (long)ready : -EINVAL;
}

long
request_poll_arm(struct request *r, u32 events)
{
	long ready;

	WRITE_ONCE(r->poll_events, events);
	ready = poll_queue(r, REQ_ARM);
	while (!ready) {
		ready = poll_rest(r, REQ_ARM);
		if (!ready)
			return 0;
		if (ready < 0)
			break;
		smp_store_mb(&r->state, (u32)REQ_ARM);
		ready = file_poll(r->file, NULL) & (events | POLL_ALWAYS);
	}
	if (r->poll.req)
		request_poll_remove(r);
	WRITE_ONCE(r->state, REQ_RUN);
	return ready;
}

/* --- IORING_OP_POLL_ADD --- */

int
prep_poll_add(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->buf || sqe->off || sqe->addr)
		return -EINVAL;
	if (sqe->len & ~IORING_POLL_ADD_MULTI)
		return -EINVAL;
	if (sqe->len & IORING_POLL_ADD_MULTI) {
		if (r->flags & RQ_SKIP)
			return -EINVAL;
		r->flags |= RQ_MULTISHOT;
	}
	r->op_poll.events = sqe->op_flags & EVENTS_MASK;
	return 0;
}

/* One completion of a multishot poll; false: it was lost, so that the poll ends. */
static bool
poll_tell(struct request *r, u32 events)
{
	return ring_post(r->ring, r->user_data, (s32)events, IORING_CQE_F_MORE);
}

static void
poll_end(struct request *r, s32 res)
{
	if (r->poll.req)
		request_poll_remove(r);
	r->flags &= ~RQ_MULTISHOT;
	request_end(r, res);
}

/* Tells what is ready and rests, as often as it is called meanwhile. */
static void
poll_go_on(struct request *r, u32 events)
{
	int ret;

	for (;;) {
		if (events && !poll_tell(r, events)) {
			poll_end(r, -ECANCELED);
			return;
		}
		ret = poll_rest(r, REQ_WORK);
		if (ret == 0)
			return;
		if (ret < 0) {
			poll_end(r, ret);
			return;
		}
		smp_store_mb(&r->state, (u32)REQ_WORK);
		events = file_poll(r->file, NULL) & (READ_ONCE(r->poll_events) | POLL_ALWAYS);
	}
}

long
issue_poll_add(struct request *r, u32 how)
{
	long ready;
	int err;

	err = request_track(r, true);
	if (err)
		return err;
	if (r->link && r->link->opcode == IORING_OP_LINK_TIMEOUT)
		link_timeout_start(r);
	if (!(r->flags & RQ_MULTISHOT)) {
		ready = request_poll_arm(r, r->op_poll.events);
		return ready ? ready : ISSUE_QUEUED;
	}
	r->poll_events = r->op_poll.events;
	ready = poll_queue(r, REQ_WORK);
	/* What cannot be waited for is told once. */
	if (ready < 0 || !r->poll.req)
		poll_end(r, (s32)ready);
	else
		poll_go_on(r, (u32)ready);
	return ISSUE_QUEUED;
}

void
request_polled(struct request *r)
{
	u32 events;
	long ret;

	if (r->flags & RQ_MULTISHOT) {
		smp_store_mb(&r->state, (u32)REQ_WORK);
		events = file_poll(r->file, NULL) & (READ_ONCE(r->poll_events) | POLL_ALWAYS);
		poll_go_on(r, events);
		return;
	}
	ret = file_poll(r->file, NULL) & (r->poll_events | POLL_ALWAYS);
	/* Another was faster: waits on. */
	if (!ret)
		ret = request_poll_arm(r, r->poll_events);
	if (ret)
		request_end(r, (s32)ret);
}

/* --- IORING_OP_POLL_REMOVE --- */

int
prep_poll_remove(struct request *r, const struct uring_sqe *sqe)
{
	u32 flags = sqe->len;

	if (sqe->buf || sqe->file_index)
		return -EINVAL;
	if (flags &
	    ~(IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA | IORING_POLL_ADD_MULTI))
		return -EINVAL;
	/* Multishot is a change of events. */
	if (flags == IORING_POLL_ADD_MULTI)
		return -EINVAL;
	if (!(flags & IORING_POLL_UPDATE_USER_DATA) && sqe->off)
		return -EINVAL;
	if (!(flags & IORING_POLL_UPDATE_EVENTS) && sqe->op_flags)
		return -EINVAL;
	r->op_poll = (struct op_poll){.events = sqe->op_flags & EVENTS_MASK,
				      .flags = flags,
				      .old_data = sqe->addr,
				      .new_data = sqe->off};
	return 0;
}

/* A poll that waits, taken; -ENOENT, -EALREADY. */
static struct request *
poll_find(struct ring *ring, u64 user_data)
{
	unsigned long f = spin_lock_irq(&ring->req_lock);
	struct request *r, *found = err_ptr(-ENOENT);

	list_for_each_entry(r, &ring->reqs, ring_link) {
		u32 state = REQ_POLL;

		if (r->opcode != IORING_OP_POLL_ADD || r->user_data != user_data)
			continue;
		found = atomic_try_cmpxchg(&r->state, &state, (u32)REQ_WORK) ? r
									     : err_ptr(-EALREADY);
		break;
	}
	spin_unlock_irq(&ring->req_lock, f);
	return found;
}

long
issue_poll_remove(struct request *r, u32 how)
{
	u32 flags = r->op_poll.flags;
	struct request *p = poll_find(r->ring, r->op_poll.old_data);

	if (is_err(p))
		return ptr_err(p);
	if (!(flags & (IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA))) {
		poll_end(p, -ECANCELED);
		return 0;
	}
	if (flags & IORING_POLL_UPDATE_USER_DATA)
		p->user_data = r->op_poll.new_data;
	if (flags & IORING_POLL_UPDATE_EVENTS) {
		p->op_poll.events = r->op_poll.events;
		p->flags = flags & IORING_POLL_ADD_MULTI ? p->flags | RQ_MULTISHOT
							 : p->flags & ~RQ_MULTISHOT;
	}
	/* Begins anew, so that what is ready already is seen. */
	request_poll_remove(p);
	WRITE_ONCE(p->state, REQ_RUN);
	request_start(p, how & ISSUE_LOCKED);
	return 0;
}
