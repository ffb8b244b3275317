/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table pages, runs, regions, spaces: for mm/ and its tests. mm/pt.c tells
 * the model.
 */
#ifndef MM_SPACE_IMPL_H
#define MM_SPACE_IMPL_H

#include "mm/space.h"

#include "kernel/uapi/mman.h"
#include "lib/list.h"
#include "mm/meminfo.h"
#include "mm/page.h"
#include "mm/port_space.h"
#include "percpu/cpumask.h"
#include "percpu/ref.h"
#include "percpu/tally.h"
#include "sync/mutex.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct arena;
struct family;
struct fine;
struct gather;
struct joint;
struct kin;
struct pagecache;
struct uffd;
struct view;

#define PT_LEVELS 4
#define PT_ROOT (PT_LEVELS - 1)
/* Bytes that one slot of a table of this level covers; level 0 holds pages. */
#define slot_shift(level) (PAGE_SHIFT + 9 * (level))
#define slot_size(level) (1UL << slot_shift(level))
#define slot_index(va, level) ((unsigned int)((va) >> slot_shift(level)) & 511)

/* --- entries of the hardware's table: bits of ours --- */

/* Holds a page that may not be accessed (PROT_NONE): PTE_P is off. */
#define PTE_NONE (1UL << 9)
/* Owns a reference: an anonymous page. */
#define PTE_OWNED (1UL << 10)
/*
 * Shows a page of a page cache, without a reference: who removes a page from
 * the cache takes it out of all tables before it is freed (mm/rmap.c).
 */
#define PTE_FILE (1UL << 11)
/* With PTE_OWNED: the reference is held by the table's joint, with other tables (joint.c). */
#define PTE_JOINT (1UL << 52)
/*
 * A write is told to a userfaultfd first (uffd.c). Alone, in a leaf: there is no page
 * yet, and the one that comes is to be so.
 */
#define PTE_WP (1UL << 53)
/* The processor's: a protection key. */
#define PTE_PKEY_SHIFT 59
#define PTE_PKEY (0xfUL << PTE_PKEY_SHIFT)
#define PTE_TABLE (PTE_P | PTE_W | PTE_U | PTE_A)

static inline bool
entry_is_table(u64 e)
{
	return (e & (PTE_P | PTE_PS)) == PTE_P;
}

/* --- regions --- */

/* region->flags */
/* Not counted, never freed. */
#define REGION_STATIC 0x1u
/* Kernel pages of `pages`. */
#define REGION_SPECIAL 0x2u
/* Page cache that lives in memory alone: counted as shmem. */
#define REGION_SHMEM 0x4u
/* Counts as a shared mapping that may write (seals, ETXTBSY). */
#define REGION_WRITER 0x8u
#define REGION_ANON 0x10u
/* Faults are told to ->uffd: another region, ->plain, says what is shown. */
#define REGION_UFFD_MISSING 0x20u
#define REGION_UFFD_WP 0x40u
#define REGION_UFFD_MINOR 0x80u
#define REGION_UFFD (REGION_UFFD_MISSING | REGION_UFFD_WP | REGION_UFFD_MINOR)

/*
 * What a file mapping shows. Immutable, and shared by the spaces that fork made
 * of one another. Anonymous memory has one region for all: anon_region, and those that
 * are registered with a userfaultfd.
 */
struct region {
	/* one for each run that holds it, and one while an operation uses it */
	struct ref ref;
	/* I  address at which `offset` lies */
	unsigned long base;
	u64 offset;
	struct file *file;
	struct pagecache *cache;
	struct page **pages;
	const char *name;
	u32 flags;
	/* I  what mprotect may allow */
	u32 max_prot;
	/* I  the spaces that may show it */
	struct family *family;
	/* I  REGION_UFFD: whose faults they are, and what is shown, each with a reference; NULL */
	struct uffd *uffd;
	struct region *plain;
	/* (mapper lock)  in the page cache's list of the CPU that made it */
	struct list mapper_link;
	/* I */
	u32 mapper_cpu;
	/* (mapper lock)  walkers that stand on it; released, the last one frees it */
	u16 mapper_pins;
	bool mapper_dead;
} __aligned(64);

extern struct region anon_region;

/* --- meta: what a run of pages is, in a word ---
 *
 * BITS    MEANING
 * 0-2     PROT_READ, PROT_WRITE, PROT_EXEC
 * 3       shared
 * 4       counted as committed memory
 * 6-47    struct region (a canonical address, aligned to 64)
 * 48-59   MAPPING_* bits 0-11
 * 60-63   protection key
 *
 * 0: nothing is mapped.
 */
