/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts: what CPUs keep of inodes that several of them change.
 *
 * Model: an inode that one CPU changes has its times and its count of links in
 * itself. When a second CPU comes within SHARE_NS, both take parts: each CPU has a
 * small table of them, and a part holds the times of this CPU's changes, the names
 * that it made, and its writers that are inside. So CPUs that write, link or chmod
 * one file write to no common line. Who wants to know (stat) folds: the parts'
 * contents go into the inode and the parts away.
 *
 * Times: the latest change counts. The time is read with the inode or the part locked,
 * so in each of them the last one is the latest; the fold compares. The step of a change
 * is how often the clock had been set by then: a clock that is set back does not stop
 * the times. The step is read before the time. A time that somebody gives (utimensat)
 * ends all that was before: he empties the parts first, so what is found in them later
 * came later, and replaces it whatever it says (inode->given). Reads are told to the
 * part without knowing what others write; the fold decides by the rule of relatime,
 * their times at hand.
 *
 * Links: nlink of the inode, plus the links of all parts. PARTS_LINKS says that nlink
 * is not 0; then a part may add without a look at it, and take away what it has itself.
 * Who takes from nlink closes (PARTS_LINKS off), folds, and knows the exact number.
 * Thus nlink is 0 only if there are no names at all.
 *
 * Writers: fs/parts_write.c. A part with writers is not given to another inode; a
 * fold leaves it in its place.
 *
 * States of a part's key:
 *
 *      0                -> LOCKED          its CPU claims it
 *      inode a          -> a | LOCKED      anybody who works on it, for an instant
 *      a | LOCKED       -> a               done
 *      a | LOCKED       -> 0               folded (a->lock)
 *      a | LOCKED       -> LOCKED          folded by its CPU, to claim it (a->lock, tried)
 *      LOCKED           -> inode b|LOCKED  claimed (b->lock)
 *
 * Invariant: a part whose key is an inode has the bit of its CPU in inode->parts, from
 * one hold of the inode's lock to another: key and bit change there. So who holds the
 * lock and finds no bit need not look, and the end of an inode leaves no part behind.
 *
 * Ownership: only its own CPU, pinned, gives a part to an inode. Parts hold no
 * reference. Who takes one away from an inode that may be ending has it LOCKED until he
 * has the inode's lock; the end folds, so it waits for the part, and takes the lock
 * even if it finds no bit, so it waits for him.
 *
 * Locking: inode->lock, then a part's key. The CPU that claims a part holds it LOCKED
 * before it tries the lock of the inode that it takes it from, and gives up if that
 * fails; nobody waits for a key that is LOCKED and no inode's, so after that it may
 * wait for the lock of the new one. Without room for a part, changes are written to the
 * inode under its lock as if there were none.
 *
 * Ordering: PARTS_LINKS and PARTS_WRITE are cleared under the inode's lock, and keys
 * locked by a compare-and-exchange, a full barrier.
 *      part_add_link                   inode_drop_links
 *      part is locked                  PARTS_LINKS is cleared
 *      PARTS_LINKS is read             each part is locked and emptied
 *      links + 1, part is unlocked     nlink is changed
 *      Whoever locks the part first: either the flag is seen, or the link is. A part
 *      that was claimed just now, without that exchange, was so under the lock: before
 *      the flag was cleared (its key is seen) or after (the flag is seen).
 *
 * Contexts: tasks; no sleep.
 *
 * Rejected: a part for each CPU in the inode: memory of all files for the sake of
 * the few that are shared.
 */
#include "fs/parts_impl.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/time/clock.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"

#define SETS_LOG2 (CONFIG_DEBUG ? 1 : 2)
#define SETS (1u << SETS_LOG2)
#define CPU_BITS 62
/* Changes by another CPU that lie further back are not shared. */
#define SHARE_NS NSEC_PER_SEC
/* One in so many that find no free part takes one from another inode. */
#define EVICT_TURNS 4u

struct moment {
	s64 time;
	u32 step;
};

