/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views: upper tables of a CPU's own, so that it is known which CPUs may have a
 * translation.
 *
 * Model: the tables of pt.c are the truth, and while nothing speaks against it
 * every CPU that runs a space has them in CR3: the common tables. Then any CPU
 * may have any translation, and a flush asks all that run the space. When a space
 * has had to interrupt CPUs a few times, it may have views: each CPU that such a
 * flush finds on the common tables leaves them for a view, a root of its own
 * with nothing below. Its next access to each 2 MiB faults, and the fault links
 * the leaf table there, the same page that all CPUs use, into the view, or copies
 * the entry of a large page. The leaf (for a large page the table above)
 * notes the CPU in pt->cpus. Who changes entries then asks those CPUs only:
 * threads that work in parts of their own never hear of one another.
 *
 *      common tables   root -> level 2 -> level 1 \
 *                                                   > leaf (struct pt)
 *      view of a CPU   root -> level 2 -> level 1 /
 *
 * Programs of one thread, on however many CPUs after one another, and threads
 * that unmap nothing have no views: they fault for nothing and pay no memory. A
 * view is a page, and one for each 512 GiB and for each GiB that its CPU uses;
 * some six in practice.
 *
 * A view is like a cache: an entry may be left out at any time. A CPU that is noted
 * in pt->cpus stays there as long as the table: taking it out with each flush would
 * make it fault once more for each. A word holds all CPUs, as CPU modulo 64: beyond
 * 64 CPUs some are asked in vain.
 *
 * Tables that are no longer needed stay in a view until it has twice as many
 * as the common tables; then it is emptied.
 *
 * Ownership: the space has its views until it ends. A view's tables are made and
 * taken out by its CPU alone; other CPUs clear entries of level 1.
 *
 * Locking: a link is made, and pt->cpus changed, with the lock of the table whose
 * entries it brings in. The entries of a leaf change under the same lock, so who
 * changed some finds either a CPU noted, or nothing on it. A table is unlinked, and a
 * large entry changed, with that lock held too, so no link can come afterwards.
 * Clearing walks a view under RCU, and the owner frees tables after a grace period.
 *
 * Contexts: an interrupt of a flush makes a view and loads it (tlb.c).
 *
 * Rejected: leaves of each CPU's own (RadixVM): a page a CPU for each 2 MiB, and
 * all entries twice. Views from the second thread on: most threads never need them.
 *
 * See: Clements, Kaashoek, Zeldovich, RadixVM, EuroSys 2013, section 3.3.
 */
#include "arch/x86_64/asm/insn.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "mm/vmalloc.h"

#define KERNEL_SLOT (PTE_COUNT / 2)
/* Pages that a view may have beyond what the common tables have. */
#define SPARE_PAGES (CONFIG_DEBUG ? 2 : 16)

static struct slab_cache *view_cache __read_mostly;

void
view_init(void)
{
	view_cache = slab_cache_create("view", sizeof(struct view), 64, SLAB_ZERO);
}

void
views_allow(struct space *s)
{
	struct view **all, **none = NULL;

	if (READ_ONCE(s->views))
		return;
	all = kcalloc(nr_cpus, sizeof(struct view *), GFP_ATOMIC | GFP_NOWARN);
	if (all && !atomic_try_cmpxchg(&s->views, &none, all))
		kfree(all);
}

static u64 *
table_alloc(struct view *v)
{
	struct page *p = page_alloc(0, GFP_ATOMIC | GFP_ZERO | GFP_NOWARN);

	if (!p)
		return NULL;
	page_set_type(p, PAGE_TABLE);
	p->pt = NULL;
	v->pages++;
	return page_to_virt(p);
}

struct view *
view_create_oncpu(struct space *s)
{
	struct view *v = slab_alloc(view_cache, GFP_ATOMIC | GFP_NOWARN);

	if (!v)
		return NULL;
	v->root = table_alloc(v);
	if (!v->root) {
		slab_free(view_cache, v);
		return NULL;
	}
	v->root_pa = virt_to_phys(v->root);
	v->space = s;
	memcpy(v->root + KERNEL_SLOT, kernel_pml4 + KERNEL_SLOT,
	       (PTE_COUNT - KERNEL_SLOT) * sizeof(u64));
	smp_store_release(&s->views[cpu_id()], v);
	return v;
}

/* --- tables --- */

