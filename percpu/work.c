/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work items: a queue a CPU, emptied by a kernel thread that stays there.
 *
 * Model: the queue is a stack without a lock, as a mailbox is; the thread takes
 * all of it with one exchange, turns it round and runs it. The producer that
 * found it empty wakes the thread. An item is in one queue at most: `pending`
 * is taken by the poster and given back just before fn is entered.
 *
 * Ordering:
 *      work_post                       work_run_oncpu
 *      what fn shall see is written    pending = 0 (full barrier)
 *      pending is exchanged            fn reads it
 *      A poster that finds pending set is before the exchange on the right.
 *
 *      work_post                       the thread (kernel/)
 *      item is pushed (full barrier)   park_prepare() (full barrier)
 *      thread is woken                 work_pending_oncpu(), park()
 *
 * Contexts: work_post in any but NMI, not under a run queue's lock; fn runs in
 * task context and may sleep (it holds up what is queued behind it).
 */
#include "percpu/work.h"

#include "arch/x86_64/asm/atomic.h"
#include "percpu/cpumask.h"
#include "percpu/defer.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "percpu/port.h"

/* a  newest item first; anybody pushes, the CPU's thread takes all */
static DEFINE_PERCPU_ALIGNED(struct work *, work_queue);

/* Caller owns w by `pending`. */
static void
push(unsigned int cpu, struct work *w)
{
	struct work **queue = cpu_ptr(&work_queue, cpu), *head = READ_ONCE(*queue);

	do
		WRITE_ONCE(w->next, head);
	while (!atomic_try_cmpxchg(queue, &head, w));
	if (head == NULL)
		work_port_kick(cpu);
}

bool
work_post(unsigned int cpu, struct work *w)
{
	/* Pairs with the exchange in work_run_oncpu(). */
	if (atomic_xchg(&w->pending, 1) != 0)
		return false;
	push(cpu, w);
	return true;
}

bool
work_post_here(struct work *w)
{
	bool posted;

	pin();
	posted = work_post(cpu_id(), w);
	unpin();
	return posted;
}

bool
work_pending_oncpu(void)
{
	return this_cpu_read(work_queue) != NULL || defer_pending_oncpu();
}

static struct work *
work_reverse(struct work *w)
{
	struct work *fifo = NULL;

	while (w != NULL) {
		struct work *next = w->next;

		w->next = fifo;
		fifo = w;
		w = next;
	}
	return fifo;
}

bool
work_run_oncpu(void)
{
	struct work **queue = this_cpu_ptr(&work_queue), *w;
	bool ran = defer_run_in_thread_oncpu();

	if (this_cpu_read(work_queue) == NULL)
		return ran;
	w = work_reverse(atomic_xchg(queue, NULL));
	while (w != NULL) {
		struct work *next = w->next;

		/* Pairs with the exchange in work_post(). */
		atomic_xchg(&w->pending, 0);
		w->fn(w);
		w = next;
	}
	return true;
}

void
work_adopt(unsigned int cpu)
{
	struct work **queue = cpu_ptr(&work_queue, cpu), *w, *next;

	pin();
	w = work_reverse(atomic_xchg(queue, NULL));
	for (; w != NULL; w = next) {
		next = w->next;
		push(cpu_id(), w);
	}
	unpin();
}

struct work_marker {
	struct work work;
	/* a  percpu_port_wait() */
	u32 passed;
};

static void
marker_run(struct work *w)
{
	percpu_port_wake(&container_of(w, struct work_marker, work)->passed);
}

void
work_flush(unsigned int cpu)
{
	struct work_marker m = {.work = WORK_INIT(marker_run)};

	bool posted = false;

	pin();
	if (cpu_active(cpu))
		posted = work_post(cpu, &m.work);
	unpin();
	if (posted)
		percpu_port_wait(&m.passed);
}

void
work_flush_all(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		work_flush(cpu);
}
