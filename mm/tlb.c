/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation caches: which CPU may use entries of which space, and making
 * them forget.
 *
 * Model: a CPU loads the common tables of a space, or a view, if it has one
 * (view.c). Each of these counts the flushes that concern it (tlb_gen, view->gen).
 * A CPU has slots, one a PCID (one in all without PCIDs): slot n says that the
 * entries tagged n are of the space `id`, came by the tables that this CPU loads
 * for it, and that the flushes up to `gen` have been done on them. A CPU is in
 * space->cpus while its CR3 points to the common tables; a view says in `loaded`
 * whether its CPU has it. Who changed entries adds 1 to tlb_gen, and to gen of the
 * views that were linked to their tables, flushes here, and interrupts those of the
 * CPUs that have them loaded; all others find on their way back that their slot is
 * behind, and drop it.
 *
 * A flush knows its number in each count that it was counted in. A CPU that finds
 * this one flush not done drops the range; if there are more, or it is not told the
 * number, everything. It must not take the one that is not done for the one that it
 * was interrupted for: that may have been done meanwhile, by a switch or with
 * another, and the other's range is a different one.
 *
 * Once a space may have views (space->views), its tlb_gen counts on only while
 * some CPU is in space->cpus, so that flushes which concern no common CPU write no
 * common line. The common tables are then loaded by CPUs without a view yet,
 * each time without the entries that the slot had.
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
 *                   running -> running with a view (adopt), in a flush
 *                   running, lazy -> none   without a view, where others have some
 *                   lazy -> none      the space is torn down (tlb_forget_space)
 *
 * Ordering:
 *      tlb_flush                       space_switch_oncpu
 *      entries are changed             own bit, or loaded, is set (full barrier)
 *      tlb_gen, gen + 1 (full barrier) tlb_gen, gen is read
 *      cpus, loaded, lazy are read     CR3 is written (serialises)
 *                                      entries are walked
 *      Either the flusher sees the CPU, or the CPU sees the new generation, and
 *      with it the changed entries. Coming back from lazy: the same with `lazy
 *      = 0` in place of the bit.
 *
 *      tlb_flush                       space_switch_oncpu, common tables
 *      views is read: there are some   own bit is set (full barrier)
 *      full barrier                    views is read
 *      cpus is read: none              CR3 is written
 *      Had the CPU set its bit earlier, it would have been seen. So it reads views
 *      later than the flusher, sees them, and keeps no entries.
 *
 * Numbers of spaces are never used again, so a slot of a space that is gone
 * cannot be taken for another's.
 *
 * Locking: slots are touched by their CPU with interrupts off, also by the flusher on
 * its own: a handler that took a view in between would have its generation
 * overwritten by one of the common tables.
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
/* So many flushes have to interrupt others before a space may have views. */
#define VIEWS_AFTER 2
/* CPUs that a flush tells its number in the counts of their views. */
#define VIEWS_TOLD 8
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
	/* o  by which tables; NULL: the common ones */
	struct view *view;
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

/* Where the flushes of what is loaded are counted. */
static u64 *
gen_of(struct space *s, struct view *v)
{
	return v ? &v->gen : &s->tlb_gen;
}

static void
load(struct tlb_cpu *c, struct space *s, struct view *v)
{
	struct tlb_slot *slot = slot_choose(c, s->id);
	u64 gen = READ_ONCE(*gen_of(s, v)), cr3 = v ? v->root_pa : s->root_pa;
	/* Nobody may have counted what was flushed while this CPU was away. */
	bool unknown = !v && READ_ONCE(s->views);

	if (pcid) {
		/* PCID 0 is the kernel's own. */
		cr3 |= c->slot + 1u;
		if (slot->id == s->id && slot->gen == gen && !unknown)
			cr3 |= CR3_NOFLUSH;
	}
	slot->id = s->id;
	slot->gen = gen;
	c->loaded = s;
	c->view = v;
	write_cr3(cr3);
}

/* CR3 points elsewhere now: flushes need not come here for s any more. */
static void
leave(struct space *s, struct view *v)
{
	if (v)
		WRITE_ONCE(v->loaded, VIEW_AWAY);
	else
		cpumask_clear_atomic(&s->cpus, cpu_id());
}

/* The space that stayed loaded is used again. */
static void
come_back(struct tlb_cpu *c, struct space *s)
{
	u64 gen;

	/* Full barriers: pair with the ones in tlb_flush(). */
	if (c->view)
		atomic_xchg(&c->view->loaded, VIEW_RUNS);
	atomic_xchg(&c->lazy, 0);
	gen = READ_ONCE(*gen_of(s, c->view));
	if (c->slots[c->slot].gen == gen)
		return;
	c->slots[c->slot].gen = gen;
	local_flush_all();
}

