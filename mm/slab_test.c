/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of object caches and kmalloc: in the kernel and on the host. */
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab_impl.h"
#include "mm/vmalloc.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

static u64
used_in(struct slab_cache *c)
{
	u64 cached, used, slabs;

	slab_count(c, &cached, &used, &slabs);
	return used;
}

static u64
slabs_in(struct slab_cache *c)
{
	u64 cached, used, slabs;

	slab_count(c, &cached, &used, &slabs);
	return slabs;
}

#define MANY 600

TEST(slab_objects_do_not_overlap)
{
	static const u16 sizes[] = {1, 7, 8, 16, 24, 33, 64, 100, 200, 500, 1000, 3000, 5000, 9000};
	static u8 *objs[MANY];

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct slab_cache *c = slab_cache_create("test", sizes[s], 0, 0);
		unsigned int n = sizes[s] > 1000 ? MANY / 10 : MANY;

		ASSERT_TRUE(c != NULL);
		EXPECT_EQ(slab_object_size(c), sizes[s]);
		for (unsigned int i = 0; i < n; i++) {
			objs[i] = slab_alloc(c, GFP_KERNEL);
			ASSERT_TRUE(objs[i] != NULL);
			memset(objs[i], (int)i, sizes[s]);
			if (sizes[s] >= 64)
				EXPECT(is_aligned((unsigned long)objs[i], CACHE_LINE));
		}
		EXPECT_EQ(used_in(c), n);
		for (unsigned int i = 0; i < n; i++) {
			EXPECT(memchr_inv(objs[i], (u8)i, sizes[s]) == NULL);
			slab_free(c, objs[i]);
		}
		EXPECT_EQ(used_in(c), 0);
		slab_cache_destroy(c);
	}
}

TEST(slab_alignment)
{
	for (size_t align = 8; align <= 512; align *= 2) {
		struct slab_cache *c = slab_cache_create("test", 40, align, 0);
		void *objs[20];

		ASSERT_TRUE(c != NULL);
		for (size_t i = 0; i < ARRAY_SIZE(objs); i++) {
			objs[i] = slab_alloc(c, GFP_KERNEL);
			EXPECT(is_aligned((unsigned long)objs[i], align));
		}
		for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
			slab_free(c, objs[i]);
		slab_cache_destroy(c);
	}
}

TEST(slab_zeroed)
{
	struct slab_cache *c = slab_cache_create("test", 77, 0, SLAB_ZERO);
	void *p;

	ASSERT_TRUE(c != NULL);
	for (int i = 0; i < 50; i++) {
		p = slab_alloc(c, GFP_KERNEL);
		ASSERT_TRUE(p != NULL);
		EXPECT(memchr_inv(p, 0, 77) == NULL);
		memset(p, 0xff, 77);
		slab_free(c, p);
	}
	slab_cache_destroy(c);
	p = kzalloc(200, GFP_KERNEL);
	EXPECT(p != NULL && memchr_inv(p, 0, 200) == NULL);
	kfree(p);
}

TEST(slab_typesafe_keeps_content)
{
	struct slab_cache *c = slab_cache_create("test", 48, 0, SLAB_TYPESAFE_RCU);
	static u8 *objs[MANY];

	ASSERT_TRUE(c != NULL);
	for (unsigned int i = 0; i < MANY; i++) {
		objs[i] = slab_alloc(c, GFP_KERNEL);
		ASSERT_TRUE(objs[i] != NULL);
		memset(objs[i], (int)i, 48);
	}
	rcu_read_lock();
	for (unsigned int i = 0; i < MANY; i++)
		slab_free(c, objs[i]);
	for (unsigned int i = 0; i < MANY; i++)
		EXPECT(memchr_inv(objs[i], (u8)i, 48) == NULL);
	rcu_read_unlock();
	slab_cache_destroy(c);
	rcu_barrier();
}

