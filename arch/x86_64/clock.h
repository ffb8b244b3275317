/* SPDX-License-Identifier: BSD-2-Clause */
/* Clock sources and the one-shot clock interrupt of each CPU. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include "lib/types.h"

/* Boot CPU: finds a source, measures TSC and local APIC timer. */
void clock_init(void);
/* Each CPU: sets its local timer up. */
void clock_init_oncpu(void);
/* Seconds since 1970 by the real-time clock. */
u64 rtc_read(void);
/* Is the clock the TSC (then user mode can read it)? */
bool clock_is_tsc(void);
/* Frequency for /proc/cpuinfo, in kHz. */
u64 clock_tsc_khz(void);

#endif
