/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debug kernel knows about locks that are held: a stack of them in each
 * task (sleeping locks) and each CPU (spinning ones). Without CONFIG_DEBUG
 * nothing is recorded and the checks are empty.
 */
#ifndef SYNC_DEBUG_H
#define SYNC_DEBUG_H

#include "config/config.h"
#include "lib/types.h"
#include "sync/lockclass.h"

#if CONFIG_DEBUG
#define HELD_LOCKS_MAX 24
#else
#define HELD_LOCKS_MAX 0
#endif

struct held_lock {
	const void *lock;
	const struct lock_class *class;
	/* where it was taken */
	unsigned long pc;
	/* when, for sync/lock_stat.c */
	u64 since;
	/* 0 task, 1 softirq, 2 hard interrupt, 3 NMI */
	u8 context;
	/* taken for reading: may be held twice */
	bool shared;
};

struct held_locks {
	/* o  entries in use; more than fit are counted, not stored */
	u32 depth;
	struct held_lock at[HELD_LOCKS_MAX];
};

/*
 * A sleeping lock is about to be taken (checks the rank: report of a possible
 * deadlock, once a pair of classes), was taken, was released. pc: by whom.
 */
void lock_debug_before(const void *lock, const struct lock_class *class, bool nested,
		       unsigned long pc);
void lock_debug_acquired(const void *lock, const struct lock_class *class, bool shared,
			 unsigned long pc);
void lock_debug_released(const void *lock);
/* Is it on the current task's stack? Always true without CONFIG_DEBUG. */
bool lock_debug_held(const void *lock);
/* Number of locks of both kinds that the current task and this CPU hold; 0 without CONFIG_DEBUG. */
u32 locks_held(void);

/*
 * Lists the locks in h (a task's: task_held_locks(); NULL: this CPU's spinning
 * ones) in the log, innermost last. For panic and lock reports; any context.
 */
void held_locks_print(const struct held_locks *h);
void held_locks_print_cpu(unsigned int cpu);

#endif
