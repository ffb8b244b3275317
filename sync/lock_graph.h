/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which class of locks was taken while which was held: a graph of classes that
 * debug kernels collect and /proc/tessera/locks shows. (sync/lock_graph.c)
 */
#ifndef SYNC_LOCK_GRAPH_H
#define SYNC_LOCK_GRAPH_H

#include "config/config.h"
#include "lib/types.h"
#include "sync/lockclass.h"

/* Classes that there is room for. */
#define LOCK_GRAPH_CLASSES 256u

struct lock_edge {
	const struct lock_class *held;
	const struct lock_class *taken;
	/* the first time: where the one that was held had been taken, and where the other was */
	unsigned long held_pc;
	unsigned long taken_pc;
	/* by a _nested form then */
	bool nested;
};

/* `e` has happened: kept if it is the first of its pair of classes. Any context. */
void lock_graph_add(const struct lock_edge *e);
/* The i-th class and edge, in no order; false: there are no more (yet). */
bool lock_graph_class(u32 i, const struct lock_class **class);
bool lock_graph_edge(u32 i, struct lock_edge *e);
/* The number of a class for lock_graph_class(). */
u32 lock_graph_number(const struct lock_class *class);
/* How often an edge was not kept, as there were too many of them or of classes. */
u32 lock_graph_lost(void);

#endif
