/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The count of an eventfd in parts: a read that resets sees each add with all that ended
 * before it, a semaphore that has enough is never found empty, and who sleeps for a count
 * is woken. Folds that leave cells open, and adds that look for waiters first, must be
 * found out.
 */
#include "kernel/handle/eventfd_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/time/clock.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define GROUPS 8
/* Two that add in turn, one that reads. */
#define ROLES 3
/* What the second adds; the first adds 1. */
#define SECOND BIT(32)
/* Who sleeps so long beside a count was forgotten, ns. */
#define LOST 100000000UL

struct eventfd_group {
	struct eventfd e;
	/* a  whose turn it is to add */
	u32 turn;
	/* adds that were read, of each */
	u64 first, second;
} __cacheline_aligned;

struct eventfd_torture {
	struct torture t;
	struct eventfd_group group[GROUPS];
	bool (*add)(struct eventfd *e, u64 n);
	u64 (*take)(struct eventfd *e);
	/* a  counts that cannot have been; waiters that were left asleep */
	u32 wrong, lost;
	/* a  who had the only one last */
	u32 last;
};

static struct eventfd_torture eventfd_torture;

static void
note(struct torture_thread *th, u32 *what)
{
	atomic_inc(what);
	torture_stop(th);
}

/* --- broken variants --- */

/* Takes what is in the cells without closing them. */
static u64
take_open(struct eventfd *e)
{
	u64 __percpu *cell = smp_load_acquire(&e->cell);
	u64 n = 0, one;
	unsigned long f;
	u32 cpu;

	if (!cell)
		return eventfd_take(e);
	for_each_possible_cpu(cpu) {
		u64 *c = cpu_ptr(cell, cpu);

		one = READ_ONCE(*c);
		if (!(one & EVENTFD_OPEN && atomic_try_cmpxchg(c, &one, EVENTFD_OPEN)))
			continue;
		if (n == 0 && one != EVENTFD_OPEN)
			torture_nap();
		n += one & ~EVENTFD_OPEN;
	}
	f = spin_lock_irq(&e->wait.lock);
	n += e->base;
	e->base = 0;
	spin_unlock_irq(&e->wait.lock, f);
	return n;
}

/* One from a cell that has some; looks at each once. */
static u64
take_one_open(struct eventfd *e)
{
	u64 __percpu *cell = smp_load_acquire(&e->cell);
	unsigned long f;
	u64 one, n;
	u32 cpu;

	if (!cell || !READ_ONCE(e->open))
		return eventfd_take(e);
	f = spin_lock_irq(&e->wait.lock);
	n = e->base ? 1 : 0;
	e->base -= n;
	spin_unlock_irq(&e->wait.lock, f);
	for (cpu = 0; cpu < nr_cpus && n == 0; cpu++) {
		u64 *c = cpu_ptr(cell, cpu);

		torture_window();
		one = READ_ONCE(*c);
		if (one > EVENTFD_OPEN && atomic_try_cmpxchg(c, &one, one - 1))
			n = 1;
	}
	return n;
}

/* Looks for sleepers first. */
static bool
add_late(struct eventfd *e, u64 n)
{
	bool active = waitq_active(&e->wait);
	unsigned long f;

	/* Long enough for the others to fall asleep. */
	if (!active)
		test_sleep(1000000);
	f = spin_lock_irq(&e->wait.lock);
	e->base += n;
	spin_unlock_irq(&e->wait.lock, f);
	if (active)
		waitq_wake_all(&e->wait);
	return true;
}

/* --- a count that is reset --- */

static void
group_add(struct torture_thread *th, struct eventfd_torture *s, struct eventfd_group *g)
{
	u32 role = th->index % ROLES;

	if (smp_load_acquire(&g->turn) != role) {
		test_yield();
		return;
	}
	if (!eventfd_add(&g->e, role == 0 ? 1 : SECOND))
		note(th, &s->wrong);
	smp_store_release(&g->turn, 1 - role);
}

