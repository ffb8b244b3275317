/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults.
 *
 * Model: the lowest table on the way to the address is locked and its run says
 * what should be there; tables below are made down to the leaf. What is at hand
 * (a zero page, a page of the page cache, a fresh page from this CPU's list) is
 * mapped at once. For what has to be waited for the lock is let go, the thing is
 * got, and the fault begins again with it in hand, because everything may have
 * changed meanwhile.
 *
 * Copy on write: a page with one reference is ours alone (joint.c) and is written in
 * place; another is copied. The entry is cleared and flushed before the copy is
 * made, so that no CPU writes to the old page through an old translation while
 * or after it is read.
 *
 * A page of a page cache is looked up and mapped under the table's lock, and
 * takes no reference (rmap.c). A shared page that may be written without our
 * knowledge is dirty: the first write asks make_dirty.
 *
 * Contexts: may sleep; user mode and copies of user memory.
 */
#include "kernel/uapi/signal.h"
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/uffd_impl.h"

/* Neighbours of a file page that are mapped along, if the cache has them. */
#define AROUND 16u

struct fault {
	struct space *space;
	unsigned long va;
	u32 access;
	struct fault_sig *sig;
	/* got by an earlier try: a page, a large page, a page of the cache */
	struct page *fresh, *large, *cached;
	/* what a try wants: held while no lock is; of NEED_PROGRAM index is the reason */
	struct region *region;
	u64 index;
	/* make_dirty has been asked for this page */
	struct page *dirtied;
	bool no_large;
	/* other CPUs work in the same leaf */
	bool crowded;
};

/* How a try ends; what it wants before the next. */
enum {
	DONE = 0,
	NEED_PAGE = 1,
	NEED_CACHE,
	NEED_DIRTY,
	NEED_MEMORY,
	NEED_STACK,
	NEED_LARGE,
	NEED_FORK,
	NEED_PROGRAM,
};

static int
bad(struct fault *f, int signo, int code)
{
	f->sig->signo = signo;
	f->sig->code = code;
	return -EFAULT;
}

static void
map_anon(struct pt *t, unsigned int i, struct page *p, meta_t m)
{
	entry_set_anon(t, i, p, pte_bits(m, meta_prot(m) & PROT_WRITE));
}

/* A page of our own for this slot: the one at hand, or from the lists. */
static struct page *
take_fresh(struct fault *f)
{
	struct page *p = f->fresh;

	f->fresh = NULL;
	if (!p)
		p = page_alloc(0, GFP_ATOMIC | GFP_NOWARN);
	if (p)
		page_set_type(p, PAGE_ANON);
	return p;
}

/* The try ends: m's region is held until what it wants is got. */
static int
need_of_region(struct fault *f, meta_t m, u64 index, int need)
{
	f->region = meta_region(m);
	region_get(f->region);
	f->index = index;
	return need;
}

static int
fault_anon(struct fault *f, struct pt *t, unsigned int i, meta_t m)
{
	struct page *p;

	if (unlikely(meta_region(m)->flags & REGION_UFFD_MISSING))
		return need_of_region(f, m, UFFD_MISSING, NEED_PROGRAM);
	if (!(f->access & FAULT_WRITE)) {
		entry_set(t, i, zero_page, pte_bits(m, false));
		return DONE;
	}
	p = take_fresh(f);
	if (!p)
		return NEED_PAGE;
	page_zero(page_to_virt(p));
	map_anon(t, i, p, m);
	return DONE;
}

/* --- files --- */

/* May a clean page be written unseen? Else make_dirty must be asked first. */
static bool
writes_tracked(const struct pagecache *pc)
{
	return pc->ops && pc->ops->make_dirty;
}

/* Maps what the cache has of the neighbours in this table. */
static void
map_around(struct pt *t, unsigned int i, const struct run *run)
{
	const struct region *r = meta_region(run->meta);
	unsigned int k, first = i & ~(AROUND - 1), last = first + AROUND;
	bool write = run->meta & META_SHARED && run->meta & PROT_WRITE && !writes_tracked(r->cache);
	u64 bits = (pte_bits(run->meta, false) & ~PTE_A) | PTE_FILE | (write ? PTE_W : 0);
	struct page *pages[AROUND];
	unsigned long va;
	u32 n = 0;

	first = max(first, slot_index(max(run->start, t->base), 0));
	last = min(last, slot_index(run->end - 1, 0) + 1);
	va = slot_base(t, first);
	if (!pagecache_peek_many(r->cache, region_index(r, va), last - first, pages))
		return;
	for (k = first; k < last; k++) {
		struct page *p = pages[k - first];

		if (!p || pt_present(t, k))
			continue;
		entry_set(t, k, p, bits);
		n++;
	}
	if (n)
		pt_count_file(t, run->meta, (s32)n);
}

/* --- a page is there --- */

/* The page of slot i becomes a copy of its own. */
static int
copy_on_write(struct fault *f, struct pt *t, unsigned int i, meta_t m)
{
	u64 e = t->table[i];
	struct page *old = phys_to_page(e & PTE_ADDR), *p = take_fresh(f);
	unsigned long va = slot_base(t, i);

	if (!p)
		return NEED_PAGE;
	WRITE_ONCE(t->table[i], 0);
	tlb_flush_range(t->space, va, va + PAGE_SIZE, t->cpus);
	if (old == zero_page)
		page_zero(page_to_virt(p));
	else
		page_copy(page_to_virt(p), page_to_virt(old));
	if (e & PTE_OWNED) {
		entry_put(t, i, e);
		pt_count(t, &t->anon, -1);
	} else if (e & PTE_FILE) {
		pt_count_file(t, m, -1);
	}
	map_anon(t, i, p, m);
	return DONE;
}

static int
fault_present(struct fault *f, struct pt *t, unsigned int i, meta_t m)
{
	u64 e = t->table[i];
	struct page *p = phys_to_page(e & PTE_ADDR);
	struct region *r = meta_region(m);

	/* Somebody was faster; or a debugger wants what it wrote before. */
	if (!(f->access & FAULT_WRITE) || e & PTE_W)
		return DONE;
	if (unlikely(e & PTE_WP) && r->flags & REGION_UFFD_WP)
		return need_of_region(f, m, UFFD_WP, NEED_PROGRAM);
	if (m & META_SHARED || r->flags & REGION_SPECIAL) {
		if (r->cache && writes_tracked(r->cache) && f->dirtied != p)
			return need_of_region(f, m, region_index(r, f->va), NEED_DIRTY);
	} else if (!(e & PTE_OWNED) || !entry_is_sole(t, i, e)) {
		return copy_on_write(f, t, i, m);
	}
	/* More rights need no flush: a CPU that has the old ones faults, which drops them. */
	if (meta_prot(m) & PROT_WRITE)
		atomic_or(&t->table[i], PTE_W | PTE_D | PTE_A);
	return DONE;
}

/* Why r's program is to be told that the cache has p, or NULL, for a page that is not there. */
static enum uffd_reason
program_reason(const struct fault *f, const struct region *r, const struct page *p)
{
	if (!p)
		return r->flags & REGION_UFFD_MISSING ? UFFD_MISSING : UFFD_NONE;
	/* What this fault itself has made is no news. */
	return r->flags & REGION_UFFD_MINOR && p != f->cached ? UFFD_MINOR : UFFD_NONE;
}

static int
fault_file(struct fault *f, struct pt *t, unsigned int i, const struct run *run)
{
	meta_t m = run->meta;
	struct region *r = meta_region(m);
	u64 index = region_index(r, f->va);
	bool write = f->access & FAULT_WRITE;
	bool marked = pt_present(t, i) && r->flags & REGION_UFFD_WP;
	struct page *p, *own;
	enum uffd_reason reason;

	if (index >= div_round_up(READ_ONCE(*r->cache->size), PAGE_SIZE))
		return bad(f, SIGBUS, BUS_ADRERR);
	p = pagecache_peek(r->cache, index);
	reason = unlikely(r->flags & REGION_UFFD) ? program_reason(f, r, p) : UFFD_NONE;
	if (reason)
		return need_of_region(f, m, reason, NEED_PROGRAM);
	if (!p)
		return need_of_region(f, m, index, NEED_CACHE);
	pagecache_used(r->cache, p);
	/* One that is to be told of before it is written comes for reading first. */
	if (unlikely(marked)) {
		entry_set_cached(t, i, p, m, (pte_bits(m, false)) | PTE_WP);
		return write ? fault_present(f, t, i, m) : DONE;
	}
	if (write && !(m & META_SHARED)) {
		own = take_fresh(f);
		if (!own)
			return NEED_PAGE;
		page_copy(page_to_virt(own), page_to_virt(p));
		map_anon(t, i, own, m);
		return DONE;
	}
	if (write && writes_tracked(r->cache) && f->dirtied != p)
		return need_of_region(f, m, index, NEED_DIRTY);
	entry_set_cached(t, i, p, m, pte_bits(m, write));
	if (!write && m & META_SHARED && meta_prot(m) & PROT_WRITE && !writes_tracked(r->cache))
		t->table[i] |= PTE_W;
	if (!write && !(r->flags & (REGION_UFFD_WP | REGION_UFFD_MINOR)))
		map_around(t, i, run);
	return DONE;
}

/* --- finding the place --- */

static inline bool
access_ok(meta_t m, u32 access)
{
	u32 prot = meta_prot(m);

	if (access & FAULT_WRITE) {
		if (prot & PROT_WRITE)
			return true;
		return access & FAULT_FORCE && !(m & META_SHARED) &&
		       meta_region(m)->max_prot & PROT_WRITE &&
		       !(meta_region(m)->flags & REGION_SPECIAL);
	}
	if (access & FAULT_EXEC)
		return prot & PROT_EXEC;
	return prot || access & FAULT_FORCE;
}

bool
fault_access_ok(meta_t m, u32 access)
{
	return access_ok(m, access);
}

static int
fault_leaf(struct fault *f, struct pt *t, const struct run *run)
{
	unsigned int i = slot_index(f->va, 0);
	struct region *r = meta_region(run->meta);

	if (pt_present(t, i) && likely(!entry_is_marker(t->table[i])))
		return fault_present(f, t, i, run->meta);
	if (r->flags & REGION_ANON)
		return fault_anon(f, t, i, run->meta);
	if (r->flags & REGION_SPECIAL) {
		entry_set(t, i, r->pages[region_index(r, f->va)],
			  pte_bits(run->meta, meta_prot(run->meta) & PROT_WRITE));
		return DONE;
	}
	return fault_file(f, t, i, run);
}

/*
 * t is above the leaves: a large page, or tables down to the leaf, which comes
 * back locked in *t. DONE: nothing more to do if *t is NULL.
 */
static int
descend(struct fault *f, struct pt **tp, const struct run *run)
{
	struct pt *t = *tp, *c;
	unsigned int i;
	int ret = DONE;

	while (t->level > 0) {
		i = slot_index(f->va, t->level);
		if (pt_present(t, i) && !entry_is_table(t->table[i]))
			goto large;
		if (t->level == 1 && !f->no_large && thp_wanted(t, f->va, run)) {
			if (!f->large) {
				ret = NEED_LARGE;
				goto out;
			}
			thp_install(t, i, f->large, run->meta);
			f->large = NULL;
			goto large;
		}
		c = pt_make_child(t, i);
		if (!c) {
			ret = NEED_MEMORY;
			goto out;
		}
		pt_unlock(t);
		t = c;
		run = runs_find(t, f->va);
	}
	*tp = t;
	return DONE;
large:
	if (!view_link(t, i))
		ret = NEED_MEMORY;
out:
	pt_unlock(t);
	*tp = NULL;
	return ret;
}

/* The lowest table at va, locked; NULL and how the try ends, if it is a fine leaf. */
static __noinline struct pt *
fault_fine(struct fault *f, int *ret)
{
	struct pt *t;

	/* The leaf may become fine while its lock is waited for. */
	for (int tries = 0; tries < 2; tries++) {
		switch (fine_fault(f->space, f->va, f->access)) {
		case FINE_FAULT_DONE:
			*ret = DONE;
			return NULL;
		case FINE_FAULT_UNMAPPED:
			*ret = NEED_STACK;
			return NULL;
		case FINE_FAULT_DENIED:
			*ret = bad(f, SIGSEGV, SEGV_ACCERR);
			return NULL;
		case FINE_FAULT_COARSE:
			break;
		}
		t = pt_try_lock_walk(f->space, f->va, 0);
		if (likely(t))
			return t;
	}
	return pt_lock_walk(f->space, f->va, 0);
}

static int
fault_try(struct fault *f)
{
	int ret;
	const struct run *run;
	struct pt *t;

	t = space_has_fine(f->space) ? NULL : pt_try_lock_walk(f->space, f->va, 0);
	if (unlikely(!t)) {
		t = fault_fine(f, &ret);
		if (!t)
			return ret;
	}
	/* What a read brings above a leaf may be a large page, which is writable at once. */
	if (unlikely(READ_ONCE(f->space->forking)) && ((f->access & FAULT_WRITE) || t->level > 0)) {
		pt_unlock(t);
		return NEED_FORK;
	}
	run = runs_find(t, f->va);
	if (unlikely(!run)) {
		pt_unlock(t);
		return NEED_STACK;
	}
	if (unlikely(!access_ok(run->meta, f->access))) {
		pt_unlock(t);
		return bad(f, SIGSEGV, SEGV_ACCERR);
	}
	if (unlikely(READ_ONCE(f->space->reaped)) && !(run->meta & META_SHARED)) {
		pt_unlock(t);
		return bad(f, SIGBUS, BUS_ADRERR);
	}
	if (unlikely(t->level > 0)) {
		ret = descend(f, &t, run);
		if (!t)
			return ret;
		run = runs_find(t, f->va);
	}
	ret = fault_leaf(f, t, run);
	if (ret == DONE && !view_link(t, slot_index(f->va, 0)))
		ret = NEED_MEMORY;
	f->crowded = unlikely(pt_is_crowded(t));
	pt_unlock(t);
	return ret;
}

/* --- between tries --- */

static int
get_cached(struct fault *f)
{
	struct pagecache *pc = f->region->cache;
	struct page *p = pagecache_get(pc, f->index);

	if (is_err(p)) {
		if (ptr_err(p) == -ENOMEM)
			return -ENOMEM;
		return bad(f, SIGBUS, BUS_ADRERR);
	}
	if (f->cached)
		page_put(f->cached);
	f->cached = p;
	return 0;
}

static int
get_dirty(struct fault *f)
{
	struct pagecache *pc = f->region->cache;
	struct page *p = pagecache_find(pc, f->index);

	if (!p)
		return 0;
	if (f->cached)
		page_put(f->cached);
	f->cached = p;
	if (pc->ops->make_dirty(pc, p))
		return bad(f, SIGBUS, BUS_ADRERR);
	f->dirtied = p;
	return 0;
}

/* Nothing is locked: gets what the try wanted. */
static int
get_need(struct fault *f, int need)
{
	int err = 0;

	switch (need) {
	case NEED_CACHE:
		err = get_cached(f);
		break;
	case NEED_DIRTY:
		err = get_dirty(f);
		break;
	case NEED_PAGE:
		f->fresh = page_alloc(0, GFP_USER);
		return f->fresh ? 0 : -ENOMEM;
	case NEED_MEMORY:
		return range_wait_memory(f->space);
	case NEED_LARGE:
		f->large = thp_alloc();
		f->no_large = !f->large;
		return 0;
	case NEED_STACK:
		bad(f, SIGSEGV, SEGV_MAPERR);
		return stack_grow(f->space, f->va, f->access);
	case NEED_FORK:
		space_wait_fork(f->space);
		return 0;
	case NEED_PROGRAM:
		bad(f, SIGBUS, BUS_ADRERR);
		err = uffd_wait_fault(f->space, f->region, f->va, f->access,
				      (enum uffd_reason)f->index);
		break;
	}
	region_put(f->region);
	return err;
}

int
space_fault(struct space *s, unsigned long va, u32 access, struct fault_sig *sig)
{
	struct fault f = {.space = s, .va = va, .access = access, .sig = sig};
	int ret;

	if (unlikely(va >= USER_END))
		return bad(&f, SIGSEGV, SEGV_MAPERR);
	for (;;) {
		ret = fault_try(&f);
		if (likely(ret <= 0))
			break;
		ret = get_need(&f, ret);
		if (ret)
			break;
	}
	if (unlikely(f.crowded))
		fine_make(s, va);
	/* User mode comes back here when it has handled its signal. */
	if (unlikely(ret == -EINTR))
		ret = 0;
	if (likely(ret == 0)) {
		mm_stat_inc(MM_FAULTS);
		mm_port_fault_done();
	}
	if (unlikely(f.fresh != NULL))
		page_put(f.fresh);
	if (unlikely(f.large != NULL))
		page_put(f.large);
	if (unlikely(f.cached != NULL))
		page_put(f.cached);
	return ret;
}

int
space_populate(struct space *s, unsigned long start, unsigned long end, bool write)
{
	struct fault_sig sig;
	unsigned long va;
	int err;

	for (va = start; va < end; va += PAGE_SIZE) {
		if (mm_port_fatal_pending())
			return -EINTR;
		err = space_fault(s, va, write ? FAULT_WRITE : 0, &sig);
		if (err == -ENOMEM)
			return err;
		if (err)
			return sig.signo == SIGBUS ? -EFAULT : -ENOMEM;
	}
	return 0;
}
