/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks by the numbers of the ABI (clock_gettime(2)), CPU-time clocks included. */
#ifndef KERNEL_TIME_POSIX_CLOCK_H
#define KERNEL_TIME_POSIX_CLOCK_H

#include "lib/types.h"

bool posix_clock_valid(int clock);
/* Time of the clock in ns: 0, -EINVAL (no such clock, or a process that is gone). */
int posix_clock_get(int clock, u64 *ns);

#endif
