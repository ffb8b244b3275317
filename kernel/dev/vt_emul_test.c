/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's control sequences on a screen without a device. */
#include "kernel/dev/vt_impl.h"

#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

#define COLS 20u
#define ROWS 6u

struct bench {
	struct screen screen;
	struct emul emul;
	cell_t cells[COLS * ROWS];
	char line[COLS + 1];
};

static struct bench *
bench_new(void)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	b->screen.cols = COLS;
	b->screen.rows = ROWS;
	b->screen.cells = b->cells;
	emul_init(&b->emul, &b->screen);
	return b;
}

static void
out(struct bench *b, const char *s)
{
	while (*s)
		emul_byte(&b->emul, (u8)*s++);
}

/* Line y without blanks at its end. */
static const char *
line(struct bench *b, u32 y)
{
	u32 x, n = 0;

	for (x = 0; x < COLS; x++) {
		b->line[x] = (char)screen_row(&b->screen, y)[x];
		if (b->line[x] != ' ')
			n = x + 1;
	}
	b->line[n] = '\0';
	return b->line;
}

static u8
attr_at(struct bench *b, u32 x, u32 y)
{
	return (u8)(screen_row(&b->screen, y)[x] >> 8);
}

#define EXPECT_AT(b, cx, cy)                                                                       \
	do {                                                                                       \
		EXPECT_EQ((b)->emul.pen.x, (u32)(cx));                                             \
		EXPECT_EQ((b)->emul.pen.y, (u32)(cy));                                             \
	} while (0)

TEST(text_and_wrap)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "abc\r\ndef\bX");
	EXPECT_STR(line(b, 0), "abc");
	EXPECT_STR(line(b, 1), "deX");
	out(b, "\033[3;1H01234567890123456789");
	/* The last column is filled and the cursor waits in it. */
	EXPECT_AT(b, 19, 2);
	out(b, "\r\nx");
	EXPECT_STR(line(b, 3), "x");
	out(b, "\033[3;20Hyz");
	EXPECT_STR(line(b, 3), "z");
	out(b, "\033[?7l\033[4;20HAB");
	EXPECT_STR(line(b, 3), "z                  B");
	EXPECT_AT(b, 19, 3);
	kfree(b);
}

TEST(scrolling)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7");
	EXPECT_STR(line(b, 0), "2");
	EXPECT_STR(line(b, 5), "7");
	out(b, "\033[2;4r\033[4;1H\nx");
	EXPECT_STR(line(b, 0), "2");
	EXPECT_STR(line(b, 1), "4");
	EXPECT_STR(line(b, 2), "5");
	EXPECT_STR(line(b, 3), "x");
	EXPECT_STR(line(b, 4), "6");
	out(b, "\033[2;1H\033M");
	EXPECT_STR(line(b, 1), "");
	EXPECT_STR(line(b, 2), "4");
	EXPECT_STR(line(b, 4), "6");
	out(b, "\033[r\033[1;1H\033[2L");
	EXPECT_STR(line(b, 2), "2");
	out(b, "\033[2M");
	EXPECT_STR(line(b, 0), "2");
	kfree(b);
}

TEST(cursor)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "\033[3;5H");
	EXPECT_AT(b, 4, 2);
	out(b, "\033[A\033[2C");
	EXPECT_AT(b, 6, 1);
	out(b, "\033[99B\033[99D");
	EXPECT_AT(b, 0, 5);
	out(b, "\033[99;99H");
	EXPECT_AT(b, 19, 5);
	out(b, "\033[2d\033[3G");
	EXPECT_AT(b, 2, 1);
	out(b, "\0337\033[H\0338");
	EXPECT_AT(b, 2, 1);
	out(b, "\033[s\033[H\033[u");
	EXPECT_AT(b, 2, 1);
	out(b, "\r\tx");
	EXPECT_AT(b, 9, 1);
	out(b, "\033[2;4r\033[?6h\033[1;1H");
	EXPECT_AT(b, 0, 1);
	out(b, "\033[9;1H");
	EXPECT_AT(b, 0, 3);
	kfree(b);
}

