/* SPDX-License-Identifier: BSD-2-Clause */
/* The pid table's limits. */
#ifndef KERNEL_TASK_PID_IMPL_H
#define KERNEL_TASK_PID_IMPL_H

#include "lib/types.h"

/* The largest pid_max that Linux allows on 64-bit machines. */
#define PID_LIMIT 4194304
/* Numbers below are not given out a second time (Linux: RESERVED_PIDS). */
#define PID_RESERVED 300

struct pid;

/* With a reference, or NULL. Any context but NMI. */
struct pid *pid_find_get(s32 nr);

#endif
