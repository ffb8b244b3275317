/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel mappings outside the direct map.
 *
 * Model: the area is cut into chunks of 2 MiB, one page-table page each. A chunk
 * is free, small or part of a large mapping.
 *      small   shared by allocations of up to SMALL_MAX pages; each takes a run of
 *              pages of which the last is never mapped: its guard. A bitmap says
 *              which pages are taken, another where runs end. Small for ever.
 *      large   a run of chunks for one allocation, its last page a guard too
 * So the page before and the page behind every mapping is not mapped.
 *
 * Each CPU allocates from a small chunk of its own choice (a hint: any CPU may
 * use any); the chunk's record hangs on the struct page of its page-table page.
 *
 * Freeing clears entries and gives pages back at once. The addresses stay taken
 * ("lazy") until nobody's TLB has them: when a chunk has no room left, one flush
 * makes all its lazy pages free. Large mappings are flushed when they are freed.
 *
 * Ownership: entries belong to who holds the addresses.
 *
 * Locking: 1. area_lock (RANK_VMALLOC, sleeping): which chunk is what, the lists
 *          2. vchunk.lock (RANK_VMALLOC_SPIN): the chunk's bitmaps
 *
 * Contexts: allocation may sleep; vfree() of small mappings any but NMI.
 */
#include "mm/vmalloc.h"

#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "mm/fail.h"
#include "mm/kasan.h"
#include "mm/kmap.h"
#include "mm/meminfo.h"
#include "mm/port.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "percpu/percpu.h"
#include "sync/mutex.h"

#define CHUNK_PAGES (LARGE_SIZE / PAGE_SIZE)
/* 128 GiB of addresses: a bitmap of 8 KiB. */
#define CHUNKS 65536UL
#define SMALL_MAX (CHUNK_PAGES / 2)
static_assert(CHUNKS * LARGE_SIZE <= VMALLOC_END - VMALLOC_BASE, "chunks lie in the area");

struct vchunk {
	struct spinlock lock;
	/* I */
	unsigned long base;
	/* l  pages taken, with guards and lazy ones */
	BITMAP_DECLARE(taken, CHUNK_PAGES);
	/* l  guards: the ends of runs */
	BITMAP_DECLARE(ends, CHUNK_PAGES);
	/* l  freed, not flushed */
	BITMAP_DECLARE(lazy, CHUNK_PAGES);
	/* l  numbers of pages neither taken, and lazy; read without the lock as hints */
	u32 nr_free;
	u32 nr_lazy;
	/* (area_lock) */
	struct list all;
};

struct vlarge {
	unsigned long base;
	size_t pages;
	size_t chunks;
	/* (area_lock) */
	struct list all;
};

static LOCK_CLASS(vchunk_class, RANK_VMALLOC_SPIN);
static __maybe_unused LOCK_CLASS(area_class, RANK_VMALLOC);
static struct mutex area_lock = MUTEX_INIT(area_lock, area_class);
/* (area_lock)  chunks that are not free; those that are small: bits are set, never cleared */
static BITMAP_DECLARE(chunk_taken, CHUNKS);
static BITMAP_DECLARE(chunk_small, CHUNKS);
static struct list chunks = LIST_INIT(chunks);
static struct list larges = LIST_INIT(larges);
/* (area_lock)  chunks that are not free */
static u64 nr_taken;
/* o  where this CPU looks first; a hint */
static DEFINE_PERCPU(struct vchunk *, chunk_here);

static size_t
chunk_index(unsigned long va)
{
	return (va - VMALLOC_BASE) / LARGE_SIZE;
}

static size_t
page_index(unsigned long va)
{
	return va / PAGE_SIZE % CHUNK_PAGES;
}

/* The page-table page of a small chunk carries its record. */
static struct page *
chunk_table(unsigned long va)
{
	return phys_to_page(*kmap_large_entry(va, false) & PTE_ADDR);
}

static struct vchunk *
chunk_of(unsigned long va)
{
	if (!bit_test(chunk_small, chunk_index(va)))
		return NULL;
	return (struct vchunk *)chunk_table(va)->private[0];
}

/* --- small --- */

