/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PI mutexes: exclusion, lending along a chain, deadlocks found, nothing left
 * behind. A lock that takes a timeout for the last word must be found owning what
 * it was handed at the same time.
 */
#include "sync/pimutex.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/completion.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define MUTEXES 3

struct pi_torture {
	struct torture t;
	struct pimutex m[MUTEXES];
	/* (m[i])  plain, on purpose */
	u64 count[MUTEXES];
	/* a */
	u64 done[MUTEXES];
	u64 deadlocks;
	u64 wrong;
	/* a  owned by a task that was refused it */
	u64 kept;
	int (*lock)(struct pimutex *m, enum park_mode mode, u64 deadline);
};

static bool
take(struct pi_torture *s, unsigned int i, u64 r)
{
	u64 deadline = r & 1 ? NO_DEADLINE : ktime_get() + 100000;
	int ret;

	if (r & 2 && pimutex_try_lock(&s->m[i]))
		return true;
	ret = s->lock(&s->m[i], PARK_UNINTERRUPTIBLE, deadline);
	if (ret != 0 && pimutex_owner(&s->m[i]) == sync_current()) {
		atomic_inc(&s->kept);
		pimutex_unlock(&s->m[i]);
	}
	if (ret == -EDEADLK)
		atomic_inc(&s->deadlocks);
	else if (ret != 0 && ret != -ETIMEDOUT)
		atomic_inc(&s->wrong);
	return ret == 0;
}

static void
count_up(struct pi_torture *s, unsigned int i)
{
	u64 seen = READ_ONCE(s->count[i]);

	test_yield();
	WRITE_ONCE(s->count[i], seen + 1);
	atomic_inc(&s->done[i]);
}

/* Two mutexes in any order: that deadlocks often, and must be refused when it does. */
static void
pi_thread(struct torture_thread *th)
{
	struct pi_torture *s = container_of(th->torture, struct pi_torture, t);
	s32 own = task_pi_prio(sync_current());

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		unsigned int a = (unsigned int)(r % MUTEXES);
		unsigned int b = (unsigned int)((r >> 8) % MUTEXES);

		if ((r >> 48) % 8 == 0)
			task_pi_set_prio(sync_current(), (s32)((r >> 40) % 100));
		if (!take(s, a, r >> 16))
			continue;
		count_up(s, a);
		/* On one CPU an urgent thread leaves no moment to the others unless it sleeps. */
		if ((r >> 52) % 32 == 0)
			test_sleep(1000);
		if (b != a && take(s, b, r >> 24)) {
			count_up(s, b);
			pimutex_unlock(&s->m[b]);
		}
		pimutex_unlock(&s->m[a]);
		torture_turn(th);
		if (READ_ONCE(s->kept) != 0)
			torture_stop(th);
	}
	task_pi_set_prio(sync_current(), own);
	if (task_pi_prio(sync_current()) != own)
		atomic_inc(&s->wrong);
}

static void
pi_run(struct pi_torture *s, int (*lock)(struct pimutex *m, enum park_mode mode, u64 deadline))
{
	/* Urgent threads pass the others: no shares. */
	struct torture_plan plan = {.fn = pi_thread,
				    .threads = 2 * max(test_cpus(), 2u),
				    .work = lock == pimutex_lock ? 10000 : TORTURE_UNTIL_FOUND};

	s->lock = lock;
	s->wrong = 0;
	s->kept = 0;
	s->deadlocks = 0;
	for (int i = 0; i < MUTEXES; i++) {
		pimutex_init(&s->m[i]);
		s->count[i] = 0;
		s->done[i] = 0;
	}
	torture_run(&s->t, &plan);
}

TEST(pimutex_torture)
{
	static struct pi_torture s;

	pi_run(&s, pimutex_lock);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_EQ(s.kept, 0);
	EXPECT_GT(s.deadlocks, 0);
	for (int i = 0; i < MUTEXES; i++) {
		EXPECT_GT(s.done[i], 0);
		EXPECT_EQ(s.count[i], s.done[i]);
		EXPECT(pimutex_owner(&s.m[i]) == NULL);
		EXPECT(!pimutex_has_waiters(&s.m[i]));
	}
}

/* Time is over, so it leaves: it may have been made the owner since it looked. */
static int
lock_broken(struct pimutex *m, enum park_mode mode, u64 deadline)
{
	struct pi_waiter w;
	int ret = pimutex_enqueue(m, &w, sync_current());

	if (ret != 0)
		return ret > 0 ? 0 : ret;
	ret = pimutex_wait(m, &w, mode, deadline);
	if (ret != 0) {
		torture_window();
		(void)pimutex_dequeue(m, &w);
	}
	return ret;
}

TEST(pimutex_torture_finds_broken)
{
	static struct pi_torture s;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && s.kept == 0; i++)
		pi_run(&s, lock_broken);
	EXPECT_GT(s.kept, 0);
}

/*
 * A ring: each of its threads holds one mutex and then wants the next one's,
 * all at once. Exactly one of them is refused, whoever else has seen the cycle,
 * and the others get what they wait for.
 */
#define RING 3
#define RING_ROUNDS 100

