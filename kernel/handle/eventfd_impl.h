/* SPDX-License-Identifier: BSD-2-Clause */
/* Between eventfd.c and eventfd_count.c, which tells the model. */
#ifndef KERNEL_HANDLE_EVENTFD_IMPL_H
#define KERNEL_HANDLE_EVENTFD_IMPL_H

#include "lib/bits.h"
#include "lib/types.h"
#include "sync/waitq.h"

#define EVENTFD_MAX (U64_MAX - 1)
/* In a cell: it is open. */
#define EVENTFD_OPEN BIT(63)

struct eventfd {
	/* who waits for a count, and for room */
	struct waitq wait;
	/* (wait.lock)  what is not in cells */
	u64 base;
	/* a  published once, by eventfd_grow(); NULL: none */
	u64 __percpu *cell;
	/* (wait.lock)  CPUs, their number modulo 64, that may have an open cell */
	u64 open;
	/* (wait.lock)  who came last, and how often that was another CPU than before */
	u16 last_cpu;
	u16 turns;
	/* I  a read takes 1 */
	bool semaphore;
};

void eventfd_init(struct eventfd *e, u64 count, bool semaphore);
void eventfd_fini(struct eventfd *e);
/* Adds n, up to EVENTFD_MAX; false if it does not fit. Wakes who waits. */
bool eventfd_add(struct eventfd *e, u64 n);
/* Takes what a read gets; 0: nothing there. Wakes who waits. */
u64 eventfd_take(struct eventfd *e);
/* The count. Exact: there was a moment in which it was so. */
u64 eventfd_count(struct eventfd *e);
/* The count for who is in the queue: what is added after the look wakes it. */
u64 eventfd_count_waiting(struct eventfd *e);

#endif