/* Takes n pages and a guard in c; 0: no room. */
static unsigned long
chunk_take(struct vchunk *c, size_t n)
{
	unsigned long va = 0, flags;
	size_t at;

	if (READ_ONCE(c->nr_free) < n + 1)
		return 0;
	flags = spin_lock_irq(&c->lock);
	at = bitmap_find_zero_run(c->taken, CHUNK_PAGES, 0, n + 1, 1);
	if (at < CHUNK_PAGES) {
		bitmap_set_range(c->taken, at, n + 1);
		bit_set(c->ends, at + n);
		WRITE_ONCE(c->nr_free, c->nr_free - ((u32)n + 1));
		va = c->base + at * PAGE_SIZE;
	}
	spin_unlock_irq(&c->lock, flags);
	return va;
}

/* The run at va (n pages and guard) is not mapped any more. */
static void
chunk_give(struct vchunk *c, unsigned long va, size_t n)
{
	size_t at = page_index(va);
	unsigned long flags = spin_lock_irq(&c->lock);

	bit_clear(c->ends, at + n);
	bitmap_set_range(c->lazy, at, n + 1);
	WRITE_ONCE(c->nr_lazy, c->nr_lazy + (u32)n + 1);
	spin_unlock_irq(&c->lock, flags);
}

/* Makes the lazy pages of c free. May sleep. */
static void
chunk_flush(struct vchunk *c)
{
	BITMAP_DECLARE(done, CHUNK_PAGES);
	unsigned long flags;
	size_t first, last;
	u32 n;

	flags = spin_lock_irq(&c->lock);
	bitmap_copy(done, c->lazy, CHUNK_PAGES);
	bitmap_zero(c->lazy, CHUNK_PAGES);
	spin_unlock_irq(&c->lock, flags);
	first = bitmap_first_one(done, CHUNK_PAGES);
	if (first == CHUNK_PAGES)
		return;
	last = bitmap_last_one(done, CHUNK_PAGES);
	tlb_flush_kernel(c->base + first * PAGE_SIZE, c->base + (last + 1) * PAGE_SIZE);
	flags = spin_lock_irq(&c->lock);
	bitmap_andnot(c->taken, c->taken, done, CHUNK_PAGES);
	n = (u32)bitmap_weight(done, CHUNK_PAGES);
	WRITE_ONCE(c->nr_lazy, c->nr_lazy - n);
	WRITE_ONCE(c->nr_free, c->nr_free + n);
	spin_unlock_irq(&c->lock, flags);
}

/* n chunks in a row; CHUNKS: none. */
static size_t
chunks_take(size_t n) __must_hold(&area_lock)
{
	size_t i = bitmap_find_zero_run(chunk_taken, CHUNKS, 0, n, 1);

	if (i < CHUNKS) {
		bitmap_set_range(chunk_taken, i, n);
		nr_taken += n;
	}
	return i;
}

/* A new small chunk; no lock held, since an allocation may reclaim, which may vfree(). */
static struct vchunk *
chunk_make(void)
{
	struct vchunk *c = kzalloc(sizeof(*c), GFP_KERNEL);
	size_t i;

	if (c == NULL)
		return NULL;
	mutex_lock(&area_lock);
	i = chunks_take(1);
	mutex_unlock(&area_lock);
	if (i == CHUNKS)
		goto out_free;
	c->base = VMALLOC_BASE + i * LARGE_SIZE;
	if (kmap_entry(c->base, true) == NULL)
		goto out_give;
	spin_init(&c->lock, &vchunk_class);
	c->nr_free = CHUNK_PAGES;
	chunk_table(c->base)->private[0] = (u64)c;
	mutex_lock(&area_lock);
	bit_set(chunk_small, i);
	list_add(&c->all, &chunks);
	mutex_unlock(&area_lock);
	return c;
out_give:
	mutex_lock(&area_lock);
	bit_clear(chunk_taken, i);
	nr_taken--;
	mutex_unlock(&area_lock);
out_free:
	kfree(c);
	return NULL;
}

/* Pages that a chunk must have, free or lazy, to be looked at. */
#define WORTH_A_LOOK (CHUNK_PAGES / 4)

