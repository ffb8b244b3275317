/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes reach every CPU that may use an old translation.
 *
 * Model: readers on all CPUs run in one space and read one word in a loop, half
 * of them and more with naps, so that their CPU keeps the space loaded while it does
 * something else. The writer maps a page with the phase's number, tells the
 * phase (even), waits until each has read, unmaps it, tells the next phase (odd),
 * waits again; in between it is CHANGING. A reader that reads in an odd phase, or
 * anything but the number in an even one, has used an old translation.
 *
 * The space comes to have views on the way (mm/view.c). The page is a small one, or the
 * first of a large one.
 */
#include "arch/x86_64/asm/insn.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/fine_impl.h"
#include "mm/uaccess.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define AT (11UL << 30)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define READERS_MAX 64u
/* Rounds times readers: a round waits for each of them. */
#define READS 128u
#define ROUNDS_MAX 50u
/* Enough for the space to have views. */
#define ROUNDS_MIN 4u
/* The first few bring the CPUs their views, without which there is nothing to leave out. */
#define ROUNDS_VIEWS 12u
#define OVER 0
#define CHANGING 1
#define CR3_PCID 0xfffUL
#define CR4_PCIDE 0x20000UL

/* What is wrong with the writer. */
enum fault_kind {
	FAULTLESS,
	/* takes the page away and tells no CPU */
	TELLS_NOBODY,
	/* one of the CPUs that have linked the table is left out */
	SKIPS_ONE,
	/* the same of a fine leaf (mm/fine.c), when it is one */
	SKIPS_RECORD,
};

struct reader {
	struct test_thread *thread;
	struct shootdown *all;
	bool naps;
	/* a  the phase it has read in last */
	u64 seen;
	u64 stale;
} __cacheline_aligned;

struct shootdown {
	struct space *space;
	size_t len;
	/* a */
	u64 phase;
	/* pages that a CPU may still have a translation to */
	struct page *kept[ROUNDS_MAX];
	unsigned int nr_kept;
	unsigned int nr;
	struct reader reader[READERS_MAX];
};

static void
read_once(struct reader *r, u64 phase)
{
	u64 v = 0;
	bool got = copy_from_user(&v, (const void __user *)AT, sizeof(v)) == 0;

	if (phase == CHANGING || smp_load_acquire(&r->all->phase) != phase)
		return;
	r->stale += phase & 1 ? got : !got || v != phase;
	smp_store_release(&r->seen, phase);
}

static void
reader_run(void *arg)
{
	struct reader *r = arg;
	u64 phase;

	test_use_space(r->all->space);
	while ((phase = smp_load_acquire(&r->all->phase)) != OVER) {
		for (int i = 0; i < 20; i++)
			read_once(r, phase);
		if (r->naps)
			test_sleep(r->all->nr > 8 ? 1000000 : 50000);
		else
			test_yield();
	}
	test_use_space(NULL);
}

/* All readers have read at least once in this phase. */
static void
phase_tell(struct shootdown *t, u64 phase)
{
	smp_store_release(&t->phase, phase);
	for (unsigned int i = 0; i < t->nr; i++)
		while (smp_load_acquire(&t->reader[i].seen) != phase)
			test_sleep(20000);
}

static void
map_number(struct shootdown *t, u64 v)
{
	EXPECT_EQ(space_map(t->space, AT, t->len, PROT_READ | PROT_WRITE, FIXED, NULL), (long)AT);
	if (t->len > PAGE_SIZE)
		EXPECT_EQ(space_advise(t->space, AT, AT + t->len, MADV_HUGEPAGE), 0);
	EXPECT_EQ(copy_to_user((void __user *)AT, &v, sizeof(v)), 0);
}

/* Takes the page away, and tells no CPU. */
static void
phase_broken(struct shootdown *t, u64 phase)
{
	struct pt *leaf = pt_lock_walk(t->space, AT, 0);
	unsigned int i = slot_index(AT, 0);
	u64 e = leaf->table[i];
	u16 n = leaf->nr_runs;

	leaf->table[i] = 0;
	pt_unmark(leaf, i);
	leaf->nr_runs = 0;
	pt_unlock(leaf);
	phase_tell(t, phase);
	leaf = pt_lock_walk(t->space, AT, 0);
	leaf->nr_runs = n;
	leaf->table[i] = e;
	pt_mark(leaf, i);
	pt_unlock(leaf);
}

/* The next flush of the page leaves one CPU out. */
static void
skip_one(struct shootdown *t)
{
	struct pt *leaf = pt_lock_walk(t->space, AT, 0);

	struct page *p = phys_to_page(leaf->table[slot_index(AT, 0)] & PTE_ADDR);

	/* It must not become somebody else's while it is written to. */
	page_get(p);
	t->kept[t->nr_kept++] = p;
	leaf->cpus &= leaf->cpus - 1;
	pt_unlock(leaf);
}

/* The same of the page's record. */
static void
skip_record(struct shootdown *t)
{
	unsigned int i = slot_index(AT, 0);
	struct record *r;
	struct fine *f;
	struct page *p;

	rcu_read_lock();
	f = smp_load_acquire(&pt_walk(t->space, AT, 0)->fine);
	r = f ? &f->record[i] : NULL;
	pin();
	if (r && r->entry && spin_word_try(&r->lock)) {
		p = phys_to_page(r->entry & PTE_ADDR);
		page_get(p);
		t->kept[t->nr_kept++] = p;
		r->cpus &= r->cpus - 1;
		spin_word_release(&r->lock);
	}
	unpin();
	rcu_read_unlock();
}

