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
	u64 writes;
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
	atomic_inc(&s->writes);
}

static void
seq_read(struct seq_torture *s)
{
	u64 a, b;
	u32 v;

	do {
		v = seq_read_begin(&s->seq);
		a = READ_ONCE(s->a);
		b = READ_ONCE(s->b);
	} while (seq_read_retry(&s->seq, v));
	if (a != b)
		atomic_inc(&s->wrong);
}

static void
seq_thread(struct torture_thread *th)
{
	struct seq_torture *s = container_of(th->torture, struct seq_torture, t);

	while (!torture_over(th)) {
		if (th->index == 0) {
			seq_write(s);
			cpu_relax();
		} else {
			seq_read(s);
		}
		th->result++;
	}
}

TEST(seqcount_torture)
{
	static struct seq_torture s;

	s.broken = false;
	s.wrong = 0;
	EXPECT_GT(torture_run(&s.t, seq_thread, test_cpus()), 0);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_GT(s.writes, 0);
	EXPECT_EQ(s.seq.seq % 2, 0);
}

TEST(seqcount_torture_finds_broken)
{
	static struct seq_torture s;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s.broken = true;
	s.wrong = 0;
	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		torture_run(&s.t, seq_thread, test_cpus());
	EXPECT_GT(s.wrong, 0);
}
