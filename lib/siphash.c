/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4. */
#include "lib/siphash.h"
#include "lib/bits.h"
#include "lib/endian.h"

static __always_inline void
sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rol64(v[1], 13) ^ v[0];
	v[3] = rol64(v[3], 16) ^ v[2];
	v[0] = rol64(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rol64(v[1], 17) ^ v[2];
	v[3] = rol64(v[3], 21) ^ v[0];
	v[2] = rol64(v[2], 32);
}

static __always_inline void
sip_start(u64 v[4], const struct siphash_key *key)
{
	v[0] = key->k[0] ^ 0x736f6d6570736575UL;
	v[1] = key->k[1] ^ 0x646f72616e646f6dUL;
	v[2] = key->k[0] ^ 0x6c7967656e657261UL;
	v[3] = key->k[1] ^ 0x7465646279746573UL;
}

static __always_inline void
sip_word(u64 v[4], u64 m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

/* last: the remaining bytes, and the length in the top byte. */
static __always_inline u64
sip_end(u64 v[4], u64 last)
{
	sip_word(v, last);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

u64
siphash(const void *data, size_t n, const struct siphash_key *key)
{
	const u8 *p = data;
	u64 last = (u64)n << 56;
	u64 v[4];

	sip_start(v, key);
	for (; n >= 8; n -= 8, p += 8)
		sip_word(v, get_le64(p));
	for (size_t i = 0; i < n; i++)
		last |= (u64)p[i] << (8 * i);
	return sip_end(v, last);
}

u64
siphash_1u64(u64 a, const struct siphash_key *key)
{
	u64 v[4];

	sip_start(v, key);
	sip_word(v, a);
	return sip_end(v, 8UL << 56);
}

u64
siphash_2u64(u64 a, u64 b, const struct siphash_key *key)
{
	u64 v[4];

	sip_start(v, key);
	sip_word(v, a);
	sip_word(v, b);
	return sip_end(v, 16UL << 56);
}

u64
siphash_3u64(u64 a, u64 b, u64 c, const struct siphash_key *key)
{
	u64 v[4];

	sip_start(v, key);
	sip_word(v, a);
	sip_word(v, b);
	sip_word(v, c);
	return sip_end(v, 24UL << 56);
}

u64
siphash_4u64(u64 a, u64 b, u64 c, u64 d, const struct siphash_key *key)
{
	u64 v[4];

	sip_start(v, key);
	sip_word(v, a);
	sip_word(v, b);
	sip_word(v, c);
	sip_word(v, d);
	return sip_end(v, 32UL << 56);
}
