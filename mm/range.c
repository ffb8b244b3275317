/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on ranges: map, unmap, protect, change flags, drop pages.
 *
 * Model: one walk serves all. The covering table is locked, then the walk goes
 * on in address order: where a slot has a table below, that table is locked and
 * does its part; the stretches in between belong to this table's runs. A table
 * that an unmapping covers whole goes, with all below it. Every step asks for
 * the memory that it may need before it changes anything.
 *
 * No memory in the middle: the walk stops, lets everything go, waits for
 * memory and goes on where it stopped. An exclusive mapping takes back its part
 * and begins anew.
 *
 * Locking: see pt.c. The flush of TLBs comes after the locks are let go, and
 * before any page or table is freed.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

#define RETRIES 16

/* --- leaves --- */

void
leaf_drop(struct pt *t, unsigned int i, unsigned int j, meta_t m, const struct range *r)
{
	u32 anon = 0, file = 0;
	unsigned int k;
	u64 e;

	k = pt_next(t, i, j);
	if (k >= j)
		return;
	gather_range(r->gather, t, slot_base(t, k), slot_base(t, j));
	for (; k < j; k = pt_next(t, k + 1, j)) {
		e = t->table[k];
		if (e & PTE_OWNED && r->keep_anon)
			continue;
		if (unlikely(e & PTE_WP) && r->op == RANGE_ZAP && meta_region(m)->cache) {
			/* The file's page may come, and is to be told of then. */
			WRITE_ONCE(t->table[k], PTE_WP);
		} else {
			WRITE_ONCE(t->table[k], 0);
			pt_unmark(t, k);
		}
		if (e & PTE_OWNED) {
			e = joint_make_own(t, k, e);
			gather_page(r->gather, phys_to_page(e & PTE_ADDR));
			anon++;
		} else if (e & PTE_FILE) {
			file++;
		}
	}
	if (anon)
		pt_count(t, &t->anon, -(s32)anon);
	if (file)
		pt_count_file(t, m, -(s32)file);
}

u64
range_new_entry(const struct pt *t, unsigned int i, u64 e, meta_t m)
{
	u32 prot = meta_prot(m);
	u64 new = e & ~(PTE_P | PTE_NONE | PTE_NX | PTE_PKEY);

	if (unlikely(entry_is_marker(e)))
		return e;
	new |= (prot ? PTE_P : PTE_NONE) | (prot & PROT_EXEC ? 0 : PTE_NX) |
	       (u64)meta_pkey(m) << PTE_PKEY_SHIFT;
	if (!(prot & PROT_WRITE))
		new &= ~PTE_W;
	else if ((e & (PTE_OWNED | PTE_WP)) == PTE_OWNED && !(m & META_SHARED) &&
		 entry_is_sole(t, i, e))
		new |= PTE_W;
	return new;
}

/* The entries of slots [i, j) follow the new protection of m. */
static void
leaf_protect(struct pt *t, unsigned int i, unsigned int j, meta_t m, const struct range *r)
{
	unsigned int k;
	u64 e, new;

	for_each_present(k, t, i, j) {
		e = READ_ONCE(t->table[k]);
		do {
			new = range_new_entry(t, k, e, m);
			/* A CPU may set the accessed and dirty bits meanwhile. */
		} while (new != e && !atomic_try_cmpxchg(&t->table[k], &e, new));
		/* Only what takes rights away must be flushed. */
		if (range_takes_rights(e, new))
			gather_range(r->gather, t, slot_base(t, k), slot_base(t, k + 1));
	}
}

void
leaf_forget_wp(struct pt *t, unsigned int i, unsigned int j)
{
	unsigned int k;

	for_each_present(k, t, i, j) {
		if (entry_is_marker(t->table[k])) {
			WRITE_ONCE(t->table[k], 0);
			pt_unmark(t, k);
		} else if (t->table[k] & PTE_WP) {
			/* The right to write comes by a fault. */
			atomic_and(&t->table[k], ~PTE_WP);
		}
	}
}

/* --- a stretch: addresses of t that no table below has --- */

void
range_note_removed(const struct run *run, struct range *r)
{
	s64 n = (s64)run_pages(run);

	r->removed += n;
	if (run->meta & META_ACCOUNT)
		r->uncommitted += n;
	if (run->meta & META_LOCKED)
		r->unlocked += n;
}

