/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults below a stack (MAP_GROWSDOWN): it grows, as far as its limit and what lies below allow. */
#include "lib/errno.h"
#include "mm/space_impl.h"

#define STACK_GUARD (256UL << PAGE_SHIFT)
#define RLIMIT_STACK 3

/* Top of the mapping of kind m that begins at `start`. */
static unsigned long
stack_top(struct space *s, unsigned long start, meta_t m)
{
	unsigned long top = start;
	struct run r;

	while (space_next_run(s, top, USER_END, &r, false) && r.start == top && r.meta == m)
		top = r.end;
	return top;
}

/* Does a mapping that may be accessed lie too close below? */
static bool
guard_hit(struct space *s, unsigned long low)
{
	unsigned long va = low > STACK_GUARD ? low - STACK_GUARD : 0;
	struct run r;

	for (; space_next_run(s, va, low, &r, false); va = r.end)
		if (meta_prot(r.meta) && !(r.meta & META_GROWSDOWN))
			return true;
	return false;
}

/* The stack r, whose region is held, is to reach down to `low`. */
static int
grow_run(struct space *s, unsigned long low, u32 access, struct run r)
{
	struct range op = {.op = RANGE_MAP, .exclusive = true};
	u64 pages, limit = mm_port_rlimit(RLIMIT_STACK);
	int err;

	if (!fault_access_ok(r.meta, access))
		return -EFAULT;
	if (stack_top(s, r.start, r.meta) - low > limit || guard_hit(s, low))
		return -EFAULT;
	pages = (r.start - low) >> PAGE_SHIFT;
	if (space_check_limits(s, pages, r.meta) ||
	    (r.meta & META_LOCKED && space_check_mlock(s, pages)))
		return -EFAULT;
	if (r.meta & META_ACCOUNT && commit_charge((s64)pages))
		return -EFAULT;
	op.meta = r.meta;
	err = range_apply(s, low, r.start, &op);
	if (err && r.meta & META_ACCOUNT)
		commit_add(-(s64)pages);
	/* Another thread of ours was faster. */
	return err == -EEXIST ? 0 : err;
}

int
stack_grow(struct space *s, unsigned long va, u32 access)
{
	unsigned long low = align_down(va, PAGE_SIZE);
	int err = -EFAULT;
	struct run r;

	if (!space_next_run(s, low, USER_END, &r, true))
		return -EFAULT;
	if (r.meta & META_GROWSDOWN && meta_is_anon(r.meta))
		err = grow_run(s, low, access, r);
	meta_hold(r.meta, -1);
	return err;
}
