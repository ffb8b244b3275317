/* SPDX-License-Identifier: BSD-2-Clause */
/* Between processes: process_vm_readv and writev, kcmp; unshare. */
#include "tests/abi/abi.h"

#include <linux/kcmp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/uio.h>

static char text[] = "what the parent has";

static struct iovec
vec(void *p, size_t n)
{
	return (struct iovec){ p, n };
}

static pid_t
sleeper(void)
{
	pid_t c = fork();

	if (!c) {
		strcpy(text, "what the child has");
		for (;;)
			pause();
	}
	until_asleep(c);
	return c;
}

TEST(read_memory)
{
	char a[8], b[32] = "";
	struct iovec l[2] = { vec(a, 5), vec(b, 31) };
	struct iovec r[2] = { vec(text, 4), vec(text + 4, 15) };
	pid_t c = sleeper();

	is(process_vm_readv(c, l, 2, r, 2, 0), 19);
	is(memcmp(a, "what ", 5), 0);
	same(b, "the child has");
	same(text, "what the parent has");
	is(process_vm_readv(c, l, 1, r, 2, 0), 5);
	is(process_vm_readv(c, l, 2, r, 1, 0), 4);
	is(process_vm_readv(c, l, 0, r, 1, 0), 0);
	is(process_vm_readv(c, l, 2, r, 0, 0), 0);
	is(process_vm_readv(getpid(), l, 1, r, 1, 0), 4);
	kill(c, SIGKILL);
	reap(c);
	fails(process_vm_readv(c, l, 2, r, 2, 0), ESRCH);
}

TEST(write_memory)
{
	char b[32] = "";
	struct iovec l = vec((char[]){ "WHAT" }, 4), r = vec(text, 4);
	struct iovec back = vec(b, 18), all = vec(text, 18);
	pid_t c = sleeper();

	is(process_vm_writev(c, &l, 1, &r, 1, 0), 4);
	is(process_vm_readv(c, &back, 1, &all, 1, 0), 18);
	same(b, "WHAT the child has");
	same(text, "what the parent has");
	kill(c, SIGKILL);
	reap(c);
}

TEST(memory_faults)
{
	char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char buf[8192];
	struct iovec l = vec(buf, 8192), r = vec(m, 8192), bad = vec(BAD, 4);
	pid_t me = getpid();

	m[0] = 'm';
	munmap(m + 4096, 4096);
	is(process_vm_readv(me, &l, 1, &r, 1, 0), 4096);
	is(buf[0], 'm');
	r = vec(m + 4096, 1);
	fails(process_vm_readv(me, &l, 1, &r, 1, 0), EFAULT);
	fails(process_vm_readv(me, &l, 1, &bad, 1, 0), EFAULT);
	fails(process_vm_readv(me, &l, 1, BAD, 1, 0), EFAULT);
	fails(process_vm_readv(me, BAD, 1, &r, 1, 0), EFAULT);
	r = vec(m, 1);
	mprotect(m, 4096, PROT_READ);
	fails(process_vm_writev(me, &l, 1, &r, 1, 0), EFAULT);
	fails(process_vm_readv(me, &l, 1, &r, 1, 1), EINVAL);
	fails(process_vm_readv(me, &l, 1025, &r, 1, 0), EINVAL);
	fails(process_vm_readv(me, &l, 1, &r, 1025, 0), EINVAL);
	fails(process_vm_readv(4999999, &l, 1, &r, 1, 0), ESRCH);
	in_child {
		drop(USER);
		fails(process_vm_readv(1, &l, 1, &r, 1, 0), EPERM);
	}
}

static long
kcmp(pid_t a, pid_t b, int type, long i, long j)
{
	return syscall(SYS_kcmp, a, b, type, i, j);
}

TEST(comparing)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	int other = works(open("f", O_RDWR));
	pid_t me = getpid(), c = sleeper();
	long r;

	is(kcmp(me, me, KCMP_VM, 0, 0), 0);
	for (int type = KCMP_VM; type <= KCMP_SIGHAND; type++) {
		r = kcmp(me, c, type, 0, 0);
		check(r == 1 || r == 2);
		is(kcmp(c, me, type, 0, 0), 3 - r);
	}
	is(kcmp(me, c, KCMP_IO, 0, 0), 0);
	is(kcmp(me, c, KCMP_FILE, fd, fd), 0);
	is(kcmp(me, me, KCMP_FILE, fd, dup(fd)), 0);
	check(kcmp(me, me, KCMP_FILE, fd, other) > 0);
	fails(kcmp(me, c, KCMP_FILE, fd, 999), EBADF);
	fails(kcmp(me, c, 99, 0, 0), EINVAL);
	fails(kcmp(me, 4999999, KCMP_VM, 0, 0), ESRCH);
	in_child {
		drop(USER);
		fails(kcmp(getpid(), 1, KCMP_VM, 0, 0), EPERM);
	}
	kill(c, SIGKILL);
	reap(c);
}

