/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2): listeners, that is other programs that decide about calls. */
#include "seccomp.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#define NEW SECCOMP_FILTER_FLAG_NEW_LISTENER
#define KILLABLE (NEW | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
#define RECV SECCOMP_IOCTL_NOTIF_RECV
#define SEND SECCOMP_IOCTL_NOTIF_SEND
#define VALID SECCOMP_IOCTL_NOTIF_ID_VALID
#define ADDFD SECCOMP_IOCTL_NOTIF_ADDFD

typedef struct seccomp_notif notif;
typedef struct seccomp_notif_resp resp;
typedef struct seccomp_notif_addfd addfd;

/* A listener for CALL, of us and of whom we make from now on. */
static int
listener(unsigned int flags)
{
	return filter_call(flags, CALL, SECCOMP_RET_USER_NOTIF);
}

/* A child that makes the call and ends with what it returns, or minus errno. */
static pid_t
caller(void)
{
	pid_t p = fork();

	if (!p) {
		long r;

		/* Of the listener too. */
		close_range(3, 90, 0);
		errno = 0;
		r = syscall(CALL, 1, 2, 3, 4, 5, 6);
		_exit(r == -1 ? 100 + errno : r);
	}
	return p;
}

static notif
next(int fd)
{
	notif n;

	memset(&n, 0, sizeof(n));
	if (ioctl(fd, RECV, &n))
		ok(false, "RECV: %s", abi_errname(errno));
	return n;
}

static int
answer(int fd, unsigned long id, long val, int error, unsigned int flags)
{
	resp r = { .id = id, .val = val, .error = error, .flags = flags };

	return ioctl(fd, SEND, &r);
}

static int
ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static bool
valid(int fd, unsigned long id)
{
	return ioctl(fd, VALID, &id) == 0;
}

TEST(handle)
{
	char path[64], link[64];
	int fd = listener(NEW);
	char c;

	check(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	link[readlink(path, link, sizeof(link) - 1)] = '\0';
	same(link, "anon_inode:seccomp notify");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	fails(read(fd, &c, 1), EINVAL);
	fails(write(fd, &c, 1), EINVAL);
	fails(ioctl(fd, _IO('!', 0), 0), EINVAL);
	fails(ioctl(fd, _IOWR('!', 9, notif), 0), EINVAL);
	is(ready(fd), 0);
	/* One in a chain. */
	fails(listener(NEW), EBUSY);
	is(field("/proc/self/status", "Seccomp_filters"), 1);
	is(listener(0), 0);
	close(fd);
	soon(listener(NEW) == fd);
}

TEST(no_descriptor)
{
	struct rlimit r = { 0, 0 };

	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		fails(listener(NEW), EMFILE);
		is(prctl(PR_GET_SECCOMP), 0);
	}
}

TEST(answers)
{
	static const struct {
		long val;
		int error;
		unsigned int flags;
		int end;
	} rows[] = {
		{ 0, 0, 0, 0 }, { 42, 0, 0, 42 }, { 0, -EPERM, 0, 100 + EPERM },
		{ 7, -EBADF, 0, 100 + EBADF }, { 0, 9, 0, 9 }, { -5, 0, 0, 105 },
	};
	int fd = listener(NEW);

	for (unsigned int i = 0; i < LEN(rows); i++) {
		pid_t p = caller();
		notif n = next(fd);

		is(answer(fd, n.id, rows[i].val, rows[i].error, rows[i].flags), 0);
		ok(reap(p) == rows[i].end, "row %u", i);
	}
}

TEST(what_is_read)
{
	int fd = listener(NEW);
	pid_t p = caller();
	notif n = next(fd), m;

	is(n.pid, p);
	is(n.flags, 0);
	is(n.data.nr, CALL);
	is(n.data.arch, AUDIT_ARCH_X86_64);
	check(n.data.instruction_pointer != 0);
	for (int i = 0; i < 6; i++)
		is(n.data.args[i], i + 1);
	answer(fd, n.id, 0, 0, 0);
	is(reap(p), 0);
	p = caller();
	m = next(fd);
	is(m.id, n.id + 1);
	answer(fd, m.id, 0, 0, 0);
	is(reap(p), 0);
}

