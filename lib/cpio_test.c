/* SPDX-License-Identifier: BSD-2-Clause */
/* cpio: archives built here, cut into pieces, cut short, and damaged field by field. */
#include "lib/cpio.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"

#define ARCHIVE_MAX 8192
#define LOG_MAX 2048

#define REGULAR 0100644
#define DIRECTORY 0040755
#define SYMLINK 0120777
#define CHARACTER 0020600

/* An entry to build; the numbers not here are derived from ino. */
struct source {
	const char *name;
	const char *data;
	u32 mode;
	u32 ino;
	u32 nlink;
};

static u8 archive[ARCHIVE_MAX];
static size_t archive_len;
static char log[LOG_MAX];
static size_t refuse_at;
static struct cpio parser;

static void
put_bytes(const void *p, size_t n)
{
	memcpy(archive + archive_len, p, n);
	archive_len += n;
}

static void
put_field(u32 v)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (int shift = 28; shift >= 0; shift -= 4) {
		u32 digit = v >> shift & 15;

		/* Both cases of letters are valid. */
		archive[archive_len++] =
			(u8)digits[digit >= 10 && shift % 8 == 0 ? digit + 6 : digit];
	}
}

static void
put_padding(void)
{
	while (archive_len % 4 != 0)
		archive[archive_len++] = 0;
}

static void
put_entry(const struct source *s, bool checked)
{
	const char *data = s->data == NULL ? "" : s->data;
	size_t n = strlen(data);
	u32 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (u8)data[i];
	put_bytes(checked ? "070702" : "070701", 6);
	put_field(s->ino);
	put_field(s->mode);
	put_field(s->ino + 1);
	put_field(s->ino + 2);
	put_field(s->nlink);
	put_field(0x5f000000 + s->ino);
	put_field((u32)n);
	put_field(8);
	put_field(1);
	put_field(s->ino + 3);
	put_field(s->ino + 4);
	put_field((u32)strlen(s->name) + 1);
	put_field(checked ? sum : 0);
	put_bytes(s->name, strlen(s->name) + 1);
	put_padding();
	put_bytes(data, n);
	put_padding();
}

static void
put_trailer(void)
{
	put_entry(&(struct source){.name = "TRAILER!!!", .nlink = 1}, false);
}

static const struct source sources[] = {
	{"dir", NULL, DIRECTORY, 10, 2}, {"dir/file", "hello, world", REGULAR, 11, 1},
	{"empty", NULL, REGULAR, 12, 1}, {"link", "dir/file", SYMLINK, 13, 1},
	{"dev", NULL, CHARACTER, 14, 1}, {"a", "x", REGULAR, 15, 2},
	{"ab", "xy", REGULAR, 15, 2},	 {"abc", "xyz", REGULAR, 0xffffff00, 1},
};

static const char sources_log[] = "<dir><dir/file:hello, world><empty><link:dir/file><dev>"
				  "<a:x><ab:xy><abc:xyz>.";

static void
build_sources(bool checked)
{
	archive_len = 0;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		put_entry(&sources[i], checked);
	put_trailer();
}

/* The receiver writes "<name:data>" for each entry and "." for a trailer. */
static int
refuse(void)
{
	return refuse_at != 0 && --refuse_at == 0 ? -ENOMEM : 0;
}

static int
on_begin(void *ctx, const struct cpio_entry *e)
{
	*(u32 *)ctx = e->filesize;
	strlcat(log, "<", sizeof(log));
	strlcat(log, e->name, sizeof(log));
	if (e->filesize != 0)
		strlcat(log, ":", sizeof(log));
	return refuse();
}

static int
on_data(void *ctx, const void *data, size_t n)
{
	size_t len = strlen(log);

	EXPECT_LE(n, *(u32 *)ctx);
	*(u32 *)ctx -= (u32)n;
	if (len + n < sizeof(log)) {
		memcpy(log + len, data, n);
		log[len + n] = '\0';
	}
	return refuse();
}

static int
on_end(void *ctx)
{
	EXPECT_EQ(*(u32 *)ctx, 0);
	strlcat(log, ">", sizeof(log));
	return refuse();
}

static int
on_trailer(void *ctx)
{
	strlcat(log, ".", sizeof(log));
	return refuse();
}

static const struct cpio_ops ops = {
	.begin = on_begin,
	.data = on_data,
	.end = on_end,
	.trailer = on_trailer,
};

