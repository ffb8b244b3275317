/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code of mm/tlb.c on a processor with PCIDs that is a model, as the emulator
 * has none.
 *
 * Model: this file contains mm/tlb.c a second time, under other names and with
 * CR3, CR4 and INVLPG replaced. A CPU's translation cache is a table of what each
 * PCID has cached of each page, and of the tables themselves; loading CR3 empties
 * the PCID that is loaded unless bit 63 says not to, INVLPG empties a page of it.
 * Everything else is real: CPUs, concurrency, interrupts to other CPUs.
 *
 * A page's entry is a number that only grows. Who raises it flushes, then tells
 * the number (`floor`): who uses the page from then on must find at least that.
 * The same for the tables of a space, which lazy CPUs must not walk either. There
 * are more spaces than slots, and each thread has one of its own, which ends and
 * begins with another id all the time.
 *
 * Spaces that interrupt CPUs get views (mm/view.c), whose roots alone are used here: a
 * CPU with one links each page, and the tables, before it can walk to them, and a
 * flush is for the CPUs that have linked.
 *
 * A processor that keeps what it was told to drop must be found out, and a flush
 * that leaves out one of the CPUs that have linked.
 */
#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

static u64 model_read_cr3(void);
static void model_write_cr3(u64 v);
static u64 model_read_cr4(void);
static void model_invlpg(unsigned long va);

#define read_cr3 model_read_cr3
#define write_cr3 model_write_cr3
#define read_cr4 model_read_cr4
#define write_cr4(v) ((void)(v))
#define invlpg model_invlpg
#define tlb_init model_tlb_init
#define tlb_new_id model_tlb_new_id
#define space_switch_oncpu model_space_switch_oncpu
#define tlb_flush_range model_tlb_flush_range
#define tlb_forget_space model_tlb_forget_space
#define tlb_flush_kernel model_tlb_flush_kernel
#define tlb_quit_oncpu model_tlb_quit_oncpu
#define tlb_view_here model_tlb_view_here
#define tlb_flush_tables model_tlb_flush_tables
#define tlb_take_view model_tlb_take_view

#include "mm/tlb.c"

#include "mm/slab.h"

/* Spaces that all CPUs use. */
#define SHARED 9u
#define PAGES 40u
#define PCIDS 8u
#define TOUCHES 16

static LOCK_CLASS(model_class, RANK_LEAF);

struct model_space {
	struct space s;
	/* covers links and raising entries */
	struct spinlock lock;
	/* CPUs that have linked the page, the tables */
	u64 cpus[PAGES];
	u64 tables_cpus;
	/* a  entries; what each is at least, for who looks from now on */
	u64 pte[PAGES];
	u64 floor[PAGES];
	u64 tables;
	u64 tables_floor;
};

/* o  interrupts off */
struct model_cpu {
	u64 cr3;
	u64 loads;
	/* what CR3 points to, and whether by a view; NULL: the kernel's own tables */
	struct model_space *space;
	bool view;
	/* 0: nothing cached */
	u64 page[PCIDS][PAGES];
	u64 tables[PCIDS];
};

struct tlb_model {
	struct torture t;
	/* the shared ones, then the threads' own */
	struct model_space *spaces;
	struct model_cpu *cpus;
	u64 cr4;
	/* CR3 is loaded as if bit 63 were always set; flushes leave out a CPU of a view */
	bool keeps;
	bool skips;
	/* a  uses of what was flushed; loads of CR3 that kept entries, and that did not */
	u64 stale;
	u64 kept;
	u64 dropped;
	/* a  walks by views */
	u64 views;
};

static struct tlb_model model;

/* --- the processor --- */

static struct model_cpu *
model_this_cpu(void)
{
	return &model.cpus[cpu_id()];
}

static u32
model_pcid(const struct model_cpu *c)
{
	return c->cr3 & (PAGE_SIZE - 1);
}

/* Finds out what CR3 points to. */
static void
model_find_space(struct model_cpu *c)
{
	const struct view *v = this_cpu_ptr(&tlb)->view;
	u64 nr = c->cr3 >> PAGE_SHIFT;

	c->view = v && v->root_pa >> PAGE_SHIFT == nr;
	c->space = NULL;
	if (c->view)
		c->space = container_of(v->space, struct model_space, s);
	else if (nr != 0 && nr <= SHARED + TORTURE_THREADS)
		c->space = &model.spaces[nr - 1];
}

static u64
model_read_cr3(void)
{
	return model_this_cpu()->cr3;
}

