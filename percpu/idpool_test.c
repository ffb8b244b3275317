/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools of ids: no id twice, all of them, late reuse. */
#include "percpu/idpool.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define FIRST 300u
#define IDS 1000u
#define HOLD 64

struct id_torture {
	struct torture t;
	struct idpool *pool;
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
	idpool_free(s->pool, id);
}

static void
id_thread(struct torture_thread *th)
{
	struct id_torture *s = container_of(th->torture, struct id_torture, t);
	u32 held[HOLD];
	unsigned int n = 0;

	while (!torture_over(th)) {
		if (n < HOLD && test_rand(&th->seed) % 3 != 0) {
			s64 id = idpool_alloc(s->pool);

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

TEST(idpool_torture)
{
	static struct id_torture s;

	s.wrong = 0;
	s.pool = idpool_create(FIRST, FIRST + IDS - 1, 16);
	ASSERT_TRUE(s.pool != NULL);
	/* More threads than the pool has room for: it runs dry now and then. */
	EXPECT_GT(torture_run(&s.t, id_thread, min(test_cpus() * 4, 24u)), 0);
	EXPECT_EQ(s.wrong, 0);
	EXPECT_EQ(idpool_used(s.pool), 0);
	idpool_destroy(s.pool);
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
