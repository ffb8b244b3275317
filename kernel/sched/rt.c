/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO and round-robin: one list for each of 99 priorities, the highest first.
 *
 * Real-time tasks together get at most RT_RUNTIME_NS of each RT_PERIOD_NS of a
 * CPU while others wait there, so that a spinning one cannot take the machine
 * away (sched(7), "Limiting the CPU usage of real-time processes").
 */
#include "kernel/sched/runq.h"

#define RR_SLICE_NS 100000000UL
#define RT_PERIOD_NS 1000000000UL
#define RT_RUNTIME_NS 950000000UL

static u32
priority(const struct task *t)
{
	return max(t->sched.rt_priority, t->sched.pi_priority);
}

static void
list_put(struct runq *rq, struct task *t, bool front)
{
	u32 p = priority(t);

	if (front)
		list_add(&t->sched.link, &rq->rt_queue[p]);
	else
		list_add_tail(&t->sched.link, &rq->rt_queue[p]);
	rq->rt_bitmap[p / 64] |= BIT(p % 64);
}

/* Priorities change only while a task is off the queue, so p is where it was put. */
static void
list_take(struct runq *rq, struct task *t)
{
	u32 p = priority(t);

	list_del_init(&t->sched.link);
	if (list_empty(&rq->rt_queue[p]))
		rq->rt_bitmap[p / 64] &= ~BIT(p % 64);
}

static struct task *
rt_first(struct runq *rq)
{
	u32 p;

	if (rq->rt_bitmap[1])
		p = 64 + (63 - __builtin_clzl(rq->rt_bitmap[1]));
	else if (rq->rt_bitmap[0])
		p = 63 - __builtin_clzl(rq->rt_bitmap[0]);
	else
		return NULL;
	return list_first(&rq->rt_queue[p], struct task, sched.link);
}

static void
rt_enqueue(struct runq *rq, struct task *t, bool wakeup)
{
	rq->rt_nr++;
	list_put(rq, t, false);
}

static void
rt_dequeue(struct runq *rq, struct task *t, bool sleep)
{
	rq->rt_nr--;
	if (!list_empty(&t->sched.link))
		list_take(rq, t);
}

static struct task *
rt_pick(struct runq *rq)
{
	struct task *t = rt_first(rq);

	if (!t || (rq->rt_throttled && rq->fair_nr))
		return NULL;
	list_take(rq, t);
	return t;
}

static void
rt_put_prev(struct runq *rq, struct task *t)
{
	bool to_end = t->sched.yielding;

	if (t->sched.policy == SCHED_RR && t->sched.rr_left == 0) {
		t->sched.rr_left = RR_SLICE_NS;
		to_end = true;
	}
	t->sched.yielding = false;
	/* Preempted: stays first of its priority (sched(7)). */
	list_put(rq, t, !to_end);
}

static void
rt_account(struct runq *rq, struct task *t, u64 delta)
{
	if (rq->clock - rq->rt_period_start >= RT_PERIOD_NS) {
		rq->rt_period_start = rq->clock;
		rq->rt_time = 0;
		rq->rt_throttled = false;
	}
	rq->rt_time += delta;
	if (rq->rt_time > RT_RUNTIME_NS && !rq->rt_throttled) {
		rq->rt_throttled = true;
		if (rq->fair_nr)
			runq_kick(rq);
	}
	if (t->sched.policy != SCHED_RR)
		return;
	t->sched.rr_left -= min(t->sched.rr_left, delta);
	if (t->sched.rr_left == 0 && !list_empty(&rq->rt_queue[priority(t)]))
		runq_kick(rq);
}

static bool
rt_preempts(struct runq *rq, struct task *curr, struct task *t)
{
	return priority(t) > priority(curr);
}

static void
rt_yield(struct runq *rq, struct task *t)
{
	t->sched.yielding = true;
}

static struct task *
rt_steal(struct runq *rq, unsigned int to, u64 below)
{
	struct task *t;
	u32 p;

	if (below <= WEIGHT_RT)
		return NULL;
	for (p = RT_PRIORITIES; p-- > 1;)
		list_for_each_entry(t, &rq->rt_queue[p], sched.link)
			if (cpumask_test(&t->sched.allowed, to) && !READ_ONCE(t->sched.on_cpu))
				return t;
	return NULL;
}

static u64
rt_slice_left(struct runq *rq, struct task *t)
{
	if (t->sched.policy != SCHED_RR)
		return U64_MAX;
	if (t->sched.rr_left == 0)
		t->sched.rr_left = RR_SLICE_NS;
	return t->sched.rr_left;
}

const struct sched_class rt_class = {
	.name = "rt",
	.rank = 1,
	.enqueue = rt_enqueue,
	.dequeue = rt_dequeue,
	.pick = rt_pick,
	.take = list_take,
	.put_prev = rt_put_prev,
	.account = rt_account,
	.preempts = rt_preempts,
	.yield = rt_yield,
	.steal = rt_steal,
	.slice_left = rt_slice_left,
};
