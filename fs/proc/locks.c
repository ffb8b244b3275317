/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/tessera/locks: the graph of lock classes, in debug kernels, for tools/locks.
 *
 *      class NUMBER NAME RANK USE
 *      edge FROM TO HELD-AT TAKEN-AT [nested]
 *      lost N
 *
 * USE has four letters or dashes: h taken in hard interrupts, s in softirqs, H
 * with interrupts on, S with softirqs on. The places are those of the first time.
 */
#include "fs/proc/proc.h"
#include "sync/lock_graph.h"

static void
show_class(struct seq *s, u32 i, const struct lock_class *c)
{
	u32 use = READ_ONCE(*c->usage);

	seq_printf(s, "class %u %s %u %c%c%c%c\n", i, c->name, c->rank,
		   use & LOCK_USED_HARDIRQ ? 'h' : '-', use & LOCK_USED_SOFTIRQ ? 's' : '-',
		   use & LOCK_USED_HARDIRQ_ON ? 'H' : '-', use & LOCK_USED_SOFTIRQ_ON ? 'S' : '-');
}

static int
show_locks(struct seq *s)
{
	const struct lock_class *c;
	struct lock_edge e;

	for (u32 i = 0; lock_graph_class(i, &c); i++)
		show_class(s, i, c);
	for (u32 i = 0; lock_graph_edge(i, &e); i++)
		seq_printf(s, "edge %u %u %pS %pS%s\n", lock_graph_number(e.held),
			   lock_graph_number(e.taken), (void *)(e.held_pc - 1),
			   (void *)(e.taken_pc - 1), e.nested ? " nested" : "");
	seq_printf(s, "lost %u\n", lock_graph_lost());
	return 0;
}
PROC_FILE(locks, "tessera/locks", 0400, show_locks);
