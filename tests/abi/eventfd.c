/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd and signalfd. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static short
polled(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&f, 1, 0) < 0 ? -1 : f.revents;
}

TEST(event_counter)
{
	uint64_t v = 0;
	int fd = works(eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));

	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(polled(fd), POLLIN | POLLOUT);
	is(read(fd, &v, 8), 8);
	is(v, 5);
	is(polled(fd), POLLOUT);
	fails(read(fd, &v, 8), EAGAIN);
	v = 3;
	is(write(fd, &v, 8), 8);
	v = 4;
	is(write(fd, &v, 8), 8);
	is(read(fd, &v, 8), 8);
	is(v, 7);
	v = -2;
	is(write(fd, &v, 8), 8);
	is(polled(fd), POLLIN);
	v = 1;
	fails(write(fd, &v, 8), EAGAIN);
	v = -1;
	fails(write(fd, &v, 8), EINVAL);
	is(read(fd, &v, 8), 8);
	is(v, -2);
	fails(read(fd, &v, 7), EINVAL);
	fails(write(fd, &v, 7), EINVAL);
	v = 9;
	is(write(fd, &v, 8), 8);
	{
		uint64_t two[2] = { 0, 77 };

		is(read(fd, two, 16), 8);
		is(two[0], 9);
		is(two[1], 77);
	}
	fails(eventfd(0, 0x10), EINVAL);
	is(lseek(fd, 10, SEEK_SET), 0);
	fails(pread(fd, &v, 8, 0), ESPIPE);
}

TEST(event_semaphore)
{
	uint64_t v = 0;
	int fd = works(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));

	is(read(fd, &v, 8), 8);
	is(v, 1);
	is(read(fd, &v, 8), 8);
	is(v, 1);
	fails(read(fd, &v, 8), EAGAIN);
}

TEST(event_blocking)
{
	uint64_t v = 0;
	int fd = works(eventfd(0, 0));
	pid_t c;

	c = fork();
	if (!c)
		_exit(read(fd, &v, 8) == 8 && v == 42 ? 7 : 1);
	check(until_asleep(c));
	v = 42;
	write(fd, &v, 8);
	is(reap(c), 7);
	v = -2;
	write(fd, &v, 8);
	c = fork();
	if (!c) {
		v = 10;
		_exit(write(fd, &v, 8) == 8 ? 7 : 1);
	}
	check(until_asleep(c));
	is(read(fd, &v, 8), 8);
	is(reap(c), 7);
	is(read(fd, &v, 8), 8);
	is(v, 10);
}

static struct signalfd_siginfo
next_info(int fd)
{
	struct signalfd_siginfo si = { 0 };

	is(read(fd, &si, sizeof(si)), sizeof(si));
	return si;
}

/* Goes round the machine's CPUs, the first two of them. */
static void
on_cpu(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n % 2, &set);
	/* With one CPU it stays there. */
	sched_setaffinity(0, sizeof(set), &set);
}

static void
add_from_both(int fd, int times)
{
	uint64_t v = 1;

	for (int i = 0; i < times; i++) {
		on_cpu(i);
		is(write(fd, &v, 8), 8);
	}
}

/* What was added here and there is one count: for reads, for poll, for the limit. */
TEST(event_counter_of_two_cpus)
{
	int fd = works(eventfd(0, EFD_NONBLOCK));
	uint64_t v;

	for (int round = 0; round < 3; round++) {
		add_from_both(fd, 40);
		is(polled(fd), POLLIN | POLLOUT);
		is(read(fd, &v, 8), 8);
		is(v, 40);
		is(polled(fd), POLLOUT);
		fails(read(fd, &v, 8), EAGAIN);
	}
	add_from_both(fd, 40);
	/* 2^64 - 2 at most. */
	v = -2ull - 40 - 10;
	is(write(fd, &v, 8), 8);
	v = 11;
	fails(write(fd, &v, 8), EAGAIN);
	add_from_both(fd, 10);
	is(polled(fd), POLLIN);
	v = 1;
	fails(write(fd, &v, 8), EAGAIN);
	is(read(fd, &v, 8), 8);
	is(v, -2ull);
	is(polled(fd), POLLOUT);
}

TEST(event_semaphore_of_two_cpus)
{
	int fd = works(eventfd(100, EFD_NONBLOCK | EFD_SEMAPHORE));
	uint64_t v;
	int taken = 0;

	for (int i = 0; i < 60; i++, taken++) {
		on_cpu(i);
		is(read(fd, &v, 8), 8);
		is(v, 1);
	}
	add_from_both(fd, 20);
	/* From one CPU, what both have. */
	for (on_cpu(1); read(fd, &v, 8) == 8 && v == 1; taken++)
		is(polled(fd), taken < 119 ? POLLIN | POLLOUT : POLLOUT);
	is(taken, 120);
	fails(read(fd, &v, 8), EAGAIN);
}

