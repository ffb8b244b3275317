/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completions.
 *
 * Model: `done` counts what was completed and not yet waited for; complete_all()
 * makes it U32_MAX for good. A waiter takes one under the queue's lock, which is
 * also what makes it safe for the waiter to free the completion when it has
 * returned: complete() does not touch it after giving back that lock.
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

/* Takes one completion, if there is one. */
static bool
completion_take(struct completion *c)
{
	unsigned long flags = spin_lock_irq(&c->wait.lock);
	bool done = c->done != 0;

	if (done && c->done != U32_MAX)
		c->done--;
	spin_unlock_irq(&c->wait.lock, flags);
	return done;
}

static int
completion_wait_mode(struct completion *c, enum park_mode mode, u64 deadline)
{
	return wait_event_common(&c->wait, completion_take(c), mode, deadline, WAITER_EXCLUSIVE);
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
