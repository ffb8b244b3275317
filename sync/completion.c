/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions.
 *
 * Model: `done` counts what was completed and not yet waited for; complete_all()
 * makes it U32_MAX for good. A waiter takes one under the queue's lock, which is
 * also what makes it safe for the waiter to free the completion when it has
 * returned: complete() does not touch it after giving back that lock.
 *
 * complete() wakes the first waiter, for one completion. So a waiter leaves the
 * queue under the lock under which it takes one, or gives up: it would else be
 * woken for another one which it does not want, while the next waiter sleeps.
 */
#include "sync/completion.h"

#include "lib/assert.h"

void
completion_init(struct completion *c)
{
	waitq_init(&c->wait);
	c->done = 0;
}

static void
complete_add(struct completion *c, u32 n)
{
	unsigned long flags = spin_lock_irq(&c->wait.lock);

	c->done = c->done > U32_MAX - n ? U32_MAX : c->done + n;
	waitq_wake_locked(&c->wait, n == 1 ? 1 : 0, 0);
	spin_unlock_irq(&c->wait.lock, flags);
}

void
complete(struct completion *c)
{
	complete_add(c, 1);
}

void
complete_all(struct completion *c)
{
	complete_add(c, U32_MAX);
}

/*
 * Takes one completion, if there is one; w (NULL: not queued) then leaves the
 * queue, and so it does if it waits no longer.
 */
static bool
completion_take(struct completion *c, struct waiter *w, bool last)
{
	unsigned long flags = spin_lock_irq(&c->wait.lock);
	bool done = c->done != 0;

	if (done && c->done != U32_MAX)
		c->done--;
	if (w != NULL && (done || last))
		waitq_del_locked(&c->wait, w);
	spin_unlock_irq(&c->wait.lock, flags);
	return done;
}

static int
completion_wait_mode(struct completion *c, enum park_mode mode, u64 deadline)
{
	struct waiter w;
	int ret = 0;

	if (completion_take(c, NULL, false))
		return 0;
	waiter_init_current(&w, WAITER_EXCLUSIVE);
	for (;;) {
		waitq_prepare(&c->wait, &w, mode);
		if (completion_take(c, &w, ret != 0)) {
			ret = 0;
			break;
		}
		if (ret != 0)
			break;
		ret = park(deadline);
	}
	/* Not in the queue any more: the completion may be gone. */
	park_cancel();
	return ret;
}

void
completion_wait(struct completion *c)
{
	(void)completion_wait_mode(c, PARK_UNINTERRUPTIBLE, NO_DEADLINE);
}

int
completion_wait_killable(struct completion *c)
{
	return completion_wait_mode(c, PARK_KILLABLE, NO_DEADLINE);
}

int
completion_wait_interruptible(struct completion *c)
{
	return completion_wait_mode(c, PARK_INTERRUPTIBLE, NO_DEADLINE);
}

int
completion_wait_until(struct completion *c, u64 deadline)
{
	return completion_wait_mode(c, PARK_UNINTERRUPTIBLE, deadline);
}
