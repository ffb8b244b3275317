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
 * Locking: percpu_port_lock() covers the bitmaps and may be held over sleeping
 * calls. Objects belong to whoever allocated them.
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
	bit_set(last, start + n - 1);
	used_units += n;
	if (start == first_free)
		first_free = bitmap_next_zero(used, UNITS, start + n);
	return start;
}

static void
object_zero(void __percpu *p, size_t size)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		/* Areas that are not made yet start with zeroed pages. */
		if (percpu_offset[cpu] != 0)
			memset(percpu_shift((char __percpu *)p, percpu_offset[cpu]), 0, size);
	}
}

void __percpu *
percpu_alloc(size_t size, size_t align)
{
	size_t n = div_round_up(size, UNIT);
	void __percpu *p;
	size_t start;

	ASSERT(size > 0 && size <= PERCPU_ALLOC_MAX);
	ASSERT(is_power_of_2(align) && align <= CACHE_LINE);
	if (percpu_port_fail())
		return NULL;
	percpu_port_lock();
	start = units_take(n, max(align, UNIT) / UNIT);
	percpu_port_unlock();
	if (start == UNITS)
		return NULL;
	p = (void __percpu __force *)(__percpu_start + start * UNIT);
	object_zero(p, n * UNIT);
	return p;
}

void
percpu_free(void __percpu *p)
{
	size_t start, n;

	if (p == NULL)
		return;
	start = (size_t)((char __force *)p - __percpu_start) / UNIT;
	percpu_port_lock();
	ASSERT(start >= static_units() && start < UNITS && bit_test(used, start));
	/* The unit in front is free or ends another object. */
	ASSERT(start == static_units() || !bit_test(used, start - 1) || bit_test(last, start - 1));
	n = bitmap_next_one(last, UNITS, start) - start + 1;
	bit_clear(last, start + n - 1);
	bitmap_clear_range(used, start, n);
	used_units -= n;
	if (start < first_free)
		first_free = start;
	percpu_port_unlock();
}

size_t
percpu_alloc_used(void)
{
	return READ_ONCE(used_units) * UNIT;
}