static void
group_take(struct torture_thread *th, struct eventfd_torture *s, struct eventfd_group *g)
{
	u64 n = s->take(&g->e);

	g->first += n % SECOND;
	g->second += n / SECOND;
	/* They add in turn, so at no moment has the second added more, or the first two more. */
	if (g->second > g->first || g->first > g->second + 1)
		note(th, &s->wrong);
}

static void
reset_thread(struct torture_thread *th)
{
	struct eventfd_torture *s = container_of(th->torture, struct eventfd_torture, t);
	struct eventfd_group *g = &s->group[th->index / ROLES];

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		torture_turn(th);
		if (th->index % ROLES < 2) {
			group_add(th, s, g);
			continue;
		}
		/* Rarely, so that cells get open. */
		for (u64 i = r >> 8 & 15; i > 0; i--)
			torture_window();
		group_take(th, s, g);
	}
}

static void
reset_run(u64 (*take)(struct eventfd *e))
{
	struct eventfd_torture *s = &eventfd_torture;
	/* Few that run at once are found out sooner than many that wait for a core. */
	u32 groups = take == eventfd_take ? GROUPS : 2;
	struct torture_plan plan = {
		.fn = reset_thread,
		.threads = ROLES * clamp(test_cpus() / 2, 1u, groups),
		.share = 4,
		.work = take == eventfd_take ? 20000 : TORTURE_UNTIL_FOUND,
	};

	s->take = take;
	s->wrong = 0;
	for (u32 i = 0; i < GROUPS; i++) {
		s->group[i] = (struct eventfd_group){0};
		eventfd_init(&s->group[i].e, 0, false);
	}
	torture_run(&s->t, &plan);
	for (u32 i = 0; i < GROUPS; i++)
		eventfd_fini(&s->group[i].e);
}

TEST(eventfd_torture_reset)
{
	reset_run(eventfd_take);
	EXPECT_EQ(eventfd_torture.wrong, 0);
}

TEST(eventfd_torture_finds_open_fold)
{
	u32 wrong = 0;

	if (test_cpus() < 2)
		TEST_SKIP("one CPU");
	for (int i = 0; i < TORTURE_TRIES && wrong == 0; i++) {
		reset_run(take_open);
		wrong = eventfd_torture.wrong;
	}
	EXPECT_GT(wrong, 0);
}

/* --- a semaphore --- */

/* There is one for each thread, so nobody may find it empty. */
static void
semaphore_thread(struct torture_thread *th)
{
	struct eventfd_torture *s = container_of(th->torture, struct eventfd_torture, t);
	struct eventfd *e = &s->group[0].e;

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		torture_turn(th);
		if (s->take(e) != 1) {
			note(th, &s->wrong);
			continue;
		}
		if ((r & 15) == 0)
			test_yield();
		if ((r >> 8 & 63) == 0 && eventfd_count(e) >= th->torture->nr)
			note(th, &s->wrong);
		if (!eventfd_add(e, 1))
			note(th, &s->wrong);
	}
}

static void
semaphore_run(u64 (*take)(struct eventfd *e))
{
	struct eventfd_torture *s = &eventfd_torture;
	struct torture_plan plan = {
		.fn = semaphore_thread,
		.threads = max(2 * test_cpus(), 24u),
		.share = 4,
		.work = take == eventfd_take ? 50000 : TORTURE_UNTIL_FOUND,
	};

	plan.threads = min(plan.threads, TORTURE_THREADS);
	s->take = take;
	s->wrong = 0;
	eventfd_init(&s->group[0].e, plan.threads, true);
	torture_run(&s->t, &plan);
	if (take == eventfd_take)
		EXPECT_EQ(eventfd_count(&s->group[0].e), plan.threads);
	eventfd_fini(&s->group[0].e);
}

TEST(eventfd_torture_semaphore)
{
	semaphore_run(eventfd_take);
	EXPECT_EQ(eventfd_torture.wrong, 0);
}

