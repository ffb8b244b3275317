/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drained references.
 *
 * Model: each CPU has a small cache of (object, delta) pairs. An object has two
 * places in it, so that two that are used together and meet in the first one do
 * not drive each other out. A get or put changes the delta only. Deltas are
 * added to the object's own count, under its lock, when another object needs
 * the slot and when the cache is flushed. The true number of references is the
 * count plus all deltas, so a count of 0 means nothing by itself: the object
 * goes on the list of the CPU that saw the 0, for review.
 *
 * Time is cut into epochs. An epoch ends when every CPU has had a moment in it
 * at which its cache was clean (empty): after a flush, or because it was clean
 * anyway. An object is released when a whole epoch has passed since its review
 * began in which its count stayed 0 and no cache gave it a delta, not even one
 * of 0.
 *
 * Why that is enough: let T be the start of that epoch. A delta that some cache
 * held at T must have left it before that CPU's clean moment, hence within the
 * epoch, and would have been noticed (DIRTY). So at T no cache held a delta for
 * the object, the true number of references was its count, 0, and nobody can
 * get a reference where there is none.
 *
 * States of an object (state):
 *
 *      idle      -> REVIEW         count became 0 on some CPU, now the reviewer
 *      REVIEW    -> REVIEW|DIRTY   a cache gave it a delta that left the count 0
 *      REVIEW|x  -> idle           the reviewer finds a count other than 0
 *      REVIEW|DIRTY -> REVIEW      the reviewer lets another epoch pass
 *      REVIEW    -> DEAD           the reviewer moves it to the list of the dead,
 *                                  a work item calls release()
 *
 * Ownership: a cache, a review list and a list of the dead belong to their CPU.
 * The timer runs only on CPUs that have a dirty cache or something to review:
 * an idle CPU with neither is never woken.
 *
 * Locking: an object's lock covers its count and state, is innermost, and is
 * taken with interrupts off. `epoch_lock` is only ever tried. Lists are touched
 * with interrupts off.
 *
 * Ordering:
 *      ref_add, first delta            epoch_try_advance
 *      dirty = 1                       clean_epoch and dirty are read
 *      delta is entered
 *      A reference that is handed on (by a lock, a message, a grace period)
 *      takes the store to dirty along; the put that makes the count 0 comes
 *      after that hand-over, and the advance after the put.
 *
 *      cache_flush                     epoch_try_advance
 *      epoch is read                   clean_epoch == epoch (acquire)
 *      deltas are handed in
 *      clean_epoch = epoch (release)   epoch + 1 (full barrier)
 *
 * Contexts: get and put in any but NMI. An interrupt that finds its CPU inside
 * the cache (`ref_busy`) changes the object's count directly, which is always
 * allowed.
 *
 * Rejected: weak references (RadixVM has them): RCU and the rule in ref.h do.
 *
 * See: Clements, Kaashoek, Zeldovich, RadixVM: Scalable address spaces for
 * multithreaded applications, EuroSys 2013, section 3.1.
 */
#include "percpu/ref.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "percpu/cpumask.h"
#include "percpu/defer.h"
#include "percpu/mailbox.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "percpu/port.h"
#include "percpu/work.h"

#define SLOTS_LOG2 (CONFIG_DEBUG ? 3 : 8)
#define SLOTS (1u << SLOTS_LOG2)
/* From the first delta, and between reviews. */
#define FLUSH_NS 5000000UL
/* When the flush found its CPU inside the cache. */
#define RETRY_NS 100000UL
/* Objects that one visit reviews. */
#define REVIEW_BATCH 512
/* Levels of objects that hold one another that one drain takes down. */
#define DRAIN_PASSES 32

#define REF_REVIEW 1u
#define REF_DIRTY 2u
#define REF_DEAD 4u

struct ref_slot {
	struct ref *ref;
	s64 delta;
};

/* What only its own CPU touches. */
struct ref_cache {
	/* o */
	struct ref_slot slots[SLOTS];
	/* o  slots in use */
	BITMAP_DECLARE(used, SLOTS);
	/* o, interrupts off: objects under review, oldest first; NULL links before first use */
	struct list review;
	/* o, interrupts off: objects to release */
	struct list dead;
	struct work release_work;
	struct mail arm_mail;
};

/* What the CPU that ends an epoch reads. */
struct ref_status {
	/* o  1: the cache has a delta */
	u32 dirty;
	/* o  the review list is not empty */
	u32 reviewing;
	/* o  the epoch in which this CPU last flushed */
	u64 clean_epoch;
};

