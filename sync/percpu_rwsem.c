/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-write semaphores with per-CPU readers.
 *
 * Model: readers count themselves in and out on whatever CPU they are; only the
 * sum over all CPUs means something. A writer sets `block` and waits for a
 * grace period: readers look at `block` in a read section, so afterwards all of
 * them take the slow way, where they wait for the writer, and the sum can only
 * fall. When it is 0 the writer is alone.
 *
 * Ordering:
 *      percpu_rwsem_read_lock          percpu_rwsem_write_lock
 *      section begins                  block = 1
 *      block is read as 0              rcu_synchronize()
 *      count is raised                 counts are read
 *      section ends
 *      Either the reader sees block, or the grace period covers its count.
 *
 *      percpu_rwsem_read_unlock        wait for the readers
 *      count is lowered                waiter is queued, full barrier
 *      section with block read as 1:   counts are read
 *      full barrier, waiter is woken
 *
 *      percpu_rwsem_write_unlock       percpu_rwsem_read_lock
 *      section's stores                block is read as 0 (acquire)
 *      block = 0 (release)             reader's section
 *
 * Contexts: may sleep. A writer costs a grace period.
 */
#include "sync/rwsem.h"

#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "sync/rcu.h"

#define caller_pc() ((unsigned long)__builtin_return_address(0))

int
percpu_rwsem_init(struct percpu_rwsem *s, const struct lock_class *class)
{
	s->readers = percpu_alloc(sizeof(u32), sizeof(u32));
	if (s->readers == NULL)
		return -ENOMEM;
	s->block = 0;
	mutex_init(&s->writer, class);
	waitq_init(&s->wait);
	return 0;
}

void
percpu_rwsem_fini(struct percpu_rwsem *s)
{
	percpu_free(s->readers);
	s->readers = NULL;
}

static u32
readers_inside(const struct percpu_rwsem *s)
{
	unsigned int cpu;
	u32 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*cpu_ptr(s->readers, cpu));
	return sum;
}

static bool
try_enter(struct percpu_rwsem *s)
{
	bool in;

	rcu_read_lock();
	in = !smp_load_acquire(&s->block);
	if (likely(in))
		this_cpu_inc(*s->readers);
	rcu_read_unlock();
	return in;
}

void
percpu_rwsem_read_lock(struct percpu_rwsem *s)
{
	if (CONFIG_DEBUG)
		lock_debug_before(s, mutex_class(&s->writer), false, caller_pc());
	while (unlikely(!try_enter(s)))
		wait_event(&s->wait, READ_ONCE(s->block) == 0);
	if (CONFIG_DEBUG)
		lock_debug_acquired(s, mutex_class(&s->writer), true, caller_pc());
}

void
percpu_rwsem_read_unlock(struct percpu_rwsem *s)
{
	if (CONFIG_DEBUG)
		lock_debug_released(s);
	rcu_read_lock();
	this_cpu_dec(*s->readers);
	/* Pairs with the wait in percpu_rwsem_write_lock(); waitq_wake() has the barrier. */
	if (unlikely(READ_ONCE(s->block)))
		waitq_wake_all(&s->wait);
	rcu_read_unlock();
}

void
percpu_rwsem_write_lock(struct percpu_rwsem *s)
{
	mutex_lock(&s->writer);
	WRITE_ONCE(s->block, 1);
	rcu_synchronize();
	wait_event(&s->wait, readers_inside(s) == 0);
}

void
percpu_rwsem_write_unlock(struct percpu_rwsem *s)
{
	smp_store_release(&s->block, 0);
	waitq_wake_all(&s->wait);
	mutex_unlock(&s->writer);
}
