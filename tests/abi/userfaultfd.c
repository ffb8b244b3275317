/* SPDX-License-Identifier: BSD-2-Clause */
/* userfaultfd(2): faults that a program answers, write protection, events. */
#include "tests/abi/mem.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static int
uffd_new(int flags)
{
	return syscall(SYS_userfaultfd, flags);
}

/* A handle with these features. */
static int
uffd_with(unsigned long features)
{
	struct uffdio_api a = { .api = UFFD_API, .features = features };
	int fd = uffd_new(O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &a))
		_exit(90);
	return fd;
}

static int
enroll(int fd, void *p, long n, int mode)
{
	struct uffdio_register r = { .range = { (long)p, n * K4 }, .mode = mode };

	return ioctl(fd, UFFDIO_REGISTER, &r);
}

static int
unenroll(int fd, void *p, long n)
{
	struct uffdio_range r = { (long)p, n * K4 };

	return ioctl(fd, UFFDIO_UNREGISTER, &r);
}

/* The result or minus the errno. */
static long
copy_in(int fd, void *to, void *from, long n, int mode)
{
	struct uffdio_copy c = { (long)to, (long)from, n * K4, mode, 77 };

	return ioctl(fd, UFFDIO_COPY, &c) ? -errno : c.copy;
}

static long
zero_in(int fd, void *to, long n)
{
	struct uffdio_zeropage z = { { (long)to, n * K4 }, 0, 77 };

	return ioctl(fd, UFFDIO_ZEROPAGE, &z) ? -errno : z.zeropage;
}

static long
go_on(int fd, void *to, long n)
{
	struct uffdio_continue c = { { (long)to, n * K4 }, 0, 77 };

	return ioctl(fd, UFFDIO_CONTINUE, &c) ? -errno : c.mapped;
}

static int
protect(int fd, void *p, long n, int mode)
{
	struct uffdio_writeprotect w = { { (long)p, n * K4 }, mode };

	return ioctl(fd, UFFDIO_WRITEPROTECT, &w);
}

static int
wake(int fd, void *p, long n)
{
	struct uffdio_range r = { (long)p, n * K4 };

	return ioctl(fd, UFFDIO_WAKE, &r);
}

/* The next message within five seconds. */
static struct uffd_msg
next(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct uffd_msg m = { 0 };

	if (poll(&p, 1, 5000 * abi_scale()) != 1 || read(fd, &m, sizeof(m)) != sizeof(m))
		m.event = 0;
	return m;
}

static bool
quiet(int fd)
{
	struct uffd_msg m;

	return read(fd, &m, sizeof(m)) == -1 && errno == EAGAIN;
}

/* A thread that reads or writes a byte, or makes a call. */
struct toucher {
	pthread_t thread;
	volatile char *p;
	int write;
	volatile int value;
	volatile int done;
	volatile int tid;
	void *(*fn)(void *);
};

static void *
touch_thread(void *arg)
{
	struct toucher *t = arg;

	t->tid = gettid();
	if (t->write)
		*t->p = (char)t->write;
	t->value = *t->p;
	t->done = 1;
	return NULL;
}

static void
touch(struct toucher *t, void *p, int write)
{
	memset(t, 0, sizeof(*t));
	t->p = p;
	t->write = write;
	pthread_create(&t->thread, NULL, touch_thread, t);
}

static int
touched(struct toucher *t)
{
	pthread_join(t->thread, NULL);
	return t->value;
}

static char source[16 * 4096] __attribute__((aligned(4096)));

TEST(handle)
{
	struct uffdio_api a = { .api = UFFD_API, .features = 0 };
	struct uffdio_range r = { 0x100000, K4 };
	struct pollfd p;
	char path[64], text[200];
	int fd;

	fails(uffd_new(2), EINVAL);
	fails(uffd_new(O_RDWR), EINVAL);
	fd = works(uffd_new(O_CLOEXEC | O_NONBLOCK));
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY | O_NONBLOCK);
	/* Nothing before the features are chosen. */
	fails(ioctl(fd, UFFDIO_WAKE, &r), EINVAL);
	fails(read(fd, text, sizeof(text)), EINVAL);
	p = (struct pollfd){ fd, POLLIN, 0 };
	is(poll(&p, 1, 0), 1);
	is(p.revents, POLLERR);
	a.api = 0xab;
	fails(ioctl(fd, UFFDIO_API, &a), EINVAL);
	is(a.api | a.features | a.ioctls, 0);
	a = (struct uffdio_api){ .api = UFFD_API, .features = 1UL << 40 };
	fails(ioctl(fd, UFFDIO_API, &a), EINVAL);
	is(a.api | a.features | a.ioctls, 0);
	fails(ioctl(fd, UFFDIO_API, BAD), EFAULT);
	a = (struct uffdio_api){ .api = UFFD_API, .features = 0 };
	works(ioctl(fd, UFFDIO_API, &a));
	is(a.ioctls, 1UL << 63 | 3);
	is(a.features, 0x1fff);
	a = (struct uffdio_api){ .api = UFFD_API, .features = 0 };
	fails(ioctl(fd, UFFDIO_API, &a), EINVAL);
	fails(ioctl(fd, 0xaa55, &a), EINVAL);
	p.revents = 0;
	is(poll(&p, 1, 0), 0);
	fails(read(fd, text, 31), EINVAL);
	fails(read(fd, text, 32), EAGAIN);
	fails(write(fd, text, 32), EBADF);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	is(field(path, "pending"), 0);
	is(field(path, "total"), 0);
	get(path, text, sizeof(text));
	check(strstr(text, "API:\taa:80000000:80000000000000df"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(text, 0, sizeof(text));
	readlink(path, text, sizeof(text) - 1);
	same(text, "anon_inode:[userfaultfd]");
	/* Who blocks is told of an error by poll. */
	fcntl(fd, F_SETFL, 0);
	is(poll(&p, 1, 0), 1);
	is(p.revents, POLLERR);
	close(fd);
}

TEST(rights)
{
	struct uffdio_api a = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_FORK };
	char text[32];
	int dev, fd;

	get("/proc/sys/vm/unprivileged_userfaultfd", text, sizeof(text));
	same(text, "0\n");
	dev = works(open("/dev/userfaultfd", O_RDWR));
	in_child {
		drop(USER);
		fails(uffd_new(0), EPERM);
		fails(uffd_new(2), EPERM);
		fd = works(uffd_new(UFFD_USER_MODE_ONLY));
		fails(ioctl(fd, UFFDIO_API, &a), EPERM);
		is(a.api | a.features, 0);
		fails(open("/dev/userfaultfd", O_RDWR), EACCES);
		fd = works(ioctl(dev, USERFAULTFD_IOC_NEW, 0));
		is(fcntl(fd, F_GETFD), 0);
		fails(ioctl(dev, USERFAULTFD_IOC_NEW, 2), EINVAL);
		fails(ioctl(dev, 0xaa01, 0), EINVAL);
	}
	put("/proc/sys/vm/unprivileged_userfaultfd", "1");
	in_child {
		drop(USER);
		works(uffd_new(0));
	}
	put("/proc/sys/vm/unprivileged_userfaultfd", "0");
	fails(put("/proc/sys/vm/unprivileged_userfaultfd", "2"), EINVAL);
}

