/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a file leave all the tables that show them: shared mappings in several
 * spaces, private ones with copies, and tables that are made meanwhile.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/pagecache.h"
#include "mm/space_impl.h"
#include "percpu/ref.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

#define AT (17UL << 30)
#define COPY_AT (AT + (1UL << 30))
#define PAGES 64u
#define RW (PROT_READ | PROT_WRITE)

static bool
put_value(struct space *s, unsigned long at, unsigned int page, u64 v)
{
	return space_access(s, at + page * PAGE_SIZE, &v, sizeof(v), true) == sizeof(v);
}

static u64
get_value(struct space *s, unsigned long at, unsigned int page)
{
	u64 v;

	return space_access(s, at + page * PAGE_SIZE, &v, sizeof(v), false) == sizeof(v) ? v : ~0UL;
}

/* A space with a file of PAGES pages at AT, page k holding k + 1, and a private view at COPY_AT. */
static struct space *
file_space(struct file **file, struct pagecache **cache)
{
	struct map_backing b = {.file = mm_port_shmem_file(PAGES * PAGE_SIZE)};
	struct space *s = space_create();
	struct run r;

	if (!s || is_err(b.file) ||
	    space_map(s, AT, PAGES * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, &b) != (long)AT ||
	    space_map(s, COPY_AT, PAGES * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, &b) !=
		    (long)COPY_AT ||
	    !space_next_run(s, AT, AT + PAGE_SIZE, &r, false)) {
		test_note_failure();
		return NULL;
	}
	for (unsigned int k = 0; k < PAGES; k++)
		EXPECT(put_value(s, AT, k, k + 1));
	*file = b.file;
	*cache = meta_region(r.meta)->cache;
	return s;
}

/* Pages of files that earlier tests have put go before those of a test are counted. */
static void
settle(void)
{
	rcu_barrier();
	ref_drain();
}

TEST(rmap_counts_and_removes)
{
	struct pagecache *pc;
	struct file *f;
	struct space *s, *c;
	u16 counts[PAGES] = {0};
	u64 shmem, mapped;

	settle();
	shmem = page_level(PAGE_SHMEM);
	mapped = mm_stat_sum(MM_MAPPED);
	s = file_space(&f, &pc);
	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(page_level(PAGE_SHMEM), shmem + PAGES);
	EXPECT_EQ(mm_stat_sum(MM_MAPPED), mapped + PAGES);
	c = space_fork(s);
	ASSERT_TRUE(!is_err(c));
	for (unsigned int k = 0; k < PAGES; k++) {
		EXPECT_EQ(get_value(c, AT, k), k + 1);
		EXPECT_EQ(get_value(c, COPY_AT, k), k + 1);
	}
	rmap_count(pc, 0, PAGES, counts);
	for (unsigned int k = 0; k < PAGES; k++)
		EXPECT_EQ(counts[k], 3);
	pagecache_remove(pc, 8, 15);
	EXPECT_EQ(mm_stat_sum(MM_MAPPED), mapped + 3 * (PAGES - 8));
	EXPECT_EQ(page_level(PAGE_SHMEM), shmem + PAGES - 8);
	memset(counts, 0, sizeof(counts));
	rmap_count(pc, 0, PAGES, counts);
	for (unsigned int k = 0; k < PAGES; k++)
		EXPECT_EQ(counts[k], k / 8 == 1 ? 0 : 3);
	for (unsigned int k = 0; k < PAGES; k++) {
		EXPECT_EQ(get_value(s, AT, k), k / 8 == 1 ? 0 : k + 1);
		EXPECT_EQ(get_value(c, COPY_AT, k), k / 8 == 1 ? 0 : k + 1);
	}
	space_put_user(c);
	space_put_user(s);
	mm_port_file_put(f);
	EXPECT_EQ(mm_stat_sum(MM_MAPPED), mapped);
}

