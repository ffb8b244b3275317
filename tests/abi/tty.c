/* SPDX-License-Identifier: BSD-2-Clause */
/* The line discipline through a pty: canonical and raw, echo, signals. */
#include "tests/abi/pty.h"

static char buf[8192];

#define puts_to(fd, s) write(fd, s, strlen(s))

/* One read from the slave as a string, "" when nothing is there. */
static const char *
line(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLIN };
	ssize_t n = poll(&f, 1, 200) == 1 ? read(fd, buf, sizeof(buf) - 1) : 0;

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void
change(int fd, void (*fn)(struct termios *))
{
	struct termios t;

	tcgetattr(fd, &t);
	fn(&t);
	tcsetattr(fd, TCSANOW, &t);
}

TEST(defaults)
{
	struct pty p = pty_open();
	struct winsize ws = { 1, 1, 1, 1 };
	struct termios t;

	is(tcgetattr(p.s, &t), 0);
	is(t.c_iflag, ICRNL | IXON);
	is(t.c_oflag, OPOST | ONLCR);
	is(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
		      IEXTEN);
	is(t.c_cflag & (CSIZE | CREAD), CS8 | CREAD);
	is(cfgetospeed(&t), B38400);
	is(t.c_cc[VINTR], 3);
	is(t.c_cc[VQUIT], 28);
	is(t.c_cc[VERASE], 127);
	is(t.c_cc[VKILL], 21);
	is(t.c_cc[VEOF], 4);
	is(t.c_cc[VSUSP], 26);
	is(t.c_cc[VSTART], 17);
	is(t.c_cc[VSTOP], 19);
	is(t.c_cc[VWERASE], 23);
	is(t.c_cc[VLNEXT], 22);
	is(t.c_cc[VREPRINT], 18);
	is(t.c_cc[VMIN], 1);
	is(t.c_cc[VTIME], 0);
	is(ioctl(p.s, TIOCGWINSZ, &ws), 0);
	is(ws.ws_row, 0);
	is(ws.ws_col, 0);
	is(isatty(p.s), 1);
	is(isatty(p.m), 1);
	fails(ioctl(p.s, TCGETS, BAD), EFAULT);
}

TEST(canonical)
{
	struct pty p = pty_open();
	int n = -1;

	puts_to(p.m, "partial");
	same(line(p.s), "");
	is(ioctl(p.s, FIONREAD, &n), 0);
	is(n, 0);
	puts_to(p.m, " line\nsecond\n");
	msleep(50);
	is(ioctl(p.s, FIONREAD, &n), 0);
	is(n, 20);
	same(line(p.s), "partial line\n");
	same(line(p.s), "second\n");
	/* A short read leaves the rest of the line. */
	puts_to(p.m, "abcdef\n");
	is(read(p.s, buf, 3), 3);
	is(memcmp(buf, "abc", 3), 0);
	same(line(p.s), "def\n");
	puts_to(p.m, "cr\r");
	same(line(p.s), "cr\n");
}

TEST(editing)
{
	struct pty p = pty_open();

	puts_to(p.m, "abX\177c\n");
	same(line(p.s), "abc\n");
	puts_to(p.m, "wrong\025right\n");
	same(line(p.s), "right\n");
	puts_to(p.m, "one two  \027three\n");
	same(line(p.s), "one three\n");
	puts_to(p.m, "\177\177a\n");
	same(line(p.s), "a\n");
	puts_to(p.m, "a\026\003b\n");
	same(line(p.s), "a\003b\n");
	puts_to(p.m, "\026\177\n");
	same(line(p.s), "\177\n");
}

TEST(end_of_file)
{
	struct pty p = pty_open();

	puts_to(p.m, "\004");
	is(read(p.s, buf, 10), 0);
	puts_to(p.m, "abc\004");
	same(line(p.s), "abc");
	puts_to(p.m, "x\004\004");
	same(line(p.s), "x");
	is(read(p.s, buf, 10), 0);
	puts_to(p.m, "a\026\004b\n");
	same(line(p.s), "a\004b\n");
}

static void
set_eol(struct termios *t)
{
	t->c_cc[VEOL] = ';';
}

TEST(other_line_end)
{
	struct pty p = pty_open();

	change(p.s, set_eol);
	puts_to(p.m, "a;b\n");
	same(line(p.s), "a;");
	same(line(p.s), "b\n");
}

