/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap, munmap, mprotect, brk, msync, mincore. For others see madvise.c, mlock.c, mremap.c. */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pagecache.h"
#include "mm/pkey_impl.h"
#include "mm/space_impl.h"
#include "mm/uaccess.h"
#include "mm/uffd_impl.h"

#define CAP_IPC_LOCK 14
#define RLIMIT_DATA 2
#define RLIMIT_MEMLOCK 8
/* PROT_SEM, which means nothing here, is allowed as on Linux. */
#define PROT_KNOWN 15UL
/* Flags that MAP_SHARED_VALIDATE knows. */
#define MAP_KNOWN                                                                                  \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |   \
	 MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |    \
	 MAP_HUGETLB | MAP_32BIT | MAP_FIXED_NOREPLACE)

/* --- mmap --- */

static int
check_flags(unsigned long flags, const struct file *f)
{
	u32 type = flags & MAP_TYPE;

	/* Of files only the huge page file system's may be; of its pages none are reserved. */
	if (flags & MAP_HUGETLB)
		return f ? -EINVAL : -ENOMEM;
	if (flags & MAP_LOCKED && !mm_port_capable(CAP_IPC_LOCK) &&
	    space_limit_pages(RLIMIT_MEMLOCK) == 0)
		return -EPERM;
	if (type == MAP_PRIVATE)
		return 0;
	if (type == MAP_SHARED)
		return flags & MAP_GROWSDOWN ? -EINVAL : 0;
	if (type != MAP_SHARED_VALIDATE || !f)
		return -EINVAL;
	return flags & ~(unsigned long)MAP_KNOWN ? -EOPNOTSUPP : 0;
}

long
sys_mmap(unsigned long addr, size_t len, unsigned long prot, unsigned long flags, unsigned long fd,
	 unsigned long off)
{
	struct map_backing b = {.offset = off};
	long ret;

	if (!is_aligned(off, PAGE_SIZE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		b.file = mm_port_fd(fd);
		if (!b.file)
			return -EBADF;
	}
	/* A hint below the lowest address means that address. */
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && addr)
		addr = max(addr, align_up(READ_ONCE(mmap_min_addr), PAGE_SIZE));
	if (prot & PROT_READ && mm_port_read_implies_exec())
		prot |= PROT_EXEC;
	ret = len ? check_flags(flags, b.file) : -EINVAL;
	if (!ret)
		ret = space_map(mm_port_current_space(), addr, len, (u32)(prot & META_PROT),
				(u32)flags, b.file ? &b : NULL);
	if (b.file)
		mm_port_file_put(b.file);
	return ret;
}

/* What remap_file_pages() finds at its address. */
struct remapped {
	unsigned long end;
	u32 prot, vm_flags;
	bool shared;
	struct file *file;
};

static int
remap_note(const struct map_info *mi, void *ctx)
{
	struct remapped *m = ctx;

	m->shared = mi->shared && mi->start <= m->end;
	if (!m->shared || !mi->file)
		return 1;
	m->end = mi->end;
	m->prot = mi->prot;
	m->vm_flags = mi->vm_flags;
	mm_port_file_get(mi->file);
	m->file = mi->file;
	return 1;
}

/*
 * Other pages of a shared mapping's file in their place: a mapping of their own, as
 * Linux makes of it since it has no other way any more.
 */
