/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks: threads on all CPUs, and interrupts between them, change a number
 * that only the lock protects. A lock whose compare and store are two steps
 * must lose updates.
 */
#include "sync/spinlock.h"

#include "lib/test.h"
#include "percpu/mailbox.h"
#include "sync/port.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static LOCK_CLASS(test_class, RANK_LEAF);
/* Taken in interrupts, so never with them enabled. */
static LOCK_CLASS(test_irq_class, RANK_LEAF);

struct lock_torture {
	struct torture t;
	struct spinlock lock;
	/* (lock)  plain, on purpose */
	u64 count;
	u64 check;
	bool (*take)(struct lock_torture *s);
	void (*give)(struct lock_torture *s);
};

static bool
take_spin(struct lock_torture *s)
{
	spin_lock(&s->lock);
	return true;
}

static bool
take_try(struct lock_torture *s)
{
	return spin_try_lock(&s->lock);
}

static void
give_spin(struct lock_torture *s)
{
	spin_unlock(&s->lock);
}

/* The queue, which virtual machines do without: it lets everybody in. */
static bool
take_queued(struct lock_torture *s)
{
	pin();
	if (!spin_word_try(&s->lock.word))
		spin_lock_queued(&s->lock.word);
	return true;
}

static void
give_word(struct lock_torture *s)
{
	spin_word_release(&s->lock.word);
	unpin();
}

/* Not a lock: others fit between the look and the store. */
static bool
take_broken(struct lock_torture *s)
{
	pin();
	while (READ_ONCE(s->lock.word) != 0)
		cpu_relax();
	torture_window();
	WRITE_ONCE(s->lock.word, 1);
	return true;
}

static void
lock_thread(struct torture_thread *th)
{
	struct lock_torture *s = container_of(th->torture, struct lock_torture, t);
	u64 done = 0;

	while (!torture_over(th)) {
		u64 seen;

		if (!s->take(s)) {
			cpu_relax();
			torture_turn(th);
			continue;
		}
		seen = READ_ONCE(s->count);
		if (done % 64 == 0)
			torture_window();
		WRITE_ONCE(s->count, seen + 1);
		s->give(s);
		torture_turn(th);
		/* Where spinlocks have no order, who comes back at once keeps the others out. */
		torture_window();
		done++;
	}
	th->result = done;
}

static u64
lock_run(struct lock_torture *s, bool (*take)(struct lock_torture *s),
	 void (*give)(struct lock_torture *s), struct torture_plan plan)
{
	spin_init(&s->lock, &test_class);
	s->count = 0;
	s->take = take;
	s->give = give;
	plan.fn = lock_thread;
	plan.threads = test_cpus();
	return torture_run(&s->t, &plan);
}

TEST(spinlock_torture)
{
	static struct lock_torture s;
	u64 done = lock_run(&s, take_spin, give_spin, (struct torture_plan){.work = 500000});

	EXPECT_GT(done, 0);
	EXPECT_EQ(s.count, done);
	EXPECT_EQ(s.lock.word, 0);
}

TEST(spinlock_queued_torture)
{
	static struct lock_torture s;
	struct torture_plan plan = {.share = 1, .work = test_cpus() <= 16 ? 500000 : 0};
	u64 done = lock_run(&s, take_queued, give_word, plan);

	EXPECT_GT(done, 0);
	EXPECT_EQ(s.count, done);
	EXPECT_EQ(s.lock.word, 0);
}

TEST(spinlock_try_torture)
{
	static struct lock_torture s;
	u64 done = lock_run(&s, take_try, give_spin,
			    (struct torture_plan){.share = 64, .work = 500000});

	EXPECT_GT(done, 0);
	EXPECT_EQ(s.count, done);
}

TEST(spinlock_torture_finds_broken)
{
	static struct lock_torture s;
	u64 done = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s.count = 0;
	for (int i = 0; i < TORTURE_TRIES && s.count == done; i++)
		done = lock_run(&s, take_broken, give_word, (struct torture_plan){.work = 50000});
	EXPECT_GT(done, 0);
	EXPECT_LT(s.count, done);
}

/* The same number changed by tasks and by interrupts: the irq form. */
struct irq_torture {
	struct torture t;
	struct spinlock lock;
	u64 count;
	/* a */
	u64 from_irq;
};

static void
irq_call(void *arg)
{
	struct irq_torture *s = arg;
	unsigned long flags = spin_lock_irq(&s->lock);

	WRITE_ONCE(s->count, READ_ONCE(s->count) + 1);
	spin_unlock_irq(&s->lock, flags);
	atomic_inc(&s->from_irq);
}

static void
irq_thread(struct torture_thread *th)
{
	struct irq_torture *s = container_of(th->torture, struct irq_torture, t);
	u64 done = 0;

	while (!torture_over(th)) {
		unsigned long flags = spin_lock_irq(&s->lock);

		WRITE_ONCE(s->count, READ_ONCE(s->count) + 1);
		spin_unlock_irq(&s->lock, flags);
		torture_turn(th);
		if (++done % 16 == 0)
			(void)!cpu_call((th->index + 1) % test_cpus(), irq_call, s);
	}
	th->result = done;
}

TEST(spinlock_irq_torture)
{
	static struct irq_torture s;
	u64 done;

	s.count = s.from_irq = 0;
	spin_init(&s.lock, &test_irq_class);
	done = torture_run(&s.t, &(struct torture_plan){.fn = irq_thread,
							.threads = test_cpus(),
							.share = 4,
							.work = 200000});
	EXPECT_EQ(s.count, done + s.from_irq);
}

TEST(spinlock_state)
{
	struct spinlock l = SPINLOCK_INIT(test_class);
	unsigned long flags;

	EXPECT(!spin_held(&l));
	spin_lock(&l);
	EXPECT(spin_held(&l));
	EXPECT(pinned());
	spin_unlock(&l);
	EXPECT(!pinned());
	flags = spin_lock_irq(&l);
	EXPECT(irqs_disabled());
	EXPECT(!spin_try_lock(&l));
	spin_unlock_irq(&l, flags);
	EXPECT(!irqs_disabled());
	EXPECT(!pinned());
	EXPECT_EQ(l.word, 0);
}
