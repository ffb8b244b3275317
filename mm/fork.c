/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copy of a space for fork.
 *
 * Model: one pass over the parent's addresses. Runs are copied as they are;
 * anonymous pages are shared read-only, with one reference more, in the page or in
 * the leaf's joint (joint.c); pages of page caches are left out, as a fault brings
 * sixteen of them at once. A table of the parent is copied under its own lock.
 *
 * Other threads: what one of them does before some moment the child has, and nothing
 * of what it does later. Until all is copied and the TLBs are flushed, faults of
 * writes and changes of mappings wait (space->forking, looked at under the lock of
 * a table, so that after the copy of a table it is seen); other writes go to pages
 * that the child has as well. No leaf becomes fine meanwhile.
 *
 * What mremap moves is at one place or the other: a fork shuts a gate (->fork_gate),
 * and begins when the moves inside have ended, which may wait for memory but never
 * for a fork.
 *
 * Ordering:
 *      space_move_begin                gate_shut
 *      ->movers is raised              ->fork_gate is raised
 *      ->fork_gate is read             ->movers is read
 *      (both raise with a locked instruction)
 *
 * The child's tables are built without locks: nobody can find them before the
 * child joins the family at the end. It has no entries of page caches, so pages
 * that left a cache meanwhile are not in it (rmap.c).
 *
 * The parent's CPUs may write shared pages through old translations until the
 * flush at the end, which comes before the child runs.
 */
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pkey_impl.h"
#include "mm/uffd_impl.h"

/* How often memory is waited for in one place. */
#define TRIES 16

struct fork {
	struct space *parent, *child;
	/* the child's table of each level on the way to the current address */
	struct pt *path[PT_LEVELS];
	/* pages: counted as committed, mapped */
	s64 committed, mapped;
	/* entries of the parent lost the right to write; views that may have them */
	bool flush;
	u64 cpus;
};

/* The child's table of this level for va, made if need be. NULL: no memory. */
static struct pt *
child_table(struct fork *f, unsigned long va, unsigned int level)
{
	struct pt *up, *t;
	unsigned int l, i;

	for (l = PT_ROOT; l > level; l--) {
		up = f->path[l];
		i = slot_index(va, l);
		t = f->path[l - 1];
		if (t && pt_present(up, i) && pt_child(up->table[i]) == t)
			continue;
		t = pt_alloc(f->child, (u8)(l - 1), slot_base(up, i), GFP_ATOMIC);
		if (!t)
			return NULL;
		up->table[i] = virt_to_phys(t->table) | PTE_TABLE;
		pt_mark(up, i);
		f->path[l - 1] = t;
	}
	return f->path[level];
}

/* The entries of slots [i, j) of a private run. */
static void
copy_entries(struct fork *f, struct pt *t, struct pt *c, unsigned int i, unsigned int j)
{
	unsigned int k;
	u32 n = 0;
	u64 e;

	for_each_present(k, t, i, j) {
		e = t->table[k];
		if (e & PTE_OWNED) {
			n++;
			/* What was written to since the last fork counts in the page. */
			if ((e & (PTE_W | PTE_JOINT)) == PTE_W)
				page_get(phys_to_page(e & PTE_ADDR));
			else
				e = joint_share(t, c, k);
			if (e & PTE_W) {
				e &= ~PTE_W;
				atomic_and(&t->table[k], ~PTE_W);
				f->flush = true;
				f->cpus |= t->cpus;
			}
		} else if (e & PTE_FILE) {
			if (likely(!(e & PTE_WP)))
				continue;
			e = PTE_WP;
		}
		c->table[k] = e;
		pt_mark(c, k);
	}
	if (n)
		pt_count(c, &c->anon, (s32)n);
}

/* Of shared memory the child may be told before it writes, too (uffd_fork()). */
static void
copy_marks(const struct pt *t, struct pt *c, unsigned int i, unsigned int j)
{
	unsigned int k;

	for_each_present(k, t, i, j) {
		if (t->table[k] & PTE_WP) {
			c->table[k] = PTE_WP;
			pt_mark(c, k);
		}
	}
}

/* A run, or the part of one that has no table below; room is reserved. */
static void
copy_run(struct fork *f, struct pt *t, struct pt *c, struct run part)
{
	meta_t m = part.meta & ~(META_LOCKED | META_ONFAULT);
	struct run *to = &c->runs[c->nr_runs];
	unsigned int i, j;

	if (m & meta_flag(MAPPING_DONTFORK))
		return;
	*to = (struct run){part.start, part.end, m};
	c->nr_runs++;
	meta_hold(m, 1);
	f->mapped += (s64)run_pages(to);
	if (m & META_ACCOUNT)
		f->committed += (s64)run_pages(to);
	if (t->level || m & meta_flag(MAPPING_WIPEONFORK))
		return;
	i = slot_index(to->start, 0);
	j = slot_index(to->end - 1, 0) + 1;
	if (!(m & META_SHARED) && !(meta_region(m)->flags & REGION_SPECIAL))
		copy_entries(f, t, c, i, j);
	else if (unlikely(meta_region(m)->flags & REGION_UFFD_WP))
		copy_marks(t, c, i, j);
}

