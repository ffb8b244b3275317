/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the page allocator: in the kernel and on the host. */
#include "lib/string.h"
#include "lib/test.h"
#include "mm/page_impl.h"
#include "sync/test_port.h"

/*
 * Other threads of a running kernel allocate too, and CPUs keep the stacks of
 * threads that ended: a leak is more than this.
 */
#define SLACK (64 + 32 * test_cpus())
#define QUIET (GFP_KERNEL | GFP_NORETRY | GFP_NOWARN)

/* Writes the frame number at both ends of each page of a block, or checks it. */
static void
stamp(struct page *p)
{
	for (unsigned int i = 0; i < 1u << p->order; i++) {
		u64 *va = page_to_virt(&p[i]);

		va[0] = va[PAGE_SIZE / 8 - 1] = page_to_pfn(&p[i]);
	}
}

static bool
stamp_ok(struct page *p)
{
	for (unsigned int i = 0; i < 1u << p->order; i++) {
		u64 *va = page_to_virt(&p[i]);

		if (va[0] != page_to_pfn(&p[i]) || va[PAGE_SIZE / 8 - 1] != va[0])
			return false;
	}
	return true;
}

/* Who takes and gives back a few hundred pages again and again does so without the zone. */
TEST(page_chains_stay)
{
	static struct page *p[8 * 64];
	u32 n = pcp_batch * min(pcp_spares, 8U);
	u64 trips = 0;

	ASSERT_LE(n, ARRAY_SIZE(p));
	pin();
	for (unsigned int round = 0; round < 4; round++) {
		u64 before = this_cpu_read(pcp.refills) + this_cpu_read(pcp.spills);

		for (u32 i = 0; i < n; i++)
			p[i] = page_alloc(0, GFP_ATOMIC | GFP_NOWARN);
		for (u32 i = 0; i < n; i++)
			if (p[i] != NULL)
				page_put(p[i]);
		trips = this_cpu_read(pcp.refills) + this_cpu_read(pcp.spills) - before;
	}
	unpin();
	/* Interrupts come in between and use the same chains. */
	EXPECT_LE(trips, 2);
}

TEST(page_orders)
{
	for (unsigned int order = 0; order <= PAGE_MAX_ORDER; order++) {
		struct page *p = page_alloc(order, QUIET);

		/* A small machine may have no block as large. */
		if (p == NULL && order > 3)
			break;
		ASSERT_TRUE(p != NULL);
		EXPECT_EQ(p->refs, 1);
		EXPECT_EQ(p->order, order);
		EXPECT_EQ(p->type, PAGE_KERNEL);
		EXPECT_EQ(p->flags, 0);
		EXPECT_EQ(page_to_pfn(p) & ((1UL << order) - 1), 0);
		for (unsigned int i = 1; i < 1u << order; i++) {
			if (page_head(&p[i]) != p)
				test_note_failure();
		}
		stamp(p);
		EXPECT(stamp_ok(p));
		page_put(p);
	}
}

TEST(page_order_too_large)
{
	EXPECT(page_alloc(PAGE_MAX_ORDER + 1, QUIET) == NULL);
	EXPECT(page_alloc(60, QUIET) == NULL);
}

TEST(page_zeroed)
{
	for (unsigned int order = 0; order < 4; order++) {
		for (int round = 0; round < 2; round++) {
			struct page *p = page_alloc(order, QUIET | GFP_ZERO);

			ASSERT_TRUE(p != NULL);
			EXPECT(memchr_inv(page_to_virt(p), 0, PAGE_SIZE << order) == NULL);
			memset(page_to_virt(p), 0xff, PAGE_SIZE << order);
			page_put(p);
		}
	}
}

TEST(page_zero_and_copy)
{
	struct page *a = page_alloc(0, QUIET), *b = page_alloc(0, QUIET);
	u8 *pa, *pb;

	ASSERT_TRUE(a != NULL && b != NULL);
	pa = page_to_virt(a);
	pb = page_to_virt(b);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		pa[i] = (u8)(i * 7 + i / 256);
	memset(pb, 0x55, PAGE_SIZE);
	page_copy(pb, pa);
	EXPECT(memcmp(pa, pb, PAGE_SIZE) == 0);
	page_zero(pa);
	EXPECT(memchr_inv(pa, 0, PAGE_SIZE) == NULL);
	EXPECT_EQ(pb[1], 7);
	page_put(a);
	page_put(b);
}