/* Runs [i, j) go: what they counted for. */
static void
note_removed(const struct pt *t, unsigned int i, unsigned int j, struct range *r)
{
	for (; i < j; i++)
		range_note_removed(&t->runs[i], r);
}

/* The entries of runs [i, j) in a leaf go. */
static void
drop_entries(struct pt *t, unsigned int i, unsigned int j, struct range *r)
{
	for (; i < j; i++)
		leaf_drop(t, slot_index(t->runs[i].start, 0), slot_index(t->runs[i].end - 1, 0) + 1,
			  t->runs[i].meta, r);
}

static void
stretch_clear(struct pt *t, unsigned long a, unsigned long b, struct range *r, unsigned int *at)
{
	unsigned int i, j;

	runs_cut(t, a, b, &i, &j);
	if (t->level == 0)
		drop_entries(t, i, j, r);
	note_removed(t, i, j, r);
	runs_remove(t, i, j);
	*at = i;
}

static void
stretch_map(struct pt *t, unsigned long a, unsigned long b, struct range *r)
{
	unsigned int i = runs_at(t, a);

	if (i < t->nr_runs && t->runs[i].start < b) {
		if (r->exclusive) {
			r->err = -EEXIST;
			return;
		}
		stretch_clear(t, a, b, r, &i);
	}
	runs_insert(t, i, a, b, r->meta);
}

meta_t
range_new_meta(const struct run *run, struct range *r)
{
	meta_t m = run->meta, new;
	s64 n = (s64)run_pages(run);

	if (r->op == RANGE_PROTECT) {
		if (r->prot & ~meta_region(m)->max_prot) {
			r->err = -EACCES;
			return 0;
		}
		new = (m & ~META_PROT) | r->prot;
		if (r->pkey_plus)
			new = (new & ~META_PKEY) | (u64)(r->pkey_plus - 1) << META_PKEY_SHIFT;
		else if (meta_prot(m) == PROT_EXEC && meta_pkey(m) == r->exec_pkey)
			new &= ~META_PKEY;
		if (r->prot & PROT_WRITE && !(m & (META_SHARED | META_ACCOUNT | META_NORESERVE)) &&
		    !(meta_region(m)->flags & REGION_SPECIAL)) {
			if (commit_charge(n)) {
				r->err = -ENOMEM;
				r->refused = true;
				return 0;
			}
			r->committed += n;
			new |= META_ACCOUNT;
		}
		return new;
	}
	if (r->op == RANGE_REGION)
		return meta_region(m) == r->only ? meta_make(r->region, m & ~META_REGION) : m;
	if (meta_region(m)->flags & REGION_SPECIAL)
		return m;
	new = (m & ~r->clear) | r->set;
	if (new & ~m & META_LOCKED)
		r->locked += n;
	if (m & ~new &META_LOCKED)
		r->unlocked += n;
	return new;
}

/* The run gets another region, of the same pages, for its meta. */
static void
run_set_region(struct pt *t, struct run *run, meta_t new)
{
	if (t->level == 0 && !(meta_region(new)->flags & REGION_UFFD_WP))
		leaf_forget_wp(t, slot_index(run->start, 0), slot_index(run->end - 1, 0) + 1);
	meta_hold(new, 1);
	meta_hold(run->meta, -1);
	run->meta = new;
}

static void
stretch_change(struct pt *t, unsigned long a, unsigned long b, struct range *r)
{
	unsigned int i, j, k;
	unsigned long at = a;
	meta_t new;

	runs_cut(t, a, b, &i, &j);
	for (k = i; k < j && !r->err; k++) {
		struct run *run = &t->runs[k];

		if (run->start > at) {
			r->hole = true;
			if (r->stop_at_hole)
				break;
		}
		at = run->end;
		new = range_new_meta(run, r);
		if (!new || new == run->meta)
			continue;
		if (r->op == RANGE_REGION) {
			run_set_region(t, run, new);
			continue;
		}
		run->meta = new;
		if (r->op == RANGE_PROTECT && t->level == 0)
			leaf_protect(t, slot_index(run->start, 0), slot_index(run->end - 1, 0) + 1,
				     new, r);
	}
	if (at < b && !r->err)
		r->hole = true;
	runs_join(t, i, j);
}

