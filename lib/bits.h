/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on the bits of one word. Bits are numbered from 0; ffs and fls
 * count from 1 and return 0 when no bit is set. None needs the POPCNT, BMI or
 * other extensions.
 */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/types.h"

/* Bits hi down to lo set, 63 >= hi >= lo >= 0. */
#define GENMASK(hi, lo) ((~0UL >> (63 - (hi))) & (~0UL << (lo)))

/* Number of the lowest set bit plus 1; 0 for x == 0. */
static inline unsigned int
ffs64(u64 x)
{
	return x == 0 ? 0 : (unsigned int)__builtin_ctzll(x) + 1;
}

/* Number of the highest set bit plus 1; 0 for x == 0. */
static inline unsigned int
fls64(u64 x)
{
	return x == 0 ? 0 : 64 - (unsigned int)__builtin_clzll(x);
}

static inline unsigned int
ffs32(u32 x)
{
	return ffs64(x);
}

static inline unsigned int
fls32(u32 x)
{
	return fls64(x);
}

/* Number of the lowest set bit; x != 0. */
static inline unsigned int
ctz64(u64 x)
{
	return (unsigned int)__builtin_ctzll(x);
}

/* Number of zero bits above the highest set bit; x != 0. */
static inline unsigned int
clz64(u64 x)
{
	return (unsigned int)__builtin_clzll(x);
}

/* Rounded down; x != 0. */
static inline unsigned int
ilog2(u64 x)
{
	return 63 - clz64(x);
}

/* Rounded up; x != 0. */
static inline unsigned int
ilog2_up(u64 x)
{
	return fls64(x - 1);
}

/* Smallest power of two >= x; 1 for x == 0; 0 when it does not fit. */
static inline u64
roundup_pow2(u64 x)
{
	unsigned int n = x <= 1 ? 0 : fls64(x - 1);

	return n == 64 ? 0 : 1UL << n;
}

/* Largest power of two <= x; x != 0. */
static inline u64
rounddown_pow2(u64 x)
{
	return 1UL << ilog2(x);
}

static inline unsigned int
popcount64(u64 x)
{
	x -= (x >> 1) & 0x5555555555555555UL;
	x = (x & 0x3333333333333333UL) + ((x >> 2) & 0x3333333333333333UL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)((x * 0x0101010101010101UL) >> 56);
}

static inline unsigned int
popcount32(u32 x)
{
	return popcount64(x);
}

static inline u32
rol32(u32 x, unsigned int n)
{
	return (x << (n & 31)) | (x >> (-n & 31));
}

static inline u32
ror32(u32 x, unsigned int n)
{
	return (x >> (n & 31)) | (x << (-n & 31));
}

static inline u64
rol64(u64 x, unsigned int n)
{
	return (x << (n & 63)) | (x >> (-n & 63));
}

static inline u64
ror64(u64 x, unsigned int n)
{
	return (x >> (n & 63)) | (x << (-n & 63));
}

/* Reverses the order of the low n bits of x, n <= 64; the rest becomes 0. */
static inline u64
bit_reverse(u64 x, unsigned int n)
{
	if (n == 0)
		return 0;
	x = ((x >> 1) & 0x5555555555555555UL) | ((x & 0x5555555555555555UL) << 1);
	x = ((x >> 2) & 0x3333333333333333UL) | ((x & 0x3333333333333333UL) << 2);
	x = ((x >> 4) & 0x0f0f0f0f0f0f0f0fUL) | ((x & 0x0f0f0f0f0f0f0f0fUL) << 4);
	return __builtin_bswap64(x) >> (64 - n);
}

/* Extends the sign bit number bit (0 to 63) upwards. */
static inline s64
sign_extend64(u64 x, unsigned int bit)
{
	unsigned int shift = 63 - bit;

	return (s64)(x << shift) >> shift;
}

#endif
