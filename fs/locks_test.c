/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks of a file with bands: owners on all CPUs set records of a few bytes and of many
 * pieces, and give up parts of them. No two ever have the same bytes for themselves, and
 * nothing stays behind. Requests that look at their band alone although the file has
 * records that lie in no piece must be found out.
 */
#include "fs/locks_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/uapi/fcntl.h"
#include "lib/hash.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define UNIT 512
#define UNITS 128u

struct locks_torture {
	struct torture t;
	struct file_locks *fl;
	void (*scope_lock)(struct lock_scope *s, struct file_locks *fl, const struct lock *r);
	/* a  thread + 1 that has it for itself; or 1 << 16 for each that shares it */
	u32 unit[UNITS];
	/* a  grants that overlap */
	u32 wrong;
};

static struct locks_torture locks_torture;

/* Looks at the band alone. */
static void __no_thread_safety
scope_lock_blind(struct lock_scope *s, struct file_locks *fl, const struct lock *r)
{
	u32 band = (u32)hash_bits(((u64)r->start + 2048) / 4096, BANDS_BITS);

	if (!smp_load_acquire(&fl->bands) || r->end - r->start >= UNIT) {
		scope_lock(s, fl, r);
		return;
	}
	*s = (struct lock_scope){.fl = fl, .band = &fl->bands[band], .nr = 1};
	spin_lock(&s->band->lock);
	s->lists[0] = &s->band->records;
}

/* True if the owner got it. */
static bool
try_lock(struct locks_torture *s, const struct lock *want)
{
	struct lock *r = lock_alloc(), *spare = lock_alloc();
	bool used = false, got;
	struct lock_scope at;

	*r = *want;
	s->scope_lock(&at, s->fl, r);
	got = r->type == F_UNLCK || !scope_conflict(&at, r);
	if (got)
		used = scope_apply(&at, r, &spare);
	scope_unlock(&at);
	if (at.split)
		file_locks_split(s->fl);
	if (!used)
		lock_free(r);
	lock_free(spare);
	return got;
}

/* Says that the range is had, or is no longer: a writer alone, readers together. */
static void
mark(struct torture_thread *th, const struct lock *l, bool have)
{
	struct locks_torture *s = container_of(th->torture, struct locks_torture, t);
	u32 add = l->type == F_WRLCK ? th->index + 1 : 1u << 16;

	for (u32 i = (u32)(l->start / UNIT); i <= (u32)(l->end / UNIT); i++) {
		u32 was = atomic_fetch_add(&s->unit[i], have ? add : -add);

		if (!have || (was == 0 || (l->type == F_RDLCK && !(was & 0xffff))))
			continue;
		atomic_inc(&s->wrong);
		torture_stop(th);
	}
}

static void
locks_thread(struct torture_thread *th)
{
	struct locks_torture *s = container_of(th->torture, struct locks_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		/* Most lie in a piece; others reach over some. */
		u32 n = r & 3 ? 1 : (u32)(r >> 8) % 20 + 1;
		u32 first = (u32)(r >> 32) % (UNITS - n);
		struct lock l = {
			.kind = r & 4 ? LOCK_POSIX : LOCK_OFD,
			.type = r & 8 ? F_WRLCK : F_RDLCK,
			.owner = th,
			.start = first * UNIT,
			.end = (first + n) * UNIT - 1,
		};
		struct lock u = l;

		torture_turn(th);
		if (!try_lock(s, &l))
			continue;
		mark(th, &l, true);
		if ((r & 0x70) == 0)
			test_yield();
		mark(th, &l, false);
		/* In two parts, if there are two. */
		u.type = F_UNLCK;
		if (n > 1) {
			u.end = u.start + UNIT - 1;
			(void)try_lock(s, &u);
			u.end = l.end;
		}
		(void)try_lock(s, &u);
		/* Else RCU sees none of many at rest: most of their time is waiting for a lock. */
		test_yield();
	}
}

