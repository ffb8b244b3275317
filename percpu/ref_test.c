/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drained references: threads on all CPUs hand references to one another; no
 * object may be released while somebody has one, and every object must be in
 * the end. A release at the first count of 0, without the epochs, must be found
 * out. Few objects, which stay in the caches, die and live again meanwhile.
 */
#include "percpu/ref_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/test.h"
#include "sync/rcu.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define OBJECTS 128

struct object {
	struct ref ref;
	/* a  references that exist, counted exactly */
	s64 real;
	/* a */
	u32 released;
	u32 early;
	/* (who has it from the shelf)  its first reference has been put */
	bool dying;
};

struct ref_torture {
	struct torture t;
	struct object objects[OBJECTS];
	/* a  the object with its first reference; NULL: some thread has it */
	struct object *shelf[OBJECTS];
	/* a  an object with a further reference, for who comes next; NULL: none */
	struct object *spare[OBJECTS];
	/* a */
	u64 early;
	/* I  how many of the objects are used, and whether they die */
	unsigned int objects_used;
	bool mortal;
	/* I  turns that one lives for, about */
	u64 life;
	/* a  objects that died and were made anew */
	u64 renewed;
	void (*get)(struct ref *r);
	void (*put)(struct ref *r);
};

static struct ref_torture ref_torture;

static void
object_release(struct ref *r)
{
	struct object *o = container_of(r, struct object, ref);

	if (atomic_read(&o->real) != 0) {
		WRITE_ONCE(o->early, 1);
		atomic_inc(&ref_torture.early);
	}
	atomic_inc(&o->released);
}

static void
object_make(struct object *o)
{
	ref_init(&o->ref, object_release);
	o->real = 1;
	o->early = 0;
	o->dying = false;
	WRITE_ONCE(o->released, 0);
}

static void
object_get(struct ref_torture *s, struct object *o)
{
	atomic_inc(&o->real);
	s->get(&o->ref);
}

static void
object_put(struct ref_torture *s, struct object *o)
{
	atomic_dec(&o->real);
	s->put(&o->ref);
}

/*
 * References travel: whoever has an object for a while leaves a reference of it
 * in another place, and puts the one that it finds there, which comes from
 * another CPU.
 */
static void
ref_thread(struct torture_thread *th)
{
	struct ref_torture *s = container_of(th->torture, struct ref_torture, t);
	struct object *o, *found;

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		struct object **place = &s->shelf[r % s->objects_used];

		o = atomic_xchg(place, NULL);
		if (o == NULL)
			continue;
		if (o->dying) {
			if (smp_load_acquire(&o->released)) {
				object_make(o);
				atomic_inc(&s->renewed);
			}
			smp_store_release(place, o);
			cpu_relax();
			continue;
		}
		for (unsigned int i = 0; i < (r >> 8 & 3); i++) {
			object_get(s, o);
			object_put(s, o);
		}
		object_get(s, o);
		found = atomic_xchg(&s->spare[(r >> 16) % s->objects_used], o);
		if (READ_ONCE(o->released)) {
			atomic_inc(&s->early);
			torture_stop(th);
		}
		if (s->mortal && (r >> 40) % s->life == 0) {
			o->dying = true;
			object_put(s, o);
		}
		smp_store_release(place, o);
		if (found != NULL)
			object_put(s, found);
		torture_turn(th);
		th->result++;
		if ((r >> 32 & 255) == 0)
			test_yield();
	}
}

static u64
ref_run(struct ref_torture *s)
{
	return torture_run(
		&s->t,
		&(struct torture_plan){.fn = ref_thread,
				       .threads = test_cpus(),
				       .share = 16,
				       .work = s->get == ref_get ? 300000 : TORTURE_UNTIL_FOUND});
}

static void
ref_torture_init(struct ref_torture *s, void (*get)(struct ref *r), void (*put)(struct ref *r))
{
	s->early = 0;
	s->renewed = 0;
	s->objects_used = OBJECTS;
	s->mortal = false;
	s->get = get;
	s->put = put;
	for (int i = 0; i < OBJECTS; i++) {
		object_make(&s->objects[i]);
		s->shelf[i] = &s->objects[i];
		s->spare[i] = NULL;
	}
}

