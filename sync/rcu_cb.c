/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RCU: callbacks. sync/rcu.c tells the model.
 *
 * Model: a CPU keeps its callbacks in four lists, by what they wait for:
 *
 *      NEXT     nothing has been asked for yet
 *      READY    the grace period with number seq[READY]
 *      WAIT     the one with number seq[WAIT], which is earlier
 *      DONE     nothing: the work thread runs them
 *
 * A callback only moves towards DONE, and lists are joined in order, so the
 * callbacks of a CPU run in the order in which they were queued. rcu_barrier()
 * depends on that.
 *
 * The first callback on a CPU starts a timer; what comes until it fires shares a
 * grace period. It fires again until the lists are empty: a CPU looks after its
 * own callbacks, and no other has to tell it when a grace period has ended. What
 * it waits for it leaves in rcu_cpu.wish, where the keeper finds it. Only a CPU
 * with a long queue, and barriers, ask for themselves and to be told (gp.hurry).
 *
 * Ownership: the lists belong to their CPU and are touched with interrupts off.
 * What a CPU leaves when it goes down is adopted by the next CPU that looks.
 *
 * Limits: a callback cannot fail, so the queue has none; rcu_queued and
 * rcu_invoked show how far the one runs ahead of the other, and a long queue
 * hurries grace periods and lets the thread run more at a time.
 */
#include "sync/rcu_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"
#include "sync/completion.h"
#include "sync/mutex.h"

DEFINE_PERCPU_ALIGNED(struct rcu_cpu, rcu_cpu);
DEFINE_COUNTER(rcu_queued);
DEFINE_COUNTER(rcu_invoked);

static void invoke(struct work *w);

static bool
rlist_empty(const struct rcu_list *l)
{
	return l->head == NULL;
}

static void
rlist_add(struct rcu_list *l, struct rcu_head *h)
{
	if (rlist_empty(l))
		l->tail = &l->head;
	h->next = NULL;
	*l->tail = h;
	l->tail = &h->next;
}

/* Appends `from` to `to`; `from` becomes empty. */
static void
rlist_join(struct rcu_list *to, struct rcu_list *from)
{
	if (rlist_empty(from))
		return;
	if (rlist_empty(to))
		to->tail = &to->head;
	*to->tail = from->head;
	to->tail = from->tail;
	from->head = NULL;
}

/* Takes up to n callbacks from the front of `from`; *n: how many. */
static struct rcu_head *
rlist_cut(struct rcu_list *from, u32 *n)
{
	struct rcu_head *first = from->head, **end = &from->head;
	u32 i;

	for (i = 0; i < *n && *end != NULL; i++)
		end = &(*end)->next;
	*n = i;
	if (i == 0)
		return NULL;
	from->head = *end;
	*end = NULL;
	return first;
}

/* Have the callbacks in list s got what they wait for? */
static bool
reached(const struct rcu_cpu *c, enum rcu_segment s)
{
	return !rlist_empty(&c->lists[s]) && rcu_seq_done(c->seq[s]);
}

static void
move_reached(struct rcu_cpu *c)
{
	while (reached(c, RCU_WAIT)) {
		rlist_join(&c->lists[RCU_DONE], &c->lists[RCU_WAIT]);
		rlist_join(&c->lists[RCU_WAIT], &c->lists[RCU_READY]);
		c->seq[RCU_WAIT] = c->seq[RCU_READY];
	}
}

/* Gives what is in NEXT a number to wait for, if a list for that number is free. */
static void
assign_next(struct rcu_cpu *c)
{
	u64 seq;

	if (rlist_empty(&c->lists[RCU_NEXT]))
		return;
	seq = rcu_seq_snap();
	for (enum rcu_segment s = RCU_WAIT; s <= RCU_READY; s++) {
		if (!rlist_empty(&c->lists[s]) && c->seq[s] != seq)
			continue;
		c->seq[s] = seq;
		rlist_join(&c->lists[s], &c->lists[RCU_NEXT]);
		return;
	}
}

