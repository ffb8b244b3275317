/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters and counters with a limit. The torture keeps a second, atomic count
 * of what was granted: it must never pass the limit, and an add may fail only
 * when that count was close enough at some moment.
 */
#include "percpu/counter.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static DEFINE_COUNTER(test_counter);

static void
count_thread(struct torture_thread *th)
{
	while (!torture_over(th)) {
		counter_inc(test_counter);
		counter_add(test_counter, 2);
		counter_dec(test_counter);
		th->result += 2;
	}
}

TEST(counter_torture)
{
	static struct torture t;
	s64 before = counter_sum(test_counter);
	u64 done = torture_run(&t, count_thread, 2 * test_cpus());

	EXPECT_EQ(counter_sum(test_counter) - before, (s64)done);
	counter_add(test_counter, -(s64)done);
}

TEST(limit_counter_exact)
{
	struct limit_counter c;
	s64 n = 0;

	ASSERT_EQ(limit_counter_init(&c, 1000), 0);
	while (limit_counter_try_add(&c, 1))
		n++;
	EXPECT_EQ(n, 1000);
	EXPECT_EQ(limit_counter_sum(&c), 1000);
	EXPECT(limit_counter_try_add(&c, -300));
	EXPECT(!limit_counter_try_add(&c, 301));
	EXPECT(limit_counter_try_add(&c, 300));
	EXPECT(limit_counter_try_add(&c, 0));
	limit_counter_set_limit(&c, 500);
	EXPECT(!limit_counter_try_add(&c, 1));
	EXPECT(limit_counter_try_add(&c, -501));
	EXPECT(limit_counter_try_add(&c, 1));
	EXPECT(!limit_counter_try_add(&c, 1));
	limit_counter_set_limit(&c, S64_MAX);
	EXPECT(limit_counter_try_add(&c, S64_MAX - 500));
	EXPECT(!limit_counter_try_add(&c, S64_MAX));
	EXPECT(limit_counter_try_add(&c, -(S64_MAX - 500)));
	EXPECT_EQ(limit_counter_sum(&c), 500);
	limit_counter_fini(&c);
}

struct limit_torture {
	struct torture t;
	struct limit_counter c;
	/* a  granted and not yet given back, counted after the grant and before the return */
	s64 granted;
	/* a */
	u64 failures;
	/* a  grants beyond the limit */
	u64 wrong;
};

/* Holds up to a fair share and a bit more, so that the limit is reached now and then. */
static void
limit_thread(struct torture_thread *th)
{
	struct limit_torture *s = container_of(th->torture, struct limit_torture, t);
	s64 held = 0, most = max(2 * s->c.limit / (s64)test_cpus(), (s64)1);

	while (!torture_over(th)) {
		s64 n = (s64)(test_rand(&th->seed) % 8) + 1;

		if (held < most && test_rand(&th->seed) % 2 == 0) {
			if (!limit_counter_try_add(&s->c, n)) {
				atomic_inc(&s->failures);
				continue;
			}
			held += n;
			if (atomic_add_return(&s->granted, n) > s->c.limit)
				atomic_inc(&s->wrong);
			th->result++;
		} else if (held >= n) {
			held -= n;
			atomic_sub(&s->granted, n);
			limit_counter_try_add(&s->c, -n);
		}
	}
	atomic_sub(&s->granted, held);
	limit_counter_try_add(&s->c, -held);
}

TEST(limit_counter_torture)
{
	static struct limit_torture s;
	static const s64 limits[] = {7, 200, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		s.granted = 0;
		s.wrong = 0;
		ASSERT_EQ(limit_counter_init(&s.c, limits[i]), 0);
		EXPECT_GT(torture_run(&s.t, limit_thread, test_cpus()), 0);
		EXPECT_EQ(s.wrong, 0);
		EXPECT_EQ(limit_counter_sum(&s.c), 0);
		/* Nothing is lost in a corner. */
		EXPECT(limit_counter_try_add(&s.c, limits[i]));
		EXPECT(!limit_counter_try_add(&s.c, 1));
		limit_counter_fini(&s.c);
	}
}

struct room_torture {
	struct torture t;
	struct limit_counter c;
	/* a  adds that failed although there was room for all */
	u64 wrong;
};

/* As many units as threads: nobody may ever fail, wherever the credit is. */
static void
room_thread(struct torture_thread *th)
{
	struct room_torture *s = container_of(th->torture, struct room_torture, t);

	while (!torture_over(th)) {
		if (!limit_counter_try_add(&s->c, 10)) {
			atomic_inc(&s->wrong);
			continue;
		}
		limit_counter_try_add(&s->c, -10);
		th->result++;
	}
}

TEST(limit_counter_never_fails_with_room)
{
	static struct room_torture s;
	s64 limit = 10 * (s64)test_cpus();

	s.wrong = 0;
	ASSERT_EQ(limit_counter_init(&s.c, limit), 0);
	/* Credit in batches however small the limit is: that is what may hide. */
	s.c.batch = 10;
	EXPECT_GT(torture_run(&s.t, room_thread, test_cpus()), 0);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_EQ(limit_counter_sum(&s.c), 0);
	limit_counter_fini(&s.c);
}
