/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutexes: the contended half.
 *
 * Model: ->owner is the holder's task with MUTEX_HELD and two flags. While no
 * flag is set, one compare-and-exchange locks and another unlocks. A task that
 * finds it taken spins as long as the holder runs on a CPU (it will be done
 * sooner than a sleep and a wakeup take), but only one task spins at a time;
 * others, and it when the holder is switched out, queue and sleep.
 *
 * States of ->owner (task | HELD is "T"):
 *
 *      0             -> T               lock, free and nobody waits
 *      T             -> 0               unlock
 *      T             -> T|WAITERS       first waiter queues (lock)
 *      T|WAITERS     -> WAITERS         unlock wakes the first waiter (lock)
 *      WAITERS       -> T|WAITERS       a spinner or a waiter takes it
 *      T|WAITERS     -> T|WAITERS|HANDOFF  a waiter was woken and came too late (lock)
 *      T|W|HANDOFF   -> U|WAITERS       unlock gives it to the first waiter U (lock)
 *      x|WAITERS     -> x               the last waiter leaves the queue (lock)
 *
 * "(lock)" transitions happen under m->lock. A waiter that is woken competes
 * with spinners once; when it loses it sets HANDOFF and the next unlock is for
 * it, so nobody starves.
 *
 * Ownership: the holder unlocks. When the unlock of the last user has returned,
 * the memory may be reused: the fast unlock touches it once, and the slow one
 * ends with m->lock, which a waiter takes before it leaves.
 *
 * Ordering: compare-and-exchange on both sides, a full barrier each; in a
 * handoff the giver's exchange is read by the taker with acquire.
 *
 * Contexts: may sleep. Before the scheduler exists there is one task, NULL, and
 * no contention.
 */
#include "sync/mutex.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"
#include "sync/lock_stat.h"

/* Looks of a spinning task at the word before it sleeps. */
#define SPIN_TURNS 1000

/* The word and the queue of a mutex: innermost of what a sleeping lock needs. */
LOCK_CLASS(mutex_wait_class, RANK_RWSEM);

struct mutex_waiter {
	/* (m->lock) */
	struct list link;
	struct task *task;
};

void
mutex_init(struct mutex *m, const struct lock_class *class)
{
	m->owner = 0;
	m->spinner = 0;
	spin_init(&m->lock, &mutex_wait_class);
	list_init(&m->waiters);
	lock_class_set(m, class);
}

static struct task *
owner_task(unsigned long owner)
{
	return (struct task *)(owner & ~MUTEX_FLAGS);
}

/* Takes a mutex that nobody holds, keeping `keep` of its flags. */
static bool
take_if_free(struct mutex *m, unsigned long keep)
{
	unsigned long owner = READ_ONCE(m->owner);

	while (!(owner & (MUTEX_HELD | MUTEX_HANDOFF)))
		if (atomic_try_cmpxchg(&m->owner, &owner, mutex_self() | (owner & keep)))
			return true;
	return false;
}

/* Is it worth spinning on: the holder runs, and we are not wanted elsewhere. Pinned. */
static bool
spin_pays(unsigned long owner)
{
	if (owner & MUTEX_HANDOFF || !(this_cpu_read(pin_count) & PIN_NO_RESCHED))
		return false;
	return !(owner & MUTEX_HELD) || task_on_cpu(owner_task(owner));
}

/*
 * Spins while that pays; true: we hold it. Not for long: a holder that takes it
 * again at once leaves no gap to be found, and only sleepers are handed it.
 */
static bool
spin_for(struct mutex *m)
{
	unsigned long owner;
	bool got = false;

	if (READ_ONCE(m->spinner) != 0 || atomic_xchg(&m->spinner, 1) != 0)
		return false;
	/* The pin is also the RCU section that keeps the holder's task allocated. */
	pin();
	for (u32 turn = 0; turn < SPIN_TURNS; turn++) {
		owner = READ_ONCE(m->owner);
		if (!(owner & MUTEX_HELD) && take_if_free(m, MUTEX_WAITERS)) {
			got = true;
			break;
		}
		if (!spin_pays(owner))
			break;
		cpu_relax();
	}
	smp_store_release(&m->spinner, 0);
	unpin();
	return got;
}

static void
queue_add(struct mutex *m, struct mutex_waiter *w)
{
	w->task = sync_current();
	list_add_tail(&w->link, &m->waiters);
	atomic_or(&m->owner, MUTEX_WAITERS);
}

/* Leaves the queue; m->lock held. A handoff that was asked for is the next waiter's. */
static void
queue_del(struct mutex *m, struct mutex_waiter *w)
{
	list_del(&w->link);
	if (list_empty(&m->waiters))
		atomic_and(&m->owner, ~(MUTEX_WAITERS | MUTEX_HANDOFF));
}