TEST(comparing_watched)
{
	int p[2], ep = works(epoll_create1(0)), copy;
	struct epoll_event ev = { .events = EPOLLIN };
	struct kcmp_epoll_slot slot = { .efd = (unsigned)ep };
	pid_t me = getpid();

	is(pipe(p), 0);
	copy = works(fcntl(p[1], F_DUPFD, 100));
	slot.tfd = (unsigned)copy;
	is(epoll_ctl(ep, EPOLL_CTL_ADD, copy, &ev), 0);
	is(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), 0);
	is(close(copy), 0);
	is(kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot), 0);
	check(kcmp(me, me, KCMP_EPOLL_TFD, p[0], (long)&slot) > 0);
	/* Another handle under the same number. */
	is(dup2(p[0], copy), copy);
	is(epoll_ctl(ep, EPOLL_CTL_ADD, copy, &ev), 0);
	slot.toff = 1;
	check((kcmp(me, me, KCMP_EPOLL_TFD, p[0], (long)&slot) == 0) !=
	      (kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot) == 0));
	slot.toff = 2;
	fails(kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot), ENOENT);
	slot.toff = 0;
	slot.tfd = 500;
	fails(kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot), ENOENT);
	slot.efd = (unsigned)p[0];
	fails(kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot), EINVAL);
	slot.efd = 600;
	fails(kcmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot), EBADF);
	fails(kcmp(me, me, KCMP_EPOLL_TFD, 600, (long)&slot), EBADF);
	fails(kcmp(me, me, KCMP_EPOLL_TFD, p[1], 16), EFAULT);
}

/* What counts is what is in effect, not what is permitted (PTRACE_MODE_REALCREDS). */
TEST(undumpable)
{
	pid_t c;
	int at[2];
	char b;

	is(pipe(at), 0);
	c = fork();
	if (!c) {
		prctl(PR_SET_DUMPABLE, 0);
		works(write(at[1], "", 1));
		sleep(20);
		_exit(0);
	}
	is(read(at[0], &b, 1), 1);
	is(kcmp(getpid(), c, KCMP_IO, 0, 0), 0);
	is(seteuid(65534), 0);
	fails(kcmp(getpid(), c, KCMP_IO, 0, 0), EPERM);
	is(seteuid(0), 0);
	kill(c, SIGKILL);
	reap(c);
}

static int
changes_things(void *arg)
{
	int what = *(int *)arg;

	if (unshare(what))
		return errno;
	umask(0);
	chdir("/");
	close(10);
	return 0;
}

TEST(unsharing)
{
	static char stack[65536];
	int what = CLONE_FS | CLONE_FILES;
	char cwd[256];
	pid_t c;

	dup2(1, 10);
	umask(027);
	c = clone(changes_things, stack + sizeof(stack),
		  CLONE_FS | CLONE_FILES | SIGCHLD, &what);
	is(reap(c), 0);
	is(umask(027), 027);
	check(fcntl(10, F_GETFD) != -1);
	getcwd(cwd, sizeof(cwd));
	check(strlen(cwd) > 1);
	what = 0;
	c = clone(changes_things, stack + sizeof(stack),
		  CLONE_FS | CLONE_FILES | SIGCHLD, &what);
	is(reap(c), 0);
	is(umask(022), 0);
	fails(fcntl(10, F_GETFD), EBADF);
}

static void *
sleeps(void *arg)
{
	pause();
	return arg;
}

TEST(unshare_errors)
{
	pthread_t t;

	fails(unshare(1), EINVAL);
	fails(unshare(CLONE_SETTLS), EINVAL);
	is(unshare(0), 0);
	is(unshare(CLONE_THREAD), 0);
	is(unshare(CLONE_SIGHAND), 0);
	is(unshare(CLONE_VM), 0);
	is(unshare(CLONE_SYSVSEM), 0);
	fails(setns(-1, 0), EBADF);
	fails(setns(works(open(".", O_RDONLY)), 0), EINVAL);
	in_child {
		drop(USER);
		is(unshare(CLONE_FS | CLONE_FILES), 0);
		fails(unshare(CLONE_NEWUTS), EPERM);
	}
	pthread_create(&t, NULL, sleeps, NULL);
	fails(unshare(CLONE_THREAD), EINVAL);
	fails(unshare(CLONE_VM), EINVAL);
	is(unshare(CLONE_FILES), 0);
}
