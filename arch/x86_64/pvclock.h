/* SPDX-License-Identifier: BSD-2-Clause */
/* kvmclock: time as KVM tells it, in a page for each CPU. */
#ifndef ARCH_PVCLOCK_H
#define ARCH_PVCLOCK_H

#include "lib/types.h"

/* Boot CPU: are we a guest of KVM that has it? Then this CPU's page is filled in from now on. */
bool pvclock_init(void);
/* Each other CPU, once, if pvclock_init() said so. */
void pvclock_init_oncpu(void);
/* The TSC's rate by the boot CPU's page; 0: it does not say. */
u64 pvclock_tsc_hz(void);
/* Nanoseconds since the machine was started. Any context. */
u64 pvclock_read(void);

#endif