static DEFINE_PERCPU(struct ref_cache, ref_cache);
static DEFINE_PERCPU_ALIGNED(struct ref_status, ref_status);
/* o  1: some context of this CPU is inside the cache */
static DEFINE_PERCPU(u8, ref_busy);
/* o  1: the timer has been asked for, or the mail that asks for it is under way */
static DEFINE_PERCPU(u8, ref_armed);

/* a  the current epoch; starts where no CPU is taken to have flushed */
static u64 ref_epoch = 1;
/* a */
static u32 epoch_lock;

DEFINE_COUNTER(ref_released);
DEFINE_COUNTER(ref_evicted);

static void
object_lock(struct ref *r)
{
	while (atomic_xchg(&r->lock, 1) != 0)
		while (READ_ONCE(r->lock) != 0)
			cpu_relax();
}

static void
object_unlock(struct ref *r)
{
	smp_store_release(&r->lock, 0);
}

/* Per-CPU list heads start as zeroes in the template. */
static struct list *
list_of_cpu(struct list *head)
{
	if (unlikely(head->next == NULL))
		list_init(head);
	return head;
}

static void
arm_from_mail(struct mail *m)
{
	ref_port_arm(FLUSH_NS);
}

/*
 * Asks for the timer unless that has been done. The caller may hold any lock;
 * only when it cannot is the timer code called directly. Pinned.
 */
static void
arm_oncpu(void)
{
	if (this_cpu_read(ref_armed) || !cpu_online(cpu_id()))
		return;
	this_cpu_write(ref_armed, 1);
	if ((this_cpu_read(pin_count) & ~PIN_NO_RESCHED) == PIN_ONE && !irqs_disabled()) {
		ref_port_arm(FLUSH_NS);
	} else {
		struct mail *m = this_cpu_ptr(&ref_cache.arm_mail);

		m->fn = arm_from_mail;
		mailbox_post(cpu_id(), m);
	}
}

/* Sets a word of this CPU's status, without taking its line from who reads that again and again. */
static void
status_set(u32 *word)
{
	if (READ_ONCE(*word) == 0)
		WRITE_ONCE(*word, 1);
}

/* Puts r on this CPU's list for review. Its lock held, interrupts off. */
static void
review_begin(struct ref *r)
{
	struct ref_cache *c = this_cpu_ptr(&ref_cache);

	r->state = REF_REVIEW;
	r->epoch = (u16)READ_ONCE(ref_epoch);
	list_add_tail(&r->review, list_of_cpu(&c->review));
	status_set(&this_cpu_ptr(&ref_status)->reviewing);
}

/* Adds delta to r's own count. Pinned. True: this CPU has something new to review. */
static bool
object_add(struct ref *r, s64 delta)
{
	unsigned long flags = irq_save();
	bool begun = false;

	object_lock(r);
	DEBUG_ASSERT(!(r->state & REF_DEAD));
	r->count += delta;
	if (r->count == 0) {
		if (r->state & REF_REVIEW) {
			r->state |= REF_DIRTY;
		} else {
			review_begin(r);
			begun = true;
		}
	}
	object_unlock(r);
	irq_restore(flags);
	return begun;
}

static struct ref_slot *
slot_of(const struct ref *r)
{
	u64 hash = (u64)r * 0x9e3779b97f4a7c15UL >> (64 - SLOTS_LOG2);

	return &this_cpu_ptr(&ref_cache)->slots[hash];
}

/* Makes room for r in its slot; the CPU is inside the cache. */
static void
slot_claim(struct ref_slot *s, struct ref *r, s64 delta)
{
	struct ref_cache *c = this_cpu_ptr(&ref_cache);

	if (s->ref != NULL) {
		counter_inc(ref_evicted);
		object_add(s->ref, s->delta);
	}
	status_set(&this_cpu_ptr(&ref_status)->dirty);
	s->ref = r;
	s->delta = delta;
	bit_set(c->used, (size_t)(s - c->slots));
}

/* r's second place, when another object has the first. */
static struct ref_slot *
second_slot(struct ref_slot *first)
{
	struct ref_cache *c = this_cpu_ptr(&ref_cache);

	return &c->slots[(size_t)(first - c->slots) ^ 1];
}

/* Enters a delta of r, which is not in its first place; the CPU is inside the cache. */
static void
cache_add(struct ref *r, s64 n)
{
	struct ref_slot *first = slot_of(r), *second = second_slot(first);

	if (second->ref == r)
		second->delta += n;
	else
		slot_claim(first->ref != NULL && second->ref == NULL ? second : first, r, n);
}

static __noinline void
add_slow(struct ref *r, s64 n)
{
	if (this_cpu_read(ref_busy)) {
		if (object_add(r, n))
			arm_oncpu();
		return;
	}
	this_cpu_write(ref_busy, 1);
	barrier();
	cache_add(r, n);
	barrier();
	this_cpu_write(ref_busy, 0);
	arm_oncpu();
}

