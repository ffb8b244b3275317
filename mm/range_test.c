/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on ranges against a model.
 *
 * Model: for each of PAGES pages around a border of tables of two levels, what a
 * plain array says of it: mapped or not, protection, the number last written,
 * and whether a page of its own must be there. Random calls change both; then
 * runs, contents and figures of the space are compared with the array, in
 * copies by fork too.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

#define PAGES 2048u
/* Four leaves, two on either side of a border of 1 GiB. */
#define BASE ((7UL << 30) - PAGES / 2 * PAGE_SIZE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define HOLE 0xff

struct model {
	u32 value[PAGES];
	u8 prot[PAGES];
	bool owned[PAGES];
};

static unsigned long
page_va(unsigned int i)
{
	return BASE + i * PAGE_SIZE;
}

/* --- comparing; each returns the number of differences --- */

static u64
compare_runs(struct space *s, const struct model *m)
{
	u64 bad = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		struct run r;
		bool found = space_next_run(s, page_va(i), page_va(i + 1), &r, false);

		bad += found != (m->prot[i] != HOLE) || (found && meta_prot(r.meta) != m->prot[i]);
	}
	return bad;
}

static u64
compare_contents(struct space *s, const struct model *m)
{
	u64 bad = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		bool readable = m->prot[i] != HOLE && m->prot[i];
		u32 v = ~0u;
		size_t n = space_access(s, page_va(i) + i % 1000 * 4, &v, sizeof(v), false);

		bad += n != (readable ? sizeof(v) : 0) || (readable && v != m->value[i]);
	}
	return bad;
}

static u64
compare(struct space *s, const struct model *m)
{
	u64 bad = compare_runs(s, m), mapped = 0, owned = 0;
	struct space_stat st;

	for (unsigned int i = 0; i < PAGES; i++) {
		mapped += m->prot[i] != HOLE;
		owned += m->owned[i];
	}
	space_stat(s, &st);
	return bad + (st.total != mapped) + (st.resident != owned) + compare_contents(s, m);
}

/* --- calls --- */

static int
model_map(struct space *s, struct model *m, unsigned int a, unsigned int b, u32 prot)
{
	long at = space_map(s, page_va(a), (b - a) * PAGE_SIZE, prot, FIXED, NULL);

	if (at != (long)page_va(a))
		return -1;
	for (; a < b; a++) {
		m->prot[a] = (u8)prot;
		m->value[a] = 0;
		m->owned[a] = false;
	}
	return 0;
}

static int
model_map_new(struct space *s, struct model *m, unsigned int a, unsigned int b, u32 prot)
{
	bool free = true;
	long at;

	for (unsigned int i = a; i < b; i++)
		free &= m->prot[i] == HOLE;
	if (free)
		return model_map(s, m, a, b, prot);
	at = space_map(s, page_va(a), (b - a) * PAGE_SIZE, prot, FIXED | MAP_FIXED_NOREPLACE, NULL);
	return at == -EEXIST ? 0 : -1;
}

static int
model_unmap(struct space *s, struct model *m, unsigned int a, unsigned int b)
{
	if (space_unmap(s, page_va(a), (b - a) * PAGE_SIZE))
		return -1;
	for (; a < b; a++) {
		m->prot[a] = HOLE;
		m->owned[a] = false;
	}
	return 0;
}

static int
model_protect(struct space *s, struct model *m, unsigned int a, unsigned int b, u32 prot)
{
	int err = space_protect(s, page_va(a), (b - a) * PAGE_SIZE, prot);

	for (; a < b && m->prot[a] != HOLE; a++)
		m->prot[a] = (u8)prot;
	return err == (a < b ? -ENOMEM : 0) ? 0 : -1;
}

static int
model_drop(struct space *s, struct model *m, unsigned int a, unsigned int b)
{
	int err = space_advise(s, page_va(a), page_va(b), MADV_DONTNEED);
	bool hole = false;

	for (; a < b; a++) {
		hole |= m->prot[a] == HOLE;
		m->value[a] = 0;
		m->owned[a] = false;
	}
	return err == (hole ? -ENOMEM : 0) ? 0 : -1;
}

