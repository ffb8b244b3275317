/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequence counts: a reader never takes a torn pair for whole. */
#include "sync/seq.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

struct seq_torture {
	struct torture t;
	struct seqcount seq;
	/* s  equal outside of a writer */
	u64 a, b;
	bool broken;
	/* a */
	u64 wrong;
};

static void
seq_write(struct seq_torture *s)
{
	pin();
	if (!s->broken)
		seq_write_begin(&s->seq);
	WRITE_ONCE(s->a, s->a + 1);
	torture_window();
	WRITE_ONCE(s->b, s->b + 1);
	if (!s->broken)
		seq_write_end(&s->seq);
	unpin();
	/* A time for readers. */
	torture_window();
	torture_window();
}

/* One attempt, as a writer may pass each time: did it succeed? */
static bool
seq_read(struct seq_torture *s)
{
	u32 v = seq_read_begin(&s->seq);
	u64 a = READ_ONCE(s->a), b = READ_ONCE(s->b);

	if (seq_read_retry(&s->seq, v))
		return false;
	if (a != b)
		atomic_inc(&s->wrong);
	return true;
}

static void
seq_thread(struct torture_thread *th)
{
	struct seq_torture *s = container_of(th->torture, struct seq_torture, t);

	while (!torture_over(th)) {
		if (th->index == 0)
			seq_write(s);
		else
			th->result += seq_read(s);
		if (s->broken && READ_ONCE(s->wrong) != 0)
			torture_stop(th);
		torture_turn(th);
	}
}

static u64
seq_run(struct seq_torture *s, bool broken)
{
	s->broken = broken;
	return torture_run(&s->t,
			   &(struct torture_plan){.fn = seq_thread,
						  .threads = test_cpus() + 1,
						  .share = 16,
						  .work = broken ? TORTURE_UNTIL_FOUND : 1000000});
}

TEST(seqcount_torture)
{
	static struct seq_torture s;

	s.wrong = 0;
	EXPECT_GT(seq_run(&s, false), 0);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_EQ(s.seq.seq % 2, 0);
}

TEST(seqcount_torture_finds_broken)
{
	static struct seq_torture s;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s.wrong = 0;
	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		seq_run(&s, true);
	EXPECT_GT(s.wrong, 0);
}
