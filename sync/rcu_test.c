/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RCU torture: readers follow a pointer to an element and look twice, with time
 * in between, whether it has been taken out of use; writers publish another
 * element, wait as the variant says, and take the old one out of use. A
 * synchronize that does not wait must be found out.
 */
#include "sync/rcu.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/completion.h"
#include "sync/mutex.h"
#include "sync/rcu_impl.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define ELEMENTS 128

struct element {
	struct rcu_head rcu;
	/* a  1: in use, 2: retired, 0: free */
	u32 state;
	/* plain, on purpose: written while it is free only */
	u64 plain;
};

struct rcu_torture {
	struct torture t;
	struct element elements[ELEMENTS];
	struct element __rcu *current_element;
	/* how a writer waits; NULL: by callback */
	void (*wait)(void);
	bool plain;
	/* a */
	u64 reads;
	u64 wrong;
	u64 updates;
	u64 retired;
};

static struct rcu_torture rcu_torture;
static LOCK_CLASS(rcu_test_class, RANK_LEAF);
static struct spinlock publish_lock = SPINLOCK_INIT(rcu_test_class);

static struct element *
element_new(struct rcu_torture *s)
{
	for (int i = 0; i < ELEMENTS; i++) {
		struct element *e = &s->elements[i];

		if (READ_ONCE(e->state) == 0 && atomic_cmpxchg(&e->state, 0u, 1u) == 0) {
			if (s->plain)
				e->plain = ktime_get() | 1;
			return e;
		}
	}
	return NULL;
}

static void
element_retire(struct rcu_torture *s, struct element *e)
{
	WRITE_ONCE(e->state, 2);
	if (s->plain)
		e->plain = 0;
	atomic_inc(&s->retired);
	smp_store_release(&e->state, 0);
}

static struct rcu_torture *running;

static void
element_callback(struct rcu_head *h)
{
	element_retire(running, container_of(h, struct element, rcu));
}

static void
torture_read(struct rcu_torture *s)
{
	struct element *e;
	bool bad;

	rcu_read_lock();
	e = rcu_load(s->current_element);
	bad = READ_ONCE(e->state) != 1;
	torture_window();
	bad |= READ_ONCE(e->state) != 1 || (s->plain && e->plain == 0);
	/* The section is over when the element is found in use, or it was not. */
	bad |= READ_ONCE(e->state) != 1;
	rcu_read_unlock();
	atomic_inc(&s->reads);
	if (bad)
		atomic_inc(&s->wrong);
}

static void
torture_update(struct rcu_torture *s)
{
	struct element *e = element_new(s), *old;
	unsigned long flags;

	if (e == NULL) {
		test_yield();
		return;
	}
	flags = spin_lock_irq(&publish_lock);
	old = rcu_locked(s->current_element);
	rcu_publish(s->current_element, e);
	spin_unlock_irq(&publish_lock, flags);
	if (s->wait == NULL) {
		rcu_call(&old->rcu, element_callback);
	} else {
		s->wait();
		element_retire(s, old);
	}
	atomic_inc(&s->updates);
}

static void
rcu_thread(struct torture_thread *th)
{
	struct rcu_torture *s = container_of(th->torture, struct rcu_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (th->index % 4 == 1 || (th->index == 0 && r % 64 == 0))
			torture_update(s);
		else
			torture_read(s);
		if (READ_ONCE(s->wrong) != 0)
			torture_stop(th);
		torture_turn(th);
		if (r >> 32 & 1)
			continue;
		if ((r >> 8) % 256 == 0)
			test_sleep(100000);
		else if ((r >> 8) % 16 == 0)
			test_yield();
	}
}

static void
rcu_run(struct rcu_torture *s, void (*wait)(void), bool plain)
{
	s->wait = wait;
	s->plain = plain;
	s->reads = 0;
	s->wrong = 0;
	s->updates = 0;
	s->retired = 0;
	for (int i = 0; i < ELEMENTS; i++)
		s->elements[i].state = 0;
	running = s;
	rcu_publish(s->current_element, element_new(s));
	torture_run(&s->t, &(struct torture_plan){.fn = rcu_thread,
						  .threads = max(2 * test_cpus(), 4u),
						  .share = 4,
						  .work = 400000});
}

