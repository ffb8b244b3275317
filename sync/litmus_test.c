/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Litmus tests: the orders of memory that percpu/ and sync/ are built on, tried
 * on this machine. Up to four CPUs run one column each, at the same time and over
 * and over; an outcome that is forbidden must not be seen once.
 *
 * What an emulator shows of it: QEMU's makes host code of each block of guest
 * code and puts the host's barriers where x86 is stronger than the host. On an
 * x86 host loads and stores are the host's own, and so is their store buffer:
 * SB without a barrier is seen (litmus_sb_is_seen), hence the test of smp_mb()
 * can fail. What x86 never does is never seen there, with or without our
 * primitives: MP, LB, IRIW and WRC hold by the processor, and only a compiler
 * could break them. That is checked by what the primitives are made of: a load
 * or store that may not move is volatile or behind barrier(), which these tests
 * compile as the kernel does (columns are functions, their loop is not unrolled
 * over a call), and percpu/ and sync/ run on the host under the thread
 * sanitizer, which knows the orders of C and not those of x86.
 */
#include "arch/x86_64/asm/atomic.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define ROUNDS 256
#define COLUMNS_MAX 4

/* A round's variables, on lines of their own. */
struct cell {
	u32 x __cacheline_aligned;
	u32 y __cacheline_aligned;
	/* what the columns read */
	u32 r[4] __cacheline_aligned;
};

struct litmus {
	struct torture t;
	struct cell cells[ROUNDS];
	void (*column[COLUMNS_MAX])(struct cell *c);
	unsigned int columns;
	bool (*forbidden)(const struct cell *c);
	/* a  columns that are ready for the series with this number */
	u32 ready;
	u64 seen;
	u64 series;
};

static struct litmus litmus;

/* Meets the other columns; false when time is up. */
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

	for (u32 at = l->columns;; at += 2 * l->columns) {
		if (!meet(th, at))
			return;
		for (int i = 0; i < ROUNDS; i++)
			l->column[th->index](&l->cells[i]);
		if (!meet(th, at + l->columns))
			return;
		/* The others wait at the next meeting. */
		if (th->index == 0)
			cells_check(l);
		torture_turn(th);
	}
}

/* Runs the columns; how often the outcome was seen. */
static u64
litmus_count(void (*const *columns)(struct cell *c), unsigned int n,
	     bool (*outcome)(const struct cell *c))
{
	struct litmus *l = &litmus;

	for (unsigned int i = 0; i < n; i++)
		l->column[i] = columns[i];
	l->columns = n;
	l->forbidden = outcome;
	l->ready = 0;
	l->seen = 0;
	l->series = 0;
	for (int i = 0; i < ROUNDS; i++)
		l->cells[i] = (struct cell){0};
	torture_run(&l->t, &(struct torture_plan){
				   .fn = litmus_thread, .threads = n, .share = 4, .work = 4000});
	EXPECT_GT(l->series, 0);
	return l->seen;
}

static void
litmus_many(void (*const *columns)(struct cell *c), unsigned int n,
	    bool (*forbidden)(const struct cell *c))
{
	if (test_cpus() < n)
		TEST_SKIP("needs a CPU for each column");
	EXPECT_EQ(litmus_count(columns, n, forbidden), 0);
}

static void
litmus_run(void (*column0)(struct cell *c), void (*column1)(struct cell *c),
	   bool (*forbidden)(const struct cell *c))
{
	void (*const columns[2])(struct cell * c) = {column0, column1};

	litmus_many(columns, 2, forbidden);
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

/* Without the barriers both may be zero: the test above can fail. */
static void
sb_plain_0(struct cell *c)
{
	WRITE_ONCE(c->x, 1);
	c->r[0] = READ_ONCE(c->y);
}

static void
sb_plain_1(struct cell *c)
{
	WRITE_ONCE(c->y, 1);
	c->r[1] = READ_ONCE(c->x);
}

TEST(litmus_sb_is_seen)
{
	void (*const columns[2])(struct cell * c) = {sb_plain_0, sb_plain_1};
	u64 seen = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && !seen; i++)
		seen = litmus_count(columns, 2, both_zero);
	/* Two CPUs of the machine may share one of the host. */
	if (!seen)
		TEST_SKIP("this host has not shown it");
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

/* Independent reads of independent writes: all CPUs agree on the order of two writes. */
static void
iriw_0(struct cell *c)
{
	WRITE_ONCE(c->x, 1);
}

static void
iriw_1(struct cell *c)
{
	WRITE_ONCE(c->y, 1);
}

static void
iriw_2(struct cell *c)
{
	c->r[0] = smp_load_acquire(&c->x);
	smp_mb();
	c->r[1] = READ_ONCE(c->y);
}

static void
iriw_3(struct cell *c)
{
	c->r[2] = smp_load_acquire(&c->y);
	smp_mb();
	c->r[3] = READ_ONCE(c->x);
}

static bool
readers_disagree(const struct cell *c)
{
	return c->r[0] == 1 && c->r[1] == 0 && c->r[2] == 1 && c->r[3] == 0;
}

TEST(litmus_independent_reads)
{
	void (*const columns[4])(struct cell * c) = {iriw_0, iriw_1, iriw_2, iriw_3};

	litmus_many(columns, 4, readers_disagree);
}

/* Write to read causality: who hears of a message by way of another finds it. */
static void
wrc_0(struct cell *c)
{
	WRITE_ONCE(c->x, 1);
}

static void
wrc_1(struct cell *c)
{
	c->r[0] = READ_ONCE(c->x);
	smp_store_release(&c->y, 1);
}

static void
wrc_2(struct cell *c)
{
	c->r[1] = smp_load_acquire(&c->y);
	c->r[2] = READ_ONCE(c->x);
}

static bool
hearsay_without_fact(const struct cell *c)
{
	return c->r[0] == 1 && c->r[1] == 1 && c->r[2] == 0;
}

TEST(litmus_write_read_causality)
{
	void (*const columns[3])(struct cell * c) = {wrc_0, wrc_1, wrc_2};

	litmus_many(columns, 3, hearsay_without_fact);
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
