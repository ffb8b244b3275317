/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IORING_SETUP_SQPOLL: a thread of the process that submits what a ring's program puts
 * into it, without a system call.
 *
 * Model: the thread looks at the ring until nothing has come for sq_thread_idle
 * milliseconds; then it sets IORING_SQ_NEED_WAKEUP and sleeps until io_uring_enter(2)
 * wakes it. Its requests are its own: it has a record as every task that submits, and
 * runs its work between two looks.
 *
 * Ordering:
 *	the thread			the program
 *	sets NEED_WAKEUP (full barrier)	moves sq_tail, full barrier
 *	looks at sq_tail		looks at NEED_WAKEUP
 *
 * Ownership: it ends with its ring's handle, or with the task that made it. It holds the
 * ring: whoever drops the last reference of a handle may be the thread itself, which has
 * requests on it, or hold what its requests want, so nobody waits for it there.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/fmt.h"
#include "percpu/cpumask.h"
#include "sync/completion.h"
#include "uring/uring_impl.h"

struct uring_sqpoll {
	/* a  the ring, the thread, its maker's list */
	u32 refs;
	struct ring *ring;
	/* (lock)  NULL: it has ended */
	struct task *thread;
	struct spinlock lock;
	struct list link;
	struct uring_task *maker;
	u64 idle;
	s32 tid, cpu;
	bool stop;
	struct completion ended;
	/* programs that wait for room */
	struct waitq room;
};

static LOCK_CLASS(sqpoll_class, RANK_URING_POOL);

static void
sqpoll_put(struct uring_sqpoll *s)
{
	if (atomic_dec_and_test(&s->refs))
		kfree(s);
}

static bool
should_end(const struct uring_sqpoll *s)
{
	return READ_ONCE(s->stop) || fatal_signal_pending();
}

/* One look: true if there was anything. */
static bool
sqpoll_once(struct uring_sqpoll *s, struct uring_task *t)
{
	struct ring *ring = s->ring;
	bool did;

	WRITE_ONCE(t->active, TASK_INSIDE);
	did = task_work_run(t);
	if (READ_ONCE(ring->enabled) && ring_submittable(ring)) {
		mutex_lock(&ring->mutex);
		did |= ring_submit(ring, t, ring->sq_entries) > 0;
		mutex_unlock(&ring->mutex);
		waitq_wake_all(&s->room);
	}
	ring_flush_overflow(ring);
	return did;
}

static void
sqpoll_sleep(struct uring_sqpoll *s, struct uring_task *t)
{
	struct ring *ring = s->ring;

	atomic_or(&ring->shared->sq_flags, IORING_SQ_NEED_WAKEUP);
	smp_store_mb(&t->active, TASK_WAITS);
	park_prepare(PARK_INTERRUPTIBLE);
	if (should_end(s) || READ_ONCE(t->work) ||
	    (READ_ONCE(ring->enabled) && ring_submittable(ring)))
		park_cancel();
	else
		park(NO_DEADLINE);
	WRITE_ONCE(t->active, TASK_INSIDE);
	atomic_and(&ring->shared->sq_flags, ~IORING_SQ_NEED_WAKEUP);
}

static int
sqpoll_main(void *arg)
{
	struct uring_sqpoll *s = arg;
	struct uring_task *t = uring_task_get();
	u64 until = deadline_after(s->idle);

	while (t && !should_end(s)) {
		if (signal_pending()) {
			task_regs(current)->orig_rax = (u64)-1;
			signal_deliver(task_regs(current));
		}
		if (sqpoll_once(s, t))
			until = deadline_after(s->idle);
		else if (ktime_get() >= until)
			sqpoll_sleep(s, t);
		cond_resched();
	}
	task_exit(0);
}

/* The thread exits, whatever ended it: its requests have gone (uring_task_exit()). */
void
uring_sqpoll_exit(struct uring_sqpoll *s)
{
	struct ring *ring = s->ring;
	unsigned long f = spin_lock_irq(&s->lock);

	s->thread = NULL;
	spin_unlock_irq(&s->lock, f);
	atomic_or(&ring->shared->sq_flags, IORING_SQ_NEED_WAKEUP);
	waitq_wake_all(&s->room);
	complete_all(&s->ended);
	sqpoll_put(s);
	ring_put(ring);
}

static void
thread_wake(struct uring_sqpoll *s)
{
	unsigned long f = spin_lock_irq(&s->lock);

	if (s->thread)
		unpark(s->thread);
	spin_unlock_irq(&s->lock, f);
}

