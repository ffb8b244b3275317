/* SPDX-License-Identifier: BSD-2-Clause */
/* The line discipline on a terminal without hardware: bytes in, echo and reads out. */
#include "kernel/dev/tty_impl.h"

#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

#define OUT_MAX 8192u

/* A terminal whose driver keeps what it gets. */
struct bench {
	struct tty tty;
	/* bytes that the driver takes before it is full */
	size_t limit;
	size_t used;
	u8 out[OUT_MAX];
	u8 in[LDISC_BUF + 1];
	u8 xchar;
	u32 flushes;
};

static struct bench *
bench_of(struct tty *tty)
{
	return tty->driver;
}

static size_t
bench_room(struct tty *tty)
{
	return tty->stopped ? 0 : bench_of(tty)->limit - bench_of(tty)->used;
}

static void
bench_write(struct tty *tty, const u8 *s, size_t n)
{
	struct bench *b = bench_of(tty);

	EXPECT_LE(n, bench_room(tty));
	memcpy(b->out + b->used, s, n);
	b->used += n;
}

static void
bench_xchar(struct tty *tty, u8 c)
{
	bench_of(tty)->xchar = c;
}

static void
bench_flush(struct tty *tty)
{
	bench_of(tty)->flushes++;
}

static const struct tty_ops bench_ops = {
	.room = bench_room,
	.write = bench_write,
	.send_xchar = bench_xchar,
	.flush_output = bench_flush,
};

static struct bench *
bench_new(void)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct termios2 t;

	if (!b)
		return NULL;
	termios_init_std(&t, B38400 | CS8 | CREAD);
	b->tty.driver = b;
	b->limit = OUT_MAX;
	if (tty_init(&b->tty, &bench_ops, TTY_TEST, &t)) {
		kfree(b);
		return NULL;
	}
	return b;
}

static void
bench_free(struct bench *b)
{
	tty_fini(&b->tty);
	kfree(b);
}

static size_t
type_bytes(struct bench *b, const void *s, size_t n)
{
	size_t took = tty_input_add(&b->tty, s, n, INPUT_NORMAL);

	tty_input_push(&b->tty);
	return took;
}

static void
type(struct bench *b, const char *s)
{
	EXPECT_EQ(type_bytes(b, s, strlen(s)), strlen(s));
}

static void
type_error(struct bench *b, u8 c, unsigned int flag)
{
	tty_input_add(&b->tty, &c, 1, flag);
	tty_input_push(&b->tty);
}

/* What one read of up to n bytes gets, as a string; "(none)" if it would wait. */
static const char *
read_n(struct bench *b, size_t n)
{
	bool end;
	size_t got;

	mutex_lock(&b->tty.lock);
	got = ldisc_take(&b->tty, b->in, n, &end);
	mutex_unlock(&b->tty.lock);
	b->in[got] = '\0';
	return got || end ? (const char *)b->in : "(none)";
}

static const char *
read_all(struct bench *b)
{
	return read_n(b, LDISC_BUF);
}

/* What came out since the last time. */
static const char *
output(struct bench *b)
{
	b->out[b->used] = '\0';
	b->used = 0;
	return (const char *)b->out;
}

static size_t
put(struct bench *b, const char *s)
{
	size_t n;

	mutex_lock(&b->tty.lock);
	n = ldisc_write(&b->tty, (const u8 *)s, strlen(s));
	mutex_unlock(&b->tty.lock);
	return n;
}

static void
set_modes(struct bench *b, u32 iflag, u32 oflag, u32 lflag)
{
	struct termios2 old = b->tty.termios;

	mutex_lock(&b->tty.lock);
	b->tty.termios.iflag = iflag;
	b->tty.termios.oflag = oflag;
	b->tty.termios.lflag = lflag;
	ldisc_termios_changed(&b->tty, &old);
	mutex_unlock(&b->tty.lock);
}

#define L_USUAL (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN)