static void
locks_run(void (*lock)(struct lock_scope *s, struct file_locks *fl, const struct lock *r))
{
	struct locks_torture *s = &locks_torture;
	struct torture_plan plan = {
		.fn = locks_thread,
		.threads = clamp(2 * test_cpus(), 3u, TORTURE_THREADS),
		.share = 4,
		.work = lock == scope_lock ? 40000 : TORTURE_UNTIL_FOUND,
	};
	struct lock_place place = {0};
	struct lock_scope at;

	s->fl = file_locks_alloc();
	ASSERT_TRUE(s->fl != NULL);
	file_locks_split(s->fl);
	ASSERT_TRUE(s->fl->bands != NULL);
	s->scope_lock = lock;
	s->wrong = 0;
	for (u32 i = 0; i < UNITS; i++)
		s->unit[i] = 0;
	torture_run(&s->t, &plan);
	scope_lock_all(&at, s->fl);
	EXPECT(scope_next(&at, &place) == NULL);
	scope_unlock(&at);
	file_locks_free(s->fl);
}

TEST(locks_torture)
{
	locks_run(scope_lock);
	EXPECT_EQ(locks_torture.wrong, 0);
}

TEST(locks_torture_finds_blind)
{
	u32 wrong = 0;

	for (int i = 0; i < TORTURE_TRIES && wrong == 0; i++) {
		locks_run(scope_lock_blind);
		wrong = locks_torture.wrong;
	}
	EXPECT_GT(wrong, 0);
}

/* --- one owner --- */

static void
set(struct file_locks *fl, s32 type, s64 start, s64 end)
{
	struct locks_torture *s = &locks_torture;

	s->fl = fl;
	s->scope_lock = scope_lock;
	EXPECT(try_lock(s, &(struct lock){.type = type, .owner = fl, .start = start, .end = end}));
}

/* The n-th is what it should be; past the last: type F_UNLCK. */
static void
expect_nth(struct file_locks *fl, u32 n, s32 type, s64 start, s64 end)
{
	struct lock_place place = {0};
	struct lock_scope at;
	struct lock *l;

	scope_lock_all(&at, fl);
	do
		l = scope_next(&at, &place);
	while (l && n-- > 0);
	EXPECT_EQ(l ? l->type : F_UNLCK, type);
	if (l) {
		EXPECT_EQ(l->start, start);
		EXPECT_EQ(l->end, end);
	}
	scope_unlock(&at);
}

/* Across the ends of pieces (2048 and 4096 further on) records join and fall apart as within. */
TEST(locks_across_pieces)
{
	struct file_locks *fl = file_locks_alloc();
	struct lock_scope at;

	ASSERT_TRUE(fl != NULL);
	file_locks_split(fl);
	set(fl, F_WRLCK, 2000, 2047);
	set(fl, F_WRLCK, 2048, 2100);
	expect_nth(fl, 0, F_WRLCK, 2000, 2100);
	expect_nth(fl, 1, F_UNLCK, 0, 0);
	set(fl, F_WRLCK, 3000, 3010);
	set(fl, F_WRLCK, 20000, OFFSET_MAX);
	expect_nth(fl, 2, F_WRLCK, 20000, OFFSET_MAX);
	/* Its ends lie in pieces afterwards. */
	set(fl, F_UNLCK, 2010, 2090);
	expect_nth(fl, 0, F_WRLCK, 2000, 2009);
	expect_nth(fl, 1, F_WRLCK, 2091, 2100);
	expect_nth(fl, 2, F_WRLCK, 3000, 3010);
	set(fl, F_UNLCK, 20064, OFFSET_MAX);
	expect_nth(fl, 3, F_WRLCK, 20000, 20063);
	set(fl, F_RDLCK, 0, OFFSET_MAX);
	expect_nth(fl, 0, F_RDLCK, 0, OFFSET_MAX);
	expect_nth(fl, 1, F_UNLCK, 0, 0);
	set(fl, F_UNLCK, 0, OFFSET_MAX);
	expect_nth(fl, 0, F_UNLCK, 0, 0);
	set(fl, F_WRLCK, 100, 200);
	scope_lock_all(&at, fl);
	EXPECT(!scope_drop(&at, LOCK_OFD, fl));
	EXPECT(scope_drop(&at, LOCK_POSIX, fl));
	scope_unlock(&at);
	file_locks_free(fl);
}
