/* SPDX-License-Identifier: BSD-2-Clause */
/* Locking memory: a flag of the mappings, and their pages brought in. */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/space_impl.h"

#define CAP_IPC_LOCK 14
#define RLIMIT_MEMLOCK 8

static bool
may_lock(void)
{
	return space_limit_pages(RLIMIT_MEMLOCK) != 0 || mm_port_capable(CAP_IPC_LOCK);
}

/* Pages of [start, end) that are locked already. */
static u64
locked_in(struct space *s, unsigned long start, unsigned long end)
{
	unsigned long va = start;
	struct run r;
	u64 n = 0;

	for (; space_next_run(s, va, end, &r, false); va = r.end)
		if (r.meta & META_LOCKED)
			n += run_pages(&r);
	return n;
}

/* Brings in all pages of what is locked; a private page is made at once if it may be written. */
static int
populate_locked(struct space *s, unsigned long start, unsigned long end)
{
	unsigned long va = start;
	struct run r;
	int err;

	for (; space_next_run(s, va, end, &r, false); va = r.end) {
		if (!(r.meta & META_LOCKED) || r.meta & META_ONFAULT)
			continue;
		err = space_populate(s, r.start, r.end,
				     (r.meta & (PROT_WRITE | META_SHARED)) == PROT_WRITE);
		if (err == -EINTR)
			return err;
		if (err)
			return err == -ENOMEM && meta_prot(r.meta) ? -EAGAIN : -ENOMEM;
	}
	return 0;
}

static int
set_locked(struct space *s, unsigned long start, unsigned long end, u64 set)
{
	struct range op = {.op = RANGE_FLAGS,
			   .set = set,
			   .clear = META_LOCKED | META_ONFAULT,
			   .stop_at_hole = true};
	int err = range_apply(s, start, end, &op);

	return err ? err : op.hole ? -ENOMEM : 0;
}

/* The pages that [addr, addr + len) touches. -EINVAL when that wraps. */
static int
span(unsigned long addr, size_t len, unsigned long *start, unsigned long *end)
{
	*start = align_down(addr, PAGE_SIZE);
	*end = *start + align_up(len + (addr - *start), PAGE_SIZE);
	return *end < *start ? -EINVAL : 0;
}

static int
lock_range(struct space *s, unsigned long addr, size_t len, u64 set)
{
	unsigned long start, end;
	u64 pages;
	int err;

	if (!may_lock())
		return -EPERM;
	err = span(addr, len, &start, &end);
	if (err || start == end)
		return err;
	if (end > USER_END)
		return -ENOMEM;
	pages = (end - start) >> PAGE_SHIFT;
	if (space_check_mlock(s, pages) && space_check_mlock(s, pages - locked_in(s, start, end)))
		return -ENOMEM;
	err = set_locked(s, start, end, set);
	return err ? err : populate_locked(s, start, end);
}

long
sys_mlock(unsigned long addr, size_t len)
{
	return lock_range(mm_port_current_space(), addr, len, META_LOCKED);
}

long
sys_mlock2(unsigned long addr, size_t len, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(mm_port_current_space(), addr, len,
			  META_LOCKED | (flags & MLOCK_ONFAULT ? META_ONFAULT : 0));
}

long
sys_munlock(unsigned long addr, size_t len)
{
	unsigned long start, end;
	int err = span(addr, len, &start, &end);

	if (err || start == end)
		return err;
	if (end > USER_END)
		return -ENOMEM;
	return set_locked(mm_port_current_space(), start, end, 0);
}

static int
set_locked_all(struct space *s, u64 set)
{
	struct range op = {.op = RANGE_FLAGS, .set = set, .clear = META_LOCKED | META_ONFAULT};

	return range_apply(s, 0, USER_END, &op);
}

long
sys_mlockall(int flags)
{
	struct space *s = mm_port_current_space();
	u64 set = META_LOCKED | (flags & MCL_ONFAULT ? META_ONFAULT : 0),
	    limit = space_limit_pages(RLIMIT_MEMLOCK);
	int err;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!may_lock())
		return -EPERM;
	if (flags & MCL_CURRENT && (u64)max(arena_total(s), 0L) > limit &&
	    !mm_port_capable(CAP_IPC_LOCK))
		return -ENOMEM;
	atomic_set(&s->def_meta, flags & MCL_FUTURE ? set : 0);
	if (!(flags & MCL_CURRENT))
		return 0;
	err = set_locked_all(s, set);
	if (!err && populate_locked(s, 0, USER_END) == -EINTR)
		err = -EINTR;
	return err;
}

long
sys_munlockall(void)
{
	struct space *s = mm_port_current_space();

	atomic_set(&s->def_meta, 0);
	return set_locked_all(s, 0);
}
