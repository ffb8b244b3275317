/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit maps: operations on words, ranges and the two text forms. */
#include "lib/bitmap.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"

/* The bits of the word of bit nbits - 1 that belong to the map. */
static inline unsigned long
last_mask(size_t nbits)
{
	return ~0UL >> (-nbits % BITS_PER_LONG);
}

/* Word i of a map, with the bits behind its end cleared. */
static inline unsigned long
word_of(const unsigned long *map, size_t nbits, size_t i)
{
	return i == (nbits - 1) / BITS_PER_LONG ? map[i] & last_mask(nbits) : map[i];
}

void
bitmap_zero(unsigned long *map, size_t nbits)
{
	memset(map, 0, BITS_TO_LONGS(nbits) * sizeof(long));
}

void
bitmap_fill(unsigned long *map, size_t nbits)
{
	memset(map, 0xff, BITS_TO_LONGS(nbits) * sizeof(long));
}

void
bitmap_copy(unsigned long *dst, const unsigned long *src, size_t nbits)
{
	memcpy(dst, src, BITS_TO_LONGS(nbits) * sizeof(long));
}

void
bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] & b[i];
}

void
bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] | b[i];
}

void
bitmap_xor(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] ^ b[i];
}

void
bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] & ~b[i];
}

void
bitmap_complement(unsigned long *dst, const unsigned long *src, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = ~src[i];
}

bool
bitmap_empty(const unsigned long *map, size_t nbits)
{
	return bitmap_first_one(map, nbits) == nbits;
}

bool
bitmap_full(const unsigned long *map, size_t nbits)
{
	return bitmap_first_zero(map, nbits) == nbits;
}

bool
bitmap_equal(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++) {
		if (word_of(a, nbits, i) != word_of(b, nbits, i))
			return false;
	}
	return true;
}

bool
bitmap_intersects(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++) {
		if ((word_of(a, nbits, i) & b[i]) != 0)
			return true;
	}
	return false;
}

bool
bitmap_subset(const unsigned long *a, const unsigned long *b, size_t nbits)
{
	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++) {
		if ((word_of(a, nbits, i) & ~b[i]) != 0)
			return false;
	}
	return true;
}

size_t
bitmap_weight(const unsigned long *map, size_t nbits)
{
	size_t n = 0;

	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++)
		n += popcount64(word_of(map, nbits, i));
	return n;
}

/*
 * The part of [start, start + n) that lies in the word of start, as a mask;
 * n > 0. *len becomes its length.
 */
static inline unsigned long
head_mask(size_t start, size_t n, size_t *len)
{
	size_t shift = start % BITS_PER_LONG;

	*len = min(n, BITS_PER_LONG - shift);
	return (~0UL >> (BITS_PER_LONG - *len)) << shift;
}

size_t
bitmap_weight_range(const unsigned long *map, size_t start, size_t n)
{
	size_t sum = 0;
	size_t len;

	for (; n > 0; n -= len, start += len) {
		unsigned long mask = head_mask(start, n, &len);

		sum += popcount64(map[start / BITS_PER_LONG] & mask);
	}
	return sum;
}

void
bitmap_set_range(unsigned long *map, size_t start, size_t n)
{
	size_t len;

	for (; n > 0; n -= len, start += len) {
		unsigned long mask = head_mask(start, n, &len);

		map[start / BITS_PER_LONG] |= mask;
	}
}

void
bitmap_clear_range(unsigned long *map, size_t start, size_t n)
{
	size_t len;

	for (; n > 0; n -= len, start += len) {
		unsigned long mask = head_mask(start, n, &len);

		map[start / BITS_PER_LONG] &= ~mask;
	}
}

/* First set bit at or behind from of (a ^ invert) & b, b NULL being all ones. */
static __always_inline size_t
next_bit(const unsigned long *a, const unsigned long *b, unsigned long invert, size_t nbits,
	 size_t from)
{
	size_t i = from / BITS_PER_LONG;
	unsigned long mask = ~0UL << (from % BITS_PER_LONG);

	if (from >= nbits)
		return nbits;
	for (; i < BITS_TO_LONGS(nbits); i++) {
		unsigned long w = (a[i] ^ invert) & mask;

		if (b != NULL)
			w &= b[i];
		if (w != 0)
			return min(i * BITS_PER_LONG + ctz64(w), nbits);
		mask = ~0UL;
	}
	return nbits;
}

size_t
bitmap_next_one(const unsigned long *map, size_t nbits, size_t from)
{
	return next_bit(map, NULL, 0, nbits, from);
}

size_t
bitmap_next_zero(const unsigned long *map, size_t nbits, size_t from)
{
	return next_bit(map, NULL, ~0UL, nbits, from);
}

size_t
bitmap_next_and(const unsigned long *a, const unsigned long *b, size_t nbits, size_t from)
{
	return next_bit(a, b, 0, nbits, from);
}

size_t
bitmap_last_one(const unsigned long *map, size_t nbits)
{
	for (size_t i = BITS_TO_LONGS(nbits); i-- > 0;) {
		unsigned long w = word_of(map, nbits, i);

		if (w != 0)
			return i * BITS_PER_LONG + ilog2(w);
	}
	return nbits;
}

