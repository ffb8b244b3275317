/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rest of the kernel asks of futexes; futex/futex_impl.h tells the model. */
#ifndef KERNEL_FUTEX_FUTEX_H
#define KERNEL_FUTEX_FUTEX_H

#include "lib/types.h"

struct task;

/* Makes the table of buckets; after the number of CPUs is known. */
void futex_init(void);
/* A new task holds and waits for none. */
void futex_task_init(struct task *t);
/*
 * current exits or execs, its space still loaded: marks the robust futexes that
 * it holds as ownerless and hands PI futexes to their next waiters.
 */
void futex_task_exit(void);
/* Wakes up to n waiters of a word of current's space (clear_child_tid). */
int futex_wake_user(u32 __user *uaddr, bool shared, int n);

#endif
