/* SPDX-License-Identifier: BSD-2-Clause */
/* Restartable sequences (rseq(2)); task/rseq.c tells the model. */
#ifndef KERNEL_TASK_RSEQ_H
#define KERNEL_TASK_RSEQ_H

struct regs;
struct task;

/* With WORK_RSEQ, on the way to user mode: stores the CPU number, aborts a critical section. */
void rseq_exit_to_user(struct regs *r);
/* A signal's frame is about to be built: its saved rip must be the abort handler's. */
void rseq_signal(struct regs *r);
/* exec: the registration is gone with the old program. */
void rseq_exec(struct task *t);

#endif
