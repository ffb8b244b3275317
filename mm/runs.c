/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runs of a page-table page: what its addresses are.
 *
 * Model: a sorted array of disjoint runs [start, end) with one meaning each. A
 * few lie in the table's own object; more in an array from the heap, which
 * grows and never shrinks. No run reaches into a slot that has a table below:
 * that table has the runs there.
 *
 * Ownership: each run holds one reference on its region.
 *
 * Locking: the table's. Memory is had beforehand (runs_reserve), so that no
 * change fails in the middle. A large array may not be had at once, and no single
 * page that becomes free helps: who then waits for memory makes one of single
 * pages (vmalloc) and leaves it with the space, for the next who wants it.
 *
 * Rejected: a word for each slot (CortenMM): it costs a page a table as soon as
 * two slots differ, fork copies 512 words where a handful of runs say the same,
 * and a mapping of a few pages under an upper level would need the tables down
 * to the pages before anything is touched.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "mm/vmalloc.h"

/* A table hands its number of runs on in lots: mappings on two CPUs touch no common line. */
#define RUNS_FOLD 16
/* Bytes of a spare array; vfree() of that much is allowed anywhere. */
#define SPARE_MAX (1UL << 19)

u32 max_map_count __read_mostly = 65530;

void
runs_fold(struct pt *t)
{
	atomic_add(&t->space->runs, (s64)t->nr_runs - t->counted);
	t->counted = t->nr_runs;
}

/* The array that was left with the space, if it has room for `want`; *max: for how many. */
static struct run *
spare_take(struct space *s, unsigned int want, unsigned int *max)
{
	struct run *a = READ_ONCE(s->spare_runs) ? atomic_xchg(&s->spare_runs, NULL) : NULL;
	unsigned int room = a ? (unsigned int)(vmalloc_size(a) / sizeof(*a)) : 0;

	if (room < want) {
		vfree(a);
		WRITE_ONCE(s->wanted_runs, *max);
		return NULL;
	}
	*max = min(room, (unsigned int)UINT16_MAX);
	return a;
}

int
runs_wait_memory(struct space *s)
{
	u32 want = READ_ONCE(s->wanted_runs) ? atomic_xchg(&s->wanted_runs, 0u) : 0;
	struct run *a;

	if (!want)
		return 0;
	/* More could not be freed with a table's lock held. */
	if (want > SPARE_MAX / sizeof(*a))
		return -ENOMEM;
	a = vmalloc(want * sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	vfree(atomic_xchg(&s->spare_runs, a));
	return 0;
}

int
runs_reserve(struct pt *t, unsigned int n)
{
	unsigned int want = t->nr_runs + n, max = t->max_runs;
	int uncounted = (int)t->nr_runs - t->counted;
	struct run *a;

	if (unlikely(uncounted >= RUNS_FOLD || uncounted <= -RUNS_FOLD))
		runs_fold(t);
	if (likely(want <= max))
		return 0;
	if (want > UINT16_MAX)
		return -ENOMEM;
	while (max < want)
		max = min(max * 4, (unsigned int)UINT16_MAX);
	a = kmalloc(max * sizeof(struct run), GFP_ATOMIC);
	if (!a)
		a = spare_take(t->space, want, &max);
	if (!a)
		return -ENOMEM;
	memcpy(a, t->runs, t->nr_runs * sizeof(struct run));
	if (t->runs != t->inline_runs)
		kvfree(t->runs);
	t->runs = a;
	t->max_runs = (u16)max;
	return 0;
}

unsigned int
runs_at(const struct pt *t, unsigned long va)
{
	unsigned int lo = 0, hi = t->nr_runs, mid;

	while (hi - lo > 8) {
		mid = (lo + hi) / 2;
		if (t->runs[mid].end > va)
			hi = mid + 1;
		else
			lo = mid + 1;
	}
	while (lo < hi && t->runs[lo].end <= va)
		lo++;
	return lo;
}

struct run *
runs_find(const struct pt *t, unsigned long va)
{
	unsigned int i = runs_at(t, va);

	return i < t->nr_runs && t->runs[i].start <= va ? &t->runs[i] : NULL;
}

bool
runs_too_many(const struct pt *t, unsigned long a, unsigned long b, bool unmap)
{
	const struct run *first, *last;

	if (likely(atomic_read(&t->space->runs) < (s64)READ_ONCE(max_map_count)))
		return false;
	first = runs_find(t, a);
	last = runs_find(t, b);
	if (first && first->start == a)
		first = NULL;
	if (last && last->start == b)
		last = NULL;
	return unmap ? first && first == last : first || last;
}

static void
open_gap(struct pt *t, unsigned int i)
{
	memmove(&t->runs[i + 1], &t->runs[i], (t->nr_runs - i) * sizeof(struct run));
	t->nr_runs++;
}

/* Index of the first run at or behind va, which becomes a border. */
static unsigned int
cut(struct pt *t, unsigned long va)
{
	unsigned int i = runs_at(t, va);

	if (i == t->nr_runs || t->runs[i].start >= va)
		return i;
	open_gap(t, i);
	t->runs[i].end = va;
	t->runs[i + 1].start = va;
	meta_hold(t->runs[i].meta, 1);
	return i + 1;
}

void
runs_cut(struct pt *t, unsigned long a, unsigned long b, unsigned int *i, unsigned int *j)
{
	*i = cut(t, a);
	*j = cut(t, b);
}

void
runs_remove(struct pt *t, unsigned int i, unsigned int j)
{
	unsigned int k;

	if (i == j)
		return;
	for (k = i; k < j; k++)
		meta_hold(t->runs[k].meta, -1);
	memmove(&t->runs[i], &t->runs[j], (t->nr_runs - j) * sizeof(struct run));
	t->nr_runs -= (u16)(j - i);
}

/* Can a be continued by b? */
static bool
joinable(const struct run *a, const struct run *b)
{
	return a->end == b->start && a->meta == b->meta;
}

void
runs_join(struct pt *t, unsigned int i, unsigned int j)
{
	unsigned int k = i ? i : 1, end = min(j + 1, (unsigned int)t->nr_runs);

	while (k < end) {
		if (!joinable(&t->runs[k - 1], &t->runs[k])) {
			k++;
			continue;
		}
		t->runs[k].start = t->runs[k - 1].start;
		runs_remove(t, k - 1, k);
		end--;
	}
}

void
runs_insert(struct pt *t, unsigned int i, unsigned long a, unsigned long b, meta_t m)
{
	struct run new = {a, b, m};
	bool before = i > 0 && joinable(&t->runs[i - 1], &new);
	bool behind = i < t->nr_runs && joinable(&new, &t->runs[i]);

	if (before) {
		t->runs[i - 1].end = b;
		if (behind)
			runs_join(t, i, i);
		return;
	}
	if (behind) {
		t->runs[i].start = a;
		return;
	}
	open_gap(t, i);
	t->runs[i] = new;
	meta_hold(m, 1);
}
