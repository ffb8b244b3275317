/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ChaCha20 block function, for the random generator.
 *
 * Model: 16 words: 4 constants, 8 of key, then a 64-bit block counter and a
 * 64-bit nonce. RFC 8439 splits the last 4 words as 32 + 96 bits; the block
 * function is the same.
 *
 * See: RFC 8439 section 2.3.
 */
#ifndef LIB_CHACHA_H
#define LIB_CHACHA_H

#include "lib/types.h"

#define CHACHA_KEY_SIZE 32
#define CHACHA_BLOCK_SIZE 64

struct chacha {
	u32 s[16];
};

void chacha_init(struct chacha *c, const u8 key[CHACHA_KEY_SIZE], u64 nonce, u64 counter);

/* Writes the next 64 bytes of the key stream and advances the counter. */
void chacha_block(struct chacha *c, u8 out[CHACHA_BLOCK_SIZE]);

/* Writes n bytes of key stream; what is left of the last block is lost. */
void chacha_stream(struct chacha *c, void *out, size_t n);

#endif
