/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which calls a handler interrupts: each is run asleep, gets a signal whose
 * handler has SA_RESTART or not, and either returns EINTR or sleeps again.
 */
#include "tests/abi/abi.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <termios.h>

static int pipefd[2], full[2], efd, epfd, lockfd, master;
static uint32_t word;

static long
do_read(void)
{
	return read(pipefd[0], (char[1]){ 0 }, 1);
}

static long
do_write(void)
{
	return write(full[1], "x", 1);
}

static long
do_wait(void)
{
	return wait(NULL);
}

static long
do_waitid(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED);
}

static long
do_poll(void)
{
	struct pollfd f = { .fd = pipefd[0], .events = POLLIN };

	return poll(&f, 1, -1);
}

static long
do_ppoll(void)
{
	struct pollfd f = { .fd = pipefd[0], .events = POLLIN };

	return ppoll(&f, 1, NULL, NULL);
}

static long
do_select(void)
{
	fd_set r;

	FD_ZERO(&r);
	FD_SET(pipefd[0], &r);
	return select(pipefd[0] + 1, &r, NULL, NULL, NULL);
}

static long
do_epoll(void)
{
	struct epoll_event e;

	return epoll_wait(epfd, &e, 1, -1);
}

static long
do_eventfd(void)
{
	return read(efd, &(uint64_t){ 0 }, 8);
}

static long
do_flock(void)
{
	return flock(open("lock", O_RDONLY), LOCK_EX);
}

static long
do_setlkw(void)
{
	struct flock l = { .l_type = F_WRLCK };

	return fcntl(lockfd, F_SETLKW, &l);
}

static long
do_fifo(void)
{
	return open("fifo", O_RDONLY);
}

static long
do_futex(void)
{
	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long
do_nanosleep(void)
{
	return syscall(SYS_nanosleep, &(struct timespec){ 100, 0 }, NULL);
}

static long
do_clock_nanosleep(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 100;
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
		       &ts, NULL);
}

static long
do_pause(void)
{
	return pause();
}

static long
do_sigsuspend(void)
{
	sigset_t s;

	sigemptyset(&s);
	return sigsuspend(&s);
}

static long
do_sigtimedwait(void)
{
	sigset_t s = sigs(SIGUSR2, 0);

	return sigwaitinfo(&s, NULL);
}

static long
do_tty_read(void)
{
	int n = -1, zero = 0;
	char name[32];

	syscall(SYS_ioctl, master, TIOCGPTN, &n);
	syscall(SYS_ioctl, master, TIOCSPTLCK, &zero);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	return read(open(name, O_RDWR | O_NOCTTY), (char[1]){ 0 }, 1);
}

static const struct {
	const char *name;
	long (*fn)(void);
	bool restarts;
} calls[] = {
	{ "read of a pipe", do_read, true },
	{ "write to a full pipe", do_write, true },
	{ "wait", do_wait, true },
	{ "waitid", do_waitid, true },
	{ "poll", do_poll, false },
	{ "ppoll", do_ppoll, false },
	{ "select", do_select, false },
	{ "epoll_wait", do_epoll, false },
	{ "read of an eventfd", do_eventfd, true },
	{ "flock", do_flock, true },
	{ "F_SETLKW", do_setlkw, true },
	{ "open of a FIFO", do_fifo, true },
	{ "futex", do_futex, true },
	{ "nanosleep", do_nanosleep, false },
	{ "clock_nanosleep", do_clock_nanosleep, false },
	{ "pause", do_pause, false },
	{ "sigsuspend", do_sigsuspend, false },
	{ "sigtimedwait", do_sigtimedwait, false },
	{ "read of a tty", do_tty_read, true },
};

static void
nothing(int sig)
{
	(void)sig;
}

