/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping and unmapping, protection: the calls that know no user pointer.
 *
 * Order of a mapping: arguments, limits, what the file allows, the promise of
 * memory (commit), the region, the place. Up to the place nothing is visible;
 * it either succeeds or leaves things as they were (a fixed mapping that runs
 * out of memory may have unmapped what was there, as on Linux).
 */
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/pkey_impl.h"
#include "mm/uffd_impl.h"

#define CAP_IPC_LOCK 14
#define CAP_SYS_RAWIO 17
#define RLIMIT_DATA 2
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9

unsigned long mmap_min_addr __read_mostly = 0x10000;

u64
space_limit_pages(unsigned int which)
{
	u64 v = mm_port_rlimit(which);

	return v == U64_MAX ? U64_MAX : v >> PAGE_SHIFT;
}

/* Does m count for RLIMIT_DATA? */
static bool
is_data(meta_t m)
{
	return meta_prot(m) & PROT_WRITE && !(m & (META_SHARED | META_GROWSDOWN));
}

int
space_check_limits(struct space *s, u64 pages, meta_t m)
{
	u64 as = space_limit_pages(RLIMIT_AS), data = space_limit_pages(RLIMIT_DATA);
	struct space_stat st;

	if (atomic_read(&s->runs) > (s64)READ_ONCE(max_map_count))
		return -ENOMEM;
	if (as != U64_MAX && (pages > as || (u64)max(arena_total(s), 0L) > as - pages))
		return -ENOMEM;
	if (data == U64_MAX || !is_data(m))
		return 0;
	space_stat(s, &st);
	return pages > data || st.data > data - pages ? -ENOMEM : 0;
}

int
space_check_mlock(struct space *s, u64 pages)
{
	u64 limit = space_limit_pages(RLIMIT_MEMLOCK);

	if (limit == U64_MAX || (pages <= limit && arena_locked_most(s) <= limit - pages) ||
	    mm_port_capable(CAP_IPC_LOCK))
		return 0;
	return pages <= limit && (u64)arena_locked(s) <= limit - pages ? 0 : -EAGAIN;
}

/* --- mapping --- */

/* A mapping under way. */
struct mapping {
	struct space *space;
	unsigned long addr;
	size_t len;
	u32 flags;
	const struct map_backing *backing;
	struct map_ask ask;
	/* what the runs will say, but for the region */
	u64 bits;
};

static int
check_place(const struct mapping *m)
{
	if (m->len > USER_END)
		return -ENOMEM;
	if (!(m->flags & MAP_FIXED))
		return 0;
	if (m->addr > USER_END - m->len)
		return -ENOMEM;
	if (!is_aligned(m->addr, PAGE_SIZE))
		return -EINVAL;
	if (m->addr < READ_ONCE(mmap_min_addr) && !mm_port_capable(CAP_SYS_RAWIO))
		return -EPERM;
	return 0;
}

static u64
mapping_bits(const struct mapping *m, u32 prot)
{
	u64 bits = (prot & META_PROT) | atomic_read(&m->space->def_meta);

	if ((m->flags & MAP_TYPE) != MAP_PRIVATE)
		bits |= META_SHARED;
	if (m->flags & MAP_GROWSDOWN)
		bits |= META_GROWSDOWN;
	if (m->flags & MAP_LOCKED)
		bits |= META_LOCKED;
	if (m->flags & MAP_NORESERVE && overcommit_mode != 2)
		bits |= META_NORESERVE;
	if (prot == PROT_EXEC && m->space == mm_port_current_space())
		bits |= (u64)pkey_exec_only(m->space) << META_PKEY_SHIFT;
	return bits;
}

/* What the file says to the request; without one, what is private is anonymous. */
static int
ask_file(struct mapping *m)
{
	const struct map_backing *b = m->backing;

	m->ask.max_prot = PROT_READ | PROT_WRITE | PROT_EXEC;
	if (!b || !b->file)
		return 0;
	if (m->flags & MAP_GROWSDOWN)
		return -EINVAL;
	return mm_port_file_map(b->file, &m->ask);
}

/* The region to show, with a reference; anonymous memory has one for all. */
static struct region *
mapping_region(struct mapping *m)
{
	const struct map_backing *b = m->backing;
	unsigned long base = m->flags & MAP_FIXED ? m->addr : 0;

	if (!b || (!m->ask.cache && !m->ask.pages && !b->pages))
		return &anon_region;
	return region_create(m->space, base, b, &m->ask);
}

