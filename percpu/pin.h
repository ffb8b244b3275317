/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pinning: while a task is pinned it stays on its CPU and is not preempted.
 * Pins nest and are cheap (one instruction on our own line); sleeping while
 * pinned is a bug that debug kernels report.
 *
 * pin_count of a CPU, one 32-bit word:
 *
 * BITS   MEANING
 * 0-7    depth of pin()
 * 8      softirqs are being run (percpu/defer.c)
 * 9-15   depth of softirq_disable()
 * 16-19  depth of hardware interrupts
 * 20-23  depth of NMI
 * 31     clear when the scheduler wants this CPU (inverted so that one
 *        decrement to zero says both: no pin left, and reschedule)
 */
#ifndef PERCPU_PIN_H
#define PERCPU_PIN_H

#include "arch/x86_64/asm/barrier.h"
#include "arch/x86_64/asm/irqflags.h"
#include "config/config.h"
#include "percpu/percpu.h"

#define PIN_ONE 0x00000001u
#define PIN_SOFTIRQ 0x00000100u
#define PIN_SOFTIRQ_OFF 0x00000200u
#define PIN_HARDIRQ 0x00010000u
#define PIN_NMI 0x00100000u
#define PIN_NO_RESCHED 0x80000000u

#define PIN_MASK 0x000000ffu
#define PIN_SOFTIRQ_MASK 0x0000ff00u
#define PIN_HARDIRQ_MASK 0x000f0000u
#define PIN_NMI_MASK 0x00f00000u

DECLARE_PERCPU(unsigned int, pin_count);

/* kernel/: calls the scheduler if it may run here; from unpin() with the word at zero. */
void pin_resched(void);

static inline void
pin(void)
{
	this_cpu_inc(pin_count);
	barrier();
}

static inline void
unpin(void)
{
	barrier();
	if (unlikely(arch_percpu_dec_and_test(pin_count)))
		pin_resched();
}

/* As unpin(), for the scheduler's own use: never reschedules. */
static inline void
unpin_no_resched(void)
{
	barrier();
	this_cpu_dec(pin_count);
}

static inline bool
in_interrupt(void)
{
	return this_cpu_read(pin_count) & (PIN_HARDIRQ_MASK | PIN_NMI_MASK | PIN_SOFTIRQ_MASK);
}

static inline bool
in_hardirq(void)
{
	return this_cpu_read(pin_count) & PIN_HARDIRQ_MASK;
}

static inline bool
in_nmi(void)
{
	return this_cpu_read(pin_count) & PIN_NMI_MASK;
}

/* By count: interrupts that are off, as in a handler of exceptions, do not matter. */
static inline bool
pinned_by_count(void)
{
	return (this_cpu_read(pin_count) & ~PIN_NO_RESCHED) != 0;
}

static inline bool
pinned(void)
{
	return pinned_by_count() || irqs_disabled();
}

/* True when this context may sleep. */
static inline bool
may_sleep(void)
{
	return !pinned();
}

/* sync/debug.c: reports unless may_sleep() or there is no scheduler yet. */
void pin_check_sleep(void);

/* Reports a bug in debug kernels when the caller must not sleep here. */
static inline void
assert_may_sleep(void)
{
	if (CONFIG_DEBUG)
		pin_check_sleep();
}

#endif
