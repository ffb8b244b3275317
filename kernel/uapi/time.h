/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock ids, timer flags and layouts of the ABI. struct timespec: time/clock.h. */
#ifndef KERNEL_UAPI_TIME_H
#define KERNEL_UAPI_TIME_H

#include "lib/types.h"

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11

/*
 * Clock ids of other processes and threads are negative: ~pid in bits 3 up,
 * bit 2 set for a thread, bits 0 and 1 say what is counted.
 */
#define CPUCLOCK_PROF 0
#define CPUCLOCK_VIRT 1
#define CPUCLOCK_SCHED 2
#define CPUCLOCK_PERTHREAD 4
#define CPUCLOCK_MASK 3
#define CPUCLOCK_PID(clock) ((s32) ~((clock) >> 3))

#define TIMER_ABSTIME 1

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

struct itimerval {
	s64 interval_sec, interval_usec;
	s64 value_sec, value_usec;
};

struct itimerspec {
	s64 interval_sec, interval_nsec;
	s64 value_sec, value_nsec;
};

#endif
