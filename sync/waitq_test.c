/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wait queues: no wakeup is lost, exclusive waiters get one each. A waiter that
 * queues after its last look at the condition must be found asleep for good.
 */
#include "sync/waitq.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define PAIRS 32
/* A wakeup that has not come by then is lost, ns. */
#define LOST 200000000UL

enum { EMPTY, BALL, GONE };

/* A box for one ball between a thrower and a catcher. */
struct ball_torture {
	struct torture t;
	/* one for all pairs, or each has its own */
	struct waitq q[PAIRS];
	bool common;
	/* a  EMPTY, BALL, GONE: of each pair */
	u32 box[PAIRS];
	/* Waits until the box is empty, or is not. */
	void (*wait)(struct ball_torture *s, unsigned int pair, bool empty);
	/* a  found asleep although the box was right */
	u32 lost;
};

static struct waitq *
queue_of(struct ball_torture *s, unsigned int pair)
{
	return &s->q[s->common ? 0 : pair];
}

static bool
box_is(struct ball_torture *s, unsigned int pair, bool empty)
{
	return (READ_ONCE(s->box[pair]) == EMPTY) == empty;
}

static void
wait_right(struct ball_torture *s, unsigned int pair, bool empty)
{
	if (empty)
		wait_event(queue_of(s, pair), box_is(s, pair, true));
	else
		(void)!wait_event_interruptible(queue_of(s, pair), box_is(s, pair, false));
}

/* Looks, queues, sleeps: what comes true between the first two wakes nobody. */
static void
wait_broken(struct ball_torture *s, unsigned int pair, bool empty)
{
	struct waiter w;

	waiter_init_current(&w, 0);
	while (!box_is(s, pair, empty)) {
		torture_window();
		waitq_prepare(queue_of(s, pair), &w, PARK_UNINTERRUPTIBLE);
		if (park(ktime_get() + LOST) != 0 && box_is(s, pair, empty))
			atomic_inc(&s->lost);
	}
	waitq_finish(queue_of(s, pair), &w);
}

static void
box_fill(struct ball_torture *s, unsigned int pair, u32 what)
{
	WRITE_ONCE(s->box[pair], what);
	waitq_wake_all(queue_of(s, pair));
}

static void
ball_thread(struct torture_thread *th)
{
	struct ball_torture *s = container_of(th->torture, struct ball_torture, t);
	unsigned int pair = th->index / 2;
	bool thrower = th->index % 2 == 0, gone = false;

	while (!gone) {
		s->wait(s, pair, thrower);
		if (READ_ONCE(s->lost) != 0)
			torture_stop(th);
		gone = thrower ? torture_over(th) : READ_ONCE(s->box[pair]) == GONE;
		if (!gone)
			box_fill(s, pair, thrower ? BALL : EMPTY);
		torture_turn(th);
	}
	if (thrower)
		box_fill(s, pair, GONE);
}

static void
ball_run(struct ball_torture *s, bool common,
	 void (*wait)(struct ball_torture *s, unsigned int pair, bool empty))
{
	struct torture_plan plan = {.fn = ball_thread,
				    .threads = 2 * max(test_cpus() / 2, 1u),
				    .share = 4,
				    .work = wait == wait_right ? 10000 : TORTURE_UNTIL_FOUND};

	s->common = common;
	s->wait = wait;
	s->lost = 0;
	for (int i = 0; i < PAIRS; i++) {
		waitq_init(&s->q[i]);
		s->box[i] = EMPTY;
	}
	torture_run(&s->t, &plan);
	for (int i = 0; i < PAIRS; i++)
		EXPECT(list_empty(&s->q[i].waiters));
}

/* A lost wakeup would hang these. */
TEST(waitq_torture)
{
	static struct ball_torture s;

	ball_run(&s, false, wait_right);
}

TEST(waitq_torture_one_queue)
{
	static struct ball_torture s;

	ball_run(&s, true, wait_right);
}

TEST(waitq_torture_finds_broken)
{
	static struct ball_torture s;

	for (int i = 0; i < TORTURE_TRIES && s.lost == 0; i++)
		ball_run(&s, false, wait_broken);
	EXPECT_GT(s.lost, 0);
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

/* A waiter that is woken between its last look and its leaving, and one behind it. */
struct late_wakeup {
	struct waitq q;
	struct waiter next;
	unsigned int looks;
	unsigned int woken;
	bool wake;
};

static int
count_next(struct waiter *w, unsigned long key)
{
	container_of(w, struct late_wakeup, next)->woken++;
	return 1;
}

/* Never true. The looks: unqueued, queued, and the last one. */
static bool
look_late(struct late_wakeup *l)
{
	l->looks++;
	if (l->looks == 2)
		waitq_add(&l->q, &l->next);
	if (l->looks == 3 && l->wake)
		waitq_wake_one(&l->q);
	return false;
}

static unsigned int
late_run(bool wake, unsigned int flags)
{
	struct late_wakeup l = {.wake = wake};

	waitq_init(&l.q);
	l.next.wake = count_next;
	l.next.flags = WAITER_KEEP | WAITER_EXCLUSIVE;
	EXPECT_EQ(wait_event_common(&l.q, look_late(&l), PARK_UNINTERRUPTIBLE,
				    ktime_get() + 1000000, flags),
		  -ETIMEDOUT);
	EXPECT_EQ(l.looks, 3);
	waitq_del(&l.q, &l.next);
	EXPECT(list_empty(&l.q.waiters));
	return l.woken;
}

/* An exclusive waiter that gives up passes on a wakeup that it has got, and no other. */
TEST(waitq_giving_up_wakes_next)
{
	EXPECT_EQ(late_run(true, WAITER_EXCLUSIVE), 1);
	EXPECT_EQ(late_run(false, WAITER_EXCLUSIVE), 0);
	/* The other kind has taken the wakeup from nobody. */
	EXPECT_EQ(late_run(true, 0), 1);
}
