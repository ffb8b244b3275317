/* SPDX-License-Identifier: BSD-2-Clause */
/* What procfs and sysfs ask of the machine. Defined in arch/x86_64/proc_port.c. */
#ifndef FS_PROC_PORT_H
#define FS_PROC_PORT_H

#include "lib/types.h"

struct seq;
struct task;

/* The paragraph of one CPU in /proc/cpuinfo. */
void arch_show_cpuinfo(struct seq *s, unsigned int cpu);
/*
 * Return addresses of a task that does not run, innermost first: how many. Any may be
 * wrong if it runs meanwhile. The caller holds a reference.
 */
unsigned int arch_stack_trace(struct task *t, unsigned long *pcs, unsigned int n);
/* Does an address belong to what makes tasks sleep (the scheduler, locks), not to who sleeps? */
bool arch_in_sched_text(unsigned long pc);
/* /proc/interrupts, and their sum for /proc/stat. */
void arch_show_interrupts(struct seq *s);
u64 arch_interrupts_total(void);

#endif
