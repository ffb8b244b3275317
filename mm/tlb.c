/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation caches: which CPU may use entries of which space, and making
 * them forget.
 *
 * Model: a space counts its flushes (tlb_gen). A CPU has slots, one a PCID (one
 * in all without PCIDs): slot n says that the entries tagged n are of the space
 * `id` and that the flushes up to `gen` have been done on them. A CPU is in
 * space->cpus while its CR3 points to the space. Who changed entries adds 1 to
 * tlb_gen, flushes here, and interrupts the other CPUs of space->cpus; all
 * others find on their way back that their slot is behind, and drop it.
 *
 * Lazy: a CPU that runs the idle loop or a kernel task keeps the space loaded,
 * marked lazy. It uses no user address, so it is not interrupted for pages that
 * go; it compares generations when it comes back. For tables that go it is
 * interrupted, because the processor may walk them at any time.
 *
 * A space that only one CPU has loaded never causes an interrupt.
 *
 * States of a CPU:  none -> running  -> lazy -> running
 *                   running, lazy -> running another (bit cleared)
 *                   lazy -> none      the space is torn down (tlb_forget_space)
 *
 * Ordering:
 *      tlb_flush                       space_switch_oncpu
 *      entries are changed             own bit is set in cpus (full barrier)
 *      tlb_gen + 1 (full barrier)      tlb_gen is read
 *      cpus, lazy are read             CR3 is written (serialises)
 *                                      entries are walked
 *      Either the flusher sees the bit, or the CPU sees the new generation, and
 *      with it the changed entries. Coming back from lazy: the same with `lazy
 *      = 0` in place of the bit.
 *
 * Numbers of spaces are never used again, so a slot of a space that is gone
 * cannot be taken for another's.
 *
 * Locking: slots are touched by their CPU with interrupts off, or pinned by the
 * flusher on its own CPU; a handler that comes in between only makes more
 * flushed than gen says.
 *
 * See: Intel SDM vol. 3, 4.10 (caching translation information).
 */
#include "mm/tlb.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/string.h"
#include "mm/port.h"
#include "mm/space_impl.h"
#include "mm/vmalloc.h"
#include "percpu/mailbox.h"
#include "percpu/percpu.h"

/* Beyond this many pages a full flush is cheaper than single ones. */
#define SINGLE_MAX 32
#define SLOTS 6
#define CR3_NOFLUSH (1UL << 63)
#define CR4_PGE 0x80UL
#define CR4_PCIDE 0x20000UL

struct tlb_slot {
	u64 id;
	u64 gen;
};

struct tlb_cpu {
	/* o  what CR3 holds; NULL: the kernel's own tables */
	struct space *loaded;
	/* a  a kernel task runs; read by flushers */
	u32 lazy;
	/* o  slot in use, next to be given up */
	u8 slot, next;
	/* o */
	struct tlb_slot slots[SLOTS];
	/* o  last number that this CPU gave to a space */
	u64 last_id;
};

static DEFINE_PERCPU_ALIGNED(struct tlb_cpu, tlb);
/* I  slots in use: 1 without PCIDs */
static u32 nr_slots __read_mostly = 1;
static bool pcid __read_mostly;

void
tlb_init(void)
{
	pcid = read_cr4() & CR4_PCIDE;
	nr_slots = pcid ? SLOTS : 1;
}

u64
tlb_new_id(void)
{
	u64 id;

	pin();
	id = ++this_cpu(tlb).last_id * CONFIG_MAX_CPUS + cpu_id() + 1;
	unpin();
	return id;
}

static void
local_flush_all(void)
{
	write_cr3(read_cr3());
}

/* The slot of a space on this CPU; one is given up if it has none. */
static struct tlb_slot *
slot_choose(struct tlb_cpu *c, u64 id)
{
	u32 i;

	for (i = 0; i < nr_slots; i++)
		if (c->slots[i].id == id) {
			c->slot = (u8)i;
			return &c->slots[i];
		}
	c->slot = c->next;
	c->next = (u8)((c->next + 1) % nr_slots);
	return &c->slots[c->slot];
}

static void
load(struct tlb_cpu *c, struct space *s)
{
	struct tlb_slot *slot = slot_choose(c, s->id);
	u64 gen = READ_ONCE(s->tlb_gen), cr3 = s->root_pa;

	if (pcid) {
		/* PCID 0 is the kernel's own. */
		cr3 |= c->slot + 1u;
		if (slot->id == s->id && slot->gen == gen)
			cr3 |= CR3_NOFLUSH;
	}
	slot->id = s->id;
	slot->gen = gen;
	write_cr3(cr3);
}

/* The space that stayed loaded is used again. */
static void
come_back(struct tlb_cpu *c, struct space *s)
{
	u64 gen;

	/* Full barrier: pairs with the one in tlb_flush(). */
	atomic_xchg(&c->lazy, 0);
	gen = READ_ONCE(s->tlb_gen);
	if (c->slots[c->slot].gen == gen)
		return;
	c->slots[c->slot].gen = gen;
	local_flush_all();
}

void
space_switch_oncpu(struct space *next)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);
	struct space *prev = c->loaded;

	if (!next) {
		if (prev)
			WRITE_ONCE(c->lazy, 1);
		return;
	}
	if (next == prev) {
		if (c->lazy)
			come_back(c, next);
		return;
	}
	cpumask_set_atomic(&next->cpus, cpu_id());
	c->loaded = next;
	WRITE_ONCE(c->lazy, 0);
	load(c, next);
	if (prev)
		cpumask_clear_atomic(&prev->cpus, cpu_id());
}

/* --- flushing --- */

