/* SPDX-License-Identifier: BSD-2-Clause */
/* process_madvise(2), process_mrelease(2), memfd_secret(2), kinds of madvise(2), mincore(2). */
#include "tests/abi/mem.h"

#include <sys/uio.h>

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static int
pidfd(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static long
advise(int fd, const struct iovec *v, long n, int advice, int flags)
{
	return syscall(SYS_process_madvise, fd, v, n, advice, flags);
}

TEST(process_madvise)
{
	char *p = pages(8, RW);
	struct iovec v[3] = { { p, 2 * K4 }, { p + 4 * K4, K4 }, { p, 0 } };
	int me = pidfd(getpid()), other;
	pid_t child;

	is(advise(me, v, 3, MADV_COLD, 0), 3 * K4);
	is(advise(me, v, 2, MADV_PAGEOUT, 0), 3 * K4);
	is(advise(me, v, 1, MADV_WILLNEED, 0), 2 * K4);
	is(advise(me, v, 0, MADV_COLD, 0), 0);
	fails(advise(me, v, 1, MADV_COLD, 1), EINVAL);
	fails(advise(me, v, 1, MADV_DONTNEED, 0), EINVAL);
	fails(advise(me, v, 1, MADV_FREE, 0), EINVAL);
	fails(advise(me, v, 1, 1000, 0), EINVAL);
	fails(advise(-1, v, 1, MADV_COLD, 0), EBADF);
	fails(advise(0, v, 1, MADV_COLD, 0), EBADF);
	fails(advise(me, BAD, 1, MADV_COLD, 0), EFAULT);
	fails(advise(me, v, 1025, MADV_COLD, 0), EINVAL);
	v[1].iov_base = p + 1;
	is(advise(me, v, 2, MADV_COLD, 0), 2 * K4);
	fails(advise(me, v + 1, 1, MADV_COLD, 0), EINVAL);
	munmap(p + 5 * K4, K4);
	v[1].iov_base = p + 5 * K4;
	fails(advise(me, v + 1, 1, MADV_COLD, 0), ENOMEM);
	v[1].iov_len = -1;
	fails(advise(me, v, 2, MADV_COLD, 0), EINVAL);
	v[1] = (struct iovec){ (void *)(1L << 63), K4 };
	fails(advise(me, v, 2, MADV_COLD, 0), EFAULT);
	/* Another's. */
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	other = pidfd(child);
	is(advise(other, v, 1, MADV_COLD, 0), 2 * K4);
	in_child {
		drop(USER);
		fails(advise(other, v, 1, MADV_COLD, 0), EACCES);
		fails(advise(other, v, 1, MADV_DONTNEED, 0), EINVAL);
		/* Its own is not for it to advise, either. */
		fails(advise(pidfd(getpid()), v, 1, MADV_COLD, 0), EPERM);
	}
	kill(child, SIGKILL);
	waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
	fails(advise(other, v, 1, MADV_COLD, 0), ESRCH);
	reap(child);
	fails(advise(other, v, 1, MADV_COLD, 0), ESRCH);
}

TEST(process_mrelease)
{
	struct gate ready = gate_new(), go = gate_new();
	pid_t child = fork();
	long r;
	int fd;

	if (!child) {
		char *p = pages(1000, RW);

		memset(p, 1, 1000 * K4);
		gate_open(&ready);
		gate_wait(&go);
		_exit(p[5 * K4] == 1 ? 7 : 8);
	}
	gate_wait(&ready);
	fd = pidfd(child);
	fails(syscall(SYS_process_mrelease, fd, 1), EINVAL);
	fails(syscall(SYS_process_mrelease, -1, 0), EBADF);
	fails(syscall(SYS_process_mrelease, 0, 0), EBADF);
	/* One that lives keeps its memory. */
	fails(syscall(SYS_process_mrelease, fd, 0), EINVAL);
	gate_open(&go);
	is(reap(child), 7);
	fails(syscall(SYS_process_mrelease, fd, 0), ESRCH);
	/* One that is killed: it may be gone already. */
	for (int i = 0; i < 20; i++) {
		child = fork();
		if (!child) {
			memset(pages(1000, RW), 1, 1000 * K4);
			gate_open(&ready);
			for (;;)
				pause();
		}
		gate_wait(&ready);
		fd = pidfd(child);
		kill(child, SIGKILL);
		r = syscall(SYS_process_mrelease, fd, 0);
		check(r == 0 || errno == ESRCH || errno == EAGAIN);
		is(reap(child), -SIGKILL);
		close(fd);
	}
	/* A child that shares all memory keeps it. */
	child = fork();
	if (!child) {
		if (!vfork()) {
			write(ready.fd[1], "x", 1);
			for (;;)
				pause();
		}
		_exit(0);
	}
	gate_wait(&ready);
	kill(child, SIGKILL);
	fd = pidfd(child);
	r = syscall(SYS_process_mrelease, fd, 0);
	check(r == -1 && (errno == EINVAL || errno == ESRCH));
	is(reap(child), -SIGKILL);
}

/* What a call writes while its memory is released is what was there, or nothing. */
TEST_LIMIT(released_while_written, 60)
{
	const long size = 4 << 20;
	struct gate ready = gate_new();
	int fd = memfd_create("x", 0), bad = 0, pfd;
	char *p = pages(size / K4, RW), *file;

	ftruncate(fd, size);
	file = mmap(NULL, size, RW, MAP_SHARED, fd, 0);
	memset(p, 'w', size);
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();

		if (!child) {
			memset(p, 'x', size);
			pwrite(fd, p, size, 0);
			gate_open(&ready);
			for (;;)
				pwrite(fd, p, size, 0);
		}
		gate_wait(&ready);
		for (volatile int k = 0; k < i * 1000; k++)
			;
		pfd = pidfd(child);
		kill(child, SIGKILL);
		syscall(SYS_process_mrelease, pfd, 0);
		is(reap(child), -SIGKILL);
		close(pfd);
		bad += memchr(file, 0, size) != NULL;
	}
	is(bad, 0);
}

