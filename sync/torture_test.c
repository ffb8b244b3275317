/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of torture tests. */
#include "sync/torture_test.h"

#include "arch/x86_64/asm/barrier.h"
#include "lib/test.h"
#include "sync/port.h"
#include "sync/test_port.h"

/* How often the threads are looked at, ns. */
#define LOOK 3000000UL
/* Long enough for the threads of other CPUs to be woken and do something, ns. */
#define NAP 100000UL
/* A thread that has not had its share by then never will, ns. */
#define SHARE_LIMIT 60000000000UL

static struct torture_thread threads[TORTURE_THREADS];

static void
thread_main(void *arg)
{
	struct torture_thread *th = arg;

	completion_wait(&th->torture->start);
	th->torture->plan->fn(th);
}

/* The thread that has made the fewest turns; *turns: those of all. */
static const struct torture_thread *
slowest(const struct torture *t, u64 *turns)
{
	const struct torture_thread *least = &threads[0];

	*turns = 0;
	for (unsigned int i = 0; i < t->nr; i++) {
		*turns += READ_ONCE(threads[i].turns);
		if (READ_ONCE(threads[i].turns) < READ_ONCE(least->turns))
			least = &threads[i];
	}
	return least;
}

/* Ends the run when enough is done. */
static void
supervise(struct torture *t)
{
	const struct torture_plan *plan = t->plan;
	u64 start = ktime_get(), turns;

	while (!READ_ONCE(t->over)) {
		const struct torture_thread *least = slowest(t, &turns);
		u64 time = ktime_get() - start;

		if (READ_ONCE(least->turns) >= plan->share) {
			if (turns >= plan->work || time >= test_duration())
				WRITE_ONCE(t->over, 1);
		} else if (time >= SHARE_LIMIT) {
			test_fail_line("thread %u of %u has made %lu turns of %u; all: %lu",
				       least->index, t->nr, least->turns, plan->share, turns);
			WRITE_ONCE(t->over, 1);
		}
		test_sleep(LOOK);
	}
}

u64
torture_run(struct torture *t, const struct torture_plan *plan)
{
	struct test_thread *handle[TORTURE_THREADS];
	u64 sum = 0;

	t->plan = plan;
	t->nr = min(plan->threads, TORTURE_THREADS);
	t->over = 0;
	completion_init(&t->start);
	for (unsigned int i = 0; i < t->nr; i++) {
		threads[i] = (struct torture_thread){
			.torture = t, .index = i, .seed = test_seed() + i + 1};
		handle[i] = test_spawn(i, thread_main, &threads[i]);
	}
	complete_all(&t->start);
	supervise(t);
	for (unsigned int i = 0; i < t->nr; i++) {
		test_join(handle[i]);
		sum += threads[i].result;
	}
	return sum;
}

bool
torture_over(const struct torture_thread *th)
{
	const struct torture_plan *plan = th->torture->plan;

	/* On the host interrupts come here, and others of the CPU get a turn. */
	barrier();
	return READ_ONCE(th->torture->over) || (plan->work == 0 && th->turns >= plan->share);
}

void
torture_turn(struct torture_thread *th)
{
	WRITE_ONCE(th->turns, th->turns + 1);
}

void
torture_stop(struct torture_thread *th)
{
	WRITE_ONCE(th->torture->over, 1);
}

void
torture_window(void)
{
	for (int i = 0; i < 20; i++)
		cpu_relax();
}

void
torture_nap(void)
{
	test_sleep(NAP);
}