struct ring {
	struct torture t;
	struct pimutex m[RING];
	/* a  threads that arrived at a barrier, over all barriers */
	u32 arrived;
	u32 refused[RING_ROUNDS];
	u32 wrong;
};

static void
ring_barrier(struct ring *r, u32 *passed)
{
	*passed += RING;
	atomic_inc(&r->arrived);
	while (atomic_read(&r->arrived) < *passed)
		test_yield();
}

static void
ring_thread(struct torture_thread *th)
{
	struct ring *r = container_of(th->torture, struct ring, t);
	struct pimutex *own = &r->m[th->index], *next = &r->m[(th->index + 1) % RING];
	u32 passed = 0;
	int ret;

	for (int round = 0; round < RING_ROUNDS; round++) {
		if (pimutex_lock(own, PARK_UNINTERRUPTIBLE, NO_DEADLINE) != 0)
			atomic_inc(&r->wrong);
		ring_barrier(r, &passed);
		ret = pimutex_lock(next, PARK_UNINTERRUPTIBLE, NO_DEADLINE);
		if (ret == 0)
			pimutex_unlock(next);
		else if (ret == -EDEADLK)
			atomic_inc(&r->refused[round]);
		else
			atomic_inc(&r->wrong);
		pimutex_unlock(own);
		ring_barrier(r, &passed);
		torture_turn(th);
	}
}

TEST(pimutex_ring)
{
	static struct ring r;
	u32 bad = 0;

	memset(&r, 0, sizeof(r));
	for (int i = 0; i < RING; i++)
		pimutex_init(&r.m[i]);
	torture_run(&r.t, &(struct torture_plan){
				  .fn = ring_thread, .threads = RING, .share = RING_ROUNDS});
	EXPECT_EQ(r.wrong, 0);
	for (int i = 0; i < RING_ROUNDS; i++)
		bad += r.refused[i] != 1;
	EXPECT_EQ(bad, 0);
}

/* A chain: `top` waits for mutex 1 of `middle`, who waits for mutex 0 of us. */
struct chain {
	struct pimutex m[2];
	struct completion queued;
	struct task *middle;
};

static void
chain_middle(void *arg)
{
	struct chain *c = arg;
	struct pi_waiter w;
	s32 own = task_pi_prio(sync_current());

	task_pi_set_prio(sync_current(), 50);
	c->middle = sync_current();
	EXPECT_EQ(pimutex_lock(&c->m[1], PARK_UNINTERRUPTIBLE, NO_DEADLINE), 0);
	/* As pimutex_lock(), but tells when we no longer look for cycles. */
	EXPECT_EQ(pimutex_enqueue(&c->m[0], &w, sync_current()), 0);
	complete(&c->queued);
	EXPECT_EQ(pimutex_wait(&c->m[0], &w, PARK_UNINTERRUPTIBLE, NO_DEADLINE), 0);
	pimutex_unlock(&c->m[0]);
	pimutex_unlock(&c->m[1]);
	EXPECT_EQ(task_pi_prio(sync_current()), 50);
	task_pi_set_prio(sync_current(), own);
}

static void
chain_top(void *arg)
{
	struct chain *c = arg;
	s32 own = task_pi_prio(sync_current());

	task_pi_set_prio(sync_current(), 7);
	EXPECT_EQ(pimutex_lock(&c->m[1], PARK_UNINTERRUPTIBLE, NO_DEADLINE), 0);
	pimutex_unlock(&c->m[1]);
	task_pi_set_prio(sync_current(), own);
}

static bool
prio_becomes(struct task *t, s32 prio)
{
	for (int i = 0; i < 1000 && task_pi_prio(t) != prio; i++)
		test_sleep(1000000);
	return task_pi_prio(t) == prio;
}

TEST(pimutex_chain)
{
	static struct chain c;
	struct task *self = sync_current();
	struct test_thread *middle, *top;
	s32 own = task_pi_prio(self);

	pimutex_init(&c.m[0]);
	pimutex_init(&c.m[1]);
	completion_init(&c.queued);
	ASSERT_EQ(pimutex_lock(&c.m[0], PARK_UNINTERRUPTIBLE, NO_DEADLINE), 0);
	EXPECT_EQ(pimutex_lock(&c.m[0], PARK_UNINTERRUPTIBLE, NO_DEADLINE), -EDEADLK);
	middle = test_spawn(1, chain_middle, &c);
	completion_wait(&c.queued);
	EXPECT_EQ(task_pi_prio(self), min(own, 50));
	/* Waiting for what the middle one holds would close the circle. */
	EXPECT_EQ(pimutex_lock(&c.m[1], PARK_UNINTERRUPTIBLE, NO_DEADLINE), -EDEADLK);
	top = test_spawn(2, chain_top, &c);
	EXPECT(prio_becomes(self, min(own, 7)));
	EXPECT_EQ(task_pi_prio(c.middle), 7);
	/* A waiter whose own priority falls lends less. */
	pimutex_unlock(&c.m[0]);
	EXPECT_EQ(task_pi_prio(self), own);
	test_join(middle);
	test_join(top);
}
