/* SPDX-License-Identifier: BSD-2-Clause */
/* What the three files of the zstd decoder share. */
#ifndef LIB_UNZSTD_IMPL_H
#define LIB_UNZSTD_IMPL_H

#include "lib/unzstd.h"

#include "lib/bits.h"
#include "lib/endian.h"
#include "lib/errno.h"
#include "lib/types.h"

/*
 * A stream of bits that is read from its end to its start; the highest bit
 * set in the last byte ends it. left counts the bits not yet read: it goes
 * below 0 when more was read than there is, and those bits are 0.
 */
struct unzstd_bits {
	const u8 *start;
	s64 left;
};

/* -EINVAL when the stream is empty or its last byte is 0. */
static inline int
unzstd_bits_init(struct unzstd_bits *b, const u8 *p, size_t n)
{
	if (n == 0 || p[n - 1] == 0)
		return -EINVAL;
	b->start = p;
	b->left = (s64)(n - 1) * 8 + fls32(p[n - 1]) - 1;
	return 0;
}

/* The next bits, at the top of the word: at least 57 of them, then zeros. */
static __always_inline u64
unzstd_bits_peek(const struct unzstd_bits *b)
{
	s64 bytes = (b->left + 7) >> 3;
	u64 v = 0;

	if (likely(bytes >= 8))
		return get_le64(b->start + bytes - 8) << (bytes * 8 - b->left);
	if (b->left <= 0)
		return 0;
	for (s64 i = 0; i < bytes; i++)
		v |= (u64)b->start[i] << (8 * (8 - bytes + i));
	return v << (bytes * 8 - b->left);
}

/* Reads n <= 57 bits. */
static __always_inline u64
unzstd_bits_read(struct unzstd_bits *b, unsigned int n)
{
	u64 v = unzstd_bits_peek(b);

	b->left -= n;
	return n == 0 ? 0 : v >> (64 - n);
}

/* The entropy decoders (unzstd_entropy.c). */

/*
 * Reads a table description of up to n bytes for symbols 0 to max_symbol.
 * Returns its length, or -EINVAL.
 */
long unzstd_fse_read(struct unzstd *st, struct unzstd_fse *t, const u8 *p, size_t n, u32 limits);
#define UNZSTD_FSE_LIMITS(max_symbol, max_bits) ((u32)(max_symbol) << 8 | (max_bits))

/* Makes the table from norm[0 .. nsymbols - 1], which sum up to 1 << bits. */
void unzstd_fse_build(struct unzstd *st, struct unzstd_fse *t, const s16 *norm,
		      unsigned int nsymbols, unsigned int bits);

/* A table that yields one symbol for ever, without using input. */
void unzstd_fse_constant(struct unzstd_fse *t, u8 symbol);

/* Reads a Huffman table description; returns its length, or -EINVAL. */
long unzstd_huf_read(struct unzstd *st, const u8 *p, size_t n);

/* Decodes one stream to exactly count literals. */
int unzstd_huf_stream(const struct unzstd *st, const u8 *p, size_t n, u8 *out, size_t count);

/* One compressed block (unzstd_block.c). */
int unzstd_block(struct unzstd *st, const u8 *p, size_t n);

/* Appends to the output (unzstd.c). */
int unzstd_put(struct unzstd *st, const u8 *p, size_t n);
int unzstd_repeat(struct unzstd *st, size_t offset, size_t n);

#endif
