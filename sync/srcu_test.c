/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleepable RCU: as sync/rcu_test.c, with readers that sleep and leave elsewhere. */
#include "sync/srcu.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define ELEMENTS 64

struct srcu_torture {
	struct torture t;
	struct srcu s;
	/* a  1: in use, 0: not */
	u32 state[ELEMENTS];
	/* a  index of the element that readers find */
	u32 found;
	/* one writer at a time */
	struct mutex writer;
	bool broken;
	/* a */
	u64 reads;
	u64 updates;
	u64 wrong;
};

static LOCK_CLASS(srcu_test_class, RANK_EXEC);

static void
srcu_read(struct srcu_torture *s, u64 r)
{
	int idx = srcu_read_lock(&s->s);
	u32 e = READ_ONCE(s->found);
	bool bad = READ_ONCE(s->state[e]) != 1;

	if (r % 8 == 0)
		test_yield();
	else if (r % 64 == 1)
		test_sleep(100000);
	else
		torture_window();
	bad |= READ_ONCE(s->state[e]) != 1;
	srcu_read_unlock(&s->s, idx);
	atomic_inc(&s->reads);
	if (bad)
		atomic_inc(&s->wrong);
}

static void
srcu_update(struct srcu_torture *s)
{
	u32 old, next;

	mutex_lock(&s->writer);
	old = READ_ONCE(s->found);
	next = (old + 1) % ELEMENTS;
	WRITE_ONCE(s->state[next], 1);
	smp_store_release(&s->found, next);
	if (!s->broken)
		srcu_synchronize(&s->s);
	WRITE_ONCE(s->state[old], 0);
	mutex_unlock(&s->writer);
	atomic_inc(&s->updates);
}

static void
srcu_thread(struct torture_thread *th)
{
	struct srcu_torture *s = container_of(th->torture, struct srcu_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (th->index % 4 == 1)
			srcu_update(s);
		else
			srcu_read(s, r);
		if (READ_ONCE(s->wrong) != 0)
			torture_stop(th);
		torture_turn(th);
	}
}

static void
srcu_run(struct srcu_torture *s, bool broken)
{
	s->broken = broken;
	s->reads = 0;
	s->updates = 0;
	s->wrong = 0;
	for (int i = 0; i < ELEMENTS; i++)
		s->state[i] = i == 0;
	s->found = 0;
	mutex_init(&s->writer, &srcu_test_class);
	ASSERT_EQ(srcu_init(&s->s), 0);
	torture_run(&s->t, &(struct torture_plan){.fn = srcu_thread,
						  .threads = max(2 * test_cpus(), 4u),
						  .share = 2,
						  .work = broken ? TORTURE_UNTIL_FOUND : 50000});
	srcu_fini(&s->s);
	EXPECT_GT(s->reads, 0);
	EXPECT_GT(s->updates, 0);
}

TEST(srcu_torture)
{
	static struct srcu_torture s;

	srcu_run(&s, false);
	EXPECT_EQ(s.wrong, 0);
}

TEST(srcu_torture_finds_broken)
{
	static struct srcu_torture s;

	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		srcu_run(&s, true);
	EXPECT_GT(s.wrong, 0);
}
