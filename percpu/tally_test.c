/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tallies: threads on all CPUs hand references to one another, look objects up that
 * may be gone, and let objects end and begin again; an object must end with its last
 * reference, at once and once. Parts that are summed while others change them must
 * be found out.
 */
#include "percpu/tally.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "percpu/tally_impl.h"
#include "sync/rcu.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* Few, so that threads meet; more than a debug kernel's line has slots, so that they evict. */
#define OBJECTS 24

struct object {
	struct tally tally;
	/* a  references that exist, counted exactly */
	s64 real;
	/* a  1: ended, and not begun again */
	u32 ended;
	struct rcu_head rcu;
	/* a  our first reference; 0: somebody has it */
	u32 shelved;
};

struct tally_torture {
	struct torture t;
	struct object objects[OBJECTS];
	/* a  an object with a further reference, for who comes next; NULL: none */
	struct object *spare[OBJECTS];
	/* a  ends that were too early or came twice; ends */
	u64 wrong;
	u64 ends;
	void (*get)(struct tally *t);
	bool (*try_get)(struct tally *t);
	bool (*put)(struct tally *t);
};

static struct tally_torture tally_torture;

static void
object_begin(struct object *o)
{
	WRITE_ONCE(o->real, 1);
	WRITE_ONCE(o->ended, 0);
	WRITE_ONCE(o->shelved, 1);
	/* From here on it is found. */
	smp_wmb();
	tally_init(&o->tally, 1);
}

static void
object_begin_again(struct rcu_head *h)
{
	object_begin(container_of(h, struct object, rcu));
}

static void
object_wrong(struct torture_thread *th)
{
	struct tally_torture *s = container_of(th->torture, struct tally_torture, t);

	atomic_inc(&s->wrong);
	torture_stop(th);
}

static void
object_put(struct torture_thread *th, struct object *o)
{
	struct tally_torture *s = container_of(th->torture, struct tally_torture, t);

	atomic_dec(&o->real);
	if (!s->put(&o->tally))
		return;
	if (atomic_xchg(&o->ended, 1) != 0 || atomic_read(&o->real) != 0) {
		object_wrong(th);
		return;
	}
	atomic_inc(&s->ends);
	rcu_call(&o->rcu, object_begin_again);
}

static bool
object_find(struct torture_thread *th, struct object *o)
{
	struct tally_torture *s = container_of(th->torture, struct tally_torture, t);
	bool found;

	rcu_read_lock();
	found = s->try_get(&o->tally);
	if (found)
		atomic_inc(&o->real);
	rcu_read_unlock();
	if (found && READ_ONCE(o->ended))
		object_wrong(th);
	return found;
}

/* Leaves the reference in a place, and puts the one that is there, from another CPU as often. */
static void
object_leave(struct torture_thread *th, struct object *o, u64 place)
{
	struct tally_torture *s = container_of(th->torture, struct tally_torture, t);

	o = atomic_xchg(&s->spare[place % OBJECTS], o);
	if (o != NULL)
		object_put(th, o);
}

static void
tally_thread(struct torture_thread *th)
{
	struct tally_torture *s = container_of(th->torture, struct tally_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		struct object *o = &s->objects[r % OBJECTS];

		torture_turn(th);
		th->result++;
		if ((r >> 32 & 255) == 0)
			test_yield();
		if (!object_find(th, o))
			continue;
		for (unsigned int i = 0; i < (r >> 8 & 3); i++) {
			s->get(&o->tally);
			atomic_inc(&o->real);
			object_leave(th, o, r >> (16 + 4 * i));
		}
		/* Now and then the object's first reference goes too. */
		if ((r >> 40 & 7) == 0 && atomic_xchg(&o->shelved, 0) != 0)
			object_put(th, o);
		object_put(th, o);
	}
}

