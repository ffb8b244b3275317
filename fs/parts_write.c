/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writers that come into a file beside each other.
 *
 * Model: while PARTS_WRITE is set, a write that does not move the end of the file
 * counts itself in its CPU's part (fs/parts.c) and goes on without the mutex; such
 * writers order themselves by locks on pages (fs/generic.c). inode_lock() takes the
 * mutex, clears the bit, and waits until no part has writers inside. A writer that
 * found the file closed opens it when it is done, if the file has parts.
 *
 * Locking: ->mutex to open and to close. To who comes in it is a lock like the
 * mutex, taken for reading.
 *
 * Ordering: as with PARTS_LINKS (fs/parts.c).
 *      inode_enter                     inode_close_slow
 *      part is locked or claimed       PARTS_WRITE is cleared (->lock)
 *      PARTS_WRITE is read             each part with a bit is locked,
 *      inside + 1, part is unlocked    inside is read
 *      Whoever locks the part first: either PARTS_WRITE is seen, or the writer is. A
 *      part is claimed under ->lock: before PARTS_WRITE is cleared, then its bit and
 *      its key are seen, or after, then its CPU finds PARTS_WRITE cleared.
 *
 *      inode_leave                     inode_close_slow
 *      part is locked                  PARTS_WRITE is cleared, waiter is queued
 *      inside - 1, PARTS_WRITE is read part is locked, inside is read
 *      Whoever finds a writer inside is woken by the last one.
 *
 * Contexts: may sleep inside; who leaves need not be on the CPU where he came in.
 */
#include "fs/parts_impl.h"

#include "lib/assert.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "sync/waitq.h"

struct part *
inode_enter(struct inode *i)
{
	struct part *p;
	bool in;

	if (!(READ_ONCE(i->parts) & PARTS_WRITE))
		return NULL;
	if (CONFIG_DEBUG)
		lock_debug_before(&i->mutex, mutex_class(&i->mutex), false,
				  (unsigned long)__builtin_return_address(0));
	pin();
	p = part_get(i);
	in = p && (READ_ONCE(i->parts) & PARTS_WRITE);
	if (in)
		p->inside++;
	if (p)
		part_unlock(p, i);
	unpin();
	if (in && CONFIG_DEBUG)
		lock_debug_acquired(&i->mutex, mutex_class(&i->mutex), true,
				    (unsigned long)__builtin_return_address(0));
	return in ? p : NULL;
}

void
inode_leave(struct inode *i, struct part *p)
{
	bool in, last;

	if (CONFIG_DEBUG)
		lock_debug_released(&i->mutex);
	pin();
	in = part_lock(p, i);
	DEBUG_ASSERT(in && p->inside);
	p->inside--;
	last = !p->inside && !(READ_ONCE(i->parts) & PARTS_WRITE);
	part_unlock(p, i);
	unpin();
	if (last)
		waitq_wake_all(&i->pages->wait);
}

static bool
part_busy(struct inode *i, unsigned int cpu)
{
	struct part *set = parts_of(i, cpu);
	bool busy = false;

	pin();
	for (unsigned int w = 0; w < PART_WAYS && !busy; w++)
		if (part_lock(&set[w], i)) {
			busy = set[w].inside != 0;
			part_unlock(&set[w], i);
		}
	unpin();
	return busy;
}

/* The mutex is held. */
void
inode_close_slow(struct inode *i)
{
	unsigned int cpu;
	u64 word;

	spin_lock(&i->lock);
	atomic_and(&i->parts, ~PARTS_WRITE);
	word = i->parts;
	spin_unlock(&i->lock);
	for_each_possible_cpu(cpu)
		if (word & parts_cpu_bit(cpu))
			wait_event(&i->pages->wait, !part_busy(i, cpu));
}

void
inode_open_slow(struct inode *i)
{
	spin_lock(&i->lock);
	if (i->parts)
		atomic_or(&i->parts, PARTS_WRITE);
	spin_unlock(&i->lock);
}
