/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A compressed block of zstd: literals, and the sequences that say where they
 * and repeats of earlier output go.
 *
 * See: RFC 8878 section 3.1.1.3.
 */
#include "lib/unzstd_impl.h"

#include "lib/string.h"

enum literals_type {
	LITERALS_RAW,
	LITERALS_RLE,
	LITERALS_HUFFMAN,
	LITERALS_SAME_TABLE,
};

enum table_mode {
	TABLE_PREDEFINED,
	TABLE_CONSTANT,
	TABLE_FSE,
	TABLE_REPEAT,
};

/* One of the three kinds of code in a sequence. */
struct code_kind {
	const s16 *predefined;
	u8 predefined_symbols;
	u8 predefined_bits;
	u8 max_symbol;
	u8 max_bits;
};

static const s16 ll_predefined[36] = {
	4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
	2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
};
static const s16 ml_predefined[53] = {
	1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,	 1,  1,	 1,  1,	 1,  1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
};
static const s16 of_predefined[29] = {
	1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
};

static const struct code_kind ll_kind = {ll_predefined, 36, 6, 35, 9};
static const struct code_kind of_kind = {of_predefined, 29, 5, 31, 8};
static const struct code_kind ml_kind = {ml_predefined, 53, 6, 52, 9};

/* Values of the codes for literal lengths and match lengths: base, extra bits. */
static const u32 ll_base[36] = {
	0,  1,	2,  3,	4,  5,	6,  7,	8,   9,	  10,  11,   12,   13,	 14,   15,    16,    18,
	20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536,
};
static const u8 ll_extra[36] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,	 0,  0,	 0,  1,	 1,
	1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};
static const u32 ml_base[53] = {
	3,  4,	5,  6,	7,  8,	9,  10,	 11,  12,  13,	 14,   15,   16,   17,	  18,	 19,	20,
	21, 22, 23, 24, 25, 26, 27, 28,	 29,  30,  31,	 32,   33,   34,   35,	  37,	 39,	41,
	43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
};
static const u8 ml_extra[53] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,	 0,  0,	 0,  0,	 0,  0,
	0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

/* Sizes from the header of the literals section. */
struct literals_header {
	enum literals_type type;
	u32 size;
	u32 packed;
	bool four_streams;
	u32 header;
};

/*
 * Header: type in bits 0-1, format in bits 2-3, then the sizes. Formats 0 and
 * 2 of the first two types differ in bit 3 only, which belongs to the size.
 */
static int
read_literals_header(struct literals_header *h, const u8 *p, size_t n)
{
	static const u8 raw_header[4] = {1, 2, 1, 3};
	static const u8 packed_header[4] = {3, 3, 4, 5};
	static const u8 packed_bits[4] = {10, 10, 14, 18};
	unsigned int format;
	u64 v = 0;

	if (n == 0)
		return -EINVAL;
	h->type = p[0] & 3;
	format = p[0] >> 2 & 3;
	h->header = h->type <= LITERALS_RLE ? raw_header[format] : packed_header[format];
	h->four_streams = format != 0;
	if (n < h->header)
		return -EINVAL;
	for (u32 i = 0; i < h->header; i++)
		v |= (u64)p[i] << (8 * i);
	if (h->type <= LITERALS_RLE) {
		h->size = (u32)(v >> (h->header == 1 ? 3 : 4));
		h->packed = h->type == LITERALS_RAW ? h->size : 1;
	} else {
		u32 mask = (1U << packed_bits[format]) - 1;

		h->size = (u32)(v >> 4) & mask;
		h->packed = (u32)(v >> (4 + packed_bits[format])) & mask;
	}
	return h->packed > n - h->header ? -EINVAL : 0;
}

/* Four streams share the literals evenly; 6 bytes give the sizes of three. */
static int
four_streams(struct unzstd *st, const u8 *p, size_t n, size_t count)
{
	size_t share = (count + 3) / 4;
	size_t size[4];
	u8 *out = st->literals;

	if (n < 6 || 3 * share > count)
		return -EINVAL;
	size[0] = get_le16(p);
	size[1] = get_le16(p + 2);
	size[2] = get_le16(p + 4);
	p += 6;
	n -= 6;
	if (size[0] + size[1] + size[2] > n)
		return -EINVAL;
	size[3] = n - size[0] - size[1] - size[2];
	for (int i = 0; i < 4; i++) {
		size_t part = i < 3 ? share : count - 3 * share;
		int err = unzstd_huf_stream(st, p, size[i], out, part);

		if (err != 0)
			return err;
		p += size[i];
		out += part;
	}
	return 0;
}

