/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of trace records.
 *
 * Model: a ring is an array of pages that is written round and round; a position
 * is the number of bytes since it was made, so position / PAGE is the number of
 * a page ever written and its remainder by the ring's pages the place. A record
 * does not cross a page: what is left of one stays unused, and each page begins
 * with a record. A reader that was overtaken goes on at the oldest whole page.
 *
 * Ownership: a ring is written by its CPU, with interrupts off; so there is one
 * writer, and no lock. In an NMI nothing is recorded. Readers copy from any CPU
 * and look afterwards whether what they copied was being overwritten.
 *
 * Ordering:
 *      trace_begin, trace_commit       trace_ring_read
 *      reserve = end of the record     head is read (acquire)
 *      smp_wmb()                       the record is copied
 *      the record is written           smp_rmb()
 *      head = its end (release)        reserve is read: is the page still ours?
 *
 * What readers have taken (start) is changed under kernel/trace's mutex.
 *
 * Contexts: writers any, NMI for nothing; a page fault or an interrupt cannot
 * come in between. A ring that is replaced is freed after a grace period.
 *
 * Rejected: reserving by compare-and-exchange, so that interrupts may nest (one
 * more state for each reader, for the sake of a few instructions without
 * interrupts); deltas of time in 27 bits (they save 8 bytes of some 60).
 */
#include "percpu/trace/trace.h"

#include "arch/x86_64/asm/barrier.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/string.h"
#include "percpu/pin.h"
#include "percpu/trace/port.h"

struct trace_ring {
	/* I */
	u8 *data;
	u32 pages;
	/* o  where the next record begins: all before it is readable */
	u64 head __cacheline_aligned;
	/* o  up to where pages are being written, >= head */
	u64 reserve;
	/* o  the page that head is in, or was in last */
	u8 *page;
	u64 written;
	u64 dropped;
	/* (kernel/trace)  taken up to here, and the number of the next record */
	u64 start __cacheline_aligned;
	u64 taken;
	u32 start_index;
};

/* r */
static DEFINE_PERCPU(struct trace_ring *, trace_ring);
u8 trace_recording __read_mostly = 1;

/* --- writing --- */

static void
fill_common(struct trace_record *rec, unsigned int event, unsigned long flags)
{
	u32 pins = this_cpu_read(pin_count);
	u8 f = flags & RFLAGS_IF ? 0 : TRACE_IRQS_OFF;

	f |= pins & PIN_NO_RESCHED ? 0 : TRACE_NEED_RESCHED;
	f |= pins & PIN_HARDIRQ_MASK ? TRACE_HARDIRQ : 0;
	f |= pins & PIN_SOFTIRQ ? TRACE_SOFTIRQ : 0;
	f |= pins & (PIN_SOFTIRQ_MASK & ~PIN_SOFTIRQ) ? TRACE_BH_OFF : 0;
	rec->common.type = (u16)event;
	rec->common.flags = f;
	rec->common.preempt_count = (u8)(pins & PIN_MASK);
}

/* A place for `size` bytes at the head, published as being written. */
static struct trace_record *
reserve(struct trace_ring *r, size_t size, u64 *end)
{
	u64 pos = r->head;
	size_t used = pos % PAGE_SIZE;

	if (used != 0 && PAGE_SIZE - used < size) {
		if (PAGE_SIZE - used >= sizeof(struct trace_record))
			((struct trace_record *)(r->page + used))->size = 0;
		pos = align_up(pos, PAGE_SIZE);
		used = 0;
	}
	if (used == 0)
		r->page = r->data + (pos / PAGE_SIZE) % r->pages * PAGE_SIZE;
	*end = pos + size;
	WRITE_ONCE(r->reserve, *end);
	/* Pairs with the one in trace_ring_read(). */
	smp_wmb();
	return (struct trace_record *)(r->page + used);
}

void *
trace_begin(struct trace_slot *s, unsigned int event, size_t size)
{
	struct trace_record *rec;

	if (!trace_recording)
		return NULL;
	s->flags = irq_save();
	s->ring = this_cpu_read(trace_ring);
	size = align_up(size + offsetof(struct trace_record, common), 8UL);
	if (!s->ring || in_nmi() || size > TRACE_RECORD_MAX) {
		if (s->ring)
			s->ring->dropped++;
		irq_restore(s->flags);
		return NULL;
	}
	rec = reserve(s->ring, size, &s->end);
	rec->index = (u32)s->ring->written++;
	rec->size = (u16)size;
	rec->zero = 0;
	fill_common(rec, event, s->flags);
	rec->time = trace_port_context(rec->comm, &rec->common.pid);
	return &rec->common;
}

void
trace_commit(struct trace_slot *s)
{
	smp_store_release(&s->ring->head, s->end);
	irq_restore(s->flags);
}

/* --- texts --- */

