/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One space, all CPUs: mappings, protections, faults, forks at once.
 *
 * Model: a thread runs in the space (its CPU's TLB holds what it uses) and owns a
 * slice of SLICE pages; slices are neighbours, so threads share tables. It knows
 * what each page of its slice must hold, whether it may be read and written, and
 * asks the processor by user copies. All threads also work on a common range,
 * where the only rule is that a page holds nothing or a stamp that is made of
 * its address: a page that appears at two places, or an old translation to a page
 * that is used again, shows a wrong stamp. Stamps of slices have their own kind.
 *
 * A fork now and then must hold the thread's slice as it is.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "mm/uaccess.h"
#include "percpu/counter.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define SLICE 48u
#define COMMON 600u
/* They wait for each other's locks: more is no use where most CPUs are not running. */
#define THREADS_MAX 14u
/* Slices and the common range lie over a border of 1 GiB. */
#define SLICES ((21UL << 30) - THREADS_MAX / 2 * SLICE * PAGE_SIZE)
#define COMMON_AT ((23UL << 30) - COMMON / 2 * PAGE_SIZE)
#define HOLE 0xff

struct torturer {
	struct space *space;
	unsigned long at;
	u64 seed, bad, calls, forks;
	u64 value[SLICE];
	u8 prot[SLICE];
};

static unsigned long
own_va(const struct torturer *t, unsigned int i)
{
	return t->at + i * PAGE_SIZE;
}

static bool
user_read(unsigned long va, u64 *v)
{
	return copy_from_user(v, (const void __user *)va, sizeof(*v)) == 0;
}

static bool
user_write(unsigned long va, u64 v)
{
	return copy_to_user((void __user *)va, &v, sizeof(v)) == 0;
}

/* --- the own slice --- */

static void
own_check(struct torturer *t, unsigned int i)
{
	bool readable = t->prot[i] != HOLE && t->prot[i];
	u64 v = 0;
	bool got = user_read(own_va(t, i), &v);

	t->bad += got != readable || (readable && v != t->value[i]);
}

static void
own_write(struct torturer *t, unsigned int i)
{
	bool writable = t->prot[i] != HOLE && t->prot[i] & PROT_WRITE;
	u64 v = own_va(t, i) << 8 | (test_rand(&t->seed) & 0xff);

	t->bad += user_write(own_va(t, i), v) != writable;
	if (writable)
		t->value[i] = v;
}

static void
own_change(struct torturer *t, u64 r, unsigned int a, unsigned int b)
{
	u32 prot = r & 0x10 ? RW : r & 0x20 ? PROT_READ : 0;
	unsigned long va = own_va(t, a);
	size_t len = (b - a) * PAGE_SIZE;

	switch (r & 3) {
	case 0:
		t->bad += space_map(t->space, va, len, prot, FIXED, NULL) != (long)va;
		memset(&t->prot[a], (int)prot, b - a);
		memset(&t->value[a], 0, (b - a) * sizeof(u64));
		break;
	case 1:
		t->bad += space_unmap(t->space, va, len) != 0;
		memset(&t->prot[a], HOLE, b - a);
		break;
	case 2:
		(void)!space_protect(t->space, va, len, prot);
		for (; a < b && t->prot[a] != HOLE; a++)
			t->prot[a] = (u8)prot;
		break;
	default:
		(void)!space_advise(t->space, va, va + len, MADV_DONTNEED);
		memset(&t->value[a], 0, (b - a) * sizeof(u64));
	}
}

static void
own_fork(struct torturer *t)
{
	struct space *c = space_fork(t->space);

	if (is_err(c)) {
		t->bad++;
		return;
	}
	t->forks++;
	for (unsigned int i = 0; i < SLICE; i++) {
		bool readable = t->prot[i] != HOLE && t->prot[i];
		u64 v = 0;
		size_t n = space_access(c, own_va(t, i), &v, sizeof(v), false);

		t->bad += n != (readable ? sizeof(v) : 0) || (readable && v != t->value[i]);
		v = 1;
		if (readable && i % 3 == 0)
			(void)!space_access(c, own_va(t, i), &v, sizeof(v), true);
	}
	space_put_user(c);
}

static void
own_work(struct torturer *t)
{
	u64 r = test_rand(&t->seed);
	unsigned int a = r % SLICE, b = min(a + 1 + (unsigned int)(r >> 16 & 15), SLICE);

	if (r >> 32 & 1) {
		own_change(t, r >> 40, a, b);
		for (unsigned int i = a; i < b; i++)
			own_check(t, i);
	} else {
		for (unsigned int i = a; i < b; i++)
			own_write(t, i);
	}
	own_check(t, (r >> 48) % SLICE);
	if ((r >> 56 & 31) == 0)
		own_fork(t);
}

/* --- the common range --- */

static u64
common_stamp(unsigned long va)
{
	return ~(va << 4);
}

static void
common_work(struct torturer *t)
{
	u64 r = test_rand(&t->seed), v;
	unsigned int a = r % COMMON,
		     n = min((unsigned int)(r >> 16 & (r >> 30 & 3 ? 15 : 511)) + 1, COMMON - a);
	unsigned long va = COMMON_AT + a * PAGE_SIZE, end = va + n * PAGE_SIZE;

	switch (r >> 32 & 7) {
	case 0:
		t->bad += space_map(t->space, va, end - va, RW, FIXED, NULL) != (long)va;
		break;
	case 1:
		t->bad += space_unmap(t->space, va, end - va) != 0;
		break;
	case 2:
		(void)!space_protect(t->space, va, end - va, r >> 40 & 1 ? RW : PROT_READ);
		break;
	case 3:
		(void)!space_advise(t->space, va, end, MADV_DONTNEED);
		break;
	default:
		for (; va < end; va += PAGE_SIZE) {
			if (r >> 40 & 1)
				(void)!user_write(va, common_stamp(va));
			else if (user_read(va, &v))
				t->bad += v && v != common_stamp(va);
		}
	}
}

/* --- threads --- */

/* Two pages of the slice change places behind everybody's back. */
static void
break_slice(struct torturer *t)
{
	struct pt *leaf;
	u64 e;

	t->bad += space_map(t->space, t->at, 2 * PAGE_SIZE, RW, FIXED, NULL) != (long)t->at;
	memset(t->prot, RW, 2);
	memset(t->value, 0, 2 * sizeof(u64));
	own_write(t, 0);
	own_write(t, 1);
	leaf = pt_lock_walk(t->space, t->at, 0);
	e = leaf->table[slot_index(t->at, 0)];
	leaf->table[slot_index(t->at, 0)] = leaf->table[slot_index(t->at, 0) + 1];
	leaf->table[slot_index(t->at, 0) + 1] = e;
	pt_unlock(leaf);
	tlb_flush_range(t->space, t->at, t->at + 2 * PAGE_SIZE, leaf->cpus);
	own_check(t, 0);
	own_check(t, 1);
}

struct space_torture {
	struct torture t;
	/* a thread's own */
	struct torturer *torturers;
	/* two entries change places once, unseen: the checks must find it */
	bool broken;
};

static void
torturer_run(struct torture_thread *th)
{
	struct space_torture *s = container_of(th->torture, struct space_torture, t);
	struct torturer *t = &s->torturers[th->index];

	test_use_space(t->space);
	if (s->broken)
		break_slice(t);
	while (!torture_over(th)) {
		if (!s->broken) {
			own_work(t);
			common_work(t);
		}
		if (++t->calls % 8 == 0)
			test_yield();
		torture_turn(th);
	}
	test_use_space(NULL);
}

static void
torturer_init(struct torturer *t, struct space *s, unsigned int i)
{
	*t = (struct torturer){
		.space = s, .seed = i * 77 + 1, .at = SLICES + i * SLICE * PAGE_SIZE};
	memset(t->prot, HOLE, sizeof(t->prot));
	space_get_user(s);
}

/* Errors found by all. */
static u64
torture(bool broken)
{
	static struct space_torture t;
	struct torture_plan plan = {.fn = torturer_run,
				    .threads = min(test_cpus() * 2, THREADS_MAX),
				    .share = 2,
				    .work = broken ? 0 : 20000};
	struct space *s = space_create();
	u64 bad = 0, calls = 0, forks = 0, fine = mm_stat_sum(MM_FINE_LEAVES);

	t.broken = broken;
	t.torturers = kcalloc(plan.threads, sizeof(*t.torturers), GFP_KERNEL);
	if (!t.torturers || !s)
		return ~0UL;
	for (unsigned int i = 0; i < plan.threads; i++)
		torturer_init(&t.torturers[i], s, i);
	torture_run(&t.t, &plan);
	for (unsigned int i = 0; i < plan.threads; i++) {
		bad += t.torturers[i].bad;
		calls += t.torturers[i].calls;
		forks += t.torturers[i].forks;
	}
	/* Their flushes have to do with tables of CPUs' own (view.c). */
	fine = mm_stat_sum(MM_FINE_LEAVES) - fine;
	if (!broken && test_cpus() > 1)
		bad += s->views == NULL || fine == 0;
	if (!broken)
		test_printf("# %lu rounds, %lu forks, fine leaves %lu times\n", calls, forks, fine);
	space_put_user(s);
	kfree(t.torturers);
	return bad;
}

TEST(space_torture)
{
	u64 anon, tables;
	s64 committed;

	rcu_barrier();
	anon = page_level(PAGE_ANON);
	tables = page_level(PAGE_TABLE);
	committed = counter_sum(committed_pages);
	EXPECT_EQ(torture(false), 0);
	rcu_barrier();
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	EXPECT_EQ(page_level(PAGE_TABLE), tables);
	EXPECT_EQ(counter_sum(committed_pages), committed);
}

TEST(space_torture_finds_broken)
{
	EXPECT_GE(torture(true), 2);
}
