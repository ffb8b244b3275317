/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * madvise: what a program tells about ranges.
 *
 * The range is taken mapping by mapping; one that the advice does not fit ends
 * the call, a hole is told at the end (ENOMEM), as on Linux.
 */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/uffd_impl.h"

/* Flags that an advice changes. */
struct advice_flags {
	u32 set, clear;
};

static const struct advice_flags advice_flags[] = {
	[MADV_NORMAL] = {0, MAPPING_SEQ_READ | MAPPING_RAND_READ},
	[MADV_RANDOM] = {MAPPING_RAND_READ, MAPPING_SEQ_READ},
	[MADV_SEQUENTIAL] = {MAPPING_SEQ_READ, MAPPING_RAND_READ},
	[MADV_DONTFORK] = {MAPPING_DONTFORK, 0},
	[MADV_DOFORK] = {0, MAPPING_DONTFORK},
	[MADV_MERGEABLE] = {MAPPING_MERGEABLE, 0},
	[MADV_UNMERGEABLE] = {0, MAPPING_MERGEABLE},
	[MADV_HUGEPAGE] = {MAPPING_HUGE, MAPPING_NOHUGE},
	[MADV_NOHUGEPAGE] = {MAPPING_NOHUGE, MAPPING_HUGE},
	[MADV_DONTDUMP] = {MAPPING_DONTDUMP, 0},
	[MADV_DODUMP] = {0, MAPPING_DONTDUMP},
	[MADV_WIPEONFORK] = {MAPPING_WIPEONFORK, 0},
	[MADV_KEEPONFORK] = {0, MAPPING_WIPEONFORK},
};

static bool
advice_known(int advice)
{
	switch (advice) {
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	}
	return advice >= 0 && advice < (int)ARRAY_SIZE(advice_flags) &&
	       (advice == MADV_NORMAL || advice_flags[advice].set || advice_flags[advice].clear);
}

static bool
private_anon(meta_t m)
{
	return meta_is_anon(m) && !(m & META_SHARED);
}

static int
advise_flags(struct space *s, const struct run *r, int advice)
{
	const struct advice_flags *a = &advice_flags[advice];
	struct range op = {
		.op = RANGE_FLAGS, .set = meta_flag(a->set), .clear = meta_flag(a->clear)};
	bool special = meta_region(r->meta)->flags & REGION_SPECIAL;

	if (advice == MADV_WIPEONFORK && !private_anon(r->meta))
		return -EINVAL;
	/* What others see is not merged, and special pages are not; nor is it refused. */
	if (advice == MADV_MERGEABLE && (special || r->meta & META_SHARED))
		return 0;
	if (special && (advice == MADV_DOFORK || advice == MADV_DODUMP))
		return -EINVAL;
	return range_apply(s, r->start, r->end, &op);
}

static int
advise_drop(struct space *s, const struct run *r, int advice)
{
	struct range op = {.op = RANGE_ZAP};

	if (meta_region(r->meta)->flags & REGION_SPECIAL ||
	    (r->meta & META_LOCKED && advice != MADV_DONTNEED_LOCKED))
		return -EINVAL;
	if (advice == MADV_FREE && !private_anon(r->meta))
		return -EINVAL;
	if (uffd_wants(meta_region(r->meta), UFFD_FEATURE_EVENT_REMOVE))
		uffd_tell_remove(meta_region(r->meta), r->start, r->end);
	return range_apply(s, r->start, r->end, &op);
}

/* Pages of the file are freed, in the mapping and in the file. */
static int
advise_remove(const struct run *r)
{
	struct region *g = meta_region(r->meta);

	if (r->meta & META_LOCKED || !g->cache)
		return -EINVAL;
	if ((r->meta & (META_SHARED | PROT_WRITE)) != (META_SHARED | PROT_WRITE))
		return -EACCES;
	if (!g->cache->ops || !g->cache->ops->punch)
		return -EOPNOTSUPP;
	if (uffd_wants(g, UFFD_FEATURE_EVENT_REMOVE))
		uffd_tell_remove(g, r->start, r->end);
	return g->cache->ops->punch(g->cache, g->offset + (r->start - g->base), r->end - r->start);
}

