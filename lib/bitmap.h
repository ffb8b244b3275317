/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays of bits of any length, held in unsigned longs.
 *
 * Model: bit i is bit i % 64 of word i / 64. nbits is the length of the map;
 * bits behind it in the last word are ignored when read, and unspecified
 * after an operation on whole maps. Nothing here is atomic: the caller
 * excludes others, or uses the atomics of arch on the words.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/types.h"

#define BITMAP_DECLARE(name, nbits) unsigned long name[BITS_TO_LONGS(nbits)]

static inline void
bit_set(unsigned long *map, size_t i)
{
	map[i / BITS_PER_LONG] |= 1UL << (i % BITS_PER_LONG);
}

static inline void
bit_clear(unsigned long *map, size_t i)
{
	map[i / BITS_PER_LONG] &= ~(1UL << (i % BITS_PER_LONG));
}

static inline void
bit_flip(unsigned long *map, size_t i)
{
	map[i / BITS_PER_LONG] ^= 1UL << (i % BITS_PER_LONG);
}

static inline void
bit_assign(unsigned long *map, size_t i, bool value)
{
	if (value)
		bit_set(map, i);
	else
		bit_clear(map, i);
}

static inline bool
bit_test(const unsigned long *map, size_t i)
{
	return (map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG)) & 1;
}

/* Sets (clears) bit i and returns what it was. */
static inline bool
bit_test_and_set(unsigned long *map, size_t i)
{
	bool was = bit_test(map, i);

	bit_set(map, i);
	return was;
}

static inline bool
bit_test_and_clear(unsigned long *map, size_t i)
{
	bool was = bit_test(map, i);

	bit_clear(map, i);
	return was;
}

/* Whole maps. */
void bitmap_zero(unsigned long *map, size_t nbits);
void bitmap_fill(unsigned long *map, size_t nbits);
void bitmap_copy(unsigned long *dst, const unsigned long *src, size_t nbits);
void bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits);
void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits);
void bitmap_xor(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits);
void bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
		   size_t nbits);
void bitmap_complement(unsigned long *dst, const unsigned long *src, size_t nbits);

bool bitmap_empty(const unsigned long *map, size_t nbits);
bool bitmap_full(const unsigned long *map, size_t nbits);
bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits);
bool bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits);
/* Whether every bit of a is in b. */
bool bitmap_subset(const unsigned long *a, const unsigned long *b, size_t nbits);
/* Number of set bits. */
size_t bitmap_weight(const unsigned long *map, size_t nbits);
/* Number of set bits among the n from start on. */
size_t bitmap_weight_range(const unsigned long *map, size_t start, size_t n);

/* The n bits from start on. */
void bitmap_set_range(unsigned long *map, size_t start, size_t n);
void bitmap_clear_range(unsigned long *map, size_t start, size_t n);

/* First one (zero) at or behind from; nbits when there is none. */
size_t bitmap_next_one(const unsigned long *map, size_t nbits, size_t from);
size_t bitmap_next_zero(const unsigned long *map, size_t nbits, size_t from);
/* First bit at or behind from that is set in a and in b; nbits when there is none. */
size_t bitmap_next_and(const unsigned long *a, const unsigned long *b, size_t nbits, size_t from);
/* Last set bit; nbits when there is none. */
size_t bitmap_last_one(const unsigned long *map, size_t nbits);

static inline size_t
bitmap_first_one(const unsigned long *map, size_t nbits)
{
	return bitmap_next_one(map, nbits, 0);
}

static inline size_t
bitmap_first_zero(const unsigned long *map, size_t nbits)
{
	return bitmap_next_zero(map, nbits, 0);
}

/*
 * First run of n zeros at or behind from; its start is a multiple of align (a
 * power of two), n > 0. nbits when there is none.
 */
size_t bitmap_find_zero_run(const unsigned long *map, size_t nbits, size_t from, size_t n,
			    size_t align);

#define bitmap_for_each_one(i, map, nbits)                                                         \
	for (i = bitmap_next_one(map, nbits, 0); i < (nbits);                                      \
	     i = bitmap_next_one(map, nbits, (size_t)(i) + 1))

#define bitmap_for_each_zero(i, map, nbits)                                                        \
	for (i = bitmap_next_zero(map, nbits, 0); i < (nbits);                                     \
	     i = bitmap_next_zero(map, nbits, (size_t)(i) + 1))

/*
 * Text forms as in sysfs: "0-3,8" and "00000000,0000010f" (32-bit groups,
 * highest first). Returns the length as scnprintf does.
 */
int bitmap_list_print(char *buf, size_t size, const unsigned long *map, size_t nbits);
int bitmap_hex_print(char *buf, size_t size, const unsigned long *map, size_t nbits);

/*
 * The way back; white space at both ends is allowed. The list form also takes
 * "all", "N" for the last bit, and "a-b:used/group". -EINVAL for bad text,
 * -ERANGE for a bit >= nbits (-EOVERFLOW in the hex form); map is then
 * unspecified.
 */
int __must_check bitmap_list_parse(const char *s, unsigned long *map, size_t nbits);
int __must_check bitmap_hex_parse(const char *s, unsigned long *map, size_t nbits);

#endif
