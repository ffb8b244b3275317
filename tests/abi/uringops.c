/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring: polls, timeouts, cancelling, files, sockets, buffers that are chosen. */
#include "tests/abi/uring.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

TEST(poll_once)
{
	struct ring r = ring_new(8, 0);
	int p[2];

	pipe(p);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[0], 1)->poll32_events = POLLIN;
	is(ring_submit(&r), 1);
	is(ring_ready(&r), 0);
	write(p[1], "x", 1);
	is(ring_cqe(&r).res, POLLIN);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[0], 1)->poll32_events = POLLIN;
	is(ring_result(&r), POLLIN);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[1], 1)->poll32_events = POLLIN | POLLOUT;
	is(ring_result(&r), POLLOUT);
	close(p[0]);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[1], 1)->poll32_events = POLLIN;
	is(ring_result(&r), POLLERR);
	ring_sqe(&r, IORING_OP_POLL_ADD, open(".", O_RDONLY), 1)->poll32_events = POLLIN;
	is(ring_result(&r), POLLIN);
	ring_sqe(&r, IORING_OP_POLL_ADD, 99, 1)->poll32_events = POLLIN;
	is(ring_result(&r), -EBADF);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[1], 1)->addr = 1;
	is(ring_result(&r), -EINVAL);
}

TEST(poll_multishot)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	struct cqe c;
	uint64_t v = 1;
	int fd = works(eventfd(0, 0));

	s = ring_sqe(&r, IORING_OP_POLL_ADD, fd, 7);
	s->poll32_events = POLLIN;
	s->len = IORING_POLL_ADD_MULTI;
	is(ring_submit(&r), 1);
	for (int i = 0; i < 3; i++) {
		write(fd, &v, 8);
		c = ring_cqe(&r);
		is(c.user_data, 7);
		is(c.res, POLLIN);
		check(c.flags & IORING_CQE_F_MORE);
		read(fd, &v, 8);
		v = 1;
	}
	s = ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, 8);
	s->addr = 7;
	is(ring_submit_wait(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		c = ring_cqe(&r);
		is(c.res, c.user_data == 7 ? -ECANCELED : 0);
		check(!(c.flags & IORING_CQE_F_MORE));
	}
	/* What is ready already is told at once. */
	write(fd, &v, 8);
	s = ring_sqe(&r, IORING_OP_POLL_ADD, fd, 7);
	s->poll32_events = POLLIN;
	s->len = IORING_POLL_ADD_MULTI;
	is(ring_submit_wait(&r, 1), 1);
	c = ring_cqe(&r);
	is(c.res, POLLIN);
	check(c.flags & IORING_CQE_F_MORE);
}

TEST(poll_remove)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	int p[2];

	pipe(p);
	ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, 1)->addr = 55;
	is(ring_result(&r), -ENOENT);
	ring_sqe(&r, IORING_OP_POLL_ADD, p[0], 2)->poll32_events = POLLIN;
	is(ring_submit(&r), 1);
	/* Other events: what is ready of them is told. */
	s = ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, 3);
	s->addr = 2;
	s->off = 22;
	s->len = IORING_POLL_UPDATE_USER_DATA;
	is(ring_result(&r), 0);
	ring_sqe(&r, IORING_OP_POLL_REMOVE, -1, 4)->addr = 2;
	is(ring_result(&r), -ENOENT);
	write(p[1], "x", 1);
	{
		struct cqe c = ring_cqe(&r);

		is(c.user_data, 22);
		is(c.res, POLLIN);
	}
}

