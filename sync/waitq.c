/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wait queues.
 *
 * Model: a list of waiters, those that are not exclusive first. A waker walks
 * it under the queue's lock and calls each waiter's wake(). The waiter of a
 * task takes itself off the list there, so that the next waker does not meet it
 * again, and unparks the task; the task may then leave without the lock.
 *
 * Ownership: a waiter lies on its task's stack. It may be gone as soon as
 * link.prev points at itself: that store is the last one of the waker, which has
 * read all it needs before.
 *
 * Locking: q->lock, interrupts off. wake() runs under it and may take only locks
 * of higher rank (the run queue's, by unpark()).
 *
 * Ordering:
 *      waitq_prepare, wait_event       waitq_wake
 *      park_prepare()                  condition = true
 *      waiter is queued, full barrier  full barrier (waitq_active)
 *      condition is read               list is looked at
 *      park()                          waiter is taken off, unpark()
 *      A waker that takes the waiter off finds the task prepared, so the task is
 *      never asleep without being queued.
 *
 *      waiter_wake_task                waitq_finish
 *      task is read, unlinked          link.prev == &link (acquire)
 *      link.prev = &link (release)     the stack frame is left
 *
 * An exclusive waiter that gives up looks a last time, then leaves the queue. The
 * waker that chooses it in between has woken nobody else: wait_event_common() finds
 * the waiter taken off and wakes the next one in its place.
 *
 * Contexts: wake in any but NMI. The waker is pinned, so a task that it read
 * from a waiter stays allocated until it has unparked it.
 */
#include "sync/waitq.h"

#include "arch/x86_64/asm/barrier.h"
#include "lib/assert.h"

LOCK_CLASS(waitq_class, RANK_WAITQ);

void
waitq_init(struct waitq *q)
{
	spin_init(&q->lock, &waitq_class);
	list_init(&q->waiters);
}

static bool
waiter_linked(const struct waiter *w)
{
	return smp_load_acquire(&w->link.prev) != &w->link;
}

/* The last store lets the waiter's owner go. */
static void
waiter_unlink(struct waiter *w)
{
	list_unlink(&w->link);
	WRITE_ONCE(w->link.next, &w->link);
	smp_store_release(&w->link.prev, &w->link);
}

static void
waiter_link(struct waitq *q, struct waiter *w)
{
	if (w->flags & WAITER_EXCLUSIVE)
		list_add_tail(&w->link, &q->waiters);
	else
		list_add(&w->link, &q->waiters);
}

void
waitq_add(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irq(&q->lock);

	w->queue = q;
	waiter_link(q, w);
	spin_unlock_irq(&q->lock, flags);
}

bool
waitq_del_locked(struct waitq *q, struct waiter *w)
{
	bool linked = waiter_linked(w);

	spin_assert_held(&q->lock);
	if (linked)
		waiter_unlink(w);
	return linked;
}

bool
waitq_del(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irq(&q->lock);
	bool linked = waitq_del_locked(q, w);

	spin_unlock_irq(&q->lock, flags);
	return linked;
}

void
waitq_wake_locked(struct waitq *q, unsigned int nr, unsigned long key)
{
	struct waiter *w, *next;

	spin_assert_held(&q->lock);
	list_for_each_entry_safe(w, next, &q->waiters, link) {
		bool exclusive = w->flags & WAITER_EXCLUSIVE;
		int ret = w->wake(w, key);

		if (ret < 0 || (ret > 0 && exclusive && nr != 0 && --nr == 0))
			break;
	}
}

void
waitq_wake_slow(struct waitq *q, unsigned int nr, unsigned long key)
{
	unsigned long flags = spin_lock_irq(&q->lock);

	waitq_wake_locked(q, nr, key);
	spin_unlock_irq(&q->lock, flags);
}

void
waitq_wake_nested(struct waitq *q, unsigned int nr, unsigned long key)
{
	if (!waitq_active(q))
		return;
	spin_lock_nested(&q->lock);
	waitq_wake_locked(q, nr, key);
	spin_unlock(&q->lock);
}

/* wake() of a task that waits: 1 also if something else had woken it, as it will look now. */
static int
waiter_wake_task(struct waiter *w, unsigned long key)
{
	struct task *t = w->task;

	waiter_unlink(w);
	unpark(t);
	return 1;
}

void
waiter_init_current(struct waiter *w, unsigned int flags)
{
	list_init(&w->link);
	w->flags = flags;
	w->wake = waiter_wake_task;
	w->task = sync_current();
	w->queue = NULL;
}

void
waitq_prepare(struct waitq *q, struct waiter *w, enum park_mode mode)
{
	assert_may_sleep();
	/* First: a wakeup that takes us off the queue from here on ends the next park(). */
	park_prepare(mode);
	if (!waiter_linked(w)) {
		waitq_add(q, w);
		/* Pairs with waitq_active(). */
		smp_mb();
	}
}

bool
waitq_finish(struct waitq *q, struct waiter *w)
{
	park_cancel();
	return !waiter_linked(w) || !waitq_del(q, w);
}
