/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mremap: shrinking, growing in place, moving.
 *
 * A move maps the new range, takes the anonymous pages over, and unmaps the old
 * range. Pages of page caches are left behind: a fault brings them, and who
 * removes one from its cache would not find it on the way (rmap.c). A thread
 * that touches the old range meanwhile gets a new page there, which goes with
 * the old range: as on Linux it must not.
 */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/uffd_impl.h"

/* Entries taken along at a time. */
#define MOVE_MAX 64

struct move {
	struct space *space;
	unsigned long addr, new_addr;
	size_t old_len, new_len;
	unsigned long flags;
	/* the mapping that addr lies in, clipped to [addr, ...); its region is held */
	struct run run;
	/* bits of ours that entries keep: PTE_WP, if the new place is told of, too */
	u64 keep;
};

/* The mapping at addr, as /proc/PID/maps would show it, from addr on. False: none. */
static bool
mapping_at(struct space *s, unsigned long addr, unsigned long end, struct run *out)
{
	struct run r;

	if (!space_next_run(s, addr, end, out, true))
		return false;
	if (out->start != addr) {
		meta_hold(out->meta, -1);
		return false;
	}
	while (out->end < end && space_next_run(s, out->end, end, &r, false) &&
	       r.start == out->end && r.meta == out->meta)
		out->end = r.end;
	return true;
}

/* --- entries --- */

struct carried {
	/* views that may have the old entries */
	u64 cpus;
	/* as of the move */
	u64 keep;
	unsigned int n;
	struct {
		unsigned long va;
		u64 entry;
	} at[MOVE_MAX];
};

/* Takes up to MOVE_MAX anonymous pages out of the leaf at va, before `end`; where it stopped. */
static unsigned long
take_out(struct space *s, unsigned long va, unsigned long end, struct carried *c)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	unsigned int i, owned = 0;

	c->n = 0;
	if (t->level > 0) {
		/* A large page becomes small ones, else nothing is here. */
		bool large = t->level == 1 && pt_present(t, slot_index(va, 1));

		end = min(end, large ? va : align_down(va, LARGE_SIZE) + LARGE_SIZE);
		pt_unlock(t);
		if (!large)
			return end;
		t = range_lock_leaf(s, va);
		if (!t)
			return 0;
		pt_unlock(t);
		return va;
	}
	end = min(end, pt_end(t));
	for_each_present(i, t, slot_index(va, 0), slot_index(end - 1, 0) + 1) {
		if (!(t->table[i] & (PTE_OWNED | PTE_WP)))
			continue;
		if (c->n == MOVE_MAX) {
			end = slot_base(t, i);
			break;
		}
		c->at[c->n].va = slot_base(t, i);
		if (t->table[i] & PTE_OWNED) {
			c->at[c->n++].entry = joint_make_own(t, i, atomic_xchg(&t->table[i], 0));
			pt_unmark(t, i);
			owned++;
		} else if (c->keep) {
			/* The page comes by a fault, and is to be told of then. */
			c->at[c->n++].entry = PTE_WP;
		}
	}
	if (owned) {
		c->cpus |= t->cpus;
		pt_count(t, &t->anon, -(s32)owned);
	}
	pt_unlock(t);
	return end;
}

/* Puts a page at va; it is given up if the place is no longer ours. */
static void
put_in(struct space *s, unsigned long va, u64 entry, const struct region *r)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	unsigned int i = slot_index(va, 0);
	const struct run *run = runs_find(t, va);
	struct page *p = entry & PTE_OWNED ? phys_to_page(entry & PTE_ADDR) : NULL;

	if (t->level == 0 && run && meta_region(run->meta) == r && !pt_present(t, i) &&
	    (p || r->cache)) {
		smp_store_release(&t->table[i], entry);
		pt_mark(t, i);
		pt_count(t, &t->anon, p != NULL);
		p = NULL;
	}
	pt_unlock(t);
	if (p)
		page_put(p);
}

