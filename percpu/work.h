/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work items: functions that run later in the work thread of a chosen CPU,
 * where they may sleep. (percpu/work.c tells the model.)
 */
#ifndef PERCPU_WORK_H
#define PERCPU_WORK_H

#include "lib/types.h"

/*
 * Embedded in what it is about. From work_post() until fn is entered it belongs
 * to the queue; fn owns it and may free it or post it again.
 */
struct work {
	/* a  next in the queue */
	struct work *next;
	/* I  runs in task context on the CPU it was posted to; may sleep */
	void (*fn)(struct work *w);
	/* a  1: queued and not yet entered */
	u32 pending;
};

#define WORK_INIT(f)                                                                               \
	{                                                                                          \
		.fn = (f)                                                                          \
	}

static inline void
work_init(struct work *w, void (*fn)(struct work *w))
{
	w->next = NULL;
	w->fn = fn;
	w->pending = 0;
}

/*
 * Queues w on `cpu`. False if it is queued already (anywhere): then its fn has
 * not been entered yet and will see what the caller wrote before. Any context
 * but NMI; not under a run queue's lock.
 */
bool work_post(unsigned int cpu, struct work *w);
/* On the CPU that executes this. */
bool work_post_here(struct work *w);

/*
 * Waits until everything that was queued on `cpu` before has run; at once if the CPU is not
 * active. May sleep; not from work.
 */
void work_flush(unsigned int cpu);
/* The same on every active CPU. */
void work_flush_all(void);

/*
 * For the work thread of this CPU: runs what is queued at this moment, deferred
 * kinds that interrupts handed over (percpu/defer.h) included. True if there was
 * anything.
 * Task context, not pinned, interrupts enabled; the caller stays on this CPU.
 */
bool work_run_oncpu(void);
/* Takes over what is queued on a CPU that is dead. Task context. */
void work_adopt(unsigned int cpu);
/* Is anything queued here? The thread looks after preparing to sleep. */
bool work_pending_oncpu(void);

#endif
