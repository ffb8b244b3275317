/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that a program wants to see itself: prctl(PR_SET_SYSCALL_USER_DISPATCH). */
#ifndef KERNEL_TASK_DISPATCH_H
#define KERNEL_TASK_DISPATCH_H

#include "lib/types.h"

struct regs;

/* SWITCH_DISPATCH says whether it is on. */
struct task_dispatch {
	/* calls from here are made in any case */
	u64 offset, len;
	/* SYSCALL_DISPATCH_FILTER_*: whether others are; NULL: they are not */
	u8 __user *selector;
	/* The present call was not made: who watches calls is told nothing of it. */
	bool taken;
};

/* 0, -EINVAL, -EFAULT. */
long dispatch_prctl(unsigned long mode, unsigned long offset, unsigned long len,
		    u8 __user *selector);
/* current, of which SWITCH_DISPATCH is set, calls: true: a SIGSYS comes instead. */
bool dispatch_enter(struct regs *r);
/* exec: it is off. */
void dispatch_exec(void);

#endif
