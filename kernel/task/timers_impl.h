/* SPDX-License-Identifier: BSD-2-Clause */
/* Interval and POSIX timers of a process (task/itimer.c, task/posix_timer.c). */
#ifndef KERNEL_TASK_TIMERS_IMPL_H
#define KERNEL_TASK_TIMERS_IMPL_H

#include "kernel/task/task.h"
#include "kernel/time/timer.h"

struct sigqueue;

/* Times in ns: until or at expiry (0: off), and between expirations (0: once). */
struct itimer {
	u64 expires;
	u64 interval;
};

/* What a CPU-time clock counts. */
enum cpu_clock { CPU_CLOCK_PROF, CPU_CLOCK_VIRT, CPU_CLOCK_SCHED };

struct posix_timer {
	struct process *process;
	/* Guards what is marked t; rank RANK_POSIX_TIMER, after process->lock; irq-safe. */
	struct spinlock lock;
	/* t  out of the table, about to go */
	bool gone;
	/* I  place in the table; clock of the ABI */
	s32 id;
	s32 clock;
	/* I  SIGEV_*, and what is sent */
	s32 notify;
	s32 signo;
	u64 value;
	/* I  a reference: SIGEV_THREAD_ID's thread */
	struct task *target;
	/* I  a CPU-time clock: of this thread (a reference), or NULL: of the process */
	bool cpu;
	enum cpu_clock cpu_clock;
	struct task *cpu_task;
	/* t  runs, or waits for its signal to be taken (rearm) */
	bool active;
	bool rearm;
	/* t  in the clock's own ns */
	u64 expires;
	u64 interval;
	/* t  expirations that the pending signal stands for beyond one; of the last one taken */
	u64 overrun;
	s32 overrun_last;
	/* t  grows with each settime; a signal of before is not a reason to start again */
	s32 generation;
	struct sigqueue *queue;
	struct timer timer;
	struct rcu_head rcu;
};

/* Replaced by a larger one when it is full. */
struct timer_table {
	struct rcu_head rcu;
	/* I */
	u32 size;
	/* r  by id; NULL: free */
	struct posix_timer __rcu *slot[];
};

struct process_timers {
	struct process *process;
	/* l  ITIMER_REAL; armed: an expiration is due */
	struct timer real;
	u64 real_expires;
	u64 real_interval;
	bool real_armed;
	/* l  ITIMER_VIRTUAL and ITIMER_PROF in CPU time; expires 0: off */
	struct itimer virt, prof;
	/* l  ITIMER_* and CPU-time timers that are armed: the tick looks only if there are some */
	u32 cpu_armed;
	/* r, l to write; NULL until the first timer */
	struct timer_table __rcu *table;
	u32 next_id;
	u32 count;
};

/* p's, made if need be; NULL: no memory. May sleep. */
struct process_timers *timers_get(struct process *p);
/* Process's CPU time by clock. p->lock is held. */
u64 cpu_clock_process(struct process *p, enum cpu_clock clock);
u64 cpu_clock_task(struct task *t, enum cpu_clock clock);
/* Fires CPU-time timers that are due. p->lock is held. */
void posix_timers_tick(struct process_timers *pt);
struct sigevent;
/* posix_timer_make.c: a timer in no table; err_ptr(-EINVAL, -EOPNOTSUPP, -EAGAIN). */
struct posix_timer *posix_timer_make(s32 clock, const struct sigevent *ev,
				     void (*fire)(struct timer *timer));
/* Taken out of the table or never in it, and not running. */
void posix_timer_free(struct posix_timer *t);
/* Deletes all. No lock is held. */
void posix_timers_delete_all(struct process *p);

#endif
