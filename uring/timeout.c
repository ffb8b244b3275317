/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IORING_OP_TIMEOUT, TIMEOUT_REMOVE, LINK_TIMEOUT.
 *
 * Model: a timeout ends when its timer fires (-ETIME) or so many completions have been
 * posted (0), whichever is first; whoever takes it out of REQ_TIMER ends it. That may be
 * the timer's interrupt, since it holds no file. If others are linked behind it, which
 * hold anything, the timer pushes it. So it does with a LINK_TIMEOUT: in task context that
 * cancels what it limits.
 *
 * Ownership: who takes a request from its timer stops that, and waits for it: a timer
 * that finds its request taken takes no lock, so the wait is short in any context.
 *
 * Locking: ring->counting is covered by cq_lock, inside of req_lock. A LINK_TIMEOUT and
 * what it limits point to each other under req_lock.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "uring/uring_impl.h"

#define CLOCKS (IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME)

/* Takes a request from its timer; false: somebody else has it. */
static bool
timer_take(struct request *r)
{
	u32 state = REQ_TIMER;

	return atomic_try_cmpxchg(&r->state, &state, (u32)REQ_WORK);
}

static void
uncount(struct request *r)
{
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->cq_lock);

	list_del_init(&r->timeout.link);
	spin_unlock_irq(&ring->cq_lock, f);
}

void
timeout_fired(struct request *r)
{
	uncount(r);
	if (r->timeout.flags & IORING_TIMEOUT_ETIME_SUCCESS)
		r->flags |= RQ_NO_FAIL;
	request_end(r, -ETIME);
}

static void
timeout_fire(struct timer *t)
{
	struct request *r = container_of(t, struct request, timer);

	if (!timer_take(r))
		return;
	if (r->opcode == IORING_OP_LINK_TIMEOUT || r->link) {
		r->timeout.fired = true;
		request_push(r);
		return;
	}
	timeout_fired(r);
}

/* --- time --- */

static int
get_time(struct request *r, u64 addr, u32 flags)
{
	u64 ns;
	int err = get_user_timespec(&ns, (const struct timespec __user *)addr);

	r->timeout.ns = ns;
	r->timeout.flags = flags;
	return err;
}

/* On the monotonic clock. */
static u64
expiry(const struct op_timeout *t)
{
	u64 ahead;

	if (!(t->flags & IORING_TIMEOUT_ABS))
		return deadline_after(t->ns);
	ahead = t->flags & IORING_TIMEOUT_REALTIME ? (u64)clock_real_offset() : 0;
	return t->ns > ahead ? min(t->ns - ahead, NO_DEADLINE - 1) : 0;
}

/* --- TIMEOUT --- */

static int
prep_common(struct request *r, const struct uring_sqe *sqe, bool link)
{
	u32 flags = sqe->op_flags;
	int err;

	if (sqe->buf || sqe->len != 1 || sqe->file_index)
		return -EINVAL;
	if (sqe->off && link)
		return -EINVAL;
	if (flags & ~(IORING_TIMEOUT_ABS | CLOCKS | IORING_TIMEOUT_ETIME_SUCCESS))
		return -EINVAL;
	if ((flags & CLOCKS) == CLOCKS)
		return -EINVAL;
	r->timeout = (struct op_timeout){.off = (u32)sqe->off};
	list_init(&r->timeout.link);
	err = get_time(r, sqe->addr, flags);
	timer_init(&r->timer, timeout_fire);
	return err;
}

int
prep_timeout(struct request *r, const struct uring_sqe *sqe)
{
	r->flags |= RQ_UNCOUNTED;
	return prep_common(r, sqe, false);
}

int
prep_link_timeout(struct request *r, const struct uring_sqe *sqe)
{
	return prep_common(r, sqe, true);
}

/* In order of their counts. */
static void
count_in(struct request *r)
{
	struct ring *ring = r->ring;
	struct list *at;

	r->timeout.target = ring->cq_counted + r->timeout.off;
	for (at = ring->counting.prev; at != &ring->counting; at = at->prev) {
		struct request *o = list_entry(at, struct request, timeout.link);

		if ((s32)(r->timeout.target - o->timeout.target) >= 0)
			break;
	}
	list_add(&r->timeout.link, at);
}

/*
 * Starts the timer; from then on it is not ours. False: its ring or task ends, or what it
 * limits (head, by the first start) has ended.
 */
static bool
timer_begin(struct request *r, struct request *head)
{
	u64 when = expiry(&r->timeout);
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->req_lock);
	bool ok = !r->cancel && !READ_ONCE(ring->dying) && !READ_ONCE(r->task->exiting);

	if (r->opcode == IORING_OP_LINK_TIMEOUT && !head && !r->timeout.head)
		ok = false;
	r->worker = NULL;
	if (ok) {
		WRITE_ONCE(r->state, REQ_TIMER);
		/* On this CPU, so not before interrupts are on again. */
		timer_start(&r->timer, when);
		if (head) {
			r->timeout.head = head;
			head->link_timeout = r;
		}
		if (r->timeout.off) {
			spin_lock(&ring->cq_lock);
			count_in(r);
			spin_unlock(&ring->cq_lock);
		}
	} else if (r->opcode == IORING_OP_LINK_TIMEOUT && r->timeout.head) {
		/* It is going to end: what it limits knows it no more. */
		r->timeout.head->link_timeout = NULL;
		r->timeout.head = NULL;
	}
	spin_unlock_irq(&ring->req_lock, f);
	return ok;
}

