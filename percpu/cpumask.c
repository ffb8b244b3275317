/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of CPUs.
 *
 * Model: only bits 0 to nr_cpus - 1 mean anything; the rest of the last word is
 * masked off when it is read, since masks come from users too. Words are read
 * once each, so that a mask that others change with the _atomic operations may
 * be walked: every bit that stays set throughout is found.
 */
#include "percpu/cpumask.h"

#include "lib/bits.h"
#include "lib/string.h"

/* One until the firmware's tables were read: the boot CPU is there in any case. */
unsigned int nr_cpus __read_mostly = 1;
struct cpumask cpu_present_mask __read_mostly;
struct cpumask cpu_online_mask __read_mostly;
struct cpumask cpu_active_mask __read_mostly;

static unsigned int
mask_words(void)
{
	return BITS_TO_LONGS(nr_cpus);
}

static unsigned long
mask_word(const struct cpumask *m, unsigned int i)
{
	unsigned long w = READ_ONCE(m->bits[i]);

	if ((i + 1) * BITS_PER_LONG > nr_cpus)
		w &= GENMASK((nr_cpus - 1) % BITS_PER_LONG, 0);
	return w;
}

unsigned int
cpumask_next(const struct cpumask *m, unsigned int from)
{
	unsigned int i = from / BITS_PER_LONG;
	unsigned long w;

	if (from >= nr_cpus)
		return nr_cpus;
	w = mask_word(m, i) & (~0UL << from % BITS_PER_LONG);
	while (w == 0) {
		if (++i == mask_words())
			return nr_cpus;
		w = mask_word(m, i);
	}
	return i * BITS_PER_LONG + ctz64(w);
}

unsigned int
cpumask_next_and(const struct cpumask *a, const struct cpumask *b, unsigned int from)
{
	unsigned int i = from / BITS_PER_LONG;
	unsigned long w;

	if (from >= nr_cpus)
		return nr_cpus;
	w = mask_word(a, i) & mask_word(b, i) & (~0UL << from % BITS_PER_LONG);
	while (w == 0) {
		if (++i == mask_words())
			return nr_cpus;
		w = mask_word(a, i) & mask_word(b, i);
	}
	return i * BITS_PER_LONG + ctz64(w);
}

unsigned int
cpumask_weight(const struct cpumask *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < mask_words(); i++)
		n += popcount64(mask_word(m, i));
	return n;
}

bool
cpumask_empty(const struct cpumask *m)
{
	for (unsigned int i = 0; i < mask_words(); i++)
		if (mask_word(m, i) != 0)
			return false;
	return true;
}

bool
cpumask_subset(const struct cpumask *sub, const struct cpumask *super)
{
	for (unsigned int i = 0; i < mask_words(); i++)
		if ((mask_word(sub, i) & ~mask_word(super, i)) != 0)
			return false;
	return true;
}

bool
cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	for (unsigned int i = 0; i < mask_words(); i++)
		if (mask_word(a, i) != mask_word(b, i))
			return false;
	return true;
}

void
cpumask_zero(struct cpumask *m)
{
	memset(m, 0, sizeof(*m));
}

void
cpumask_fill(struct cpumask *m)
{
	cpumask_zero(m);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		cpumask_set(m, cpu);
}

void
cpumask_and(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	cpumask_zero(dst);
	for (unsigned int i = 0; i < mask_words(); i++)
		dst->bits[i] = mask_word(a, i) & mask_word(b, i);
}
