/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathers: pages and tables that an operation has taken out, until all CPUs have
 * been made to forget them.
 *
 * A page with one reference is in the table's name alone: nobody can get another,
 * so it is linked by its own list entry. One that others have too may be freed by
 * them, so the reference must be kept beside it, in a small array.
 */
#include "mm/space_impl.h"

void
gather_init(struct gather *g, struct space *s)
{
	g->space = s;
	g->start = USER_END;
	g->end = 0;
	g->cpus = 0;
	g->pages = NULL;
	g->tables = NULL;
	g->n = 0;
}

/* Flushes the range so far, which may grow on, and frees. */
static void
gather_flush(struct gather *g)
{
	struct page *p;
	struct pt *t;
	u32 i;

	if (g->start < g->end && g->tables)
		tlb_flush_tables(g->space, g->start, g->end, g->cpus);
	else if (g->start < g->end)
		tlb_flush_range(g->space, g->start, g->end, g->cpus);
	while ((p = g->pages) != NULL) {
		g->pages = p->next;
		page_put(p);
	}
	for (i = 0; i < g->n; i++)
		page_put(g->shared[i]);
	g->n = 0;
	while ((t = g->tables) != NULL) {
		g->tables = t->next;
		atomic_sub(&g->space->tables, 1);
		pt_free_rcu(t);
	}
}

void
gather_page(struct gather *g, struct page *p)
{
	if (likely(atomic_read(&p->refs) == 1)) {
		p->next = g->pages;
		g->pages = p;
		return;
	}
	/* Others may drop theirs, so ours must be kept until the flush. */
	if (g->n == GATHER_SHARED)
		gather_flush(g);
	g->shared[g->n++] = p;
}

void
gather_table(struct gather *g, struct pt *t)
{
	t->next = g->tables;
	g->tables = t;
}

void
gather_finish(struct gather *g)
{
	gather_flush(g);
	g->start = USER_END;
	g->end = 0;
	g->cpus = 0;
}
