/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * userfaultfd: which ranges are told of, and which of their entries before a write.
 *
 * uffd.c tells the model. A registered range is looked at whole before any of it
 * is changed; mappings that change meanwhile are changed or left as they are found.
 */
#include "lib/errno.h"
#include "mm/uffd_impl.h"

int
uffd_check_range(u64 start, u64 len)
{
	if (!is_aligned(start, PAGE_SIZE) || !is_aligned(len, PAGE_SIZE) || !len ||
	    start < READ_ONCE(mmap_min_addr) || start >= USER_END || len > USER_END - start)
		return -EINVAL;
	return 0;
}

/* --- regions --- */

/* One of u's that is so, with a reference; NULL. */
static struct region *
find_region(struct uffd *u, const struct region *plain, u32 modes)
{
	struct region *found = NULL;

	spin_lock(&u->lock);
	for (unsigned int i = 0; i < UFFD_REGIONS && !found; i++) {
		struct region *r = u->regions[i];

		if (r && r->plain == plain && (r->flags & REGION_UFFD) == modes)
			found = r;
	}
	if (found)
		region_get(found);
	spin_unlock(&u->lock);
	return found;
}

struct region *
uffd_region(struct uffd *u, struct region *plain, u32 modes)
{
	struct region *r = find_region(u, plain, modes), *old;

	if (r)
		return r;
	r = region_create_uffd(plain, u, modes);
	if (is_err(r))
		return r;
	region_get(r);
	spin_lock(&u->lock);
	old = r;
	/* After the release nobody would put it. */
	if (!u->released) {
		old = u->regions[u->next_region];
		u->regions[u->next_region] = r;
		u->next_region = (u->next_region + 1) % UFFD_REGIONS;
	}
	spin_unlock(&u->lock);
	if (old)
		region_put(old);
	return r;
}

int
uffd_change(struct space *s, unsigned long start, unsigned long end, const struct region *from,
	    struct region *to)
{
	struct range op = {.op = RANGE_REGION, .only = from, .region = to};

	return range_apply(s, start, end, &op);
}

/* --- registering --- */

static u32
region_modes(u32 modes)
{
	return (modes & UFFDIO_REGISTER_MODE_MISSING ? REGION_UFFD_MISSING : 0) |
	       (modes & UFFDIO_REGISTER_MODE_WP ? REGION_UFFD_WP : 0) |
	       (modes & UFFDIO_REGISTER_MODE_MINOR ? REGION_UFFD_MINOR : 0);
}

/* Can faults of r be told of in these modes (REGION_UFFD_*)? */
static bool
suitable(const struct region *r, u32 modes)
{
	if (r->flags & REGION_SHMEM && r->cache)
		return true;
	return r->flags & REGION_ANON && !(modes & REGION_UFFD_MINOR);
}

static int
check_register(const struct uffd *u, const struct run *r, u32 modes)
{
	const struct region *g = meta_region(r->meta);

	if (!suitable(g, modes))
		return -EINVAL;
	/* Memory is filled without PROT_WRITE, but not what might never be written. */
	if (!(g->max_prot & PROT_WRITE))
		return -EPERM;
	return g->flags & REGION_UFFD && g->uffd != u && !READ_ONCE(g->uffd->gone) ? -EBUSY : 0;
}

static int
register_run(struct uffd *u, const struct run *r, u32 modes)
{
	struct region *g = meta_region(r->meta), *to;
	int err;

	if (g->flags & REGION_UFFD && g->uffd == u && (g->flags & modes) == modes)
		return 0;
	to = uffd_region(u, g->flags & REGION_UFFD ? g->plain : g, modes);
	if (is_err(to))
		return (int)ptr_err(to);
	err = uffd_change(u->space, r->start, r->end, g, to);
	region_put(to);
	return err;
}

static int
unregister_run(const struct uffd *u, const struct run *r)
{
	struct region *g = meta_region(r->meta);
	int err;

	if (!(g->flags & REGION_UFFD))
		return 0;
	err = uffd_change(u->space, r->start, r->end, g, g->plain);
	/* Who waits is not told of any more; who comes now sees that (must_wait()). */
	uffd_wake(g->uffd, r->start, r->end);
	return err;
}

/* Is there anything in the range? Else what Linux says: -ENOMEM if nothing lies behind, either. */
static int
check_any(struct space *s, unsigned long start, unsigned long end)
{
	struct run r;

	if (!space_next_run(s, start, USER_END, &r, false))
		return -ENOMEM;
	return r.start >= end ? -EINVAL : 0;
}