TEST(eventfd_torture_semaphore_finds_scan)
{
	u32 wrong = 0;

	if (test_cpus() < 2)
		TEST_SKIP("one CPU");
	for (int i = 0; i < TORTURE_TRIES && wrong == 0; i++) {
		semaphore_run(take_one_open);
		wrong = eventfd_torture.wrong;
	}
	EXPECT_GT(wrong, 0);
}

/* --- waiting --- */

/* Until there is one, or it is over. Asleep for long while nobody takes it: forgotten. */
static void
pass_wait(struct torture_thread *th, struct eventfd_torture *s, struct eventfd *e)
{
	u32 last;

	if (s->add == eventfd_add) {
		(void)!wait_event_interruptible(&e->wait,
						eventfd_count_waiting(e) || torture_over(th));
		return;
	}
	if (wait_event_interruptible_until(&e->wait, eventfd_count_waiting(e) || torture_over(th),
					   ktime_get() + LOST) != -ETIMEDOUT)
		return;
	last = READ_ONCE(s->last);
	test_sleep(LOST);
	if (eventfd_count_waiting(e) && READ_ONCE(s->last) == last)
		note(th, &s->lost);
}

/* There is one for all, which nobody takes twice running. */
static void
pass_thread(struct torture_thread *th)
{
	struct eventfd_torture *s = container_of(th->torture, struct eventfd_torture, t);
	struct eventfd *e = &s->group[0].e;

	while (!torture_over(th)) {
		torture_turn(th);
		if (!eventfd_take(e)) {
			pass_wait(th, s, e);
			continue;
		}
		WRITE_ONCE(s->last, th->index);
		if (!s->add(e, 1))
			note(th, &s->wrong);
		while (READ_ONCE(s->last) == th->index && !torture_over(th))
			test_yield();
	}
	/* For who sleeps. */
	if (!eventfd_add(e, 1))
		note(th, &s->wrong);
}

static void
pass_run(bool (*add)(struct eventfd *e, u64 n))
{
	struct eventfd_torture *s = &eventfd_torture;
	struct torture_plan plan = {
		.fn = pass_thread,
		.threads = 3,
		.share = 4,
		.work = add == eventfd_add ? 20000 : TORTURE_UNTIL_FOUND,
	};

	s->add = add;
	s->wrong = s->lost = 0;
	s->last = U32_MAX;
	eventfd_init(&s->group[0].e, 1, true);
	torture_run(&s->t, &plan);
	EXPECT_EQ(s->wrong, 0);
	EXPECT(list_empty(&s->group[0].e.wait.waiters));
	eventfd_fini(&s->group[0].e);
}

/* A lost wakeup would hang it. */
TEST(eventfd_torture_wait)
{
	pass_run(eventfd_add);
}

TEST(eventfd_torture_wait_finds_late_look)
{
	u32 lost = 0;

	if (test_cpus() < 2)
		TEST_SKIP("one CPU");
	for (int i = 0; i < TORTURE_TRIES && lost == 0; i++) {
		pass_run(add_late);
		lost = eventfd_torture.lost;
	}
	EXPECT_GT(lost, 0);
}

/* --- limits --- */

TEST(eventfd_limits)
{
	struct eventfd e;

	eventfd_init(&e, 0, false);
	EXPECT(eventfd_add(&e, EVENTFD_MAX));
	EXPECT(!eventfd_add(&e, 1));
	EXPECT(eventfd_add(&e, 0));
	EXPECT_EQ(eventfd_count(&e), EVENTFD_MAX);
	EXPECT_EQ(eventfd_take(&e), EVENTFD_MAX);
	EXPECT_EQ(eventfd_take(&e), 0);
	eventfd_fini(&e);
	eventfd_init(&e, 3, true);
	EXPECT_EQ(eventfd_take(&e), 1);
	EXPECT_EQ(eventfd_count(&e), 2);
	eventfd_fini(&e);
}