/* Feeds n bytes of the archive in pieces; returns bytes taken or an error. */
static long
feed(size_t n, size_t piece)
{
	static u32 left;
	size_t done = 0;

	log[0] = '\0';
	cpio_init(&parser, &ops, &left);
	while (done < n) {
		size_t part = min(piece, n - done);
		long took = cpio_feed(&parser, archive + done, part);

		if (took < 0)
			return took;
		done += (size_t)took;
		if ((size_t)took < part)
			break;
	}
	return (long)done;
}

TEST(cpio_pieces_of_any_size)
{
	for (int checked = 0; checked < 2; checked++) {
		build_sources(checked);
		for (size_t piece = 1; piece <= archive_len; piece += 1 + piece / 16) {
			EXPECT_EQ(feed(archive_len, piece), archive_len);
			EXPECT_EQ(cpio_finish(&parser), 0);
			EXPECT_STR(log, sources_log);
		}
	}
}

static struct cpio_entry seen;
static char seen_name[32];

static int
remember(void *ctx, const struct cpio_entry *e)
{
	seen = *e;
	strscpy(seen_name, e->name, sizeof(seen_name));
	return 0;
}

TEST(cpio_fields)
{
	static const struct cpio_ops fields = {.begin = remember, .data = on_data, .end = on_end};
	u32 left = 3;

	archive_len = 0;
	put_entry(&sources[7], false);
	put_trailer();
	log[0] = '\0';
	cpio_init(&parser, &fields, &left);
	EXPECT_EQ(cpio_feed(&parser, archive, archive_len), archive_len);
	EXPECT_EQ(cpio_finish(&parser), 0);
	EXPECT_STR(seen_name, "abc");
	EXPECT_EQ(seen.ino, 0xffffff00);
	EXPECT_EQ(seen.mode, REGULAR);
	EXPECT_EQ(seen.uid, 0xffffff01);
	EXPECT_EQ(seen.gid, 0xffffff02);
	EXPECT_EQ(seen.nlink, 1);
	EXPECT_EQ(seen.mtime, 0x5effff00);
	EXPECT_EQ(seen.filesize, 3);
	EXPECT_EQ(seen.dev_major, 8);
	EXPECT_EQ(seen.dev_minor, 1);
	EXPECT_EQ(seen.rdev_major, 0xffffff03);
	EXPECT_EQ(seen.rdev_minor, 0xffffff04);
}

TEST(cpio_several_archives)
{
	size_t first;

	archive_len = 0;
	put_bytes("\0\0\0\0\0\0\0\0", 8);
	put_entry(&sources[1], false);
	put_trailer();
	memset(archive + archive_len, 0, 512);
	archive_len += 512;
	put_entry(&sources[5], false);
	put_trailer();
	put_entry(&sources[2], false);
	put_trailer();
	memset(archive + archive_len, 0, 7);
	archive_len += 7;
	first = archive_len;
	for (size_t piece = 1; piece < 700; piece += 13) {
		EXPECT_EQ(feed(archive_len, piece), archive_len);
		EXPECT_STR(log, "<dir/file:hello, world>.<a:x>.<empty>.");
		EXPECT_EQ(cpio_finish(&parser), 0);
	}
	/* What is no archive is left to the caller. */
	put_bytes("\x1f\x8b", 2);
	EXPECT_EQ(feed(archive_len, archive_len), first);
	EXPECT_EQ(cpio_finish(&parser), 0);
	EXPECT_EQ(cpio_feed(&parser, "\x1f", 1), 0);
	cpio_init(&parser, &ops, NULL);
	EXPECT_EQ(cpio_feed(&parser, "\x28\xb5", 2), 0);
	EXPECT_EQ(cpio_feed(&parser, "", 0), 0);
	EXPECT_EQ(cpio_finish(&parser), 0);
	/* An archive at an odd place. */
	archive_len = first;
	put_bytes("070701", 6);
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "archive is not aligned");
}

TEST(cpio_truncations)
{
	build_sources(true);
	for (size_t cut = 1; cut < archive_len; cut++) {
		/* From the trailer's NUL on only padding is missing. */
		bool whole = cut >= archive_len - 3;

		EXPECT_EQ(feed(cut, cut), cut);
		EXPECT_EQ(cpio_finish(&parser), whole ? 0 : -EINVAL);
		if (!whole)
			EXPECT(parser.reason != NULL);
	}
}

/* One entry with one field overwritten must be refused for this reason. */
static void
expect_refused(size_t offset, const char *bytes, const char *reason)
{
	archive_len = 0;
	put_entry(&sources[1], true);
	put_trailer();
	memcpy(archive + offset, bytes, strlen(bytes));
	for (size_t piece = 1; piece < 300; piece += 40) {
		EXPECT_EQ(feed(archive_len, piece), -EINVAL);
		EXPECT_STR(parser.reason, reason);
		EXPECT_EQ(cpio_finish(&parser), -EINVAL);
		EXPECT_EQ(cpio_feed(&parser, archive, archive_len), -EINVAL);
	}
}

