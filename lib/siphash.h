/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-2-4: a keyed hash of 64 bits for tables whose keys an attacker may
 * choose, and for SYN cookies and sequence numbers.
 *
 * See: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include "lib/types.h"

struct siphash_key {
	u64 k[2];
};

u64 siphash(const void *data, size_t n, const struct siphash_key *key);

/* Equal to siphash() over the words in little-endian order. */
u64 siphash_1u64(u64 a, const struct siphash_key *key);
u64 siphash_2u64(u64 a, u64 b, const struct siphash_key *key);
u64 siphash_3u64(u64 a, u64 b, u64 c, const struct siphash_key *key);
u64 siphash_4u64(u64 a, u64 b, u64 c, u64 d, const struct siphash_key *key);

#endif
