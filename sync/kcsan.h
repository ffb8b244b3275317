/* SPDX-License-Identifier: BSD-2-Clause */
/* The watch for data races (KCSAN kernels; sync/kcsan.c tells the model). */
#ifndef SYNC_KCSAN_H
#define SYNC_KCSAN_H

#include "config/config.h"
#include "lib/types.h"

/* Once, when all CPUs of the start run: from here on accesses are watched. */
#if CONFIG_KCSAN
void kcsan_start(void);
#else
#define kcsan_start() ((void)0)
#endif

/*
 * Tests: races about [start, start + size) are counted and not written, and one
 * of `often` accesses is watched, until the end; that returns how many there
 * were. One test at a time.
 */
struct kcsan_catch {
	unsigned long start;
	size_t size;
	u32 often;
	/* a */
	u32 races;
	/* the last one: what its two sides were (KCSAN_*); that of unknown origin has one */
	u8 kinds[2];
	unsigned long pcs[2];
};
void kcsan_catch_begin(struct kcsan_catch *c);
u32 kcsan_catch_end(struct kcsan_catch *c);

/* Kinds of accesses, or-ed. */
#define KCSAN_WRITE 1u
#define KCSAN_MARKED 2u

#endif
