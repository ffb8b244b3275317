/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU areas: the variables that make a CPU, and the objects that are added
 * to every area at run time.
 *
 * Model: an area is PERCPU_STRIDE bytes of address space. It starts with a copy
 * of the template (section .percpu); the rest is the dynamic part, handed out in
 * units of UNIT bytes at the same offset of every area, so that one __percpu
 * pointer names all copies of an object. A page of the dynamic part is backed
 * with memory, for all CPUs that are possible, when an object first needs it,
 * and stays backed.
 *
 *      0                 static_end                          PERCPU_STRIDE
 *      | copy of template | unit | unit | unit | ...                    |
 *
 * Two bitmaps describe the dynamic part: `used` has a bit for every unit in
 * use, `last` one for the last unit of every object, which is how
 * percpu_free() finds the size.
 *
 * Objects of a cache line, which most are that are made and freed again and again,
 * are kept when they are freed: some on each CPU, which the next percpu_alloc()
 * there takes without a lock. A CPU that has none takes several. What is kept is in
 * use as far as the bitmaps know; what a CPU keeps when it leaves waits for its return.
 *
 * Locking: percpu_port_lock() covers the bitmaps and may be held over sleeping
 * calls. What a CPU keeps is its own: pinned. Objects belong to whoever
 * allocated them.
 *
 * Contexts: percpu_alloc() and percpu_free() may sleep.
 *
 * Rejected: sizes in front of objects (they would cost a line on every CPU);
 * giving pages back (a page that once was needed for all CPUs is needed again).
 */
#include "percpu/percpu.h"

#include "arch/x86_64/asm/layout.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "percpu/port.h"

#define UNIT 16UL
#define UNITS (PERCPU_STRIDE / UNIT)
#define AREA_PAGES (PERCPU_STRIDE / PAGE_SIZE)
/* Units of a cache line: no word of a bitmap ends inside. */
#define LINE_UNITS (CACHE_LINE / UNIT)

extern char __percpu_start[], __percpu_end[];

unsigned long percpu_offset[CONFIG_MAX_CPUS] __read_mostly;
DEFINE_PERCPU(unsigned long, percpu_this_offset);
DEFINE_PERCPU(unsigned int, percpu_cpu);
/* No pins, and nobody wants to reschedule. */
DEFINE_PERCPU(unsigned int, pin_count) = PIN_NO_RESCHED;

/* (percpu_port_lock)  units in use; last units of objects; pages backed */
static BITMAP_DECLARE(used, UNITS);
static BITMAP_DECLARE(last, UNITS);
static BITMAP_DECLARE(backed, AREA_PAGES);
/* (percpu_port_lock)  no unit below this is free */
static size_t first_free;
/* (percpu_port_lock)  units in use, the static part not counted */
static size_t used_units;

/* At most by a CPU: as many as come at once, freed by the end of a grace period. */
#define KEPT_MAX 32u
/* At most by all, 4 KiB of each area, while there are fewer than 32 CPUs. */
#define KEPT_MAX_LINES 64u

/* o  lines freed here, by their first unit; others read n */
struct kept_lines {
	u32 n;
	u32 start[KEPT_MAX];
};
static DEFINE_PERCPU(struct kept_lines, kept_lines);

static size_t
static_units(void)
{
	return align_up((size_t)(__percpu_end - __percpu_start), UNIT) / UNIT;
}

/* Backs the pages of units [start, start + n). */
static bool
units_back(size_t start, size_t n)
{
	size_t from = start * UNIT / PAGE_SIZE;
	size_t to = div_round_up((start + n) * UNIT, PAGE_SIZE);

	for (; from < to; from++) {
		if (bit_test(backed, from))
			continue;
		if (percpu_port_populate(from * PAGE_SIZE, (from + 1) * PAGE_SIZE) != 0)
			return false;
		bit_set(backed, from);
	}
	return true;
}

/* percpu_port_lock() held; is_line() reads without it. */
static void
last_flip(size_t unit)
{
	unsigned long *word = &last[unit / BITS_PER_LONG];

	WRITE_ONCE(*word, *word ^ BIT(unit % BITS_PER_LONG));
}

/* Finds n free units and takes them; UNITS if there are none. */
static size_t
units_take(size_t n, size_t align_units)
{
	size_t start;

	if (first_free < static_units())
		first_free = static_units();
	start = bitmap_find_zero_run(used, UNITS, first_free, n, align_units);
	if (start >= UNITS || !units_back(start, n))
		return UNITS;
	bitmap_set_range(used, start, n);
	last_flip(start + n - 1);
	used_units += n;
	if (start == first_free)
		first_free = bitmap_next_zero(used, UNITS, start + n);
	return start;
}

