/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sync/ needs from kernel/ (the scheduler, timers, the log): how the
 * current task sleeps and how another wakes it. park and unpark are defined in
 * kernel/sched/park.c.
 *
 * Model: prepare, look, park. park_prepare() says "I am about to sleep"; an
 * unpark() after it makes the next park() return at once, so a wakeup between
 * the look at the condition and the sleep is never lost.
 *
 * Ordering:
 *      sleeper                         waker
 *      park_prepare() (full barrier)   condition = true
 *      condition is read               full barrier (waitq_active, unpark)
 *      park()                          unpark() reads the task's state
 */
#ifndef SYNC_PORT_H
#define SYNC_PORT_H

#include "lib/types.h"
#include "percpu/percpu.h"

struct held_locks;
struct task;
struct task_pi;

enum park_mode {
	/* Only unpark() ends it. Counts as D state and as load. */
	PARK_UNINTERRUPTIBLE,
	/* A fatal signal ends it too. */
	PARK_KILLABLE,
	/* Any signal that is not blocked ends it too. S state. */
	PARK_INTERRUPTIBLE,
	/* As uninterruptible, but idle kernel threads: no load, I state. */
	PARK_IDLE,
};

/* Deadlines are absolute, in nanoseconds of the monotonic clock. */
#define NO_DEADLINE U64_MAX

/* A full barrier after the state is set. */
void park_prepare(enum park_mode mode);
/*
 * Sleeps. 0: unparked; -ETIMEDOUT: the deadline passed; -ERESTARTSYS: a signal
 * (per mode). The state is running again afterwards. Context: may sleep.
 */
int park(u64 deadline);
/* Takes back park_prepare() without sleeping. */
void park_cancel(void);
/*
 * Wakes t if it is parked or prepared; any context but NMI. True if this call
 * woke it. A full barrier before it reads t's state. t stays allocated for a
 * grace period after its exit, so that a waker in an RCU section may be late.
 */
bool unpark(struct task *t);
/* The task that runs; NULL before the scheduler exists. */
struct task *current_task_or_null(void);
/* The variable behind it, defined by kernel/; NULL before the scheduler exists. */
DECLARE_PERCPU(struct task *, current_task);

static inline struct task *
sync_current(void)
{
	return arch_percpu_read_stable(current_task);
}

/* True if a signal of the kind that mode reacts to is pending for current. */
bool park_signal_pending(enum park_mode mode);
/* Is t running on a CPU now (for adaptive spinning)? Caller in an RCU section. */
bool task_on_cpu(const struct task *t);
/* Monotonic clock, ns since boot (kernel/time); 0 before there is one. Any context. */
u64 ktime_get(void);

/*
 * Priority inheritance (sync/pimutex.h). task_pi(): the part of t that sync/
 * works with. task_pi_changed(): t's inherited priority (task_pi_prio(t)) has
 * changed, the scheduler takes it over; interrupts off, locks of RANK_TASK_PI held.
 */
struct task_pi *task_pi(struct task *t);
void task_pi_changed(struct task *t);

/*
 * The current task's stack of sleeping locks held (task->held); NULL before
 * the scheduler exists. Called by debug kernels only.
 */
struct held_locks *sync_port_held(void);
/* One record of the kernel log; level as syslog(3), 0 to 7. Any context, NMI too. */
void sync_port_log(int level, const char *fmt, ...) __printf(2, 3);
/* A lock rule is broken or a CPU is stuck: backtrace of this CPU to the log. Any context. */
void sync_port_backtrace(void);
/* The return addresses on this CPU's stack, innermost first: at most n; how many. Any context. */
unsigned int sync_port_frames(unsigned long *pcs, unsigned int n);
/* The current task's number, and its name into name[n]; 0 and "boot" before there are tasks. */
s32 sync_port_task(char *name, size_t n);

/*
 * Has rcu_timer_oncpu() called on this CPU, in interrupt context, after about
 * `ns` nanoseconds; asked again before it fired: the earlier time holds. No
 * lock of RANK_TIMER or above is held; interrupts may be off.
 */
void rcu_port_arm(u64 ns);
/* Prints the stack of what runs on `cpu` (by NMI) to the log. Any context. */
void rcu_port_backtrace(unsigned int cpu);

#endif