/* Makes the leaves of [start, end), so that putting in wants no memory. */
static int
make_leaves(struct space *s, unsigned long start, unsigned long end)
{
	unsigned long va;
	struct pt *t;

	for (va = start; va < end; va = align_down(va, LARGE_SIZE) + LARGE_SIZE) {
		t = range_lock_leaf(s, va);
		if (!t)
			return -ENOMEM;
		pt_unlock(t);
	}
	return 0;
}

static int
move_pages(struct move *m, const struct region *r)
{
	unsigned long va = m->addr, end = m->addr + min(m->old_len, m->new_len), next,
		      shift = m->new_addr - m->addr;
	struct carried c;
	unsigned int i;

	c.cpus = 0;
	c.keep = m->keep;
	while (va < end) {
		/* Both sides' tables for a piece first, then its pages. */
		next = min(end, align_down(va, LARGE_SIZE) + LARGE_SIZE);
		if (!range_is_free(m->space, va, next) &&
		    make_leaves(m->space, va + shift, next + shift))
			return -ENOMEM;
		while (va < next) {
			va = take_out(m->space, va, next, &c);
			for (i = 0; i < c.n; i++)
				put_in(m->space, c.at[i].va + shift,
				       c.at[i].entry & (~PTE_WP | m->keep), r);
			if (!va)
				return -ENOMEM;
		}
	}
	tlb_flush_range(m->space, m->addr, end, c.cpus);
	return 0;
}

/* --- moving --- */

/* The region for the new place: the same thing, as seen from there. */
static struct region *
moved_region(struct move *m)
{
	struct region *r = meta_region(m->run.meta);

	if (r->flags & REGION_UFFD)
		r = r->plain;
	if (r->flags & REGION_STATIC)
		return r;
	return region_move(m->space, r, m->new_addr, r->offset + (m->addr - r->base));
}

static long
place_new(struct move *m, struct region *r, u64 bits)
{
	struct placement p = {.len = m->new_len, .region = r, .bits = bits};
	struct range op = {.op = RANGE_MAP, .meta = meta_make(r, bits)};
	int err;

	if (!(m->flags & MREMAP_FIXED))
		return arena_map(m->space, &p);
	err = range_apply(m->space, m->new_addr, m->new_addr + m->new_len, &op);
	return err ? err : (long)m->new_addr;
}

/* Stays behind with MREMAP_DONTUNMAP: the mapping, empty and not locked. */
static int
leave_old(struct move *m)
{
	struct range zap = {.op = RANGE_ZAP};
	struct range unlock = {.op = RANGE_FLAGS, .clear = META_LOCKED | META_ONFAULT};
	int err = range_apply(m->space, m->addr, m->addr + m->old_len, &zap);

	return err ? err : range_apply(m->space, m->addr, m->addr + m->old_len, &unlock);
}

/*
 * There was no memory for the tables of all: what has moved goes back, to tables
 * that it has left, and the new place goes.
 */
static void
move_back(struct move *m)
{
	struct move back = {.space = m->space,
			    .addr = m->new_addr,
			    .new_addr = m->addr,
			    .old_len = m->new_len,
			    .new_len = m->old_len,
			    .keep = m->keep};

	(void)!move_pages(&back, meta_region(m->run.meta));
	(void)!space_unmap(m->space, m->new_addr, m->new_len);
}

/* Should r be an attachment of shared memory: it reaches to here too. */
static void
note_shm(struct move *m, const struct region *r, unsigned long addr)
{
	if (unlikely(r->file && !list_empty(&m->space->shm.attachments)))
		mm_port_shm_moved(m->space, r->file, addr, addr + m->new_len);
}

/* What a userfaultfd's program is told when the move is over. */
struct told {
	/* ->uffd NULL: not of the move */
	struct uffd_event remap;
	struct list unmaps;
};

/* The old place goes, or stays behind. */
static int
end_old(struct move *m, struct told *told)
{
	if (m->flags & MREMAP_DONTUNMAP)
		return leave_old(m);
	return m->old_len ? space_unmap_quiet(m->space, m->addr, m->old_len, &told->unmaps) : 0;
}

