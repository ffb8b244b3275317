/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drained references.
 *
 * Model: each CPU has a small cache of (object, delta) pairs. An object has a
 * few places in it, so that some that are used together and meet in the first one do
 * not drive each other out; of those in its places a new one replaces the one that
 * was used least. A get or put changes the delta only. Deltas are
 * added to the object's own count, under its lock, when another object needs
 * the slot and when the cache is flushed. The true number of references is the
 * count plus all deltas, so a count of 0 means nothing by itself: the object
 * goes on the list of the CPU that saw the 0, for review.
 *
 * Time is cut into epochs (percpu/ref_epoch.c). An epoch ends when every CPU has
 * had a moment in it at which its cache was clean: it held no delta of an object
 * under review. An object is released when a whole epoch has passed since its
 * review began in which its count stayed 0 and no cache gave it a delta, not
 * even one of 0.
 *
 * What a flush leaves alone: an object that is not under review keeps its slot
 * if it was used here a few flushes ago, for it is alive and will be used again,
 * unless there were more puts than gets, which may be the last ones. After that
 * a delta of 0 is dropped. Neither writes to the object: CPUs that use one object
 * all the time do not share its line.
 *
 * Why that is enough: let T be the start of that epoch. A delta of the object
 * that some cache held at T is found by the flush at that CPU's clean moment or
 * left the cache before, hence within the epoch, in which the object is under
 * review: it was handed in and noticed (DIRTY). So at T no cache held a delta
 * for the object, the true number of references was its count, 0, and nobody
 * can get a reference where there is none.
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
 * The timer runs only on CPUs that have a dirty cache or something to review,
 * and on the keeper of epochs.
 *
 * Locking: an object's lock covers its count and state, is innermost, and is
 * taken with interrupts off; a flush looks at the state without it. Lists are
 * touched with interrupts off.
 *
 * Ordering:
 *      ref_add, first delta            ref_epoch_try_advance
 *      dirty = 1                       clean_epoch and dirty are read
 *      delta is entered
 *      A reference that is handed on (by a lock, a message, a grace period)
 *      takes the store to dirty along; the put that makes the count 0 comes
 *      after that hand-over, and the advance after the put.
 *
 *      cache_flush                     ref_epoch_try_advance
 *      epoch is read                   clean_epoch == epoch (acquire)
 *      deltas are handed in
 *      clean_epoch = epoch (release)   epoch + 1 (full barrier)
 *
 *      review_begin                    cache_flush
 *      state = REVIEW                  epoch is read
 *      (full barrier)                  (loads stay in order)
 *      epoch is read as E              state is read
 *      A flush in epoch E + 1 or later sees REVIEW, and leaves nothing alone.
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
#include "percpu/ref_impl.h"
#include "percpu/work.h"

#define SLOTS_LOG2 (CONFIG_DEBUG ? 3 : 8)
#define SLOTS (1u << SLOTS_LOG2)
/* Slots that an object can have. */
#define PLACES 4u
/* When the flush found its CPU inside the cache. */
#define RETRY_NS 100000UL
/* Objects that one visit reviews. */
#define REVIEW_BATCH 512

#define REF_REVIEW 1u
#define REF_DIRTY 2u
#define REF_DEAD 4u

struct ref_slot {
	struct ref *ref;
	/*
	 * The delta in the upper half, signed; below it SLOT_AGE, flushes without
	 * use, and SLOT_USES since the last flush. These would run over after 2^32
	 * uses between two flushes.
	 */
	s64 word;
};

#define SLOT_USES 0x0fffffffL
#define SLOT_AGE 0xf0000000L
#define SLOT_AGE_ONE 0x10000000L
/* Flushes that a slot lives through without being used. */
#define SLOT_AGE_MAX (15 * SLOT_AGE_ONE)
#define slot_step(n) ((s64)((u64)(n) << 32) + 1)

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

static DEFINE_PERCPU(struct ref_cache, ref_cache);
DEFINE_PERCPU_ALIGNED(struct ref_status, ref_status);
/* o  1: some context of this CPU is inside the cache */
static DEFINE_PERCPU(u8, ref_busy);
/* o  1: the timer has been asked for, or the mail that asks for it is under way */
static DEFINE_PERCPU(u8, ref_armed);

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
	ref_port_arm(REF_FLUSH_NS);
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
		ref_port_arm(REF_FLUSH_NS);
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

	WRITE_ONCE(r->state, REF_REVIEW);
	/* Pairs with cache_flush(). */
	smp_mb();
	r->epoch = (u16)READ_ONCE(ref_time.epoch);
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
			WRITE_ONCE(r->state, r->state | REF_DIRTY);
		} else {
			review_begin(r);
			begun = true;
		}
	}
	object_unlock(r);
	irq_restore(flags);
	return begun;
}

static s64
slot_delta(const struct ref_slot *s)
{
	return s->word >> 32;
}

/* False: the delta has no room for n more. */
static __always_inline bool
slot_add(struct ref_slot *s, s64 n)
{
	s64 word;

	if (unlikely(n != (s32)n || __builtin_add_overflow(s->word, slot_step(n), &word)))
		return false;
	s->word = word;
	return true;
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
		object_add(s->ref, slot_delta(s));
	}
	status_set(&this_cpu_ptr(&ref_status)->dirty);
	s->ref = r;
	s->word = slot_step(delta);
	bit_set(c->used, (size_t)(s - c->slots));
}

