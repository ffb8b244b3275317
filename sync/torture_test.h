/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a torture test: threads on all CPUs that do something until there
 * is enough of it.
 *
 * Model: each thread runs fn, which loops until torture_over() and calls
 * torture_turn() whenever it has got on; what getting on means is the test's
 * business. The run ends when every thread has had its `share` of turns, and all
 * together have made `work` turns or test_duration() has passed. So a fast
 * machine does a fixed amount of work, a slow or crowded one the shares at least.
 *
 * A share is a demand on the primitive: that it lets everybody get on. Where it
 * does not promise that (try-locks, readers that retry), a turn is an attempt.
 * Threads go on until the last has its share, so that it gets it against all
 * others; a plan without `work` lets each go with its share, which is for what is
 * slow beyond measure when most CPUs are not running (a queue of spinning ones).
 * A thread that does not get its share in a minute fails the test.
 *
 * The threads start together, when all of them are there, and the calling thread
 * looks after them: they write nothing in common but what the test does.
 */
#ifndef SYNC_TORTURE_TEST_H
#define SYNC_TORTURE_TEST_H

#include "arch/x86_64/asm/insn.h"
#include "lib/types.h"
#include "sync/completion.h"

struct torture;

struct torture_thread {
	struct torture *torture;
	/* I  0 to nr - 1; runs on this CPU (modulo their number) */
	unsigned int index;
	/* its own random numbers (lib/test.h) */
	u64 seed;
	/* what it counted */
	u64 result;
	/* a  how often it has got on */
	u64 turns;
} __cacheline_aligned;

/* More threads than this are no better. */
#define TORTURE_THREADS 64u

struct torture_plan {
	void (*fn)(struct torture_thread *th);
	/* one a CPU and round again; at most TORTURE_THREADS */
	unsigned int threads;
	/* turns that each thread makes at least */
	unsigned int share;
	/* turns of all that are enough before test_duration(); 0: a thread ends with its share */
	u64 work;
};

struct torture {
	const struct torture_plan *plan;
	/* I  of this run */
	unsigned int nr;
	struct completion start;
	/* a  1: enough was done, or a thread has seen enough */
	u32 over;
};

/* Runs the plan; the sum of the threads' results. */
u64 torture_run(struct torture *t, const struct torture_plan *plan);
/* Is it time to end? */
bool torture_over(const struct torture_thread *th);
/* The thread has got on. */
void torture_turn(struct torture_thread *th);
/* Ends the run early: what it was to find is found. */
void torture_stop(struct torture_thread *th);
/*
 * For tests of broken variants: runs at most until it has been found out, and the
 * work of one that torture_stop() ends as soon as it has.
 */
#define TORTURE_TRIES 20
#define TORTURE_UNTIL_FOUND U64_MAX

/* A moment in which others are given a chance; spins, any context. */
void torture_window(void);
/* The same where one may sleep: others get on however few cores there are. */
void torture_nap(void);

#endif
