/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU hot-plug torture: CPUs leave and come while threads use all that a CPU
 * keeps for itself. Nothing may be lost: each callback is called, each item of
 * work runs, each sleeper wakes, each object is released. A poster that does not
 * look at the CPU and post in one pinned section must be found out.
 */
#include "kernel/hotplug.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/sched/runq.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/pin.h"
#include "percpu/ref.h"
#include "percpu/work.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

#define THREADS_MAX 16
#define ITEMS 64

struct object {
	struct ref ref;
	struct rcu_head rcu;
};

struct hotplug_torture {
	/* how an item of work is posted */
	bool (*post)(unsigned int cpu, struct work *w);
	/* a */
	u32 over;
	u64 called, calls;
	u64 released, objects;
	u64 runs, posts;
	u64 answers, questions;
	struct work items[ITEMS];
	struct torture_seed {
		struct hotplug_torture *s;
		u64 seed;
	} thread[THREADS_MAX];
};

static struct hotplug_torture torture;

static void
object_called(struct rcu_head *h)
{
	atomic_inc(&torture.called);
	ref_put(&container_of(h, struct object, rcu)->ref);
}

static void
object_release(struct ref *r)
{
	atomic_inc(&torture.released);
	kfree(container_of(r, struct object, ref));
}

/* An object whose references are taken here and there, the last one by a callback. */
static void
use_object(struct hotplug_torture *s)
{
	struct object *o = kmalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return;
	ref_init(&o->ref, object_release);
	atomic_inc(&s->objects);
	ref_get(&o->ref);
	test_yield();
	ref_put(&o->ref);
	atomic_inc(&s->calls);
	rcu_call(&o->rcu, object_called);
}

/* CPUs 1 to this one come and go. */
static unsigned int
last_hot(void)
{
	return min(nr_cpus - 1, 7u);
}

static void
item_run(struct work *w)
{
	atomic_inc(&torture.runs);
}

static bool
post_pinned(unsigned int cpu, struct work *w)
{
	bool posted = false;

	pin();
	if (cpu_active(cpu))
		posted = work_post(cpu, w);
	unpin();
	return posted;
}

/* To one that leaves: most of many stay. */
static bool
post_unpinned(unsigned int cpu, struct work *w)
{
	cpu = 1 + cpu % last_hot();
	if (!cpu_active(cpu))
		return false;
	/* Longer than it takes a CPU to leave, often. */
	test_sleep(ktime_get() % (100 * NSEC_PER_MSEC));
	return work_post(cpu, w);
}

static void
question(void *arg)
{
	atomic_inc((u64 *)arg);
}

static void
ask_all(struct hotplug_torture *s)
{
	u64 answers = 0;

	cpu_call_mask(&cpu_online_mask, question, &answers);
	atomic_add(&s->answers, answers);
	atomic_inc(&s->questions);
}

static void
use_memory(u64 r)
{
	struct page *p = page_alloc(0, GFP_KERNEL);
	void *o = kmalloc(8UL << r % 8, GFP_KERNEL);

	test_yield();
	kfree(o);
	if (p)
		page_put(p);
}

static void
user(void *arg)
{
	struct torture_seed *t = arg;
	struct hotplug_torture *s = t->s;

	while (!READ_ONCE(s->over)) {
		u64 r = test_rand(&t->seed);

		if (s->post((u32)(r >> 32) % nr_cpus, &s->items[r >> 8 & (ITEMS - 1)]))
			atomic_inc(&s->posts);
		switch (r % 6) {
		case 0:
			test_sleep((r >> 20) % (2 * NSEC_PER_MSEC));
			break;
		case 1:
			rcu_synchronize();
			break;
		case 2:
			ask_all(s);
			break;
		case 3:
			use_memory(r >> 16);
			break;
		default:
			use_object(s);
			break;
		}
	}
}

/* They all leave; 0 or the error. */
static int
all_down(void)
{
	unsigned int cpu;
	int err = 0;

	for (cpu = 1; cpu <= last_hot() && !err; cpu++)
		err = cpu_down(cpu);
	return err;
}

static int
all_up(void)
{
	unsigned int cpu;
	int err = 0;

	for (cpu = 1; cpu <= last_hot() && !err; cpu++)
		err = cpu_up(cpu);
	return err;
}

/* CPUs go and come while threads run; at the end they are gone. */
static void
run(bool (*post)(unsigned int cpu, struct work *w), u64 ns)
{
	unsigned int n = min(2 * nr_cpus, (unsigned int)THREADS_MAX), i;
	struct test_thread *th[THREADS_MAX];
	struct hotplug_torture *s = &torture;
	u64 seed = 1, end;

	*s = (struct hotplug_torture){.post = post};
	for (i = 0; i < ITEMS; i++)
		work_init(&s->items[i], item_run);
	for (i = 0; i < n; i++) {
		s->thread[i] = (struct torture_seed){s, i + 1};
		th[i] = test_spawn(i, user, &s->thread[i]);
	}
	test_sleep(20 * NSEC_PER_MSEC);
	end = ktime_get() + ns;
	do {
		unsigned int cpu = 1 + (u32)test_rand(&seed) % last_hot();

		EXPECT_EQ(cpu_active(cpu) ? cpu_down(cpu) : cpu_up(cpu), 0);
	} while (ktime_get() < end);
	EXPECT_EQ(all_down(), 0);
	test_sleep(100 * NSEC_PER_MSEC);
	WRITE_ONCE(s->over, 1);
	for (i = 0; i < n; i++)
		test_join(th[i]);
	work_flush_all();
}

