/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scheduler needs from kernel/task/ and arch. */
#ifndef KERNEL_SCHED_PORT_H
#define KERNEL_SCHED_PORT_H

#include "lib/types.h"

struct task;

/* kernel/task/: an idle task with a stack and pid 0, in no list. NULL: no memory. */
struct task *task_alloc_idle(unsigned int cpu);
/* kernel/task/: each tick of a running task: CPU-time timers and limits. Hard interrupt. */
void task_tick(struct task *t, bool user);
/* arch: did the present interrupt come from user mode? */
bool arch_irq_user(void);

#endif
