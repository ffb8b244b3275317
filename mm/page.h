/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct page: one for each page frame, in an array indexed by frame number at
 * PAGES_BASE. 64 bytes: one cache line, so that two pages never share one.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/list.h"
#include "lib/types.h"
#include "percpu/percpu.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

struct pagecache;
struct pt;
struct slab_cache;

enum page_type {
	PAGE_RESERVED,
	PAGE_FREE,
	/* kernel memory handed out by page_alloc() without a type of its own */
	PAGE_KERNEL,
	PAGE_SLAB,
	/* a page-table page of a user space: ->pt is used */
	PAGE_TABLE,
	PAGE_ANON,
	/* page cache; of what lives in memory alone (tmpfs, shared anonymous memory) */
	PAGE_CACHE,
	PAGE_SHMEM,
	/* second and later frames of a block of higher order: ->head */
	PAGE_TAIL,
	PAGE_TYPES,
};

#define PAGE_DIRTY 0x0001u
#define PAGE_UPTODATE 0x0002u
#define PAGE_LOCKED 0x0004u
#define PAGE_WRITEBACK 0x0008u
#define PAGE_REFERENCED 0x0010u
#define PAGE_ERROR 0x0020u
#define PAGE_SWAPBACKED 0x0040u
#define PAGE_MLOCKED 0x0080u
#define PAGE_ZEROED 0x0100u

/*
 * Of a page that page_alloc() returns, these are set: refs 1, type PAGE_KERNEL,
 * order, node, zone, flags 0, mapcount 0. The unions hold anything. Who frees
 * the last reference need not clean up anything.
 */
struct page {
	/* a  references; 0: free */
	u32 refs;
	/* I  while allocated; its owner may change PAGE_KERNEL to a type of its own */
	u8 type;
	/* I  block of 2^order frames (in the head) */
	u8 order;
	/* I  */
	u8 node;
	/* I  number of the buddy zone (mm/buddy.h) */
	u8 zone;
	/* a  PAGE_* bits */
	u32 flags;
	/* a  page-table entries that map it (file and shared pages, statistics) */
	u32 mapcount;
	union {
		/* buddy, slab lists, and lists of a temporary owner */
		struct list link;
		/* per-CPU lists */
		struct page *next;
		/* PAGE_CACHE */
		struct {
			struct pagecache *cache;
			u64 index;
		};
		/* PAGE_TABLE: see mm/space_impl.h */
		struct pt *pt;
		/* PAGE_TAIL */
		struct page *head;
	};
	union {
		struct rcu_head rcu;
		u64 private[3];
		/* PAGE_SLAB: see mm/slab_impl.h */
		struct {
			struct slab_cache *slab;
			void *slab_free;
			u16 slab_inuse;
			u16 slab_fresh;
			u16 slab_offset;
			u16 slab_state;
		};
	};
	/* I  who allocated it, in debug kernels */
	unsigned long caller;
};
static_assert(sizeof(struct page) == 64, "one cache line a page");

#define page_array ((struct page *)PAGES_BASE)

static inline struct page *
pfn_to_page(u64 pfn)
{
	return &page_array[pfn];
}

static inline u64
page_to_pfn(const struct page *p)
{
	return (u64)(p - page_array);
}

static inline phys_t
page_to_phys(const struct page *p)
{
	return page_to_pfn(p) << PAGE_SHIFT;
}

static inline struct page *
phys_to_page(phys_t pa)
{
	return pfn_to_page(pa >> PAGE_SHIFT);
}

static inline void *
page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}

/* For addresses in the direct map only. */
static inline struct page *
virt_to_page(const void *va)
{
	return phys_to_page((unsigned long)va - DIRECT_MAP_BASE);
}

/*
 * Pages in use by type, but for PAGE_KERNEL: set types by page_set_type(); page_put()
 * takes the last reference's page out. A CPU may have freed more than it took.
 */
DECLARE_PERCPU(s64[PAGE_TYPES], page_levels);
u64 page_level(enum page_type type);

/* Makes a single page that was PAGE_KERNEL one of this type. */
static inline void
page_set_type(struct page *p, enum page_type type)
{
	p->type = type;
	this_cpu_inc(page_levels[type]);
}

static inline bool
page_is_cache(const struct page *p)
{
	return p->type == PAGE_CACHE || p->type == PAGE_SHMEM;
}

/* The first page of the block that p belongs to. */
static inline struct page *
page_head(struct page *p)
{
	return p->type == PAGE_TAIL ? p->head : p;
}

/*
 * The page of a frame that an outsider names (/dev/mem, /proc/kpageflags, a
 * device): NULL unless it is RAM whose struct page has been set up. pfn_to_page()
 * is for frames that one holds.
 */
struct page *page_lookup(u64 pfn);

/* Allocation flags. */
typedef u32 __bitwise gfp_t;
/* May sleep, reclaim and call the OOM killer. */
#define GFP_KERNEL ((gfp_t __force)0x01)
/* Never sleeps: interrupts, spinlocks held. Fails sooner. */
#define GFP_ATOMIC ((gfp_t __force)0x02)
#define GFP_ZERO ((gfp_t __force)0x04)
/* Fail rather than call the OOM killer. */
#define GFP_NORETRY ((gfp_t __force)0x08)
/* For user pages: charged to the user, may trigger the OOM killer on its behalf. */
#define GFP_USER ((gfp_t __force)0x11)
/* Below 4 GiB physical. */
#define GFP_DMA32 ((gfp_t __force)0x20)
/* May take the last pages: what frees memory by being done. Combine with the above. */
#define GFP_RESERVE ((gfp_t __force)0x40)
/* A failure is expected and handled: no line in the log, no injected failure. */
#define GFP_NOWARN ((gfp_t __force)0x80)

#define PAGE_MAX_ORDER 10

/*
 * 2^order contiguous frames, order <= PAGE_MAX_ORDER, aligned to their size,
 * with one reference; NULL if there are none. From this CPU's node first.
 * Context: GFP_KERNEL may sleep, GFP_ATOMIC any but NMI. Frames behind the
 * first are PAGE_TAIL and lead to it by page_head().
 */
struct page *page_alloc(unsigned int order, gfp_t gfp);
/* The same from `node` first (any number: an unknown one is no preference). */
struct page *page_alloc_node(unsigned int node, unsigned int order, gfp_t gfp);

static inline void
page_get(struct page *p)
{
	atomic_inc(&p->refs);
}

/* A reference unless the page is free: for finders under RCU, who look again afterwards. */
static inline bool
page_try_get(struct page *p)
{
	return atomic_inc_not_zero(&p->refs);
}

/* Drops a reference to a block's head; the last one frees the block. Any context but NMI. */
void page_put(struct page *p);
/* Zeroes or copies 4096 bytes at page-aligned addresses; as few instructions as possible. */
void page_zero(void *va);
void page_copy(void *dst, const void *src);
/* Makes a block of 2^order into 2^order single pages, each with one reference. */
void page_split(struct page *p);

/* Frames managed, free (sums over nodes and CPUs; racy while others allocate). */
/* Gives back what a dead CPU kept for itself. */
void pages_cpu_dead(unsigned int cpu);
u64 pages_total(void);
u64 pages_free(void);
/* Frames that only GFP_ATOMIC, GFP_RESERVE may take: not available to programs. */
u64 pages_reserve(void);
/* Gives the per-CPU lists of all CPUs back; for tests of leaks. May sleep. */
void pages_drain(void);

#endif
