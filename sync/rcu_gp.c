/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RCU: grace periods. sync/rcu.c tells the model; here is who moves it.
 *
 * States of gp.seq:
 *
 *      even -> odd     rcu_gp_start, when wanted > seq
 *      odd  -> even    rcu_gp_end, when the root of the tree waits for nobody
 *
 * Both happen under gp.lock in rcu_gp_advance(), which runs in the RCU softirq of
 * any CPU that was poked, or in a task that waits. Nothing on a reader's path
 * takes that lock: a CPU reports with one locked instruction on its leaf, which
 * it shares with 15 others, and only the last of them goes on to the parent.
 *
 * Two kinds: an eager grace period is one that somebody sleeps for or is in a
 * hurry for. CPUs report to it. Any other is the keeper's: the CPU that was first
 * among those online when the first callback needed one, until there were no
 * wishes for some looks. CPUs only clear their flag, which cpu_scan() takes for
 * the report. A grace period becomes eager when somebody comes who sleeps. Nobody
 * depends on the keeper: who has waited too long asks for himself.
 *
 * A report has no number: a CPU that clears its bit is in a quiescent state at
 * that moment, so whatever grace period the bit belongs to need not wait for it.
 * The flag rcu_waiting, which makes it report, may be stale; then it reports for
 * nothing, or for the next grace period, and both are right.
 *
 * Ordering:
 *      rcu_gp_start                    a CPU that is idle
 *      seq + 1 (full barrier)          rcu_watching + 1, odd (full barrier)
 *      rcu_watching is read            sections read what writers published
 *      Either the grace period sees the CPU awake and waits for it, or the CPU's
 *      sections see what was written before the grace period began.
 *
 *      rcu_gp_start                    rcu_quiescent_slow_oncpu
 *      leaf bit = 1                    rcu_waiting = 0 (full barrier)
 *      rcu_waiting = 1                 leaf bit is read, cleared
 *      A flag that is overwritten belonged to a bit that is cleared.
 *
 *      cpu_scan                        rcu_quiescent_slow_oncpu
 *      rcu_waiting is read as 0        rcu_waiting = 0
 *      callbacks run later             (full barrier)
 *                                      sections that follow
 *      The 0 was written after the 1 of this grace period, by a CPU that had no
 *      section then and has begun none before the 0 could be seen.
 *
 *      rcu_gp_wish_oncpu               keeper_look
 *      wish = seq (full barrier)       keeper = 0 (full barrier)
 *      keeper is read                  each wish is read
 *      Either the CPU calls the next keeper, or the keeper stays.
 *
 *      rcu_gp_start                    rcu_idle_enter_oncpu
 *      rcu_waiting = 1 (full barrier)  rcu_watching + 1, even (full barrier)
 *      rcu_watching is read (scan)     rcu_waiting is read
 *      Either side notices; nobody waits for a CPU that went idle meanwhile.
 *
 *      rcu_report                      rcu_gp_end
 *      sections before it              root is read as 0
 *      bits are cleared, leaf to root  seq + 1 (full barrier)
 *      (full barriers)                 waiters and callbacks go on
 *
 * Rejected: a lock in each node (the bits are all there is); a thread of its own
 * (two more switches for each grace period).
 */
#include "sync/rcu_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"

#define LEVEL_ERR 3

static LOCK_CLASS(rcu_gp_class, RANK_RCU_NODE);
struct rcu_gp rcu_gp = {.lock = SPINLOCK_INIT(rcu_gp_class)};
u64 rcu_stall_ns = 10000000000UL;
static DEFINE_COUNTER(stall_count);

/* What rcu_gp_advance() does after it has given the lock back. */
struct gp_after {
	struct rcu_waiter *wake;
	bool ended;
	bool arm;
	u32 nr_stalled;
	u32 stalled[RCU_STALL_CPUS];
	u64 age;
};