TEST(page_references)
{
	struct page *p = page_alloc(0, QUIET);

	ASSERT_TRUE(p != NULL);
	page_get(p);
	EXPECT(page_try_get(p));
	EXPECT_EQ(p->refs, 3);
	page_put(p);
	page_put(p);
	EXPECT_EQ(p->refs, 1);
	EXPECT(page_lookup(page_to_pfn(p)) == p);
	page_put(p);
	EXPECT(page_lookup(1UL << 50) == NULL);
}

TEST(page_dma32)
{
	struct page *p = page_alloc(0, QUIET | GFP_DMA32);

	if (p == NULL)
		TEST_SKIP("no memory below 4 GiB");
	EXPECT(page_to_phys(p) < DMA32_END);
	page_put(p);
}

TEST(page_split_block)
{
	u64 before, after;

	pages_drain();
	before = pages_free();
	for (int round = 0; round < 256; round++) {
		struct page *p = page_alloc(3, QUIET);

		ASSERT_TRUE(p != NULL);
		page_split(p);
		for (unsigned int i = 0; i < 8; i++) {
			EXPECT_EQ(p[i].refs, 1);
			EXPECT_EQ(p[i].order, 0);
			EXPECT(page_head(&p[i]) == &p[i]);
		}
		for (unsigned int i = 0; i < 8; i++)
			page_put(&p[i ^ (unsigned int)round % 8]);
	}
	pages_drain();
	after = pages_free();
	EXPECT_LE(before, after + SLACK);
}

#define BLOCKS 256

TEST(page_blocks_do_not_overlap)
{
	static struct page *blocks[BLOCKS];
	u64 seed = 1, before, after;

	pages_drain();
	before = pages_free();
	for (int round = 0; round < 8; round++) {
		for (unsigned int i = 0; i < BLOCKS; i++) {
			blocks[i] = page_alloc(test_rand(&seed) % 4, QUIET);
			if (blocks[i] != NULL)
				stamp(blocks[i]);
		}
		for (unsigned int i = BLOCKS; i > 1; i--) {
			unsigned int k = test_rand(&seed) % i;

			swap(blocks[i - 1], blocks[k]);
		}
		for (unsigned int i = 0; i < BLOCKS; i++) {
			if (blocks[i] == NULL)
				continue;
			EXPECT(stamp_ok(blocks[i]));
			page_put(blocks[i]);
		}
	}
	pages_drain();
	after = pages_free();
	EXPECT_LE(before, after + SLACK);
}

/* --- torture: all CPUs allocate, hand over, free --- */

#define SHELF 64
static struct page *shelf[SHELF];

struct worker {
	struct test_thread *thread;
	u64 seed;
	u64 rounds;
	u64 failures;
	u64 bad;
};

static void
page_worker(void *arg)
{
	struct worker *w = arg;

	for (u64 i = 0; i < w->rounds; i++) {
		u64 r = test_rand(&w->seed);
		gfp_t gfp = r & 1 ? QUIET : GFP_ATOMIC | GFP_NOWARN;
		struct page *p = page_alloc(r % 64 == 0 ? r >> 8 & 3 : 0, gfp);

		if (p == NULL)
			w->failures++;
		else
			stamp(p);
		/* Whoever put the other one there, we free it here. */
		p = atomic_xchg(&shelf[r >> 16 & (SHELF - 1)], p);
		if (p != NULL) {
			w->bad += !stamp_ok(p);
			page_put(p);
		}
		if (i % 1024 == 0)
			test_yield();
	}
}

#define WORKERS_MAX 64

TEST(page_torture)
{
	static struct worker workers[WORKERS_MAX];
	unsigned int n = min(test_cpus() * 2, (unsigned int)WORKERS_MAX);
	u64 before, after, failures = 0;

	pages_drain();
	before = pages_free();
	for (unsigned int i = 0; i < n; i++) {
		workers[i] = (struct worker){.seed = i + 1, .rounds = 60000 / n};
		workers[i].thread = test_spawn(i, page_worker, &workers[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		test_join(workers[i].thread);
		failures += workers[i].failures;
		EXPECT_EQ(workers[i].bad, 0);
	}
	for (unsigned int i = 0; i < SHELF; i++) {
		if (shelf[i] != NULL)
			page_put(shelf[i]);
		shelf[i] = NULL;
	}
	pages_drain();
	after = pages_free();
	EXPECT_LE(before, after + SLACK);
	test_printf("# %lu requests failed\n", failures);
}
