/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring: rings, entries, completions, links, waits. */
#include "tests/abi/uring.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

TEST(setup_sizes)
{
	struct io_uring_params p = { 0 };
	int fd = works(ring_setup(5, &p));

	is(p.sq_entries, 8);
	is(p.cq_entries, 16);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	check((p.features & 0xfff) == 0xfff);
	close(fd);
	memset(&p, 0, sizeof(p));
	fails(ring_setup(0, &p), EINVAL);
	fails(ring_setup(32769, &p), EINVAL);
	p.flags = IORING_SETUP_CLAMP;
	fd = works(ring_setup(40000, &p));
	is(p.sq_entries, 32768);
	is(p.cq_entries, 65536);
	close(fd);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE, .cq_entries = 100 };
	fd = works(ring_setup(8, &p));
	is(p.cq_entries, 128);
	close(fd);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE, .cq_entries = 4 };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE, .cq_entries = 65537 };
	fails(ring_setup(8, &p), EINVAL);
}

TEST(setup_flags)
{
	struct io_uring_params p = { .flags = 1u << 20 };

	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .resv = { 0, 1, 0 } };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_SQ_AFF };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_DEFER_TASKRUN };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_TASKRUN_FLAG };
	fails(ring_setup(8, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_ATTACH_WQ, .wq_fd = 0 };
	fails(ring_setup(8, &p), EINVAL);
	fails(ring_setup(8, BAD), EFAULT);
	fails(ring_enter(0, 0, 0, 0, NULL, 0), EOPNOTSUPP);
	fails(ring_enter(99, 0, 0, 0, NULL, 0), EBADF);
	fails(ring_enter(99, 0, 0, 1u << 20, NULL, 0), EINVAL);
	fails(ring_register(0, IORING_REGISTER_PROBE, NULL, 0), EOPNOTSUPP);
	fails(ring_register(99, IORING_REGISTER_PROBE, NULL, 0), EBADF);
	fails(ring_register(99, 1000, NULL, 0), EINVAL);
}

TEST(map)
{
	struct ring r = ring_new(8, 0);

	check(r.fd >= 0);
	is(*r.sq_mask, 7);
	is(*r.cq_mask, 15);
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, r.fd, 0x20000000) == MAP_FAILED);
	{
		char c;

		fails(read(r.fd, &c, 1), EINVAL);
		fails(write(r.fd, &c, 1), EINVAL);
	}
	/* The rings stay as long as they are mapped. */
	close(r.fd);
	is(*r.sq_mask, 7);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	is(*r.sq_tail, 1);
}

TEST(nop)
{
	struct ring r = ring_new(8, 0);
	struct cqe c;

	ring_sqe(&r, IORING_OP_NOP, -1, 0x1234);
	is(ring_submit(&r), 1);
	is(*r.sq_head, 1);
	c = ring_cqe(&r);
	is(c.user_data, 0x1234);
	is(c.res, 0);
	is(c.flags, 0);
	for (int i = 0; i < 8; i++)
		ring_sqe(&r, IORING_OP_NOP, -1, i);
	is(ring_submit_wait(&r, 8), 8);
	for (int i = 0; i < 8; i++)
		is(ring_cqe(&r).user_data, i);
	is(ring_enter(r.fd, 5, 0, 0, NULL, 0), 0);
	/* An index that is none is dropped. */
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	r.sq_array[(*r.sq_tail - 1) & *r.sq_mask] = 77;
	ring_submit(&r);
	is(*r.sq_dropped, 1);
	is(ring_ready(&r), 0);
}

TEST(sizes_of_entries)
{
	struct ring r = ring_new(8, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);

	check(r.fd >= 0);
	for (int i = 0; i < 40; i++) {
		struct cqe c;

		ring_sqe(&r, IORING_OP_NOP, -1, 100 + i);
		ring_submit(&r);
		c = ring_cqe(&r);
		if (c.user_data != (uint64_t)100 + i || c.res != 0)
			ok(false, "entry %d", i);
	}
	is(*r.cq_tail, 40);
}

TEST(bad_entries)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;

	ring_sqe(&r, 200, -1, 1);
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_NOP, -1, 1);
	s->flags = 0x80;
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_NOP, -1, 1);
	s->flags = IOSQE_BUFFER_SELECT;
	is(ring_result(&r), -EOPNOTSUPP);
	s = ring_sqe(&r, IORING_OP_NOP, -1, 1);
	s->ioprio = 1;
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_NOP, -1, 1);
	s->personality = 3;
	is(ring_result(&r), -EINVAL);
	ring_rw(&r, IORING_OP_READ, 99, NULL, 1, 0);
	is(ring_result(&r), -EBADF);
	/* One that fails when it is made ends the submission. */
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_sqe(&r, 200, -1, 2);
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit(&r), 2);
	is(ring_ready(&r), 2);
	is(ring_enter(r.fd, 1, 0, 0, NULL, 0), 1);
	is(ring_ready(&r), 3);
}

