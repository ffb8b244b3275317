/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scheduler keeps in each task. Only kernel/sched/ writes it. */
#ifndef KERNEL_SCHED_SCHED_TASK_H
#define KERNEL_SCHED_SCHED_TASK_H

#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/types.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"

struct sched_class;
struct timer;

/* Policies of the ABI (sched(7)). */
enum {
	SCHED_OTHER = 0,
	SCHED_FIFO = 1,
	SCHED_RR = 2,
	SCHED_BATCH = 3,
	SCHED_IDLE = 5,
	SCHED_DEADLINE = 6,
	SCHED_RESET_ON_FORK = 0x40000000,
};

/* sched.state: what a task waits for; 0 when it runs or could. See core.c. */
#define STATE_RUNNING 0x00u
#define STATE_INTERRUPTIBLE 0x01u
#define STATE_UNINTERRUPTIBLE 0x02u
#define STATE_KILLABLE 0x04u
#define STATE_IDLE 0x08u
#define STATE_STOPPED 0x10u
#define STATE_TRACED 0x20u
#define STATE_DEAD 0x40u
#define STATE_NEW 0x80u
/* With one of the above: off its run queue. */
#define STATE_ASLEEP 0x100u
/* Somebody owns the wakeup and is about to queue it. */
#define STATE_WAKING 0x200u
#define STATE_WAIT_MASK (STATE_INTERRUPTIBLE | STATE_UNINTERRUPTIBLE | STATE_KILLABLE | STATE_IDLE)

struct sched_task {
	/* a  STATE_* */
	u32 state;
	/* a  1 while a CPU uses its stack */
	u32 on_cpu;
	/* (runq lock of ->cpu, or WAKING owner's) queue that it is on, or was on last */
	u32 cpu;
	/* a  who has that queue locked because of this task: task_runq_lock() */
	u32 holders;
	/* l  on a queue (running counts); left its last one to sleep */
	bool queued, slept;
	/* l  throttled deadline task */
	bool throttled;
	/* l  counted in nr_uninterruptible of the queue that it left */
	bool blocked;

	/* l  parameters */
	u32 policy;
	s32 nice;
	/* 1 to 99 for FIFO and RR */
	u32 rt_priority;
	/* 0: none lent; else the priority that a PI lock lends (rt_priority scale) */
	u32 pi_priority;
	bool reset_on_fork;
	const struct sched_class *class;

	/* l  fair: see fair.c */
	struct rb_node node;
	u64 weight;
	s64 vruntime, vdeadline, min_vruntime, vlag;
	u64 slice;
	/* l  FIFO and RR: the queue of its priority; fair: fair_woken */
	struct list link;
	u64 rr_left;
	/* l  put_prev shall place it last */
	bool yielding;
	/* l  deadline: parameters in ns, budget left, absolute deadline */
	u64 dl_runtime, dl_deadline, dl_period;
	s64 dl_left;
	u64 dl_abs;
	struct timer *dl_timer;

	/* l  time on the CPU in ns; start of the present stretch */
	u64 exec_start, sum_exec, prev_sum_exec;
	/*
	 * l  when it was queued, or left the queue, last; the sum of waits:
	 * /proc/PID/schedstat
	 */
	u64 queued_at, wait_sum;
	u64 timeslices;
	/* o  ticks seen in user and kernel mode, and what was reported (monotonic) */
	u64 user_ticks, system_ticks;
	u64 reported_user, reported_system;
	bool iowait;

	/* WAKING owner's */
	struct mail wake_mail;
	/* l  CPUs it may run on */
	struct cpumask allowed;
	u32 nr_allowed;
	/* a  stays on its CPU: per-CPU kernel threads */
	bool bound;
};

#endif
