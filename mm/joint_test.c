/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fork shares, counted by leaves: who counts where, that the last one writes in
 * place and no other does, and that each page goes with its last leaf.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT (11UL << 30)
#define PAGES 8u

static unsigned long
va_of(unsigned int k)
{
	return AT + k * PAGE_SIZE;
}

static bool
put_value(struct space *s, unsigned int k, u64 v)
{
	return space_access(s, va_of(k), &v, sizeof(v), true) == sizeof(v);
}

/* ~0 if it cannot be read. */
static u64
get_value(struct space *s, unsigned int k)
{
	u64 v;

	return space_access(s, va_of(k), &v, sizeof(v), false) == sizeof(v) ? v : ~0UL;
}

/* A space whose page k holds k + 1. */
static struct space *
make_first(void)
{
	struct space *s = space_create();

	if (!s)
		return NULL;
	EXPECT_EQ(space_map(s, AT, PAGES * PAGE_SIZE, RW, ANON | MAP_FIXED, NULL), (long)AT);
	for (unsigned int k = 0; k < PAGES; k++)
		EXPECT(put_value(s, k, k + 1));
	return s;
}

static struct space *
fork_of(struct space *s)
{
	struct space *c = space_fork(s);

	EXPECT(!is_err(c));
	return is_err(c) ? NULL : c;
}

static u32
refs_at(struct space *s, unsigned int k)
{
	struct pt *t = pt_lock_walk(s, va_of(k), 0);
	u32 refs = atomic_read(&phys_to_page(t->table[slot_index(va_of(k), 0)] & PTE_ADDR)->refs);

	pt_unlock(t);
	return refs;
}

/* What a joint has for page k of s; 0: s's reference is its own. */
static u32
joint_at(struct space *s, unsigned int k)
{
	struct pt *t = pt_lock_walk(s, va_of(k), 0);
	unsigned int i = slot_index(va_of(k), 0);
	u32 n = t->table[i] & PTE_JOINT ? t->joint->count[i] : 0;

	pt_unlock(t);
	return n;
}

TEST(joint_counts_apart)
{
	struct space *s[7] = {make_first()};
	u64 anon;

	ASSERT_TRUE(s[0] != NULL);
	anon = page_level(PAGE_ANON);
	s[1] = fork_of(s[0]);
	EXPECT_EQ(refs_at(s[0], 0), 2);
	/* The second copy counts in the leaf. */
	s[2] = fork_of(s[0]);
	EXPECT(refs_at(s[0], 0) == 2 && joint_at(s[0], 0) == 2 && joint_at(s[2], 0) == 2);
	EXPECT_EQ(joint_at(s[1], 0), 0);
	/* A copy that is copied counts in its own. */
	s[3] = fork_of(s[1]);
	s[4] = fork_of(s[1]);
	EXPECT(refs_at(s[0], 0) == 2 && joint_at(s[1], 0) == 3 && joint_at(s[0], 0) == 2);
	/* One that has its parent's joint gets one of its own. */
	s[5] = fork_of(s[2]);
	EXPECT(refs_at(s[0], 0) == 3 && joint_at(s[2], 0) == 2 && joint_at(s[0], 0) == 1);
	s[6] = fork_of(s[2]);
	EXPECT(refs_at(s[0], 0) == 3 && joint_at(s[2], 0) == 3);
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	for (unsigned int i = 0; i < 7; i++) {
		EXPECT(s[i] && get_value(s[i], 3) == 4);
		if (s[i])
			space_put_user(s[i]);
	}
	EXPECT_EQ(page_level(PAGE_ANON), anon - PAGES);
}

/* The last copy takes over what its parent has left. */
TEST(joint_taken_over)
{
	struct space *a = make_first(), *b, *c, *d;
	struct joint *j;

	ASSERT_TRUE(a != NULL);
	b = fork_of(a);
	c = fork_of(a);
	space_put_user(b);
	j = pt_walk(a, AT, 0)->joint;
	space_put_user(a);
	EXPECT(refs_at(c, 0) == 1 && joint_at(c, 0) == 1);
	d = fork_of(c);
	EXPECT(pt_walk(c, AT, 0)->joint == j && pt_walk(d, AT, 0)->joint == j);
	EXPECT(refs_at(c, 0) == 1 && joint_at(c, 0) == 2);
	space_put_user(c);
	EXPECT_EQ(get_value(d, 7), 8);
	space_put_user(d);
}

