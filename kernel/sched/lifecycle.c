/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's beginnings and ends: queues at boot, idle loops, the tick,
 * new and exiting tasks.
 *
 * A CPU takes ticks while it runs tasks; the idle loop lets the last one lapse
 * and then sleeps until an interrupt, so an idle CPU costs nothing.
 */
#include "kernel/sched/runq.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/hotplug.h"
#include "kernel/lockup.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/port.h"
#include "kernel/time/clock.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "percpu/mailbox.h"
#include "percpu/trace/events.h"
#include "percpu/work.h"
#include "sync/rcu.h"

static LOCK_CLASS(runq_lock_class, RANK_RUNQ);

extern u8 boot_stack[];

/* --- the tick --- */

static void
tick(struct timer *timer)
{
	struct runq *rq = container_of(timer, struct runq, tick);
	struct task *t = rq->curr;
	bool user = arch_irq_user();

	if (t == rq->idle && !rcu_needs_cpu_oncpu()) {
		rq->tick_on = false;
		return;
	}
	spin_lock(&rq->lock);
	runq_update(rq);
	sched_tick_account(rq, t, user);
	spin_unlock(&rq->lock);
	if (user)
		rcu_quiescent_oncpu();
	if (t != rq->idle) {
		task_tick(t, user);
		lockup_tick_oncpu(rq->clock, rq->sched_count);
	}
	if (rq->nr_running > 1)
		sched_push(rq);
	else
		rq->heavy_ticks = 0;
	/* Its affinity changed while it was between running and queued: nobody took it. */
	if (unlikely(t != rq->idle && !cpumask_test(&t->sched.allowed, rq->cpu)))
		runq_kick(rq);
	if (rq->cpu == 0)
		sched_load_tick();
	timer_start(timer, rq->clock + TICK_NS);
}

static void
slice_end(struct timer *timer)
{
	struct runq *rq = container_of(timer, struct runq, slice_timer);
	u64 left;

	spin_lock(&rq->lock);
	runq_update(rq);
	if (rq->nr_running > 1 && rq->curr != rq->idle &&
	    this_cpu_read(pin_count) & PIN_NO_RESCHED) {
		left = rq->curr->sched.class->slice_left(rq, rq->curr);
		if (left != U64_MAX)
			timer_start(timer, rq->clock + max(left, SLICE_LEAST_NS));
	}
	spin_unlock(&rq->lock);
}

/* --- boot --- */

static void
runq_init(struct runq *rq, unsigned int cpu, struct task *idle)
{
	unsigned int i;

	rq->cpu = cpu;
	rq->idle = idle;
	rq->curr = idle;
	rq->idling = true;
	spin_init(&rq->lock, &runq_lock_class);
	rq->fair_tree = RB_ROOT_CACHED;
	list_init(&rq->fair_woken);
	rq->dl_tree = RB_ROOT_CACHED;
	for (i = 0; i < RT_PRIORITIES; i++)
		list_init(&rq->rt_queue[i]);
	timer_init(&rq->tick, tick);
	timer_init(&rq->slice_timer, slice_end);
	rq->clock = rq->idle_since = ktime_get();
}

struct task *
sched_idle_create(unsigned int cpu)
{
	struct task *t = task_alloc_idle(cpu);

	if (!t)
		return NULL;
	t->sched.cpu = cpu;
	t->sched.state = STATE_RUNNING;
	t->sched.on_cpu = 1;
	t->sched.policy = SCHED_IDLE;
	t->sched.class = &fair_class;
	t->sched.bound = true;
	cpumask_set(&t->sched.allowed, cpu);
	t->sched.nr_allowed = 1;
	runq_init(runq_of(cpu), cpu, t);
	cpu_of(current_task, cpu) = t;
	return t;
}

void
sched_init(void)
{
	struct task *idle;

	idle = sched_idle_create(0);
	if (!idle)
		panic("sched: no memory");
	/* We run on the boot stack and stay on it. */
	kstack_free(idle->stack);
	idle->stack = boot_stack;
}

void
sched_start_cpu(void)
{
	irq_enable();
	sched_idle_loop();
}

/* --- idle --- */

static void
idle_once(struct runq *rq)
{
	mailbox_drain_oncpu();
	if (READ_ONCE(rq->nr_running) || sched_steal(rq)) {
		this_cpu_and(pin_count, ~PIN_NO_RESCHED);
		return;
	}
	if (!(this_cpu_read(pin_count) & PIN_NO_RESCHED))
		return;
	if (rcu_needs_cpu_oncpu() && !rq->tick_on) {
		rq->tick_on = true;
		timer_start(&rq->tick, ktime_get() + TICK_NS);
	}
	trace_cpu_idle(1, rq->cpu);
	rcu_idle_enter_oncpu();
	arch_idle();
	rcu_idle_leave_oncpu();
	trace_cpu_idle(U32_MAX, rq->cpu);
}

void
sched_idle_loop(void)
{
	struct runq *rq = this_runq();

	for (;;) {
		irq_disable();
		if (unlikely(READ_ONCE(rq->leaving)))
			cpu_die_oncpu();
		idle_once(rq);
		irq_enable();
		if (!(this_cpu_read(pin_count) & PIN_NO_RESCHED))
			sched_yield_now();
	}
}

/* --- tasks come and go --- */

int
sched_fork(struct task *child, struct task *parent, bool reset_on_fork_ok)
{
	struct sched_task *s = &child->sched;
	const struct sched_task *p = &parent->sched;

	memset(s, 0, sizeof(*s));
	s->state = STATE_NEW | STATE_ASLEEP;
	s->policy = p->policy;
	s->nice = p->nice;
	s->rt_priority = p->rt_priority;
	if (p->policy == SCHED_DEADLINE && !p->reset_on_fork)
		return -EAGAIN;
	if (p->reset_on_fork && reset_on_fork_ok) {
		if (p->policy == SCHED_FIFO || p->policy == SCHED_RR ||
		    p->policy == SCHED_DEADLINE) {
			s->policy = SCHED_OTHER;
			s->rt_priority = 0;
			s->nice = 0;
		} else if (s->nice < 0) {
			s->nice = 0;
		}
	}
	if (p == &runq_of(p->cpu)->idle->sched)
		s->policy = SCHED_OTHER;
	s->vlag = 0;
	s->cpu = p->cpu;
	s->allowed = p->allowed;
	s->nr_allowed = p->nr_allowed;
	if (p->bound) {
		cpumask_fill(&s->allowed);
		s->nr_allowed = nr_cpus;
	}
	rb_clear(&s->node);
	list_init(&s->link);
	fair_task_init(child);
	sched_set_class(child);
	return 0;
}

void
sched_start_task(struct task *t)
{
	unsigned long f = irq_save();
	unsigned int cpu = sched_select_cpu(t, true);

	trace_sched_wakeup_new(t->comm, t->tid, sched_trace_priority(t), cpu);
	atomic_set(&t->sched.state, STATE_WAKING);
	if (cpu == cpu_id())
		sched_wake_enqueue_oncpu(t);
	else
		sched_wake_post(cpu, t);
	irq_restore(f);
	cond_resched();
}

void
sched_exit_task(void)
{
	pin();
	WRITE_ONCE(current->sched.state, STATE_DEAD);
	unpin_no_resched();
	for (;;)
		schedule();
}