TEST(enrolling)
{
	struct uffdio_register r;
	int fd = uffd_with(0), other = uffd_with(0), file;
	char *p = pages(4, RW), *shared, *ro;

	munmap(p + 3 * K4, K4);
	r = (struct uffdio_register){ .range = { (long)p, K4 }, .mode = 1 };
	works(ioctl(fd, UFFDIO_REGISTER, &r));
	is(r.ioctls, 0x1c);
	r = (struct uffdio_register){ .range = { (long)p, K4 }, .mode = 3 };
	works(ioctl(fd, UFFDIO_REGISTER, &r));
	is(r.ioctls, 0x5c);
	fails(enroll(other, p, 1, 1), EBUSY);
	fails(enroll(other, p, 3, 1), EBUSY);
	works(enroll(other, p + K4, 1, 1));
	fails(enroll(fd, p, 1, 0), EINVAL);
	fails(enroll(fd, p, 1, 8), EINVAL);
	fails(enroll(fd, p, 1, UFFDIO_REGISTER_MODE_MINOR), EINVAL);
	fails(enroll(fd, p, 0, 1), EINVAL);
	fails(enroll(fd, p + 1, 1, 1), EINVAL);
	fails(enroll(fd, (void *)0, 1, 1), EINVAL);
	fails(enroll(fd, (void *)(1L << 62), 1, 1), EINVAL);
	fails(enroll(fd, p, 1L << 50, 1), EINVAL);
	fails(enroll(fd, p + 3 * K4, 1, 1), EINVAL);
	fails(ioctl(fd, UFFDIO_REGISTER, BAD), EFAULT);
	/* A hole behind is passed over. */
	works(enroll(fd, p + 2 * K4, 2, 1));
	/* Any handle may end it. */
	works(unenroll(fd, p, 3));
	works(enroll(other, p, 3, 1));
	works(unenroll(other, p, 3));
	works(unenroll(other, p, 3));
	fails(unenroll(other, p, 0), EINVAL);
	fails(unenroll(other, p + 3 * K4, 1), EINVAL);

	shared = mmap(NULL, K4, RW, SHANON, -1, 0);
	r = (struct uffdio_register){ .range = { (long)shared, K4 }, .mode = 7 };
	works(ioctl(fd, UFFDIO_REGISTER, &r));
	is(r.ioctls, 0xdc);
	/* What may never be written may not be filled. */
	file = memfd_create("x", 0);
	ftruncate(file, K4);
	fchmod(file, 0444);
	snprintf(source, 64, "/proc/self/fd/%d", file);
	file = open(source, O_RDONLY);
	ro = mmap(NULL, K4, PROT_READ, MAP_SHARED, file, 0);
	fails(enroll(fd, ro, 1, 1), EPERM);
	ro = mmap(NULL, K4, PROT_READ, MAP_PRIVATE, file, 0);
	works(enroll(fd, ro, 1, 1));
	close(fd);
	close(other);
}

TEST(vm_flags)
{
	static char buf[1 << 18];
	int fd = uffd_with(0);
	char *p = pages(3, RW), *line, want[64];

	works(enroll(fd, p + K4, 1, 3));
	is(extent(p + K4), K4);
	get("/proc/self/smaps", buf, sizeof(buf));
	snprintf(want, sizeof(want), "%lx-%lx ", (long)p + K4, (long)p + 2 * K4);
	line = strstr(buf, want);
	check(line);
	line = line ? strstr(line, "VmFlags:") : NULL;
	check(line);
	if (line) {
		*strchrnul(line, '\n') = '\0';
		check(strstr(line, " um"));
		check(strstr(line, " uw"));
	}
	/* Neighbours that are told of alike are one. */
	works(enroll(fd, p + 2 * K4, 1, 3));
	is(extent(p + K4), 2 * K4);
	works(unenroll(fd, p, 3));
	check(extent(p + K4) >= 3 * K4);
	close(fd);
}