TEST(memfd_secret)
{
	/* Not unless the command line says secretmem.enable=1. */
	fails(syscall(SYS_memfd_secret, 0), ENOSYS);
	fails(syscall(SYS_memfd_secret, -1), ENOSYS);
}

TEST(advice)
{
	char *p = pages(4, RW), *s = mmap(NULL, K4, RW, SHANON, -1, 0);
	static char buf[1 << 18];
	char want[64], *line;

	p[0] = 1;
	is(madvise(p, 4 * K4, MADV_MERGEABLE), 0);
	snprintf(want, sizeof(want), "%lx-%lx ", (long)p, (long)p + 4 * K4);
	get("/proc/self/smaps", buf, sizeof(buf));
	line = strstr(buf, want);
	line = line ? strstr(line, "VmFlags:") : NULL;
	check(line);
	if (line) {
		*strchrnul(line, '\n') = '\0';
		check(strstr(line, " mg"));
	}
	is(madvise(p, 4 * K4, MADV_UNMERGEABLE), 0);
	is(p[0], 1);
	is(madvise(s, K4, MADV_MERGEABLE), 0);
	is(madvise(s, K4, MADV_UNMERGEABLE), 0);
	fails(madvise(p, K4, 5), EINVAL);
	fails(madvise(p, K4, 7), EINVAL);
	fails(madvise(p, K4, 26), EINVAL);
	fails(madvise(p, K4, -1), EINVAL);
}

TEST(core_of_reserved)
{
	unsigned char vec[4];
	char *p;
	int fd = memfd_create("x", 0);

	is(fallocate(fd, 0, 0, 4 * K4), 0);
	p = mmap(NULL, 4 * K4, RW, MAP_SHARED, fd, 0);
	is(mincore(p, 4 * K4, vec), 0);
	is(vec[0] + vec[1] + vec[2] + vec[3], 0);
	p[K4] = 1;
	is(mincore(p, 4 * K4, vec), 0);
	is(vec[1], 1);
	is(vec[3], 0);
	is(pwrite(fd, "x", 1, 3 * K4), 1);
	is(mincore(p, 4 * K4, vec), 0);
	is(vec[3], 1);
	munmap(p, 4 * K4);
	p = mmap(NULL, 4 * K4, RW, MAP_SHARED, fd, 0);
	is(mincore(p, 4 * K4, vec), 0);
	is(vec[0], 0);
	is(vec[1], 1);
	is(vec[3], 1);
}
