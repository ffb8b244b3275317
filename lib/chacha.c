/* SPDX-License-Identifier: BSD-2-Clause */
/* The ChaCha20 block function. */
#include "lib/chacha.h"
#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/string.h"

#define ROUNDS 20

static __always_inline void
quarter_round(u32 x[16], int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rol32(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rol32(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rol32(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rol32(x[b] ^ x[c], 7);
}

void
chacha_init(struct chacha *c, const u8 key[CHACHA_KEY_SIZE], u64 nonce, u64 counter)
{
	/* "expand 32-byte k" */
	c->s[0] = 0x61707865;
	c->s[1] = 0x3320646e;
	c->s[2] = 0x79622d32;
	c->s[3] = 0x6b206574;
	for (int i = 0; i < 8; i++)
		c->s[4 + i] = get_le32(key + 4 * i);
	c->s[12] = (u32)counter;
	c->s[13] = (u32)(counter >> 32);
	c->s[14] = (u32)nonce;
	c->s[15] = (u32)(nonce >> 32);
}

void
chacha_block(struct chacha *c, u8 out[CHACHA_BLOCK_SIZE])
{
	u32 x[16];

	memcpy(x, c->s, sizeof(x));
	for (int i = 0; i < ROUNDS; i += 2) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		put_le32(out + 4 * i, x[i] + c->s[i]);
	c->s[12]++;
	if (c->s[12] == 0)
		c->s[13]++;
	mem_wipe(x, sizeof(x));
}

void
chacha_stream(struct chacha *c, void *out, size_t n)
{
	u8 *p = out;
	u8 block[CHACHA_BLOCK_SIZE];

	for (; n >= CHACHA_BLOCK_SIZE; n -= CHACHA_BLOCK_SIZE, p += CHACHA_BLOCK_SIZE)
		chacha_block(c, p);
	if (n == 0)
		return;
	chacha_block(c, block);
	memcpy(p, block, n);
	mem_wipe(block, sizeof(block));
}