/* Writes only what is not zero: copies of CPUs that did not use the object stay where they are. */
static void
object_zero(void __percpu *p, size_t size)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		char *copy = percpu_shift((char __percpu *)p, percpu_offset[cpu]);

		/* Areas that are not made yet start with zeroed pages. */
		if (percpu_offset[cpu] != 0 && memchr_inv(copy, 0, size))
			memset(copy, 0, size);
	}
}

/* --- what is kept --- */

static u32
kept_max(void)
{
	return clamp(KEPT_MAX_LINES / nr_cpus, 2u, KEPT_MAX);
}

/* The first unit of a line that is kept here; UNITS: none is. */
static size_t
kept_take(void)
{
	struct kept_lines *kept;
	size_t start = UNITS;

	pin();
	kept = &this_cpu(kept_lines);
	if (kept->n) {
		WRITE_ONCE(kept->n, kept->n - 1);
		start = kept->start[kept->n];
	}
	unpin();
	return start;
}

/* False: this CPU keeps enough. */
static bool
kept_add(size_t start)
{
	struct kept_lines *kept;
	bool room;

	pin();
	kept = &this_cpu(kept_lines);
	for (u32 i = 0; CONFIG_DEBUG && i < kept->n; i++)
		ASSERT(kept->start[i] != start);
	room = kept->n < kept_max();
	if (room) {
		kept->start[kept->n] = (u32)start;
		WRITE_ONCE(kept->n, kept->n + 1);
	}
	unpin();
	return room;
}

/* Is the object that starts there, and is in use, a line? */
static bool
is_line(size_t start)
{
	/* Other bits of the word change meanwhile, under the lock; the object's own do not. */
	unsigned long ends = READ_ONCE(last[start / BITS_PER_LONG]) >> start % BITS_PER_LONG;

	return start % LINE_UNITS == 0 && (ends & (BIT(LINE_UNITS) - 1)) == BIT(LINE_UNITS - 1);
}

/* --- objects --- */

/* percpu_port_lock() held. */
static void
units_give(size_t start)
{
	size_t n;

	ASSERT(start >= static_units() && start < UNITS && bit_test(used, start));
	/* The unit in front is free or ends another object. */
	ASSERT(start == static_units() || !bit_test(used, start - 1) || bit_test(last, start - 1));
	n = bitmap_next_one(last, UNITS, start) - start + 1;
	last_flip(start + n - 1);
	bitmap_clear_range(used, start, n);
	used_units -= n;
	if (start < first_free)
		first_free = start;
}

/* A line, and more to keep: half of what may be, so that few calls come here. */
static size_t
lines_take(void)
{
	size_t start = units_take(LINE_UNITS, LINE_UNITS);

	for (u32 n = kept_max() / 2; start != UNITS && n > 1; n--) {
		size_t more = units_take(LINE_UNITS, LINE_UNITS);

		if (more != UNITS && !kept_add(more))
			units_give(more);
	}
	return start;
}

void __percpu *
percpu_alloc(size_t size, size_t align)
{
	size_t n = div_round_up(size, UNIT);
	size_t start = UNITS;
	void __percpu *p;

	ASSERT(size > 0 && size <= PERCPU_ALLOC_MAX);
	ASSERT(is_power_of_2(align) && align <= CACHE_LINE);
	if (percpu_port_fail())
		return NULL;
	if (n == LINE_UNITS)
		start = kept_take();
	if (start == UNITS) {
		percpu_port_lock();
		start = n == LINE_UNITS ? lines_take() : units_take(n, max(align, UNIT) / UNIT);
		percpu_port_unlock();
	}
	if (start == UNITS)
		return NULL;
	p = (void __percpu __force *)(__percpu_start + start * UNIT);
	object_zero(p, n * UNIT);
	return p;
}

void
percpu_free(void __percpu *p)
{
	size_t start;

	if (p == NULL)
		return;
	start = (size_t)((char __force *)p - __percpu_start) / UNIT;
	ASSERT(start >= static_units() && start < UNITS);
	if (is_line(start) && kept_add(start))
		return;
	percpu_port_lock();
	units_give(start);
	percpu_port_unlock();
}

size_t
percpu_alloc_used(void)
{
	size_t units = READ_ONCE(used_units);
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		if (percpu_offset[cpu] != 0)
			units -= READ_ONCE(cpu_of(kept_lines, cpu).n) * LINE_UNITS;
	}
	return units * UNIT;
}
