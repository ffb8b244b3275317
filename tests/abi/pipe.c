/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and FIFOs: ends, atomicity, sizes, non-blocking, SIGPIPE. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

static char big[1 << 20];

TEST(basics)
{
	char buf[16] = "";
	struct stat a, b;
	int p[2];

	is(pipe(p), 0);
	is(fcntl(p[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	is(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY);
	fails(write(p[0], "x", 1), EBADF);
	fails(read(p[1], buf, 1), EBADF);
	is(write(p[1], "hello", 5), 5);
	is(read(p[0], buf, 2), 2);
	is(read(p[0], buf + 2, 10), 3);
	same(buf, "hello");
	is(read(p[0], buf, 0), 0);
	is(write(p[1], buf, 0), 0);
	fstat(p[0], &a);
	fstat(p[1], &b);
	is(a.st_ino, b.st_ino);
	is(close(p[1]), 0);
	is(read(p[0], buf, 1), 0);
	fails(pipe((int *)BAD), EFAULT);
	fails(pipe2(p, 0x1), EINVAL);
	is(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	is(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	is(fcntl(p[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST(data_outlives_writer)
{
	char buf[8] = "";
	int p[2];

	pipe(p);
	in_child {
		is(write(p[1], "left", 4), 4);
	}
	close(p[1]);
	is(read(p[0], buf, 8), 4);
	same(buf, "left");
	is(read(p[0], buf, 8), 0);
}

static volatile int sigpipes;

static void
on_pipe(int sig)
{
	sigpipes += sig == SIGPIPE;
}

TEST(broken)
{
	int p[2];
	pid_t c;

	pipe(p);
	close(p[0]);
	c = fork();
	if (!c) {
		write(p[1], "x", 1);
		_exit(1);
	}
	is(reap(c), -SIGPIPE);
	handle(SIGPIPE, on_pipe, 0);
	fails(write(p[1], "x", 1), EPIPE);
	is(sigpipes, 1);
	signal(SIGPIPE, SIG_IGN);
	fails(write(p[1], "x", 1), EPIPE);
	is(sigpipes, 1);
	is(write(p[1], "x", 0), 0);
}

/* A writer asleep on a full pipe wakes with EPIPE when the reader goes. */
TEST(broken_while_asleep)
{
	struct gate g = gate_new();
	int p[2];
	pid_t c;

	pipe(p);
	signal(SIGPIPE, SIG_IGN);
	c = fork();
	if (!c) {
		close(p[0]);
		gate_wait(&g);
		/* A part was written: the count, not the error. */
		if (write(p[1], big, sizeof(big)) != 65536)
			_exit(1);
		if (write(p[1], big, 1) != -1)
			_exit(2);
		_exit(errno == EPIPE ? 7 : 3);
	}
	gate_open(&g);
	check(until_asleep(c));
	close(p[0]);
	is(reap(c), 7);
}

TEST(capacity)
{
	int p[2];
	int n = 0;

	pipe2(p, O_NONBLOCK);
	fails(read(p[0], big, 1), EAGAIN);
	is(fcntl(p[0], F_GETPIPE_SZ), 65536);
	is(write(p[1], big, sizeof(big)), 65536);
	fails(write(p[1], "x", 1), EAGAIN);
	is(ioctl(p[0], FIONREAD, &n), 0);
	is(n, 65536);
	/* Not more than PIPE_BUF is whole or not at all. */
	is(read(p[0], big, 4095), 4095);
	fails(write(p[1], big, 4096), EAGAIN);
	is(read(p[0], big, 1), 1);
	is(write(p[1], big, 4096), 4096);
	is(read(p[0], big, sizeof(big)), 65536);
	fails(read(p[0], big, 1), EAGAIN);
}

TEST(set_size)
{
	char text[32];
	int p[2];

	pipe2(p, O_NONBLOCK);
	is(fcntl(p[1], F_SETPIPE_SZ, 1), 4096);
	is(fcntl(p[1], F_SETPIPE_SZ, 5000), 8192);
	is(fcntl(p[0], F_GETPIPE_SZ), 8192);
	is(write(p[1], big, 65536), 8192);
	fails(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	is(fcntl(p[1], F_SETPIPE_SZ, 131072), 131072);
	is(write(p[1], big, 1 << 20), 131072 - 8192);
	is(read(p[0], big, 1 << 20), 131072);
	is(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	fails(fcntl(p[1], F_SETPIPE_SZ, 0x80000001), EINVAL);
	fails(fcntl(open("/dev/null", O_RDWR), F_GETPIPE_SZ), EBADF);
	check(get("/proc/sys/fs/pipe-max-size", text, 32) > 0);
	is(atol(text), 1 << 20);
	in_child {
		drop(USER);
		fails(fcntl(p[1], F_SETPIPE_SZ, 2 << 20), EPERM);
		is(fcntl(p[1], F_SETPIPE_SZ, 8192), 8192);
	}
}

/* Small writes take a slot each, or merge into the last page. */
TEST(small_writes)
{
	int p[2];
	int n = 0;

	pipe2(p, O_NONBLOCK);
	while (write(p[1], "xy", 2) == 2)
		n++;
	check(errno == EAGAIN);
	is(n, 32768);
}

/* Four writers of PIPE_BUF each: no write is split. */
TEST(atomic_writes)
{
	static char block[PIPE_BUF];
	bool torn = false;
	long total = 0;
	int p[2];

	pipe(p);
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			memset(block, 'a' + i, sizeof(block));
			for (int j = 0; j < 64; j++)
				write(p[1], block, sizeof(block));
			_exit(0);
		}
	}
	close(p[1]);
	for (;;) {
		size_t got = 0;
		ssize_t n;

		while (got < sizeof(block) &&
		       (n = read(p[0], block + got, sizeof(block) - got)) > 0)
			got += n;
		if (!got)
			break;
		total += got;
		for (size_t i = 1; i < got; i++)
			torn |= block[i] != block[0];
	}
	is(total, 4 * 64 * PIPE_BUF);
	check(!torn);
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
}

TEST(blocking_both_ways)
{
	static char in[8192];
	unsigned int sum = 0, want = 0;
	int p[2];
	pid_t c;

	pipe(p);
	for (size_t i = 0; i < sizeof(big); i++)
		want += (uint8_t)(big[i] = i * 7);
	c = fork();
	if (!c) {
		close(p[0]);
		_exit(write(p[1], big, sizeof(big)) == sizeof(big) ? 7 : 1);
	}
	close(p[1]);
	for (;;) {
		ssize_t n = read(p[0], in, sizeof(in));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			sum += (uint8_t)in[i];
	}
	is(sum, want);
	is(reap(c), 7);
}

TEST(poll_states)
{
	struct pollfd f[2];
	int p[2];

	pipe2(p, O_NONBLOCK);
	f[0] = (struct pollfd){ .fd = p[0], .events = POLLIN | POLLOUT };
	f[1] = (struct pollfd){ .fd = p[1], .events = POLLIN | POLLOUT };
	is(poll(f, 2, 0), 1);
	is(f[0].revents, 0);
	is(f[1].revents, POLLOUT);
	write(p[1], big, 65536);
	is(poll(f, 2, 0), 1);
	is(f[0].revents, POLLIN);
	is(f[1].revents, 0);
	read(p[0], big, 4096);
	is(poll(f, 2, 0), 2);
	is(f[1].revents, POLLOUT);
	close(p[1]);
	f[1].fd = -1;
	is(poll(f, 2, 0), 1);
	is(f[0].revents, POLLIN | POLLHUP);
	read(p[0], big, 65536);
	is(poll(f, 1, 0), 1);
	is(f[0].revents, POLLHUP);
	pipe(p);
	close(p[0]);
	f[1] = (struct pollfd){ .fd = p[1], .events = POLLOUT };
	is(poll(f + 1, 1, 0), 1);
	is(f[1].revents, POLLOUT | POLLERR);
}

TEST(packets)
{
	char buf[16];
	int p[2];

	is(pipe2(p, O_DIRECT), 0);
	is(write(p[1], "abcdef", 6), 6);
	is(write(p[1], "gh", 2), 2);
	is(read(p[0], buf, 16), 6);
	is(read(p[0], buf, 16), 2);
	is(write(p[1], "abcdef", 6), 6);
	is(write(p[1], "XY", 2), 2);
	/* What does not fit of a packet is lost. */
	is(read(p[0], buf, 3), 3);
	is(read(p[0], buf, 16), 2);
	is(buf[0], 'X');
}

TEST(fifo_open)
{
	char buf[4];
	int r, w;
	pid_t c;

	is(mkfifo("p", 0600), 0);
	fails(mkfifo("p", 0600), EEXIST);
	c = fork();
	if (!c) {
		int fd = open("p", O_WRONLY);

		write(fd, "hi", 2);
		_exit(7);
	}
	check(until_asleep(c));
	r = works(open("p", O_RDONLY));
	is(read(r, buf, 4), 2);
	is(reap(c), 7);
	is(read(r, buf, 4), 0);
	/* A new writer makes it usable again. */
	w = works(open("p", O_WRONLY));
	is(write(w, "x", 1), 1);
	is(read(r, buf, 4), 1);
	close(r);
	close(w);
	fails(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	r = works(open("p", O_RDONLY | O_NONBLOCK));
	is(read(r, buf, 4), 0);
	w = works(open("p", O_WRONLY | O_NONBLOCK));
	fails(read(r, buf, 4), EAGAIN);
	close(r);
	close(w);
	/* Reading and writing at once never blocks on Linux. */
	r = works(open("p", O_RDWR));
	is(write(r, "self", 4), 4);
	is(read(r, buf, 4), 4);
}

TEST(fifo_reader_waits)
{
	struct pollfd f;
	char buf[4];
	int r, w;
	pid_t c;

	mkfifo("p", 0600);
	c = fork();
	if (!c) {
		r = open("p", O_RDONLY);
		_exit(read(r, buf, 4) == 3 ? 7 : 1);
	}
	check(until_asleep(c));
	w = works(open("p", O_WRONLY));
	is(write(w, "abc", 3), 3);
	is(reap(c), 7);
	close(w);
	r = works(open("p", O_RDONLY | O_NONBLOCK));
	f = (struct pollfd){ .fd = r, .events = POLLIN };
	/* No writer has ever been there: not a hang-up. */
	is(poll(&f, 1, 0), 0);
	close(works(open("p", O_WRONLY)));
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLHUP);
	close(works(open("p", O_RDWR)));
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(fifo_open_interrupted)
{
	pid_t c;

	mkfifo("p", 0600);
	c = fork();
	if (!c) {
		handle(SIGUSR1, nothing, 0);
		if (open("p", O_RDONLY) != -1)
			_exit(1);
		_exit(errno == EINTR ? 7 : 2);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
}

TEST(async_signal)
{
	sigset_t s = sigs(SIGIO, 0);
	struct timespec ts = { 5, 0 };
	int p[2];

	pipe(p);
	sigprocmask(SIG_BLOCK, &s, NULL);
	is(fcntl(p[0], F_SETOWN, getpid()), 0);
	is(fcntl(p[0], F_GETOWN), getpid());
	is(fcntl(p[0], F_SETFL, O_ASYNC), 0);
	is(write(p[1], "x", 1), 1);
	is(sigtimedwait(&s, NULL, &ts), SIGIO);
	is(fcntl(p[0], F_SETFL, 0), 0);
	is(write(p[1], "x", 1), 1);
	ts.tv_sec = 0;
	fails(sigtimedwait(&s, NULL, &ts), EAGAIN);
}

/* F_SETSIG: which descriptor, and what happened to it. */
TEST(async_siginfo)
{
	sigset_t s = sigs(SIGRTMIN, 0);
	struct timespec ts = { 5, 0 };
	siginfo_t si;
	char c;
	int p[2];

	pipe(p);
	sigprocmask(SIG_BLOCK, &s, NULL);
	is(fcntl(p[0], F_SETOWN, getpid()), 0);
	is(fcntl(p[0], F_SETSIG, SIGRTMIN), 0);
	is(fcntl(p[0], F_GETSIG), SIGRTMIN);
	is(fcntl(p[0], F_SETFL, O_ASYNC), 0);
	is(fcntl(p[0], F_GETFL) & O_ASYNC, O_ASYNC);
	is(write(p[1], "x", 1), 1);
	is(sigtimedwait(&s, &si, &ts), SIGRTMIN);
	is(si.si_code, POLL_IN);
	is(si.si_fd, p[0]);
	is(si.si_band & 1, 1);
	/* The other end hears of reads, and of the last reader's end. */
	is(fcntl(p[0], F_SETFL, 0), 0);
	is(fcntl(p[1], F_SETOWN, getpid()), 0);
	is(fcntl(p[1], F_SETSIG, SIGRTMIN), 0);
	is(fcntl(p[1], F_SETFL, O_ASYNC), 0);
	is(read(p[0], &c, 1), 1);
	is(sigtimedwait(&s, &si, &ts), SIGRTMIN);
	is(si.si_code, POLL_OUT);
	is(si.si_fd, p[1]);
	close(p[0]);
	is(sigtimedwait(&s, &si, &ts), SIGRTMIN);
}

/* A user may not have root signalled by its pipe; a file has no O_ASYNC. */
TEST(async_permission)
{
	sigset_t s = sigs(SIGIO, 0);
	struct timespec ts = { 0, 50000000 };
	int p[2];

	sigprocmask(SIG_BLOCK, &s, NULL);
	in_child {
		drop(USER);
		pipe(p);
		is(fcntl(p[0], F_SETOWN, getppid()), 0);
		is(fcntl(p[0], F_SETFL, O_ASYNC), 0);
		is(write(p[1], "x", 1), 1);
	}
	fails(sigtimedwait(&s, NULL, &ts), EAGAIN);
	p[0] = works(open("f", O_RDWR | O_CREAT, 0600));
	is(fcntl(p[0], F_SETFL, O_ASYNC), 0);
	is(fcntl(p[0], F_GETFL) & O_ASYNC, 0);
}

/* Beyond the soft limit a user's pipes are small, beyond the hard one they are none. */
TEST(user_pages)
{
	char old[32];
	int p[2];

	check(get("/proc/sys/fs/pipe-user-pages-soft", old, sizeof(old)) > 0);
	is(put("/proc/sys/fs/pipe-user-pages-soft", "40"), 0);
	in_child {
		drop(4321);
		for (int i = 0; i < 2; i++) {
			pipe(p);
			is(fcntl(p[0], F_GETPIPE_SZ), 65536);
		}
		is(pipe(p), 0);
		is(fcntl(p[0], F_GETPIPE_SZ), 8192);
		fails(fcntl(p[0], F_SETPIPE_SZ, 65536), EPERM);
		is(fcntl(p[0], F_SETPIPE_SZ, 4096), 4096);
	}
	is(put("/proc/sys/fs/pipe-user-pages-hard", "40"), 0);
	in_child {
		drop(4321);
		for (int i = 0; i < 6; i++)
			pipe(p);
		fails(pipe(p), ENFILE);
	}
	is(put("/proc/sys/fs/pipe-user-pages-hard", "0"), 0);
	is(put("/proc/sys/fs/pipe-user-pages-soft", old), 0);
}

/* Reopening through /proc gives a second, independent end. */
TEST(reopen)
{
	char self[64], c;
	int p[2];
	int fd;

	pipe(p);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", p[0]);
	fd = works(open(self, O_WRONLY));
	is(write(fd, "z", 1), 1);
	is(read(p[0], &c, 1), 1);
	is(c, 'z');
}

/* A pipe whose last end was opened through /proc is gone with it, and the user pays no more for it. */
TEST(reopened_goes)
{
	char old[32], self[64];
	int p[2], fd;

	check(get("/proc/sys/fs/pipe-user-pages-soft", old, sizeof(old)) > 0);
	is(put("/proc/sys/fs/pipe-user-pages-soft", "40"), 0);
	in_child {
		drop(4322);
		for (int i = 0; i < 4; i++) {
			pipe(p);
			snprintf(self, sizeof(self), "/proc/self/fd/%d", p[i % 2]);
			fd = works(open(self, i % 2 ? O_RDONLY : O_RDWR));
			close(p[0]);
			close(p[1]);
			close(fd);
		}
		is(pipe(p), 0);
		is(fcntl(p[0], F_GETPIPE_SZ), 65536);
	}
	is(put("/proc/sys/fs/pipe-user-pages-soft", old), 0);
}

/* Two that open the same place at once: the pipe outlives neither too early nor for ever. */
static void *
open_and_close(void *path)
{
	for (int i = 0; i < 100; i++)
		close(open(path, O_RDWR));
	return NULL;
}

TEST(reopened_by_two)
{
	char path[64], c;
	int p[2];

	for (int i = 0; i < 10; i++) {
		pthread_t other;
		int place;

		pipe(p);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
		place = works(open(path, O_PATH));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
		is(pthread_create(&other, NULL, open_and_close, path), 0);
		open_and_close(path);
		is(pthread_join(other, NULL), 0);
		close(place);
		is(write(p[1], "a", 1), 1);
		is(read(p[0], &c, 1), 1);
		close(p[0]);
		close(p[1]);
	}
}