typedef u64 meta_t;
#define META_PROT 7UL
#define META_SHARED 8UL
#define META_ACCOUNT 16UL
#define META_FLAG_SHIFT 48
#define META_FLAGS 0xfffUL
#define META_PKEY_SHIFT 60
#define META_PKEY (0xfUL << META_PKEY_SHIFT)
#define META_REGION 0xffffffffffc0UL
#define meta_flag(f) ((u64)(f) << META_FLAG_SHIFT)
#define META_LOCKED meta_flag(MAPPING_LOCKED)
#define META_ONFAULT meta_flag(MAPPING_LOCKONFAULT)
#define META_NORESERVE meta_flag(MAPPING_NORESERVE)
#define META_GROWSDOWN meta_flag(MAPPING_GROWSDOWN)

static inline struct region *
meta_region(meta_t m)
{
	return (struct region *)((s64)(m << 16) >> 16 & ~63L);
}

static inline u32
meta_prot(meta_t m)
{
	return (u32)(m & META_PROT);
}

static inline u32
meta_pkey(meta_t m)
{
	return (u32)(m >> META_PKEY_SHIFT);
}

static inline meta_t
meta_make(const struct region *r, u64 bits)
{
	return ((u64)r << 16 >> 16) | bits;
}

static inline bool
meta_is_anon(meta_t m)
{
	return meta_region(m)->flags & REGION_ANON;
}

/* The region that r stands for in page caches' lists. */
static inline const struct region *
region_plain(const struct region *r)
{
	return r->flags & REGION_UFFD ? r->plain : r;
}

/* No page, but what one is to be. */
static inline bool
entry_is_marker(u64 e)
{
	return e == PTE_WP;
}

/* Adds n references of runs to what m shows. */
static inline void
meta_hold(meta_t m, s64 n)
{
	struct region *r = meta_region(m);

	if (!(r->flags & REGION_STATIC))
		ref_add(&r->ref, n);
}

struct run {
	unsigned long start, end;
	meta_t meta;
};

static inline u64
run_pages(const struct run *r)
{
	return (r->end - r->start) >> PAGE_SHIFT;
}

/* --- page-table pages --- */

#define PT_INLINE_RUNS 4
/* A table above the leaves with so many runs gets tables below for new ones. */
#define PT_MANY_RUNS (CONFIG_DEBUG ? 4 : 24)

struct pt {
	/* covers what has no letter */
	struct spinlock lock;
	/* I */
	u8 level;
	/* unlinked from its parent: look again from the root */
	bool stale;
	u16 nr_runs, max_runs;
	/* runs that s->runs knows of */
	u16 counted;
	/* s->sweeps when it was noted as empty (prune.c) */
	u32 emptied;
	/* CPUs that have linked it, or large pages of it, in a view (VIEW_CPU_BIT, view.c) */
	u64 cpus;
	/* a  records of its pages, which say what they are in place of runs and entries (fine.c) */
	struct fine *fine;
	/* references that it has with leaves of other spaces; NULL (joint.c) */
	struct joint *joint;
	/* the CPU that looked at it last, how often that has changed lately, and when (rdtsc) */
	u32 last_cpu, moves;
	/* how often it has been fine */
	u32 fine_ends;
	u64 moved_at;
	/* I */
	struct space *space;
	unsigned long base;
	/* entries; written by the CPU too (accessed, dirty); read without lock by walkers */
	u64 *table;
	/* sorted, disjoint; none where a slot has a table below */
	struct run *runs;
	/* pages shown by this table, and what s->rss does not know of yet */
	u32 anon, file, shmem;
	s32 unfolded;
	/* slots whose entry is not 0 */
	u64 present[PTE_COUNT / 64];
	struct run inline_runs[PT_INLINE_RUNS];
	union {
		struct rcu_head rcu;
		/* lists of a temporary owner */
		struct pt *next;
	};
};

static inline bool
pt_present(const struct pt *t, unsigned int i)
{
	return t->present[i / 64] >> (i % 64) & 1;
}

static inline void
pt_mark(struct pt *t, unsigned int i)
{
	t->present[i / 64] |= BIT(i % 64);
}

static inline void
pt_unmark(struct pt *t, unsigned int i)
{
	t->present[i / 64] &= ~BIT(i % 64);
}

/* First present slot >= i, or `end`. */
static inline unsigned int
pt_next(const struct pt *t, unsigned int i, unsigned int end)
{
	u64 w;

	if (i >= end)
		return end;
	w = t->present[i / 64] >> (i % 64) << (i % 64);
	while (!w) {
		i = (i | 63) + 1;
		if (i >= end)
			return end;
		w = t->present[i / 64];
	}
	i = (i & ~63u) + (unsigned int)__builtin_ctzl(w);
	return min(i, end);
}

#define for_each_present(i, t, from, end)                                                          \
	for ((i) = pt_next((t), (from), (end)); (i) < (end); (i) = pt_next((t), (i) + 1, (end)))

