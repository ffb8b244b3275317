/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What percpu/, sync/ and mm/ ask of kernel/ (their port.h): work threads,
 * deferred timers, held locks, messages.
 *
 * Each CPU has one work thread, bound to it, which runs work items and what
 * interrupts could not finish.
 */
#include "kernel/ports.h"

#include <stdarg.h>

#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/port.h"
#include "percpu/port.h"
#include "percpu/ref.h"
#include "percpu/work.h"
#include "sync/debug.h"
#include "sync/pimutex.h"
#include "sync/port.h"
#include "sync/rcu.h"

/* I  once set */
static DEFINE_PERCPU(struct task *, work_thread);
/* a  the work thread: runs, shall park, has parked */
enum { WORK_RUNS, WORK_ASKED, WORK_PARKED };
static DEFINE_PERCPU(u32, work_phase);
static DEFINE_PERCPU(struct timer, ref_timer);
static DEFINE_PERCPU(struct timer, mailbox_timer);
static DEFINE_PERCPU(struct timer, rcu_timer);

/* --- work threads --- */

/* Elsewhere by then, should its CPU have gone: it only waits. */
static void
stay_parked(unsigned int cpu)
{
	u32 *phase = &cpu_of(work_phase, cpu), now;

	for (;;) {
		park_prepare(PARK_IDLE);
		now = smp_load_acquire(phase);
		if (now == WORK_RUNS)
			break;
		/* It may be asked again before it has seen that it may go on. */
		if (now == WORK_ASKED)
			smp_store_release(phase, WORK_PARKED);
		park(NO_DEADLINE);
	}
	park_cancel();
}

static int
work_main(void *arg)
{
	unsigned int cpu = (unsigned int)(unsigned long)arg;

	for (;;) {
		if (unlikely(READ_ONCE(cpu_of(work_phase, cpu)) != WORK_RUNS))
			stay_parked(cpu);
		if (work_run_oncpu()) {
			cond_resched();
			continue;
		}
		park_prepare(PARK_IDLE);
		if (work_pending_oncpu() || READ_ONCE(cpu_of(work_phase, cpu)) != WORK_RUNS)
			park_cancel();
		else
			park(NO_DEADLINE);
	}
	return 0;
}

void
work_port_kick(unsigned int cpu)
{
	struct task *t = READ_ONCE(cpu_of(work_thread, cpu));

	if (t && READ_ONCE(cpu_of(work_phase, cpu)) == WORK_RUNS)
		unpark(t);
}

static int
work_thread_start(unsigned int cpu)
{
	struct task *t =
		kthread_create((int)cpu, work_main, (void *)(unsigned long)cpu, "kwork/%u", cpu);

	if (is_err(t))
		return (int)ptr_err(t);
	smp_store_release(&cpu_of(work_thread, cpu), t);
	return 0;
}

static int
work_threads_start(void)
{
	unsigned int cpu;
	int err = 0;

	for_each_online_cpu(cpu)
		if (!err)
			err = work_thread_start(cpu);
	return err;
}

void
kernel_ports_park(unsigned int cpu)
{
	struct task *t = cpu_of(work_thread, cpu);

	if (!t)
		return;
	WRITE_ONCE(cpu_of(work_phase, cpu), WORK_ASKED);
	/* Who does not see this has woken it before the grace period ends. */
	rcu_synchronize();
	unpark(t);
	while (smp_load_acquire(&cpu_of(work_phase, cpu)) != WORK_PARKED ||
	       !(READ_ONCE(t->sched.state) & STATE_ASLEEP))
		sleep_ns(100 * NSEC_PER_USEC);
}

int
kernel_ports_unpark(unsigned int cpu)
{
	struct task *t = cpu_of(work_thread, cpu);
	struct cpumask mask;

	if (!t)
		return work_thread_start(cpu);
	/* Woken too early it would have lost it. */
	cpumask_zero(&mask);
	cpumask_set(&mask, cpu);
	WARN_ON(sched_set_affinity(t, &mask) != 0);
	smp_store_release(&cpu_of(work_phase, cpu), WORK_RUNS);
	unpark(t);
	return 0;
}

void
kernel_ports_init(void)
{
	int err = work_threads_start();

	if (err)
		panic("work threads: error %d", err);
}

/* --- timers of mailboxes, references and RCU --- */

static void
mailbox_timer_fn(struct timer *t)
{
	mailbox_timer_oncpu();
}

void
mailbox_port_arm(u64 ns)
{
	struct timer *t = &this_cpu(mailbox_timer);

	if (!t->fn)
		timer_init(t, mailbox_timer_fn);
	timer_start(t, ktime_get() + ns);
}

static void
ref_timer_fn(struct timer *t)
{
	ref_timer_oncpu();
}

void
ref_port_arm(u64 ns)
{
	unsigned long f = irq_save();
	struct timer *t = &this_cpu(ref_timer);

	if (!t->fn)
		timer_init(t, ref_timer_fn);
	timer_start(t, ktime_get() + ns);
	irq_restore(f);
}

static void
rcu_timer_fn(struct timer *t)
{
	rcu_timer_oncpu();
}

void
rcu_port_arm(u64 ns)
{
	unsigned long f = irq_save();
	struct timer *t = &this_cpu(rcu_timer);
	u64 when = ktime_get() + ns;

	if (!t->fn)
		timer_init(t, rcu_timer_fn);
	if (!timer_pending(t) || t->expires > when)
		timer_start(t, when);
	irq_restore(f);
}

void
kernel_ports_quit_oncpu(void)
{
	timer_cancel(&this_cpu(mailbox_timer));
	mailbox_quit_oncpu();
	timer_cancel(&this_cpu(ref_timer));
	timer_cancel(&this_cpu(rcu_timer));
}

/* --- sync/ --- */

struct held_locks *
sync_port_held(void)
{
	struct task *t = current_task_or_null();

	return t ? &t->held : NULL;
}

s32
sync_port_task(char *name, size_t n)
{
	struct task *t = current_task_or_null();

	strscpy(name, t ? t->comm : "boot", n);
	return t ? t->tid : 0;
}

void
sync_port_log(int level, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_write((enum log_level)level, "%s", text);
}

/* --- mm/ --- */

bool
mm_port_task_dying(void)
{
	struct task *t = current_task_or_null();

	return t && (t->flags & TASK_EXITING || fatal_signal_pending());
}
