/* SPDX-License-Identifier: BSD-2-Clause */
/* Nice values and what else kernel/task/ sets on a task's scheduling. */
#ifndef KERNEL_SCHED_PRIORITY_H
#define KERNEL_SCHED_PRIORITY_H

#include "lib/types.h"

struct task;

/* -20 to 19, clamped; -EACCES when raising needs CAP_SYS_NICE or RLIMIT_NICE. */
int sched_set_nice(struct task *t, s32 nice);
/* Not deadline; priority: 1 to 99 for FIFO and RR, else 0. -EINVAL, -EPERM. May sleep. */
int sched_set_policy(struct task *t, u32 policy, s32 nice, u32 priority);
s32 sched_get_nice(const struct task *t);
/* Exit of a deadline task: gives its admitted share back. May sleep. */
void sched_release_bandwidth(struct task *t);
/* Moves t off a CPU that its affinity no longer allows and waits for that. May sleep. */
void sched_leave_cpu(struct task *t);
/* Value of /proc/PID/stat: 0-39 fair, below 0 real-time. */
s32 sched_proc_priority(const struct task *t);

#endif