static __always_inline void
add(struct ref *r, s64 n)
{
	struct ref_slot *s;
	bool hit;

	pin();
	if (unlikely(this_cpu_read(ref_busy)))
		goto slow;
	this_cpu_write(ref_busy, 1);
	barrier();
	s = slot_of(r);
	hit = likely(s->ref == r);
	if (hit)
		s->delta += n;
	barrier();
	this_cpu_write(ref_busy, 0);
	if (likely(hit)) {
		unpin();
		return;
	}
slow:
	add_slow(r, n);
	unpin();
}

void
ref_init(struct ref *r, void (*release)(struct ref *r))
{
	r->count = 1;
	r->lock = 0;
	r->state = 0;
	r->epoch = 0;
	list_init(&r->review);
	r->release = release;
}

void
ref_get(struct ref *r)
{
	add(r, 1);
}

void
ref_put(struct ref *r)
{
	add(r, -1);
}

void
ref_add(struct ref *r, s64 n)
{
	add(r, n);
}

static void
cache_flush(struct ref_cache *c)
{
	struct ref_status *st = this_cpu_ptr(&ref_status);
	u64 epoch = READ_ONCE(ref_epoch);
	size_t i;

	barrier();
	bitmap_for_each_one(i, c->used, SLOTS) {
		object_add(c->slots[i].ref, c->slots[i].delta);
		c->slots[i].ref = NULL;
		bit_clear(c->used, i);
	}
	smp_store_release(&st->dirty, 0);
	smp_store_release(&st->clean_epoch, epoch);
}

bool
ref_flush_oncpu(void)
{
	if (this_cpu_read(ref_busy))
		return false;
	this_cpu_write(ref_busy, 1);
	barrier();
	cache_flush(this_cpu_ptr(&ref_cache));
	barrier();
	this_cpu_write(ref_busy, 0);
	return true;
}

/* self: a CPU that does not matter. */
static bool
cpus_were_clean_but(unsigned int self, u64 epoch)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct ref_status *st = cpu_ptr(&ref_status, cpu);

		if (cpu != self && smp_load_acquire(&st->clean_epoch) != epoch &&
		    smp_load_acquire(&st->dirty))
			return false;
	}
	return true;
}

/* Begins the next epoch if every CPU was clean in this one. Pinned. */
static bool
epoch_try_advance(void)
{
	bool clean;

	if (READ_ONCE(epoch_lock) != 0 || atomic_xchg(&epoch_lock, 1) != 0)
		return false;
	clean = cpus_were_clean_but(CONFIG_MAX_CPUS, READ_ONCE(ref_epoch));
	if (clean)
		atomic_inc(&ref_epoch);
	smp_store_release(&epoch_lock, 0);
	return clean;
}

/* What becomes of an object whose epoch is over. Its lock held; it is on no list. */
static void
review_end(struct ref_cache *c, struct ref *r)
{
	if (r->count != 0) {
		r->state = 0;
	} else if (r->state & REF_DIRTY) {
		review_begin(r);
	} else {
		r->state = REF_DEAD;
		list_add_tail(&r->review, list_of_cpu(&c->dead));
	}
}

/* Reviews the oldest object if it is due. Interrupts off. */
static bool
review_one(struct ref_cache *c)
{
	struct ref *r = list_first_or_null(list_of_cpu(&c->review), struct ref, review);

	if (r == NULL || (s16)((u16)READ_ONCE(ref_epoch) - r->epoch) < 2)
		return false;
	object_lock(r);
	list_del(&r->review);
	review_end(c, r);
	object_unlock(r);
	return true;
}

static void release_dead(struct work *w);

/* True if the list is empty or not due, false if the batch was used up. Pinned. */
static bool
review_oncpu(void)
{
	struct ref_cache *c = this_cpu_ptr(&ref_cache);
	bool post, more = true;
	unsigned long flags;

	for (unsigned int i = 0; i < REVIEW_BATCH && more; i++) {
		flags = irq_save();
		more = review_one(c);
		irq_restore(flags);
	}
	flags = irq_save();
	WRITE_ONCE(this_cpu_ptr(&ref_status)->reviewing, !list_empty(list_of_cpu(&c->review)));
	post = !list_empty(list_of_cpu(&c->dead));
	irq_restore(flags);
	if (post) {
		c->release_work.fn = release_dead;
		work_post_here(&c->release_work);
	}
	return !more;
}

/*
 * What was released may have held others (directories in directories): where the
 * other CPUs are clean those need not wait for the timer. Task context, pinned.
 */