static void
rcu_check(struct rcu_torture *s)
{
	test_printf("# %lu reads, %lu updates\n", s->reads, s->updates);
	EXPECT_GT(s->reads, 0);
	EXPECT_GT(s->updates, 0);
	EXPECT_EQ(s->wrong, 0);
	EXPECT_EQ(s->retired, s->updates);
}

TEST(rcu_synchronize_torture)
{
	struct rcu_torture *s = &rcu_torture;

	rcu_run(s, rcu_synchronize, true);
	rcu_check(s);
}

TEST(rcu_expedited_torture)
{
	struct rcu_torture *s = &rcu_torture;

	rcu_run(s, rcu_synchronize_expedited, true);
	rcu_check(s);
}

static void
wait_by_number(void)
{
	u64 seq = rcu_seq_want();

	while (!rcu_seq_done(seq))
		test_sleep(50000);
}

TEST(rcu_seq_torture)
{
	struct rcu_torture *s = &rcu_torture;

	rcu_run(s, wait_by_number, true);
	rcu_check(s);
}

TEST(rcu_call_torture)
{
	struct rcu_torture *s = &rcu_torture;

	rcu_run(s, NULL, true);
	rcu_barrier();
	rcu_check(s);
}

static void
wait_not_at_all(void)
{
}

TEST(rcu_torture_finds_broken)
{
	struct rcu_torture *s = &rcu_torture;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	rcu_run(s, wait_not_at_all, false);
	for (int i = 1; i < TORTURE_TRIES && s->wrong == 0; i++)
		rcu_run(s, wait_not_at_all, false);
	EXPECT_GT(s->updates, 0);
	EXPECT_GT(s->wrong, 0);
}

struct ordered {
	struct rcu_head rcu;
	u32 number;
};

static u32 next_number;
static u32 out_of_order;

static void
ordered_callback(struct rcu_head *h)
{
	struct ordered *o = container_of(h, struct ordered, rcu);

	if (o->number != next_number++)
		out_of_order++;
}

TEST(rcu_barrier_and_order)
{
	static struct ordered o[500];
	s64 queued = counter_sum(rcu_queued);

	next_number = 0;
	out_of_order = 0;
	pin();
	for (u32 i = 0; i < ARRAY_SIZE(o); i++) {
		o[i].number = i;
		rcu_call(&o[i].rcu, ordered_callback);
	}
	unpin();
	rcu_barrier();
	EXPECT_EQ(next_number, ARRAY_SIZE(o));
	EXPECT_EQ(out_of_order, 0);
	EXPECT_GE(counter_sum(rcu_queued) - queued, (s64)ARRAY_SIZE(o));
	rcu_barrier();
}

static struct completion called;

static void
complete_callback(struct rcu_head *h)
{
	complete(&called);
}

TEST(rcu_call_alone_completes)
{
	static struct rcu_head h;

	completion_init(&called);
	rcu_call(&h, complete_callback);
	/* No barrier and nothing else going on: the timer has to do it. */
	EXPECT_EQ(completion_wait_until(&called, ktime_get() + 3000000000UL), 0);
}

TEST(rcu_tree_shape)
{
	struct rcu_gp *gp = &rcu_gp;
	u32 cpus = 0;

	EXPECT(gp->nodes[0].parent == NULL);
	for (u32 i = 1; i < gp->nr_nodes; i++) {
		EXPECT(gp->nodes[i].parent >= gp->nodes && gp->nodes[i].parent < &gp->nodes[i]);
		EXPECT(is_power_of_2(gp->nodes[i].parent_bit));
	}
	for (struct rcu_node *n = gp->leaves; n < &gp->nodes[gp->nr_nodes]; n++) {
		EXPECT_EQ(n->first_cpu, cpus);
		cpus += n->nr_cpus;
	}
	EXPECT_EQ(cpus, nr_cpus);
}
