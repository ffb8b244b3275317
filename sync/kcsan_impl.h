/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the watch for data races: what its three files share (sync/kcsan.c). */
#ifndef SYNC_KCSAN_IMPL_H
#define SYNC_KCSAN_IMPL_H

#include "lib/types.h"
#include "sync/kcsan.h"

#define KCSAN_FRAMES 16

/* One side of a race. */
struct kcsan_access {
	unsigned long addr;
	size_t size;
	unsigned long pc;
	u8 kind;
	/* by whom */
	unsigned int cpu;
	s32 tid;
	u32 pins;
	char name[16];
	/* the stack, innermost first, from pc */
	u32 frames;
	unsigned long pcs[KCSAN_FRAMES];
};

/* sync/kcsan.c: an access is about to be made. Any context. */
void kcsan_check(const volatile void *p, size_t size, u8 kind, unsigned long pc);
/* One of so many accesses is watched. */
extern u32 kcsan_often;

/* sync/kcsan_report.c: who and where; the rest is filled. Interrupts off. */
void kcsan_access_fill(struct kcsan_access *a);
/*
 * `mine` raced with `other`; NULL: with something that nobody told of, that has
 * changed the value from v[0] to v[1]. Interrupts off, this CPU's accesses are
 * not watched.
 */
void kcsan_report(const struct kcsan_access *mine, const struct kcsan_access *other, const u64 *v);

#endif
