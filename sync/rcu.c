/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-copy-update.
 *
 * Model: a section is a stretch of code that is pinned, in an interrupt or has
 * interrupts off. A quiescent state of a CPU is a moment at which no section is
 * in progress there. A grace period is a time in which every CPU has had one:
 * all sections that existed when it began have ended.
 *
 * Where a CPU is quiescent:
 *
 *      a context switch, a return to user     noted when rcu_waiting says that
 *      mode that looks for work               somebody waits; else it costs a
 *                                             compare and a branch
 *      an interrupt that finds the CPU        noted by the poke below
 *      unpinned, user mode included
 *      idle, or not up                        rcu_watching is even: seen by
 *                                             others, the CPU is left alone
 *
 * A grace period (sync/rcu_gp.c) begins by sampling which CPUs are awake, gives
 * each of them a bit in a tree of nodes with 16 children and sets its
 * rcu_waiting. A CPU that is quiescent clears its rcu_waiting. If somebody sleeps
 * until the end of the grace period, it also clears its bit; who clears the last
 * bit of a node goes up, so that N CPUs never write one line. If only callbacks
 * wait, one CPU, the keeper, looks at the flags of all and clears the bits: the
 * others read what it writes and write what nobody else does. A timer of the
 * keeper, or of the CPU that started it, looks every 5 ms at those that are still
 * waited for: some have gone idle; from 10 ms on the others are poked by an
 * interrupt, which finds them quiescent or makes them call the scheduler soon.
 * After 10 s they are reported.
 *
 * Numbers: gp.seq is even between grace periods and odd in one. rcu_seq_snap()
 * is the number that is reached when one that has not begun yet has ended.
 *
 * Ownership: callbacks belong to the CPU that queued them and run there
 * (sync/rcu_cb.c). Tasks that wait lie on one stack for all CPUs, which is
 * touched once a wait, never by readers.
 *
 * Poke: every CPU has a message of its own for its mailbox. It is posted by
 * itself from where no lock may be taken (a context switch), or by others.
 *
 * Before the scheduler exists, and while one CPU is up, a task that may sleep is
 * proof enough: rcu_synchronize() returns at once.
 *
 * Locking: gp.lock for begin, scan and end of grace periods; nothing else.
 *
 * Ordering: the pairs are in sync/rcu_gp.c. What a caller gets: stores before
 * rcu_synchronize() or rcu_call() are seen by sections that begin after the
 * grace period began; loads and stores in sections that began before are over
 * when rcu_synchronize() returns or the callback runs.
 *
 * Rejected: counting readers (they would write a line that others read);
 * preemptible sections (lists of tasks, priority boosting; sections here are
 * short because they pin); a quiescent state in each system call's exit (two
 * instructions more in all of them).
 *
 * See: McKenney et al., Read-copy update, OLS 2001; Desnoyers et al.,
 * User-level implementations of read-copy update, TPDS 23(2), 2012.
 */
#include "sync/rcu.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "percpu/cpumask.h"
#include "percpu/defer.h"
#include "sync/rcu_impl.h"

DEFINE_PERCPU_ALIGNED(u32, rcu_watching);
DEFINE_PERCPU_ALIGNED(u8, rcu_waiting);
DEFINE_COUNTER(rcu_kicked);

static void
note_quiescent(void)
{
	/*
	 * Before the look at the bit, or the flag of a grace period that begins now
	 * is lost; and before any section that follows. A full barrier that pairs
	 * with rcu_gp_start() and cpu_scan().
	 */
	if (this_cpu_xchg(rcu_waiting, 0) == RCU_WAITS_REPORT && rcu_report(cpu_id()))
		rcu_poke(cpu_id());
}

void
rcu_quiescent_slow_oncpu(void)
{
	DEBUG_ASSERT(irqs_disabled());
	note_quiescent();
}

void
rcu_idle_enter_oncpu(void)
{
	u32 *watching = this_cpu_ptr(&rcu_watching);

	DEBUG_ASSERT(irqs_disabled() && (*watching & 1));
	/* Pairs with rcu_gp_start(), on both sides. */
	atomic_inc(watching);
	if (unlikely(this_cpu_read(rcu_waiting)))
		note_quiescent();
}

void
rcu_idle_leave_oncpu(void)
{
	u32 *watching = this_cpu_ptr(&rcu_watching);

	DEBUG_ASSERT(irqs_disabled() && !(*watching & 1));
	/* Pairs with rcu_gp_start(). */
	atomic_inc(watching);
}

bool
rcu_irq_enter_slow_oncpu(void)
{
	rcu_idle_leave_oncpu();
	return true;
}

/* In the mailbox interrupt: was the CPU outside of any section when it came? */
static bool
interrupted_unpinned(void)
{
	return (this_cpu_read(pin_count) & ~PIN_NO_RESCHED) == PIN_HARDIRQ;
}

static void
poke_run(struct mail *m)
{
	struct rcu_cpu *c = container_of(m, struct rcu_cpu, mail);

	/* From here on it may be posted again; what it was posted for is looked at below. */
	atomic_xchg(&c->mail_posted, 0);
	if (this_cpu_read(rcu_waiting)) {
		if (interrupted_unpinned())
			note_quiescent();
		else
			/* The end of the section calls the scheduler. */
			this_cpu_and(pin_count, ~PIN_NO_RESCHED);
	}
	defer_raise(DEFER_RCU);
}

