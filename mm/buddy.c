/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones of free frames: a binary buddy allocator.
 *
 * Model: a block is 2^order frames, aligned to its size. The block's first
 * struct page says PAGE_FREE and the order and is on free[order]; what the other
 * struct pages of the block say means nothing. Two free buddies of one order are
 * never both there: they become one block.
 *
 * A frame is fresh until its block of the largest order is first needed: then
 * the block's 1024 struct pages (64 KiB) are cleared and the block enters
 * free[]. So boot does not touch the page array of memory that nobody uses.
 *
 * Why a stale PAGE_FREE cannot mislead zone_free(): it looks only at the first
 * frame of a buddy of exactly the order that it is merging. That frame either
 * starts a block, whose type and order are kept right, or lies inside a larger
 * free block; then the block being freed would lie in it too.
 *
 * Locking: zone->lock (RANK_BUDDY), interrupts off; never two zones.
 * Contexts: any but NMI.
 *
 * Rejected: a bitmap of free buddies in place of the type (one more line
 * touched at each step of a merge). Zeroing the whole array at boot: 16 MiB
 * of stores for each GiB.
 */
#include "config/config.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/page_impl.h"

/* A zone keeps 1/64 of its frames from ordinary allocations, but not more than 16 MiB. */
#define RESERVE_SHIFT 6
#define RESERVE_MAX 4096

static LOCK_CLASS(zone_class, RANK_BUDDY);

struct zone zones[ZONES_MAX];
/* I after boot  zones with memory, in the order to try them */
static struct zone *fallback[CONFIG_MAX_NODES][ZONES_MAX + 1];

void
zones_init(void)
{
	for (unsigned int i = 0; i < ZONES_MAX; i++) {
		struct zone *z = &zones[i];

		spin_init(&z->lock, &zone_class);
		z->id = (u8)i;
		z->node = (u8)(i / 2);
		z->mask = 0;
		z->nr_free = 0;
		z->nr_fresh = 0;
		z->total = 0;
		z->reserve = 0;
		for (unsigned int o = 0; o <= PAGE_MAX_ORDER; o++)
			list_init(&z->free[o]);
	}
}

struct zone *const *
zone_order(unsigned int node)
{
	return fallback[node < CONFIG_MAX_NODES ? node : 0];
}

void
zones_set_reserves(void)
{
	for (unsigned int node = 0; node < CONFIG_MAX_NODES; node++) {
		unsigned int n = 0;

		for (unsigned int i = 0; i < CONFIG_MAX_NODES; i++) {
			struct zone *low = &zones[(node + i) % CONFIG_MAX_NODES * 2];

			if (low[1].total != 0)
				fallback[node][n++] = &low[1];
			if (low[0].total != 0)
				fallback[node][n++] = &low[0];
		}
		fallback[node][n] = NULL;
	}
	for (unsigned int i = 0; i < ZONES_MAX; i++)
		zones[i].reserve = min(zones[i].total >> RESERVE_SHIFT, (u64)RESERVE_MAX);
}

/* Makes p the head of a free block. */
static void
block_add(struct zone *z, struct page *p, unsigned int order)
{
	p->refs = 0;
	p->type = PAGE_FREE;
	p->order = (u8)order;
	p->node = z->node;
	p->zone = z->id;
	list_add(&p->link, &z->free[order]);
	z->mask |= 1u << order;
}

static void
block_del(struct zone *z, struct page *p, unsigned int order)
{
	list_del(&p->link);
	if (list_empty(&z->free[order]))
		z->mask &= ~(1u << order);
}

/* The buddy of p at this order if it is free and whole, else NULL. */
static struct page *
block_buddy(const struct zone *z, struct page *p, unsigned int order)
{
	struct page *b = pfn_to_page(page_to_pfn(p) ^ 1UL << order);

	if (b->type != PAGE_FREE || b->order != order || b->zone != z->id)
		return NULL;
	return b;
}

static void
zone_give(struct zone *z, struct page *p, unsigned int order) __must_hold(&z->lock)
{
	struct page *b;

	/* zone_spare() looks without the lock. */
	WRITE_ONCE(z->nr_free, z->nr_free + (1UL << order));
	while (order < PAGE_MAX_ORDER && (b = block_buddy(z, p, order)) != NULL) {
		block_del(z, b, order);
		/* The upper half is no head any more. */
		if (b < p)
			swap(b, p);
		b->type = PAGE_TAIL;
		order++;
	}
	block_add(z, p, order);
}

/* Sets up the struct pages of one fresh block; false: none left. */
static bool
zone_grow(struct zone *z) __must_hold(&z->lock)
{
	struct fresh *f;
	struct page *p;

	if (z->nr_fresh == 0)
		return false;
	f = &z->fresh[z->nr_fresh - 1];
	f->end -= BLOCK_FRAMES;
	p = pfn_to_page(f->end);
	if (f->start == f->end)
		z->nr_fresh--;
	memset(p, 0, BLOCK_FRAMES * sizeof(*p));
	block_add(z, p, PAGE_MAX_ORDER);
	return true;
}

