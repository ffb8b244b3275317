/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KCSAN: what is said about a race, in the log.
 *
 * Model: a pair of code addresses is reported once; a table of REPORTS_MAX pairs
 * says which have been, and when it is full nothing more is written. The kernel
 * goes on.
 *
 * Locking: reports are written one at a time by whoever has `writing`; a second
 * one waits, with interrupts off, as its CPU would have in its watch.
 */
#include "sync/kcsan_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "lib/string.h"
#include "percpu/pin.h"
#include "sync/debug_impl.h"
#include "sync/port.h"

#define LEVEL_EMERG 0
#define REPORTS_MAX 200u

struct pair {
	unsigned long pc[2];
};

/* All three are of whoever has `writing`. */
static struct pair pairs[REPORTS_MAX];
static u32 nr_pairs;
/* a */
static u32 writing;
/* a  races of a test's */
static struct kcsan_catch *catching;

void
kcsan_access_fill(struct kcsan_access *a)
{
	unsigned long pcs[KCSAN_FRAMES];
	u32 n = sync_port_frames(pcs, KCSAN_FRAMES), from = 0;

	a->cpu = cpu_id();
	a->pins = this_cpu_read(pin_count);
	a->tid = sync_port_task(a->name, sizeof(a->name));
	while (from < n && pcs[from] != a->pc)
		from++;
	a->frames = n - from;
	memcpy(a->pcs, pcs + from, a->frames * sizeof(*pcs));
}

static bool
pair_is_new(unsigned long a, unsigned long b)
{
	for (u32 i = 0; i < nr_pairs; i++)
		if ((pairs[i].pc[0] == a && pairs[i].pc[1] == b) ||
		    (pairs[i].pc[0] == b && pairs[i].pc[1] == a))
			return false;
	if (nr_pairs == REPORTS_MAX)
		return false;
	pairs[nr_pairs++] = (struct pair){{a, b}};
	return true;
}

static const char *
context_name(u32 pins)
{
	if (pins & PIN_HARDIRQ_MASK)
		return " in an interrupt";
	return pins & PIN_SOFTIRQ ? " in a softirq" : "";
}

static void
access_write(const struct kcsan_access *a)
{
	sync_port_log(LEVEL_EMERG, "%s%s of %lu bytes at %lx (%pS) by CPU %u, task %d (%s)%s:",
		      a->kind & KCSAN_MARKED ? "marked " : "",
		      a->kind & KCSAN_WRITE ? "write" : "read", a->size, a->addr, (void *)a->addr,
		      a->cpu, a->tid, a->name, context_name(a->pins));
	for (u32 i = 0; i < a->frames; i++)
		sync_port_log(LEVEL_EMERG, "  [<%lx>] %pS", a->pcs[i], (void *)(a->pcs[i] - 1));
}

static void
report_write(const struct kcsan_access *mine, const struct kcsan_access *other, const u64 *v)
{
	if (other)
		sync_port_log(LEVEL_EMERG, "BUG: KCSAN: data race in %pS and %pS",
			      (void *)(mine->pc - 1), (void *)(other->pc - 1));
	else
		sync_port_log(LEVEL_EMERG, "BUG: KCSAN: data race in %pS and code not watched",
			      (void *)(mine->pc - 1));
	access_write(mine);
	if (other)
		access_write(other);
	if (v[0] != v[1])
		sync_port_log(LEVEL_EMERG, "the value changed from %lx to %lx", v[0], v[1]);
	held_locks_print(NULL);
	held_locks_print(sync_port_held());
}

/* A test waits for this one. */
static bool
caught(const struct kcsan_access *mine, const struct kcsan_access *other)
{
	struct kcsan_catch *c = catching;

	if (!c || mine->addr >= c->start + c->size || c->start >= mine->addr + mine->size)
		return false;
	c->kinds[0] = mine->kind;
	c->pcs[0] = mine->pc;
	c->kinds[1] = other ? other->kind : 0;
	c->pcs[1] = other ? other->pc : 0;
	atomic_inc(&c->races);
	return true;
}

void
kcsan_report(const struct kcsan_access *mine, const struct kcsan_access *other, const u64 *v)
{
	while (atomic_xchg(&writing, 1))
		cpu_relax();
	if (!caught(mine, other) && pair_is_new(mine->pc, other ? other->pc : 0)) {
		bool quiet = lock_report_begin();

		report_write(mine, other, v);
		if (quiet)
			lock_report_end();
	}
	smp_store_release(&writing, 0);
}

static void
catching_set(struct kcsan_catch *c, u32 often)
{
	static u32 before;
	unsigned long flags = irq_save();

	while (atomic_xchg(&writing, 1))
		cpu_relax();
	catching = c;
	if (c)
		before = kcsan_often;
	WRITE_ONCE(kcsan_often, c ? often : before);
	smp_store_release(&writing, 0);
	irq_restore(flags);
}

void
kcsan_catch_begin(struct kcsan_catch *c)
{
	c->races = 0;
	catching_set(c, c->often);
}

u32
kcsan_catch_end(struct kcsan_catch *c)
{
	catching_set(NULL, 0);
	return c->races;
}
