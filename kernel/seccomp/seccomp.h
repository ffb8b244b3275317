/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2): what system calls a task may make. */
#ifndef KERNEL_SECCOMP_SECCOMP_H
#define KERNEL_SECCOMP_SECCOMP_H

#include "lib/types.h"

struct regs;
struct task;

/*
 * current, of which SWITCH_SECCOMP is set, is about to make the call in r. True:
 * it is not made, r->rax is what it returns. May not return, may sleep.
 */
bool seccomp_enter(struct regs *r);

/* child, which does not run yet, gets what current has. process->lock of current's is held. */
void seccomp_fork(struct task *child);
/* t has gone from its process: its filters go. Any context in which locks are taken. */
void seccomp_release(struct task *t);

/* --- prctl(2) --- */
long seccomp_prctl(unsigned long mode, unsigned long filter);

/* --- ptrace(2): t is stopped --- */
/* May current ask for tracees whose filters are suspended? */
bool seccomp_may_suspend(void);
/* How many instructions filter n has (0: the first one). to: NULL or where they are written. */
long seccomp_get_filter(struct task *t, unsigned long n, void __user *to);
long seccomp_get_metadata(struct task *t, unsigned long size, void __user *to);

#endif
