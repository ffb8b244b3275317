/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting and searching of arrays in place. */
#ifndef LIB_SORT_H
#define LIB_SORT_H

#include "lib/types.h"

/* Below, equal to, above 0 as a sorts before, with, behind b. */
typedef int (*sort_cmp_fn)(const void *a, const void *b, void *ctx);

/* Heap sort: not stable, O(n log n) always, no memory. */
void sort(void *base, size_t n, size_t size, sort_cmp_fn cmp, void *ctx);

/*
 * Number of elements of the sorted array that are below key: the index of the
 * first that is not, n when all are. cmp gets (element, key, ctx = NULL).
 */
size_t sort_lower_bound(const void *key, const void *base, size_t n, size_t size, sort_cmp_fn cmp);

#endif
