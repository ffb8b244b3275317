/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: dup and its relatives, fcntl, close_range, limits, sharing. */
#include "tests/abi/abi.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

TEST(dup_family)
{
	int a = works(open("/dev/null", O_RDWR | O_CLOEXEC));
	int b = works(dup(a));

	is(fcntl(b, F_GETFD), 0);
	is(fcntl(a, F_GETFD), FD_CLOEXEC);
	is(dup2(a, 50), 50);
	is(fcntl(50, F_GETFD), 0);
	is(dup2(a, a), a);
	is(fcntl(a, F_GETFD), FD_CLOEXEC);
	fails(dup2(999, 999), EBADF);
	fails(dup2(999, 51), EBADF);
	fails(dup2(a, -1), EBADF);
	fails(dup2(a, 1 << 30), EBADF);
	is(dup3(a, 52, O_CLOEXEC), 52);
	is(fcntl(52, F_GETFD), FD_CLOEXEC);
	is(dup3(a, 52, 0), 52);
	is(fcntl(52, F_GETFD), 0);
	fails(dup3(a, a, 0), EINVAL);
	fails(dup3(a, 53, O_NONBLOCK), EINVAL);
	fails(dup(-1), EBADF);
	fails(dup(999), EBADF);
	is(fcntl(a, F_DUPFD, 60), 60);
	is(fcntl(a, F_DUPFD, 60), 61);
	is(fcntl(a, F_DUPFD_CLOEXEC, 60), 62);
	is(fcntl(62, F_GETFD), FD_CLOEXEC);
	fails(fcntl(a, F_DUPFD, -1), EINVAL);
	fails(fcntl(a, F_DUPFD, 1 << 30), EINVAL);
}

TEST(fcntl_flags)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	int d = works(dup(fd));

	is(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	is(fcntl(d, F_GETFD), 0);
	is(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND), 0);
	is(fcntl(d, F_GETFL) & (O_NONBLOCK | O_APPEND), O_NONBLOCK | O_APPEND);
	/* Access mode and creation flags cannot be changed. */
	is(fcntl(fd, F_SETFL, O_WRONLY | O_TRUNC | O_CREAT), 0);
	is(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND), O_RDWR);
	fails(fcntl(fd, 9999, 0), EINVAL);
	fails(fcntl(-1, F_GETFD), EBADF);
	fails(fcntl(999, F_SETFL, 0), EBADF);
}

