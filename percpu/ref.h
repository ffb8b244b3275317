/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drained references: reference counts that CPUs change in caches of their own
 * (after Refcache, RadixVM, EuroSys 2013). ref_get and ref_put on any number of
 * CPUs write no shared line; in return the release of an object comes late, a
 * few milliseconds after the last put. Use it where nobody waits for the
 * release (dentries, inodes, mounts, regions, credentials); where the last put
 * must act at once (a pipe's end) count with an atomic instead.
 *
 * Rule: who gets holds a reference already, or found the object under RCU and
 * the object's first reference (the one that ref_init gives) is put by an RCU
 * callback after the object was made unreachable.
 */
#ifndef PERCPU_REF_H
#define PERCPU_REF_H

#include "lib/list.h"
#include "lib/types.h"
#include "percpu/counter.h"

struct ref {
	/* l  count without what caches hold; may be negative for a while */
	s64 count;
	/* l  guards count and review state; taken with interrupts off */
	u32 lock;
	/* l  REF_* bits (percpu/ref.c) */
	u16 state;
	/* l  low bits of the epoch in which the review began */
	u16 epoch;
	/* o  on the reviewing CPU's list */
	struct list review;
	/* I  called in task context, may sleep, when no reference is left */
	void (*release)(struct ref *r);
};

/* One reference, held by the caller. */
void ref_init(struct ref *r, void (*release)(struct ref *r));
/* These three: any context but NMI. */
void ref_get(struct ref *r);
void ref_put(struct ref *r);
/* n at once; n may be negative. */
void ref_add(struct ref *r, s64 n);

/*
 * Hands the deltas of this CPU's cache to their objects. Pinned. False: an
 * outer context is inside the cache; nothing was done.
 */
bool ref_flush_oncpu(void);
/* From the timer that ref_port_arm() asked for; interrupt context. */
void ref_timer_oncpu(void);
/*
 * Waits until every object whose last put was before the call is released, and
 * those that the releases put in turn (to a depth of 32). May sleep.
 */
void ref_drain(void);
/* The same to a depth of `depth`: where others release all the time, the above goes to its end. */
void ref_drain_depth(unsigned int depth);
/* Once, on the boot CPU, when it is online and timers work. References may be taken before. */
void ref_cache_init(void);
/* A CPU leaves: hands in what its cache has. On that CPU, interrupts off, when it is not online. */
void ref_cpu_quit_oncpu(void);
/* Takes over what a dead CPU had to review and to release. Task context. */
void ref_adopt(unsigned int cpu);

/* Objects released; deltas that had to leave a cache before their time. */
DECLARE_COUNTER(ref_released);
DECLARE_COUNTER(ref_evicted);

#endif