static int
huffman_literals(struct unzstd *st, const struct literals_header *h, const u8 *p)
{
	size_t n = h->packed;

	if (h->type == LITERALS_HUFFMAN) {
		long used = unzstd_huf_read(st, p, n);

		if (used < 0)
			return (int)used;
		p += used;
		n -= (size_t)used;
	} else if (!st->huf_valid) {
		return -EINVAL;
	}
	if (h->size == 0)
		return -EINVAL;
	st->lit = st->literals;
	if (h->four_streams)
		return four_streams(st, p, n, h->size);
	return unzstd_huf_stream(st, p, n, st->literals, h->size);
}

/* Sets st->lit and st->nlit; returns the length of the section or -EINVAL. */
static long
read_literals(struct unzstd *st, const u8 *p, size_t n)
{
	struct literals_header h;
	int err;

	err = read_literals_header(&h, p, n);
	if (err != 0)
		return err;
	if (h.size > st->block_max)
		return -EINVAL;
	p += h.header;
	switch (h.type) {
	case LITERALS_RAW:
		st->lit = p;
		break;
	case LITERALS_RLE:
		memset(st->literals, p[0], h.size);
		st->lit = st->literals;
		break;
	default:
		err = huffman_literals(st, &h, p);
		break;
	}
	st->nlit = h.size;
	return err != 0 ? err : (long)(h.header + h.packed);
}

/* Input that is left to read. */
struct cursor {
	const u8 *p;
	size_t n;
};

/* Prepares a table as its mode says. */
static int
read_table(struct unzstd *st, struct unzstd_fse *t, const struct code_kind *kind,
	   enum table_mode mode, struct cursor *cur)
{
	long used;

	switch (mode) {
	case TABLE_PREDEFINED:
		unzstd_fse_build(st, t, kind->predefined, kind->predefined_symbols,
				 kind->predefined_bits);
		return 0;
	case TABLE_CONSTANT:
		if (cur->n == 0 || cur->p[0] > kind->max_symbol)
			return -EINVAL;
		unzstd_fse_constant(t, cur->p[0]);
		used = 1;
		break;
	case TABLE_FSE:
		used = unzstd_fse_read(st, t, cur->p, cur->n,
				       UNZSTD_FSE_LIMITS(kind->max_symbol, kind->max_bits));
		if (used < 0)
			return (int)used;
		break;
	default:
		return t->valid ? 0 : -EINVAL;
	}
	cur->p += used;
	cur->n -= (size_t)used;
	return 0;
}

/* Number of sequences: 1 to 3 bytes, the first of which tells how many. */
static int
read_count(struct cursor *cur, u32 *count)
{
	const u8 *p = cur->p;
	size_t size;

	if (cur->n == 0)
		return -EINVAL;
	size = p[0] < 128 ? 1 : p[0] < 255 ? 2 : 3;
	if (cur->n < size)
		return -EINVAL;
	if (size == 1)
		*count = p[0];
	else if (size == 2)
		*count = (u32)(p[0] - 128) << 8 | p[1];
	else
		*count = (u32)get_le16(p + 1) + 0x7f00;
	cur->p += size;
	cur->n -= size;
	return 0;
}

/* Count and tables; returns with cur at the coded sequences. */
static int
read_sequences_header(struct unzstd *st, struct cursor *cur, u32 *count)
{
	u8 modes;
	int err;

	err = read_count(cur, count);
	if (err != 0 || *count == 0)
		return err;
	if (cur->n == 0)
		return -EINVAL;
	modes = cur->p[0];
	if ((modes & 3) != 0)
		return -EINVAL;
	cur->p++;
	cur->n--;
	err = read_table(st, &st->ll, &ll_kind, modes >> 6, cur);
	if (err == 0)
		err = read_table(st, &st->of, &of_kind, modes >> 4 & 3, cur);
	if (err == 0)
		err = read_table(st, &st->ml, &ml_kind, modes >> 2 & 3, cur);
	return err;
}

