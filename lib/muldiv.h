/* SPDX-License-Identifier: BSD-2-Clause */
/* Products and quotients whose intermediate result has 128 bits. */
#ifndef LIB_MULDIV_H
#define LIB_MULDIV_H

#include "lib/types.h"

/* (a * b) >> shift, the low 64 bits of it; shift is 0 to 127. */
static inline u64
mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

/* (a * b) >> shift for a 32-bit factor: the clock's scaling. */
static inline u64
mul_u64_u32_shr(u64 a, u32 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

/* a * b / d rounded down; U64_MAX when it does not fit or d is 0. */
static inline u64
muldiv_u64(u64 a, u64 b, u64 d)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	u64 lo = (u64)p;
	u64 hi = (u64)(p >> 64);

	if (hi >= d)
		return U64_MAX;
	__asm__("divq %[d]" : "+a"(lo), "+d"(hi) : [d] "rm"(d) : "cc");
	return lo;
}

/* a * b / d rounded up; U64_MAX when it does not fit or d is 0. */
static inline u64
muldiv_round_up_u64(u64 a, u64 b, u64 d)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	u64 q = muldiv_u64(a, b, d);

	if (q == U64_MAX)
		return q;
	return q + ((unsigned __int128)q * d != p);
}

#endif
