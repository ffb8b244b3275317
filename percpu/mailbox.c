/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes: how one CPU has something done by another.
 *
 * Model: the box of a CPU is a stack of messages without a lock (Treiber 1986).
 * Producers push with compare-and-exchange; the owner takes the whole stack
 * with one exchange and turns it round, so that messages run in the order of
 * their posting. Only the producer that found the box empty raises an
 * interrupt: one for a batch. As the owner takes everything at once there is no
 * ABA problem.
 *
 * Calls: cpu_call() posts a message from its own stack and spins. cpu_call_mask()
 * needs a message for each target without allocating any: each CPU has one call
 * slot as a caller, and each CPU has, as a target, a bit for every caller and one
 * message that says "look at the bits".
 *
 * Getting on: where senders are quicker than their target, it would run mail for
 * ever, in the interrupt of the next letter, and nothing else. So after some
 * batches it puts off the rest: until a timer comes the interrupt does nothing.
 *
 * Ownership: from the post until fn is entered a message belongs to the box.
 *
 * Ordering:
 *      mailbox_post                    mailbox_drain_oncpu
 *      message is written              box is exchanged (full barrier)
 *      cmpxchg (full barrier)          message is read
 *
 *      call_box_post                   call_box_run
 *      bit is set (full barrier)       posted = 0 (full barrier)
 *      posted is exchanged             bits are read
 *      If the left finds posted set, the right has not read the bits yet.
 *
 * Contexts: post in any but NMI. A caller of the cpu_call functions spins with
 * interrupts enabled and empties its own box, so that CPUs that call one
 * another all get on.
 *
 * Rejected: a ring per pair of CPUs (memory grows with the square); exchange of
 * the head by producers (wait-free, but the consumer would have to wait for a
 * producer that was interrupted between its two steps).
 */
#include "percpu/mailbox.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "percpu/mailbox_impl.h"
#include "percpu/pin.h"
#include "percpu/port.h"

/* Batches that one drain runs before it lets the interrupted code go on. */
#define DRAIN_ROUNDS 8
/* What the interrupted code has then, ns. */
#define PUT_OFF_NS 50000UL

DEFINE_PERCPU_ALIGNED(struct mail *, mailbox);
/* o  what is in the box waits for the timer */
static DEFINE_PERCPU(bool, put_off);

/* What a CPU asks of many others at once; it spins until pending is 0. */
struct call_slot {
	void (*fn)(void *arg);
	void *arg;
	/* a  targets that have not finished */
	u32 pending;
	/* o  1: in use by an outer context of this CPU */
	u32 busy;
};

/* What many others ask of this CPU. */
struct call_box {
	/* a  1: mail is in the mailbox */
	u32 posted;
	struct mail mail;
	/* a  bit n: CPU n's slot has a call for us */
	unsigned long callers[BITS_TO_LONGS(CONFIG_MAX_CPUS)];
};

static DEFINE_PERCPU_ALIGNED(struct call_slot, call_slot);
static DEFINE_PERCPU_ALIGNED(struct call_box, call_box);

struct call {
	struct mail mail;
	void (*fn)(void *arg);
	void *arg;
	/* a  1: fn has returned; the caller's stack frame may be gone */
	u32 done;
};

void
mailbox_post(unsigned int cpu, struct mail *m)
{
	struct mail **box = cpu_ptr(&mailbox, cpu);
	struct mail *head = READ_ONCE(*box);

	/* It may have ceased to be online since the caller looked: it waits for us. */
	ASSERT(cpu < nr_cpus);
	DEBUG_ASSERT(pinned());
	do
		WRITE_ONCE(m->next, head);
	while (!atomic_try_cmpxchg(box, &head, m));
	if (head == NULL)
		arch_ipi_mailbox(cpu);
}

bool
mailbox_empty_oncpu(void)
{
	return this_cpu_read(mailbox) == NULL;
}

static struct mail *
mail_reverse(struct mail *m)
{
	struct mail *fifo = NULL;

	while (m != NULL) {
		struct mail *next = m->next;

		m->next = fifo;
		fifo = m;
		m = next;
	}
	return fifo;
}

void
mailbox_drain_oncpu(void)
{
	struct mail **box = this_cpu_ptr(&mailbox);

	DEBUG_ASSERT(irqs_disabled());
	for (unsigned int round = 0; !mailbox_empty_oncpu(); round++) {
		struct mail *m;

		if (round == DRAIN_ROUNDS) {
			if (!this_cpu_xchg(put_off, true))
				mailbox_port_arm(PUT_OFF_NS);
			return;
		}
		m = mail_reverse(atomic_xchg(box, NULL));
		while (m != NULL) {
			struct mail *next = m->next;

			m->fn(m);
			m = next;
		}
	}
}

