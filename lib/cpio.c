/* SPDX-License-Identifier: BSD-2-Clause */
/* cpio parser, format newc. */
#include "lib/cpio.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"

#define TRAILER "TRAILER!!!"
#define LINK_TARGET_MAX 4095

/* File types, as in the mode of inodes. */
#define CPIO_TYPE_MASK 0170000U
#define CPIO_SOCKET 0140000U
#define CPIO_LINK 0120000U
#define CPIO_REGULAR 0100000U
#define CPIO_BLOCK 0060000U
#define CPIO_DIRECTORY 0040000U
#define CPIO_CHARACTER 0020000U
#define CPIO_FIFO 0010000U

/* Number of the header's field, in its order behind the magic. */
enum cpio_field {
	FIELD_INO,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_NLINK,
	FIELD_MTIME,
	FIELD_FILESIZE,
	FIELD_DEV_MAJOR,
	FIELD_DEV_MINOR,
	FIELD_RDEV_MAJOR,
	FIELD_RDEV_MINOR,
	FIELD_NAMESIZE,
	FIELD_CHECK,
	FIELDS,
};

static long
bad(struct cpio *c, const char *reason)
{
	c->state = CPIO_BAD;
	c->reason = reason;
	c->pad = 0;
	return -EINVAL;
}

void
cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx)
{
	c->ops = ops;
	c->ctx = ctx;
	c->reason = NULL;
	c->offset = 0;
	c->state = CPIO_BETWEEN;
	c->have = 0;
	c->pad = 0;
}

