/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/task asks of System V IPC (kernel/task/port.h). */
#include "ipc/task_impl.h"

#include "kernel/task/port.h"

void
ipc_task_exit(struct task *t)
{
	shm_task_exit(t);
}
