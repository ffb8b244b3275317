/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-copy-update. Readers pin (no sleep, no preemption) and write only their
 * own CPU's line. Quiescent states: context switch, idle, return to user, an
 * interrupt that finds its CPU unpinned. (sync/rcu.c tells the model.)
 */
#ifndef SYNC_RCU_H
#define SYNC_RCU_H

#include "arch/x86_64/asm/barrier.h"
#include "lib/types.h"
#include "percpu/counter.h"
#include "percpu/pin.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *h);
};

static inline void
rcu_read_lock(void)
{
	pin();
}

static inline void
rcu_read_unlock(void)
{
	unpin();
}

/* Is this a read section: pinned, in an interrupt, or with interrupts off? */
static inline bool
rcu_read_held(void)
{
	return pinned();
}

/* Pointers marked __rcu: load in a section, publish after initialisation, read under the lock. */
#define rcu_load(p) ((__typeof__(*(p)) __force *)READ_ONCE(p))
#define rcu_publish(p, v) smp_store_release(&(p), (__typeof__(p) __force)(v))
/* Of an object that no reader can find yet. */
#define rcu_init_field(p, v) ((p) = (__typeof__(p) __force)(v))
#define rcu_locked(p) ((__typeof__(*(p)) __force *)(p))

/*
 * Runs fn(h) after all sections that exist now have ended, on this CPU, in task
 * context, may not sleep. Any context but NMI.
 */
void rcu_call(struct rcu_head *h, void (*fn)(struct rcu_head *h));
/* Waits for all sections that exist now. May sleep. */
void rcu_synchronize(void);
/* The same by interrupting CPUs: fast for us, dear for them. */
void rcu_synchronize_expedited(void);
/* Waits for all callbacks queued on any CPU before the call. May sleep. */
void rcu_barrier(void);
/* No barrier runs in between: a CPU's callbacks are on their way to another. May sleep. */
void rcu_barrier_hold(void);
void rcu_barrier_release(void);

/*
 * For who wants to know later whether a grace period has passed, without a
 * callback: the number to wait for, and whether it is reached. rcu_seq_want()
 * also makes sure that it will be. Any context but NMI.
 */
u64 rcu_seq_want(void);
bool rcu_seq_done(u64 seq);

/* o  not 0: a grace period waits for this CPU (RCU_WAITS_*) */
DECLARE_PERCPU(u8, rcu_waiting);
void rcu_quiescent_slow_oncpu(void);

/*
 * Hooks of the scheduler and entry code; interrupts off, no section in progress.
 * rcu_quiescent_oncpu(): each pass through the scheduler, also one that goes on
 * with the same task; each return to user mode that looks for work; the end of
 * an interrupt that found the CPU unpinned (user mode included).
 */
static inline void
rcu_quiescent_oncpu(void)
{
	if (unlikely(this_cpu_read(rcu_waiting)))
		rcu_quiescent_slow_oncpu();
}

/* Around the halt of the idle loop: between them the CPU is never waited for. */
void rcu_idle_enter_oncpu(void);
void rcu_idle_leave_oncpu(void);

/* a  even: this CPU is idle (or not up) and has no sections; odd: it may have */
DECLARE_PERCPU(u32, rcu_watching);
bool rcu_irq_enter_slow_oncpu(void);

/*
 * Around the handler of every interrupt that may find the CPU idle (hard
 * interrupts and exceptions, not NMI): the result of the first goes to the second.
 */
static inline bool
rcu_irq_enter_oncpu(void)
{
	return unlikely(!(this_cpu_read(rcu_watching) & 1)) && rcu_irq_enter_slow_oncpu();
}

static inline void
rcu_irq_leave_oncpu(bool was_idle)
{
	if (unlikely(was_idle))
		rcu_idle_enter_oncpu();
}

/* On the CPU itself, interrupts off, before its first and after its last section. */
void rcu_cpu_up(unsigned int cpu);
void rcu_cpu_down(unsigned int cpu);
/* A CPU that is not online and waits, interrupts off, for the word to go: does its part. */
void rcu_cpu_quiet_oncpu(void);
/* After rcu_cpu_down() there: takes over what it had begun. Task context. */
void rcu_cpu_dead(unsigned int cpu);
/*
 * Would this CPU have RCU work to do right now (callbacks that are ready, a
 * grace period that waits for it)? The idle loop looks before it halts; what
 * becomes due later brings its own interrupt.
 */
bool rcu_needs_cpu_oncpu(void);
/* From the timer that rcu_port_arm() asked for; interrupt context. */
void rcu_timer_oncpu(void);
/* Once, when nr_cpus is known; on the boot CPU, interrupts off. */
void rcu_init(void);

/* Statistics: callbacks queued and run, grace periods, CPUs kicked out of long sections. */
DECLARE_COUNTER(rcu_queued);
DECLARE_COUNTER(rcu_invoked);
DECLARE_COUNTER(rcu_kicked);
u64 rcu_grace_periods(void);
/* Nanoseconds after which a grace period is reported as stalled; 10 s. */
extern u64 rcu_stall_ns;
/* Stall reports so far. */
u64 rcu_stall_reports(void);

#endif
