/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH64: a fast hash of 64 bits; zstd's content checksum.
 *
 * See: the xxHash specification, section XXH64.
 */
#ifndef LIB_XXHASH_H
#define LIB_XXHASH_H

#include "lib/types.h"

struct xxh64 {
	u64 lane[4];
	u64 total;
	u64 seed;
	u32 buf_len;
	u8 buf[32];
};

void xxh64_init(struct xxh64 *x, u64 seed);
void xxh64_update(struct xxh64 *x, const void *data, size_t n);
/* The hash of what was fed so far; x may be fed further. */
u64 xxh64_digest(const struct xxh64 *x);

#endif