TEST(lines)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "one");
	EXPECT_STR(read_all(b), "(none)");
	type(b, "\rtwo\n");
	EXPECT_EQ(ldisc_count(&b->tty), 8u);
	EXPECT_STR(read_n(b, 2), "on");
	EXPECT_STR(read_all(b), "e\n");
	EXPECT_STR(read_all(b), "two\n");
	EXPECT_STR(read_all(b), "(none)");
	EXPECT_STR(output(b), "one\r\ntwo\r\n");
	bench_free(b);
}

TEST(end_of_file)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "\004ab\004\004");
	EXPECT_EQ(ldisc_count(&b->tty), 2u);
	EXPECT_STR(read_all(b), "");
	/* A read that takes all of the line takes the mark behind it too. */
	EXPECT_STR(read_n(b, 2), "ab");
	EXPECT_STR(read_all(b), "");
	EXPECT_STR(read_all(b), "(none)");
	bench_free(b);
}

TEST(erase_and_echo)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "ab\177c\n");
	EXPECT_STR(read_all(b), "ac\n");
	EXPECT_STR(output(b), "ab\b \bc\r\n");
	type(b, "x\001\177\177\177y\n");
	EXPECT_STR(read_all(b), "y\n");
	EXPECT_STR(output(b), "x^A\b \b\b \b\b \by\r\n");
	type(b, "a\tb\tc\177\177\177\n");
	EXPECT_STR(read_all(b), "a\t\n");
	EXPECT_STR(output(b), "a\tb\tc\b \b\b\b\b\b\b\b\b\b \b\r\n");
	type(b, "\tx\177\177\n");
	EXPECT_STR(read_all(b), "\n");
	EXPECT_STR(output(b), "\tx\b \b\b\b\b\b\b\b\b\b\r\n");
	bench_free(b);
}

TEST(words_and_lines)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "foo bar_1, \027\n");
	EXPECT_STR(read_all(b), "foo \n");
	type(b, "gone\025left\n");
	EXPECT_STR(read_all(b), "left\n");
	output(b);
	set_modes(b, ICRNL, OPOST | ONLCR, L_USUAL & ~ECHOKE);
	type(b, "gone\025left\n");
	EXPECT_STR(read_all(b), "left\n");
	EXPECT_STR(output(b), "gone^U\r\nleft\r\n");
	set_modes(b, ICRNL, OPOST | ONLCR, L_USUAL | ECHOPRT);
	type(b, "abc\177\177d\n");
	EXPECT_STR(read_all(b), "ad\n");
	EXPECT_STR(output(b), "abc\\cb/d\r\n");
	bench_free(b);
}

TEST(utf8_erase)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	set_modes(b, ICRNL | IUTF8, OPOST | ONLCR, L_USUAL);
	type(b, "a\xc3\xa9\xe2\x82\xac\177\177b\n");
	EXPECT_STR(read_all(b), "ab\n");
	EXPECT_STR(output(b), "a\xc3\xa9\xe2\x82\xac\b \b\b \bb\r\n");
	bench_free(b);
}

TEST(literal_and_reprint)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "\026\003\026\177\022\n");
	EXPECT_STR(output(b), "^\b^C^\b^?^R\r\n^C^?\r\n");
	EXPECT_STR(read_all(b), "\003\177\n");
	bench_free(b);
}

TEST(other_ends)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	b->tty.termios.cc[VEOL] = ';';
	b->tty.termios.cc[VEOL2] = '.';
	type(b, "a;b.c\n");
	EXPECT_STR(read_all(b), "a;");
	EXPECT_STR(read_all(b), "b.");
	EXPECT_STR(read_all(b), "c\n");
	bench_free(b);
}

TEST(input_maps)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	set_modes(b, IGNCR | IUCLC, 0, ICANON | IEXTEN);
	type(b, "Ab\rC\n");
	EXPECT_STR(read_all(b), "abc\n");
	set_modes(b, INLCR | ISTRIP, 0, 0);
	type(b, "\n\xe1");
	EXPECT_STR(read_all(b), "\ra");
	set_modes(b, PARMRK, 0, 0);
	type(b, "\xff");
	EXPECT_STR(read_all(b), "\xff\xff");
	bench_free(b);
}

