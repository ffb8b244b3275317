/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes and calls: nothing lost, nothing twice, in order, no deadlock. A
 * sender that looks whether the box is empty before it has posted must be found
 * leaving letters there that nobody is told of.
 */
#include "percpu/mailbox.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/mailbox_impl.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define SENDERS 64
#define PER_SENDER 4
/* A letter that has not been read by then is forgotten, ns. */
#define FORGOTTEN 200000000UL

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
	void (*post)(unsigned int cpu, struct mail *m);
	/* targets; senders have them in turn */
	unsigned int targets;
	/* a  next number expected from each sender */
	u64 expected[SENDERS];
	/* a */
	u64 received;
	u64 wrong;
	u64 forgotten;
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

/* Waits until l has been read; one that is forgotten is reported, and its target told. */
static void
letter_wait(struct mail_torture *s, const struct letter *l)
{
	u64 until = 0;

	while (smp_load_acquire(&l->posted)) {
		cpu_relax();
		if (until == 0)
			until = ktime_get() + FORGOTTEN;
		if (s->post == mailbox_post || ktime_get() < until)
			continue;
		atomic_inc(&s->forgotten);
		arch_ipi_mailbox(l->target);
		until = 0;
	}
}

/* Every sender has one target, so the order of its letters can be seen there. */
static void
mail_thread(struct torture_thread *th)
{
	struct mail_torture *s = &mail_torture;
	unsigned int target = (th->index + 1) % s->targets;

	while (!torture_over(th)) {
		struct letter *l = &s->letters[th->index][th->result % PER_SENDER];

		letter_wait(s, l);
		l->posted = 1;
		l->mail.fn = letter_read;
		l->sender = th->index;
		l->target = target;
		l->number = th->result++;
		pin();
		s->post(target, &l->mail);
		unpin();
		torture_turn(th);
		if (READ_ONCE(s->forgotten) != 0)
			torture_stop(th);
	}
	for (int i = 0; i < PER_SENDER; i++)
		letter_wait(s, &s->letters[th->index][i]);
}

/* Letters sent. */
static u64
mail_run(struct mail_torture *s, unsigned int targets,
	 void (*post)(unsigned int cpu, struct mail *m))
{
	struct torture_plan plan = {.fn = mail_thread,
				    .threads = test_cpus(),
				    .share = 8,
				    .work = post == mailbox_post ? 100000 : TORTURE_UNTIL_FOUND};

	s->post = post;
	s->targets = targets;
	s->received = 0;
	s->wrong = 0;
	s->forgotten = 0;
	for (int i = 0; i < SENDERS; i++)
		s->expected[i] = 0;
	return torture_run(&s->t, &plan);
}

TEST(mailbox_torture)
{
	struct mail_torture *s = &mail_torture;

	EXPECT_GT(mail_run(s, test_cpus(), mailbox_post), 0);
	EXPECT_EQ(s->wrong, 0);
	/* All to one. */
	EXPECT_EQ(mail_run(s, 1, mailbox_post), s->received);
	EXPECT_EQ(s->wrong, 0);
}

/* By the time it is there, others may have put theirs in and the owner taken all. */
static void
post_broken(unsigned int cpu, struct mail *m)
{
	struct mail **box = cpu_ptr(&mailbox, cpu);
	bool empty = READ_ONCE(*box) == NULL;
	struct mail *head;

	torture_window();
	head = READ_ONCE(*box);
	do
		WRITE_ONCE(m->next, head);
	while (!atomic_try_cmpxchg(box, &head, m));
	if (empty)
		arch_ipi_mailbox(cpu);
}

TEST(mailbox_torture_finds_broken)
{
	struct mail_torture *s = &mail_torture;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s->forgotten = 0;
	for (int i = 0; i < TORTURE_TRIES && s->forgotten == 0; i++)
		mail_run(s, i % 2 ? 1 : test_cpus(), post_broken);
	EXPECT_GT(s->forgotten, 0);
}

struct endless {
	struct mail mail;
	u32 left;
};

static void
endless_read(struct mail *m)
{
	struct endless *e = container_of(m, struct endless, mail);

	if (e->left && --e->left)
		mailbox_post(cpu_id(), m);
}

/* Mail that does not end leaves the interrupted code a part of the CPU. */
TEST(mailbox_lets_others_get_on)
{
	struct endless e = {.mail.fn = endless_read, .left = 4000};
	u64 turns = 0;

	pin();
	mailbox_post(cpu_id(), &e.mail);
	for (; READ_ONCE(e.left); turns++)
		cpu_relax();
	unpin();
	EXPECT_GT(turns, 4000);
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
		torture_turn(th);
	}
}

TEST(cpu_call_torture)
{
	static struct call_torture s;
	u64 done;

	s.calls = 0;
	s.wrong = 0;
	/* Everybody calls everybody: whoever waits has to answer. */
	done = torture_run(&s.t, &(struct torture_plan){.fn = call_thread,
							.threads = test_cpus(),
							.share = 4,
							.work = 50000});
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
		torture_turn(th);
	}
}

TEST(cpu_call_mask_torture)
{
	static struct call_torture s;
	u64 done;

	s.calls = 0;
	s.wrong = 0;
	/* Two tasks a CPU: their calls take turns. */
	done = torture_run(&s.t, &(struct torture_plan){.fn = mask_thread,
							.threads = 2 * test_cpus(),
							.share = 1,
							.work = 20000});
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
