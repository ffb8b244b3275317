/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that wait after they were freed, so that a use of one finds its
 * shadow marked and not a new owner.
 *
 * Model: a ring a CPU; a free puts its object in and takes out the one that has
 * been there longest.
 *
 * Ownership: a ring belongs to its CPU, which touches it with interrupts off.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "mm/kasan.h"
#include "mm/slab_impl.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

#define RING 64

struct delay_ring {
	u32 next;
	struct delayed {
		struct slab_cache *c;
		void *obj;
	} at[RING];
};

static DEFINE_PERCPU(struct delay_ring, delay_ring);

bool
kasan_delay(struct slab_cache **c, void **obj)
{
	unsigned long flags = irq_save();
	struct delay_ring *r = this_cpu_ptr(&delay_ring);
	struct delayed *d = &r->at[r->next % RING], old = *d;

	r->next++;
	WRITE_ONCE(d->c, *c);
	d->obj = *obj;
	irq_restore(flags);
	*c = old.c;
	*obj = old.obj;
	return old.obj != NULL;
}

void
kasan_delay_end(struct slab_cache *c, unsigned int cpu)
{
	struct delay_ring *r = cpu_ptr(&delay_ring, cpu);

	DEBUG_ASSERT(irqs_disabled());
	for (u32 i = 0; i < RING; i++) {
		struct delayed d = r->at[i];

		if (d.obj == NULL || (c != NULL && d.c != c))
			continue;
		r->at[i] = (struct delayed){NULL, NULL};
		*slab_link(d.c, d.obj) = NULL;
		slab_give_chain(d.c, d.obj);
	}
}

u64
kasan_delayed(const struct slab_cache *c)
{
	unsigned int cpu;
	u64 n = 0;

	for_each_possible_cpu(cpu) {
		const struct delay_ring *r = cpu_ptr(&delay_ring, cpu);

		for (u32 i = 0; i < RING; i++)
			n += READ_ONCE(r->at[i].c) == c;
	}
	return n;
}
