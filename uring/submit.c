/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From entries to requests: what io_uring_enter(2) submits and waits for.
 *
 * Each entry is copied before it is looked at. Entries that are linked are collected and
 * started as one chain; a chain with a bad entry fails as a whole. IOSQE_IO_DRAIN holds a
 * request, and all that come after it, until those before it have ended.
 *
 * Ordering:
 *	the program			ring_submit
 *	entry and index, then sq_tail	sq_tail (acquire), then index and entry
 *	reads sq_head (acquire)		sq_head (release) once they are copied
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

/* A chain that is being made. */
struct chain {
	struct request *head, *last;
};

/* --- entries --- */

u32
ring_submittable(const struct ring *ring)
{
	return smp_load_acquire(&ring->shared->sq_tail) - ring->sq_head;
}

/* The next entry; false: its index is none. */
static bool
next_sqe(struct ring *ring, struct uring_sqe *sqe)
{
	u32 i = READ_ONCE(ring->sq_array[ring->sq_head & (ring->sq_entries - 1)]);
	ring->sq_head++;
	if (unlikely(i >= ring->sq_entries)) {
		WRITE_ONCE(ring->shared->sq_dropped, ring->shared->sq_dropped + 1);
		return false;
	}
	*sqe = *(const struct uring_sqe *)(ring->sqes + ((size_t)i << ring->sqe_shift));
	/* From here on the copy is looked at, whatever the program does. */
	barrier();
	return true;
}

/* --- one request --- */

static int
check_restrictions(const struct ring *ring, const struct uring_sqe *sqe)
{
	const struct restrictions *rs = &ring->restrictions;

	if (!(rs->sqe_ops & BIT(sqe->opcode)))
		return -EACCES;
	if ((sqe->flags & rs->flags_required) != rs->flags_required)
		return -EACCES;
	return sqe->flags & ~(rs->flags_allowed | rs->flags_required) ? -EACCES : 0;
}

static int
take_personality(struct request *r, u16 id)
{
	struct ring *ring = r->ring;

	if (id > ring->nr_creds || !ring->creds[id - 1])
		return -EINVAL;
	r->cred = cred_get(ring->creds[id - 1]);
	return 0;
}

/* The chain's head, or r itself, waits for all before it. */
static int
prep_drain(struct request *r, struct chain *c)
{
	struct ring *ring = r->ring;

	if (ring->drain_disabled)
		return -EOPNOTSUPP;
	WRITE_ONCE(ring->draining, true);
	if (c->head) {
		c->head->flags |= RQ_DRAIN;
		ring->drain_next = true;
	}
	return 0;
}

static int
request_prep(struct request *r, const struct uring_sqe *sqe, struct chain *c)
{
	const struct op_def *def;
	int err;

	r->flags = sqe->flags | RQ_SUBMITTED;
	r->opcode = IORING_OP_NOP;
	r->user_data = sqe->user_data;
	if (sqe->opcode >= IORING_OP_LAST || !op_defs[sqe->opcode].issue)
		return -EINVAL;
	def = &op_defs[sqe->opcode];
	if (unlikely(sqe->flags)) {
		if (sqe->flags & ~IOSQE_ALL)
			return -EINVAL;
		if (sqe->flags & IOSQE_BUFFER_SELECT && !(def->flags & OP_SELECT))
			return -EOPNOTSUPP;
		if (sqe->flags & IOSQE_CQE_SKIP_SUCCESS)
			r->ring->drain_disabled = true;
		if (sqe->flags & IOSQE_IO_DRAIN) {
			err = prep_drain(r, c);
			if (err)
				return err;
		}
	}
	if (unlikely(r->ring->restricted)) {
		err = check_restrictions(r->ring, sqe);
		if (err)
			return err;
	}
	if (unlikely(r->ring->draining) && !c->head && r->ring->drain_next) {
		r->ring->drain_next = false;
		r->flags |= RQ_DRAIN;
	}
	if (!(def->flags & OP_IOPRIO) && sqe->ioprio)
		return -EINVAL;
	r->buf_index = sqe->buf;
	r->ioprio = sqe->ioprio;
	r->fd = sqe->fd;
	if (unlikely(sqe->personality)) {
		err = take_personality(r, sqe->personality);
		if (err)
			return err;
	}
	if (sqe->opcode == IORING_OP_LINK_TIMEOUT &&
	    (!c->head || c->last->opcode == IORING_OP_LINK_TIMEOUT))
		return -EINVAL;
	r->opcode = sqe->opcode;
	err = def->prep ? def->prep(r, sqe) : 0;
	/* It has nothing to clean up. */
	if (unlikely(err))
		r->opcode = IORING_OP_NOP;
	return err;
}

