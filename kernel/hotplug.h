/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs that come and go while the kernel runs. kernel/hotplug.c tells the model. */
#ifndef KERNEL_HOTPLUG_H
#define KERNEL_HOTPLUG_H

#include "lib/types.h"

/*
 * Takes a CPU out of use, or starts one. 0, also when there was nothing to do;
 * -EINVAL: no such CPU is present; -EPERM: the boot CPU stays; -EBUSY: its
 * share is promised to deadline tasks, or it did not get to its idle task in
 * time; -EIO: it did not start; -ENOMEM; -EINTR. May sleep for some
 * milliseconds.
 */
int cpu_down(unsigned int cpu);
int cpu_up(unsigned int cpu);

/*
 * A possible CPU is plugged into the machine (and can be started by root), or is to be
 * pulled out: it is stopped first. 0, errors as above. May sleep.
 */
int cpu_plug(unsigned int cpu);
int cpu_unplug(unsigned int cpu);

/*
 * The idle loop of a CPU that sched_cpu_leave() named: the rest of its life, unless
 * it was called back meanwhile. Interrupts off.
 */
void cpu_die_oncpu(void);
/* How long a CPU that is to leave may take to its idle task; 10 s. */
extern u64 hotplug_patience_ns;

/* How often a CPU left and came. */
u64 hotplug_downs(void);
u64 hotplug_ups(void);

#endif
