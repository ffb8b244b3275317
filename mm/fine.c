/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fine leaves: leaf tables that several CPUs work in, page by page.
 *
 * Model: neighbouring pages have one leaf with one lock, and eight entries lie on a
 * cache line. Where CPUs take turns at a leaf again and again (pt_note_cpu()), and
 * it holds private anonymous memory alone, it becomes fine: each of its pages gets a
 * record on a line of its own, with its lock, meta, entry, and the CPUs that may have
 * a translation. The processor reads none of it: each CPU has a leaf of its own in
 * its view (view.c), which a fault fills entry by entry from the records. So two
 * CPUs at neighbouring pages write nothing common, and a flush of a page asks those
 * CPUs alone that have used that page.
 *
 *      coarse leaf     runs + entries of t->table      t->lock
 *      fine leaf       record -> leaf of each CPU      record's lock
 *
 * Faults, operations on a few pages, and looking for runs know records. Everything
 * else wants the whole leaf, takes its lock, and makes it coarse first; that needs
 * no memory. A fine leaf costs 32 KiB, and a page for each CPU that uses it;
 * a space has only a few (FINE_MAX).
 *
 * Locking: t->lock guards whether the leaf is fine. A record's lock is a plain word,
 * inside RANK_PT_L1; several are taken in the order of addresses. Under it `t->fine`
 * is looked at again: who makes the leaf coarse holds t->lock and all records. A
 * holder of a record never takes t->lock. TLBs are flushed with the record locked:
 * it forgets at once who had the translation, and the next operation on
 * the page must find that nobody has.
 *
 * Ownership: a CPU's leaf is made by that CPU and freed with the records, which go
 * after a grace period.
 *
 * Limits: max_map_count is not looked at: a leaf has at most 512 runs.
 *
 * See: Clements, Kaashoek, Zeldovich, RadixVM, EuroSys 2013.
 */
#include "mm/fine_impl.h"

#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

/* Fine leaves of one space. */
#define FINE_MAX 16u
/* Longer operations are better off with runs. */
#define RANGE_PAGES 16u

/* --- records --- */

static void
record_lock(struct fine *f, unsigned int i)
{
	if (unlikely(!spin_word_try(&f->record[i].lock)))
		spin_lock_slow(&f->record[i].lock);
}

static void
records_unlock(struct fine *f, unsigned int i, unsigned int j)
{
	while (j-- > i)
		spin_word_release(&f->record[j].lock);
	unpin();
}

/*
 * Locks the records of [va, va + n pages), which lie under one leaf. NULL: it is
 * not fine. *leaf: the table.
 */
static struct fine *
records_lock(struct space *s, unsigned long va, unsigned int n, struct pt **leaf)
{
	unsigned int i = slot_index(va, 0), k;
	struct fine *f;
	struct pt *t;

	if (likely(!READ_ONCE(s->fine_leaves)))
		return NULL;
	rcu_read_lock();
	t = pt_walk(s, va, 0);
	f = t->level ? NULL : smp_load_acquire(&t->fine);
	if (!f) {
		rcu_read_unlock();
		return NULL;
	}
	pin();
	for (k = i; k < i + n; k++)
		record_lock(f, k);
	if (unlikely(READ_ONCE(t->fine) != f)) {
		records_unlock(f, i, i + n);
		f = NULL;
	}
	rcu_read_unlock();
	*leaf = t;
	return f;
}

/* No CPU gets to page i by its leaf any more; g is to flush. */
static void
record_hide(struct fine *f, struct record *r, struct pt *t, struct gather *g)
{
	unsigned int i = (unsigned int)(r - f->record), cpu;

	if (!r->cpus)
		return;
	for_each_view_cpu(cpu, r->cpus) {
		u64 *leaf = smp_load_acquire(&f->leaf[cpu]);

		if (leaf)
			WRITE_ONCE(leaf[i], 0);
	}
	gather_range(g, t, slot_base(t, i), slot_base(t, i + 1));
	g->cpus |= r->cpus;
	r->cpus = 0;
}

static void
record_drop(struct fine *f, struct record *r, struct pt *t, struct gather *g)
{
	u64 e = r->entry;

	if (!e)
		return;
	record_hide(f, r, t, g);
	r->entry = 0;
	if (e & PTE_OWNED)
		gather_page(g, phys_to_page(e & PTE_ADDR));
}

