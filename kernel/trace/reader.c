/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the rings of all CPUs as one sequence in the order of time.
 *
 * Model: a reader has a lane for each CPU it reads: where it stands in that ring,
 * and a copy of the record there. The lane with the earliest is next. A reader
 * that takes moves the ring's start along, so that nobody reads it again.
 *
 * Locking: trace_mutex (control.c) keeps rings from being replaced; it is held
 * within each call, not between: then a ring may have been emptied or another
 * one, which its generation tells, and the lane begins anew.
 */
#include "kernel/trace/trace_impl.h"

#include "lib/string.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "sync/rcu.h"

struct lane {
	/* where the record behind the copy begins, and where this walk ends */
	u64 pos;
	u64 end;
	/* number expected next; what was lost before the copy */
	u32 index;
	u64 lost;
	u32 generation;
	bool known;
	/* the copy is of a record that has not been returned yet */
	bool filled;
	union {
		struct trace_record rec;
		u8 bytes[TRACE_RECORD_MAX];
	};
};

struct trace_reader {
	/* I */
	unsigned int first, last;
	bool take;
	/* The lane whose record was returned last. */
	struct lane *current;
	/* I  what has been returned is in here */
	union {
		struct trace_record rec;
		u8 bytes[TRACE_RECORD_MAX];
	};
	struct lane lanes[];
};

struct trace_reader *
trace_reader_alloc(unsigned int cpu, bool take)
{
	unsigned int n = cpu == TRACE_ALL_CPUS ? nr_cpus : 1;
	struct trace_reader *rd = kvmalloc(sizeof(*rd) + n * sizeof(rd->lanes[0]), GFP_KERNEL);

	if (!rd)
		return NULL;
	rd->first = cpu == TRACE_ALL_CPUS ? 0 : cpu;
	rd->last = rd->first + n;
	rd->take = take;
	trace_reader_rewind(rd);
	return rd;
}

void
trace_reader_free(struct trace_reader *rd)
{
	kvfree(rd);
}

void
trace_reader_rewind(struct trace_reader *rd)
{
	for (unsigned int cpu = rd->first; cpu < rd->last; cpu++) {
		struct lane *l = &rd->lanes[cpu - rd->first];

		l->known = false;
		l->filled = false;
	}
	rd->current = NULL;
}

/* Where this lane begins in the ring that its CPU has now. */
static void
lane_begin(struct lane *l, const struct trace_ring *r, u32 generation, bool take)
{
	l->pos = trace_ring_start(r);
	l->end = take ? U64_MAX : trace_ring_end(r);
	l->index = trace_ring_start_index(r);
	l->generation = generation;
	l->filled = false;
	/* What was overwritten before is in the head of the text. */
	l->lost = 0;
	l->known = true;
}

/* Has the lane a record? trace_mutex held. */
static bool
lane_fill(struct trace_reader *rd, unsigned int cpu)
{
	struct lane *l = &rd->lanes[cpu - rd->first];
	struct trace_ring *r = trace_ring_of(cpu);
	u32 generation = trace_generation;
	bool first = !l->known || l->generation != generation;

	if (!r)
		return false;
	if (first)
		lane_begin(l, r, generation, rd->take);
	if (l->filled)
		return true;
	if (!trace_ring_read(r, &l->pos, l->end, &l->rec))
		return false;
	l->lost = first && !rd->take ? 0 : l->rec.index - l->index;
	l->index = l->rec.index + 1;
	l->filled = true;
	return true;
}

const struct trace_record *
trace_reader_next(struct trace_reader *rd, unsigned int *cpu, u64 *lost)
{
	struct lane *best = NULL, *l;

	mutex_lock(&trace_mutex);
	for (unsigned int c = rd->first; c < rd->last; c++) {
		l = &rd->lanes[c - rd->first];
		if (!lane_fill(rd, c) || (best && best->rec.time <= l->rec.time))
			continue;
		best = l;
		*cpu = c;
	}
	if (best) {
		memcpy(rd->bytes, best->bytes, best->rec.size);
		*lost = best->lost;
		best->filled = false;
		if (rd->take)
			trace_ring_take(trace_ring_of(*cpu), best->pos, best->index);
	}
	mutex_unlock(&trace_mutex);
	return best ? &rd->rec : NULL;
}

bool
trace_pending(unsigned int cpu)
{
	unsigned int first = cpu == TRACE_ALL_CPUS ? 0 : cpu;
	unsigned int last = cpu == TRACE_ALL_CPUS ? nr_cpus : cpu + 1;
	bool pending = false;

	rcu_read_lock();
	for (unsigned int c = first; c < last && !pending; c++) {
		const struct trace_ring *r = trace_ring_of(c);

		pending = r && trace_ring_start(r) < trace_ring_end(r);
	}
	rcu_read_unlock();
	return pending;
}

void
trace_stats(unsigned int cpu, struct trace_ring_stats *st)
{
	unsigned int first = cpu == TRACE_ALL_CPUS ? 0 : cpu;
	unsigned int last = cpu == TRACE_ALL_CPUS ? nr_cpus : cpu + 1;
	struct trace_ring_stats one;

	*st = (struct trace_ring_stats){0};
	mutex_lock(&trace_mutex);
	for (unsigned int c = first; c < last; c++) {
		const struct trace_ring *r = trace_ring_of(c);

		if (!r)
			continue;
		trace_ring_stats(r, &one);
		st->written += one.written;
		st->taken += one.taken;
		st->overrun += one.overrun;
		st->dropped += one.dropped;
		st->bytes += one.bytes;
		st->oldest = one.oldest;
	}
	mutex_unlock(&trace_mutex);
}