TEST(missing)
{
	int fd = uffd_with(UFFD_FEATURE_THREAD_ID);
	char *p = pages(8, RW), path[64];
	struct toucher t, t2;
	struct uffd_msg m;

	memset(source, 'a', K4);
	memset(source + K4, 'b', K4);
	works(enroll(fd, p, 8, 1));
	/* A read, at an address within the page. */
	touch(&t, p + 100, 0);
	m = next(fd);
	is(m.event, UFFD_EVENT_PAGEFAULT);
	is(m.arg.pagefault.flags, 0);
	is(m.arg.pagefault.address, (long)p);
	is(m.arg.pagefault.feat.ptid, t.tid);
	check(quiet(fd));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	is(field(path, "pending"), 0);
	is(field(path, "total"), 1);
	/* Woken without a page it asks again. */
	works(wake(fd, p, 1));
	m = next(fd);
	is(m.arg.pagefault.address, (long)p);
	is(t.done, 0);
	is(copy_in(fd, p, source, 1, UFFDIO_COPY_MODE_DONTWAKE), K4);
	msleep(20);
	is(t.done, 0);
	works(wake(fd, p, 1));
	is(touched(&t), 'a');
	/* A write, and two at once. */
	touch(&t, p + K4, 'x');
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WRITE);
	is(m.arg.pagefault.address, (long)p + K4);
	touch(&t2, p + K4 + 1, 0);
	m = next(fd);
	is(m.arg.pagefault.address, (long)p + K4);
	is(copy_in(fd, p + K4, source + K4, 1, 0), K4);
	is(touched(&t), 'x');
	is(touched(&t2), 'b');
	is(p[K4], 'x');
	is(p[K4 + 2], 'b');
	/* The zero page, which can be written. */
	touch(&t, p + 2 * K4, 0);
	next(fd);
	is(zero_in(fd, p + 2 * K4, 1), K4);
	is(touched(&t), 0);
	p[2 * K4] = 5;
	is(p[2 * K4], 5);
	check(quiet(fd));
	/* What is dropped is asked for anew. */
	madvise(p, K4, MADV_DONTNEED);
	touch(&t, p, 0);
	m = next(fd);
	is(m.arg.pagefault.address, (long)p);
	is(copy_in(fd, p, source + K4, 1, 0), K4);
	is(touched(&t), 'b');
	/* Unregistering lets who waits go on, and closing does. */
	touch(&t, p + 3 * K4, 0);
	next(fd);
	works(unenroll(fd, p + 3 * K4, 1));
	is(touched(&t), 0);
	touch(&t, p + 4 * K4, 7);
	next(fd);
	touch(&t2, p + 5 * K4, 0);
	soon(field(path, "total") == 2);
	close(fd);
	is(touched(&t), 7);
	is(touched(&t2), 0);
	p[6 * K4] = 1;
	check(extent(p) >= 8 * K4);
}

TEST(several_read)
{
	int fd = uffd_with(0);
	char *p = pages(4, RW);
	struct toucher t[4];
	struct uffd_msg m[8];
	char path[64];
	long seen = 0;

	works(enroll(fd, p, 4, 1));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	for (int i = 0; i < 4; i++) {
		touch(&t[i], p + i * K4, 0);
		soon(field(path, "pending") == i + 1);
	}
	is(read(fd, m, 2 * sizeof(m[0]) + 5), 2 * sizeof(m[0]));
	/* The oldest first. */
	is(m[0].arg.pagefault.address, (long)p);
	is(m[1].arg.pagefault.address, (long)p + K4);
	is(read(fd, m, sizeof(m)), 2 * sizeof(m[0]));
	for (int i = 0; i < 2; i++)
		seen += (m[i].arg.pagefault.address - (long)p) / K4;
	is(seen, 5);
	is(zero_in(fd, p, 4), 4 * K4);
	for (int i = 0; i < 4; i++)
		is(touched(&t[i]), 0);
	close(fd);
}

TEST(fill_errors)
{
	int fd = uffd_with(0);
	struct uffdio_copy c;
	char *p = pages(8, RW), *q = pages(8, RW);

	works(enroll(fd, p, 4, 1));
	is(copy_in(fd, p, source, 1, 0), K4);
	is(copy_in(fd, p, source, 1, 0), -EEXIST);
	is(zero_in(fd, p, 1), -EEXIST);
	/* Up to what is there. */
	is(copy_in(fd, p + 2 * K4, source, 1, 0), K4);
	c = (struct uffdio_copy){ (long)p + K4, (long)source, 3 * K4, 0, 77 };
	fails(ioctl(fd, UFFDIO_COPY, &c), EAGAIN);
	is(c.copy, K4);
	c = (struct uffdio_copy){ (long)p + K4, (long)source, K4, 0, 77 };
	fails(ioctl(fd, UFFDIO_COPY, &c), EEXIST);
	is(c.copy, -EEXIST);
	/* Not registered, only in part, not mapped. */
	is(copy_in(fd, q, source, 1, 0), -ENOENT);
	is(copy_in(fd, p + 3 * K4, source, 2, 0), -ENOENT);
	is(zero_in(fd, p + 4 * K4, 1), -ENOENT);
	munmap(q, 8 * K4);
	is(copy_in(fd, q, source, 1, 0), -ENOENT);
	is(copy_in(fd, p + 3 * K4, (void *)8, 1, 0), -EFAULT);
	is(copy_in(fd, p + 3 * K4, source, 1, 4), -EINVAL);
	is(copy_in(fd, p + 3 * K4, source, 1, UFFDIO_COPY_MODE_WP), -EINVAL);
	is(copy_in(fd, p + 3 * K4 + 1, source, 1, 0), -EINVAL);
	is(copy_in(fd, p + 3 * K4, source, 0, 0), -EINVAL);
	is(copy_in(fd, p + 3 * K4, (void *)-K4, 1, 0), -EINVAL);
	is(go_on(fd, p + 3 * K4, 1), -EINVAL);
	fails(ioctl(fd, UFFDIO_COPY, BAD), EFAULT);
	/* The source need not be aligned. */
	source[7] = 'q';
	is(copy_in(fd, p + 3 * K4, source + 7, 1, 0), K4);
	is(p[3 * K4], 'q');
	close(fd);
}

