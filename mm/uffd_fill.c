/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * userfaultfd: UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_CONTINUE.
 *
 * A page is made complete first, without locks. Of private memory it then appears
 * in the table, of shared memory in the page cache, where others see it too, and
 * then in the table. What is there already is left alone: EEXIST.
 */
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/uaccess.h"
#include "mm/uffd_impl.h"

bool
uffd_find_run(struct space *s, unsigned long start, unsigned long end, struct run *out)
{
	struct run r;

	if (!space_next_run(s, start, end, out, true))
		return false;
	while (out->end < end && space_next_run(s, out->end, end, &r, false) &&
	       r.start == out->end && r.meta == out->meta)
		out->end = r.end;
	if (out->start == start && out->end == end && meta_region(out->meta)->flags & REGION_UFFD)
		return true;
	meta_hold(out->meta, -1);
	return false;
}

/* What is put where. */
struct filling {
	struct space *space;
	const struct uffd_fill *fill;
	/* of the whole range; its region is held */
	meta_t meta;
	unsigned long va;
	/* NULL: the zero page, or what the cache has */
	struct page *page;
};

/* Has the file, which r shows, no page at va? */
static bool
is_behind_end(const struct region *r, unsigned long va)
{
	return region_index(r, va) >= div_round_up(READ_ONCE(*r->cache->size), PAGE_SIZE);
}

/* The page of the cache goes into slot i of the leaf t: of shared memory, or that goes on. */
static int
show_cached(struct filling *f, struct pt *t, unsigned int i)
{
	bool going_on = f->fill->kind == UFFD_FILL_CONTINUE;
	struct region *r = meta_region(f->meta);
	u64 wp = f->fill->protect || pt_present(t, i) ? PTE_WP : 0;
	bool write = f->meta & META_SHARED && meta_prot(f->meta) & PROT_WRITE && !wp &&
		     !(r->cache->ops && r->cache->ops->make_dirty);
	struct page *p;

	/* Under the table's lock: who removes it from the cache will look here (rmap.c). */
	if (is_behind_end(r, f->va))
		return going_on ? -EINVAL : -EFAULT;
	p = pagecache_peek(r->cache, region_index(r, f->va));
	if (!p)
		return -EFAULT;
	if (pt_present(t, i) && !entry_is_marker(t->table[i]))
		return -EEXIST;
	entry_set_cached(t, i, p, f->meta, pte_bits(f->meta, write) | wp);
	return 0;
}

/* Puts it into slot i of the leaf t, which shows f->meta there. */
static int
fill_slot(struct filling *f, struct pt *t, unsigned int i)
{
	const struct region *r = meta_region(f->meta);
	u64 wp = f->fill->protect ? PTE_WP : 0;
	u32 prot = meta_prot(f->meta);

	if (r->cache && (f->meta & META_SHARED || f->fill->kind == UFFD_FILL_CONTINUE))
		return show_cached(f, t, i);
	if (r->cache && is_behind_end(r, f->va))
		return -EFAULT;
	/* The zero page does not take the place of a marker, either. */
	if (pt_present(t, i) && !(f->page && entry_is_marker(t->table[i])))
		return -EEXIST;
	if (f->page)
		entry_set_anon(t, i, f->page, pte_bits(f->meta, prot & PROT_WRITE && !wp) | wp);
	else
		entry_set(t, i, zero_page, pte_bits(f->meta, false));
	f->page = NULL;
	return 0;
}

/* The mapping may have changed, and a fork may be under way: as a write fault does. */
static int
fill_table(struct filling *f)
{
	struct pt *t;
	struct run *run;
	int err;

	for (;;) {
		t = range_lock_leaf(f->space, f->va);
		if (!t)
			return -ENOMEM;
		if (likely(!READ_ONCE(f->space->forking)))
			break;
		pt_unlock(t);
		space_wait_fork(f->space);
	}
	run = runs_find(t, f->va);
	if (!run || run->meta != f->meta)
		err = -ENOENT;
	else
		err = fill_slot(f, t, slot_index(f->va, 0));
	pt_unlock(t);
	return err;
}

/* f->page becomes the file's page there. */
static int
fill_cache(struct filling *f)
{
	struct region *r = meta_region(f->meta);
	u64 index = region_index(r, f->va);
	int err;

	if (index >= div_round_up(READ_ONCE(*r->cache->size), PAGE_SIZE))
		return -EFAULT;
	err = pagecache_insert(r->cache, index, f->page);
	if (err)
		return err == -ENOSPC ? -ENOMEM : err;
	f->page = NULL;
	/* Cut off meanwhile: what was removed then did not hold this one. */
	if (index >= div_round_up(READ_ONCE(*r->cache->size), PAGE_SIZE)) {
		pagecache_remove(r->cache, index, index);
		return -EFAULT;
	}
	return 0;
}

/* The page to put: -ENOMEM, -EFAULT. NULL in f->page: none is needed. */
static int
make_page(struct filling *f, unsigned long src)
{
	bool shared = f->meta & META_SHARED, copy = f->fill->kind == UFFD_FILL_COPY;

	f->page = NULL;
	if (!copy && (!shared || f->fill->kind == UFFD_FILL_CONTINUE))
		return 0;
	f->page = page_alloc(0, GFP_USER | (copy ? (gfp_t)0 : GFP_ZERO));
	if (!f->page)
		return -ENOMEM;
	if (copy && copy_from_user(page_to_virt(f->page), (const void __user *)src, PAGE_SIZE))
		return -EFAULT;
	if (!shared)
		page_set_type(f->page, PAGE_ANON);
	return 0;
}

static int
fill_page(struct uffd *u, struct filling *f, unsigned long src)
{
	int err = make_page(f, src);
	bool in_cache = meta_region(f->meta)->cache && f->meta & META_SHARED && f->page;

	if (!err && in_cache)
		err = fill_cache(f);
	if (!err)
		err = fill_table(f);
	/* Somebody's fault was faster to show what is in the cache now. */
	if (err == -EEXIST && in_cache && !f->page)
		err = f->fill->protect ? uffd_protect(u, f->va, f->va + PAGE_SIZE, true) : 0;
	if (f->page)
		page_put(f->page);
	return err;
}

static s64
fill_all(struct uffd *u, struct filling *f)
{
	const struct uffd_fill *fill = f->fill;
	const struct region *r = meta_region(f->meta);
	int err = 0;

	if ((fill->protect && !(r->flags & REGION_UFFD_WP)) ||
	    (fill->kind == UFFD_FILL_CONTINUE && !r->cache))
		return -EINVAL;
	for (f->va = fill->start; f->va < fill->end; f->va += PAGE_SIZE) {
		if (READ_ONCE(u->changing))
			err = -EAGAIN;
		else if (f->va > fill->start && mm_port_fatal_pending())
			err = -EINTR;
		if (!err)
			err = fill_page(u, f, fill->src + (f->va - fill->start));
		if (err)
			break;
	}
	return f->va > fill->start ? (s64)(f->va - fill->start) : err;
}

s64
uffd_fill(struct uffd *u, const struct uffd_fill *fill)
{
	struct filling f = {.space = u->space, .fill = fill};
	struct run r;
	s64 ret = -ENOENT;

	if (!space_try_get_user(u->space))
		return -ESRCH;
	if (READ_ONCE(u->changing)) {
		ret = -EAGAIN;
	} else if (uffd_find_run(u->space, fill->start, fill->end, &r)) {
		f.meta = r.meta;
		ret = fill_all(u, &f);
		meta_hold(r.meta, -1);
	}
	space_put_user(u->space);
	return ret;
}