/* Eight hexadecimal digits. */
static bool
parse_field(const char *p, u32 *out)
{
	u32 v = 0;

	for (int i = 0; i < 8; i++) {
		char c = p[i];
		char l = c | 32;

		if (c >= '0' && c <= '9')
			v = v << 4 | (u32)(c - '0');
		else if (l >= 'a' && l <= 'f')
			v = v << 4 | (u32)(l - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

static long
header_done(struct cpio *c)
{
	struct cpio_entry *e = &c->entry;
	u32 f[FIELDS];

	if (memcmp(c->header, "07070", 5) != 0 || (c->header[5] != '1' && c->header[5] != '2'))
		return bad(c, "no cpio magic");
	for (int i = 0; i < FIELDS; i++) {
		if (!parse_field(c->header + 6 + 8 * i, &f[i]))
			return bad(c, "field is not hexadecimal");
	}
	if (f[FIELD_NAMESIZE] < 2)
		return bad(c, "empty name");
	if (f[FIELD_NAMESIZE] > CPIO_NAME_MAX)
		return bad(c, "name too long");
	*e = (struct cpio_entry){
		.name = c->name,
		.ino = f[FIELD_INO],
		.mode = f[FIELD_MODE],
		.uid = f[FIELD_UID],
		.gid = f[FIELD_GID],
		.nlink = f[FIELD_NLINK],
		.mtime = f[FIELD_MTIME],
		.filesize = f[FIELD_FILESIZE],
		.dev_major = f[FIELD_DEV_MAJOR],
		.dev_minor = f[FIELD_DEV_MINOR],
		.rdev_major = f[FIELD_RDEV_MAJOR],
		.rdev_minor = f[FIELD_RDEV_MINOR],
	};
	c->use_check = c->header[5] == '2';
	c->check = f[FIELD_CHECK];
	c->sum = 0;
	c->name_size = f[FIELD_NAMESIZE];
	c->state = CPIO_NAME;
	c->have = 0;
	return 0;
}

/* Bytes from offset n up to the next multiple of 4. */
static u8
padding(u64 n)
{
	return (u8)(-n & 3);
}

static bool
type_is_known(u32 mode)
{
	switch (mode & CPIO_TYPE_MASK) {
	case CPIO_SOCKET:
	case CPIO_LINK:
	case CPIO_REGULAR:
	case CPIO_BLOCK:
	case CPIO_DIRECTORY:
	case CPIO_CHARACTER:
	case CPIO_FIFO:
		return true;
	default:
		return false;
	}
}

static long
data_done(struct cpio *c)
{
	if (c->use_check && c->check != c->sum)
		return bad(c, "wrong checksum");
	c->state = CPIO_HEADER;
	c->have = 0;
	c->pad += padding(c->entry.filesize);
	return c->ops->end(c->ctx);
}

static long
trailer_done(struct cpio *c)
{
	if (c->entry.filesize != 0)
		return bad(c, "trailer with data");
	c->state = CPIO_BETWEEN;
	c->have = 0;
	return c->ops->trailer != NULL ? c->ops->trailer(c->ctx) : 0;
}

/* The name may be followed by more NULs, which some writers use to align the data. */
static long
name_done(struct cpio *c)
{
	const struct cpio_entry *e = &c->entry;
	u32 type = e->mode & CPIO_TYPE_MASK;
	long err;

	if (c->name[c->name_size - 1] != '\0')
		return bad(c, "name without end");
	c->pad = padding(CPIO_HEADER_SIZE + (u64)c->name_size);
	if (str_equal(c->name, TRAILER))
		return trailer_done(c);
	if (c->name[0] == '\0')
		return bad(c, "empty name");
	if (memchr_inv(c->name + strlen(c->name), 0, c->name_size - strlen(c->name)) != NULL)
		return bad(c, "NUL in name");
	if (!type_is_known(e->mode))
		return bad(c, "unknown file type");
	if (type == CPIO_LINK && (e->filesize == 0 || e->filesize > LINK_TARGET_MAX))
		return bad(c, "bad length of link target");
	if (type != CPIO_LINK && type != CPIO_REGULAR && e->filesize != 0)
		return bad(c, "data in a special file");
	c->data_left = e->filesize;
	c->state = CPIO_DATA;
	err = c->ops->begin(c->ctx, e);
	return err == 0 && c->data_left == 0 ? data_done(c) : err;
}

/* Copies towards size bytes in buf; returns how many of the n it took. */
static long
collect(struct cpio *c, const u8 *p, size_t n, char *buf, u32 size)
{
	u32 part = (u32)min(n, (size_t)(size - c->have));

	memcpy(buf + c->have, p, part);
	c->have += part;
	return part;
}

static long
feed_data(struct cpio *c, const u8 *p, size_t n)
{
	u32 part = (u32)min(n, (size_t)c->data_left);
	long err;

	if (c->use_check) {
		for (u32 i = 0; i < part; i++)
			c->sum += p[i];
	}
	err = c->ops->data(c->ctx, p, part);
	if (err != 0)
		return err;
	c->data_left -= part;
	if (c->data_left == 0)
		err = data_done(c);
	return err != 0 ? err : (long)part;
}

/* Skips zeros. Returns 0 at something that is no archive. */
static long
feed_between(struct cpio *c, const u8 *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] == 0)
		i++;
	if (i > 0 || n == 0)
		return (long)i;
	if (*p != '0')
		return 0;
	if (!is_aligned(c->offset, 4))
		return bad(c, "archive is not aligned");
	c->state = CPIO_HEADER;
	return 0;
}

/* One step in the current state: bytes taken, or an error. */
static long
feed_step(struct cpio *c, const u8 *p, size_t n)
{
	long took;
	long err = 0;

	switch (c->state) {
	case CPIO_BETWEEN:
		return feed_between(c, p, n);
	case CPIO_HEADER:
		took = collect(c, p, n, c->header, CPIO_HEADER_SIZE);
		if (c->have == CPIO_HEADER_SIZE)
			err = header_done(c);
		return err != 0 ? err : took;
	case CPIO_NAME:
		took = collect(c, p, n, c->name, c->name_size);
		if (c->have == c->name_size)
			err = name_done(c);
		return err != 0 ? err : took;
	case CPIO_DATA:
		return feed_data(c, p, n);
	default:
		return -EINVAL;
	}
}

long
cpio_feed(struct cpio *c, const void *data, size_t n)
{
	const u8 *p = data;
	size_t done = 0;

	while (done < n) {
		size_t skip = min(n - done, (size_t)c->pad);
		long took;

		c->pad -= (u8)skip;
		c->offset += skip;
		done += skip;
		if (done == n)
			break;
		took = feed_step(c, p + done, n - done);
		if (took < 0) {
			if (c->state != CPIO_BAD)
				bad(c, "stopped by the receiver");
			return took;
		}
		if (took == 0 && c->state == CPIO_BETWEEN)
			break;
		c->offset += (size_t)took;
		done += (size_t)took;
	}
	return (long)done;
}

int
cpio_finish(struct cpio *c)
{
	switch (c->state) {
	case CPIO_BETWEEN:
		return 0;
	case CPIO_BAD:
		return -EINVAL;
	default:
		return (int)bad(c, c->state == CPIO_HEADER && c->have == 0 ? "no trailer"
									   : "cut short");
	}
}

static struct hlist *
link_bucket(struct cpio_links *links, const struct cpio_entry *e)
{
	u64 h = hash_2u64((u64)e->dev_major << 32 | e->dev_minor, e->ino);

	return &links->bucket[h % CPIO_LINK_BUCKETS];
}

void
cpio_links_init(struct cpio_links *links)
{
	for (size_t i = 0; i < CPIO_LINK_BUCKETS; i++)
		hlist_init(&links->bucket[i]);
}

void
cpio_links_add(struct cpio_links *links, struct cpio_link *link, const struct cpio_entry *e)
{
	link->ino = e->ino;
	link->dev_major = e->dev_major;
	link->dev_minor = e->dev_minor;
	hlist_add(&link->node, link_bucket(links, e));
}

struct cpio_link *
cpio_links_find(struct cpio_links *links, const struct cpio_entry *e)
{
	struct cpio_link *link;

	hlist_for_each_entry(link, link_bucket(links, e), node) {
		if (link->ino == e->ino && link->dev_major == e->dev_major &&
		    link->dev_minor == e->dev_minor)
			return link;
	}
	return NULL;
}

struct cpio_link *
cpio_links_take(struct cpio_links *links)
{
	for (size_t i = 0; i < CPIO_LINK_BUCKETS; i++) {
		struct cpio_link *link =
			hlist_entry_or_null(links->bucket[i].first, struct cpio_link, node);

		if (link != NULL) {
			hlist_del(&link->node);
			return link;
		}
	}
	return NULL;
}
