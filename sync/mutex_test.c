/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes: exclusion with holders that sleep, all ways to wait, nobody starves. */
#include "sync/mutex.h"

#include "lib/errno.h"
#include "lib/test.h"
#include "sync/completion.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static LOCK_CLASS(test_mutex_class, RANK_SPACE);

struct mutex_torture {
	struct torture t;
	struct mutex m;
	/* (m)  plain, on purpose */
	u64 count;
	bool broken;
};

static bool
take(struct mutex_torture *s, u64 how)
{
	if (s->broken)
		return !mutex_locked(&s->m);
	switch (how % 4) {
	case 0:
		return mutex_try_lock(&s->m);
	case 1:
		return mutex_lock_interruptible(&s->m) == 0;
	case 2:
		return mutex_lock_killable(&s->m) == 0;
	default:
		mutex_lock(&s->m);
		return true;
	}
}

static void
mutex_thread(struct torture_thread *th)
{
	struct mutex_torture *s = container_of(th->torture, struct mutex_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed), seen;

		if (!take(s, r)) {
			test_yield();
			continue;
		}
		seen = READ_ONCE(s->count);
		/* Sleep now and then, so that others find the holder switched out. */
		if ((r >> 8) % 32 == 0)
			test_yield();
		if ((r >> 16) % 512 == 0)
			test_sleep(200000);
		WRITE_ONCE(s->count, seen + 1);
		if (!s->broken)
			mutex_unlock(&s->m);
		torture_turn(th);
		th->result++;
	}
}

static u64
mutex_run(struct mutex_torture *s, bool broken)
{
	mutex_init(&s->m, &test_mutex_class);
	s->count = 0;
	s->broken = broken;
	return torture_run(&s->t, &(struct torture_plan){.fn = mutex_thread,
							 .threads = 2 * test_cpus(),
							 .share = broken ? 0 : 4,
							 .work = 30000});
}

TEST(mutex_torture)
{
	static struct mutex_torture s;
	u64 done = mutex_run(&s, false);

	EXPECT_GT(done, 0);
	EXPECT_EQ(s.count, done);
	EXPECT_EQ(s.m.owner, 0);
	EXPECT(list_empty(&s.m.waiters));
}

TEST(mutex_torture_finds_broken)
{
	static struct mutex_torture s;
	u64 done = 0;

	s.count = 0;
	for (int i = 0; i < TORTURE_TRIES && s.count == done; i++)
		done = mutex_run(&s, true);
	EXPECT_GT(done, 0);
	EXPECT_LT(s.count, done);
}

TEST(mutex_state)
{
	struct mutex m = MUTEX_INIT(m, test_mutex_class);

	EXPECT(!mutex_locked(&m));
	EXPECT(!mutex_held(&m));
	mutex_lock(&m);
	EXPECT(mutex_locked(&m));
	EXPECT(mutex_held(&m));
	EXPECT(!mutex_try_lock(&m));
	mutex_unlock(&m);
	EXPECT(mutex_try_lock(&m));
	mutex_unlock(&m);
	EXPECT_EQ(m.owner, 0);
}

/* A holder that unlocks and locks again at once must let the sleeper in, or this never ends. */
struct greedy {
	struct mutex m;
	u32 stop;
};

static void
greedy_thread(void *arg)
{
	struct greedy *g = arg;

	while (!READ_ONCE(g->stop)) {
		mutex_lock(&g->m);
		torture_window();
		mutex_unlock(&g->m);
	}
}

TEST(mutex_handoff)
{
	static struct greedy g;
	struct test_thread *t;
	int got = 0;

	mutex_init(&g.m, &test_mutex_class);
	g.stop = 0;
	t = test_spawn(1, greedy_thread, &g);
	for (int i = 0; i < 100; i++) {
		mutex_lock(&g.m);
		got++;
		mutex_unlock(&g.m);
	}
	WRITE_ONCE(g.stop, 1);
	test_join(t);
	EXPECT_EQ(got, 100);
}
