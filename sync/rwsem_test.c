/* SPDX-License-Identifier: BSD-2-Clause */
/* Read-write semaphores of both kinds: writers are alone, readers see whole updates. */
#include "sync/rwsem.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static LOCK_CLASS(test_rwsem_class, RANK_SPACE);

struct rw_torture {
	struct torture t;
	struct rwsem s;
	struct percpu_rwsem p;
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

static void
write_section(struct rw_torture *s, u64 r)
{
	if (atomic_fetch_add(&s->writers, 1) != 0 || atomic_read(&s->readers) != 0)
		atomic_inc(&s->wrong);
	s->a++;
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
		rwsem_downgrade(&s->s);
		read_section(s, r >> 16);
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

static void
rwsem_thread(struct torture_thread *th)
{
	struct rw_torture *s = container_of(th->torture, struct rw_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (r % 8 == 0)
			rwsem_write_turn(s, r);
		else
			rwsem_read_turn(s, r);
		th->result++;
	}
}

static void
check_run(struct rw_torture *s, void (*fn)(struct torture_thread *th))
{
	s->wrong = 0;
	s->reads = 0;
	s->writes = 0;
	torture_run(&s->t, fn, 2 * test_cpus());
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
	check_run(&s, rwsem_thread);
	EXPECT_EQ(s.s.count, 0);
	EXPECT(list_empty(&s.s.waiters));
}

static void
percpu_thread(struct torture_thread *th)
{
	struct rw_torture *s = container_of(th->torture, struct rw_torture, t);

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);

		if (th->index == 0 && r % 16 == 0) {
			percpu_rwsem_write_lock(&s->p);
			write_section(s, r >> 16);
			percpu_rwsem_write_unlock(&s->p);
		} else {
			percpu_rwsem_read_lock(&s->p);
			read_section(s, r >> 16);
			percpu_rwsem_read_unlock(&s->p);
		}
		th->result++;
	}
}

TEST(percpu_rwsem_torture)
{
	static struct rw_torture s;

	ASSERT_EQ(percpu_rwsem_init(&s.p, &test_rwsem_class), 0);
	check_run(&s, percpu_thread);
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