static DEFINE_PERCPU_ALIGNED(struct part, parts[SETS * PART_WAYS]);
/* o  how often there was no free part: whether, and where, to take one from an inode */
static DEFINE_PERCPU(u32, part_turn);

static struct moment
moment_now(void)
{
	struct moment m = {.step = clock_set_generation() + 1};

	m.time = (s64)ktime_get_coarse_real();
	return m;
}

u64
parts_cpu_bit(unsigned int cpu)
{
	return BIT(cpu % CPU_BITS);
}

struct part *
parts_of(const struct inode *i, unsigned int cpu)
{
	u64 set = (u64)i * 0x9e3779b97f4a7c15UL >> (64 - SETS_LOG2);

	return &cpu_ptr(&parts[0], cpu)[set * PART_WAYS];
}

bool
part_lock(struct part *p, const struct inode *i)
{
	unsigned long key = READ_ONCE(p->key);

	while ((key & ~PART_LOCKED) == (unsigned long)i) {
		if (!(key & PART_LOCKED) && atomic_try_cmpxchg(&p->key, &key, key | PART_LOCKED))
			return true;
		cpu_relax();
		key = READ_ONCE(p->key);
	}
	return false;
}

/* --- folding --- */

static inline bool
later(struct moment m, s64 time, u32 step)
{
	return m.step > step || (m.step == step && m.time > time);
}

/* The time of a change, which may come late. ->lock is held. */
static void
time_take(struct inode *i, enum inode_time t, struct moment m)
{
	if (unlikely(i->given & BIT(t)))
		i->given &= ~BIT(t);
	else if (!later(m, i->time[t], i->step[t]))
		return;
	i->step[t] = m.step;
	WRITE_ONCE(i->time[t], m.time);
}

void
inode_set_time(struct inode *i, enum inode_time t, s64 when)
{
	time_take(i, t, (struct moment){when, clock_set_generation() + 1});
}

/* Moves what a locked part has into i; accesses that depend on other times into `access`. */
static void
part_empty(struct part *p, struct inode *i, struct moment *access)
{
	bool relative = !p->strict;

	for (int t = 0; t < INODE_TIMES; t++) {
		struct moment m = {p->time[t], p->step[t]};

		p->step[t] = 0;
		if (!m.step)
			continue;
		if (t != TIME_ACCESS || !relative)
			time_take(i, t, m);
		else if (later(m, access->time, access->step))
			*access = m;
	}
	p->strict = false;
	if (p->links)
		WRITE_ONCE(i->nlink, i->nlink + p->links);
	p->links = 0;
}

struct folding {
	/* the part that the caller has locked, or NULL */
	const struct part *mine;
	/* Parts become empty but stay. */
	bool stay;
	/* accesses that count by what else happened */
	struct moment access;
};

/* Empties the parts of one CPU; true: one stays. */
static bool
fold_cpu(struct inode *i, unsigned int cpu, struct folding *f)
{
	struct part *set = parts_of(i, cpu);
	bool any = false;

	for (unsigned int w = 0; w < PART_WAYS; w++) {
		struct part *p = &set[w];

		if (p == f->mine) {
			part_empty(p, i, &f->access);
		} else if (part_lock(p, i)) {
			bool stays = f->stay || p->inside;

			part_empty(p, i, &f->access);
			part_unlock(p, stays ? i : NULL);
			any |= stays;
		}
	}
	return any;
}

/* ->lock is held. */
static void
fold(struct inode *i, struct folding *f)
{
	u64 word = READ_ONCE(i->parts), keep = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if ((word & parts_cpu_bit(cpu)) && fold_cpu(i, cpu, f))
			keep |= parts_cpu_bit(cpu);
	if (f->access.step && inode_access_counts(i, f->access.time))
		time_take(i, TIME_ACCESS, f->access);
	atomic_and(&i->parts, keep ? keep | PARTS_LINKS | PARTS_WRITE : 0);
	i->toucher = 0;
}