static inline unsigned long
pt_end(const struct pt *t)
{
	return t->level == PT_ROOT ? USER_END : t->base + slot_size(t->level + 1);
}

static inline unsigned long
slot_base(const struct pt *t, unsigned int i)
{
	return t->base + ((unsigned long)i << slot_shift(t->level));
}

/* A walk over the tables of a level: where to go on behind t, of pt_lock_walk(s, va, level). */
static inline unsigned long
pt_behind(const struct pt *t, unsigned long va, unsigned int level)
{
	unsigned int i = PTE_COUNT;

	if (t->level != level)
		i = pt_next(t, slot_index(va, t->level) + 1, PTE_COUNT);
	return i == PTE_COUNT ? pt_end(t) : slot_base(t, i);
}

static inline struct pt *
pt_child(u64 entry)
{
	return phys_to_page(entry & PTE_ADDR)->pt;
}

/* --- spaces --- */

/* Spaces made of one another by fork: they share regions (mm/region.c). */
struct kin {
	struct spinlock lock;
	/* l  spaces that are not being torn down */
	struct list spaces;
	/* l  the CPU of the last one that joined, and how often that changed */
	u32 last_cpu, moves;
} __cacheline_aligned;

struct family {
	/* one for each space and each region */
	struct ref ref;
	/* a  where spaces join by CPU, once several CPUs fork; NULL: first */
	struct kin *more;
	struct kin first;
};

struct space {
	/* --- what every operation reads --- */
	/* I */
	struct pt *root;
	phys_t root_pa;
	/* I  never used again: names us in TLBs */
	u64 id;
	struct family *family;
	/* I  where mappings begin, going down */
	unsigned long mmap_top;
	/* a  tables of CPUs' own, by CPU; NULL: all use the common ones (view.c) */
	struct view **views;
	/* a  leaves that are fine (fine.c) */
	u32 fine_leaves;
	/* (shm.lock)  its tables are being copied (fork.c) */
	bool forking;
	/* a  forks that want to, or do: no mremap moves pages meanwhile */
	u32 fork_gate;
	/* a  arenas of CPUs, made when a second task runs here (arena.c) */
	struct arena **cpu_arenas;
	struct arena *main_arena;
	/* a  has had a range of a userfaultfd (uffd.c) */
	bool has_uffd;
	/* a  private pages were dropped and do not come back: its tasks end (space_reap()) */
	bool reaped;
	/* a  protection keys that are taken; that of what may only be executed, 0: none (pkey.c) */
	u32 pkeys, exec_pkey;
	/* a  MCL_FUTURE: META_LOCKED, META_ONFAULT for new mappings */
	u64 def_meta;

	/* --- what other spaces and tasks write --- */
	/* a  tasks that run in it and others who use it; references */
	u32 users __cacheline_aligned;
	u32 refs;
	/* (kin->lock)  the neighbours in the list write it */
	struct list family_link __cacheline_aligned;
	/* I  whose list that is */
	struct kin *kin;

	/* --- counts --- */
	/* a  start of the chunk handed out last */
	unsigned long next_chunk __cacheline_aligned;
	/* a  runs, but for those that tables hold back (runs.c) */
	s64 runs;
	/* a  vmalloc'ed room for a table's runs, for who could not have it; NULL (runs.c) */
	struct run *spare_runs;
	/* a  how many runs somebody wants room for; 0 */
	u32 wanted_runs;
	/* a  tables noted as empty since the last sweep; sweeps (from 1 on) */
	s64 emptied;
	u32 sweeps;
	/* a  pages mapped, locked, but for what arenas hold back */
	s64 total, locked;
	/* a  pages shown, but for what tables hold back */
	s64 rss;
	/* a  page-table pages */
	s64 tables;
	/* racy maxima of the above */
	u64 peak_rss, peak_total;
	/* one more than moves of pages by mremap that are under way */
	struct tally movers;
	/* who waits until it is not forking, or for the moves to end */
	struct waitq fork_wait;
	/* calls of brk */
	struct mutex brk_lock;
	struct space_shm shm;
	struct space_aio aio;
	struct spinlock exe_lock;
	struct file *exe __guarded_by(&exe_lock);
	struct space_layout layout;
	struct rcu_head rcu;
	/* a  generation of translations: +1 for each flush of the common tables (tlb.c) */
	u64 tlb_gen __cacheline_aligned;
	/* racy  flushes that had to interrupt a CPU, until there are views */
	u32 shootdowns;
	/* a  CPUs whose CR3 is the common tables */
	struct cpumask cpus;
};

