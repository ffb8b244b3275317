/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler tells: CPU times, load, run delays.
 *
 * Run time is exact (clock at each switch). How it divides into user and
 * system is sampled at ticks and scaled to the exact sum, as in Linux without
 * full accounting; reported values never go back.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/sched/priority.h"
#include "kernel/sched/runq.h"
#include "kernel/seq.h"
#include "kernel/time/clock.h"
#include "lib/muldiv.h"

/* Load average: fixed point of 11 bits; a sample each 5 s. */
#define LOAD_SHIFT 11
#define LOAD_PERIOD_NS (5 * NSEC_PER_SEC)
static const u64 load_exp[3] = {1884, 2014, 2037};

/* o  CPU 0 */
static u64 load_avg[3];
static u64 load_next;

void
sched_tick_account(struct runq *rq, struct task *t, bool user)
{
	u64 delta = rq->clock - rq->last_tick;

	rq->last_tick = rq->clock;
	if (t == rq->idle)
		return;
	if (user) {
		t->sched.user_ticks++;
		if (t->sched.nice > 0)
			rq->nice_ns += delta;
		else
			rq->user_ns += delta;
	} else {
		t->sched.system_ticks++;
		rq->system_ns += delta;
	}
}

/* CPU 0's tick. Tasks that are runnable or in D state, summed without locks. */
void
sched_load_tick(void)
{
	u64 now = ktime_get(), active;
	int i;

	if (now < load_next)
		return;
	active = (u64)(sched_nr_running() + sched_nr_blocked()) << LOAD_SHIFT;
	while (load_next <= now) {
		for (i = 0; i < 3; i++)
			load_avg[i] = (load_avg[i] * load_exp[i] +
				       active * ((1u << LOAD_SHIFT) - load_exp[i])) >>
				      LOAD_SHIFT;
		load_next += LOAD_PERIOD_NS;
	}
}

void
sched_loadavg(u64 avg[3])
{
	int i;

	for (i = 0; i < 3; i++)
		avg[i] = READ_ONCE(load_avg[i]);
}

u32
sched_nr_running(void)
{
	unsigned int cpu;
	u32 n = 0;

	for_each_online_cpu(cpu)
		n += READ_ONCE(runq_of(cpu)->nr_running);
	return n;
}

/* A task may block on one CPU and wake on another, so only the sum means something. */
u32
sched_nr_blocked(void)
{
	unsigned int cpu;
	s64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(runq_of(cpu)->nr_uninterruptible);
	return n > 0 ? (u32)n : 0;
}

u64
sched_context_switches(void)
{
	unsigned int cpu;
	u64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(runq_of(cpu)->switches);
	return n;
}

/* Both ends of a stretch are read with the lock held, so it never seems to get shorter. */
static u64
idle_time(struct runq *rq)
{
	unsigned long f = spin_lock_irq(&rq->lock);
	u64 idle = rq->idle_ns;

	if (rq->curr == rq->idle && rq->idle_since)
		idle += ktime_get() - rq->idle_since;
	spin_unlock_irq(&rq->lock, f);
	return idle;
}

void
sched_cpu_times(unsigned int cpu, struct cpu_times *ct)
{
	struct runq *rq = runq_of(cpu);

	*ct = (struct cpu_times){
		.user = READ_ONCE(rq->user_ns),
		.nice = READ_ONCE(rq->nice_ns),
		.system = READ_ONCE(rq->system_ns),
		.idle = READ_ONCE(rq->idle) ? idle_time(rq) : 0,
		.iowait = READ_ONCE(rq->iowait_ns),
		.irq = READ_ONCE(rq->irq_ns),
		.softirq = READ_ONCE(rq->softirq_ns),
	};
}

u64
task_runtime(struct task *t)
{
	struct runq *rq;
	unsigned long f;
	u64 sum;

	if (!t->sched.class)
		return 0;
	/* A tick moves the present stretch into the sum: both must be of one moment. */
	if (t == current) {
		f = irq_save();
		sum = t->sched.sum_exec + (ktime_get() - t->sched.exec_start);
		irq_restore(f);
		return sum;
	}
	rq = task_runq_lock(t, &f);
	sum = t->sched.sum_exec;
	if (rq->curr == t)
		sum += ktime_get() - t->sched.exec_start;
	task_runq_unlock(t, rq, f);
	return sum;
}

void
task_cputime(struct task *t, u64 *utime, u64 *stime)
{
	u64 sum = task_runtime(t), u = READ_ONCE(t->sched.user_ticks),
	    s = READ_ONCE(t->sched.system_ticks);
	u64 user;

	if (u + s == 0)
		user = t->fpu ? sum / 2 : 0;
	else
		user = muldiv_u64(sum, u, u + s);
	user = max(user, t->sched.reported_user);
	user = min(user, sum - min(sum, t->sched.reported_system));
	t->sched.reported_user = user;
	t->sched.reported_system = max(t->sched.reported_system, sum - user);
	*utime = user;
	*stime = t->sched.reported_system;
}

char
task_state_char(const struct task *t)
{
	u32 s = READ_ONCE(t->sched.state);

	if (s & STATE_DEAD)
		return 'Z';
	if (s & STATE_STOPPED)
		return 'T';
	if (s & STATE_TRACED)
		return 't';
	/* About to sleep: it may yet find that it need not. */
	if (!(s & STATE_ASLEEP))
		return 'R';
	if (s & STATE_INTERRUPTIBLE)
		return 'S';
	if (s & STATE_IDLE)
		return 'I';
	return s & (STATE_UNINTERRUPTIBLE | STATE_KILLABLE) ? 'D' : 'R';
}

unsigned int
task_cpu(const struct task *t)
{
	return READ_ONCE(t->sched.cpu);
}

s32
sched_proc_priority(const struct task *t)
{
	u32 rt = max(t->sched.rt_priority, t->sched.pi_priority);

	if (t->sched.policy == SCHED_DEADLINE)
		return -101;
	return rt ? -1 - (s32)rt : 20 + t->sched.nice;
}

s32
sched_trace_priority(const struct task *t)
{
	return 100 + sched_proc_priority(t);
}

long
sched_trace_state(const struct task *t)
{
	static const u8 linux_states[] = {
		[0] = 0x01, [1] = 0x02, [2] = 0x02, [3] = 0x80, [4] = 0x04, [5] = 0x08, [6] = 0x20};
	u32 s = READ_ONCE(t->sched.state), bits = s & ~(STATE_ASLEEP | STATE_WAKING | STATE_NEW);
	long shown = 0;

	/* Preempted as it was about to sleep. */
	if (!(s & STATE_ASLEEP))
		return bits ? 0x100 : 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(linux_states); i++)
		if (bits & BIT(i))
			shown |= linux_states[i];
	return shown;
}

/* /proc/schedstat, version 15. */
void
sched_show_stat(struct seq *s)
{
	unsigned int cpu;

	seq_printf(s, "version 15\ntimestamp %lu\n", ktime_get() / (NSEC_PER_SEC / 250));
	for_each_online_cpu(cpu) {
		const struct runq *rq = runq_of(cpu);

		seq_printf(s, "cpu%u %lu 0 %lu %lu %lu %lu %lu %lu %lu\n", cpu, rq->yld_count,
			   rq->sched_count, rq->sched_goidle, rq->ttwu_count, rq->ttwu_local,
			   rq->rq_cpu_time, rq->run_delay, rq->pcount);
	}
}