TEST(slab_gives_pages_back)
{
	struct slab_cache *c = slab_cache_create("test", 256, 0, 0);
	static void *objs[MANY];

	ASSERT_TRUE(c != NULL);
	for (unsigned int i = 0; i < MANY; i++)
		objs[i] = slab_alloc(c, GFP_KERNEL);
	EXPECT_GE(slabs_in(c), MANY * 256 / (PAGE_SIZE << c->order));
	for (unsigned int i = 0; i < MANY; i++)
		slab_free(c, objs[i]);
	slab_shrink();
	EXPECT_EQ(slabs_in(c), 0);
	slab_cache_destroy(c);
}

TEST(slab_largest)
{
	struct slab_cache *c = slab_cache_create("test", SLAB_MAX, 0, 0);
	void *p;

	ASSERT_TRUE(c != NULL);
	p = slab_alloc(c, GFP_KERNEL);
	ASSERT_TRUE(p != NULL);
	memset(p, 1, SLAB_MAX);
	slab_free(c, p);
	slab_cache_destroy(c);
}

TEST(kmalloc_classes)
{
	EXPECT_EQ(kmalloc_class(1), 0);
	EXPECT_EQ(kmalloc_class(193), 6);
	EXPECT_EQ(kmalloc_class(256), 6);
	EXPECT_EQ(kmalloc_class(257), 7);
	EXPECT_EQ(kmalloc_class(KMALLOC_MAX), KMALLOC_CLASSES - 1);
}

TEST(kmalloc_sizes)
{
	for (size_t n = 0; n < 70000; n += n < 300 ? 1 : n / 7) {
		u8 *p = kmalloc(n, GFP_KERNEL);

		ASSERT_TRUE(p != NULL);
		EXPECT_GE(kmalloc_size(p), n);
		EXPECT(is_aligned((unsigned long)p, 16));
		memset(p, 0xa7, n);
		kfree(p);
	}
	EXPECT(kmalloc((PAGE_SIZE << PAGE_MAX_ORDER) + 1, GFP_KERNEL) == NULL);
	kfree(NULL);
}

TEST(kmalloc_family)
{
	char *p, *q;

	EXPECT(kcalloc(~0UL / 2, 3, GFP_KERNEL) == NULL);
	p = kcalloc(10, 10, GFP_KERNEL);
	ASSERT_TRUE(p != NULL);
	EXPECT(memchr_inv(p, 0, 100) == NULL);
	strcpy(p, "tessera");
	for (size_t n = 100; n < 20000; n = n * 3 / 2) {
		p = krealloc(p, n, GFP_KERNEL);
		ASSERT_TRUE(p != NULL);
		EXPECT_STR(p, "tessera");
	}
	p = krealloc(p, 8, GFP_KERNEL);
	EXPECT_STR(p, "tessera");
	q = kstrdup(p, GFP_KERNEL);
	EXPECT_STR(q, "tessera");
	kfree(q);
	q = kmemdup("abc", 2, GFP_KERNEL);
	EXPECT(q != NULL && memcmp(q, "ab", 2) == 0);
	kfree(q);
	kfree(p);
	for (size_t n = 1; n <= 1UL << 20; n *= 4) {
		p = kvmalloc(n, GFP_KERNEL);
		ASSERT_TRUE(p != NULL);
		memset(p, 1, n);
		kvfree(p);
	}
}

struct with_head {
	char before[40];
	struct rcu_head rcu;
	char behind[200];
};

TEST(kfree_rcu_frees)
{
	u64 before = slab_objects(), after;

	for (int i = 0; i < 500; i++) {
		struct with_head *w = kmalloc(sizeof(*w), GFP_KERNEL);

		ASSERT_TRUE(w != NULL);
		kfree_rcu(w, rcu);
	}
	rcu_barrier();
	after = slab_objects();
	EXPECT_LE(after, before + 50);
}

/* --- torture: all CPUs allocate, hand over, free --- */

#define SHELF 256
#define TEST_CACHES 4
static void *shelf[SHELF];
static struct slab_cache *torture[TEST_CACHES];
static const u16 torture_size[TEST_CACHES] = {16, 72, 200, 1500};

