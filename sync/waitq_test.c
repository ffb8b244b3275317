/* SPDX-License-Identifier: BSD-2-Clause */
/* Wait queues and completions: no wakeup is lost, exclusive waiters get one each. */
#include "sync/waitq.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/completion.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* A box for one ball between a thrower and a catcher; many pairs, one queue. */
struct ball_torture {
	struct torture t;
	struct waitq q;
	/* a  balls in the box of each pair */
	u32 box[64];
	/* a  the pair has ended */
	u32 gone[64];
};

static void
throw_balls(struct torture_thread *th, struct ball_torture *s, unsigned int pair)
{
	while (!torture_over(th)) {
		wait_event(&s->q, READ_ONCE(s->box[pair]) == 0);
		WRITE_ONCE(s->box[pair], 1);
		waitq_wake_all(&s->q);
		th->result++;
	}
	wait_event(&s->q, READ_ONCE(s->box[pair]) == 0);
	WRITE_ONCE(s->gone[pair], 1);
	waitq_wake_all(&s->q);
}

static void
catch_balls(struct torture_thread *th, struct ball_torture *s, unsigned int pair)
{
	for (;;) {
		(void)!wait_event_interruptible(&s->q, READ_ONCE(s->box[pair]) ||
							       READ_ONCE(s->gone[pair]));
		if (!READ_ONCE(s->box[pair]))
			return;
		WRITE_ONCE(s->box[pair], 0);
		waitq_wake_all(&s->q);
	}
}

static void
ball_thread(struct torture_thread *th)
{
	struct ball_torture *s = container_of(th->torture, struct ball_torture, t);

	if (th->index % 2 == 0)
		throw_balls(th, s, th->index / 2);
	else
		catch_balls(th, s, th->index / 2);
}

TEST(waitq_torture)
{
	static struct ball_torture s;

	waitq_init(&s.q);
	for (int i = 0; i < 64; i++) {
		s.box[i] = 0;
		s.gone[i] = 0;
	}
	/* A lost wakeup would hang it. */
	EXPECT_GT(torture_run(&s.t, ball_thread, max(2 * (test_cpus() / 2), 2u)), 0);
	EXPECT(list_empty(&s.q.waiters));
}

struct token_torture {
	struct torture t;
	struct completion c;
	/* a */
	u64 taken;
	u32 givers;
};

static void
token_thread(struct torture_thread *th)
{
	struct token_torture *s = container_of(th->torture, struct token_torture, t);

	if (th->index % 2 == 0) {
		while (!torture_over(th)) {
			complete(&s->c);
			th->result++;
			test_yield();
		}
		if (atomic_sub_return(&s->givers, 1) == 0)
			complete_all(&s->c);
		return;
	}
	for (;;) {
		int ret = completion_wait_until(&s->c, ktime_get() + 1000000);

		/* Completed for good: whoever looks passes. */
		if (atomic_read(&s->givers) == 0 && ret == 0)
			return;
		if (ret == 0)
			atomic_inc(&s->taken);
	}
}

TEST(completion_torture)
{
	static struct token_torture s;
	unsigned int threads = max(test_cpus() & ~1u, 2u);
	u64 given;

	completion_init(&s.c);
	s.taken = 0;
	s.givers = threads / 2;
	given = torture_run(&s.t, token_thread, threads);
	EXPECT_GT(given, 0);
	/* What was given before the end and not taken is at most all of it. */
	EXPECT_LE(s.taken, given);
	completion_wait(&s.c);
	EXPECT(list_empty(&s.c.wait.waiters));
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

static int
count_wake(struct waiter *w, unsigned long key)
{
	w->task = (struct task *)((unsigned long)w->task + key);
	return 1;
}

TEST(waitq_callbacks)
{
	struct waitq q;
	struct waiter w[4] = {0};

	waitq_init(&q);
	EXPECT(!waitq_active(&q));
	for (int i = 0; i < 4; i++) {
		w[i].wake = count_wake;
		w[i].flags = WAITER_KEEP | (i < 2 ? WAITER_EXCLUSIVE : 0);
		waitq_add(&q, &w[i]);
	}
	EXPECT(waitq_active(&q));
	/* All that are not exclusive, and the first exclusive one. */
	waitq_wake(&q, 1, 5);
	EXPECT_EQ((unsigned long)w[0].task, 5);
	EXPECT_EQ((unsigned long)w[1].task, 0);
	EXPECT_EQ((unsigned long)w[2].task, 5);
	EXPECT_EQ((unsigned long)w[3].task, 5);
	waitq_wake(&q, 0, 1);
	EXPECT_EQ((unsigned long)w[1].task, 1);
	for (int i = 0; i < 4; i++) {
		waitq_del(&q, &w[i]);
		waitq_del(&q, &w[i]);
	}
	EXPECT(!waitq_active(&q));
}