TEST(timeout)
{
	struct ring r = ring_new(8, 0);
	struct timespec ts = { 0, 20000000 };
	struct io_uring_sqe *s;
	long begin = now_ns();

	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	is(ring_submit(&r), 1);
	is(ring_ready(&r), 0);
	is(ring_cqe(&r).res, -ETIME);
	check(now_ns() - begin >= 20000000);
	/* Absolute, and in the past. */
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	s->timeout_flags = IORING_TIMEOUT_ABS;
	is(ring_result(&r), -ETIME);
	/* A count of completions. */
	ts.tv_sec = 20;
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 2);
	s->user_data = 5;
	is(ring_submit(&r), 1);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	is(ring_submit(&r), 1);
	is(ring_cqe(&r).user_data, 1);
	is(ring_ready(&r), 0);
	ring_sqe(&r, IORING_OP_NOP, -1, 2);
	is(ring_submit_wait(&r, 2), 1);
	is(ring_result_of(&r, 5, 2), 0);
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 2, 0);
	is(ring_result(&r), -EINVAL);
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, BAD, 1, 0);
	is(ring_result(&r), -EFAULT);
	ts.tv_sec = -1;
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	is(ring_result(&r), -EINVAL);
	ts.tv_sec = 0;
	s = ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	s->timeout_flags = IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME;
	is(ring_result(&r), -EINVAL);
}

TEST(timeout_remove)
{
	struct ring r = ring_new(8, 0);
	struct timespec ts = { 20, 0 }, soon = { 0, 10000000 };
	struct io_uring_sqe *s;

	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 1)->addr = 9;
	is(ring_result(&r), -ENOENT);
	ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0)->user_data = 2;
	is(ring_submit(&r), 1);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 3)->addr = 2;
	is(ring_submit_wait(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct cqe c = ring_cqe(&r);

		is(c.res, c.user_data == 2 ? -ECANCELED : 0);
	}
	ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0)->user_data = 4;
	is(ring_submit(&r), 1);
	s = ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 5);
	s->addr = 4;
	s->addr2 = (uint64_t)&soon;
	s->timeout_flags = IORING_TIMEOUT_UPDATE;
	is(ring_result(&r), 0);
	{
		struct cqe c = ring_cqe(&r);

		is(c.user_data, 4);
		is(c.res, -ETIME);
	}
}

TEST(link_timeout)
{
	struct ring r = ring_new(8, 0);
	struct timespec ts = { 0, 20000000 }, far = { 20, 0 };
	char c;
	int p[2];

	pipe(p);
	ring_rw(&r, IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0);
	is(ring_result(&r), -EINVAL);
	/* It comes too late. */
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0);
	is(ring_submit_wait(&r, 2), 2);
	for (int i = 0; i < 2; i++) {
		struct cqe e = ring_cqe(&r);

		is(e.res, e.user_data == IORING_OP_READ ? -ECANCELED : -ETIME);
	}
	/* In time. */
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0);
	is(ring_submit(&r), 2);
	write(p[1], "x", 1);
	for (int i = 0; i < 2; i++) {
		struct cqe e = ring_cqe(&r);

		is(e.res, e.user_data == IORING_OP_READ ? 1 : -ECANCELED);
	}
	/* What does not wait has no timeout, and what is behind goes on. */
	ring_sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, -1, 3);
	is(ring_submit_wait(&r, 3), 3);
	is(ring_ready(&r), 3);
	for (int i = 0; i < 3; i++) {
		struct cqe e = ring_cqe(&r);

		is(e.res, e.user_data == IORING_OP_LINK_TIMEOUT ? -ECANCELED : 0);
	}
}

TEST(cancel)
{
	struct ring r = ring_new(16, 0);
	struct io_uring_sqe *s;
	struct timespec ts = { 20, 0 };
	char c[3];
	int p[2];

	pipe(p);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 1)->addr = 77;
	is(ring_result(&r), -ENOENT);
	ring_rw(&r, IORING_OP_READ, p[0], c, 1, 0)->user_data = 2;
	is(ring_submit(&r), 1);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 3)->addr = 2;
	is(ring_submit_wait(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct cqe e = ring_cqe(&r);

		is(e.res, e.user_data == 2 ? -ECANCELED : 0);
	}
	ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0)->user_data = 4;
	is(ring_submit(&r), 1);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 5)->addr = 4;
	is(ring_submit_wait(&r, 2), 1);
	is(ring_result_of(&r, 4, 2), -ECANCELED);
	/* All of one descriptor. */
	for (int i = 0; i < 3; i++)
		ring_rw(&r, IORING_OP_READ, p[0], c + i, 1, 0)->user_data = 10 + i;
	is(ring_submit(&r), 3);
	s = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, p[0], 6);
	s->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
	is(ring_submit_wait(&r, 4), 1);
	is(ring_result_of(&r, 6, 4), 3);
	s = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 7);
	s->off = 1;
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 7);
	s->cancel_flags = 1u << 20;
	is(ring_result(&r), -EINVAL);
	{
		struct io_uring_sync_cancel_reg reg = { .addr = 50, .fd = -1,
			.timeout = { -1, -1 } };

		fails(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), ENOENT);
		ring_rw(&r, IORING_OP_READ, p[0], c, 1, 0)->user_data = 50;
		is(ring_submit(&r), 1);
		is(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1), 0);
		is(ring_cqe(&r).res, -ECANCELED);
	}
}