TEST(goes_on)
{
	int fd = listener(NEW);
	pid_t p = fork();
	notif n;

	if (!p)
		_exit(syscall(CALL) > 0 ? 3 : 4);
	n = next(fd);
	fails(answer(fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	fails(answer(fd, n.id, 0, 1, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	fails(answer(fd, n.id, 0, 0, 2), EINVAL);
	is(answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), 0);
	is(reap(p), 3);
}

TEST(errors)
{
	int fd = listener(NEW);
	pid_t p = caller();
	notif n;
	unsigned long id;

	memset(&n, 0, sizeof(n));
	n.id = 1;
	fails(ioctl(fd, RECV, &n), EINVAL);
	n.id = 0;
	n.data.args[5] = 1;
	fails(ioctl(fd, RECV, &n), EINVAL);
	fails(ioctl(fd, RECV, BAD), EFAULT);
	fails(ioctl(fd, SEND, BAD), EFAULT);
	fails(ioctl(fd, VALID, BAD), EFAULT);
	n = next(fd);
	is(valid(fd, n.id), true);
	is(valid(fd, n.id + 1), false);
	is(ioctl(fd, SECCOMP_IOR(2, __u64), &n.id), 0);
	fails(answer(fd, n.id + 1, 0, 0, 0), ENOENT);
	is(answer(fd, n.id, 0, 0, 0), 0);
	is(reap(p), 0);
	is(valid(fd, n.id), false);
	fails(answer(fd, n.id, 0, 0, 0), ENOENT);
	/* Not read yet, it cannot be answered. */
	id = n.id + 1;
	p = caller();
	soon(ready(fd) == POLLIN);
	is(valid(fd, id), false);
	fails(answer(fd, id, 0, 0, 0), EINPROGRESS);
	n = next(fd);
	is(n.id, id);
	answer(fd, id, 0, 0, 0);
	is(reap(p), 0);
}

/* What could not be written to the reader stays. */
TEST(reader_without_memory)
{
	notif *n = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = listener(NEW);
	pid_t p = caller();
	notif m;

	fails(ioctl(fd, RECV, n), EFAULT);
	is(ready(fd), POLLIN);
	m = next(fd);
	is(m.pid, p);
	answer(fd, m.id, 0, 0, 0);
	is(reap(p), 0);
}

TEST(polled)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT };
	int fd = listener(NEW), ep = epoll_create1(0);
	pid_t p;
	notif n;

	is(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
	is(epoll_wait(ep, &e, 1, 0), 0);
	p = caller();
	is(epoll_wait(ep, &e, 1, 5000), 1);
	is(e.events, EPOLLIN);
	is(ready(fd), POLLIN);
	n = next(fd);
	is(ready(fd), POLLOUT);
	is(epoll_wait(ep, &e, 1, 0), 1);
	is(e.events, EPOLLOUT);
	answer(fd, n.id, 0, 0, 0);
	is(reap(p), 0);
	is(ready(fd), 0);
}

TEST(several)
{
	int fd = listener(NEW);
	pid_t p[5];
	notif n[5];

	for (int i = 0; i < 5; i++) {
		p[i] = caller();
		until_asleep(p[i]);
	}
	/* First come, first read. */
	for (int i = 0; i < 5; i++) {
		n[i] = next(fd);
		is(n[i].pid, p[i]);
		is(ready(fd), i < 4 ? POLLIN | POLLOUT : POLLOUT);
	}
	for (int i = 4; i >= 0; i--)
		is(answer(fd, n[i].id, i + 10, 0, 0), 0);
	for (int i = 0; i < 5; i++)
		is(reap(p[i]), i + 10);
}

/* --- ends --- */

TEST(listener_closed)
{
	int fd = listener(NEW);
	pid_t p = caller(), q = caller();
	notif n;

	until_asleep(q);
	n = next(fd);
	(void)n;
	close(fd);
	is(reap(p), 100 + ENOSYS);
	is(reap(q), 100 + ENOSYS);
	fails(syscall(CALL), ENOSYS);
}

TEST(caller_killed)
{
	int fd = listener(NEW);
	pid_t p = caller();
	notif n = next(fd);

	is(valid(fd, n.id), true);
	kill(p, SIGKILL);
	is(reap(p), -SIGKILL);
	is(valid(fd, n.id), false);
	fails(answer(fd, n.id, 0, 0, 0), ENOENT);
	is(ready(fd), 0);
	/* One that goes unread leaves its count behind. */
	p = caller();
	soon(ready(fd) == POLLIN);
	kill(p, SIGKILL);
	is(reap(p), -SIGKILL);
	is(ready(fd), 0);
	memset(&n, 0, sizeof(n));
	fails(ioctl(fd, RECV, &n), ENOENT);
}

static int
fd_of(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int r = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	close(pidfd);
	return r;
}

/* The last task that has the filter is gone. */
TEST(hang_up)
{
	int in[2], out[2], fd, mine;
	pid_t p;
	char c;

	is(pipe(in) | pipe(out), 0);
	p = fork();
	if (!p) {
		fd = listener(NEW);
		write(out[1], &fd, sizeof(fd));
		read(in[0], &c, 1);
		close(fd);
		if (!fork()) {
			close(out[1]);
			read(in[0], &c, 1);
			_exit(0);
		}
		_exit(0);
	}
	read(out[0], &fd, sizeof(fd));
	mine = works(fd_of(p, fd));
	is(ready(mine), 0);
	write(in[1], "x", 1);
	is(reap(p), 0);
	msleep(20);
	is(ready(mine), 0);
	write(in[1], "x", 1);
	soon(ready(mine) == POLLHUP);
}

/* --- signals --- */

static volatile int signals;

static void
on_signal(int sig)
{
	(void)sig;
	signals++;
}

static pid_t
caller_with_handler(int flags)
{
	pid_t p;

	handle(SIGUSR1, on_signal, flags);
	p = caller();
	return p;
}

TEST(signal_interrupts)
{
	int fd = listener(NEW);
	pid_t p = caller_with_handler(0);
	notif n = next(fd), m;

	kill(p, SIGUSR1);
	is(reap(p), 100 + EINTR);
	is(valid(fd, n.id), false);
	p = caller_with_handler(SA_RESTART);
	n = next(fd);
	kill(p, SIGUSR1);
	/* It asks again. */
	m = next(fd);
	check(m.id != n.id);
	is(m.pid, p);
	is(valid(fd, n.id), false);
	fails(answer(fd, n.id, 0, 0, 0), ENOENT);
	is(answer(fd, m.id, 5, 0, 0), 0);
	is(reap(p), 5);
}

TEST(wait_killable)
{
	int fd = listener(KILLABLE);
	pid_t p = caller_with_handler(0);
	notif n;

	/* Before it is read, signals come through. */
	until_asleep(p);
	soon(ready(fd) == POLLIN);
	kill(p, SIGUSR1);
	is(reap(p), 100 + EINTR);
	memset(&n, 0, sizeof(n));
	fails(ioctl(fd, RECV, &n), ENOENT);
	p = caller_with_handler(0);
	n = next(fd);
	kill(p, SIGUSR1);
	msleep(50);
	is(valid(fd, n.id), true);
	is(answer(fd, n.id, 8, 0, 0), 0);
	is(reap(p), 8);
	p = caller_with_handler(0);
	n = next(fd);
	kill(p, SIGUSR1);
	msleep(20);
	kill(p, SIGKILL);
	is(reap(p), -SIGKILL);
	is(valid(fd, n.id), false);
}

TEST(reader_interrupted)
{
	int fd = listener(NEW);
	pid_t p;

	handle(SIGUSR1, on_signal, SA_RESTART);
	p = fork();
	if (!p) {
		notif n = {};

		_exit(ioctl(fd, RECV, &n) ? errno : 0);
	}
	until_asleep(p);
	kill(p, SIGUSR1);
	is(reap(p), EINTR);
}

/* --- descriptors --- */

/* A child whose call returns a descriptor and that ends with what it reads there. */
static pid_t
fd_caller(void)
{
	pid_t p = fork();

	if (!p) {
		struct stat st;
		long r = syscall(CALL);

		if (r < 0)
			_exit(100 + errno);
		_exit(fstat(r, &st) ? 99 : (S_ISFIFO(st.st_mode) ? 10 : 20) + (int)r % 10);
	}
	return p;
}

static int
add(int fd, unsigned long id, unsigned int flags, int src, unsigned int newfd, unsigned int how)
{
	addfd a = { .id = id, .flags = flags, .srcfd = src, .newfd = newfd, .newfd_flags = how };

	return ioctl(fd, ADDFD, &a);
}

TEST(descriptors)
{
	int fd = listener(NEW), p[2], n1, n2;
	pid_t pid;
	notif n;

	is(pipe(p), 0);
	pid = fd_caller();
	n = next(fd);
	n1 = works(add(fd, n.id, 0, p[0], 0, 0));
	n2 = works(add(fd, n.id, 0, p[0], 0, O_CLOEXEC));
	is(n2, n1 + 1);
	is(fd_of(pid, n2) >= 0, true);
	/* At a place of our choice, where one was and where none was. */
	is(add(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, p[0], n1, 0), n1);
	is(add(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, p[0], 57, O_CLOEXEC), 57);
	is(add(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, p[0], 0, 0), 0);
	is(answer(fd, n.id, 57, 0, 0), 0);
	is(reap(pid), 17);
	/* At once with the answer. */
	pid = fd_caller();
	n = next(fd);
	is(add(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, p[0], 45, 0), 45);
	is(valid(fd, n.id), false);
	is(reap(pid), 15);
	pid = fd_caller();
	n = next(fd);
	n1 = works(add(fd, n.id, SECCOMP_ADDFD_FLAG_SEND, p[0], 0, 0));
	is(reap(pid), 10 + n1 % 10);
}

TEST(descriptor_flags)
{
	int fd = listener(NEW), p[2], n1;
	char path[64];
	pid_t pid;
	notif n;

	is(pipe(p), 0);
	pid = fd_caller();
	n = next(fd);
	for (int cloexec = 0; cloexec < 2; cloexec++) {
		n1 = works(add(fd, n.id, 0, p[0], 0, cloexec ? O_CLOEXEC : 0));
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, n1);
		is((field(path, "flags") & O_CLOEXEC) != 0, cloexec);
	}
	answer(fd, n.id, 0, -1, 0);
	is(reap(pid), 101);
}

TEST(descriptor_errors)
{
	int fd = listener(NEW);
	struct {
		addfd a;
		long more;
	} large = {};
	struct rlimit r = { 20, 20 };
	pid_t pid = fd_caller();
	notif n;

	n = next(fd);
	fails(add(fd, n.id, 0, 400, 0, 0), EBADF);
	fails(add(fd, n.id, 4, 0, 0, 0), EINVAL);
	fails(add(fd, n.id, 0, 0, 5, 0), EINVAL);
	fails(add(fd, n.id, 0, 0, 0, O_NONBLOCK), EINVAL);
	fails(add(fd, n.id + 1, 0, 0, 0, 0), ENOENT);
	fails(ioctl(fd, ADDFD, BAD), EFAULT);
	fails(ioctl(fd, SECCOMP_IOW(3, char[16]), &large), EINVAL);
	fails(ioctl(fd, SECCOMP_IOW(3, char[4096]), &large), EINVAL);
	large.a.id = n.id;
	large.a.srcfd = 400;
	fails(ioctl(fd, SECCOMP_IOW(3, large), &large), EBADF);
	large.more = 1;
	fails(ioctl(fd, SECCOMP_IOW(3, large), &large), E2BIG);
	prlimit(pid, RLIMIT_NOFILE, &r, NULL);
	fails(add(fd, n.id, SECCOMP_ADDFD_FLAG_SETFD, 0, 20, 0), EBADF);
	while (add(fd, n.id, 0, 1, 0, 0) >= 0)
		;
	fails(add(fd, n.id, 0, 1, 0, 0), EMFILE);
	/* An answer by a descriptor that cannot be: it may still be answered. */
	fails(add(fd, n.id, SECCOMP_ADDFD_FLAG_SEND, 1, 0, 0), EMFILE);
	is(valid(fd, n.id), true);
	is(answer(fd, n.id, 0, -2, 0), 0);
	is(reap(pid), 102);
	pid = fd_caller();
	soon(ready(fd) == POLLIN);
	fails(add(fd, n.id + 1, 0, 1, 0, 0), EINPROGRESS);
	kill(pid, SIGKILL);
	is(reap(pid), -SIGKILL);
}