static int
model_write(struct space *s, struct model *m, unsigned int i, u32 v)
{
	bool writable = m->prot[i] != HOLE && m->prot[i] & PROT_WRITE;
	size_t n = space_access(s, page_va(i) + i % 1000 * 4, &v, sizeof(v), true);

	if (writable) {
		m->value[i] = v;
		m->owned[i] = true;
	}
	return n == (writable ? sizeof(v) : 0) ? 0 : -1;
}

static int
random_call(struct space *s, struct model *m, u64 *seed)
{
	static const u32 prots[] = {PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, 0,
				    PROT_READ | PROT_EXEC};
	u64 r = test_rand(seed);
	unsigned int a = r % PAGES, len = r >> 16 & 7 ? (unsigned int)(r >> 20 & 31)
						      : (unsigned int)(r >> 20 & 1023);
	unsigned int b = min(a + 1 + len, PAGES);
	u32 prot = prots[(r >> 32) % ARRAY_SIZE(prots)];
	int err = 0;

	switch (r >> 40 & 15) {
	case 0:
	case 1:
		return model_map(s, m, a, b, prot);
	case 2:
		return model_map_new(s, m, a, b, prot);
	case 3:
	case 4:
		return model_unmap(s, m, a, b);
	case 5:
	case 6:
		return model_protect(s, m, a, b, prot);
	case 7:
		return model_drop(s, m, a, b);
	default:
		for (; a < b && !err; a += 3)
			err = model_write(s, m, a, (u32)test_rand(seed) | 1);
	}
	return err;
}

/* --- tests --- */

/* A copy, with what it must hold for ever. */
struct copy {
	struct space *space;
	struct model model;
};

static void
copy_check(struct copy *c)
{
	if (!c->space)
		return;
	EXPECT_EQ(compare(c->space, &c->model), 0);
	space_put_user(c->space);
	c->space = NULL;
}

static void
copy_make(struct copy *c, struct space *s, const struct model *m)
{
	c->space = space_fork(s);
	ASSERT_TRUE(!is_err(c->space));
	c->model = *m;
}

static struct model *
model_new(void)
{
	struct model *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (m)
		memset(m->prot, HOLE, sizeof(m->prot));
	return m;
}

TEST(range_follows_model)
{
	struct copy *copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	struct space *s = space_create();
	struct model *m = model_new();
	u64 seed = 42;

	ASSERT_TRUE(s && m && copy);
	for (int i = 0; i < 1200; i++) {
		EXPECT_EQ(random_call(s, m, &seed), 0);
		if (i % 100 == 50) {
			copy_check(copy);
			copy_make(copy, s, m);
		}
		if (i % 100 == 99)
			EXPECT_EQ(compare(s, m), 0);
	}
	copy_check(copy);
	space_put_user(s);
	kfree(m);
	kfree(copy);
}

