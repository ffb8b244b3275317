/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums of per-CPU counters, and counters with a limit.
 *
 * Model of limit_counter: `global` is what is in use plus the credit that CPUs
 * hold; it never passes `limit` by an add. Credit (delta) is room that a CPU
 * has reserved and not used:
 *
 *      in use = global - sum of credits          global <= limit
 *
 * An add takes from its CPU's credit, or raises `global` by what it needs and a
 * batch more. A release gives to its CPU's credit, and from there to `global`
 * when the credit has grown beyond two batches.
 *
 * When `global` has no room, the adder sets `tight`, calls all credit in and
 * tries once more; as long as `tight` is set, releases go to `global` at once.
 * A release after which two batches a CPU fit again ends that, but not while an
 * adder is at it, which counts itself in `tight` too. So an add fails only if
 * there was no room for it, not because others kept some unused.
 *
 * Credit on its way between `global` and a CPU is in neither; whoever carries it
 * is counted in `carriers` (interrupts off, a few instructions) and waited for;
 * no more of them come meanwhile, however many CPUs there are.
 *
 * Ordering, so that no credit hides from an add that fails:
 *
 *      limit_counter_release           try_add_tight
 *      credit += n (locked)            tight is set (full barrier)
 *      tight is read; if set:          credits are taken (locked)
 *       n: credit -> global
 *
 *      credit_carry_begin              try_add_tight
 *      carriers++ (locked)             tight is set (full barrier)
 *      tight is read; if set: stop     carriers is read until it is 0
 *
 * Either the left side sees `tight`, or the right side sees its effect. A
 * release that sees it carries only its own n, and has not returned yet.
 *
 * Locking: none. A credit is changed by locked instructions because other CPUs
 * may take it away; its line stays with its CPU until then.
 *
 * Contexts: any but NMI.
 *
 * Rejected: deltas that are summed near the limit (as percpu_counter in Linux):
 * two CPUs that sum at the same time pass the limit together.
 */
#include "percpu/counter.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/sat.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"

#define BATCH_MAX (1 << 30)

/* In `tight`: releases go to `global`; and, above it, how many call credit in just now. */
#define TIGHT 1u
#define TIGHT_CALLER 2u

s64
counter_sum_ptr(const s64 __percpu *c)
{
	unsigned int cpu;
	s64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*cpu_ptr(c, cpu));
	return sum;
}

/* A batch for every CPU is an eighth of the limit at most. */
static s32
batch_for(s64 limit)
{
	return (s32)min(limit / (8 * (s64)nr_cpus), (s64)BATCH_MAX);
}

void
limit_counter_init_with(struct limit_counter *c, s64 limit, s64 __percpu *delta)
{
	ASSERT(limit >= 0);
	c->global = 0;
	c->limit = limit;
	c->batch = batch_for(limit);
	c->tight = 0;
	c->carriers = 0;
	c->delta = delta;
}

int
limit_counter_init(struct limit_counter *c, s64 limit)
{
	limit_counter_init_with(c, limit, percpu_alloc(sizeof(s64), sizeof(s64)));
	return c->delta != NULL ? 0 : -ENOMEM;
}

void
limit_counter_fini(struct limit_counter *c)
{
	percpu_free(c->delta);
	c->delta = NULL;
}

/* Takes n of the credit at d, if there is that much. */
static bool
credit_take(s64 *d, s64 n)
{
	s64 have = READ_ONCE(*d);

	while (have >= n)
		if (atomic_try_cmpxchg(d, &have, have - n))
			return true;
	return false;
}

/* Raises global by n if the limit allows. */
static bool
global_take(struct limit_counter *c, s64 n)
{
	s64 g = READ_ONCE(c->global);

	while (n <= READ_ONCE(c->limit) - g)
		if (atomic_try_cmpxchg(&c->global, &g, g + n))
			return true;
	return false;
}

/* Gives n back; leaves the tight state when there is room for a batch a CPU again. */
static void
global_give(struct limit_counter *c, s64 n)
{
	s64 g = atomic_sub_return(&c->global, n);

	if ((READ_ONCE(c->tight) & TIGHT) &&
	    READ_ONCE(c->limit) - g > 2 * (s64)READ_ONCE(c->batch) * nr_cpus)
		atomic_and(&c->tight, ~TIGHT);
}

