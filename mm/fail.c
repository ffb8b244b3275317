/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation failures on request, at random here and by place in mm/fail_sites.c,
 * so that the paths behind them are walked.
 *
 * Model: each CPU has a generator (xorshift, 64 bits) of its own; an allocation
 * fails when its number falls into one of n parts. GFP_NOWARN allocations are
 * spared: their callers fall back on something dearer that must not fail. So are
 * pages of user memory and of files, as in Linux: a program that is killed at its
 * next page fault calls nothing.
 */
#include "mm/fail.h"

#include "percpu/counter.h"
#include "percpu/percpu.h"

static u32 one_in __read_mostly;
static DEFINE_PERCPU(u64, fail_state);
static DEFINE_COUNTER(fail_count);

void
fail_alloc_set(u32 n)
{
	WRITE_ONCE(one_in, n);
}

u32
fail_alloc_get(void)
{
	return READ_ONCE(one_in);
}

u64
fail_alloc_count(void)
{
	return (u64)counter_sum(fail_count);
}

/* Two tasks of a CPU may draw the same number: no matter. */
static u64
fail_draw(void)
{
	u64 x = this_cpu_read(fail_state);

	if (x == 0)
		x = 0x9e3779b97f4a7c15UL + cpu_id();
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	this_cpu_write(fail_state, x);
	return x >> 32;
}

static bool
spared(gfp_t gfp)
{
	return (gfp & (GFP_NOWARN | GFP_RESERVE)) || (gfp & GFP_USER) == GFP_USER;
}

static bool
fail_site_due(void)
{
	return CONFIG_FAIL_ALLOC && fail_sites_get() != FAIL_SITES_OFF && fail_site_reached();
}

bool
fail_alloc_roll(gfp_t gfp)
{
	u32 n = READ_ONCE(one_in);

	if (spared(gfp))
		return false;
	if (!fail_site_due() && (n == 0 || fail_draw() % n != 0))
		return false;
	counter_inc(fail_count);
	return true;
}