/* What the comparison is for: two entries that have changed places, a page that is gone. */
TEST(range_model_finds_broken)
{
	struct space *s = space_create();
	struct model *m = model_new();
	struct pt *t;
	u64 e;

	ASSERT_TRUE(s && m);
	EXPECT_EQ(model_map(s, m, 10, 20, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQ(model_write(s, m, 11, 5), 0);
	EXPECT_EQ(model_write(s, m, 12, 6), 0);
	EXPECT_EQ(compare(s, m), 0);
	t = pt_lock_walk(s, page_va(11), 0);
	e = t->table[slot_index(page_va(11), 0)];
	t->table[slot_index(page_va(11), 0)] = t->table[slot_index(page_va(12), 0)];
	t->table[slot_index(page_va(12), 0)] = e;
	pt_unlock(t);
	EXPECT_EQ(compare(s, m), 2);
	t = pt_lock_walk(s, page_va(11), 0);
	t->runs[0].meta ^= PROT_WRITE;
	pt_unlock(t);
	EXPECT_GE(compare(s, m), 12);
	space_put_user(s);
	kfree(m);
}

static unsigned int
runs_in_leaf(struct space *s, unsigned long va)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	unsigned int n = t->level == 0 ? t->nr_runs : 0;

	pt_unlock(t);
	return n;
}

/* A table with many runs hands them down all at once. */
TEST(range_many_runs)
{
	struct space *s = space_create();
	struct model *m = model_new();

	ASSERT_TRUE(s && m);
	EXPECT_EQ(model_map(s, m, 0, PAGES, PROT_READ | PROT_WRITE), 0);
	for (unsigned int i = 0; i < PAGES; i += 2)
		EXPECT_EQ(model_protect(s, m, i, i + 1, PROT_READ), 0);
	for (unsigned int i = 1; i < PAGES; i += 2)
		EXPECT_EQ(model_write(s, m, i, i), 0);
	EXPECT_EQ(compare(s, m), 0);
	EXPECT_EQ(model_protect(s, m, 0, PAGES, PROT_READ), 0);
	EXPECT_EQ(compare(s, m), 0);
	EXPECT_EQ(runs_in_leaf(s, page_va(3)), 1);
	space_put_user(s);
	kfree(m);
}

static unsigned int
tables_of(struct space *s)
{
	return (unsigned int)atomic_read(&s->tables);
}

/* Tables go with the mappings: at once, or when enough have been emptied piece by piece. */
TEST(range_frees_tables)
{
	struct space *s = space_create();
	struct model *m = model_new();
	unsigned int before = tables_of(s);

	ASSERT_TRUE(s && m);
	EXPECT_EQ(model_map(s, m, 0, PAGES, PROT_READ | PROT_WRITE), 0);
	for (unsigned int i = 0; i < PAGES; i += 512)
		EXPECT_EQ(model_write(s, m, i, 1), 0);
	/* Two of level 1 with four leaves, one of level 2. */
	EXPECT_EQ(tables_of(s), before + 7);
	EXPECT_EQ(model_unmap(s, m, 0, PAGES), 0);
	EXPECT_LE(tables_of(s), before + 3);
	for (unsigned int k = 0; k < 64; k++) {
		unsigned long va = (40UL << 30) + k * (LARGE_SIZE * 7);
		u32 v = k;

		EXPECT_EQ(space_map(s, va, PAGE_SIZE, PROT_READ | PROT_WRITE, FIXED, NULL),
			  (long)va);
		EXPECT_EQ(space_access(s, va, &v, sizeof(v), true), sizeof(v));
	}
	EXPECT_GE(tables_of(s), before + 64);
	for (unsigned int k = 0; k < 64; k++)
		EXPECT_EQ(space_unmap(s, (40UL << 30) + k * (LARGE_SIZE * 7), PAGE_SIZE), 0);
	EXPECT_LE(tables_of(s), before + 12);
	space_put_user(s);
	kfree(m);
}

/* One place, over and over: its table stays. */
TEST(range_loop_keeps_table)
{
	struct space *s = space_create();
	struct model *m = model_new();
	struct pt *leaf;

	ASSERT_TRUE(s && m);
	EXPECT_EQ(model_map(s, m, 5, 6, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQ(model_write(s, m, 5, 7), 0);
	leaf = pt_lock_walk(s, page_va(5), 0);
	pt_unlock(leaf);
	for (int i = 0; i < 40; i++) {
		EXPECT_EQ(model_unmap(s, m, 5, 6), 0);
		EXPECT_EQ(model_map(s, m, 5, 6, PROT_READ | PROT_WRITE), 0);
		EXPECT_EQ(model_write(s, m, 5, 7), 0);
	}
	EXPECT(pt_lock_walk(s, page_va(5), 0) == leaf);
	pt_unlock(leaf);
	space_put_user(s);
	kfree(m);
}