/* n pages in any small chunk that has at least `least` pages free or lazy; 0: none. */
static unsigned long
small_search(size_t n, size_t least)
{
	unsigned long va = 0;
	struct vchunk *c;

	mutex_lock(&area_lock);
	list_for_each_entry(c, &chunks, all) {
		if (READ_ONCE(c->nr_free) + READ_ONCE(c->nr_lazy) < least)
			continue;
		va = chunk_take(c, n);
		if (va == 0 && READ_ONCE(c->nr_lazy) > 0) {
			chunk_flush(c);
			va = chunk_take(c, n);
		}
		if (va != 0) {
			this_cpu_write(chunk_here, c);
			break;
		}
	}
	mutex_unlock(&area_lock);
	return va;
}

/* This CPU's chunk has no room: another, one that a flush helps, a new one, any corner. */
static unsigned long
small_take_slow(size_t n)
{
	unsigned long va = small_search(n, WORTH_A_LOOK);
	struct vchunk *c;

	if (va != 0)
		return va;
	c = chunk_make();
	if (c == NULL)
		return small_search(n, n + 1);
	va = chunk_take(c, n);
	this_cpu_write(chunk_here, c);
	return va != 0 ? va : small_search(n, n + 1);
}

static unsigned long
small_take(size_t n)
{
	struct vchunk *c = this_cpu_read(chunk_here);
	unsigned long va = 0;

	if (c != NULL)
		va = chunk_take(c, n);
	return va != 0 ? va : small_take_slow(n);
}

/* --- large --- */

static unsigned long
large_take(size_t n)
{
	struct vlarge *l = kzalloc(sizeof(*l), GFP_KERNEL);
	size_t i;

	if (l == NULL)
		return 0;
	l->pages = n;
	l->chunks = div_round_up(n + 1, CHUNK_PAGES);
	mutex_lock(&area_lock);
	i = l->chunks <= CHUNKS ? chunks_take(l->chunks) : CHUNKS;
	if (i < CHUNKS) {
		l->base = VMALLOC_BASE + i * LARGE_SIZE;
		list_add(&l->all, &larges);
	}
	mutex_unlock(&area_lock);
	if (i == CHUNKS) {
		kfree(l);
		return 0;
	}
	return l->base;
}

static struct vlarge *
large_find(unsigned long va) __must_hold(&area_lock)
{
	struct vlarge *l;

	list_for_each_entry(l, &larges, all) {
		if (va - l->base < l->chunks * LARGE_SIZE)
			return l;
	}
	return NULL;
}

/* Takes the page-table pages of l, all empty, out of the tables; linked by page->next. */
static struct page *
large_cut_tables(const struct vlarge *l)
{
	struct page *tables = NULL;

	for (size_t i = 0; i < l->chunks; i++) {
		u64 *e = kmap_large_entry(l->base + i * LARGE_SIZE, false);
		struct page *t;

		if (e == NULL || !(*e & PTE_P))
			continue;
		t = phys_to_page(*e & PTE_ADDR);
		WRITE_ONCE(*e, 0);
		t->next = tables;
		tables = t;
	}
	return tables;
}

/* What was mapped is gone from the tables. May sleep. */
static void
large_give(unsigned long va)
{
	struct page *tables;
	struct vlarge *l;

	mutex_lock(&area_lock);
	l = large_find(va);
	ASSERT(l != NULL);
	list_del(&l->all);
	mutex_unlock(&area_lock);
	tables = large_cut_tables(l);
	tlb_flush_kernel(l->base, l->base + l->pages * PAGE_SIZE);
	while (tables != NULL) {
		struct page *t = tables;

		tables = t->next;
		page_put(t);
	}
	mutex_lock(&area_lock);
	bitmap_clear_range(chunk_taken, chunk_index(l->base), l->chunks);
	nr_taken -= l->chunks;
	mutex_unlock(&area_lock);
	kfree(l);
}

/* --- both --- */

unsigned long
kmap_area_take(size_t n)
{
	unsigned long va = n + 1 <= SMALL_MAX ? small_take(n) : large_take(n);

	if (CONFIG_KASAN && va != 0 && !kasan_map_area(va, n)) {
		kmap_area_give(va, n);
		return 0;
	}
	return va;
}

void
kmap_area_give(unsigned long va, size_t n)
{
	struct vchunk *c = chunk_of(va);

	if (c != NULL)
		chunk_give(c, va, n);
	else
		large_give(va);
}

