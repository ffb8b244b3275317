/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object caches: magazines and depots.
 *
 * Model: a free object is in one of three places, nearest first:
 *      magazine   two chains of this CPU: loaded, spare
 *      depot      full chains that any CPU of the node takes and leaves whole
 *      slab       the pages it was cut from (mm/slab_pages.c)
 * A chain is linked through the free objects: a magazine needs no memory of its
 * own. An allocation takes the head of the loaded chain; when it is empty the
 * spare one is loaded, else a chain from the depot, else one is made from slabs.
 * A free goes the other way. So a CPU that allocates and frees in any pattern
 * goes to the depot at most once for `limit` operations, and limit doubles with
 * every fourth trip, up to limit_max.
 *
 * Ownership: an object freed on a CPU is that CPU's, wherever it came from.
 *
 * Locking: the fast path has none: it is pinned and sets slab_cpu.busy. An
 * interrupt on the same CPU that finds busy set works on slabs instead. Depot
 * and slabs of a node: slab_node.lock (RANK_SLAB), interrupts off.
 *
 * Ordering: interrupts see this CPU's stores in program order: compiler barriers.
 *
 * Contexts: alloc with GFP_ATOMIC and free any but NMI.
 *
 * Rejected: arrays of pointers as magazines (memory for each CPU and cache, one
 * more line on the path); compare-and-exchange of (head, generation) in place
 * of busy (16-byte operations cost more than two byte stores).
 *
 * See: Bonwick, Adams: Magazines and Vmem, USENIX 2001.
 */
#include "mm/slab.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/kasan.h"
#include "mm/slab_impl.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"

#define LIMIT_FIRST 8u
#define TRIPS_TO_GROW 4

static struct slab_node *
node_here(struct slab_cache *c)
{
	unsigned int n = this_cpu_read(pcp.node);

	return &c->node[n < slab_nodes ? n : 0];
}

/* A longer chain for a CPU that comes often. */
static void
limit_update(struct slab_cache *c, struct slab_cpu *m)
{
	if (m->limit == 0)
		m->limit = min(LIMIT_FIRST, c->limit_max);
	else if (++m->trips % TRIPS_TO_GROW == 0)
		m->limit = min(m->limit * 2, c->limit_max);
}

u32
slab_depot_get(struct slab_cache *c, struct slab_node *sn, void **chain)
{
	void *first = sn->chains;
	u32 n;

	if (first == NULL)
		return 0;
	n = slab_chain_count(c, first);
	sn->chains = slab_chain_next(c, first);
	sn->nr_chains--;
	sn->depot_objects -= n;
	*chain = first;
	return n;
}

/* A chain of the depot, or up to `want` objects of slabs. */
static u32
node_get(struct slab_cache *c, struct slab_node *sn, u32 want, void **chain)
{
	unsigned long flags = spin_lock_irq(&sn->lock);
	u32 n = slab_depot_get(c, sn, chain);

	if (n == 0)
		n = slab_take(c, sn, want, chain);
	spin_unlock_irq(&sn->lock, flags);
	return n;
}

/* Leaves a full chain in the depot; false: no room. */
static bool
depot_put(struct slab_cache *c, struct slab_node *sn, void *chain, u32 n)
{
	unsigned long flags = spin_lock_irq(&sn->lock);
	bool room = sn->nr_chains < c->depot_max;

	if (room) {
		slab_chain_set(c, chain, n, sn->chains);
		sn->chains = chain;
		sn->nr_chains++;
		sn->depot_objects += n;
	}
	spin_unlock_irq(&sn->lock, flags);
	return room;
}

/* An object of this CPU's magazine, filled if need be; NULL: node has none. Pinned. */
static void *
magazine_refill(struct slab_cache *c, struct slab_cpu *m)
{
	void *obj;

	WRITE_ONCE(m->busy, 1);
	barrier();
	if (m->head == NULL && m->spare != NULL) {
		m->head = m->spare;
		m->n = m->spare_n;
		m->spare = NULL;
		m->spare_n = 0;
	}
	if (m->head == NULL) {
		void *chain = NULL;

		limit_update(c, m);
		m->n = node_get(c, node_here(c), max(m->limit, 2u), &chain);
		m->head = chain;
	}
	obj = m->head;
	if (obj != NULL) {
		m->head = *slab_link(c, obj);
		m->n--;
	}
	barrier();
	WRITE_ONCE(m->busy, 0);
	return obj;
}

/* Inside an interrupt that found the magazine in use: one object, the rest of a chain goes back. */
static void *
node_alloc_one(struct slab_cache *c)
{
	void *obj = NULL;

	if (node_get(c, node_here(c), 1, &obj) > 1)
		slab_give_chain(c, *slab_link(c, obj));
	return obj;
}

static __always_inline void *
magazine_pop(struct slab_cache *c)
{
	struct slab_cpu __percpu *m = c->cpu;
	void *obj = NULL;

	pin();
	if (busy_enter(m->busy)) {
		obj = this_cpu_read(m->head);
		if (likely(obj != NULL)) {
			this_cpu_write(m->head, *slab_link(c, obj));
			this_cpu_dec(m->n);
		}
		busy_leave(m->busy);
	}
	unpin_leaf();
	return obj;
}

