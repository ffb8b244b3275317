/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fair class: EEVDF, earliest eligible virtual deadline first.
 *
 * Model: each task has a weight w and a virtual runtime v, which advances by
 * real time / w. V is the weighted average of all runnable v. A task is owed
 * service (its lag is positive) when v <= V: then it is eligible. Each request
 * for a slice has a virtual deadline v + slice / w; the eligible task with the
 * earliest deadline runs. Lag is kept over a sleep, bounded by two slices, so
 * that sleeping earns no service; what was had too early is paid by waiting,
 * asleep or queued.
 *
 * Who wakes is served before those who only compute, in the order of waking, as
 * soon as it is eligible: its share is what it was, but it does not wait until
 * all others have had their turn. Deadlines alone do not give that: where turns
 * are longer than asked for (ticks that come late), many are overdue and come
 * first.
 *
 * The tree is ordered by deadline and augmented by the least v of each subtree:
 * a subtree whose least v is not eligible is skipped, so a pick is O(log n).
 * V is kept as sum(w * (v - fair_min)) and sum(w), where fair_min follows the
 * queue to keep the products small. The running task is out of the tree but in
 * both sums.
 *
 * See: Stoica, Abdel-Wahab, "Earliest Eligible Virtual Deadline First", 1995.
 */
#include "kernel/sched/runq.h"

#include "lib/muldiv.h"

/* A request, in ns; SCHED_BATCH and SCHED_IDLE ask for longer ones. */
#define SLICE_NS 3000000UL
#define SLICE_BATCH_NS 12000000UL
/* The part of a slice that the lightest tasks ask for. */
#define LIGHTEST_PART 12u
/* Weight of nice 0; v has this many bits below a nanosecond's unit. */
#define WEIGHT_0 1024UL
#define WEIGHT_IDLE 3UL

/* 1024 * 1.25^-nice, for nice -20 to 19: one step is 10 % of the CPU. */
static const u32 weights[40] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
	1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
	110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

u64
sched_nice_weight(s32 nice)
{
	return weights[clamp(nice, -20, 19) + 20];
}

static inline struct task *
task_of(struct rb_node *n)
{
	return rb_entry(n, struct task, sched.node);
}

/* Real nanoseconds in the virtual time of weight w. */
static s64
to_virtual(u64 ns, u64 w)
{
	if (likely(w == WEIGHT_0))
		return (s64)ns;
	return (s64)(ns * WEIGHT_0 / w);
}

static bool
subtree_update(struct rb_node *n)
{
	struct task *t = task_of(n);
	s64 m = t->sched.vruntime;

	if (n->left)
		m = min(m, task_of(n->left)->sched.min_vruntime);
	if (n->right)
		m = min(m, task_of(n->right)->sched.min_vruntime);
	if (m == t->sched.min_vruntime)
		return false;
	t->sched.min_vruntime = m;
	return true;
}

static void
sums_add(struct runq *rq, struct task *t)
{
	rq->fair_sum_w_v += (s64)t->sched.weight * (t->sched.vruntime - rq->fair_min);
	rq->fair_sum_w += t->sched.weight;
}

static void
sums_sub(struct runq *rq, struct task *t)
{
	rq->fair_sum_w_v -= (s64)t->sched.weight * (t->sched.vruntime - rq->fair_min);
	rq->fair_sum_w -= t->sched.weight;
}

/* V, rounded down. */
static s64
average(struct runq *rq)
{
	s64 s = rq->fair_sum_w_v, w = (s64)rq->fair_sum_w;

	if (w == 0)
		return rq->fair_min;
	if (s < 0)
		s -= w - 1;
	return rq->fair_min + s / w;
}

/* v <= V without the division: w_sum * (v - min) <= sum. */
static bool
eligible(struct runq *rq, s64 v)
{
	return (v - rq->fair_min) * (s64)rq->fair_sum_w <= rq->fair_sum_w_v;
}