/* Reads ahead what a file with a disk has. */
static int
advise_willneed(const struct run *r)
{
	struct region *g = meta_region(r->meta);
	u64 i, n = run_pages(r), first = region_index(g, r->start), end;
	struct page *p;

	if (!g->cache || !g->cache->ops || !g->cache->ops->read_page)
		return 0;
	end = div_round_up(READ_ONCE(*g->cache->size), PAGE_SIZE);
	for (i = first; i < min(first + n, end) && !mm_port_fatal_pending(); i++) {
		p = pagecache_get(g->cache, i);
		/* Only a hint: what fails now is told by the access. */
		if (is_err(p))
			break;
		page_put(p);
	}
	return 0;
}

static int
advise_populate(struct space *s, const struct run *r, int advice)
{
	bool write = advice == MADV_POPULATE_WRITE;
	int err;

	if (meta_region(r->meta)->flags & REGION_SPECIAL ||
	    !(meta_prot(r->meta) & (write ? PROT_WRITE : META_PROT)))
		return -EINVAL;
	err = space_populate(s, r->start, r->end, write);
	return err;
}

/* Hints about reclaim, which takes no page that is mapped. */
static int
advise_cold(const struct run *r)
{
	return r->meta & META_LOCKED || meta_region(r->meta)->flags & REGION_SPECIAL ? -EINVAL : 0;
}

static int
advise_run(struct space *s, const struct run *r, int advice)
{
	switch (advice) {
	case MADV_WILLNEED:
		return advise_willneed(r);
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return advise_drop(s, r, advice);
	case MADV_REMOVE:
		return advise_remove(r);
	case MADV_COLD:
	case MADV_PAGEOUT:
		return advise_cold(r);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return advise_populate(s, r, advice);
	}
	return advise_flags(s, r, advice);
}

static bool
stops_at_hole(int advice)
{
	return advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
}

int
space_advise(struct space *s, unsigned long start, unsigned long end, int advice)
{
	unsigned long va = start;
	bool hole = false;
	struct run r;
	int err = 0;

	while (va < end && !err) {
		bool found = space_next_run(s, va, end, &r, true);

		hole |= !found || r.start > va;
		if (!found || (hole && stops_at_hole(advice))) {
			if (found)
				meta_hold(r.meta, -1);
			break;
		}
		err = advise_run(s, &r, advice);
		meta_hold(r.meta, -1);
		va = r.end;
	}
	return err ? err : hole ? -ENOMEM : 0;
}

long
space_madvise(struct space *s, unsigned long addr, size_t len, int advice)
{
	size_t all = align_up(len, PAGE_SIZE);
	int err;

	if (!advice_known(advice) || !is_aligned(addr, PAGE_SIZE) || (len && !all) ||
	    addr + all < addr)
		return -EINVAL;
	if (all == 0)
		return 0;
	if (addr >= USER_END)
		return -ENOMEM;
	if (all <= USER_END - addr)
		return space_advise(s, addr, addr + all, advice);
	err = space_advise(s, addr, USER_END, advice);
	return err ? err : -ENOMEM;
}

void
space_reap(struct space *s)
{
	struct range op = {.op = RANGE_ZAP};
	unsigned long va = 0;
	struct run r;

	/* A call that still runs must not take what comes instead for what was written. */
	WRITE_ONCE(s->reaped, true);
	for (; space_next_run(s, va, USER_END, &r, true); va = r.end) {
		if (!(r.meta & META_SHARED) && !(meta_region(r.meta)->flags & REGION_SPECIAL))
			(void)!range_apply(s, r.start, r.end, &op);
		meta_hold(r.meta, -1);
		if (mm_port_fatal_pending())
			break;
	}
}

long
sys_madvise(unsigned long addr, size_t len, int advice)
{
	return space_madvise(mm_port_current_space(), addr, len, advice);
}
