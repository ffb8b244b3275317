/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two entropy codes of zstd: FSE tables and Huffman tables.
 *
 * See: RFC 8878 sections 4.1 and 4.2.
 */
#include "lib/unzstd_impl.h"

#include "lib/string.h"

#define HUF_WEIGHT_BITS_MAX 6
#define HUF_SYMBOLS 256

/* Reads the description of an FSE table from its first bit on. */
struct forward_bits {
	const u8 *p;
	size_t n;
	size_t pos;
};

/* The next 16 bits; those behind the end are 0. */
static u32
forward_peek(const struct forward_bits *b)
{
	size_t byte = b->pos / 8;
	u32 v = 0;

	for (size_t i = 0; i < 3 && byte + i < b->n; i++)
		v |= (u32)b->p[byte + i] << (8 * i);
	return v >> (b->pos % 8) & 0xffff;
}

static u32
forward_read(struct forward_bits *b, unsigned int n)
{
	u32 v = forward_peek(b) & ((1U << n) - 1);

	b->pos += n;
	return v;
}

/*
 * Reads one probability when left (> 0) is what the symbols still have to
 * share: a value from 0 to left + 1, one more than the probability. Small
 * values take one bit less than the others.
 */
static int
read_probability(struct forward_bits *b, unsigned int left)
{
	unsigned int nbits = fls32(left + 1);
	unsigned int half = 1U << (nbits - 1);
	unsigned int nshort = 2 * half - 1 - (left + 1);
	u32 v = forward_peek(b) & (2 * half - 1);

	if ((v & (half - 1)) < nshort) {
		b->pos += nbits - 1;
		return (int)(v & (half - 1)) - 1;
	}
	b->pos += nbits;
	if (v >= half)
		v -= nshort;
	return (int)v - 1;
}

long
unzstd_fse_read(struct unzstd *st, struct unzstd_fse *t, const u8 *p, size_t n, u32 limits)
{
	struct forward_bits b = {.p = p, .n = n, .pos = 0};
	unsigned int max_symbol = limits >> 8;
	unsigned int bits = forward_read(&b, 4) + 5;
	unsigned int symbol = 0;
	unsigned int left;

	if (bits > (limits & 255))
		return -EINVAL;
	left = 1U << bits;
	while (left > 0) {
		int prob;

		if (symbol > max_symbol || b.pos > n * 8)
			return -EINVAL;
		prob = read_probability(&b, left);
		st->norm[symbol++] = (s16)prob;
		left -= prob < 0 ? 1 : (unsigned int)prob;
		while (prob == 0) {
			u32 zeros = forward_read(&b, 2);

			if (symbol + zeros > max_symbol + 1)
				return -EINVAL;
			memset(st->norm + symbol, 0, zeros * sizeof(st->norm[0]));
			symbol += zeros;
			if (zeros != 3)
				break;
		}
	}
	if (b.pos > n * 8)
		return -EINVAL;
	unzstd_fse_build(st, t, st->norm, symbol, bits);
	return (long)div_round_up(b.pos, 8);
}

/*
 * Symbols of probability "less than one" (-1) get one state each at the end;
 * the states of the others are spread over the rest. Each state of a symbol
 * with n of them stands for the numbers n to 2n - 1 in turn, and leads to the
 * range of states that such a number names.
 */
void
unzstd_fse_build(struct unzstd *st, struct unzstd_fse *t, const s16 *norm, unsigned int nsymbols,
		 unsigned int bits)
{
	unsigned int size = 1U << bits;
	unsigned int step = (size >> 1) + (size >> 3) + 3;
	unsigned int top = size;
	unsigned int pos = 0;

	for (unsigned int s = 0; s < nsymbols; s++) {
		st->next[s] = (u16)(norm[s] < 0 ? 1 : norm[s]);
		if (norm[s] < 0)
			t->entry[--top].symbol = (u8)s;
	}
	for (unsigned int s = 0; s < nsymbols; s++) {
		for (int i = 0; i < norm[s]; i++) {
			t->entry[pos].symbol = (u8)s;
			do {
				pos = (pos + step) & (size - 1);
			} while (pos >= top);
		}
	}
	for (unsigned int i = 0; i < size; i++) {
		struct unzstd_fse_entry *e = &t->entry[i];
		unsigned int number = st->next[e->symbol]++;

		e->bits = (u8)(bits - ilog2(number));
		e->base = (u16)((number << e->bits) - size);
	}
	t->bits = (u8)bits;
	t->valid = true;
}

void
unzstd_fse_constant(struct unzstd_fse *t, u8 symbol)
{
	t->entry[0] = (struct unzstd_fse_entry){.base = 0, .symbol = symbol, .bits = 0};
	t->bits = 0;
	t->valid = true;
}

/* Takes the next symbol of a state and moves it on. */
static u8
fse_step(const struct unzstd_fse *t, unsigned int *state, struct unzstd_bits *b)
{
	const struct unzstd_fse_entry *e = &t->entry[*state];

	*state = e->base + (unsigned int)unzstd_bits_read(b, e->bits);
	return e->symbol;
}

