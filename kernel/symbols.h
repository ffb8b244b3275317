/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of kernel addresses: the table that tools/symbols makes at link time. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include "lib/types.h"

/* The function that addr lies in and the offset into it; NULL: none. Any context. */
const char *symbol_find(unsigned long addr, unsigned long *offset);
/* The same with the bytes of the function. */
const char *symbol_find_size(unsigned long addr, unsigned long *offset, unsigned long *size);

struct symbol {
	unsigned long address;
	/* The letter of nm(1). */
	char kind;
	const char *name;
};

/* The i-th symbol of the kernel's image, data included; false: there are no more. */
bool symbol_at(u64 i, struct symbol *s);

#endif