static bool
is_waiting(const struct rcu_cpu *c)
{
	return !rlist_empty(&c->lists[RCU_WAIT]) || !rlist_empty(&c->lists[RCU_READY]) ||
	       !rlist_empty(&c->lists[RCU_NEXT]);
}

/* The last number that anything here waits for; 0: none. */
static u64
wanted_seq(const struct rcu_cpu *c)
{
	if (!rlist_empty(&c->lists[RCU_READY]))
		return c->seq[RCU_READY];
	return rlist_empty(&c->lists[RCU_WAIT]) ? 0 : c->seq[RCU_WAIT];
}

static void
update_long_queue(struct rcu_cpu *c)
{
	bool is_long = c->len > RCU_LONG_QUEUE;

	if (is_long == c->long_queue)
		return;
	c->long_queue = is_long;
	atomic_add(&rcu_gp.hurry, is_long ? 1u : -1u);
}

static void
adopt_orphans(struct rcu_cpu *c)
{
	struct rcu_list l;
	unsigned long flags;
	u32 n = 0;

	if (READ_ONCE(rcu_gp.orphans) == NULL)
		return;
	flags = spin_lock_irq(&rcu_gp.lock);
	l.head = rcu_gp.orphans;
	l.tail = rcu_gp.orphans_tail;
	WRITE_ONCE(rcu_gp.orphans, NULL);
	rcu_gp.orphans_tail = &rcu_gp.orphans;
	for (struct rcu_head *h = l.head; h != NULL; h = h->next)
		n++;
	rlist_join(&c->lists[RCU_NEXT], &l);
	WRITE_ONCE(c->len, c->len + n);
	spin_unlock_irq(&rcu_gp.lock, flags);
}

void
rcu_callbacks_advance_oncpu(void)
{
	struct rcu_cpu *c = this_cpu_ptr(&rcu_cpu);
	bool ready, waiting;
	unsigned long flags;
	u64 seq;

	adopt_orphans(c);
	flags = irq_save();
	update_long_queue(c);
	move_reached(c);
	if (!c->collecting || READ_ONCE(rcu_gp.hurry) != 0)
		assign_next(c);
	c->collecting = false;
	seq = wanted_seq(c);
	ready = !rlist_empty(&c->lists[RCU_DONE]);
	waiting = is_waiting(c);
	c->armed = waiting;
	irq_restore(flags);
	if (ready) {
		c->work.fn = invoke;
		work_post_here(&c->work);
	}
	if (waiting)
		rcu_port_arm(RCU_COLLECT_NS);
	if (READ_ONCE(rcu_gp.hurry) == 0) {
		rcu_gp_wish_oncpu(seq);
	} else if (seq != 0 && rcu_gp_request(seq)) {
		rcu_gp_advance(false);
	}
}

/* The work thread: runs a batch of what is done. */
static void
invoke(struct work *w)
{
	struct rcu_cpu *c = container_of(w, struct rcu_cpu, work);
	u32 n = max((u32)RCU_BATCH, READ_ONCE(c->len) / 8), ran = 0;
	unsigned long flags = irq_save();
	struct rcu_head *h = rlist_cut(&c->lists[RCU_DONE], &n), *next;
	bool more;

	irq_restore(flags);
	for (; h != NULL; h = next) {
		next = h->next;
		/* A callback may not sleep, and ends before a preemption. */
		pin();
		h->fn(h);
		unpin();
		ran++;
	}
	DEBUG_ASSERT(ran == n);
	counter_add(rcu_invoked, ran);
	trace_rcu_batch_end("rcu", (int)ran);
	flags = irq_save();
	WRITE_ONCE(c->len, c->len - ran);
	update_long_queue(c);
	more = !rlist_empty(&c->lists[RCU_DONE]);
	irq_restore(flags);
	if (more)
		work_post_here(&c->work);
}

/*
 * The first callback starts the timer; one too many does not wait for it. Pinned.
 * Where the caller may hold a lock, the poke's interrupt does it.
 */