/*
 * Weights coded with FSE: two states take turns until one cannot move on for
 * lack of bits; then the other gives the last symbol. Returns how many.
 */
static long
read_coded_weights(struct unzstd *st, const u8 *p, size_t n)
{
	struct unzstd_bits b;
	unsigned int state[2];
	unsigned int count = 0;
	long used;

	used = unzstd_fse_read(st, &st->weights, p, n, UNZSTD_FSE_LIMITS(255, HUF_WEIGHT_BITS_MAX));
	if (used < 0)
		return used;
	if (unzstd_bits_init(&b, p + used, n - (size_t)used) != 0)
		return -EINVAL;
	state[0] = (unsigned int)unzstd_bits_read(&b, st->weights.bits);
	state[1] = (unsigned int)unzstd_bits_read(&b, st->weights.bits);
	if (b.left < 0)
		return -EINVAL;
	for (;;) {
		unsigned int turn = count & 1;

		if (count > HUF_SYMBOLS - 3)
			return -EINVAL;
		st->weight[count++] = fse_step(&st->weights, &state[turn], &b);
		if (b.left < 0) {
			st->weight[count++] = st->weights.entry[state[!turn]].symbol;
			return count;
		}
	}
}

/* Weights of 4 bits each, the first in the high half. Returns how many. */
static long
read_plain_weights(struct unzstd *st, const u8 *p, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		st->weight[i] = i % 2 == 0 ? p[i / 2] >> 4 : p[i / 2] & 15;
	return count;
}

/*
 * A symbol of weight w > 0 has a code of huf_bits + 1 - w bits, so it covers
 * 2^(w - 1) entries of the table. The weight of the last symbol is not
 * written: it fills the table up to the next power of two. Longest codes
 * come first.
 */
static int
huf_build(struct unzstd *st, unsigned int count)
{
	u16 per_weight[UNZSTD_HUF_BITS + 2] = {0};
	u16 start[UNZSTD_HUF_BITS + 2];
	u32 sum = 0;
	u32 rest;
	unsigned int bits;

	for (unsigned int i = 0; i < count; i++) {
		unsigned int w = st->weight[i];

		if (w > UNZSTD_HUF_BITS)
			return -EINVAL;
		sum += w == 0 ? 0 : 1U << (w - 1);
		per_weight[w]++;
	}
	if (sum == 0)
		return -EINVAL;
	bits = fls32(sum);
	rest = (1U << bits) - sum;
	if (bits > UNZSTD_HUF_BITS || !is_power_of_2(rest))
		return -EINVAL;
	st->weight[count] = (u8)fls32(rest);
	per_weight[st->weight[count]]++;
	count++;
	/* In a real code the two longest belong together. */
	if (per_weight[1] < 2)
		return -EINVAL;

	start[1] = 0;
	for (unsigned int w = 1; w <= UNZSTD_HUF_BITS; w++)
		start[w + 1] = (u16)(start[w] + (per_weight[w] << (w - 1)));
	for (unsigned int i = 0; i < count; i++) {
		unsigned int w = st->weight[i];
		struct unzstd_huf_entry e = {.symbol = (u8)i, .bits = (u8)(bits + 1 - w)};

		if (w == 0)
			continue;
		for (unsigned int k = 0; k < 1U << (w - 1); k++)
			st->huf[start[w]++] = e;
	}
	st->huf_bits = (u8)bits;
	st->huf_valid = true;
	return 0;
}

long
unzstd_huf_read(struct unzstd *st, const u8 *p, size_t n)
{
	size_t size;
	long count;
	int err;

	st->huf_valid = false;
	if (n == 0)
		return -EINVAL;
	if (p[0] >= 128) {
		count = p[0] - 127;
		size = (size_t)(count + 1) / 2;
	} else {
		count = 0;
		size = p[0];
	}
	if (size > n - 1)
		return -EINVAL;
	if (count != 0)
		count = read_plain_weights(st, p + 1, (unsigned int)count);
	else
		count = read_coded_weights(st, p + 1, size);
	if (count < 0)
		return count;
	err = huf_build(st, (unsigned int)count);
	return err != 0 ? err : (long)size + 1;
}

int
unzstd_huf_stream(const struct unzstd *st, const u8 *p, size_t n, u8 *out, size_t count)
{
	unsigned int bits = st->huf_bits;
	struct unzstd_bits b;
	u8 *end = out + count;

	if (unzstd_bits_init(&b, p, n) != 0)
		return -EINVAL;
	/* Five codes of 11 bits fit in what one look gives. */
	while (end - out >= 5) {
		u64 v = unzstd_bits_peek(&b);
		unsigned int used = 0;

		for (int i = 0; i < 5; i++) {
			struct unzstd_huf_entry e = st->huf[v << used >> (64 - bits)];

			*out++ = e.symbol;
			used += e.bits;
		}
		b.left -= used;
		if (b.left < 0)
			return -EINVAL;
	}
	while (out < end) {
		struct unzstd_huf_entry e = st->huf[unzstd_bits_peek(&b) >> (64 - bits)];

		*out++ = e.symbol;
		b.left -= e.bits;
	}
	return b.left == 0 ? 0 : -EINVAL;
}
