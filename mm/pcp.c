/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free single pages of each CPU, in front of the zones.
 *
 * Model: see struct pcp. A page on a chain belongs to the zone's users as far as
 * the zone can see: its type is not PAGE_FREE, so it never merges.
 *
 * Locking: none; pinned, with `busy` set while the chains change. An interrupt
 * that comes in meanwhile, on the same CPU, finds busy and uses the zone. So the
 * fast path needs neither cli nor a locked instruction.
 *
 * Ordering: an interrupt sees this CPU's stores in program order, so compiler
 * barriers are all that is needed between busy and the chains.
 *
 * Contexts: any but NMI. pcp_drain_all() asks other CPUs and may sleep.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "mm/page_impl.h"
#include "mm/port.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/pin.h"

#define BATCH_MIN 4
#define BATCH_MAX 64
/* The chains of all CPUs hold at most 1/64 of all frames. */
#define SHARE 64
#define SPARES_MAX 16
#define DRAIN_TRIES 16

DEFINE_PERCPU_ALIGNED(struct pcp, pcp);
u32 pcp_batch __read_mostly = BATCH_MIN;
u32 pcp_spares __read_mostly = 1;

void
pcp_set_batch(void)
{
	u64 pages = pages_total() / ((u64)SHARE * nr_cpus);

	pcp_batch = (u32)clamp(pages / 2, (u64)BATCH_MIN, (u64)BATCH_MAX);
	pcp_spares = (u32)clamp(pages / pcp_batch, 2UL, SPARES_MAX + 1UL) - 1;
}

void
pcp_cpu_init(unsigned int cpu)
{
	cpu_of(pcp, cpu).node = (u8)mm_port_cpu_node(cpu);
}

static void
spare_push(struct pcp *c, struct page *chain, u32 n)
{
	chain->private[0] = (u64)c->spare;
	chain->private[1] = n;
	c->spare = chain;
	c->spare_n += n;
	c->spares++;
}

/* The last spare chain, or NULL. */
static struct page *
spare_pop(struct pcp *c, u32 *n)
{
	struct page *chain = c->spare;

	if (chain == NULL)
		return NULL;
	*n = (u32)chain->private[1];
	c->spare = (struct page *)chain->private[0];
	c->spare_n -= *n;
	c->spares--;
	return chain;
}

/* Fills the loaded chain of c, which is empty, from the zones. */
static void
pcp_load(struct pcp *c, enum page_level level)
{
	struct zone *const *z = zone_order(c->node);

	c->refills++;
	for (; *z != NULL && c->n == 0; z++) {
		struct page *chain = NULL;

		c->n = zone_alloc_chain(*z, READ_ONCE(pcp_batch), level, &chain);
		c->head = chain;
	}
}

/* An interrupt came in while its CPU's lists were in use. */
static struct page *
zone_alloc_one(enum page_level level)
{
	struct page *p = NULL;

	for (struct zone *const *z = zone_order(this_cpu_read(pcp.node)); *z != NULL && p == NULL;
	     z++)
		p = zone_alloc(*z, 0, level);
	return p;
}

struct page *
pcp_refill(enum page_level level)
{
	struct page *p = NULL;
	struct pcp *c;

	pin();
	c = &this_cpu(pcp);
	if (c->busy) {
		p = zone_alloc_one(level);
		unpin();
		return p;
	}
	WRITE_ONCE(c->busy, 1);
	barrier();
	if (c->head == NULL)
		c->head = spare_pop(c, &c->n);
	if (c->head == NULL)
		pcp_load(c, level);
	p = c->head;
	if (p != NULL) {
		c->head = p->next;
		c->n--;
		c->allocs++;
	}
	barrier();
	WRITE_ONCE(c->busy, 0);
	unpin();
	return p;
}

void
pcp_spill(struct page *p)
{
	struct page *give = p;
	struct pcp *c;
	u32 n;

	pin();
	c = &this_cpu(pcp);
	if (!c->busy && p->node == c->node) {
		WRITE_ONCE(c->busy, 1);
		barrier();
		/* The loaded chain is full: it becomes a spare one, and another may have to go. */
		give = c->spares < READ_ONCE(pcp_spares) ? NULL : spare_pop(c, &n);
		spare_push(c, c->head, c->n);
		p->next = NULL;
		c->head = p;
		c->n = 1;
		c->frees++;
		c->spills += give != NULL;
		barrier();
		WRITE_ONCE(c->busy, 0);
	} else {
		p->next = NULL;
	}
	unpin();
	zone_free_chain(give);
}

u64
pcp_count(void)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu) {
		const struct pcp *c = &cpu_of(pcp, cpu);

		sum += READ_ONCE(c->n) + READ_ONCE(c->spare_n);
	}
	return sum;
}

static void
drain(struct pcp *c)
{
	u32 n;
	struct page *chain = c->head;

	c->head = NULL;
	c->n = 0;
	do
		zone_free_chain(chain);
	while ((chain = spare_pop(c, &n)) != NULL);
}

/* Gives this CPU's pages back; interrupts off. arg counts CPUs that were busy. */
static void
drain_oncpu(void *arg)
{
	struct pcp *c = &this_cpu(pcp);

	if (c->busy)
		atomic_inc((u32 *)arg);
	else
		drain(c);
}

void
pages_cpu_dead(unsigned int cpu)
{
	unsigned long flags = irq_save();

	drain(&cpu_of(pcp, cpu));
	irq_restore(flags);
}

void
pcp_drain_all(void)
{
	unsigned long flags;
	u32 busy = 0;

	flags = irq_save();
	drain_oncpu(&busy);
	irq_restore(flags);
	if (!may_sleep() || cpumask_weight(&cpu_online_mask) < 2)
		return;
	for (unsigned int i = 0; i < DRAIN_TRIES; i++) {
		busy = 0;
		cpu_call_mask(&cpu_online_mask, drain_oncpu, &busy);
		if (busy == 0)
			break;
	}
}
