/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred interrupt work (softirqs): a bit per kind and CPU, set by an
 * interrupt and run at its end with interrupts enabled, before the interrupted
 * code goes on.
 */
#ifndef PERCPU_DEFER_H
#define PERCPU_DEFER_H

#include "lib/types.h"
#include "percpu/pin.h"

/* In the order in which one round runs them. */
enum defer_kind {
	DEFER_TIMER,
	DEFER_NET_TX,
	DEFER_NET_RX,
	DEFER_BLOCK,
	DEFER_RCU,
	DEFER_REF,
	DEFER_KINDS,
};

/* o  bits of enum defer_kind that wait on this CPU */
DECLARE_PERCPU(u32, defer_pending);

/* o  how often each kind ran (/proc/softirqs) */
DECLARE_PERCPU(u64, defer_count)[DEFER_KINDS];

/* Once a kind, at boot. fn: interrupts enabled, PIN_SOFTIRQ held, may not sleep. */
void defer_set_handler(enum defer_kind kind, void (*fn)(void));

/*
 * Has the kind's handler called on this CPU: at the end of the interrupt that
 * runs now, else at once if the caller is not pinned, else by the work thread.
 * Any context but NMI; outside interrupts not under a run queue's lock.
 */
void defer_raise(enum defer_kind kind);

static inline bool
defer_pending_oncpu(void)
{
	return unlikely(this_cpu_read(defer_pending) != 0);
}

/*
 * For the exit of every hardware interrupt, when defer_pending_oncpu() and not
 * in_interrupt(): interrupts off, this interrupt's PIN_HARDIRQ already taken
 * back. Runs what waits with interrupts enabled, in a bounded number of rounds;
 * the work thread gets the rest. Returns with interrupts off.
 */
void defer_run_oncpu(void);

/* Keeps softirqs (not interrupts) away; pairs nest; pins as a side effect. */
static inline void
softirq_disable(void)
{
	this_cpu_add(pin_count, PIN_SOFTIRQ_OFF);
	barrier();
}

/* Runs what came meanwhile. Interrupts enabled unless the pair is an inner one. */
void softirq_enable(void);

/* For work_run_oncpu(): runs what interrupts left; true if there was anything. */
bool defer_run_in_thread_oncpu(void);

#endif
