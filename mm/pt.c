/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table pages: the only structure that says what a space is.
 *
 * Model (after CortenMM, SOSP 2025): each page of the page table has a struct pt
 * with a lock, the entries, and the runs (runs.c) that say what its addresses
 * are: region, protection, flags. An address belongs to the lowest table on the
 * way to it, so a mapping that nobody touched is one run in an upper table,
 * however large; a fault makes the tables below, which take over their part.
 *
 *      slot of a table above the leaves    entry       runs of this table
 *      nothing below                       0           apply
 *      table below                         table       none there; the table's apply
 *      large page (level 1)                PTE_PS      one covers the slot
 *
 *      slot of a leaf                      entry       meaning
 *      no run                              0           not mapped
 *      run                                 0           comes by a fault
 *      run                                 P or NONE   page is there; without W though
 *                                                      the run has it: copy on write
 *
 * Locking: a table is found without locks, under RCU, by walking the entries;
 * then its lock is taken and `stale` looked at. The holder of a table's lock
 * may lock tables below it, one a level (RANK_PT ... RANK_PT_L1). An operation
 * on a range locks the lowest table that covers it and does everything below
 * with that lock held: operations on overlapping ranges take effect one after
 * the other, and operations covered by different tables touch no common line.
 *
 * A table is unlinked only with its parent and itself locked, when an operation
 * covers all of it or it is empty (prune.c); `stale` sends away who waits for
 * its lock. It is freed after the flush of the TLBs (CPUs walk it) and a grace
 * period (walkers read it).
 *
 * Ordering:
 *      pt_make_child                   walk
 *      child's fields, zeroed entries  entry is read
 *      entry = table (release)         child's fields, entries are read (dependent)
 *
 * See: Zhang et al., CortenMM, SOSP 2025; Clements, Kaashoek, Zeldovich,
 * RadixVM, EuroSys 2013.
 */
#include "arch/x86_64/asm/insn.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

/* Two turns of CPUs at a leaf, so many ticks of the TSC apart, make no crowd. */
#define CROWD_TIME (1UL << 33)

static LOCK_CLASS(pt_leaf_class, RANK_PT_L1);
static LOCK_CLASS(pt_1_class, RANK_PT_L2);
static LOCK_CLASS(pt_2_class, RANK_PT_L3);
static LOCK_CLASS(pt_root_class, RANK_PT);

static const struct lock_class *const level_class[PT_LEVELS] = {&pt_leaf_class, &pt_1_class,
								&pt_2_class, &pt_root_class};
static struct slab_cache *pt_cache __read_mostly;

void
pt_init(void)
{
	pt_cache = slab_cache_create("page_table", sizeof(struct pt), 64, 0);
}

struct pt *
pt_alloc(struct space *s, u8 level, unsigned long base, gfp_t gfp)
{
	struct page *page = page_alloc(0, gfp | GFP_ZERO);
	struct pt *t = page ? slab_alloc(pt_cache, gfp) : NULL;

	if (!t) {
		if (page)
			page_put(page);
		return NULL;
	}
	spin_init(&t->lock, level_class[level]);
	t->level = level;
	t->stale = false;
	t->nr_runs = 0;
	t->max_runs = PT_INLINE_RUNS;
	t->counted = 0;
	t->emptied = 0;
	t->cpus = 0;
	t->fine = NULL;
	t->joint = NULL;
	t->fine_ends = 0;
	t->last_cpu = cpu_id();
	t->moves = 0;
	t->moved_at = 0;
	t->space = s;
	t->base = base;
	t->table = page_to_virt(page);
	t->runs = t->inline_runs;
	t->anon = t->file = t->shmem = 0;
	t->unfolded = 0;
	memset(t->present, 0, sizeof(t->present));
	page_set_type(page, PAGE_TABLE);
	page->pt = t;
	atomic_add(&s->tables, 1);
	return t;
}

void
pt_free_now(struct pt *t)
{
	if (t->runs != t->inline_runs)
		kvfree(t->runs);
	if (t->joint)
		joint_leave(t);
	page_put(virt_to_page(t->table));
	slab_free(pt_cache, t);
}

static void
free_rcu(struct rcu_head *h)
{
	pt_free_now(container_of(h, struct pt, rcu));
}

void
pt_free_rcu(struct pt *t)
{
	rcu_call(&t->rcu, free_rcu);
}

void
pt_fold_rss(struct pt *t)
{
	struct space *s = t->space;
	s64 sum = atomic_add_return(&s->rss, (s64)t->unfolded);

	t->unfolded = 0;
	if (sum > (s64)READ_ONCE(s->peak_rss))
		WRITE_ONCE(s->peak_rss, (u64)sum);
}

static __always_inline struct pt *
walk(struct space *s, unsigned long va, unsigned int level)
{
	u64 *table = phys_to_virt(s->root_pa), e;
	unsigned int l;

	for (l = PT_ROOT; l > level; l--) {
		e = READ_ONCE(table[slot_index(va, l)]);
		if (!entry_is_table(e))
			break;
		table = phys_to_virt(e & PTE_ADDR);
	}
	return virt_to_page(table)->pt;
}

struct pt *
pt_walk(struct space *s, unsigned long va, unsigned int level)
{
	return walk(s, va, level);
}