/* The new place r is told of as the old one is, if e is to be sent. */
static int
follow_uffd(struct move *m, struct region *r, struct uffd_event *e)
{
	struct region *old = meta_region(m->run.meta), *to;
	int err;

	if (!e->uffd)
		return 0;
	e->msg = (struct uffd_msg){.event = UFFD_EVENT_REMAP,
				   .arg = {m->addr, m->new_addr, m->old_len}};
	to = uffd_region(e->uffd, r, old->flags & REGION_UFFD);
	if (is_err(to))
		return (int)ptr_err(to);
	err = uffd_change(m->space, m->new_addr, m->new_addr + m->new_len, r, to);
	region_put(to);
	return err;
}

/* The pages go to the new place, which r is mapped at. */
static int
move_to(struct move *m, struct region *r, struct told *told)
{
	const struct region *old = meta_region(m->run.meta);
	struct uffd_event *e = &told->remap;
	int err;

	if (uffd_wants(old, UFFD_FEATURE_EVENT_REMAP)) {
		e->uffd = old->uffd;
		uffd_event_begin(e->uffd);
		m->keep = old->flags & REGION_UFFD_WP ? PTE_WP : 0;
	}
	err = move_pages(m, r);
	note_shm(m, r, m->new_addr);
	if (!err)
		err = follow_uffd(m, r, e);
	if (!err)
		return end_old(m, told);
	move_back(m);
	if (e->uffd)
		uffd_event_cancel(e);
	e->uffd = NULL;
	return err;
}

/*
 * Maps the new place, r, and moves everything there: a fork has all of it at the one
 * place or the other. The new address or -Exxx.
 */
static long
move_whole(struct move *m, struct region *r, u64 bits, struct told *told)
{
	s64 pages = (s64)(m->new_len >> PAGE_SHIFT);
	bool gate = space_move_begin(m->space);
	long to;
	int err;

	to = bits & META_ACCOUNT ? commit_charge(pages) : 0;
	if (!to) {
		to = place_new(m, r, bits);
		if (to < 0 && bits & META_ACCOUNT)
			commit_add(-pages);
	}
	if (to >= 0) {
		m->new_addr = (unsigned long)to;
		err = move_to(m, r, told);
		to = err ? err : to;
	}
	if (gate)
		space_move_end(m->space);
	return to;
}

static long
move(struct move *m)
{
	u64 bits = m->run.meta & ~META_REGION;
	struct region *r = moved_region(m);
	struct told told = {.unmaps = LIST_INIT(told.unmaps)};
	long to;

	if (is_err(r))
		return ptr_err(r);
	to = move_whole(m, r, bits, &told);
	region_put(r);
	if (told.remap.uffd)
		uffd_event_send(&told.remap);
	uffd_unmap_done(&told.unmaps);
	if (to >= 0 && (bits & (META_LOCKED | META_ONFAULT)) == META_LOCKED &&
	    m->new_len > m->old_len)
		(void)!space_populate(m->space, m->new_addr + m->old_len, m->new_addr + m->new_len,
				      bits & PROT_WRITE && !(bits & META_SHARED));
	return to;
}

/* Grows where it is, if the room behind is free. */
static int
grow_here(struct move *m)
{
	s64 pages = (s64)((m->new_len - m->old_len) >> PAGE_SHIFT);
	struct range op = {.op = RANGE_MAP, .exclusive = true, .meta = m->run.meta};
	unsigned long end = m->addr + m->new_len;
	int err;

	if (end < m->addr || end > USER_END)
		return -ENOMEM;
	if (op.meta & META_ACCOUNT && commit_charge(pages))
		return -ENOMEM;
	err = range_apply(m->space, m->addr + m->old_len, end, &op);
	if (err && op.meta & META_ACCOUNT)
		commit_add(-pages);
	if (!err)
		note_shm(m, meta_region(op.meta), m->addr);
	if (!err && (op.meta & (META_LOCKED | META_ONFAULT)) == META_LOCKED)
		(void)!space_populate(m->space, m->addr + m->old_len, end,
				      op.meta & PROT_WRITE && !(op.meta & META_SHARED));
	return err;
}