TEST(submit_all)
{
	struct ring r = ring_new(8, IORING_SETUP_SUBMIT_ALL);

	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_sqe(&r, 200, -1, 2);
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit(&r), 3);
	is(ring_result_of(&r, 2, 3), -EINVAL);
}

TEST(disabled)
{
	struct ring r = ring_new(8, IORING_SETUP_R_DISABLED);

	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	fails(ring_enter(r.fd, 1, 0, 0, NULL, 0), EBADFD);
	works(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	fails(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), EBADFD);
	is(ring_result(&r), 0);
}

TEST(single_issuer)
{
	struct ring r = ring_new(8, IORING_SETUP_SINGLE_ISSUER);

	check(r.fd >= 0);
	in_child {
		ring_sqe(&r, IORING_OP_NOP, -1, 1);
		fails(ring_enter(r.fd, 1, 0, 0, NULL, 0), EEXIST);
	}
	is(ring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
	is(ring_cqe(&r).res, 0);
}

TEST(defer_taskrun)
{
	struct ring r = ring_new(8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	char c = 0;
	int p[2];

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0);
	is(ring_submit(&r), 1);
	write(p[1], "x", 1);
	is(ring_cqe(&r).res, 1);
	is(c, 'x');
}

TEST(read_write)
{
	struct ring r = ring_new(8, 0);
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	char buf[16] = "";
	struct iovec v[2] = { { "abc", 3 }, { "defg", 4 } };
	struct iovec w[2] = { { buf, 2 }, { buf + 8, 5 } };

	ring_rw(&r, IORING_OP_WRITE, fd, "hello", 5, 0);
	is(ring_result(&r), 5);
	ring_rw(&r, IORING_OP_READ, fd, buf, 16, 1);
	is(ring_result(&r), 4);
	same(buf, "ello");
	ring_rw(&r, IORING_OP_WRITEV, fd, v, 2, 10);
	is(ring_result(&r), 7);
	memset(buf, 0, sizeof(buf));
	ring_rw(&r, IORING_OP_READV, fd, w, 2, 10);
	is(ring_result(&r), 7);
	is(memcmp(buf, "ab\0\0\0\0\0\0cdefg", 13), 0);
	/* The handle's position is -1. */
	lseek(fd, 2, SEEK_SET);
	ring_rw(&r, IORING_OP_READ, fd, buf, 2, -1);
	is(ring_result(&r), 2);
	is(memcmp(buf, "ll", 2), 0);
	is(lseek(fd, 0, SEEK_CUR), 4);
	ring_rw(&r, IORING_OP_READ, fd, BAD, 5, 0);
	is(ring_result(&r), -EFAULT);
	ring_rw(&r, IORING_OP_READ, fd, buf, 16, 100);
	is(ring_result(&r), 0);
	ring_rw(&r, IORING_OP_READV, fd, v, 5000, 0);
	is(ring_result(&r), -EINVAL);
	ring_rw(&r, IORING_OP_WRITE, works(open("f", O_RDONLY)), "x", 1, 0);
	is(ring_result(&r), -EBADF);
	ring_rw(&r, IORING_OP_READ, fd, buf, 1, 0)->rw_flags = 0x8000;
	is(ring_result(&r), -EOPNOTSUPP);
}

TEST(pipe_waits)
{
	struct ring r = ring_new(8, 0);
	char buf[8] = "";
	int p[2];

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], buf, 8, 0);
	is(ring_submit(&r), 1);
	msleep(20);
	is(ring_ready(&r), 0);
	write(p[1], "abc", 3);
	is(ring_cqe(&r).res, 3);
	same(buf, "abc");
	/* The end of the file is no error. */
	ring_rw(&r, IORING_OP_READ, p[0], buf, 8, 0);
	ring_submit(&r);
	close(p[1]);
	is(ring_cqe(&r).res, 0);
}

/* A completion comes though its task does something else. */
TEST(completes_meanwhile)
{
	struct ring r = ring_new(8, 0);
	char c;
	int p[2];

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0);
	ring_submit(&r);
	in_child {
		msleep(30);
		write(p[1], "x", 1);
	}
	soon(ring_ready(&r) == 1);
	is(ring_cqe(&r).res, 1);
}