/* --- space.c --- */
/* After [start, end) was unmapped, or mapped anew: attachments of shared memory may be gone. */
static inline void
space_unmapped(struct space *s, unsigned long start, unsigned long end)
{
	if (unlikely(!list_empty(&s->shm.attachments)))
		mm_port_shm_unmapped(s, start, end);
}
/* An empty space for the family of parent, which it has yet to join; NULL without memory. */
struct space *space_create_for_fork(struct space *parent);

/* --- pt.c --- */
void pt_init(void);
struct pt *pt_alloc(struct space *s, u8 level, unsigned long base, gfp_t gfp);
/* Frees a table that nothing can reach any more; its runs hold nothing. */
void pt_free_now(struct pt *t);
/* The same after a grace period. */
void pt_free_rcu(struct pt *t);
/* The lowest table on the way to va, not below `level`; locked. */
struct pt *pt_lock_walk(struct space *s, unsigned long va, unsigned int level);
/* The same; NULL if it is a fine leaf, which the other ends. */
struct pt *pt_try_lock_walk(struct space *s, unsigned long va, unsigned int level);
/*
 * The table to lock for an operation on [start, end): the lowest that covers it
 * and exists. make: tables are added so that it is the lowest possible, if there
 * is memory. try: NULL if it is a fine leaf.
 */
struct pt *pt_lock_cover(struct space *s, unsigned long start, unsigned long end, bool make,
			 bool try);
/* The same without the lock. Caller in an RCU section. */
struct pt *pt_walk(struct space *s, unsigned long va, unsigned int level);
/* The leaf t has been locked by many CPUs in turn, lately: at least so often. */
#define PT_CROWD 4
bool pt_crowd(const struct pt *t);
static inline bool
pt_is_crowded(const struct pt *t)
{
	return unlikely(t->moves >= PT_CROWD) && pt_crowd(t);
}
/* Ends that t, which is locked, is fine (fine.c). */
void fine_end(struct pt *t);
/* Locks the table in slot i of t, which is locked and there. */
static inline struct pt *
pt_lock_present(struct pt *t, unsigned int i)
{
	struct pt *c = pt_child(t->table[i]);

	spin_lock(&c->lock);
	if (unlikely(c->fine != NULL))
		fine_end(c);
	return c;
}
/*
 * The leaf that va lies in, made if need be. NULL: no memory (range_wait_memory()
 * and again).
 */
struct pt *pt_lock_leaf(struct space *s, unsigned long va);
/*
 * Makes a table in slot i of t, which holds no entry, and moves the runs there.
 * Locked; NULL: no memory.
 */
struct pt *pt_make_child(struct pt *t, unsigned int i);
static inline void
pt_unlock(struct pt *t)
{
	spin_unlock(&t->lock);
}
/* Pages shown changed by n. Lock held. */
void pt_fold_rss(struct pt *t);
#define PT_FOLD 64
static inline void
pt_count(struct pt *t, u32 *which, s32 n)
{
	*which += (u32)n;
	t->unfolded += n;
	if (unlikely(t->unfolded >= PT_FOLD || t->unfolded <= -PT_FOLD))
		pt_fold_rss(t);
}

/* Of them n of the page cache that m shows. */
static inline void
pt_count_file(struct pt *t, meta_t m, s32 n)
{
	mm_stat_add(MM_MAPPED, (s64)n);
	pt_count(t, meta_region(m)->flags & REGION_SHMEM ? &t->shmem : &t->file, n);
}

/* --- runs.c; all with the table's lock --- */
/* Room for n more runs; a cut or an insertion needs one each. -ENOMEM. */
int __must_check runs_reserve(struct pt *t, unsigned int n);
/* Makes the room that runs_reserve() did not get, for the next try. -ENOMEM. May sleep. */
int runs_wait_memory(struct space *s);
/* Hands t's number of runs on to the space. */
void runs_fold(struct pt *t);
/* Would making a and b borders pass the space's limit? An unmapping may cut at one end. */
bool runs_too_many(const struct pt *t, unsigned long a, unsigned long b, bool unmap);
/* The first run that ends above va: index, nr_runs if there is none. */
unsigned int runs_at(const struct pt *t, unsigned long va);
/* The run that va lies in, or NULL. */
struct run *runs_find(const struct pt *t, unsigned long va);
/* Makes a and b borders of runs; [*i, *j) are those in between. Reserved: 2. */
void runs_cut(struct pt *t, unsigned long a, unsigned long b, unsigned int *i, unsigned int *j);
/* Takes runs [i, j) out and drops their references. */
void runs_remove(struct pt *t, unsigned int i, unsigned int j);
/* Puts [a, b), which is free, before run i; takes a reference of its own. Reserved: 1. */
void runs_insert(struct pt *t, unsigned int i, unsigned long a, unsigned long b, meta_t m);
/* Joins equal neighbours among runs [i - 1, j]. */
void runs_join(struct pt *t, unsigned int i, unsigned int j);

