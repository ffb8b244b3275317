/* SPDX-License-Identifier: BSD-2-Clause */
/* Places for mappings: free ones, the same ones again, other ones on other CPUs. */
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/space_impl.h"
#include "sync/test_port.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define MANY 200u

static long
map(struct space *s, unsigned long hint, size_t pages, u32 flags)
{
	return space_map(s, hint, pages * PAGE_SIZE, RW, ANON | flags, NULL);
}

/* How many ranges of n overlap another. */
static u64
overlaps(const unsigned long *at, const size_t *pages, unsigned int n)
{
	u64 bad = 0;

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			bad += at[i] < at[k] + pages[k] * PAGE_SIZE &&
			       at[k] < at[i] + pages[i] * PAGE_SIZE;
	return bad;
}

TEST(arena_ranges_are_free)
{
	static unsigned long at[MANY];
	static size_t pages[MANY];
	struct space *s = space_create();
	u64 seed = 5;

	ASSERT_TRUE(s != NULL);
	for (unsigned int round = 0; round < 4; round++) {
		/* A third goes and comes again with other lengths. */
		for (unsigned int i = 0; i < MANY; i++) {
			if (round && (i + round) % 3)
				continue;
			if (round)
				EXPECT_EQ(space_unmap(s, at[i], pages[i] * PAGE_SIZE), 0);
			pages[i] = test_rand(&seed) % 40 + 1;
			at[i] = (unsigned long)map(s, 0, pages[i], 0);
			EXPECT(at[i] < USER_END && is_aligned(at[i], PAGE_SIZE));
		}
		EXPECT_EQ(overlaps(at, pages, MANY), 0);
	}
	for (unsigned int i = 0; i < MANY; i++)
		EXPECT_EQ(space_unmap(s, at[i], pages[i] * PAGE_SIZE), 0);
	EXPECT_EQ(arena_total(s), 0);
	EXPECT(range_is_free(s, 0, USER_END));
	space_put_user(s);
}

TEST(arena_loop_stays)
{
	struct space *s = space_create();
	long first, keep;

	ASSERT_TRUE(s != NULL);
	keep = map(s, 0, 3, 0);
	first = map(s, 0, 2, 0);
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(space_unmap(s, (unsigned long)first, 2 * PAGE_SIZE), 0);
		EXPECT_EQ(map(s, 0, 2, 0), first);
	}
	EXPECT_EQ(space_unmap(s, (unsigned long)keep, 3 * PAGE_SIZE), 0);
	space_put_user(s);
}

TEST(arena_hints)
{
	struct space *s = space_create();
	long a, b;

	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(map(s, 5UL << 30, 4, 0), 5L << 30);
	a = map(s, 5UL << 30, 4, 0);
	EXPECT(a > 0 && a != 5L << 30);
	/* Not on a page's border: the page. */
	EXPECT_EQ(map(s, (6UL << 30) + 5, 1, 0), 6L << 30);
	b = map(s, 0, 10, MAP_32BIT);
	EXPECT(b >= 0x40000000 && b + 10 * (long)PAGE_SIZE <= 0x80000000L);
	EXPECT_EQ(map(s, 0, (0x40000000 >> PAGE_SHIFT) - 9, MAP_32BIT), -ENOMEM);
	EXPECT_EQ(map(s, 0, USER_END >> PAGE_SHIFT, 0), -ENOMEM);
	/* The largest that fits, and nothing breaks when it is used up. */
	EXPECT(map(s, 0, (64UL << 40) >> PAGE_SHIFT, MAP_NORESERVE) > 0);
	EXPECT_EQ(map(s, 0, (64UL << 40) >> PAGE_SHIFT, MAP_NORESERVE), -ENOMEM);
	EXPECT(map(s, 0, 1, 0) > 0);
	space_put_user(s);
}

#define MAPPERS_MAX 8u
#define EACH 30u

struct mapper {
	struct test_thread *thread;
	struct space *space;
	unsigned long at[EACH];
};

static void
mapper_run(void *arg)
{
	struct mapper *m = arg;

	test_use_space(m->space);
	for (unsigned int i = 0; i < EACH; i++)
		m->at[i] = (unsigned long)map(m->space, 0, 5, 0);
	test_use_space(NULL);
}

/* Mappings made on two CPUs lie in different GiBs: they share no table but the upper ones. */
TEST(arena_cpus_apart)
{
	static struct mapper m[MAPPERS_MAX];
	unsigned int n = min(test_cpus(), MAPPERS_MAX);
	struct space *s = space_create();
	u64 bad = 0;

	ASSERT_TRUE(s != NULL);
	for (unsigned int i = 0; i < n; i++) {
		m[i].space = s;
		space_get_user(s);
		m[i].thread = test_spawn(i, mapper_run, &m[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		test_join(m[i].thread);
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			for (unsigned int e = 0; e < EACH * EACH; e++)
				bad += m[i].at[e / EACH] >> HUGE_SHIFT ==
				       m[k].at[e % EACH] >> HUGE_SHIFT;
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(arena_total(s), n * EACH * 5);
	space_put_user(s);
}
