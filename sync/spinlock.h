/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queued spinlocks: waiters spin on a line of their own (MCS, Mellor-Crummey
 * and Scott 1991), the lock itself is one 32-bit word. Taking a free lock is
 * one locked instruction, giving it back a plain store; both are inline except
 * in debug kernels, which check ranks and record the holder (sync/debug.c).
 *
 * spin_lock() orders what follows after it and spin_unlock() what precedes
 * before it; a store before spin_lock() may pass a load after it.
 */
#ifndef SYNC_SPINLOCK_H
#define SYNC_SPINLOCK_H

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "config/config.h"
#include "lib/types.h"
#include "percpu/counter.h"
#include "percpu/pin.h"
#include "sync/lockclass.h"

struct task;

struct __capability("spinlock") spinlock
{
	/* a  0 free; bits 0-7 locked, 8-31 tail of the queue */
	u32 word;
#if CONFIG_DEBUG
	/* Holder, for ranks and reports: CPU, place and task. */
	u32 owner_cpu;
	const struct lock_class *class;
	unsigned long owner_pc;
	struct task *owner_task;
#endif
};

#define SPIN_LOCKED 1u

#if CONFIG_DEBUG
#define SPINLOCK_INIT(c)                                                                           \
	{                                                                                          \
		.class = &(c), .owner_cpu = U32_MAX                                                \
	}
#else
#define SPINLOCK_INIT(c)                                                                           \
	{                                                                                          \
		.word = 0 * sizeof(&(c))                                                           \
	}
#endif

/* How often a lock was found taken. */
DECLARE_COUNTER(lock_contended);

/*
 * I  after boot  true: waiters do not queue, whoever looks first takes a lock
 * that has become free. For virtual machines, where the CPU at the head of a
 * queue may not be running. spin_choose_mode() is called by rcu_init(), before
 * the second CPU starts.
 */
extern bool spin_unfair;
void spin_choose_mode(void);

/* One try; the caller is pinned. */
static inline bool
spin_word_try(u32 *word)
{
	u32 free = 0;

	return atomic_try_cmpxchg(word, &free, SPIN_LOCKED);
}

static inline void
spin_word_release(u32 *word)
{
	smp_store_release((u8 *)word, 0);
}

/* Waits, in the queue unless spin_unfair; the caller is pinned. */
void spin_lock_slow(u32 *word);
/* Waits in the queue, whatever the machine is. */
void spin_lock_queued(u32 *word);
/* Debug kernels: reports a lock that is held for seconds, and by whom. */
void spin_debug_long_wait(const u32 *word);

LOCK_INLINE void spin_init(struct spinlock *l, const struct lock_class *class);
/* Pins; spins until free. Any context in which the class is allowed. */
LOCK_INLINE void spin_lock(struct spinlock *l) __acquires(l);
LOCK_INLINE void spin_unlock(struct spinlock *l) __releases(l);
/* Does not wait. True: as after spin_lock(). */
LOCK_INLINE bool spin_try_lock(struct spinlock *l) __try_acquires(true, l);
/* A second lock of the same rank; the caller orders them by address. */
LOCK_INLINE void spin_lock_nested(struct spinlock *l) __acquires(l);
/* Does anybody (debug kernels: this CPU) hold it? */
LOCK_INLINE bool spin_held(const struct spinlock *l);

/* Disables interrupts first; returns what the unlock wants. */
LOCK_INLINE unsigned long spin_lock_irq(struct spinlock *l) __acquires(l);
LOCK_INLINE void spin_unlock_irq(struct spinlock *l, unsigned long flags) __releases(l);

/* Debug kernels stop when this CPU does not hold l. */
LOCK_INLINE void spin_assert_held(const struct spinlock *l);
/* Debug kernels report when this CPU (and task) still holds any lock. */
LOCK_INLINE void assert_no_locks_held(const char *where);

#if !CONFIG_DEBUG

static inline void
spin_init(struct spinlock *l, const struct lock_class *class)
{
	l->word = 0;
}

static inline void __no_thread_safety
spin_lock(struct spinlock *l)
{
	pin();
	if (unlikely(!spin_word_try(&l->word)))
		spin_lock_slow(&l->word);
}

static inline void __no_thread_safety
spin_unlock(struct spinlock *l)
{
	spin_word_release(&l->word);
	unpin();
}

static inline bool __no_thread_safety
spin_try_lock(struct spinlock *l)
{
	pin();
	if (likely(READ_ONCE(l->word) == 0 && spin_word_try(&l->word)))
		return true;
	unpin();
	return false;
}

static inline void __no_thread_safety
spin_lock_nested(struct spinlock *l)
{
	spin_lock(l);
}

static inline bool
spin_held(const struct spinlock *l)
{
	return READ_ONCE(l->word) & SPIN_LOCKED;
}

static inline unsigned long __no_thread_safety
spin_lock_irq(struct spinlock *l)
{
	unsigned long flags = irq_save();

	spin_lock(l);
	return flags;
}

/* Interrupts come back before the pin goes, so that a waiting preemption happens here. */
static inline void __no_thread_safety
spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	spin_word_release(&l->word);
	irq_restore(flags);
	unpin();
}

static inline void
spin_assert_held(const struct spinlock *l)
{
}

static inline void
assert_no_locks_held(const char *where)
{
}

#endif

/* Two locks of one class that may be the same, in the order of their addresses. */
static inline void __no_thread_safety
spin_lock_two(struct spinlock *a, struct spinlock *b)
{
	spin_lock(a < b ? a : b);
	if (a != b)
		spin_lock_nested(a < b ? b : a);
}

static inline void __no_thread_safety
spin_unlock_two(struct spinlock *a, struct spinlock *b)
{
	if (a != b)
		spin_unlock(a < b ? b : a);
	spin_unlock(a < b ? a : b);
}

#endif
