/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mailbox a CPU: many producers, one consumer, one interrupt for a batch.
 * (percpu/mailbox.c tells the model.)
 */
#ifndef PERCPU_MAILBOX_H
#define PERCPU_MAILBOX_H

#include "lib/types.h"
#include "percpu/cpumask.h"

/*
 * A message: embedded in what it is about. From post until `fn` is entered it
 * belongs to the mailbox; fn owns it and may free or post it again.
 */
struct mail {
	struct mail *next;
	/* Runs on the target CPU with interrupts disabled. */
	void (*fn)(struct mail *m);
};

/*
 * Posts m to `cpu` (may be this one), which was online when the caller looked in
 * the same pinned section. Any context, NMI excepted. Interrupts the target only
 * if its box was empty.
 */
void mailbox_post(unsigned int cpu, struct mail *m);
/* Runs what has arrived here; from the idle loop, or where this CPU waits. Interrupts off. */
void mailbox_drain_oncpu(void);
/* The same from the mailbox interrupt, unless the interrupted code is to get on first. */
void mailbox_interrupt_oncpu(void);
/* From the timer that mailbox_port_arm() asked for; interrupt context. */
void mailbox_timer_oncpu(void);
/* This CPU leaves: the timer will not come. Interrupts off. */
void mailbox_quit_oncpu(void);
bool mailbox_empty_oncpu(void);

/*
 * Calls fn(arg) on `cpu` with interrupts disabled and waits for its return.
 * Caller: interrupts enabled. -ENXIO if the CPU is not online.
 */
int cpu_call(unsigned int cpu, void (*fn)(void *arg), void *arg);
/* The same on every online CPU in mask, this one included if there; waits for all. */
void cpu_call_mask(const struct cpumask *mask, void (*fn)(void *arg), void *arg);

/* arch: raises the mailbox interrupt on `cpu`. */
void arch_ipi_mailbox(unsigned int cpu);

#endif