TEST(whole_write)
{
	struct ring r = ring_new(8, 0);
	static char big[300000], out[300000];
	size_t got = 0;
	int p[2];

	pipe(p);
	memset(big, 'z', sizeof(big));
	ring_rw(&r, IORING_OP_WRITE, p[1], big, sizeof(big), 0);
	is(ring_submit(&r), 1);
	while (got < sizeof(big)) {
		ssize_t n = read(p[0], out + got, sizeof(out) - got);

		if (n <= 0)
			break;
		got += n;
	}
	is(got, sizeof(big));
	is(ring_cqe(&r).res, sizeof(big));
	is(memcmp(big, out, sizeof(big)), 0);
}

TEST(async_flag)
{
	struct ring r = ring_new(8, 0);
	char buf[4] = "";
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));

	write(fd, "abcd", 4);
	ring_rw(&r, IORING_OP_READ, fd, buf, 3, 0)->flags = IOSQE_ASYNC;
	is(ring_result(&r), 3);
	same(buf, "abc");
	ring_sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_ASYNC;
	is(ring_result(&r), 0);
}

TEST(nowait)
{
	struct ring r = ring_new(8, 0);
	uint64_t v;
	char c;
	int sv[2], p[2];

	pipe2(p, O_NONBLOCK);
	/* A handle that does not wait is polled all the same. */
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0);
	is(ring_submit(&r), 1);
	is(ring_ready(&r), 0);
	write(p[1], "x", 1);
	is(ring_cqe(&r).res, 1);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0)->rw_flags = 8;
	is(ring_result(&r), -EOPNOTSUPP);
	ring_rw(&r, IORING_OP_READ, works(eventfd(0, 0)), &v, 8, 0)->rw_flags = 8;
	is(ring_result(&r), -EAGAIN);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	ring_rw(&r, IORING_OP_READ, sv[0], &c, 1, 0)->rw_flags = 8;
	is(ring_result(&r), -EOPNOTSUPP);
}

TEST(links)
{
	struct ring r = ring_new(8, 0);
	char buf[8] = "";
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	struct cqe c;

	ring_rw(&r, IORING_OP_WRITE, fd, "12345", 5, 0)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_READ, fd, buf, 5, 0);
	is(ring_submit_wait(&r, 2), 2);
	c = ring_cqe(&r);
	is(c.user_data, IORING_OP_WRITE);
	c = ring_cqe(&r);
	is(c.user_data, IORING_OP_READ);
	is(c.res, 5);
	same(buf, "12345");
	/* A failure takes what is behind it along; short is a failure. */
	ring_rw(&r, IORING_OP_READ, fd, buf, 8, 0)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit_wait(&r, 3), 3);
	is(ring_cqe(&r).res, 5);
	is(ring_cqe(&r).res, -ECANCELED);
	is(ring_cqe(&r).res, -ECANCELED);
	ring_rw(&r, IORING_OP_READ, fd, buf, 8, 0)->flags = IOSQE_IO_HARDLINK;
	ring_sqe(&r, IORING_OP_NOP, -1, 2);
	is(ring_submit_wait(&r, 2), 2);
	is(ring_cqe(&r).res, 5);
	is(ring_cqe(&r).res, 0);
	/* A bad entry: none of the chain is started. */
	ring_sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, 200, -1, 2)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit_wait(&r, 3), 3);
	is(ring_cqe(&r).res, -ECANCELED);
	is(ring_cqe(&r).res, -EINVAL);
	is(ring_cqe(&r).res, -ECANCELED);
}

TEST(link_behind_wait)
{
	struct ring r = ring_new(8, 0);
	char buf[8] = "";
	int p[2], fd = works(open("f", O_RDWR | O_CREAT, 0644));

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], buf, 3, 0)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_WRITE, fd, buf, 3, 0);
	is(ring_submit(&r), 2);
	msleep(10);
	is(ring_ready(&r), 0);
	write(p[1], "xyz", 3);
	is(ring_cqe(&r).res, 3);
	is(ring_cqe(&r).res, 3);
	is(pread(fd, buf + 4, 3, 0), 3);
	same(buf + 4, "xyz");
}

