/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd frames: headers, blocks, and the ring that holds the window.
 *
 * Model: output is written to the ring at pos. [emitted, pos) has not been
 * given to the sink yet; that happens when the ring is full and after each
 * block, and never wraps.
 *
 * See: RFC 8878 section 3.1.
 */
#include "lib/unzstd_impl.h"

#include "lib/string.h"

#define MAGIC 0xfd2fb528U
#define MAGIC_SKIPPABLE 0x184d2a50U
#define SKIPPABLE_HEADER 8
#define BLOCK_HEADER 3
#define CHECKSUM_SIZE 4

#define SIZE_UNKNOWN U64_MAX

enum block_type {
	BLOCK_RAW,
	BLOCK_RLE,
	BLOCK_COMPRESSED,
};

/*
 * Frame header:
 * SIZE  MEANING
 * 4     magic
 * 1     descriptor: bits 0-1 size of the dictionary number (0, 1, 2, 4 bytes),
 *       2 checksum follows the last block, 3 zero, 4 unused, 5 single segment,
 *       6-7 size of the content size (0, 2, 4, 8 bytes; 1 for 0 when bit 5 is set)
 * 0-1   window: bits 3-7 exponent, 0-2 eighths; not there when bit 5 is set
 * 0-4   dictionary number
 * 0-8   content size (less 256 in the 2-byte form)
 */
struct frame {
	u64 window;
	u64 content;
	bool checksum;
	size_t header;
};

static bool
is_skippable(const u8 *p, size_t n)
{
	return n >= 4 && (get_le32(p) & ~15U) == MAGIC_SKIPPABLE;
}

bool
unzstd_is_frame(const void *data, size_t n)
{
	return is_skippable(data, n) || (n >= 4 && get_le32(data) == MAGIC);
}

static u64
read_le(const u8 *p, unsigned int n)
{
	u64 v = 0;

	for (unsigned int i = 0; i < n; i++)
		v |= (u64)p[i] << (8 * i);
	return v;
}

static int
read_frame_header(struct frame *f, const u8 *p, size_t n)
{
	static const u8 dictionary_size[4] = {0, 1, 2, 4};
	static const u8 content_size[4] = {0, 2, 4, 8};
	bool single;
	unsigned int dictionary, content;
	size_t pos = 5;

	if (n < 5 || get_le32(p) != MAGIC || (p[4] & 8) != 0)
		return -EINVAL;
	single = (p[4] & 32) != 0;
	f->checksum = (p[4] & 4) != 0;
	dictionary = dictionary_size[p[4] & 3];
	content = content_size[p[4] >> 6];
	if (content == 0 && single)
		content = 1;
	f->header = pos + !single + dictionary + content;
	if (n < f->header)
		return -EINVAL;
	if (!single) {
		u64 base = 1UL << (10 + (p[pos] >> 3));

		f->window = base + base / 8 * (p[pos] & 7);
		pos++;
	}
	if (read_le(p + pos, dictionary) != 0)
		return -EINVAL;
	pos += dictionary;
	f->content = SIZE_UNKNOWN;
	if (content != 0)
		f->content = read_le(p + pos, content) + (content == 2 ? 256 : 0);
	if (single)
		f->window = f->content;
	return 0;
}

/* Length of the skippable frame at p, or -EINVAL. */
static long
skippable_length(const u8 *p, size_t n)
{
	if (n < SKIPPABLE_HEADER || get_le32(p + 4) > n - SKIPPABLE_HEADER)
		return -EINVAL;
	return SKIPPABLE_HEADER + (long)get_le32(p + 4);
}

int
unzstd_window(const void *in, size_t n, u64 *window)
{
	const u8 *p = in;
	struct frame f;
	int err;

	*window = 0;
	while (is_skippable(p, n)) {
		long length = skippable_length(p, n);

		if (length < 0)
			return (int)length;
		p += length;
		n -= (size_t)length;
	}
	if (n == 0)
		return 0;
	err = read_frame_header(&f, p, n);
	if (err == 0)
		*window = max(min(f.window, f.content), (u64)1);
	return err;
}

void
unzstd_init(struct unzstd *st, void *window, size_t window_size)
{
	st->window = window;
	st->window_size = window_size;
}

/* Gives the sink what it has not seen. */
static int
flush(struct unzstd *st)
{
	const u8 *p = st->window + st->emitted;
	size_t n = st->pos - st->emitted;

	st->emitted = st->pos;
	if (st->pos == st->window_size)
		st->pos = st->emitted = 0;
	if (n == 0)
		return 0;
	if (st->checksum)
		xxh64_update(&st->hash, p, n);
	return st->out->emit(st->out->ctx, p, n);
}