TEST(input_errors)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	set_modes(b, PARMRK | INPCK, 0, 0);
	type_error(b, 'x', INPUT_PARITY);
	read_all(b);
	EXPECT_EQ(memcmp(b->in, "\377\0x", 4), 0);
	set_modes(b, INPCK | IGNPAR, 0, 0);
	type_error(b, 'x', INPUT_FRAME);
	EXPECT_STR(read_all(b), "(none)");
	set_modes(b, 0, 0, 0);
	type_error(b, 'x', INPUT_PARITY);
	EXPECT_STR(read_all(b), "x");
	set_modes(b, IGNBRK, 0, 0);
	type_error(b, 0, INPUT_BREAK);
	EXPECT_STR(read_all(b), "(none)");
	set_modes(b, BRKINT, 0, 0);
	type(b, "old");
	type_error(b, 0, INPUT_BREAK);
	EXPECT_STR(read_all(b), "(none)");
	bench_free(b);
}

TEST(output_maps)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	set_modes(b, 0, OPOST | ONLCR | XTABS | OLCUC, 0);
	EXPECT_EQ(put(b, "a\tb\n\tc"), 6u);
	EXPECT_STR(output(b), "A       B\r\n        C");
	set_modes(b, 0, OPOST | OCRNL | ONOCR, 0);
	put(b, "\rx");
	EXPECT_STR(output(b), "\nx");
	set_modes(b, 0, OPOST | ONOCR | ONLRET, 0);
	put(b, "\n\rx\r");
	EXPECT_STR(output(b), "\nx\r");
	set_modes(b, 0, ONLCR, 0);
	put(b, "a\n");
	EXPECT_STR(output(b), "a\n");
	bench_free(b);
}

/* The driver takes no more: writers stop at a whole character, echoes wait and go first. */
TEST(full_driver)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	b->limit = 4;
	EXPECT_EQ(put(b, "abc\nd"), 3u);
	type(b, "hi");
	EXPECT(ldisc_echo_waits(&b->tty));
	EXPECT_EQ(put(b, "\n"), 0u);
	EXPECT_STR(output(b), "abch");
	b->limit = OUT_MAX;
	EXPECT_EQ(put(b, "\n"), 1u);
	EXPECT_STR(output(b), "i\r\n");
	bench_free(b);
}

TEST(echo_overflow)
{
	struct bench *b = bench_new();
	unsigned int i;

	ASSERT_TRUE(b != NULL);
	b->limit = 0;
	for (i = 0; i < 2000; i++) {
		type(b, "abcd\n");
		EXPECT_STR(read_all(b), "abcd\n");
	}
	/* Nobody looked at the screen: the newest echoes are kept, and nothing else breaks. */
	EXPECT_LE(b->tty.ld.echo_head - b->tty.ld.echo_tail, LDISC_ECHO);
	b->limit = OUT_MAX;
	put(b, "!");
	EXPECT_EQ(b->out[b->used - 1], '!');
	EXPECT_EQ(b->out[b->used - 2], '\n');
	bench_free(b);
}

TEST(flow_control)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "\023");
	EXPECT(b->tty.stopped);
	EXPECT_EQ(put(b, "x"), 0u);
	type(b, "a");
	EXPECT(b->tty.stopped);
	type(b, "\021");
	EXPECT(!b->tty.stopped);
	EXPECT_EQ(put(b, "x"), 1u);
	EXPECT_STR(output(b), "ax");
	set_modes(b, IXON | IXANY, 0, ICANON);
	type(b, "\023a");
	EXPECT(!b->tty.stopped);
	/* What TCOOFF stopped no key starts. */
	b->tty.tco_stopped = true;
	type(b, "\023\021a");
	EXPECT(b->tty.stopped);
	bench_free(b);
}

TEST(signal_keys_flush)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "line\nold\003new\n");
	EXPECT_STR(read_all(b), "new\n");
	EXPECT_EQ(b->flushes, 1u);
	set_modes(b, ICRNL, OPOST | ONLCR, L_USUAL | NOFLSH);
	type(b, "old\003new\n");
	EXPECT_STR(read_all(b), "oldnew\n");
	set_modes(b, ICRNL, OPOST | ONLCR, L_USUAL & ~ISIG);
	type(b, "\003\n");
	EXPECT_STR(read_all(b), "\003\n");
	bench_free(b);
}

