/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shrinkers: what can give memory back when there is none. They register
 * themselves: REGISTER(shrinkers) static const struct shrinker x = {...};
 */
#ifndef MM_RECLAIM_H
#define MM_RECLAIM_H

#include "lib/section.h"
#include "mm/page.h"

struct shrinker {
	const char *name;
	/*
	 * Frees about `pages` pages' worth of what is cached; returns how many were
	 * freed (a guess will do; 0: nothing can be). May sleep. The caller may hold
	 * any sleeping lock: take locks with try_ forms, allocate with GFP_ATOMIC.
	 */
	u64 (*shrink)(u64 pages);
};

DECLARE_REGISTRY(shrinkers, const struct shrinker);

/*
 * Frees memory as if `pages` were missing, without the OOM killer; for tests and
 * /proc/sys/vm/drop_caches. Pages gained. May sleep.
 */
u64 reclaim_run(u64 pages);

#endif
