/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The deadline class: earliest deadline first with constant bandwidth servers.
 *
 * Model: a task has a budget of runtime ns in each period and must get it
 * before deadline ns have passed. The one with the earliest absolute deadline
 * runs. A task that has used its budget is throttled (off the tree, still
 * queued) until its next period starts, when a timer gives it a new budget and
 * deadline. A task that wakes with a budget too large for the time left until
 * its deadline gets a new pair (the CBS rule), so it can never take more than
 * its share.
 *
 * See: Abeni, Buttazzo, "Integrating Multimedia Applications in Hard Real-Time
 * Systems", 1998; admission: sys_sched.c.
 */
#include "kernel/sched/runq.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/time/clock.h"
#include "mm/slab.h"

static inline struct task *
task_of(struct rb_node *n)
{
	return rb_entry(n, struct task, sched.node);
}

static void
tree_insert(struct runq *rq, struct task *t)
{
	struct rb_node **link = &rq->dl_tree.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (t->sched.dl_abs < task_of(parent)->sched.dl_abs) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&t->sched.node, parent, link);
	rb_insert_cached(&t->sched.node, &rq->dl_tree, leftmost);
}

static void
tree_erase(struct runq *rq, struct task *t)
{
	rb_erase_cached(&t->sched.node, &rq->dl_tree);
	rb_clear(&t->sched.node);
}

/* A new period begins at `now`. */
static void
replenish(struct task *t, u64 now)
{
	t->sched.dl_left = (s64)t->sched.dl_runtime;
	t->sched.dl_abs = now + t->sched.dl_deadline;
}

/*
 * The embedded form of struct timer would make every task larger for the few
 * that use this class; it is allocated with the first sched_setattr().
 */
struct dl_timer {
	struct timer timer;
	struct task *task;
};

static void
period_start(struct timer *timer)
{
	struct task *t = container_of(timer, struct dl_timer, timer)->task;
	unsigned long f;
	struct runq *rq = task_runq_lock(t, &f);

	if (t->sched.throttled) {
		t->sched.throttled = false;
		rq->clock = ktime_get();
		replenish(t, rq->clock);
		if (t->sched.queued && unlikely(rq->leaving)) {
			sched_move_away(rq, t);
		} else if (t->sched.queued && t != rq->curr) {
			tree_insert(rq, t);
			runq_check_preempt(rq, t);
		}
	}
	task_runq_unlock(t, rq, f);
}

static void
throttle(struct runq *rq, struct task *t)
{
	u64 next = t->sched.dl_abs - t->sched.dl_deadline + t->sched.dl_period;

	t->sched.throttled = true;
	timer_start(t->sched.dl_timer, max(next, rq->clock + 1000));
	runq_kick(rq);
}

static void
dl_enqueue(struct runq *rq, struct task *t, bool wakeup)
{
	rq->dl_nr++;
	rb_clear(&t->sched.node);
	if (t->sched.throttled)
		return;
	/* CBS: left / (deadline - now) > runtime / deadline means a new pair. */
	if (t->sched.dl_abs <= rq->clock ||
	    (unsigned __int128)max(t->sched.dl_left, 0L) * t->sched.dl_deadline >
		    (unsigned __int128)t->sched.dl_runtime * (t->sched.dl_abs - rq->clock))
		replenish(t, rq->clock);
	tree_insert(rq, t);
}

static void
dl_dequeue(struct runq *rq, struct task *t, bool sleep)
{
	rq->dl_nr--;
	if (rb_linked(&t->sched.node))
		tree_erase(rq, t);
}

static struct task *
dl_pick(struct runq *rq)
{
	struct rb_node *n = rb_first_cached(&rq->dl_tree);

	if (!n)
		return NULL;
	tree_erase(rq, task_of(n));
	return task_of(n);
}

static void
dl_take(struct runq *rq, struct task *t)
{
	if (rb_linked(&t->sched.node))
		tree_erase(rq, t);
}

static void
dl_put_prev(struct runq *rq, struct task *t)
{
	if (t->sched.yielding) {
		t->sched.yielding = false;
		if (!t->sched.throttled) {
			t->sched.dl_left = 0;
			throttle(rq, t);
		}
	}
	if (!t->sched.throttled)
		tree_insert(rq, t);
}

static void
dl_account(struct runq *rq, struct task *t, u64 delta)
{
	t->sched.dl_left -= (s64)delta;
	if (t->sched.dl_left <= 0 && !t->sched.throttled)
		throttle(rq, t);
}

static bool
dl_preempts(struct runq *rq, struct task *curr, struct task *t)
{
	return t->sched.dl_abs < curr->sched.dl_abs;
}

static void
dl_yield(struct runq *rq, struct task *t)
{
	t->sched.yielding = true;
}

static struct task *
dl_steal(struct runq *rq, unsigned int to, u64 below)
{
	struct rb_node *n;

	if (below <= WEIGHT_RT)
		return NULL;
	for (n = rb_first_cached(&rq->dl_tree); n; n = rb_next(n))
		if (cpumask_test(&task_of(n)->sched.allowed, to) &&
		    !READ_ONCE(task_of(n)->sched.on_cpu))
			return task_of(n);
	return NULL;
}

static u64
dl_slice_left(struct runq *rq, struct task *t)
{
	return t->sched.dl_left > 0 ? (u64)t->sched.dl_left : 0;
}

/* It may have died throttled: its next period is still to come. */
void
sched_task_free(struct task *t)
{
	if (!t->sched.dl_timer)
		return;
	timer_cancel_sync(t->sched.dl_timer);
	kfree(container_of(t->sched.dl_timer, struct dl_timer, timer));
}

int
dl_task_init(struct task *t)
{
	struct timer *none = NULL;
	struct dl_timer *d;

	if (READ_ONCE(t->sched.dl_timer))
		return 0;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	timer_init(&d->timer, period_start);
	d->task = t;
	/* Somebody else may make it a deadline task at once. */
	if (!atomic_try_cmpxchg(&t->sched.dl_timer, &none, &d->timer))
		kfree(d);
	return 0;
}

const struct sched_class deadline_class = {
	.name = "deadline",
	.rank = 2,
	.enqueue = dl_enqueue,
	.dequeue = dl_dequeue,
	.pick = dl_pick,
	.take = dl_take,
	.put_prev = dl_put_prev,
	.account = dl_account,
	.preempts = dl_preempts,
	.yield = dl_yield,
	.steal = dl_steal,
	.slice_left = dl_slice_left,
};
