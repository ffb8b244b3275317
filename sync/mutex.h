/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adaptive mutex: spins while the holder runs on another CPU, sleeps otherwise.
 * (sync/mutex.c tells the model.) Usable before the scheduler exists, when it
 * is never contended.
 */
#ifndef SYNC_MUTEX_H
#define SYNC_MUTEX_H

#include "lib/list.h"
#include "lib/types.h"
#include "sync/debug.h"
#include "sync/lockclass.h"
#include "sync/port.h"
#include "sync/spinlock.h"

struct __capability("mutex") mutex
{
	/* a  holder (struct task *) with MUTEX_* bits; 0: free and nobody waits */
	unsigned long owner;
	struct spinlock lock;
	/* a  1: one task spins for it */
	u32 spinner;
	/* l  waiters, first come first */
	struct list waiters;
#if CONFIG_DEBUG
	const struct lock_class *class;
#endif
};

/* Somebody sleeps; the next unlock goes to the first of them; somebody holds it. */
#define MUTEX_WAITERS 1UL
#define MUTEX_HANDOFF 2UL
#define MUTEX_HELD 4UL
#define MUTEX_FLAGS 7UL

extern const struct lock_class mutex_wait_class;
#if CONFIG_DEBUG
#define MUTEX_INIT(name, c)                                                                        \
	{                                                                                          \
		.lock = SPINLOCK_INIT(mutex_wait_class), .waiters = LIST_INIT((name).waiters),     \
		.class = &(c)                                                                      \
	}
#else
#define MUTEX_INIT(name, c)                                                                        \
	{                                                                                          \
		.lock = SPINLOCK_INIT(mutex_wait_class), .waiters = LIST_INIT((name).waiters)      \
	}
#endif

void mutex_init(struct mutex *m, const struct lock_class *class);

/* Context of all: may sleep; the holder unlocks. */
LOCK_INLINE void mutex_lock(struct mutex *m) __acquires(m);
LOCK_INLINE bool mutex_try_lock(struct mutex *m) __try_acquires(true, m);
LOCK_INLINE void mutex_unlock(struct mutex *m) __releases(m);
/* A second mutex of the same rank; the caller has an order of its own. */
LOCK_INLINE void mutex_lock_nested(struct mutex *m) __acquires(m);
/* -ERESTARTSYS (or -EINTR for the killable form: a fatal signal) instead of the lock. */
int __must_check mutex_lock_interruptible(struct mutex *m);
int __must_check mutex_lock_killable(struct mutex *m);

static inline bool
mutex_locked(const struct mutex *m)
{
	return READ_ONCE(m->owner) & MUTEX_HELD;
}

/* What the current task writes into ->owner. */
static inline unsigned long
mutex_self(void)
{
	return (unsigned long)sync_current() | MUTEX_HELD;
}

/* Does the current task hold it? */
static inline bool
mutex_held(const struct mutex *m)
{
	return (READ_ONCE(m->owner) | MUTEX_FLAGS) == (mutex_self() | MUTEX_FLAGS) &&
	       mutex_locked(m);
}

/* The class, for who builds on a mutex; NULL in kernels that do not keep it. */
#if CONFIG_DEBUG
#define mutex_class(m) ((m)->class)
#else
#define mutex_class(m) ((const struct lock_class *)NULL)
#endif

/* The contended halves; mode: what may end the wait. 0, or -ERESTARTSYS without the lock. */
int mutex_lock_slow(struct mutex *m, unsigned int mode);
void mutex_unlock_slow(struct mutex *m);

/* Takes a mutex that is free. */
static inline bool
mutex_word_try(struct mutex *m)
{
	unsigned long free = 0;

	return atomic_try_cmpxchg(&m->owner, &free, mutex_self());
}

static inline void
mutex_word_release(struct mutex *m)
{
	unsigned long self = mutex_self();

	if (unlikely(!atomic_try_cmpxchg(&m->owner, &self, 0UL)))
		mutex_unlock_slow(m);
}

#if !CONFIG_DEBUG

static inline void __no_thread_safety
mutex_lock(struct mutex *m)
{
	if (unlikely(!mutex_word_try(m)))
		(void)!mutex_lock_slow(m, PARK_UNINTERRUPTIBLE);
}

static inline bool __no_thread_safety
mutex_try_lock(struct mutex *m)
{
	return READ_ONCE(m->owner) == 0 && mutex_word_try(m);
}

static inline void __no_thread_safety
mutex_unlock(struct mutex *m)
{
	mutex_word_release(m);
}

static inline void __no_thread_safety
mutex_lock_nested(struct mutex *m)
{
	mutex_lock(m);
}

#endif
#endif
