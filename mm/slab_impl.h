/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the object allocator: mm/slab*.c, mm/kmalloc.c, their tests, the debugger. */
#ifndef MM_SLAB_IMPL_H
#define MM_SLAB_IMPL_H

#include "config/config.h"
#include "lib/list.h"
#include "mm/page_impl.h"
#include "mm/slab.h"
#include "percpu/percpu.h"
#include "sync/spinlock.h"

/*
 * The magazines of one cache on one CPU. A chain is a list of free objects
 * linked through themselves (at slab_cache.link); loaded is used and filled,
 * spare is full or empty.
 */
struct slab_cpu {
	/* o  first object of the loaded chain */
	void *head;
	/* o  objects in it */
	u32 n;
	/* o  length of a chain here, grows with use; 0: not used yet */
	u32 limit;
	/* o */
	void *spare;
	u32 spare_n;
	/* o  a task is inside; an interrupt that finds it set goes around */
	u8 busy;
	/* o  trips to the depot, for growth */
	u8 trips;
	u16 unused;
};
static_assert(sizeof(struct slab_cpu) == 32, "two caches share a line of this CPU");

/* What the CPUs of one memory node share of one cache. */
struct slab_node {
	struct spinlock lock;
	/* l  the depot: full chains, and how many of them and objects in them */
	void *chains;
	u32 nr_chains;
	u32 depot_objects;
	/* l  slabs with free objects; those without, in debug kernels */
	struct list partial;
	struct list full;
	/* l  all slabs, those on partial without a used object, free objects in slabs */
	u64 slabs;
	u64 empty;
	u64 free_objects;
	/* l  offset of the next slab's first object, in cache lines */
	u32 colour;
} __cacheline_aligned;

struct slab_cache {
	/* I  what the fast path reads */
	struct slab_cpu __percpu *cpu;
	/* I  where in a slot the links are: the next object of a chain, then the next chain */
	u32 link;
	/* I  GFP_ZERO for SLAB_ZERO caches, else 0 */
	gfp_t zero;
	/* I  8-byte words to clear */
	u32 words;
	/* I  SLAB_* */
	u32 flags;
	/* I  bytes: as asked for; of a slot */
	u32 size;
	u32 slot;
	u32 align;
	/* I  slots in a slab, its order, distinct colours */
	u32 per_slab;
	u32 order;
	u32 colours;
	/* I  longest chain; most chains in a depot */
	u32 limit_max;
	u32 depot_max;
	/* I  index in the static per-CPU array; -1: from percpu_alloc() */
	s32 static_cpu;
	const char *name;
	/* (caches_lock)  destroyed, but some CPU that leaves still has objects of it */
	bool dying;
	struct list all;
	/* One for each node with memory. */
	struct slab_node node[];
};

/* Memory nodes that caches are split by. */
extern unsigned int slab_nodes;

static inline void **
slab_link(const struct slab_cache *c, void *obj)
{
	return (void **)((char *)obj + c->link);
}

/*
 * The second word at the first object of a chain in the depot: the next chain
 * in bits 0-47 (sign-extended when read), the number of objects in 48-63.
 */
static inline u64 *
slab_chain_word(const struct slab_cache *c, void *obj)
{
	return (u64 *)((char *)obj + c->link + 8);
}

static inline void
slab_chain_set(const struct slab_cache *c, void *chain, u32 n, void *next)
{
	*slab_chain_word(c, chain) = ((u64)next & 0xffffffffffffUL) | (u64)n << 48;
}

static inline void *
slab_chain_next(const struct slab_cache *c, void *chain)
{
	return (void *)((s64)(*slab_chain_word(c, chain) << 16) >> 16);
}

static inline u32
slab_chain_count(const struct slab_cache *c, void *chain)
{
	return (u32)(*slab_chain_word(c, chain) >> 48);
}

static inline struct page *
slab_page(const void *obj)
{
	return page_head(virt_to_page(obj));
}

/* mm/slab_pages.c: slabs and their free objects. */

/* Sets size, slot, order and so on of c from size, align and flags. */
void slab_layout(struct slab_cache *c, size_t size, size_t align);
/* One more slab for node n; false: no memory. */
bool slab_grow(struct slab_cache *c, unsigned int n, gfp_t gfp);
/* Moves up to `want` free objects from slabs to *chain (in front); returns how many. */
u32 slab_take(struct slab_cache *c, struct slab_node *sn, u32 want, void **chain)
	__must_hold(&sn->lock);
/* Gives a chain back to the slabs that its objects belong to, of any node. */
void slab_give_chain(struct slab_cache *c, void *chain);
/* Frees empty slabs of a node but `keep`; returns pages freed. */
u64 slab_trim(struct slab_cache *c, struct slab_node *sn, u64 keep);
/* The first byte of the slot that p points into. */
void *slab_object_of(const struct page *slab, const void *p);

/* mm/slab.c */
/* Takes a chain out of the depot; objects in it, 0: there is none. */
u32 slab_depot_get(struct slab_cache *c, struct slab_node *sn, void **chain) __must_hold(&sn->lock);
void *slab_alloc_from(struct slab_cache *c, gfp_t gfp, size_t size, const void *caller);

/* mm/slab_cache.c */
void slab_init(void);
/* Fills in a cache whose memory and per-CPU part exist, and lists it. */
void slab_cache_set_up(struct slab_cache *c, const char *name, size_t size, size_t align,
		       u32 flags);
/* Objects in chains of CPUs and depots, and in use. Racy while others allocate. */
void slab_count(const struct slab_cache *c, u64 *cached, u64 *used, u64 *slabs);
/* Walks the list of caches with the list's lock held. */
int slab_for_each_cache(int (*fn)(struct slab_cache *c, void *ctx), void *ctx);

/*
 * mm/slab_debug.c: what debug kernels (and later KASAN) do at each step of an
 * object's life; called only if CONFIG_DEBUG. A broken object stops the kernel.
 */
#define SLAB_HOOKS CONFIG_DEBUG
/* Behind the object: red zone, then this; `link` of the cache is its first word. */
struct slab_meta {
	u64 links[2];
	unsigned long alloc_caller;
	unsigned long free_caller;
	/* SLOT_FREE or SLOT_USED */
	u32 state;
	/* Bytes asked for: the red zone starts there. */
	u32 asked;
	u64 guard;
};
u32 slab_debug_room(void);
void slab_debug_new(struct slab_cache *c, struct page *slab);
void slab_debug_alloc(struct slab_cache *c, void *obj, size_t asked, const void *caller);
void slab_debug_free(struct slab_cache *c, void *obj, const void *caller);
/* Logs whose object p of a slab is in. */
void slab_debug_describe(const struct page *slab, const void *p);
/* Bytes asked for. */
size_t slab_debug_size(const struct slab_cache *c, const void *obj);
/* Logs up to max used objects of c with their callers; returns how many are used. */
u64 slab_debug_leaks(struct slab_cache *c, u64 max);

#endif