/*
 * Values above 3 are offsets plus 3; 1 to 3 name the last offsets used. When
 * the sequence has no literals they move on by one, and the last means the
 * most recent offset less 1. Returns 0 for an offset that cannot be.
 */
static u64
resolve_offset(struct unzstd *st, u64 value, bool no_literals)
{
	u32 *repeat = st->repeat;
	u64 offset;

	if (value > 3) {
		offset = value - 3;
		repeat[2] = repeat[1];
	} else {
		u64 which = value - 1 + no_literals;

		if (which == 0)
			return repeat[0];
		offset = which < 3 ? repeat[which] : repeat[0] - 1;
		if (which > 1)
			repeat[2] = repeat[1];
	}
	repeat[1] = repeat[0];
	repeat[0] = (u32)offset;
	return offset;
}

/* One sequence: how many literals, then how much from how far back. */
struct sequence {
	u32 literals;
	u32 length;
	u64 offset;
};

/* Where the decoder of the sequences stands. */
struct sequence_reader {
	struct unzstd_bits bits;
	u32 ll;
	u32 of;
	u32 ml;
};

static __always_inline void
next_state(const struct unzstd_fse *t, u32 *state, struct unzstd_bits *b)
{
	const struct unzstd_fse_entry *e = &t->entry[*state];

	*state = e->base + (u32)unzstd_bits_read(b, e->bits);
}

static __always_inline void
read_sequence(struct unzstd *st, struct sequence_reader *r, struct sequence *seq)
{
	u8 ll = st->ll.entry[r->ll].symbol;
	u8 of = st->of.entry[r->of].symbol;
	u8 ml = st->ml.entry[r->ml].symbol;
	u64 value = (1UL << of) + unzstd_bits_read(&r->bits, of);

	seq->length = ml_base[ml] + (u32)unzstd_bits_read(&r->bits, ml_extra[ml]);
	seq->literals = ll_base[ll] + (u32)unzstd_bits_read(&r->bits, ll_extra[ll]);
	seq->offset = resolve_offset(st, value, seq->literals == 0);
}

/* Puts the sequence out; *room is how much the block may still produce. */
static __always_inline int
run_sequence(struct unzstd *st, const struct sequence *seq, size_t *room)
{
	int err;

	if (seq->literals > st->nlit || (size_t)seq->literals + seq->length > *room)
		return -EINVAL;
	*room -= (size_t)seq->literals + seq->length;
	err = unzstd_put(st, st->lit, seq->literals);
	if (err != 0)
		return err;
	st->lit += seq->literals;
	st->nlit -= seq->literals;
	return unzstd_repeat(st, seq->offset, seq->length);
}

static int
run_sequences(struct unzstd *st, const struct cursor *cur, u32 count, size_t *room)
{
	struct sequence_reader r;
	struct sequence seq;

	if (unzstd_bits_init(&r.bits, cur->p, cur->n) != 0)
		return -EINVAL;
	r.ll = (u32)unzstd_bits_read(&r.bits, st->ll.bits);
	r.of = (u32)unzstd_bits_read(&r.bits, st->of.bits);
	r.ml = (u32)unzstd_bits_read(&r.bits, st->ml.bits);
	for (;;) {
		int err;

		read_sequence(st, &r, &seq);
		if (r.bits.left < 0)
			return -EINVAL;
		err = run_sequence(st, &seq, room);
		if (err != 0)
			return err;
		if (--count == 0)
			break;
		next_state(&st->ll, &r.ll, &r.bits);
		next_state(&st->ml, &r.ml, &r.bits);
		next_state(&st->of, &r.of, &r.bits);
	}
	return r.bits.left == 0 ? 0 : -EINVAL;
}

int
unzstd_block(struct unzstd *st, const u8 *p, size_t n)
{
	size_t room = st->block_max;
	struct cursor cur;
	u32 count;
	long used;
	int err;

	used = read_literals(st, p, n);
	if (used < 0)
		return (int)used;
	cur.p = p + used;
	cur.n = n - (size_t)used;
	err = read_sequences_header(st, &cur, &count);
	if (err != 0)
		return err;
	if (count != 0)
		err = run_sequences(st, &cur, count, &room);
	else if (cur.n != 0)
		err = -EINVAL;
	if (err != 0)
		return err;
	if (st->nlit > room)
		return -EINVAL;
	return unzstd_put(st, st->lit, st->nlit);
}
