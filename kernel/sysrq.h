/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders to the kernel by one letter (/proc/sysrq-trigger), and faults on purpose for tests. */
#ifndef KERNEL_SYSRQ_H
#define KERNEL_SYSRQ_H

/* Obeys `key`; an unknown one lists them all in the log. Task context, may not return. */
void sysrq_handle(char key);

/*
 * Does what `what` names (kernel/provoke.c lists them): the kernel faults, asserts
 * or stands still. 0 if that was survived, -EINVAL for an unknown name. May sleep.
 */
int provoke(const char *what);

#endif
