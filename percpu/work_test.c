/* SPDX-License-Identifier: BSD-2-Clause */
/* Work items: each post that succeeds is one run, on the right CPU, in order. */
#include "percpu/work.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define ITEMS 32

struct item {
	struct work work;
	/* a */
	u64 runs;
	/* what the poster wrote before, and what the work saw last */
	u64 written;
	u64 seen;
};

struct work_torture {
	struct torture t;
	struct item items[ITEMS];
	/* a */
	u64 wrong;
};

static void
item_run(struct work *w)
{
	struct item *i = container_of(w, struct item, work);

	WRITE_ONCE(i->seen, READ_ONCE(i->written));
	atomic_inc(&i->runs);
}

static void
work_thread(struct torture_thread *th)
{
	struct work_torture *s = container_of(th->torture, struct work_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		struct item *i = &s->items[r % ITEMS];

		atomic_inc(&i->written);
		if (work_post((unsigned int)(r >> 32) % test_cpus(), &i->work))
			th->result++;
		torture_turn(th);
	}
}

TEST(work_torture)
{
	static struct work_torture s;
	u64 posted, runs = 0;

	for (int i = 0; i < ITEMS; i++) {
		work_init(&s.items[i].work, item_run);
		s.items[i].runs = 0;
	}
	posted = torture_run(&s.t, &(struct torture_plan){.fn = work_thread,
							  .threads = test_cpus(),
							  .share = 64,
							  .work = 200000});
	work_flush_all();
	for (int i = 0; i < ITEMS; i++) {
		runs += s.items[i].runs;
		/* A post that was refused is seen by the run that was still to come. */
		EXPECT_EQ(s.items[i].seen, s.items[i].written);
	}
	EXPECT_GT(posted, 0);
	EXPECT_EQ(runs, posted);
}

static unsigned int order[3];
static unsigned int nr_run;
static struct work ordered[3];

static void
order_run(struct work *w)
{
	order[nr_run++] = (unsigned int)(w - ordered);
}

TEST(work_order_and_flush)
{
	unsigned int cpu = test_cpus() - 1;

	nr_run = 0;
	for (int i = 0; i < 3; i++) {
		work_init(&ordered[i], order_run);
		EXPECT(work_post(cpu, &ordered[i]));
	}
	work_flush(cpu);
	ASSERT_EQ(nr_run, 3);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_EQ(order[i], i);
}
