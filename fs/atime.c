/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times of access, where every read counts (mounts without relatime, such as the
 * first one), kept by the CPUs that read.
 *
 * Model: a program that all CPUs run is read by all of them, and with each tick of
 * the clock its time of access is another one. So a CPU notes it in a slot of its own,
 * and the inode's time is the latest of its field and of all slots that name it. A slot
 * that another inode wants is first written to the field. Who sets the time empties all
 * slots before he does; so does the end of the inode, which is why a slot needs no
 * reference.
 *
 * A time in the future, which somebody has set, is not of this kind: the next read
 * writes the field. Only a clock that is set back finds slots that are ahead of it,
 * until their CPUs read again.
 *
 * INODE_ATIME_SLOTS says that there may be slots; it is set once and stays.
 *
 * Locking: a slot's lock covers it; inside it the inode's. A time that is set while
 * others read is one of the two, as ever.
 *
 * Ordering: who notes a time sets the flag first and unlocks the slot then; who has
 * seen the read (by whatever lets him know of it) sees the flag and, with the slot's
 * lock, the time.
 */
#include "fs/atime.h"

#include "fs/parts.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"

#define SLOTS_LOG2 5
#define SLOTS (1u << SLOTS_LOG2)

struct atime_slot {
	struct spinlock lock;
	/* l  NULL: empty */
	struct inode *inode;
	s64 time;
};

static DEFINE_PERCPU(struct atime_slot[SLOTS], atime_slots);
static LOCK_CLASS(slot_class, RANK_ICACHE - 1);

static unsigned int
slot_of(const struct inode *i)
{
	return (unsigned int)((u64)i * 0x9e3779b97f4a7c15UL >> (64 - SLOTS_LOG2));
}

void
atime_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		for (unsigned int k = 0; k < SLOTS; k++)
			spin_init(&cpu_of(atime_slots, cpu)[k].lock, &slot_class);
}

/* Writes what s has to its inode; it is empty then. Its lock held. */
static void
slot_hand_in(struct atime_slot *s)
{
	struct inode *i = s->inode;

	if (!i)
		return;
	spin_lock(&i->lock);
	inode_set_time(i, TIME_ACCESS, s->time);
	spin_unlock(&i->lock);
	WRITE_ONCE(s->inode, NULL);
}

void
atime_note(struct inode *i, s64 now)
{
	struct atime_slot *s;

	if (!(READ_ONCE(i->flags) & INODE_ATIME_SLOTS))
		atomic_or(&i->flags, INODE_ATIME_SLOTS);
	pin();
	s = &this_cpu(atime_slots)[slot_of(i)];
	spin_lock(&s->lock);
	if (s->inode != i)
		slot_hand_in(s);
	WRITE_ONCE(s->inode, i);
	s->time = now;
	spin_unlock(&s->lock);
	unpin();
}

s64
atime_latest(struct inode *i)
{
	s64 latest = READ_ONCE(i->time[TIME_ACCESS]);
	unsigned int cpu;

	if (likely(!(READ_ONCE(i->flags) & INODE_ATIME_SLOTS)))
		return latest;
	for_each_possible_cpu(cpu) {
		struct atime_slot *s = &cpu_of(atime_slots, cpu)[slot_of(i)];

		if (READ_ONCE(s->inode) != i)
			continue;
		spin_lock(&s->lock);
		if (s->inode == i)
			latest = max(latest, s->time);
		spin_unlock(&s->lock);
	}
	/* One that was handed in since. */
	return max(latest, READ_ONCE(i->time[TIME_ACCESS]));
}

void
atime_forget(struct inode *i)
{
	unsigned int cpu;

	if (likely(!(READ_ONCE(i->flags) & INODE_ATIME_SLOTS)))
		return;
	for_each_possible_cpu(cpu) {
		struct atime_slot *s = &cpu_of(atime_slots, cpu)[slot_of(i)];

		if (READ_ONCE(s->inode) != i)
			continue;
		spin_lock(&s->lock);
		if (s->inode == i)
			WRITE_ONCE(s->inode, NULL);
		spin_unlock(&s->lock);
	}
}

unsigned int
atime_slots_used(void)
{
	unsigned int cpu, n = 0;

	for_each_possible_cpu(cpu) {
		for (unsigned int k = 0; k < SLOTS; k++) {
			struct atime_slot *s = &cpu_of(atime_slots, cpu)[k];

			spin_lock(&s->lock);
			n += s->inode && s->inode->nlink == 0;
			spin_unlock(&s->lock);
		}
	}
	return n;
}