static struct page *
zone_take(struct zone *z, unsigned int order) __must_hold(&z->lock)
{
	struct page *p;
	unsigned int o;

	if (z->mask >> order == 0 && !zone_grow(z))
		return NULL;
	o = order + ctz64(z->mask >> order);
	p = list_first(&z->free[o], struct page, link);
	DEBUG_ASSERT(p->type == PAGE_FREE && p->order == o && p->refs == 0);
	block_del(z, p, o);
	while (o > order) {
		o--;
		block_add(z, p + (1UL << o), o);
	}
	p->type = PAGE_KERNEL;
	p->order = (u8)order;
	WRITE_ONCE(z->nr_free, z->nr_free - (1UL << order));
	return p;
}

/* Frames that may be taken at this level. */
static u64
zone_spare(const struct zone *z, enum page_level level)
{
	u64 keep = level == LEVEL_NORMAL ? z->reserve : level == LEVEL_ATOMIC ? z->reserve / 2 : 0;
	u64 n = READ_ONCE(z->nr_free);

	return n > keep ? n - keep : 0;
}

struct page *
zone_alloc(struct zone *z, unsigned int order, enum page_level level)
{
	struct page *p = NULL;
	unsigned long flags;

	if (zone_spare(z, level) < 1UL << order)
		return NULL;
	flags = spin_lock_irq(&z->lock);
	if (zone_spare(z, level) >= 1UL << order)
		p = zone_take(z, order);
	spin_unlock_irq(&z->lock, flags);
	return p;
}

unsigned int
zone_alloc_chain(struct zone *z, unsigned int n, enum page_level level, struct page **chain)
{
	unsigned int got = 0;
	unsigned long flags;
	u64 spare;

	if (zone_spare(z, level) == 0)
		return 0;
	flags = spin_lock_irq(&z->lock);
	spare = zone_spare(z, level);
	while (got < n && got < spare) {
		struct page *p = zone_take(z, 0);

		if (p == NULL)
			break;
		p->next = *chain;
		*chain = p;
		got++;
	}
	spin_unlock_irq(&z->lock, flags);
	return got;
}

void
zone_free(struct page *p, unsigned int order)
{
	struct zone *z = page_zone(p);
	unsigned long flags;

	flags = spin_lock_irq(&z->lock);
	zone_give(z, p, order);
	spin_unlock_irq(&z->lock, flags);
}

void
zone_free_chain(struct page *chain)
{
	while (chain != NULL) {
		struct zone *z = page_zone(chain);
		unsigned long flags = spin_lock_irq(&z->lock);

		while (chain != NULL && chain->zone == z->id) {
			struct page *p = chain;

			chain = p->next;
			zone_give(z, p, 0);
		}
		spin_unlock_irq(&z->lock, flags);
	}
}

static u8
zone_id(u32 node, u64 pfn)
{
	return (u8)(node * 2 + (pfn >= DMA32_END >> PAGE_SHIFT));
}

void
zone_add_frames(u32 node, u64 start, u64 end)
{
	struct zone *z = &zones[zone_id(node, start)];
	unsigned long flags = spin_lock_irq(&z->lock);

	z->total += end - start;
	while (start < end) {
		unsigned int order = 0;

		while (order < PAGE_MAX_ORDER && is_aligned(start, 2UL << order) &&
		       start + (2UL << order) <= end)
			order++;
		zone_give(z, pfn_to_page(start), order);
		start += 1UL << order;
	}
	spin_unlock_irq(&z->lock, flags);
}

/* Whole blocks of one zone. */
static void
zone_add_fresh(u32 node, u64 start, u64 end)
{
	struct zone *z = &zones[zone_id(node, start)];

	if (z->nr_fresh == ZONE_FRESH_MAX) {
		/* A fragmented map: set up now what finds no room in the list. */
		memset(pfn_to_page(start), 0, (end - start) * sizeof(struct page));
		zone_add_frames(node, start, end);
		return;
	}
	z->fresh[z->nr_fresh++] = (struct fresh){.start = start, .end = end};
	z->total += end - start;
	z->nr_free += end - start;
}

void
zone_add_range(u32 node, u64 start, u64 end)
{
	u64 border = DMA32_END >> PAGE_SHIFT;
	u64 first = align_up(start, BLOCK_FRAMES), last = align_down(end, BLOCK_FRAMES);

	if (start < border && end > border) {
		zone_add_range(node, start, border);
		zone_add_range(node, border, end);
		return;
	}
	if (first >= last) {
		zone_add_frames(node, start, end);
		return;
	}
	if (start < first)
		zone_add_frames(node, start, first);
	zone_add_fresh(node, first, last);
	if (last < end)
		zone_add_frames(node, last, end);
}

bool
zone_frame_used(u64 pfn)
{
	for (unsigned int i = 0; i < ZONES_MAX; i++) {
		const struct zone *z = &zones[i];

		for (unsigned int k = 0; k < READ_ONCE(z->nr_fresh); k++) {
			if (pfn >= z->fresh[k].start && pfn < READ_ONCE(z->fresh[k].end))
				return false;
		}
	}
	return true;
}

void
zone_count_free(struct zone *z, u64 count[PAGE_MAX_ORDER + 1])
{
	unsigned long flags = spin_lock_irq(&z->lock);

	for (unsigned int o = 0; o <= PAGE_MAX_ORDER; o++)
		count[o] = list_count(&z->free[o]);
	for (unsigned int k = 0; k < z->nr_fresh; k++)
		count[PAGE_MAX_ORDER] += (z->fresh[k].end - z->fresh[k].start) / BLOCK_FRAMES;
	spin_unlock_irq(&z->lock, flags);
}
