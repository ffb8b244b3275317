/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks of debug kernels: the same word and queue as in sync/spinlock.h,
 * with the rules of sync/debug.c checked before, and the holder recorded after.
 *
 * Ownership: the owner fields are written by the holder while it holds the lock;
 * others read them for reports and for recursion (a CPU that reads its own
 * number there wrote it itself).
 */
#include "sync/spinlock.h"

#if CONFIG_DEBUG

#include "lib/assert.h"
#include "sync/debug_impl.h"
#include "sync/lock_stat.h"
#include "sync/port.h"

#define LONG_NS 5000000000UL

/* o  since when this CPU waits for a lock, and for which (reports) */
static DEFINE_PERCPU(u64, wait_since);
static DEFINE_PERCPU(const u32 *, wait_word);

#define caller_pc() ((unsigned long)__builtin_return_address(0))

void
spin_init(struct spinlock *l, const struct lock_class *class)
{
	*l = (struct spinlock){.owner_cpu = U32_MAX, .class = class};
}

static void
owner_set(struct spinlock *l, unsigned long pc)
{
	WRITE_ONCE(l->owner_pc, pc);
	WRITE_ONCE(l->owner_task, this_cpu_read(current_task));
	WRITE_ONCE(l->owner_cpu, cpu_id());
	spin_debug_acquired(l, l->class, pc);
}

static void
lock_checked(struct spinlock *l, bool nested, unsigned long pc)
{
	ASSERT(l->class != NULL);
	/* Taken twice by one CPU: it would wait for itself. */
	ASSERT(!spin_held(l));
	spin_debug_before(l->class, nested, pc);
	spin_debug_usage(l->class->usage, l->class);
	if (!spin_word_try(&l->word)) {
		u64 since = lock_stat_clock();

		spin_lock_slow(&l->word);
		lock_stat_waited(l->class, since);
	}
	owner_set(l, pc);
}

static void
release_checked(struct spinlock *l)
{
	ASSERT(spin_held(l));
	spin_debug_released(l);
	WRITE_ONCE(l->owner_cpu, U32_MAX);
	spin_word_release(&l->word);
}

void __no_thread_safety
spin_lock(struct spinlock *l)
{
	pin();
	lock_checked(l, false, caller_pc());
}

void __no_thread_safety
spin_lock_nested(struct spinlock *l)
{
	pin();
	lock_checked(l, true, caller_pc());
}

void __no_thread_safety
spin_unlock(struct spinlock *l)
{
	release_checked(l);
	unpin();
}

bool __no_thread_safety
spin_try_lock(struct spinlock *l)
{
	pin();
	if (READ_ONCE(l->word) == 0 && spin_word_try(&l->word)) {
		/* Cannot hang here, but the class can where it is waited for. */
		spin_debug_usage(l->class->usage, l->class);
		owner_set(l, caller_pc());
		return true;
	}
	unpin();
	return false;
}

unsigned long __no_thread_safety
spin_lock_irq(struct spinlock *l)
{
	unsigned long flags = irq_save();

	pin();
	lock_checked(l, false, caller_pc());
	return flags;
}

void __no_thread_safety
spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	release_checked(l);
	irq_restore(flags);
	unpin();
}

bool
spin_held(const struct spinlock *l)
{
	return (READ_ONCE(l->word) & SPIN_LOCKED) && READ_ONCE(l->owner_cpu) == cpu_id();
}

void
spin_assert_held(const struct spinlock *l)
{
	ASSERT(spin_held(l));
}

void
assert_no_locks_held(const char *where)
{
	locks_held_report(where);
}

void
spin_debug_long_wait(const u32 *word)
{
	const struct spinlock *l = container_of(word, const struct spinlock, word);
	u64 now = ktime_get();

	if (this_cpu_read(wait_word) != word) {
		this_cpu_write(wait_word, word);
		this_cpu_write(wait_since, now);
	} else if (now - this_cpu_read(wait_since) > LONG_NS) {
		spin_debug_stuck(l->class, READ_ONCE(l->owner_cpu), READ_ONCE(l->owner_pc));
		this_cpu_write(wait_since, now);
	}
}

#endif