/* A reader asleep wakes by an add from wherever. */
TEST(event_blocking_of_two_cpus)
{
	int fd = works(eventfd(0, 0));
	uint64_t v;
	pid_t c;

	add_from_both(fd, 40);
	is(read(fd, &v, 8), 8);
	add_from_both(fd, 40);
	c = fork();
	if (!c) {
		on_cpu(1);
		is(read(fd, &v, 8), 8);
		is(v, 40);
		if (read(fd, &v, 8) != 8)
			_exit(1);
		_exit((int)v);
	}
	check(until_asleep(c));
	on_cpu(0);
	v = 5;
	is(write(fd, &v, 8), 8);
	is(reap(c), 5);
}

TEST(signal_reading)
{
	struct signalfd_siginfo si;
	sigset_t s = sigs(SIGUSR1, SIGUSR2);
	int fd;

	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = works(signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC));
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fails(read(fd, &si, sizeof(si)), EAGAIN);
	is(polled(fd), 0);
	kill(getpid(), SIGUSR1);
	is(polled(fd), POLLIN);
	si = next_info(fd);
	is(si.ssi_signo, SIGUSR1);
	is(si.ssi_code, SI_USER);
	is(si.ssi_pid, getpid());
	is(si.ssi_uid, 0);
	fails(read(fd, &si, sizeof(si)), EAGAIN);
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 77 });
	si = next_info(fd);
	is(si.ssi_signo, SIGUSR2);
	is(si.ssi_code, SI_QUEUE);
	is(si.ssi_int, 77);
	in_child {
		kill(getppid(), SIGUSR1);
	}
	si = next_info(fd);
	check((pid_t)si.ssi_pid != getpid());
	fails(read(fd, &si, sizeof(si) - 1), EINVAL);
	fails(write(fd, &si, sizeof(si)), EINVAL);
}

TEST(signal_several)
{
	struct signalfd_siginfo si[4];
	sigset_t s = sigs(SIGUSR1, SIGRTMIN);
	int fd;

	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = works(signalfd(-1, &s, SFD_NONBLOCK));
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < 2; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	is(read(fd, si, sizeof(si)), 3 * sizeof(si[0]));
	is(si[0].ssi_signo, SIGUSR1);
	is(si[1].ssi_signo, SIGRTMIN);
	is(si[1].ssi_int, 0);
	is(si[2].ssi_int, 1);
}

TEST(signal_mask_change)
{
	struct signalfd_siginfo si;
	sigset_t both = sigs(SIGUSR1, SIGUSR2);
	sigset_t one = sigs(SIGUSR2, 0);
	sigset_t kill_set = sigs(SIGKILL, SIGSTOP);
	int fd;

	sigprocmask(SIG_BLOCK, &both, NULL);
	fd = works(signalfd(-1, &one, SFD_NONBLOCK));
	raise(SIGUSR1);
	fails(read(fd, &si, sizeof(si)), EAGAIN);
	is(signalfd(fd, &both, 0), fd);
	si = next_info(fd);
	is(si.ssi_signo, SIGUSR1);
	fails(signalfd(999, &both, 0), EBADF);
	fails(signalfd(open("/dev/null", O_RDONLY), &both, 0), EINVAL);
	fails(signalfd(-1, &both, 1), EINVAL);
	fails(syscall(SYS_signalfd4, -1, &both, 4L, 0), EINVAL);
	fails(syscall(SYS_signalfd4, -1, BAD, 8L, 0), EFAULT);
	works(signalfd(-1, &kill_set, 0));
}

TEST(signal_child)
{
	struct signalfd_siginfo si;
	sigset_t s = sigs(SIGCHLD, 0);
	pid_t c;
	int fd;

	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = works(signalfd(-1, &s, 0));
	c = fork();
	if (!c)
		_exit(3);
	si = next_info(fd);
	is(si.ssi_signo, SIGCHLD);
	is(si.ssi_code, CLD_EXITED);
	is(si.ssi_pid, c);
	is(si.ssi_status, 3);
	is(reap(c), 3);
}

/* A reader asleep wakes; the reader's own signals count, not the maker's. */
TEST(signal_blocking_read)
{
	struct signalfd_siginfo si;
	sigset_t s = sigs(SIGUSR1, 0);
	pid_t c;
	int fd;

	sigprocmask(SIG_BLOCK, &s, NULL);
	fd = works(signalfd(-1, &s, 0));
	c = fork();
	if (!c) {
		if (read(fd, &si, sizeof(si)) != sizeof(si))
			_exit(1);
		_exit(si.ssi_signo == SIGUSR1 ? 7 : 2);
	}
	check(until_asleep(c));
	is(polled(fd), 0);
	kill(c, SIGUSR1);
	is(reap(c), 7);
}