void
inode_give_time(struct inode *i, enum inode_time t, s64 value)
{
	if (i->parts)
		fold(i, &(struct folding){.stay = true});
	i->given |= BIT(t);
	WRITE_ONCE(i->time[t], value);
}

void
inode_fold_slow(struct inode *i)
{
	spin_lock(&i->lock);
	if (i->parts)
		fold(i, &(struct folding){0});
	spin_unlock(&i->lock);
}

/* --- claiming --- */

static struct part *
part_find(const struct inode *i, unsigned int cpu)
{
	struct part *set = parts_of(i, cpu);

	for (unsigned int w = 0; w < PART_WAYS; w++)
		if ((READ_ONCE(set[w].key) & ~PART_LOCKED) == (unsigned long)i)
			return &set[w];
	return NULL;
}

/* Takes p from the inode that has it: LOCKED, and nobody's. Its CPU, pinned. */
static bool
part_evict(struct part *p)
{
	unsigned long key = READ_ONCE(p->key) & ~PART_LOCKED;
	struct inode *i = (struct inode *)key;

	if (!i) {
		WRITE_ONCE(p->key, PART_LOCKED);
		return true;
	}
	if (!part_lock(p, i))
		return false;
	if (p->inside || !spin_try_lock(&i->lock)) {
		part_unlock(p, i);
		return false;
	}
	fold(i, &(struct folding){.mine = p});
	WRITE_ONCE(p->key, PART_LOCKED);
	spin_unlock(&i->lock);
	return true;
}

/* A part that is LOCKED and nobody's; NULL: there is none. Pinned. */
static struct part *
part_room(struct part *set)
{
	u32 turn = this_cpu_read(part_turn);

	for (unsigned int w = 0; w < PART_WAYS; w++)
		if (!READ_ONCE(set[w].key) && part_evict(&set[w]))
			return &set[w];
	this_cpu_write(part_turn, turn + 1);
	if (turn % EVICT_TURNS)
		return NULL;
	turn /= EVICT_TURNS;
	for (unsigned int w = 0; w < PART_WAYS; w++)
		if (part_evict(&set[(turn + w) % PART_WAYS]))
			return &set[(turn + w) % PART_WAYS];
	return NULL;
}

struct part *
part_get(struct inode *i)
{
	unsigned int cpu = cpu_id();
	struct part *p = part_find(i, cpu);

	if (p && part_lock(p, i))
		return p;
	p = part_room(parts_of(i, cpu));
	if (!p)
		return NULL;
	p->step[TIME_ACCESS] = p->step[TIME_MODIFY] = p->step[TIME_CHANGE] = 0;
	p->links = p->inside = 0;
	p->strict = false;
	spin_lock(&i->lock);
	atomic_or(&i->parts, parts_cpu_bit(cpu) | (i->nlink ? PARTS_LINKS : 0));
	WRITE_ONCE(p->key, (unsigned long)i | PART_LOCKED);
	spin_unlock(&i->lock);
	return p;
}

unsigned int
parts_used(void)
{
	unsigned int cpu, n = 0;

	for_each_possible_cpu(cpu)
		for (unsigned int k = 0; k < SETS * PART_WAYS; k++)
			n += READ_ONCE(cpu_ptr(&parts[0], cpu)[k].key) != 0;
	return n;
}

/* --- times --- */

/* In this CPU's part, if there is room for one. */
static bool
part_touch(struct inode *i, unsigned int times, bool strict)
{
	struct part *p;

	pin();
	p = part_get(i);
	if (p) {
		struct moment now = moment_now();

		for (int t = 0; t < INODE_TIMES; t++)
			if (times & BIT(t)) {
				p->time[t] = now.time;
				p->step[t] = now.step;
			}
		p->strict |= strict;
		part_unlock(p, i);
	}
	unpin();
	return p != NULL;
}

/* Has it no parts and needs none: no other CPU changed it a short while ago? ->lock is held. */
static inline bool
own_may(const struct inode *i, unsigned int cpu, s64 now)
{
	if (i->parts)
		return false;
	return likely(i->toucher == cpu + 1) || !i->toucher ||
	       ((u64)(now - i->time[TIME_CHANGE]) >= SHARE_NS &&
		(u64)(now - i->time[TIME_ACCESS]) >= SHARE_NS);
}