TEST(hotplug_torture)
{
	struct hotplug_torture *s = &torture;
	u64 downs = hotplug_downs();

	if (nr_cpus == 1)
		TEST_SKIP("one CPU");
	run(post_pinned, test_duration());
	rcu_barrier();
	ref_drain();
	EXPECT_EQ(s->runs, s->posts);
	EXPECT_EQ(s->called, s->calls);
	EXPECT_EQ(s->released, s->objects);
	EXPECT_GE(s->answers, s->questions);
	EXPECT_GT(s->posts, 0);
	EXPECT_GT(s->objects, 0);
	EXPECT_GE(hotplug_downs() - downs, last_hot());
	EXPECT_EQ(cpumask_weight(&cpu_online_mask), nr_cpus - last_hot());
	EXPECT_EQ(all_up(), 0);
	EXPECT_EQ(cpumask_weight(&cpu_active_mask), nr_cpus);
}

/* Works that lie on a CPU that is gone run when it comes again. */
TEST(hotplug_torture_finds_unpinned)
{
	struct hotplug_torture *s = &torture;
	bool found = false;

	if (nr_cpus == 1)
		TEST_SKIP("one CPU");
	for (unsigned int i = 0; i < 20 && !found; i++) {
		run(post_unpinned, 0);
		found = s->runs != s->posts;
		EXPECT_EQ(all_up(), 0);
		work_flush_all();
		EXPECT_EQ(s->runs, s->posts);
		rcu_barrier();
		ref_drain();
	}
	EXPECT(found);
}

static struct rcu_head late;
static u32 late_called;

static void
late_run(struct rcu_head *h)
{
	atomic_set(&late_called, 1);
}

static void
late_queue(void *arg)
{
	rcu_call(&late, late_run);
}

/* Callbacks of a CPU that came again run although nobody asks for them. */
TEST(hotplug_callbacks_after)
{
	u64 deadline;

	if (nr_cpus == 1)
		TEST_SKIP("one CPU");
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(cpu_call(1, late_queue, NULL), 0);
		EXPECT_EQ(cpu_down(1), 0);
		EXPECT_EQ(cpu_up(1), 0);
		rcu_barrier();
		atomic_set(&late_called, 0);
		EXPECT_EQ(cpu_call(1, late_queue, NULL), 0);
		deadline = ktime_get() + 20 * NSEC_PER_SEC;
		while (!atomic_read(&late_called) && ktime_get() < deadline)
			test_sleep(NSEC_PER_MSEC);
		ASSERT_EQ(atomic_read(&late_called), 1);
	}
}

TEST(hotplug_refused)
{
	EXPECT_EQ(cpu_down(0), -EPERM);
	EXPECT_EQ(cpu_down(nr_cpus), -EINVAL);
	EXPECT_EQ(cpu_up(nr_cpus), -EINVAL);
	EXPECT_EQ(cpu_up(0), 0);
}

enum { HOLD_STARTS, HOLD_RUNS, HOLD_ENDS };

/* Does not leave its CPU once that is to go; in short sections until then, for grace periods. */
static void
hold_cpu(void *arg)
{
	u32 *let_go = arg;

	atomic_xchg(let_go, HOLD_RUNS);
	while (READ_ONCE(*let_go) != HOLD_ENDS) {
		pin();
		for (int i = 0; i < 10000 || READ_ONCE(runq_of(cpu_id())->leaving); i++) {
			if (READ_ONCE(*let_go) == HOLD_ENDS)
				break;
			cpu_relax();
		}
		unpin();
	}
}

TEST(hotplug_gives_up)
{
	u64 patience = hotplug_patience_ns, downs = hotplug_downs();
	struct test_thread *th;
	u32 let_go = HOLD_STARTS;

	if (nr_cpus == 1)
		TEST_SKIP("one CPU");
	hotplug_patience_ns = 50 * NSEC_PER_MSEC;
	th = test_spawn(1, hold_cpu, &let_go);
	while (READ_ONCE(let_go) != HOLD_RUNS)
		test_sleep(NSEC_PER_MSEC);
	EXPECT_EQ(cpu_down(1), -EBUSY);
	EXPECT_EQ(hotplug_downs(), downs);
	EXPECT(cpu_active(1));
	EXPECT(cpu_online(1));
	WRITE_ONCE(let_go, HOLD_ENDS);
	test_join(th);
	hotplug_patience_ns = patience;
	/* It is as good as any other. */
	work_flush_all();
	rcu_synchronize();
	rcu_barrier();
	EXPECT_EQ(cpu_down(1), 0);
	EXPECT_EQ(cpu_up(1), 0);
}