/* r's other places, when another object has the first: 1 to PLACES - 1. */
static struct ref_slot *
other_slot(struct ref_slot *first, size_t i)
{
	struct ref_cache *c = this_cpu_ptr(&ref_cache);

	return &c->slots[(size_t)(first - c->slots) ^ i];
}

/* Is b a better place for a new object than a: where there is room, else where less is lost? */
static bool
slot_better(const struct ref_slot *a, const struct ref_slot *b)
{
	if (a->ref == NULL || b->ref == NULL)
		return a->ref != NULL;
	return (b->word & SLOT_USES) < (a->word & SLOT_USES);
}

/* Enters a delta of r if there is room for one that large; the CPU is inside the cache. */
static bool
cache_add(struct ref *r, s64 n)
{
	struct ref_slot *first = slot_of(r), *best = first, *s;

	if (first->ref == r)
		return slot_add(first, n);
	for (size_t i = 1; i < PLACES; i++) {
		s = other_slot(first, i);
		if (s->ref == r)
			return slot_add(s, n);
		if (slot_better(best, s))
			best = s;
	}
	if (n != (s32)n)
		return false;
	slot_claim(best, r, n);
	return true;
}

static __noinline void
add_slow(struct ref *r, s64 n)
{
	bool entered = false;

	if (!this_cpu_read(ref_busy)) {
		this_cpu_write(ref_busy, 1);
		barrier();
		entered = cache_add(r, n);
		barrier();
		this_cpu_write(ref_busy, 0);
	}
	if (entered || object_add(r, n))
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
	hit = likely(s->ref == r) && slot_add(s, n);
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

/* At a flush: does the slot stay as it is? See the opening comment. */
static bool
slot_stays(struct ref_slot *s)
{
	s64 age = s->word & SLOT_USES ? 0 : (s->word & SLOT_AGE) + SLOT_AGE_ONE;

	if (s->word < 0 || age > SLOT_AGE_MAX || READ_ONCE(s->ref->state) != 0)
		return false;
	s->word = (s->word & ~(SLOT_USES | SLOT_AGE)) | age;
	return true;
}

static void
slot_hand_in(struct ref_slot *s)
{
	s64 delta = slot_delta(s);

	if (delta != 0 || READ_ONCE(s->ref->state) != 0)
		object_add(s->ref, delta);
}

static void
cache_flush(struct ref_cache *c, bool all)
{
	struct ref_status *st = this_cpu_ptr(&ref_status);
	u64 epoch = smp_load_acquire(&ref_time.epoch);
	bool stay = false;
	size_t i;

	bitmap_for_each_one(i, c->used, SLOTS) {
		if (!all && slot_stays(&c->slots[i])) {
			stay = true;
			continue;
		}
		slot_hand_in(&c->slots[i]);
		c->slots[i].ref = NULL;
		bit_clear(c->used, i);
	}
	if (!stay)
		smp_store_release(&st->dirty, 0);
	smp_store_release(&st->clean_epoch, epoch);
}

bool
ref_flush_how_oncpu(bool all)
{
	if (this_cpu_read(ref_busy))
		return false;
	this_cpu_write(ref_busy, 1);
	barrier();
	cache_flush(this_cpu_ptr(&ref_cache), all);
	barrier();
	this_cpu_write(ref_busy, 0);
	return true;
}

bool
ref_flush_oncpu(void)
{
	return ref_flush_how_oncpu(true);
}

/* What becomes of an object whose epoch is over. Its lock held; it is on no list. */
static void
review_end(struct ref_cache *c, struct ref *r)
{
	if (r->count != 0) {
		WRITE_ONCE(r->state, 0);
	} else if (r->state & REF_DIRTY) {
		review_begin(r);
	} else {
		WRITE_ONCE(r->state, REF_DEAD);
		list_add_tail(&r->review, list_of_cpu(&c->dead));
	}
}

/* Reviews the oldest object if it is due. Interrupts off. */
static bool
review_one(struct ref_cache *c)
{
	struct ref *r = list_first_or_null(list_of_cpu(&c->review), struct ref, review);

	if (r == NULL || (s16)((u16)READ_ONCE(ref_time.epoch) - r->epoch) < 2)
		return false;
	object_lock(r);
	list_del(&r->review);
	review_end(c, r);
	object_unlock(r);
	return true;
}

static void release_dead(struct work *w);

bool
ref_review_oncpu(void)
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
	/* What was released may have held others (directories in directories). */
	if (ref_epochs_alone_oncpu())
		ref_review_oncpu();
	unpin();
}

/* Softirq: hands in what this CPU has, lets time go on, releases what is due. */
static void
ref_softirq(void)
{
	struct ref_status *st = this_cpu_ptr(&ref_status);
	u64 delay = REF_FLUSH_NS;
	bool keeper;

	if (!ref_flush_how_oncpu(false))
		delay = RETRY_NS;
	keeper = ref_epochs_turn_oncpu();
	if (!ref_review_oncpu())
		delay = RETRY_NS;
	this_cpu_write(ref_armed, 0);
	barrier();
	if ((READ_ONCE(st->dirty) || READ_ONCE(st->reviewing) || keeper) &&
	    !this_cpu_read(ref_armed)) {
		this_cpu_write(ref_armed, 1);
		ref_port_arm(delay);
	}
}

void
ref_arm_keeper_oncpu(void)
{
	arm_oncpu();
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
	ref_epochs_adopt(cpu);
	arm_oncpu();
	unpin();
}
