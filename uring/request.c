/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: how one is tried, what it waits for, and its end. ring.c tells the model.
 *
 * Links: a request holds the next one by ->link. When it ends, that is pushed on the
 * work of its task, or, if it failed (and is no hard link), all behind it end with it.
 * A LINK_TIMEOUT behind a request is started when that begins to wait (timeout.c).
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/init.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "uring/uring_impl.h"

static struct slab_cache *request_cache;

static int
request_init(void)
{
	request_cache = slab_cache_create("io_kiocb", sizeof(struct request), 64, 0);
	return request_cache ? 0 : -ENOMEM;
}
INITCALL(INIT_CORE, request_init);

struct request *
request_alloc(struct ring *ring)
{
	struct request *r = ring->spare;

	if (likely(r)) {
		ring->spare = NULL;
	} else {
		r = slab_alloc(request_cache, GFP_KERNEL);
		if (!r)
			return NULL;
	}
	/* What is for requests under way is request_track()'s. */
	r->ring = ring;
	r->cflags = 0;
	r->file_slot = 0;
	r->file = NULL;
	r->buffer = NULL;
	r->cred = NULL;
	r->link = NULL;
	r->link_timeout = NULL;
	return r;
}

void
request_discard(struct request *r)
{
	slab_free(request_cache, r);
}

/* --- the end --- */

static void
request_untrack(struct request *r)
{
	struct uring_task *t = r->task;
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->req_lock);

	list_del(&r->ring_link);
	spin_unlock_irq(&ring->req_lock, f);
	f = spin_lock_irq(&t->lock);
	list_del(&r->task_link);
	t->nr_reqs--;
	spin_unlock_irq(&t->lock, f);
	waitq_wake_all(&t->wait);
	uring_task_put(t);
	ring_put(ring);
}

/* Any context, if it has no file. */
static __always_inline void
free_now(struct request *r)
{
	const struct op_def *def = &op_defs[r->opcode];

	if (def->cleanup)
		def->cleanup(r);
	if (r->file)
		file_put(r->file);
	if (unlikely(r->cred != NULL))
		cred_put(r->cred);
	atomic_inc(&r->ring->ended);
	if (unlikely(READ_ONCE(r->ring->draining)))
		ring_undefer(r->ring);
	if (r->flags & RQ_TRACKED) {
		request_untrack(r);
	} else if (likely(r->flags & RQ_SUBMITTED && !r->ring->spare)) {
		r->ring->spare = r;
		return;
	}
	slab_free(request_cache, r);
}

void
request_free(struct request *r)
{
	free_now(r);
}

/* A failure is always told; that those behind it go was not asked for then. */
void
request_fail(struct request *r, s32 res)
{
	r->res = res;
	r->flags |= RQ_FAIL;
	if (r->flags & RQ_SKIP) {
		r->flags &= ~RQ_SKIP;
		r->flags |= RQ_SKIP_LINKS;
	}
}

static void
post_and_free(struct request *r)
{
	if (likely(!(r->flags & RQ_SKIP)))
		ring_post_request(r);
	request_free(r);
}

/* Those behind a request that failed. */
static void
fail_links(struct request *link, bool silent)
{
	while (link) {
		struct request *next = link->link;

		link->link = NULL;
		if (!(link->flags & RQ_FAIL))
			link->res = -ECANCELED;
		link->flags = silent ? link->flags | RQ_SKIP : link->flags & ~RQ_SKIP;
		link->cflags = 0;
		link->flags &= ~RQ_SUBMITTED;
		post_and_free(link);
		link = next;
	}
}

/* r has posted: what is behind it goes on, or goes. */
static void
end_links(struct request *r)
{
	struct request *timeout = NULL, *next;

	if (r->link_timeout) {
		timeout = link_timeout_stop(r);
	} else if (r->link && r->link->opcode == IORING_OP_LINK_TIMEOUT) {
		timeout = r->link;
		r->link = timeout->link;
		timeout->link = NULL;
	}
	if (timeout) {
		timeout->flags &= ~RQ_SUBMITTED;
		request_fail(timeout, -ECANCELED);
		post_and_free(timeout);
	}
	next = r->link;
	r->link = NULL;
	if (!next)
		return;
	if (r->flags & RQ_FAIL && !(r->flags & RQ_HARDLINK)) {
		fail_links(next, r->flags & RQ_SKIP_LINKS);
		return;
	}
	(void)request_track(next, false);
	next->state = REQ_WORK;
	request_push(next);
}

