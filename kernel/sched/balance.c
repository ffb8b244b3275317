/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which CPU a task runs on: placement at wakeup and fork, stealing by idle CPUs.
 *
 * Model: a waking task goes back to its CPU if that is idle or nothing better
 * is near; else to an idle one among a few that are looked at. Idle CPUs look
 * for queues with more than one task and take one. The tick of a crowded CPU
 * gives a task to one whose tasks weigh less, so that equal tasks get equal time
 * also where they run on different CPUs. There is no global list of idle CPUs:
 * it would be one line that all write. The looks read only nr_running and weight
 * of other queues; on each way into idleness, `crowded`; and in each tick of a
 * crowded CPU `idling`. They stand on lines of their own.
 */
#include "kernel/sched/runq.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/sched/hotplug.h"
#include "kernel/sched/priority.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "percpu/trace/events.h"

DEFINE_COUNTER(sched_affinity_lost);

/* CPUs looked at for a waking task. A fork looks at all: it is dearer anyway. */
#define LOOK_WAKE 6u
/* How often it is looked whether a task has left a CPU that it may not use any more. */
#define LEAVE_LOOK_NS (50 * NSEC_PER_USEC)

static bool
cpu_usable(struct task *t, unsigned int cpu)
{
	if (!cpumask_test(&t->sched.allowed, cpu))
		return false;
	if (likely(cpu_active(cpu)))
		return true;
	/* Until the last step a CPU's own threads go on there. */
	return t->sched.bound && cpu_online(cpu) && !READ_ONCE(runq_of(cpu)->leaving);
}

static u32
load_of(unsigned int cpu)
{
	return READ_ONCE(runq_of(cpu)->nr_running);
}

unsigned int
sched_any_cpu(struct task *t)
{
	unsigned int cpu = cpumask_next_and(&t->sched.allowed, &cpu_active_mask, 0);

	if (cpu < nr_cpus)
		return cpu;
	counter_inc(sched_affinity_lost);
	cpumask_fill(&t->sched.allowed);
	t->sched.nr_allowed = nr_cpus;
	return cpumask_next(&cpu_active_mask, 0);
}

/* The same for a waker: t is on no queue, but its parameters are guarded by the last one's lock. */
static unsigned int
any_cpu_for_waker(struct task *t)
{
	unsigned long f;
	struct runq *rq = task_runq_lock(t, &f);
	unsigned int cpu = sched_any_cpu(t);

	task_runq_unlock(t, rq, f);
	return cpu;
}

static unsigned int
least_loaded(struct task *t, unsigned int start, unsigned int looks)
{
	unsigned int best = start, i, cpu;
	u32 least = cpu_usable(t, start) ? load_of(start) : U32_MAX, l;

	for (i = 1; i < nr_cpus && looks && least; i++) {
		cpu = start + i < nr_cpus ? start + i : start + i - nr_cpus;
		if (!cpu_usable(t, cpu))
			continue;
		looks--;
		l = load_of(cpu);
		if (l < least) {
			least = l;
			best = cpu;
		}
	}
	return least == U32_MAX ? any_cpu_for_waker(t) : best;
}

unsigned int
sched_select_cpu(struct task *t, bool fork)
{
	unsigned int prev = t->sched.cpu, here = cpu_id();

	if (nr_cpus == 1)
		return 0;
	if (fork)
		return least_loaded(t, here, nr_cpus);
	if (likely(cpu_usable(t, prev))) {
		if (t->sched.nr_allowed == 1 || load_of(prev) == 0)
			return prev;
		/* The waker sleeps soon, more often than not: no line of others is touched. */
		if (prev == here && load_of(here) == 1)
			return here;
	} else {
		prev = cpu_usable(t, here) ? here : any_cpu_for_waker(t);
	}
	if (cpu_usable(t, here) && load_of(here) == 0)
		return here;
	return least_loaded(t, prev, LOOK_WAKE);
}