static void
unload(struct tlb_cpu *c)
{
	struct space *s = c->loaded;
	struct view *v = c->view;

	c->loaded = NULL;
	c->view = NULL;
	WRITE_ONCE(c->lazy, 0);
	write_cr3(virt_to_phys(kernel_pml4));
	leave(s, v);
}

/* A kernel task runs. Where others have views, nobody stays on the common tables for nothing. */
static void
go_lazy(struct tlb_cpu *c)
{
	if (c->view) {
		WRITE_ONCE(c->view->loaded, VIEW_LAZY);
	} else if (unlikely(READ_ONCE(c->loaded->views))) {
		unload(c);
		return;
	}
	WRITE_ONCE(c->lazy, 1);
}

void
space_switch_oncpu(struct space *next)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);
	struct space *prev = c->loaded;
	struct view *prev_view = c->view, *v;

	if (!next) {
		if (prev)
			go_lazy(c);
		return;
	}
	if (next == prev) {
		if (c->lazy)
			come_back(c, next);
		return;
	}
	v = view_of(next, cpu_id());
	WRITE_ONCE(c->lazy, 0);
	/* Full barriers: pair with the ones in tlb_flush(). */
	if (v)
		atomic_xchg(&v->loaded, VIEW_RUNS);
	else
		cpumask_set_atomic(&next->cpus, cpu_id());
	load(c, next, v);
	if (prev)
		leave(prev, prev_view);
}

struct view *
tlb_view_here(const struct space *s)
{
	const struct tlb_cpu *c = this_cpu_ptr(&tlb);

	return c->loaded == s ? c->view : NULL;
}

/*
 * This CPU has been found on the common tables of s, which may have views: it
 * takes one, or lets go of s if it does not use it. Interrupts off.
 */
static void
adopt(struct tlb_cpu *c, struct space *s)
{
	struct tlb_slot *slot = &c->slots[c->slot];
	struct view *v;

	if (c->lazy) {
		unload(c);
		return;
	}
	v = view_create_oncpu(s);
	if (!v) {
		slot->gen = READ_ONCE(s->tlb_gen);
		local_flush_all();
		return;
	}
	atomic_xchg(&v->loaded, VIEW_RUNS);
	slot->id = 0;
	load(c, s, v);
	leave(s, NULL);
}

/* --- flushing --- */

/* The number of a flush in the count of a CPU's view. */
struct flush_number {
	unsigned int cpu;
	u64 gen;
};

struct flush {
	struct space *space;
	unsigned long start, end;
	/* its number in the count of the common tables; 0: it was not counted there */
	u64 gen;
	/* those in the counts of views; the CPUs beyond are not told */
	unsigned int nr;
	struct flush_number view[VIEWS_TOLD];
};

/* The number of f in the count that this CPU's slot follows; 0: not known. */
static u64
number_here(const struct flush *f, const struct view *v)
{
	if (!v)
		return f->gen;
	for (unsigned int i = 0; i < f->nr; i++)
		if (f->view[i].cpu == cpu_id())
			return f->view[i].gen;
	return 0;
}

/* Interrupts off. */
static void
flush_oncpu(void *arg)
{
	const struct flush *f = arg;
	struct tlb_cpu *c = this_cpu_ptr(&tlb);
	struct tlb_slot *slot = &c->slots[c->slot];
	unsigned long va;
	u64 gen, number;

	if (c->loaded != f->space)
		return;
	gen = READ_ONCE(*gen_of(f->space, c->view));
	number = number_here(f, c->view);
	/* All is done, or this one is: others' interrupts are on the way. */
	if (slot->gen == gen || (number != 0 && number <= slot->gen))
		return;
	if (number != slot->gen + 1 || number != gen ||
	    (f->end - f->start) >> PAGE_SHIFT > SINGLE_MAX) {
		slot->gen = gen;
		local_flush_all();
		return;
	}
	for (va = f->start; va < f->end; va += PAGE_SIZE)
		invlpg(va);
	slot->gen = gen;
}

static void
take_view(struct tlb_cpu *c, struct space *s)
{
	unsigned long flags = irq_save();

	if (c->loaded == s && !c->view && READ_ONCE(s->views))
		adopt(c, s);
	irq_restore(flags);
}

/* What a CPU does that has been asked, or asks others. */
static void
asked_oncpu(void *arg)
{
	const struct flush *f = arg;
	struct tlb_cpu *c = this_cpu_ptr(&tlb);

	if (unlikely(c->loaded == f->space && !c->view && READ_ONCE(f->space->views)))
		take_view(c, f->space);
	else
		flush_oncpu(arg);
}

/* Has any CPU the common tables, of a space that may have views? */
static bool
common_used(const struct space *s)
{
	/* Pairs with the full barrier in space_switch_oncpu(). */
	smp_mb();
	return !cpumask_empty(&s->cpus);
}

