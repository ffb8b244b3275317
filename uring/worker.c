/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that use rings: their work, their workers, their end.
 *
 * Model: a worker is a thread of the task's process that runs requests which may wait.
 * There are two kinds of requests, for files that answer soon (bounded) and others, with
 * a limit and a queue each; a worker takes what there is of its kind and ends when it
 * has been idle for a while. The first thread of a pool is its manager: it runs the
 * task's work while the task is not inside io_uring_enter(2), and makes workers.
 *
 * Ordering:
 *	task_kick			the task, before it leaves or sleeps
 *	the request is pushed		active = ... (full barrier)
 *	(full barrier) reads active	looks at the work
 *
 * Ownership: workers hold a reference of the task's record, and its threads end before
 * the task does. A worker that is killed leaves what is queued to its task, which is
 * being killed too.
 *
 * Contexts: task_kick() and pool_queue() in any but NMI.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/port.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/fmt.h"
#include "mm/uaccess.h"
#include "percpu/cpumask.h"
#include "uring/uring_impl.h"

#define IDLE_TIME (5 * NSEC_PER_SEC)
#define BOUNDED 0
#define UNBOUNDED 1

static LOCK_CLASS(uring_pool_class, RANK_URING_POOL);

struct uring_task *
uring_task_get(void)
{
	struct uring_task *t = current->uring;

	if (likely(t))
		return t;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return NULL;
	t->owner = current;
	t->refs = 1;
	spin_init(&t->lock, &uring_class);
	spin_init(&t->pool_lock, &uring_pool_class);
	list_init(&t->reqs);
	list_init(&t->sqpolls);
	list_init(&t->workers);
	waitq_init(&t->wait);
	for (int i = 0; i < 2; i++) {
		list_init(&t->queue[i]);
		list_init(&t->idle[i]);
	}
	t->max_workers[BOUNDED] = 4 * nr_cpus;
	t->max_workers[UNBOUNDED] = (u32)min(rlimit(RLIMIT_NPROC), (u64)INT32_MAX);
	current->uring = t;
	return t;
}

void
uring_task_put(struct uring_task *t)
{
	if (atomic_dec_and_test(&t->refs))
		kfree_rcu(t, rcu);
}

/* --- waking --- */

void
task_kick(struct uring_task *t)
{
	unsigned long f;
	u32 active;

	smp_mb();
	/* What was pushed may be done by now, and the owner gone but for the grace period. */
	rcu_read_lock();
	active = READ_ONCE(t->active);
	if (active == TASK_WAITS)
		unpark(t->owner);
	rcu_read_unlock();
	if (active != TASK_AWAY)
		return;
	f = spin_lock_irq(&t->pool_lock);
	if (t->manager)
		unpark(t->manager->thread);
	spin_unlock_irq(&t->pool_lock, f);
}

/* pool_lock held: somebody to run what is queued. */
static void
wake_worker(struct uring_task *t, int kind)
{
	struct uring_worker *w = list_first_or_null(&t->idle[kind], struct uring_worker, idle_link);

	if (w) {
		list_del_init(&w->idle_link);
		unpark(w->thread);
	} else if (t->manager) {
		unpark(t->manager->thread);
	}
}

static int
kind_of(const struct request *r)
{
	return r->file && r->file->inode && !r->file->ops->poll ? BOUNDED : UNBOUNDED;
}

bool
pool_queue(struct request *r)
{
	struct uring_task *t = r->task;
	struct ring *ring = r->ring;
	int kind = kind_of(r);
	unsigned long f = spin_lock_irq(&ring->req_lock);
	bool ok = !r->cancel && !READ_ONCE(ring->dying) && !READ_ONCE(t->exiting);

	if (ok) {
		WRITE_ONCE(r->state, REQ_QUEUED);
		spin_lock(&t->pool_lock);
		list_add_tail(&r->queue_link, &t->queue[kind]);
		wake_worker(t, kind);
		spin_unlock(&t->pool_lock);
	}
	spin_unlock_irq(&ring->req_lock, f);
	return ok;
}

bool
pool_remove(struct request *r)
{
	struct uring_task *t = r->task;
	bool queued;

	spin_lock(&t->pool_lock);
	queued = READ_ONCE(r->state) == REQ_QUEUED;
	if (queued) {
		list_del(&r->queue_link);
		WRITE_ONCE(r->state, REQ_WORK);
	}
	spin_unlock(&t->pool_lock);
	return queued;
}

void
worker_interrupt(struct uring_worker *w)
{
	/* What it calls ends as by a signal; worker_signals() finds none. */
	signal_interrupt(w->thread);
}

/* --- workers --- */

