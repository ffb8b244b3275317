/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host only: inflate, unzstd and cpio against what gzip, zstd and cpio really
 * write, over kinds of data, sizes and options; then with the data damaged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cpio.h"
#include "lib/errno.h"
#include "lib/inflate.h"
#include "lib/test.h"
#include "lib/unzstd.h"

#define PLAIN_MAX (3U << 20)
#define PACKED_MAX (PLAIN_MAX + (1U << 16))
#define WINDOW_MAX (16U << 20)
#define COMMAND_MAX 256

enum kind {
	ZEROS,
	NOISE,
	WORDS,
	RECORDS,
	FAR_REPEATS,
	KINDS,
};

static u8 plain[PLAIN_MAX];
static u8 packed[PACKED_MAX];
static u8 damaged[PACKED_MAX];

/* What the sink compares with. */
struct expected {
	const u8 *data;
	size_t n;
	size_t done;
	bool differs;
};

static int
compare(void *ctx, const void *data, size_t n)
{
	struct expected *e = ctx;

	if (n > e->n - e->done) {
		e->differs = true;
		return -ENOSPC;
	}
	if (memcmp(e->data + e->done, data, n) != 0)
		e->differs = true;
	e->done += n;
	return 0;
}

static void
make_words(size_t n, u64 *seed)
{
	static const char *const words[] = {"kernel ", "tessera ", "page ",  "cpu ", "the ",
					    "of ",     "lock\n",   "queue ", "a ",   "ring, "};
	size_t i = 0;

	while (i < n) {
		const char *w = words[test_rand(seed) % ARRAY_SIZE(words)];

		while (i < n && *w != '\0')
			plain[i++] = (u8)*w++;
	}
}

/* Fills plain with n bytes. */
static void
make_plain(enum kind kind, size_t n, u64 *seed)
{
	switch (kind) {
	case ZEROS:
		memset(plain, 0, n);
		break;
	case NOISE:
		for (size_t i = 0; i < n; i++)
			plain[i] = (u8)test_rand(seed);
		break;
	case WORDS:
		make_words(n, seed);
		break;
	case RECORDS:
		for (size_t i = 0; i < n; i++)
			plain[i] = (u8)(i % 24 < 8    ? i / 24 >> i % 24
					: i % 24 < 16 ? test_rand(seed) % 3
						      : 'x');
		break;
	default:
		/* 32768 and more bytes of noise, again and again. */
		for (size_t i = 0; i < n; i++)
			plain[i] = i < 32768 ? (u8)test_rand(seed) : plain[i - 32768];
		for (size_t i = 0; i < n / 5000; i++)
			plain[test_rand(seed) % n] ^= 1;
		break;
	}
}

static bool
have(const char *tool)
{
	char command[COMMAND_MAX];

	snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1", tool);
	return system(command) == 0;
}

/*
 * Runs plain through a command; returns the length of packed, 0 on failure.
 * %s in the command is the name of the file with the input.
 */
static size_t
pack(const char *format, size_t n)
{
	char file[] = "/tmp/tessera-test-XXXXXX";
	char command[COMMAND_MAX];
	int fd = mkstemp(file);
	size_t got = 0;
	FILE *f;

	if (fd < 0)
		return 0;
	if (write(fd, plain, n) == (ssize_t)n) {
		snprintf(command, sizeof(command), format, file);
		f = popen(command, "r");
		if (f != NULL) {
			got = fread(packed, 1, sizeof(packed), f);
			if (pclose(f) != 0)
				got = 0;
		}
	}
	close(fd);
	unlink(file);
	return got;
}

/* The whole of in must give plain. */
typedef int (*unpack_fn)(const u8 *in, size_t n, const struct sink *out, size_t *used);

static int
unpack_gzip(const u8 *in, size_t n, const struct sink *out, size_t *used)
{
	static struct inflate state;

	return inflate_gzip(&state, in, n, out, used);
}

static int
unpack_zstd(const u8 *in, size_t n, const struct sink *out, size_t *used)
{
	static struct unzstd state;
	static u8 large[WINDOW_MAX];
	u8 *window = large;
	u64 size;
	int err;

	*used = 0;
	err = unzstd_window(in, n, &size);
	if (err != 0)
		return err;
	if (size > WINDOW_MAX)
		return -E2BIG;
	size = size == 0 ? 1 : size;
	/* Of the exact size where that is cheap, for the sanitizer. */
	if (size <= 1U << 20)
		window = malloc(size);
	unzstd_init(&state, window, size);
	err = unzstd(&state, in, n, out, used);
	if (window != large)
		free(window);
	return err;
}

/* Damaged input gives an error, or with a checksum in it the same output. */
static void
check_damage(unpack_fn unpack, size_t n, size_t nplain, u64 *seed)
{
	for (int i = 0; i < 12; i++) {
		struct expected e = {.data = plain, .n = nplain};
		struct sink sink = {.emit = compare, .ctx = &e};
		size_t cut = n, used = 0;
		int err;

		memcpy(damaged, packed, n);
		if (i % 3 == 0)
			cut = test_rand(seed) % n;
		else
			damaged[test_rand(seed) % n] ^= (u8)(1 << test_rand(seed) % 8);
		err = unpack(damaged, cut, &sink, &used);
		EXPECT_LE(used, cut);
		if (err == 0 && cut == n)
			EXPECT(!e.differs && e.done == nplain);
		else
			EXPECT(err == -EINVAL || err == -E2BIG || err == -ENOSPC);
	}
}

