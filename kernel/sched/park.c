/* SPDX-License-Identifier: BSD-2-Clause */
/* Parking: how sync/ makes the current task sleep (sync/port.h). */
#include "sync/port.h"

#include "kernel/sched/runq.h"
#include "kernel/signal/signal.h"
#include "kernel/time/timer.h"
#include "lib/errno.h"

static const u32 mode_state[] = {
	[PARK_UNINTERRUPTIBLE] = STATE_UNINTERRUPTIBLE,
	[PARK_KILLABLE] = STATE_KILLABLE,
	[PARK_INTERRUPTIBLE] = STATE_INTERRUPTIBLE,
	[PARK_IDLE] = STATE_IDLE,
};

void
park_prepare(enum park_mode mode)
{
	/* Ordered before the look at the condition: pairs with sched_wake(). */
	smp_store_mb(&current->sched.state, mode_state[mode]);
}

void
park_cancel(void)
{
	WRITE_ONCE(current->sched.state, STATE_RUNNING);
}

struct park_timer {
	struct timer timer;
	struct task *task;
	bool fired;
};

static void
park_timeout(struct timer *timer)
{
	struct park_timer *p = container_of(timer, struct park_timer, timer);

	WRITE_ONCE(p->fired, true);
	unpark(p->task);
}

/* A signal that ends this kind of sleep is pending for current. */
static bool
signal_ends(u32 state)
{
	if (state & STATE_INTERRUPTIBLE)
		return signal_pending();
	return (state & STATE_KILLABLE) && fatal_signal_pending();
}

bool
park_signal_pending(enum park_mode mode)
{
	return signal_ends(mode_state[mode]);
}

int
park(u64 deadline)
{
	u32 state = READ_ONCE(current->sched.state);
	struct park_timer p = {.task = current};

	if (state == STATE_RUNNING)
		return 0;
	if (signal_ends(state)) {
		park_cancel();
		return -ERESTARTSYS;
	}
	if (deadline == NO_DEADLINE) {
		schedule();
	} else {
		timer_init(&p.timer, park_timeout);
		timer_start(&p.timer, deadline);
		schedule();
		timer_cancel_sync(&p.timer);
	}
	if (signal_ends(state))
		return -ERESTARTSYS;
	return READ_ONCE(p.fired) ? -ETIMEDOUT : 0;
}

bool
unpark(struct task *t)
{
	return sched_wake(t, STATE_WAIT_MASK);
}

void
sched_stop_current(bool traced)
{
	schedule();
}

struct task *
current_task_or_null(void)
{
	return this_cpu_read(current_task);
}

bool
task_on_cpu(const struct task *t)
{
	return READ_ONCE(t->sched.on_cpu);
}

void
task_wait_inactive(struct task *t)
{
	while (READ_ONCE(t->sched.on_cpu))
		cond_resched();
}

static void
set_pi(struct task *t, void *arg)
{
	t->sched.pi_priority = *(u32 *)arg;
	sched_set_class(t);
}

/* sync/pimutex: the priority lent to t changed. */
void
sched_set_pi_priority(struct task *t, u32 prio)
{
	if (READ_ONCE(t->sched.pi_priority) != prio)
		sched_change(t, set_pi, &prio);
}

/* Priorities of pimutex.h are lower for more important tasks: 0-98 are real-time 99-1. */
void
task_pi_changed(struct task *t)
{
	s32 prio = task_pi_prio(t);

	sched_set_pi_priority(t, prio < 99 ? (u32)(99 - max(prio, 0)) : 0);
}
