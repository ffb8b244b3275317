/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BLAKE2s: a cryptographic hash of 1 to 32 bytes, optionally keyed; the
 * random generator mixes entropy with it.
 *
 * See: RFC 7693.
 */
#ifndef LIB_BLAKE2S_H
#define LIB_BLAKE2S_H

#include "lib/types.h"

#define BLAKE2S_BLOCK_SIZE 64
#define BLAKE2S_HASH_SIZE 32
#define BLAKE2S_KEY_SIZE 32

struct blake2s {
	u32 h[8];
	u64 count;
	u32 buf_len;
	u32 out_len;
	u8 buf[BLAKE2S_BLOCK_SIZE];
};

/* out_len is 1 to 32; key_len is 0 (then key may be NULL) to 32. */
void blake2s_init(struct blake2s *b, size_t out_len, const void *key, size_t key_len);
void blake2s_update(struct blake2s *b, const void *data, size_t n);
/* Writes out_len bytes and wipes b. */
void blake2s_final(struct blake2s *b, u8 *out);

#endif
