/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching tracepoints on, the rings' sizes, and reading them: for fs/tracefs. */
#ifndef KERNEL_TRACE_TRACE_H
#define KERNEL_TRACE_TRACE_H

#include "kernel/seq.h"
#include "kernel/trace/table.h"
#include "lib/types.h"
#include "percpu/trace/trace.h"

#define TRACE_ALL_CPUS (~0u)
/* Size of a CPU's ring unless set otherwise, KiB; less on small machines. */
#define TRACE_DEFAULT_KB 1408u

/* --- control.c; all may sleep --- */

/*
 * Switches events on or off: both patterns with * and ?, NULL: any. 0; -EINVAL: no
 * event has such a name; -ENOMEM: no ring.
 */
int trace_events_set(const char *system, const char *event, bool on);
/* The same for one written as set_event has it: [!]SYSTEM:EVENT, SYSTEM:, EVENT. */
int trace_events_parse(char *text);
/* '0' all of a system (NULL: any) are off, '1' on, 'X' some. */
char trace_events_state(const char *system);

/* Makes rings if there are none yet: 0 or -ENOMEM. */
int trace_expand(void);
bool trace_expanded(void);
/* Sets the size (KiB) of a CPU's ring, or of all, and empties it. 0, -EINVAL, -ENOMEM. */
int trace_resize(unsigned int cpu, unsigned long kb);
/* KiB of a CPU's ring, or what it will have. */
unsigned long trace_size_kb(unsigned int cpu);
/* Empties the ring of a CPU, or all. */
void trace_clear(unsigned int cpu);
/* A CPU is about to come: its ring, if there are rings. */
void trace_cpu_prepare(unsigned int cpu);

/* One text into the ring, as ftrace:print. */
int trace_mark(const char *text);

/* --- reader.c --- */

/*
 * A walk over the records of one CPU or all, in the order of time. Borrowed by
 * one task at a time.
 */
struct trace_reader;

/* take: what is read is taken out of the rings. NULL: no memory. */
struct trace_reader *trace_reader_alloc(unsigned int cpu, bool take);
void trace_reader_free(struct trace_reader *rd);
/* Back to the oldest record; up to what is there now. */
void trace_reader_rewind(struct trace_reader *rd);
/*
 * The next record, valid until the next call; NULL: no more. *cpu: where;
 * *lost: how many were lost on that CPU before it.
 */
const struct trace_record *trace_reader_next(struct trace_reader *rd, unsigned int *cpu, u64 *lost);
/* Is there anything to take on a CPU (or any)? Any context; a hint. */
bool trace_pending(unsigned int cpu);
/* Sum of ring statistics of a CPU, or all. */
void trace_stats(unsigned int cpu, struct trace_ring_stats *st);

/* --- text.c --- */

void trace_show_head(struct seq *s, unsigned int cpu);
void trace_show_record(struct seq *s, unsigned int cpu, const struct trace_record *rec, u64 lost);

#endif