TEST(erasing)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "abcdef\033[4D\033[K");
	EXPECT_STR(line(b, 0), "ab");
	out(b, "\rabcdef\033[3D\033[1K");
	EXPECT_STR(line(b, 0), "    ef");
	out(b, "\rabcdef\r\033[2P\033[@X");
	EXPECT_STR(line(b, 0), "Xcdef");
	out(b, "\r\033[3X");
	EXPECT_STR(line(b, 0), "   ef");
	out(b, "\033[2;1Hline\033[1;1H\033[J");
	EXPECT_STR(line(b, 0), "");
	EXPECT_STR(line(b, 1), "");
	out(b, "\033[4hab\rX\033[4l");
	EXPECT_STR(line(b, 0), "Xab");
	kfree(b);
}

TEST(colours)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "a\033[31mb\033[1;44mc\033[7md\033[0me\033[38;5;9mf\033[38;2;0;255;0mg\033[92;39mh");
	EXPECT_EQ(attr_at(b, 0, 0), 0x07);
	EXPECT_EQ(attr_at(b, 1, 0), 0x04);
	EXPECT_EQ(attr_at(b, 2, 0), 0x1c);
	EXPECT_EQ(attr_at(b, 3, 0), 0x49);
	EXPECT_EQ(attr_at(b, 4, 0), 0x07);
	EXPECT_EQ(attr_at(b, 5, 0), 0x0c);
	EXPECT_EQ(attr_at(b, 6, 0), 0x0a);
	EXPECT_EQ(attr_at(b, 7, 0), 0x07);
	kfree(b);
}

TEST(characters)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "\xc3\xa9|\xe2\x94\x80|\xe2\x82\xac|\xf0\x9f\x98\x80|\xff|\xc3|\xc0\x80|");
	EXPECT_STR(line(b, 0), "?|\xc4|?|?|?|?|??|");
	out(b, "\r\n\033(0lqk\033(Blqk\016lq\017");
	EXPECT_STR(line(b, 1), "\xda\xc4\xbflqklq");
	out(b, "\r\n\033)0\016x\017x");
	EXPECT_STR(line(b, 2), "\xb3x");
	kfree(b);
}

TEST(reports_and_strings)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	out(b, "\033[2;3H\033[6n");
	EXPECT_EQ(b->emul.reply_len, 6u);
	EXPECT_EQ(memcmp(b->emul.reply, "\033[2;3R", 6), 0);
	b->emul.reply_len = 0;
	out(b, "\033[c");
	EXPECT_EQ(memcmp(b->emul.reply, "\033[?6c", 5), 0);
	b->emul.reply_len = 0;
	/* Titles and palettes leave nothing on the screen. */
	out(b, "\033[H\033]0;title\007a\033]2;t\033\\b\033]P1ff00ffc"
	       "\033]Rd\033Pq#0\033\\e\033[>4;2mf");
	EXPECT_STR(line(b, 0), "abcdef");
	/* A program that asks for ever fills the buffer and no more. */
	for (int i = 0; i < 100; i++)
		out(b, "\033[6n");
	EXPECT_LE(b->emul.reply_len, (u32)sizeof(b->emul.reply));
	kfree(b);
}

TEST(any_output)
{
	struct bench *b = bench_new();
	u64 seed = 7;
	u32 i;

	ASSERT_TRUE(b != NULL);
	for (i = 0; i < 200000; i++) {
		static const char often[] = "\033[[;;0123456789?HJKLMPXr@dGm\n\r\b";
		u64 r = test_rand(&seed);

		emul_byte(&b->emul,
			  r & 1 ? (u8)often[(r >> 8) % (sizeof(often) - 1)] : (u8)(r >> 8));
		if (b->emul.pen.x >= COLS || b->emul.pen.y >= ROWS ||
		    b->emul.top >= b->emul.bottom || b->emul.bottom > ROWS) {
			EXPECT(!"inside the screen");
			break;
		}
	}
	kfree(b);
}