/* What a worker waits in ends too. */
TEST(cancel_worker)
{
	struct ring r = ring_new(8, 0);
	char c;
	int p[2];
	int res;

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0)->user_data = 1;
	((struct io_uring_sqe *)r.sqes)->flags = IOSQE_ASYNC;
	is(ring_submit(&r), 1);
	msleep(50);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 2)->addr = 1;
	is(ring_submit_wait(&r, 2), 1);
	res = ring_result_of(&r, 1, 2);
	check(res == -EINTR || res == -ECANCELED);
}

TEST(names)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	struct statx stx;
	struct stat st;
	int fd;

	s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = 0640;
	s->open_flags = O_CREAT | O_RDWR | O_CLOEXEC;
	fd = ring_result(&r);
	check(fd >= 0);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(write(fd, "hello", 5), 5);
	s = ring_sqe(&r, IORING_OP_STATX, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = STATX_ALL & 0xfff;
	s->off = (uint64_t)&stx;
	is(ring_result(&r), 0);
	is(stx.stx_size, 5);
	is(stx.stx_mode & 07777, 0640);
	s = ring_sqe(&r, IORING_OP_FALLOCATE, fd, 1);
	s->off = 0;
	s->addr = 100;
	is(ring_result(&r), 0);
	fstat(fd, &st);
	is(st.st_size, 100);
	ring_sqe(&r, IORING_OP_FSYNC, fd, 1);
	is(ring_result(&r), 0);
	ring_sqe(&r, IORING_OP_FSYNC, fd, 1)->fsync_flags = 2;
	is(ring_result(&r), -EINVAL);
	ring_rw(&r, IORING_OP_FADVISE, fd, NULL, 10, 0);
	is(ring_result(&r), 0);
	s = ring_sqe(&r, IORING_OP_RENAMEAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = AT_FDCWD;
	s->addr2 = (uint64_t)"g";
	is(ring_result(&r), 0);
	is(access("g", F_OK), 0);
	s = ring_sqe(&r, IORING_OP_MKDIRAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"d";
	s->len = 0755;
	is(ring_result(&r), 0);
	s = ring_sqe(&r, IORING_OP_SYMLINKAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"target";
	s->addr2 = (uint64_t)"sym";
	is(ring_result(&r), 0);
	s = ring_sqe(&r, IORING_OP_LINKAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"g";
	s->len = AT_FDCWD;
	s->addr2 = (uint64_t)"d/hard";
	is(ring_result(&r), 0);
	stat("g", &st);
	is(st.st_nlink, 2);
	s = ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"d";
	s->unlink_flags = AT_REMOVEDIR;
	is(ring_result(&r), -ENOTEMPTY);
	s = ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"d/hard";
	is(ring_result(&r), 0);
	ring_sqe(&r, IORING_OP_UNLINKAT, AT_FDCWD, 1)->addr = (uint64_t)"none";
	is(ring_result(&r), -ENOENT);
	ring_sqe(&r, IORING_OP_CLOSE, fd, 1);
	is(ring_result(&r), 0);
	fails(fcntl(fd, F_GETFD), EBADF);
	ring_sqe(&r, IORING_OP_CLOSE, fd, 1);
	is(ring_result(&r), -EBADF);
	ring_sqe(&r, IORING_OP_CLOSE, r.fd, 1);
	is(ring_result(&r), -EBADF);
}

TEST(openat2)
{
	struct ring r = ring_new(8, 0);
	struct { uint64_t flags, mode, resolve; } how = { O_RDONLY, 0, 0 };
	struct io_uring_sqe *s;

	put("f", "x");
	s = ring_sqe(&r, IORING_OP_OPENAT2, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = sizeof(how);
	s->off = (uint64_t)&how;
	check(ring_result(&r) >= 0);
	s = ring_sqe(&r, IORING_OP_OPENAT2, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = 8;
	s->off = (uint64_t)&how;
	is(ring_result(&r), -EINVAL);
	how.mode = 0777;
	s = ring_sqe(&r, IORING_OP_OPENAT2, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->len = sizeof(how);
	s->off = (uint64_t)&how;
	is(ring_result(&r), -EINVAL);
	/* The reader of a FIFO does not keep the ring waiting. */
	mkfifo("fifo", 0600);
	s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"fifo";
	s->open_flags = O_RDONLY;
	check(ring_result(&r) >= 0);
}

TEST(attributes)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	char buf[16] = "";
	int fd;

	mkdir("m", 0755);
	if (mount("tmpfs", "m", "tmpfs", 0, NULL)) {
		skip("no mounts");
		return;
	}
	fd = works(open("m/f", O_RDWR | O_CREAT, 0644));
	s = ring_sqe(&r, IORING_OP_FSETXATTR, fd, 1);
	s->addr = (uint64_t)"trusted.a";
	s->addr2 = (uint64_t)"value";
	s->len = 5;
	is(ring_result(&r), 0);
	s = ring_sqe(&r, IORING_OP_GETXATTR, 0, 1);
	s->addr = (uint64_t)"trusted.a";
	s->addr2 = (uint64_t)buf;
	s->addr3 = (uint64_t)"m/f";
	s->len = sizeof(buf);
	is(ring_result(&r), 5);
	same(buf, "value");
	s = ring_sqe(&r, IORING_OP_FGETXATTR, fd, 1);
	s->addr = (uint64_t)"trusted.none";
	s->addr2 = (uint64_t)buf;
	s->len = sizeof(buf);
	is(ring_result(&r), -ENODATA);
	s = ring_sqe(&r, IORING_OP_SETXATTR, 0, 1);
	s->addr = (uint64_t)"trusted.a";
	s->addr2 = (uint64_t)"v2";
	s->addr3 = (uint64_t)"m/f";
	s->xattr_flags = XATTR_CREATE;
	s->len = 2;
	is(ring_result(&r), -EEXIST);
	close(fd);
	umount("m");
}

TEST(sockets)
{
	struct ring r = ring_new(8, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct io_uring_sqe *s;
	char buf[8] = "";
	int l = works(socket(AF_UNIX, SOCK_STREAM, 0));
	int c, srv = -1;

	works(bind(l, (void *)&a, sizeof(a)));
	works(listen(l, 5));
	s = ring_sqe(&r, IORING_OP_SOCKET, AF_UNIX, 1);
	s->off = SOCK_STREAM;
	c = ring_result(&r);
	check(c >= 0);
	ring_sqe(&r, IORING_OP_ACCEPT, l, 2);
	is(ring_submit(&r), 1);
	is(ring_ready(&r), 0);
	s = ring_sqe(&r, IORING_OP_CONNECT, c, 3);
	s->addr = (uint64_t)&a;
	s->off = sizeof(a);
	is(ring_submit_wait(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct cqe e = ring_cqe(&r);

		if (e.user_data == 2)
			srv = e.res;
		else
			is(e.res, 0);
	}
	check(srv >= 0);
	ring_rw(&r, IORING_OP_RECV, srv, buf, 8, 0);
	is(ring_submit(&r), 1);
	ring_rw(&r, IORING_OP_SEND, c, "hi", 2, 0);
	is(ring_submit_wait(&r, 2), 1);
	is(ring_result_of(&r, IORING_OP_RECV, 2), 2);
	same(buf, "hi");
	ring_rw(&r, IORING_OP_RECV, srv, buf, 8, 0)->msg_flags = MSG_DONTWAIT;
	is(ring_result(&r), -EAGAIN);
	ring_rw(&r, IORING_OP_RECV, l, buf, 8, 0);
	check(ring_result(&r) < 0);
	ring_rw(&r, IORING_OP_SEND, open(".", O_RDONLY), "x", 1, 0);
	is(ring_result(&r), -ENOTSOCK);
	/* All that was asked for, in two pieces. */
	ring_rw(&r, IORING_OP_RECV, srv, buf, 6, 0)->msg_flags = MSG_WAITALL;
	is(ring_submit(&r), 1);
	send(c, "abc", 3, 0);
	msleep(10);
	send(c, "def", 3, 0);
	is(ring_cqe(&r).res, 6);
	is(memcmp(buf, "abcdef", 6), 0);
	s = ring_sqe(&r, IORING_OP_SHUTDOWN, c, 4);
	s->len = SHUT_WR;
	is(ring_result(&r), 0);
	ring_rw(&r, IORING_OP_RECV, srv, buf, 6, 0);
	is(ring_result(&r), 0);
}

TEST(messages)
{
	struct ring r = ring_new(8, 0);
	struct iovec v = { "msg", 3 }, w;
	char buf[8] = "", ctl[CMSG_SPACE(4)];
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 }, n = { .msg_iov = &w, .msg_iovlen = 1 };
	struct cmsghdr *h;
	int sv[2], fd = works(open(".", O_RDONLY));

	w = (struct iovec){ buf, 8 };
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	m.msg_control = ctl;
	m.msg_controllen = sizeof(ctl);
	h = CMSG_FIRSTHDR(&m);
	*h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(h), &fd, 4);
	ring_rw(&r, IORING_OP_SENDMSG, sv[0], &m, 1, 0);
	is(ring_result(&r), 3);
	memset(ctl, 0, sizeof(ctl));
	n.msg_control = ctl;
	n.msg_controllen = sizeof(ctl);
	ring_rw(&r, IORING_OP_RECVMSG, sv[1], &n, 1, 0);
	is(ring_result(&r), 3);
	same(buf, "msg");
	is(CMSG_FIRSTHDR(&n)->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&n)), 4);
	works(fcntl(fd, F_GETFD));
}

TEST(accept_multishot)
{
	struct ring r = ring_new(8, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int l = works(socket(AF_UNIX, SOCK_STREAM, 0));

	works(bind(l, (void *)&a, sizeof(a)));
	works(listen(l, 5));
	ring_sqe(&r, IORING_OP_ACCEPT, l, 2)->ioprio = IORING_ACCEPT_MULTISHOT;
	is(ring_submit(&r), 1);
	for (int i = 0; i < 3; i++) {
		int c = socket(AF_UNIX, SOCK_STREAM, 0);
		struct cqe e;

		works(connect(c, (void *)&a, sizeof(a)));
		e = ring_cqe(&r);
		check(e.res >= 0);
		check(e.flags & IORING_CQE_F_MORE);
	}
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 3)->addr = 2;
	is(ring_submit_wait(&r, 2), 1);
	is(ring_result_of(&r, 2, 2), -ECANCELED);
}

TEST(splice)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	char buf[8] = "";
	int p[2], fd;

	put("f", "0123456789");
	fd = open("f", O_RDONLY);
	pipe(p);
	s = ring_sqe(&r, IORING_OP_SPLICE, p[1], 1);
	s->splice_fd_in = fd;
	s->splice_off_in = 3;
	s->off = -1;
	s->len = 4;
	is(ring_result(&r), 4);
	is(read(p[0], buf, 8), 4);
	same(buf, "3456");
	s = ring_sqe(&r, IORING_OP_SPLICE, p[1], 1);
	s->splice_fd_in = 99;
	s->len = 4;
	is(ring_result(&r), -EBADF);
}

TEST(epoll)
{
	struct ring r = ring_new(8, 0);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 5 };
	struct io_uring_sqe *s;
	int ep = works(epoll_create1(0)), fd = works(eventfd(1, 0));

	s = ring_sqe(&r, IORING_OP_EPOLL_CTL, ep, 1);
	s->off = fd;
	s->len = EPOLL_CTL_ADD;
	s->addr = (uint64_t)&ev;
	is(ring_result(&r), 0);
	is(epoll_wait(ep, &ev, 1, 0), 1);
	is(ev.data.u32, 5);
	s = ring_sqe(&r, IORING_OP_EPOLL_CTL, ep, 1);
	s->off = fd;
	s->len = EPOLL_CTL_DEL;
	is(ring_result(&r), 0);
	is(epoll_wait(ep, &ev, 1, 0), 0);
}

TEST(msg_ring)
{
	struct ring r = ring_new(8, 0), o = ring_new(8, 0);
	struct io_uring_sqe *s;
	struct cqe c;

	s = ring_sqe(&r, IORING_OP_MSG_RING, o.fd, 1);
	s->off = 0xabc;
	s->len = 33;
	is(ring_result(&r), 0);
	is(ring_ready(&o), 1);
	c = ring_cqe(&o);
	is(c.user_data, 0xabc);
	is(c.res, 33);
	ring_sqe(&r, IORING_OP_MSG_RING, open(".", O_RDONLY), 1);
	is(ring_result(&r), -EBADFD);
	ring_sqe(&r, IORING_OP_MSG_RING, o.fd, 1)->addr = 9;
	is(ring_result(&r), -EINVAL);
}

TEST(provided_buffers)
{
	struct ring r = ring_new(8, 0);
	static char bufs[4][16];
	struct io_uring_sqe *s;
	struct cqe c;
	int p[2];

	pipe(p);
	s = ring_rw(&r, IORING_OP_PROVIDE_BUFFERS, 4, bufs, 16, 10);
	s->buf_group = 3;
	is(ring_result(&r), 0);
	s = ring_rw(&r, IORING_OP_READ, p[0], NULL, 16, 0);
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = 3;
	is(ring_submit(&r), 1);
	write(p[1], "chosen", 6);
	c = ring_cqe(&r);
	is(c.res, 6);
	check(c.flags & IORING_CQE_F_BUFFER);
	check(c.flags >> 16 >= 10 && c.flags >> 16 < 14);
	is(memcmp(bufs[(c.flags >> 16) - 10], "chosen", 6), 0);
	write(p[1], "x", 1);
	s = ring_rw(&r, IORING_OP_READ, p[0], NULL, 16, 0);
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = 9;
	is(ring_result(&r), -ENOBUFS);
	s = ring_sqe(&r, IORING_OP_REMOVE_BUFFERS, 10, 1);
	s->buf_group = 3;
	is(ring_result(&r), 3);
	s = ring_sqe(&r, IORING_OP_REMOVE_BUFFERS, 1, 1);
	s->buf_group = 100;
	is(ring_result(&r), -ENOENT);
}

TEST(buffer_ring)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_buf_ring *br = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct io_uring_buf_reg reg = { .ring_addr = (uint64_t)br, .ring_entries = 8, .bgid = 5 };
	char buf[32] = "";
	struct io_uring_sqe *s;
	struct cqe c;
	int sv[2];

	memset(br, 0, 4096);
	works(ring_register(r.fd, IORING_REGISTER_PBUF_RING, &reg, 1));
	fails(ring_register(r.fd, IORING_REGISTER_PBUF_RING, &reg, 1), EEXIST);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	s = ring_rw(&r, IORING_OP_RECV, sv[0], NULL, 16, 0);
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = 5;
	write(sv[1], "hello", 5);
	is(ring_result(&r), -ENOBUFS);
	br->bufs[0].addr = (uint64_t)buf;
	br->bufs[0].len = 32;
	br->bufs[0].bid = 77;
	__atomic_store_n(&br->tail, 1, __ATOMIC_RELEASE);
	s = ring_rw(&r, IORING_OP_RECV, sv[0], NULL, 16, 0);
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = 5;
	ring_submit(&r);
	c = ring_cqe(&r);
	is(c.res, 5);
	is(c.flags >> 16, 77);
	same(buf, "hello");
	works(ring_register(r.fd, IORING_UNREGISTER_PBUF_RING, &reg, 1));
	reg.ring_entries = 7;
	fails(ring_register(r.fd, IORING_REGISTER_PBUF_RING, &reg, 1), EINVAL);
}