static __noinline void
queue_attend(struct rcu_cpu *c)
{
	bool is_long = c->len > RCU_LONG_QUEUE;

	if (!is_long && !irqs_disabled() && (this_cpu_read(pin_count) & ~PIN_NO_RESCHED) == PIN_ONE)
		rcu_port_arm(RCU_COLLECT_NS);
	else
		rcu_poke(cpu_id());
}

void
rcu_call(struct rcu_head *h, void (*fn)(struct rcu_head *h))
{
	unsigned long flags = irq_save();
	struct rcu_cpu *c = this_cpu_ptr(&rcu_cpu);

	h->fn = fn;
	rlist_add(&c->lists[RCU_NEXT], h);
	WRITE_ONCE(c->len, c->len + 1);
	counter_inc(rcu_queued);
	if (likely(c->armed && c->len != RCU_LONG_QUEUE + 1)) {
		irq_restore(flags);
		return;
	}
	/* Nothing can be started on a CPU that is not up yet; its next callback tries again. */
	if (cpu_online(cpu_id())) {
		c->collecting = !c->armed;
		c->armed = true;
	}
	pin();
	irq_restore(flags);
	if (cpu_online(cpu_id()))
		queue_attend(c);
	unpin();
}

void
rcu_callbacks_orphan_oncpu(void)
{
	struct rcu_cpu *c = this_cpu_ptr(&rcu_cpu);
	struct rcu_list all = {0};
	unsigned long flags;

	/* They wait anew, which is longer than they must. */
	for (enum rcu_segment s = RCU_DONE; s < RCU_SEGMENTS; s++)
		rlist_join(&all, &c->lists[s]);
	WRITE_ONCE(c->len, 0);
	WRITE_ONCE(c->wish, 0);
	update_long_queue(c);
	/* No timer comes; the first callback when it is up again starts one. */
	c->armed = false;
	c->collecting = false;
	if (rlist_empty(&all))
		return;
	flags = spin_lock_irq(&rcu_gp.lock);
	*rcu_gp.orphans_tail = all.head;
	rcu_gp.orphans_tail = all.tail;
	spin_unlock_irq(&rcu_gp.lock, flags);
}

static LOCK_CLASS(rcu_barrier_class, RANK_RCU_SYNC);
static struct mutex barrier_lock = MUTEX_INIT(barrier_lock, rcu_barrier_class);
/* a  CPUs whose callbacks have not run, and the barrier's own bias */
static u32 barrier_left;
static struct completion barrier_done = {.wait = WAITQ_INIT(barrier_done.wait)};

static void
barrier_passed(struct rcu_head *h)
{
	if (atomic_dec_and_test(&barrier_left))
		complete(&barrier_done);
}

/* On each CPU, interrupts off: a callback behind all that are there. */
static void
barrier_queue(void *arg)
{
	struct rcu_cpu *c = this_cpu_ptr(&rcu_cpu);

	if (c->len == 0 && READ_ONCE(rcu_gp.orphans) == NULL)
		return;
	adopt_orphans(c);
	atomic_inc(&barrier_left);
	rcu_call(&c->barrier, barrier_passed);
	rcu_poke(cpu_id());
}

void
rcu_barrier_hold(void)
{
	mutex_lock(&barrier_lock);
}

void
rcu_barrier_release(void)
{
	mutex_unlock(&barrier_lock);
}

void
rcu_barrier(void)
{
	assert_may_sleep();
	if (sync_current() == NULL)
		return;
	mutex_lock(&barrier_lock);
	atomic_inc(&rcu_gp.hurry);
	atomic_set(&barrier_left, 1);
	cpu_call_mask(&cpu_online_mask, barrier_queue, NULL);
	if (!atomic_dec_and_test(&barrier_left))
		completion_wait(&barrier_done);
	atomic_dec(&rcu_gp.hurry);
	mutex_unlock(&barrier_lock);
}
