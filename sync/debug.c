/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of lock rules in debug kernels, and the list of locks held that every
 * report shows.
 *
 * Model: each CPU has a stack of the spinning locks it holds, each task one of
 * the sleeping locks. An entry knows the context that took the lock. Three
 * rules are checked when a lock is about to be taken:
 *
 * 1. Rank: it is above the rank of every lock that the same context holds
 *    (equal: only in the _nested form). An order of classes without a cycle
 *    means no deadlock among them.
 *    Which class follows which is kept (sync/lock_graph.c).
 * 2. Interrupts: a class that is taken in a hard interrupt is never taken with
 *    interrupts on, one that is taken in a softirq never with softirqs on:
 *    otherwise the interrupt could find its own CPU holding the lock. A class
 *    collects how it is used (LOCK_USED_*), so the report does not depend on
 *    the interrupt coming at the wrong moment.
 * 3. Sleeping locks are taken where one may sleep.
 *
 * A broken rule is reported once a pair of classes, with the locks held and a
 * backtrace, and the kernel goes on, as a deadlock is only possible. A lock
 * taken twice by one context is certain to hang: that ends the kernel.
 *
 * Locking: a CPU's stack is changed by that CPU only; interrupts push and pop
 * above what they interrupted, at any moment: an entry that is not used, or is
 * being filled, has no class. A task's stack is its own.
 *
 * Contexts: any. Reports are suppressed while a report is being written, since
 * the log takes locks too.
 */
#include "sync/debug.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/debug_impl.h"
#include "sync/lock_graph.h"
#include "sync/lock_stat.h"
#include "sync/port.h"
#include "sync/spinlock.h"

#define LEVEL_ERR 3
#define LEVEL_WARNING 4
#define PAIRS_MAX 64

/* Pairs of classes already reported; a  slots are filled in order. */
struct class_pair {
	const struct lock_class *held;
	const struct lock_class *wanted;
};

static struct class_pair pairs[PAIRS_MAX];
/* a */
static u32 nr_pairs;

/* o  spinning locks that this CPU holds */
static DEFINE_PERCPU(struct held_locks, cpu_held);
/* o  1: a report is being written */
static DEFINE_PERCPU(u8, reporting);
/* Sleeping locks of the boot CPU before there are tasks. */
static struct held_locks boot_held;

static u8
context_now(void)
{
	u32 pins = this_cpu_read(pin_count);

	if (pins & PIN_NMI_MASK)
		return 3;
	if (pins & PIN_HARDIRQ_MASK)
		return 2;
	return pins & PIN_SOFTIRQ ? 1 : 0;
}

static struct held_locks *
task_held(void)
{
	struct held_locks *h = sync_port_held();

	return h != NULL ? h : &boot_held;
}

static void
held_push(struct held_locks *h, const struct held_lock *l)
{
	u32 at = h->depth;
	struct held_lock *slot;

	/* Taken before it is filled: an interrupt that comes between uses the next one. */
	h->depth = at + 1;
	barrier();
	if (at + 1 > HELD_LOCKS_MAX)
		return;
	slot = &h->at[at];
	slot->lock = l->lock;
	slot->pc = l->pc;
	slot->context = l->context;
	slot->shared = l->shared;
	slot->since = lock_stat_clock();
	barrier();
	slot->class = l->class;
}

/* Takes the innermost entry of `lock` out. */
static bool
held_pop(struct held_locks *h, const void *lock)
{
	u32 n = min(h->depth, (u32)HELD_LOCKS_MAX);

	for (u32 i = n; i-- > 0;) {
		if (h->at[i].lock != lock)
			continue;
		lock_stat_held(h->at[i].class, h->at[i].since);
		for (u32 j = i; j + 1 < n; j++)
			h->at[j] = h->at[j + 1];
		h->at[n - 1].class = NULL;
		barrier();
		h->depth--;
		return true;
	}
	/* It may be among those that did not fit. */
	if (h->depth <= HELD_LOCKS_MAX)
		return false;
	h->depth--;
	return true;
}