/* Has an unlock made us the holder? */
static bool
handed_over(const struct mutex *m)
{
	unsigned long owner = READ_ONCE(m->owner);

	return (owner & ~(MUTEX_WAITERS | MUTEX_HANDOFF)) == mutex_self();
}

/* A waiter that was woken and finds the mutex taken: the next unlock is ours. */
static void
ask_handoff(struct mutex *m, const struct mutex_waiter *w)
{
	unsigned long owner = READ_ONCE(m->owner);

	if (!list_is_first(&w->link, &m->waiters))
		return;
	while (owner & MUTEX_HELD)
		if (atomic_try_cmpxchg(&m->owner, &owner, owner | MUTEX_HANDOFF))
			return;
}

/* Queues and sleeps until the mutex is ours (0) or mode ends the wait. */
static int
sleep_for(struct mutex *m, enum park_mode mode)
{
	struct mutex_waiter w;
	bool woken = false;
	unsigned long flags = spin_lock_irq(&m->lock);
	int ret = 0;

	queue_add(m, &w);
	for (;;) {
		if (handed_over(m) || take_if_free(m, MUTEX_WAITERS)) {
			ret = 0;
			break;
		}
		if (ret != 0)
			break;
		if (woken)
			ask_handoff(m, &w);
		park_prepare(mode);
		/* An unlock between the look above and here found us queued and unparks us. */
		spin_unlock_irq(&m->lock, flags);
		ret = park(NO_DEADLINE);
		flags = spin_lock_irq(&m->lock);
		woken = true;
	}
	queue_del(m, &w);
	spin_unlock_irq(&m->lock, flags);
	return ret;
}

int
mutex_lock_slow(struct mutex *m, unsigned int mode)
{
	u64 since = lock_stat_clock();
	int ret = 0;

	/* With one task there is nobody who could unlock. */
	ASSERT(sync_current() != NULL);
	trace_contention_begin(m, LOCK_WAIT_MUTEX);
	if (!spin_for(m))
		ret = sleep_for(m, mode);
	trace_contention_end(m, ret);
	lock_stat_waited(mutex_class(m), since);
	return ret;
}

void
mutex_unlock_slow(struct mutex *m)
{
	unsigned long flags = spin_lock_irq(&m->lock);
	struct mutex_waiter *first = list_first_or_null(&m->waiters, struct mutex_waiter, link);
	unsigned long owner = READ_ONCE(m->owner), next;

	ASSERT(handed_over(m));
	do {
		next = first != NULL ? MUTEX_WAITERS : 0;
		if (first != NULL && owner & MUTEX_HANDOFF)
			next |= (unsigned long)first->task | MUTEX_HELD;
	} while (!atomic_try_cmpxchg(&m->owner, &owner, next));
	if (first != NULL)
		unpark(first->task);
	spin_unlock_irq(&m->lock, flags);
}

#if CONFIG_DEBUG
#define debug_before(m, nested)                                                                    \
	lock_debug_before((m), (m)->class, (nested), (unsigned long)__builtin_return_address(0))
#define debug_acquired(m)                                                                          \
	lock_debug_acquired((m), (m)->class, false, (unsigned long)__builtin_return_address(0))
#define debug_released(m) lock_debug_released(m)

void __no_thread_safety
mutex_lock(struct mutex *m)
{
	debug_before(m, false);
	if (!mutex_word_try(m))
		(void)!mutex_lock_slow(m, PARK_UNINTERRUPTIBLE);
	debug_acquired(m);
}

void __no_thread_safety
mutex_lock_nested(struct mutex *m)
{
	debug_before(m, true);
	if (!mutex_word_try(m))
		(void)!mutex_lock_slow(m, PARK_UNINTERRUPTIBLE);
	debug_acquired(m);
}

bool __no_thread_safety
mutex_try_lock(struct mutex *m)
{
	if (READ_ONCE(m->owner) != 0 || !mutex_word_try(m))
		return false;
	debug_acquired(m);
	return true;
}

void __no_thread_safety
mutex_unlock(struct mutex *m)
{
	debug_released(m);
	mutex_word_release(m);
}
#else
#define debug_before(m, nested) ((void)0)
#define debug_acquired(m) ((void)0)
#endif

int __no_thread_safety
mutex_lock_interruptible(struct mutex *m)
{
	int ret = 0;

	debug_before(m, false);
	if (!mutex_word_try(m))
		ret = mutex_lock_slow(m, PARK_INTERRUPTIBLE);
	if (ret == 0)
		debug_acquired(m);
	return ret;
}

int __no_thread_safety
mutex_lock_killable(struct mutex *m)
{
	debug_before(m, false);
	if (!mutex_word_try(m) && mutex_lock_slow(m, PARK_KILLABLE) != 0)
		return -EINTR;
	debug_acquired(m);
	return 0;
}