/* Pages of the mapping that starts at va. */
static size_t
area_pages(unsigned long va)
{
	struct vchunk *c = chunk_of(va);
	struct vlarge *l;
	size_t n;

	if (c != NULL) {
		size_t at = page_index(va);
		unsigned long flags = spin_lock_irq(&c->lock);

		/* The ends of others lie in the same word. */
		n = bitmap_next_one(c->ends, CHUNK_PAGES, at) - at;
		spin_unlock_irq(&c->lock, flags);
		return n;
	}
	mutex_lock(&area_lock);
	l = large_find(va);
	ASSERT(l != NULL);
	n = l->pages;
	mutex_unlock(&area_lock);
	return n;
}

void
kmap_unmap_range(unsigned long va, size_t n)
{
	unsigned long end = va + n * PAGE_SIZE;

	while (va < end) {
		u64 *e = kmap_large_entry(va, false);

		if (e != NULL && (*e & PTE_PS)) {
			WRITE_ONCE(*e, 0);
			va += LARGE_SIZE;
			continue;
		}
		e = kmap_entry(va, false);
		if (e != NULL && (*e & PTE_P)) {
			u64 old = *e;

			WRITE_ONCE(*e, 0);
			if (old & KMAP_OWNED)
				page_put(phys_to_page(old & PTE_ADDR));
		}
		va += PAGE_SIZE;
	}
}

void
kmap_area_free(unsigned long va)
{
	size_t n = area_pages(va);

	kmap_unmap_range(va, n);
	kmap_area_give(va, n);
}

/* Maps one new page at va. */
static int
map_new(unsigned long va, unsigned int node, gfp_t gfp)
{
	struct page *p;
	u64 *e;

	p = page_alloc_node(node, 0, gfp);
	if (p == NULL)
		return -ENOMEM;
	e = kmap_entry(va, true);
	if (e == NULL) {
		page_put(p);
		return -ENOMEM;
	}
	WRITE_ONCE(*e, page_to_phys(p) | kmap_bits(MAP_RW, MAP_WB) | KMAP_OWNED);
	return 0;
}

void *
vmalloc_node(size_t size, unsigned int node, gfp_t gfp)
{
	size_t n = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	unsigned long va;

	/* More than there is can only fail, after long work. */
	if (n == 0 || n > pages_total() || fail_alloc(gfp))
		return NULL;
	va = kmap_area_take(n);
	if (va == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (map_new(va + i * PAGE_SIZE, node, gfp) != 0) {
			kmap_unmap_range(va, i);
			kmap_area_give(va, n);
			return NULL;
		}
	}
	return (void *)va;
}

void *
vmalloc(size_t size, gfp_t gfp)
{
	void *p = vmalloc_node(size, CONFIG_MAX_NODES, gfp);

	if (p != NULL)
		mm_stat_add(MM_VMALLOC, (s64)div_round_up(size, PAGE_SIZE));
	return p;
}

void
vfree(const void *p)
{
	if (p == NULL)
		return;
	ASSERT(is_vmalloc(p));
	mm_stat_sub(MM_VMALLOC, (s64)area_pages((unsigned long)p));
	kmap_area_free((unsigned long)p);
}

void
vfree_stack(void *p)
{
	kmap_area_free((unsigned long)p);
}

size_t
vmalloc_size(const void *p)
{
	return area_pages((unsigned long)p) * PAGE_SIZE;
}

struct page *
vmalloc_to_page(const void *p)
{
	u64 e = is_vmalloc(p) ? kmap_lookup((unsigned long)p) : 0;

	return e & KMAP_OWNED ? phys_to_page(e & PTE_ADDR) : NULL;
}

/* --- figures --- */

void
vmalloc_drain(void)
{
	struct vchunk *c;

	kstack_drain();
	mutex_lock(&area_lock);
	list_for_each_entry(c, &chunks, all)
		chunk_flush(c);
	mutex_unlock(&area_lock);
}

u64
vmalloc_used(void)
{
	struct vchunk *c;
	u64 n;

	mutex_lock(&area_lock);
	n = nr_taken * CHUNK_PAGES;
	list_for_each_entry(c, &chunks, all)
		n -= READ_ONCE(c->nr_free) + READ_ONCE(c->nr_lazy);
	mutex_unlock(&area_lock);
	return n;
}

u64
vmalloc_total(void)
{
	return CHUNKS * CHUNK_PAGES;
}