/* Moves the reference point to V now and then, long before products could overflow. */
static void
rebase(struct runq *rq)
{
	s64 d = average(rq) - rq->fair_min;

	if (d > -(1L << 32) && d < (1L << 32))
		return;
	rq->fair_sum_w_v -= d * (s64)rq->fair_sum_w;
	rq->fair_min += d;
}

/*
 * Who weighs less than the others asks for less at a time: a task is off its share by a
 * request at most, which of a small share would be much. It runs seldom, so that the
 * switches are few.
 */
static void
new_request(struct runq *rq, struct task *t)
{
	u64 w = t->sched.weight * rq->fair_nr, slice = t->sched.slice;

	if (w < rq->fair_sum_w)
		slice = max(slice * w / rq->fair_sum_w, slice / LIGHTEST_PART);
	t->sched.vdeadline = t->sched.vruntime + to_virtual(slice, t->sched.weight);
}

static void
tree_insert(struct runq *rq, struct task *t)
{
	struct rb_node **link = &rq->fair_tree.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (t->sched.vdeadline < task_of(parent)->sched.vdeadline) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	t->sched.min_vruntime = t->sched.vruntime;
	rb_link(&t->sched.node, parent, link);
	rb_insert_augmented_cached(&t->sched.node, &rq->fair_tree, leftmost, subtree_update);
}

static void
tree_erase(struct runq *rq, struct task *t)
{
	list_del_init(&t->sched.link);
	rb_erase_augmented_cached(&t->sched.node, &rq->fair_tree, subtree_update);
	rb_clear(&t->sched.node);
}

/* Behind others that have woken, unless it weighs more than the first. */
static void
woken_add(struct runq *rq, struct task *t)
{
	struct list *woken = &rq->fair_woken;

	if (!list_empty(woken) &&
	    t->sched.weight > list_first(woken, struct task, sched.link)->sched.weight)
		list_add(&t->sched.link, woken);
	else
		list_add_tail(&t->sched.link, woken);
}

void
fair_task_init(struct task *t)
{
	rb_clear(&t->sched.node);
	t->sched.weight =
		t->sched.policy == SCHED_IDLE ? WEIGHT_IDLE : sched_nice_weight(t->sched.nice);
	t->sched.slice = t->sched.policy == SCHED_BATCH || t->sched.policy == SCHED_IDLE
				 ? SLICE_BATCH_NS
				 : SLICE_NS;
}

static void
fair_enqueue(struct runq *rq, struct task *t, bool wakeup)
{
	u64 asleep = wakeup && t->sched.slept ? min(rq->clock - t->sched.queued_at, 1UL << 40) : 0;
	s64 lag = t->sched.vlag, limit;

	fair_task_init(t);
	/* V has gone on meanwhile, about as if it had been here. */
	if (lag < 0)
		lag = min(lag + to_virtual(asleep, rq->fair_sum_w + t->sched.weight), 0);
	/*
	 * Joining with lag l moves V by -l * w / (W + w); scale it up so that
	 * what is left after joining is l.
	 */
	limit = to_virtual(2 * t->sched.slice, t->sched.weight);
	lag = clamp(lag, -limit, limit);
	if (rq->fair_sum_w)
		lag = lag * (s64)(rq->fair_sum_w + t->sched.weight) / (s64)rq->fair_sum_w;
	t->sched.vruntime = average(rq) - lag;
	new_request(rq, t);
	if (rq->fair_nr++ == 0 && rq->fair_sum_w == 0) {
		rq->fair_min = t->sched.vruntime;
		rq->fair_sum_w_v = 0;
	}
	sums_add(rq, t);
	tree_insert(rq, t);
	if (wakeup && t->sched.slept && t->sched.policy == SCHED_OTHER)
		woken_add(rq, t);
}

static void
fair_dequeue(struct runq *rq, struct task *t, bool sleep)
{
	t->sched.vlag = average(rq) - t->sched.vruntime;
	if (rb_linked(&t->sched.node))
		tree_erase(rq, t);
	rq->fair_nr--;
	sums_sub(rq, t);
}

