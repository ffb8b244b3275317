/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs, for whatever number of them this machine has. */
#include "percpu/cpumask.h"

#include "lib/test.h"

TEST(cpumask_fill_and_walk)
{
	static struct cpumask m;
	unsigned int cpu, n = 0;

	cpumask_zero(&m);
	EXPECT(cpumask_empty(&m));
	EXPECT_EQ(cpumask_next(&m, 0), nr_cpus);
	cpumask_fill(&m);
	EXPECT_EQ(cpumask_weight(&m), nr_cpus);
	for_each_cpu(cpu, &m)
		EXPECT_EQ(cpu, n++);
	EXPECT_EQ(n, nr_cpus);
	EXPECT_EQ(cpumask_next(&m, nr_cpus), nr_cpus);
	EXPECT(cpumask_subset(&cpu_online_mask, &m));
}

TEST(cpumask_bits_behind_the_last)
{
	static struct cpumask m, none;

	cpumask_zero(&none);
	cpumask_zero(&m);
	if (nr_cpus % BITS_PER_LONG != 0)
		cpumask_set(&m, nr_cpus);
	EXPECT(cpumask_empty(&m));
	EXPECT(cpumask_equal(&m, &none));
	EXPECT_EQ(cpumask_weight(&m), 0);
	EXPECT_EQ(cpumask_next(&m, 0), nr_cpus);
}

TEST(cpumask_operations)
{
	static struct cpumask a, b, c;
	unsigned int last = nr_cpus - 1;

	cpumask_zero(&a);
	cpumask_zero(&b);
	cpumask_set(&a, 0);
	cpumask_set(&b, last);
	cpumask_set_atomic(&a, last);
	EXPECT(cpumask_subset(&b, &a));
	EXPECT_EQ(cpumask_subset(&a, &b), nr_cpus == 1);
	EXPECT_EQ(cpumask_next_and(&a, &b, 0), last);
	cpumask_and(&c, &a, &b);
	EXPECT(cpumask_equal(&b, &c));
	EXPECT(cpumask_test(&c, last));
	cpumask_clear_atomic(&a, last);
	cpumask_clear(&b, last);
	EXPECT(cpumask_empty(&b));
	EXPECT_EQ(cpumask_empty(&a), nr_cpus == 1);
	EXPECT_EQ(cpumask_next_and(&a, &b, 0), nr_cpus);
}
