/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parser for cpio archives in the "newc" format, fed in pieces of any size.
 *
 * An entry is a header of 110 characters, the name with its NUL, zeros up to
 * a multiple of 4, the data, zeros up to a multiple of 4:
 *
 *      OFFSET  SIZE  MEANING (numbers are 8 hexadecimal digits)
 *      0       6     "070701", or "070702" when check is used
 *      6       8     ino
 *      14      8     mode
 *      22      8     uid
 *      30      8     gid
 *      38      8     nlink
 *      46      8     mtime
 *      54      8     filesize
 *      62      8     dev major
 *      70      8     dev minor
 *      78      8     rdev major
 *      86      8     rdev minor
 *      94      8     namesize, with the NUL
 *      102     8     check: sum of the data bytes, modulo 2^32
 *
 * States: BETWEEN (archives; zeros are skipped) -> HEADER -> NAME -> DATA ->
 * HEADER ... -> the entry TRAILER!!! -> BETWEEN; BAD after an error.
 *
 * Hard links are several entries with the same dev and ino and nlink > 1; the
 * data comes with one of them (GNU cpio: the last). struct cpio_links finds
 * the first; the numbers mean nothing across a trailer.
 *
 * See: cpio(5), and Linux's initramfs buffer format.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include "lib/list.h"
#include "lib/types.h"

#define CPIO_HEADER_SIZE 110
#define CPIO_NAME_MAX 4096
#define CPIO_LINK_BUCKETS 64

struct cpio_entry {
	const char *name;
	u32 ino;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 mtime;
	u32 filesize;
	u32 dev_major;
	u32 dev_minor;
	u32 rdev_major;
	u32 rdev_minor;
};

/*
 * What the parser calls; they return 0, or -Exxx which stops it. For each entry
 * begin, then data for its filesize bytes in pieces, then end; trailer once
 * for each archive (may be NULL).
 */
struct cpio_ops {
	int (*begin)(void *ctx, const struct cpio_entry *e);
	int (*data)(void *ctx, const void *data, size_t n);
	int (*end)(void *ctx);
	int (*trailer)(void *ctx);
};

enum cpio_state {
	CPIO_BETWEEN,
	CPIO_HEADER,
	CPIO_NAME,
	CPIO_DATA,
	CPIO_BAD,
};

struct cpio {
	const struct cpio_ops *ops;
	void *ctx;
	const char *reason;
	u64 offset;
	enum cpio_state state;
	u32 have;
	u32 name_size;
	u32 data_left;
	u32 check;
	u32 sum;
	u8 pad;
	bool use_check;
	struct cpio_entry entry;
	char header[CPIO_HEADER_SIZE];
	char name[CPIO_NAME_MAX];
};

void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx);

/*
 * Parses n more bytes. Returns how many it took: all, or fewer when something
 * that is neither zero nor an archive begins there (only at the start and
 * behind a trailer). -EINVAL with c->reason set (a short literal) for a
 * malformed archive; else what a callback returned. After an error only
 * cpio_init() helps.
 */
long __must_check cpio_feed(struct cpio *c, const void *data, size_t n);

/* At the end of the input: 0, or -EINVAL (with c->reason) inside an archive. */
int __must_check cpio_finish(struct cpio *c);

/* The first entry of each file that has several names; the caller owns the nodes. */
struct cpio_link {
	struct hnode node;
	u32 ino;
	u32 dev_major;
	u32 dev_minor;
};

struct cpio_links {
	struct hlist bucket[CPIO_LINK_BUCKETS];
};

void cpio_links_init(struct cpio_links *links);
void cpio_links_add(struct cpio_links *links, struct cpio_link *link, const struct cpio_entry *e);
/* The link with e's dev and ino, or NULL. */
struct cpio_link *cpio_links_find(struct cpio_links *links, const struct cpio_entry *e);
/* Takes any link out, for the caller to free; NULL when there is none. */
struct cpio_link *cpio_links_take(struct cpio_links *links);

#endif