TEST(echo)
{
	struct pty p = pty_open();

	puts_to(p.m, "hi\n");
	same(pty_expect(p.m, "hi\r\n"), "hi\r\n");
	puts_to(p.m, "ab\177");
	same(pty_expect(p.m, "ab\b \b"), "ab\b \b");
	puts_to(p.m, "\025");
	same(pty_expect(p.m, "\b \b"), "\b \b");
	puts_to(p.m, "\001\n");
	same(pty_expect(p.m, "^A\r\n"), "^A\r\n");
	puts_to(p.m, "\001\177");
	same(pty_expect(p.m, "^A\b \b\b \b"), "^A\b \b\b \b");
	puts_to(p.m, "a\tb\n");
	same(pty_expect(p.m, "a\tb\r\n"), "a\tb\r\n");
	puts_to(p.m, "xy\022");
	same(pty_expect(p.m, "xy^R\r\nxy"), "xy^R\r\nxy");
	puts_to(p.m, "\n");
	pty_drain(p.m, 50);
	pty_flags(p.s, ECHO, 0);
	puts_to(p.m, "secret\n");
	same(pty_drain(p.m, 100), "");
	pty_flags(p.s, 0, ECHONL);
	puts_to(p.m, "x\n");
	same(pty_expect(p.m, "\r\n"), "\r\n");
}

static void
no_onlcr(struct termios *t)
{
	t->c_oflag = OPOST | OCRNL;
}

static void
no_opost(struct termios *t)
{
	t->c_oflag = ONLCR;
}

static void
tabs(struct termios *t)
{
	t->c_oflag = OPOST | ONLCR | XTABS;
}

static void
upper(struct termios *t)
{
	t->c_oflag = OPOST | OLCUC | ONLRET | ONOCR;
}

TEST(output)
{
	struct pty p = pty_open();

	is(puts_to(p.s, "a\nb\n"), 4);
	same(pty_expect(p.m, "a\r\nb\r\n"), "a\r\nb\r\n");
	change(p.s, no_onlcr);
	puts_to(p.s, "a\nb\r");
	same(pty_expect(p.m, "a\nb\n"), "a\nb\n");
	change(p.s, no_opost);
	puts_to(p.s, "a\nb\r");
	same(pty_expect(p.m, "a\nb\r"), "a\nb\r");
	change(p.s, tabs);
	puts_to(p.s, "\n\tx\tab\tc");
	same(pty_expect(p.m, "\r\n        x       ab      c"),
	     "\r\n        x       ab      c");
	change(p.s, upper);
	puts_to(p.s, "\nmiXed\r");
	same(pty_expect(p.m, "\nMIXED\r"), "\nMIXED\r");
}

static void
igncr(struct termios *t)
{
	t->c_iflag = IGNCR;
}

static void
inlcr(struct termios *t)
{
	t->c_iflag = INLCR | ISTRIP;
	t->c_lflag = 0;
	t->c_cc[VMIN] = 0;
}

static void
iuclc(struct termios *t)
{
	t->c_iflag = IUCLC | ICRNL;
	t->c_lflag = ICANON | IEXTEN;
}

TEST(input_flags)
{
	struct pty p = pty_open();

	change(p.s, igncr);
	puts_to(p.m, "a\rb\n");
	same(line(p.s), "ab\n");
	change(p.s, inlcr);
	puts_to(p.m, "a\n\341");
	same(line(p.s), "a\ra");
	change(p.s, iuclc);
	puts_to(p.m, "MiXeD\r");
	same(line(p.s), "mixed\n");
}

static int vmin, vtime;

static void
raw(struct termios *t)
{
	t->c_lflag &= ~(ICANON | ECHO);
	t->c_cc[VMIN] = vmin;
	t->c_cc[VTIME] = vtime;
}

static void
set_raw(int fd, int min, int tm)
{
	vmin = min;
	vtime = tm;
	change(fd, raw);
}

TEST(raw_vmin)
{
	struct pty p = pty_open();
	struct pollfd f = { .fd = p.s, .events = POLLIN };
	pid_t c;

	set_raw(p.s, 1, 0);
	puts_to(p.m, "x");
	is(read(p.s, buf, 10), 1);
	set_raw(p.s, 3, 0);
	puts_to(p.m, "ab");
	is(poll(&f, 1, 50), 0);
	c = fork();
	if (!c)
		_exit(read(p.s, buf, 10));
	check(until_asleep(c));
	puts_to(p.m, "c");
	is(reap(c), 3);
	/* A smaller buffer than VMIN is enough. */
	puts_to(p.m, "d");
	is(read(p.s, buf, 1), 1);
	set_raw(p.s, 0, 0);
	is(read(p.s, buf, 10), 0);
	puts_to(p.m, "e");
	is(poll(&f, 1, 1000), 1);
	is(read(p.s, buf, 10), 1);
}