/* Adds the CPUs other than self that must be asked because of the common tables. True: some. */
static bool
ask_common(struct space *s, bool lazy_too, unsigned int self, struct cpumask *mask)
{
	bool any = false, running = false;
	unsigned int cpu;

	/* Lazy ones leave for good, so that the next flush finds none. */
	lazy_too |= READ_ONCE(s->views) != NULL;
	for_each_cpu(cpu, &s->cpus) {
		bool lazy = READ_ONCE(cpu_of(tlb, cpu).lazy);

		if (cpu == self || (!lazy_too && lazy))
			continue;
		cpumask_set(mask, cpu);
		any = true;
		running |= !lazy;
	}
	if (running && !READ_ONCE(s->views)) {
		WRITE_ONCE(s->shootdowns, READ_ONCE(s->shootdowns) + 1);
		if (READ_ONCE(s->shootdowns) > VIEWS_AFTER)
			views_allow(s);
	}
	return any;
}

/* Counts the flush for the views of cpus; adds those of them that must be asked. */
static bool
ask_views(struct flush *f, u64 cpus, bool lazy_too, unsigned int self, struct cpumask *mask)
{
	struct space *s = f->space;
	bool any = false;
	unsigned int cpu;
	u64 gen;

	for_each_view_cpu(cpu, cpus) {
		struct view *v = view_of(s, cpu);
		u32 loaded;

		if (!v)
			continue;
		/* Full barrier: pairs with the exchange of `loaded`. */
		gen = atomic_add_return(&v->gen, 1UL);
		if (f->nr < VIEWS_TOLD)
			f->view[f->nr++] = (struct flush_number){cpu, gen};
		loaded = READ_ONCE(v->loaded);
		if (cpu == self || loaded == VIEW_AWAY || (loaded == VIEW_LAZY && !lazy_too))
			continue;
		cpumask_set(mask, cpu);
		any = true;
	}
	return any;
}

/* Is self the only CPU in m, or none? */
static bool
mask_only(const struct cpumask *m, unsigned int self)
{
	unsigned long others = 0, w;

	for (unsigned int i = 0; i < BITS_TO_LONGS(nr_cpus); i++) {
		w = READ_ONCE(m->bits[i]);
		others |= i == self / 64 ? w & ~BIT(self % 64) : w;
	}
	return !others;
}

static void
tlb_flush(struct space *s, unsigned long start, unsigned long end, u64 cpus, bool tables)
{
	struct cpumask others;
	struct flush f;
	unsigned long flags;
	bool ask = false;

	f.space = s;
	f.start = start;
	f.end = end;
	f.gen = 0;
	f.nr = 0;
	pin();
	if (unlikely(cpus)) {
		cpumask_zero(&others);
		ask = ask_views(&f, cpus, tables, cpu_id(), &others);
	}
	if (likely(!READ_ONCE(s->views)) || common_used(s)) {
		f.gen = atomic_add_return(&s->tlb_gen, 1UL);
		if (unlikely(!mask_only(&s->cpus, cpu_id()))) {
			if (!cpus)
				cpumask_zero(&others);
			ask |= ask_common(s, tables, cpu_id(), &others);
		}
	}
	flags = irq_save();
	asked_oncpu(&f);
	irq_restore(flags);
	unpin();
	if (ask) {
		mm_stat_inc(MM_SHOOTDOWNS);
		cpu_call_mask(&others, asked_oncpu, &f);
	}
}

void
tlb_flush_range(struct space *s, unsigned long start, unsigned long end, u64 cpus)
{
	tlb_flush(s, start, end, cpus, false);
}

void
tlb_flush_tables(struct space *s, unsigned long start, unsigned long end, u64 cpus)
{
	tlb_flush(s, start, end, cpus, true);
}

bool
tlb_take_view(struct space *s)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);

	if (unlikely(c->loaded == s && !c->view))
		take_view(c, s);
	return c->loaded == s && c->view;
}

static void
forget_oncpu(void *arg)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);

	if (c->loaded == arg)
		unload(c);
}

void
tlb_quit_oncpu(void)
{
	struct tlb_cpu *c = this_cpu_ptr(&tlb);

	if (c->loaded)
		unload(c);
	/* It comes back with an empty TLB. */
	memset(c->slots, 0, sizeof(c->slots));
}

void
tlb_forget_space(struct space *s)
{
	unsigned long flags = irq_save();
	struct cpumask others;
	bool ask = false;
	unsigned int cpu;

	forget_oncpu(s);
	irq_restore(flags);
	smp_mb();
	if (likely(!s->views) && cpumask_empty(&s->cpus))
		return;
	cpumask_zero(&others);
	for_each_possible_cpu(cpu) {
		struct view *v = view_of(s, cpu);

		if (!cpumask_test(&s->cpus, cpu) && !(v && READ_ONCE(v->loaded) != VIEW_AWAY))
			continue;
		cpumask_set(&others, cpu);
		ask = true;
	}
	if (ask)
		cpu_call_mask(&others, forget_oncpu, s);
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