void
request_end(struct request *r, s32 res)
{
	r->res = res;
	if (unlikely(res < 0) && !(r->flags & (RQ_FAIL | RQ_NO_FAIL)))
		request_fail(r, res);
	if (likely(!(r->flags & RQ_SKIP)))
		ring_post_request(r);
	if (unlikely(r->link || r->link_timeout))
		end_links(r);
	free_now(r);
}

/* --- waiting --- */

int
request_track(struct request *r, bool needs_pool)
{
	unsigned long f;

	if (needs_pool) {
		int err = pool_start(r->task);

		if (err)
			return err;
	}
	if (r->flags & RQ_TRACKED)
		return 0;
	r->flags |= RQ_TRACKED;
	r->state = REQ_RUN;
	r->cancel = false;
	r->worker = NULL;
	r->poll.req = NULL;
	r->poll.next = NULL;
	r->exit_pass = 0;
	atomic_inc(&r->task->refs);
	ring_get(r->ring);
	f = spin_lock_irq(&r->task->lock);
	list_add_tail(&r->task_link, &r->task->reqs);
	r->task->nr_reqs++;
	spin_unlock_irq(&r->task->lock, f);
	f = spin_lock_irq(&r->ring->req_lock);
	list_add_tail(&r->ring_link, &r->ring->reqs);
	spin_unlock_irq(&r->ring->req_lock, f);
	return 0;
}

bool
request_wait_state(struct request *r, u32 state)
{
	struct ring *ring = r->ring;
	unsigned long f = spin_lock_irq(&ring->req_lock);
	bool ok = !r->cancel && !READ_ONCE(ring->dying) && !READ_ONCE(r->task->exiting);

	if (ok)
		smp_store_release(&r->state, state);
	spin_unlock_irq(&ring->req_lock, f);
	return ok;
}

void
request_push(struct request *r)
{
	struct uring_task *t = r->task;
	struct request *head = READ_ONCE(t->work);

	/* From the exchange on r is somebody else's, and so may be its reference of t. */
	atomic_inc(&t->refs);
	do
		r->next = head;
	while (!atomic_try_cmpxchg(&t->work, &head, r));
	task_kick(t);
	uring_task_put(t);
}

/* --- trying --- */

static bool
heeds_nowait(const struct file *f)
{
	return f->mode & (FMODE_NOWAIT | FMODE_NOWAIT_INSIDE) || file_nonblock(f);
}

/* What its file's queues are to tell; 0: there is nothing to poll. */
static u32
wanted_events(const struct request *r)
{
	u32 flags = op_defs[r->opcode].flags;

	if (!r->file || !r->file->ops->poll)
		return 0;
	return (flags & OP_POLLIN ? POLLIN | POLLRDNORM | POLLRDHUP : 0) |
	       (flags & OP_POLLOUT ? POLLOUT | POLLWRNORM : 0);
}

static void
to_worker(struct request *r)
{
	if (!pool_queue(r))
		request_end(r, -ECANCELED);
}

/* It cannot go on now. True: its file is ready, it is to be tried again. */
static bool
request_wait(struct request *r)
{
	const struct op_def *def = &op_defs[r->opcode];
	u32 events = wanted_events(r);
	int err = request_track(r, true);
	long ready;

	if (!err && def->import && !(r->flags & RQ_IMPORTED)) {
		err = def->import(r);
		r->flags |= RQ_IMPORTED;
	}
	if (err) {
		request_end(r, err);
		return false;
	}
	if (!r->cred)
		r->cred = cred_get(current_cred());
	if (r->link && r->link->opcode == IORING_OP_LINK_TIMEOUT)
		link_timeout_start(r);
	/* A file that does not say -EAGAIN is polled once, then somebody waits for it. */
	if (!events || r->flags & RQ_ASYNC || (r->flags & RQ_POLLED && !heeds_nowait(r->file))) {
		to_worker(r);
		return false;
	}
	r->flags |= RQ_POLLED;
	ready = request_poll_arm(r, events);
	if (ready < 0)
		request_end(r, (s32)ready);
	return ready > 0;
}

/* The file of the entry's descriptor. */
static int
request_file(struct request *r, u32 how)
{
	if (r->file || !(op_defs[r->opcode].flags & OP_FILE))
		return 0;
	if (r->flags & RQ_FIXED_FILE) {
		ring_lock(r->ring, how);
		r->file = ring_file(r->ring, (u32)r->fd);
		ring_unlock(r->ring, how);
	} else {
		r->file = fd_get_file((unsigned int)r->fd);
	}
	return r->file ? 0 : -EBADF;
}

