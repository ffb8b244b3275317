/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fast hashes for tables whose keys nobody outside chooses. Keys that come
 * from the network or from users go through siphash (lib/siphash.h).
 *
 * All return values are spread over all bits: a table of 2^n buckets takes
 * the high bits (hash_bits) or the low ones.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include "lib/endian.h"
#include "lib/types.h"

/* Odd, near 2^64 divided by the golden ratio. */
#define HASH_GOLDEN 0x9e3779b97f4a7c15UL

/* The two halves of the 128-bit product, mixed. */
static inline u64
hash_fold(u64 a, u64 b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (u64)p ^ (u64)(p >> 64);
}

static inline u64
hash_u64(u64 x)
{
	x ^= x >> 32;
	x *= HASH_GOLDEN;
	x ^= x >> 29;
	x *= 0xd6e8feb86659fd93UL;
	return x ^ (x >> 32);
}

static inline u64
hash_2u64(u64 a, u64 b)
{
	return hash_fold(a ^ HASH_GOLDEN, b ^ 0xe7037ed1a0b428dbUL) ^ hash_u64(a + b);
}

static inline u64
hash_ptr(const void *p)
{
	return hash_u64((u64)p);
}

/* One multiplication: index of bits bits (1 to 63) for a table. */
static inline size_t
hash_bits(u64 x, unsigned int bits)
{
	return (size_t)((x * HASH_GOLDEN) >> (64 - bits));
}

/* n bytes; different seeds give independent hashes. */
static inline u64
hash_mem(const void *data, size_t n, u64 seed)
{
	const u8 *p = data;
	u64 h = seed ^ (n * HASH_GOLDEN);
	u64 tail = 0;

	for (; n >= 8; n -= 8, p += 8)
		h = hash_fold(h ^ get_le64(p), 0xa0761d6478bd642fUL);
	for (size_t i = 0; i < n; i++)
		tail |= (u64)p[i] << (8 * i);
	return hash_u64(hash_fold(h ^ tail, 0xe7037ed1a0b428dbUL));
}

/* The characters up to the NUL. */
static inline u64
hash_str(const char *s, u64 seed)
{
	return hash_mem(s, __builtin_strlen(s), seed);
}

#endif