TEST(ioctl_flags)
{
	int on = 1;
	int n = -1;
	int p[2];

	pipe(p);
	is(ioctl(p[0], FIOCLEX), 0);
	is(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	is(ioctl(p[0], FIONCLEX), 0);
	is(fcntl(p[0], F_GETFD), 0);
	is(ioctl(p[0], FIONBIO, &on), 0);
	is(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	put("f", "12345");
	is(ioctl(works(open("f", O_RDONLY)), FIONREAD, &n), 0);
	is(n, 5);
	fails(ioctl(p[0], 0x7777), ENOTTY);
	fails(ioctl(p[0], TCGETS, &n), ENOTTY);
	fails(ioctl(-1, FIONREAD, &n), EBADF);
	fails(ioctl(p[0], FIONREAD, BAD), EFAULT);
}

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(close_range_call)
{
	in_child {
		for (int i = 70; i < 90; i++)
			dup2(0, i);
		is(syscall(SYS_close_range, 72, 80, 0), 0);
		check(is_open(71) && !is_open(72) && !is_open(80));
		check(is_open(81));
		is(syscall(SYS_close_range, 85, 87, CLOSE_RANGE_CLOEXEC), 0);
		is(fcntl(84, F_GETFD), 0);
		is(fcntl(85, F_GETFD), FD_CLOEXEC);
		is(fcntl(87, F_GETFD), FD_CLOEXEC);
		is(fcntl(88, F_GETFD), 0);
		is(syscall(SYS_close_range, 200, 300, 0), 0);
		fails(syscall(SYS_close_range, 90, 80, 0), EINVAL);
		fails(syscall(SYS_close_range, 80, 90, 8), EINVAL);
		is(syscall(SYS_close_range, 81, 99, CLOSE_RANGE_UNSHARE), 0);
		check(!is_open(81));
	}
	in_child {
		int keep = dup(abi_out);

		is(dup2(0, 150), 150);
		is(dup2(keep, 2), 2);
		abi_out = 2;
		is(syscall(SYS_close_range, 3, ~0U, 0), 0);
		check(!is_open(150));
	}
}

TEST(limit)
{
	struct rlimit r = { 64, 64 };
	int fd, last = -1;

	in_child {
		is(setrlimit(RLIMIT_NOFILE, &r), 0);
		while ((fd = dup(0)) >= 0)
			last = fd;
		check(errno == EMFILE);
		is(last, 63);
		fails(open("/dev/null", O_RDONLY), EMFILE);
		fails(pipe((int[2]){ 0 }), EMFILE);
		fails(dup2(0, 64), EBADF);
		fails(fcntl(0, F_DUPFD, 0), EMFILE);
		fails(fcntl(0, F_DUPFD, 64), EINVAL);
		is(dup2(0, 63), 63);
		is(close(40), 0);
		/* One free is not enough for a pipe and none may leak. */
		fails(pipe((int[2]){ 0 }), EMFILE);
		is(dup(0), 40);
	}
}

TEST(table_growth)
{
	struct rlimit r = { 70000, 70000 };
	bool good = true;

	in_child {
		is(setrlimit(RLIMIT_NOFILE, &r), 0);
		is(dup2(0, 65000), 65000);
		is(dup2(0, 300), 300);
		for (int i = 301; i < 3000; i++)
			good &= dup2(0, i) == i;
		check(good);
		is(fcntl(0, F_DUPFD, 300), 3000);
		in_child {
			check(is_open(65000) && is_open(2999));
		}
	}
}

static int
sharer(void *arg)
{
	(void)arg;
	close(170);
	return dup2(0, 171) == 171 ? 0 : 1;
}

TEST(shared_table)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t c;

	in_child {
		dup2(0, 170);
		c = works(clone(sharer, stack + sizeof(stack),
				CLONE_FILES | CLONE_VM | SIGCHLD, NULL));
		is(reap(c), 0);
		check(!is_open(170));
		check(is_open(171));
	}
	in_child {
		dup2(0, 170);
		c = works(clone(sharer, stack + sizeof(stack),
				CLONE_VM | SIGCHLD, NULL));
		is(reap(c), 0);
		check(is_open(170));
		check(!is_open(171));
	}
}

/* dup2 closes what was there: the pipe's last writer goes. */
static int storm_pipe[2];

/* Each descriptor that a call returns is this thread's alone until it closes it. */
static void *
storm(void *arg)
{
	int own = 200 + (int)(long)arg;
	long wrong = 0;

	for (int i = 0; i < 1500; i++) {
		int fd = dup(storm_pipe[1]);

		wrong += fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_GETFD) != 1;
		wrong += dup2(fd, own) != own || fcntl(own, F_GETFD) != 0;
		wrong += close(fd) != 0;
		if (i % 8 == 0)
			wrong += close(own) != 0;
		if (i % 128 == 0) {
			fd = fcntl(storm_pipe[1], F_DUPFD, 250 + i / 2);
			wrong += fd < 250 + i / 2 || close(fd) != 0;
		}
	}
	close(own);
	return (void *)wrong;
}

