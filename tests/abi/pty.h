/* SPDX-License-Identifier: BSD-2-Clause */
/* Pseudo-terminal helpers of the tty and job-control tests. */
#ifndef TESTS_ABI_PTY_H
#define TESTS_ABI_PTY_H

#include "tests/abi/abi.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

struct pty {
	int m;
	int s;
	char name[32];
};

ABI_FN struct pty
pty_open(void)
{
	struct pty p = { .m = open("/dev/ptmx", O_RDWR | O_NOCTTY) };
	int n = -1, zero = 0;

	if (p.m < 0 || ioctl(p.m, TIOCGPTN, &n) ||
	    ioctl(p.m, TIOCSPTLCK, &zero))
		_exit(92);
	snprintf(p.name, sizeof(p.name), "/dev/pts/%d", n);
	p.s = open(p.name, O_RDWR | O_NOCTTY);
	if (p.s < 0)
		_exit(91);
	return p;
}

/* Reads until nothing arrives for @ms; a string. */
ABI_FN const char *
pty_drain(int fd, int ms)
{
	static char buf[16384];
	struct pollfd f = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len < sizeof(buf) - 1 && poll(&f, 1, ms) == 1 &&
	       f.revents & POLLIN) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);

		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = '\0';
	return buf;
}

/* Reads exactly what @want says, waiting up to 5 s, then a bit for more. */
ABI_FN const char *
pty_expect(int fd, const char *want)
{
	static char buf[4096];
	struct pollfd f = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len < sizeof(buf) - 1 &&
	       poll(&f, 1, len < strlen(want) ? 5000 : 10) == 1 &&
	       f.revents & POLLIN) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);

		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = '\0';
	return buf;
}

ABI_FN void
pty_flags(int fd, tcflag_t clear, tcflag_t set)
{
	struct termios t;

	tcgetattr(fd, &t);
	t.c_lflag &= ~clear;
	t.c_lflag |= set;
	tcsetattr(fd, TCSANOW, &t);
}

/* A child that leads a session with @p's slave as its terminal: 0 there. */
ABI_FN pid_t
pty_session(struct pty *p)
{
	pid_t c = fork();

	if (!c) {
		setsid();
		if (ioctl(p->s, TIOCSCTTY, 0))
			_exit(90);
		close(p->m);
	}
	return c;
}

#endif
