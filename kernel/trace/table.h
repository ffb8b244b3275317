/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of tracepoints that tools/gen-trace makes, and what its code calls. */
#ifndef KERNEL_TRACE_TABLE_H
#define KERNEL_TRACE_TABLE_H

#include "kernel/seq.h"
#include "lib/types.h"
#include "percpu/trace/events.h"

struct trace_event {
	const char *system;
	const char *name;
	/* The text of a record; fields: its struct trace_common and what follows. */
	void (*show)(struct seq *s, const void *fields);
	/* The part of the `format` file that describes the fields. */
	const char *format;
};

/* By number (TRACE_NAME), sorted by system; 0 is none. */
extern const struct trace_event trace_table[TRACE_EVENTS];

struct trace_name {
	u64 value;
	const char *name;
};

#define TRACE_FLAGS_TEXT 128
/* The name of a value, or the value. */
const char *trace_symbol(const struct trace_name *set, size_t n, u64 value);
/* The names of the bits that are set, in buf. */
const char *trace_flags(const struct trace_name *set, size_t n, u64 value, char *buf);
/* A text that is kept with a record. */
const char *trace_text(const void *fields, u32 where);

#endif
