/* SPDX-License-Identifier: BSD-2-Clause */
/* Pseudo-terminals: creation, locking, sizes, packet mode, hang-up. */
#include "tests/abi/pty.h"

#include <sys/resource.h>
#include <sys/sysmacros.h>

static char buf[65536];

TEST(creation)
{
	struct stat st;
	int m = works(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	int n = -1, lock = -1;
	char name[32];

	is(ioctl(m, TIOCGPTN, &n), 0);
	check(n >= 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	is(stat(name, &st), 0);
	check(S_ISCHR(st.st_mode));
	is(major(st.st_rdev), 136 + n / 256);
	is(minor(st.st_rdev), n % 256);
	is(ioctl(m, TIOCGPTLCK, &lock), 0);
	is(lock, 1);
	fails(open(name, O_RDWR | O_NOCTTY), EIO);
	lock = 0;
	is(ioctl(m, TIOCSPTLCK, &lock), 0);
	works(open(name, O_RDWR | O_NOCTTY));
	works(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	fails(ioctl(works(open(name, O_RDWR | O_NOCTTY)), TIOCGPTN, &n),
	      ENOTTY);
	close(m);
	fails(stat(name, &st), ENOENT);
}

TEST(data_both_ways)
{
	struct pty p = pty_open();

	pty_flags(p.s, ICANON | ECHO, 0);
	is(write(p.s, "out", 3), 3);
	same(pty_expect(p.m, "out"), "out");
	is(write(p.m, "in", 2), 2);
	same(pty_expect(p.s, "in"), "in");
	fcntl(p.m, F_SETFL, O_NONBLOCK);
	fails(read(p.m, buf, 1), EAGAIN);
}

TEST(slave_closed)
{
	struct pty p = pty_open();
	struct pollfd f = { .fd = p.m, .events = POLLIN | POLLOUT };

	write(p.s, "last", 4);
	close(p.s);
	is(poll(&f, 1, 1000), 1);
	check(f.revents & POLLHUP);
	is(read(p.m, buf, 10), 4);
	fails(read(p.m, buf, 10), EIO);
	/* Opening it again revives it. */
	p.s = works(open(p.name, O_RDWR | O_NOCTTY));
	is(poll(&f, 1, 0), 1);
	is(f.revents & POLLHUP, 0);
	is(write(p.m, "x\n", 2), 2);
	is(read(p.s, buf, 10), 2);
}

TEST(master_closed)
{
	struct pty p = pty_open();
	struct pollfd f = { .fd = p.s, .events = POLLIN };

	close(p.m);
	is(read(p.s, buf, 10), 0);
	fails(write(p.s, "x", 1), EIO);
	is(poll(&f, 1, 1000), 1);
	check((f.revents & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
	fails(ioctl(p.s, TIOCGWINSZ, buf), EIO);
	fails(open(p.name, O_RDWR | O_NOCTTY), ENOENT);
}

TEST(master_closed_wakes_reader)
{
	struct pty p = pty_open();
	pid_t c = fork();

	if (!c) {
		close(p.m);
		/* The end of file, or the error that came just before it. */
		_exit(read(p.s, buf, 1) == 0 || errno == EIO ? 7 : 1);
	}
	check(until_asleep(c));
	close(p.m);
	is(reap(c), 7);
}

static volatile int winch;

static void
on_winch(int sig)
{
	winch += sig == SIGWINCH;
}

TEST(window_size)
{
	struct winsize ws = { 24, 80, 3, 4 };
	struct gate ready = gate_new();
	struct gate done = gate_new();
	struct pty p = pty_open();
	pid_t c;

	c = pty_session(&p);
	if (!c) {
		handle(SIGWINCH, on_winch, 0);
		gate_open(&ready);
		gate_wait(&done);
		memset(&ws, 0, sizeof(ws));
		ioctl(p.s, TIOCGWINSZ, &ws);
		_exit(winch == 1 && ws.ws_row == 24 && ws.ws_col == 80 &&
		      ws.ws_xpixel == 3 && ws.ws_ypixel == 4 ? 7 : winch);
	}
	gate_wait(&ready);
	is(ioctl(p.m, TIOCSWINSZ, &ws), 0);
	/* The same size again is no change and no signal. */
	is(ioctl(p.m, TIOCSWINSZ, &ws), 0);
	gate_open(&done);
	is(reap(c), 7);
	memset(&ws, 0, sizeof(ws));
	is(ioctl(p.m, TIOCGWINSZ, &ws), 0);
	is(ws.ws_col, 80);
	fails(ioctl(p.m, TIOCSWINSZ, BAD), EFAULT);
}

TEST(packet_mode)
{
	struct pty p = pty_open();
	struct pollfd f = { .fd = p.m, .events = POLLPRI };
	int on = 1;

	pty_flags(p.s, ECHO, 0);
	is(ioctl(p.m, TIOCPKT, &on), 0);
	is(write(p.s, "ab", 2), 2);
	is(read(p.m, buf, 10), 3);
	is(buf[0], TIOCPKT_DATA);
	check(buf[1] == 'a' && buf[2] == 'b');
	is(tcflow(p.s, TCOOFF), 0);
	is(poll(&f, 1, 100), 1);
	is(read(p.m, buf, 10), 1);
	is(buf[0], TIOCPKT_STOP);
	is(tcflow(p.s, TCOON), 0);
	is(read(p.m, buf, 10), 1);
	is(buf[0], TIOCPKT_START);
	is(tcflush(p.s, TCIFLUSH), 0);
	is(read(p.m, buf, 10), 1);
	is(buf[0], TIOCPKT_FLUSHREAD);
	on = 0;
	is(ioctl(p.m, TIOCPKT, &on), 0);
	is(write(p.s, "c", 1), 1);
	is(read(p.m, buf, 10), 1);
	is(buf[0], 'c');
}

TEST(large_transfer)
{
	struct pty p = pty_open();
	long sum = 0;
	pid_t c;

	pty_flags(p.s, ICANON | ECHO, 0);
	{
		struct termios t;

		tcgetattr(p.s, &t);
		t.c_oflag = 0;
		tcsetattr(p.s, TCSANOW, &t);
	}
	c = fork();
	if (!c) {
		memset(buf, 'd', sizeof(buf));
		for (int i = 0; i < 4; i++) {
			long left = sizeof(buf);

			while (left > 0) {
				long n = write(p.s, buf, left);

				if (n <= 0)
					_exit(1);
				left -= n;
			}
		}
		_exit(7);
	}
	while (sum < 4 * (long)sizeof(buf)) {
		long n = read(p.m, buf, sizeof(buf));

		if (n <= 0)
			break;
		sum += n;
	}
	is(sum, 4 * sizeof(buf));
	is(reap(c), 7);
}

/* Output waits for the reader: a full pty is EAGAIN, then writable again. */
TEST(output_backpressure)
{
	struct pty p = pty_open();
	struct pollfd f = { .fd = p.s, .events = POLLOUT };
	long sum = 0, n;
	int idle = 0;

	fcntl(p.s, F_SETFL, O_NONBLOCK);
	memset(buf, 'x', sizeof(buf));
	/* What was written may move on and make room for a while. */
	while (idle < 5) {
		n = write(p.s, buf, sizeof(buf));
		sum += n > 0 ? n : 0;
		idle = n > 0 ? 0 : idle + 1;
		msleep(n > 0 ? 0 : 10);
	}
	fails(write(p.s, buf, sizeof(buf)), EAGAIN);
	check(sum >= 1024);
	is(poll(&f, 1, 0), 0);
	while (sum > 0) {
		n = read(p.m, buf, sizeof(buf));
		if (n <= 0)
			break;
		sum -= n;
	}
	is(sum, 0);
	is(poll(&f, 1, 1000), 1);
}

TEST(dev_tty)
{
	struct pty p = pty_open();
	pid_t c;

	fails(open("/dev/tty", O_RDWR), ENXIO);
	c = pty_session(&p);
	if (!c) {
		int t = open("/dev/tty", O_RDWR);

		/* A leader that gives its terminal up is hung up. */
		signal(SIGHUP, SIG_IGN);
		if (t < 0 || write(t, "via tty", 7) != 7)
			_exit(1);
		if (ioctl(t, TIOCNOTTY) || open("/dev/tty", O_RDWR) != -1)
			_exit(2);
		_exit(errno == ENXIO ? 7 : 3);
	}
	same(pty_expect(p.m, "via tty"), "via tty");
	is(kill(c, 0), 0);
	is(reap(c), 7);
}

TEST(devpts_instances)
{
	struct stat st;
	char name[32];
	int m, n = -1;

	mkdir("pts", 0755);
	works(mount("x", "pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0600"));
	is(stat("pts/ptmx", &st), 0);
	is(st.st_mode & 0777, 0666);
	is(st.st_rdev, makedev(5, 2));
	m = works(open("pts/ptmx", O_RDWR | O_NOCTTY));
	is(ioctl(m, TIOCGPTN, &n), 0);
	is(n, 0);
	snprintf(name, sizeof(name), "pts/%d", n);
	is(stat(name, &st), 0);
	is(st.st_mode & 0777, 0600);
	close(m);
	fails(stat(name, &st), ENOENT);
	fails(unlink("pts/ptmx"), EPERM);
	is(umount("pts"), 0);
	fails(mount("x", "pts", "devpts", 0, "bogus"), EINVAL);
}

TEST(many)
{
	int m[64];
	int good = 0;

	for (int i = 0; i < 64; i++) {
		int n = -1;

		m[i] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
		good += m[i] >= 0 && !ioctl(m[i], TIOCGPTN, &n) && n >= 0;
	}
	is(good, 64);
	for (int i = 0; i < 64; i++)
		close(m[i]);
	{
		struct pty p = pty_open();

		check(atoi(p.name + 9) < 64);
	}
}

/* Without a descriptor for it, the other end is closed, once. */
TEST(no_descriptor_left)
{
	int m = works(open("/dev/ptmx", O_RDWR | O_NOCTTY)), zero = 0;
	struct rlimit r = {m, m};

	works(ioctl(m, TIOCSPTLCK, &zero));
	works(setrlimit(RLIMIT_NOFILE, &r));
	for (int i = 0; i < 20; i++)
		fails(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY), EMFILE);
	works(fcntl(m, F_GETFL));
}