/* In the inode itself. ->lock is held since before `now`. */
static __always_inline void
own_touch(struct inode *i, unsigned int times, struct moment now)
{
	i->given &= ~times;
	for (int t = 0; t < INODE_TIMES; t++)
		if (times & BIT(t)) {
			i->step[t] = now.step;
			WRITE_ONCE(i->time[t], now.time);
		}
}

static __noinline void
touch_shared(struct inode *i, unsigned int times, bool strict)
{
	if (part_touch(i, times, strict))
		return;
	spin_lock(&i->lock);
	own_touch(i, times, moment_now());
	spin_unlock(&i->lock);
}

static __always_inline void
touch(struct inode *i, unsigned int times, bool strict)
{
	bool own = false;

	if (likely(!READ_ONCE(i->parts))) {
		struct moment now;

		spin_lock(&i->lock);
		now = moment_now();
		own = own_may(i, cpu_id(), now.time);
		if (likely(own)) {
			i->toucher = cpu_id() + 1;
			own_touch(i, times, now);
		}
		spin_unlock(&i->lock);
	}
	if (unlikely(!own))
		touch_shared(i, times, strict);
}

void
inode_touch_mtime(struct inode *i)
{
	touch(i, BIT(TIME_MODIFY) | BIT(TIME_CHANGE), false);
}

void
inode_touch_ctime(struct inode *i)
{
	touch(i, BIT(TIME_CHANGE), false);
}

void
inode_touch_all(struct inode *i)
{
	touch(i, BIT(TIME_ACCESS) | BIT(TIME_MODIFY) | BIT(TIME_CHANGE), true);
}

void
inode_touch_access(struct inode *i, bool relative)
{
	touch(i, BIT(TIME_ACCESS), !relative);
}

/* --- links --- */

/* In this CPU's part, if parts may count. */
static bool
part_add_link(struct inode *i)
{
	struct part *p;
	bool added;

	pin();
	p = part_get(i);
	added = p && (READ_ONCE(i->parts) & PARTS_LINKS);
	if (added)
		p->links++;
	if (p)
		part_unlock(p, i);
	unpin();
	return added;
}

static bool
part_drop_link(struct inode *i)
{
	bool dropped = false;
	struct part *p;

	pin();
	p = part_find(i, cpu_id());
	if (p && part_lock(p, i)) {
		dropped = p->links != 0;
		p->links -= dropped;
		part_unlock(p, i);
	}
	unpin();
	return dropped;
}

int
inode_add_link(struct inode *i, bool *first)
{
	int err = 0;

	*first = false;
	if (READ_ONCE(i->parts) && part_add_link(i))
		return 0;
	spin_lock(&i->lock);
	if (i->nlink && !i->parts && !own_may(i, cpu_id(), inode_now())) {
		spin_unlock(&i->lock);
		if (part_add_link(i))
			return 0;
		spin_lock(&i->lock);
	}
	*first = i->nlink == 0;
	if (*first && !(i->flags & INODE_LINKABLE))
		err = -ENOENT;
	else
		WRITE_ONCE(i->nlink, i->nlink + 1);
	spin_unlock(&i->lock);
	return err;
}

bool
inode_drop_links(struct inode *i, u32 n)
{
	bool last;

	if (n == 1 && READ_ONCE(i->parts) && part_drop_link(i))
		return false;
	spin_lock(&i->lock);
	if (i->parts) {
		atomic_and(&i->parts, ~PARTS_LINKS);
		fold(i, &(struct folding){.stay = true});
	}
	last = i->nlink <= n;
	WRITE_ONCE(i->nlink, last ? 0 : i->nlink - n);
	if (i->parts && !last)
		atomic_or(&i->parts, PARTS_LINKS);
	spin_unlock(&i->lock);
	return last;
}