/* All references go; each object must be released once, and no earlier. */
static void
ref_check(struct ref_torture *s)
{
	u64 early = 0;

	EXPECT_EQ(s->early, 0);
	for (unsigned int i = 0; i < s->objects_used; i++)
		if (s->spare[i] != NULL)
			object_put(s, s->spare[i]);
	ref_drain();
	for (unsigned int i = 0; i < s->objects_used; i++)
		EXPECT_EQ(s->objects[i].released, s->objects[i].dying);
	for (unsigned int i = 0; i < s->objects_used; i++)
		if (!s->objects[i].dying)
			object_put(s, &s->objects[i]);
	ref_drain();
	for (unsigned int i = 0; i < s->objects_used; i++) {
		EXPECT_EQ(s->objects[i].released, 1);
		early += s->objects[i].early;
	}
	EXPECT_EQ(early, 0);
}

TEST(ref_torture)
{
	struct ref_torture *s = &ref_torture;

	ref_torture_init(s, ref_get, ref_put);
	EXPECT_GT(ref_run(s), 0);
	ref_check(s);
}

TEST(ref_torture_lives)
{
	struct ref_torture *s = &ref_torture;

	ref_torture_init(s, ref_get, ref_put);
	s->objects_used = 6;
	s->mortal = true;
	/* A release asks all CPUs: the more there are, the longer none of the few objects lives. */
	s->life = 256 + 32 * test_cpus();
	EXPECT_GT(ref_run(s), 0);
	EXPECT_GT(s->renewed, 0);
	ref_check(s);
}

/* What is used here stays in the cache, but for what is under review. */
TEST(ref_flush_leaves_what_is_used)
{
	static struct object o;
	unsigned long flags;

	object_make(&o);
	pin();
	flags = irq_save();
	EXPECT(ref_flush_oncpu());
	ref_get(&o.ref);
	EXPECT(ref_flush_how_oncpu(false));
	EXPECT_EQ(o.ref.count, 1);
	/* Not used for a while. */
	for (int i = 0; i < 16; i++)
		EXPECT(ref_flush_how_oncpu(false));
	EXPECT_EQ(o.ref.count, 2);
	/* The last put may be among these. */
	ref_add(&o.ref, -2);
	EXPECT(ref_flush_how_oncpu(false));
	EXPECT_EQ(o.ref.count, 0);
	EXPECT_NE(o.ref.state, 0);
	/* A reference whose get is still in another CPU's cache is put here and had again. */
	ref_put(&o.ref);
	ref_add(&o.ref, 3);
	EXPECT(ref_flush_how_oncpu(false));
	EXPECT_EQ(o.ref.count, 2);
	ref_add(&o.ref, -2);
	irq_restore(flags);
	unpin();
	ref_drain();
	EXPECT_EQ(o.released, 1);
}

/* More than a place in the cache can count. */
TEST(ref_large_numbers)
{
	static struct object o;
	unsigned long flags;

	object_make(&o);
	pin();
	flags = irq_save();
	EXPECT(ref_flush_oncpu());
	ref_add(&o.ref, 0x7fffffff);
	ref_add(&o.ref, 0x7fffffff);
	ref_add(&o.ref, 0x700000000);
	ref_add(&o.ref, -0x7fffffff);
	EXPECT(ref_flush_oncpu());
	EXPECT_EQ(o.ref.count, 1 + 0x7fffffffL + 0x700000000L);
	ref_add(&o.ref, -0x700000000L);
	ref_add(&o.ref, -0x7fffffff);
	ref_put(&o.ref);
	irq_restore(flags);
	unpin();
	ref_drain();
	EXPECT_EQ(o.released, 1);
}

/* Keeps gets to itself for a while, hands puts in at once, and believes the first 0. */
static DEFINE_PERCPU(s64, broken_late)[OBJECTS];
static struct object *broken_objects;