/* Old translations used. */
static u64
shootdown_run(enum fault_kind kind, size_t len)
{
	static struct shootdown t;
	unsigned int least = kind == SKIPS_ONE ? ROUNDS_VIEWS : ROUNDS_MIN;
	u64 stale = 0, end;

	t = (struct shootdown){.space = space_create(),
			       .len = len,
			       .phase = 2,
			       .nr = min(test_cpus(), READERS_MAX)};
	if (!t.space) {
		test_note_failure();
		return 0;
	}
	/* No leaf becomes fine where its entries are tampered with. */
	if (kind == TELLS_NOBODY || kind == SKIPS_ONE)
		t.space->fine_leaves = U32_MAX;
	space_get_user(t.space);
	test_use_space(t.space);
	map_number(&t, 2);
	for (unsigned int i = 0; i < t.nr; i++) {
		t.reader[i] = (struct reader){.all = &t, .naps = i % 2 || i >= 8};
		space_get_user(t.space);
		t.reader[i].thread = test_spawn(i, reader_run, &t.reader[i]);
	}
	phase_tell(&t, 2);
	end = 3 + 2 * clamp(READS / t.nr, least, ROUNDS_MAX);
	for (u64 phase = 3; phase < end; phase += 2) {
		if (kind == TELLS_NOBODY)
			phase_broken(&t, phase);
		smp_store_release(&t.phase, CHANGING);
		if (kind == SKIPS_ONE)
			skip_one(&t);
		if (kind == SKIPS_RECORD)
			skip_record(&t);
		EXPECT_EQ(space_unmap(t.space, AT, len), 0);
		if (kind != TELLS_NOBODY)
			phase_tell(&t, phase);
		smp_store_release(&t.phase, CHANGING);
		map_number(&t, phase + 1);
		phase_tell(&t, phase + 1);
	}
	smp_store_release(&t.phase, OVER);
	for (unsigned int i = 0; i < t.nr; i++) {
		test_join(t.reader[i].thread);
		stale += t.reader[i].stale;
	}
	EXPECT(t.nr == 1 || kind == TELLS_NOBODY || t.space->views != NULL);
	test_use_space(NULL);
	space_put_user(t.space);
	while (t.nr_kept > 0)
		page_put(t.kept[--t.nr_kept]);
	return stale;
}

TEST(tlb_shootdown)
{
	EXPECT_EQ(shootdown_run(FAULTLESS, PAGE_SIZE), 0);
}

TEST(tlb_shootdown_large)
{
	EXPECT_EQ(shootdown_run(FAULTLESS, LARGE_SIZE), 0);
}

/* The CPU that was left out has to be one that reads, on a crowded host too. */
static void
expect_found(enum fault_kind kind)
{
	u64 stale = 0;

	for (int i = 0; i < TORTURE_TRIES && stale == 0; i++)
		stale = shootdown_run(kind, PAGE_SIZE);
	EXPECT_NE(stale, 0);
}

TEST(tlb_shootdown_finds_broken)
{
	expect_found(TELLS_NOBODY);
}

TEST(tlb_shootdown_finds_skipped_view)
{
	if (test_cpus() > 1)
		expect_found(SKIPS_ONE);
}

TEST(tlb_shootdown_finds_skipped_record)
{
	if (test_cpus() > 1)
		expect_found(SKIPS_RECORD);
}

struct solo {
	struct space *space;
	u64 asked;
};

/* Maps, touches, unmaps in a space that no other CPU has ever had. */
static void
solo_run(void *arg)
{
	struct solo *t = arg;
	u64 before;

	test_use_space(t->space);
	before = mm_stat_sum(MM_SHOOTDOWNS);
	for (int i = 0; i < 50; i++) {
		u64 v = 1;

		EXPECT_EQ(space_map(t->space, AT, PAGE_SIZE, PROT_READ | PROT_WRITE, FIXED, NULL),
			  (long)AT);
		EXPECT_EQ(copy_to_user((void __user *)AT, &v, sizeof(v)), 0);
		EXPECT_EQ(space_unmap(t->space, AT, PAGE_SIZE), 0);
		EXPECT_EQ(copy_from_user(&v, (const void __user *)AT, sizeof(v)), -EFAULT);
	}
	t->asked = mm_stat_sum(MM_SHOOTDOWNS) - before;
	test_use_space(NULL);
}

TEST(tlb_solo_asks_nobody)
{
	struct solo t = {.space = space_create()};

	ASSERT_TRUE(t.space != NULL);
	test_join(test_spawn(1, solo_run, &t));
	EXPECT_EQ(t.asked, 0);
}

struct tags {
	struct space *space[2];
	u64 seen[3];
};

static u64
tag_of(struct space *s)
{
	u64 tag;

	test_use_space(s);
	pin();
	tag = read_cr3() & CR3_PCID;
	unpin();
	return tag;
}

static void
tags_run(void *arg)
{
	struct tags *t = arg;

	for (int i = 0; i < 3; i++) {
		space_get_user(t->space[i % 2]);
		t->seen[i] = tag_of(t->space[i % 2]);
		test_use_space(NULL);
	}
}

/* On a CPU with PCIDs two spaces have different ones, and keep them. */
TEST(tlb_tags_spaces)
{
	struct tags t = {.space = {space_create(), space_create()}};

	ASSERT_TRUE(t.space[0] && t.space[1]);
	if (read_cr4() & CR4_PCIDE) {
		test_join(test_spawn(0, tags_run, &t));
		EXPECT_NE(t.seen[0], 0);
		EXPECT_NE(t.seen[1], 0);
		EXPECT_NE(t.seen[0], t.seen[1]);
		EXPECT_EQ(t.seen[0], t.seen[2]);
	} else {
		test_note_skip("this CPU has no PCIDs");
	}
	space_put_user(t.space[0]);
	space_put_user(t.space[1]);
}