/* Makes the `n` nodes of one level at `first`, children of those at `parents`. */
static void
level_init(struct rcu_node *first, u32 n, struct rcu_node *parents)
{
	for (u32 i = 0; i < n; i++) {
		first[i].parent = parents != NULL ? &parents[i / RCU_FANOUT] : NULL;
		first[i].parent_bit = (u32)BIT(i % RCU_FANOUT);
	}
}

void
rcu_tree_init(void)
{
	struct rcu_gp *gp = &rcu_gp;
	struct rcu_node *parents = NULL, *level = gp->nodes;
	u32 leaves = div_round_up(nr_cpus, RCU_FANOUT), span = 1;

	while (span < leaves)
		span *= RCU_FANOUT;
	/* From the root down: a level has a node for each `span` leaves. */
	for (;; span /= RCU_FANOUT) {
		u32 n = div_round_up(leaves, span);

		level_init(level, n, parents);
		parents = level;
		level += n;
		if (span == 1)
			break;
	}
	gp->leaves = parents;
	gp->nr_nodes = (u32)(level - gp->nodes);
	ASSERT(gp->nr_nodes <= RCU_NODES_MAX);
	for (u32 i = 0; i < leaves; i++) {
		gp->leaves[i].first_cpu = i * RCU_FANOUT;
		gp->leaves[i].nr_cpus = min(nr_cpus - i * RCU_FANOUT, (u32)RCU_FANOUT);
	}
	gp->orphans_tail = &gp->orphans;
}

bool
rcu_report(unsigned int cpu)
{
	struct rcu_node *n = &rcu_gp.leaves[cpu / RCU_FANOUT];
	u32 bit = (u32)BIT(cpu % RCU_FANOUT);

	for (; n != NULL; n = n->parent) {
		u32 old;

		if (!(READ_ONCE(n->waiting) & bit))
			return false;
		old = atomic_fetch_and(&n->waiting, ~bit);
		if (old != bit)
			return false;
		bit = n->parent_bit;
	}
	return true;
}

static bool
gp_running(void)
{
	return READ_ONCE(rcu_gp.seq) & 1;
}

static bool
gp_complete(void)
{
	return gp_running() && READ_ONCE(rcu_gp.nodes[0].waiting) == 0;
}

static bool
scan_due(u64 now)
{
	u64 age = now - READ_ONCE(rcu_gp.scanned);

	/* Anybody helps when the CPU that should scan does not get to it. */
	return age >= (READ_ONCE(rcu_gp.scanner) == cpu_id() ? RCU_SCAN_NS / 2 : 8 * RCU_SCAN_NS);
}

/* Does anybody sleep for, or hurry, a grace period? */
static bool
eager_wanted(void)
{
	return READ_ONCE(rcu_gp.waiters) != NULL || READ_ONCE(rcu_gp.expedite) != 0 ||
	       READ_ONCE(rcu_gp.hurry) != 0;
}

/* Is the grace period that runs still one of the keeper's, with somebody who cannot wait? */
static bool
eager_due(void)
{
	return !READ_ONCE(rcu_gp.eager) && eager_wanted();
}

bool
rcu_gp_due(void)
{
	if (gp_running())
		return gp_complete() || eager_due() || scan_due(ktime_get());
	return READ_ONCE(rcu_gp.wanted) > READ_ONCE(rcu_gp.seq);
}

bool
rcu_gp_request(u64 seq)
{
	u64 wanted = READ_ONCE(rcu_gp.wanted);

	while (wanted < seq) {
		if (!atomic_try_cmpxchg(&rcu_gp.wanted, &wanted, seq))
			continue;
		/* Pairs with rcu_gp_end(): either it sees the wish, or we that it is over. */
		return !gp_running() && READ_ONCE(rcu_gp.seq) < seq;
	}
	/* Whoever wished for it before sees to it. */
	return false;
}

