/* SPDX-License-Identifier: BSD-2-Clause */
/* XXH64. */
#include "lib/xxhash.h"
#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/string.h"

#define PRIME1 0x9e3779b185ebca87UL
#define PRIME2 0xc2b2ae3d27d4eb4fUL
#define PRIME3 0x165667b19e3779f9UL
#define PRIME4 0x85ebca77c2b2ae63UL
#define PRIME5 0x27d4eb2f165667c5UL

#define STRIPE 32

static inline u64
xxh_round(u64 lane, u64 input)
{
	return rol64(lane + input * PRIME2, 31) * PRIME1;
}

static const u8 *
stripes(struct xxh64 *x, const u8 *p, size_t n)
{
	u64 a = x->lane[0], b = x->lane[1], c = x->lane[2], d = x->lane[3];

	for (; n >= STRIPE; n -= STRIPE, p += STRIPE) {
		a = xxh_round(a, get_le64(p));
		b = xxh_round(b, get_le64(p + 8));
		c = xxh_round(c, get_le64(p + 16));
		d = xxh_round(d, get_le64(p + 24));
	}
	x->lane[0] = a;
	x->lane[1] = b;
	x->lane[2] = c;
	x->lane[3] = d;
	return p;
}

void
xxh64_init(struct xxh64 *x, u64 seed)
{
	x->lane[0] = seed + PRIME1 + PRIME2;
	x->lane[1] = seed + PRIME2;
	x->lane[2] = seed;
	x->lane[3] = seed - PRIME1;
	x->total = 0;
	x->seed = seed;
	x->buf_len = 0;
}

void
xxh64_update(struct xxh64 *x, const void *data, size_t n)
{
	const u8 *p = data;
	const u8 *end = p + n;

	x->total += n;
	if (x->buf_len > 0) {
		size_t part = min(n, (size_t)(STRIPE - x->buf_len));

		memcpy(x->buf + x->buf_len, p, part);
		x->buf_len += (u32)part;
		p += part;
		if (x->buf_len < STRIPE)
			return;
		stripes(x, x->buf, STRIPE);
		x->buf_len = 0;
	}
	p = stripes(x, p, (size_t)(end - p));
	x->buf_len = (u32)(end - p);
	memcpy(x->buf, p, x->buf_len);
}

/* Mixes in the bytes that do not fill a stripe, and spreads all bits. */
static u64
finish(u64 h, const u8 *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8)
		h = rol64(h ^ xxh_round(0, get_le64(p)), 27) * PRIME1 + PRIME4;
	for (; n >= 4; n -= 4, p += 4)
		h = rol64(h ^ get_le32(p) * PRIME1, 23) * PRIME2 + PRIME3;
	for (; n > 0; n--, p++)
		h = rol64(h ^ *p * PRIME5, 11) * PRIME1;
	h = (h ^ h >> 33) * PRIME2;
	h = (h ^ h >> 29) * PRIME3;
	return h ^ h >> 32;
}

u64
xxh64_digest(const struct xxh64 *x)
{
	u64 h = x->seed + PRIME5;

	if (x->total >= STRIPE) {
		h = rol64(x->lane[0], 1) + rol64(x->lane[1], 7) + rol64(x->lane[2], 12) +
		    rol64(x->lane[3], 18);
		for (int i = 0; i < 4; i++)
			h = (h ^ xxh_round(0, x->lane[i])) * PRIME1 + PRIME4;
	}
	return finish(h + x->total, x->buf, x->buf_len);
}
