/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracepoints and the rings they are recorded in.
 *
 * Model: percpu/trace/events.list declares each event; code that is traced calls
 * trace_NAME(fields...) (percpu/trace/events.h, generated), which tests one byte
 * of a line that nobody writes while nothing is switched on or off. An event
 * that is on becomes a record in the ring of the CPU it happened on; the ring is
 * full always, the oldest page goes. (percpu/trace/ring.c tells how.)
 *
 * A record carries the name of its task: no table of names by number is kept,
 * which all CPUs would write and which forgets.
 */
#ifndef PERCPU_TRACE_TRACE_H
#define PERCPU_TRACE_TRACE_H

#include "lib/types.h"
#include "percpu/percpu.h"
#include "percpu/trace/events.h"

#define TRACE_COMM 16
/* Longest text of a `string` field, its NUL included. */
#define TRACE_TEXT_MAX 256u
/* Longest record: two such texts and what else there is. */
#define TRACE_RECORD_MAX 1024u

/* What `format` files call common fields. */
struct trace_common {
	u16 type;
	u8 flags;
	u8 preempt_count;
	s32 pid;
};

/* ->flags, as Linux has them. */
#define TRACE_IRQS_OFF 0x01u
#define TRACE_NEED_RESCHED 0x04u
#define TRACE_HARDIRQ 0x08u
#define TRACE_SOFTIRQ 0x10u
#define TRACE_NMI 0x40u
#define TRACE_BH_OFF 0x80u

/*
 * OFFSET SIZE MEANING
 * 0      8    when, monotonic ns
 * 8      4    how many records this CPU had written before, modulo 2^32
 * 12     2    bytes of the record, a multiple of 8; 0: the page ends here
 * 14     2    0
 * 16     16   name of the task
 * 32     8    struct trace_common
 * 40          fields of the event
 */
struct trace_record {
	u64 time;
	u32 index;
	u16 size;
	u16 zero;
	char comm[TRACE_COMM];
	struct trace_common common;
};
static_assert(sizeof(struct trace_record) == 40, "as drawn above");

/* A record that is being written: interrupts are off. */
struct trace_slot {
	struct trace_ring *ring;
	unsigned long flags;
	u64 end;
};

/* Events are recorded at all (tracing_on). */
extern u8 trace_recording;

/*
 * `size` bytes for common and own fields, or NULL: nothing is recorded here now.
 * Any context; in an NMI the event is lost, and counted.
 */
void *trace_begin(struct trace_slot *s, unsigned int event, size_t size);
void trace_commit(struct trace_slot *s);

/* For the generated code. Bytes to keep of a text; puts it at *at behind the fields. */
unsigned int trace_text_size(const char *text);
u32 trace_put_text(void *fields, unsigned int *at, const char *text, unsigned int size);
void trace_copy_comm(char *to, const char *comm);

/* --- rings --- */

struct trace_ring;

/* An empty ring of that many pages, for one CPU; NULL: no memory. May sleep. */
struct trace_ring *trace_ring_alloc(unsigned int pages);
void trace_ring_free(struct trace_ring *r);
/*
 * Makes r (may be NULL) the ring of `cpu`; the old one is returned and may be
 * written until a grace period has passed.
 */
struct trace_ring *trace_ring_set(unsigned int cpu, struct trace_ring *r);
/* The ring of a CPU, or NULL. In an RCU section, or by who sets rings. */
struct trace_ring *trace_ring_of(unsigned int cpu);

/* Where a reader stands; 0 is the beginning of time. */
u64 trace_ring_start(const struct trace_ring *r);
u64 trace_ring_end(const struct trace_ring *r);
/*
 * Copies the record at *pos, or the oldest one behind it that is left, and moves
 * *pos behind it. False: none before `end`. Any context; the ring may be written
 * meanwhile.
 */
bool trace_ring_read(const struct trace_ring *r, u64 *pos, u64 end, struct trace_record *to);
/* Records before pos are taken: readers of the ring start there. Index of the next one. */
void trace_ring_take(struct trace_ring *r, u64 pos, u32 index);
/* The index of the first record that was not taken. */
u32 trace_ring_start_index(const struct trace_ring *r);
/* All that is there is taken. */
void trace_ring_empty(struct trace_ring *r);
/* Written in all; taken; lost because the ring was full; lost in NMIs. */
struct trace_ring_stats {
	u64 written, taken, overrun, dropped, bytes, oldest;
};
void trace_ring_stats(const struct trace_ring *r, struct trace_ring_stats *st);
unsigned int trace_ring_pages(const struct trace_ring *r);

#endif