/* Do CPUs take turns at t? */
static inline void
pt_note_cpu(struct pt *t)
{
	u32 cpu = cpu_id();
	u64 now;

	if (likely(t->last_cpu == cpu))
		return;
	t->last_cpu = cpu;
	now = rdtsc();
	t->moves = now - t->moved_at > CROWD_TIME ? 1 : t->moves + 1;
	t->moved_at = now;
}

bool
pt_crowd(const struct pt *t)
{
	u32 less;

	if (t->level > 0 || atomic_read(&t->space->users) < 2)
		return false;
	/* Where many are fine already, or this one was and did not remain so, more is asked. */
	less = READ_ONCE(t->space->fine_leaves) / 4 + t->fine_ends;
	return t->moves >> min(less, 20u) >= PT_CROWD;
}

static __always_inline struct pt *
lock_walk(struct space *s, unsigned long va, unsigned int level)
{
	struct pt *t;

	for (;;) {
		rcu_read_lock();
		t = walk(s, va, level);
		spin_lock(&t->lock);
		rcu_read_unlock();
		/* Unlinked since, or no longer the lowest? */
		if (likely(!t->stale && (t->level <= level ||
					 !entry_is_table(t->table[slot_index(va, t->level)]))))
			break;
		spin_unlock(&t->lock);
	}
	pt_note_cpu(t);
	if (likely(!t->fine))
		return t;
	spin_unlock(&t->lock);
	return NULL;
}

struct pt *
pt_try_lock_walk(struct space *s, unsigned long va, unsigned int level)
{
	return lock_walk(s, va, level);
}

static __noinline void
end_fine(struct space *s, unsigned long va)
{
	struct pt *t;

	rcu_read_lock();
	t = pt_walk(s, va, 0);
	spin_lock(&t->lock);
	rcu_read_unlock();
	/* Unlinked tables are not fine. */
	if (t->fine)
		fine_end(t);
	spin_unlock(&t->lock);
}

struct pt *
pt_lock_walk(struct space *s, unsigned long va, unsigned int level)
{
	struct pt *t;

	while (unlikely(!(t = lock_walk(s, va, level))))
		end_fine(s, va);
	return t;
}

/* The part of runs [i, j) of t, which lies in the new table c, goes there. Room is reserved. */
static void
runs_hand_down(struct pt *t, struct pt *c, unsigned int i, unsigned int j)
{
	memcpy(c->runs, &t->runs[i], (j - i) * sizeof(struct run));
	c->nr_runs = (u16)(j - i);
	memmove(&t->runs[i], &t->runs[j], (t->nr_runs - j) * sizeof(struct run));
	t->nr_runs -= (u16)(j - i);
	/* What the space knows of t's runs it knows of c's now. */
	c->counted = min(t->counted, c->nr_runs);
	t->counted -= c->counted;
}

struct pt *
pt_make_child(struct pt *t, unsigned int i)
{
	unsigned long base = slot_base(t, i), end = base + slot_size(t->level);
	unsigned int first, last;
	struct pt *c;

	if (runs_reserve(t, 2))
		return NULL;
	c = pt_alloc(t->space, t->level - 1, base, GFP_ATOMIC);
	if (!c)
		return NULL;
	/* At most as many as overlap the slot. */
	first = runs_at(t, base);
	for (last = first; last < t->nr_runs && t->runs[last].start < end; last++)
		;
	if (runs_reserve(c, last - first)) {
		atomic_sub(&t->space->tables, 1);
		pt_free_now(c);
		return NULL;
	}
	runs_cut(t, base, end, &first, &last);
	runs_hand_down(t, c, first, last);
	spin_lock(&c->lock);
	pt_mark(t, i);
	smp_store_release(&t->table[i], page_to_phys(virt_to_page(c->table)) | PTE_TABLE);
	return c;
}

/* Level of the lowest table that covers [start, end). */
static unsigned int
cover_level(unsigned long start, unsigned long end)
{
	unsigned long x = start ^ (end - 1);

	if (x >> slot_shift(2) == 0)
		return x >> slot_shift(1) != 0;
	return x >> slot_shift(3) ? 3 : 2;
}

struct pt *
pt_lock_cover(struct space *s, unsigned long start, unsigned long end, bool make, bool try)
{
	unsigned int level = cover_level(start, end);
	struct pt *t = try ? pt_try_lock_walk(s, start, level) : pt_lock_walk(s, start, level), *c;

	while (t && t->level > level && (make || t->nr_runs >= PT_MANY_RUNS)) {
		/* A large page may be there: its owner splits it if need be. */
		if (pt_present(t, slot_index(start, t->level)))
			break;
		c = pt_make_child(t, slot_index(start, t->level));
		if (!c)
			break;
		spin_unlock(&t->lock);
		t = c;
	}
	return t;
}

struct pt *
pt_lock_leaf(struct space *s, unsigned long va)
{
	struct pt *t = pt_lock_walk(s, va, 0), *c;
	unsigned int i;

	while (t->level > 0) {
		i = slot_index(va, t->level);
		if (pt_present(t, i) && !entry_is_table(t->table[i]))
			c = thp_split(t, i) ? NULL : pt_lock_present(t, i);
		else
			c = pt_make_child(t, i);
		pt_unlock(t);
		if (!c)
			return NULL;
		t = c;
	}
	return t;
}
