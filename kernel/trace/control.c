/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which tracepoints are on, and the rings of the CPUs.
 *
 * Model: no ring exists until an event is switched on for the first time (or a
 * text is written into the trace): then each online CPU gets one, and each that
 * comes later before it starts. A ring is replaced to change its size, and stays
 * when its CPU goes, to be read.
 *
 * Locking: trace_mutex for all of it. Writers of rings take no lock: a ring that
 * was replaced is freed after a grace period.
 */
#include "kernel/trace/trace_impl.h"

#include "arch/x86_64/asm/layout.h"
#include "kernel/syscall/table.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/glob.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/trace/port.h"
#include "sync/rcu.h"

/* A CPU's ring takes at most this part of memory by default, all of them a quarter. */
#define DEFAULT_PART 64
#define KB_MAX (1UL << 22)

static LOCK_CLASS(trace_class, RANK_TRACE);
struct mutex trace_mutex = MUTEX_INIT(trace_mutex, trace_class);
u32 trace_generation;
/* (trace_mutex)  rings have been made; KiB of those to come, 0: by default */
static bool expanded;
static unsigned long wanted_kb;

/* --- what rings ask for --- */

u64
trace_port_context(char *comm, s32 *pid)
{
	const struct task *t = current;

	if (unlikely(!t) || t->tid == 0) {
		memcpy(comm, "<idle>\0\0\0\0\0\0\0\0\0", TRACE_COMM);
		*pid = 0;
	} else {
		trace_copy_comm(comm, t->comm);
		*pid = t->tid;
	}
	return ktime_get();
}

void *
trace_port_alloc(size_t size)
{
	void *p = kvmalloc(size, GFP_KERNEL | GFP_NORETRY);

	if (p)
		memset(p, 0, size);
	return p;
}

void
trace_port_free(void *p)
{
	kvfree(p);
}

/* --- rings; trace_mutex held --- */

static unsigned long
default_kb(void)
{
	unsigned long ram_kb = pages_total() * (PAGE_SIZE / 1024);
	unsigned long part = min(ram_kb / DEFAULT_PART, ram_kb / 4 / nr_cpus);

	if (wanted_kb)
		return wanted_kb;
	return max(min((unsigned long)TRACE_DEFAULT_KB, part), PAGE_SIZE / 1024 * 2);
}

/* Gives a CPU a ring of that size; 0 or -ENOMEM. */
static int
replace(unsigned int cpu, unsigned long kb)
{
	unsigned int pages = (unsigned int)div_round_up(kb * 1024, PAGE_SIZE);
	struct trace_ring *r, *old = trace_ring_of(cpu);

	if (old && trace_ring_pages(old) == pages)
		return 0;
	r = trace_ring_alloc(max(pages, 2u));
	if (!r)
		return -ENOMEM;
	trace_ring_set(cpu, r);
	trace_generation++;
	if (old) {
		rcu_synchronize();
		trace_ring_free(old);
	}
	return 0;
}

static int
expand_locked(void)
{
	unsigned int cpu;
	int err = 0;

	if (expanded)
		return 0;
	for_each_online_cpu(cpu) {
		err = replace(cpu, default_kb());
		if (err)
			return err;
	}
	expanded = true;
	return 0;
}

int
trace_expand(void)
{
	int err;

	mutex_lock(&trace_mutex);
	err = expand_locked();
	mutex_unlock(&trace_mutex);
	return err;
}

bool
trace_expanded(void)
{
	return READ_ONCE(expanded);
}

void
trace_cpu_prepare(unsigned int cpu)
{
	mutex_lock(&trace_mutex);
	/* Without memory its events are not recorded. */
	if (expanded && !trace_ring_of(cpu))
		(void)!replace(cpu, default_kb());
	mutex_unlock(&trace_mutex);
}

int
trace_resize(unsigned int cpu, unsigned long kb)
{
	unsigned int c;
	int err = 0;

	if (kb == 0 || kb > KB_MAX)
		return -EINVAL;
	mutex_lock(&trace_mutex);
	if (cpu != TRACE_ALL_CPUS) {
		err = replace(cpu, kb);
	} else {
		wanted_kb = kb;
		for_each_possible_cpu(c)
			if (!err && (cpu_online(c) || trace_ring_of(c)))
				err = replace(c, kb);
		expanded = expanded || !err;
	}
	mutex_unlock(&trace_mutex);
	return err;
}

unsigned long
trace_size_kb(unsigned int cpu)
{
	const struct trace_ring *r;
	unsigned long kb;

	mutex_lock(&trace_mutex);
	r = trace_ring_of(cpu);
	kb = r ? trace_ring_pages(r) * (PAGE_SIZE / 1024) : default_kb();
	mutex_unlock(&trace_mutex);
	return kb;
}

void
trace_clear(unsigned int cpu)
{
	unsigned int c;

	mutex_lock(&trace_mutex);
	for_each_possible_cpu(c)
		if ((cpu == TRACE_ALL_CPUS || c == cpu) && trace_ring_of(c))
			trace_ring_empty(trace_ring_of(c));
	trace_generation++;
	mutex_unlock(&trace_mutex);
}

/* --- events --- */

static bool
matches(unsigned int id, const char *system, const char *event)
{
	const struct trace_event *e = &trace_table[id];

	/* It is on always, as long as anything is recorded. */
	if (id == TRACE_NONE || id == TRACE_print)
		return false;
	return (!system || glob_match(system, e->system)) && (!event || glob_match(event, e->name));
}

int
trace_events_set(const char *system, const char *event, bool on)
{
	int err = 0, found = 0;
	unsigned int cpu;

	mutex_lock(&trace_mutex);
	for (unsigned int id = 0; id < TRACE_EVENTS; id++)
		found += matches(id, system, event);
	if (found == 0)
		err = -EINVAL;
	else if (on)
		err = expand_locked();
	for (unsigned int id = 0; id < TRACE_EVENTS && !err; id++)
		if (matches(id, system, event))
			WRITE_ONCE(trace_on[id], on);
	for_each_possible_cpu(cpu)
		WRITE_ONCE(cpu_of(syscall_watch[0], cpu),
			   trace_on[TRACE_sys_enter] || trace_on[TRACE_sys_exit]);
	mutex_unlock(&trace_mutex);
	return err;
}

int
trace_events_parse(char *text)
{
	bool on = text[0] != '!';
	char *colon;
	int err;

	text += !on;
	colon = strchr(text, ':');
	if (colon) {
		*colon = '\0';
		return trace_events_set(*text ? text : NULL, colon[1] ? colon + 1 : NULL, on);
	}
	/* A word alone is a system or an event. */
	err = trace_events_set(NULL, text, on);
	return err == -EINVAL ? trace_events_set(text, NULL, on) : err;
}

char
trace_events_state(const char *system)
{
	bool any = false, all = true;

	for (unsigned int id = 0; id < TRACE_EVENTS; id++) {
		if (!matches(id, system, NULL))
			continue;
		any = any || READ_ONCE(trace_on[id]);
		all = all && READ_ONCE(trace_on[id]);
	}
	return all ? '1' : any ? 'X' : '0';
}

int
trace_mark(const char *text)
{
	int err = trace_expand();

	if (!err)
		trace_record_print(text);
	return err;
}