/* Which CPUs of a leaf may be in a section that the grace period has to wait for. */
static u32
leaf_sample(struct rcu_node *leaf)
{
	u32 mask = 0;

	for (u32 i = 0; i < leaf->nr_cpus; i++) {
		leaf->snap[i] = READ_ONCE(cpu_of(rcu_watching, leaf->first_cpu + i));
		if (leaf->snap[i] & 1)
			mask |= (u32)BIT(i);
	}
	return mask;
}

static u8
waits_kind(void)
{
	return rcu_gp.eager ? RCU_WAITS_REPORT : RCU_WAITS_NOTE;
}

static void
leaf_tell(struct rcu_node *leaf)
{
	u32 mask = leaf->init;

	for (; mask != 0; mask &= mask - 1)
		WRITE_ONCE(cpu_of(rcu_waiting, leaf->first_cpu + ctz64(mask)), waits_kind());
}

/* A CPU that a leaf waits for: passed meanwhile, to be interrupted, stalled? gp.lock held. */
static void
cpu_scan(struct rcu_node *leaf, u32 i, bool kick, struct gp_after *after)
{
	unsigned int cpu = leaf->first_cpu + i;
	u32 watching = READ_ONCE(cpu_of(rcu_watching, cpu));
	u8 *waiting = &cpu_of(rcu_waiting, cpu);
	u8 kind = smp_load_acquire(waiting);

	if (!(watching & 1) || watching != leaf->snap[i] || kind == 0) {
		rcu_report(cpu);
		return;
	}
	/* If it clears the flag meanwhile, it reports for nothing at its next quiescent state. */
	if (rcu_gp.eager && kind == RCU_WAITS_NOTE)
		WRITE_ONCE(*waiting, RCU_WAITS_REPORT);
	if (kick && cpu != cpu_id()) {
		counter_inc(rcu_kicked);
		rcu_poke(cpu);
	}
	if (after->age >= rcu_gp.stall_at && after->nr_stalled < RCU_STALL_CPUS)
		after->stalled[after->nr_stalled++] = cpu;
}

/* Looks at all CPUs that the grace period waits for. gp.lock held. */
static void
gp_scan(u64 now, struct gp_after *after)
{
	struct rcu_gp *gp = &rcu_gp;
	struct rcu_node *leaf;
	bool kick;

	after->age = now - gp->start;
	kick = after->age >= RCU_KICK_NS || READ_ONCE(gp->expedite) != 0;
	for (leaf = gp->leaves; leaf < &gp->nodes[gp->nr_nodes]; leaf++) {
		u32 mask = READ_ONCE(leaf->waiting);

		for (; mask != 0; mask &= mask - 1)
			cpu_scan(leaf, ctz64(mask), kick, after);
	}
	if (after->nr_stalled != 0)
		gp->stall_at = after->age + rcu_stall_ns;
	WRITE_ONCE(gp->scanned, now);
}

/* here: this CPU is in a quiescent state. gp.lock held. */
static void
rcu_gp_start(bool here, struct gp_after *after)
{
	struct rcu_gp *gp = &rcu_gp;
	struct rcu_node *n;
	u32 i;

	gp->start = ktime_get();
	gp->stall_at = rcu_stall_ns;
	WRITE_ONCE(gp->scanner, cpu_id());
	WRITE_ONCE(gp->eager, eager_wanted());
	/* Pairs with rcu_seq_snap() and rcu_idle_leave_oncpu(). */
	atomic_inc(&gp->seq);
	trace_rcu_grace_period("rcu", (long)gp->seq, "start");
	for (i = 0; i < gp->nr_nodes; i++)
		gp->nodes[i].init = 0;
	for (i = gp->nr_nodes; i-- > 0;) {
		n = &gp->nodes[i];
		if (n >= gp->leaves)
			n->init = leaf_sample(n);
		if (here && n == &gp->leaves[cpu_id() / RCU_FANOUT])
			n->init &= ~(u32)BIT(cpu_id() % RCU_FANOUT);
		if (n->init != 0 && n->parent != NULL)
			n->parent->init |= n->parent_bit;
	}
	/* From the root down, so that no report overtakes. */
	for (i = 0; i < gp->nr_nodes; i++)
		smp_store_release(&gp->nodes[i].waiting, gp->nodes[i].init);
	for (n = gp->leaves; n < &gp->nodes[gp->nr_nodes]; n++)
		leaf_tell(n);
	/* Pairs with rcu_idle_enter_oncpu(). */
	smp_mb();
	gp_scan(gp->start, after);
	after->arm = true;
}