/* Signals that a worker cannot block: it stops with the process, or ends. */
static void
worker_signals(void)
{
	if (!signal_pending())
		return;
	if (fatal_signal_pending())
		task_exit(0);
	task_regs(current)->orig_rax = (u64)-1;
	signal_deliver(task_regs(current));
}

void
uring_worker_exit(void)
{
	struct uring_worker *w = current->uring_worker;
	struct uring_task *t = w->task;
	unsigned long f;
	bool last;

	if (w->sqpoll) {
		current->uring_worker = NULL;
		uring_sqpoll_exit(w->sqpoll);
		kfree(w);
		return;
	}
	f = spin_lock_irq(&t->pool_lock);
	list_del(&w->link);
	list_del(&w->idle_link);
	if (t->manager == w)
		t->manager = NULL;
	else
		t->nr_workers[w->kind]--;
	last = --t->nr_threads == 0;
	spin_unlock_irq(&t->pool_lock, f);
	current->uring_worker = NULL;
	if (last)
		waitq_wake_all(&t->wait);
	uring_task_put(t);
	kfree(w);
}

/* What is queued first, marked as run by w; NULL: nothing, and w is idle. */
static struct request *
pool_take(struct uring_worker *w)
{
	struct uring_task *t = w->task;
	unsigned long f = spin_lock_irq(&t->pool_lock);
	struct request *r = list_first_or_null(&t->queue[w->kind], struct request, queue_link);

	if (r) {
		list_del(&r->queue_link);
		WRITE_ONCE(r->state, REQ_RUN);
		if (!list_empty(&t->queue[w->kind]))
			wake_worker(t, w->kind);
	} else if (list_empty(&w->idle_link)) {
		list_add(&w->idle_link, &t->idle[w->kind]);
	}
	spin_unlock_irq(&t->pool_lock, f);
	return r;
}

/* From now on a canceller interrupts w; false: one came before. */
static bool
worker_begin(struct uring_worker *w, struct request *r)
{
	unsigned long f = spin_lock_irq(&r->ring->req_lock);
	bool ok = !r->cancel && !READ_ONCE(r->ring->dying) && !READ_ONCE(r->task->exiting);

	if (ok)
		r->worker = w;
	spin_unlock_irq(&r->ring->req_lock, f);
	return ok;
}

static int
worker_main(void *arg)
{
	struct uring_worker *w = arg;
	struct request *r;
	int err = 0;

	for (;;) {
		worker_signals();
		park_prepare(PARK_INTERRUPTIBLE);
		r = pool_take(w);
		if (r) {
			park_cancel();
			if (worker_begin(w, r))
				request_run(r, w);
			else
				request_end(r, -ECANCELED);
			continue;
		}
		if (READ_ONCE(w->task->stopping) || err == -ETIMEDOUT) {
			park_cancel();
			break;
		}
		err = park(deadline_after(IDLE_TIME));
	}
	task_exit(0);
}

static int manager_main(void *arg);

/* A thread of t's pool. Runs in the task or one of its workers. */
static int
worker_create(struct uring_task *t, int kind, bool manager)
{
	struct uring_worker *w = kzalloc(sizeof(*w), GFP_KERNEL);
	char name[TASK_COMM_LEN];
	struct task *thread;
	unsigned long f;

	if (!w)
		return -ENOMEM;
	w->task = t;
	w->manager = manager;
	w->kind = (u8)kind;
	list_init(&w->idle_link);
	snprintf(name, sizeof(name), "iou-wrk-%d", t->owner->tid);
	thread = task_create_worker(manager ? manager_main : worker_main, w, name);
	if (is_err(thread)) {
		kfree(w);
		return (int)ptr_err(thread);
	}
	thread->uring_worker = w;
	w->thread = thread;
	atomic_inc(&t->refs);
	f = spin_lock_irq(&t->pool_lock);
	list_add(&w->link, &t->workers);
	t->nr_threads++;
	if (manager)
		t->manager = w;
	else
		t->nr_workers[kind]++;
	spin_unlock_irq(&t->pool_lock, f);
	task_get(thread);
	sched_start_task(thread);
	return 0;
}

/* Is another worker of this kind needed, and allowed? */
static bool
wants_worker(struct uring_task *t, int kind)
{
	unsigned long f = spin_lock_irq(&t->pool_lock);
	bool want = !list_empty(&t->queue[kind]) && list_empty(&t->idle[kind]) &&
		    t->nr_workers[kind] < max(t->max_workers[kind], 1u);

	spin_unlock_irq(&t->pool_lock, f);
	return want;
}

