/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the page allocator that need a whole machine: exhaustion, levels, zones, reclaim. */
#include "lib/test.h"
#include "mm/memblock.h"
#include "mm/mm_host.h"
#include "mm/page_impl.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "percpu/pin.h"

#define QUIET (GFP_KERNEL | GFP_NORETRY | GFP_NOWARN)

/* A cache that a shrinker empties. */
static struct page *cached;
static u64 shrink_calls;

static u64
shrink(u64 pages)
{
	u64 n = 0;

	shrink_calls++;
	while (cached != NULL && n < pages) {
		struct page *p = cached;

		cached = (struct page *)p->private[0];
		page_put(p);
		n++;
	}
	return n;
}

REGISTER(shrinkers) static const struct shrinker test_shrinker = {.name = "test", .shrink = shrink};

/* Takes pages until there are none; they are linked by private[0]. */
static u64
take_all(gfp_t gfp, unsigned int order, struct page **list)
{
	struct page *p;
	u64 n = 0;

	while ((p = page_alloc(order, gfp)) != NULL) {
		p->private[0] = (u64)*list;
		*list = p;
		n += 1UL << order;
	}
	return n;
}

static void
give_all(struct page *list)
{
	while (list != NULL) {
		struct page *p = list;

		list = (struct page *)p->private[0];
		page_put(p);
	}
}

TEST(pages_exhaustion_and_back)
{
	u64 before, left, n, atomic_n;
	struct page *list = NULL;

	host_release_irq_memory();
	slab_shrink();
	pages_drain();
	before = pages_free();
	n = take_all(QUIET, 0, &list);
	left = pages_free();
	EXPECT_GT(n, before / 2);
	EXPECT_LE(left, pages_reserve() + 4);
	EXPECT_GE(left, pages_reserve() - 4);
	atomic_n = take_all(GFP_ATOMIC | GFP_NOWARN, 0, &list);
	EXPECT_GT(atomic_n, left / 4);
	EXPECT_GT(pages_free(), 0);
	take_all(GFP_KERNEL | GFP_RESERVE | GFP_NOWARN, 0, &list);
	EXPECT_EQ(pages_free(), 0);
	give_all(list);
	pages_drain();
	EXPECT_EQ(pages_free(), before);
}

TEST(pages_merge_back)
{
	struct page *list = NULL;
	u64 n, again;

	pages_drain();
	n = take_all(QUIET, PAGE_MAX_ORDER, &list);
	give_all(list);
	list = NULL;
	take_all(QUIET, 0, &list);
	give_all(list);
	pages_drain();
	list = NULL;
	again = take_all(QUIET, PAGE_MAX_ORDER, &list);
	give_all(list);
	/* All frames were single pages in between: nothing stays in pieces. */
	EXPECT_EQ(n, again);
	EXPECT_GT(n, 0);
}

TEST(pages_nodes)
{
	for (unsigned int node = 0; node < 2; node++) {
		struct page *p = page_alloc_node(node, 0, QUIET);

		ASSERT_TRUE(p != NULL);
		EXPECT_EQ(p->node, node);
		page_put(p);
	}
}

TEST(pages_dma32_in_a_machine_with_more)
{
	struct page *list = NULL, *p;

	take_all(QUIET | GFP_DMA32, 0, &list);
	for (p = list; p != NULL; p = (struct page *)p->private[0])
		EXPECT(page_to_phys(p) < DMA32_END);
	give_all(list);
}

TEST(pages_shrinker_is_asked)
{
	struct page *list = NULL, *p;
	u64 calls = shrink_calls, oom = host_oom_calls();

	take_all(QUIET, 0, &list);
	cached = list;
	p = page_alloc(0, GFP_KERNEL | GFP_NOWARN);
	EXPECT(p != NULL);
	if (p != NULL)
		page_put(p);
	EXPECT_GT(shrink_calls, calls);
	EXPECT_EQ(host_oom_calls(), oom);
	give_all(cached);
	cached = NULL;
}

TEST(pages_oom_is_last)
{
	struct page *list = NULL;
	u64 oom = host_oom_calls();

	take_all(QUIET, 0, &list);
	EXPECT(page_alloc(0, GFP_USER | GFP_NOWARN) == NULL);
	EXPECT_EQ(host_oom_calls(), oom + 1);
	EXPECT(page_alloc(0, GFP_USER | GFP_NOWARN | GFP_NORETRY) == NULL);
	EXPECT_EQ(host_oom_calls(), oom + 1);
	/* Nobody may sleep: no reclaim, no killing (debug kernels report the caller). */
	if (!CONFIG_DEBUG) {
		pin();
		EXPECT(page_alloc(0, GFP_KERNEL | GFP_NOWARN) == NULL);
		unpin();
	}
	EXPECT_EQ(host_oom_calls(), oom + 1);
	give_all(list);
}

TEST(pages_free_reserved)
{
	u64 free, total = pages_total();

	pages_drain();
	free = pages_free();
	/* Part of what boot reserved, with odd ends: three whole pages. */
	mm_free_reserved(0x100800, 0x104800);
	pages_drain();
	EXPECT_EQ(pages_free(), free + 3);
	EXPECT_EQ(pages_total(), total + 3);
}
