/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/ptrace see of each other. */
#ifndef KERNEL_PTRACE_PTRACE_IMPL_H
#define KERNEL_PTRACE_PTRACE_IMPL_H

#include "kernel/ptrace/ptrace.h"
#include "kernel/signal/signal_impl.h"

/* --- attach.c --- */
/* The process of t's tracer, its family lock held; NULL: not traced. Inside an RCU section. */
struct process *ptrace_lock_tracer(struct task *t);
int ptrace_traceme(void);
int ptrace_attach(struct task *t, bool seize, unsigned long addr, unsigned long options);
/* t is stopped and frozen: goes on with sig, or without us. -EIO: no such signal. */
int ptrace_detach(struct task *t, unsigned long sig);
int ptrace_check_options(unsigned long options);

/* --- stop.c --- */
/* Is t asked to stop? False: it is on its way out. p->lock is held. */
bool ptrace_ask(struct task *t, u32 stop);
/* t leaves its stop; p->lock is held. */
void ptrace_wake(struct task *t);

/* --- resume.c --- */
/* t is stopped and frozen. -EIO: no such signal. */
int ptrace_resume(struct task *t, unsigned int request, unsigned long sig);
/* t's way in and out of system calls follows mode. Stopped, or current, or going away. */
void ptrace_set_mode(struct task *t, u32 mode);

/* --- info.c --- */
/* Requests that look at or change signals, events and calls; -ENOTTY: none of them. */
long ptrace_info_request(struct task *t, unsigned int request, unsigned long addr,
			 unsigned long data);

#endif
