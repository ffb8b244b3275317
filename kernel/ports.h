/* SPDX-License-Identifier: BSD-2-Clause */
/* Work threads and timers behind the lower folders' ports. */
#ifndef KERNEL_PORTS_H
#define KERNEL_PORTS_H

/* Once, in task context, when all CPUs are online. */
void kernel_ports_init(void);

#endif
