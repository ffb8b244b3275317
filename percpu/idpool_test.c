/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of ids: no id twice, all of them, late reuse. A pool that believes a
 * chunk's bits to be its owner's alone must be found losing ids.
 */
#include "percpu/idpool.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/bitmap.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define FIRST 300u
#define IDS 1000u
#define HOLD 64

struct id_torture {
	struct torture t;
	struct idpool *pool;
	s64 (*alloc)(struct id_torture *s);
	void (*free)(struct id_torture *s, u32 id);
	/* a  an id's bit is set while a thread has it */
	BITMAP_DECLARE(out, IDS);
	/* a */
	u64 wrong;
	u64 exhausted;
};

static void
id_check(struct id_torture *s, s64 id)
{
	if (id < FIRST || id >= FIRST + IDS ||
	    atomic_test_and_set_bit((unsigned int)id - FIRST, s->out))
		atomic_inc(&s->wrong);
}

static void
id_give(struct id_torture *s, u32 id)
{
	atomic_clear_bit(id - FIRST, s->out);
	s->free(s, id);
}

static void
id_thread(struct torture_thread *th)
{
	struct id_torture *s = container_of(th->torture, struct id_torture, t);
	u32 held[HOLD];
	unsigned int n = 0;

	while (!torture_over(th)) {
		torture_turn(th);
		if (n < HOLD && test_rand(&th->seed) % 3 != 0) {
			s64 id = s->alloc(s);

			if (id == -EAGAIN) {
				atomic_inc(&s->exhausted);
				continue;
			}
			id_check(s, id);
			held[n++] = (u32)id;
			th->result++;
		} else if (n > 0) {
			unsigned int i = (unsigned int)(test_rand(&th->seed) % n);

			id_give(s, held[i]);
			held[i] = held[--n];
		}
	}
	while (n > 0)
		id_give(s, held[--n]);
}

static s64
alloc_right(struct id_torture *s)
{
	return idpool_alloc(s->pool);
}

static void
free_right(struct id_torture *s, u32 id)
{
	idpool_free(s->pool, id);
}

static void
id_run(struct id_torture *s)
{
	/* They want more than the pool has: it runs dry now and then. */
	struct torture_plan plan = {.fn = id_thread,
				    .threads = max(4 * test_cpus(), 24u),
				    .share = 2 * HOLD,
				    .work = 300000};

	s->wrong = 0;
	s->exhausted = 0;
	torture_run(&s->t, &plan);
}

TEST(idpool_torture)
{
	static struct id_torture s = {.alloc = alloc_right, .free = free_right};

	s.pool = idpool_create(FIRST, FIRST + IDS - 1, 16);
	ASSERT_TRUE(s.pool != NULL);
	id_run(&s);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_GT(s.exhausted, 0);
	EXPECT_EQ(idpool_used(s.pool), 0);
	idpool_destroy(s.pool);
}

static BITMAP_DECLARE(broken_map, IDS);

/* From a word that is this CPU's, so that nobody else sets its bits: but others clear them. */
static s64
take_owned(unsigned int at)
{
	unsigned long word = READ_ONCE(broken_map[at]);

	if (word == ~0UL)
		return -EAGAIN;
	torture_window();
	WRITE_ONCE(broken_map[at], word | BIT(ctz64(~word)));
	return FIRST + at * BITS_PER_LONG + ctz64(~word);
}

/* From a word that is another CPU's. */
static s64
take_foreign(unsigned int at)
{
	unsigned long word = READ_ONCE(broken_map[at]);
	unsigned int bit;

	if (word == ~0UL)
		return -EAGAIN;
	bit = at * BITS_PER_LONG + ctz64(~word);
	if (atomic_test_and_set_bit(bit, broken_map))
		return -EAGAIN;
	return FIRST + bit;
}

static s64
alloc_broken(struct id_torture *s)
{
	s64 id = -EAGAIN;

	pin();
	for (unsigned int i = 0; i < IDS / BITS_PER_LONG && id < 0; i++)
		if (i % test_cpus() == cpu_id())
			id = take_owned(i);
	for (unsigned int i = 0; i < IDS / BITS_PER_LONG && id < 0; i++)
		if (i % test_cpus() != cpu_id())
			id = take_foreign(i);
	unpin();
	return id;
}

static void
free_broken(struct id_torture *s, u32 id)
{
	atomic_clear_bit(id - FIRST, broken_map);
}

TEST(idpool_torture_finds_broken)
{
	static struct id_torture s = {.alloc = alloc_broken, .free = free_broken};
	unsigned int lost = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && lost == 0; i++) {
		bitmap_zero(broken_map, IDS);
		id_run(&s);
		lost = bitmap_weight(broken_map, IDS);
	}
	EXPECT_GT(lost, 0);
}

static void
drain_pool(u32 first, u32 last)
{
	struct idpool *p = idpool_create(first, last, 64);
	u64 n = 0;
	s64 id;

	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(idpool_take(p, first), 0);
	EXPECT_EQ(idpool_take(p, first), -EEXIST);
	while ((id = idpool_alloc(p)) >= 0) {
		EXPECT(id > first && id <= last);
		n++;
	}
	EXPECT_EQ(id, -EAGAIN);
	EXPECT_EQ(n, last - first);
	EXPECT_EQ(idpool_used(p), n + 1);
	/* Dry, and one comes back. */
	idpool_free(p, last);
	EXPECT_EQ(idpool_alloc(p), last);
	idpool_destroy(p);
}

TEST(idpool_exhaustion)
{
	drain_pool(0, 0);
	drain_pool(1, 2);
	drain_pool(0, 63);
	drain_pool(5, 5 + 64);
	drain_pool(0, 4999);
}

TEST(idpool_bounds)
{
	struct idpool *p = idpool_create(10, 19, 4);

	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(idpool_take(p, 9), -EINVAL);
	EXPECT_EQ(idpool_take(p, 20), -EINVAL);
	EXPECT_EQ(idpool_take(p, 19), 0);
	EXPECT_EQ(idpool_used(p), 1);
	idpool_destroy(p);
	idpool_destroy(NULL);
	p = idpool_create(0, U32_MAX, 1);
	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(idpool_take(p, U32_MAX), 0);
	EXPECT_GE(idpool_alloc(p), 0);
	EXPECT_EQ(idpool_used(p), 2);
	idpool_destroy(p);
}

TEST(idpool_reuse_is_late)
{
	struct idpool *p = idpool_create(1, 32767, 64);
	s64 first = idpool_alloc(p);

	ASSERT_TRUE(p != NULL && first > 0);
	idpool_free(p, (u32)first);
	for (int i = 0; i < 16384; i++) {
		s64 id = idpool_alloc(p);

		if (id == first) {
			EXPECT_NE(id, first);
			break;
		}
		idpool_free(p, (u32)id);
	}
	EXPECT_EQ(idpool_used(p), 0);
	idpool_destroy(p);
}
