/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map of physical memory and the allocator of boot.
 *
 * Model: two ascending lists of disjoint ranges in whole pages: RAM, cut inwards
 * (half a page of RAM is no frame), and reservations, grown outwards. Free is
 * what RAM has and reservations do not. Allocation takes the highest free
 * place, so that low memory stays for devices; pieces below a page are cut from
 * a page at a time. RAM that finds no room in its list is forgotten and counted;
 * a reservation is never forgotten: the two that lie nearest become one.
 *
 * Contexts: boot, one CPU. The lists are read-only after mm_init().
 */
#include "mm/memblock.h"

#include "config/config.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/memblock_impl.h"
#include "mm/port.h"

/* What the direct map and the page array can hold. */
#define PHYS_LIMIT (DIRECT_MAP_END - DIRECT_MAP_BASE)

struct rangelist {
	struct memrange r[MEMBLOCK_MAX];
	unsigned int n;
};

static struct rangelist ram;
static struct rangelist reserved;
/* memblock_alloc() stays below this: what the tables in use map. */
static phys_t reach = 4UL << 30;
/* What is left of the page that small pieces come from. */
static phys_t piece;
static phys_t piece_end;
static u64 ram_forgotten;
static bool closed;

static void
list_cut(struct rangelist *l, unsigned int i, unsigned int count)
{
	for (unsigned int k = i + count; k < l->n; k++)
		l->r[k - count] = l->r[k];
	l->n -= count;
}

/* Makes room at i; the list is not full. */
static void
list_put(struct rangelist *l, unsigned int i, struct memrange r)
{
	for (unsigned int k = l->n; k > i; k--)
		l->r[k] = l->r[k - 1];
	l->r[i] = r;
	l->n++;
}

/* Joins the two neighbours with the smallest gap between them. */
static void
list_join_nearest(struct rangelist *l)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i + 1 < l->n; i++) {
		if (l->r[i + 1].start - l->r[i].end < l->r[best + 1].start - l->r[best].end)
			best = i;
	}
	l->r[best].end = l->r[best + 1].end;
	list_cut(l, best + 1, 1);
}

/* Adds [start, end), merged with all that it touches; false: the list is full. */
static bool
list_union(struct rangelist *l, phys_t start, phys_t end)
{
	struct memrange r = {.start = start, .end = end};
	unsigned int i = 0, k;

	while (i < l->n && l->r[i].end < start)
		i++;
	for (k = i; k < l->n && l->r[k].start <= end; k++) {
		r.start = min(r.start, l->r[k].start);
		r.end = max(r.end, l->r[k].end);
	}
	list_cut(l, i, k - i);
	if (l->n == MEMBLOCK_MAX)
		return false;
	list_put(l, i, r);
	return true;
}

void
memblock_add_ram(phys_t start, phys_t end)
{
	end = align_down(min(end, (phys_t)PHYS_LIMIT), PAGE_SIZE);
	if (start >= end)
		return;
	start = align_up(start, PAGE_SIZE);
	if (start < end && !list_union(&ram, start, end))
		ram_forgotten += end - start;
}

void
memblock_reserve(phys_t start, phys_t end)
{
	end = min(end, (phys_t)PHYS_LIMIT);
	if (start >= end)
		return;
	start = align_down(start, PAGE_SIZE);
	end = align_up(end, PAGE_SIZE);
	if (reserved.n == MEMBLOCK_MAX)
		list_join_nearest(&reserved);
	/* There is room now: a union needs at most one entry more. */
	ASSERT(list_union(&reserved, start, end));
}

void
memblock_limit(phys_t end)
{
	end = align_down(end, PAGE_SIZE);
	while (ram.n > 0 && ram.r[ram.n - 1].start >= end)
		ram.n--;
	if (ram.n > 0 && ram.r[ram.n - 1].end > end)
		ram.r[ram.n - 1].end = end;
}

/* Cuts range i in two at `at`, which lies inside; false: the list is full. */
static bool
ram_split(unsigned int i, phys_t at)
{
	struct memrange upper = ram.r[i];

	if (ram.n == MEMBLOCK_MAX)
		return false;
	upper.start = at;
	ram.r[i].end = at;
	list_put(&ram, i + 1, upper);
	return true;
}

void
memblock_set_node(phys_t start, phys_t end, u32 node)
{
	if (start >= end || node >= CONFIG_MAX_NODES)
		return;
	start = align_down(start, PAGE_SIZE);
	end = end > PHYS_LIMIT ? PHYS_LIMIT : align_up(end, PAGE_SIZE);
	for (unsigned int i = 0; i < ram.n; i++) {
		struct memrange *r = &ram.r[i];

		if (r->end <= start || r->start >= end || r->node == node)
			continue;
		/* Without room for the pieces the whole range keeps its node. */
		if (r->start < start) {
			if (!ram_split(i, start))
				return;
			continue;
		}
		if (r->end > end && !ram_split(i, end))
			return;
		r->node = node;
	}
}

