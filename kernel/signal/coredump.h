/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing core files. */
#ifndef KERNEL_SIGNAL_COREDUMP_H
#define KERNEL_SIGNAL_COREDUMP_H

#include "lib/types.h"

struct siginfo;

/*
 * current dies of sig: ends the other threads and writes a core file if limits
 * allow it. True: it was written, and the wait status says so. May sleep.
 */
bool core_dump(int sig, const struct siginfo *info);

#endif