/* Takes the waiters whose number is reached out of the stack. gp.lock held. */
static void
waiters_collect(struct gp_after *after)
{
	struct rcu_waiter *w = atomic_xchg(&rcu_gp.waiters, NULL), *next, *head;

	for (; w != NULL; w = next) {
		next = w->next;
		if (w->seq <= rcu_gp.seq) {
			w->next = after->wake;
			after->wake = w;
			continue;
		}
		head = READ_ONCE(rcu_gp.waiters);
		do
			w->next = head;
		while (!atomic_try_cmpxchg(&rcu_gp.waiters, &head, w));
	}
}

static void
rcu_gp_end(struct gp_after *after)
{
	/* What was done in sections is before; pairs with the readers of seq. */
	atomic_inc(&rcu_gp.seq);
	trace_rcu_grace_period("rcu", (long)rcu_gp.seq, "end");
	waiters_collect(after);
	after->ended = true;
	after->nr_stalled = 0;
}

static void
waiters_wake(struct rcu_waiter *w)
{
	struct rcu_waiter *next;

	for (; w != NULL; w = next) {
		struct task *t = w->task;

		next = w->next;
		smp_store_release(&w->done, 1);
		unpark(t);
	}
}

static void
stall_report(const struct gp_after *after)
{
	sync_port_log(LEVEL_ERR, "rcu: INFO: detected stalls on CPUs: grace period %lu, %lu ms",
		      READ_ONCE(rcu_gp.seq) / 2, after->age / 1000000);
	for (u32 i = 0; i < after->nr_stalled; i++) {
		sync_port_log(LEVEL_ERR, "rcu: CPU %u", after->stalled[i]);
		rcu_port_backtrace(after->stalled[i]);
	}
	/* Last, for those who wait for the whole of it. */
	counter_inc(stall_count);
}

u64
rcu_stall_reports(void)
{
	return (u64)counter_sum(stall_count);
}

/* Tells CPUs that have callbacks that a grace period has ended. */
static void
callbacks_tell(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (READ_ONCE(cpu_of(rcu_cpu, cpu).len) != 0)
			rcu_poke(cpu);
}

static void
advance_locked(bool here, struct gp_after *after)
{
	struct rcu_gp *gp = &rcu_gp;
	u64 now = ktime_get();

	if (gp_running() && eager_due()) {
		WRITE_ONCE(gp->eager, true);
		gp_scan(now, after);
	}
	if (gp_running() && !gp_complete() && (scan_due(now) || READ_ONCE(gp->expedite) != 0))
		gp_scan(now, after);
	for (;;) {
		if (gp_complete())
			rcu_gp_end(after);
		else if (!gp_running() && READ_ONCE(gp->wanted) > gp->seq)
			rcu_gp_start(here, after);
		else
			break;
	}
	/* Whose number was reached before they were on the stack. */
	if (READ_ONCE(gp->waiters) != NULL && !after->ended)
		waiters_collect(after);
	after->arm |= gp_running() && gp->scanner == cpu_id();
}

/* Is there more to do than to scan? */
static bool
event_waits(void)
{
	struct rcu_gp *gp = &rcu_gp;

	return gp_running() ? gp_complete() : READ_ONCE(gp->wanted) > READ_ONCE(gp->seq);
}

