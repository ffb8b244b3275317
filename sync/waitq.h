/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wait queues. A waiter is either the current task (wait_event*) or a callback
 * (poll and epoll). Empty queues cost their waker one load.
 */
#ifndef SYNC_WAITQ_H
#define SYNC_WAITQ_H

#include "arch/x86_64/asm/barrier.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "sync/port.h"
#include "sync/spinlock.h"

struct waitq {
	struct spinlock lock;
	/* l  struct waiter; exclusive ones at the tail */
	struct list waiters;
};

#define WAITER_EXCLUSIVE 1u
/* The callback leaves the waiter queued (epoll); nothing in the queue depends on it. */
#define WAITER_KEEP 2u

struct waiter {
	struct list link;
	unsigned int flags;
	/*
	 * Called with the queue's lock held, interrupts off. `key` is what the
	 * waker passed (poll events, or 0: anything). Returns 1 if it consumed
	 * the wakeup (counts towards nr of exclusive ones), 0 if not, <0: stop.
	 */
	int (*wake)(struct waiter *w, unsigned long key);
	struct task *task;
	struct waitq *queue;
};

extern const struct lock_class waitq_class;
#define WAITQ_INIT(name)                                                                           \
	{                                                                                          \
		.lock = SPINLOCK_INIT(waitq_class), .waiters = LIST_INIT((name).waiters)           \
	}

void waitq_init(struct waitq *q);
/* Queues w (link initialized or unlinked); callbacks (w->wake) may run from now on. */
void waitq_add(struct waitq *q, struct waiter *w);
/* Afterwards no callback of w runs or will run. False: w was queued no longer. */
bool waitq_del(struct waitq *q, struct waiter *w);
/* The same for who holds q->lock already. */
bool waitq_del_locked(struct waitq *q, struct waiter *w) __must_hold(&q->lock);
/* Any waiter? A full barrier stands before the look: pairs with the one in waitq_prepare(). */
static inline bool
waitq_active(struct waitq *q)
{
	smp_mb();
	return !list_empty(&q->waiters);
}

/* Wakes all that are not exclusive and up to nr exclusive waiters (0: all). Any context but NMI. */
void waitq_wake_slow(struct waitq *q, unsigned int nr, unsigned long key);
static inline void
waitq_wake(struct waitq *q, unsigned int nr, unsigned long key)
{
	if (unlikely(waitq_active(q)))
		waitq_wake_slow(q, nr, key);
}
/*
 * From a waiter's wake(), that is with another queue's lock held. The caller
 * makes sure that queues which wake each other form no loop.
 */
void waitq_wake_nested(struct waitq *q, unsigned int nr, unsigned long key);
#define waitq_wake_one(q) waitq_wake((q), 1, 0)
#define waitq_wake_all(q) waitq_wake((q), 0, 0)
/* For queue owners who hold q->lock already. */
void waitq_wake_locked(struct waitq *q, unsigned int nr, unsigned long key) __must_hold(&q->lock);

/*
 * What the macros below are made of: current is a waiter; it is prepared to park
 * and queued (again); it is neither. waitq_finish() is true if a waker had chosen
 * us since: who waits exclusively and goes without what it waited for wakes the next.
 */
void waiter_init_current(struct waiter *w, unsigned int flags);
void waitq_prepare(struct waitq *q, struct waiter *w, enum park_mode mode);
bool waitq_finish(struct waitq *q, struct waiter *w);

#define wait_event_common(q, cond, mode, deadline, wflags)                                         \
	({                                                                                         \
		int _ret = 0;                                                                      \
		if (!(cond)) {                                                                     \
			struct waiter _w;                                                          \
			waiter_init_current(&_w, (wflags));                                        \
			for (;;) {                                                                 \
				waitq_prepare((q), &_w, (mode));                                   \
				if (cond) {                                                        \
					_ret = 0;                                                  \
					break;                                                     \
				}                                                                  \
				if (_ret)                                                          \
					break;                                                     \
				_ret = park(deadline);                                             \
			}                                                                          \
			if (waitq_finish((q), &_w) && _ret && (wflags)&WAITER_EXCLUSIVE)           \
				waitq_wake_one(q);                                                 \
		}                                                                                  \
		_ret;                                                                              \
	})

/* Sleeps until cond. cond is evaluated again at each wakeup, without locks. */
#define wait_event(q, cond)                                                                        \
	((void)wait_event_common((q), (cond), PARK_UNINTERRUPTIBLE, NO_DEADLINE, 0))
/* 0 or -ERESTARTSYS. */
#define wait_event_interruptible(q, cond)                                                          \
	wait_event_common((q), (cond), PARK_INTERRUPTIBLE, NO_DEADLINE, 0)
#define wait_event_killable(q, cond) wait_event_common((q), (cond), PARK_KILLABLE, NO_DEADLINE, 0)
/* 0, -ERESTARTSYS or -ETIMEDOUT; deadline absolute (NO_DEADLINE: none). */
#define wait_event_interruptible_until(q, cond, deadline)                                          \
	wait_event_common((q), (cond), PARK_INTERRUPTIBLE, (deadline), 0)
#define wait_event_until(q, cond, deadline)                                                        \
	wait_event_common((q), (cond), PARK_UNINTERRUPTIBLE, (deadline), 0)
#define wait_event_exclusive_interruptible(q, cond)                                                \
	wait_event_common((q), (cond), PARK_INTERRUPTIBLE, NO_DEADLINE, WAITER_EXCLUSIVE)
#define wait_event_idle(q, cond) ((void)wait_event_common((q), (cond), PARK_IDLE, NO_DEADLINE, 0))

#endif
