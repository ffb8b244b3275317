/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPU hot-plug (kernel/hotplug.c) asks of the scheduler. */
#ifndef KERNEL_SCHED_HOTPLUG_H
#define KERNEL_SCHED_HOTPLUG_H

/* 0 or -EBUSY: what deadline tasks were promised does not fit on the CPUs that are active. */
int sched_check_bandwidth(void);
/* Not active since a grace period: the CPU runs its idle task only from now on. */
void sched_cpu_leave(unsigned int cpu);
/* It has not got to its idle task, and shall not any more. */
void sched_cpu_stay(unsigned int cpu);
/* In its idle loop, interrupts off: its tasks go to other CPUs; its timers stop. */
void sched_give_away_oncpu(void);
void sched_cpu_quit_oncpu(void);
/* Before it starts again. */
void sched_cpu_prepare(unsigned int cpu);

#endif