/* The first of those that have woken and are eligible, among some. */
static struct task *
woken_first(struct runq *rq)
{
	struct task *t;
	int looks = 4;

	list_for_each_entry(t, &rq->fair_woken, sched.link) {
		if (eligible(rq, t->sched.vruntime))
			return t;
		if (--looks == 0)
			break;
	}
	return NULL;
}

/* The eligible task with the earliest deadline: left subtrees first, pruned by least v. */
static struct task *
fair_best(struct runq *rq)
{
	struct rb_node *n = rq->fair_tree.leftmost, *best = NULL;
	struct task *woken = woken_first(rq);

	if (woken)
		return woken;
	if (!n || eligible(rq, task_of(n)->sched.vruntime))
		return n ? task_of(n) : NULL;
	n = rq->fair_tree.root.node;
	while (n) {
		if (n->left && eligible(rq, task_of(n->left)->sched.min_vruntime)) {
			n = n->left;
			continue;
		}
		if (eligible(rq, task_of(n)->sched.vruntime)) {
			best = n;
			break;
		}
		n = n->right;
	}
	/* By rounding nobody may seem eligible: the earliest deadline will do. */
	return task_of(best ? best : rq->fair_tree.leftmost);
}

static struct task *
fair_pick(struct runq *rq)
{
	struct task *t = fair_best(rq);

	if (t)
		tree_erase(rq, t);
	return t;
}

static void
fair_take(struct runq *rq, struct task *t)
{
	tree_erase(rq, t);
}

static void
fair_put_prev(struct runq *rq, struct task *t)
{
	tree_insert(rq, t);
}

static void
fair_account(struct runq *rq, struct task *t, u64 delta)
{
	s64 v = to_virtual(delta, t->sched.weight);

	t->sched.vruntime += v;
	rq->fair_sum_w_v += (s64)t->sched.weight * v;
	if (unlikely(t->sched.vruntime >= t->sched.vdeadline)) {
		new_request(rq, t);
		rebase(rq);
		if (rq->nr_running > 1)
			runq_kick(rq);
	}
}

static bool
fair_preempts(struct runq *rq, struct task *curr, struct task *t)
{
	if (t->sched.policy == SCHED_IDLE && curr->sched.policy != SCHED_IDLE)
		return false;
	if (curr->sched.policy == SCHED_IDLE && t->sched.policy != SCHED_IDLE)
		return true;
	if (t->sched.policy == SCHED_BATCH)
		return false;
	return eligible(rq, t->sched.vruntime) &&
	       (t->sched.vdeadline < curr->sched.vdeadline || !eligible(rq, curr->sched.vruntime));
}

/* Gives up the rest of the request. */
static void
fair_yield(struct runq *rq, struct task *t)
{
	s64 rest = t->sched.vdeadline - t->sched.vruntime;

	if (rest > 0 && rq->fair_nr > 1)
		t->sched.vdeadline += to_virtual(t->sched.slice, t->sched.weight);
}

/* The last one in deadline order that may go: it would have waited longest. */
static struct task *
fair_steal(struct runq *rq, unsigned int to, u64 below)
{
	struct rb_node *n;
	int tries = 8;

	for (n = rb_last(&rq->fair_tree.root); n && tries--; n = rb_prev(n))
		if (cpumask_test(&task_of(n)->sched.allowed, to) &&
		    task_of(n)->sched.weight < below && !READ_ONCE(task_of(n)->sched.on_cpu))
			return task_of(n);
	return NULL;
}

static u64
fair_slice_left(struct runq *rq, struct task *t)
{
	s64 v = t->sched.vdeadline - t->sched.vruntime;

	if (v <= 0)
		return 0;
	return t->sched.weight == WEIGHT_0 ? (u64)v : (u64)v * t->sched.weight / WEIGHT_0;
}

const struct sched_class fair_class = {
	.name = "fair",
	.rank = 0,
	.enqueue = fair_enqueue,
	.dequeue = fair_dequeue,
	.pick = fair_pick,
	.take = fair_take,
	.put_prev = fair_put_prev,
	.account = fair_account,
	.preempts = fair_preempts,
	.yield = fair_yield,
	.steal = fair_steal,
	.slice_left = fair_slice_left,
};
