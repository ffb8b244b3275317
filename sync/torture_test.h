/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of a torture test: threads on all CPUs that do something for a
 * limited time, and the sum of what they count.
 */
#ifndef SYNC_TORTURE_TEST_H
#define SYNC_TORTURE_TEST_H

#include "arch/x86_64/asm/insn.h"
#include "lib/types.h"

struct torture;

struct torture_thread {
	struct torture *torture;
	/* I  0 to nr - 1; runs on this CPU (modulo their number) */
	unsigned int index;
	/* its own random numbers (lib/test.h) */
	u64 seed;
	/* turns; for torture_over() */
	u32 turns;
	/* what it counted */
	u64 result;
};

struct torture {
	void (*fn)(struct torture_thread *th);
	/* a  when it ends, ns; U64_MAX until all threads have started */
	u64 end;
	/* a  threads that have not started */
	u32 missing;
	/* a  1: time is up, or a thread has seen enough */
	u32 over;
};

/* Runs fn in `threads` threads, one a CPU and round again; the sum of their results. */
u64 torture_run(struct torture *t, void (*fn)(struct torture_thread *th), unsigned int threads);
/* Is it time to end? Looks at the clock now and then. Unpinned. */
bool torture_over(struct torture_thread *th);
/* Ends the run early. */
void torture_stop(struct torture_thread *th);
/* Runs that a test of a broken variant makes at most until it has found it out. */
#define TORTURE_TRIES 5

/* A moment in which others are given a chance; spins, any context. */
void torture_window(void);

#endif
