/* SPDX-License-Identifier: BSD-2-Clause */
/* File locks: POSIX and open-file-description records, flock, EDEADLK. */
#include "tests/abi/abi.h"

#include <sys/file.h>

static struct flock
range(short type, off_t start, off_t len)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
			       .l_start = start, .l_len = len };
}

static int
lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock l = range(type, start, len);

	return fcntl(fd, cmd, &l);
}

static int
file(void)
{
	return open("f", O_CREAT | O_RDWR, 0600);
}

/* What F_GETLK tells a child about a write lock on the range. */
static void
seen(int fd, off_t start, off_t len, short type, off_t s, off_t n)
{
	in_child {
		struct flock l = range(F_WRLCK, start, len);

		is(fcntl(fd, F_GETLK, &l), 0);
		is(l.l_type, type);
		if (type != F_UNLCK) {
			is(l.l_start, s);
			is(l.l_len, n);
			is(l.l_pid, getppid());
		}
	}
}

TEST(posix_ranges)
{
	int fd = file();

	is(lock(fd, F_SETLK, F_WRLCK, 10, 20), 0);
	seen(fd, 0, 10, F_UNLCK, 0, 0);
	seen(fd, 0, 11, F_WRLCK, 10, 20);
	seen(fd, 29, 1, F_WRLCK, 10, 20);
	seen(fd, 30, 0, F_UNLCK, 0, 0);
	/* A hole in the middle leaves two pieces. */
	is(lock(fd, F_SETLK, F_UNLCK, 15, 5), 0);
	seen(fd, 0, 0, F_WRLCK, 10, 5);
	seen(fd, 15, 5, F_UNLCK, 0, 0);
	seen(fd, 16, 0, F_WRLCK, 20, 10);
	/* Neighbours of one type join. */
	is(lock(fd, F_SETLK, F_WRLCK, 15, 5), 0);
	seen(fd, 0, 0, F_WRLCK, 10, 20);
	/* Another type over a part splits in three. */
	is(lock(fd, F_SETLK, F_RDLCK, 12, 4), 0);
	seen(fd, 12, 1, F_RDLCK, 12, 4);
	seen(fd, 10, 1, F_WRLCK, 10, 2);
	seen(fd, 20, 1, F_WRLCK, 16, 14);
	is(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	seen(fd, 0, 0, F_UNLCK, 0, 0);
}

TEST(posix_whence)
{
	struct flock l;
	int fd = file();

	ftruncate(fd, 100);
	lseek(fd, 50, SEEK_SET);
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR,
			    .l_start = -10, .l_len = 5 };
	is(fcntl(fd, F_SETLK, &l), 0);
	seen(fd, 0, 0, F_WRLCK, 40, 5);
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END,
			    .l_start = -10, .l_len = 0 };
	is(fcntl(fd, F_SETLK, &l), 0);
	seen(fd, 0, 0, F_WRLCK, 90, 0);
	lock(fd, F_SETLK, F_UNLCK, 0, 0);
	/* A negative length covers what lies before. */
	l = range(F_WRLCK, 30, -10);
	is(fcntl(fd, F_SETLK, &l), 0);
	seen(fd, 0, 0, F_WRLCK, 20, 10);
	l = range(F_WRLCK, 5, -10);
	fails(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_WRLCK, -1, 0);
	fails(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_WRLCK, LONG_MAX, LONG_MAX);
	fails(fcntl(fd, F_SETLK, &l), EOVERFLOW);
	l = range(9, 0, 0);
	fails(fcntl(fd, F_SETLK, &l), EINVAL);
	l = range(F_UNLCK, 0, 0);
	fails(fcntl(fd, F_GETLK, &l), EINVAL);
	l.l_whence = 7;
	fails(fcntl(fd, F_SETLK, &l), EINVAL);
	fails(fcntl(fd, F_SETLK, BAD), EFAULT);
	fails(lock(-1, F_SETLK, F_WRLCK, 0, 0), EBADF);
}

