/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleepable RCU.
 *
 * Model: a reader counts itself into the current phase on the CPU where it
 * enters, and out of the same phase on the CPU where it leaves. A phase is
 * drained when the sum of those that left equals the sum of those that entered.
 * A grace period drains the phase that is not current, makes it current, and
 * drains the other. Draining both is needed: a reader may have read the phase
 * and not yet counted itself when the phase changed, so that it counts into the
 * old one late; it is then seen by this or the next grace period.
 *
 * Ordering:
 *      srcu_read_lock                  phase_drained
 *      entered + 1                     sum of left
 *      full barrier                    full barrier
 *      section                         sum of entered
 *      full barrier
 *      left + 1
 *      Left is summed first: a reader that is counted there was counted in
 *      entered before, so an early reader never hides behind a late one.
 *
 *      srcu_synchronize: the full barriers around the drains pair with those of
 *      the readers: who is not waited for sees what the caller had written.
 *
 * Contexts: readers in any but NMI, they may sleep; srcu_synchronize() may sleep.
 *
 * See: McKenney, Sleepable RCU, 2006.
 */
#include "sync/srcu.h"

#include "arch/x86_64/asm/barrier.h"
#include "arch/x86_64/asm/insn.h"
#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "sync/port.h"

/* Looks at a phase before the first sleep; first and longest sleep, ns. */
#define SPINS 64
#define SLEEP_MIN_NS 50000UL
#define SLEEP_MAX_NS 5000000UL

static LOCK_CLASS(srcu_class, RANK_RCU_SYNC);

int
srcu_init(struct srcu *s)
{
	s->count = percpu_alloc(sizeof(struct srcu_count), CACHE_LINE / 2);
	if (s->count == NULL)
		return -ENOMEM;
	s->phase = 0;
	mutex_init(&s->gp, &srcu_class);
	return 0;
}

void
srcu_fini(struct srcu *s)
{
	percpu_free(s->count);
	s->count = NULL;
}

int
srcu_read_lock(struct srcu *s)
{
	unsigned int idx = READ_ONCE(s->phase);

	this_cpu_inc(s->count->entered[idx]);
	/* Pairs with phase_drained(). */
	smp_mb();
	return (int)idx;
}

void
srcu_read_unlock(struct srcu *s, int idx)
{
	/* Pairs with phase_drained(). */
	smp_mb();
	this_cpu_inc(s->count->left[idx]);
}

static bool
phase_drained(const struct srcu *s, unsigned int idx)
{
	u64 left = 0, entered = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		left += READ_ONCE(cpu_ptr(s->count, cpu)->left[idx]);
	/* Pairs with the barriers of srcu_read_lock() and srcu_read_unlock(). */
	smp_mb();
	for_each_possible_cpu(cpu)
		entered += READ_ONCE(cpu_ptr(s->count, cpu)->entered[idx]);
	return left == entered;
}

static void
phase_drain(struct srcu *s, unsigned int idx)
{
	u64 sleep = SLEEP_MIN_NS;

	for (u32 i = 0; !phase_drained(s, idx); i++) {
		if (i < SPINS) {
			cpu_relax();
			continue;
		}
		park_prepare(PARK_UNINTERRUPTIBLE);
		(void)!park(ktime_get() + sleep);
		sleep = min(2 * sleep, SLEEP_MAX_NS);
	}
}

void
srcu_synchronize(struct srcu *s)
{
	mutex_lock(&s->gp);
	smp_mb();
	phase_drain(s, s->phase ^ 1);
	smp_mb();
	WRITE_ONCE(s->phase, s->phase ^ 1);
	smp_mb();
	phase_drain(s, s->phase ^ 1);
	smp_mb();
	mutex_unlock(&s->gp);
}