/* --- region.c --- */
void region_init(void);
/* One reference. err_ptr(-ENOMEM). */
struct region *region_create(struct space *s, unsigned long base, const struct map_backing *b,
			     const struct map_ask *ask);
/* The same thing shown at another address. */
struct region *region_move(struct space *s, const struct region *r, unsigned long base, u64 offset);
/*
 * What plain shows, with faults of these REGION_UFFD_* modes told to u. It is in no
 * list of a page cache: plain is, as long as there are such.
 */
struct region *region_create_uffd(struct region *plain, struct uffd *u, u32 modes);
static inline void
region_get(struct region *r)
{
	if (!(r->flags & REGION_STATIC))
		ref_get(&r->ref);
}
static inline void
region_put(struct region *r)
{
	if (!(r->flags & REGION_STATIC))
		ref_put(&r->ref);
}
/* Page of the file (or index in pages) that address va shows. */
static inline u64
region_index(const struct region *r, unsigned long va)
{
	return (r->offset + (va - r->base)) >> PAGE_SHIFT;
}
/* The rest of the release, for the last walker. */
void region_free(struct region *r);
struct family *family_create(void);
void family_get(struct family *f);
void family_put(struct family *f);
void family_join(struct family *f, struct space *s);
/* s, new, runs what `from` runs. */
void space_copy_exe(struct space *s, struct space *from);
void family_leave(struct space *s);
/* The member behind `prev` (NULL: the first) with a user reference; gives prev's back. */
struct space *family_next(struct family *f, struct space *prev);

/* --- joint.c --- */
/* How many leaves share one reference at most. */
#define JOINT_MAX (CONFIG_DEBUG ? 3 : 255)

/* References of pages by slot, each held by the leaves that count there. */
struct joint {
	/* a  leaves that have it */
	u32 users;
	/* who adds to counts, with its lock held; NULL: it is gone */
	struct pt *owner;
	/* a  leaves whose entry has the slot's reference; 0: none */
	u8 count[PTE_COUNT];
};

void joint_init(void);
/* c, a copy of t, gets t's joint, which t then owns: made if need be. NULL: no memory. */
struct joint *joint_begin(struct pt *t, struct pt *c);
/* The entry e of slot k, which has a joint reference, with one of its own. */
u64 joint_make_own(struct pt *t, unsigned int k, u64 e);
/* t, whose entries have no joint reference any more, ends. */
void joint_leave(struct pt *t);

/*
 * Shares the page of slot k of t with c: the entry for c, which may be written as
 * t's may. c is to be reached by nobody else yet.
 */
static inline u64
joint_share(struct pt *t, struct pt *c, unsigned int k)
{
	struct joint *j = likely(c->joint) ? c->joint : joint_begin(t, c);
	u64 e = READ_ONCE(t->table[k]);
	u8 n;

	if (likely(j)) {
		n = READ_ONCE(j->count[k]);
		if (likely(e & PTE_JOINT && n < JOINT_MAX)) {
			atomic_inc(&j->count[k]);
			return e;
		}
		if (!(e & PTE_JOINT) && n == 0) {
			WRITE_ONCE(j->count[k], 2);
			atomic_or(&t->table[k], PTE_JOINT);
			return e | PTE_JOINT;
		}
	}
	page_get(phys_to_page(e & PTE_ADDR));
	return e & ~PTE_JOINT;
}

/* Drops the reference of an entry e that slot k had. */
static inline void
entry_put(struct pt *t, unsigned int k, u64 e)
{
	if (!(e & PTE_JOINT) || atomic_dec_and_test(&t->joint->count[k]))
		page_put(phys_to_page(e & PTE_ADDR));
}

/* Is the page of slot k, which e shows and owns, ours alone? Lock held. */
static inline bool
entry_is_sole(const struct pt *t, unsigned int k, u64 e)
{
	return (!(e & PTE_JOINT) || atomic_read(&t->joint->count[k]) == 1) &&
	       atomic_read(&phys_to_page(e & PTE_ADDR)->refs) == 1;
}

/* --- range.c --- */
enum range_op {
	/* [start, end) becomes meta */
	RANGE_MAP,
	RANGE_UNMAP,
	/* protection becomes prot */
	RANGE_PROTECT,
	/* flags of the meta change: & ~clear | set */
	RANGE_FLAGS,
	/* pages are dropped, the mapping stays */
	RANGE_ZAP,
	/* runs of the region `only` get the region `region`, which shows the same */
	RANGE_REGION,
};

