/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DEFLATE and gzip decoder.
 *
 * Model: input bits are taken from the low end of st->bits, which holds
 * st->nbits of them (bits above that are copies of input not yet counted, or
 * zero). The window is a ring: pos is where the next byte goes, and when it
 * comes round the whole window is given to the sink.
 *
 * See: RFC 1951, RFC 1952.
 */
#include "lib/inflate.h"
#include "lib/bits.h"
#include "lib/crc32.h"
#include "lib/endian.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CODE_BITS_MAX 15
#define SYMBOL_END 256

/* Lengths 3 to 258 (symbols 257 to 285) and distances 1 to 32768: base, extra bits. */
static const u16 length_base[29] = {
	3,  4,	5,  6,	7,  8,	9,  10, 11,  13,  15,  17,  19,	 23,  27,
	31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
};
static const u8 length_extra[29] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
};
static const u16 distance_base[30] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
};
static const u8 distance_extra[30] = {
	0, 0, 0, 0, 1, 1, 2, 2,	 3,  3,	 4,  4,	 5,  5,	 6,
	6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
};

/* The order in which the lengths of the code length code come. */
static const u8 length_order[19] = {
	16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
};

/* Afterwards nbits >= 56, unless the input has ended. */
static __always_inline void
refill(struct inflate *st)
{
	if (likely(st->end - st->in >= 8)) {
		st->bits |= get_le64(st->in) << st->nbits;
		st->in += (63 - st->nbits) / 8;
		st->nbits |= 56;
		return;
	}
	while (st->nbits < 56 && st->in < st->end) {
		st->bits |= (u64)*st->in++ << st->nbits;
		st->nbits += 8;
	}
}

static __always_inline void
drop(struct inflate *st, unsigned int n)
{
	st->bits >>= n;
	st->nbits -= n;
}

/* n <= 13 bits, or -EINVAL at the end of the input. */
static __always_inline int
take(struct inflate *st, unsigned int n)
{
	int v;

	if (st->nbits < n)
		refill(st);
	if (st->nbits < n)
		return -EINVAL;
	v = (int)(st->bits & ((1U << n) - 1));
	drop(st, n);
	return v;
}

/* Gives the bytes that were not used back, with the bits up to the next byte lost. */
static void
align_input(struct inflate *st)
{
	st->in -= st->nbits / 8;
	st->nbits = 0;
	st->bits = 0;
}

/*
 * Makes a decoder from n code lengths. Codes must use up all bit patterns;
 * like other decoders we let pass a code of one symbol of length 1, and one
 * without symbols (which fails when it is used).
 */