static void
broken_get(struct ref *r)
{
	size_t i = (size_t)(container_of(r, struct object, ref) - broken_objects);

	pin();
	this_cpu_inc(broken_late[i]);
	if (this_cpu_read(broken_late[i]) == 4) {
		this_cpu_write(broken_late[i], 0);
		atomic_add(&r->count, 4);
	}
	unpin();
}

static void
broken_put(struct ref *r)
{
	if (atomic_dec_and_test(&r->count))
		r->release(r);
}

TEST(ref_torture_finds_early_release)
{
	struct ref_torture *s = &ref_torture;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	broken_objects = s->objects;
	s->early = 0;
	for (int i = 0; i < TORTURE_TRIES && s->early == 0; i++) {
		ref_torture_init(s, broken_get, broken_put);
		ref_run(s);
	}
	EXPECT_GT(s->early, 0);
}

#define FIT_OBJECTS 300

/* Any two objects fit into the cache together: used in turn, neither drives the other out. */
TEST(ref_two_fit)
{
	/* More than there are places, so that some meet. */
	static struct object objects[FIT_OBJECTS];
	s64 evicted = 0;

	for (int i = 0; i < FIT_OBJECTS; i++) {
		object_make(&objects[i]);
		objects[i].real = 0;
	}
	for (int i = 0; i < FIT_OBJECTS * FIT_OBJECTS; i++) {
		struct ref *a = &objects[i / FIT_OBJECTS].ref;
		struct ref *b = &objects[i % FIT_OBJECTS].ref;
		unsigned long flags = irq_save();
		s64 before;

		EXPECT(ref_flush_oncpu());
		before = this_cpu_read(ref_evicted);
		for (int k = 0; k < 2; k++) {
			ref_get(a);
			ref_get(b);
			ref_put(a);
			ref_put(b);
		}
		evicted += this_cpu_read(ref_evicted) - before;
		irq_restore(flags);
	}
	EXPECT_EQ(evicted, 0);
	for (int i = 0; i < FIT_OBJECTS; i++)
		ref_put(&objects[i].ref);
	ref_drain();
	for (int i = 0; i < FIT_OBJECTS; i++)
		EXPECT_EQ(objects[i].released, 1);
}

/* A chain: each release puts the next. */
struct link {
	struct ref ref;
	struct link *next;
};

static u32 links_released;

static void
link_release(struct ref *r)
{
	struct link *l = container_of(r, struct link, ref);

	atomic_inc(&links_released);
	if (l->next != NULL)
		ref_put(&l->next->ref);
}

TEST(ref_drain_chain)
{
	static struct link links[8];

	links_released = 0;
	for (int i = 0; i < 8; i++) {
		ref_init(&links[i].ref, link_release);
		links[i].next = i < 7 ? &links[i + 1] : NULL;
	}
	ref_put(&links[0].ref);
	ref_drain();
	EXPECT_EQ(links_released, 8);
}

TEST(ref_timer_releases)
{
	static struct link one;

	links_released = 0;
	one.next = NULL;
	ref_init(&one.ref, link_release);
	ref_add(&one.ref, 5);
	ref_add(&one.ref, -6);
	/* No drain: the timer has to do it. */
	for (int i = 0; i < 500 && READ_ONCE(links_released) == 0; i++)
		test_sleep(2000000);
	EXPECT_EQ(links_released, 1);
}

/* One level of what held one another must not cost a turn of the timer: directories are deep. */
TEST(ref_chain_without_drain)
{
	static struct link links[512];

	links_released = 0;
	for (int i = 0; i < 512; i++) {
		ref_init(&links[i].ref, link_release);
		links[i].next = i < 511 ? &links[i + 1] : NULL;
	}
	ref_put(&links[0].ref);
	for (int i = 0; i < 500 && READ_ONCE(links_released) < 512; i++)
		test_sleep(2000000);
	EXPECT_EQ(links_released, 512);
	ref_drain();
}
