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

/* --- by place: mm/fail_sites.c --- */

/* Return addresses that tell a place, innermost first; zero behind the last. */
#define FAIL_SITE_DEPTH 6

enum fail_mode {
	FAIL_SITES_OFF,
	/* Places are noted and counted. */
	FAIL_SITES_COUNT,
	/* And each fails the first time that a task reaches it which is not spared. */
	FAIL_SITES_EACH,
};

struct fail_site {
	u64 hits;
	u32 failed;
	unsigned long pcs[FAIL_SITE_DEPTH];
};

void fail_sites_set(enum fail_mode mode);
enum fail_mode fail_sites_get(void);
/* Forgets which have failed, so that each fails again. */
void fail_sites_again(void);
/* The place with this number; false: there is none (yet). Numbers begin at 0 and have gaps. */
bool fail_site_get(u32 number, struct fail_site *s);
u32 fail_sites_max(void);
/* Allocations whose place found no room in the table. */
u64 fail_sites_lost(void);
/* That place fails once, the next time it is reached by whomever. -EINVAL. */
int fail_site_arm(u32 number);

bool fail_site_reached(void);

static __always_inline bool
fail_alloc(gfp_t gfp)
{
	return CONFIG_FAIL_ALLOC && unlikely(fail_alloc_roll(gfp));
}

#endif
