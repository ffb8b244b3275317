/* SPDX-License-Identifier: BSD-2-Clause */
/* A CPU's run queue and the classes, between the files of kernel/sched/. */
#ifndef KERNEL_SCHED_RUNQ_H
#define KERNEL_SCHED_RUNQ_H

#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "kernel/time/timer.h"
#include "lib/rbtree.h"
#include "percpu/percpu.h"
#include "sync/spinlock.h"

#define RT_PRIORITIES 100
#define TICK_NS 10000000UL
/* So much of a slice is worth a timer. */
#define SLICE_LEAST_NS 100000UL

/* A real-time task leaves the others less than their share: it weighs as sixteen of nice 0. */
#define WEIGHT_RT 16384u

/*
 * l  runq->lock        o  written by the owner CPU, interrupts off
 * Fields that other CPUs read to place or steal tasks stand on a line apart
 * from those that the owner writes at each switch.
 */
struct runq {
	/* --- read by others --- */
	/* l  runnable tasks, the running one included, idle not */
	u32 nr_running __cacheline_aligned;
	/* l  */
	u32 cpu;
	/* l  of all runnable tasks: what each of them has of the CPU goes by it */
	u64 weight;
	struct task *idle;
	/* l  nr_running > 1: for idle CPUs, who look all the time, hence seldom written */
	bool crowded __cacheline_aligned;
	/* l  nothing runs: for crowded CPUs, who look at each tick; nr_running changes often */
	bool idling __cacheline_aligned;

	/* --- the queue --- */
	struct spinlock lock __cacheline_aligned;
	/* o  */
	struct task *curr;
	/* l  the CPU is going, or gone: only idle runs here; read without, as a hint */
	bool leaving;
	/* l  ns, advances while the queue is in use */
	u64 clock;
	/* l  fair: see fair.c */
	struct rb_root_cached fair_tree;
	struct list fair_woken;
	u32 fair_nr;
	s64 fair_min, fair_sum_w_v;
	u64 fair_sum_w;
	/* l  FIFO and RR */
	struct list rt_queue[RT_PRIORITIES];
	unsigned long rt_bitmap[2];
	u32 rt_nr;
	/* l  deadline */
	struct rb_root_cached dl_tree;
	u32 dl_nr;
	/* o  time that real-time classes took in the present period */
	u64 rt_period_start, rt_time;
	bool rt_throttled;

	/* --- o  time and statistics --- */
	struct timer tick;
	struct timer slice_timer;
	/* where sched_push() looks next */
	unsigned int push_next;
	/* o  ticks in a row in which a lighter CPU was seen */
	u32 heavy_ticks;
	/* 0 off, 1 running */
	bool tick_on;
	u64 switches;
	u64 user_ns, nice_ns, system_ns, irq_ns, softirq_ns, iowait_ns;
	/* l  idle time before the present stretch; when that began, 0: the CPU has left */
	u64 idle_ns, idle_since;
	u64 last_tick;
	/* schedstat: yields, switches to idle, wakeups here, wakeups local */
	u64 yld_count, sched_count, sched_goidle, ttwu_count, ttwu_local;
	u64 rq_cpu_time, run_delay, pcount;
	s32 nr_uninterruptible;
	u32 nr_iowait;
};

DECLARE_PERCPU(struct runq, runq);

/* All are called with the queue's lock held. */
struct sched_class {
	const char *name;
	/* Higher wins. */
	u32 rank;
	void (*enqueue)(struct runq *rq, struct task *t, bool wakeup);
	void (*dequeue)(struct runq *rq, struct task *t, bool sleep);
	/* The best one, taken out of the class's queue; NULL if none. */
	struct task *(*pick)(struct runq *rq);
	/* t runs: out of the queue's order, but counted. */
	void (*take)(struct runq *rq, struct task *t);
	/* prev stops running but stays runnable: back into the queue. */
	void (*put_prev)(struct runq *rq, struct task *t);
	/* curr ran for delta ns more; may ask for a reschedule. */
	void (*account)(struct runq *rq, struct task *t, u64 delta);
	/* Should t, just queued, preempt curr of the same class? */
	bool (*preempts)(struct runq *rq, struct task *curr, struct task *t);
	void (*yield)(struct runq *rq, struct task *t);
	/* A queued task with a weight below `below` to give to CPU `to`; still queued. NULL. */
	struct task *(*steal)(struct runq *rq, unsigned int to, u64 below);
	/* End of curr's slice in ns from now; U64_MAX: none. */
	u64 (*slice_left)(struct runq *rq, struct task *curr);
};

extern const struct sched_class deadline_class, rt_class, fair_class;
/* In order of rank, NULL-terminated. */
extern const struct sched_class *const sched_classes[];

static inline struct runq *
this_runq(void)
{
	return &this_cpu(runq);
}

static inline struct runq *
runq_of(unsigned int cpu)
{
	return &cpu_of(runq, cpu);
}

/* The queue of t, locked; t cannot move meanwhile. Returns flags through *f. */
struct runq *task_runq_lock(struct task *t, unsigned long *f);
void task_runq_unlock(struct task *t, struct runq *rq, unsigned long f);

void runq_enqueue(struct runq *rq, struct task *t, bool wakeup);
void runq_dequeue(struct runq *rq, struct task *t, bool sleep);
/* Brings clock and curr's accounting up to date. */
void runq_update(struct runq *rq);
/* Asks rq's CPU to reschedule if t should run instead of its current task. */
void runq_check_preempt(struct runq *rq, struct task *t);
void runq_kick(struct runq *rq);

/* core.c */
void schedule(void);
void sched_set_class(struct task *t);
/* Changes policy or parameters under the queue's lock: dequeue, fn, enqueue. */
void sched_change(struct task *t, void (*fn)(struct task *t, void *arg), void *arg);

/* Ends WAKING: queues t here, where no queue is locked; or posts it to its CPU. */
void sched_wake_enqueue_oncpu(struct task *t);
void sched_wake_post(unsigned int cpu, struct task *t);

/* balance.c */
unsigned int sched_select_cpu(struct task *t, bool fork);
/*
 * Some active CPU that t may use; if there is none t loses its affinity. Its
 * queue is locked.
 */
unsigned int sched_any_cpu(struct task *t);
/* Moves t, queued on rq and not running, to another CPU. rq is locked. */
void sched_move_away(struct runq *rq, struct task *t);
/* Takes a task from another queue to ours; true if one came. Our lock is not held. */
bool sched_steal(struct runq *rq);
/*
 * From the tick of a CPU with more than one task: tells an idle CPU to come and steal,
 * or gives a task to one that has less to do. Our lock is not held.
 */
void sched_push(struct runq *rq);

/* stat.c */
/* Priority and state as tracepoints show them: 0 is the most urgent of FIFO, 120 nice 0. */
s32 sched_trace_priority(const struct task *t);
long sched_trace_state(const struct task *t);
void sched_tick_account(struct runq *rq, struct task *t, bool user);
void sched_load_tick(void);

/* fair.c */
u64 sched_nice_weight(s32 nice);
void fair_task_init(struct task *t);

/* deadline.c */
int dl_task_init(struct task *t);

#endif
