/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's core: sleeping, waking, switching.
 *
 * Model: each CPU has a run queue that holds what may run there; classes order
 * it. A task's state is one atomic word:
 *
 * STATE                 MEANS                             LEFT BY
 * RUNNING               runs or is queued                 itself: park_prepare()
 * wait bits             runs, is about to sleep           a waker: -> RUNNING;
 *                                                         itself in schedule(): |= ASLEEP
 * wait bits | ASLEEP    off every queue                   a waker: -> WAKING
 * WAKING                the waker owns it                 the CPU that queues it: -> RUNNING
 *
 * Each arrow is a compare-and-exchange, so exactly one waker wins, and a wakeup
 * between the look at a condition and the sleep finds the second or third line.
 *
 * Ownership: a queue belongs to its CPU. Another CPU wakes a task onto it by a
 * message to its mailbox and touches none of its lines; only stealing and
 * changes of parameters take a foreign queue's lock. A task that is WAKING
 * comes to its new queue without the old one's lock (adopt_oncpu).
 *
 * Locking: runq->lock (RANK_RUNQ), interrupts off; two queues in address order.
 * The lock is held across the switch of stacks and released by the task that
 * comes (switch_finish), so that no other CPU runs prev while its stack is in use.
 *
 * Ordering:
 *      sleeper (park_prepare)          waker (sched_wake)
 *      state = wait                    condition = true
 *      smp_mb()                        smp_mb() (cmpxchg)
 *      look at condition               look at state
 */
#include "kernel/sched/runq.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/task/rseq.h"
#include "kernel/time/clock.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "percpu/trace/events.h"
#include "sync/rcu.h"

DEFINE_PERCPU_ALIGNED(struct runq, runq);
DEFINE_PERCPU(struct task *, current_task);

const struct sched_class *const sched_classes[] = {&deadline_class, &rt_class, &fair_class, NULL};

/* --- queues --- */

/*
 * A queued task moves with both queues' locks held. One that is WAKING moves by
 * the new CPU alone, which would touch the old queue's lines for nothing, hence:
 *
 *      task_runq_lock                  adopt
 *      holders++                       cpu = here
 *      smp_mb() (atomic)               smp_mb() (xchg)
 *      look at cpu                     look at holders
 */
struct runq *
task_runq_lock(struct task *t, unsigned long *f)
{
	struct runq *rq;

	for (;;) {
		rq = runq_of(READ_ONCE(t->sched.cpu));
		*f = spin_lock_irq(&rq->lock);
		atomic_inc(&t->sched.holders);
		if (likely(rq->cpu == READ_ONCE(t->sched.cpu)))
			return rq;
		task_runq_unlock(t, rq, *f);
	}
}

void
task_runq_unlock(struct task *t, struct runq *rq, unsigned long f)
{
	atomic_dec(&t->sched.holders);
	spin_unlock_irq(&rq->lock, f);
}

/* Caller owns t by WAKING and holds no queue: who has locked the old one may wait for ours. */
static void
adopt_oncpu(struct runq *rq, struct task *t)
{
	unsigned int from = t->sched.cpu;

	if (from == rq->cpu)
		return;
	(void)atomic_xchg(&t->sched.cpu, rq->cpu);
	while (atomic_read(&t->sched.holders))
		cpu_relax();
	trace_sched_migrate_task(t->comm, t->tid, sched_trace_priority(t), from, rq->cpu);
}

void
runq_update(struct runq *rq)
{
	struct task *t = rq->curr;
	u64 now = ktime_get(), delta;

	rq->clock = now;
	if (t == rq->idle)
		return;
	delta = now - t->sched.exec_start;
	if ((s64)delta <= 0)
		return;
	t->sched.exec_start = now;
	t->sched.sum_exec += delta;
	rq->rq_cpu_time += delta;
	t->sched.class->account(rq, t, delta);
}

static u64
runq_weight(const struct runq *rq)
{
	return rq->fair_sum_w + (u64)(rq->rt_nr + rq->dl_nr) * WEIGHT_RT;
}