static int
build_code(struct inflate_code *c, const u8 *lengths, unsigned int n)
{
	u16 first[CODE_BITS_MAX + 2];
	u16 next[CODE_BITS_MAX + 2];
	int unused = 1;
	unsigned int longest = 0;

	memset(c->count, 0, sizeof(c->count));
	for (unsigned int i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	first[1] = 0;
	next[1] = 0;
	for (unsigned int len = 1; len <= CODE_BITS_MAX; len++) {
		unused = 2 * unused - c->count[len];
		if (unused < 0)
			return -EINVAL;
		if (c->count[len] != 0)
			longest = len;
		first[len + 1] = (u16)((first[len] + c->count[len]) << 1);
		next[len + 1] = next[len] + c->count[len];
	}
	if (unused != 0 && longest > 1)
		return -EINVAL;

	memset(c->fast, 0, sizeof(c->fast));
	for (unsigned int i = 0; i < n; i++) {
		unsigned int len = lengths[i];
		unsigned int code;

		if (len == 0)
			continue;
		c->symbol[next[len]++] = (u16)i;
		code = first[len]++;
		if (len > INFLATE_FAST_BITS)
			continue;
		code = (unsigned int)bit_reverse(code, len);
		for (; code < 1U << INFLATE_FAST_BITS; code += 1U << len)
			c->fast[code] = (u16)(i << 4 | len);
	}
	return 0;
}

/* A symbol whose code is longer than the fast table's index, or is not there. */
static __noinline int
decode_long(struct inflate *st, const struct inflate_code *c)
{
	unsigned int code = 0;
	unsigned int first = 0;
	unsigned int index = 0;

	for (unsigned int len = 1; len <= CODE_BITS_MAX; len++) {
		unsigned int count = c->count[len];

		code |= st->bits >> (len - 1) & 1;
		if (code - first < count) {
			if (st->nbits < len)
				return -EINVAL;
			drop(st, len);
			return c->symbol[index + code - first];
		}
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -EINVAL;
}

/* The next symbol, or -EINVAL. */
static __always_inline int
decode(struct inflate *st, const struct inflate_code *c)
{
	unsigned int e;

	if (st->nbits < CODE_BITS_MAX)
		refill(st);
	e = c->fast[st->bits & ((1U << INFLATE_FAST_BITS) - 1)];
	if (unlikely(e == 0))
		return decode_long(st, c);
	if (unlikely(st->nbits < (e & 15)))
		return -EINVAL;
	drop(st, e & 15);
	return (int)(e >> 4);
}

/* Gives the window up to pos to the sink. */
static int
flush(struct inflate *st)
{
	u32 n = st->pos;

	st->pos = 0;
	if (n == 0)
		return 0;
	st->crc = crc32(st->crc, st->window, n);
	return st->out->emit(st->out->ctx, st->window, n);
}

static __always_inline int
put(struct inflate *st, u8 byte)
{
	st->window[st->pos++] = byte;
	st->total++;
	return unlikely(st->pos == INFLATE_WINDOW) ? flush(st) : 0;
}

/* Repeats the length bytes that lie distance bytes back. */
static int
copy_match(struct inflate *st, u32 length, u32 distance)
{
	u32 from = (st->pos - distance) % INFLATE_WINDOW;

	if (distance > st->total)
		return -EINVAL;
	st->total += length;
	if (distance >= length && from + length <= INFLATE_WINDOW &&
	    st->pos + length < INFLATE_WINDOW) {
		memmove(st->window + st->pos, st->window + from, length);
		st->pos += length;
		return 0;
	}
	for (; length > 0; length--) {
		st->window[st->pos++] = st->window[from];
		from = (from + 1) % INFLATE_WINDOW;
		if (st->pos == INFLATE_WINDOW) {
			int err = flush(st);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

/* The symbols of a block up to its end. */
static int
codes(struct inflate *st)
{
	for (;;) {
		int sym = decode(st, &st->literals);
		int extra, length, err;

		if (sym < 0)
			return sym;
		if (sym < SYMBOL_END) {
			err = put(st, (u8)sym);
			if (unlikely(err != 0))
				return err;
			continue;
		}
		if (sym == SYMBOL_END)
			return 0;
		sym -= SYMBOL_END + 1;
		if (sym >= (int)ARRAY_SIZE(length_base))
			return -EINVAL;
		extra = take(st, length_extra[sym]);
		if (extra < 0)
			return extra;
		length = length_base[sym] + extra;
		sym = decode(st, &st->distances);
		if (sym < 0)
			return sym;
		if (sym >= (int)ARRAY_SIZE(distance_base))
			return -EINVAL;
		extra = take(st, distance_extra[sym]);
		if (extra < 0)
			return extra;
		err = copy_match(st, (u32)length, (u32)(distance_base[sym] + extra));
		if (err != 0)
			return err;
	}
}

static int
stored_block(struct inflate *st)
{
	u32 n;

	align_input(st);
	if (st->end - st->in < 4)
		return -EINVAL;
	n = get_le16(st->in);
	if (n != (u16)~get_le16(st->in + 2))
		return -EINVAL;
	st->in += 4;
	if ((size_t)(st->end - st->in) < n)
		return -EINVAL;
	st->total += n;
	while (n > 0) {
		u32 part = min(n, INFLATE_WINDOW - st->pos);

		memcpy(st->window + st->pos, st->in, part);
		st->in += part;
		st->pos += part;
		n -= part;
		if (st->pos == INFLATE_WINDOW) {
			int err = flush(st);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

static int
fixed_block(struct inflate *st)
{
	int err;

	memset(st->lengths, 8, 144);
	memset(st->lengths + 144, 9, 112);
	memset(st->lengths + 256, 7, 24);
	memset(st->lengths + 280, 8, 8);
	err = build_code(&st->literals, st->lengths, 288);
	if (err != 0)
		return err;
	memset(st->lengths, 5, 32);
	err = build_code(&st->distances, st->lengths, 32);
	if (err != 0)
		return err;
	return codes(st);
}

/*
 * Reads n code lengths, themselves coded: 0 to 15 a length, 16 repeats the
 * last one, 17 and 18 are runs of zeros.
 */
static int
read_lengths(struct inflate *st, unsigned int n)
{
	unsigned int i = 0;

	while (i < n) {
		int sym = decode(st, &st->literals);
		u8 value = 0;
		int run;

		if (sym < 0)
			return sym;
		if (sym < 16) {
			st->lengths[i++] = (u8)sym;
			continue;
		}
		if (sym == 16) {
			if (i == 0)
				return -EINVAL;
			value = st->lengths[i - 1];
			run = take(st, 2);
		} else {
			run = take(st, sym == 17 ? 3 : 7);
		}
		if (run < 0)
			return run;
		run += sym == 18 ? 11 : 3;
		if (i + (unsigned int)run > n)
			return -EINVAL;
		memset(st->lengths + i, value, (size_t)run);
		i += (unsigned int)run;
	}
	return 0;
}

static int
dynamic_block(struct inflate *st)
{
	unsigned int nlit, ndist, ncode;
	int v, err;

	v = take(st, 5);
	if (v < 0)
		return v;
	nlit = (unsigned int)v + 257;
	v = take(st, 5);
	if (v < 0)
		return v;
	ndist = (unsigned int)v + 1;
	v = take(st, 4);
	if (v < 0)
		return v;
	ncode = (unsigned int)v + 4;
	if (nlit > 286 || ndist > 30)
		return -EINVAL;

	memset(st->lengths, 0, ARRAY_SIZE(length_order));
	for (unsigned int i = 0; i < ncode; i++) {
		v = take(st, 3);
		if (v < 0)
			return v;
		st->lengths[length_order[i]] = (u8)v;
	}
	err = build_code(&st->literals, st->lengths, ARRAY_SIZE(length_order));
	if (err == 0)
		err = read_lengths(st, nlit + ndist);
	if (err != 0)
		return err;
	/* A block that cannot end is malformed. */
	if (st->lengths[SYMBOL_END] == 0)
		return -EINVAL;
	err = build_code(&st->literals, st->lengths, nlit);
	if (err == 0)
		err = build_code(&st->distances, st->lengths + nlit, ndist);
	return err != 0 ? err : codes(st);
}

static int
blocks(struct inflate *st)
{
	int last, type, err;

	do {
		last = take(st, 1);
		if (last < 0)
			return last;
		type = take(st, 2);
		switch (type) {
		case 0:
			err = stored_block(st);
			break;
		case 1:
			err = fixed_block(st);
			break;
		case 2:
			err = dynamic_block(st);
			break;
		default:
			err = -EINVAL;
			break;
		}
		if (err != 0)
			return err;
	} while (last == 0);
	align_input(st);
	return flush(st);
}

static void
start(struct inflate *st, const u8 *in, size_t n, const struct sink *out)
{
	st->in = in;
	st->end = in + n;
	st->bits = 0;
	st->nbits = 0;
	st->out = out;
	st->pos = 0;
	st->crc = 0;
	st->total = 0;
}

int
inflate_raw(struct inflate *st, const void *in, size_t n, const struct sink *out, size_t *used)
{
	int err;

	start(st, in, n, out);
	err = blocks(st);
	*used = (size_t)(st->in - (const u8 *)in);
	return err;
}

/*
 * Header of a gzip member:
 * OFFSET  SIZE  MEANING
 * 0       2     0x1f 0x8b
 * 2       1     method: 8
 * 3       1     flags
 * 4       4     modification time
 * 8       2     extra flags, operating system
 * 10      ...   as flags say: extra field (16-bit length, data), name and
 *               comment (ending with NUL), low 16 bits of the header's CRC-32
 * After the data: CRC-32 and length modulo 2^32, 4 bytes each.
 */
#define GZIP_HEADER 10
#define GZIP_TRAILER 8
#define GZIP_FHCRC 2
#define GZIP_FEXTRA 4
#define GZIP_FNAME 8
#define GZIP_FCOMMENT 16
#define GZIP_RESERVED 0xe0

bool
inflate_is_gzip(const void *data, size_t n)
{
	const u8 *p = data;

	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* Length of the header, or -EINVAL. */
static long
gzip_header(const u8 *p, size_t n)
{
	size_t pos = GZIP_HEADER;
	u8 flags;

	if (n < GZIP_HEADER || !inflate_is_gzip(p, n) || p[2] != 8 || (p[3] & GZIP_RESERVED) != 0)
		return -EINVAL;
	flags = p[3];
	if ((flags & GZIP_FEXTRA) != 0) {
		if (n - pos < 2 || n - pos - 2 < get_le16(p + pos))
			return -EINVAL;
		pos += 2 + (size_t)get_le16(p + pos);
	}
	for (u8 flag = GZIP_FNAME; flag <= GZIP_FCOMMENT; flag <<= 1) {
		const u8 *nul;

		if ((flags & flag) == 0)
			continue;
		nul = memchr(p + pos, 0, n - pos);
		if (nul == NULL)
			return -EINVAL;
		pos = (size_t)(nul - p) + 1;
	}
	if ((flags & GZIP_FHCRC) != 0) {
		if (n - pos < 2 || get_le16(p + pos) != (u16)crc32(0, p, pos))
			return -EINVAL;
		pos += 2;
	}
	return (long)pos;
}

int
inflate_gzip(struct inflate *st, const void *in, size_t n, const struct sink *out, size_t *used)
{
	const u8 *p = in;
	long header = gzip_header(p, n);
	int err;

	*used = 0;
	if (header < 0)
		return (int)header;
	start(st, p + header, n - (size_t)header, out);
	err = blocks(st);
	if (err == 0 && (st->end - st->in < GZIP_TRAILER || get_le32(st->in) != st->crc ||
			 get_le32(st->in + 4) != (u32)st->total))
		err = -EINVAL;
	*used = (size_t)(st->in - p) + (err == 0 ? GZIP_TRAILER : 0);
	return err;
}