/* --- fine and coarse --- */

/* Does the leaf hold private anonymous memory alone? */
static bool
suitable(const struct pt *t)
{
	if (t->level || t->file | t->shmem)
		return false;
	for (unsigned int i = 0; i < t->nr_runs; i++)
		if (meta_region(t->runs[i].meta) != &anon_region ||
		    t->runs[i].meta & (META_SHARED | META_GROWSDOWN))
			return false;
	return true;
}

static void
records_fill(struct fine *f, struct pt *t)
{
	unsigned int i, k;

	for (i = 0; i < t->nr_runs; i++)
		for (k = slot_index(t->runs[i].start, 0); k <= slot_index(t->runs[i].end - 1, 0);
		     k++)
			f->record[k].meta = t->runs[i].meta;
	for_each_present(i, t, 0, PTE_COUNT) {
		f->record[i].entry = joint_make_own(t, i, atomic_xchg(&t->table[i], 0UL));
		pt_unmark(t, i);
	}
}

void
fine_make(struct space *s, unsigned long va)
{
	struct fine *f;
	struct pt *t;

	if (READ_ONCE(s->fine_leaves) >= FINE_MAX || fine_has_page(s, va) >= 0)
		return;
	views_allow(s);
	f = kvmalloc(sizeof(*f) + nr_cpus * sizeof(u64 *), GFP_KERNEL | GFP_ZERO | GFP_NORETRY);
	if (!f)
		return;
	t = pt_try_lock_walk(s, va, 0);
	if (!t) {
		kvfree(f);
		return;
	}
	t->moves = 0;
	if (!READ_ONCE(s->views) || READ_ONCE(s->forking) || !suitable(t) ||
	    runs_reserve(t, PTE_COUNT - t->nr_runs)) {
		pt_unlock(t);
		kvfree(f);
		return;
	}
	records_fill(f, t);
	views_unlink(s, t->cpus, t->base);
	tlb_flush_tables(s, t->base, pt_end(t), t->cpus);
	t->cpus = 0;
	atomic_add(&s->fine_leaves, 1u);
	mm_stat_inc(MM_FINE_LEAVES);
	smp_store_release(&t->fine, f);
	pt_unlock(t);
}

static void
free_rcu(struct rcu_head *h)
{
	kvfree(container_of(h, struct fine, rcu));
}

/* The records become runs and entries of t; pages that are shown. */
static s32
records_return(struct fine *f, struct pt *t)
{
	s32 owned = 0;

	t->nr_runs = 0;
	for (unsigned int i = 0; i < PTE_COUNT; i++) {
		const struct record *r = &f->record[i];
		struct run *last = t->nr_runs ? &t->runs[t->nr_runs - 1] : NULL;

		if (r->entry) {
			WRITE_ONCE(t->table[i], r->entry);
			pt_mark(t, i);
			owned += (r->entry & PTE_OWNED) != 0;
		}
		if (!r->meta)
			continue;
		if (last && last->end == slot_base(t, i) && last->meta == r->meta)
			last->end += PAGE_SIZE;
		else
			t->runs[t->nr_runs++] =
				(struct run){slot_base(t, i), slot_base(t, i + 1), r->meta};
	}
	return owned;
}

void
fine_end(struct pt *t)
{
	struct space *s = t->space;
	struct fine *f = t->fine;
	unsigned int i, cpu;
	u64 cpus;

	pin();
	for (i = 0; i < PTE_COUNT; i++)
		record_lock(f, i);
	WRITE_ONCE(t->fine, NULL);
	t->fine_ends++;
	pt_count(t, &t->anon, records_return(f, t) - (s32)t->anon);
	t->moves = 0;
	records_unlock(f, 0, PTE_COUNT);
	atomic_sub(&s->fine_leaves, 1u);
	cpus = READ_ONCE(f->cpus);
	views_unlink(s, cpus, t->base);
	tlb_flush_tables(s, t->base, pt_end(t), cpus);
	for_each_possible_cpu(cpu)
		if (f->leaf[cpu])
			page_put(virt_to_page(f->leaf[cpu]));
	rcu_call(&f->rcu, free_rcu);
}

