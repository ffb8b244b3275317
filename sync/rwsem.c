/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-write semaphores: the contended half.
 *
 * Model: ->count has a bit for a writer, a bit for "somebody queues" and above
 * them the number of readers. While nobody queues, readers add themselves and a
 * writer takes a 0, with one compare-and-exchange. Once somebody queues, all
 * newcomers do, and whoever leaves last grants the lock to the head of the queue:
 * to one writer, or to all readers up to the next writer. So a lock is handed
 * over in the order of arrival and neither side starves.
 *
 * Locking: s->lock covers the queue and the setting and clearing of
 * RWSEM_WAITERS. Readers and writer come in, on behalf of waiters, under it.
 *
 * Ownership: a waiter lies on its task's stack; ->granted is the last thing that
 * the granter writes to it, and it has read the task before.
 *
 * Ordering: every change of ->count is a locked instruction. A grant is
 * released by ->granted and acquired in rwsem_wait().
 *
 * Contexts: may sleep. Before the scheduler exists there is no contention.
 */
#include "sync/rwsem.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"
#include "sync/lock_stat.h"

/* Looks of a spinning task at the word before it sleeps. */
#define SPIN_TURNS 1000

struct rwsem_waiter {
	/* (s->lock) */
	struct list link;
	struct task *task;
	bool write;
	/* a  1: the lock is ours */
	u32 granted;
};

void
rwsem_init(struct rwsem *s, const struct lock_class *class)
{
	s->count = 0;
	spin_init(&s->lock, &mutex_wait_class);
	list_init(&s->waiters);
	s->writer = NULL;
	lock_class_set(s, class);
}

static struct rwsem_waiter *
queue_head(struct rwsem *s)
{
	return list_first_or_null(&s->waiters, struct rwsem_waiter, link);
}

/* Takes w out of the queue. s->lock held. */
static void
queue_del(struct rwsem *s, struct rwsem_waiter *w)
{
	list_del(&w->link);
	if (list_empty(&s->waiters))
		atomic_and(&s->count, ~RWSEM_WAITERS);
}

static void
grant(struct rwsem *s, struct rwsem_waiter *w)
{
	struct task *t = w->task;

	queue_del(s, w);
	smp_store_release(&w->granted, 1);
	unpark(t);
}

/* Can the writer at the head have it? Nobody but us can change a count with WAITERS from 0. */
static bool
try_grant_write(struct rwsem *s, struct rwsem_waiter *w)
{
	u32 c = READ_ONCE(s->count);

	do
		if (c & RWSEM_WRITER || c >= RWSEM_READER)
			return false;
	while (!atomic_try_cmpxchg(&s->count, &c, c | RWSEM_WRITER));
	WRITE_ONCE(s->writer, w->task);
	return true;
}

static bool
try_grant_read(struct rwsem *s)
{
	u32 c = READ_ONCE(s->count);

	do
		if (c & RWSEM_WRITER)
			return false;
	while (!atomic_try_cmpxchg(&s->count, &c, c + RWSEM_READER));
	return true;
}

/* Lets in who can come in from the head of the queue. s->lock held. */
static void
grant_from_head(struct rwsem *s)
{
	struct rwsem_waiter *w;

	while ((w = queue_head(s)) != NULL) {
		if (!(w->write ? try_grant_write(s, w) : try_grant_read(s)))
			return;
		grant(s, w);
	}
}

void
rwsem_wake_slow(struct rwsem *s)
{
	unsigned long flags = spin_lock_irq(&s->lock);

	grant_from_head(s);
	spin_unlock_irq(&s->lock, flags);
}

/* Gives up waiting unless the lock has come meanwhile. */
static int
rwsem_abort(struct rwsem *s, struct rwsem_waiter *w, int err)
{
	unsigned long flags = spin_lock_irq(&s->lock);

	if (READ_ONCE(w->granted)) {
		err = 0;
	} else {
		queue_del(s, w);
		/* Readers may have stood behind this writer only. */
		grant_from_head(s);
	}
	spin_unlock_irq(&s->lock, flags);
	return err;
}

static int
rwsem_wait(struct rwsem *s, bool write, enum park_mode mode)
{
	struct rwsem_waiter w = {.task = sync_current(), .write = write};
	unsigned long flags = spin_lock_irq(&s->lock);
	int ret = 0;

	/* With one task there is nobody who could unlock. */
	ASSERT(w.task != NULL);
	list_add_tail(&w.link, &s->waiters);
	atomic_or(&s->count, RWSEM_WAITERS);
	grant_from_head(s);
	spin_unlock_irq(&s->lock, flags);
	for (;;) {
		park_prepare(mode);
		if (smp_load_acquire(&w.granted))
			break;
		if (ret != 0) {
			park_cancel();
			return rwsem_abort(s, &w, ret);
		}
		ret = park(NO_DEADLINE);
	}
	park_cancel();
	return 0;
}

