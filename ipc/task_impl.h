/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a task's IPC when it ends. (task.c) */
#ifndef IPC_TASK_IMPL_H
#define IPC_TASK_IMPL_H

struct task;

/* shm.c: forgets what t made; kernel.shm_rmid_forced destroys it unless it is attached. */
void shm_task_exit(struct task *t);

#endif