/* A hole leaves copies alone, the end of the file does not. */
TEST(rmap_truncate_takes_copies)
{
	struct pagecache *pc;
	struct file *f;
	struct space *s = file_space(&f, &pc);
	u64 anon = page_level(PAGE_ANON);

	ASSERT_TRUE(s != NULL);
	for (unsigned int k = 0; k < PAGES; k++)
		EXPECT(put_value(s, COPY_AT, k, 1000 + k));
	EXPECT_EQ(page_level(PAGE_ANON), anon + PAGES);
	pagecache_remove(pc, 0, 31);
	for (unsigned int k = 0; k < 32; k++) {
		EXPECT_EQ(get_value(s, AT, k), 0);
		EXPECT_EQ(get_value(s, COPY_AT, k), 1000 + k);
	}
	WRITE_ONCE(*pc->size, 10 * PAGE_SIZE);
	pagecache_truncate(pc, 10);
	EXPECT_EQ(page_level(PAGE_ANON), anon + 10);
	for (unsigned int k = 0; k < PAGES; k++) {
		EXPECT_EQ(get_value(s, AT, k), k < 10 ? 0 : ~0UL);
		EXPECT_EQ(get_value(s, COPY_AT, k), k < 10 ? 1000 + k : ~0UL);
	}
	space_put_user(s);
	mm_port_file_put(f);
}

/* --- torture: faults, forks and removals at once --- */

#define USERS_MAX 6u

struct user {
	struct test_thread *thread;
	struct space *space;
	struct pagecache *cache;
	u64 seed, bad;
	/* a */
	const u32 *stop;
};

/* Word 5 of page k holds nothing, or what only page k may hold. */
static void
touch(struct space *s, struct user *u, u64 r)
{
	unsigned int k = r % PAGES;
	unsigned long at = r & 0x100 ? AT : COPY_AT;
	u64 v = 0xabcd000000 + k;

	if (r & 0x200)
		u->bad +=
			space_access(s, at + k * PAGE_SIZE + 40, &v, sizeof(v), true) != sizeof(v);
	else
		u->bad += space_access(s, at + k * PAGE_SIZE + 40, &v, sizeof(v), false) !=
				  sizeof(v) ||
			  (v && v != 0xabcd000000 + k);
}

static void
user_run(void *arg)
{
	struct user *u = arg;
	struct space *c;

	while (!READ_ONCE(*u->stop)) {
		u64 r = test_rand(&u->seed);

		for (int i = 0; i < 20; i++)
			touch(u->space, u, test_rand(&u->seed));
		if ((r & 7) == 0)
			pagecache_remove(u->cache, r >> 8 & 31, (r >> 8 & 31) + (r >> 16 & 31));
		if ((r & 15) == 1) {
			c = space_fork(u->space);
			u->bad += is_err(c);
			if (is_err(c))
				continue;
			for (int i = 0; i < 20; i++)
				touch(c, u, test_rand(&u->seed));
			space_put_user(c);
		}
		test_yield();
	}
}

TEST(rmap_torture)
{
	u64 mapped = mm_stat_sum(MM_MAPPED), anon = page_level(PAGE_ANON),
	    shmem = page_level(PAGE_SHMEM);
	static struct user u[USERS_MAX];
	unsigned int n = min(test_cpus() + 1, USERS_MAX);
	struct pagecache *pc;
	struct file *f;
	struct space *s = file_space(&f, &pc);
	u32 stop = 0;

	ASSERT_TRUE(s != NULL);
	for (unsigned int i = 0; i < n; i++) {
		u[i] = (struct user){.space = s, .cache = pc, .seed = i, .stop = &stop};
		u[i].thread = test_spawn(i, user_run, &u[i]);
	}
	test_sleep(test_duration());
	WRITE_ONCE(stop, 1);
	for (unsigned int i = 0; i < n; i++) {
		test_join(u[i].thread);
		EXPECT_EQ(u[i].bad, 0);
	}
	space_put_user(s);
	EXPECT_EQ(mm_stat_sum(MM_MAPPED), mapped);
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	pagecache_remove(pc, 0, PAGES);
	EXPECT_EQ(page_level(PAGE_SHMEM), shmem);
	mm_port_file_put(f);
}