/* An operation on a range, and what came of it. */
struct range {
	enum range_op op;
	/* RANGE_MAP: -EEXIST if anything is there, and nothing is changed */
	bool exclusive;
	/* RANGE_PROTECT, RANGE_FLAGS: stop at the first hole */
	bool stop_at_hole;
	/* RANGE_ZAP: anonymous pages stay (cache pages of private mappings go) */
	bool keep_anon;
	meta_t meta, set, clear;
	u32 prot;
	/*
	 * RANGE_PROTECT: 0, or 1 more than the protection key to set; and the key that a
	 * mapping loses if it is set none (pkey.c)
	 */
	u32 pkey_plus, exec_pkey;
	/* RANGE_ZAP: this region only; the others are not holes */
	const struct region *only;
	struct region *region;
	struct gather *gather;
	/* out: a part was not mapped; a promise of memory or more runs were refused */
	bool hole, refused;
	int err;
	/* pages: taken out, of them committed and locked; newly locked, newly committed */
	s64 removed, uncommitted, unlocked, locked, committed;
	/* tables that became empty */
	u32 emptied;
	/* other CPUs work in the same leaf */
	bool crowded;
	/* up to here it is done */
	unsigned long done;
};
/*
 * 0 or -ENOMEM, -EACCES, -EEXIST. The caller has charged a mapping of
 * META_ACCOUNT. Brings the space's figures up to date. May sleep.
 */
int range_apply(struct space *s, unsigned long start, unsigned long end, struct range *r);
/*
 * The same for a caller who holds a spinlock: -ENOMEM where the above would wait,
 * -EAGAIN while the space is forked (space_wait_fork()).
 */
int range_try(struct space *s, unsigned long start, unsigned long end, struct range *r);
/*
 * Waits until a page is to be had, and room for runs that a table of s (NULL:
 * none) had none for. -ENOMEM. May sleep.
 */
int range_wait_memory(struct space *s);
/* pt_lock_leaf() that waits for memory. NULL: there is none. */
struct pt *range_lock_leaf(struct space *s, unsigned long va);

/* --- range_look.c --- */
/* The first run in [va, end), clipped. With `hold` a reference on its region. False: none. */
bool space_next_run(struct space *s, unsigned long va, unsigned long end, struct run *out,
		    bool hold);
bool range_is_free(struct space *s, unsigned long start, unsigned long end);

/* --- range.c --- */
/* Entries of slots [i, j) of a leaf are no longer to be told of before a write. Lock held. */
void leaf_forget_wp(struct pt *t, unsigned int i, unsigned int j);
/* Drops the entries of slots [i, j) of a leaf that belong to run meta m. Lock held. */
void leaf_drop(struct pt *t, unsigned int i, unsigned int j, meta_t m, const struct range *r);

/* What fine.c does page by page: a run that goes, the new meta of one (0: r->err), entries. */
void range_note_removed(const struct run *run, struct range *r);
meta_t range_new_meta(const struct run *run, struct range *r);
/* The entry e of slot i after a change of protection to that of m. */
u64 range_new_entry(const struct pt *t, unsigned int i, u64 e, meta_t m);
/* Must what CPUs have of e be dropped when it becomes new? */
static inline bool
range_takes_rights(u64 e, u64 new)
{
	return e & PTE_P && (e & ~new &(PTE_W | PTE_P) || new & ~e &PTE_NX || (e ^ new) & PTE_PKEY);
}

/* --- prune.c --- */
/* 1 if t, which is locked, is empty and not noted yet, else 0. */
u32 prune_note(struct pt *t);
/* n tables were noted. May sweep. */
void prune_emptied(struct space *s, u32 n);
/* Takes c, whose runs are gone, out of slot i of t. Both are locked. */
void pt_unlink(struct pt *t, unsigned int i, struct pt *c, struct gather *g);

/* --- tlb.c --- */
/* What waits for a flush: pages and tables, and the range to flush. */
#define GATHER_SHARED 32
struct gather {
	struct space *space;
	unsigned long start, end;
	/* views that may have translations of the range */
	u64 cpus;
	/* pages of ours alone, by ->next */
	struct page *pages;
	struct pt *tables;
	/* pages that others have too */
	u32 n;
	struct page *shared[GATHER_SHARED];
};
void tlb_init(void);
u64 tlb_new_id(void);
void gather_init(struct gather *g, struct space *s);
/* Entries of t, which is locked, for [start, end) have changed. */
static inline void
gather_range(struct gather *g, const struct pt *t, unsigned long start, unsigned long end)
{
	g->cpus |= t->cpus;
	if (start < g->start)
		g->start = start;
	if (end > g->end)
		g->end = end;
}
/* Takes over the reference of an entry that was cleared and is in the range; not a joint one. */
void gather_page(struct gather *g, struct page *p);
void gather_table(struct gather *g, struct pt *t);
/* Flushes and frees. Locks of tables may be held; interrupts are on. */
void gather_finish(struct gather *g);
/* cpus: as of pt->cpus, of all tables whose entries for the range have changed. */
void tlb_flush_range(struct space *s, unsigned long start, unsigned long end, u64 cpus);
/* Makes sure that no CPU has s loaded. */
void tlb_forget_space(struct space *s);
/* The view of s that this CPU has loaded; NULL: none, or the common tables. Pinned. */
struct view *tlb_view_here(const struct space *s);