/* The highest free place for size bytes in RAM range r below hi; 0: none. */
static phys_t
range_find(const struct memrange *r, size_t size, size_t align, phys_t hi)
{
	for (unsigned int j = reserved.n + 1; j-- > 0;) {
		phys_t lo = j > 0 ? reserved.r[j - 1].end : 0;
		phys_t top = j < reserved.n ? reserved.r[j].start : PHYS_LIMIT;
		phys_t at;

		lo = max(lo, r->start);
		top = min(min(top, r->end), hi);
		if (top <= lo || top - lo < size)
			continue;
		at = align_down(top - size, align);
		if (at >= lo)
			return at;
	}
	return 0;
}

static phys_t
find_pages(size_t size, size_t align, u32 node)
{
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned int i = ram.n; i-- > 0;) {
			phys_t at;

			if (pass == 0 && ram.r[i].node != node)
				continue;
			at = range_find(&ram.r[i], size, align, reach);
			if (at != 0)
				return at;
		}
	}
	return 0;
}

void *
memblock_try_alloc_raw(size_t size, size_t align, u32 node)
{
	phys_t at;

	ASSERT(!closed && is_power_of_2(align));
	if (size > PHYS_LIMIT)
		return NULL;
	/* Frame 0 is no memory: its address means "none". */
	memblock_reserve(0, PAGE_SIZE);
	size = align_up(size, PAGE_SIZE);
	at = find_pages(size, max(align, PAGE_SIZE), node);
	if (at == 0)
		return NULL;
	memblock_reserve(at, at + size);
	return phys_to_virt(at);
}

void *
memblock_alloc(size_t size, size_t align)
{
	void *p = NULL;

	align = align == 0 ? 16 : align;
	if (size < PAGE_SIZE && align < PAGE_SIZE) {
		phys_t at = align_up(piece, align);

		if (piece == 0 || at + size > piece_end) {
			p = memblock_try_alloc_raw(PAGE_SIZE, PAGE_SIZE, 0);
			at = p == NULL ? 0 : virt_to_phys(p);
			piece_end = at + PAGE_SIZE;
		}
		if (at != 0) {
			piece = at + size;
			p = phys_to_virt(at);
		}
	} else {
		p = memblock_try_alloc_raw(size, align, 0);
	}
	if (p == NULL)
		mm_port_panic("no memory for %zu bytes at boot", size);
	return memset(p, 0, size);
}

void
memblock_set_reach(phys_t end)
{
	reach = end;
}

void
memblock_close(void)
{
	closed = true;
	if (ram_forgotten != 0)
		mm_port_log(4, "memory map too long: %lu KiB of RAM not used", ram_forgotten >> 10);
}

phys_t
memblock_top(void)
{
	return ram.n == 0 ? 0 : ram.r[ram.n - 1].end;
}

u64
memblock_ram_bytes(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < ram.n; i++)
		sum += ram.r[i].end - ram.r[i].start;
	return sum;
}

u64
memblock_reserved_bytes(void)
{
	struct memrange r = {.end = 0};
	u64 sum = memblock_ram_bytes();

	while (memblock_next_free(r.end, &r))
		sum -= r.end - r.start;
	return sum;
}

const struct memrange *
memblock_ram_range(unsigned int i)
{
	return i < ram.n ? &ram.r[i] : NULL;
}

const struct memrange *
memblock_reserved_range(unsigned int i)
{
	return i < reserved.n ? &reserved.r[i] : NULL;
}

/* Cuts what is reserved off the front of r and all from the next reservation on. */
static bool
free_part(struct memrange *r)
{
	for (unsigned int j = 0; j < reserved.n && r->start < r->end; j++) {
		const struct memrange *v = &reserved.r[j];

		if (v->end <= r->start)
			continue;
		if (v->start > r->start) {
			r->end = min(r->end, v->start);
			break;
		}
		r->start = v->end;
	}
	return r->start < r->end;
}

bool
memblock_next_free(phys_t from, struct memrange *r)
{
	for (unsigned int i = 0; i < ram.n; i++) {
		struct memrange piece_of = ram.r[i];

		if (piece_of.end <= from)
			continue;
		piece_of.start = max(piece_of.start, from);
		if (free_part(&piece_of)) {
			*r = piece_of;
			return true;
		}
	}
	return false;
}

bool
memblock_is_ram(phys_t start, phys_t end)
{
	for (unsigned int i = 0; i < ram.n && start < end; i++) {
		if (ram.r[i].start <= start && start < ram.r[i].end)
			start = ram.r[i].end;
	}
	return start >= end;
}

/* Tests start from nothing. */
void
memblock_reset(void)
{
	ram.n = 0;
	reserved.n = 0;
	ram_forgotten = 0;
	piece = 0;
	piece_end = 0;
	closed = false;
	reach = 4UL << 30;
}
