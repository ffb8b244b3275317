/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-write semaphores. `rwsem` is small, fair to writers. `percpu_rwsem` has
 * readers that touch only their own CPU's line, and writers that wait for a
 * grace period: for what is written almost never (CPU hot-plug, mount trees).
 */
#ifndef SYNC_RWSEM_H
#define SYNC_RWSEM_H

#include "lib/list.h"
#include "lib/types.h"
#include "sync/lockclass.h"
#include "sync/mutex.h"
#include "sync/port.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct __capability("rwsem") rwsem
{
	/* a  RWSEM_* bits and, from RWSEM_READER on, the number of readers inside */
	u32 count;
	struct spinlock lock;
	/* l  waiters, first come first */
	struct list waiters;
	/* a  the writer, for spinning and reports */
	struct task *writer;
#if CONFIG_DEBUG
	const struct lock_class *class;
#endif
};

#if CONFIG_DEBUG
#define rwsem_class(s) ((s)->class)
#else
#define rwsem_class(s) ((const struct lock_class *)NULL)
#endif

#define RWSEM_WRITER 1u
/* Somebody queues: newcomers do too. */
#define RWSEM_WAITERS 2u
#define RWSEM_READER 4u

void rwsem_init(struct rwsem *s, const struct lock_class *class);
/* Context of all: may sleep. Readers may not nest: a writer in between would stop both. */
LOCK_INLINE void rwsem_read_lock(struct rwsem *s);
/* -EINTR: a fatal signal came. */
int __must_check rwsem_read_lock_killable(struct rwsem *s);
LOCK_INLINE bool rwsem_try_read_lock(struct rwsem *s);
/* By any task. */
LOCK_INLINE void rwsem_read_unlock(struct rwsem *s);
LOCK_INLINE void rwsem_write_lock(struct rwsem *s);
int __must_check rwsem_write_lock_killable(struct rwsem *s);
LOCK_INLINE bool rwsem_try_write_lock(struct rwsem *s);
LOCK_INLINE void rwsem_write_unlock(struct rwsem *s);
/* The writer becomes a reader; no other writer gets in between. */
void rwsem_downgrade(struct rwsem *s);

/* The contended halves; mode: what may end the wait. */
int rwsem_read_slow(struct rwsem *s, unsigned int mode);
int rwsem_write_slow(struct rwsem *s, unsigned int mode);
void rwsem_wake_slow(struct rwsem *s);

static inline bool
rwsem_word_try_read(struct rwsem *s)
{
	u32 c = READ_ONCE(s->count);

	while (likely((c & (RWSEM_WRITER | RWSEM_WAITERS)) == 0))
		if (likely(atomic_try_cmpxchg(&s->count, &c, c + RWSEM_READER)))
			return true;
	return false;
}

static inline void
rwsem_word_read_release(struct rwsem *s)
{
	if (unlikely(atomic_sub_return(&s->count, RWSEM_READER) == RWSEM_WAITERS))
		rwsem_wake_slow(s);
}

static inline bool
rwsem_word_try_write(struct rwsem *s)
{
	u32 free = 0;

	if (unlikely(!atomic_try_cmpxchg(&s->count, &free, RWSEM_WRITER)))
		return false;
	WRITE_ONCE(s->writer, sync_current());
	return true;
}

static inline void
rwsem_word_write_release(struct rwsem *s)
{
	u32 mine = RWSEM_WRITER;

	WRITE_ONCE(s->writer, NULL);
	if (unlikely(!atomic_try_cmpxchg(&s->count, &mine, 0u))) {
		atomic_sub(&s->count, RWSEM_WRITER);
		rwsem_wake_slow(s);
	}
}

#if !CONFIG_DEBUG

static inline void
rwsem_read_lock(struct rwsem *s)
{
	if (unlikely(!rwsem_word_try_read(s)))
		(void)!rwsem_read_slow(s, PARK_UNINTERRUPTIBLE);
}

static inline bool
rwsem_try_read_lock(struct rwsem *s)
{
	return rwsem_word_try_read(s);
}

static inline void
rwsem_read_unlock(struct rwsem *s)
{
	rwsem_word_read_release(s);
}

static inline void
rwsem_write_lock(struct rwsem *s)
{
	if (unlikely(!rwsem_word_try_write(s)))
		(void)!rwsem_write_slow(s, PARK_UNINTERRUPTIBLE);
}

static inline bool
rwsem_try_write_lock(struct rwsem *s)
{
	return rwsem_word_try_write(s);
}

static inline void
rwsem_write_unlock(struct rwsem *s)
{
	rwsem_word_write_release(s);
}

#endif

struct percpu_rwsem {
	/* o  readers that came in minus those that left, modulo 2^32 */
	u32 __percpu *readers;
	/* a  a writer wants in or is inside: readers take the slow way */
	u32 block;
	/* one writer at a time */
	struct mutex writer;
	/* the writer, until the readers are out; then readers, until it is out */
	struct waitq wait;
};

/* -ENOMEM. */
int __must_check percpu_rwsem_init(struct percpu_rwsem *s, const struct lock_class *class);
void percpu_rwsem_fini(struct percpu_rwsem *s);
/* Two instructions more than a pin when no writer is near. Readers may sleep inside, not nest. */
void percpu_rwsem_read_lock(struct percpu_rwsem *s);
/* On any CPU. */
void percpu_rwsem_read_unlock(struct percpu_rwsem *s);
/* Waits for a grace period and for all readers. */
void percpu_rwsem_write_lock(struct percpu_rwsem *s);
void percpu_rwsem_write_unlock(struct percpu_rwsem *s);

#endif
