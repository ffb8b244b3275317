/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters and counters with a limit. The torture keeps a second, atomic count
 * of what was granted: it must never pass the limit, and an add may fail only
 * when that count was close enough at some moment. A counter that is read and
 * written in two steps, and a limit that is compared with a sum, must be found
 * out.
 */
#include "percpu/counter.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static DEFINE_COUNTER(test_counter);

struct count_torture {
	struct torture t;
	void (*add)(s64 n);
};

static void
add_right(s64 n)
{
	if (n == 1)
		counter_inc(test_counter);
	else if (n == -1)
		counter_dec(test_counter);
	else
		counter_add(test_counter, n);
}

/* Another task of this CPU may add between the two. */
static void
add_broken(s64 n)
{
	s64 seen = this_cpu_read(test_counter);

	torture_window();
	this_cpu_write(test_counter, seen + n);
}

static void
count_thread(struct torture_thread *th)
{
	struct count_torture *s = container_of(th->torture, struct count_torture, t);

	while (!torture_over(th)) {
		s->add(1);
		s->add(2);
		s->add(-1);
		th->result += 2;
		torture_turn(th);
	}
}

/* How much is missing in the sum. */
static s64
count_run(void (*add)(s64 n), u64 work)
{
	static struct count_torture s;
	struct torture_plan plan = {
		.fn = count_thread, .threads = 2 * test_cpus(), .share = 100, .work = work};
	s64 before = counter_sum(test_counter), done, sum;

	s.add = add;
	done = (s64)torture_run(&s.t, &plan);
	sum = counter_sum(test_counter) - before;
	counter_add(test_counter, -sum);
	return done - sum;
}

TEST(counter_torture)
{
	EXPECT_EQ(count_run(add_right, 3000000), 0);
}

TEST(counter_torture_finds_broken)
{
	s64 missing = 0;

	if (2 * test_cpus() > TORTURE_THREADS)
		TEST_SKIP("needs two threads a CPU");
	for (int i = 0; i < TORTURE_TRIES && missing == 0; i++)
		missing = count_run(add_broken, 20000);
	EXPECT_NE(missing, 0);
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
	bool (*try_add)(struct limit_counter *c, s64 n);
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

		torture_turn(th);
		if (held < most && test_rand(&th->seed) % 2 == 0) {
			if (!s->try_add(&s->c, n)) {
				atomic_inc(&s->failures);
				continue;
			}
			held += n;
			if (atomic_add_return(&s->granted, n) > s->c.limit) {
				atomic_inc(&s->wrong);
				torture_stop(th);
			}
			th->result++;
		} else if (held >= n) {
			held -= n;
			atomic_sub(&s->granted, n);
			s->try_add(&s->c, -n);
		}
	}
	atomic_sub(&s->granted, held);
	s->try_add(&s->c, -held);
}

static void
limit_run(struct limit_torture *s)
{
	torture_run(&s->t, &(struct torture_plan){.fn = limit_thread,
						  .threads = test_cpus(),
						  .share = 16,
						  .work = s->try_add == limit_counter_try_add
								  ? 200000
								  : TORTURE_UNTIL_FOUND});
}

TEST(limit_counter_torture)
{
	static struct limit_torture s = {.try_add = limit_counter_try_add};
	static const s64 limits[] = {7, 200, 100000};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		s.granted = 0;
		s.wrong = 0;
		ASSERT_EQ(limit_counter_init(&s.c, limits[i]), 0);
		limit_run(&s);
		EXPECT_EQ(s.wrong, 0);
		EXPECT_EQ(limit_counter_sum(&s.c), 0);
		/* Nothing is lost in a corner. */
		EXPECT(limit_counter_try_add(&s.c, limits[i]));
		EXPECT(!limit_counter_try_add(&s.c, 1));
		limit_counter_fini(&s.c);
	}
}

/* Two that sum at the same time pass the limit together. */
static bool
try_add_broken(struct limit_counter *c, s64 n)
{
	s64 *delta;

	if (n > 0) {
		if (limit_counter_sum(c) + n > c->limit)
			return false;
		torture_window();
	}
	delta = this_cpu_ptr(c->delta);
	atomic_sub(delta, n);
	return true;
}

TEST(limit_counter_torture_finds_broken)
{
	static struct limit_torture s = {.try_add = try_add_broken};

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++) {
		s.granted = 0;
		ASSERT_EQ(limit_counter_init(&s.c, 10 * test_cpus()), 0);
		limit_run(&s);
		limit_counter_fini(&s.c);
	}
	EXPECT_GT(s.wrong, 0);
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
		torture_turn(th);
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
	EXPECT_GT(torture_run(&s.t, &(struct torture_plan){.fn = room_thread,
							   .threads = test_cpus(),
							   .share = 16,
							   .work = 200000}),
		  0);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_EQ(limit_counter_sum(&s.c), 0);
	limit_counter_fini(&s.c);
}
