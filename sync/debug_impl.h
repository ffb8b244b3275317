/* SPDX-License-Identifier: BSD-2-Clause */
/* What spinning locks of debug kernels tell sync/debug.c. The caller is pinned. */
#ifndef SYNC_DEBUG_IMPL_H
#define SYNC_DEBUG_IMPL_H

#include "lib/types.h"
#include "sync/debug.h"

/* About to be taken: the rank rule. */
void spin_debug_before(const struct lock_class *class, bool nested, unsigned long pc);
/* Taken or about to be: the interrupt rule; usage: the class's LOCK_USED_* bits. */
void spin_debug_usage(u32 *usage, const struct lock_class *class);
void spin_debug_acquired(const void *lock, const struct lock_class *class, unsigned long pc);
/* Stops the kernel when this CPU does not hold it. */
void spin_debug_released(const void *lock);
/* Waited for too long. */
void spin_debug_stuck(const struct lock_class *class, unsigned int cpu, unsigned long pc);
/*
 * A report is written by this CPU: the locks it takes for that are not checked.
 * False: one is being written already. Any context; pinned until the end.
 */
bool lock_report_begin(void);
void lock_report_end(void);
/* Reports when anything is held. */
void locks_held_report(const char *where);

#endif