TEST(posix_conflicts)
{
	int fd = file();
	int ro = works(open("f", O_RDONLY));
	int wo = works(open("f", O_WRONLY));

	is(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
	in_child {
		is(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
		fails(lock(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
		fails(lock(fd, F_SETLK, F_WRLCK, 9, 1), EAGAIN);
		is(lock(fd, F_SETLK, F_WRLCK, 10, 1), 0);
	}
	fails(lock(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
	fails(lock(wo, F_SETLK, F_RDLCK, 0, 1), EBADF);
	is(lock(wo, F_SETLK, F_WRLCK, 0, 10), 0);
	/* Closing any descriptor of the file drops all of the process. */
	close(ro);
	in_child {
		is(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	}
}

TEST(posix_owner)
{
	struct gate ready = gate_new();
	int fd = file();
	pid_t p;

	is(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	/* Not inherited, and freed at exit. */
	in_child {
		fails(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
		close(fd);
	}
	seen(fd, 0, 0, F_WRLCK, 0, 0);
	is(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	p = fork();
	if (!p) {
		lock(fd, F_SETLK, F_WRLCK, 0, 0);
		gate_open(&ready);
		pause();
	}
	gate_wait(&ready);
	fails(lock(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
	kill(p, SIGKILL);
	is(reap(p), -SIGKILL);
	is(lock(fd, F_SETLK, F_WRLCK, 5, 1), 0);
}

TEST(posix_waiting)
{
	int fd = file();
	pid_t p;

	is(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	p = fork();
	if (!p)
		_exit(lock(fd, F_SETLKW, F_WRLCK, 5, 10) ? 1 : 7);
	check(until_asleep(p));
	is(lock(fd, F_SETLK, F_UNLCK, 0, 5), 0);
	msleep(20);
	check(until_asleep(p));
	is(lock(fd, F_SETLK, F_UNLCK, 5, 5), 0);
	is(reap(p), 7);
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(posix_interrupted)
{
	int fd = file();
	pid_t p;

	is(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	p = fork();
	if (!p) {
		handle(SIGUSR1, nothing, 0);
		if (lock(fd, F_SETLKW, F_WRLCK, 0, 1) != -1)
			_exit(1);
		_exit(errno == EINTR ? 7 : 2);
	}
	check(until_asleep(p));
	kill(p, SIGUSR1);
	is(reap(p), 7);
}

TEST(posix_deadlock)
{
	struct gate ready = gate_new();
	int fd = file();
	pid_t p;

	is(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	p = fork();
	if (!p) {
		lock(fd, F_SETLK, F_WRLCK, 1, 1);
		gate_open(&ready);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) ? 1 : 7);
	}
	gate_wait(&ready);
	check(until_asleep(p));
	fails(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	is(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	is(reap(p), 7);
}

/* A cycle of three. */
TEST(posix_deadlock_of_three)
{
	struct gate ready = gate_new();
	int fd = file();
	pid_t p[2];

	is(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	for (int i = 0; i < 2; i++) {
		p[i] = fork();
		if (!p[i]) {
			lock(fd, F_SETLK, F_WRLCK, i + 1, 1);
			gate_open(&ready);
			_exit(lock(fd, F_SETLKW, F_WRLCK, i, 1) ? 1 : 7 + i);
		}
		gate_wait(&ready);
		check(until_asleep(p[i]));
	}
	fails(lock(fd, F_SETLKW, F_WRLCK, 2, 1), EDEADLK);
	is(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	is(reap(p[0]), 7);
	is(reap(p[1]), 8);
}

TEST(ofd_locks)
{
	struct flock l;
	int a = file();
	int b = works(open("f", O_RDWR));
	int d = works(dup(a));

	is(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	fails(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10), EAGAIN);
	fails(lock(b, F_SETLK, F_WRLCK, 5, 10), EAGAIN);
	is(lock(d, F_OFD_SETLK, F_RDLCK, 0, 10), 0);
	l = range(F_WRLCK, 0, 0);
	is(fcntl(b, F_OFD_GETLK, &l), 0);
	is(l.l_type, F_RDLCK);
	is(l.l_pid, -1);
	l = range(F_WRLCK, 0, 0);
	l.l_pid = 1;
	fails(fcntl(b, F_OFD_SETLK, &l), EINVAL);
	/* Shared through fork; closing another description keeps them. */
	in_child {
		is(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
		fails(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
	}
	close(works(open("f", O_RDONLY)));
	fails(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
	close(a);
	fails(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), EAGAIN);
	close(d);
	is(lock(b, F_OFD_SETLK, F_WRLCK, 0, 1), 0);
}

TEST(ofd_waiting)
{
	int a = file();
	pid_t p;

	is(lock(a, F_OFD_SETLK, F_WRLCK, 0, 0), 0);
	p = fork();
	if (!p) {
		int b = open("f", O_RDWR);

		_exit(lock(b, F_OFD_SETLKW, F_RDLCK, 0, 0) ? 1 : 7);
	}
	check(until_asleep(p));
	is(lock(a, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
	is(reap(p), 7);
}

TEST(flock_rules)
{
	int a = file();
	int b = works(open("f", O_RDONLY));
	int d = works(dup(a));
	int p[2];

	is(flock(a, LOCK_SH), 0);
	is(flock(b, LOCK_SH | LOCK_NB), 0);
	fails(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	/* A failed upgrade has dropped what was held. */
	is(flock(a, LOCK_EX | LOCK_NB), 0);
	fails(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	is(flock(d, LOCK_EX), 0);
	in_child {
		is(flock(a, LOCK_EX | LOCK_NB), 0);
	}
	close(a);
	fails(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	is(flock(d, LOCK_UN), 0);
	is(flock(b, LOCK_EX | LOCK_NB), 0);
	is(flock(b, LOCK_UN), 0);
	is(flock(b, LOCK_UN), 0);
	fails(flock(b, 0), EINVAL);
	fails(flock(b, LOCK_SH | LOCK_EX), EINVAL);
	fails(flock(-1, LOCK_SH), EBADF);
	fails(flock(works(open("f", O_PATH)), LOCK_SH), EBADF);
	/* The two families do not see each other. */
	is(flock(b, LOCK_EX), 0);
	is(lock(d, F_SETLK, F_WRLCK, 0, 0), 0);
	pipe(p);
	is(flock(p[0], LOCK_EX), 0);
	fails(flock(p[1], LOCK_EX | LOCK_NB), EAGAIN);
	close(p[0]);
	is(flock(p[1], LOCK_EX | LOCK_NB), 0);
}

TEST(flock_waiting)
{
	int a = file();
	pid_t p;

	is(flock(a, LOCK_EX), 0);
	p = fork();
	if (!p) {
		close(a);
		_exit(flock(open("f", O_RDONLY), LOCK_EX) ? 1 : 7);
	}
	check(until_asleep(p));
	close(a);
	is(reap(p), 7);
	a = file();
	is(flock(a, LOCK_EX), 0);
	p = fork();
	if (!p) {
		handle(SIGUSR1, nothing, 0);
		if (flock(open("f", O_RDONLY), LOCK_EX) != -1)
			_exit(1);
		_exit(errno == EINTR ? 7 : 2);
	}
	check(until_asleep(p));
	kill(p, SIGUSR1);
	is(reap(p), 7);
}

/* Counters behind a lock from four processes come out exact. */
TEST(mutual_exclusion)
{
	int fd = file();
	int n = 0;

	write(fd, &n, sizeof(n));
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			int f = open("f", O_RDWR);

			for (int j = 0; j < 100; j++) {
				lock(f, F_SETLKW, F_WRLCK, 0, 4);
				pread(f, &n, 4, 0);
				n++;
				pwrite(f, &n, 4, 0);
				lock(f, F_SETLKW, F_UNLCK, 0, 4);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
	is(pread(fd, &n, 4, 0), 4);
	is(n, 400);
}

/* The same with ranges that overlap: a counter for each 512 bytes, some or all of them locked. */
TEST(mutual_exclusion_of_ranges)
{
	int fd = file(), n[32] = { 0 }, sum = 0;

	write(fd, n, sizeof(n));
	pwrite(fd, n, 4, 1000);
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			unsigned int seed = i + 1;
			int f = open("f", O_RDWR);

			for (int j = 0; j < 150; j++) {
				int first = rand_r(&seed) % 32;
				int many = j % 4 ? 1 : rand_r(&seed) % (33 - first);
				/* 0 is: to the end. */
				int all = many ? many : 32 - first;
				int at = first * 4;

				if (lock(f, F_SETLKW, F_WRLCK, first * 512, many * 512))
					_exit(1);
				pread(f, n, all * 4, at);
				for (int k = 0; k < all; k++)
					n[k]++;
				pwrite(f, n, all * 4, at);
				sum += all;
				if (lock(f, F_SETLKW, F_UNLCK, first * 512, many * 512))
					_exit(2);
			}
			/* What it has added, for the sum. */
			lock(f, F_SETLKW, F_WRLCK, 1 << 20, 1);
			pread(f, n, 4, 1000);
			n[0] += sum;
			pwrite(f, n, 4, 1000);
			close(f);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
	is(pread(fd, n, sizeof(n), 0), sizeof(n));
	for (int k = 0; k < 32; k++)
		sum += n[k];
	is(pread(fd, n, 4, 1000), 4);
	is(n[0], sum);
	seen(fd, 0, 0, F_UNLCK, 0, 0);
}