/* Threads that take, replace and close descriptors: none is lost, given twice or kept open. */
TEST(threads_on_one_table)
{
	pthread_t t[4];
	void *wrong;
	char byte;
	int low;

	is(pipe2(storm_pipe, O_NONBLOCK), 0);
	/* Few are free below 64, so that tables' groups fill up. */
	for (low = works(dup(storm_pipe[1])); low < 60; low = works(dup(storm_pipe[1])))
		;
	for (long i = 0; i < 4; i++)
		is(pthread_create(&t[i], NULL, storm, (void *)i), 0);
	for (int i = 0; i < 20; i++) {
		in_child
		{
			/* A copy of one moment: the lowest descriptors are all there. */
			_exit(fcntl(storm_pipe[0], F_GETFD) != 0 || fcntl(50, F_GETFD) != 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	is(dup(storm_pipe[1]), low + 1);
	is(close(7), 0);
	is(dup(storm_pipe[1]), 7);
	/* The end of the file comes with the last of them. */
	for (int fd = 3; fd < 100; fd++)
		if (fd != storm_pipe[0] && fd != low)
			close(fd);
	fails(read(storm_pipe[0], &byte, 1), EAGAIN);
	is(close(low), 0);
	is(read(storm_pipe[0], &byte, 1), 0);
}

TEST(dup2_closes)
{
	char c;
	int p[2];

	pipe(p);
	is(dup2(p[0], p[1]), p[1]);
	is(read(p[0], &c, 1), 0);
}

TEST(owner)
{
	struct f_owner_ex o = { F_OWNER_TID, 0 };
	int p[2];

	pipe(p);
	is(fcntl(p[0], F_GETOWN), 0);
	is(fcntl(p[0], F_SETOWN, getpid()), 0);
	is(fcntl(p[0], F_GETOWN), getpid());
	is(fcntl(p[0], F_GETOWN_EX, &o), 0);
	is(o.type, F_OWNER_PID);
	is(o.pid, getpid());
	o = (struct f_owner_ex){ F_OWNER_TID, gettid() };
	is(fcntl(p[0], F_SETOWN_EX, &o), 0);
	o.type = 9;
	fails(fcntl(p[0], F_SETOWN_EX, &o), EINVAL);
	is(fcntl(p[0], F_SETOWN, -getpgrp()), 0);
	is(fcntl(p[0], F_GETOWN_EX, &o), 0);
	is(o.type, F_OWNER_PGRP);
	is(o.pid, getpgrp());
	fails(fcntl(p[0], F_SETOWN, 4999999), ESRCH);
	is(fcntl(p[0], F_SETSIG, SIGUSR1), 0);
	is(fcntl(p[0], F_GETSIG), SIGUSR1);
	fails(fcntl(p[0], F_SETSIG, 100), EINVAL);
}

TEST(ioctl_of_files)
{
	int fd = works(open("f", O_RDWR | O_CREAT, 0600));
	int n = 0, p[2];
	long size = -1;

	is(write(fd, "12345678", 8), 8);
	is(lseek(fd, 3, SEEK_SET), 3);
	is(ioctl(fd, 0x541b, &n), 0);
	is(n, 5);
	is(ioctl(fd, 2, &n), 0);
	is(n, 4096);
	is(ioctl(fd, 0x5460, &size), 0);
	check(size >= 8 && size % 512 == 0);
	fails(ioctl(fd, 2, BAD), EFAULT);
	fails(ioctl(fd, 0x5452, BAD), EFAULT);
	n = 1;
	fails(ioctl(fd, 0x5452, &n), ENOTTY);
	pipe(p);
	is(ioctl(p[0], 2, &n), 0);
	fails(ioctl(p[0], 0x5460, &size), ENOTTY);
	fails(ioctl(fd, 0x12345, &n), ENOTTY);
}

/* A descriptor that finds no place takes nothing from the handle. */
TEST(pidfd_without_room)
{
	struct rlimit none = { 0, 64 }, some = { 64, 64 };
	int p[2], pidfd;
	char c = 0;

	is(pipe(p), 0);
	pidfd = works(syscall(SYS_pidfd_open, getpid(), 0));
	is(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 50; i++) {
		fails(syscall(SYS_pidfd_open, getpid(), 0), EMFILE);
		fails(syscall(SYS_pidfd_getfd, pidfd, p[1], 0), EMFILE);
	}
	is(setrlimit(RLIMIT_NOFILE, &some), 0);
	is(write(p[1], "x", 1), 1);
	is(read(p[0], &c, 1), 1);
	is(c, 'x');
	close(pidfd);
}