/* --- faults --- */

/* This CPU's leaf, linked into its view. NULL: it has no view, or no memory. Pinned. */
static u64 *
leaf_here(struct fine *f, struct pt *t)
{
	unsigned int cpu = cpu_id();
	u64 *leaf = f->leaf[cpu];
	struct page *p;

	if (!tlb_take_view(t->space))
		return NULL;
	if (!leaf) {
		p = page_alloc(0, GFP_ATOMIC | GFP_ZERO | GFP_NOWARN);
		if (!p)
			return NULL;
		page_set_type(p, PAGE_TABLE);
		p->pt = NULL;
		leaf = page_to_virt(p);
		atomic_or(&f->cpus, VIEW_CPU_BIT(cpu));
		smp_store_release(&f->leaf[cpu], leaf);
	}
	return view_link_leaf(t, leaf) ? leaf : NULL;
}

/* The page becomes a copy of its own. */
static bool
record_copy(struct fine *f, struct record *r, struct pt *t)
{
	struct page *old = phys_to_page(r->entry & PTE_ADDR);
	struct page *p = page_alloc(0, GFP_ATOMIC | GFP_NOWARN);
	bool owned = r->entry & PTE_OWNED;
	struct gather g;

	if (!p)
		return false;
	page_set_type(p, PAGE_ANON);
	gather_init(&g, t->space);
	record_hide(f, r, t, &g);
	gather_finish(&g);
	if (old == zero_page)
		page_zero(page_to_virt(p));
	else
		page_copy(page_to_virt(p), page_to_virt(old));
	if (owned)
		page_put(old);
	r->entry = page_to_phys(p) | pte_bits(r->meta, true) | PTE_OWNED;
	return true;
}

/* Makes the entry what the access needs. False: no memory at hand, or no page is to come. */
static bool
record_bring(struct fine *f, struct record *r, struct pt *t, bool write)
{
	struct page *p;

	/* The coarse fault refuses it. */
	if (!r->entry && unlikely(READ_ONCE(t->space->reaped)))
		return false;
	if (!r->entry && !write) {
		r->entry = page_to_phys(zero_page) | pte_bits(r->meta, false);
		return true;
	}
	if (!r->entry) {
		p = page_alloc(0, GFP_ATOMIC | GFP_NOWARN);
		if (!p)
			return false;
		page_set_type(p, PAGE_ANON);
		page_zero(page_to_virt(p));
		r->entry = page_to_phys(p) | pte_bits(r->meta, true) | PTE_OWNED;
		return true;
	}
	if (!write || r->entry & PTE_W)
		return true;
	if (!(r->entry & PTE_OWNED) || atomic_read(&phys_to_page(r->entry & PTE_ADDR)->refs) != 1)
		return record_copy(f, r, t);
	r->entry |= PTE_W | PTE_D | PTE_A;
	return true;
}

enum fine_fault
fine_fault(struct space *s, unsigned long va, u32 access)
{
	bool write = access & FAULT_WRITE;
	u32 want = write ? PROT_WRITE : access & FAULT_EXEC ? PROT_EXEC : META_PROT;
	enum fine_fault ret = FINE_FAULT_COARSE;
	unsigned int i = slot_index(va, 0);
	struct record *r;
	struct fine *f;
	struct pt *t;
	u64 *leaf;

	f = access & FAULT_FORCE ? NULL : records_lock(s, va, 1, &t);
	if (likely(!f))
		return FINE_FAULT_COARSE;
	r = &f->record[i];
	if (!(meta_prot(r->meta) & want)) {
		ret = r->meta ? FINE_FAULT_DENIED : FINE_FAULT_UNMAPPED;
		goto out;
	}
	leaf = leaf_here(f, t);
	if (leaf && record_bring(f, r, t, write)) {
		r->cpus |= VIEW_CPU_BIT(cpu_id());
		WRITE_ONCE(leaf[i], r->entry);
		ret = FINE_FAULT_DONE;
	}
out:
	records_unlock(f, i, i + 1);
	return ret;
}

/* --- ranges --- */

