/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiler's checks for undefined operations (debug kernels; kernel/check/ubsan.c). */
#ifndef KERNEL_CHECK_UBSAN_H
#define KERNEL_CHECK_UBSAN_H

#include "lib/types.h"

enum ubsan_kind {
	UBSAN_OVERFLOW,
	UBSAN_DIVISION,
	UBSAN_SHIFT,
	UBSAN_BOUNDS,
	UBSAN_VALUE,
	UBSAN_NULL,
	UBSAN_ALIGNMENT,
	UBSAN_SIZE,
	UBSAN_BUILTIN,
	UBSAN_UNREACHABLE,
	UBSAN_VLA,
	UBSAN_NONNULL,
	UBSAN_KINDS
};

struct ubsan_report {
	enum ubsan_kind kind;
	const char *file;
	u32 line;
	/* The operands and what is wrong with them. */
	char text[128];
};

/*
 * Tests: reports of this CPU are kept, not written, from begin to end. end
 * returns how many there were, and the first one in *r. The caller is pinned.
 */
void ubsan_catch_begin(void);
u32 ubsan_catch_end(struct ubsan_report *r);

#endif