static void
stretch_zap(struct pt *t, unsigned long a, unsigned long b, struct range *r)
{
	unsigned int i = runs_at(t, a);
	unsigned long at = a, start, end;

	for (; i < t->nr_runs && t->runs[i].start < b; i++) {
		const struct run *run = &t->runs[i];

		start = max(run->start, a);
		end = min(run->end, b);
		if (start > at)
			r->hole = true;
		at = end;
		if (t->level == 0 && (!r->only || region_plain(meta_region(run->meta)) == r->only))
			leaf_drop(t, slot_index(start, 0), slot_index(end - 1, 0) + 1, run->meta,
				  r);
	}
	if (at < b)
		r->hole = true;
}

static void
stretch(struct pt *t, unsigned long a, unsigned long b, struct range *r)
{
	unsigned int i;

	if (r->op == RANGE_ZAP) {
		stretch_zap(t, a, b, r);
		return;
	}
	if (runs_reserve(t, 3)) {
		r->err = -ENOMEM;
		return;
	}
	if (r->op != RANGE_MAP && runs_too_many(t, a, b, r->op == RANGE_UNMAP)) {
		r->err = -ENOMEM;
		r->refused = true;
		return;
	}
	switch (r->op) {
	case RANGE_MAP:
		stretch_map(t, a, b, r);
		break;
	case RANGE_UNMAP:
		stretch_clear(t, a, b, r, &i);
		break;
	default:
		stretch_change(t, a, b, r);
	}
}

/* --- whole tables --- */

/* The table in slot i goes, with everything below. t is locked. */
static void
child_drop(struct pt *t, unsigned int i, struct range *r)
{
	struct pt *c = pt_lock_present(t, i);
	unsigned int k;

	if (c->level == 0) {
		drop_entries(c, 0, c->nr_runs, r);
	} else {
		for_each_present(k, c, 0, PTE_COUNT) {
			if (entry_is_table(c->table[k]))
				child_drop(c, k, r);
			else
				thp_drop(c, k, r->gather);
		}
	}
	note_removed(c, 0, c->nr_runs, r);
	runs_remove(c, 0, c->nr_runs);
	pt_unlink(t, i, c, r->gather);
	pt_unlock(c);
}

/* --- the walk --- */

static void walk_table(struct pt *t, unsigned long a, unsigned long b, struct range *r);

/* Slot i of t has an entry; [a, b) is the part that concerns us. Returns where to go on. */
static unsigned long
walk_slot(struct pt *t, unsigned int i, unsigned long a, unsigned long b, struct range *r)
{
	bool whole = b - a == slot_size(t->level);
	struct pt *c;

	if (entry_is_table(t->table[i])) {
		/* An exclusive mapping looks at each table, its lock held, until it is in. */
		if (whole && (r->op == RANGE_UNMAP || (r->op == RANGE_MAP && !r->exclusive))) {
			child_drop(t, i, r);
			return a;
		}
		c = pt_lock_present(t, i);
		walk_table(c, a, b, r);
		if (r->op == RANGE_UNMAP)
			r->emptied += prune_note(c);
		pt_unlock(c);
		return b;
	}
	/* A large page: of no file, and of nobody else. */
	if (r->only && r->op == RANGE_ZAP)
		return b;
	if (!whole || r->op == RANGE_REGION) {
		r->err = thp_split(t, i);
		return a;
	}
	if (r->op == RANGE_PROTECT) {
		stretch(t, a, b, r);
		if (!r->err)
			thp_protect(t, i, runs_find(t, a)->meta, r->gather);
		return b;
	}
	if (r->op == RANGE_FLAGS || (r->op == RANGE_ZAP && r->keep_anon)) {
		stretch(t, a, b, r);
		return b;
	}
	if (r->exclusive) {
		r->err = -EEXIST;
		return a;
	}
	thp_drop(t, i, r->gather);
	return a;
}

static void
walk_table(struct pt *t, unsigned long a, unsigned long b, struct range *r)
{
	unsigned int i;
	unsigned long next;

	if (t->level == 0) {
		stretch(t, a, b, r);
		if (!r->err)
			r->done = b;
		return;
	}
	while (a < b && !r->err && !(r->hole && r->stop_at_hole)) {
		i = slot_index(a, t->level);
		if (pt_present(t, i)) {
			next = min(b, (a | (slot_size(t->level) - 1)) + 1);
			a = walk_slot(t, i, a, next, r);
		} else {
			i = pt_next(t, i, slot_index(b - 1, t->level) + 1);
			next = min(b, slot_base(t, i));
			stretch(t, a, next, r);
			a = next;
		}
		if (!r->err)
			r->done = a;
	}
}