/* --- starting --- */

/* True: it waits until others have ended. mutex held. */
static bool
defer(struct request *r)
{
	struct ring *ring = r->ring;
	unsigned long f;
	bool wait;

	r->order = ring->started - 1;
	for (struct request *l = r->link; l; l = l->link)
		r->order--;
	(void)request_track(r, true);
	f = spin_lock_irq(&ring->req_lock);
	wait = !list_empty(&ring->deferred) ||
	       (r->flags & RQ_DRAIN && READ_ONCE(ring->ended) != r->order);
	if (wait) {
		WRITE_ONCE(r->state, REQ_DEFERRED);
		list_add_tail(&r->queue_link, &ring->deferred);
	} else if (!(r->flags & RQ_DRAIN)) {
		WRITE_ONCE(ring->draining, false);
	}
	spin_unlock_irq(&ring->req_lock, f);
	return wait;
}

static int
import(struct request *r)
{
	int err = 0;

	if (op_defs[r->opcode].import && !(r->flags & RQ_IMPORTED)) {
		r->flags |= RQ_IMPORTED;
		err = op_defs[r->opcode].import(r);
	}
	return err;
}

/* What goes on without its submitter takes with it what that knows. */
static int
keep(struct request *r)
{
	if (!r->cred)
		r->cred = cred_get(current_cred());
	return import(r);
}

/* A single request, or a chain. */
static __always_inline void
start(struct request *r)
{
	int err;

	if (unlikely(r->flags & RQ_FAIL)) {
		r->flags &= ~RQ_HARDLINK;
		request_end(r, r->res);
		return;
	}
	if (unlikely(r->ring->draining)) {
		err = keep(r);
		if (err) {
			request_end(r, err);
			return;
		}
		if (defer(r))
			return;
	}
	request_start(r, ISSUE_LOCKED);
}

#define LINKS (RQ_LINK | RQ_HARDLINK)

/* r is ready, or has failed to be. */
static void
chain_or_start(struct chain *c, struct request *r)
{
	struct request *head;
	int err;

	if (likely(!c->head && !(r->flags & LINKS))) {
		start(r);
		return;
	}
	if (!(r->flags & RQ_FAIL)) {
		err = keep(r);
		if (err)
			request_fail(r, err);
	}
	if (!c->head)
		c->head = r;
	else
		c->last->link = r;
	c->last = r;
	if (r->flags & RQ_FAIL && !(c->head->flags & RQ_FAIL))
		request_fail(c->head, -ECANCELED);
	if (r->flags & LINKS)
		return;
	head = c->head;
	c->head = c->last = NULL;
	start(head);
}

int
ring_submit(struct ring *ring, struct uring_task *t, u32 n)
{
	struct chain c = {NULL, NULL};
	struct uring_sqe sqe;
	struct request *r;
	u32 taken = 0;
	int err = 0;

	n = min(min(n, ring_submittable(ring)), ring->sq_entries);
	while (taken < n && !err) {
		r = request_alloc(ring);
		if (unlikely(!r))
			break;
		if (unlikely(!next_sqe(ring, &sqe))) {
			/* No request: it neither started nor ended. */
			request_discard(r);
			break;
		}
		taken++;
		ring->started++;
		r->task = t;
		err = request_prep(r, &sqe, &c);
		if (unlikely(err))
			request_fail(r, err);
		chain_or_start(&c, r);
		/* A chain is collected to its end. */
		if (ring->flags & IORING_SETUP_SUBMIT_ALL || sqe.flags & LINKS)
			err = 0;
	}
	/* A chain that the last entry leaves open ends there. */
	if (c.head)
		start(c.head);
	smp_store_release(&ring->shared->sq_head, ring->sq_head);
	if (unlikely(!taken && n && !err))
		return -EAGAIN;
	return (int)taken;
}