/* The same for tables that CPUs may be walking. */
void tlb_flush_tables(struct space *s, unsigned long start, unsigned long end, u64 cpus);
/* Has this CPU s loaded by a view? If it is the common tables, it tries to change. Pinned. */
bool tlb_take_view(struct space *s);

/* --- fine.c --- */
/* Has s any fine leaf? Else the calls below need not be made. */
static inline bool
space_has_fine(const struct space *s)
{
	return unlikely(READ_ONCE(s->fine_leaves) != 0);
}
/* The leaf at va becomes fine, if it may. May sleep. */
void fine_make(struct space *s, unsigned long va);

/*
 * Waits for the end of a fork that the caller has seen under the lock of a table.
 * No lock of mm/ is held. May sleep.
 */
void space_wait_fork(struct space *s);
/* Pages are about to move (mremap): no fork begins until the end. May sleep. False: nobody can. */
bool space_move_begin(struct space *s);
void space_move_end(struct space *s);
/*
 * The next ones: false (FINE_FAULT_COARSE, FINE_NONE, -1) if the leaf is not fine, or what is asked
 * is not for single pages. The caller then takes the leaf's lock, which ends that it is.
 */
enum fine_fault {
	FINE_FAULT_COARSE,
	FINE_FAULT_DONE,
	FINE_FAULT_UNMAPPED,
	FINE_FAULT_DENIED,
};
enum fine_fault fine_fault(struct space *s, unsigned long va, u32 access);
/* As range_try(), but for the space's figures. */
bool fine_range(struct space *s, unsigned long start, unsigned long end, struct range *op);
/* As space_next_run(); *va moves on, to where the leaf is not fine any more or the end. */
enum fine_look { FINE_NONE, FINE_HOLE, FINE_RUN };
enum fine_look fine_next_run(struct space *s, unsigned long *va, unsigned long end,
			     struct run *out);
int fine_has_page(struct space *s, unsigned long va);
/* Anonymous pages in t, if it is fine. In an RCU section. */
u64 fine_owned(const struct pt *t);

/* --- view.c --- */
enum view_state { VIEW_AWAY, VIEW_RUNS, VIEW_LAZY };

/* The upper tables by which one CPU uses a space. */
struct view {
	/* I */
	phys_t root_pa;
	u64 *root;
	struct space *space;
	/* a  generation of the translations made by it: +1 for each flush */
	u64 gen;
	/* a  enum view_state: its CPU has it in CR3; a kernel task runs there */
	u32 loaded;
	/* o  pages that it is made of */
	u32 pages;
} __cacheline_aligned;

/* A word holds the CPUs of a table: one bit for each 64th CPU. */
#define VIEW_CPU_BIT(cpu) BIT((cpu) % 64)
#define VIEW_ALL_CPUS (~0UL)
#define for_each_view_cpu(cpu, mask)                                                               \
	for ((cpu) = view_cpu_next((mask), 0); (cpu) < nr_cpus;                                    \
	     (cpu) = view_cpu_next((mask), (cpu) + 1))

static inline unsigned int
view_cpu_next(u64 mask, unsigned int cpu)
{
	u64 here = mask >> (cpu % 64);

	if (here)
		return cpu + (unsigned int)__builtin_ctzl(here);
	return mask ? (cpu | 63) + 1 + (unsigned int)__builtin_ctzl(mask) : nr_cpus;
}

/* The view of a CPU; NULL. */
static inline struct view *
view_of(const struct space *s, unsigned int cpu)
{
	struct view **all = smp_load_acquire(&s->views);

	return all ? smp_load_acquire(&all[cpu]) : NULL;
}

void view_init(void);
/* From now on CPUs may have views of s, if there is memory. */
void views_allow(struct space *s);
/* An empty view for this CPU; NULL without memory. Interrupts off. */
struct view *view_create_oncpu(struct space *s);
/*
 * Slot i of t, which is locked, is about to be used on this CPU: links the leaf t,
 * or the large page there, in the view that is loaded. False: no memory.
 */
bool view_link(struct pt *t, unsigned int i);
/* Links a table of this CPU's own in place of the leaf t. False: no view, no memory. Pinned. */
bool view_link_leaf(const struct pt *t, const u64 *table);
/* What lies at va under one slot of a level-1 table leaves the views of cpus. */
void views_unlink(struct space *s, u64 cpus, unsigned long va);
/* No CPU has s loaded, and nobody changes it. */
void views_free(struct space *s);
/* Pages of all views. */
u64 views_pages(const struct space *s);