static void
credits_call_in(struct limit_counter *c)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		s64 *d = cpu_ptr(c->delta, cpu);
		s64 have = READ_ONCE(*d) != 0 ? atomic_xchg(d, 0) : 0;

		if (have != 0)
			atomic_sub(&c->global, have);
	}
}

/*
 * Between this and credit_carry_end() credit may be on its way. False (and
 * nothing begun): the counter is tight. Pairs with try_add_tight().
 */
static bool
credit_carry_begin(struct limit_counter *c, unsigned long *flags)
{
	/* Not even counted: who waits for carriers would see those who turn back. */
	if (unlikely(READ_ONCE(c->tight)))
		return false;
	*flags = irq_save();
	atomic_inc(&c->carriers);
	if (likely(!READ_ONCE(c->tight)))
		return true;
	atomic_dec(&c->carriers);
	irq_restore(*flags);
	return false;
}

static void
credit_carry_end(struct limit_counter *c, unsigned long flags)
{
	atomic_dec(&c->carriers);
	irq_restore(flags);
}

/* Adds n and gets a batch of credit with it. */
static bool
add_with_batch(struct limit_counter *c, s64 n)
{
	s64 batch = READ_ONCE(c->batch);
	s64 *d = this_cpu_ptr(c->delta);
	unsigned long flags;
	bool done;

	if (batch == 0 || !credit_carry_begin(c, &flags))
		return false;
	done = global_take(c, sat_add_s64(n, batch));
	if (done)
		atomic_add(d, batch);
	credit_carry_end(c, flags);
	return done;
}

/* Makes the counter tight and brings all credit home. It stays so until tighten_end(). */
static void
tighten_begin(struct limit_counter *c)
{
	/* Pairs with limit_counter_release() and credit_carry_begin(). */
	atomic_add(&c->tight, TIGHT_CALLER);
	atomic_or(&c->tight, TIGHT);
	while (READ_ONCE(c->carriers) != 0)
		cpu_relax();
	credits_call_in(c);
}

static void
tighten_end(struct limit_counter *c)
{
	atomic_sub(&c->tight, TIGHT_CALLER);
}

static bool
try_add_tight(struct limit_counter *c, s64 n)
{
	bool done;

	tighten_begin(c);
	done = global_take(c, n);
	tighten_end(c);
	return done;
}

/* Hands in what this CPU has above one batch. */
static void
credit_trim(struct limit_counter *c)
{
	s64 *d = this_cpu_ptr(c->delta);
	unsigned long flags;
	s64 extra;

	if (!credit_carry_begin(c, &flags))
		return;
	extra = READ_ONCE(*d) - READ_ONCE(c->batch);
	if (extra > 0 && credit_take(d, extra))
		global_give(c, extra);
	credit_carry_end(c, flags);
}

static void
limit_counter_release(struct limit_counter *c, s64 n)
{
	s64 *d = this_cpu_ptr(c->delta);
	s64 batch = READ_ONCE(c->batch);
	s64 have;

	if (n > batch || READ_ONCE(c->tight)) {
		global_give(c, n);
		return;
	}
	/* Pairs with tighten_begin(). */
	have = atomic_add_return(d, n);
	if (unlikely(READ_ONCE(c->tight))) {
		/* Called in meanwhile, or ours to carry. */
		if (credit_take(d, n))
			global_give(c, n);
	} else if (have > 2 * batch) {
		credit_trim(c);
	}
}

bool
limit_counter_try_add(struct limit_counter *c, s64 n)
{
	bool done = true;

	pin();
	if (n < 0)
		limit_counter_release(c, -n);
	else if (!credit_take(this_cpu_ptr(c->delta), n))
		done = add_with_batch(c, n) || global_take(c, n) || try_add_tight(c, n);
	unpin();
	return done;
}

void
limit_counter_set_limit(struct limit_counter *c, s64 limit)
{
	ASSERT(limit >= 0);
	pin();
	WRITE_ONCE(c->limit, limit);
	WRITE_ONCE(c->batch, batch_for(limit));
	/* Credit that the old limit allowed must not be spent under a lower one. */
	tighten_begin(c);
	tighten_end(c);
	global_give(c, 0);
	unpin();
}

s64
limit_counter_sum(const struct limit_counter *c)
{
	return READ_ONCE(c->global) - counter_sum_ptr(c->delta);
}