TEST(kernel_waits)
{
	int fd = uffd_with(0), pipe_fd[2];
	char *p = pages(4, RW), got[8] = "";
	pid_t child;

	memset(source, 'k', K4);
	works(enroll(fd, p, 4, 1));
	pipe(pipe_fd);
	/* write(2) from a page that another fills; a process that is killed meanwhile. */
	child = fork();
	if (!child) {
		int mine = uffd_with(0);
		char *q = pages(1, RW);

		enroll(mine, q, 1, 1);
		write(pipe_fd[1], q, 1);
		_exit(0);
	}
	until_asleep(child);
	kill(child, SIGKILL);
	is(reap(child), -SIGKILL);

	struct toucher t;
	touch(&t, p, 0);
	is(next(fd).arg.pagefault.address, (long)p);
	is(copy_in(fd, p, source, 1, 0), K4);
	is(touched(&t), 'k');
	is(write(pipe_fd[1], p, 1), 1);
	is(read(pipe_fd[0], got, 1), 1);
	is(got[0], 'k');
	close(fd);
}

TEST(user_mode_only)
{
	struct uffdio_api a = { .api = UFFD_API };
	int fd = works(uffd_new(O_NONBLOCK | UFFD_USER_MODE_ONLY)), p2[2];
	char *p = pages(2, RW);
	struct toucher t;

	works(ioctl(fd, UFFDIO_API, &a));
	works(enroll(fd, p, 2, 1));
	pipe(p2);
	fails(write(p2[1], p, 1), EFAULT);
	touch(&t, p, 0);
	is(next(fd).arg.pagefault.address, (long)p);
	is(zero_in(fd, p, 1), K4);
	is(touched(&t), 0);
	is(write(p2[1], p, 1), 1);
	close(fd);
}

TEST(sigbus)
{
	int fd = uffd_with(UFFD_FEATURE_SIGBUS), p2[2];
	char *p = pages(2, RW);

	works(enroll(fd, p, 2, 1));
	is(reads(p), 102);
	is(writes(p), 102);
	pipe(p2);
	fails(write(p2[1], p, 1), EFAULT);
	is(zero_in(fd, p, 1), K4);
	is(writes(p), 0);
	check(quiet(fd));
	close(fd);
}

static volatile int alarms;

static void
on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

static void *
signalled(void *arg)
{
	struct toucher *t = arg;

	t->value = *t->p;
	t->done = alarms;
	return NULL;
}

TEST(signals_run)
{
	int fd = uffd_with(0);
	char *p = pages(1, RW);
	struct toucher t = { .p = p };

	works(enroll(fd, p, 1, 1));
	handle(SIGUSR1, on_alarm, 0);
	pthread_create(&t.thread, NULL, signalled, &t);
	is(next(fd).event, UFFD_EVENT_PAGEFAULT);
	for (int i = 1; i < 4; i++) {
		pthread_kill(t.thread, SIGUSR1);
		soon(alarms == i);
		/* It is asked again. */
		is(next(fd).event, UFFD_EVENT_PAGEFAULT);
	}
	is(zero_in(fd, p, 1), K4);
	pthread_join(t.thread, NULL);
	is(t.done, 3);
	close(fd);
}

TEST(exact_address)
{
	int fd = uffd_with(UFFD_FEATURE_EXACT_ADDRESS);
	char *p = pages(1, RW);
	struct toucher t;

	works(enroll(fd, p, 1, 1));
	touch(&t, p + 123, 0);
	is(next(fd).arg.pagefault.address, (long)p + 123);
	is(zero_in(fd, p, 1), K4);
	touched(&t);
	close(fd);
}

TEST(shared)
{
	int fd = uffd_with(0), file = memfd_create("x", 0);
	char *p, *q, buf[4] = "";
	struct toucher t;
	struct uffd_msg m;

	memset(source, 's', K4);
	ftruncate(file, 4 * K4);
	p = mmap(NULL, 4 * K4, RW, MAP_SHARED, file, 0);
	q = mmap(NULL, 8 * K4, RW, MAP_SHARED, file, 0);
	works(enroll(fd, p, 4, 1));
	touch(&t, p + 5, 'w');
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WRITE);
	is(copy_in(fd, p, source, 1, 0), K4);
	is(touched(&t), 'w');
	is(q[4], 's');
	is(q[5], 'w');
	is(pread(file, buf, 2, 4), 2);
	is(buf[0], 's');
	/* What the file has is no fault. */
	q[K4] = 9;
	is(p[K4], 9);
	is(copy_in(fd, p + K4, source, 1, 0), -EEXIST);
	q[2 * K4] = 8;
	is(copy_in(fd, p + 2 * K4, source, 1, 0), -EEXIST);
	is(zero_in(fd, p + 3 * K4, 1), K4);
	is(q[3 * K4], 0);
	check(quiet(fd));
	/* Beyond the end. */
	works(enroll(fd, q, 8, 1));
	is(copy_in(fd, q + 4 * K4, source, 1, 0), -EFAULT);
	is(reads(q + 4 * K4), 102);
	close(fd);
}