void
runq_enqueue(struct runq *rq, struct task *t, bool wakeup)
{
	t->sched.queued = true;
	WRITE_ONCE(rq->nr_running, rq->nr_running + 1);
	if (rq->nr_running == 2)
		WRITE_ONCE(rq->crowded, true);
	t->sched.class->enqueue(rq, t, wakeup);
	t->sched.queued_at = rq->clock;
	WRITE_ONCE(rq->weight, runq_weight(rq));
}

void
runq_dequeue(struct runq *rq, struct task *t, bool sleep)
{
	t->sched.queued = false;
	t->sched.queued_at = rq->clock;
	t->sched.slept = sleep;
	WRITE_ONCE(rq->nr_running, rq->nr_running - 1);
	if (rq->nr_running == 1)
		WRITE_ONCE(rq->crowded, false);
	t->sched.class->dequeue(rq, t, sleep);
	WRITE_ONCE(rq->weight, runq_weight(rq));
}

/* Makes rq's CPU look for something better to run. */
void
runq_kick(struct runq *rq)
{
	if (rq->cpu == cpu_id())
		this_cpu_and(pin_count, ~PIN_NO_RESCHED);
	else
		arch_ipi_reschedule(rq->cpu);
}

void
runq_check_preempt(struct runq *rq, struct task *t)
{
	struct task *curr = rq->curr;

	if (curr == rq->idle || t->sched.class->rank > curr->sched.class->rank)
		runq_kick(rq);
	else if (t->sched.class == curr->sched.class && t->sched.class->preempts(rq, curr, t))
		runq_kick(rq);
}

/* --- waking --- */

/* The end of WAKING. */
void
sched_wake_enqueue_oncpu(struct task *t)
{
	struct runq *rq = this_runq();

	adopt_oncpu(rq, t);
	spin_lock(&rq->lock);
	runq_update(rq);
	if (t->sched.blocked) {
		t->sched.blocked = false;
		rq->nr_uninterruptible--;
	}
	WRITE_ONCE(t->sched.state, STATE_RUNNING);
	runq_enqueue(rq, t, true);
	rq->ttwu_count++;
	trace_sched_wakeup(t->comm, t->tid, sched_trace_priority(t), rq->cpu);
	runq_check_preempt(rq, t);
	spin_unlock(&rq->lock);
}

static void
wake_mail(struct mail *m)
{
	struct task *t = container_of(m, struct task, sched.wake_mail);
	struct runq *rq = this_runq();

	/* It was under way as this CPU began to leave. */
	if (unlikely(rq->leaving)) {
		sched_wake_post(sched_select_cpu(t, false), t);
		return;
	}
	/* Switched out elsewhere but still on its stack: a few instructions. */
	while (smp_load_acquire(&t->sched.on_cpu))
		cpu_relax();
	sched_wake_enqueue_oncpu(t);
}

void
sched_wake_post(unsigned int cpu, struct task *t)
{
	t->sched.wake_mail.fn = wake_mail;
	mailbox_post(cpu, &t->sched.wake_mail);
}

/* Caller owns t by WAKING. */
static void
wake_place(struct task *t)
{
	unsigned long f = irq_save();
	unsigned int cpu = sched_select_cpu(t, false);
	struct runq *rq = this_runq();

	if (cpu != rq->cpu || READ_ONCE(t->sched.on_cpu)) {
		sched_wake_post(cpu, t);
	} else {
		rq->ttwu_local++;
		sched_wake_enqueue_oncpu(t);
	}
	irq_restore(f);
}

bool
sched_wake(struct task *t, u32 mask)
{
	u32 s;

	/* The condition was written before: pairs with park_prepare(). */
	smp_mb();
	s = READ_ONCE(t->sched.state);
	for (;;) {
		if (!(s & mask))
			return false;
		if (s & STATE_ASLEEP) {
			if (!atomic_try_cmpxchg(&t->sched.state, &s, STATE_WAKING))
				continue;
			trace_sched_waking(t->comm, t->tid, sched_trace_priority(t), t->sched.cpu);
			pin();
			wake_place(t);
			unpin();
			return true;
		}
		if (atomic_try_cmpxchg(&t->sched.state, &s, STATE_RUNNING))
			return true;
	}
}

