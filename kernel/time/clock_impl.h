/* SPDX-License-Identifier: BSD-2-Clause */
/* Between kernel/time/clock.c, the vDSO's data page and timers on real time. */
#ifndef KERNEL_TIME_CLOCK_IMPL_H
#define KERNEL_TIME_CLOCK_IMPL_H

#include "lib/types.h"

/* arch: writes the new offset to the data page of the vDSO. */
void clock_vdso_update(s64 offset);
/*
 * Real time jumped: sleepers and timers with absolute deadlines on it look
 * again. The generation tells them apart from other wakeups.
 */
void clock_was_set(void);
u32 clock_set_generation(void);

#endif
