/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the memory map: in a program of their own, since there is one map. */
#include <stdlib.h>
#include <sys/mman.h>

#include "config/config.h"
#include "lib/test.h"
#include "mm/memblock_impl.h"
#include "mm/mm_host.h"

#define MIB (1UL << 20)

static void __attribute__((constructor)) map_memory(void)
{
	if (mmap((void *)DIRECT_MAP_BASE, 4 * MIB, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		exit(2);
}

static void
expect_ram(unsigned int i, phys_t start, phys_t end, u32 node)
{
	const struct memrange *r = memblock_ram_range(i);

	ASSERT_TRUE(r != NULL);
	EXPECT_EQ(r->start, start);
	EXPECT_EQ(r->end, end);
	EXPECT_EQ(r->node, node);
}

TEST(memblock_unions)
{
	memblock_reset();
	memblock_add_ram(8 * MIB, 9 * MIB);
	memblock_add_ram(2 * MIB, 4 * MIB);
	memblock_add_ram(4 * MIB, 5 * MIB);
	memblock_add_ram(3 * MIB, 6 * MIB);
	memblock_add_ram(20 * MIB + 100, 21 * MIB + 100);
	/* Less than a page, empty, backwards, and around the end. */
	memblock_add_ram(30 * MIB + 1, 30 * MIB + 4096);
	memblock_add_ram(31 * MIB, 31 * MIB);
	memblock_add_ram(33 * MIB, 32 * MIB);
	memblock_add_ram(U64_MAX - 100, U64_MAX);
	expect_ram(0, 2 * MIB, 6 * MIB, 0);
	expect_ram(1, 8 * MIB, 9 * MIB, 0);
	expect_ram(2, 20 * MIB + 4096, 21 * MIB, 0);
	EXPECT(memblock_ram_range(3) == NULL);
	EXPECT_EQ(memblock_top(), 21 * MIB);
	EXPECT_EQ(memblock_ram_bytes(), 6 * MIB - 4096);
	memblock_add_ram(0, 100 * MIB);
	expect_ram(0, 0, 100 * MIB, 0);
	EXPECT(memblock_is_ram(0, 100 * MIB));
	EXPECT(!memblock_is_ram(0, 100 * MIB + 1));
	memblock_limit(50 * MIB + 5);
	expect_ram(0, 0, 50 * MIB, 0);
}

TEST(memblock_nodes)
{
	memblock_reset();
	memblock_add_ram(0, 64 * MIB);
	memblock_add_ram(128 * MIB, 192 * MIB);
	memblock_set_node(32 * MIB, 160 * MIB, 1);
	memblock_set_node(0, 1 * MIB, CONFIG_MAX_NODES);
	expect_ram(0, 0, 32 * MIB, 0);
	expect_ram(1, 32 * MIB, 64 * MIB, 1);
	expect_ram(2, 128 * MIB, 160 * MIB, 1);
	expect_ram(3, 160 * MIB, 192 * MIB, 0);
	memblock_set_node(0, U64_MAX, 2);
	expect_ram(0, 0, 32 * MIB, 2);
	expect_ram(3, 160 * MIB, 192 * MIB, 2);
}

TEST(memblock_free_ranges)
{
	struct memrange r;

	memblock_reset();
	memblock_add_ram(1 * MIB, 10 * MIB);
	memblock_reserve(0, 1 * MIB + 1);
	memblock_reserve(3 * MIB, 4 * MIB);
	memblock_reserve(10 * MIB - 1, 11 * MIB);
	ASSERT_TRUE(memblock_next_free(0, &r));
	EXPECT_EQ(r.start, 1 * MIB + 4096);
	EXPECT_EQ(r.end, 3 * MIB);
	ASSERT_TRUE(memblock_next_free(r.end, &r));
	EXPECT_EQ(r.start, 4 * MIB);
	EXPECT_EQ(r.end, 10 * MIB - 4096);
	EXPECT(!memblock_next_free(r.end, &r));
	EXPECT_EQ(memblock_reserved_bytes(), 1 * MIB + 2 * 4096);
}

TEST(memblock_allocates_from_the_top)
{
	u8 *a, *b, *c;

	memblock_reset();
	memblock_add_ram(1 * MIB, 4 * MIB);
	memblock_reserve(4 * MIB - 8192, 4 * MIB);
	a = memblock_alloc(4096, 4096);
	EXPECT(a == phys_to_virt(4 * MIB - 3 * 4096));
	b = memblock_alloc(100, 64);
	c = memblock_alloc(100, 64);
	EXPECT(c == b + 128);
	EXPECT(is_aligned((unsigned long)memblock_alloc(10000, 65536), 65536));
	EXPECT(memblock_try_alloc_raw(4 * MIB, 4096, 0) == NULL);
	EXPECT(memblock_try_alloc_raw(~0UL, 4096, 0) == NULL);
}

static void
alloc_too_much(void *arg)
{
	memblock_alloc(4 * MIB, 4096);
}

TEST(memblock_says_when_it_is_empty)
{
	const char *text = host_catch_panic(alloc_too_much, NULL);

	EXPECT(text != NULL);
}

TEST(memblock_too_many_ranges)
{
	memblock_reset();
	memblock_add_ram(0, 4096 * MIB);
	for (u64 i = 0; i < 2 * MEMBLOCK_MAX; i++)
		memblock_reserve(i * 2 * MIB + 65536 * (i % 3), i * 2 * MIB + MIB);
	/* All that was asked for is reserved, if more than that. */
	for (u64 i = 0; i < 2 * MEMBLOCK_MAX; i++) {
		struct memrange r;
		bool some = memblock_next_free(i * 2 * MIB + 65536 * (i % 3), &r);

		EXPECT(!some || r.start >= i * 2 * MIB + MIB);
	}
	memblock_reset();
	for (u64 i = 0; i < MEMBLOCK_MAX + 10; i++)
		memblock_add_ram(i * 2 * MIB, i * 2 * MIB + MIB);
	EXPECT_EQ(memblock_ram_bytes(), MEMBLOCK_MAX * MIB);
}
