/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU objects made at run time. */
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define OBJECTS 256

static bool
all_equal(u8 __percpu *p, size_t size, u8 value)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		for (size_t i = 0; i < size; i++)
			if (cpu_ptr(p, cpu)[i] != value)
				return false;
	return true;
}

static void
set_all(u8 __percpu *p, size_t size, u8 value)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		for (size_t i = 0; i < size; i++)
			cpu_ptr(p, cpu)[i] = value;
}

TEST(percpu_alloc_sizes)
{
	static u8 __percpu *p[OBJECTS];
	static size_t size[OBJECTS];
	size_t before = percpu_alloc_used();
	u64 seed = 1;

	for (int i = 0; i < OBJECTS; i++) {
		size_t align = 1UL << test_rand(&seed) % 7;

		size[i] = i == 0 ? PERCPU_ALLOC_MAX : test_rand(&seed) % 200 + 1;
		p[i] = percpu_alloc(size[i], align);
		ASSERT_TRUE(p[i] != NULL);
		EXPECT(is_aligned((unsigned long)cpu_ptr(p[i], nr_cpus - 1), align));
		EXPECT(all_equal(p[i], size[i], 0));
		set_all(p[i], size[i], (u8)i);
	}
	for (int i = 0; i < OBJECTS; i++)
		EXPECT(all_equal(p[i], size[i], (u8)i));
	/* Every other one, and again: holes are found, and zeroed. */
	for (int i = 0; i < OBJECTS; i += 2)
		percpu_free(p[i]);
	for (int i = 0; i < OBJECTS; i += 2) {
		p[i] = percpu_alloc(size[i], 1);
		ASSERT_TRUE(p[i] != NULL);
		EXPECT(all_equal(p[i], size[i], 0));
	}
	for (int i = 0; i < OBJECTS; i++)
		percpu_free(p[i]);
	EXPECT_EQ(percpu_alloc_used(), before);
}

struct chunk {
	struct chunk __percpu *next;
};

TEST(percpu_alloc_exhaustion)
{
	struct chunk __percpu *list = NULL, *c;
	size_t before = percpu_alloc_used();
	unsigned int n = 0;

	if (nr_cpus > 8)
		TEST_SKIP("would take 2 MiB a CPU");
	while ((c = percpu_alloc(PERCPU_ALLOC_MAX, 64)) != NULL) {
		cpu_ptr(c, 0)->next = list;
		list = c;
		n++;
	}
	EXPECT_GT(n, 100);
	while ((c = list) != NULL) {
		list = cpu_ptr(c, 0)->next;
		percpu_free(c);
	}
	EXPECT_EQ(percpu_alloc_used(), before);
	c = percpu_alloc(PERCPU_ALLOC_MAX, 64);
	EXPECT(c != NULL);
	percpu_free(c);
}

/* --- several at once --- */

struct alloc_torture {
	struct torture t;
	/* objects are looked at once more after they were freed */
	bool broken;
};

static bool
marked(u64 __percpu *p, u64 mark)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(*cpu_ptr(p, cpu)) != mark)
			return false;
	return true;
}

static void
alloc_run(struct torture_thread *th)
{
	struct alloc_torture *a = container_of(th->torture, struct alloc_torture, t);
	u64 __percpu *held[6] = {NULL};

	while (!torture_over(th)) {
		u32 i = test_rand(&th->seed) % ARRAY_SIZE(held);
		u64 mark = (u64)th->index << 32 | i;
		unsigned int cpu;

		if (held[i] && !a->broken)
			th->result += !marked(held[i], mark);
		percpu_free(held[i]);
		if (held[i] && a->broken) {
			torture_window();
			th->result += !marked(held[i], mark);
			if (th->result)
				torture_stop(th);
		}
		held[i] = percpu_alloc(i & 1 ? sizeof(u64) : CACHE_LINE, sizeof(u64));
		if (held[i]) {
			th->result += !marked(held[i], 0);
			for_each_possible_cpu(cpu)
				WRITE_ONCE(*cpu_ptr(held[i], cpu), mark);
		}
		torture_turn(th);
	}
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		percpu_free(held[i]);
}

static u64
alloc_torture(bool broken)
{
	struct torture_plan plan = {
		.fn = alloc_run,
		.threads = min(2 * test_cpus(), 16u),
		.share = 50,
		.work = broken ? TORTURE_UNTIL_FOUND : 20000,
	};
	static struct alloc_torture a;
	size_t before = percpu_alloc_used();
	u64 bad;

	a.broken = broken;
	bad = torture_run(&a.t, &plan);
	EXPECT_EQ(percpu_alloc_used(), before);
	return bad;
}

TEST(percpu_alloc_torture)
{
	EXPECT_EQ(alloc_torture(false), 0);
}

TEST(percpu_alloc_finds_broken)
{
	u64 bad = 0;

	for (int i = 0; i < TORTURE_TRIES && bad == 0; i++)
		bad = alloc_torture(true);
	EXPECT(bad != 0);
}

static DEFINE_PERCPU(u32, test_word);
static DEFINE_PERCPU(u64, test_array)[4];

TEST(this_cpu_operations)
{
	pin();
	this_cpu_write(test_word, 5);
	this_cpu_add(test_word, 3);
	this_cpu_dec(test_word);
	EXPECT_EQ(this_cpu_read(test_word), 7);
	EXPECT_EQ(cpu_of(test_word, cpu_id()), 7);
	EXPECT_EQ(this_cpu(test_word), 7);
	EXPECT_EQ(this_cpu_add_return(test_word, 2), 9);
	EXPECT_EQ(this_cpu_xchg(test_word, 0xf0), 9);
	this_cpu_or(test_word, 0x0f);
	this_cpu_and(test_word, 0x3c);
	EXPECT_EQ(this_cpu_read(test_word), 0x3c);
	this_cpu_inc(test_array[2]);
	EXPECT_EQ(this_cpu_read(test_array[2]), 1);
	this_cpu_write(test_array[2], 0);
	unpin();
}
