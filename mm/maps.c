/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a space looks like: its mappings in order, as /proc shows them.
 *
 * Runs of different tables make one line when they follow one another and mean
 * the same. A lock is held for one table at a time, and a reference on the
 * line's region while the caller looks at it: what /proc shows of a space that
 * changes meanwhile is true of each line at some moment.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

/* The heap and the stack are told by their place. */
static const char *
line_name(struct space *s, const struct run *r)
{
	const struct space_layout *l = &s->layout;

	if (!meta_is_anon(r->meta))
		return meta_region(r->meta)->name;
	if (l->brk > l->start_brk && r->start <= l->brk && r->end >= l->start_brk)
		return "[heap]";
	if (r->start <= l->start_stack && r->end >= l->start_stack)
		return "[stack]";
	return NULL;
}

static void
line_fill(struct space *s, const struct run *r, struct map_info *mi)
{
	const struct region *g = meta_region(r->meta);

	memset(mi, 0, sizeof(*mi));
	mi->start = r->start;
	mi->end = r->end;
	mi->prot = meta_prot(r->meta);
	mi->shared = r->meta & META_SHARED;
	mi->growsdown = r->meta & META_GROWSDOWN;
	mi->locked = r->meta & META_LOCKED;
	mi->file = g->file;
	mi->name = line_name(s, r);
	mi->pkey = meta_pkey(r->meta);
	mi->vm_flags = (u32)(r->meta >> META_FLAG_SHIFT & META_FLAGS) |
		       (r->meta & META_ACCOUNT ? MAPPING_ACCOUNT : 0) |
		       (mi->shared ? MAPPING_SHARED : 0) |
		       (g->flags & REGION_SPECIAL ? MAPPING_SPECIAL : 0) |
		       (g->flags & REGION_UFFD_MISSING ? MAPPING_UFFD_MISSING : 0) |
		       (g->flags & REGION_UFFD_WP ? MAPPING_UFFD_WP : 0) |
		       (g->flags & REGION_UFFD_MINOR ? MAPPING_UFFD_MINOR : 0);
	mi->max_prot = g->max_prot;
	mi->offset = meta_is_anon(r->meta) ? 0 : g->offset + (r->start - g->base);
}

/* --- smaps --- */

/* What is counted with, for each page of a leaf's part. */
struct counts {
	/* how many spaces show the file's page */
	u16 of[PTE_COUNT];
	/* anonymous pages that others may show too, and how many spaces do */
	phys_t shared[PTE_COUNT];
	u16 sharers[PTE_COUNT];
};

static void
count_page(struct map_info *mi, u64 e, u32 users, u64 pages)
{
	bool dirty = e & (PTE_OWNED | PTE_D) || phys_to_page(e & PTE_ADDR)->flags & PAGE_DIRTY;

	mi->rss += pages;
	mi->pss_4096ths += pages * (PAGE_SIZE / max(users, 1u));
	if (e & PTE_OWNED)
		mi->anonymous += pages;
	if (e & PTE_PS)
		mi->anon_huge += pages;
	if (e & PTE_A)
		mi->referenced += pages;
	if (users > 1)
		*(dirty ? &mi->shared_dirty : &mi->shared_clean) += pages;
	else
		*(dirty ? &mi->private_dirty : &mi->private_clean) += pages;
}

/* Notes the pages of t in [a, b) that are not t's alone. */
static bool
note_shared(const struct pt *t, unsigned long a, unsigned long b, struct counts *c)
{
	unsigned int first = slot_index(a, 0), i;
	bool any = false;
	u64 e;

	for_each_present(i, t, first, slot_index(b - 1, 0) + 1) {
		e = t->table[i];
		if (!(e & PTE_OWNED) || entry_is_sole(t, i, e))
			continue;
		c->shared[i - first] = e & PTE_ADDR;
		any = true;
	}
	return any;
}

/* Counts which of them s shows at the same addresses. */
static void
count_sharers(struct space *s, unsigned long a, unsigned long b, struct counts *c)
{
	struct pt *t = pt_lock_walk(s, a, 0);
	unsigned int first = slot_index(a, 0), i;

	if (t->level == 0)
		for_each_present(i, t, first, slot_index(b - 1, 0) + 1)
			c->sharers[i - first] += t->table[i] & PTE_OWNED &&
						 (t->table[i] & PTE_ADDR) == c->shared[i - first];
	pt_unlock(t);
}