long
issue_timeout(struct request *r, u32 how)
{
	int err = request_track(r, r->link != NULL);

	if (err)
		return err;
	return timer_begin(r, NULL) ? ISSUE_QUEUED : -ECANCELED;
}

struct request *
timeouts_due(struct ring *ring)
{
	struct request *r, *next, *due = NULL, **end = &due;

	list_for_each_entry_safe(r, next, &ring->counting, timeout.link) {
		if ((s32)(ring->cq_counted - r->timeout.target) < 0)
			break;
		list_del_init(&r->timeout.link);
		if (!timer_take(r))
			continue;
		r->next = NULL;
		*end = r;
		end = &r->next;
	}
	return due;
}

void
timeouts_end(struct request *list, s32 res)
{
	struct request *r;

	while ((r = list) != NULL) {
		list = r->next;
		timer_cancel_sync(&r->timer);
		uncount(r);
		request_end(r, res);
	}
}

/* --- LINK_TIMEOUT --- */

void
link_timeout_start(struct request *r)
{
	struct request *t = r->link;

	r->link = t->link;
	t->link = NULL;
	(void)request_track(t, false);
	if (!timer_begin(t, r))
		request_end(t, -ECANCELED);
}

struct request *
link_timeout_stop(struct request *r)
{
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->req_lock);
	struct request *t = r->link_timeout;
	bool ours = false;

	if (t) {
		r->link_timeout = NULL;
		t->timeout.head = NULL;
		ours = timer_take(t);
	}
	spin_unlock_irq(&ring->req_lock, f);
	if (!ours)
		return NULL;
	timer_cancel_sync(&t->timer);
	return t;
}

void
link_timeout_fired(struct request *t)
{
	struct ring *ring = t->ring;
	struct request *owned = NULL, *head;
	unsigned long f = spin_lock_irq(&ring->req_lock);
	int ret = 0;

	head = t->timeout.head;
	if (head) {
		t->timeout.head = NULL;
		head->link_timeout = NULL;
		ret = cancel_locked(head, &owned);
	}
	spin_unlock_irq(&ring->req_lock, f);
	timeouts_end(owned, -ECANCELED);
	request_end(t, ret ? ret : -ETIME);
}

/* --- TIMEOUT_REMOVE --- */

#define UPDATES (IORING_TIMEOUT_UPDATE | IORING_LINK_TIMEOUT_UPDATE)

int
prep_timeout_remove(struct request *r, const struct uring_sqe *sqe)
{
	u32 flags = sqe->op_flags;

	if (r->flags & (RQ_FIXED_FILE | RQ_SELECT))
		return -EINVAL;
	if (sqe->buf || sqe->len || sqe->file_index)
		return -EINVAL;
	r->timeout = (struct op_timeout){.addr = sqe->addr, .flags = flags};
	if (!(flags & UPDATES))
		return flags ? -EINVAL : 0;
	if ((flags & CLOCKS) == CLOCKS || flags & ~(UPDATES | IORING_TIMEOUT_ABS | CLOCKS))
		return -EINVAL;
	return get_time(r, sqe->off, flags);
}

/* A timeout that waits, taken from its timer; -ENOENT, -EALREADY. */
static struct request *
timeout_find(struct ring *ring, u64 user_data, u8 opcode)
{
	unsigned long f = spin_lock_irq(&ring->req_lock);
	struct request *r, *found = err_ptr(-ENOENT);

	list_for_each_entry(r, &ring->reqs, ring_link) {
		if (r->opcode != opcode || r->user_data != user_data)
			continue;
		found = timer_take(r) ? r : err_ptr(-EALREADY);
		break;
	}
	spin_unlock_irq(&ring->req_lock, f);
	if (!is_err(found))
		timer_cancel_sync(&found->timer);
	return found;
}

long
issue_timeout_remove(struct request *r, u32 how)
{
	u32 flags = r->timeout.flags;
	u8 opcode = flags & IORING_LINK_TIMEOUT_UPDATE ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT;
	struct request *t = timeout_find(r->ring, r->timeout.addr, opcode);

	if (is_err(t))
		return ptr_err(t);
	if (!(flags & UPDATES)) {
		t->next = NULL;
		timeouts_end(t, -ECANCELED);
		return 0;
	}
	uncount(t);
	t->timeout.ns = r->timeout.ns;
	t->timeout.flags = (t->timeout.flags & IORING_TIMEOUT_ETIME_SUCCESS) |
			   (flags & (IORING_TIMEOUT_ABS | CLOCKS));
	/* What it had to count is over: it waits for the time. */
	t->timeout.off = 0;
	if (!timer_begin(t, NULL)) {
		t->next = NULL;
		timeouts_end(t, -ECANCELED);
	}
	return 0;
}