static bool
held_find(const struct held_locks *h, const void *lock)
{
	u32 n = min(h->depth, (u32)HELD_LOCKS_MAX);

	for (u32 i = 0; i < n; i++)
		if (h->at[i].lock == lock)
			return true;
	return false;
}

void
held_locks_print(const struct held_locks *h)
{
	u32 n;

	if (h == NULL)
		h = this_cpu_ptr(&cpu_held);
	n = min(READ_ONCE(h->depth), (u32)HELD_LOCKS_MAX);
	for (u32 i = 0; i < n; i++)
		if (h->at[i].class != NULL)
			sync_port_log(LEVEL_WARNING, "  #%u %s (rank %u) %p at %pS", i,
				      h->at[i].class->name, h->at[i].class->rank, h->at[i].lock,
				      (void *)h->at[i].pc);
}

void
held_locks_print_cpu(unsigned int cpu)
{
	held_locks_print(cpu_ptr(&cpu_held, cpu));
}

bool
lock_report_begin(void)
{
	pin();
	if (this_cpu_xchg(reporting, 1) == 0)
		return true;
	unpin();
	return false;
}

void
lock_report_end(void)
{
	this_cpu_write(reporting, 0);
	unpin();
}

static void
report_end(void)
{
	sync_port_log(LEVEL_WARNING, "locks held by CPU %u and its task:", cpu_id());
	held_locks_print(this_cpu_ptr(&cpu_held));
	held_locks_print(task_held());
	sync_port_backtrace();
	lock_report_end();
}

/* True the first time for this pair; also when the table is full. */
static bool
pair_is_new(const struct lock_class *held, const struct lock_class *wanted)
{
	u32 n = min(READ_ONCE(nr_pairs), (u32)PAIRS_MAX);

	for (u32 i = 0; i < n; i++)
		if (READ_ONCE(pairs[i].held) == held && READ_ONCE(pairs[i].wanted) == wanted)
			return false;
	if (n < PAIRS_MAX) {
		n = atomic_fetch_add(&nr_pairs, 1);
		if (n < PAIRS_MAX) {
			pairs[n].wanted = wanted;
			smp_store_release(&pairs[n].held, held);
		}
	}
	return true;
}

static void
rank_report(const struct held_lock *held, const struct lock_class *wanted)
{
	if (this_cpu_read(reporting) || !pair_is_new(held->class, wanted) || !lock_report_begin())
		return;
	sync_port_log(LEVEL_ERR, "lock order: %s (rank %u) wanted while %s (rank %u) is held",
		      wanted->name, wanted->rank, held->class->name, held->class->rank);
	report_end();
}

static void
rank_check(const struct held_locks *h, const struct lock_class *class, bool nested,
	   unsigned long pc)
{
	u32 n = min(h->depth, (u32)HELD_LOCKS_MAX);
	u8 context = context_now();

	for (u32 i = 0; i < n; i++) {
		const struct held_lock *l = &h->at[i];

		if (l->class == NULL || l->context != context)
			continue;
		lock_graph_add(&(struct lock_edge){.held = l->class,
						   .taken = class,
						   .held_pc = l->pc,
						   .taken_pc = pc,
						   .nested = nested});
		if (l->class->rank > class->rank || (l->class->rank == class->rank && !nested))
			rank_report(l, class);
	}
}

static void
usage_report(const struct lock_class *class, u32 usage)
{
	bool hard = (usage & LOCK_USED_HARDIRQ) && (usage & LOCK_USED_HARDIRQ_ON);

	if (!lock_report_begin())
		return;
	sync_port_log(LEVEL_ERR,
		      "lock %s (rank %u) is taken in %s, and elsewhere with them enabled",
		      class->name, class->rank, hard ? "interrupts" : "softirqs");
	report_end();
}

