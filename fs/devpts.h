/* SPDX-License-Identifier: BSD-2-Clause */
/* devpts inside fs/; what the terminals call is in kernel/port_fs.h. */
#ifndef FS_DEVPTS_H
#define FS_DEVPTS_H

#include "lib/types.h"

void devpts_init(void);
/* sysctl kernel.pty.max, kernel.pty.nr */
extern u32 devpts_max, devpts_count;

#endif
