/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoder for zstd frames.
 *
 * Model: the whole input is in memory; the output goes to a sink in pieces,
 * straight from a ring of the last window_size bytes that the caller gives
 * together with the working state (about 140 KiB: not for a kernel stack).
 * unzstd_window() tells how large a ring the next frame needs.
 *
 * Errors: -EINVAL for everything that is malformed or cut short, including a
 * wrong checksum or content size (found after the data was emitted) and a
 * frame that needs a dictionary; -E2BIG for a frame whose window is larger
 * than the ring; else what the sink returned.
 *
 * See: RFC 8878.
 */
#ifndef LIB_UNZSTD_H
#define LIB_UNZSTD_H

#include "lib/sink.h"
#include "lib/types.h"
#include "lib/xxhash.h"

#define UNZSTD_BLOCK_MAX (128U * 1024)
#define UNZSTD_HUF_BITS 11
#define UNZSTD_FSE_BITS_MAX 9

/* State of an FSE decoder: the next state is base + bits bits of input. */
struct unzstd_fse_entry {
	u16 base;
	u8 symbol;
	u8 bits;
};

struct unzstd_fse {
	struct unzstd_fse_entry entry[1 << UNZSTD_FSE_BITS_MAX];
	u8 bits;
	bool valid;
};

struct unzstd_huf_entry {
	u8 symbol;
	u8 bits;
};

struct unzstd {
	u8 *window;
	size_t window_size;
	size_t pos;
	size_t emitted;
	u64 total;
	u64 frame_window;
	const struct sink *out;
	struct xxh64 hash;
	u32 block_max;
	u32 repeat[3];
	const u8 *lit;
	size_t nlit;
	struct unzstd_fse ll;
	struct unzstd_fse of;
	struct unzstd_fse ml;
	struct unzstd_fse weights;
	struct unzstd_huf_entry huf[1 << UNZSTD_HUF_BITS];
	u8 huf_bits;
	bool huf_valid;
	bool checksum;
	s16 norm[256];
	u16 next[256];
	u8 weight[256];
	u8 literals[UNZSTD_BLOCK_MAX];
};

/* Whether data starts with a zstd frame or a skippable frame. */
bool unzstd_is_frame(const void *data, size_t n);

/* Bytes of window that the first real frame needs; 0 when all are skippable. */
int __must_check unzstd_window(const void *in, size_t n, u64 *window);

/* Gives the state its ring; window_size > 0. */
void unzstd_init(struct unzstd *st, void *window, size_t window_size);

/*
 * Decodes the frames that follow one another at in, at least one. *used
 * becomes the number of input bytes in the frames that are complete: after
 * -E2BIG the caller may go on there with a larger window.
 */
int __must_check unzstd(struct unzstd *st, const void *in, size_t n, const struct sink *out,
			size_t *used);

#endif