static long
place(struct mapping *m, struct region *r)
{
	struct range op = {.op = RANGE_MAP, .meta = meta_make(r, m->bits)};
	struct placement p = {m->addr, m->len, r, m->bits, m->flags};
	struct list events = LIST_INIT(events);
	int err = 0;

	if (!(m->flags & MAP_FIXED))
		return arena_map(m->space, &p);
	op.exclusive = (m->flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE;
	if (space_has_uffd(m->space) && !op.exclusive)
		err = uffd_unmap_prepare(m->space, m->addr, m->addr + m->len, &events);
	if (!err)
		err = range_apply(m->space, m->addr, m->addr + m->len, &op);
	if (!op.exclusive)
		space_unmapped(m->space, m->addr, m->addr + m->len);
	uffd_unmap_done(&events);
	return err ? err : (long)m->addr;
}

/* Shared anonymous memory is a file that nobody can name. */
static long
map_shared_anon(struct mapping *m, u32 prot)
{
	struct map_backing b = {.file = mm_port_shmem_file(m->len)};
	long ret;

	if (is_err(b.file))
		return ptr_err(b.file);
	ret = space_map(m->space, m->addr, m->len, prot, m->flags & ~MAP_ANONYMOUS, &b);
	mm_port_file_put(b.file);
	return ret;
}

static bool
accountable(const struct mapping *m, const struct region *r)
{
	return (m->bits & (META_SHARED | META_NORESERVE | PROT_WRITE)) == PROT_WRITE &&
	       !(r->flags & REGION_SPECIAL);
}

static long
map_now(struct mapping *m)
{
	s64 pages = (s64)(m->len >> PAGE_SHIFT);
	struct region *r = mapping_region(m);
	long at;

	if (is_err(r))
		return ptr_err(r);
	if (r->flags & REGION_SPECIAL)
		m->bits &= ~(META_LOCKED | META_ONFAULT);
	if (accountable(m, r)) {
		if (commit_charge(pages)) {
			region_put(r);
			return -ENOMEM;
		}
		m->bits |= META_ACCOUNT;
	}
	at = place(m, r);
	region_put(r);
	if (at < 0 && m->bits & META_ACCOUNT)
		commit_add(-pages);
	return at;
}

long
space_map(struct space *s, unsigned long addr, size_t len, u32 prot, u32 flags,
	  const struct map_backing *b)
{
	struct mapping m = {.space = s, .addr = addr, .flags = flags, .backing = b};
	long ret;

	if (len == 0)
		return -EINVAL;
	/* NOREPLACE is a kind of fixed. */
	if (flags & MAP_FIXED_NOREPLACE)
		m.flags |= MAP_FIXED;
	m.len = align_up(len, PAGE_SIZE);
	if (m.len == 0)
		return -ENOMEM;
	if (b && b->offset + m.len < b->offset)
		return -EOVERFLOW;
	m.ask = (struct map_ask){
		.prot = prot, .flags = flags, .len = m.len, .offset = b ? b->offset : 0};
	ret = check_place(&m);
	if (ret)
		return ret;
	m.bits = mapping_bits(&m, prot);
	if (m.bits & META_LOCKED && space_check_mlock(s, m.len >> PAGE_SHIFT))
		return -EAGAIN;
	ret = ask_file(&m);
	if (!ret)
		ret = space_check_limits(s, m.len >> PAGE_SHIFT, m.bits);
	if (ret)
		return ret;
	if (m.bits & META_SHARED && !m.ask.cache && !m.ask.pages && !(b && b->pages))
		return map_shared_anon(&m, prot);
	ret = map_now(&m);
	if (ret >= 0 && prot &&
	    ((m.bits & (META_LOCKED | META_ONFAULT)) == META_LOCKED ||
	     (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE))
		(void)!space_populate(s, (unsigned long)ret, (unsigned long)ret + m.len,
				      prot & PROT_WRITE && !(m.bits & META_SHARED));
	return ret;
}

/* --- the others --- */

int
space_unmap_quiet(struct space *s, unsigned long addr, size_t len, struct list *events)
{
	struct range op = {.op = RANGE_UNMAP};
	int err = 0;

	if (!is_aligned(addr, PAGE_SIZE) || addr > USER_END || len > USER_END - addr)
		return -EINVAL;
	len = align_up(len, PAGE_SIZE);
	if (len == 0)
		return -EINVAL;
	if (space_has_uffd(s))
		err = uffd_unmap_prepare(s, addr, addr + len, events);
	if (!err)
		err = range_apply(s, addr, addr + len, &op);
	if (!err)
		arena_released(s, addr, addr + len);
	space_unmapped(s, addr, addr + len);
	return err;
}

int
space_unmap(struct space *s, unsigned long addr, size_t len)
{
	struct list events = LIST_INIT(events);
	int err = space_unmap_quiet(s, addr, len, &events);

	uffd_unmap_done(&events);
	return err;
}

int
space_protect_key(struct space *s, unsigned long addr, size_t len, u32 prot, int key)
{
	struct range op = {.op = RANGE_PROTECT,
			   .prot = prot & META_PROT,
			   .pkey_plus = (u32)(key + 1),
			   .stop_at_hole = true};
	int err;

	if (!is_aligned(addr, PAGE_SIZE))
		return -EINVAL;
	if (len == 0)
		return 0;
	len = align_up(len, PAGE_SIZE);
	if (len == 0 || addr > USER_END || len > USER_END - addr)
		return -ENOMEM;
	if (key < 0 && prot == PROT_EXEC && s == mm_port_current_space()) {
		u32 exec = pkey_exec_only(s);

		op.pkey_plus = exec ? exec + 1 : 0;
	}
	op.exec_pkey = READ_ONCE(s->exec_pkey);
	err = range_apply(s, addr, addr + len, &op);
	return err ? err : op.hole ? -ENOMEM : 0;
}

int
space_protect(struct space *s, unsigned long addr, size_t len, u32 prot)
{
	return space_protect_key(s, addr, len, prot, -1);
}
