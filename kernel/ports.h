/* SPDX-License-Identifier: BSD-2-Clause */
/* Work threads and timers behind the lower folders' ports. */
#ifndef KERNEL_PORTS_H
#define KERNEL_PORTS_H

/* Once, in task context, when all CPUs are online. */
void kernel_ports_init(void);

/* CPU hot-plug: the work thread of an inactive CPU stops between two items; returns when it has. */
void kernel_ports_park(unsigned int cpu);
/* It goes on, or is made if the CPU never had one. 0 or -Exxx. */
int kernel_ports_unpark(unsigned int cpu);
/* On the CPU that leaves: its own timers stop. Interrupts off. */
void kernel_ports_quit_oncpu(void);

#endif
