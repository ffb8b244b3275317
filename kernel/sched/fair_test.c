/* SPDX-License-Identifier: BSD-2-Clause */
/* The fair class on a queue that no CPU runs: who is served when, and how much. */
#include "kernel/sched/runq.h"

#include "lib/test.h"
#include "mm/slab.h"
#include "percpu/percpu.h"

#define MS 1000000UL
#define HOGS 16

struct sim {
	struct runq rq;
	struct task *task[HOGS + 1];
	u64 had[HOGS + 1];
};

static void
sim_free(struct sim *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(s->task); i++)
		kfree(s->task[i]);
	kfree(s);
}

static struct sim *
sim_alloc(void)
{
	struct sim *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->rq.cpu = cpu_id();
	s->rq.clock = 1000 * MS;
	s->rq.fair_tree = RB_ROOT_CACHED;
	list_init(&s->rq.fair_woken);
	for (unsigned int i = 0; i < ARRAY_SIZE(s->task); i++) {
		s->task[i] = kzalloc(sizeof(struct task), GFP_KERNEL);
		if (!s->task[i]) {
			sim_free(s);
			return NULL;
		}
		s->task[i]->sched.class = &fair_class;
		list_init(&s->task[i]->sched.link);
		rb_clear(&s->task[i]->sched.node);
	}
	return s;
}

static unsigned int
sim_pick(struct sim *s)
{
	struct task *t = fair_class.pick(&s->rq);
	unsigned int i = 0;

	while (s->task[i] != t)
		i++;
	return i;
}

/* Task i, which was picked, has the CPU for ns. */
static void
sim_run(struct sim *s, unsigned int i, u64 ns)
{
	s->rq.clock += ns;
	s->had[i] += ns;
	fair_class.account(&s->rq, s->task[i], ns);
}

/* The next turn, of at least 3 ms: ticks come late, by up to 20 ms. Who had it. */
static unsigned int
sim_turn(struct sim *s, u64 n)
{
	unsigned int i = sim_pick(s);

	sim_run(s, i, 3 * MS + n * 7919 % 21 * MS);
	fair_class.put_prev(&s->rq, s->task[i]);
	return i;
}

/* Who sleeps most of the time waits for one turn of the others at most, however late they are. */
TEST(fair_wakers_go_first)
{
	struct sim *s = sim_alloc();
	u64 n = 0;

	ASSERT_TRUE(s);
	for (unsigned int i = 1; i <= HOGS; i++)
		runq_enqueue(&s->rq, s->task[i], false);
	for (unsigned int round = 0; round < 300; round++) {
		unsigned int i, turns = 0;

		s->task[0]->sched.nice = round < 100 ? 0 : round < 200 ? -20 : 10;
		for (i = 0; i < 10; i++)
			sim_turn(s, n++);
		runq_enqueue(&s->rq, s->task[0], true);
		/* The first time it is new and waits as all do. */
		while ((i = sim_pick(s)) != 0) {
			sim_run(s, i, 3 * MS + n++ * 7919 % 21 * MS);
			fair_class.put_prev(&s->rq, s->task[i]);
			turns++;
		}
		EXPECT_LE(turns, round ? 1 : HOGS);
		/* Less than its share, also of nice 10. */
		sim_run(s, 0, MS / 5);
		runq_dequeue(&s->rq, s->task[0], true);
	}
	sim_free(s);
}

/* Going first is no more than one's share: who hardly sleeps has as much as the others. */
TEST(fair_waker_has_its_share)
{
	struct sim *s = sim_alloc();
	u64 sum = 0;

	ASSERT_TRUE(s);
	for (unsigned int i = 0; i < 4; i++)
		runq_enqueue(&s->rq, s->task[i], false);
	while (s->rq.clock < 9000 * MS) {
		unsigned int i = sim_pick(s);

		sim_run(s, i, 2 * MS);
		if (i) {
			fair_class.put_prev(&s->rq, s->task[i]);
			continue;
		}
		runq_dequeue(&s->rq, s->task[0], true);
		s->rq.clock += MS / 100;
		runq_enqueue(&s->rq, s->task[0], true);
	}
	for (unsigned int i = 0; i < 4; i++)
		sum += s->had[i];
	for (unsigned int i = 0; i < 4; i++) {
		EXPECT_GE(s->had[i], sum / 4 - 40 * MS);
		EXPECT_LE(s->had[i], sum / 4 + 40 * MS);
	}
	sim_free(s);
}

/* What a task had too early it waits for, asleep as well as queued. */
TEST(fair_debt_is_paid_asleep)
{
	struct sim *s = sim_alloc();
	struct task *t;

	ASSERT_TRUE(s);
	t = s->task[0];
	for (unsigned int i = 0; i < 4; i++)
		runq_enqueue(&s->rq, s->task[i], false);
	while (sim_pick(s) != 0)
		;
	/* Those that were picked on the way stay out of the order, but not out of the sums. */
	sim_run(s, 0, 12 * MS);
	runq_dequeue(&s->rq, t, true);
	EXPECT_LT(t->sched.vlag, 0);
	s->rq.clock += MS;
	runq_enqueue(&s->rq, t, true);
	runq_dequeue(&s->rq, t, true);
	EXPECT_LT(t->sched.vlag, 0);
	s->rq.clock += 1000 * MS;
	runq_enqueue(&s->rq, t, true);
	runq_dequeue(&s->rq, t, true);
	EXPECT_GE(t->sched.vlag, -1);
	EXPECT_LE(t->sched.vlag, 0);
	sim_free(s);
}

/* A task of little weight is never off its share by much. */
TEST(fair_light_tasks_have_their_share)
{
	static const s32 nice[] = {-10, -5, 0, 5, 10, 15};
	enum { LIGHTEST = ARRAY_SIZE(nice) - 1 };
	struct sim *s = sim_alloc();
	u64 weights = 0, start;

	ASSERT_TRUE(s);
	start = s->rq.clock;
	for (unsigned int i = 0; i < ARRAY_SIZE(nice); i++) {
		s->task[i]->sched.nice = nice[i];
		weights += sched_nice_weight(nice[i]);
		runq_enqueue(&s->rq, s->task[i], false);
	}
	/* 2.5 ms a second are the last one's. */
	while (s->rq.clock < 11000 * MS) {
		unsigned int i = sim_pick(s);
		u64 share;

		sim_run(s, i, max(fair_class.slice_left(&s->rq, s->task[i]), MS / 10));
		fair_class.put_prev(&s->rq, s->task[i]);
		share = (s->rq.clock - start) * sched_nice_weight(nice[LIGHTEST]) / weights;
		EXPECT_GE(s->had[LIGHTEST] + MS / 2, share);
		EXPECT_LE(s->had[LIGHTEST], share + MS / 2);
	}
	sim_free(s);
}
