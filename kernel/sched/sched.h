/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rest of the kernel asks of the scheduler. sync/port.h has park and unpark. */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/sched/sched_task.h"
#include "lib/types.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"

struct task;

/* Boot: run queues; makes the boot CPU's idle task out of the running context. */
void sched_init(void);
/* Makes the idle task of another CPU, stack included, before that CPU starts. NULL: no memory. */
struct task *sched_idle_create(unsigned int cpu);
/* An AP has its per-CPU area and stack: becomes its idle task and never returns. */
void __noreturn sched_start_cpu(void);
/* The boot CPU ends in here too, after it has started init. */
void __noreturn sched_idle_loop(void);

/* A new task inherits current's parameters, then is made runnable once. */
int sched_fork(struct task *child, struct task *parent, bool reset_on_fork_ok);
void sched_start_task(struct task *t);
/* entry.S: a new task's first steps on its own stack: completes the switch from prev. */
void task_first_run(struct task *prev);
/* The last schedule of an exiting task. The successor drops its stack and reference. */
void __noreturn sched_exit_task(void);
/* deadline.c: the task is about to be freed; nobody runs or finds it any more. */
void sched_task_free(struct task *t);

/* Gives the CPU away if another task should run. May sleep context. */
void sched_yield_now(void);
/* A point where a long kernel loop may be preempted in any case: only if asked to. */
void cond_resched(void);
/* Reschedule here soon; any context. */
void sched_kick_cpu(unsigned int cpu);

/* Hooks of arch: end of an interrupt taken in kernel or user mode. Interrupts off. */
void sched_irq_exit(bool user);

/* 'R', 'S', 'D', 'T', 't', 'Z', 'X', 'I' */
char task_state_char(const struct task *t);
unsigned int task_cpu(const struct task *t);
/* Waits until t is off every CPU (after it was parked or stopped). */
void task_wait_inactive(struct task *t);
int sched_set_affinity(struct task *t, const struct cpumask *mask);
void sched_get_affinity(struct task *t, struct cpumask *mask);
/* Time in ns: user, system (exact up to the last switch; current's own: up to now). */
void task_cputime(struct task *t, u64 *utime, u64 *stime);
u64 task_runtime(struct task *t);

/* Stopped tasks (job control, ptrace): t parks in this state until unparked by the signal code. */
void sched_stop_current(bool traced);
/* Tasks whose affinity was dropped as no CPU of it was left. */
DECLARE_COUNTER(sched_affinity_lost);
/* Number of switches, running tasks, ... for /proc/stat and loadavg. */
struct cpu_times {
	u64 user, nice, system, idle, iowait, irq, softirq, steal, guest;
};
void sched_cpu_times(unsigned int cpu, struct cpu_times *ct);
u64 sched_context_switches(void);
u32 sched_nr_running(void);
u32 sched_nr_blocked(void);
/* 1, 5, 15 minutes in 1/2048 units */
void sched_loadavg(u64 avg[3]);
/* The text of /proc/schedstat. */
struct seq;
void sched_show_stat(struct seq *s);
/* sync/pimutex: lends t a real-time priority (1-99), or 0: none. */
void sched_set_pi_priority(struct task *t, u32 prio);
/* Wakes t if its state is one of STATE_* in mask (sched_task.h): stop and trace states. */
bool sched_wake(struct task *t, u32 mask);

/* arch/x86_64/switch.S: saves next's registers' owner; returns the task switched from. */
struct task *arch_switch(struct task *prev, struct task *next);

#endif
