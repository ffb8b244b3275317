/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on clocks.
 *
 * A negative clock number names a CPU-time clock of a process or thread: bits
 * 3 and up are the complement of the id, bit 2 says thread, bits 0-1 the kind
 * (profile, virtual, schedule).
 */
#include "kernel/cred.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/clock_impl.h"
#include "kernel/time/posix_clock.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#define COARSE_RES_NS 4000000UL

struct timezone {
	s32 minuteswest;
	s32 dsttime;
};

static struct timezone timezone;

bool
posix_clock_valid(int clock)
{
	u64 ns;

	return posix_clock_get(clock, &ns) == 0;
}

static u64
pick_kind(int kind, u64 user, u64 system, u64 run)
{
	if (kind == CPUCLOCK_VIRT)
		return user;
	return kind == CPUCLOCK_PROF ? user + system : run;
}

static int
thread_clock(s32 tid, int kind, u64 *ns)
{
	struct task *t = tid ? task_find_get(tid) : task_get(current);
	u64 user, system;

	if (!t)
		return -EINVAL;
	if (t->process != current->process) {
		task_put(t);
		return -EINVAL;
	}
	task_cputime(t, &user, &system);
	*ns = pick_kind(kind, user, system, task_runtime(t));
	task_put(t);
	return 0;
}

static int
process_clock(s32 pid, int kind, u64 *ns)
{
	struct process *p = pid ? process_find_get(pid) : process_get(current->process);
	u64 user, system;

	if (!p)
		return -EINVAL;
	process_cputime(p, &user, &system);
	*ns = pick_kind(kind, user, system, user + system);
	process_put(p);
	return 0;
}

int
posix_clock_get(int clock, u64 *ns)
{
	if (clock < 0) {
		s32 id = ~(clock >> 3);

		if ((clock & 3) == 3)
			return -EINVAL;
		return clock & 4 ? thread_clock(id, clock & 3, ns)
				 : process_clock(id, clock & 3, ns);
	}
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		*ns = ktime_get_real();
		return 0;
	case CLOCK_TAI:
		*ns = ktime_get_real() + (u64)clock_tai_offset();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = ktime_get();
		return 0;
	case CLOCK_MONOTONIC_RAW:
		*ns = ktime_get_raw();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		return process_clock(0, CPUCLOCK_SCHED, ns);
	case CLOCK_THREAD_CPUTIME_ID:
		return thread_clock(0, CPUCLOCK_SCHED, ns);
	}
	return -EINVAL;
}

long
sys_clock_gettime(int clock, struct timespec __user *ts)
{
	u64 ns;
	int err = posix_clock_get(clock, &ns);

	return err ? err : put_user_timespec(ts, ns);
}

long
sys_clock_getres(int clock, struct timespec __user *ts)
{
	u64 res = 1;

	if (!posix_clock_valid(clock))
		return -EINVAL;
	if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE)
		res = COARSE_RES_NS;
	return ts ? put_user_timespec(ts, res) : 0;
}

static long
set_real(u64 ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	/* Not before boot, nor beyond what file times can say (as Linux). */
	if (ns > REAL_TIME_MAX || ns < ktime_get())
		return -EINVAL;
	clock_set_real(ns);
	return 0;
}

long
sys_clock_settime(int clock, const struct timespec __user *ts)
{
	u64 ns;
	int err;

	if (!posix_clock_valid(clock) || (clock != CLOCK_REALTIME && clock >= 0))
		return -EINVAL;
	err = get_user_timespec(&ns, ts);
	if (err)
		return err;
	if (clock < 0)
		return -EPERM;
	return set_real(ns);
}

long
sys_gettimeofday(struct timeval __user *tv, void __user *tz)
{
	u64 ns = ktime_get_real();
	struct timeval v = {(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / 1000)};

	if (tv && copy_to_user(tv, &v, sizeof(v)))
		return -EFAULT;
	if (tz && copy_to_user(tz, &timezone, sizeof(timezone)))
		return -EFAULT;
	return 0;
}

long
sys_settimeofday(const struct timeval __user *tv, const void __user *tz)
{
	struct timezone z;
	struct timeval v;

	if (tv) {
		if (copy_from_user(&v, tv, sizeof(v)))
			return -EFAULT;
		if (v.usec < 0 || v.usec >= 1000000 || v.sec < 0)
			return -EINVAL;
	}
	if (tz && copy_from_user(&z, tz, sizeof(z)))
		return -EFAULT;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (tz) {
		if (z.minuteswest > 15 * 60 || z.minuteswest < -15 * 60)
			return -EINVAL;
		timezone = z;
	}
	if (!tv)
		return 0;
	return set_real((u64)v.sec * NSEC_PER_SEC + (u64)v.usec * 1000);
}

long
sys_time(s64 __user *t)
{
	s64 sec = (s64)(ktime_get_real() / NSEC_PER_SEC);

	if (t && put_user(sec, t))
		return -EFAULT;
	return sec;
}
