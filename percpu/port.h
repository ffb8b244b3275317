/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What percpu/ needs from above, and who defines it. percpu/ lies below
 * memory, locks and tasks; these are the few things it asks of them.
 *
 *      DEFINED IN      FUNCTIONS
 *      kernel/         work_port_kick, ref_port_arm, mailbox_port_arm
 *      mm/             percpu_port_alloc, percpu_port_free, percpu_port_populate,
 *                      percpu_port_fail
 *      sync/           percpu_port_lock, percpu_port_unlock, percpu_port_wait,
 *                      percpu_port_wake, pin_check_sleep (percpu/pin.h)
 *      arch/           arch_ipi_mailbox (percpu/mailbox.h)
 */
#ifndef PERCPU_PORT_H
#define PERCPU_PORT_H

#include "lib/types.h"

/* Zeroed memory, aligned to a cache line from 64 bytes on; NULL: none. May sleep. */
void *percpu_port_alloc(size_t size);
/* Shall percpu_alloc() fail here, for a test? */
bool percpu_port_fail(void);
/* Any context but NMI. p may be NULL. */
void percpu_port_free(void *p);
/*
 * Backs [from, to) of the area of every possible CPU with zeroed pages. from
 * and to are page-aligned offsets from the start of an area (the address is
 * PERCPU_BASE + cpu * PERCPU_STRIDE + offset). 0 or -ENOMEM; then the range has
 * to be asked for again, and what was backed already stays. Calls are
 * serialized by percpu_port_lock(). May sleep.
 */
int __must_check percpu_port_populate(unsigned long from, unsigned long to);

/* One sleeping lock (RANK_PERCPU_ALLOC) around changes of the dynamic areas. */
void percpu_port_lock(void);
void percpu_port_unlock(void);

/* Sleeps until *word != 0. percpu_port_wake() sets it; the word may be gone at once. */
void percpu_port_wait(u32 *word);
/* Any context but NMI. */
void percpu_port_wake(u32 *word);

/*
 * Wakes the thread that calls work_run_oncpu() on `cpu`. Before that thread
 * exists: does nothing (what is queued runs when it starts). Any context but
 * NMI; not under a run queue's lock.
 */
void work_port_kick(unsigned int cpu);

/*
 * Has ref_timer_oncpu() called on this CPU, in interrupt context, after about
 * `ns` nanoseconds; one at a time, asked for again only after it ran. Interrupts
 * may be off; no lock of RANK_TIMER or above is held.
 */
void ref_port_arm(u64 ns);
/* The same for mailbox_timer_oncpu(). */
void mailbox_port_arm(u64 ns);

#endif
