/* SPDX-License-Identifier: BSD-2-Clause */
/* BLAKE2s. */
#include "lib/blake2s.h"
#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/string.h"

#define ROUNDS 10

static const u32 iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* Which message word each step of a round takes. */
static const u8 sigma[ROUNDS][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* The four words that mixing step i works on: columns, then diagonals. */
static const u8 lanes[8][4] = {
	{0, 4, 8, 12},	{1, 5, 9, 13},	{2, 6, 10, 14}, {3, 7, 11, 15},
	{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},	{3, 4, 9, 14},
};

static __always_inline void
mix(u32 v[16], const u8 lane[4], u32 x, u32 y)
{
	u32 a = v[lane[0]], b = v[lane[1]], c = v[lane[2]], d = v[lane[3]];

	a += b + x;
	d = ror32(d ^ a, 16);
	c += d;
	b = ror32(b ^ c, 12);
	a += b + y;
	d = ror32(d ^ a, 8);
	c += d;
	b = ror32(b ^ c, 7);
	v[lane[0]] = a;
	v[lane[1]] = b;
	v[lane[2]] = c;
	v[lane[3]] = d;
}

/* Takes one block in; b->count already includes it. */
static void
compress(struct blake2s *b, const u8 *block, bool last)
{
	u32 m[16];
	u32 v[16];

	for (int i = 0; i < 16; i++)
		m[i] = get_le32(block + 4 * i);
	for (int i = 0; i < 8; i++) {
		v[i] = b->h[i];
		v[8 + i] = iv[i];
	}
	v[12] ^= (u32)b->count;
	v[13] ^= (u32)(b->count >> 32);
	if (last)
		v[14] = ~v[14];
	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < 8; i++)
			mix(v, lanes[i], m[sigma[r][2 * i]], m[sigma[r][2 * i + 1]]);
	}
	for (int i = 0; i < 8; i++)
		b->h[i] ^= v[i] ^ v[8 + i];
	mem_wipe(m, sizeof(m));
	mem_wipe(v, sizeof(v));
}

void
blake2s_init(struct blake2s *b, size_t out_len, const void *key, size_t key_len)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->h, iv, sizeof(b->h));
	b->h[0] ^= 0x01010000 ^ (u32)key_len << 8 ^ (u32)out_len;
	b->out_len = (u32)out_len;
	if (key_len > 0) {
		memcpy(b->buf, key, key_len);
		b->buf_len = BLAKE2S_BLOCK_SIZE;
	}
}

/* The last block stays in the buffer, even when it is full: final needs it. */
void
blake2s_update(struct blake2s *b, const void *data, size_t n)
{
	const u8 *p = data;

	while (n > 0) {
		size_t part;

		if (b->buf_len == BLAKE2S_BLOCK_SIZE) {
			b->count += BLAKE2S_BLOCK_SIZE;
			compress(b, b->buf, false);
			b->buf_len = 0;
		}
		part = min(n, (size_t)(BLAKE2S_BLOCK_SIZE - b->buf_len));
		memcpy(b->buf + b->buf_len, p, part);
		b->buf_len += (u32)part;
		p += part;
		n -= part;
	}
}

void
blake2s_final(struct blake2s *b, u8 *out)
{
	u8 hash[BLAKE2S_HASH_SIZE];

	b->count += b->buf_len;
	memset(b->buf + b->buf_len, 0, BLAKE2S_BLOCK_SIZE - b->buf_len);
	compress(b, b->buf, true);
	for (int i = 0; i < 8; i++)
		put_le32(hash + 4 * i, b->h[i]);
	memcpy(out, hash, b->out_len);
	mem_wipe(hash, sizeof(hash));
	mem_wipe(b, sizeof(*b));
}
