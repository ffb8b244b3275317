/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux AIO: io_setup, io_submit, io_getevents, io_cancel, io_destroy. */
#include "tests/abi/abi.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static int
setup(unsigned n, aio_context_t *c)
{
	return syscall(__NR_io_setup, n, c);
}

static int
destroy(aio_context_t c)
{
	return syscall(__NR_io_destroy, c);
}

static int
submit(aio_context_t c, long n, struct iocb **v)
{
	return syscall(__NR_io_submit, c, n, v);
}

static int
events(aio_context_t c, long min, long n, struct io_event *e, struct timespec *ts)
{
	return syscall(__NR_io_getevents, c, min, n, e, ts);
}

static aio_context_t
context(unsigned n)
{
	aio_context_t c = 0;

	works(setup(n, &c));
	return c;
}

/* Submits one and takes its event: its result, or the error of io_submit(). */
static long
one(aio_context_t c, struct iocb *cb)
{
	struct io_event e = { 0 };

	if (submit(c, 1, &cb) != 1)
		return -errno;
	if (events(c, 1, 1, &e, NULL) != 1)
		return -9999;
	return e.obj == (uint64_t)cb && e.data == cb->aio_data ? e.res : -9998;
}

static struct iocb
io(int op, int fd, const void *buf, size_t n, off_t off)
{
	struct iocb cb = { .aio_lio_opcode = op, .aio_fildes = fd, .aio_buf = (uint64_t)buf,
		.aio_nbytes = n, .aio_offset = off, .aio_data = 0x77 };

	return cb;
}

TEST(contexts)
{
	aio_context_t c = 0, d = 1;

	fails(setup(0, &c), EINVAL);
	fails(setup(1, &d), EINVAL);
	fails(setup(1, BAD), EFAULT);
	fails(destroy(0), EINVAL);
	fails(destroy(12345), EINVAL);
	fails(setup(0x7fffffff, &c), EINVAL);
	is(setup(10, &c), 0);
	check(c != 0);
	d = 0;
	is(setup(10, &d), 0);
	check(c != d);
	is(destroy(c), 0);
	fails(destroy(c), EINVAL);
	fails(events(c, 0, 1, NULL, NULL), EINVAL);
	fails(submit(c, 1, NULL), EINVAL);
	/* A child has none of them. */
	in_child {
		fails(destroy(d), EINVAL);
	}
	is(destroy(d), 0);
}

TEST(limit)
{
	long max = field("/proc/sys/fs/aio-max-nr", ""), before;
	char buf[32];
	aio_context_t c = 0;

	get("/proc/sys/fs/aio-max-nr", buf, sizeof(buf));
	max = atol(buf);
	is(max, 65536);
	get("/proc/sys/fs/aio-nr", buf, sizeof(buf));
	before = atol(buf);
	c = context(100);
	get("/proc/sys/fs/aio-nr", buf, sizeof(buf));
	is(atol(buf), before + 100);
	{
		aio_context_t d = 0;

		fails(setup(max, &d), EAGAIN);
		fails(setup(max - 99 - before, &d), EAGAIN);
		is(setup(max - 100 - before, &d), 0);
		is(destroy(d), 0);
	}
	destroy(c);
	get("/proc/sys/fs/aio-nr", buf, sizeof(buf));
	is(atol(buf), before);
}

/* The end of a process gives back what it had. */
TEST(exit_gives_back)
{
	char buf[32];
	long before;

	get("/proc/sys/fs/aio-nr", buf, sizeof(buf));
	before = atol(buf);
	in_child {
		struct iocb cb, *v = &cb;
		aio_context_t c = context(1000);
		int p[2];

		pipe(p);
		cb = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
		is(submit(c, 1, &v), 1);
	}
	soon((get("/proc/sys/fs/aio-nr", buf, sizeof(buf)), atol(buf) == before));
}

