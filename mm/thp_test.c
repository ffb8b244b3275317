/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large pages of anonymous memory: had, split by what touches a part, given back.
 * The tests run in the space, since looking into one from outside pins small pages.
 */
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/space_impl.h"
#include "mm/uaccess.h"
#include "sync/test_port.h"

#define AT (13UL << 30)
#define RW (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define LARGE_PAGES (LARGE_SIZE / PAGE_SIZE)

/* Of the space that we run in. */
static bool
put_value(unsigned long va, u64 v)
{
	return copy_to_user((void __user *)va, &v, sizeof(v)) == 0;
}

static u64
get_value(unsigned long va)
{
	u64 v;

	return copy_from_user(&v, (const void __user *)va, sizeof(v)) ? ~0UL : v;
}

/* Of another one, which splits. */
static u64
peek_value(struct space *s, unsigned long va)
{
	u64 v;

	return space_access(s, va, &v, sizeof(v), false) == sizeof(v) ? v : ~0UL;
}

/* The entry at va is a large page's. */
static bool
is_large(struct space *s, unsigned long va)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	bool large = t->level == 1 && t->table[slot_index(va, 1)] & PTE_PS;

	pt_unlock(t);
	return large;
}

/* Runs in a new space; leave() ends that and gives it up. */
static struct space *
enter(void)
{
	struct space *s = space_create();

	if (s)
		test_use_space(s);
	return s;
}

static void
leave(void)
{
	test_use_space(NULL);
}

/* The same with two large pages at AT, in which page k holds k; NULL: not enough memory. */
static struct space *
large_space(void)
{
	struct space *s = enter();

	if (!s)
		return NULL;
	if (space_map(s, AT, 2 * LARGE_SIZE, RW, FIXED, NULL) != (long)AT ||
	    space_advise(s, AT, AT + 2 * LARGE_SIZE, MADV_HUGEPAGE))
		goto out;
	for (unsigned long k = 0; k < 2 * LARGE_PAGES; k++)
		if (!put_value(AT + k * PAGE_SIZE, k))
			goto out;
	if (is_large(s, AT) && is_large(s, AT + LARGE_SIZE))
		return s;
out:
	leave();
	return NULL;
}

/* Pages of [from, to) that do not hold their number. */
static u64
differences(unsigned long from, unsigned long to)
{
	u64 bad = 0;

	for (unsigned long k = from; k < to; k++)
		bad += get_value(AT + k * PAGE_SIZE) != k;
	return bad;
}

TEST(thp_by_advice)
{
	u64 anon = page_level(PAGE_ANON), huge = mm_stat_sum(MM_ANON_HUGE);
	struct space *s = large_space();
	struct space_stat st;

	if (!s)
		TEST_SKIP("not enough memory for large pages");
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2 * LARGE_PAGES);
	EXPECT_EQ(mm_stat_sum(MM_ANON_HUGE), huge + 2 * LARGE_PAGES);
	space_stat(s, &st);
	EXPECT_EQ(st.resident, 2 * LARGE_PAGES);
	EXPECT_EQ(differences(0, 2 * LARGE_PAGES), 0);
	/* Protection of the whole leaves it whole. */
	EXPECT_EQ(space_protect(s, AT, LARGE_SIZE, PROT_READ), 0);
	EXPECT(is_large(s, AT) && !put_value(AT, 1));
	EXPECT_EQ(space_protect(s, AT, LARGE_SIZE, RW), 0);
	EXPECT(is_large(s, AT) && put_value(AT, 0));
	EXPECT_EQ(space_unmap(s, AT, LARGE_SIZE), 0);
	EXPECT_EQ(page_level(PAGE_ANON), anon + LARGE_PAGES);
	leave();
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	EXPECT_EQ(mm_stat_sum(MM_ANON_HUGE), huge);
}

TEST(thp_splits)
{
	u64 anon = page_level(PAGE_ANON), huge = mm_stat_sum(MM_ANON_HUGE);
	struct space *s = large_space();

	if (!s)
		TEST_SKIP("not enough memory for large pages");
	EXPECT_EQ(space_unmap(s, AT + 7 * PAGE_SIZE, PAGE_SIZE), 0);
	EXPECT(!is_large(s, AT) && is_large(s, AT + LARGE_SIZE));
	EXPECT_EQ(mm_stat_sum(MM_ANON_HUGE), huge + LARGE_PAGES);
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2 * LARGE_PAGES - 1);
	EXPECT_EQ(differences(0, 7) + differences(8, 2 * LARGE_PAGES), 0);
	EXPECT_EQ(space_protect(s, AT + LARGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	EXPECT(!is_large(s, AT + LARGE_SIZE));
	EXPECT(!put_value(AT + LARGE_SIZE, 1) &&
	       put_value(AT + LARGE_SIZE + PAGE_SIZE, LARGE_PAGES + 1));
	EXPECT_EQ(differences(8, 2 * LARGE_PAGES), 0);
	leave();
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	EXPECT_EQ(mm_stat_sum(MM_ANON_HUGE), huge);
}

TEST(thp_fork)
{
	u64 anon = page_level(PAGE_ANON), v = 1000, bad = 0;
	struct space *s = large_space(), *c;

	if (!s)
		TEST_SKIP("not enough memory for large pages");
	c = space_fork(s);
	ASSERT_TRUE(!is_err(c));
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2 * LARGE_PAGES);
	EXPECT_EQ(space_access(c, AT + PAGE_SIZE, &v, sizeof(v), true), sizeof(v));
	EXPECT(put_value(AT + 2 * PAGE_SIZE, 2000));
	EXPECT_EQ(get_value(AT + PAGE_SIZE), 1);
	EXPECT_EQ(differences(3, 2 * LARGE_PAGES), 0);
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2 * LARGE_PAGES + 2);
	leave();
	for (unsigned long k = 2; k < 2 * LARGE_PAGES; k++)
		bad += peek_value(c, AT + k * PAGE_SIZE) != k;
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(peek_value(c, AT + PAGE_SIZE), 1000);
	space_put_user(c);
	EXPECT_EQ(page_level(PAGE_ANON), anon);
}

TEST(thp_only_where_wanted)
{
	struct space *s = enter();
	int old = thp_policy;

	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(space_map(s, AT, 4 * LARGE_SIZE, RW, FIXED, NULL), (long)AT);
	EXPECT(put_value(AT, 1) && !is_large(s, AT));
	EXPECT_EQ(space_advise(s, AT, AT + 4 * LARGE_SIZE, MADV_HUGEPAGE), 0);
	thp_policy = THP_NEVER;
	EXPECT(put_value(AT + LARGE_SIZE, 1) && !is_large(s, AT + LARGE_SIZE));
	thp_policy = THP_ALWAYS;
	EXPECT_EQ(space_advise(s, AT, AT + 4 * LARGE_SIZE, MADV_NOHUGEPAGE), 0);
	EXPECT(put_value(AT + 2 * LARGE_SIZE, 1) && !is_large(s, AT + 2 * LARGE_SIZE));
	/* Of a slot that is mapped in part there is none. */
	EXPECT_EQ(space_map(s, AT + 8 * LARGE_SIZE + PAGE_SIZE, LARGE_SIZE, RW, FIXED, NULL),
		  (long)(AT + 8 * LARGE_SIZE + PAGE_SIZE));
	EXPECT(put_value(AT + 9 * LARGE_SIZE, 1) && !is_large(s, AT + 9 * LARGE_SIZE));
	thp_policy = old;
	leave();
}