unsigned int
trace_text_size(const char *text)
{
	return (unsigned int)strnlen(text, TRACE_TEXT_MAX - 1) + 1;
}

u32
trace_put_text(void *fields, unsigned int *at, const char *text, unsigned int size)
{
	char *to = (char *)fields + *at;
	u32 loc = size << 16 | *at;

	memcpy(to, text, size - 1);
	to[size - 1] = '\0';
	*at += size;
	return loc;
}

void
trace_copy_comm(char *to, const char *comm)
{
	memcpy(to, comm, TRACE_COMM);
	to[TRACE_COMM - 1] = '\0';
}

/* --- reading --- */

/* The oldest page that is not being written over begins here, or later by now. */
static u64
oldest(const struct trace_ring *r)
{
	u64 page = div_round_up(READ_ONCE(r->reserve), PAGE_SIZE);

	return page > r->pages ? (page - r->pages) * PAGE_SIZE : 0;
}

u64
trace_ring_start(const struct trace_ring *r)
{
	return READ_ONCE(r->start);
}

u64
trace_ring_end(const struct trace_ring *r)
{
	return smp_load_acquire(&r->head);
}

/* The bytes of the record at pos, 0: the page ends there; they mean nothing if it was overtaken. */
static size_t
copy_record(const struct trace_ring *r, u64 pos, struct trace_record *to)
{
	size_t used = pos % PAGE_SIZE, size;
	const u8 *from = r->data + (pos / PAGE_SIZE) % r->pages * PAGE_SIZE + used;

	if (PAGE_SIZE - used < sizeof(*to))
		return 0;
	size = READ_ONCE(((const struct trace_record *)from)->size);
	size = min(size, min((size_t)TRACE_RECORD_MAX, PAGE_SIZE - used));
	memcpy(to, from, size);
	return size;
}

bool
trace_ring_read(const struct trace_ring *r, u64 *pos, u64 end, struct trace_record *to)
{
	end = min(end, trace_ring_end(r));
	for (;;) {
		size_t size;

		*pos = max(*pos, oldest(r));
		if (*pos >= end)
			return false;
		size = copy_record(r, *pos, to);
		/* Pairs with the one in reserve(). */
		smp_rmb();
		if (*pos < oldest(r))
			continue;
		if (size != 0) {
			*pos += size;
			return true;
		}
		*pos = align_up(*pos + 1, PAGE_SIZE);
	}
}

void
trace_ring_take(struct trace_ring *r, u64 pos, u32 index)
{
	/* Numbers are modulo 2^32; what lies between is less. */
	r->taken += index - r->start_index;
	r->start_index = index;
	WRITE_ONCE(r->start, pos);
}

u32
trace_ring_start_index(const struct trace_ring *r)
{
	return r->start_index;
}

void
trace_ring_empty(struct trace_ring *r)
{
	u64 end;
	u32 index;

	/* A record that is being written is counted already: a moment later it is there. */
	do {
		end = trace_ring_end(r);
		index = (u32)READ_ONCE(r->written);
		smp_rmb();
	} while (READ_ONCE(r->reserve) != end);
	trace_ring_take(r, end, index);
}

void
trace_ring_stats(const struct trace_ring *r, struct trace_ring_stats *st)
{
	struct {
		struct trace_record rec;
		u8 fields[TRACE_RECORD_MAX];
	} buf;
	u64 pos = trace_ring_start(r), end = trace_ring_end(r);
	u32 first = (u32)READ_ONCE(r->written);

	*st = (struct trace_ring_stats){.written = READ_ONCE(r->written),
					.taken = r->taken,
					.dropped = READ_ONCE(r->dropped),
					.bytes = end - min(end, max(pos, oldest(r)))};
	if (trace_ring_read(r, &pos, end, &buf.rec)) {
		first = buf.rec.index;
		st->oldest = buf.rec.time;
	}
	st->overrun = first - r->start_index;
}

/* --- rings come and go --- */

unsigned int
trace_ring_pages(const struct trace_ring *r)
{
	return r->pages;
}

struct trace_ring *
trace_ring_of(unsigned int cpu)
{
	return smp_load_acquire(&cpu_of(trace_ring, cpu));
}

struct trace_ring *
trace_ring_set(unsigned int cpu, struct trace_ring *r)
{
	struct trace_ring *old = cpu_of(trace_ring, cpu);

	smp_store_release(&cpu_of(trace_ring, cpu), r);
	return old;
}

struct trace_ring *
trace_ring_alloc(unsigned int pages)
{
	struct trace_ring *r = trace_port_alloc(sizeof(*r));

	if (!r)
		return NULL;
	r->pages = pages;
	r->data = trace_port_alloc(pages * PAGE_SIZE);
	if (!r->data) {
		trace_port_free(r);
		return NULL;
	}
	return r;
}

void
trace_ring_free(struct trace_ring *r)
{
	if (!r)
		return;
	trace_port_free(r->data);
	trace_port_free(r);
}
