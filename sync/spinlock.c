/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queued spinlocks: the contended half.
 *
 * Model: the lock word has a byte that says "locked" and a tail that names the
 * last waiter's queue node:
 *
 * BITS     MEANING
 * 0-7      1: locked
 * 8-9      tail: nesting level of the node
 * 10-31    tail: CPU of the node plus 1; 0: nobody waits
 *
 * A CPU has a node for each context that can wait at the same time: task,
 * softirq, hard interrupt, NMI. A waiter swings the tail to its node, links
 * itself behind the previous tail and spins on its own node until it is at the
 * head. Only the head looks at the locked byte. As the word is not 0 while
 * anybody queues, nobody passes the queue.
 *
 * Ownership: a node belongs to its waiter from the moment the tail names it
 * until the waiter has made its successor the head. It is not needed while the
 * lock is held.
 *
 * Ordering:
 *      spin_unlock                     spin_lock_slow (head)
 *      section's accesses              locked byte read as 0 (acquire)
 *      locked byte = 0 (release)       locked byte = 1; section's accesses
 *
 *      queue_join                      queue_join of the next
 *      node is reset                   tail is exchanged (full barrier)
 *      tail is exchanged (full)        node->next = its own (release)
 *
 *      queue_leave                     queue_wait_head
 *      next->head = 1 (release)        head is read (acquire)
 *
 * In a virtual machine with more CPUs than the host has, the order of a queue is
 * poison: the lock is handed to a CPU that the host has put aside, and all wait
 * for it. There (`spin_unfair`) waiters look at the word, each after a pause that
 * grows, and take it when they find it free. A machine does one or the other from
 * before its second CPU starts.
 *
 * Rejected: a ticket lock (all waiters spin on one line); a pending bit in front
 * of the queue (one more state for two contenders, who are rare here, since the
 * owner of most data is one CPU).
 *
 * See: Mellor-Crummey, Scott, Algorithms for scalable synchronization on
 * shared-memory multiprocessors, TOCS 9(1), 1991.
 */
#include "sync/spinlock.h"

#include "arch/x86_64/asm/insn.h"
#include "percpu/percpu.h"
#include "percpu/trace/events.h"

#define LEVELS 4
/* Longest pause between two looks without order. */
#define PAUSE_MAX 32u
/* Turns of a waiting loop between two looks at the clock (debug kernels). */
#define LONG_WAIT_TURNS (1u << 22)
#define LOCKED_MASK 0xffu
#define TAIL_LEVEL_SHIFT 8
#define TAIL_CPU_SHIFT 10
static_assert(LEVELS <= 1 << (TAIL_CPU_SHIFT - TAIL_LEVEL_SHIFT), "levels fit");
static_assert(CONFIG_MAX_CPUS < 1 << (32 - TAIL_CPU_SHIFT), "CPU numbers fit");

struct spin_node {
	/* a  who queues behind us */
	struct spin_node *next;
	/* a  1: we are the head of the queue */
	u32 head;
};

struct spin_nodes {
	struct spin_node at[LEVELS];
	/* o  nodes in use */
	u32 depth;
};
static_assert(sizeof(struct spin_nodes) <= 2 * CACHE_LINE, "two lines a CPU");

static DEFINE_PERCPU_ALIGNED(struct spin_nodes, spin_nodes);
DEFINE_COUNTER(lock_contended);
bool spin_unfair __read_mostly;

/* One turn of a spinning waiter; *turns counts them. */
static inline void
wait_step(const u32 *word, u32 *turns)
{
	if (CONFIG_DEBUG && ++*turns % LONG_WAIT_TURNS == 0)
		spin_debug_long_wait(word);
	cpu_relax();
}

void
spin_choose_mode(void)
{
	/* CPUID leaf 1, ECX bit 31: under a hypervisor (Intel SDM and all of them). */
	spin_unfair = (cpuid(1, 0).c & BIT(31)) != 0;
}

static u32
tail_make(u32 level)
{
	return (cpu_id() + 1) << TAIL_CPU_SHIFT | level << TAIL_LEVEL_SHIFT;
}

static struct spin_node *
tail_node(u32 word)
{
	u32 level = word >> TAIL_LEVEL_SHIFT & (LEVELS - 1);

	return &cpu_ptr(&spin_nodes, (word >> TAIL_CPU_SHIFT) - 1)->at[level];
}

/* Makes `tail` the end of the queue; returns the word before. */
static u32
queue_join(u32 *word, u32 tail)
{
	u32 old = READ_ONCE(*word);

	while (!atomic_try_cmpxchg(word, &old, (old & LOCKED_MASK) | tail))
		;
	return old;
}

static void
queue_wait_head(const u32 *word, struct spin_node *prev, struct spin_node *self)
{
	u32 turns = 0;

	smp_store_release(&prev->next, self);
	while (!smp_load_acquire(&self->head))
		wait_step(word, &turns);
}

/* We hold the lock: the queue ends with us, or our successor becomes its head. */
static void
queue_leave(struct spin_node *self)
{
	struct spin_node *next;

	/* The successor has swung the tail but may not have linked itself yet. */
	while ((next = smp_load_acquire(&self->next)) == NULL)
		cpu_relax();
	smp_store_release(&next->head, 1);
}

/* At the head of the queue: takes the lock. */
static void
queue_take(u32 *word, u32 tail, struct spin_node *self)
{
	u32 w, turns = 0;

	while (((w = smp_load_acquire(word)) & LOCKED_MASK) != 0)
		wait_step(word, &turns);
	if (w == tail && atomic_try_cmpxchg(word, &w, SPIN_LOCKED))
		return;
	/* Others queue, so nobody but us may change the locked byte. */
	WRITE_ONCE(*(u8 *)word, SPIN_LOCKED);
	queue_leave(self);
}

/* Without order: spin_unfair, or more contexts than nodes. */
static void
spin_without_order(u32 *word)
{
	u32 turns = 0, pause = 1;

	while (READ_ONCE(*word) != 0 || !spin_word_try(word)) {
		for (u32 i = 0; i < pause; i++)
			wait_step(word, &turns);
		pause = min(2 * pause, PAUSE_MAX);
	}
}

void
spin_lock_queued(u32 *word)
{
	struct spin_nodes *nodes = this_cpu_ptr(&spin_nodes);
	u32 level = nodes->depth, tail, old;
	struct spin_node *self;

	if (unlikely(level == LEVELS)) {
		spin_without_order(word);
		return;
	}
	/* An interrupt from here on uses the next level and gives it back before it returns. */
	WRITE_ONCE(nodes->depth, level + 1);
	barrier();
	self = &nodes->at[level];
	tail = tail_make(level);
	WRITE_ONCE(self->next, NULL);
	WRITE_ONCE(self->head, 0);
	old = queue_join(word, tail);
	if ((old & ~LOCKED_MASK) != 0)
		queue_wait_head(word, tail_node(old), self);
	queue_take(word, tail, self);
	barrier();
	WRITE_ONCE(nodes->depth, level);
}

void
spin_lock_slow(u32 *word)
{
	counter_inc(lock_contended);
	trace_contention_begin(word, LOCK_WAIT_SPIN);
	if (spin_unfair)
		spin_without_order(word);
	else
		spin_lock_queued(word);
	trace_contention_end(word, 0);
}