static int
thread_make(struct uring_sqpoll *s, const struct uring_params *p)
{
	struct uring_worker *w = kzalloc(sizeof(*w), GFP_KERNEL);
	struct cpumask mask;
	char name[TASK_COMM_LEN];
	struct task *thread;

	if (!w)
		return -ENOMEM;
	snprintf(name, sizeof(name), "iou-sqp-%d", current->tid);
	thread = task_create_worker(sqpoll_main, s, name);
	if (is_err(thread)) {
		kfree(w);
		return (int)ptr_err(thread);
	}
	w->sqpoll = s;
	thread->uring_worker = w;
	s->thread = thread;
	s->tid = thread->tid;
	if (p->flags & IORING_SETUP_SQ_AFF) {
		s->cpu = (s32)p->sq_thread_cpu;
		cpumask_zero(&mask);
		cpumask_set(&mask, p->sq_thread_cpu);
		(void)sched_set_affinity(thread, &mask);
	}
	atomic_inc(&s->refs);
	ring_get(s->ring);
	task_get(thread);
	sched_start_task(thread);
	return 0;
}

int
sqpoll_create(struct ring *ring, struct uring_task *t, const struct uring_params *p)
{
	struct uring_sqpoll *s;
	unsigned long f;
	int err;

	if (p->flags & IORING_SETUP_SQ_AFF &&
	    (p->sq_thread_cpu >= nr_cpus || !cpumask_test(&cpu_online_mask, p->sq_thread_cpu)))
		return -EINVAL;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->ring = ring;
	s->cpu = -1;
	s->idle = p->sq_thread_idle ? p->sq_thread_idle * NSEC_PER_MSEC : NSEC_PER_SEC;
	spin_init(&s->lock, &sqpoll_class);
	completion_init(&s->ended);
	waitq_init(&s->room);
	err = thread_make(s, p);
	if (err) {
		kfree(s);
		return err == -ERESTARTNOINTR ? -EAGAIN : err;
	}
	s->maker = t;
	atomic_inc(&t->refs);
	f = spin_lock_irq(&t->pool_lock);
	list_add(&s->link, &t->sqpolls);
	spin_unlock_irq(&t->pool_lock, f);
	ring->sqpoll = s;
	return 0;
}

static void
stop(struct uring_sqpoll *s)
{
	WRITE_ONCE(s->stop, true);
	thread_wake(s);
}

void
sqpoll_stop(struct ring *ring)
{
	if (ring->sqpoll)
		stop(ring->sqpoll);
}

void
sqpoll_free(struct ring *ring)
{
	struct uring_sqpoll *s = ring->sqpoll;
	unsigned long f;

	if (!s)
		return;
	f = spin_lock_irq(&s->maker->pool_lock);
	list_del_init(&s->link);
	spin_unlock_irq(&s->maker->pool_lock, f);
	uring_task_put(s->maker);
	ring->sqpoll = NULL;
	sqpoll_put(s);
}

void
sqpoll_owner_exit(struct uring_task *t)
{
	struct uring_sqpoll *s;
	unsigned long f;

	for (;;) {
		f = spin_lock_irq(&t->pool_lock);
		s = list_first_or_null(&t->sqpolls, struct uring_sqpoll, link);
		if (s) {
			list_del_init(&s->link);
			atomic_inc(&s->refs);
		}
		spin_unlock_irq(&t->pool_lock, f);
		if (!s)
			return;
		stop(s);
		completion_wait(&s->ended);
		sqpoll_put(s);
	}
}

void
sqpoll_wake(struct ring *ring)
{
	if (ring->sqpoll)
		thread_wake(ring->sqpoll);
}

bool
sqpoll_dead(const struct ring *ring)
{
	return !READ_ONCE(ring->sqpoll->thread);
}

int
sqpoll_wait_room(struct ring *ring)
{
	return wait_event_interruptible(&ring->sqpoll->room,
					ring_submittable(ring) < ring->sq_entries ||
						sqpoll_dead(ring));
}

s32
sqpoll_tid(const struct ring *ring)
{
	return ring->sqpoll && !sqpoll_dead(ring) ? ring->sqpoll->tid : -1;
}

s32
sqpoll_cpu(const struct ring *ring)
{
	return ring->sqpoll && !sqpoll_dead(ring) ? ring->sqpoll->cpu : -1;
}
