/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Priority-inheriting mutex: whoever waits lends its priority to the holder,
 * and through it to whom the holder waits for. The core of PI futexes.
 * (sync/pimutex.c tells the model.)
 */
#ifndef SYNC_PIMUTEX_H
#define SYNC_PIMUTEX_H

#include "lib/rbtree.h"
#include "lib/types.h"
#include "sync/port.h"
#include "sync/spinlock.h"

/* Priorities: smaller is more urgent. Real-time 0 to 98, everything else PI_PRIO_NORMAL. */
#define PI_PRIO_NORMAL 120

struct pimutex {
	struct spinlock lock;
	/* l  struct pi_waiter by priority, then by arrival */
	struct rb_root_cached waiters;
	/* l  holder; NULL only when nobody waits either */
	struct task *owner;
	/* l  waiters that ever came: their order among equals */
	u64 arrivals;
};

/* Embedded in struct task. */
struct task_pi {
	struct spinlock lock;
	/* l  the top waiter of every pimutex that the task holds, by priority */
	struct rb_root_cached lenders;
	/* l  what the task waits for; NULL */
	struct pi_waiter *blocked_on;
	/* l  own priority, without what is lent */
	s32 prio;
	/* l  the smaller of own and lent; read without the lock too */
	s32 effective;
};

/* On the waiting task's stack or in its futex state. */
struct pi_waiter {
	/* (mutex->lock)  in mutex->waiters */
	struct rb_node node;
	/* (owner's task_pi.lock)  in the holder's lenders, if we are the top waiter */
	struct rb_node lend;
	struct task *task;
	struct pimutex *mutex;
	/* (mutex->lock)  copy of the task's effective priority that orders mutex->waiters */
	s32 prio;
	/* (owner's task_pi.lock)  the same for its lenders */
	s32 lend_prio;
	/* (mutex->lock)  order of arrival among equals */
	u64 seq;
	/* a  1: the mutex is ours */
	u32 granted;
};

void task_pi_init(struct task_pi *p, s32 prio);
/* The task's own priority changed (sched_setscheduler): orders it anew where it waits. */
void task_pi_set_prio(struct task *t, s32 prio);
/* The smaller of own and inherited. Any context; a snapshot. */
s32 task_pi_prio(struct task *t);

void pimutex_init(struct pimutex *m);
/* Makes t the holder of a free mutex that nobody waits for (a futex word said so). */
void pimutex_set_owner(struct pimutex *m, struct task *t);
/* The holder now, or NULL; a snapshot. */
struct task *pimutex_owner(const struct pimutex *m);
bool pimutex_has_waiters(struct pimutex *m);

bool pimutex_try_lock(struct pimutex *m);
/*
 * Takes m for the current task. 0; -EDEADLK: waiting would close a cycle, or
 * the chain of holders is too long; -ERESTARTSYS: a signal (mode);
 * -ETIMEDOUT: absolute deadline. May sleep.
 */
int __must_check pimutex_lock(struct pimutex *m, enum park_mode mode, u64 deadline);
void pimutex_unlock(struct pimutex *m);

/*
 * The parts, for requeue on behalf of another task: pimutex_enqueue() makes t
 * wait (1: got the lock at once; 0: waits; -EDEADLK), the task itself then
 * calls pimutex_wait() and, when that fails, pimutex_dequeue() (true: it got
 * the lock after all).
 */
int __must_check pimutex_enqueue(struct pimutex *m, struct pi_waiter *w, struct task *t);
int __must_check pimutex_wait(struct pimutex *m, struct pi_waiter *w, enum park_mode mode,
			      u64 deadline);
bool pimutex_dequeue(struct pimutex *m, struct pi_waiter *w);
/* The waiter that the next unlock hands m to, or NULL. Caller holds m->lock. */
struct task *pimutex_top_waiter_locked(struct pimutex *m);

#endif