long
sys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
		     unsigned long pgoff, unsigned long flags)
{
	struct space *s = mm_port_current_space();
	struct map_backing b = {.offset = pgoff << PAGE_SHIFT};
	struct remapped m;
	long ret = -EINVAL;

	start = align_down(start, PAGE_SIZE);
	size = align_down(size, PAGE_SIZE);
	if (prot || start + size <= start || pgoff + (size >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	m = (struct remapped){.end = start};
	(void)space_for_each(s, start, false, remap_note, &m);
	if (!m.file)
		return -EINVAL;
	b.file = m.file;
	flags = (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE |
		(m.vm_flags & MAPPING_LOCKED ? MAP_LOCKED : 0);
	/* Behind all that a file may have. */
	if (pgoff + (size >> PAGE_SHIFT) > (u64)S64_MAX >> PAGE_SHIFT)
		ret = -EOVERFLOW;
	else if (start + size <= m.end)
		ret = space_map(s, start, size, m.prot, (u32)flags, &b);
	mm_port_file_put(m.file);
	return ret < 0 ? ret : 0;
}

long
sys_munmap(unsigned long addr, size_t len)
{
	return space_unmap(mm_port_current_space(), addr, len);
}

/* --- mprotect --- */

/* PROT_GROWSDOWN: from the start of the stack that addr lies in. */
static int
stack_start(struct space *s, unsigned long *addr, size_t *len)
{
	unsigned long va = 0, start = 0, end = 0;
	struct run r;

	for (; space_next_run(s, va, *addr + PAGE_SIZE, &r, false); va = r.end) {
		if (r.start != end || !(r.meta & META_GROWSDOWN))
			start = r.start;
		end = r.end;
		if (end > *addr)
			break;
	}
	if (end <= *addr)
		return -ENOMEM;
	if (!(r.meta & META_GROWSDOWN))
		return -EINVAL;
	*len += *addr - start;
	*addr = start;
	return 0;
}

static long
protect(unsigned long addr, size_t len, unsigned long prot, int key)
{
	struct space *s = mm_port_current_space();
	unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	int err;

	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || !is_aligned(addr, PAGE_SIZE))
		return -EINVAL;
	if (len == 0)
		return 0;
	len = align_up(len, PAGE_SIZE);
	if (len == 0 || addr + len <= addr)
		return -ENOMEM;
	/* No mapping grows up on this machine. */
	if (prot & ~PROT_KNOWN || grows == PROT_GROWSUP)
		return -EINVAL;
	if (prot & PROT_READ && mm_port_read_implies_exec())
		prot |= PROT_EXEC;
	if (key != -1 && !pkey_is_valid(s, key))
		return -EINVAL;
	if (addr >= USER_END)
		return -ENOMEM;
	err = grows ? stack_start(s, &addr, &len) : 0;
	return err ? err : space_protect_key(s, addr, len, (u32)prot, key);
}

long
sys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	return protect(addr, len, prot, -1);
}

long
sys_pkey_mprotect(unsigned long addr, size_t len, unsigned long prot, int key)
{
	return protect(addr, len, prot, key);
}

/* --- brk --- */

static int
brk_grow(struct space *s, unsigned long from, unsigned long to)
{
	u32 prot = PROT_READ | PROT_WRITE | (mm_port_read_implies_exec() ? PROT_EXEC : 0);
	u64 bits = prot | META_ACCOUNT | atomic_read(&s->def_meta),
	    pages = (to - from) >> PAGE_SHIFT;
	struct range op = {
		.op = RANGE_MAP, .exclusive = true, .meta = meta_make(&anon_region, bits)};
	int err;

	if (space_check_limits(s, pages, bits) ||
	    (bits & META_LOCKED && space_check_mlock(s, pages)))
		return -ENOMEM;
	/* One page stays free towards what lies above. */
	if (!range_is_free(s, to, min(to + PAGE_SIZE, USER_END)) || commit_charge((s64)pages))
		return -ENOMEM;
	err = range_apply(s, from, to, &op);
	if (err)
		commit_add(-(s64)pages);
	else if ((bits & (META_LOCKED | META_ONFAULT)) == META_LOCKED)
		(void)!space_populate(s, from, to, true);
	return err;
}

/* RLIMIT_DATA as brk sees it: heap and initialised data. */
static bool
brk_limit_ok(const struct space_layout *l, unsigned long brk)
{
	u64 limit = mm_port_rlimit(RLIMIT_DATA), data = l->end_data - l->start_data;

	return limit == U64_MAX || (data <= limit && brk - l->start_brk <= limit - data);
}

/* events: what is to be sent, once the lock is let go (uffd_unmap_done()). */
static bool
brk_move(struct space *s, unsigned long brk, struct list *events)
{
	struct space_layout *l = &s->layout;
	unsigned long old = align_up(l->brk, PAGE_SIZE), new = align_up(brk, PAGE_SIZE);

	if (brk < l->start_brk || brk > USER_END - PAGE_SIZE || !brk_limit_ok(l, brk))
		return false;
	if (new > old)
		return brk_grow(s, old, new) == 0;
	return new == old || space_unmap_quiet(s, new, old - new, events) == 0;
}

long
sys_brk(unsigned long brk)
{
	struct space *s = mm_port_current_space();
	struct space_layout *l = &s->layout;
	struct list events = LIST_INIT(events);

	mutex_lock(&s->brk_lock);
	if (brk_move(s, brk, &events))
		l->brk = brk;
	brk = l->brk;
	mutex_unlock(&s->brk_lock);
	uffd_unmap_done(&events);
	return (long)brk;
}

/* --- msync --- */

/* Writes back what a file with a disk has changed. */
static int
sync_run(const struct run *r, int flags)
{
	struct region *g = meta_region(r->meta);

	if (flags & MS_INVALIDATE && r->meta & META_LOCKED)
		return -EBUSY;
	if (!(flags & MS_SYNC) || !(r->meta & META_SHARED) || !g->cache || !g->cache->ops ||
	    !g->cache->ops->sync)
		return 0;
	return g->cache->ops->sync(g->cache, region_index(g, r->start),
				   region_index(g, r->end - 1));
}

long
sys_msync(unsigned long addr, size_t len, int flags)
{
	struct space *s = mm_port_current_space();
	unsigned long va = addr, end = addr + align_up(len, PAGE_SIZE);
	bool hole = false;
	struct run r;
	int err = 0;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || !is_aligned(addr, PAGE_SIZE) ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	for (; va < end && !err; va = r.end) {
		if (va >= USER_END || !space_next_run(s, va, min(end, USER_END), &r, true))
			return -ENOMEM;
		hole |= r.start > va;
		err = sync_run(&r, flags);
		meta_hold(r.meta, -1);
	}
	return err ? err : hole ? -ENOMEM : 0;
}

/* --- mincore --- */

#define CORE_BATCH 256

/* Has the space a page at va? Who only looks leaves a leaf fine. */
static bool
is_mapped(struct space *s, unsigned long va)
{
	bool there, crowded;
	struct pt *t;
	int fine;

	do {
		fine = fine_has_page(s, va);
		if (fine >= 0)
			return fine;
		/* It may become fine while its lock is waited for. */
		t = pt_try_lock_walk(s, va, 0);
	} while (unlikely(!t));
	there = t->level <= 1 && pt_present(t, slot_index(va, t->level)) &&
		!(t->level == 1 && entry_is_table(t->table[slot_index(va, 1)])) &&
		!(t->level == 0 && entry_is_marker(t->table[slot_index(va, 0)]));
	crowded = pt_is_crowded(t);
	pt_unlock(t);
	if (unlikely(crowded))
		fine_make(s, va);
	return there;
}

/* One byte for each page of r, which is shorter than a batch: is it there? */
static void
core_of_run(struct space *s, const struct run *r, u8 *vec)
{
	struct region *g = meta_region(r->meta);
	unsigned long va;
	struct page *p;

	for (va = r->start; va < r->end; va += PAGE_SIZE, vec++) {
		*vec = is_mapped(s, va);
		if (*vec || !g->cache)
			continue;
		p = pagecache_find(g->cache, region_index(g, va));
		*vec = p && p->flags & PAGE_UPTODATE;
		if (p)
			page_put(p);
	}
}

long
sys_mincore(unsigned long addr, size_t len, u8 __user *vec)
{
	struct space *s = mm_port_current_space();
	unsigned long va = addr, end;
	u8 batch[CORE_BATCH];
	struct run r;
	size_t n;

	if (!is_aligned(addr, PAGE_SIZE))
		return -EINVAL;
	if (addr > USER_END || len > USER_END - addr)
		return -ENOMEM;
	end = addr + align_up(len, PAGE_SIZE);
	if (!user_range_ok(vec, (end - addr) >> PAGE_SHIFT))
		return -EFAULT;
	for (; va < end; va = r.end, vec += n) {
		if (!space_next_run(s, va, end, &r, true))
			return -ENOMEM;
		r.end = min(r.end, r.start + CORE_BATCH * PAGE_SIZE);
		n = run_pages(&r);
		if (r.start == va)
			core_of_run(s, &r, batch);
		meta_hold(r.meta, -1);
		if (r.start != va)
			return -ENOMEM;
		if (copy_to_user(vec, batch, n))
			return -EFAULT;
	}
	return 0;
}
