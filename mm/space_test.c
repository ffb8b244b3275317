/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces as a whole: their life, what fork shares and copies, limits and
 * figures, and that everything comes back to the last page.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "percpu/counter.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT (9UL << 30)

/* What spaces hold of the machine. */
struct held {
	u64 anon, tables, mapped, locked;
	s64 committed;
};

static struct held
held_now(void)
{
	rcu_barrier();
	return (struct held){
		.anon = page_level(PAGE_ANON),
		.tables = page_level(PAGE_TABLE),
		.mapped = mm_stat_sum(MM_MAPPED),
		.locked = mm_stat_sum(MM_MLOCKED),
		.committed = counter_sum(committed_pages),
	};
}

static void
held_check(const struct held *a)
{
	struct held b = held_now();

	EXPECT_EQ(b.anon, a->anon);
	EXPECT_EQ(b.tables, a->tables);
	EXPECT_EQ(b.mapped, a->mapped);
	EXPECT_EQ(b.locked, a->locked);
	EXPECT_EQ(b.committed, a->committed);
}

static bool
put_value(struct space *s, unsigned long va, u64 v)
{
	return space_access(s, va, &v, sizeof(v), true) == sizeof(v);
}

/* ~0 if it cannot be read. */
static u64
get_value(struct space *s, unsigned long va)
{
	u64 v;

	return space_access(s, va, &v, sizeof(v), false) == sizeof(v) ? v : ~0UL;
}

TEST(space_life)
{
	struct held before = held_now();
	struct space *s = space_create();

	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(page_level(PAGE_TABLE), before.tables + 1);
	EXPECT_EQ(space_map(s, AT, 100 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	EXPECT_EQ(counter_sum(committed_pages), before.committed + 100);
	for (unsigned int i = 0; i < 100; i++)
		EXPECT(put_value(s, AT + i * PAGE_SIZE, i));
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 100);
	space_get(s);
	EXPECT(space_try_get_user(s));
	space_put_user(s);
	EXPECT_EQ(get_value(s, AT + 99 * PAGE_SIZE), 99);
	space_put_user(s);
	EXPECT(!space_try_get_user(s));
	EXPECT_EQ(page_level(PAGE_ANON), before.anon);
	space_put(s);
	held_check(&before);
}

TEST(space_faults_say_why)
{
	struct space *s = space_create();
	struct fault_sig sig = {0, 0};

	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(space_map(s, AT, PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, NULL), (long)AT);
	EXPECT_EQ(space_fault(s, AT, 0, &sig), 0);
	EXPECT_EQ(space_fault(s, AT, FAULT_WRITE, &sig), -EFAULT);
	EXPECT(sig.signo == 11 && sig.code == 2);
	EXPECT_EQ(space_fault(s, AT, FAULT_EXEC, &sig), -EFAULT);
	EXPECT(sig.signo == 11 && sig.code == 2);
	EXPECT_EQ(space_fault(s, AT + PAGE_SIZE, 0, &sig), -EFAULT);
	EXPECT(sig.signo == 11 && sig.code == 1);
	EXPECT_EQ(space_fault(s, USER_END, 0, &sig), -EFAULT);
	EXPECT_EQ(space_fault(s, ~0UL, FAULT_WRITE, &sig), -EFAULT);
	space_put_user(s);
}

/* A chain of copies: each holds what it had, whoever ends first. */
TEST(space_fork_chain)
{
	static const u8 order[] = {3, 0, 4, 1, 5, 2};
	struct held before = held_now();
	struct space *s[6];

	s[0] = space_create();
	ASSERT_TRUE(s[0] != NULL);
	EXPECT_EQ(space_map(s[0], AT, 6 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	for (u64 k = 0; k < 6; k++)
		EXPECT(put_value(s[0], AT + k * PAGE_SIZE, 100 + k));
	for (u64 i = 1; i < 6; i++) {
		s[i] = space_fork(s[i - 1]);
		ASSERT_TRUE(!is_err(s[i]));
		EXPECT(put_value(s[i], AT + i * PAGE_SIZE, 200 + i));
	}
	/* Six pages of the first, and one more for each copy. */
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 11);
	for (u64 i = 0; i < 6; i++)
		for (u64 k = 0; k < 6; k++)
			EXPECT_EQ(get_value(s[i], AT + k * PAGE_SIZE),
				  (k && k <= i ? 200 : 100) + k);
	for (unsigned int n = 0; n < 6; n++)
		space_put_user(s[order[n]]);
	held_check(&before);
}

/* The last of two that share a page writes in place. */
TEST(space_cow_reuses)
{
	struct held before = held_now();
	struct space *a = space_create(), *b;

	ASSERT_TRUE(a != NULL);
	EXPECT_EQ(space_map(a, AT, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	EXPECT(put_value(a, AT, 1));
	b = space_fork(a);
	ASSERT_TRUE(!is_err(b));
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 1);
	EXPECT(put_value(b, AT, 2));
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 2);
	EXPECT(put_value(a, AT, 3));
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 2);
	EXPECT_EQ(get_value(b, AT), 2);
	space_put_user(b);
	space_put_user(a);
	held_check(&before);
}

TEST(space_locked_pages)
{
	struct held before = held_now();
	struct space *s = space_create();

	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(space_map(s, AT, 8 * PAGE_SIZE, RW, ANON | MAP_FIXED | MAP_LOCKED, NULL),
		  (long)AT);
	EXPECT_EQ(mm_stat_sum(MM_MLOCKED), before.locked + 8);
	EXPECT_EQ(page_level(PAGE_ANON), before.anon + 8);
	EXPECT_EQ(space_unmap(s, AT + PAGE_SIZE, 2 * PAGE_SIZE), 0);
	EXPECT_EQ(mm_stat_sum(MM_MLOCKED), before.locked + 6);
	space_put_user(s);
	held_check(&before);
}

/* Pieces up to the limit and not further; what is there can always go. */
TEST(space_map_limit)
{
	struct space *s = space_create();
	u32 old = max_map_count;
	unsigned int n = 0;

	ASSERT_TRUE(s != NULL);
	max_map_count = 300;
	EXPECT_EQ(space_map(s, AT, 2048 * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	while (n < 1000 && !space_protect(s, AT + n * 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ))
		n++;
	/* Two pieces each, but for what tables hold back. */
	EXPECT(n >= 140 && n <= 180);
	EXPECT_EQ(space_protect(s, AT + 1999 * PAGE_SIZE, PAGE_SIZE, PROT_READ), -ENOMEM);
	EXPECT_EQ(space_unmap(s, AT + 1999 * PAGE_SIZE, PAGE_SIZE), -ENOMEM);
	EXPECT_EQ(space_map(s, AT + LARGE_SIZE * 9, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL),
		  -ENOMEM);
	/* Untouched parts still come by faults. */
	EXPECT(put_value(s, AT + 1500 * PAGE_SIZE, 4));
	EXPECT_EQ(space_unmap(s, AT, 2048 * PAGE_SIZE), 0);
	EXPECT_EQ(space_map(s, AT, PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	max_map_count = old;
	space_put_user(s);
}