/*
 * Who shares the anonymous pages of [a, b), part of a leaf. Their counts are spread
 * over joints (joint.c), so the family is asked. One that moved its page counts as
 * far as references tell.
 */
static void
count_anon(struct space *s, unsigned long a, unsigned long b, struct counts *c)
{
	struct pt *t = pt_lock_walk(s, a, 0);
	struct space *other;
	bool any;

	memset(c->shared, 0, sizeof(c->shared));
	memset(c->sharers, 0, sizeof(c->sharers));
	any = t->level == 0 && note_shared(t, a, b, c);
	pt_unlock(t);
	if (!any)
		return;
	for (other = family_next(s->family, NULL); other; other = family_next(s->family, other))
		count_sharers(other, a, b, c);
}

static u32
anon_users(const struct pt *t, unsigned int i, u64 e, u32 sharers)
{
	u32 known = atomic_read(&phys_to_page(e & PTE_ADDR)->refs);

	if (e & PTE_JOINT)
		known += atomic_read(&t->joint->count[i]) - 1u;
	return known > 1 ? max(known, sharers) : 1;
}

/* The entries of t in [a, b), which lies in one leaf or is large pages. */
static void
count_table(struct pt *t, unsigned long a, unsigned long b, struct map_info *mi,
	    const struct counts *c)
{
	unsigned int first = slot_index(a, t->level), i;
	u64 e;

	for_each_present(i, t, first, slot_index(b - 1, t->level) + 1) {
		e = t->table[i];
		if (e & PTE_PS)
			count_page(mi, e, 1, PTE_COUNT);
		else if (t->level == 0 && e & PTE_OWNED)
			count_page(mi, e, anon_users(t, i, e, c->sharers[i - first]), 1);
		else if (t->level == 0 && e & PTE_FILE)
			count_page(mi, e, c->of[i - first], 1);
	}
}

/* A part of r in one leaf: up to its end, or to where the next leaf begins. */
static unsigned long
count_part(struct space *s, const struct run *r, unsigned long va, struct map_info *mi,
	   struct counts *c)
{
	unsigned long end = min(r->end, align_down(va, LARGE_SIZE) + LARGE_SIZE);
	struct region *g = meta_region(r->meta);
	struct pt *t;

	if (g->cache) {
		memset(c, 0, sizeof(*c));
		rmap_count(g->cache, region_index(g, va), (unsigned int)((end - va) >> PAGE_SHIFT),
			   c->of);
	}
	count_anon(s, va, end, c);
	t = pt_lock_walk(s, va, 0);
	if (t->level <= 1)
		count_table(t, va, end, mi, c);
	pt_unlock(t);
	return end;
}

static void
line_count(struct space *s, const struct run *r, struct map_info *mi, struct counts *c)
{
	unsigned long va = r->start;

	while (va < r->end)
		va = count_part(s, r, va, mi, c);
}

/* --- lines --- */

/* The mapping at or above va, all of it that lies above; with a reference on its region. */
static bool
next_line(struct space *s, unsigned long va, struct run *line)
{
	struct run r;

	if (!space_next_run(s, va, USER_END, line, true))
		return false;
	while (space_next_run(s, line->end, USER_END, &r, false) && r.start == line->end &&
	       r.meta == line->meta)
		line->end = r.end;
	return true;
}

int
space_for_each(struct space *s, unsigned long from, bool smaps,
	       int (*fn)(const struct map_info *mi, void *ctx), void *ctx)
{
	unsigned long va = align_down(from, PAGE_SIZE);
	struct counts *c = NULL;
	struct map_info mi;
	struct run line;
	int ret = 0;

	if (smaps) {
		c = kmalloc(sizeof(*c), GFP_KERNEL);
		if (!c)
			return -ENOMEM;
	}
	if (!space_try_get_user(s))
		goto out;
	while (!ret && next_line(s, va, &line)) {
		line_fill(s, &line, &mi);
		if (smaps)
			line_count(s, &line, &mi, c);
		ret = fn(&mi, ctx);
		meta_hold(line.meta, -1);
		va = line.end;
	}
	space_put_user(s);
out:
	kfree(c);
	return ret;
}