TEST(read_write)
{
	aio_context_t c = context(8);
	char buf[16] = "";
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	struct iovec v[2] = { { "ab", 2 }, { "cde", 3 } };
	struct iocb cb = io(IOCB_CMD_PWRITE, fd, "hello", 5, 0);

	is(one(c, &cb), 5);
	is(cb.aio_key, 0);
	cb = io(IOCB_CMD_PREAD, fd, buf, 16, 1);
	is(one(c, &cb), 4);
	same(buf, "ello");
	cb = io(IOCB_CMD_PWRITEV, fd, v, 2, 10);
	is(one(c, &cb), 5);
	v[0].iov_base = buf;
	cb = io(IOCB_CMD_PREADV, fd, v, 1, 10);
	is(one(c, &cb), 2);
	is(memcmp(buf, "ab", 2), 0);
	cb = io(IOCB_CMD_PREAD, fd, BAD, 5, 0);
	is(one(c, &cb), -EFAULT);
	cb = io(IOCB_CMD_PREAD, fd, buf, 5, -1);
	is(one(c, &cb), -EINVAL);
	cb = io(IOCB_CMD_PREAD, 99, buf, 5, 0);
	is(one(c, &cb), -EBADF);
	cb = io(IOCB_CMD_PREAD, open("f", O_WRONLY), buf, 5, 0);
	is(one(c, &cb), -EBADF);
	cb = io(55, fd, buf, 5, 0);
	is(one(c, &cb), -EINVAL);
	cb = io(IOCB_CMD_PREAD, fd, buf, 5, 0);
	cb.aio_reserved2 = 1;
	is(one(c, &cb), -EINVAL);
	cb = io(IOCB_CMD_PREAD, fd, buf, -1, 0);
	is(one(c, &cb), -EINVAL);
	cb = io(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	is(one(c, &cb), 0);
	cb = io(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	is(one(c, &cb), 0);
	cb = io(IOCB_CMD_FSYNC, fd, NULL, 5, 0);
	is(one(c, &cb), -EINVAL);
	cb = io(IOCB_CMD_PREAD, fd, buf, 5, 0);
	cb.aio_rw_flags = 0x8000;
	is(one(c, &cb), -EOPNOTSUPP);
}

TEST(many)
{
	aio_context_t c = context(4);
	struct iocb cb[4], *v[4];
	struct io_event e[8];
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	struct timespec zero = { 0, 0 };

	for (int i = 0; i < 4; i++) {
		cb[i] = io(IOCB_CMD_PWRITE, fd, "x", 1, i);
		cb[i].aio_data = i;
		v[i] = &cb[i];
	}
	cb[2].aio_fildes = 99;
	/* Up to the first that fails. */
	is(submit(c, 4, v), 2);
	fails(submit(c, 2, v + 2), EBADF);
	fails(submit(c, -1, v), EINVAL);
	is(submit(c, 0, v), 0);
	is(events(c, 1, 8, e, &zero), 2);
	is(e[0].data, 0);
	is(e[1].data, 1);
	is(events(c, 1, 8, e, &zero), 0);
	fails(events(c, 2, 1, e, &zero), EINVAL);
	fails(events(c, -1, 1, e, &zero), EINVAL);
	is(events(c, 0, 1, e, NULL), 0);
	fails(submit(c, 1, BAD), EFAULT);
}

/* Each request needs a slot until its event is taken. */
TEST(slots)
{
	aio_context_t c = context(1);
	struct iocb cb, *v = &cb;
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	static struct io_event e[10000];
	int n = 0, got = 0;

	cb = io(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	while (n < 10000 && submit(c, 1, &v) == 1)
		n++;
	fails(submit(c, 1, &v), EAGAIN);
	check(n >= 1 && n < 10000);
	while (got < n) {
		int k = events(c, 1, 10000, e, NULL);

		if (k <= 0)
			break;
		got += k;
	}
	is(got, n);
	is(submit(c, 1, &v), 1);
}

TEST(wait_for_events)
{
	aio_context_t c = context(4);
	struct timespec ts = { 0, 20000000 };
	struct io_event e;
	long begin = now_ns();

	is(events(c, 1, 1, &e, &ts), 0);
	check(now_ns() - begin >= 20000000);
	ts.tv_nsec = 2000000000;
	fails(events(c, 1, 1, &e, BAD), EFAULT);
}

static void
on_signal(int sig)
{
}

TEST(interrupted)
{
	aio_context_t c = context(4);
	struct io_event e;
	pid_t me = getpid();
	pid_t child;

	handle(SIGUSR1, on_signal, 0);
	child = fork();
	if (!child) {
		until_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	fails(events(c, 1, 1, &e, NULL), EINTR);
	reap(child);
	{
		sigset_t block = sigs(SIGUSR1, 0), none;
		struct { sigset_t *mask; size_t size; } s = { &none, 8 };

		sigemptyset(&none);
		sigprocmask(SIG_BLOCK, &block, NULL);
		kill(me, SIGUSR1);
		fails(syscall(__NR_io_pgetevents, c, 1, 1, &e, NULL, &s), EINTR);
		s.size = 4;
		fails(syscall(__NR_io_pgetevents, c, 1, 1, &e, NULL, &s), EINVAL);
	}
}

TEST(poll)
{
	aio_context_t c = context(4);
	struct iocb cb, *v = &cb;
	struct io_event e;
	struct timespec zero = { 0, 0 };
	int p[2];

	pipe(p);
	cb = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
	is(submit(c, 1, &v), 1);
	is(events(c, 1, 1, &e, &zero), 0);
	write(p[1], "x", 1);
	is(events(c, 1, 1, &e, NULL), 1);
	check(e.res & POLLIN);
	is(one(c, &cb), POLLIN);
	cb = io(IOCB_CMD_POLL, open(".", O_RDONLY), (void *)POLLIN, 0, 0);
	is(one(c, &cb), POLLIN);
	cb = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 1, 0);
	is(one(c, &cb), -EINVAL);
}

TEST(cancel)
{
	aio_context_t c = context(4);
	struct iocb cb, *v = &cb;
	struct io_event e;
	int p[2];

	pipe(p);
	cb = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
	fails(syscall(__NR_io_cancel, c, &cb, &e), EINVAL);
	is(submit(c, 1, &v), 1);
	fails(syscall(__NR_io_cancel, c, &cb, &e), EINPROGRESS);
	is(events(c, 1, 1, &e, NULL), 1);
	is(e.obj, (uint64_t)&cb);
	fails(syscall(__NR_io_cancel, c, &cb, &e), EINVAL);
	fails(syscall(__NR_io_cancel, c, BAD, &e), EFAULT);
	/* Destroying cancels. */
	is(submit(c, 1, &v), 1);
	is(destroy(c), 0);
}

TEST(eventfd)
{
	aio_context_t c = context(4);
	int fd = works(open("f", O_RDWR | O_CREAT, 0644)), ev = works(eventfd(0, EFD_NONBLOCK));
	struct iocb cb = io(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	uint64_t n = 0;

	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = ev;
	is(one(c, &cb), 1);
	is(read(ev, &n, 8), 8);
	is(n, 1);
	cb.aio_resfd = fd;
	is(one(c, &cb), -EINVAL);
	cb.aio_resfd = 99;
	is(one(c, &cb), -EBADF);
}

/* What a program that takes its events by itself relies on. */
TEST(ring)
{
	aio_context_t c = context(4);
	struct head {
		unsigned id, nr, head, tail, magic, compat, incompat, length;
		struct io_event e[];
	} *h = (void *)c;
	struct iocb cb, *v = &cb;
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	struct io_event e;
	struct timespec zero = { 0, 0 };

	is(h->magic, 0xa10a10a1);
	is(h->length, 32);
	is(h->head, 0);
	is(h->tail, 0);
	check(h->nr >= 4);
	cb = io(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	is(submit(c, 1, &v), 1);
	is(h->tail, 1);
	is(h->e[0].obj, (uint64_t)&cb);
	is(h->e[0].res, 1);
	h->head = 1;
	is(events(c, 1, 1, &e, &zero), 0);
	/* Anything in the head does no harm. */
	h->head = 0xfffffff0;
	events(c, 0, 1, &e, &zero);
	is(destroy(c), 0);
}
