/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a tree a CPU, ordered by expiry, and the hardware programmed for the
 * first one.
 *
 * Ownership: a timer belongs to the queue of the CPU that started it; its fn
 * runs there. Another CPU may take it out (cancel, restart) under that queue's
 * lock and leaves the hardware alone: the owner then finds nothing due.
 *
 * Locking: queue lock (RANK_TIMER), interrupts off; fn runs without it.
 *
 * States of timer->state: IDLE -> QUEUED (start) -> RUNNING (expired) -> IDLE,
 * or QUEUED again when fn starts it. cpu is only written under the lock of the
 * queue that it names, or by who moves an idle timer.
 */
#include "kernel/time/timer.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/port.h"
#include "kernel/time/clock.h"
#include "percpu/percpu.h"
#include "percpu/trace/events.h"
#include "sync/spinlock.h"

enum { TIMER_IDLE, TIMER_QUEUED };

static LOCK_CLASS(timer_class, RANK_TIMER);

struct timer_queue {
	struct spinlock lock;
	/* l  */
	struct rb_root_cached tree;
	/* l  what runs now; compared by timer_cancel_sync() */
	struct timer *running;
	/* o  what the hardware is programmed for */
	u64 programmed;
	/* o  in timer_interrupt_oncpu(): programs at its end */
	bool busy;
};

static DEFINE_PERCPU_ALIGNED(struct timer_queue, timer_queue) = {
	.lock = SPINLOCK_INIT(timer_class),
	.programmed = NO_DEADLINE,
};

static inline struct timer *
timer_of(struct rb_node *n)
{
	return rb_entry_or_null(n, struct timer, node);
}

void
timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	rb_clear(&t->node);
	t->expires = 0;
	t->cpu = cpu_id();
	t->state = TIMER_IDLE;
	t->fn = fn;
}

static void
queue_insert(struct timer_queue *q, struct timer *t)
{
	struct rb_node **link = &q->tree.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (t->expires < timer_of(parent)->expires) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&t->node, parent, link);
	rb_insert_cached(&t->node, &q->tree, leftmost);
	t->state = TIMER_QUEUED;
}

static void
queue_erase(struct timer_queue *q, struct timer *t)
{
	rb_erase_cached(&t->node, &q->tree);
	rb_clear(&t->node);
	t->state = TIMER_IDLE;
}

/* The queue t is on or was on last, locked. */
static struct timer_queue *
timer_lock(struct timer *t, unsigned long *f)
{
	struct timer_queue *q;
	u32 cpu;

	for (;;) {
		cpu = READ_ONCE(t->cpu);
		q = &cpu_of(timer_queue, cpu);
		*f = spin_lock_irq(&q->lock);
		if (likely(READ_ONCE(t->cpu) == cpu))
			return q;
		spin_unlock_irq(&q->lock, *f);
	}
}

/* Owner CPU, lock held. A later deadline than programmed only costs one early interrupt. */
static void
reprogram(struct timer_queue *q)
{
	struct timer *first = timer_of(rb_first_cached(&q->tree));
	u64 want = first ? first->expires : NO_DEADLINE;

	if (q->busy || want >= q->programmed)
		return;
	q->programmed = want;
	arch_clock_program(want);
}

void
timer_start(struct timer *t, u64 expires)
{
	unsigned long f = irq_save(), g;
	struct timer_queue *q = timer_lock(t, &g), *here = &this_cpu(timer_queue);

	if (t->state == TIMER_QUEUED)
		queue_erase(q, t);
	if (q != here) {
		/* Idle and unlocked for a moment: starts of one timer are the caller's to order. */
		WRITE_ONCE(t->cpu, cpu_id());
		spin_unlock_irq(&q->lock, g);
		q = here;
		g = spin_lock_irq(&q->lock);
		if (t->state == TIMER_QUEUED)
			queue_erase(q, t);
	}
	t->expires = expires;
	trace_hrtimer_start(t, t->fn, (s64)expires);
	queue_insert(q, t);
	reprogram(q);
	spin_unlock_irq(&q->lock, g);
	irq_restore(f);
}

bool
timer_cancel(struct timer *t)
{
	unsigned long f;
	struct timer_queue *q = timer_lock(t, &f);
	bool queued = t->state == TIMER_QUEUED;

	if (queued) {
		trace_hrtimer_cancel(t);
		queue_erase(q, t);
	}
	spin_unlock_irq(&q->lock, f);
	return queued;
}

bool
timer_cancel_sync(struct timer *t)
{
	bool queued = false, running;
	struct timer_queue *q;
	unsigned long f;

	do {
		q = timer_lock(t, &f);
		if (t->state == TIMER_QUEUED) {
			trace_hrtimer_cancel(t);
			queue_erase(q, t);
			queued = true;
		}
		running = q->running == t;
		spin_unlock_irq(&q->lock, f);
		if (running)
			cpu_relax();
	} while (running);
	return queued;
}

bool
timer_pending(const struct timer *t)
{
	return READ_ONCE(t->state) == TIMER_QUEUED;
}

u64
timer_remaining(const struct timer *t)
{
	u64 now = ktime_get(), at = READ_ONCE(t->expires);

	if (!timer_pending(t))
		return 0;
	return at > now ? at - now : 1;
}

void
timer_interrupt_oncpu(void)
{
	struct timer_queue *q = &this_cpu(timer_queue);
	struct timer *t;

	spin_lock(&q->lock);
	q->busy = true;
	q->programmed = NO_DEADLINE;
	for (;;) {
		t = timer_of(rb_first_cached(&q->tree));
		if (!t || t->expires > ktime_get())
			break;
		queue_erase(q, t);
		q->running = t;
		spin_unlock(&q->lock);
		trace_hrtimer_expire_entry(t, (s64)ktime_get(), t->fn);
		t->fn(t);
		trace_hrtimer_expire_exit(t);
		spin_lock(&q->lock);
		/* t may be gone by now. */
		q->running = NULL;
	}
	q->busy = false;
	reprogram(q);
	spin_unlock(&q->lock);
}

void
timer_adopt(unsigned int cpu)
{
	struct timer_queue *from = &cpu_of(timer_queue, cpu), *to;
	unsigned long f = irq_save();
	struct timer *t;

	to = &this_cpu(timer_queue);
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock);
	while ((t = timer_of(rb_first_cached(&from->tree))) != NULL) {
		queue_erase(from, t);
		WRITE_ONCE(t->cpu, cpu_id());
		queue_insert(to, t);
	}
	/* As a CPU finds it that starts. */
	from->programmed = NO_DEADLINE;
	reprogram(to);
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
	irq_restore(f);
}

u64
timer_next_oncpu(void)
{
	struct timer *t = timer_of(rb_first_cached(&this_cpu(timer_queue).tree));

	return t ? t->expires : NO_DEADLINE;
}
