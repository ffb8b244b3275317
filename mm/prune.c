/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables that nothing is left in.
 *
 * Model: an unmapping that covers a table takes it along (range.c). One that
 * takes the last run of a table lets it stand, because a loop of mmap and munmap
 * would make it anew each time; but it is noted, once between two sweeps. When
 * the tables noted are more than a few and an eighth of all, a sweep goes over
 * the space, level by level from below, and unlinks what is empty. So a table
 * costs its share of a sweep once, and at most an eighth of a space's tables are
 * empty, or a few.
 *
 * Locking: a sweep holds the lock of one table above the leaves at a time, and
 * below it that of one table that looked empty. It unlinks as range.c does.
 *
 * Contexts: may sleep (the caller of a sweep: flushes interrupt other CPUs).
 */
#include "mm/space_impl.h"

#define PRUNE_MIN 8L

static bool
is_empty(const struct pt *t)
{
	return t->nr_runs == 0 && (t->level == 0 || pt_next(t, 0, PTE_COUNT) == PTE_COUNT);
}

u32
prune_note(struct pt *t)
{
	u32 sweeps = READ_ONCE(t->space->sweeps);

	if (!is_empty(t) || t->emptied == sweeps || t->level == PT_ROOT)
		return 0;
	t->emptied = sweeps;
	return 1;
}

void
pt_unlink(struct pt *t, unsigned int i, struct pt *c, struct gather *g)
{
	if (c->counted)
		runs_fold(c);
	if (c->unfolded)
		pt_fold_rss(c);
	c->stale = true;
	WRITE_ONCE(t->table[i], 0);
	pt_unmark(t, i);
	gather_range(g, c, c->base, pt_end(c));
	if (c->level == 0)
		views_unlink(c->space, c->cpus, c->base);
	gather_table(g, c);
}

/* The empty tables right below t, which is locked. */
static void
sweep_table(struct pt *t, struct gather *g)
{
	unsigned int i;
	struct pt *c;

	for_each_present(i, t, 0, PTE_COUNT) {
		if (!entry_is_table(t->table[i]) || READ_ONCE(pt_child(t->table[i])->nr_runs))
			continue;
		c = pt_lock_present(t, i);
		if (is_empty(c))
			pt_unlink(t, i, c, g);
		pt_unlock(c);
	}
}

/* All tables below those of this level. */
static void
sweep_level(struct space *s, unsigned int level)
{
	unsigned long va = 0;
	struct gather g;
	struct pt *t;

	while (va < USER_END) {
		gather_init(&g, s);
		t = pt_lock_walk(s, va, level);
		if (t->level == level)
			sweep_table(t, &g);
		va = pt_behind(t, va, level);
		pt_unlock(t);
		gather_finish(&g);
	}
}

void
prune_emptied(struct space *s, u32 n)
{
	s64 sum = atomic_add_return(&s->emptied, (s64)n);

	if (sum < max(PRUNE_MIN, atomic_read(&s->tables) / 8))
		return;
	/* Of two who come here at once one sweeps. */
	if (!atomic_xchg(&s->emptied, 0L))
		return;
	atomic_add(&s->sweeps, 1u);
	for (unsigned int level = 1; level <= PT_ROOT; level++)
		sweep_level(s, level);
}
