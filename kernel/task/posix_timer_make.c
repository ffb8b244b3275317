/* SPDX-License-Identifier: BSD-2-Clause */
/* What timer_create(2) is asked for: clock and event, checked; the timer made of them. */
#include "kernel/task/timers_impl.h"

#include "kernel/signal/signal.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "mm/slab.h"

static LOCK_CLASS(posix_timer_class, RANK_POSIX_TIMER);

static int
cpu_clock_parse(struct posix_timer *t, s32 clock)
{
	s32 pid = CPUCLOCK_PID(clock);
	struct task *task;

	t->cpu = true;
	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		t->cpu_clock = CPU_CLOCK_SCHED;
		if (clock == CLOCK_THREAD_CPUTIME_ID)
			t->cpu_task = task_get(current);
		return 0;
	}
	if ((clock & CPUCLOCK_MASK) > CPUCLOCK_SCHED)
		return -EINVAL;
	t->cpu_clock = (enum cpu_clock)(clock & CPUCLOCK_MASK);
	if (!(clock & CPUCLOCK_PERTHREAD))
		return pid == 0 || pid == current->process->tgid ? 0 : -EINVAL;
	task = pid ? task_find_get(pid) : task_get(current);
	if (!task)
		return -EINVAL;
	t->cpu_task = task;
	return task->process == current->process ? 0 : -EINVAL;
}

static int
clock_parse(struct posix_timer *t, s32 clock)
{
	t->clock = clock;
	if (clock < 0)
		return cpu_clock_parse(t, clock);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return cpu_clock_parse(t, clock);
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static int
event_parse(struct posix_timer *t, const struct sigevent *ev)
{
	struct task *target;

	t->notify = ev->notify;
	t->signo = ev->signo;
	t->value = ev->value;
	if (ev->notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID)) {
		target = task_find_get(ev->tid);
		if (!target)
			return -EINVAL;
		t->target = target;
		if (target->process != current->process)
			return -EINVAL;
	} else if (ev->notify & ~(SIGEV_NONE | SIGEV_THREAD) ||
		   ev->notify == (SIGEV_NONE | SIGEV_THREAD)) {
		return -EINVAL;
	}
	if (ev->notify != SIGEV_NONE && (ev->signo < 1 || ev->signo > NSIG))
		return -EINVAL;
	return 0;
}

void
posix_timer_free(struct posix_timer *t)
{
	if (t->queue)
		signal_queue_free(t->process, t->queue);
	if (t->target)
		task_put(t->target);
	if (t->cpu_task)
		task_put(t->cpu_task);
	kfree_rcu(t, rcu);
}

struct posix_timer *
posix_timer_make(s32 clock, const struct sigevent *ev, void (*fire)(struct timer *timer))
{
	struct posix_timer *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return err_ptr(-EAGAIN);
	t->process = current->process;
	spin_init(&t->lock, &posix_timer_class);
	timer_init(&t->timer, fire);
	err = clock_parse(t, clock);
	if (!err)
		err = event_parse(t, ev);
	if (!err) {
		t->queue = signal_queue_alloc();
		err = t->queue ? 0 : -EAGAIN;
	}
	if (err) {
		posix_timer_free(t);
		return err_ptr(err);
	}
	return t;
}
