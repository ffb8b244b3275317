/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views: threads that work in parts of their own do not interrupt each other, and
 * tables of views go when they are not needed.
 */
#include "lib/test.h"
#include "mm/space_impl.h"
#include "mm/uaccess.h"
#include "sync/test_port.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define AT (16UL << 30)
#define STEP (4UL << 30)
#define PLACES 200u
#define ROUNDS 40
#define TRIES 8
#define SIDES 2u

struct side {
	struct test_thread *thread;
	struct far *all;
	unsigned long at;
	/* a  rounds done */
	u64 rounds;
	/* locks its page in each round */
	bool locks;
};

struct far {
	struct space *space;
	/* a  the sides stop */
	bool over;
	struct side side[SIDES];
};

static void
work(struct space *s, unsigned long at)
{
	u64 v = at;

	EXPECT_EQ(space_map(s, at, 2 * PAGE_SIZE, RW, FIXED, NULL), (long)at);
	EXPECT_EQ(copy_to_user((void __user *)at, &v, sizeof(v)), 0);
	EXPECT_EQ(space_protect(s, at, PAGE_SIZE, PROT_READ), 0);
	EXPECT_NE(copy_to_user((void __user *)at, &v, sizeof(v)), 0);
	EXPECT_EQ(space_advise(s, at, at + PAGE_SIZE, MADV_DONTNEED), 0);
	EXPECT_EQ(copy_from_user(&v, (const void __user *)at, sizeof(v)), 0);
	EXPECT_EQ(v, 0);
	EXPECT_EQ(space_unmap(s, at, 2 * PAGE_SIZE), 0);
	EXPECT_NE(copy_from_user(&v, (const void __user *)at, sizeof(v)), 0);
}

static void
side_run(void *arg)
{
	struct side *s = arg;

	test_use_space(s->all->space);
	while (!READ_ONCE(s->all->over)) {
		work(s->all->space, s->at);
		if (s->locks)
			arena_count_locked(s->all->space, 1);
		atomic_inc(&s->rounds);
	}
	test_use_space(NULL);
}

static void
far_start(struct far *f, unsigned long step, bool locks, bool fine)
{
	*f = (struct far){.space = space_create()};
	/* Before a leaf can become so. */
	if (!fine)
		f->space->fine_leaves = U32_MAX;
	for (unsigned int i = 0; i < SIDES; i++) {
		f->side[i] = (struct side){.all = f, .at = AT + i * step, .locks = locks};
		space_get_user(f->space);
		f->side[i].thread = test_spawn(i, side_run, &f->side[i]);
	}
}

/* Both sides do so many rounds more. */
static void
far_wait(struct far *f, u64 rounds)
{
	u64 goal[SIDES];

	for (unsigned int i = 0; i < SIDES; i++)
		goal[i] = READ_ONCE(f->side[i].rounds) + rounds;
	for (unsigned int i = 0; i < SIDES; i++)
		while (READ_ONCE(f->side[i].rounds) < goal[i])
			test_sleep(100000);
}

static void
far_end(struct far *f)
{
	WRITE_ONCE(f->over, true);
	for (unsigned int i = 0; i < SIDES; i++)
		test_join(f->side[i].thread);
}

/*
 * Interrupts for flushes in ROUNDS rounds of both sides, which are `step` apart, once
 * the space has settled. fine: leaves may become fine (mm/fine.c). some: there shall
 * be some, for which the sides must run at the same time.
 */
static u64
shootdowns(unsigned long step, bool fine, bool some)
{
	static struct far f;
	u64 before, n;

	far_start(&f, step, false, fine);
	/* The sides must meet a few times first, which takes as long as it takes. */
	for (int i = 0; i < TRIES; i++) {
		far_wait(&f, ROUNDS);
		before = mm_stat_sum(MM_SHOOTDOWNS);
		far_wait(&f, ROUNDS);
		n = mm_stat_sum(MM_SHOOTDOWNS) - before;
		if ((n > 0) == some)
			break;
	}
	far_end(&f);
	space_put_user(f.space);
	return n;
}

TEST(view_far_asks_nobody)
{
	EXPECT_EQ(shootdowns(STEP, true, false), 0);
	EXPECT_EQ(shootdowns(LARGE_SIZE, false, false), 0);
}

TEST(view_near_asks_nobody)
{
	EXPECT_EQ(shootdowns(2 * PAGE_SIZE, true, false), 0);
}

/* The count is right: who shares a table is asked. */
TEST(view_near_asks_if_coarse)
{
	if (test_cpus() > 1)
		EXPECT_GT(shootdowns(2 * PAGE_SIZE, false, true), 0);
}

TEST(view_counts_locked)
{
	static struct far f;

	far_start(&f, STEP, true, true);
	far_wait(&f, ROUNDS);
	far_end(&f);
	EXPECT_EQ(arena_locked(f.space), f.side[0].rounds + f.side[1].rounds);
	EXPECT_GE(arena_locked_most(f.space), f.side[0].rounds + f.side[1].rounds);
	arena_count_locked(f.space, -arena_locked(f.space));
	EXPECT_EQ(arena_locked(f.space), 0);
	space_put_user(f.space);
}

struct walk {
	struct space *space;
	u64 most;
};

/* Goes over many places, each in a GiB of its own, and leaves none mapped. */
static void
walk_run(void *arg)
{
	struct walk *w = arg;

	test_use_space(w->space);
	/* What an interrupt by another CPU's flushes would do. */
	views_allow(w->space);
	work(w->space, AT);
	for (unsigned int i = 0; i < PLACES; i++) {
		work(w->space, AT + i * (1UL << 30));
		w->most = max(w->most, views_pages(w->space));
	}
	test_use_space(NULL);
}

TEST(view_stays_small)
{
	struct walk w = {.space = space_create()};

	ASSERT_TRUE(w.space != NULL);
	space_get_user(w.space);
	test_join(test_spawn(0, walk_run, &w));
	EXPECT_GT(w.most, 3);
	EXPECT_LT(w.most, PLACES / 2);
	space_put_user(w.space);
}
