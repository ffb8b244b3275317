/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large pages for anonymous memory: 2 MiB under one entry of a level-1 table.
 *
 * A fault gets one where one run covers the slot, no table is below, and the
 * policy and plenty of free memory allow it. A large page has one owner: fork
 * and everything that touches a part splits it first, into a table of small
 * pages with a reference each. So there are no shared large pages, and nobody
 * counts references of the parts of one.
 *
 * Rejected: sharing large pages by fork: a write then copies 2 MiB, or needs
 * counts for parts.
 */
#include "lib/errno.h"
#include "mm/space_impl.h"

#define LARGE_ORDER (LARGE_SHIFT - PAGE_SHIFT)
#define LARGE_PAGES (1u << LARGE_ORDER)

int thp_policy __read_mostly = THP_MADVISE;

bool
thp_wanted(const struct pt *t, unsigned long va, const struct run *r)
{
	unsigned long base = va & ~(LARGE_SIZE - 1);
	int policy = READ_ONCE(thp_policy);

	if (t->level != 1 || !meta_is_anon(r->meta) || meta_region(r->meta)->flags & REGION_UFFD ||
	    r->start > base || r->end < base + LARGE_SIZE)
		return false;
	if (policy == THP_NEVER || r->meta & meta_flag(MAPPING_NOHUGE | MAPPING_GROWSDOWN))
		return false;
	if (policy != THP_ALWAYS && !(r->meta & meta_flag(MAPPING_HUGE)))
		return false;
	return pages_free() > pages_total() / 8 + LARGE_PAGES;
}

struct page *
thp_alloc(void)
{
	struct page *p = page_alloc(LARGE_ORDER, GFP_USER | GFP_NORETRY | GFP_NOWARN);
	unsigned int i;

	for (i = 0; p && i < LARGE_PAGES; i++)
		page_zero(page_to_virt(&p[i]));
	return p;
}

void
thp_install(struct pt *t, unsigned int i, struct page *p, meta_t m)
{
	p->type = PAGE_ANON;
	this_cpu_add(page_levels[PAGE_ANON], LARGE_PAGES);
	mm_stat_add(MM_ANON_HUGE, LARGE_PAGES);
	mm_stat_inc(MM_THP_FAULTS);
	pt_count(t, &t->anon, (s32)LARGE_PAGES);
	pt_mark(t, i);
	smp_store_release(&t->table[i], page_to_phys(p) | pte_bits(m, meta_prot(m) & PROT_WRITE) |
						PTE_OWNED | PTE_PS);
}

int
thp_split(struct pt *t, unsigned int i)
{
	unsigned long base = slot_base(t, i);
	u64 e = t->table[i], small = (e & ~(PTE_PS | PTE_ADDR));
	struct page *p = phys_to_page(e & PTE_ADDR);
	struct gather g;
	struct pt *c;
	unsigned int k;

	/* The entry is hidden while the table is made, which wants an empty slot. */
	if (runs_reserve(t, 2))
		return -ENOMEM;
	gather_init(&g, t->space);
	WRITE_ONCE(t->table[i], 0);
	pt_unmark(t, i);
	c = pt_make_child(t, i);
	if (!c) {
		pt_mark(t, i);
		WRITE_ONCE(t->table[i], e);
		return -ENOMEM;
	}
	page_split(p);
	mm_stat_sub(MM_ANON_HUGE, LARGE_PAGES);
	for (k = 0; k < LARGE_PAGES; k++) {
		p[k].type = PAGE_ANON;
		c->table[k] = page_to_phys(&p[k]) | small;
		c->present[k / 64] |= BIT(k % 64);
	}
	c->anon = LARGE_PAGES;
	t->anon -= LARGE_PAGES;
	/* No CPU may keep the large translation beside the small ones. */
	gather_range(&g, t, base, base + LARGE_SIZE);
	views_unlink(t->space, t->cpus, base);
	gather_finish(&g);
	pt_unlock(c);
	return 0;
}

void
thp_drop(struct pt *t, unsigned int i, struct gather *g)
{
	struct page *p = phys_to_page(t->table[i] & PTE_ADDR);

	WRITE_ONCE(t->table[i], 0);
	pt_unmark(t, i);
	views_unlink(t->space, t->cpus, slot_base(t, i));
	gather_range(g, t, slot_base(t, i), slot_base(t, i + 1));
	gather_page(g, p);
	pt_count(t, &t->anon, -(s32)LARGE_PAGES);
}

void
thp_protect(struct pt *t, unsigned int i, meta_t m, struct gather *g)
{
	u64 e = t->table[i];

	WRITE_ONCE(t->table[i], (e & (PTE_ADDR | PTE_OWNED | PTE_PS | PTE_D)) |
					pte_bits(m, meta_prot(m) & PROT_WRITE));
	views_unlink(t->space, t->cpus, slot_base(t, i));
	gather_range(g, t, slot_base(t, i), slot_base(t, i + 1));
}
