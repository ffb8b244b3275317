/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of a space when the memory for its tables is not to be had at once:
 * all or nothing, and never for ever. Allocations fail on request (mm/fail.h).
 */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/fail.h"
#include "mm/space_impl.h"
#include "mm/uaccess.h"
#include "mm/vmalloc.h"
#include "sync/test_port.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define OLD (31UL << 30)
#define NEW (33UL << 30)
/* A page is touched in each of so many tables. */
#define TABLES 6
#define MOVES 200

/* --- room for many runs --- */

/* As many runs as pages: more than one page holds, which kmalloc() cannot give. */
TEST(runs_from_single_pages)
{
	struct space *s = space_create();
	struct pt *leaf;
	int err;

	if (!CONFIG_FAIL_ALLOC)
		TEST_SKIP("allocations do not fail on request");
	ASSERT_TRUE(s != NULL);
	EXPECT_EQ(space_map(s, OLD, PAGE_SIZE, RW, FIXED, NULL), (long)OLD);
	leaf = range_lock_leaf(s, OLD);
	ASSERT_TRUE(leaf != NULL);
	fail_alloc_set(1);
	err = runs_reserve(leaf, PTE_COUNT - 1);
	fail_alloc_set(0);
	pt_unlock(leaf);
	EXPECT_EQ(err, -ENOMEM);
	EXPECT_EQ(range_wait_memory(s), 0);
	leaf = range_lock_leaf(s, OLD);
	fail_alloc_set(1);
	err = runs_reserve(leaf, PTE_COUNT - 1);
	fail_alloc_set(0);
	EXPECT(is_vmalloc(leaf->runs));
	pt_unlock(leaf);
	EXPECT_EQ(err, 0);
	for (unsigned long va = OLD; va < OLD + LARGE_SIZE; va += 2 * PAGE_SIZE)
		EXPECT_EQ(space_map(s, va, PAGE_SIZE, PROT_READ, FIXED, NULL), (long)va);
	EXPECT_EQ(leaf->nr_runs, PTE_COUNT / 2);
	/* One that is left is not lost either. */
	WRITE_ONCE(s->wanted_runs, 100);
	EXPECT_EQ(range_wait_memory(s), 0);
	EXPECT(s->spare_runs != NULL);
	space_put_user(s);
}

/* --- mremap --- */

struct mover {
	struct space *space;
	u64 moved, refused, wrong;
};

static unsigned long
touched(unsigned long base, unsigned int i)
{
	return base + i * LARGE_SIZE + (i + 3) * PAGE_SIZE;
}

/* Everything is where it must be and nothing elsewhere. */
static void
move_check(struct mover *m, unsigned long at, unsigned long not_at)
{
	u64 v;

	for (unsigned int i = 0; i < TABLES; i++) {
		v = 0;
		m->wrong += copy_from_user(&v, (void __user *)touched(at, i), sizeof(v)) != 0;
		m->wrong += v != i + 1;
		m->wrong += copy_from_user(&v, (void __user *)touched(not_at, i), sizeof(v)) == 0;
	}
}

static void
mover_run(void *arg)
{
	struct mover *m = arg;
	unsigned long at = OLD, to = NEW;

	test_use_space(m->space);
	m->wrong += space_map(m->space, at, TABLES * LARGE_SIZE, RW, FIXED, NULL) != (long)at;
	m->wrong += space_advise(m->space, at, at + TABLES * LARGE_SIZE, MADV_NOHUGEPAGE) != 0;
	for (u64 i = 0; i < TABLES; i++) {
		u64 v = i + 1;

		m->wrong += copy_to_user((void __user *)touched(at, i), &v, sizeof(v)) != 0;
	}
	for (int i = 0; i < MOVES; i++) {
		long ret;

		fail_alloc_set(2 + i % 4);
		ret = sys_mremap(at, TABLES * LARGE_SIZE, TABLES * LARGE_SIZE,
				 MREMAP_MAYMOVE | MREMAP_FIXED, to);
		fail_alloc_set(0);
		if (ret == (long)to) {
			m->moved++;
			swap(at, to);
		} else {
			m->refused++;
			m->wrong += ret != -ENOMEM;
		}
		move_check(m, at, to);
	}
	test_use_space(NULL);
}

TEST(mremap_all_or_nothing)
{
	struct mover m = {.space = space_create()};

	ASSERT_TRUE(m.space != NULL);
	test_join(test_spawn(0, mover_run, &m));
	test_printf("# %lu moved, %lu refused\n", m.moved, m.refused);
	EXPECT_GT(m.moved, 0);
	EXPECT_EQ(m.wrong, 0);
}