/* May the mapping have the new length? (Linux: vma_to_resize) */
static int
check_resize(struct move *m)
{
	const struct region *r = meta_region(m->run.meta);
	u64 more;

	if (!m->old_len && !(m->run.meta & META_SHARED))
		return -EINVAL;
	if (m->flags & MREMAP_DONTUNMAP && r->flags & REGION_SPECIAL)
		return -EINVAL;
	if (m->old_len > m->run.end - m->addr)
		return -EFAULT;
	if (m->new_len == m->old_len)
		return 0;
	if (!meta_is_anon(m->run.meta) && r->offset + (m->addr - r->base) + m->new_len < m->new_len)
		return -EINVAL;
	if (r->flags & REGION_SPECIAL)
		return -EFAULT;
	if (m->new_len < m->old_len)
		return 0;
	more = (m->new_len - m->old_len) >> PAGE_SHIFT;
	if (m->run.meta & META_LOCKED && space_check_mlock(m->space, more))
		return -EAGAIN;
	return space_check_limits(m->space, more, m->run.meta);
}

static bool
overlap(const struct move *m)
{
	return m->addr + m->old_len > m->new_addr && m->new_addr + m->new_len > m->addr;
}

/* MREMAP_FIXED, MREMAP_DONTUNMAP. */
static long
remap_to(struct move *m)
{
	int err;

	if (!is_aligned(m->new_addr, PAGE_SIZE) || m->new_len > USER_END ||
	    m->new_addr > USER_END - m->new_len || overlap(m))
		return -EINVAL;
	if (m->flags & MREMAP_FIXED) {
		err = space_unmap(m->space, m->new_addr, m->new_len);
		if (err)
			return err;
	}
	if (m->old_len > m->new_len) {
		err = space_unmap(m->space, m->addr + m->new_len, m->old_len - m->new_len);
		if (err)
			return err;
		m->old_len = m->new_len;
	}
	err = check_resize(m);
	if (!err && m->flags & MREMAP_DONTUNMAP)
		err = space_check_limits(m->space, m->old_len >> PAGE_SHIFT, m->run.meta);
	return err ? err : move(m);
}

static long
remap(struct move *m)
{
	int err;

	if (m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(m);
	if (m->old_len >= m->new_len) {
		err = m->old_len > m->new_len
			      ? space_unmap(m->space, m->addr + m->new_len, m->old_len - m->new_len)
			      : 0;
		return err ? err : (long)m->addr;
	}
	err = check_resize(m);
	if (err)
		return err;
	if (m->old_len && m->old_len == m->run.end - m->addr && grow_here(m) == 0)
		return (long)m->addr;
	return m->flags & MREMAP_MAYMOVE ? move(m) : -ENOMEM;
}

long
sys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len, unsigned long flags,
	   unsigned long new_addr)
{
	struct move m = {
		.space = mm_port_current_space(),
		.addr = addr,
		.old_len = align_up(old_len, PAGE_SIZE),
		.new_len = align_up(new_len, PAGE_SIZE),
		.flags = flags,
		.new_addr = flags & MREMAP_FIXED ? new_addr : 0,
	};
	long ret;

	if (flags & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
	    (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
	    (flags & MREMAP_DONTUNMAP && old_len != new_len) || !is_aligned(addr, PAGE_SIZE) ||
	    !m.new_len)
		return -EINVAL;
	if (addr >= USER_END ||
	    !mapping_at(m.space, addr, min(USER_END, max(addr + PAGE_SIZE, addr + m.old_len + 1)),
			&m.run))
		return -EFAULT;
	ret = remap(&m);
	meta_hold(m.run.meta, -1);
	return ret;
}
