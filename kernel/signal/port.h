/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/signal needs from fs/. */
#ifndef KERNEL_SIGNAL_PORT_H
#define KERNEL_SIGNAL_PORT_H

#include "lib/types.h"

struct file;

/* fs/open.c: a new handle with one reference, from the root and directory of current; err_ptr. */
struct file *file_open(const char *name, u32 flags, u32 mode);

#endif