static void
free_rcu(struct rcu_head *h)
{
	page_put(container_of(h, struct page, rcu));
}

/* Another CPU may be about to clear an entry of it, unless the space is at its end. */
static void
table_free(u64 *table, bool end)
{
	struct page *p = virt_to_page(table);

	if (end)
		page_put(p);
	else
		rcu_call(&p->rcu, free_rcu);
}

/* All tables below the root go. */
static void
view_empty(struct view *v, bool end)
{
	unsigned int i, k;
	u64 *t, e;

	for (i = 0; i < KERNEL_SLOT; i++) {
		e = v->root[i];
		if (!e)
			continue;
		WRITE_ONCE(v->root[i], 0);
		t = phys_to_virt(e & PTE_ADDR);
		for (k = 0; k < PTE_COUNT; k++)
			if (t[k])
				table_free(phys_to_virt(t[k] & PTE_ADDR), end);
		table_free(t, end);
	}
	v->pages = 1;
}

/* It has become much larger than the space: begins anew. On its CPU, loaded, pinned. */
static void
view_trim(struct view *v)
{
	if (likely(v->pages <= SPARE_PAGES + 2 * (u64)atomic_read(&v->space->tables)))
		return;
	view_empty(v, false);
	/* The processor forgets the tables before they are used for something else. */
	write_cr3(read_cr3());
}

/* The entry of level 1 for va. NULL: there is no table (make: and no memory). */
static u64 *
view_slot(struct view *v, unsigned long va, bool make)
{
	u64 *t = v->root, *below, e;

	for (unsigned int l = PT_ROOT; l > 1; l--) {
		e = READ_ONCE(t[slot_index(va, l)]);
		if (likely(e)) {
			t = phys_to_virt(e & PTE_ADDR);
			continue;
		}
		below = make ? table_alloc(v) : NULL;
		if (!below)
			return NULL;
		smp_store_release(&t[slot_index(va, l)], virt_to_phys(below) | PTE_TABLE);
		t = below;
	}
	return &t[slot_index(va, 1)];
}

/* --- links --- */

/* The entry of level 1 for va, made if need be. NULL: no memory. */
static u64 *
link_slot(struct view *v, unsigned long va)
{
	u64 *slot = view_slot(v, va, false);

	if (likely(slot))
		return slot;
	view_trim(v);
	return view_slot(v, va, true);
}

bool
view_link(struct pt *t, unsigned int i)
{
	struct view *v = tlb_view_here(t->space);
	u64 *slot;

	if (likely(!v))
		return true;
	slot = link_slot(v, slot_base(t, i));
	if (unlikely(!slot))
		return false;
	if (READ_ONCE(*slot))
		return true;
	t->cpus |= VIEW_CPU_BIT(cpu_id());
	WRITE_ONCE(*slot, t->level ? t->table[i] : virt_to_phys(t->table) | PTE_TABLE);
	return true;
}

bool
view_link_leaf(const struct pt *t, const u64 *table)
{
	struct view *v = tlb_view_here(t->space);
	u64 *slot = v ? link_slot(v, t->base) : NULL;

	if (slot && !READ_ONCE(*slot))
		WRITE_ONCE(*slot, virt_to_phys(table) | PTE_TABLE);
	return slot != NULL;
}

void
views_unlink(struct space *s, u64 cpus, unsigned long va)
{
	struct view *v;
	unsigned int cpu;
	u64 *slot;

	if (likely(!cpus))
		return;
	rcu_read_lock();
	for_each_view_cpu(cpu, cpus) {
		v = view_of(s, cpu);
		slot = v ? view_slot(v, va, false) : NULL;
		if (slot)
			WRITE_ONCE(*slot, 0);
	}
	rcu_read_unlock();
}

void
views_free(struct space *s)
{
	unsigned int cpu;

	if (!s->views)
		return;
	for_each_possible_cpu(cpu) {
		struct view *v = s->views[cpu];

		if (!v)
			continue;
		view_empty(v, true);
		page_put(virt_to_page(v->root));
		slab_free(view_cache, v);
	}
	kfree(s->views);
	s->views = NULL;
}

u64
views_pages(const struct space *s)
{
	u64 n = 0;
	unsigned int cpu;

	if (!READ_ONCE(s->views))
		return 0;
	for_each_possible_cpu(cpu) {
		const struct view *v = view_of(s, cpu);

		if (v)
			n += READ_ONCE(v->pages);
	}
	return n;
}