/* A scan that somebody else is about to make needs no second one. */
static bool
gp_lock(bool must, unsigned long *flags)
{
	if (must || event_waits()) {
		*flags = spin_lock_irq(&rcu_gp.lock);
		return true;
	}
	*flags = irq_save();
	if (spin_try_lock(&rcu_gp.lock))
		return true;
	irq_restore(*flags);
	return false;
}

void
rcu_gp_advance(bool must)
{
	struct gp_after after = {0};
	bool here = rcu_quiescent_here();
	unsigned long flags;

	/* Until the waiters are woken: their tasks stay allocated, and we on this CPU. */
	pin();
	if (gp_lock(must, &flags)) {
		advance_locked(here, &after);
		spin_unlock_irq(&rcu_gp.lock, flags);
	} else {
		after.arm = gp_running() && READ_ONCE(rcu_gp.scanner) == cpu_id();
	}
	waiters_wake(after.wake);
	if (after.arm)
		rcu_port_arm(RCU_SCAN_NS);
	if (after.ended && READ_ONCE(rcu_gp.hurry) != 0)
		callbacks_tell();
	if (after.nr_stalled != 0)
		stall_report(&after);
	unpin();
}

/* --- the keeper --- */

/* The number that every CPU's callbacks would be content with. */
static u64
wishes_max(void)
{
	unsigned int cpu;
	u64 seq = 0;

	for_each_possible_cpu(cpu)
		seq = max(seq, READ_ONCE(cpu_of(rcu_cpu, cpu).wish));
	return seq;
}

/* Nobody keeps: the first CPU shall. Pinned. */
static void
keeper_call(void)
{
	unsigned int cpu = cpumask_next(&cpu_online_mask, 0);

	if (cpu < nr_cpus && atomic_cmpxchg(&rcu_gp.keeper, 0u, cpu + 1) == 0)
		rcu_poke(cpu);
}

void
rcu_gp_wish_oncpu(u64 seq)
{
	struct rcu_cpu *c = this_cpu_ptr(&rcu_cpu);

	if (seq != c->wish) {
		c->turns = 0;
		WRITE_ONCE(c->wish, seq);
		/* Pairs with rcu_keeper_turn_oncpu(). */
		smp_mb();
	}
	if (seq == 0 || rcu_seq_done(seq))
		return;
	if (READ_ONCE(rcu_gp.keeper) == 0)
		keeper_call();
	if (++c->turns > RCU_TURNS_MAX && rcu_gp_request(seq))
		rcu_gp_advance(false);
}

void
rcu_keeper_turn_oncpu(void)
{
	static u32 idle_looks;
	u32 self = cpu_id() + 1;
	u64 seq;

	if (READ_ONCE(rcu_gp.keeper) != self)
		return;
	seq = wishes_max();
	idle_looks = seq > READ_ONCE(rcu_gp.seq) ? 0 : idle_looks + 1;
	if (idle_looks >= RCU_IDLE_LOOKS) {
		idle_looks = 0;
		/* Pairs with rcu_gp_wish_oncpu(). */
		atomic_xchg(&rcu_gp.keeper, 0);
		seq = wishes_max();
		if (seq <= READ_ONCE(rcu_gp.seq) || atomic_cmpxchg(&rcu_gp.keeper, 0u, self) != 0)
			return;
	}
	rcu_port_arm(RCU_SCAN_NS);
	if (seq > READ_ONCE(rcu_gp.seq) && rcu_gp_request(seq))
		rcu_gp_advance(false);
}

void
rcu_keeper_adopt(unsigned int cpu)
{
	unsigned int to = cpumask_next(&cpu_online_mask, 0);

	if (atomic_cmpxchg(&rcu_gp.keeper, cpu + 1, to + 1) == cpu + 1)
		rcu_poke(to);
}

u64
rcu_grace_periods(void)
{
	return READ_ONCE(rcu_gp.seq) / 2;
}