/* Collects how the class is used, and complains when two ways do not go together. */
void
spin_debug_usage(u32 *usage, const struct lock_class *class)
{
	u8 context = context_now();
	bool irqs_off = irqs_disabled();
	u32 bits = 0, now;

	if (context == 2)
		bits |= LOCK_USED_HARDIRQ;
	else if (context == 1)
		bits |= LOCK_USED_SOFTIRQ;
	if (!irqs_off && context < 2)
		bits |= LOCK_USED_HARDIRQ_ON;
	if (!irqs_off && !in_interrupt())
		bits |= LOCK_USED_SOFTIRQ_ON;
	now = READ_ONCE(*usage);
	if ((now & bits) == bits)
		return;
	now = atomic_fetch_or(usage, bits) | bits;
	if (((now & LOCK_USED_HARDIRQ) && (now & LOCK_USED_HARDIRQ_ON)) ||
	    ((now & LOCK_USED_SOFTIRQ) && (now & LOCK_USED_SOFTIRQ_ON)))
		if (!(atomic_fetch_or(usage, LOCK_USED_REPORTED) & LOCK_USED_REPORTED))
			usage_report(class, now);
}

void
spin_debug_before(const struct lock_class *class, bool nested, unsigned long pc)
{
	if (this_cpu_read(reporting))
		return;
	rank_check(this_cpu_ptr(&cpu_held), class, nested, pc);
	if (!in_interrupt())
		rank_check(task_held(), class, nested, pc);
}

void
spin_debug_acquired(const void *lock, const struct lock_class *class, unsigned long pc)
{
	struct held_lock l = {
		.lock = lock, .class = class, .pc = pc, .context = context_now(), .shared = false};

	held_push(this_cpu_ptr(&cpu_held), &l);
}

void
spin_debug_released(const void *lock)
{
	ASSERT(held_pop(this_cpu_ptr(&cpu_held), lock));
}

void
spin_debug_stuck(const struct lock_class *class, unsigned int cpu, unsigned long pc)
{
	if (this_cpu_read(reporting) || !lock_report_begin())
		return;
	sync_port_log(LEVEL_ERR, "lock %s is not free for seconds: held by CPU %u, taken at %pS",
		      class->name, cpu, (void *)pc);
	if (cpu < nr_cpus)
		held_locks_print_cpu(cpu);
	report_end();
}

void
lock_debug_before(const void *lock, const struct lock_class *class, bool nested, unsigned long pc)
{
	if (!CONFIG_DEBUG)
		return;
	assert_may_sleep();
	ASSERT(!held_find(task_held(), lock));
	rank_check(task_held(), class, nested, pc);
}

void
lock_debug_acquired(const void *lock, const struct lock_class *class, bool shared, unsigned long pc)
{
	struct held_lock l = {
		.lock = lock, .class = class, .pc = pc, .context = 0, .shared = shared};

	if (CONFIG_DEBUG)
		held_push(task_held(), &l);
}

void
lock_debug_released(const void *lock)
{
	if (CONFIG_DEBUG)
		ASSERT(held_pop(task_held(), lock));
}

bool
lock_debug_held(const void *lock)
{
	return !CONFIG_DEBUG || held_find(task_held(), lock);
}

u32
locks_held(void)
{
	u32 n;

	if (!CONFIG_DEBUG)
		return 0;
	pin();
	n = this_cpu_ptr(&cpu_held)->depth + task_held()->depth;
	unpin();
	return n;
}

void
locks_held_report(const char *where)
{
	if (locks_held() == 0 || !lock_report_begin())
		return;
	sync_port_log(LEVEL_ERR, "%s: locks are still held", where);
	report_end();
}

void
pin_check_sleep(void)
{
	static bool booted;
	static u32 reported;

	if (may_sleep()) {
		WRITE_ONCE(booted, true);
		return;
	}
	/* Boot runs as one task with interrupts off; it is over when somebody may sleep. */
	if (!READ_ONCE(booted) || this_cpu_read(reporting))
		return;
	/* The first ones tell enough. */
	if (atomic_fetch_add(&reported, 1) >= 8 || !lock_report_begin())
		return;
	sync_port_log(LEVEL_ERR, "sleeping where one may not: pin count %x, interrupts %s",
		      this_cpu_read(pin_count), irqs_disabled() ? "off" : "on");
	report_end();
}