static void
tally_run(struct tally_torture *s)
{
	s->wrong = 0;
	s->ends = 0;
	for (int i = 0; i < OBJECTS; i++) {
		object_begin(&s->objects[i]);
		s->spare[i] = NULL;
	}
	tally_windows = 1;
	torture_run(&s->t, &(struct torture_plan){
				   .fn = tally_thread,
				   .threads = test_cpus(),
				   .share = 16,
				   .work = s->put == tally_put ? 300000 : TORTURE_UNTIL_FOUND,
			   });
	tally_windows = 0;
}

TEST(tally_torture)
{
	struct tally_torture *s = &tally_torture;
	bool last;

	s->get = tally_get;
	s->try_get = tally_try_get;
	s->put = tally_put;
	tally_run(s);
	EXPECT_EQ(s->wrong, 0);
	EXPECT_GT(s->ends, 0);
	rcu_barrier();
	/* What is left ends with the last reference, not before. */
	for (int i = 0; i < OBJECTS; i++)
		if (s->spare[i] != NULL) {
			struct object *o = s->spare[i];

			last = tally_put(&o->tally);
			EXPECT_EQ(last, atomic_sub_return(&o->real, 1) == 0);
			EXPECT_EQ(last && o->shelved, false);
		}
	for (int i = 0; i < OBJECTS; i++)
		if (s->objects[i].shelved) {
			EXPECT_EQ(tally_sum(&s->objects[i].tally), 1);
			EXPECT(tally_put(&s->objects[i].tally));
		}
}

/* Signed parts; the sum is taken while others count. The word says which object it is. */
static DEFINE_PERCPU(s64, broken_parts)[OBJECTS];

static s64 __percpu *
broken_part(struct tally *t)
{
	return &broken_parts[container_of(t, struct object, tally) - tally_torture.objects];
}

static void
broken_get(struct tally *t)
{
	s64 *part;

	pin();
	part = this_cpu_ptr(broken_part(t));
	atomic_inc(part);
	unpin();
}

static bool
broken_try_get(struct tally *t)
{
	if (READ_ONCE(t->word) == 0)
		return false;
	broken_get(t);
	return true;
}

static bool
broken_put(struct tally *t)
{
	u64 word = 1;
	s64 *part;

	pin();
	part = this_cpu_ptr(broken_part(t));
	atomic_dec(part);
	unpin();
	return counter_sum_ptr(broken_part(t)) == -1 && atomic_try_cmpxchg(&t->word, &word, 0);
}

TEST(tally_torture_finds_racy_sum)
{
	struct tally_torture *s = &tally_torture;
	unsigned int cpu;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	s->get = broken_get;
	s->try_get = broken_try_get;
	s->put = broken_put;
	s->wrong = 0;
	for (int i = 0; i < TORTURE_TRIES && s->wrong == 0; i++) {
		for_each_possible_cpu(cpu)
			for (int k = 0; k < OBJECTS; k++)
				cpu_of(broken_parts[k], cpu) = 0;
		tally_run(s);
		rcu_barrier();
	}
	EXPECT_GT(s->wrong, 0);
}

TEST(tally_counts)
{
	struct tally t[20];

	for (int i = 0; i < 20; i++)
		tally_init(&t[i], 1);
	EXPECT(tally_is_sole(&t[0]));
	/* More objects than slots, more references than a slot holds. */
	for (int k = 0; k < 40000; k++)
		for (int i = 0; i < 20; i += k < 10 ? 1 : 20)
			tally_get(&t[i]);
	EXPECT_EQ(tally_sum(&t[0]), 40001);
	EXPECT_EQ(tally_sum(&t[19]), 11);
	EXPECT(!tally_is_sole(&t[19]));
	for (int i = 0; i < 20; i++) {
		for (int k = i ? 10 : 40000; k > 0; k--)
			EXPECT(!tally_put(&t[i]));
		EXPECT_EQ(tally_sum(&t[i]), 1);
		EXPECT(tally_put(&t[i]));
		EXPECT(!tally_try_get(&t[i]));
	}
}
