/* SPDX-License-Identifier: BSD-2-Clause */
/* What procfs and sysfs ask of the machine. Defined in arch/x86_64/proc_port.c. */
#ifndef FS_PROC_PORT_H
#define FS_PROC_PORT_H

#include "lib/types.h"

struct seq;

/* The paragraph of one CPU in /proc/cpuinfo. */
void arch_show_cpuinfo(struct seq *s, unsigned int cpu);
/* /proc/interrupts, and their sum for /proc/stat. */
void arch_show_interrupts(struct seq *s);
u64 arch_interrupts_total(void);

#endif
