/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: monotonic, real, boot, raw and CPU time, in nanoseconds. */
#ifndef KERNEL_TIME_CLOCK_H
#define KERNEL_TIME_CLOCK_H

#include "lib/types.h"

#define NSEC_PER_SEC 1000000000UL
#define NSEC_PER_MSEC 1000000UL
#define NSEC_PER_USEC 1000UL
/* USER_HZ of the ABI: clock_t counts these. */
#define CLOCK_TICKS_PER_SEC 100

/* struct timespec and timeval of the ABI. */
struct timespec {
	s64 sec;
	s64 nsec;
};

struct timeval {
	s64 sec;
	s64 usec;
};

/* Any context, NMI included. */
u64 ktime_get(void);
u64 ktime_get_real(void);
u64 ktime_get_raw(void);
/* Seconds only: cheap, for file times in units of a tick use ktime_get_coarse_real(). */
u64 ktime_get_coarse(void);
u64 ktime_get_coarse_real(void);
/* real = monotonic + this; changed by clock_settime(). */
s64 clock_real_offset(void);
/* CLOCK_TAI = real + this, ns. */
s64 clock_tai_offset(void);
void clock_set_real(u64 ns);
/* a  how often real time was set, so that it jumped */
extern u32 clock_set_count;
static inline u32
clock_set_generation(void)
{
	return READ_ONCE(clock_set_count);
}
/*
 * The counter's value at a monotonic time, for clock interrupts; while the
 * clock is steered at most `longest` ns from now.
 */
u64 clock_cycles_at(u64 ns, u64 longest);
void udelay(u32 usec);

static inline struct timespec
ns_to_timespec(u64 ns)
{
	return (struct timespec){.sec = (s64)(ns / NSEC_PER_SEC), .nsec = (s64)(ns % NSEC_PER_SEC)};
}

/* Saturates; the caller has checked that ts is valid (timespec_valid). */
u64 timespec_to_ns(const struct timespec *ts);
bool timespec_valid(const struct timespec *ts);
/* now + ns, saturating below NO_DEADLINE. */
u64 deadline_after(u64 ns);
/* Reads a timespec from user memory: -EFAULT, -EINVAL. ns relative or absolute as given. */
int get_user_timespec(u64 *ns, const struct timespec __user *uts);
/* A time limit from now: NO_DEADLINE without one, 0 if it is not to wait. Errors as above. */
int get_user_deadline(const struct timespec __user *ts, u64 *deadline);
int put_user_timespec(struct timespec __user *uts, u64 ns);

#endif
