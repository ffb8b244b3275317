/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers of nanosecond resolution, queued on the CPU that starts them.
 * A CPU programs its hardware timer for the earliest one only; with none it
 * takes no interrupt.
 */
#ifndef KERNEL_TIME_TIMER_H
#define KERNEL_TIME_TIMER_H

#include "lib/rbtree.h"
#include "lib/types.h"
#include "sync/port.h"

struct timer {
	struct rb_node node;
	/* absolute, monotonic ns */
	u64 expires;
	/* CPU whose queue holds it; only while queued */
	u32 cpu;
	/* (queue lock)  0 idle, 1 queued */
	u32 state;
	/* Hard interrupt context of the CPU that started it, interrupts off. May restart it. */
	void (*fn)(struct timer *t);
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* (Re)starts t on this CPU. Any context but NMI. */
void timer_start(struct timer *t, u64 expires);
/* True if it was queued. fn may still be running on another CPU. Any context but NMI. */
bool timer_cancel(struct timer *t);
/* The same, and waits until fn does not run. Not from fn itself; no lock that fn takes held. */
bool timer_cancel_sync(struct timer *t);
bool timer_pending(const struct timer *t);
/* Nanoseconds until it fires; 0 if not queued. */
u64 timer_remaining(const struct timer *t);

/* Hooks of the clock interrupt and idle loop; interrupts off. */
void timer_interrupt_oncpu(void);
u64 timer_next_oncpu(void);
/* Takes over the timers of a dead CPU: they fire here. Task context. */
void timer_adopt(unsigned int cpu);
/* Sleeps until the absolute deadline; 0 or -ERESTARTSYS (interruptible form). */
int sleep_until_interruptible(u64 deadline);
void sleep_ns(u64 ns);

#endif