TEST(private_file)
{
	int fd = uffd_with(0), file = memfd_create("x", 0);
	char *p;
	char c = 0;
	struct toucher t;

	memset(source, 'p', K4);
	ftruncate(file, 4 * K4);
	p = mmap(NULL, 4 * K4, RW, MAP_PRIVATE, file, 0);
	works(enroll(fd, p, 4, 1));
	touch(&t, p, 0);
	is(next(fd).event, UFFD_EVENT_PAGEFAULT);
	is(copy_in(fd, p, source, 1, 0), K4);
	is(touched(&t), 'p');
	/* The file has none of it. */
	is(pread(file, &c, 1, 0), 1);
	is(c, 0);
	p[0] = 'y';
	close(fd);
	is(p[0], 'y');
}

TEST(minor)
{
	int fd = uffd_with(0), file = memfd_create("x", 0);
	char *p, *q;
	struct toucher t;
	struct uffd_msg m;

	ftruncate(file, 4 * K4);
	p = mmap(NULL, 4 * K4, RW, MAP_SHARED, file, 0);
	q = mmap(NULL, 8 * K4, RW, MAP_SHARED, file, 0);
	works(enroll(fd, p, 4, UFFDIO_REGISTER_MODE_MINOR));
	is(go_on(fd, p, 1), -EFAULT);
	q[0] = 1;
	q[K4] = 2;
	touch(&t, p, 0);
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_MINOR);
	is(m.arg.pagefault.address, (long)p);
	q[0] = 3;
	is(go_on(fd, p, 1), K4);
	is(touched(&t), 3);
	is(go_on(fd, p, 1), -EEXIST);
	touch(&t, p + K4, 4);
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_MINOR | UFFD_PAGEFAULT_FLAG_WRITE);
	is(go_on(fd, p + K4, 1), K4);
	is(touched(&t), 4);
	is(q[K4], 4);
	/* None that is not there, without MISSING. */
	is(reads(p + 2 * K4), 0);
	check(quiet(fd));
	works(enroll(fd, q, 8, UFFDIO_REGISTER_MODE_MINOR));
	is(go_on(fd, q + 4 * K4, 1), -EINVAL);
	close(fd);
}

