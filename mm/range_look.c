/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at what addresses are: run by run, one table's lock at a time. */
#include "mm/space_impl.h"

/*
 * Looks at the addresses of t from *va on that t itself has; moves *va behind
 * them. True: a run was found.
 */
static bool
next_in_table(const struct pt *t, unsigned long *va, unsigned long end, struct run *out)
{
	unsigned long stop = min(end, pt_end(t));
	unsigned int i;

	if (t->level > 0) {
		i = slot_index(*va, t->level);
		/* Where the next table below begins; a large page is ours. */
		while ((i = pt_next(t, i, PTE_COUNT)) < PTE_COUNT && !entry_is_table(t->table[i]))
			i++;
		if (i < PTE_COUNT)
			stop = min(stop, slot_base(t, i));
	}
	i = runs_at(t, *va);
	if (i == t->nr_runs || t->runs[i].start >= stop) {
		*va = stop;
		return false;
	}
	out->start = max(t->runs[i].start, *va);
	out->end = min(t->runs[i].end, stop);
	out->meta = t->runs[i].meta;
	*va = out->end;
	return true;
}

bool
space_next_run(struct space *s, unsigned long va, unsigned long end, struct run *out, bool hold)
{
	bool found = false;
	struct pt *t;

	while (va < end && !found) {
		if (space_has_fine(s)) {
			if (fine_next_run(s, &va, end, out) == FINE_RUN)
				return true;
			if (va >= end)
				break;
		}
		/* It may become fine while its lock is waited for, and is to remain so. */
		t = pt_try_lock_walk(s, va, 0);
		if (unlikely(!t))
			continue;
		found = next_in_table(t, &va, end, out);
		if (found && hold)
			meta_hold(out->meta, 1);
		pt_unlock(t);
	}
	return found;
}

bool
range_is_free(struct space *s, unsigned long start, unsigned long end)
{
	struct run r;

	return !space_next_run(s, start, end, &r, false);
}