/* Moves t, queued on `from`, to `to`. Both locks are held. */
static void
move(struct runq *from, struct runq *to, struct task *t)
{
	trace_sched_migrate_task(t->comm, t->tid, sched_trace_priority(t), from->cpu, to->cpu);
	runq_dequeue(from, t, false);
	t->sched.cpu = to->cpu;
	runq_enqueue(to, t, false);
}

static struct task *
pick_victim(struct runq *from, unsigned int to, u64 below)
{
	const struct sched_class *const *c;
	struct task *t;

	for (c = sched_classes; *c; c++) {
		t = (*c)->steal(from, to, below);
		if (t)
			return t;
	}
	return NULL;
}

static bool
steal_from(struct runq *rq, struct runq *from)
{
	struct task *t = NULL;

	if (!spin_try_lock(&from->lock))
		return false;
	if (from->nr_running > 1)
		t = pick_victim(from, rq->cpu, U64_MAX);
	if (t) {
		/* A try, so the order of the two locks does not matter. */
		if (spin_try_lock(&rq->lock)) {
			from->clock = rq->clock = ktime_get();
			move(from, rq, t);
			spin_unlock(&rq->lock);
		} else {
			t = NULL;
		}
	}
	spin_unlock(&from->lock);
	return t != NULL;
}

bool
sched_steal(struct runq *rq)
{
	unsigned int i, cpu;

	for (i = 1; i < nr_cpus; i++) {
		cpu = rq->cpu + i < nr_cpus ? rq->cpu + i : rq->cpu + i - nr_cpus;
		if (READ_ONCE(runq_of(cpu)->crowded) && cpu_active(cpu) &&
		    steal_from(rq, runq_of(cpu)))
			return true;
	}
	return false;
}

/* Gives `to` a task of ours if that brings the two nearer together. Interrupts off. */
static void
give(struct runq *rq, struct runq *to)
{
	struct task *t = NULL;
	s64 more;

	spin_lock(&rq->lock);
	if (spin_try_lock(&to->lock)) {
		more = (s64)(rq->weight - to->weight);
		if (more > 0)
			t = pick_victim(rq, to->cpu, (u64)more);
		if (t) {
			runq_update(rq);
			runq_update(to);
			move(rq, to, t);
			runq_check_preempt(to, t);
		}
		spin_unlock(&to->lock);
	}
	spin_unlock(&rq->lock);
}

/* In the end all CPUs are looked at, a few in each tick. */
void
sched_push(struct runq *rq)
{
	unsigned int looks = min(nr_cpus - 1, LOOK_WAKE);
	struct runq *lightest = NULL;

	while (looks--) {
		unsigned int cpu = rq->push_next++ % nr_cpus;

		if (cpu == rq->cpu)
			cpu = rq->push_next++ % nr_cpus;
		if (!cpu_active(cpu))
			continue;
		if (READ_ONCE(runq_of(cpu)->idling)) {
			sched_kick_cpu(cpu);
			rq->heavy_ticks = 0;
			return;
		}
		if (!lightest || READ_ONCE(runq_of(cpu)->weight) < READ_ONCE(lightest->weight))
			lightest = runq_of(cpu);
	}
	/* Who wakes and sleeps again at once makes a CPU heavy for one tick. */
	if (!lightest || READ_ONCE(lightest->weight) >= READ_ONCE(rq->weight))
		rq->heavy_ticks = 0;
	else if (rq->heavy_ticks++)
		give(rq, lightest);
}

/* --- leaving a CPU --- */