struct worker {
	struct test_thread *thread;
	u64 seed;
	u64 rounds;
	u64 bad;
};

/* An object holds its own address, size and cache, and a fill that depends on them. */
static void
fill(void *p, unsigned int k)
{
	u64 *w = p;

	w[0] = (u64)p ^ k;
	for (unsigned int i = 1; i < torture_size[k] / 8; i++)
		w[i] = w[0] + i;
}

static bool
filled(const void *p, unsigned int k)
{
	const u64 *w = p;

	for (unsigned int i = 1; i < torture_size[k] / 8; i++) {
		if (w[i] != w[0] + i)
			return false;
	}
	return w[0] == ((u64)p ^ k);
}

static void
slab_worker(void *arg)
{
	struct worker *w = arg;

	for (u64 i = 0; i < w->rounds; i++) {
		u64 r = test_rand(&w->seed);
		unsigned int at = r >> 8 & (SHELF - 1), k = at % TEST_CACHES;
		void *p = NULL;

		/* Runs of allocations and of frees, long enough to go to the depot. */
		if ((i >> 7 & 1) == 0 || r % 4 == 0) {
			p = slab_alloc(torture[k], r & 1 ? GFP_KERNEL : GFP_ATOMIC);
			if (p != NULL)
				fill(p, k);
		}
		p = atomic_xchg(&shelf[at], p);
		if (p != NULL) {
			w->bad += !filled(p, k);
			slab_free(torture[k], p);
		}
		if (i % 1024 == 0)
			test_yield();
		if (i % 16384 == 16383)
			slab_shrink();
	}
}

#define WORKERS_MAX 64

TEST(slab_torture)
{
	static struct worker workers[WORKERS_MAX];
	unsigned int n = min(test_cpus() * 2, (unsigned int)WORKERS_MAX);

	for (unsigned int k = 0; k < TEST_CACHES; k++) {
		torture[k] = slab_cache_create("torture", torture_size[k], 0, 0);
		ASSERT_TRUE(torture[k] != NULL);
	}
	for (unsigned int i = 0; i < n; i++) {
		workers[i] = (struct worker){.seed = i + 1, .rounds = 100000 / n};
		workers[i].thread = test_spawn(i, slab_worker, &workers[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		test_join(workers[i].thread);
		EXPECT_EQ(workers[i].bad, 0);
	}
	for (unsigned int i = 0; i < SHELF; i++)
		slab_free(torture[i % TEST_CACHES], atomic_xchg(&shelf[i], NULL));
	for (unsigned int k = 0; k < TEST_CACHES; k++) {
		EXPECT_EQ(used_in(torture[k]), 0);
		/* What a CPU has that just leaves comes back when it is dead. */
		for (int i = 0; i < 1000 && slabs_in(torture[k]) != 0; i++) {
			slab_shrink();
			test_yield();
		}
		EXPECT_EQ(slabs_in(torture[k]), 0);
		slab_cache_destroy(torture[k]);
	}
}

struct ending {
	struct test_thread *thread;
	struct slab_cache *cache;
};

static void
few_objects(void *arg)
{
	struct ending *e = arg;
	void *p[20];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = slab_alloc(e->cache, GFP_KERNEL);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(e->cache, p[i]);
}

/* Caches that end while CPUs leave take their slabs along: none stays that a new one could get. */
TEST(slab_torture_caches_end)
{
	static struct ending ending[WORKERS_MAX];
	unsigned int n = min(test_cpus(), (unsigned int)WORKERS_MAX);

	for (unsigned int round = 0; round < 4 + 200 / n; round++) {
		struct slab_cache *c = slab_cache_create("ending", 200, 0, 0);

		ASSERT_TRUE(c != NULL);
		for (unsigned int i = 0; i < n; i++) {
			ending[i].cache = c;
			ending[i].thread = test_spawn(i, few_objects, &ending[i]);
		}
		for (unsigned int i = 0; i < n; i++)
			test_join(ending[i].thread);
		slab_cache_destroy(c);
	}
}