int
unzstd_put(struct unzstd *st, const u8 *p, size_t n)
{
	st->total += n;
	while (n > 0) {
		size_t part = min(n, st->window_size - st->pos);

		memcpy(st->window + st->pos, p, part);
		st->pos += part;
		p += part;
		n -= part;
		if (st->pos == st->window_size) {
			int err = flush(st);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

/* Copies within the ring, without wrapping on either side; the source may overlap. */
static void
repeat_run(u8 *dst, const u8 *src, size_t n, size_t offset)
{
	if (offset >= n) {
		memmove(dst, src, n);
		return;
	}
	if (offset == 1) {
		memset(dst, *src, n);
		return;
	}
	/* Words may not overlap what they were made from. */
	for (; offset >= 8 && n >= 8; n -= 8, dst += 8, src += 8)
		put_le64(dst, get_le64(src));
	while (n-- > 0)
		*dst++ = *src++;
}

int
unzstd_repeat(struct unzstd *st, size_t offset, size_t n)
{
	if (offset == 0 || offset > st->total || offset > st->frame_window ||
	    offset > st->window_size)
		return -EINVAL;
	st->total += n;
	while (n > 0) {
		size_t from =
			st->pos >= offset ? st->pos - offset : st->pos + st->window_size - offset;
		size_t part = min(n, st->window_size - max(from, st->pos));

		repeat_run(st->window + st->pos, st->window + from, part, offset);
		st->pos += part;
		n -= part;
		if (st->pos == st->window_size) {
			int err = flush(st);

			if (err != 0)
				return err;
		}
	}
	return 0;
}

static int
rle_block(struct unzstd *st, u8 byte, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	err = unzstd_put(st, &byte, 1);
	return err != 0 ? err : unzstd_repeat(st, 1, n - 1);
}

/* One block of n bytes at p; size is the number in its header. */
static int
run_block(struct unzstd *st, enum block_type type, const u8 *p, u32 size)
{
	int err;

	switch (type) {
	case BLOCK_RAW:
		err = unzstd_put(st, p, size);
		break;
	case BLOCK_RLE:
		err = rle_block(st, *p, size);
		break;
	default:
		err = unzstd_block(st, p, size);
		break;
	}
	return err != 0 ? err : flush(st);
}

/*
 * The blocks at p. Each has a header of 24 bits: last, type (2 bits), size.
 * Returns their length, or an error.
 */
static long
run_blocks(struct unzstd *st, const u8 *p, size_t n, u64 content)
{
	const u8 *start = p;
	u32 header;

	do {
		u32 size, stored;
		enum block_type type;
		int err;

		if (n < BLOCK_HEADER)
			return -EINVAL;
		header = get_le24(p);
		type = header >> 1 & 3;
		size = header >> 3;
		p += BLOCK_HEADER;
		n -= BLOCK_HEADER;
		stored = type == BLOCK_RLE ? 1 : size;
		if (type > BLOCK_COMPRESSED || stored > n)
			return -EINVAL;
		/* Compressed blocks may exceed a small window; what they yield may not. */
		if (size > (type == BLOCK_COMPRESSED ? UNZSTD_BLOCK_MAX : st->block_max))
			return -EINVAL;
		err = run_block(st, type, p, size);
		if (err != 0)
			return err;
		if (st->total > content)
			return -EINVAL;
		p += stored;
		n -= stored;
	} while ((header & 1) == 0);
	return p - start;
}

static void
start_frame(struct unzstd *st, const struct frame *f)
{
	st->pos = 0;
	st->emitted = 0;
	st->total = 0;
	st->frame_window = f->window;
	st->block_max = (u32)min(f->window, (u64)UNZSTD_BLOCK_MAX);
	st->repeat[0] = 1;
	st->repeat[1] = 4;
	st->repeat[2] = 8;
	st->ll.valid = false;
	st->of.valid = false;
	st->ml.valid = false;
	st->huf_valid = false;
	st->checksum = f->checksum;
	xxh64_init(&st->hash, 0);
}

/* The frame at p; returns its length, or an error. */
static long
run_frame(struct unzstd *st, const u8 *p, size_t n)
{
	struct frame f;
	size_t pos;
	long used;
	int err;

	if (is_skippable(p, n))
		return skippable_length(p, n);
	err = read_frame_header(&f, p, n);
	if (err != 0)
		return err;
	if (min(f.window, f.content) > st->window_size)
		return -E2BIG;
	start_frame(st, &f);
	used = run_blocks(st, p + f.header, n - f.header, f.content);
	if (used < 0)
		return used;
	if (f.content != SIZE_UNKNOWN && st->total != f.content)
		return -EINVAL;
	pos = f.header + (size_t)used;
	if (f.checksum) {
		if (n - pos < CHECKSUM_SIZE || get_le32(p + pos) != (u32)xxh64_digest(&st->hash))
			return -EINVAL;
		pos += CHECKSUM_SIZE;
	}
	return (long)pos;
}

int
unzstd(struct unzstd *st, const void *in, size_t n, const struct sink *out, size_t *used)
{
	const u8 *p = in;

	st->out = out;
	*used = 0;
	do {
		long length = run_frame(st, p + *used, n - *used);

		if (length < 0)
			return (int)length;
		*used += (size_t)length;
	} while (unzstd_is_frame(p + *used, n - *used));
	return 0;
}
