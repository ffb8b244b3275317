/* SPDX-License-Identifier: BSD-2-Clause */
/* Mailboxes and calls: nothing lost, nothing twice, in order, no deadlock. */
#include "percpu/mailbox.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define SENDERS 64
#define PER_SENDER 4

struct letter {
	struct mail mail;
	unsigned int sender;
	unsigned int target;
	u64 number;
	/* a  1: in a mailbox */
	u32 posted;
};

struct mail_torture {
	struct torture t;
	struct letter letters[SENDERS][PER_SENDER];
	/* a  next number expected from each sender */
	u64 expected[SENDERS];
	/* a */
	u64 received;
	u64 wrong;
};

static struct mail_torture mail_torture;

static void
letter_read(struct mail *m)
{
	struct letter *l = container_of(m, struct letter, mail);
	struct mail_torture *s = &mail_torture;

	if (cpu_id() != l->target || READ_ONCE(s->expected[l->sender]) != l->number)
		atomic_inc(&s->wrong);
	WRITE_ONCE(s->expected[l->sender], l->number + 1);
	atomic_inc(&s->received);
	smp_store_release(&l->posted, 0);
}

/* Every sender has one target, so the order of its letters can be seen there. */
static void
mail_thread(struct torture_thread *th)
{
	struct mail_torture *s = &mail_torture;
	unsigned int target = (th->index + 1) % test_cpus();

	while (!torture_over(th)) {
		struct letter *l = &s->letters[th->index][th->result % PER_SENDER];

		while (smp_load_acquire(&l->posted))
			cpu_relax();
		l->posted = 1;
		l->mail.fn = letter_read;
		l->sender = th->index;
		l->target = target;
		l->number = th->result++;
		mailbox_post(target, &l->mail);
	}
}

TEST(mailbox_torture)
{
	struct mail_torture *s = &mail_torture;
	u64 sent;

	s->received = 0;
	s->wrong = 0;
	for (int i = 0; i < SENDERS; i++)
		s->expected[i] = 0;
	sent = torture_run(&s->t, mail_thread, min(test_cpus(), (unsigned int)SENDERS));
	for (int i = 0; i < 1000 && READ_ONCE(s->received) != sent; i++)
		test_sleep(1000000);
	EXPECT_GT(sent, 0);
	EXPECT_EQ(s->received, sent);
	EXPECT_EQ(s->wrong, 0);
}

struct call_torture {
	struct torture t;
	/* a */
	u64 calls;
	u64 wrong;
};

static void
call_count(void *arg)
{
	struct call_torture *s = arg;

	if (!irqs_disabled())
		atomic_inc(&s->wrong);
	atomic_inc(&s->calls);
}

static void
call_thread(struct torture_thread *th)
{
	struct call_torture *s = container_of(th->torture, struct call_torture, t);

	while (!torture_over(th)) {
		unsigned int cpu = (unsigned int)(test_rand(&th->seed) % test_cpus());

		if (cpu_call(cpu, call_count, s) == 0)
			th->result++;
	}
}

TEST(cpu_call_torture)
{
	static struct call_torture s;
	u64 done;

	s.calls = 0;
	s.wrong = 0;
	/* Everybody calls everybody: whoever waits has to answer. */
	done = torture_run(&s.t, call_thread, test_cpus());
	EXPECT_GT(done, 0);
	EXPECT_EQ(s.calls, done);
	EXPECT_EQ(s.wrong, 0);
}

static void
mask_thread(struct torture_thread *th)
{
	struct call_torture *s = container_of(th->torture, struct call_torture, t);

	while (!torture_over(th)) {
		cpu_call_mask(&cpu_online_mask, call_count, s);
		th->result += test_cpus();
	}
}

TEST(cpu_call_mask_torture)
{
	static struct call_torture s;
	u64 done;

	s.calls = 0;
	s.wrong = 0;
	/* Two tasks a CPU: their calls take turns. */
	done = torture_run(&s.t, mask_thread, 2 * test_cpus());
	EXPECT_GT(done, 0);
	EXPECT_EQ(s.calls, done);
	EXPECT_EQ(s.wrong, 0);
}

static void
note_cpu(void *arg)
{
	*(unsigned int *)arg = cpu_id();
}

TEST(cpu_call_targets)
{
	unsigned int ran, cpu;

	for_each_online_cpu(cpu) {
		ran = nr_cpus;
		EXPECT_EQ(cpu_call(cpu, note_cpu, &ran), 0);
		EXPECT_EQ(ran, cpu);
	}
	EXPECT_EQ(cpu_call(nr_cpus, note_cpu, &ran), -6);
}