/* Who is left alone writes in place, others copy; protection follows the same question. */
TEST(joint_copy_on_write)
{
	struct space *a = make_first(), *b, *c;
	u64 anon = page_level(PAGE_ANON);

	ASSERT_TRUE(a != NULL);
	b = fork_of(a);
	space_put_user(b);
	b = fork_of(a);
	c = fork_of(a);
	EXPECT(refs_at(a, 0) == 1 && joint_at(a, 0) == 3);
	EXPECT(put_value(b, 0, 100));
	EXPECT_EQ(page_level(PAGE_ANON), anon + 1);
	EXPECT(put_value(c, 0, 200));
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2);
	EXPECT(put_value(a, 0, 300));
	EXPECT_EQ(page_level(PAGE_ANON), anon + 2);
	/* Page 1: shared, so what mprotect gives must not be a right to write. */
	EXPECT_EQ(space_protect(b, AT, PAGES * PAGE_SIZE, PROT_READ), 0);
	EXPECT_EQ(space_protect(b, AT, PAGES * PAGE_SIZE, RW), 0);
	EXPECT(!(pt_walk(b, va_of(1), 0)->table[slot_index(va_of(1), 0)] & PTE_W));
	EXPECT(pt_walk(b, AT, 0)->table[slot_index(AT, 0)] & PTE_W);
	EXPECT(put_value(b, 1, 101));
	EXPECT(get_value(a, 1) == 2 && get_value(c, 1) == 2);
	/* Dropped by two, the third has it alone. */
	EXPECT_EQ(space_unmap(a, va_of(2), PAGE_SIZE), 0);
	EXPECT_EQ(space_advise(b, va_of(2), va_of(3), MADV_DONTNEED), 0);
	EXPECT_EQ(get_value(b, 2), 0);
	anon = page_level(PAGE_ANON);
	EXPECT(joint_at(c, 2) == 1 && put_value(c, 2, 202) && page_level(PAGE_ANON) == anon);
	EXPECT(get_value(a, 0) == 300 && get_value(b, 0) == 100 && get_value(c, 0) == 200);
	space_put_user(a);
	space_put_user(b);
	EXPECT_EQ(get_value(c, 5), 6);
	space_put_user(c);
}

/* A slot that shows another page by now, and a count that is full. */
TEST(joint_falls_back)
{
	static struct space *s[JOINT_MAX + 3];
	struct space *a = make_first();
	u64 anon = page_level(PAGE_ANON);

	ASSERT_TRUE(a != NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		s[i] = fork_of(a);
		ASSERT_TRUE(s[i] != NULL);
	}
	/* The first copy, and what went beyond the joint's end. */
	EXPECT_EQ(joint_at(a, 0), JOINT_MAX);
	EXPECT_EQ(refs_at(a, 0), ARRAY_SIZE(s) + 2 - JOINT_MAX);
	EXPECT(put_value(a, 0, 100));
	EXPECT_EQ(joint_at(s[1], 0), JOINT_MAX - 1);
	/* Others still have the joint's old page in slot 0. */
	for (unsigned int i = 0; i < 2; i++) {
		space_put_user(s[i]);
		s[i] = fork_of(a);
		ASSERT_TRUE(s[i] != NULL);
	}
	EXPECT(joint_at(a, 0) == 0 && joint_at(a, 1) == JOINT_MAX);
	EXPECT(get_value(s[0], 0) == 100 && get_value(s[ARRAY_SIZE(s) - 1], 0) == 1);
	space_put_user(a);
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		EXPECT_EQ(get_value(s[i], 1), 2);
		space_put_user(s[i]);
	}
	EXPECT_EQ(page_level(PAGE_ANON), anon - PAGES);
}

/* --- torture: forks of forks on all CPUs, of one ancestor --- */

#define KIN 6u

/* A space, and what its pages must hold; 0: gone. */
struct member {
	struct space *space;
	u64 value[PAGES];
	u32 prot;
};

struct line {
	struct member member[KIN];
	u64 bad;
};

static void
member_check(struct line *l, struct member *m)
{
	for (unsigned int k = 0; k < PAGES; k++)
		l->bad += get_value(m->space, k) != m->value[k];
}

static void
member_write(struct line *l, struct member *m, unsigned int k, u64 v)
{
	bool done = put_value(m->space, k, v);

	l->bad += done != !!(m->prot & PROT_WRITE);
	if (done)
		m->value[k] = v;
}

/* One of the line, copied into an empty place. */
static void
member_fork(struct line *l, const struct member *m, struct member *to)
{
	if (to->space)
		return;
	*to = *m;
	to->space = space_fork(m->space);
	if (is_err(to->space)) {
		to->space = NULL;
		l->bad++;
	}
}

static void
member_change(struct line *l, struct member *m, u64 r)
{
	unsigned int a = r % PAGES, b = min(a + 1 + (unsigned int)(r >> 8 & 3), PAGES);

	if (r & 0x10000) {
		l->bad += space_advise(m->space, va_of(a), va_of(b), MADV_DONTNEED) != 0;
		memset(&m->value[a], 0, (b - a) * sizeof(u64));
		return;
	}
	m->prot = m->prot == RW ? PROT_READ : RW;
	l->bad += space_protect(m->space, AT, PAGES * PAGE_SIZE, m->prot) != 0;
}

