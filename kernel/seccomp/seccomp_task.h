/* SPDX-License-Identifier: BSD-2-Clause */
/* What a task holds of seccomp(2); seccomp/filter.c tells the model. */
#ifndef KERNEL_SECCOMP_SECCOMP_TASK_H
#define KERNEL_SECCOMP_SECCOMP_TASK_H

#include "lib/types.h"

struct seccomp_filter;

/* l: process->lock to write, no lock to read. */
struct task_seccomp {
	/* l  SECCOMP_MODE_* */
	u32 mode;
	/* l  how many filters the chain has */
	u32 count;
	/* l  the filter that was added last; whoever is not the task itself holds the lock */
	struct seccomp_filter *filter;
};

#endif
