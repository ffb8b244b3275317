/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fine leaves remain fine while others only look, also who waits for the lock of
 * the leaf when it becomes fine. (mm/space_torture_test.c works in them.)
 */
#include "lib/test.h"
#include "mm/space_impl.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define AT (13UL << 30)
#define PAGES 4u
#define END (AT + PAGES * PAGE_SIZE)
/* They wait for one lock: more is no use where most CPUs are not running. */
#define THREADS_MAX 7u

struct looks {
	struct torture t;
	struct space *space;
	struct pt *leaf;
	/* looks wrongly */
	bool broken;
	/* a  how often the leaf was fine; ended by somebody else */
	u64 made, lost;
};

/* The broken variant waits for the lock of a leaf that was not fine, and ends what it finds. */
static bool
look(const struct looks *l, unsigned long va)
{
	struct run r;

	if (!l->broken)
		return space_next_run(l->space, va, END, &r, false) && r.start == va;
	if (fine_has_page(l->space, va) < 0)
		pt_unlock(pt_lock_walk(l->space, va, 0));
	return true;
}

/* Fine, for a moment, and coarse again. */
static void
change(struct looks *l)
{
	u32 ends = READ_ONCE(l->leaf->fine_ends);

	fine_make(l->space, AT);
	torture_window();
	if (READ_ONCE(l->leaf->fine_ends) != ends)
		atomic_inc(&l->lost);
	pt_unlock(pt_lock_walk(l->space, AT, 0));
	l->made += READ_ONCE(l->leaf->fine_ends) != ends;
}

static void
looks_thread(struct torture_thread *th)
{
	struct looks *l = container_of(th->torture, struct looks, t);

	while (!torture_over(th)) {
		torture_turn(th);
		if (th->index == 0)
			change(l);
		else if (!look(l, AT + th->index % PAGES * PAGE_SIZE))
			atomic_inc(&l->lost);
		if (atomic_read(&l->lost))
			torture_stop(th);
	}
}

/* How often the leaf was made coarse by who looked; ~0: no memory. */
static u64
looks_run(bool broken)
{
	static struct looks l;
	u64 v = 1;

	l = (struct looks){.broken = broken, .space = space_create()};
	if (!l.space || space_map(l.space, AT, PAGES * PAGE_SIZE, RW, FIXED, NULL) != (long)AT ||
	    space_access(l.space, AT, &v, sizeof(v), true) != sizeof(v))
		return ~0UL;
	l.leaf = pt_lock_walk(l.space, AT, 0);
	pt_unlock(l.leaf);
	torture_run(&l.t, &(struct torture_plan){
				  .fn = looks_thread,
				  .threads = min(test_cpus(), THREADS_MAX),
				  .share = 16,
				  .work = TORTURE_UNTIL_FOUND,
			  });
	EXPECT_GT(l.made, 0);
	space_put_user(l.space);
	return l.lost;
}

TEST(fine_looks_leave_it)
{
	EXPECT_EQ(looks_run(false), 0);
}

TEST(fine_looks_find_lock)
{
	u64 lost = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int k = 0; k < TORTURE_TRIES && !lost; k++)
		lost = looks_run(true);
	EXPECT_GT(lost, 0);
}