/* Takes t from where it is queued to a CPU that it may use. */
static void
pull(struct task *t)
{
	unsigned int to = 0;
	unsigned long f;
	struct runq *rq = task_runq_lock(t, &f);
	bool movable = t->sched.queued && rq->curr != t &&
		       !cpumask_test(&t->sched.allowed, rq->cpu) && !READ_ONCE(t->sched.on_cpu);

	pin();
	if (movable) {
		to = sched_any_cpu(t);
		/* Owned by WAKING while it is on no queue: nobody else touches it. */
		runq_dequeue(rq, t, false);
		WRITE_ONCE(t->sched.state, STATE_WAKING);
	}
	task_runq_unlock(t, rq, f);
	if (movable)
		sched_wake_post(to, t);
	unpin();
}

/*
 * t does not run where it may not, and will not: it is elsewhere, or sleeps and is
 * woken to where it may. One that is on its way (WAKING) may have been sent before
 * its affinity changed.
 */
static bool
has_left(const struct task *t)
{
	u32 state;

	/* The affinity is written, then the state read; a waker does it the other way round. */
	smp_mb();
	state = READ_ONCE(t->sched.state);
	if (state & (STATE_NEW | STATE_DEAD) ||
	    (state & (STATE_ASLEEP | STATE_WAKING)) == STATE_ASLEEP)
		return true;
	return !(state & STATE_WAKING) && cpumask_test(&t->sched.allowed, READ_ONCE(t->sched.cpu));
}

void
sched_leave_cpu(struct task *t)
{
	if (t == current) {
		if (!cpumask_test(&t->sched.allowed, cpu_id()))
			sched_yield_now();
		return;
	}
	while (!has_left(t)) {
		pull(t);
		sched_kick_cpu(READ_ONCE(t->sched.cpu));
		if (!has_left(t))
			sleep_ns(LEAVE_LOOK_NS);
	}
}

/* --- a CPU that leaves --- */

void
sched_move_away(struct runq *rq, struct task *t)
{
	struct runq *to = runq_of(sched_any_cpu(t));

	/* The one order in which two queues are waited for: others only try. */
	spin_lock_nested(&to->lock);
	runq_update(to);
	rq->clock = to->clock;
	move(rq, to, t);
	runq_check_preempt(to, t);
	spin_unlock(&to->lock);
}

void
sched_cpu_leave(unsigned int cpu)
{
	struct runq *rq = runq_of(cpu);
	unsigned long f = spin_lock_irq(&rq->lock);

	WRITE_ONCE(rq->leaving, true);
	runq_kick(rq);
	spin_unlock_irq(&rq->lock, f);
}

void
sched_cpu_stay(unsigned int cpu)
{
	struct runq *rq = runq_of(cpu);
	unsigned long f = spin_lock_irq(&rq->lock);

	WRITE_ONCE(rq->leaving, false);
	runq_kick(rq);
	spin_unlock_irq(&rq->lock, f);
}

/* Deadline tasks that wait for their next period are seen when their timer fires. */
void
sched_give_away_oncpu(void)
{
	struct runq *rq = this_runq();
	struct task *t;

	spin_lock(&rq->lock);
	/* In this order: the real-time class may have to leave the CPU to the fair one. */
	while ((t = fair_class.pick(rq)) != NULL || (t = rt_class.pick(rq)) != NULL ||
	       (t = deadline_class.pick(rq)) != NULL)
		sched_move_away(rq, t);
	spin_unlock(&rq->lock);
}

void
sched_cpu_quit_oncpu(void)
{
	struct runq *rq = this_runq();

	timer_cancel(&rq->tick);
	timer_cancel(&rq->slice_timer);
	rq->tick_on = false;
	spin_lock(&rq->lock);
	rq->idle_ns += ktime_get() - rq->idle_since;
	rq->idle_since = 0;
	spin_unlock(&rq->lock);
}

void
sched_cpu_prepare(unsigned int cpu)
{
	struct runq *rq = runq_of(cpu);
	unsigned long f = spin_lock_irq(&rq->lock);

	WRITE_ONCE(rq->leaving, false);
	rq->clock = rq->idle_since = ktime_get();
	spin_unlock_irq(&rq->lock, f);
}
