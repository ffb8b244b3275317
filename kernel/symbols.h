/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of kernel addresses: the table that tools/symbols makes at link time. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include "lib/types.h"

/* The function that addr lies in and the offset into it; NULL: none. Any context. */
const char *symbol_find(unsigned long addr, unsigned long *offset);

#endif