/* A line that never ends keeps LDISC_BUF - 1 bytes, and its end still fits. */
TEST(endless_line)
{
	struct bench *b = bench_new();
	unsigned int i;

	ASSERT_TRUE(b != NULL);
	set_modes(b, ICRNL, 0, ICANON);
	for (i = 0; i < 500; i++)
		type(b, "0123456789");
	type(b, "\n");
	EXPECT_EQ(strlen(read_all(b)), (size_t)LDISC_BUF);
	EXPECT_EQ(b->in[LDISC_BUF - 1], '\n');
	EXPECT_EQ(b->in[LDISC_BUF - 3], '3');
	EXPECT_STR(read_all(b), "(none)");
	bench_free(b);
}

/* Raw: what does not fit waits in the queue, what does not fit there is not taken. */
TEST(raw_backpressure)
{
	struct bench *b = bench_new();
	size_t sent = 0, got = 0, n;

	ASSERT_TRUE(b != NULL);
	set_modes(b, IXOFF, 0, 0);
	while ((n = type_bytes(b, "abcdefghij", 10)) > 0)
		sent += n;
	EXPECT_EQ(sent, (size_t)(TTY_INPUT + LDISC_BUF - 1));
	EXPECT_EQ(b->xchar, 0x13);
	while (strcmp(read_n(b, 1000), "(none)") != 0) {
		got += strlen((const char *)b->in);
		mutex_lock(&b->tty.lock);
		ldisc_unthrottle(&b->tty);
		mutex_unlock(&b->tty.lock);
		tty_input_push(&b->tty);
	}
	EXPECT_EQ(got, sent);
	EXPECT_EQ(b->xchar, 0x11);
	bench_free(b);
}

TEST(mode_switch)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	type(b, "typed");
	EXPECT(!ldisc_readable(&b->tty, false));
	set_modes(b, ICRNL, 0, 0);
	EXPECT(ldisc_readable(&b->tty, false));
	EXPECT_STR(read_n(b, 3), "typ");
	/* What was typed raw is a line of its own in canonical mode. */
	set_modes(b, ICRNL, 0, ICANON);
	EXPECT_STR(read_all(b), "ed");
	EXPECT_STR(read_all(b), "(none)");
	bench_free(b);
}

TEST(poll_counts_vmin)
{
	struct bench *b = bench_new();

	ASSERT_TRUE(b != NULL);
	set_modes(b, 0, 0, 0);
	b->tty.termios.cc[VMIN] = 3;
	type(b, "ab");
	EXPECT(!ldisc_readable(&b->tty, true));
	EXPECT(ldisc_readable(&b->tty, false));
	type(b, "c");
	EXPECT(ldisc_readable(&b->tty, true));
	b->tty.termios.cc[VTIME] = 1;
	read_n(b, 2);
	EXPECT(ldisc_readable(&b->tty, true));
	bench_free(b);
}

/* All bytes, in all combinations of modes that a seed chooses: nothing is written out of bounds. */
TEST(any_input)
{
	struct bench *b = bench_new();
	u64 seed = 1;
	unsigned int i, j;
	u8 buf[64];

	ASSERT_TRUE(b != NULL);
	for (i = 0; i < 2000; i++) {
		u64 r = test_rand(&seed);

		set_modes(b, (u32)r & 0x7fff, (u32)(r >> 16) & 0x183f, (u32)(r >> 32) & 0x1ffff);
		for (j = 0; j < sizeof(buf); j++)
			buf[j] = (u8)test_rand(&seed);
		type_bytes(b, buf, sizeof(buf));
		b->used = 0;
		if (i % 3 == 0)
			read_n(b, r >> 52);
		EXPECT_LE(b->tty.ld.head - b->tty.ld.tail, LDISC_BUF);
		if (tty_canonical(&b->tty))
			EXPECT_LE(b->tty.ld.canon_head - b->tty.ld.tail, LDISC_BUF);
		EXPECT_LE(b->tty.ld.echo_head - b->tty.ld.echo_tail, LDISC_ECHO);
	}
	bench_free(b);
}