static void
setup(void)
{
	static char block[65536];
	struct flock l = { .l_type = F_WRLCK };
	struct epoll_event e = { .events = EPOLLIN };

	pipe(pipefd);
	pipe(full);
	write(full[1], block, sizeof(block));
	efd = eventfd(0, 0);
	epfd = epoll_create1(0);
	epoll_ctl(epfd, EPOLL_CTL_ADD, pipefd[0], &e);
	lockfd = open("lock", O_CREAT | O_RDWR, 0600);
	flock(lockfd, LOCK_EX);
	fcntl(lockfd, F_SETLK, &l);
	mkfifo("fifo", 0600);
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

/* Exit code 7 for EINTR; a call that goes on is asleep again. */
static pid_t
asleep_in(long (*fn)(void), int flags, void (*handler)(int))
{
	pid_t c = fork();

	if (!c) {
		handle(SIGUSR1, handler, flags);
		if (fn == do_wait || fn == do_waitid) {
			if (!fork())
				for (;;)
					pause();
		}
		_exit(fn() == -1 && errno == EINTR ? 7 : 1);
	}
	until_asleep(c);
	/* The first sleep may have been on the way; the call lasts. */
	msleep(5);
	until_asleep(c);
	return c;
}

TEST(without_sa_restart)
{
	setup();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		pid_t c = asleep_in(calls[i].fn, 0, nothing);

		kill(c, SIGUSR1);
		ok(reap(c) == 7, "%s is interrupted", calls[i].name);
	}
}

TEST(with_sa_restart)
{
	setup();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		pid_t c = asleep_in(calls[i].fn, SA_RESTART, nothing);
		int r;

		kill(c, SIGUSR1);
		msleep(calls[i].restarts ? 30 : 0);
		if (calls[i].restarts)
			kill(c, SIGKILL);
		r = reap(c);
		ok(r == (calls[i].restarts ? -SIGKILL : 7), "%s: %s (%d)",
		   calls[i].name, calls[i].restarts ? "restarted" :
		   "interrupted in spite of SA_RESTART", r);
	}
}

/* Ignored signals and stops disturb none of them, save a few on Linux. */
TEST(stop_and_continue)
{
	setup();
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bool exception = calls[i].fn == do_epoll ||
				 calls[i].fn == do_sigtimedwait;
		pid_t c = asleep_in(calls[i].fn, 0, nothing);
		int r;

		kill(c, SIGSTOP);
		until_state(c, 'T');
		kill(c, SIGCONT);
		msleep(exception ? 0 : 30);
		if (!exception)
			kill(c, SIGKILL);
		r = reap(c);
		ok(r == (exception ? 7 : -SIGKILL), "%s %s (%d)",
		   calls[i].name, exception ? "ends with EINTR" : "goes on", r);
	}
}

/* What was transferred before the signal is the result. */
TEST(partial_write)
{
	static char big[200000];
	int p[2];
	pid_t c;

	pipe(p);
	c = fork();
	if (!c) {
		handle(SIGUSR1, nothing, SA_RESTART);
		_exit(write(p[1], big, sizeof(big)) == 65536 ? 7 : 1);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
}

TEST(partial_read_blocks)
{
	char b[8];
	int p[2];
	pid_t c;

	/* A pipe read returns what there is at once. */
	pipe(p);
	write(p[1], "abc", 3);
	is(read(p[0], b, 8), 3);
	c = fork();
	if (!c) {
		handle(SIGUSR1, nothing, SA_RESTART);
		_exit(read(p[0], b, 8) == 2 ? 7 : 1);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	msleep(20);
	check(until_asleep(c));
	write(p[1], "de", 2);
	is(reap(c), 7);
}

TEST(remaining_time)
{
	struct timespec want = { 100, 0 }, left = { 0, 0 };
	pid_t me = getpid();
	pid_t c;

	handle(SIGUSR1, nothing, SA_RESTART);
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	fails(nanosleep(&want, &left), EINTR);
	check(left.tv_sec == 99 && left.tv_nsec > 0);
	is(reap(c), 0);
	left = (struct timespec){ 5, 5 };
	c = fork();
	if (!c) {
		until_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	clock_gettime(CLOCK_MONOTONIC, &want);
	want.tv_sec += 100;
	is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &want, &left), EINTR);
	check(left.tv_sec == 5 && left.tv_nsec == 5);
	is(reap(c), 0);
}

/* A sleep resumed after a stop still ends at its own time. */
TEST(sleep_across_stop)
{
	pid_t c = fork();
	long t = now_ns();

	if (!c) {
		struct timespec ts = { 0, 200000000 };

		_exit(nanosleep(&ts, NULL) ? 1 : 7);
	}
	until_asleep(c);
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	kill(c, SIGCONT);
	is(reap(c), 7);
	check(now_ns() - t >= 200000000);
}
