/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as lines of text, in the form that Linux gives them. */
#include "kernel/time/clock.h"
#include "kernel/trace/trace.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "percpu/cpumask.h"

const char *
trace_symbol(const struct trace_name *set, size_t n, u64 value)
{
	for (size_t i = 0; i < n; i++)
		if (set[i].value == value)
			return set[i].name;
	return "?";
}

const char *
trace_flags(const struct trace_name *set, size_t n, u64 value, char *buf)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (set[i].value == 0 && value == 0)
			return set[i].name;
		if (set[i].value == 0 || (value & set[i].value) != set[i].value)
			continue;
		at += scnprintf(buf + at, TRACE_FLAGS_TEXT - at, "%s%s", at ? "|" : "",
				set[i].name);
		value &= ~set[i].value;
	}
	if (value)
		scnprintf(buf + at, TRACE_FLAGS_TEXT - at, "%s%#lx", at ? "|" : "", value);
	return buf;
}

const char *
trace_text(const void *fields, u32 where)
{
	return (const char *)fields + (where & 0xffff);
}

void
trace_show_head(struct seq *s, unsigned int cpu)
{
	struct trace_ring_stats st;

	trace_stats(cpu, &st);
	seq_puts(s, "# tracer: nop\n#\n");
	seq_printf(s, "# entries-in-buffer/entries-written: %lu/%lu   #P:%u\n#\n",
		   st.written - st.taken - st.overrun, st.written - st.taken,
		   cpumask_weight(&cpu_online_mask));
	seq_puts(s, "#                                _-----=> irqs-off/BH-disabled\n"
		    "#                               / _----=> need-resched\n"
		    "#                              | / _---=> hardirq/softirq\n"
		    "#                              || / _--=> preempt-depth\n"
		    "#                              ||| / _-=> migrate-disable\n"
		    "#                              |||| /     delay\n"
		    "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		    "#              | |         |   |||||     |         |\n");
}

/* The five letters: what was going on where it happened. */
static void
show_state(struct seq *s, const struct trace_common *c)
{
	u8 f = c->flags;
	char irqs = f & TRACE_IRQS_OFF && f & TRACE_BH_OFF ? 'D'
		    : f & TRACE_IRQS_OFF		   ? 'd'
		    : f & TRACE_BH_OFF			   ? 'b'
							   : '.';
	char context = f & TRACE_HARDIRQ && f & TRACE_SOFTIRQ ? 'H'
		       : f & TRACE_HARDIRQ		      ? 'h'
		       : f & TRACE_SOFTIRQ		      ? 's'
							      : '.';

	seq_putc(s, irqs);
	seq_putc(s, f & TRACE_NEED_RESCHED ? 'N' : '.');
	seq_putc(s, context);
	if (c->preempt_count)
		seq_printf(s, "%x", c->preempt_count & 0xfu);
	else
		seq_putc(s, '.');
	/* Whoever is pinned cannot migrate; there is nothing between. */
	seq_putc(s, '.');
}

void
trace_show_record(struct seq *s, unsigned int cpu, const struct trace_record *rec, u64 lost)
{
	const struct trace_event *e = &trace_table[rec->common.type];
	u64 us = rec->time / NSEC_PER_USEC;

	if (lost)
		seq_printf(s, "CPU:%u [LOST %lu EVENTS]\n", cpu, lost);
	seq_printf(s, "%16s-%-7d [%03u] ", rec->comm, rec->common.pid, cpu);
	show_state(s, &rec->common);
	seq_printf(s, " %5lu.%06lu: %s: ", us / 1000000, us % 1000000,
		   rec->common.type == TRACE_print ? "tracing_mark_write" : e->name);
	e->show(s, &rec->common);
	seq_putc(s, '\n');
}