/* --- fault.c --- */
/* PTE bits for the protection of m. */
static inline u64
pte_bits(meta_t m, bool write)
{
	u32 prot = meta_prot(m);

	return (u64)meta_pkey(m) << PTE_PKEY_SHIFT | PTE_U | PTE_A | (prot ? PTE_P : PTE_NONE) |
	       (prot & PROT_EXEC ? 0 : PTE_NX) | (write ? PTE_W | PTE_D : 0);
}
extern struct page *zero_page;

/* Slot i of the leaf t, which is locked, has none: it shows p. */
static inline void
entry_set(struct pt *t, unsigned int i, struct page *p, u64 bits)
{
	smp_store_release(&t->table[i], page_to_phys(p) | bits);
	pt_mark(t, i);
}

/* The same with a page of its own, or of the cache that m shows, and figures. */
static inline void
entry_set_anon(struct pt *t, unsigned int i, struct page *p, u64 bits)
{
	entry_set(t, i, p, bits | PTE_OWNED);
	pt_count(t, &t->anon, 1);
}

static inline void
entry_set_cached(struct pt *t, unsigned int i, struct page *p, meta_t m, u64 bits)
{
	entry_set(t, i, p, bits | PTE_FILE);
	pt_count_file(t, m, 1);
}

/* --- stack_grow.c --- */
/* Does m allow this access (FAULT_*)? */
bool fault_access_ok(meta_t m, u32 access);
/* 0: the stack above va now reaches down to it. -EFAULT, -ENOMEM. May sleep. */
int stack_grow(struct space *s, unsigned long va, u32 access);

/* --- fault.c --- */
/* Brings in all pages of a range; the fault's error. */
int space_populate(struct space *s, unsigned long start, unsigned long end, bool write);

/* --- thp.c --- */
/* May slot i of t (level 1, no entry), where va faults, get a large page? */
bool thp_wanted(const struct pt *t, unsigned long va, const struct run *r);
/* A zeroed large page, if there is plenty of memory; NULL. May sleep. */
struct page *thp_alloc(void);
void thp_install(struct pt *t, unsigned int i, struct page *p, meta_t m);
/* Makes the large page of slot i into a table of small ones. -ENOMEM. Lock held. */
int __must_check thp_split(struct pt *t, unsigned int i);
/* The large entry of slot i goes, or gets another protection. Lock held. */
void thp_drop(struct pt *t, unsigned int i, struct gather *g);
void thp_protect(struct pt *t, unsigned int i, meta_t m, struct gather *g);

/* --- arena.c --- */
void arena_init(void);
/* With parent: its layout. -ENOMEM. */
int arena_setup(struct space *s, const struct space *parent);
void arena_free(struct space *s);
/* What wants a place: at hint if that is free (0: none), below 2 GiB with MAP_32BIT. */
struct placement {
	unsigned long hint;
	size_t len;
	struct region *region;
	/* Of its runs, beside the region. */
	u64 bits;
	u32 map_flags;
};
/*
 * Finds a free range and maps it; a region that is not static gets its base.
 * The address or -ENOMEM. May sleep.
 */
long arena_map(struct space *s, const struct placement *p);
void arena_released(struct space *s, unsigned long start, unsigned long end);
/* Mapped pages changed by n. */
void arena_count(struct space *s, s64 n);
/* All of them. */
s64 arena_total(const struct space *s);
/* The same for locked pages; and how many they are at most, which reads no other CPU's part. */
void arena_count_locked(struct space *s, s64 n);
s64 arena_locked(const struct space *s);
u64 arena_locked_most(const struct space *s);

/* --- commit.c --- */
/* May `pages` more be promised? n < 0 gives back. -ENOMEM. */
int __must_check commit_charge(s64 pages);
/* Without asking. */
void commit_add(s64 pages);

/* --- mmap.c --- */
u64 space_limit_pages(unsigned int which);
int space_check_limits(struct space *s, u64 pages, meta_t m);
int space_check_mlock(struct space *s, u64 pages);
/* space_unmap() that leaves it to the caller to send the events (uffd_unmap_done()). */
int space_unmap_quiet(struct space *s, unsigned long addr, size_t len, struct list *events);

/* --- madvise.c --- */
int space_advise(struct space *s, unsigned long start, unsigned long end, int advice);

/* --- rmap.c --- */
int mapper_add(struct pagecache *pc, struct region *r);
/* False: a walker stands on r and calls region_free() when it goes on. */
bool mapper_del(struct pagecache *pc, struct region *r);
/* The page cache ends. */
void mappers_free(struct pagecache *pc);
/* How many spaces show each of the n pages from `first` on. */
void rmap_count(struct pagecache *pc, u64 first, unsigned int n, u16 *counts);

#endif