TEST(skip_success)
{
	struct ring r = ring_new(8, 0);
	struct cqe c;

	ring_sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
	ring_sqe(&r, IORING_OP_NOP, -1, 2);
	is(ring_submit_wait(&r, 1), 2);
	c = ring_cqe(&r);
	is(c.user_data, 2);
	is(ring_ready(&r), 0);
	ring_rw(&r, IORING_OP_READ, 99, NULL, 1, 0)->flags = IOSQE_CQE_SKIP_SUCCESS;
	is(ring_result(&r), -EBADF);
	/* It does not go with draining. */
	ring_sqe(&r, IORING_OP_NOP, -1, 3)->flags = IOSQE_IO_DRAIN;
	is(ring_result(&r), -EOPNOTSUPP);
}

TEST(drain)
{
	struct ring r = ring_new(8, 0);
	char c;
	int p[2];

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0)->user_data = 1;
	ring_sqe(&r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_DRAIN;
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit(&r), 3);
	msleep(20);
	is(ring_ready(&r), 0);
	write(p[1], "x", 1);
	is(ring_cqe(&r).user_data, 1);
	/* In an order that nobody promises. */
	is(ring_cqe(&r).user_data + ring_cqe(&r).user_data, 5);
	ring_sqe(&r, IORING_OP_NOP, -1, 4);
	ring_submit(&r);
	is(ring_cqe(&r).user_data, 4);
}

TEST(overflow)
{
	struct ring r = ring_new(2, 0);
	struct pollfd pf = { .fd = r.fd, .events = POLLIN };

	is(r.p.cq_entries, 4);
	for (int i = 0; i < 8; i++) {
		ring_sqe(&r, IORING_OP_NOP, -1, i);
		is(ring_submit(&r), 1);
	}
	is(ring_ready(&r), 4);
	check(*r.sq_flags & IORING_SQ_CQ_OVERFLOW);
	is(*r.cq_overflow, 0);
	is(poll(&pf, 1, 0), 1);
	for (int i = 0; i < 8; i++)
		is(ring_cqe(&r).user_data, i);
	check(!(*r.sq_flags & IORING_SQ_CQ_OVERFLOW));
	is(ring_ready(&r), 0);
}

TEST(wait_time)
{
	struct ring r = ring_new(8, 0);
	struct timespec ts = { 0, 20000000 };
	struct io_uring_getevents_arg a = { .ts = (uint64_t)&ts };
	long begin = now_ns();

	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &a, sizeof(a)),
	      ETIME);
	check(now_ns() - begin >= 20000000);
	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &a, 4), EINVAL);
	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, BAD, sizeof(a)),
	      EFAULT);
	is(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0), 0);
}

static void
on_signal(int sig)
{
}

TEST(wait_signal)
{
	struct ring r = ring_new(8, 0);
	sigset_t block = sigs(SIGUSR1, 0), none;
	struct io_uring_getevents_arg a = { .sigmask_sz = 8 };
	pid_t me = getpid();

	sigemptyset(&none);
	handle(SIGUSR1, on_signal, 0);
	in_child {
		until_asleep(me);
		kill(me, SIGUSR1);
	}
	sigprocmask(SIG_BLOCK, &block, NULL);
	in_child {
		kill(me, SIGUSR1);
	}
	a.sigmask = (uint64_t)&none;
	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &a, sizeof(a)),
	      EINTR);
	kill(me, SIGUSR1);
	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 8), EINTR);
	fails(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 4), EINVAL);
}

TEST(poll_of_ring)
{
	struct ring r = ring_new(8, 0);
	struct pollfd pf = { .fd = r.fd, .events = POLLIN | POLLOUT };
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = works(epoll_create1(0));
	char c;
	int p[2];

	is(poll(&pf, 1, 0), 1);
	is(pf.revents, POLLOUT);
	works(epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &ev));
	is(epoll_wait(ep, &ev, 1, 0), 0);
	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0);
	ring_submit(&r);
	in_child {
		msleep(20);
		write(p[1], "x", 1);
	}
	pf.events = POLLIN;
	is(poll(&pf, 1, 5000), 1);
	is(epoll_wait(ep, &ev, 1, 1000), 1);
	is(ring_cqe(&r).res, 1);
	is(poll(&pf, 1, 0), 0);
}

TEST(fdinfo)
{
	struct ring r = ring_new(8, 0);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r.fd);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_submit(&r);
	is(field(path, "SqHead"), 1);
	is(field(path, "SqTail"), 1);
	is(field(path, "CqTail"), 1);
	is(field(path, "CqHead"), 0);
	is(field(path, "SqMask"), 7);
	{
		char to[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", r.fd);
		readlink(path, to, sizeof(to) - 1);
		same(to, "anon_inode:[io_uring]");
	}
}