static __always_inline long
request_issue(struct request *r, u32 how)
{
	const struct cred *old;
	long ret;

	if (likely(!r->cred || r->cred == current_cred()))
		return op_defs[r->opcode].issue(r, how);
	old = cred_override(r->cred);
	ret = op_defs[r->opcode].issue(r, how);
	cred_override(old);
	return ret;
}

/* A file that may keep its caller waiting is not tried here. */
static bool
would_wait(const struct request *r)
{
	u32 flags = op_defs[r->opcode].flags;

	if (flags & OP_BLOCKS || r->flags & (RQ_ASYNC | RQ_POLL_FIRST))
		return true;
	if (!(flags & (OP_POLLIN | OP_POLLOUT)) || !r->file->ops->poll)
		return false;
	return !heeds_nowait(r->file);
}

void
request_start(struct request *r, u32 how)
{
	u32 flags = op_defs[r->opcode].flags;
	long ret;

	if (flags & OP_FILE) {
		ret = request_file(r, how);
		if (unlikely(ret)) {
			request_end(r, (s32)ret);
			return;
		}
	}
	do {
		if (would_wait(r)) {
			r->flags &= ~RQ_POLL_FIRST;
			continue;
		}
		ret = request_issue(r, how | ISSUE_NONBLOCK);
		if (ret == ISSUE_QUEUED)
			return;
		if (likely(ret != -EAGAIN || r->flags & RQ_NOWAIT)) {
			request_end(r, (s32)ret);
			return;
		}
	} while (request_wait(r));
}

static s32
ended_by_signal(long ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
			       ret == -ERESTART_RESTARTBLOCK
		       ? -EINTR
		       : (s32)ret;
}

void
request_run(struct request *r, struct uring_worker *w)
{
	long ret = request_file(r, 0);

	if (!ret)
		ret = request_issue(r, 0);
	if (ret == ISSUE_QUEUED)
		return;
	/* Who cancels it from now on finds no worker. */
	if (r->flags & RQ_TRACKED) {
		unsigned long f = spin_lock_irq(&r->ring->req_lock);

		r->worker = NULL;
		spin_unlock_irq(&r->ring->req_lock, f);
	}
	request_end(r, ended_by_signal(ret));
}

/* --- work --- */

static void
request_work(struct request *r)
{
	bool polled = r->poll.req != NULL;

	if (r->opcode == IORING_OP_LINK_TIMEOUT) {
		link_timeout_fired(r);
		return;
	}
	if (r->opcode == IORING_OP_TIMEOUT && r->timeout.fired) {
		timeout_fired(r);
		return;
	}
	if (polled && !(r->flags & RQ_MULTISHOT && r->opcode == IORING_OP_POLL_ADD))
		request_poll_remove(r);
	if (r->cancel || READ_ONCE(r->ring->dying) || READ_ONCE(r->task->exiting)) {
		if (r->poll.req)
			request_poll_remove(r);
		request_end(r, -ECANCELED);
		return;
	}
	if (polled && r->opcode == IORING_OP_POLL_ADD) {
		request_polled(r);
		return;
	}
	WRITE_ONCE(r->state, REQ_RUN);
	request_start(r, 0);
}

bool
task_work_run_all(struct uring_task *t)
{
	struct request *r, *next, *first = NULL;

	for (r = atomic_xchg(&t->work, NULL); r; r = next) {
		next = r->next;
		r->next = first;
		first = r;
	}
	for (r = first; r; r = next) {
		next = r->next;
		request_work(r);
		cond_resched();
	}
	return true;
}

/* --- drain --- */

void
ring_undefer(struct ring *ring)
{
	struct request *r, *list = NULL, **end = &list;
	unsigned long f = spin_lock_irq(&ring->req_lock);

	while ((r = list_first_or_null(&ring->deferred, struct request, queue_link)) != NULL) {
		if (r->flags & RQ_DRAIN && READ_ONCE(ring->ended) != r->order)
			break;
		list_del(&r->queue_link);
		r->state = REQ_WORK;
		r->next = NULL;
		*end = r;
		end = &r->next;
		/* What is drained goes alone. */
		if (r->flags & RQ_DRAIN)
			break;
	}
	spin_unlock_irq(&ring->req_lock, f);
	while ((r = list) != NULL) {
		list = r->next;
		request_push(r);
	}
}
