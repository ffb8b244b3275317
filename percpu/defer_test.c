/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred kinds run, whatever context they are raised in. The kind that drained
 * references use does no harm when it runs once more.
 */
#include "percpu/defer.h"

#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "sync/test_port.h"

static u64
runs_on(unsigned int cpu)
{
	return READ_ONCE(cpu_of(defer_count, cpu)[DEFER_REF]);
}

/* Waits for the kind to have run on `cpu` more often than `before`. */
static bool
runs_soon(unsigned int cpu, u64 before)
{
	for (int i = 0; i < 1000 && runs_on(cpu) == before; i++)
		test_sleep(1000000);
	return runs_on(cpu) > before;
}

TEST(defer_in_task)
{
	unsigned int cpu;
	u64 before;

	pin();
	cpu = cpu_id();
	before = runs_on(cpu);
	defer_raise(DEFER_REF);
	unpin();
	/* Pinned: not at once, as the caller may hold what the handler wants. */
	EXPECT(runs_soon(cpu, before));
}

TEST(defer_in_softirq_disable)
{
	unsigned int cpu;
	u64 before, inside;

	softirq_disable();
	cpu = cpu_id();
	before = runs_on(cpu);
	defer_raise(DEFER_REF);
	inside = runs_on(cpu);
	softirq_disable();
	softirq_enable();
	EXPECT_EQ(runs_on(cpu), inside);
	softirq_enable();
	EXPECT_EQ(inside, before);
	EXPECT(runs_soon(cpu, before));
	EXPECT(!in_interrupt());
}

static void
raise_here(void *arg)
{
	defer_raise(DEFER_REF);
}

TEST(defer_in_interrupt)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		u64 before = runs_on(cpu);

		EXPECT_EQ(cpu_call(cpu, raise_here, NULL), 0);
		EXPECT(runs_soon(cpu, before));
	}
}
