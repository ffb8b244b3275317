/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics of locks.
 *
 * Model: in debug kernels all classes lie in one section, so that a class has a
 * number, and each CPU a row for it. A wait is measured around the contended
 * half of each kind of lock, a hold from the entry in the list of locks held
 * (sync/debug.c) to its removal; a sleeping lock is counted where it is released.
 *
 * Ownership: a CPU counts in its own rows with interrupts off; readers sum.
 *
 * Contexts: any; an NMI that counts in the middle of a count makes one of them wrong.
 */
#include "sync/lock_stat.h"

#if CONFIG_DEBUG

#include "arch/x86_64/asm/irqflags.h"
#include "lib/section.h"
#include "lib/string.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

/* Those beyond are not counted. */
#define CLASSES_MAX 192

DECLARE_REGISTRY(lock_classes, const struct lock_class);

u32 lock_stat_on __read_mostly;
/* o */
static DEFINE_PERCPU(struct lock_stat[CLASSES_MAX], rows);

static struct lock_stat *
row_here(const struct lock_class *class)
{
	size_t i = (size_t)(class - __start_reg_lock_classes);

	return i < CLASSES_MAX ? &this_cpu(rows)[i] : NULL;
}

static void
count(u64 ns, u64 *n, u64 *least, u64 *most, u64 *total)
{
	if (*n == 0 || ns < *least)
		*least = ns;
	*most = max(*most, ns);
	*total += ns;
	++*n;
}

void
lock_stat_waited(const struct lock_class *class, u64 since)
{
	unsigned long flags;
	struct lock_stat *s;

	if (since == 0 || class == NULL)
		return;
	flags = irq_save();
	s = row_here(class);
	if (s)
		count(ktime_get() - since, &s->contentions, &s->wait_min, &s->wait_max,
		      &s->wait_total);
	irq_restore(flags);
}

void
lock_stat_held(const struct lock_class *class, u64 since)
{
	unsigned long flags;
	struct lock_stat *s;

	if (since == 0 || class == NULL)
		return;
	flags = irq_save();
	s = row_here(class);
	if (s)
		count(ktime_get() - since, &s->acquisitions, &s->hold_min, &s->hold_max,
		      &s->hold_total);
	irq_restore(flags);
}

static void
sum_add(struct lock_stat *sum, const struct lock_stat *s)
{
	if (s->contentions && (sum->contentions == 0 || s->wait_min < sum->wait_min))
		sum->wait_min = s->wait_min;
	if (s->acquisitions && (sum->acquisitions == 0 || s->hold_min < sum->hold_min))
		sum->hold_min = s->hold_min;
	sum->wait_max = max(sum->wait_max, s->wait_max);
	sum->hold_max = max(sum->hold_max, s->hold_max);
	sum->contentions += s->contentions;
	sum->wait_total += s->wait_total;
	sum->acquisitions += s->acquisitions;
	sum->hold_total += s->hold_total;
}

bool
lock_stat_read(u32 i, const struct lock_class **class, struct lock_stat *sum)
{
	unsigned int cpu;

	if (i >= (size_t)(__stop_reg_lock_classes - __start_reg_lock_classes))
		return false;
	*class = &__start_reg_lock_classes[i];
	*sum = (struct lock_stat){0};
	for_each_possible_cpu(cpu)
		if (i < CLASSES_MAX)
			sum_add(sum, &cpu_of(rows, cpu)[i]);
	return true;
}

void
lock_stat_clear(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		memset(cpu_of(rows, cpu), 0, sizeof(rows));
}

#endif