/* --- switching --- */

static struct task *
pick_next(struct runq *rq)
{
	const struct sched_class *const *c;
	struct task *t;

	if (unlikely(rq->leaving))
		return rq->idle;
	/* The usual case first: everything that is queued is fair. */
	if (likely(rq->nr_running == rq->fair_nr))
		return rq->fair_nr ? fair_class.pick(rq) : rq->idle;
	for (c = sched_classes; *c; c++) {
		t = (*c)->pick(rq);
		if (t)
			return t;
	}
	return rq->idle;
}

/* First thing on the new stack; the lock was taken by prev's schedule(). */
static void
switch_finish(struct task *prev)
{
	struct runq *rq = this_runq();
	bool dead = READ_ONCE(prev->sched.state) == (STATE_DEAD | STATE_ASLEEP);

	smp_store_release(&prev->sched.on_cpu, 0);
	spin_unlock(&rq->lock);
	if (unlikely(dead))
		task_put(prev);
}

void
task_first_run(struct task *prev)
{
	switch_finish(prev);
	irq_enable();
	unpin();
}

static void
slice_arm(struct runq *rq, struct task *next)
{
	u64 left, end;

	if (rq->nr_running < 2)
		return;
	left = next->sched.class->slice_left(rq, next);
	if (left == U64_MAX)
		return;
	/* One that fires earlier arms the next. */
	end = rq->clock + max(left, SLICE_LEAST_NS);
	if (!timer_pending(&rq->slice_timer) || rq->slice_timer.expires > end)
		timer_start(&rq->slice_timer, end);
}

static void
tick_arm(struct runq *rq)
{
	if (rq->tick_on)
		return;
	rq->tick_on = true;
	rq->last_tick = rq->clock;
	timer_start(&rq->tick, rq->clock + TICK_NS);
}

static void
switch_to(struct runq *rq, struct task *prev, struct task *next)
{
	rq->switches++;
	trace_sched_switch(prev->comm, prev->tid, sched_trace_priority(prev),
			   sched_trace_state(prev), next->comm, next->tid,
			   sched_trace_priority(next));
	rseq_switch(prev);
	if (prev == rq->idle) {
		WRITE_ONCE(rq->idling, false);
		rq->idle_ns += rq->clock - rq->idle_since;
		tick_arm(rq);
	}
	if (next == rq->idle) {
		WRITE_ONCE(rq->idling, true);
		rq->idle_since = rq->clock;
		rq->sched_goidle++;
	} else {
		u64 waited = rq->clock - next->sched.queued_at;

		next->sched.wait_sum += waited;
		next->sched.timeslices++;
		rq->run_delay += waited;
		rq->pcount++;
		slice_arm(rq, next);
	}
	next->sched.exec_start = rq->clock;
	WRITE_ONCE(next->sched.on_cpu, 1);
	rq->curr = next;
	this_cpu_write(current_task, next);
	space_switch_oncpu(next->space);
	arch_switch_prepare(prev, next);
	switch_finish(arch_switch(prev, next));
}

/* True if prev goes to sleep: its state became ASLEEP and it leaves the queue. */
static bool
try_sleep(struct runq *rq, struct task *prev)
{
	u32 s = READ_ONCE(prev->sched.state);

	if (s == STATE_RUNNING || !atomic_try_cmpxchg(&prev->sched.state, &s, s | STATE_ASLEEP))
		return false;
	if (s & (STATE_UNINTERRUPTIBLE | STATE_KILLABLE)) {
		rq->nr_uninterruptible++;
		prev->sched.blocked = true;
	}
	runq_dequeue(rq, prev, true);
	return true;
}

/*
 * prev may not stay on this CPU: as WAKING it is queued by the CPU that gets
 * it, which waits until its stack is free. One that was about to sleep, to stop
 * or to die does so here first. True: it is gone.
 */
