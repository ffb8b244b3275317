/* SPDX-License-Identifier: BSD-2-Clause */
/* Heap sort and binary search. */
#include "lib/sort.h"
#include "lib/endian.h"

/* What the steps of one sort share. */
struct heap {
	u8 *base;
	size_t size;
	sort_cmp_fn cmp;
	void *ctx;
};

static void
swap_elements(u8 *a, u8 *b, size_t size)
{
	for (; size >= 8; size -= 8, a += 8, b += 8) {
		u64 v = get_le64(a);

		put_le64(a, get_le64(b));
		put_le64(b, v);
	}
	for (; size > 0; size--, a++, b++)
		swap(*a, *b);
}

/* Lets element i sink until no child among the first n is above it. */
static void
sift_down(const struct heap *h, size_t i, size_t n)
{
	while (i < n / 2) {
		size_t child = 2 * i + 1;
		u8 *p = h->base + child * h->size;

		if (child + 1 < n && h->cmp(p, p + h->size, h->ctx) < 0) {
			child++;
			p += h->size;
		}
		if (h->cmp(h->base + i * h->size, p, h->ctx) >= 0)
			return;
		swap_elements(h->base + i * h->size, p, h->size);
		i = child;
	}
}

void
sort(void *base, size_t n, size_t size, sort_cmp_fn cmp, void *ctx)
{
	struct heap h = {.base = base, .size = size, .cmp = cmp, .ctx = ctx};

	for (size_t i = n / 2; i-- > 0;)
		sift_down(&h, i, n);
	for (size_t last = n; last-- > 1;) {
		swap_elements(h.base, h.base + last * size, size);
		sift_down(&h, 0, last);
	}
}

size_t
sort_lower_bound(const void *key, const void *base, size_t n, size_t size, sort_cmp_fn cmp)
{
	size_t lo = 0;

	while (n > 0) {
		size_t half = n / 2;

		if (cmp((const u8 *)base + (lo + half) * size, key, NULL) < 0) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}