static void
release_next_oncpu(void)
{
	if (cpus_were_clean_but(cpu_id(), READ_ONCE(ref_epoch)) && ref_flush_oncpu() &&
	    epoch_try_advance() && epoch_try_advance())
		review_oncpu();
}

static void
release_dead(struct work *w)
{
	struct ref_cache *c = container_of(w, struct ref_cache, release_work);
	struct ref *r, *next;
	struct list dead;
	unsigned long flags;

	list_init(&dead);
	flags = irq_save();
	list_splice_init(list_of_cpu(&c->dead), &dead);
	irq_restore(flags);
	list_for_each_entry_safe(r, next, &dead, review) {
		list_init(&r->review);
		counter_inc(ref_released);
		r->release(r);
	}
	pin();
	release_next_oncpu();
	unpin();
}

/* Softirq: hands in what this CPU has, lets time go on, releases what is due. */
static void
ref_softirq(void)
{
	struct ref_status *st = this_cpu_ptr(&ref_status);
	u64 delay = FLUSH_NS;

	if (!ref_flush_oncpu())
		delay = RETRY_NS;
	/* Two in a row, when the other CPUs are clean: the whole epoch was an instant. */
	if (epoch_try_advance())
		epoch_try_advance();
	if (!review_oncpu())
		delay = RETRY_NS;
	this_cpu_write(ref_armed, 0);
	barrier();
	if ((READ_ONCE(st->dirty) || READ_ONCE(st->reviewing)) && !this_cpu_read(ref_armed)) {
		this_cpu_write(ref_armed, 1);
		ref_port_arm(delay);
	}
}

void
ref_timer_oncpu(void)
{
	defer_raise(DEFER_REF);
}

void
ref_cache_init(void)
{
	defer_set_handler(DEFER_REF, ref_softirq);
	pin();
	if (this_cpu_ptr(&ref_status)->dirty)
		arm_oncpu();
	unpin();
}

void
ref_cpu_quit_oncpu(void)
{
	bool flushed = ref_flush_oncpu();

	/* The idle loop is never inside the cache. */
	ASSERT(flushed);
	this_cpu_write(ref_armed, 0);
}

void
ref_adopt(unsigned int cpu)
{
	struct ref_cache *from = cpu_ptr(&ref_cache, cpu), *to;
	unsigned long flags;

	pin();
	flags = irq_save();
	to = this_cpu_ptr(&ref_cache);
	/* Behind ours, though some may be older: that only delays them. */
	list_splice_tail_init(list_of_cpu(&from->review), list_of_cpu(&to->review));
	list_splice_tail_init(list_of_cpu(&from->dead), list_of_cpu(&to->dead));
	WRITE_ONCE(cpu_ptr(&ref_status, cpu)->reviewing, 0);
	WRITE_ONCE(this_cpu_ptr(&ref_status)->reviewing, 1);
	irq_restore(flags);
	arm_oncpu();
	unpin();
}

/* On each CPU, interrupts off: arg counts those that could not flush. */
static void
drain_flush(void *arg)
{
	u32 *busy = arg;

	if (!ref_flush_oncpu())
		atomic_inc(busy);
}

static void
drain_review(void *arg)
{
	u32 *unfinished = arg;

	if (!review_oncpu())
		atomic_inc(unfinished);
}

/* Lets at least one epoch pass. */
static void
drain_epoch(void)
{
	u64 start = READ_ONCE(ref_epoch);
	u32 busy;

	do {
		busy = 0;
		cpu_call_mask(&cpu_online_mask, drain_flush, &busy);
		pin();
		if (READ_ONCE(busy) == 0)
			epoch_try_advance();
		unpin();
	} while (READ_ONCE(ref_epoch) == start);
}

static void
drain_reviews(void)
{
	u32 unfinished;

	do {
		unfinished = 0;
		cpu_call_mask(&cpu_online_mask, drain_review, &unfinished);
	} while (READ_ONCE(unfinished) != 0);
}

/*
 * The first epochs bring every object that nobody holds under review and past
 * it; the others are for those that the flushes themselves made dirty.
 */
static void
drain_pass(void)
{
	for (unsigned int i = 0; i < 4; i++)
		drain_epoch();
	drain_reviews();
	for (unsigned int i = 0; i < 3; i++)
		drain_epoch();
	drain_reviews();
	work_flush_all();
}

void
ref_drain_depth(unsigned int depth)
{
	s64 before;

	for (unsigned int i = 0; i < depth; i++) {
		before = counter_sum(ref_released);
		drain_pass();
		if (counter_sum(ref_released) == before)
			return;
	}
}

void
ref_drain(void)
{
	ref_drain_depth(DRAIN_PASSES);
}