TEST(protect_anon)
{
	int fd = uffd_with(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	char *p = pages(8, RW);
	struct toucher t;
	struct uffd_msg m;

	memset(p, 'o', 4 * K4);
	fails(protect(fd, p, 1, 1), ENOENT);
	works(enroll(fd, p, 6, UFFDIO_REGISTER_MODE_WP));
	works(protect(fd, p, 4, 1));
	fails(protect(fd, p, 8, 1), ENOENT);
	fails(protect(fd, p, 1, 3), EINVAL);
	fails(protect(fd, p, 1, 4), EINVAL);
	is(reads(p), 0);
	touch(&t, p, 'n');
	m = next(fd);
	is(m.event, UFFD_EVENT_PAGEFAULT);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	is(m.arg.pagefault.address, (long)p);
	is(p[0], 'o');
	works(protect(fd, p, 1, UFFDIO_WRITEPROTECT_MODE_DONTWAKE));
	msleep(20);
	is(t.done, 0);
	works(wake(fd, p, 1));
	is(touched(&t), 'n');
	touch(&t, p + K4, 'm');
	next(fd);
	is(p[K4], 'o');
	works(protect(fd, p + K4, 1, 0));
	is(touched(&t), 'm');
	/* Rights that mprotect gives and takes leave it. */
	mprotect(p + 2 * K4, K4, PROT_READ);
	mprotect(p + 2 * K4, K4, RW);
	touch(&t, p + 2 * K4, 'z');
	m = next(fd);
	is(m.arg.pagefault.address, (long)p + 2 * K4);
	works(protect(fd, p + 2 * K4, 1, 0));
	is(touched(&t), 'z');
	/* A page that was not there is not protected, and one that goes. */
	works(protect(fd, p + 4 * K4, 1, 1));
	p[4 * K4] = 1;
	check(quiet(fd));
	madvise(p + 3 * K4, K4, MADV_DONTNEED);
	p[3 * K4] = 1;
	check(quiet(fd));
	/* The zero page is. */
	is(p[5 * K4], 0);
	works(protect(fd, p + 5 * K4, 1, 1));
	touch(&t, p + 5 * K4, 6);
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	works(protect(fd, p + 5 * K4, 1, 0));
	is(touched(&t), 6);
	/* Unregistered, nothing is. */
	works(protect(fd, p, 1, 1));
	works(unenroll(fd, p, 6));
	p[0] = 'u';
	is(p[0], 'u');
	close(fd);
}

TEST(protect_copy)
{
	int fd = uffd_with(0);
	char *p = pages(2, RW);
	struct toucher t;
	struct uffd_msg m;

	memset(source, 'c', K4);
	works(enroll(fd, p, 2, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP));
	is(copy_in(fd, p, source, 1, UFFDIO_COPY_MODE_WP), K4);
	is(p[0], 'c');
	touch(&t, p, 'd');
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	works(protect(fd, p, 1, 0));
	is(touched(&t), 'd');
	close(fd);
}

TEST(protect_shared)
{
	int fd = uffd_with(0);
	char *p = mmap(NULL, 4 * K4, RW, SHANON, -1, 0);
	unsigned char vec[4];
	struct toucher t;
	struct uffd_msg m;

	p[0] = 1;
	works(enroll(fd, p, 4, UFFDIO_REGISTER_MODE_WP));
	works(protect(fd, p, 4, 1));
	touch(&t, p, 2);
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	is(p[0], 1);
	works(protect(fd, p, 1, 0));
	is(touched(&t), 2);
	/* A page that is not there yet is protected, too. */
	is(mincore(p + K4, K4, vec), 0);
	is(vec[0] & 1, 0);
	touch(&t, p + K4, 3);
	m = next(fd);
	is(m.arg.pagefault.flags, UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
	is(m.arg.pagefault.address, (long)p + K4);
	works(protect(fd, p + K4, 1, 0));
	is(touched(&t), 3);
	/* And so after a read, and after the table has forgotten the page. */
	is(p[2 * K4], 0);
	madvise(p + 2 * K4, K4, MADV_DONTNEED);
	mprotect(p + 2 * K4, 2 * K4, PROT_READ);
	mprotect(p + 2 * K4, 2 * K4, RW);
	touch(&t, p + 2 * K4, 4);
	m = next(fd);
	is(m.arg.pagefault.address, (long)p + 2 * K4);
	works(protect(fd, p + 2 * K4, 1, 0));
	is(touched(&t), 4);
	works(unenroll(fd, p, 4));
	p[3 * K4] = 5;
	is(p[3 * K4], 5);
	close(fd);
}

/* A private mapping of a file, whose copies go. */
TEST(protect_private_file)
{
	int fd = uffd_with(0), mem = memfd_create("x", 0);
	struct toucher t;
	char *p;

	ftruncate(mem, 2 * K4);
	p = mmap(NULL, 4 * K4, RW, MAP_PRIVATE, mem, 0);
	p[0] = 1;
	is(p[K4], 0);
	works(enroll(fd, p, 4, UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING));
	works(protect(fd, p, 2, 1));
	works(madvise(p, 2 * K4, MADV_DONTNEED));
	for (int i = 0; i < 2; i++) {
		is(zero_in(fd, p + i * K4, 1), -EEXIST);
		is(copy_in(fd, p + i * K4, source, 1, 0), K4);
		works(protect(fd, p + i * K4, 1, 1));
		works(madvise(p + i * K4, K4, MADV_DONTNEED));
		pwrite(mem, "f", 1, i * K4);
		touch(&t, p + i * K4, 7);
		is(next(fd).arg.pagefault.flags,
		   UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
		is(p[i * K4], 'f');
		works(protect(fd, p + i * K4, 1, 0));
		is(touched(&t), 7);
	}
	/* Behind the file's end nothing is filled. */
	is(copy_in(fd, p + 2 * K4, source, 1, 0), -EFAULT);
	is(zero_in(fd, p + 2 * K4, 1), -EFAULT);
	close(fd);
}

TEST(fork_without)
{
	int fd = uffd_with(0);
	char *p = pages(4, RW);

	p[0] = 1;
	works(enroll(fd, p, 4, 3));
	works(protect(fd, p, 1, 1));
	in_child {
		/* The child's memory is its own. */
		check(extent(p) >= 4 * K4);
		p[0] = 2;
		p[K4] = 3;
		is(p[0] + p[K4] + p[2 * K4], 5);
	}
	check(quiet(fd));
	struct toucher t;
	touch(&t, p, 4);
	is(next(fd).arg.pagefault.flags, 3);
	works(protect(fd, p, 1, 0));
	is(touched(&t), 4);
	close(fd);
}

static void *
forker(void *arg)
{
	struct toucher *t = arg;
	pid_t pid = fork();

	if (!pid)
		_exit(t->p[K4] == 'f' && t->p[0] == 1 ? 5 : 6);
	t->value = reap(pid);
	return NULL;
}

TEST(fork_event)
{
	int fd = uffd_with(UFFD_FEATURE_EVENT_FORK), child;
	char *p = pages(2, RW);
	struct toucher t = { .p = p };
	struct uffd_msg m;

	memset(source, 'f', K4);
	p[0] = 1;
	works(enroll(fd, p, 2, 1));
	pthread_create(&t.thread, NULL, forker, &t);
	struct pollfd pf = { fd, POLLIN, 0 };
	is(poll(&pf, 1, 5000), 1);
	/* Until it is read nothing is filled. */
	is(copy_in(fd, p + K4, source, 1, 0), -EAGAIN);
	m = next(fd);
	is(m.event, UFFD_EVENT_FORK);
	child = m.arg.fork.ufd;
	check(fcntl(child, F_GETFD) >= 0);
	m = next(child);
	is(m.event, UFFD_EVENT_PAGEFAULT);
	is(m.arg.pagefault.address, (long)p + K4);
	is(copy_in(child, p + K4, source, 1, 0), K4);
	is(touched(&t), 5);
	/* The child is gone, the parent as it was. */
	is(copy_in(child, p + K4, source, 1, 0), -ESRCH);
	is(copy_in(fd, p + K4, source, 1, 0), K4);
	close(child);
	close(fd);
}

static void *
forker_that_writes(void *arg)
{
	struct toucher *t = arg;
	pid_t pid = fork();

	if (!pid) {
		for (int i = 0; i < 3; i++)
			t->p[i * K4] = 3;
		_exit(5);
	}
	t->value = reap(pid);
	return NULL;
}

/* What is told of before it is written is so in the child. */
TEST(fork_event_protected)
{
	for (int i = 0; i < 3; i++) {
		int fd = uffd_with(UFFD_FEATURE_EVENT_FORK), child, mem = memfd_create("x", 0);
		struct toucher t;
		struct uffd_msg m;

		ftruncate(mem, 3 * K4);
		t.p = i == 2 ? mmap(NULL, 3 * K4, RW, ANON, -1, 0)
			     : mmap(NULL, 3 * K4, RW, i ? MAP_PRIVATE : MAP_SHARED, mem, 0);
		/* One that is read, one that is written, and a hole, or another that is read. */
		is(t.p[0], 0);
		t.p[K4] = 1;
		if (i == 2)
			is(t.p[2 * K4], 0);
		works(enroll(fd, (void *)t.p, 3, UFFDIO_REGISTER_MODE_WP));
		works(protect(fd, (void *)t.p, 3, 1));
		pthread_create(&t.thread, NULL, forker_that_writes, &t);
		m = next(fd);
		is(m.event, UFFD_EVENT_FORK);
		child = m.arg.fork.ufd;
		for (int k = 0; k < 3; k++) {
			m = next(child);
			is(m.arg.pagefault.address, (long)t.p + k * K4);
			is(m.arg.pagefault.flags,
			   UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE);
			works(protect(child, (void *)(t.p + k * K4), 1, 0));
		}
		is(touched(&t), 5);
		close(child);
		close(fd);
		close(mem);
	}
}

static volatile long moved_to;

static void *
mover(void *arg)
{
	struct toucher *t = arg;

	moved_to = (long)mremap((void *)t->p, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED,
				(void *)moved_to);
	t->value = t->p != (char *)moved_to ? ((char *)moved_to)[K4] : -1;
	return NULL;
}

TEST(remap_event)
{
	int fd = uffd_with(UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_UNMAP);
	char *p = pages(2, RW), *to = pages(2, RW);
	struct toucher t = { .p = p };
	struct uffd_msg m;

	memset(source, 'r', K4);
	p[0] = 1;
	works(enroll(fd, p, 2, 1));
	moved_to = (long)to;
	pthread_create(&t.thread, NULL, mover, &t);
	m = next(fd);
	is(m.event, UFFD_EVENT_REMAP);
	is(m.arg.remap.from, (long)p);
	is(m.arg.remap.to, (long)to);
	is(m.arg.remap.len, 2 * K4);
	m = next(fd);
	is(m.event, UFFD_EVENT_UNMAP);
	is(m.arg.remove.start, (long)p);
	is(m.arg.remove.end, (long)p + 2 * K4);
	m = next(fd);
	is(m.event, UFFD_EVENT_PAGEFAULT);
	is(m.arg.pagefault.address, (long)to + K4);
	is(copy_in(fd, to + K4, source, 1, 0), K4);
	is(touched(&t), 'r');
	is(to[0], 1);
	close(fd);
}

TEST(remap_without)
{
	int fd = uffd_with(0);
	char *p = pages(2, RW), *to = pages(2, RW);

	p[0] = 1;
	works(enroll(fd, p, 2, 3));
	works(protect(fd, p, 1, 1));
	check(mremap(p, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	is(to[0], 1);
	to[K4] = 2;
	check(quiet(fd));
	is(copy_in(fd, p, source, 1, 0), -ENOENT);
	close(fd);
}

/* Nobody is left waiting in what is not registered any more. */
TEST_LIMIT(unregister_race, 60)
{
	int fd = uffd_with(0);
	char *p = pages(1, RW);

	for (int i = 0; i < 3000; i++) {
		struct toucher t;

		if (p != mmap(p, K4, RW, ANON | MAP_FIXED, -1, 0) || enroll(fd, p, 1, 1))
			_exit(91);
		touch(&t, p, i & 1);
		for (volatile int k = 0; k < i * 17 % 20000; k++)
			;
		if (unenroll(fd, p, 1))
			_exit(92);
		touched(&t);
	}
	ok(true, "all went on");
	close(fd);
}

static void *
shrinker(void *arg)
{
	struct toucher *t = arg;

	t->value = syscall(SYS_brk, t->p) == (long)t->p;
	t->done = 1;
	return NULL;
}

/* Who answers may need the heap for it. */
TEST(brk_event)
{
	int fd = uffd_with(UFFD_FEATURE_EVENT_UNMAP);
	long end = (syscall(SYS_brk, 0) + K4 - 1) & -K4;
	struct toucher t = { .p = (char *)end };
	struct uffd_msg m;

	is(syscall(SYS_brk, end + 4 * K4), end + 4 * K4);
	works(enroll(fd, (void *)end, 4, 1));
	pthread_create(&t.thread, NULL, shrinker, &t);
	struct pollfd pf = { fd, POLLIN, 0 };
	is(poll(&pf, 1, 5000), 1);
	is(syscall(SYS_brk, 0), end);
	is(syscall(SYS_brk, end + K4), end + K4);
	is(t.done, 0);
	m = next(fd);
	is(m.event, UFFD_EVENT_UNMAP);
	is(m.arg.remove.start, end);
	is(m.arg.remove.end, end + 4 * K4);
	is(touched(&t), 1);
	close(fd);
}

static volatile int started;

static void *
mover_of_race(void *arg)
{
	struct toucher *t = arg;

	while (!started)
		;
	t->value = mremap((void *)t->p, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED,
			  (void *)moved_to) == (void *)moved_to;
	return NULL;
}

/* What moves while the handle is closed is ordinary memory, too. */
TEST_LIMIT(remap_close_race, 60)
{
	char *low = pages(2, RW), *high = pages(2, RW);
	int bad = 0, other;

	for (int i = 0; i < 1500; i++) {
		struct toucher t = { .p = low };
		int fd = uffd_with(UFFD_FEATURE_EVENT_REMAP);

		moved_to = (long)high;
		if (low != mmap(low, 2 * K4, RW, ANON | MAP_FIXED, -1, 0))
			_exit(91);
		low[0] = 1;
		enroll(fd, low, 2, 3);
		protect(fd, low, 1, 1);
		started = 0;
		pthread_create(&t.thread, NULL, mover_of_race, &t);
		started = 1;
		for (volatile int k = 0; k < i * 13 % 20000; k++)
			;
		close(fd);
		pthread_join(t.thread, NULL);
		bad += !t.value;
		other = uffd_with(0);
		bad += enroll(other, high, 2, 1) != 0;
		close(other);
		bad += probe(high + K4, false) != 0;
		bad += probe(high, true) != 0;
		bad += high[0] != 1;
	}
	is(bad, 0);
}

static void *
dropper(void *arg)
{
	struct toucher *t = arg;

	if (t->write == 1)
		t->value = madvise((void *)t->p, 2 * K4, MADV_DONTNEED);
	else
		t->value = munmap((void *)t->p, 2 * K4);
	t->done = 1;
	return NULL;
}

TEST(remove_event)
{
	int fd = uffd_with(UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP);
	char *p = pages(4, RW);
	struct toucher t = { .p = p, .write = 1 };
	struct uffd_msg m;

	memset(p, 1, 4 * K4);
	works(enroll(fd, p, 4, 1));
	pthread_create(&t.thread, NULL, dropper, &t);
	struct pollfd pf = { fd, POLLIN, 0 };
	is(poll(&pf, 1, 5000), 1);
	is(t.done, 0);
	is(copy_in(fd, p, source, 1, 0), -EAGAIN);
	is(zero_in(fd, p, 1), -EAGAIN);
	fails(protect(fd, p, 1, 0), EAGAIN);
	m = next(fd);
	is(m.event, UFFD_EVENT_REMOVE);
	is(m.arg.remove.start, (long)p);
	is(m.arg.remove.end, (long)p + 2 * K4);
	is(touched(&t), 0);
	soon(copy_in(fd, p, source, 1, 0) == K4);
	t.write = 2;
	t.done = 0;
	pthread_create(&t.thread, NULL, dropper, &t);
	m = next(fd);
	is(m.event, UFFD_EVENT_UNMAP);
	is(m.arg.remove.start, (long)p);
	is(m.arg.remove.end, (long)p + 2 * K4);
	pthread_join(t.thread, NULL);
	is(extent(p + 2 * K4), 2 * K4);
	/* Who waits with an event goes on when the handle is closed. */
	t.p = p + 2 * K4;
	t.done = 0;
	pthread_create(&t.thread, NULL, dropper, &t);
	is(poll(&pf, 1, 5000), 1);
	close(fd);
	pthread_join(t.thread, NULL);
	is(t.done, 1);
}

TEST(other_mappings)
{
	int fd = uffd_with(0);
	char *p = pages(6, RW), *q;

	works(enroll(fd, p, 6, 1));
	is(zero_in(fd, p, 2), 2 * K4);
	/* What is mapped in its place is not told of, and what protects it leaves it so. */
	q = mmap(p + 2 * K4, K4, RW, ANON | MAP_FIXED, -1, 0);
	check(q == p + 2 * K4);
	q[0] = 1;
	works(mprotect(p, K4, PROT_READ));
	is(copy_in(fd, p + 3 * K4, source, 3, 0), 3 * K4);
	works(madvise(p, K4, MADV_DONTFORK));
	works(mprotect(p + K4, K4, PROT_NONE));
	is(reads(p + K4), 2);
	munmap(p, 6 * K4);
	check(quiet(fd));
	close(fd);
}

static volatile int stop;
static char *race_page;

static void *
answer(void *arg)
{
	int fd = (int)(long)arg;
	struct pollfd pf = { fd, POLLIN, 0 };
	struct uffd_msg m;

	while (!stop) {
		if (poll(&pf, 1, 10) != 1 || read(fd, &m, sizeof(m)) != sizeof(m))
			continue;
		copy_in(fd, (void *)m.arg.pagefault.address, source, 1, 0);
	}
	return NULL;
}

static void *
reader(void *arg)
{
	long bad = 0;

	for (int i = 0; i < 2000 && !stop; i++) {
		bad += race_page[(i % 8) * K4] != 'R';
		if (arg)
			madvise(race_page + (i % 8) * K4, K4, MADV_DONTNEED);
	}
	return (void *)bad;
}

/* Faults, answers and drops race: nobody sleeps for ever, all see what is filled. */
TEST_LIMIT(race, 60)
{
	int fd = uffd_with(0);
	pthread_t a[2], r[3];
	void *bad;
	long sum = 0;

	memset(source, 'R', K4);
	race_page = pages(8, RW);
	works(enroll(fd, race_page, 8, 1));
	for (int i = 0; i < 2; i++)
		pthread_create(&a[i], NULL, answer, (void *)(long)fd);
	for (int i = 0; i < 3; i++)
		pthread_create(&r[i], NULL, reader, (void *)(long)(i < 2));
	for (int i = 0; i < 3; i++) {
		pthread_join(r[i], &bad);
		sum += (long)bad;
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(a[i], NULL);
	is(sum, 0);
	close(fd);
}
