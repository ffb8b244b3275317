/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/task and kernel/signal need from arch and terminals, beyond kernel/port.h. */
#ifndef KERNEL_TASK_PORT_H
#define KERNEL_TASK_PORT_H

#include "lib/types.h"

struct process;
struct regs;
struct task;
struct tty;

/*
 * kernel/dev (tty): current's process leads a session and exits, or gives its
 * terminal up: SIGHUP and SIGCONT to the foreground group, hang-up of the
 * terminal, session_clear_tty(). Called without locks; may sleep.
 */
void tty_session_exit(struct process *leader);

/*
 * kernel/dev (serial): waits until what programs have written has gone out, as
 * long as it gets on. May sleep.
 */
void serial_settle(void);

/*
 * ipc: a task is made with these clone flags, by current: 0 or -ENOMEM; undone before it
 * ran. Current leaves what it shares by CLONE_SYSVSEM.
 */
int ipc_task_fork(struct task *child, u64 flags);
void ipc_task_fork_undo(struct task *child);
void ipc_task_unshare(void);
/* ipc: t ends and has no space any more: what it holds of System V objects. May sleep. */
void ipc_task_exit(struct task *t);

/*
 * uring: current exits or execs: its requests are cancelled and its workers ended. It is
 * a worker and exits. May sleep.
 */
void uring_task_exit(void);
void uring_worker_exit(void);

/* arch: leaves the kernel for user mode with task_regs(current); first entry of process 1. */
void __noreturn arch_enter_user(void);
/* arch: the GS base of current is 0; all registers are loaded on the way to user mode (exec). */
void arch_clear_gs(void);
/* arch: PR_SET_TSC: rdtsc in user mode faults for current, or does not. */
int arch_set_tsc_mode(unsigned int mode);
int arch_get_tsc_mode(void);

#endif
