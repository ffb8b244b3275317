/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Committed memory: what programs were promised, whether they touch it or not.
 *
 * Private writable mappings count. Mode 0 refuses what could never be there,
 * mode 1 nothing, mode 2 what passes the ratio of all memory. The sum lies in
 * counters of the CPUs, which only mode 2 and /proc/meminfo add up.
 */
#include "lib/errno.h"
#include "mm/space_impl.h"
#include "percpu/counter.h"

DEFINE_COUNTER(committed_pages);
int overcommit_mode __read_mostly;
u32 overcommit_ratio __read_mostly = 50;

void
commit_add(s64 pages)
{
	counter_add(committed_pages, pages);
}

int
space_commit(s64 pages)
{
	return commit_charge(pages);
}

int
commit_charge(s64 pages)
{
	int mode = READ_ONCE(overcommit_mode);
	s64 total;

	commit_add(pages);
	if (pages <= 0 || mode == 1)
		return 0;
	total = (s64)pages_total();
	if (mode == 2
		    ? counter_sum(committed_pages) <= total / 100 * (s64)READ_ONCE(overcommit_ratio)
		    : pages <= total)
		return 0;
	commit_add(-pages);
	return -ENOMEM;
}