struct flush {
	struct space *space;
	u64 gen;
	unsigned long start, end;
};

static void
flush_oncpu(void *arg)
{
	const struct flush *f = arg;
	struct tlb_cpu *c = this_cpu_ptr(&tlb);
	struct tlb_slot *slot = &c->slots[c->slot];
	unsigned long va;

	if (c->loaded != f->space || slot->gen >= f->gen)
		return;
	if (slot->gen + 1 != f->gen || (f->end - f->start) >> PAGE_SHIFT > SINGLE_MAX) {
		slot->gen = READ_ONCE(f->space->tlb_gen);
		local_flush_all();
		return;
	}
	for (va = f->start; va < f->end; va += PAGE_SIZE)
		invlpg(va);
	slot->gen = f->gen;
}

/* The other CPUs that must be asked, in *mask. False: none. */
static bool
others_to_ask(const struct space *s, bool lazy_too, unsigned int self, struct cpumask *mask)
{
	unsigned int i, cpu;
	bool any = false;
	unsigned long w;

	for (i = 0; i < BITS_TO_LONGS(nr_cpus); i++) {
		w = READ_ONCE(s->cpus.bits[i]);
		if (i == self / 64)
			w &= ~BIT(self % 64);
		any |= w != 0;
	}
	if (likely(!any))
		return false;
	cpumask_zero(mask);
	any = false;
	for_each_cpu(cpu, &s->cpus) {
		if (cpu == self || (!lazy_too && READ_ONCE(cpu_of(tlb, cpu).lazy)))
			continue;
		cpumask_set(mask, cpu);
		any = true;
	}
	return any;
}

static void
tlb_flush(struct space *s, unsigned long start, unsigned long end, bool tables)
{
	struct flush f = {s, atomic_add_return(&s->tlb_gen, 1UL), start, end};
	struct cpumask others;
	bool ask;

	pin();
	flush_oncpu(&f);
	ask = others_to_ask(s, tables, cpu_id(), &others);
	unpin();
	if (ask) {
		mm_stat_inc(MM_SHOOTDOWNS);
		cpu_call_mask(&others, flush_oncpu, &f);
	}
}

void
tlb_flush_range(struct space *s, unsigned long start, unsigned long end)
{
	tlb_flush(s, start, end, false);
}

static void
forget_oncpu(void *arg)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);
	struct space *s = arg;

	if (c->loaded != s)
		return;
	c->loaded = NULL;
	WRITE_ONCE(c->lazy, 0);
	write_cr3(virt_to_phys(kernel_pml4));
	cpumask_clear_atomic(&s->cpus, cpu_id());
}

void
tlb_quit_oncpu(void)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);

	if (c->loaded)
		forget_oncpu(c->loaded);
	/* It comes back with an empty TLB. */
	memset(c->slots, 0, sizeof(c->slots));
}

void
tlb_forget_space(struct space *s)
{
	struct cpumask others;
	unsigned long flags = irq_save();

	forget_oncpu(s);
	irq_restore(flags);
	smp_mb();
	if (others_to_ask(s, true, CONFIG_MAX_CPUS, &others))
		cpu_call_mask(&others, forget_oncpu, s);
}

/* --- gathers --- */

void
gather_init(struct gather *g, struct space *s)
{
	g->space = s;
	g->start = USER_END;
	g->end = 0;
	g->pages = NULL;
	g->tables = NULL;
	g->n = 0;
}

/* Flushes the range so far, which may grow on, and frees. */
static void
gather_flush(struct gather *g)
{
	struct page *p;
	struct pt *t;
	u32 i;

	if (g->start < g->end)
		tlb_flush(g->space, g->start, g->end, g->tables != NULL);
	while ((p = g->pages) != NULL) {
		g->pages = p->next;
		page_put(p);
	}
	for (i = 0; i < g->n; i++)
		page_put(g->shared[i]);
	g->n = 0;
	while ((t = g->tables) != NULL) {
		g->tables = t->next;
		atomic_sub(&g->space->tables, 1);
		pt_free_rcu(t);
	}
}

void
gather_page(struct gather *g, struct page *p)
{
	if (likely(atomic_read(&p->refs) == 1)) {
		p->next = g->pages;
		g->pages = p;
		return;
	}
	/* Others may drop theirs, so ours must be kept until the flush. */
	if (g->n == GATHER_SHARED)
		gather_flush(g);
	g->shared[g->n++] = p;
}

void
gather_table(struct gather *g, struct pt *t)
{
	t->next = g->tables;
	g->tables = t;
}

void
gather_finish(struct gather *g)
{
	gather_flush(g);
	g->start = USER_END;
	g->end = 0;
}

/* --- kernel addresses --- */

static void
kernel_flush_oncpu(void *arg)
{
	const struct flush *f = arg;
	unsigned long va, flags;
	u64 cr4;

	if ((f->end - f->start) >> PAGE_SHIFT <= SINGLE_MAX) {
		for (va = f->start; va < f->end; va += PAGE_SIZE)
			invlpg(va);
		return;
	}
	/* Everything goes, global entries too, when CR4.PGE changes (SDM vol. 3, 4.10.4.1). */
	flags = irq_save();
	cr4 = read_cr4();
	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
	irq_restore(flags);
}

void
tlb_flush_kernel(unsigned long start, unsigned long end)
{
	struct flush f = {.start = start, .end = end};
	struct cpumask others = cpu_online_mask;
	bool alone;

	pin();
	kernel_flush_oncpu(&f);
	cpumask_clear(&others, cpu_id());
	alone = cpumask_empty(&others);
	unpin();
	if (!alone)
		cpu_call_mask(&others, kernel_flush_oncpu, &f);
}