/* --- waiting --- */

struct cq_waiter {
	struct waiter waiter;
	struct ring *ring;
	u32 target;
};

static bool
enough(const struct ring *ring, u32 want)
{
	return ring_ready(ring) >= want;
}

static int
cq_wake(struct waiter *w, unsigned long key)
{
	struct cq_waiter *c = container_of(w, struct cq_waiter, waiter);

	if ((s32)(READ_ONCE(c->ring->shared->cq_tail) - c->target) < 0 &&
	    !READ_ONCE(c->ring->nr_overflow))
		return 0;
	unpark(w->task);
	return 1;
}

/* Sleeps until there may be `want`, or there is work, or until deadline. */
static int
sleep_on_cq(struct ring *ring, struct uring_task *t, u32 want, u64 deadline)
{
	struct cq_waiter c = {.ring = ring};
	int err = 0;

	c.target = READ_ONCE(ring->shared->cq_head) + want;
	waiter_init_current(&c.waiter, WAITER_KEEP);
	c.waiter.wake = cq_wake;
	waitq_add(&ring->wait, &c.waiter);
	smp_store_mb(&t->active, TASK_WAITS);
	park_prepare(PARK_INTERRUPTIBLE);
	if (READ_ONCE(t->work) || enough(ring, want) || READ_ONCE(ring->nr_overflow))
		park_cancel();
	else
		err = park(deadline);
	WRITE_ONCE(t->active, TASK_INSIDE);
	waitq_del(&ring->wait, &c.waiter);
	return err;
}

/* 0, -EINTR, -ETIME, -EBADR. */
static int
wait_for_cqes(struct ring *ring, struct uring_task *t, u32 want, u64 deadline)
{
	unsigned long f;
	int err = 0;

	for (;;) {
		bool worked = task_work_run(t);

		ring_flush_overflow(ring);
		if (enough(ring, want))
			return 0;
		if (worked)
			continue;
		if (READ_ONCE(ring->lost)) {
			f = spin_lock_irq(&ring->cq_lock);
			ring->lost = false;
			spin_unlock_irq(&ring->cq_lock, f);
			return -EBADR;
		}
		/* What has come is told though we were interrupted. */
		if (err)
			return ring_ready(ring) ? 0 : err == -ETIMEDOUT ? -ETIME : -EINTR;
		err = sleep_on_cq(ring, t, want, deadline);
	}
}

struct wait_args {
	u32 want, flags;
	const void __user *arg;
	size_t size;
	/* what these say */
	const u64 __user *sigmask;
	size_t sigmask_size;
	u64 deadline;
};

static int
get_wait_args(struct wait_args *w)
{
	struct uring_getevents_arg a;
	u64 ns;
	int err;

	w->deadline = NO_DEADLINE;
	if (!(w->flags & IORING_ENTER_EXT_ARG)) {
		w->sigmask = w->arg;
		w->sigmask_size = w->size;
		return 0;
	}
	if (w->size != sizeof(a))
		return -EINVAL;
	if (copy_from_user(&a, w->arg, sizeof(a)))
		return -EFAULT;
	if (a.pad)
		return -EINVAL;
	w->sigmask = (const u64 __user *)a.sigmask;
	w->sigmask_size = a.sigmask_sz;
	if (!a.ts)
		return 0;
	err = get_user_timespec(&ns, (const struct timespec __user *)a.ts);
	if (!err)
		w->deadline = deadline_after(ns);
	return err;
}

