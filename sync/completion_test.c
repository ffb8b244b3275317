/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions: what is given is taken, once each. A waiter that does not look
 * again when it is woken must be found taking what is not there.
 */
#include "sync/completion.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* Givers wait when so many are not taken. */
#define AHEAD 3

struct token_torture {
	struct torture t;
	struct completion c;
	bool (*take)(struct completion *c, u64 r);
	unsigned int takers;
	/* a  counted before it is given, after it is taken */
	u64 given;
	u64 taken;
	/* a  taken and not given */
	u64 wrong;
	/* a  givers that go on */
	u32 givers;
	/* a  1: nothing more is given but one for each taker, to go home with */
	u32 closed;
};

static bool
take_right(struct completion *c, u64 r)
{
	switch (r % 4) {
	case 0:
		completion_wait(c);
		return true;
	case 1:
		return completion_wait_killable(c) == 0;
	case 2:
		return completion_wait_interruptible(c) == 0;
	default:
		/* Times out now and then, as it is woken perhaps. */
		return completion_wait_until(c, ktime_get() + (r >> 8) % 100000) == 0;
	}
}

/* Given and not taken, and n more or less. */
static u32
tokens_add(struct completion *c, s32 n)
{
	unsigned long flags = spin_lock_irq(&c->wait.lock);
	u32 sum = c->done += (u32)n;

	spin_unlock_irq(&c->wait.lock, flags);
	return sum;
}

/* "Who is woken has been given one." Others look without having slept. */
static bool
take_broken(struct completion *c, u64 r)
{
	struct waiter w;
	bool woken;

	waiter_init_current(&w, WAITER_EXCLUSIVE);
	waitq_prepare(&c->wait, &w, PARK_UNINTERRUPTIBLE);
	woken = tokens_add(c, 0) != 0 || park(ktime_get() + 1000000) == 0;
	waitq_finish(&c->wait, &w);
	if (woken)
		tokens_add(c, -1);
	return woken;
}

static void
give(struct token_torture *s)
{
	atomic_inc(&s->given);
	complete(&s->c);
}

static void
give_thread(struct torture_thread *th, struct token_torture *s)
{
	while (!torture_over(th)) {
		if (tokens_add(&s->c, 0) < AHEAD) {
			give(s);
			torture_turn(th);
		}
		test_yield();
	}
	if (atomic_sub_return(&s->givers, 1) != 0)
		return;
	smp_store_release(&s->closed, 1);
	for (unsigned int i = 0; i < s->takers; i++)
		give(s);
}

static void
take_thread(struct torture_thread *th, struct token_torture *s)
{
	do {
		while (!s->take(&s->c, test_rand(&th->seed)))
			;
		if (atomic_add_return(&s->taken, 1) > atomic_read(&s->given)) {
			atomic_inc(&s->wrong);
			torture_stop(th);
		}
		torture_turn(th);
		/* The broken ones need not wait any more once it has gone wrong. */
		if (th->turns % 16 == 0)
			test_yield();
	} while (!smp_load_acquire(&s->closed));
}

static void
token_thread(struct torture_thread *th)
{
	struct token_torture *s = container_of(th->torture, struct token_torture, t);

	if (th->index % 2 == 0)
		give_thread(th, s);
	else
		take_thread(th, s);
}

static void
token_run(struct token_torture *s, bool (*take)(struct completion *c, u64 r))
{
	unsigned int threads = max(2 * test_cpus(), 4u);

	completion_init(&s->c);
	s->take = take;
	s->given = 0;
	s->taken = 0;
	s->wrong = 0;
	s->closed = 0;
	s->takers = min(threads, TORTURE_THREADS) / 2;
	s->givers = s->takers;
	/* Which taker gets one, and whether a giver finds room, is a matter of luck. */
	torture_run(&s->t, &(struct torture_plan){
				   .fn = token_thread,
				   .threads = threads,
				   .share = 0,
				   .work = take == take_right ? 20000 : TORTURE_UNTIL_FOUND});
}

TEST(completion_torture)
{
	static struct token_torture s;

	token_run(&s, take_right);
	EXPECT_EQ(s.wrong, 0);
	EXPECT(list_empty(&s.c.wait.waiters));
	while (completion_wait_until(&s.c, 0) == 0)
		s.taken++;
	EXPECT_GT(s.given, s.takers);
	EXPECT_EQ(s.taken, s.given);
}

TEST(completion_torture_finds_broken)
{
	static struct token_torture s;

	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		token_run(&s, take_broken);
	EXPECT_GT(s.wrong, 0);
}

TEST(completion_counts)
{
	struct completion c;

	completion_init(&c);
	complete(&c);
	complete(&c);
	completion_wait(&c);
	EXPECT_EQ(completion_wait_killable(&c), 0);
	EXPECT_EQ(completion_wait_until(&c, ktime_get() + 2000000), -ETIMEDOUT);
	complete_all(&c);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(completion_wait_interruptible(&c), 0);
}
