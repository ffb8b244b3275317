/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-write semaphores of both kinds: writers are alone, readers see whole
 * updates. A downgrade in two steps, and a writer that does not wait for a grace
 * period, must be found letting others in.
 */
#include "sync/rwsem.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "sync/rcu.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static LOCK_CLASS(test_rwsem_class, RANK_SPACE);

/* Between two writers, ns for each CPU. */
#define WRITER_PAUSE 100000UL

struct rw_torture {
	struct torture t;
	struct rwsem s;
	struct percpu_rwsem p;
	void (*downgrade)(struct rwsem *s);
	void (*percpu_write_lock)(struct percpu_rwsem *s);
	/* ns that a slow reader and a writer wait for one another to be in together; 0: not */
	u64 patience;
	/* a  a slow reader has looked and not yet counted itself in */
	u32 at_window;
	/* (semaphore)  always equal outside of a writer */
	u64 a, b;
	/* a  readers and writers inside, and breaches of the rule */
	s32 readers;
	s32 writers;
	u64 wrong;
	u64 reads;
	u64 writes;
};

static void
read_section(struct rw_torture *s, u64 r)
{
	atomic_inc(&s->readers);
	if (atomic_read(&s->writers) != 0 || s->a != s->b)
		atomic_inc(&s->wrong);
	if (r % 64 == 0)
		test_yield();
	if (atomic_read(&s->writers) != 0)
		atomic_inc(&s->wrong);
	atomic_dec(&s->readers);
	atomic_inc(&s->reads);
}

/* A broken writer stays until the reader that it did not wait for is in: CPUs may take turns. */
static void
linger_for_reader(struct rw_torture *s)
{
	u64 end = ktime_get() + s->patience;

	while (s->patience && atomic_read(&s->at_window) && ktime_get() < end)
		torture_window();
}

static void
write_section(struct rw_torture *s, u64 r)
{
	if (atomic_fetch_add(&s->writers, 1) != 0 || atomic_read(&s->readers) != 0)
		atomic_inc(&s->wrong);
	s->a++;
	torture_window();
	linger_for_reader(s);
	if (r % 16 == 0)
		test_yield();
	s->b++;
	if (atomic_read(&s->readers) != 0)
		atomic_inc(&s->wrong);
	atomic_dec(&s->writers);
	atomic_inc(&s->writes);
}

static void
rwsem_write_turn(struct rw_torture *s, u64 r)
{
	if (r >> 8 & 1)
		rwsem_write_lock(&s->s);
	else if (rwsem_write_lock_killable(&s->s) != 0)
		return;
	write_section(s, r >> 16);
	if (r >> 9 & 1) {
		s->downgrade(&s->s);
		/* With a yield: time for who should not have come in. */
		read_section(s, 0);
		rwsem_read_unlock(&s->s);
	} else {
		rwsem_write_unlock(&s->s);
	}
}

static void
rwsem_read_turn(struct rw_torture *s, u64 r)
{
	if (r >> 8 & 1)
		rwsem_read_lock(&s->s);
	else if (!rwsem_try_read_lock(&s->s))
		return;
	read_section(s, r >> 16);
	rwsem_read_unlock(&s->s);
}

/* What a broken variant does wrong is found as soon as it has done it. */
static void
stop_if_found(struct torture_thread *th, struct rw_torture *s)
{
	if (READ_ONCE(s->wrong) != 0)
		torture_stop(th);
}

static void
rwsem_thread(struct torture_thread *th)
{
	struct rw_torture *s = container_of(th->torture, struct rw_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (r % 4 == 0)
			rwsem_write_turn(s, r);
		else
			rwsem_read_turn(s, r);
		torture_turn(th);
		stop_if_found(th, s);
	}
}

static void
rw_run(struct rw_torture *s, void (*fn)(struct torture_thread *th), unsigned int threads, u64 work)
{
	struct torture_plan plan = {.fn = fn, .threads = threads, .share = 8, .work = work};

	s->wrong = 0;
	s->reads = 0;
	s->writes = 0;
	torture_run(&s->t, &plan);
}

static void
rw_check(struct rw_torture *s)
{
	EXPECT_GT(s->reads, 0);
	EXPECT_GT(s->writes, 0);
	EXPECT_EQ(s->wrong, 0);
	EXPECT_EQ(s->a, s->b);
	EXPECT_EQ(s->readers, 0);
}

TEST(rwsem_torture)
{
	static struct rw_torture s;

	rwsem_init(&s.s, &test_rwsem_class);
	s.downgrade = rwsem_downgrade;
	rw_run(&s, rwsem_thread, 2 * test_cpus(), 50000);
	rw_check(&s);
	EXPECT_EQ(s.s.count, 0);
	EXPECT(list_empty(&s.s.waiters));
}

/*
 * The writer goes, the reader comes: another writer fits in between. It has to be
 * there, spinning, so nobody may queue: two threads, a CPU each.
 */
