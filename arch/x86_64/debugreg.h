/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware breakpoints of user tasks: debugreg.c. */
#ifndef ARCH_DEBUGREG_H
#define ARCH_DEBUGREG_H

#include "lib/types.h"

struct debug_regs;
struct regs;
struct task;

/* DR6 (Intel SDM vol. 3, 17.2.3): which breakpoints hit; a single step. */
#define DR6_TRAPS 0xfUL
#define DR6_STEP 0x4000UL
/* Bits that read as one. */
#define DR6_FIXED 0xffff0ff0UL

/* Register n of t, which is stopped: 0, -EINVAL, -EIO (no such register), -ENOMEM. */
u64 debugreg_get(const struct task *t, unsigned int n);
int debugreg_set(struct task *t, unsigned int n, u64 v);

/* At the context switch: interrupts off. */
void debugreg_switch(const struct task *prev, const struct task *next);

/* At #DB from user mode, interrupts off: what has happened, DR6's bits; DR6 is cleared. */
u64 debugreg_take_status(void);
/* What of that is current's; sets RF where a breakpoint for instructions has hit. */
u64 debugreg_hits(struct regs *r, u64 status);

#endif
