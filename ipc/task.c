/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/task asks of System V IPC (kernel/task/port.h). */
#include "ipc/task_impl.h"

#include "kernel/task/port.h"
#include "kernel/task/task.h"

void
ipc_task_exit(struct task *t)
{
	sem_task_exit(t);
	shm_task_exit(t);
}

int
ipc_task_fork(struct task *child, u64 flags)
{
	return sem_task_fork(child, flags);
}

void
ipc_task_fork_undo(struct task *child)
{
	sem_task_fork_undo(child);
}

void
ipc_task_unshare(void)
{
	sem_task_exit(current);
}