static void
check_one(const char *command, unpack_fn unpack, size_t nplain, u64 *seed)
{
	struct expected e = {.data = plain, .n = nplain};
	struct sink sink = {.emit = compare, .ctx = &e};
	size_t used = 0;
	size_t n = pack(command, nplain);
	int err;

	ASSERT_GT(n, 0);
	err = unpack(packed, n, &sink, &used);
	if (err != 0 || e.differs || e.done != nplain || used != n)
		test_printf("# %s: %zu bytes\n", command, nplain);
	EXPECT_EQ(err, 0);
	EXPECT(!e.differs);
	EXPECT_EQ(e.done, nplain);
	EXPECT_EQ(used, n);
	check_damage(unpack, n, nplain, seed);
}

static void
check_all(const char *const *commands, size_t ncommands, unpack_fn unpack)
{
	static const size_t sizes[] = {0, 1, 5, 300, 32768, 70001, 140000, 900000};
	u64 seed = 1;

	for (enum kind kind = 0; kind < KINDS; kind++) {
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			make_plain(kind, sizes[s], &seed);
			for (size_t c = 0; c < ncommands; c++)
				check_one(commands[c], unpack, sizes[s], &seed);
		}
	}
}

TEST(host_gzip)
{
	static const char *const commands[] = {
		"gzip -1 -c %s",
		"gzip -6 -n -c %s",
		"gzip -9 -c <%s",
	};

	if (!have("gzip"))
		TEST_SKIP("no gzip");
	check_all(commands, ARRAY_SIZE(commands), unpack_gzip);
}

TEST(host_zstd)
{
	static const char *const commands[] = {
		"zstd -q --fast=5 --check -c %s",
		"zstd -q -1 --check -c <%s",
		"zstd -q -3 --check -c %s",
		"zstd -q -9 --check --zstd=wlog=10,hlog=12,clog=12 -c <%s",
		"zstd -q -19 --check -c %s",
		"zstd -q -18 --check --zstd=wlog=18,hlog=16,clog=16 -c <%s",
	};

	if (!have("zstd"))
		TEST_SKIP("no zstd");
	check_all(commands, ARRAY_SIZE(commands), unpack_zstd);
}

TEST(host_zstd_large)
{
	u64 seed = 2;

	if (!have("zstd"))
		TEST_SKIP("no zstd");
	for (enum kind kind = 0; kind < KINDS; kind++) {
		make_plain(kind, PLAIN_MAX, &seed);
		check_one("zstd -q -12 --long=24 --check -c <%s", unpack_zstd, PLAIN_MAX, &seed);
		check_one("zstd -q -5 --check --zstd=wlog=11,strat=9 -c <%s", unpack_zstd,
			  PLAIN_MAX, &seed);
	}
}

/* Skippable and several frames after one another. */
TEST(host_zstd_several_frames)
{
	u64 seed = 3;

	if (!have("zstd"))
		TEST_SKIP("no zstd");
	make_plain(WORDS, 200000, &seed);
	check_one("split -b 30000 --filter='zstd -q --check -c; "
		  "printf \"\\120\\052\\115\\030\\003\\000\\000\\000abc\"' %s",
		  unpack_zstd, 200000, &seed);
}

/* Lines "name mode nlink size", in the order of the archive. */
static char listing[1024];

static int
list_begin(void *ctx, const struct cpio_entry *e)
{
	size_t n = strlen(listing);

	snprintf(listing + n, sizeof(listing) - n, "%s %o %u %u\n", e->name, e->mode, e->nlink,
		 e->filesize);
	return 0;
}

static int
list_data(void *ctx, const void *data, size_t n)
{
	return 0;
}

static int
list_end(void *ctx)
{
	return 0;
}

TEST(host_cpio)
{
	static const struct cpio_ops ops = {list_begin, list_data, list_end, NULL};
	static const char command[] =
		": %s; d=$(mktemp -d) && cd $d && umask 022 && mkdir b && printf hello >b/x && "
		"ln b/x b/y && ln -s ../z b/l && mkfifo p && "
		"printf 'b\\nb/l\\nb/x\\nb/y\\np\\n' | cpio -o -H newc --quiet; "
		"cd / && rm -r $d";
	static struct cpio parser;
	size_t n;

	if (!have("cpio"))
		TEST_SKIP("no cpio");
	n = pack(command, 0);
	ASSERT_GT(n, 0);
	listing[0] = '\0';
	cpio_init(&parser, &ops, NULL);
	EXPECT_EQ(cpio_feed(&parser, packed, n), n);
	EXPECT_EQ(cpio_finish(&parser), 0);
	/* GNU cpio puts the data of hard links behind the last. */
	EXPECT_STR(listing, "b 40755 2 0\nb/l 120777 1 4\nb/x 100644 2 0\nb/y 100644 2 5\n"
			    "p 10644 1 0\n");
}
