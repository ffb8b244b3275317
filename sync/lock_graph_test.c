/* SPDX-License-Identifier: BSD-2-Clause */
/* The graph of lock classes has room for all of them, and says so when it has not. */
#include "sync/lock_graph.h"

#include "lib/test.h"

#if CONFIG_DEBUG

TEST(lock_graph_has_room)
{
	const struct lock_class *class;
	u32 n = 0;

	for (; lock_graph_class(n, &class); n++)
		EXPECT_EQ(lock_graph_number(class), n);
	EXPECT_GT(n, 0);
	EXPECT_LE(n, LOCK_GRAPH_CLASSES);
}

TEST(lock_graph_counts_lost)
{
	const struct lock_class *first;
	struct lock_edge e = {0};
	u32 before = lock_graph_lost();

	ASSERT_TRUE(lock_graph_class(0, &first));
	/* Never looked at, only numbered. */
	e.held = first + LOCK_GRAPH_CLASSES;
	e.taken = first;
	lock_graph_add(&e);
	EXPECT_EQ(lock_graph_lost(), before + 1);
	e.held = first;
	e.taken = first + LOCK_GRAPH_CLASSES;
	lock_graph_add(&e);
	EXPECT_EQ(lock_graph_lost(), before + 2);
}

#endif
