/* SPDX-License-Identifier: BSD-2-Clause */
/* Injected allocation failures (mm/fail.c): kernels with CONFIG_FAIL_ALLOC only. */
#ifndef MM_FAIL_H
#define MM_FAIL_H

#include "config/config.h"
#include "mm/page.h"

/*
 * One of n allocations fails at random, on every CPU; 0: none, the state at
 * boot. The switch is kernel/alloc_fail.c.
 */
void fail_alloc_set(u32 n);
u32 fail_alloc_get(void);
/* kernel/alloc_fail.c: init runs; fail_alloc=N of the command line counts from now on. */
void alloc_fail_begin(void);
/* Failures injected so far. */
u64 fail_alloc_count(void);

bool fail_alloc_roll(gfp_t gfp);

static __always_inline bool
fail_alloc(gfp_t gfp)
{
	return CONFIG_FAIL_ALLOC && unlikely(fail_alloc_roll(gfp));
}

#endif
