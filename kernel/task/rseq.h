/* SPDX-License-Identifier: BSD-2-Clause */
/* Restartable sequences (rseq(2)); task/rseq.c tells the model. */
#ifndef KERNEL_TASK_RSEQ_H
#define KERNEL_TASK_RSEQ_H

#include "kernel/task/task.h"

struct regs;

/*
 * The scheduler takes t off its CPU: a section that t is in has been
 * interrupted, be it by a fault that sleeps.
 */
static inline void
rseq_switch(struct task *t)
{
	if (t->rseq)
		atomic_or(&t->work, WORK_RSEQ);
}

/* With WORK_RSEQ, on the way to user mode: stores the CPU number, aborts a critical section. */
void rseq_exit_to_user(struct regs *r);
/* A signal's frame is about to be built: its saved rip must be the abort handler's. */
void rseq_signal(struct regs *r);
/* exec: the registration is gone with the old program. */
void rseq_exec(struct task *t);

#endif
