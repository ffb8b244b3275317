/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drained references: epochs, who ends them, and waiting for all of it.
 *
 * Model: percpu/ref.c says what an epoch is good for. A CPU tells in a line of
 * its own, struct ref_status, when it was clean last. One CPU, the keeper, looks
 * at all of them every few milliseconds and ends the epoch when it can; the
 * others only read what it writes. So N busy CPUs cost N misses in each epoch,
 * and no two of them touch a line in common. The keeper is the first CPU that is
 * online when the first object comes under review; it stays it until nothing was
 * under review for some looks.
 *
 * Nothing depends on the keeper being quick: a CPU that has waited for the same
 * epoch for TURNS_MAX of its own turns tries to end it itself.
 *
 * Locking: `epoch_lock` is only ever tried.
 *
 * Ordering:
 *      a CPU with something to review  the keeper
 *      reviewing = 1                   keeper = 0
 *      (full barrier)                  (full barrier)
 *      keeper is read                  each reviewing is read
 *      Either the CPU wakes the next keeper, or the keeper stays.
 *
 * Rejected: every CPU tries at each of its flushes (N CPUs read N lines that N
 * CPUs write).
 */
#include "percpu/ref_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/pin.h"
#include "percpu/port.h"
#include "percpu/work.h"

/* Looks without anything under review after which nobody keeps the epochs. */
#define IDLE_LOOKS 8
/* Own turns after which a CPU does not trust the keeper any more. */
#define TURNS_MAX 16
/* Levels of objects that hold one another that one drain takes down. */
#define DRAIN_PASSES 32

/* Starts where no CPU is taken to have flushed. */
struct ref_time ref_time __cacheline_aligned = {.epoch = 1};
/* a */
static u32 epoch_lock __cacheline_aligned;
/* (keeper)  looks in a row that found nothing under review */
static u32 idle_looks;
/* Belongs to who made ref_time.keeper other than 0; posted: a  1: it is under way. */
static struct mail keeper_mail;
static u32 keeper_posted;

/* self: a CPU that does not matter. */
static bool
cpus_were_clean_but(unsigned int self, u64 epoch)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct ref_status *st = cpu_ptr(&ref_status, cpu);

		if (cpu != self && smp_load_acquire(&st->clean_epoch) != epoch &&
		    smp_load_acquire(&st->dirty))
			return false;
	}
	return true;
}

/* Begins the next epoch if every CPU was clean in this one. Pinned. */
static bool
epoch_try_advance(void)
{
	bool clean;

	if (READ_ONCE(epoch_lock) != 0 || atomic_xchg(&epoch_lock, 1) != 0)
		return false;
	clean = cpus_were_clean_but(CONFIG_MAX_CPUS, READ_ONCE(ref_time.epoch));
	if (clean)
		atomic_inc(&ref_time.epoch);
	smp_store_release(&epoch_lock, 0);
	return clean;
}

bool
ref_epochs_alone_oncpu(void)
{
	/* The keeper's figure spares us a look at all CPUs that would be in vain. */
	return READ_ONCE(ref_time.nr_dirty) <= 1 &&
	       cpus_were_clean_but(cpu_id(), READ_ONCE(ref_time.epoch)) && ref_flush_oncpu() &&
	       epoch_try_advance() && epoch_try_advance();
}

/* --- the keeper --- */

static bool
any_review(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(cpu_of(ref_status, cpu).reviewing))
			return true;
	return false;
}

static void
count_dirty(void)
{
	unsigned int cpu;
	u32 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_of(ref_status, cpu).dirty);
	if (n != READ_ONCE(ref_time.nr_dirty))
		WRITE_ONCE(ref_time.nr_dirty, n);
}