static void
downgrade_broken(struct rwsem *s)
{
	WRITE_ONCE(s->writer, NULL);
	atomic_sub(&s->count, RWSEM_WRITER);
	torture_window();
	atomic_add(&s->count, RWSEM_READER);
	rwsem_wake_slow(s);
}

TEST(rwsem_torture_finds_broken)
{
	static struct rw_torture s;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	rwsem_init(&s.s, &test_rwsem_class);
	s.downgrade = downgrade_broken;
	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		rw_run(&s, rwsem_thread, 2, TORTURE_UNTIL_FOUND);
	EXPECT_GT(s.wrong, 0);
}

/* Time for a writer that does not wait for us: a moment, or as long as it takes one. */
static void
writer_window(struct rw_torture *s)
{
	u64 end = ktime_get() + s->patience;

	atomic_set(&s->at_window, 1);
	do
		torture_window();
	while (atomic_read(&s->writers) == 0 && ktime_get() < end);
}

/* As percpu_rwsem_read_lock(), with a long way between its look and its count. */
static void
percpu_read_lock_slowly(struct rw_torture *s)
{
	struct percpu_rwsem *p = &s->p;
	bool in;

	do {
		wait_event(&p->wait, READ_ONCE(p->block) == 0);
		rcu_read_lock();
		in = !smp_load_acquire(&p->block);
		if (in) {
			writer_window(s);
			this_cpu_inc(*p->readers);
		}
		rcu_read_unlock();
	} while (!in);
}

/* As percpu_rwsem_read_unlock(), for what lock debugging has not seen. */
static void
percpu_read_unlock(struct percpu_rwsem *p)
{
	rcu_read_lock();
	this_cpu_dec(*p->readers);
	if (READ_ONCE(p->block))
		waitq_wake_all(&p->wait);
	rcu_read_unlock();
}

static void
percpu_write_turn(struct rw_torture *s, u64 r)
{
	s->percpu_write_lock(&s->p);
	write_section(s, r);
	percpu_rwsem_write_unlock(&s->p);
	/* Readers have no right to a turn between two writers. */
	test_sleep(WRITER_PAUSE * test_cpus());
}

static void
percpu_thread(struct torture_thread *th)
{
	struct rw_torture *s = container_of(th->torture, struct rw_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (th->index == 0) {
			percpu_write_turn(s, r >> 16);
		} else if (r % 4 != 0) {
			percpu_rwsem_read_lock(&s->p);
			read_section(s, r >> 16);
			percpu_rwsem_read_unlock(&s->p);
		} else {
			percpu_read_lock_slowly(s);
			read_section(s, r >> 16);
			atomic_set(&s->at_window, 0);
			percpu_read_unlock(&s->p);
		}
		torture_turn(th);
		stop_if_found(th, s);
	}
}

TEST(percpu_rwsem_torture)
{
	static struct rw_torture s;

	ASSERT_EQ(percpu_rwsem_init(&s.p, &test_rwsem_class), 0);
	s.percpu_write_lock = percpu_rwsem_write_lock;
	rw_run(&s, percpu_thread, 2 * test_cpus(), 50000);
	rw_check(&s);
	percpu_rwsem_fini(&s.p);
}

/*
 * Without the grace period: a reader that has looked before may count itself in
 * later. It must be the only one, or the writer waits for others meanwhile.
 */
static void
percpu_write_lock_broken(struct percpu_rwsem *p)
{
	unsigned int cpu;
	u32 sum;

	mutex_lock(&p->writer);
	WRITE_ONCE(p->block, 1);
	smp_mb();
	do {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(*cpu_ptr(p->readers, cpu));
		if (sum != 0)
			test_yield();
	} while (sum != 0);
}

TEST(percpu_rwsem_torture_finds_broken)
{
	static struct rw_torture s;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	ASSERT_EQ(percpu_rwsem_init(&s.p, &test_rwsem_class), 0);
	s.percpu_write_lock = percpu_write_lock_broken;
	/* A second. */
	s.patience = 1000UL * 1000 * 1000;
	for (int i = 0; i < TORTURE_TRIES && s.wrong == 0; i++)
		rw_run(&s, percpu_thread, 2, TORTURE_UNTIL_FOUND);
	EXPECT_GT(s.wrong, 0);
	percpu_rwsem_fini(&s.p);
}

TEST(rwsem_state)
{
	static struct rwsem s;

	rwsem_init(&s, &test_rwsem_class);
	rwsem_read_lock(&s);
	EXPECT(rwsem_try_read_lock(&s));
	EXPECT(!rwsem_try_write_lock(&s));
	rwsem_read_unlock(&s);
	rwsem_read_unlock(&s);
	EXPECT(rwsem_try_write_lock(&s));
	EXPECT(!rwsem_try_read_lock(&s));
	rwsem_downgrade(&s);
	EXPECT(rwsem_try_read_lock(&s));
	rwsem_read_unlock(&s);
	rwsem_read_unlock(&s);
	EXPECT_EQ(s.count, 0);
}
