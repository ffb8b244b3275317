/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of CPUs. The number of CPUs is known at run time only; a mask is sized
 * for CONFIG_MAX_CPUS and loops stop at nr_cpus.
 */
#ifndef PERCPU_CPUMASK_H
#define PERCPU_CPUMASK_H

#include "arch/x86_64/asm/atomic.h"
#include "config/config.h"
#include "lib/types.h"

struct cpumask {
	unsigned long bits[BITS_TO_LONGS(CONFIG_MAX_CPUS)];
};

/*
 * I  CPUs that are possible are numbered 0 to nr_cpus - 1; set from the firmware's
 * tables before any AP starts.
 */
extern unsigned int nr_cpus;
/* a  those that are plugged in (kernel/hotplug.c) */
extern struct cpumask cpu_present_mask;
/*
 * a  CPUs that take part in calls and flushes; a bit is set and cleared by its
 * own CPU. Who sends something to a CPU looks and sends within one pinned section.
 */
extern struct cpumask cpu_online_mask;
/* a  those of them that may be given tasks and work (kernel/hotplug.c) */
extern struct cpumask cpu_active_mask;

static inline bool
cpumask_test(const struct cpumask *m, unsigned int cpu)
{
	return READ_ONCE(m->bits[cpu / 64]) >> (cpu % 64) & 1;
}

static inline void
cpumask_set(struct cpumask *m, unsigned int cpu)
{
	m->bits[cpu / 64] |= BIT(cpu % 64);
}

static inline void
cpumask_clear(struct cpumask *m, unsigned int cpu)
{
	m->bits[cpu / 64] &= ~BIT(cpu % 64);
}

static inline void
cpumask_set_atomic(struct cpumask *m, unsigned int cpu)
{
	atomic_set_bit(cpu, m->bits);
}

static inline void
cpumask_clear_atomic(struct cpumask *m, unsigned int cpu)
{
	atomic_clear_bit(cpu, m->bits);
}

/* First CPU >= from in m, or nr_cpus. */
unsigned int cpumask_next(const struct cpumask *m, unsigned int from);
/* First CPU >= from in both, or nr_cpus. */
unsigned int cpumask_next_and(const struct cpumask *a, const struct cpumask *b, unsigned int from);
unsigned int cpumask_weight(const struct cpumask *m);
bool cpumask_empty(const struct cpumask *m);
bool cpumask_subset(const struct cpumask *sub, const struct cpumask *super);
bool cpumask_equal(const struct cpumask *a, const struct cpumask *b);
void cpumask_zero(struct cpumask *m);
/* All CPUs 0 to nr_cpus - 1. */
void cpumask_fill(struct cpumask *m);
void cpumask_and(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b);

#define for_each_cpu(cpu, mask)                                                                    \
	for ((cpu) = cpumask_next((mask), 0); (cpu) < nr_cpus;                                     \
	     (cpu) = cpumask_next((mask), (cpu) + 1))
#define for_each_present_cpu(cpu) for_each_cpu(cpu, &cpu_present_mask)
#define for_each_online_cpu(cpu) for_each_cpu(cpu, &cpu_online_mask)
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < nr_cpus; (cpu)++)

static inline bool
cpu_present(unsigned int cpu)
{
	return cpumask_test(&cpu_present_mask, cpu);
}

static inline bool
cpu_online(unsigned int cpu)
{
	return cpumask_test(&cpu_online_mask, cpu);
}

static inline bool
cpu_active(unsigned int cpu)
{
	return cpumask_test(&cpu_active_mask, cpu);
}

#endif
