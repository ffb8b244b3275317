/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slabs: the pages that objects are cut from.
 *
 * Model: a slab is a block of pages of type PAGE_SLAB, cut into per_slab slots
 * of equal size. Slots 0 to slab_fresh - 1 have been handed out at least once;
 * those of them that came back are on slab_free, the others are in use or in a
 * chain (slab_inuse counts both). Slots from slab_fresh on have never been
 * touched. The struct page of the first frame holds all of this.
 *
 * States of a slab, by slab_inuse:
 *      0                 empty: on partial, counted in node->empty
 *      1 to per_slab-1   on partial
 *      per_slab          on no list (debug kernels: on full)
 *
 * Ownership: the node that made it (slab_state), whichever node the frames are
 * of. Its fields are covered by that node's lock.
 *
 * Locking: slab_node.lock (RANK_SLAB), interrupts off, one at a time; pages are
 * freed after it is dropped.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/meminfo.h"
#include "mm/slab_impl.h"
#include "sync/rcu.h"

/* An order is good when a slab holds this many objects and wastes no more than 1/8. */
#define SLAB_OBJECTS_GOOD 4
#define SLAB_ORDER_MAX 3
/* Empty slabs that a node keeps for the next burst. */
#define SLAB_KEEP 1
#define CHAIN_BYTES_MAX 16384u
#define CHAIN_MAX 64u

static u32
order_for(u32 slot, u32 lead)
{
	for (u32 o = 0; o <= SLAB_ORDER_MAX; o++) {
		u32 bytes = (u32)(PAGE_SIZE << o) - lead;
		u32 n = bytes / slot;

		if (n >= SLAB_OBJECTS_GOOD && (bytes - n * slot) * 8 <= bytes)
			return o;
	}
	return max((u32)SLAB_ORDER_MAX, (u32)ilog2_up(div_round_up(slot + lead, PAGE_SIZE)));
}

void
slab_layout(struct slab_cache *c, size_t size, size_t align)
{
	u32 words = (u32)align_up(size, 8UL);
	u32 lead = SLAB_HOOKS ? CACHE_LINE : 0;
	u32 rest;

	if (align == 0)
		align = size >= CACHE_LINE ? CACHE_LINE : 8;
	align = max(align, (size_t)8);
	c->size = (u32)size;
	c->words = words / 8;
	c->align = (u32)align;
	if (SLAB_HOOKS) {
		/* A red zone of at least 8 bytes, then struct slab_meta. */
		c->link = words + 8;
		c->slot = c->link + slab_debug_room();
		lead = max(lead, (u32)align);
	} else if (c->flags & SLAB_TYPESAFE_RCU) {
		c->link = words;
		c->slot = words + 16;
	} else {
		c->link = 0;
		c->slot = max(words, 16u);
	}
	c->slot = align_up(c->slot, (u32)align);
	c->order = order_for(c->slot, lead);
	rest = (u32)(PAGE_SIZE << c->order) - lead;
	c->per_slab = rest / c->slot;
	rest -= c->per_slab * c->slot;
	c->colours = SLAB_HOOKS ? 1 : rest / max((u32)align, (u32)CACHE_LINE) + 1;
	c->limit_max = clamp(CHAIN_BYTES_MAX / c->slot, 2u, CHAIN_MAX);
}

/* Where the first object of the next slab goes. */
static u32
next_offset(const struct slab_cache *c, struct slab_node *sn)
{
	u32 unit = max(c->align, (u32)CACHE_LINE);

	if (SLAB_HOOKS)
		return unit;
	sn->colour = sn->colour + 1 < c->colours ? sn->colour + 1 : 0;
	return sn->colour * unit;
}

bool
slab_grow(struct slab_cache *c, unsigned int n, gfp_t gfp)
{
	struct slab_node *sn = &c->node[n];
	struct page *slab = page_alloc(c->order, gfp & ~GFP_ZERO);
	unsigned long flags;

	if (slab == NULL)
		return false;
	mm_stat_add(MM_SLAB, 1L << c->order);
	slab->slab = c;
	slab->slab_free = NULL;
	slab->slab_inuse = 0;
	slab->slab_fresh = 0;
	slab->slab_state = (u16)n;
	/* From here on kfree() finds the cache through the page. */
	slab->type = PAGE_SLAB;
	flags = spin_lock_irq(&sn->lock);
	slab->slab_offset = (u16)next_offset(c, sn);
	if (SLAB_HOOKS)
		slab_debug_new(c, slab);
	list_add(&slab->link, &sn->partial);
	sn->slabs++;
	sn->empty++;
	sn->free_objects += c->per_slab;
	spin_unlock_irq(&sn->lock, flags);
	return true;
}

