/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Soft lockups: a CPU that takes interrupts but has not been through the
 * scheduler for long, as something stays in a pinned section or holds a
 * spinlock.
 *
 * Model: the tick compares the CPU's count of passes through the scheduler with
 * the one it saw last. A task that runs alone makes no passes by itself, thus
 * after a fifth of the limit each tick asks for one, which comes at the exit of
 * that interrupt unless the CPU is pinned. A CPU that was asked by an earlier
 * tick, has not passed since, and is over the limit is stuck. A virtual CPU that
 * the host did not run for long has not been asked, and is not blamed.
 *
 * An idle CPU has no tick and costs nothing: that it sleeps shows it passed.
 *
 * Ownership: struct lockup belongs to its CPU. Contexts: the tick's interrupt.
 *
 * Rejected: a real-time thread a CPU that has to run every few seconds (Linux):
 * two switches and a timer a CPU, and 255 stacks, to learn what one counter
 * tells. A CPU with interrupts off is found by RCU's stall report.
 */
#include "kernel/lockup.h"

#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "percpu/counter.h"

#define THRESH_MAX 60

struct lockup {
	/* passes when `since` was set */
	u64 passes;
	u64 since;
	/* when to report; 0: no pass was asked for yet */
	u64 report_at;
};

static DEFINE_PERCPU(struct lockup, lockup);
static DEFINE_COUNTER(lockup_count);
/* Seconds, half of the limit, as in Linux; 0: off. */
static u32 watchdog_thresh = 10;
static u32 watchdog_on = 1;
static u32 softlockup_panic;
static u64 limit_for_test;

SYSCTL_U32(watchdog_thresh, "kernel/watchdog_thresh", &watchdog_thresh, 0, THRESH_MAX);
SYSCTL_U32(watchdog, "kernel/watchdog", &watchdog_on, 0, 1);
SYSCTL_U32(soft_watchdog, "kernel/soft_watchdog", &watchdog_on, 0, 1);
SYSCTL_U32(softlockup_panic, "kernel/softlockup_panic", &softlockup_panic, 0, 1);

static int
param_thresh(const char *v)
{
	u32 n;

	if (v == NULL || parse_u32(v, 10, &n) != 0 || n > THRESH_MAX)
		return -EINVAL;
	watchdog_thresh = n;
	return 0;
}
PARAM("watchdog_thresh", param_thresh);

static int
param_off(const char *v)
{
	watchdog_on = 0;
	return 0;
}
PARAM("nowatchdog", param_off);

static int
param_soft_off(const char *v)
{
	return param_off(v);
}
PARAM("nosoftlockup", param_soft_off);

static int
param_panic(const char *v)
{
	return v != NULL ? parse_u32(v, 10, &softlockup_panic) : -EINVAL;
}
PARAM("softlockup_panic", param_panic);

/* Seconds, 3 to 300 as in Linux. */
static int
param_rcu(const char *v)
{
	u32 n;

	if (v == NULL || parse_u32(v, 10, &n) != 0 || n < 3 || n > 300)
		return -EINVAL;
	rcu_stall_ns = n * NSEC_PER_SEC;
	return 0;
}
PARAM("rcupdate.rcu_cpu_stall_timeout", param_rcu);

u64
lockup_reports(void)
{
	return (u64)counter_sum(lockup_count);
}

void
lockup_limit_set(u64 ns)
{
	WRITE_ONCE(limit_for_test, ns);
}

/* 0: no limit. */
static u64
limit_now(void)
{
	u64 ns = READ_ONCE(limit_for_test);

	if (ns != 0)
		return ns;
	return READ_ONCE(watchdog_on) ? 2 * NSEC_PER_SEC * READ_ONCE(watchdog_thresh) : 0;
}

static void
report(u64 stuck)
{
	log_write(LOG_EMERG, "watchdog: BUG: soft lockup - CPU#%u stuck for %lus! [%s:%d]",
		  cpu_id(), stuck / NSEC_PER_SEC, current->comm, current->tid);
	arch_backtrace(NULL);
	counter_inc(lockup_count);
	if (READ_ONCE(softlockup_panic))
		panic("softlockup: hung tasks");
}

void
lockup_tick_oncpu(u64 now, u64 passes)
{
	struct lockup *l = this_cpu_ptr(&lockup);
	u64 limit = limit_now();

	if (l->passes != passes || limit == 0) {
		*l = (struct lockup){.passes = passes, .since = now};
		return;
	}
	if (now - l->since < limit / 5)
		return;
	if (l->report_at == 0) {
		l->report_at = l->since + limit;
	} else if (now >= l->report_at) {
		report(now - l->since);
		l->report_at = now + limit;
	}
	sched_kick_cpu(cpu_id());
}
