/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoder for DEFLATE data and gzip members.
 *
 * Model: the whole input is in memory; the output goes to a sink in pieces of
 * up to 32 KiB, straight from the window. The caller gives the working state
 * (about 44 KiB: not for a kernel stack) and needs not initialize it.
 *
 * Errors: -EINVAL for everything that is malformed or cut short, including a
 * wrong checksum or length (found after the data was emitted); else what the
 * sink returned.
 *
 * See: RFC 1951, RFC 1952.
 */
#ifndef LIB_INFLATE_H
#define LIB_INFLATE_H

#include "lib/sink.h"
#include "lib/types.h"

#define INFLATE_WINDOW 32768U
#define INFLATE_FAST_BITS 10
#define INFLATE_MAX_SYMBOLS 288

/*
 * A canonical Huffman code. fast maps the next INFLATE_FAST_BITS input bits
 * to symbol << 4 | length (0: longer code, walk count and symbol instead).
 */
struct inflate_code {
	u16 fast[1 << INFLATE_FAST_BITS];
	u16 count[16];
	u16 symbol[INFLATE_MAX_SYMBOLS];
};

struct inflate {
	const u8 *in;
	const u8 *end;
	u64 bits;
	unsigned int nbits;
	const struct sink *out;
	u32 pos;
	u32 crc;
	u64 total;
	struct inflate_code literals;
	struct inflate_code distances;
	u8 lengths[320];
	u8 window[INFLATE_WINDOW];
};

/* Whether data starts as a gzip member does. */
bool inflate_is_gzip(const void *data, size_t n);

/* One gzip member; *used becomes the number of input bytes it occupied. */
int __must_check inflate_gzip(struct inflate *st, const void *in, size_t n, const struct sink *out,
			      size_t *used);

/* A bare DEFLATE stream, without header and checksum. */
int __must_check inflate_raw(struct inflate *st, const void *in, size_t n, const struct sink *out,
			     size_t *used);

#endif
