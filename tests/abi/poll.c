/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, ppoll, select and pselect6: events, timeouts, masks, signals. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

static volatile int hits;

static void
hit(int sig)
{
	(void)sig;
	hits++;
}

TEST(poll_basics)
{
	struct pollfd f[3];
	int p[2];

	pipe(p);
	f[0] = (struct pollfd){ .fd = p[0], .events = POLLIN };
	f[1] = (struct pollfd){ .fd = -1, .events = POLLIN, .revents = 7 };
	f[2] = (struct pollfd){ .fd = 999, .events = POLLIN };
	is(poll(f, 3, 0), 1);
	is(f[0].revents, 0);
	is(f[1].revents, 0);
	is(f[2].revents, POLLNVAL);
	write(p[1], "x", 1);
	is(poll(f, 2, -1), 1);
	is(f[0].revents, POLLIN);
	f[0].events = POLLRDNORM;
	is(poll(f, 1, 0), 1);
	is(f[0].revents, POLLRDNORM);
	f[0].events = 0;
	is(poll(f, 1, 0), 0);
	is(poll(NIL, 0, 0), 0);
	fails(poll(BAD, 1, 0), EFAULT);
}

TEST(poll_files)
{
	struct pollfd f = { .events = POLLIN | POLLOUT };

	put("f", "");
	f.fd = works(open("f", O_RDONLY));
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLIN | POLLOUT);
	f.fd = works(open(".", O_RDONLY));
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLIN | POLLOUT);
	f.fd = works(open("/dev/null", O_RDWR));
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLIN | POLLOUT);
	f.fd = works(open("f", O_PATH));
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLNVAL);
}

TEST(poll_too_many)
{
	struct rlimit r = { 64, 64 };
	struct pollfd f[65];

	for (int i = 0; i < 65; i++)
		f[i].fd = -1;
	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		is(poll(f, 64, 0), 0);
		fails(poll(f, 65, 0), EINVAL);
	}
}

TEST(poll_timeout)
{
	struct pollfd f;
	long t;
	int p[2];

	pipe(p);
	f = (struct pollfd){ .fd = p[0], .events = POLLIN };
	t = now_ns();
	is(poll(&f, 1, 100), 0);
	t = now_ns() - t;
	check(t >= NSEC / 10 && t < 5 * NSEC);
	t = now_ns();
	is(poll(NULL, 0, 50), 0);
	check(now_ns() - t >= NSEC / 20);
}

TEST(poll_wakeup)
{
	struct pollfd f[2];
	int a[2], b[2];
	pid_t c;

	pipe(a);
	pipe(b);
	c = fork();
	if (!c) {
		f[0] = (struct pollfd){ .fd = a[0], .events = POLLIN };
		f[1] = (struct pollfd){ .fd = b[0], .events = POLLIN };
		if (poll(f, 2, -1) != 1)
			_exit(1);
		_exit(f[0].revents == 0 && f[1].revents == POLLIN ? 7 : 2);
	}
	check(until_asleep(c));
	write(b[1], "x", 1);
	is(reap(c), 7);
	/* Hang-up wakes although it was not asked for. */
	pipe(a);
	c = fork();
	if (!c) {
		close(a[1]);
		f[0] = (struct pollfd){ .fd = a[0], .events = 0 };
		_exit(poll(f, 1, -1) == 1 && f[0].revents == POLLHUP ? 7 : 1);
	}
	check(until_asleep(c));
	close(a[1]);
	is(reap(c), 7);
}

