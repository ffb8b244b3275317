/* SPDX-License-Identifier: BSD-2-Clause */
/* Soft lockups: CPUs on which the kernel does not let other tasks run (kernel/lockup.c). */
#ifndef KERNEL_LOCKUP_H
#define KERNEL_LOCKUP_H

#include "lib/types.h"

/*
 * From the tick of a CPU that runs tasks, in interrupt: the time, and how often
 * the CPU has been through the scheduler. No lock held.
 */
void lockup_tick_oncpu(u64 now, u64 passes);
/* Reports so far. */
u64 lockup_reports(void);
/* For tests: ns from which a CPU counts as stuck; 0: twice watchdog_thresh. */
void lockup_limit_set(u64 ns);

#endif