static void
model_write_cr3(u64 v)
{
	struct model_cpu *c = model_this_cpu();
	u32 pcid;

	/* What was decided before may be out of date by now. */
	if (++c->loads % 4 == 0)
		torture_window();
	c->cr3 = v & ~CR3_NOFLUSH;
	model_find_space(c);
	pcid = model_pcid(c);
	if (v & CR3_NOFLUSH) {
		atomic_inc(&model.kept);
	} else if (!model.keeps) {
		atomic_inc(&model.dropped);
		c->tables[pcid] = 0;
		for (unsigned int i = 0; i < PAGES; i++)
			c->page[pcid][i] = 0;
	}
}

static u64
model_read_cr4(void)
{
	return model.cr4;
}

static void
model_invlpg(unsigned long va)
{
	struct model_cpu *c = model_this_cpu();
	u32 pcid = model_pcid(c);

	/* Others' flushes come in here, if they can. */
	if (++c->loads % 4 == 0)
		torture_window();
	c->page[pcid][va >> PAGE_SHIFT] = 0;
	/* All that is cached of tables goes too (SDM vol. 3, 4.10.4.1). */
	c->tables[pcid] = 0;
}

/* Can the processor get to the page, by what is loaded? */
static bool
model_linked(const struct model_cpu *c, unsigned int page)
{
	u64 bit = VIEW_CPU_BIT(cpu_id());

	return !c->view ||
	       (READ_ONCE(c->space->cpus[page]) & READ_ONCE(c->space->tables_cpus) & bit) != 0;
}

/* Caches the page if it is not; the processor may do so whenever the space is loaded. */
static void
model_walk(unsigned int page)
{
	struct model_cpu *c = model_this_cpu();
	struct model_space *m = c->space;
	u32 pcid = model_pcid(c);
	u64 floor;

	if (!m || !model_linked(c, page))
		return;
	if (c->view)
		atomic_inc(&model.views);
	floor = smp_load_acquire(&m->tables_floor);
	if (c->tables[pcid] == 0)
		c->tables[pcid] = READ_ONCE(m->tables);
	if (c->tables[pcid] < floor)
		atomic_inc(&model.stale);
	if (c->page[pcid][page] == 0)
		c->page[pcid][page] = READ_ONCE(m->pte[page]);
}

/* The fault of a CPU that has a view. */
static void
model_link(struct model_cpu *c, unsigned int page)
{
	struct model_space *m = c->space;
	u64 bit = VIEW_CPU_BIT(cpu_id());

	spin_lock(&m->lock);
	WRITE_ONCE(m->cpus[page], m->cpus[page] | bit);
	WRITE_ONCE(m->tables_cpus, m->tables_cpus | bit);
	spin_unlock(&m->lock);
}

/* The program uses the page. */
static void
model_use(struct model_space *m, unsigned int page)
{
	struct model_cpu *c = model_this_cpu();
	u64 floor;

	if (c->space && !model_linked(c, page))
		model_link(c, page);
	floor = smp_load_acquire(&m->floor[page]);
	model_walk(page);
	if (c->space != m || c->page[model_pcid(c)][page] < floor)
		atomic_inc(&model.stale);
}

/* --- the kernel --- */

static void
raise_floor(u64 *floor, u64 v)
{
	u64 seen = READ_ONCE(*floor);

	while (seen < v && !atomic_try_cmpxchg(floor, &seen, v))
		;
}

/* The CPUs that a flush is for, of those that have linked. */
static u64
to_flush(u64 cpus)
{
	return model.skips ? cpus & (cpus - 1) : cpus;
}

/* Changes some pages' entries, from any CPU. */
static void
change_pages(struct model_space *m, u64 r)
{
	unsigned int a = r % PAGES, n = (r >> 8) % 4 ? 1 + (r >> 10) % 4 : PAGES,
		     b = min(a + n, PAGES);
	u64 v[PAGES], cpus = 0;

	spin_lock(&m->lock);
	for (unsigned int i = a; i < b; i++) {
		v[i] = atomic_add_return(&m->pte[i], 1UL);
		cpus |= m->cpus[i];
	}
	spin_unlock(&m->lock);
	tlb_flush_range(&m->s, a * PAGE_SIZE, b * PAGE_SIZE, to_flush(cpus));
	for (unsigned int i = a; i < b; i++)
		raise_floor(&m->floor[i], v[i]);
}

/* Takes a table away. */
static void
change_tables(struct model_space *m)
{
	u64 v, cpus;

	spin_lock(&m->lock);
	v = atomic_add_return(&m->tables, 1UL);
	cpus = m->tables_cpus;
	spin_unlock(&m->lock);
	tlb_flush(&m->s, 0, PAGE_SIZE, to_flush(cpus), true);
	raise_floor(&m->tables_floor, v);
}

