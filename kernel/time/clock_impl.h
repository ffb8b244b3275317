/* SPDX-License-Identifier: BSD-2-Clause */
/* Between kernel/time/clock.c, the vDSO's data page and timers on real time. */
#ifndef KERNEL_TIME_CLOCK_IMPL_H
#define KERNEL_TIME_CLOCK_IMPL_H

#include "kernel/time/clock.h"
#include "lib/types.h"

/* The latest real time that may be set: 30 years are left for uptime, as in Linux. */
#define REAL_TIME_MAX ((u64)S64_MAX - 30UL * 365 * 24 * 3600 * NSEC_PER_SEC)

/* What makes time of the counter: monotonic ns = (cycles * mult >> 32) - start. */
struct clock_scale {
	u64 mult;
	u64 start;
	/* real time minus monotonic time, ns */
	s64 real_offset;
	/* TAI minus real time, s */
	s32 tai;
};

/* arch: writes it to the data page of the vDSO. Callers exclude each other. */
void clock_vdso_update(const struct clock_scale *c);
/* clock.c: the scale of now (arch fills the vDSO's page at boot). */
void clock_scale_get(struct clock_scale *c);

/* Steers monotonic time: another factor from now on. */
void clock_set_rate(u64 mult);
/* A leap second, ADJ_SETOFFSET: real time jumps by ns. */
void clock_step_real(s64 ns);
void clock_set_tai(s32 seconds);
/* ntp.c: real time was set, so all that was learned about it is void. */
void ntp_clear(void);

/* Real time jumped: sleepers and timers with absolute deadlines on it look again. */
void clock_was_set(void);

#endif