/* What of the operation concerns a page that is mapped. False: it has failed. */
static bool
record_change(struct fine *f, struct record *r, struct pt *t, struct range *op)
{
	unsigned int i = (unsigned int)(r - f->record);
	struct run run = {slot_base(t, i), slot_base(t, i + 1), r->meta};
	meta_t m;
	u64 e;

	if (op->op == RANGE_ZAP) {
		if (!(op->keep_anon && r->entry & PTE_OWNED))
			record_drop(f, r, t, op->gather);
		return true;
	}
	if (op->op == RANGE_MAP || op->op == RANGE_UNMAP) {
		range_note_removed(&run, op);
		record_drop(f, r, t, op->gather);
		r->meta = 0;
		return true;
	}
	m = range_new_meta(&run, op);
	if (!m)
		return false;
	r->meta = m;
	if (op->op == RANGE_PROTECT && r->entry) {
		e = range_new_entry(t, (unsigned int)(r - f->record), r->entry, m);
		if (range_takes_rights(r->entry, e))
			record_hide(f, r, t, op->gather);
		r->entry = e;
	}
	return true;
}

static void
records_change(struct fine *f, struct pt *t, unsigned int i, unsigned int j, struct range *op)
{
	for (unsigned int k = i; k < j && op->exclusive; k++)
		if (f->record[k].meta) {
			op->err = -EEXIST;
			return;
		}
	for (; i < j; i++) {
		struct record *r = &f->record[i];

		if (r->meta && !record_change(f, r, t, op))
			return;
		if (!r->meta && op->op != RANGE_MAP && op->op != RANGE_UNMAP) {
			op->hole = true;
			if (op->stop_at_hole)
				return;
		}
		if (op->op == RANGE_MAP)
			r->meta = op->meta;
		op->done = slot_base(t, i + 1);
	}
}

bool
fine_range(struct space *s, unsigned long start, unsigned long end, struct range *op)
{
	u64 n = (end - start) >> PAGE_SHIFT;
	unsigned int i = slot_index(start, 0);
	struct gather g;
	struct fine *f;
	struct pt *t;

	if (n > RANGE_PAGES || (start ^ (end - 1)) >> slot_shift(1) || op->only)
		return false;
	if (op->op == RANGE_MAP &&
	    (meta_region(op->meta) != &anon_region || op->meta & (META_SHARED | META_GROWSDOWN)))
		return false;
	f = records_lock(s, start, (unsigned int)n, &t);
	if (likely(!f))
		return false;
	gather_init(&g, s);
	op->gather = &g;
	op->err = 0;
	op->done = start;
	records_change(f, t, i, i + (unsigned int)n, op);
	gather_finish(&g);
	op->gather = NULL;
	records_unlock(f, i, i + (unsigned int)n);
	return true;
}

/* --- looking --- */

enum fine_look
fine_next_run(struct space *s, unsigned long *va, unsigned long end, struct run *out)
{
	enum fine_look look = FINE_NONE;
	struct fine *f;
	struct pt *t;
	meta_t m;

	for (; *va < end; *va += PAGE_SIZE) {
		f = records_lock(s, *va, 1, &t);
		if (!f)
			return look;
		m = f->record[slot_index(*va, 0)].meta;
		records_unlock(f, slot_index(*va, 0), slot_index(*va, 0) + 1);
		if (look != FINE_RUN) {
			look = m ? FINE_RUN : FINE_HOLE;
			*out = (struct run){*va, *va, m};
		} else if (m != out->meta) {
			return look;
		}
		out->end = *va + PAGE_SIZE;
	}
	return look;
}

int
fine_has_page(struct space *s, unsigned long va)
{
	struct pt *t;
	struct fine *f = records_lock(s, va, 1, &t);
	int has;

	if (!f)
		return -1;
	has = f->record[slot_index(va, 0)].entry != 0;
	records_unlock(f, slot_index(va, 0), slot_index(va, 0) + 1);
	return has;
}

u64
fine_owned(const struct pt *t)
{
	const struct fine *f = smp_load_acquire(&t->fine);
	u64 n = 0;

	for (unsigned int i = 0; f && i < PTE_COUNT; i++)
		n += (READ_ONCE(f->record[i].entry) & PTE_OWNED) != 0;
	return n;
}