/* The space ends; another begins in the same place. Nobody else uses it. */
static void
renew(struct model_space *m)
{
	tlb_forget_space(&m->s);
	views_free(&m->s);
	m->s.id = tlb_new_id();
	m->s.tlb_gen = 0;
	m->s.shootdowns = 0;
	m->tables_cpus = 0;
	memset(m->cpus, 0, sizeof(m->cpus));
	m->tables_floor = m->tables += 1000;
	for (unsigned int i = 0; i < PAGES; i++)
		m->floor[i] = m->pte[i] += 1000;
}

/* The scheduler has chosen a task of space m. */
static void
run_in(struct model_space *m, u64 *seed)
{
	unsigned long flags = irq_save();

	space_switch_oncpu(&m->s);
	for (int i = 0; i < TOUCHES; i++) {
		model_use(m, test_rand(seed) % PAGES);
		/* Others' flushes come in here. */
		irq_restore(flags);
		flags = irq_save();
	}
	irq_restore(flags);
}

/* A kernel task, or none: the processor may still walk. */
static void
run_lazy(u64 *seed)
{
	unsigned long flags = irq_save();

	space_switch_oncpu(NULL);
	for (int i = 0; i < TOUCHES; i++) {
		model_walk(test_rand(seed) % PAGES);
		irq_restore(flags);
		flags = irq_save();
	}
	irq_restore(flags);
}

static void
model_thread(struct torture_thread *th)
{
	struct model_space *own = &model.spaces[SHARED + th->index], *last = own;

	while (!torture_over(th)) {
		u64 r = test_rand(&th->seed);
		struct model_space *m = &model.spaces[(r >> 8) % SHARED];

		switch (r % 16) {
		case 0:
		case 1:
			change_pages((r >> 16) % 8 ? m : own, r >> 20);
			break;
		case 2:
			change_tables(m);
			break;
		case 3:
			renew(own);
			break;
		case 4:
		case 5:
		case 6:
			run_lazy(&th->seed);
			break;
		case 7:
			run_in(own, &th->seed);
			break;
		case 8:
		case 9:
			run_in(last, &th->seed);
			break;
		default:
			run_in(m, &th->seed);
			last = m;
		}
		torture_turn(th);
		if (READ_ONCE(model.stale) != 0)
			torture_stop(th);
	}
}

static void
model_run(u64 cr4, bool keeps, bool skips)
{
	struct torture_plan plan = {.fn = model_thread,
				    .threads = test_cpus(),
				    .share = 4,
				    .work = keeps || skips ? TORTURE_UNTIL_FOUND : 100000};

	model.cr4 = cr4;
	model.keeps = keeps;
	model.skips = skips;
	model.views = 0;
	model.stale = 0;
	model.kept = 0;
	model.dropped = 0;
	model.spaces =
		kvmalloc((SHARED + TORTURE_THREADS) * sizeof(*model.spaces), GFP_KERNEL | GFP_ZERO);
	model.cpus = kvmalloc(nr_cpus * sizeof(*model.cpus), GFP_KERNEL | GFP_ZERO);
	ASSERT_TRUE(model.spaces != NULL && model.cpus != NULL);
	tlb_init();
	for (unsigned int i = 0; i < SHARED + TORTURE_THREADS; i++) {
		model.spaces[i].s.root_pa = (i + 1) * PAGE_SIZE;
		spin_init(&model.spaces[i].lock, &model_class);
		renew(&model.spaces[i]);
	}
	torture_run(&model.t, &plan);
	for (unsigned int i = 0; i < SHARED + TORTURE_THREADS; i++) {
		tlb_forget_space(&model.spaces[i].s);
		EXPECT(cpumask_empty(&model.spaces[i].s.cpus));
		views_free(&model.spaces[i].s);
	}
	kvfree(model.spaces);
	kvfree(model.cpus);
}

TEST(tlb_model_pcids)
{
	model_run(CR4_PCIDE, false, false);
	EXPECT_EQ(model.stale, 0);
	EXPECT_GT(model.kept, 0);
	EXPECT_GT(model.dropped, 0);
}

TEST(tlb_model_without_pcids)
{
	model_run(0, false, false);
	EXPECT_EQ(model.stale, 0);
	EXPECT_EQ(model.kept, 0);
	EXPECT_GT(model.dropped, 0);
}

TEST(tlb_model_finds_broken)
{
	for (int i = 0; i < TORTURE_TRIES && (i == 0 || model.stale == 0); i++)
		model_run(CR4_PCIDE, true, false);
	EXPECT_GT(model.stale, 0);
}

TEST(tlb_model_finds_skipped_view)
{
	if (test_cpus() == 1)
		return;
	for (int i = 0; i < TORTURE_TRIES && (i == 0 || model.stale == 0); i++)
		model_run(CR4_PCIDE, false, true);
	EXPECT_GT(model.stale, 0);
	EXPECT_GT(model.views, 0);
}