static int
get_events(struct ring *ring, struct uring_task *t, struct wait_args *w)
{
	int ret = get_wait_args(w);

	if (!ret && unlikely(w->sigmask != NULL))
		ret = signal_set_user_mask(w->sigmask, w->sigmask_size);
	if (ret)
		return ret;
	ret = wait_for_cqes(ring, t, min(w->want, ring->cq_entries), w->deadline);
	if (w->sigmask)
		signal_restore_mask(ret == -EINTR);
	return ret;
}

/* --- io_uring_enter --- */

static long
enter_sqpoll(struct ring *ring, u32 to_submit, u32 flags)
{
	if (sqpoll_dead(ring))
		return -EOWNERDEAD;
	if (flags & IORING_ENTER_SQ_WAKEUP)
		sqpoll_wake(ring);
	if (flags & IORING_ENTER_SQ_WAIT) {
		int err = sqpoll_wait_room(ring);

		if (err)
			return err;
	}
	return to_submit;
}

static long
enter_submit(struct ring *ring, struct uring_task *t, u32 n)
{
	long ret;

	if (ring->submitter && ring->submitter != current)
		return -EEXIST;
	mutex_lock(&ring->mutex);
	ret = ring_submit(ring, t, n);
	mutex_unlock(&ring->mutex);
	return ret;
}

/* What was asked, of a ring. t->active is TASK_INSIDE. */
static long
enter_ring(struct ring *ring, struct uring_task *t, u32 to_submit, struct wait_args *w)
{
	u32 flags = w->flags;
	long ret = 0;
	int err;

	if (ring->flags & IORING_SETUP_SQPOLL)
		ret = enter_sqpoll(ring, to_submit, flags);
	else if (to_submit)
		ret = enter_submit(ring, t, to_submit);
	if (ret != (long)to_submit || !(flags & IORING_ENTER_GETEVENTS))
		return ret;
	if (ring->flags & IORING_SETUP_DEFER_TASKRUN && ring->submitter != current)
		return -EEXIST;
	err = get_events(ring, t, w);
	return ret ? ret : err;
}

static long
enter(struct fdref *r, u32 to_submit, struct wait_args *w)
{
	struct ring *ring = file_ring(r->file);
	struct uring_task *t = current->uring;
	long ret;

	if (unlikely(!t)) {
		t = uring_task_get();
		if (!t)
			return -ENOMEM;
	}
	t->inside = r;
	WRITE_ONCE(t->active, TASK_INSIDE);
	ret = enter_ring(ring, t, to_submit, w);
	/* What was pushed meanwhile was left to us. */
	do {
		WRITE_ONCE(t->active, TASK_INSIDE);
		task_work_run(t);
		smp_store_mb(&t->active, TASK_AWAY);
	} while (READ_ONCE(t->work));
	t->inside = NULL;
	return ret;
}

/* The handle of a ring, by descriptor or by its place in the task's table. */
struct fdref
ring_fdref(unsigned int fd, bool registered)
{
	struct uring_task *t = current->uring;
	struct fdref r = {NULL, false};

	if (!registered)
		return fd_get(fd);
	if (t && fd < URING_MAX_RING_FDS)
		r.file = t->ring_fds[fd];
	return r;
}

long
sys_io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags,
		   const void __user *arg, size_t size)
{
	struct wait_args w = {.want = min_complete, .flags = flags, .arg = arg, .size = size};
	bool registered = flags & IORING_ENTER_REGISTERED_RING;
	struct fdref r;
	long ret = 0;

	if (unlikely(flags & ~IORING_ENTER_ALL))
		return -EINVAL;
	if (registered && (!current->uring || fd >= URING_MAX_RING_FDS))
		return -EINVAL;
	r = ring_fdref(fd, registered);
	if (unlikely(!r.file))
		return -EBADF;
	if (unlikely(!file_ring(r.file)))
		ret = -EOPNOTSUPP;
	else if (unlikely(!READ_ONCE(file_ring(r.file)->enabled)))
		ret = -EBADFD;
	else
		ret = enter(&r, to_submit, &w);
	fd_put(r);
	return ret;
}