/* --- around the walk --- */

int
range_wait_memory(struct space *s)
{
	struct page *p = page_alloc(0, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	page_put(p);
	return s ? runs_wait_memory(s) : 0;
}

struct pt *
range_lock_leaf(struct space *s, unsigned long va)
{
	struct pt *t;

	/* What one has waited for others may take. */
	for (int tries = 0; !(t = pt_lock_leaf(s, va)); tries++)
		if (tries == RETRIES || range_wait_memory(s))
			break;
	return t;
}

/* The space's figures follow. */
static void
range_account(struct space *s, struct range *r, unsigned long start)
{
	s64 n = -r->removed;

	if (r->op == RANGE_MAP)
		n += (s64)((r->done - start) >> PAGE_SHIFT);
	if (n)
		arena_count(s, n);
	if (r->uncommitted)
		commit_add(-r->uncommitted);
	if (r->op == RANGE_MAP && r->meta & META_LOCKED)
		r->locked = (s64)((r->done - start) >> PAGE_SHIFT);
	if (r->locked != r->unlocked) {
		arena_count_locked(s, r->locked - r->unlocked);
		mm_stat_add(MM_MLOCKED, r->locked - r->unlocked);
	}
	r->removed = r->uncommitted = r->unlocked = r->locked = 0;
}

/* An exclusive mapping found something or no memory: its part goes. t is locked. */
static void
take_back(struct pt *t, unsigned long start, struct range *r)
{
	struct range undo = {.op = RANGE_UNMAP, .gather = r->gather};

	if (r->done > start)
		walk_table(t, start, r->done, &undo);
	r->done = start;
	r->removed = r->uncommitted = r->unlocked = 0;
}

int
range_try(struct space *s, unsigned long start, unsigned long end, struct range *r)
{
	bool make = r->op == RANGE_MAP && atomic_read(&s->users) > 1;
	struct pt *t = NULL;
	struct gather g;

	r->crowded = false;
	/* The leaf may become fine while its lock is waited for. */
	for (int tries = 0; !t; tries++) {
		if (space_has_fine(s) && fine_range(s, start, end, r)) {
			range_account(s, r, start);
			return r->err;
		}
		t = pt_lock_cover(s, start, end, make, tries == 0);
	}
	if (unlikely(READ_ONCE(s->forking))) {
		pt_unlock(t);
		r->done = start;
		return r->err = -EAGAIN;
	}
	gather_init(&g, s);
	r->gather = &g;
	r->err = 0;
	r->done = start;
	walk_table(t, start, end, r);
	if (r->exclusive && r->err)
		take_back(t, start, r);
	if (r->op == RANGE_UNMAP)
		r->emptied += prune_note(t);
	r->crowded = unlikely(pt_is_crowded(t));
	pt_unlock(t);
	gather_finish(&g);
	r->gather = NULL;
	range_account(s, r, start);
	return r->err;
}

/* A mapping that could not be completed goes; the caller's charge for it stays whole. */
static void
give_up(struct space *s, unsigned long start, const struct range *r)
{
	struct range undo = {.op = RANGE_UNMAP};

	if (r->done <= start)
		return;
	while (range_try(s, start, r->done, &undo) == -EAGAIN)
		space_wait_fork(s);
	if (r->meta & META_ACCOUNT)
		commit_add((s64)((r->done - start) >> PAGE_SHIFT));
}

int
range_apply(struct space *s, unsigned long start, unsigned long end, struct range *r)
{
	unsigned long from = start;
	int tries = 0, err;

	for (;;) {
		err = range_try(s, from, end, r);
		if (err == -EAGAIN) {
			space_wait_fork(s);
			continue;
		}
		if (err != -ENOMEM || r->refused)
			break;
		from = r->done;
		if (tries++ == RETRIES || range_wait_memory(s))
			break;
	}
	if (err && r->op == RANGE_MAP && !r->exclusive)
		give_up(s, start, r);
	if (unlikely(r->emptied))
		prune_emptied(s, r->emptied);
	if (unlikely(r->crowded))
		fine_make(s, start);
	return err;
}