TEST(poll_interrupted)
{
	struct pollfd f;
	int p[2];
	pid_t c;

	pipe(p);
	c = fork();
	if (!c) {
		/* Never restarted, even with SA_RESTART. */
		handle(SIGUSR1, hit, SA_RESTART);
		f = (struct pollfd){ .fd = p[0], .events = POLLIN };
		if (poll(&f, 1, 10000) != -1)
			_exit(1);
		_exit(errno == EINTR && hits == 1 ? 7 : 2);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
}

/* Stopping and continuing does not end a poll. */
TEST(poll_across_stop)
{
	struct pollfd f;
	int p[2];
	pid_t c;

	pipe(p);
	c = fork();
	if (!c) {
		f = (struct pollfd){ .fd = p[0], .events = POLLIN };
		_exit(poll(&f, 1, -1) == 1 ? 7 : 1);
	}
	check(until_asleep(c));
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	kill(c, SIGCONT);
	check(until_asleep(c));
	write(p[1], "x", 1);
	is(reap(c), 7);
}

TEST(ppoll_mask)
{
	struct timespec ts = { 10, 0 };
	struct timespec bad = { 0, NSEC };
	sigset_t usr = sigs(SIGUSR1, 0);
	sigset_t none, now;

	sigemptyset(&none);
	handle(SIGUSR1, hit, 0);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	raise(SIGUSR1);
	is(hits, 0);
	fails(ppoll(NULL, 0, &ts, &none), EINTR);
	is(hits, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	is(sigismember(&now, SIGUSR1), 1);
	fails(ppoll(NULL, 0, &bad, &none), EINVAL);
	bad = (struct timespec){ -1, 0 };
	fails(ppoll(NULL, 0, &bad, &none), EINVAL);
	fails(syscall(SYS_ppoll, NULL, 0L, NULL, &none, 4L), EINVAL);
	ts = (struct timespec){ 0, 0 };
	is(ppoll(NULL, 0, &ts, &none), 0);
	/* The kernel's call writes back what is left of the timeout. */
	ts = (struct timespec){ 100, 0 };
	raise(SIGUSR1);
	fails(syscall(SYS_ppoll, NULL, 0L, &ts, &none, 8L), EINTR);
	check(ts.tv_sec == 99);
}

TEST(select_basics)
{
	struct timeval tv = { 0, 0 };
	fd_set r, w, e;
	int p[2];

	pipe(p);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	FD_SET(p[0], &e);
	is(select(p[1] + 1, &r, &w, &e, &tv), 1);
	check(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e));
	write(p[1], "x", 1);
	FD_SET(p[0], &r);
	is(select(p[1] + 1, &r, &w, NULL, NULL), 2);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	/* Bits at or above nfds are not looked at and stay. */
	is(select(p[0], &r, &w, NULL, &tv), 0);
	close(p[1]);
	FD_ZERO(&r);
	FD_SET(p[1], &r);
	fails(select(p[1] + 1, &r, NULL, NULL, &tv), EBADF);
	fails(select(-1, NULL, NULL, NULL, &tv), EINVAL);
	tv.tv_usec = -1;
	fails(select(0, NULL, NULL, NULL, &tv), EINVAL);
	fails(select(1, BAD, NULL, NULL, NULL), EFAULT);
}

TEST(select_timeout)
{
	struct timeval tv = { 0, 50000 };
	fd_set r;
	int p[2];
	long t;

	pipe(p);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	t = now_ns();
	is(select(p[0] + 1, &r, NULL, NULL, &tv), 0);
	check(now_ns() - t >= NSEC / 20);
	/* Linux leaves what remains in the timeout. */
	check(tv.tv_sec == 0 && tv.tv_usec == 0);
	check(!FD_ISSET(p[0], &r));
	write(p[1], "x", 1);
	FD_SET(p[0], &r);
	tv.tv_sec = 100;
	is(select(p[0] + 1, &r, NULL, NULL, &tv), 1);
	check(tv.tv_sec == 99 || tv.tv_sec == 100);
}

TEST(select_interrupted)
{
	struct timeval tv = { 100, 0 };
	pid_t c;

	c = fork();
	if (!c) {
		handle(SIGUSR1, hit, SA_RESTART);
		if (select(0, NULL, NULL, NULL, &tv) != -1)
			_exit(1);
		_exit(errno == EINTR && tv.tv_sec < 100 ? 7 : 2);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
}

/* 5000 descriptors in one select call need the raw system call. */
TEST(select_high)
{
	static unsigned long set[160];
	struct timeval tv = { 0, 0 };
	struct rlimit r = { 8192, 8192 };
	int p[2];

	in_child {
		is(setrlimit(RLIMIT_NOFILE, &r), 0);
		pipe(p);
		is(dup2(p[1], 8000), 8000);
		set[8000 / 64] = 1UL << 8000 % 64;
		is(syscall(SYS_select, 8001, NULL, set, NULL, &tv), 1);
		is(set[8000 / 64], 1UL << 8000 % 64);
	}
}

TEST(pselect_mask)
{
	struct { sigset_t *s; size_t n; } arg;
	struct timespec ts = { 100, 0 };
	sigset_t usr = sigs(SIGUSR1, 0);
	sigset_t none;

	sigemptyset(&none);
	handle(SIGUSR1, hit, 0);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	raise(SIGUSR1);
	fails(pselect(0, NULL, NULL, NULL, &ts, &none), EINTR);
	is(hits, 1);
	arg.s = &none;
	arg.n = 8;
	raise(SIGUSR1);
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, &arg), EINTR);
	check(ts.tv_sec == 99);
	arg.n = 4;
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, &arg), EINVAL);
	ts = (struct timespec){ 0, NSEC };
	fails(pselect(0, NULL, NULL, NULL, &ts, NULL), EINVAL);
}

/* What is ready wins over a signal that is pending too. */
TEST(ready_beats_signal)
{
	struct timespec ts = { 10, 0 };
	sigset_t usr = sigs(SIGUSR1, 0);
	struct pollfd f;
	sigset_t none;
	int p[2];

	pipe(p);
	write(p[1], "x", 1);
	sigemptyset(&none);
	handle(SIGUSR1, hit, 0);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	raise(SIGUSR1);
	f = (struct pollfd){ .fd = p[0], .events = POLLIN };
	is(ppoll(&f, 1, &ts, &none), 1);
	is(hits, 0);
	sigprocmask(SIG_SETMASK, &none, NULL);
	is(hits, 1);
}
