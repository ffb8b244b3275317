/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a task's IPC when it ends. (task.c) */
#ifndef IPC_TASK_IMPL_H
#define IPC_TASK_IMPL_H

#include "lib/types.h"

struct task;

/* sem_undo.c: CLONE_SYSVSEM shares what an end takes back; 0 or -ENOMEM. */
int sem_task_fork(struct task *child, u64 flags);
void sem_task_fork_undo(struct task *child);
/* t, current, leaves it. */
void sem_task_exit(struct task *t);
/* shm.c: forgets what t made; kernel.shm_rmid_forced destroys it unless it is attached. */
void shm_task_exit(struct task *t);

#endif