static bool
send_away(struct runq *rq, struct task *prev)
{
	u32 s = STATE_RUNNING;

	if (!atomic_try_cmpxchg(&prev->sched.state, &s, STATE_WAKING))
		return false;
	runq_dequeue(rq, prev, false);
	sched_wake_post(sched_any_cpu(prev), prev);
	return true;
}

/*
 * Chooses what runs next and switches to it. preempt: the task did not ask for
 * it, so its state does not matter (it may be about to sleep).
 */
static void
schedule_once(bool preempt)
{
	struct runq *rq = this_runq();
	struct task *prev = rq->curr, *next;
	bool asleep = false;

	rcu_quiescent_oncpu();
	spin_lock(&rq->lock);
	this_cpu_or(pin_count, PIN_NO_RESCHED);
	rq->sched_count++;
	runq_update(rq);
	if (!preempt && prev != rq->idle)
		asleep = try_sleep(rq, prev);
	if (unlikely(!cpumask_test(&prev->sched.allowed, rq->cpu)) && !asleep)
		asleep = send_away(rq, prev);
	if (prev != rq->idle && !asleep) {
		prev->sched.queued_at = rq->clock;
		prev->sched.class->put_prev(rq, prev);
	}
	next = pick_next(rq);
	if (next == prev) {
		slice_arm(rq, next);
		spin_unlock(&rq->lock);
		return;
	}
	if (prev != rq->idle) {
		if (asleep)
			prev->nvcsw++;
		else
			prev->nivcsw++;
	}
	switch_to(rq, prev, next);
}

static void
schedule_common(bool preempt)
{
	unsigned long f;

	do {
		pin();
		f = irq_save();
		schedule_once(preempt);
		irq_restore(f);
		unpin_no_resched();
	} while (unlikely(this_cpu_read(pin_count) == 0));
}

void
schedule(void)
{
	assert_may_sleep();
	schedule_common(false);
}

void
pin_resched(void)
{
	/* Called with the word at zero: nothing is pinned, the scheduler is wanted. */
	if (!irqs_disabled())
		schedule_common(true);
}

void
sched_yield_now(void)
{
	schedule_common(true);
}

void
cond_resched(void)
{
	if (this_cpu_read(pin_count) == 0)
		pin_resched();
}

void
sched_irq_exit(bool user)
{
	u32 pins = this_cpu_read(pin_count);

	if ((pins & ~PIN_NO_RESCHED) == 0)
		rcu_quiescent_oncpu();
	/* In user mode entry.S looks at the word itself. */
	if (!user && pins == 0)
		schedule_common(true);
}

void
sched_kick_cpu(unsigned int cpu)
{
	if (cpu == cpu_id())
		this_cpu_and(pin_count, ~PIN_NO_RESCHED);
	else
		arch_ipi_reschedule(cpu);
}

/* --- changes of parameters --- */

void
sched_set_class(struct task *t)
{
	if (t->sched.pi_priority && t->sched.policy != SCHED_DEADLINE)
		t->sched.class = &rt_class;
	else if (t->sched.policy == SCHED_DEADLINE)
		t->sched.class = &deadline_class;
	else if (t->sched.policy == SCHED_FIFO || t->sched.policy == SCHED_RR)
		t->sched.class = &rt_class;
	else
		t->sched.class = &fair_class;
}

void
sched_change(struct task *t, void (*fn)(struct task *t, void *arg), void *arg)
{
	unsigned long f;
	struct runq *rq = task_runq_lock(t, &f);
	bool queued = t->sched.queued, running = rq->curr == t;

	runq_update(rq);
	if (queued)
		runq_dequeue(rq, t, false);
	fn(t, arg);
	if (queued) {
		runq_enqueue(rq, t, false);
		if (running) {
			t->sched.class->take(rq, t);
			runq_kick(rq);
		} else {
			runq_check_preempt(rq, t);
		}
	}
	task_runq_unlock(t, rq, f);
}