static __always_inline void
object_zero(const struct slab_cache *c, void *obj, size_t asked)
{
	unsigned long n = c->words;

	if (SLAB_HOOKS) {
		/* Not the red zone behind it. */
		memset(obj, 0, asked);
		return;
	}

	__asm__ volatile("rep stosq" : "+D"(obj), "+c"(n) : "a"(0UL) : "memory");
}

/* An object from anywhere; NULL: no memory. */
static void *
object_find(struct slab_cache *c, gfp_t gfp)
{
	for (;;) {
		struct slab_cpu *m;
		unsigned int n;
		void *obj;

		pin();
		m = this_cpu_ptr(c->cpu);
		obj = m->busy ? node_alloc_one(c) : magazine_refill(c, m);
		n = (unsigned int)(node_here(c) - c->node);
		unpin();
		if (obj != NULL)
			return obj;
		if (!slab_grow(c, n, gfp))
			return NULL;
	}
}

/* What is due before the caller gets obj. */
static __always_inline void *
object_prepare(struct slab_cache *c, void *obj, gfp_t gfp, size_t asked, const void *caller)
{
	if (SLAB_HOOKS)
		slab_debug_alloc(c, obj, asked, caller);
	if ((gfp | c->zero) & GFP_ZERO)
		object_zero(c, obj, asked);
	trace_kmem_cache_alloc((unsigned long)caller, obj, asked ? asked : c->size, c->size,
			       (unsigned long __force)gfp, c->name);
	return obj;
}

static __noinline void *
alloc_slow(struct slab_cache *c, gfp_t gfp, size_t asked, const void *caller)
{
	void *obj = object_find(c, gfp);

	return obj == NULL ? NULL : object_prepare(c, obj, gfp, asked, caller);
}

static __always_inline void *
alloc_common(struct slab_cache *c, gfp_t gfp, size_t asked, const void *caller)
{
	void *obj;

	if (CONFIG_DEBUG && (gfp & GFP_KERNEL) && page_allocator_ready())
		assert_may_sleep();
	if (fail_alloc(gfp))
		return NULL;
	obj = magazine_pop(c);
	if (likely(obj != NULL))
		return object_prepare(c, obj, gfp, asked, caller);
	return alloc_slow(c, gfp, asked, caller);
}

void *
slab_alloc(struct slab_cache *c, gfp_t gfp)
{
	return alloc_common(c, gfp, SLAB_HOOKS ? c->size : 0, __builtin_return_address(0));
}

void *
slab_alloc_from(struct slab_cache *c, gfp_t gfp, size_t asked, const void *caller)
{
	return alloc_common(c, gfp, asked, caller);
}

/* The loaded chain is full, or busy. */
static __noinline void
free_slow(struct slab_cache *c, void *obj)
{
	void *full = NULL;
	struct slab_cpu *m;
	u32 n = 0;

	pin();
	m = this_cpu_ptr(c->cpu);
	if (m->busy) {
		unpin();
		*slab_link(c, obj) = NULL;
		slab_give_chain(c, obj);
		return;
	}
	WRITE_ONCE(m->busy, 1);
	barrier();
	if (m->n >= m->limit && m->n > 0) {
		full = m->spare;
		n = m->spare_n;
		m->spare = m->head;
		m->spare_n = m->n;
		m->head = NULL;
		m->n = 0;
	}
	if (full != NULL || m->limit == 0)
		limit_update(c, m);
	*slab_link(c, obj) = m->head;
	m->head = obj;
	m->n++;
	barrier();
	WRITE_ONCE(m->busy, 0);
	if (full != NULL && !depot_put(c, node_here(c), full, n))
		slab_give_chain(c, full);
	unpin();
}

static __always_inline bool
magazine_push(struct slab_cache *c, void *obj)
{
	struct slab_cpu __percpu *m = c->cpu;
	bool done = false;

	pin();
	if (likely(!percpu_reached(m->n, this_cpu_read(m->limit))) && busy_enter(m->busy)) {
		*slab_link(c, obj) = this_cpu_read(m->head);
		barrier();
		this_cpu_write(m->head, obj);
		this_cpu_inc(m->n);
		busy_leave(m->busy);
		done = true;
	}
	unpin_leaf();
	return done;
}

static __always_inline void
object_free(struct slab_cache *c, void *obj, const void *caller)
{
	trace_kmem_cache_free((unsigned long)caller, obj, c->name);
	if (SLAB_HOOKS)
		slab_debug_free(c, obj, caller);
	if (CONFIG_KASAN && !(c->flags & SLAB_TYPESAFE_RCU) && !kasan_delay(&c, &obj))
		return;
	if (unlikely(!magazine_push(c, obj)))
		free_slow(c, obj);
}

void
slab_free(struct slab_cache *c, void *p)
{
	if (likely(p != NULL))
		object_free(c, p, __builtin_return_address(0));
}

/* Here and not in mm/kmalloc.c: the magazine's code is expanded in place. */
void
kfree(const void *p)
{
	struct page *page;

	if (unlikely(p == NULL))
		return;
	page = page_head(virt_to_page(p));
	if (unlikely(page->type != PAGE_SLAB)) {
		DEBUG_ASSERT(p == page_to_virt(page) && page->type == PAGE_KERNEL);
		page_put(page);
		return;
	}
	object_free(page->slab, (void *)p, __builtin_return_address(0));
}

size_t
slab_object_size(const struct slab_cache *c)
{
	return c->size;
}
