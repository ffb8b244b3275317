/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on numbers from outside: the sat_ functions stop at the ends of
 * the type, the check_ macros return true when the result did not fit (and
 * must be looked at), and the seq_ functions compare numbers that wrap.
 */
#ifndef LIB_SAT_H
#define LIB_SAT_H

#include "lib/types.h"

static inline bool __must_check
sat_overflowed(bool overflow)
{
	return unlikely(overflow);
}

#define check_add(a, b, res) sat_overflowed(__builtin_add_overflow(a, b, res))
#define check_sub(a, b, res) sat_overflowed(__builtin_sub_overflow(a, b, res))
#define check_mul(a, b, res) sat_overflowed(__builtin_mul_overflow(a, b, res))

static inline u64
sat_add_u64(u64 a, u64 b)
{
	u64 r;

	return __builtin_add_overflow(a, b, &r) ? U64_MAX : r;
}

static inline u64
sat_sub_u64(u64 a, u64 b)
{
	return a < b ? 0 : a - b;
}

static inline u64
sat_mul_u64(u64 a, u64 b)
{
	u64 r;

	return __builtin_mul_overflow(a, b, &r) ? U64_MAX : r;
}

static inline u32
sat_add_u32(u32 a, u32 b)
{
	u32 r;

	return __builtin_add_overflow(a, b, &r) ? U32_MAX : r;
}

static inline s64
sat_add_s64(s64 a, s64 b)
{
	s64 r;

	if (!__builtin_add_overflow(a, b, &r))
		return r;
	return b < 0 ? INT64_MIN : S64_MAX;
}

static inline s64
sat_sub_s64(s64 a, s64 b)
{
	s64 r;

	if (!__builtin_sub_overflow(a, b, &r))
		return r;
	return b > 0 ? INT64_MIN : S64_MAX;
}

static inline s64
sat_mul_s64(s64 a, s64 b)
{
	s64 r;

	if (!__builtin_mul_overflow(a, b, &r))
		return r;
	return (a < 0) != (b < 0) ? INT64_MIN : S64_MAX;
}

/* The nearest value that fits. */
static inline u32
sat_u32(u64 v)
{
	return v > U32_MAX ? U32_MAX : (u32)v;
}

/*
 * Size of a struct with n trailing elements, or of an array: SIZE_MAX when it
 * does not fit, which no allocator grants.
 */
static inline size_t
sat_array_size(size_t base, size_t n, size_t elem)
{
	return sat_add_u64(base, sat_mul_u64(n, elem));
}

/* Sequence numbers: a is before b when b - a, modulo 2^32 or 2^64, is below half. */
static inline bool
seq_before32(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool
seq_before64(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static inline bool
seq_after32(u32 a, u32 b)
{
	return seq_before32(b, a);
}

static inline bool
seq_after64(u64 a, u64 b)
{
	return seq_before64(b, a);
}

#endif