void
rcu_poke(unsigned int cpu)
{
	struct rcu_cpu *c = cpu_ptr(&rcu_cpu, cpu);

	/* A CPU that is coming up is poked by the next scan. */
	if (!cpu_online(cpu) || READ_ONCE(c->mail_posted) || atomic_xchg(&c->mail_posted, 1) != 0)
		return;
	c->mail.fn = poke_run;
	mailbox_post(cpu, &c->mail);
}

void
rcu_timer_oncpu(void)
{
	defer_raise(DEFER_RCU);
}

static void
rcu_softirq(void)
{
	unsigned long flags;

	if (this_cpu_read(rcu_waiting) && rcu_quiescent_here()) {
		flags = irq_save();
		note_quiescent();
		irq_restore(flags);
	}
	rcu_keeper_turn_oncpu();
	if (rcu_gp_due())
		rcu_gp_advance(false);
	else if (READ_ONCE(rcu_gp.seq) & 1 && READ_ONCE(rcu_gp.scanner) == cpu_id())
		rcu_port_arm(RCU_SCAN_NS);
	if (this_cpu_ptr(&rcu_cpu)->len != 0 || READ_ONCE(rcu_gp.orphans) != NULL)
		rcu_callbacks_advance_oncpu();
}

bool
rcu_needs_cpu_oncpu(void)
{
	return this_cpu_read(rcu_waiting) || this_cpu_ptr(&rcu_cpu)->lists[RCU_DONE].head != NULL;
}

bool
rcu_seq_done(u64 seq)
{
	/* Pairs with the increment in rcu_gp_end(). */
	return smp_load_acquire(&rcu_gp.seq) >= seq;
}

u64
rcu_seq_want(void)
{
	u64 seq = rcu_seq_snap();

	if (rcu_gp_request(seq)) {
		pin();
		rcu_poke(cpu_id());
		unpin();
	}
	return seq;
}

static void
waiter_add(struct rcu_waiter *w)
{
	struct rcu_waiter *head = READ_ONCE(rcu_gp.waiters);

	do
		w->next = head;
	while (!atomic_try_cmpxchg(&rcu_gp.waiters, &head, w));
}

static void
waiter_wait(struct rcu_waiter *w)
{
	for (;;) {
		park_prepare(PARK_UNINTERRUPTIBLE);
		if (smp_load_acquire(&w->done))
			break;
		(void)!park(NO_DEADLINE);
	}
	park_cancel();
}

static void
synchronize(void)
{
	struct rcu_waiter w = {.task = sync_current()};
	bool wanted;

	w.seq = rcu_seq_snap();
	waiter_add(&w);
	wanted = rcu_gp_request(w.seq);
	/* An end that came between the two lines above did not see us. */
	if (rcu_seq_done(w.seq) || READ_ONCE(rcu_gp.expedite) != 0)
		rcu_gp_advance(true);
	else if (wanted || rcu_gp_due())
		rcu_gp_advance(false);
	if (!smp_load_acquire(&w.done))
		waiter_wait(&w);
}

/* True if the caller, who may sleep, is all that could be in a section. */
static bool
alone(void)
{
	/* Pairs with rcu_cpu_up(): a CPU not counted sees what we wrote. */
	smp_mb();
	return sync_current() == NULL || READ_ONCE(rcu_gp.cpus_up) <= 1;
}

void
rcu_synchronize(void)
{
	if (alone())
		return;
	assert_may_sleep();
	synchronize();
}

void
rcu_synchronize_expedited(void)
{
	if (alone())
		return;
	assert_may_sleep();
	atomic_inc(&rcu_gp.expedite);
	synchronize();
	atomic_dec(&rcu_gp.expedite);
}

void
rcu_cpu_up(unsigned int cpu)
{
	ASSERT(cpu == cpu_id());
	/* Pairs with alone(). */
	atomic_inc(&rcu_gp.cpus_up);
	rcu_idle_leave_oncpu();
}

void
rcu_cpu_down(unsigned int cpu)
{
	ASSERT(cpu == cpu_id());
	rcu_callbacks_orphan_oncpu();
	rcu_idle_enter_oncpu();
	atomic_dec(&rcu_gp.cpus_up);
}

void
rcu_cpu_quiet_oncpu(void)
{
	if (this_cpu_read(rcu_waiting))
		note_quiescent();
	/* Nobody pokes us, not even we. */
	if (rcu_gp_due())
		rcu_gp_advance(false);
}

void
rcu_cpu_dead(unsigned int cpu)
{
	unsigned long flags = spin_lock_irq(&rcu_gp.lock);

	if (rcu_gp.scanner == cpu)
		WRITE_ONCE(rcu_gp.scanner, cpu_id());
	spin_unlock_irq(&rcu_gp.lock, flags);
	/* Orphans are adopted, and scans go on, here or where we are by now. */
	pin();
	rcu_keeper_adopt(cpu);
	rcu_poke(cpu_id());
	unpin();
}

void
rcu_init(void)
{
	spin_choose_mode();
	rcu_tree_init();
	defer_set_handler(DEFER_RCU, rcu_softirq);
	rcu_cpu_up(cpu_id());
}
