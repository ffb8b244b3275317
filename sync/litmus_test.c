/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Litmus tests: the orders of memory that percpu/ and sync/ are built on, tried
 * on this machine. Two CPUs run one column each, at the same time and over and
 * over; an outcome that is forbidden must not be seen once.
 */
#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define ROUNDS 256

/* A round's variables, on lines of their own. */
struct cell {
	u32 x __cacheline_aligned;
	u32 y __cacheline_aligned;
	/* what the columns read */
	u32 r[2] __cacheline_aligned;
};

struct litmus {
	struct torture t;
	struct cell cells[ROUNDS];
	void (*column[2])(struct cell *c);
	bool (*forbidden)(const struct cell *c);
	/* a  columns that are ready for the series with this number */
	u32 ready;
	u64 seen;
	u64 series;
};

static struct litmus litmus;

/* Meets the other column; false when time is up. */
static bool
meet(struct torture_thread *th, u32 until)
{
	struct litmus *l = &litmus;

	atomic_inc(&l->ready);
	while ((s32)(READ_ONCE(l->ready) - until) < 0) {
		if (torture_over(th))
			return false;
		cpu_relax();
	}
	return true;
}

static void
cells_check(struct litmus *l)
{
	for (int i = 0; i < ROUNDS; i++) {
		l->seen += l->forbidden(&l->cells[i]);
		l->cells[i] = (struct cell){0};
	}
	l->series++;
}

static void
litmus_thread(struct torture_thread *th)
{
	struct litmus *l = &litmus;

	for (u32 at = 2;; at += 4) {
		if (!meet(th, at))
			return;
		for (int i = 0; i < ROUNDS; i++)
			l->column[th->index](&l->cells[i]);
		if (!meet(th, at + 2))
			return;
		/* The other one waits at the next meeting. */
		if (th->index == 0)
			cells_check(l);
		torture_turn(th);
	}
}

static void
litmus_run(void (*column0)(struct cell *c), void (*column1)(struct cell *c),
	   bool (*forbidden)(const struct cell *c))
{
	struct litmus *l = &litmus;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	l->column[0] = column0;
	l->column[1] = column1;
	l->forbidden = forbidden;
	l->ready = 0;
	l->seen = 0;
	l->series = 0;
	for (int i = 0; i < ROUNDS; i++)
		l->cells[i] = (struct cell){0};
	torture_run(&l->t, &(struct torture_plan){
				   .fn = litmus_thread, .threads = 2, .share = 4, .work = 4000});
	EXPECT_GT(l->series, 0);
	EXPECT_EQ(l->seen, 0);
}

static bool
both_zero(const struct cell *c)
{
	return c->r[0] == 0 && c->r[1] == 0;
}

/* Store buffering: idle CPUs, wait queues, parking, credit of limit counters. */
static void
sb_mb_0(struct cell *c)
{
	WRITE_ONCE(c->x, 1);
	smp_mb();
	c->r[0] = READ_ONCE(c->y);
}

static void
sb_mb_1(struct cell *c)
{
	WRITE_ONCE(c->y, 1);
	smp_mb();
	c->r[1] = READ_ONCE(c->x);
}

TEST(litmus_store_buffering_mb)
{
	litmus_run(sb_mb_0, sb_mb_1, both_zero);
}

/* The same with a locked instruction on one side and an exchange on the other. */
static void
sb_locked_0(struct cell *c)
{
	atomic_inc(&c->x);
	c->r[0] = READ_ONCE(c->y);
}

static void
sb_locked_1(struct cell *c)
{
	smp_store_mb(&c->y, 1);
	c->r[1] = READ_ONCE(c->x);
}

TEST(litmus_store_buffering_locked)
{
	litmus_run(sb_locked_0, sb_locked_1, both_zero);
}

/* Message passing: everything that is published. */
static void
mp_0(struct cell *c)
{
	WRITE_ONCE(c->x, 1);
	smp_store_release(&c->y, 1);
}

static void
mp_1(struct cell *c)
{
	c->r[0] = smp_load_acquire(&c->y);
	c->r[1] = READ_ONCE(c->x);
}

static bool
flag_without_message(const struct cell *c)
{
	return c->r[0] == 1 && c->r[1] == 0;
}

TEST(litmus_message_passing)
{
	litmus_run(mp_0, mp_1, flag_without_message);
}

/* Load buffering: a section's reads do not sink below its end. */
static void
lb_0(struct cell *c)
{
	c->r[0] = READ_ONCE(c->x);
	smp_store_release(&c->y, 1);
}

static void
lb_1(struct cell *c)
{
	c->r[1] = READ_ONCE(c->y);
	smp_store_release(&c->x, 1);
}

static bool
both_one(const struct cell *c)
{
	return c->r[0] == 1 && c->r[1] == 1;
}

TEST(litmus_load_buffering)
{
	litmus_run(lb_0, lb_1, both_one);
}

/* Read, then write behind a full barrier on each side: who leaves a combining tree last. */
static void
tree_0(struct cell *c)
{
	c->r[0] = atomic_fetch_or(&c->x, 1);
}

static void
tree_1(struct cell *c)
{
	c->r[1] = atomic_fetch_or(&c->x, 2);
}

static bool
nobody_or_both_last(const struct cell *c)
{
	return (c->r[0] == 2) == (c->r[1] == 1);
}

TEST(litmus_one_is_last)
{
	litmus_run(tree_0, tree_1, nobody_or_both_last);
}
