/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mm/ needs from the folders above it, and what the two halves of mm/ ask
 * of each other across a link-time seam (so that the physical half can be built
 * on the host without the other).
 */
#ifndef MM_PORT_H
#define MM_PORT_H

#include "lib/types.h"
#include "mm/page.h"

struct task;

/* --- kernel/ (log.c, panic.c) --- */
/* One record of the kernel log; level as syslog(3), 0 to 7. Any context. */
void mm_port_log(int level, const char *fmt, ...) __printf(2, 3);
/* Stops the machine with a message: out of memory at boot, corrupt allocator. */
void mm_port_panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;
/*
 * True when the current task has been chosen by the OOM killer (or is being
 * killed) and may dip into the reserves so that it can end. False before the
 * scheduler exists. Any context.
 */
bool mm_port_task_dying(void);

/* --- arch/x86_64 --- */
/* NUMA node of a CPU, 0 if the firmware does not say. */
unsigned int mm_port_cpu_node(unsigned int cpu);

/* Return addresses of who is running, innermost first, without the caller's own: how many. */
unsigned int mm_port_callers(unsigned long *pcs, unsigned int n);

/* --- kernel/alloc_fail.c --- */
/* Is the current task one that drives the failing of allocations and shall not meet it? */
bool mm_port_fail_spared(void);

/* --- kernel/oom.c --- */
/*
 * Nothing is left to reclaim for an allocation of 2^order pages: kills a
 * program and logs which and why. True: something is dying, try again. May sleep.
 */
bool mm_port_oom_kill(unsigned int order, gfp_t gfp);

#endif
