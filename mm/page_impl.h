/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the page allocator: zones (mm/buddy.c) and per-CPU lists (mm/pcp.c). */
#ifndef MM_PAGE_IMPL_H
#define MM_PAGE_IMPL_H

#include "config/config.h"
#include "lib/list.h"
#include "mm/busy.h"
#include "mm/page.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/spinlock.h"

/* A node has two zones: below 4 GiB, where every device reaches, and above. */
#define ZONES_MAX (CONFIG_MAX_NODES * 2)
#define ZONE_FRESH_MAX 8
#define DMA32_END (1UL << 32)
/* Frames in a block of the largest order. */
#define BLOCK_FRAMES (1UL << PAGE_MAX_ORDER)

/* Frames never used yet, whole blocks: their struct pages are not set up. */
struct fresh {
	u64 start;
	u64 end;
};

struct zone {
	struct spinlock lock;
	/* l  bit o set: free[o] has a block */
	u32 mask;
	/* l  frames in free[] and fresh[]; read without the lock as a hint */
	u64 nr_free;
	struct list free[PAGE_MAX_ORDER + 1];
	/* l */
	struct fresh fresh[ZONE_FRESH_MAX];
	unsigned int nr_fresh;
	/* I after boot (mm_free_reserved adds, l)  frames managed */
	u64 total;
	/* I after boot  frames kept from ordinary allocations */
	u64 reserve;
	/* I */
	u8 node;
	u8 id;
} __cacheline_aligned;

extern struct zone zones[ZONES_MAX];

/* How far an allocation may empty a zone. */
enum page_level { LEVEL_NORMAL, LEVEL_ATOMIC, LEVEL_RESERVE };

static inline struct zone *
page_zone(const struct page *p)
{
	return &zones[p->zone];
}

/* Takes a block; NULL if the zone has none or would go below `level`. Any context but NMI. */
struct page *zone_alloc(struct zone *z, unsigned int order, enum page_level level);
/* Takes up to n single pages, linked by ->next; returns how many, the first in *chain. */
unsigned int zone_alloc_chain(struct zone *z, unsigned int n, enum page_level level,
			      struct page **chain);
void zone_free(struct page *p, unsigned int order);
/* Gives a chain of single pages back, of any zones. */
void zone_free_chain(struct page *chain);
/* Whole blocks in [start, end) may be handed out later; the rest is freed now. Boot. */
void zone_add_range(u32 node, u64 start, u64 end);
/* Frees frames [start, end), all on one side of 4 GiB, whose struct pages are set up. */
void zone_add_frames(u32 node, u64 start, u64 end);
/* Is the frame's struct page set up? */
bool zone_frame_used(u64 pfn);
/* Empty zones with their numbers; before any other use. */
void zones_init(void);
/* Reserves and fallback orders from what the zones have. */
void zones_set_reserves(void);
/* Free blocks by order; fresh ones count as the largest. */
void zone_count_free(struct zone *z, u64 count[PAGE_MAX_ORDER + 1]);
/* Zones to try for `node`, best first; ends with a NULL. */
struct zone *const *zone_order(unsigned int node);

/*
 * Free pages of one CPU, in chains as in a slab magazine: the loaded one is used
 * up and filled. Spare ones are full; their first pages form a stack. So neither
 * a run of allocations after a run of frees goes to the zone at every turn, nor
 * who maps and unmaps a few hundred pages.
 */
struct pcp {
	/* o  first page of the loaded chain */
	struct page *head;
	/* o  pages in it, and in all spare ones */
	u32 n;
	u32 spare_n;
	/* o  the last spare chain; each first page has the next and its length in private[] */
	struct page *spare;
	/* o  a task is inside; an interrupt that finds it set goes around */
	u8 busy;
	/* I  of this CPU */
	u8 node;
	/* o  spare chains, pcp_spares at most */
	u16 spares;
	u32 unused;
	/* o  statistics: pages handed out, taken back; trips to a zone */
	u64 allocs;
	u64 frees;
	u64 refills;
	u64 spills;
};
static_assert(sizeof(struct pcp) == CACHE_LINE, "the fast path touches one line");

DECLARE_PERCPU(struct pcp, pcp);
/* I after boot  pages in a chain, and chains beside the loaded one */
extern u32 pcp_batch, pcp_spares;

/* One page, or NULL if the lists are empty or busy. Any context but NMI. */
struct page *pcp_refill(enum page_level level);
/* Frees when the fast path could not: list full, busy, or a page of another node. */
void pcp_spill(struct page *p);
/* Pages in all CPUs' lists. */
u64 pcp_count(void);
/* Gives all lists back. Context: may sleep, or one CPU only at boot. */
void pcp_drain_all(void);
/* Length and number of chains from the number of frames and of CPUs. */
void pcp_set_batch(void);
/* Before the CPU runs (the boot CPU: in mm_init). */
void pcp_cpu_init(unsigned int cpu);

/*
 * One page from this CPU's list, refs still 0; NULL: none, or an interrupt came
 * in while a task was inside.
 */
static __always_inline struct page *
pcp_pop(void)
{
	struct page *p = NULL;

	pin();
	if (busy_enter(pcp.busy)) {
		p = this_cpu_read(pcp.head);
		if (likely(p != NULL)) {
			this_cpu_write(pcp.head, p->next);
			this_cpu_dec(pcp.n);
			this_cpu_inc(pcp.allocs);
		}
		busy_leave(pcp.busy);
	}
	unpin_leaf();
	return p;
}

/* Puts a page with refs 0, order 0, on this CPU's list; false: pcp_spill() has to. */
static __always_inline bool
pcp_push(struct page *p)
{
	bool done = false;

	pin();
	if (likely(!percpu_reached(pcp.n, pcp_batch) && p->node == this_cpu_read(pcp.node)) &&
	    busy_enter(pcp.busy)) {
		p->next = this_cpu_read(pcp.head);
		barrier();
		this_cpu_write(pcp.head, p);
		this_cpu_inc(pcp.n);
		this_cpu_inc(pcp.frees);
		busy_leave(pcp.busy);
		done = true;
	}
	unpin_leaf();
	return done;
}

/* Has mm_init() run? */
bool page_allocator_ready(void);

/* Debug kernels: fills a free block with a pattern; checks it when it is handed out. */
void page_poison(struct page *p, unsigned int order);
void page_check_poison(struct page *p, unsigned int order);

/* Trouble (mm/reclaim.c): frees what can be freed. Pages gained, 0: nothing. May sleep. */
u64 reclaim_pages(unsigned int order, gfp_t gfp);

#endif