/* True: this CPU goes on. */
static bool
keeper_look(void)
{
	u32 self = cpu_id() + 1;

	/* Two in a row, when the CPUs are clean: the whole epoch was an instant. */
	if (epoch_try_advance())
		epoch_try_advance();
	count_dirty();
	idle_looks = any_review() ? 0 : idle_looks + 1;
	if (idle_looks < IDLE_LOOKS || READ_ONCE(keeper_posted))
		return true;
	idle_looks = 0;
	WRITE_ONCE(ref_time.nr_dirty, 0);
	/* Pairs with keeper_wake(). */
	atomic_xchg(&ref_time.keeper, 0);
	return any_review() && atomic_cmpxchg(&ref_time.keeper, 0u, self) == 0;
}

static void
keeper_called(struct mail *m)
{
	smp_store_release(&keeper_posted, 0);
	ref_arm_keeper_oncpu();
}

/* The caller has made ref_time.keeper `cpu` + 1. */
static void
keeper_post(unsigned int cpu)
{
	WRITE_ONCE(keeper_posted, 1);
	keeper_mail.fn = keeper_called;
	mailbox_post(cpu, &keeper_mail);
}

/* Something here is under review. Pinned. */
static void
keeper_wake(void)
{
	unsigned int cpu = cpumask_next(&cpu_online_mask, 0);

	/* Pairs with keeper_look(). */
	smp_mb();
	if (READ_ONCE(ref_time.keeper) == 0 && cpu < nr_cpus &&
	    atomic_cmpxchg(&ref_time.keeper, 0u, cpu + 1) == 0)
		keeper_post(cpu);
}

bool
ref_epochs_turn_oncpu(void)
{
	struct ref_status *st = this_cpu_ptr(&ref_status);
	u64 epoch = READ_ONCE(ref_time.epoch);

	if (READ_ONCE(ref_time.keeper) == cpu_id() + 1)
		return keeper_look();
	st->turns = st->seen_epoch == epoch ? st->turns + 1 : 0;
	st->seen_epoch = epoch;
	if (!READ_ONCE(st->reviewing))
		return false;
	keeper_wake();
	if (st->turns >= TURNS_MAX)
		epoch_try_advance();
	return false;
}

void
ref_epochs_adopt(unsigned int cpu)
{
	unsigned int to = cpumask_next(&cpu_online_mask, 0);

	/* Its mailbox is empty: the mail is free. */
	if (atomic_cmpxchg(&ref_time.keeper, cpu + 1, to + 1) == cpu + 1)
		keeper_post(to);
}

/* --- draining --- */

/* On each CPU, interrupts off: arg counts those that could not flush. */
static void
drain_flush(void *arg)
{
	u32 *busy = arg;

	if (!ref_flush_oncpu())
		atomic_inc(busy);
}

static void
drain_review(void *arg)
{
	u32 *unfinished = arg;

	if (!ref_review_oncpu())
		atomic_inc(unfinished);
}

/* Lets at least one epoch pass. */
static void
drain_epoch(void)
{
	u64 start = READ_ONCE(ref_time.epoch);
	u32 busy;

	do {
		busy = 0;
		cpu_call_mask(&cpu_online_mask, drain_flush, &busy);
		pin();
		if (READ_ONCE(busy) == 0)
			epoch_try_advance();
		unpin();
	} while (READ_ONCE(ref_time.epoch) == start);
}

static void
drain_reviews(void)
{
	u32 unfinished;

	do {
		unfinished = 0;
		cpu_call_mask(&cpu_online_mask, drain_review, &unfinished);
	} while (READ_ONCE(unfinished) != 0);
}

/*
 * The first epochs bring every object that nobody holds under review and past
 * it; the others are for those that the flushes themselves made dirty.
 */
static void
drain_pass(void)
{
	for (unsigned int i = 0; i < 4; i++)
		drain_epoch();
	drain_reviews();
	for (unsigned int i = 0; i < 3; i++)
		drain_epoch();
	drain_reviews();
	work_flush_all();
}

void
ref_drain_depth(unsigned int depth)
{
	s64 before;

	for (unsigned int i = 0; i < depth; i++) {
		before = counter_sum(ref_released);
		drain_pass();
		if (counter_sum(ref_released) == before)
			return;
	}
}

void
ref_drain(void)
{
	ref_drain_depth(DRAIN_PASSES);
}