enum step { CHECK_REGISTER, REGISTER_RUNS, CHECK_UNREGISTER, UNREGISTER_RUNS };

static int
for_each_run(struct uffd *u, unsigned long va, unsigned long end, enum step step, u32 modes)
{
	struct run r;
	int err = 0;

	for (; !err && space_next_run(u->space, va, end, &r, true); va = r.end) {
		switch (step) {
		case CHECK_REGISTER:
			err = check_register(u, &r, modes);
			break;
		case REGISTER_RUNS:
			/* What is no longer as it was looked at is left. */
			if (!check_register(u, &r, modes))
				err = register_run(u, &r, modes);
			break;
		case CHECK_UNREGISTER:
			err = suitable(meta_region(r.meta), 0) ? 0 : -EINVAL;
			break;
		case UNREGISTER_RUNS:
			err = unregister_run(u, &r);
			break;
		}
		meta_hold(r.meta, -1);
	}
	return err;
}

static int
with_runs(struct uffd *u, unsigned long start, unsigned long end, enum step step, u32 modes)
{
	struct space *s = u->space;
	int err;

	if (!space_try_get_user(s))
		return -ENOMEM;
	err = check_any(s, start, end);
	if (!err)
		err = for_each_run(u, start, end, step, modes);
	if (!err)
		WRITE_ONCE(s->has_uffd, true);
	if (!err)
		err = for_each_run(u, start, end, step + 1, modes);
	space_put_user(s);
	return err;
}

int
uffd_register(struct uffd *u, unsigned long start, unsigned long end, u32 modes)
{
	return with_runs(u, start, end, CHECK_REGISTER, region_modes(modes));
}

int
uffd_unregister(struct uffd *u, unsigned long start, unsigned long end)
{
	return with_runs(u, start, end, CHECK_UNREGISTER, 0);
}

/* --- write protection --- */

/* Slots [i, j) of a leaf: writes are told of; marks says that of what is not there, too. */
static void
protect_slots(struct pt *t, unsigned int i, unsigned int j, bool marks, struct gather *g)
{
	for (; i < j; i++) {
		u64 e = READ_ONCE(t->table[i]);

		if (e) {
			e = atomic_fetch_or(&t->table[i], PTE_WP);
			if (e & PTE_W) {
				atomic_and(&t->table[i], ~PTE_W);
				gather_range(g, t, slot_base(t, i), slot_base(t, i + 1));
			}
		} else if (marks) {
			WRITE_ONCE(t->table[i], PTE_WP);
			pt_mark(t, i);
		}
	}
}

/* The part of [va, end) in one leaf; where to go on. 0: no memory. */
static unsigned long
protect_part(struct space *s, unsigned long va, unsigned long end, const struct region *r, bool on)
{
	bool marks = on && r->cache;
	struct pt *t = marks ? range_lock_leaf(s, va) : pt_lock_walk(s, va, 0);
	unsigned long stop;
	struct gather g;
	struct run *run;

	if (!t)
		return 0;
	gather_init(&g, s);
	stop = min(end, (va | (slot_size(t->level + 1) - 1)) + 1);
	run = runs_find(t, va);
	if (t->level > 0) {
		/* A table higher up has no entries here but below its other slots. */
		stop = min(end, (va | (slot_size(1) - 1)) + 1);
	} else if (run && meta_region(run->meta) == r) {
		unsigned int i = slot_index(va, 0), j = slot_index(min(stop, run->end) - 1, 0) + 1;

		if (on)
			protect_slots(t, i, j, marks, &g);
		else
			leaf_forget_wp(t, i, j);
	}
	pt_unlock(t);
	gather_finish(&g);
	return stop;
}

int
uffd_protect(struct uffd *u, unsigned long start, unsigned long end, bool on)
{
	struct space *s = u->space;
	unsigned long va = start;
	struct run r;
	int err = 0;

	if (READ_ONCE(u->changing))
		return -EAGAIN;
	if (!space_try_get_user(s))
		return -ESRCH;
	if (uffd_find_run(s, start, end, &r)) {
		if (!(meta_region(r.meta)->flags & REGION_UFFD_WP))
			err = -ENOENT;
		while (!err && va < end) {
			va = protect_part(s, va, end, meta_region(r.meta), on);
			err = va ? 0 : -ENOMEM;
		}
		meta_hold(r.meta, -1);
	} else {
		err = -ENOENT;
	}
	space_put_user(s);
	return err;
}
