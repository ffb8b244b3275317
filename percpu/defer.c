/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred interrupt work.
 *
 * Model: an interrupt handler sets the bit of a kind; the exit of the outermost
 * interrupt runs the handlers of all bits set, with interrupts enabled and
 * PIN_SOFTIRQ in the pin count, so that it is not preempted and does not nest.
 * New bits that came meanwhile get another round. After ROUNDS of them the CPU
 * is flooded: the work thread, which the scheduler can weigh against other
 * tasks, takes over, and interrupts leave the bits alone until it has run.
 *
 *      bit raised in           runs
 *      hard interrupt          at its exit
 *      softirq_disable()       in softirq_enable()
 *      a task, not pinned      at once
 *      a task, pinned or with  in the work thread or at the next interrupt's exit:
 *      interrupts off          the caller may hold a lock that the handler wants
 *
 * Ownership: the bits belong to their CPU; no other touches them.
 *
 * Contexts: handlers may not sleep. They may take locks that tasks take only
 * with softirqs or interrupts disabled.
 */
#include "percpu/defer.h"

#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "percpu/port.h"
#include "percpu/trace/events.h"

#define ROUNDS 4

DEFINE_PERCPU(u32, defer_pending);
DEFINE_PERCPU(u64, defer_count)[DEFER_KINDS];
/* o  1: the work thread has been asked to run what waits */
static DEFINE_PERCPU(u8, defer_handed);

/* I  after boot */
static void (*handlers[DEFER_KINDS])(void) __read_mostly;

void
defer_set_handler(enum defer_kind kind, void (*fn)(void))
{
	ASSERT(kind < DEFER_KINDS && handlers[kind] == NULL);
	handlers[kind] = fn;
}

/* Interrupts off on entry and return. */
static void
run_rounds(void)
{
	this_cpu_add(pin_count, PIN_SOFTIRQ);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		u32 bits = this_cpu_read(defer_pending);

		if (bits == 0)
			break;
		this_cpu_write(defer_pending, 0);
		irq_enable();
		for (unsigned int kind = 0; kind < DEFER_KINDS; kind++) {
			if (!(bits & BIT(kind)))
				continue;
			this_cpu_inc(defer_count[kind]);
			trace_softirq_entry(kind);
			handlers[kind]();
			trace_softirq_exit(kind);
		}
		irq_disable();
	}
	this_cpu_sub(pin_count, PIN_SOFTIRQ);
	if (defer_pending_oncpu()) {
		this_cpu_write(defer_handed, 1);
		work_port_kick(cpu_id());
	}
}

void
defer_run_oncpu(void)
{
	DEBUG_ASSERT(irqs_disabled() && !in_interrupt());
	if (!this_cpu_read(defer_handed))
		run_rounds();
}

bool
defer_run_in_thread_oncpu(void)
{
	if (!defer_pending_oncpu())
		return false;
	irq_disable();
	this_cpu_write(defer_handed, 0);
	run_rounds();
	irq_enable();
	return true;
}

/* Task context, pinned once: runs what waits if nothing can be held that it wants. */
static void
run_in_task(void)
{
	if ((this_cpu_read(pin_count) & ~PIN_NO_RESCHED) != PIN_ONE || irqs_disabled()) {
		work_port_kick(cpu_id());
		return;
	}
	irq_disable();
	defer_run_oncpu();
	irq_enable();
}

void
defer_raise(enum defer_kind kind)
{
	pin();
	trace_softirq_raise(kind);
	this_cpu_or(defer_pending, BIT(kind));
	if (!in_interrupt())
		run_in_task();
	unpin();
}

void
softirq_enable(void)
{
	barrier();
	/* From here on interrupts run what they raise; the pin keeps us on this CPU. */
	this_cpu_sub(pin_count, PIN_SOFTIRQ_OFF - PIN_ONE);
	if (defer_pending_oncpu() && !in_interrupt())
		run_in_task();
	unpin();
}