/*
 * Where the part of t from va on ends that no table below has; -ENOMEM if a
 * large page could not be split.
 */
static long
part_end(struct pt *t, unsigned long va)
{
	unsigned int i;

	if (t->level == 0)
		return (long)pt_end(t);
	for_each_present(i, t, slot_index(va, t->level), PTE_COUNT) {
		if (entry_is_table(t->table[i]))
			return (long)slot_base(t, i);
		if (thp_split(t, i))
			return -ENOMEM;
		return (long)slot_base(t, i);
	}
	return (long)pt_end(t);
}

/* Copies what the lowest table at va has; returns where to go on, or -ENOMEM with nothing done. */
static long
copy_part(struct fork *f, unsigned long va)
{
	struct pt *t = pt_lock_walk(f->parent, va, 0), *c;
	long end = part_end(t, va);
	struct run r;
	unsigned int i, first, n = 0;

	if (end < 0)
		goto out;
	first = runs_at(t, va);
	while (first + n < t->nr_runs && t->runs[first + n].start < (unsigned long)end)
		n++;
	if (n) {
		c = child_table(f, va, t->level);
		if (!c || runs_reserve(c, n)) {
			end = -ENOMEM;
			goto out;
		}
		for (i = first; i < first + n; i++) {
			r = t->runs[i];
			r.start = max(r.start, va);
			r.end = min(r.end, (unsigned long)end);
			copy_run(f, t, c, r);
		}
	}
out:
	pt_unlock(t);
	return end;
}

static int
copy_all(struct fork *f)
{
	unsigned long va = 0;
	int tries = 0;
	long next;

	while (va < USER_END) {
		next = copy_part(f, va);
		if (next >= 0) {
			va = (unsigned long)next;
			tries = 0;
		} else if (tries++ == TRIES || range_wait_memory(f->parent) ||
			   range_wait_memory(f->child)) {
			return -ENOMEM;
		}
	}
	return 0;
}

void
space_wait_fork(struct space *s)
{
	wait_event(&s->fork_wait, !smp_load_acquire(&s->forking));
}

bool
space_move_begin(struct space *s)
{
	if (atomic_read(&s->users) < 2)
		return false;
	for (;;) {
		tally_get(&s->movers);
		if (likely(!READ_ONCE(s->fork_gate)))
			return true;
		space_move_end(s);
		wait_event(&s->fork_wait, !READ_ONCE(s->fork_gate));
	}
}

void
space_move_end(struct space *s)
{
	bool last = tally_put(&s->movers);

	DEBUG_ASSERT(!last);
	if (unlikely(READ_ONCE(s->fork_gate)))
		waitq_wake_all(&s->fork_wait);
}

/* No lock is held: who moves may want any. */
static void
gate_shut(struct space *s)
{
	atomic_add(&s->fork_gate, 1u);
	wait_event(&s->fork_wait, tally_sum(&s->movers) == 1);
}

static void
gate_open(struct space *s)
{
	if (atomic_sub_return(&s->fork_gate, 1u) == 0)
		waitq_wake_all(&s->fork_wait);
}

/* A change of several tables holds the one above them: those that have not seen ->forking end. */
static void
wait_for_changes(struct space *s)
{
	unsigned long va;
	struct pt *t;

	for (unsigned int level = 1; level <= PT_ROOT; level++)
		for (va = 0; va < USER_END;) {
			t = pt_lock_walk(s, va, level);
			va = pt_behind(t, va, level);
			pt_unlock(t);
		}
}

/* parent's threads wait where they would change what the child is to have. */
static int
copy_frozen(struct fork *f)
{
	struct space *parent = f->parent;
	bool others = atomic_read(&parent->users) > 1;
	int err;

	if (others) {
		WRITE_ONCE(parent->forking, true);
		wait_for_changes(parent);
	}
	err = copy_all(f);
	if (f->flush)
		tlb_flush_range(parent, 0, USER_END, f->cpus);
	if (others) {
		smp_store_release(&parent->forking, false);
		waitq_wake_all(&parent->fork_wait);
	}
	return err;
}

struct space *
space_fork(struct space *parent)
{
	struct space *s = space_create_for_fork(parent);
	struct fork f = {.parent = parent, .child = s};
	struct list events = LIST_INIT(events);
	int err;

	if (!s)
		return err_ptr(-ENOMEM);
	f.path[PT_ROOT] = s->root;
	gate_shut(parent);
	mutex_lock(&parent->shm.lock);
	err = mm_port_shm_fork(parent, s);
	if (!err)
		err = copy_frozen(&f);
	mutex_unlock(&parent->shm.lock);
	gate_open(parent);
	if (!err && space_has_uffd(parent))
		err = uffd_fork(s, &events);
	if (commit_charge(f.committed)) {
		/* The teardown gives it back. */
		commit_add(f.committed);
		err = -ENOMEM;
	}
	arena_count(s, f.mapped);
	s->layout = parent->layout;
	pkey_space_copy(s, parent);
	space_copy_exe(s, parent);
	family_join(s->family, s);
	uffd_fork_done(&events, !err);
	if (err) {
		space_put_user(s);
		return err_ptr(err);
	}
	/* What MADV_DONTFORK left out is not attached. */
	space_unmapped(s, 0, USER_END);
	return s;
}
