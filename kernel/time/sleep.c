/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping until a time: nanosleep, clock_nanosleep.
 *
 * A sleep to an absolute time of the real clock is a sleep on the monotonic
 * clock that starts over when the real clock is set (clock_was_set).
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/cred.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/clock_impl.h"
#include "kernel/time/posix_clock.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "sync/waitq.h"

static struct waitq clock_set_wait = WAITQ_INIT(clock_set_wait);
u32 clock_set_count __cacheline_aligned;

void
clock_was_set(void)
{
	atomic_inc(&clock_set_count);
	waitq_wake_all(&clock_set_wait);
}

int
sleep_until_interruptible(u64 deadline)
{
	int err;

	do {
		park_prepare(PARK_INTERRUPTIBLE);
		err = park(deadline);
	} while (err == 0 && ktime_get() < deadline);
	return err == -ETIMEDOUT || err == 0 ? 0 : err;
}

void
sleep_ns(u64 ns)
{
	u64 deadline = deadline_after(ns);

	while (ktime_get() < deadline) {
		park_prepare(PARK_UNINTERRUPTIBLE);
		park(deadline);
	}
}

/* Relative sleeps are restarted with what was left of them. */
static long
sleep_restart(u64 args[4])
{
	u64 deadline = args[0], now;
	struct timespec __user *rem = (void __user *)args[1];
	int err = sleep_until_interruptible(deadline);

	if (err != -ERESTARTSYS)
		return err;
	now = ktime_get();
	if (rem && put_user_timespec(rem, deadline > now ? deadline - now : 0))
		return -EFAULT;
	current->restart_fn = sleep_restart;
	return -ERESTART_RESTARTBLOCK;
}

static long
sleep_relative(u64 ns, struct timespec __user *rem)
{
	u64 args[4] = {deadline_after(ns), (u64 __force)rem};
	long ret = sleep_restart(args);

	if (ret == -ERESTART_RESTARTBLOCK) {
		current->restart_args[0] = args[0];
		current->restart_args[1] = args[1];
	}
	return ret;
}

/* `ahead`: how far the clock is ahead of real time (TAI). */
static long
sleep_absolute_real(u64 when, u64 ahead)
{
	u32 gen;
	u64 off, deadline;
	int err;

	for (;;) {
		gen = clock_set_generation();
		off = (u64)clock_real_offset() + ahead;
		deadline = when > off ? when - off : 0;
		if (ktime_get() >= deadline)
			return 0;
		err = wait_event_interruptible_until(&clock_set_wait, clock_set_generation() != gen,
						     deadline);
		if (err == -ERESTARTSYS)
			return -ERESTARTNOHAND;
	}
}

long
sys_nanosleep(const struct timespec __user *req, struct timespec __user *rem)
{
	u64 ns;
	int err = get_user_timespec(&ns, req);

	return err ? err : sleep_relative(ns, rem);
}

static long
sleep_cpu_clock(int clock, bool absolute, u64 ns)
{
	/* Looks at the clock as often as the time it lacks on one CPU passes. */
	u64 now, when;
	int err = posix_clock_get(clock, &now);

	if (err)
		return err;
	when = absolute ? ns : now + ns;
	while (now < when) {
		err = sleep_until_interruptible(
			deadline_after(max((when - now) / 4, NSEC_PER_MSEC)));
		if (err)
			return absolute ? -ERESTARTNOHAND : -EINTR;
		err = posix_clock_get(clock, &now);
		if (err)
			return err;
	}
	return 0;
}

long
sys_clock_nanosleep(int clock, int flags, const struct timespec __user *req,
		    struct timespec __user *rem)
{
	bool absolute = flags & TIMER_ABSTIME;
	u64 ns;
	int err;

	if (!posix_clock_valid(clock))
		return -EINVAL;
	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
	    clock == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) {
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
	}
	err = get_user_timespec(&ns, req);
	if (err)
		return err;
	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_cpu_clock(clock, absolute, ns);
	if (!absolute)
		return sleep_relative(ns, rem);
	if (clock == CLOCK_REALTIME || clock == CLOCK_TAI || clock == CLOCK_REALTIME_ALARM)
		return sleep_absolute_real(ns, clock == CLOCK_TAI ? (u64)clock_tai_offset() : 0);
	err = sleep_until_interruptible(ns);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}
