/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when no zone has the pages that somebody needs.
 *
 * Model: in order: pages that other CPUs hold in their lists, shrinkers (caches
 * of file systems, the page cache), empty slabs and magazines. The gain is what
 * the zones have more at the end, not what the shrinkers say.
 *
 * Locking: one task does it at a time (`running`); who comes second waits and
 * looks again first. Shrinkers only try locks, so that waiting for the one who
 * runs them cannot close a circle.
 *
 * Contexts: may sleep.
 */
#include "mm/reclaim.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "mm/meminfo.h"
#include "mm/page_impl.h"
#include "mm/port.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "sync/mutex.h"

/* Free a bit more than is asked for: the next request comes soon. */
#define RECLAIM_MIN 32UL

static __maybe_unused LOCK_CLASS(reclaim_class, RANK_SLEEPING_LAST);
static struct mutex running = MUTEX_INIT(running, reclaim_class);

u64
reclaim_run(u64 pages)
{
	const struct shrinker *s;
	u64 before = pages_free(), after;

	mm_stat_inc(MM_RECLAIM_RUNS);
	pcp_drain_all();
	for_each_registered(shrinkers, s) {
		if (s->shrink(pages) >= pages)
			break;
	}
	slab_shrink();
	pcp_drain_all();
	after = pages_free();
	if (after <= before)
		return 0;
	mm_stat_add(MM_RECLAIMED, (s64)(after - before));
	return after - before;
}

/* Is there a block that an ordinary request may take? */
static bool
block_free(unsigned int order)
{
	for (unsigned int i = 0; i < ZONES_MAX; i++) {
		const struct zone *z = &zones[i];

		if (READ_ONCE(z->nr_free) > z->reserve + (1UL << order) &&
		    (READ_ONCE(z->mask) >> order != 0 || READ_ONCE(z->nr_fresh) != 0))
			return true;
	}
	return false;
}

u64
reclaim_pages(unsigned int order, gfp_t gfp)
{
	u64 want = max(RECLAIM_MIN, 2UL << order);
	u64 gained;

	/* A shrinker that allocates: not again. */
	if (mutex_held(&running))
		return 0;
	if (!mutex_try_lock(&running)) {
		mutex_lock(&running);
		if (block_free(order)) {
			mutex_unlock(&running);
			return 1;
		}
	}
	gained = reclaim_run(want);
	/* Lists of other CPUs went to the zones: that gains nothing but helps. */
	if (gained == 0 && block_free(order))
		gained = 1;
	mutex_unlock(&running);
	return gained;
}
