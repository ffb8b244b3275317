/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the machine, for uname(2) and /proc/sys/kernel. */
#ifndef KERNEL_TASK_UTS_H
#define KERNEL_TASK_UTS_H

#include "kernel/uapi/system.h"

/* Copies of the whole field, NUL-terminated. May sleep. */
void uts_get_nodename(char out[UTS_LEN + 1]);
void uts_get_domainname(char out[UTS_LEN + 1]);
/* Cut at UTS_LEN. May sleep. */
void uts_set_nodename(const char *name);
void uts_set_domainname(const char *name);

#endif