static void *
slab_take_one(struct slab_cache *c, struct page *slab)
{
	void *obj = slab->slab_free;

	if (obj != NULL) {
		slab->slab_free = *slab_link(c, obj);
	} else {
		obj = (char *)page_to_virt(slab) + slab->slab_offset + slab->slab_fresh * c->slot;
		slab->slab_fresh++;
	}
	slab->slab_inuse++;
	return obj;
}

u32
slab_take(struct slab_cache *c, struct slab_node *sn, u32 want, void **chain)
{
	u32 got = 0;

	while (got < want && !list_empty(&sn->partial)) {
		struct page *slab = list_first(&sn->partial, struct page, link);

		sn->empty -= slab->slab_inuse == 0;
		while (got < want && slab->slab_inuse < c->per_slab) {
			void *obj = slab_take_one(c, slab);

			*slab_link(c, obj) = *chain;
			*chain = obj;
			got++;
		}
		if (slab->slab_inuse == c->per_slab) {
			list_del(&slab->link);
			if (SLAB_HOOKS)
				list_add(&slab->link, &sn->full);
		}
	}
	sn->free_objects -= got;
	return got;
}

static void
slab_release_rcu(struct rcu_head *h)
{
	page_put(container_of(h, struct page, rcu));
}

/* Gives the pages of slabs, linked by page->next, back. */
static void
slab_release(struct slab_cache *c, struct page *slabs)
{
	while (slabs != NULL) {
		struct page *slab = slabs;

		slabs = slab->next;
		mm_stat_sub(MM_SLAB, 1L << c->order);
		/* Readers of type-safe objects never look at the struct page. */
		if (c->flags & SLAB_TYPESAFE_RCU)
			rcu_call(&slab->rcu, slab_release_rcu);
		else
			page_put(slab);
	}
}

/* Takes an empty slab off its node; it goes in front of *gone. */
static void
slab_retire(struct slab_cache *c, struct slab_node *sn, struct page *slab, struct page **gone)
{
	list_del(&slab->link);
	sn->slabs--;
	sn->empty--;
	sn->free_objects -= c->per_slab;
	slab->type = PAGE_KERNEL;
	slab->next = *gone;
	*gone = slab;
}

static void
slab_give_one(struct slab_cache *c, struct slab_node *sn, void *obj, struct page **gone)
{
	struct page *slab = slab_page(obj);

	*slab_link(c, obj) = slab->slab_free;
	slab->slab_free = obj;
	sn->free_objects++;
	if (slab->slab_inuse-- == c->per_slab) {
		if (SLAB_HOOKS)
			list_del(&slab->link);
		list_add(&slab->link, &sn->partial);
	}
	if (slab->slab_inuse != 0)
		return;
	sn->empty++;
	if (sn->empty > SLAB_KEEP)
		slab_retire(c, sn, slab, gone);
	else
		/* Partly used slabs are taken from first, so that empty ones can go. */
		list_move_tail(&slab->link, &sn->partial);
}

void
slab_give_chain(struct slab_cache *c, void *chain)
{
	struct page *gone = NULL;

	while (chain != NULL) {
		u16 n = slab_page(chain)->slab_state;
		struct slab_node *sn = &c->node[n];
		unsigned long flags = spin_lock_irq(&sn->lock);

		while (chain != NULL && slab_page(chain)->slab_state == n) {
			void *obj = chain;

			chain = *slab_link(c, obj);
			slab_give_one(c, sn, obj, &gone);
		}
		spin_unlock_irq(&sn->lock, flags);
	}
	slab_release(c, gone);
}

u64
slab_trim(struct slab_cache *c, struct slab_node *sn, u64 keep)
{
	unsigned long flags = spin_lock_irq(&sn->lock);
	struct page *slab, *tmp, *gone = NULL;
	u64 freed = 0;

	list_for_each_entry_safe(slab, tmp, &sn->partial, link) {
		if (sn->empty <= keep)
			break;
		if (slab->slab_inuse == 0) {
			slab_retire(c, sn, slab, &gone);
			freed += 1UL << c->order;
		}
	}
	spin_unlock_irq(&sn->lock, flags);
	slab_release(c, gone);
	return freed;
}

void *
slab_object_of(const struct page *slab, const void *p)
{
	char *base = (char *)page_to_virt(slab) + slab->slab_offset;
	u32 slot = slab->slab->slot;

	return base + ((size_t)((const char *)p - base) / slot) * slot;
}