TEST(raw_vtime)
{
	struct pty p = pty_open();
	pid_t c;
	long t;

	set_raw(p.s, 0, 2);
	t = now_ns();
	is(read(p.s, buf, 10), 0);
	check(now_ns() - t >= NSEC / 10);
	c = fork();
	if (!c) {
		msleep(50);
		puts_to(p.m, "z");
		_exit(0);
	}
	is(read(p.s, buf, 10), 1);
	is(reap(c), 0);
	/* With both the timer starts at the first byte. */
	set_raw(p.s, 5, 2);
	c = fork();
	if (!c) {
		msleep(400);
		puts_to(p.m, "qr");
		_exit(0);
	}
	t = now_ns();
	is(read(p.s, buf, 10), 2);
	check(now_ns() - t >= 5 * NSEC / 10);
	is(reap(c), 0);
}

TEST(mode_switch)
{
	struct pty p = pty_open();

	/* What was typed in one mode is readable in the other. */
	puts_to(p.m, "typed");
	msleep(20);
	set_raw(p.s, 1, 0);
	same(line(p.s), "typed");
	fcntl(p.s, F_SETFL, O_NONBLOCK);
	fails(read(p.s, buf, 1), EAGAIN);
	pty_flags(p.s, 0, ICANON);
	fails(read(p.s, buf, 1), EAGAIN);
}

TEST(flush_and_queue)
{
	struct pty p = pty_open();
	int n = -1;

	set_raw(p.s, 0, 0);
	puts_to(p.m, "lost");
	is(tcflush(p.s, TCIFLUSH), 0);
	is(read(p.s, buf, 10), 0);
	puts_to(p.m, "abc");
	msleep(20);
	is(ioctl(p.s, FIONREAD, &n), 0);
	is(n, 3);
	is(ioctl(p.s, TIOCOUTQ, &n), 0);
	fails(tcflush(p.s, 99), EINVAL);
	/* TCSAFLUSH drops input as well. */
	{
		struct termios t;

		tcgetattr(p.s, &t);
		is(tcsetattr(p.s, TCSAFLUSH, &t), 0);
		is(read(p.s, buf, 10), 0);
	}
	is(tcdrain(p.s), 0);
	is(tcsendbreak(p.s, 0), 0);
}

TEST(flow_control)
{
	struct pty p = pty_open();
	pid_t c;

	is(tcflow(p.s, TCOOFF), 0);
	c = fork();
	if (!c)
		_exit(puts_to(p.s, "held") == 4 ? 7 : 1);
	check(until_asleep(c));
	same(pty_drain(p.m, 100), "");
	is(tcflow(p.s, TCOON), 0);
	is(reap(c), 7);
	same(pty_expect(p.m, "held"), "held");
	puts_to(p.m, "\023");
	msleep(50);
	c = fork();
	if (!c)
		_exit(puts_to(p.s, "again") == 5 ? 7 : 1);
	check(until_asleep(c));
	same(pty_drain(p.m, 100), "");
	puts_to(p.m, "\021");
	is(reap(c), 7);
	same(pty_expect(p.m, "again"), "again");
}

TEST(input_limit)
{
	static char many[5000];
	struct pty p = pty_open();
	long n = 0;

	memset(many, 'x', sizeof(many));
	fcntl(p.m, F_SETFL, O_NONBLOCK);
	pty_flags(p.s, ECHO, 0);
	/* A line keeps 4095 bytes; the end of line always fits. */
	for (int i = 0; i < 5; i++) {
		write(p.m, many, 1000);
		msleep(5);
	}
	puts_to(p.m, "\n");
	msleep(20);
	n = read(p.s, buf, sizeof(buf));
	is(n, 4096);
	is(buf[4095], '\n');
	is(buf[4094], 'x');
}

TEST(inject)
{
	struct pty p = pty_open();
	pid_t c;

	c = pty_session(&p);
	if (!c) {
		char ch = 'i';
		int r = ioctl(p.s, TIOCSTI, &ch);

		ch = '\n';
		r |= ioctl(p.s, TIOCSTI, &ch);
		_exit(r || strcmp(line(p.s), "i\n") ? 1 : 7);
	}
	is(reap(c), 7);
}