size_t
bitmap_find_zero_run(const unsigned long *map, size_t nbits, size_t from, size_t n, size_t align)
{
	size_t start = from;

	for (;;) {
		size_t one;

		start = bitmap_next_zero(map, nbits, start);
		if (align_up(start, align) < start)
			return nbits;
		start = align_up(start, align);
		if (start >= nbits || nbits - start < n)
			return nbits;
		one = bitmap_next_one(map, start + n, start);
		if (one == start + n)
			return start;
		start = one + 1;
	}
}

int
bitmap_list_print(char *buf, size_t size, const unsigned long *map, size_t nbits)
{
	struct fmt_out out = {.buf = buf, .size = size, .len = 0};
	size_t first = bitmap_next_one(map, nbits, 0);

	while (first < nbits) {
		size_t end = bitmap_next_zero(map, nbits, first);

		if (out.len != 0)
			fmt_putc(&out, ',');
		fmt_u64(&out, first, 10, 1);
		if (end - first > 1) {
			fmt_putc(&out, '-');
			fmt_u64(&out, end - 1, 10, 1);
		}
		first = bitmap_next_one(map, nbits, end);
	}
	if (size == 0)
		return 0;
	out.len = min(out.len, size - 1);
	buf[out.len] = '\0';
	return (int)out.len;
}

int
bitmap_hex_print(char *buf, size_t size, const unsigned long *map, size_t nbits)
{
	struct fmt_out out = {.buf = buf, .size = size, .len = 0};

	for (size_t group = div_round_up(nbits, 32); group-- > 0;) {
		unsigned long w = word_of(map, nbits, group / 2);
		size_t in_group = min(nbits - group * 32, (size_t)32);

		fmt_u64(&out, (u32)(w >> (group % 2 * 32)), 16,
			(unsigned int)div_round_up(in_group, 4));
		if (group != 0)
			fmt_putc(&out, ',');
	}
	if (size == 0)
		return 0;
	out.len = min(out.len, size - 1);
	buf[out.len] = '\0';
	return (int)out.len;
}

/* A bit number, or N for the last one. */
static int
parse_bit(const char **s, size_t nbits, u64 *bit)
{
	if (**s == 'N') {
		(*s)++;
		*bit = nbits - 1;
		return 0;
	}
	return parse_u64_prefix(s, 10, bit);
}

/* "a", "a-b" or "a-b:used/group" at *s. */
static int
parse_range(const char **s, unsigned long *map, size_t nbits)
{
	u64 first, last, used, group;
	int err;

	err = parse_bit(s, nbits, &first);
	if (err != 0)
		return err;
	last = first;
	used = group = 1;
	if (**s == '-') {
		(*s)++;
		err = parse_bit(s, nbits, &last);
		if (err == 0 && **s == ':') {
			(*s)++;
			err = parse_u64_prefix(s, 10, &used);
			if (err == 0 && *(*s)++ != '/')
				return -EINVAL;
			if (err == 0)
				err = parse_u64_prefix(s, 10, &group);
		}
		if (err != 0)
			return err;
	}
	if (first > last || used == 0 || group == 0 || used > group)
		return -EINVAL;
	if (last >= nbits)
		return -ERANGE;
	for (; first <= last; first += min(group, last - first + 1))
		bitmap_set_range(map, first, min(used, last - first + 1));
	return 0;
}

int
bitmap_list_parse(const char *s, unsigned long *map, size_t nbits)
{
	bitmap_zero(map, nbits);
	for (;;) {
		int err;

		s = str_skip_space(s);
		if (*s == '\0')
			return 0;
		if (*s == ',') {
			s++;
			continue;
		}
		if (strncmp(s, "all", 3) == 0) {
			s += 3;
			bitmap_fill(map, nbits);
			err = 0;
		} else {
			err = parse_range(&s, map, nbits);
		}
		if (err != 0)
			return err;
		if (*s != ',' && *s != '\0' && str_skip_space(s) == s)
			return -EINVAL;
	}
}

/* Shifts the map 32 bits up and puts group in; false when a bit falls out. */
static bool
shift_in(unsigned long *map, size_t nbits, u32 group)
{
	unsigned long carry = group;

	for (size_t i = 0; i < BITS_TO_LONGS(nbits); i++) {
		unsigned long out = map[i] >> 32;

		map[i] = map[i] << 32 | carry;
		carry = out;
	}
	return carry == 0 &&
	       (nbits == 0 || (map[(nbits - 1) / BITS_PER_LONG] & ~last_mask(nbits)) == 0);
}

/* Up to 8 hexadecimal digits at *s. */
static int
parse_group(const char **s, u32 *group)
{
	const char *start = *s;
	u64 v = 0;

	for (;; (*s)++) {
		char c = **s;
		char l = c | 32;

		if (c >= '0' && c <= '9')
			v = v << 4 | (u64)(c - '0');
		else if (l >= 'a' && l <= 'f')
			v = v << 4 | (u64)(l - 'a' + 10);
		else
			break;
	}
	if (*s == start)
		return -EINVAL;
	*group = (u32)v;
	return *s - start > 8 ? -EOVERFLOW : 0;
}

int
bitmap_hex_parse(const char *s, unsigned long *map, size_t nbits)
{
	bitmap_zero(map, nbits);
	s = str_skip_space(s);
	for (;; s++) {
		u32 group;
		int err = parse_group(&s, &group);

		if (err != 0)
			return err;
		if (!shift_in(map, nbits, group))
			return -EOVERFLOW;
		if (*s != ',')
			return *str_skip_space(s) == '\0' ? 0 : -EINVAL;
	}
}
