/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The graph of lock classes.
 *
 * Model: a class is a node, numbered by its place in the section of classes; an
 * edge A -> B says that B was waited for while the same context held A. A matrix
 * of bits tells which edges there are, a list keeps them with the places of the
 * first time. sync/debug.c complains about a single edge that goes down in rank;
 * who has the whole graph can look for what no edge shows alone: cycles among
 * classes of one rank, and a class that is used with interrupts on behind one
 * that interrupts take (tools/locks).
 *
 * Ownership: nothing is removed. Who sets a bit of the matrix owns its edge and
 * fills a slot of the list, which is there when its `held` is set (release). What
 * has no room is counted; tools/locks then fails, and so does lock_graph_test.c.
 *
 * Contexts: any.
 */
#include "sync/lock_graph.h"

#if CONFIG_DEBUG

#include "arch/x86_64/asm/atomic.h"
#include "lib/section.h"

#define EDGES_MAX 4096u

DECLARE_REGISTRY(lock_classes, const struct lock_class);

/* a */
static unsigned long seen[LOCK_GRAPH_CLASSES][BITS_TO_LONGS(LOCK_GRAPH_CLASSES)];
static struct lock_edge edges[EDGES_MAX];
/* a  slots that were given out; edges without a slot or without a place in the matrix */
static u32 nr_edges;
static u32 nr_lost;

u32
lock_graph_number(const struct lock_class *class)
{
	return (u32)(class - __start_reg_lock_classes);
}

void
lock_graph_add(const struct lock_edge *e)
{
	u32 from = lock_graph_number(e->held), to = lock_graph_number(e->taken), at;
	unsigned long *word;

	if (from >= LOCK_GRAPH_CLASSES || to >= LOCK_GRAPH_CLASSES) {
		atomic_inc(&nr_lost);
		return;
	}
	word = &seen[from][to / BITS_PER_LONG];
	if (likely(READ_ONCE(*word) & BIT(to % BITS_PER_LONG)) ||
	    (atomic_fetch_or(word, BIT(to % BITS_PER_LONG)) & BIT(to % BITS_PER_LONG)))
		return;
	at = atomic_fetch_add(&nr_edges, 1);
	if (at >= EDGES_MAX) {
		atomic_sub(&nr_edges, 1);
		atomic_inc(&nr_lost);
		return;
	}
	edges[at].taken = e->taken;
	edges[at].held_pc = e->held_pc;
	edges[at].taken_pc = e->taken_pc;
	edges[at].nested = e->nested;
	smp_store_release(&edges[at].held, e->held);
}

bool
lock_graph_class(u32 i, const struct lock_class **class)
{
	if (i >= (size_t)(__stop_reg_lock_classes - __start_reg_lock_classes))
		return false;
	*class = &__start_reg_lock_classes[i];
	return true;
}

bool
lock_graph_edge(u32 i, struct lock_edge *e)
{
	if (i >= min(atomic_read(&nr_edges), EDGES_MAX) || !smp_load_acquire(&edges[i].held))
		return false;
	*e = edges[i];
	return true;
}

u32
lock_graph_lost(void)
{
	return atomic_read(&nr_lost);
}

#endif
