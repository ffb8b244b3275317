/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of boot: the root file system is filled and the first program started. */
#ifndef FS_INIT_H
#define FS_INIT_H

#include "lib/types.h"

/*
 * Unpacks archives (newc; plain, gzip or zstd; several one behind another) into
 * the root. Errors are log lines; what came before them stays. May sleep. The
 * caller gives the memory back afterwards. 0 or the first error.
 */
int initramfs_unpack(const void *data, size_t n);

/*
 * Run by the first task (pid 1): opens /dev/console as 0, 1, 2 and starts
 * rdinit=, init= or the first of the usual programs. Returns when the task is
 * ready to go to user mode; panics when there is no program.
 */
void kernel_init_user(void);

#endif