TEST(cpio_malformed)
{
	expect_refused(5, "7", "no cpio magic");
	expect_refused(2, "x", "no cpio magic");
	for (size_t offset = 6; offset < CPIO_HEADER_SIZE; offset++)
		expect_refused(offset, "g", "field is not hexadecimal");
	expect_refused(14, "-00081a4", "field is not hexadecimal");
	expect_refused(14, "0x0081a4", "field is not hexadecimal");
	expect_refused(94, "00000000", "empty name");
	expect_refused(94, "00000001", "empty name");
	expect_refused(94, "00001001", "name too long");
	expect_refused(94, "ffffffff", "name too long");
	expect_refused(94, "00000004", "name without end");
	expect_refused(14, "00000000", "unknown file type");
	expect_refused(14, "0000f000", "unknown file type");
	expect_refused(14, "000041ed", "data in a special file");
	expect_refused(14, "00002180", "data in a special file");
	expect_refused(102, "00000000", "wrong checksum");
}

TEST(cpio_malformed_names)
{
	u8 *name = archive + CPIO_HEADER_SIZE;

	archive_len = 0;
	put_entry(&sources[1], false);
	put_trailer();
	name[3] = '\0';
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "NUL in name");
	name[0] = '\0';
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "empty name");
	/* NULs behind the name are padding. */
	memcpy(name, "dir\0\0\0\0\0\0", 9);
	EXPECT_EQ(feed(archive_len, archive_len), archive_len);
	EXPECT_STR(log, "<dir:hello, world>.");
	/* A symbolic link to nowhere, and one that is too long. */
	archive_len = 0;
	put_entry(&(struct source){.name = "l", .mode = SYMLINK}, false);
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "bad length of link target");
	memcpy(archive + 54, "00001000", 8);
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "bad length of link target");
	archive_len = 0;
	put_entry(&(struct source){.name = "TRAILER!!!", .data = "x"}, false);
	EXPECT_EQ(feed(archive_len, archive_len), -EINVAL);
	EXPECT_STR(parser.reason, "trailer with data");
}

TEST(cpio_receiver_stops)
{
	build_sources(false);
	for (size_t at = 1;; at++) {
		long took;

		refuse_at = at;
		took = feed(archive_len, archive_len);
		if (refuse_at != 0)
			break;
		EXPECT_EQ(took, -ENOMEM);
		EXPECT_STR(parser.reason, "stopped by the receiver");
		EXPECT_EQ(cpio_feed(&parser, archive, 1), -EINVAL);
		EXPECT_LT(at, 100);
	}
	refuse_at = 0;
}

TEST(cpio_bit_flips)
{
	build_sources(true);
	for (size_t bit = 0; bit < archive_len * 8; bit++) {
		long took;

		archive[bit / 8] ^= (u8)(1 << (bit % 8));
		took = feed(archive_len, 50);
		EXPECT(took == -EINVAL || (took >= 0 && (size_t)took <= archive_len));
		EXPECT_EQ(took == -EINVAL, parser.state == CPIO_BAD);
		archive[bit / 8] ^= (u8)(1 << (bit % 8));
	}
	EXPECT_EQ(feed(archive_len, 50), archive_len);
}

TEST(cpio_hard_links)
{
	static struct cpio_link nodes[200];
	static struct cpio_links links;
	struct cpio_entry e = {.dev_major = 8, .dev_minor = 1};
	unsigned int n = 0;

	cpio_links_init(&links);
	for (u32 i = 0; i < ARRAY_SIZE(nodes); i++) {
		e.ino = i * 1000;
		EXPECT(cpio_links_find(&links, &e) == NULL);
		cpio_links_add(&links, &nodes[i], &e);
	}
	for (u32 i = 0; i < ARRAY_SIZE(nodes); i++) {
		e.ino = i * 1000;
		EXPECT(cpio_links_find(&links, &e) == &nodes[i]);
	}
	e.dev_minor = 2;
	EXPECT(cpio_links_find(&links, &e) == NULL);
	e.dev_minor = 1;
	e.dev_major = 9;
	EXPECT(cpio_links_find(&links, &e) == NULL);
	while (cpio_links_take(&links) != NULL)
		n++;
	EXPECT_EQ(n, ARRAY_SIZE(nodes));
}