void
mailbox_interrupt_oncpu(void)
{
	if (likely(!this_cpu_read(put_off)))
		mailbox_drain_oncpu();
}

void
mailbox_timer_oncpu(void)
{
	this_cpu_write(put_off, false);
	mailbox_drain_oncpu();
}

void
mailbox_quit_oncpu(void)
{
	this_cpu_write(put_off, false);
}

/* One turn of a spinning caller. */
static void
call_wait_step(void)
{
	if (unlikely(!mailbox_empty_oncpu())) {
		unsigned long flags = irq_save();

		mailbox_drain_oncpu();
		irq_restore(flags);
	}
	cpu_relax();
}

static void
call_here(void (*fn)(void *arg), void *arg)
{
	unsigned long flags = irq_save();

	fn(arg);
	irq_restore(flags);
}

static void
call_run(struct mail *m)
{
	struct call *c = container_of(m, struct call, mail);

	c->fn(c->arg);
	smp_store_release(&c->done, 1);
}

int
cpu_call(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct call c = {.mail.fn = call_run, .fn = fn, .arg = arg};
	int ret = 0;

	pin();
	if (cpu == cpu_id()) {
		call_here(fn, arg);
	} else if (cpu >= nr_cpus || !cpu_online(cpu)) {
		ret = -ENXIO;
	} else {
		DEBUG_ASSERT(!irqs_disabled());
		mailbox_post(cpu, &c.mail);
		while (!smp_load_acquire(&c.done))
			call_wait_step();
	}
	unpin();
	return ret;
}

static void
call_slot_run(unsigned int caller)
{
	struct call_slot *s = cpu_ptr(&call_slot, caller);

	s->fn(s->arg);
	/* The slot is the caller's again when this reaches 0. */
	atomic_dec(&s->pending);
}

static void
call_box_run(struct mail *m)
{
	struct call_box *b = container_of(m, struct call_box, mail);

	/* Pairs with the exchange in call_box_post(). */
	atomic_xchg(&b->posted, 0);
	for (unsigned int i = 0; i < BITS_TO_LONGS(nr_cpus); i++) {
		unsigned long bits;

		if (READ_ONCE(b->callers[i]) == 0)
			continue;
		bits = atomic_xchg(&b->callers[i], 0UL);
		for (; bits != 0; bits &= bits - 1)
			call_slot_run(i * BITS_PER_LONG + ctz64(bits));
	}
}

/* Tells `cpu` to look at the slot of this CPU. */
static void
call_box_post(unsigned int cpu)
{
	struct call_box *b = cpu_ptr(&call_box, cpu);

	atomic_set_bit(cpu_id(), b->callers);
	/* Pairs with the exchange in call_box_run(). */
	if (atomic_xchg(&b->posted, 1) == 0) {
		b->mail.fn = call_box_run;
		mailbox_post(cpu, &b->mail);
	}
}

/* The slot is in use by the context that we interrupted: one CPU after the other. */
static void
call_mask_serial(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	unsigned int cpu;

	for (cpu = cpumask_next_and(mask, &cpu_online_mask, 0); cpu < nr_cpus;
	     cpu = cpumask_next_and(mask, &cpu_online_mask, cpu + 1))
		(void)!cpu_call(cpu, fn, arg);
}

static void
call_mask_slot(struct call_slot *s, const struct cpumask *mask)
{
	unsigned int self = cpu_id(), posted = 0, cpu;

	/* More than there can be, so that early finishers do not reach 0. */
	atomic_set(&s->pending, nr_cpus + 1);
	for (cpu = cpumask_next_and(mask, &cpu_online_mask, 0); cpu < nr_cpus;
	     cpu = cpumask_next_and(mask, &cpu_online_mask, cpu + 1)) {
		if (cpu == self)
			continue;
		call_box_post(cpu);
		posted++;
	}
	if (cpumask_test(mask, self))
		call_here(s->fn, s->arg);
	atomic_sub(&s->pending, nr_cpus + 1 - posted);
	while (smp_load_acquire(&s->pending) != 0)
		call_wait_step();
}

void
cpu_call_mask(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	struct call_slot *s;

	DEBUG_ASSERT(!irqs_disabled() || cpumask_weight(&cpu_online_mask) <= 1);
	pin();
	s = this_cpu_ptr(&call_slot);
	if (this_cpu_xchg(call_slot.busy, 1) != 0) {
		call_mask_serial(mask, fn, arg);
	} else {
		s->fn = fn;
		s->arg = arg;
		call_mask_slot(s, mask);
		this_cpu_write(call_slot.busy, 0);
	}
	unpin();
}