/* Spins as long as a running writer is all that is in the way. True: it is gone. */
static bool
spin_on_writer(struct rwsem *s)
{
	bool gone = false;

	pin();
	for (u32 turn = 0; turn < SPIN_TURNS; turn++) {
		u32 c = READ_ONCE(s->count);
		struct task *t = READ_ONCE(s->writer);

		if (c & RWSEM_WAITERS || !(this_cpu_read(pin_count) & PIN_NO_RESCHED))
			break;
		if (!(c & RWSEM_WRITER)) {
			gone = true;
			break;
		}
		if (t != NULL && !task_on_cpu(t))
			break;
		cpu_relax();
	}
	unpin();
	return gone;
}

int
rwsem_read_slow(struct rwsem *s, unsigned int mode)
{
	u64 since = lock_stat_clock();
	bool got = false;
	int ret = 0;

	trace_contention_begin(s, LOCK_WAIT_READ);
	while (!got && spin_on_writer(s))
		got = rwsem_word_try_read(s);
	if (!got)
		ret = rwsem_wait(s, false, mode);
	trace_contention_end(s, ret);
	lock_stat_waited(rwsem_class(s), since);
	return ret;
}

int
rwsem_write_slow(struct rwsem *s, unsigned int mode)
{
	u64 since = lock_stat_clock();
	bool got = false;
	int ret = 0;

	trace_contention_begin(s, LOCK_WAIT_WRITE);
	while (!got && READ_ONCE(s->count) < RWSEM_READER && spin_on_writer(s))
		got = rwsem_word_try_write(s);
	if (!got)
		ret = rwsem_wait(s, true, mode);
	trace_contention_end(s, ret);
	lock_stat_waited(rwsem_class(s), since);
	return ret;
}

#if CONFIG_DEBUG
#define debug_before(s)                                                                            \
	lock_debug_before((s), (s)->class, false, (unsigned long)__builtin_return_address(0))
#define debug_acquired(s, shared)                                                                  \
	lock_debug_acquired((s), (s)->class, (shared), (unsigned long)__builtin_return_address(0))

void
rwsem_read_lock(struct rwsem *s)
{
	debug_before(s);
	if (!rwsem_word_try_read(s))
		(void)!rwsem_read_slow(s, PARK_UNINTERRUPTIBLE);
	debug_acquired(s, true);
}

bool
rwsem_try_read_lock(struct rwsem *s)
{
	if (!rwsem_word_try_read(s))
		return false;
	debug_acquired(s, true);
	return true;
}

void
rwsem_read_unlock(struct rwsem *s)
{
	lock_debug_released(s);
	rwsem_word_read_release(s);
}

void
rwsem_write_lock(struct rwsem *s)
{
	debug_before(s);
	if (!rwsem_word_try_write(s))
		(void)!rwsem_write_slow(s, PARK_UNINTERRUPTIBLE);
	debug_acquired(s, false);
}

bool
rwsem_try_write_lock(struct rwsem *s)
{
	if (!rwsem_word_try_write(s))
		return false;
	debug_acquired(s, false);
	return true;
}

void
rwsem_write_unlock(struct rwsem *s)
{
	lock_debug_released(s);
	rwsem_word_write_release(s);
}
#else
#define debug_before(s) ((void)0)
#define debug_acquired(s, shared) ((void)0)
#endif

int
rwsem_read_lock_killable(struct rwsem *s)
{
	debug_before(s);
	if (!rwsem_word_try_read(s) && rwsem_read_slow(s, PARK_KILLABLE) != 0)
		return -EINTR;
	debug_acquired(s, true);
	return 0;
}

int
rwsem_write_lock_killable(struct rwsem *s)
{
	debug_before(s);
	if (!rwsem_word_try_write(s) && rwsem_write_slow(s, PARK_KILLABLE) != 0)
		return -EINTR;
	debug_acquired(s, false);
	return 0;
}

void
rwsem_downgrade(struct rwsem *s)
{
	WRITE_ONCE(s->writer, NULL);
	atomic_add(&s->count, RWSEM_READER - RWSEM_WRITER);
	if (READ_ONCE(s->count) & RWSEM_WAITERS)
		rwsem_wake_slow(s);
}