/* No worker could be made and there is none: what is queued ends. */
static void
give_up(struct uring_task *t, int kind)
{
	struct request *r = NULL;
	unsigned long f = spin_lock_irq(&t->pool_lock);

	if (!t->nr_workers[kind])
		r = list_first_or_null(&t->queue[kind], struct request, queue_link);
	if (r) {
		list_del(&r->queue_link);
		WRITE_ONCE(r->state, REQ_RUN);
	}
	spin_unlock_irq(&t->pool_lock, f);
	if (r)
		request_end(r, -ECANCELED);
}

static bool
pool_grow(struct uring_task *t)
{
	bool did = false;

	for (int kind = 0; kind < 2; kind++) {
		if (!wants_worker(t, kind))
			continue;
		did = true;
		if (worker_create(t, kind, false)) {
			give_up(t, kind);
			did = READ_ONCE(t->nr_workers[kind]) == 0;
		}
	}
	return did;
}

static int
manager_main(void *arg)
{
	struct uring_worker *w = arg;
	struct uring_task *t = w->task;

	for (;;) {
		worker_signals();
		park_prepare(PARK_INTERRUPTIBLE);
		if (READ_ONCE(t->active) != TASK_INSIDE && READ_ONCE(t->work)) {
			park_cancel();
			task_work_run(t);
			continue;
		}
		if (READ_ONCE(t->stopping)) {
			park_cancel();
			break;
		}
		if (wants_worker(t, BOUNDED) || wants_worker(t, UNBOUNDED)) {
			park_cancel();
			if (pool_grow(t))
				continue;
			park_prepare(PARK_INTERRUPTIBLE);
			park(deadline_after(NSEC_PER_MSEC));
			continue;
		}
		park(NO_DEADLINE);
	}
	task_exit(0);
}

int
pool_start(struct uring_task *t)
{
	int err;

	if (likely(READ_ONCE(t->manager)))
		return 0;
	/* Without its owner there is one. */
	if (current != t->owner)
		return 0;
	/* Another thread has our table from now on: it could close the ring. */
	if (t->inside && !t->inside->counted) {
		file_get(t->inside->file);
		t->inside->counted = true;
	}
	err = worker_create(t, UNBOUNDED, true);
	return err == -ERESTARTNOINTR ? -EAGAIN : err;
}

/* --- limits --- */

int
pool_limits(struct ring *ring, u32 __user *arg)
{
	struct uring_task *t = current->uring;
	u32 want[2];

	if (copy_from_user(want, arg, sizeof(want)))
		return -EFAULT;
	if (want[0] > INT32_MAX || want[1] > INT32_MAX)
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		u32 old = t->max_workers[i];

		if (want[i]) {
			ring->worker_limits[i] = want[i];
			WRITE_ONCE(t->max_workers[i], (u32)min((u64)want[i], rlimit(RLIMIT_NPROC)));
		}
		want[i] = old;
	}
	return copy_to_user(arg, want, sizeof(want));
}

/* --- the end --- */

static void
cancel_requests(struct uring_task *t)
{
	struct request *r;
	struct ring *ring;
	unsigned long f;

	/* Each ring of which there is a request; they are cancelled ring by ring. */
	for (;;) {
		ring = NULL;
		f = spin_lock_irq(&t->lock);
		list_for_each_entry(r, &t->reqs, task_link) {
			if (r->exit_pass != t->exit_pass) {
				ring = ring_get(r->ring);
				break;
			}
		}
		if (ring)
			list_for_each_entry(r, &t->reqs, task_link)
				if (r->ring == ring)
					r->exit_pass = t->exit_pass;
		spin_unlock_irq(&t->lock, f);
		if (!ring)
			return;
		ring_cancel_all(ring, t);
		ring_put(ring);
	}
}

static void
pool_stop(struct uring_task *t)
{
	struct uring_worker *w;
	unsigned long f = spin_lock_irq(&t->pool_lock);

	WRITE_ONCE(t->stopping, true);
	list_for_each_entry(w, &t->workers, link)
		unpark(w->thread);
	spin_unlock_irq(&t->pool_lock, f);
	wait_event(&t->wait, READ_ONCE(t->nr_threads) == 0);
}

void
uring_task_exit(void)
{
	struct uring_task *t = current->uring;

	sqpoll_owner_exit(t);
	WRITE_ONCE(t->exiting, true);
	smp_store_mb(&t->active, TASK_WAITS);
	for (;;) {
		t->exit_pass++;
		cancel_requests(t);
		while (task_work_run(t))
			;
		if (!READ_ONCE(t->nr_reqs))
			break;
		wait_event(&t->wait, !READ_ONCE(t->nr_reqs) || READ_ONCE(t->work));
	}
	pool_stop(t);
	current->uring = NULL;
	for (u32 i = 0; i < URING_MAX_RING_FDS; i++)
		if (t->ring_fds[i])
			file_put(t->ring_fds[i]);
	uring_task_put(t);
}