/* The first of a line stays. */
static void
line_turn(struct line *l, u64 r)
{
	struct member *m = &l->member[r % KIN], *to = &l->member[1 + (r >> 8) % (KIN - 1)];

	if (!m->space)
		m = &l->member[0];
	switch (r >> 16 & 7) {
	case 0:
	case 1:
	case 2:
		member_fork(l, m, to);
		break;
	case 3:
		if (to->space) {
			member_check(l, to);
			space_put_user(to->space);
			to->space = NULL;
		}
		return;
	case 4:
		member_change(l, m, r >> 24);
		break;
	default:
		member_write(l, m, r >> 24 & (PAGES - 1), r | 1);
	}
	member_check(l, m);
}

struct lines {
	struct torture t;
	struct line *line;
};

static void
line_run(struct torture_thread *th)
{
	struct line *l = &container_of(th->torture, struct lines, t)->line[th->index];

	while (!torture_over(th)) {
		line_turn(l, test_rand(&th->seed));
		if (th->turns % 8 == 0)
			test_yield();
		torture_turn(th);
	}
	for (unsigned int i = 0; i < KIN; i++) {
		if (!l->member[i].space)
			continue;
		member_check(l, &l->member[i]);
		space_put_user(l->member[i].space);
	}
	th->result = l->bad;
}

TEST(joint_torture)
{
	struct torture_plan plan = {
		.fn = line_run, .threads = min(test_cpus() * 2, 16u), .share = 50, .work = 20000};
	static struct lines t;
	struct space *first;
	u64 anon, tables;

	rcu_barrier();
	anon = page_level(PAGE_ANON);
	tables = page_level(PAGE_TABLE);
	first = make_first();
	t.line = kcalloc(plan.threads, sizeof(*t.line), GFP_KERNEL);
	ASSERT_TRUE(first != NULL && t.line != NULL);
	for (unsigned int i = 0; i < plan.threads; i++) {
		struct member *m = &t.line[i].member[0];

		m->space = fork_of(first);
		ASSERT_TRUE(m->space != NULL);
		m->prot = RW;
		for (unsigned int k = 0; k < PAGES; k++)
			m->value[k] = k + 1;
	}
	EXPECT_EQ(torture_run(&t.t, &plan), 0);
	EXPECT_EQ(get_value(first, 4), 5);
	space_put_user(first);
	kfree(t.line);
	rcu_barrier();
	EXPECT_EQ(page_level(PAGE_ANON), anon);
	EXPECT_EQ(page_level(PAGE_TABLE), tables);
}

/* A copy that was not counted: its page is written under it. */
TEST(joint_finds_broken)
{
	struct line l = {.member[0] = {.space = make_first(), .prot = RW}};
	struct pt *t;

	ASSERT_TRUE(l.member[0].space != NULL);
	for (unsigned int k = 0; k < PAGES; k++)
		l.member[0].value[k] = k + 1;
	member_fork(&l, &l.member[0], &l.member[1]);
	space_put_user(l.member[1].space);
	l.member[1].space = NULL;
	member_fork(&l, &l.member[0], &l.member[1]);
	ASSERT_TRUE(l.member[1].space != NULL);
	t = pt_walk(l.member[0].space, AT, 0);
	EXPECT_EQ(t->joint->count[slot_index(AT, 0)], 2);
	t->joint->count[slot_index(AT, 0)] = 1;
	member_write(&l, &l.member[0], 0, 100);
	t->joint->count[slot_index(AT, 0)] = 2;
	EXPECT_EQ(l.bad, 0);
	member_check(&l, &l.member[1]);
	EXPECT_EQ(l.bad, 1);
	space_put_user(l.member[0].space);
	space_put_user(l.member[1].space);
}

/* --- families --- */

struct joiner {
	struct space *parent;
	struct space *s[4];
};

static void
join_run(void *arg)
{
	struct joiner *j = arg;

	for (unsigned int i = 0; i < ARRAY_SIZE(j->s); i++)
		j->s[i] = fork_of(j->parent);
}

/* Is it met once by a walk? */
static unsigned int
met(struct family *f, const struct space *which)
{
	unsigned int n = 0;

	for (struct space *s = family_next(f, NULL); s; s = family_next(f, s))
		n += s == which;
	return n;
}

/* A walk meets each member once, in whichever list; also those of before there were many. */
TEST(family_lists)
{
	static struct joiner j[8];
	struct space *first = make_first();

	ASSERT_TRUE(first != NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(j); i++) {
		j[i].parent = first;
		test_join(test_spawn(i, join_run, &j[i]));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(j); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(j[i].s); k++)
			EXPECT_EQ(met(first->family, j[i].s[k]), 1);
	EXPECT_EQ(met(first->family, first), 1);
	EXPECT(test_cpus() == 1 ||
	       (first->family->more && j[7].s[3]->kin != &first->family->first));
	for (unsigned int i = 0; i < ARRAY_SIZE(j); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(j[i].s); k++)
			space_put_user(j[i].s[k]);
	EXPECT_EQ(met(first->family, first), 1);
	space_put_user(first);
}
