/* SPDX-License-Identifier: BSD-2-Clause */
/* Local sockets: unix(7) and the calls on sockets. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

static void
pair(int type, int *s)
{
	works(socketpair(AF_UNIX, type, 0, s));
}

static short
polled(int fd)
{
	struct pollfd f = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	return poll(&f, 1, 0) < 0 ? -1 : f.revents;
}

/* An address and its length; names that begin with '@' are abstract. */
static socklen_t
address(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, name);
	if (*name == '@') {
		a->sun_path[0] = 0;
		return offsetof(struct sockaddr_un, sun_path) + strlen(name);
	}
	return sizeof(*a);
}

static int
bound(int type, const char *name)
{
	struct sockaddr_un a;
	int s = works(socket(AF_UNIX, type, 0));

	is(bind(s, (void *)&a, address(&a, name)), 0);
	return s;
}

static int
connect_to(int s, const char *name)
{
	struct sockaddr_un a;

	return connect(s, (void *)&a, address(&a, name));
}

static int
peer_of(int type, const char *name)
{
	int s = works(socket(AF_UNIX, type, 0));

	is(connect_to(s, name), 0);
	return s;
}

static int
option(int s, int opt)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(s, SOL_SOCKET, opt, &v, &len) ? -1 : v;
}

static void
set_option(int s, int opt, int v)
{
	is(setsockopt(s, SOL_SOCKET, opt, &v, sizeof(v)), 0);
}

TEST(creation)
{
	int s[2];

	fails(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
	fails(socket(AF_UNIX, 11, 0), EINVAL);
	fails(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	fails(socket(AF_UNIX, SOCK_STREAM, 9), EPROTONOSUPPORT);
	fails(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
	fails(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD), EFAULT);
	s[0] = works(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	is(fcntl(s[0], F_GETFD), FD_CLOEXEC);
	is(fcntl(s[0], F_GETFL), O_RDWR | O_NONBLOCK);
	is(option(s[0], SO_TYPE), SOCK_STREAM);
	is(option(s[0], SO_DOMAIN), AF_UNIX);
	is(option(s[0], SO_ACCEPTCONN), 0);
	is(option(s[0], SO_ERROR), 0);
	fails(lseek(s[0], 0, SEEK_SET), ESPIPE);
	fails(pread(s[0], s, 1, 0), ESPIPE);
	fails(bind(open("f", O_CREAT | O_RDWR, 0600), (void *)s, 2), ENOTSOCK);
	fails(listen(999, 1), EBADF);
	fails(accept4(s[0], NULL, NULL, 1), EINVAL);
	fails(send(s[0], "x", 1, MSG_NOSIGNAL), ENOTCONN);
	fails(recv(s[0], s, 1, 0), EINVAL);
	fails(listen(s[0], 1), EINVAL);
	fails(accept(s[0], NULL, NULL), EINVAL);
	is(polled(s[0]), POLLOUT | POLLHUP);
}

TEST(stream_data)
{
	char buf[100] = "";
	int s[2], n = 0;

	pair(SOCK_STREAM, s);
	is(polled(s[0]), POLLOUT);
	is(write(s[0], "hello ", 6), 6);
	is(send(s[0], "world", 5, 0), 5);
	is(ioctl(s[1], FIONREAD, &n), 0);
	is(n, 11);
	is(polled(s[1]), POLLIN | POLLOUT);
	is(recv(s[1], buf, 3, MSG_PEEK), 3);
	is(recv(s[1], buf, sizeof(buf), MSG_PEEK), 11);
	is(read(s[1], buf, 8), 8);
	is(memcmp(buf, "hello wo", 8), 0);
	is(read(s[1], buf, 100), 3);
	is(memcmp(buf, "rld", 3), 0);
	fails(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	fails(recv(s[1], buf, 1, MSG_OOB), EINVAL);
	fails(write(s[0], BAD, 10), EFAULT);
	is(write(s[0], "x", 1), 1);
	fails(read(s[1], BAD, 1), EFAULT);
	is(read(s[1], buf, 1), 1);
	if (!fork()) {
		usleep(50000);
		write(s[1], "12", 2);
		usleep(50000);
		write(s[1], "345", 3);
		_exit(0);
	}
	is(recv(s[0], buf, 5, MSG_WAITALL), 5);
	is(memcmp(buf, "12345", 5), 0);
}

TEST(stream_ends)
{
	char c;
	int s[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, s);
	is(write(s[0], "a", 1), 1);
	is(shutdown(s[0], SHUT_WR), 0);
	fails(write(s[0], "b", 1), EPIPE);
	is(read(s[1], &c, 1), 1);
	is(read(s[1], &c, 1), 0);
	is(polled(s[1]), POLLIN | POLLOUT | POLLRDHUP);
	is(write(s[1], "c", 1), 1);
	is(read(s[0], &c, 1), 1);
	fails(shutdown(s[0], 3), EINVAL);
	close(s[0]);
	is(polled(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	fails(write(s[1], "d", 1), EPIPE);

	/* What the other had not read makes its end an error, once. */
	pair(SOCK_STREAM, s);
	is(write(s[0], "lost", 4), 4);
	close(s[1]);
	fails(read(s[0], &c, 1), ECONNRESET);
	is(read(s[0], &c, 1), 0);
	close(s[0]);

	pair(SOCK_STREAM, s);
	is(shutdown(s[1], SHUT_RD), 0);
	fails(write(s[0], "x", 1), EPIPE);
}

TEST(broken_pipe_signal)
{
	int st, s[2];
	pid_t pid = fork();

	if (!pid) {
		pair(SOCK_STREAM, s);
		close(s[1]);
		send(s[0], "x", 1, MSG_NOSIGNAL);
		write(s[0], "x", 1);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	check(WIFSIGNALED(st) && WTERMSIG(st) == SIGPIPE);
}

TEST(backpressure)
{
	static char buf[1 << 16], got[1 << 16];
	size_t sent = 0, came = 0;
	int s[2], st;
	ssize_t n;
	pid_t pid;

	memset(buf, 'x', sizeof(buf));
	pair(SOCK_STREAM, s);
	while ((n = send(s[0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sent += n;
	fails(send(s[0], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	check(sent >= 100000 && sent <= 600000);
	is(polled(s[0]) & POLLOUT, 0);
	pid = fork();
	if (!pid) {
		while (came < sent + 300000 && (n = read(s[1], got, sizeof(got))) > 0)
			came += n;
		_exit(came != sent + 300000);
	}
	for (size_t left = 300000; left; left -= n) {
		n = write(s[0], buf, left < sizeof(buf) ? left : sizeof(buf));
		if (n <= 0)
			break;
	}
	waitpid(pid, &st, 0);
	is(st, 0);
	check(polled(s[0]) & POLLOUT);
}

TEST(datagrams)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	char buf[100] = "";
	int s[2], a1, b1;

	pair(SOCK_DGRAM, s);
	is(send(s[0], "one", 3, 0), 3);
	is(send(s[0], "", 0, 0), 0);
	is(send(s[0], "three", 5, 0), 5);
	is(recv(s[1], buf, 2, MSG_TRUNC | MSG_PEEK), 3);
	is(recv(s[1], buf, 2, 0), 2);
	is(recv(s[1], buf, 100, 0), 0);
	is(recv(s[1], buf, 100, 0), 5);
	fails(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	fails(send(s[0], buf, 1 << 20, 0), EMSGSIZE);
	close(s[1]);
	fails(send(s[0], "x", 1, 0), ECONNREFUSED);
	fails(send(s[0], "x", 1, 0), ENOTCONN);

	a1 = bound(SOCK_DGRAM, "a");
	b1 = bound(SOCK_DGRAM, "@b");
	is(sendto(a1, "hi", 2, 0, (void *)&a, address(&a, "@b")), 2);
	is(recvfrom(b1, buf, 100, 0, (void *)&a, &len), 2);
	same(a.sun_path, "a");
	is(len, offsetof(struct sockaddr_un, sun_path) + 2);
	is(connect_to(b1, "a"), 0);
	is(send(b1, "yo", 2, 0), 2);
	is(recv(a1, buf, 100, 0), 2);
	is(connect_to(a1, "@b"), 0);
	/* Others may not write to who is connected. */
	s[0] = works(socket(AF_UNIX, SOCK_DGRAM, 0));
	fails(connect_to(s[0], "a"), EPERM);
	fails(sendto(s[0], "x", 1, 0, (void *)&a, address(&a, "a")), EPERM);
	a.sun_family = AF_UNSPEC;
	is(connect(a1, (void *)&a, 2), 0);
	is(sendto(s[0], "x", 1, 0, (void *)&a, address(&a, "a")), 1);
	fails(listen(a1, 1), EOPNOTSUPP);
	fails(accept(a1, NULL, NULL), EOPNOTSUPP);
}

TEST(datagram_queue)
{
	struct pollfd p;
	char c;
	int r = bound(SOCK_DGRAM, "@q"), s = peer_of(SOCK_DGRAM, "@q"), n = 0;

	while (send(s, "x", 1, MSG_DONTWAIT) == 1)
		n++;
	fails(send(s, "x", 1, MSG_DONTWAIT), EAGAIN);
	is(n, 11);
	is(polled(s) & POLLOUT, 0);
	p = (struct pollfd){ .fd = s, .events = POLLOUT };
	if (!fork()) {
		usleep(100000);
		read(r, &c, 1);
		_exit(0);
	}
	is(poll(&p, 1, 5000), 1);
	is(send(s, "y", 1, MSG_DONTWAIT), 1);
	if (!fork()) {
		usleep(100000);
		read(r, &c, 1);
		_exit(0);
	}
	is(send(s, "z", 1, 0), 1);
}

TEST(packets)
{
	char buf[10];
	int s[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_SEQPACKET, s);
	is(write(s[0], "abc", 3), 3);
	is(write(s[0], "defgh", 5), 5);
	is(read(s[1], buf, 2), 2);
	is(read(s[1], buf, 10), 5);
	is(memcmp(buf, "defgh", 5), 0);
	close(s[0]);
	is(read(s[1], buf, 10), 0);
	fails(write(s[1], "x", 1), EPIPE);
	s[0] = works(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	fails(read(s[0], buf, 1), ENOTCONN);
	fails(write(s[0], buf, 1), ENOTCONN);
}

TEST(names)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	struct stat st;
	int s = bound(SOCK_STREAM, "name");

	is(stat("name", &st), 0);
	check(S_ISSOCK(st.st_mode));
	fails(open("name", O_RDWR), ENXIO);
	is(getsockname(s, (void *)&a, &len), 0);
	same(a.sun_path, "name");
	is(len, offsetof(struct sockaddr_un, sun_path) + 5);
	fails(bind(s, (void *)&a, address(&a, "other")), EINVAL);
	s = works(socket(AF_UNIX, SOCK_STREAM, 0));
	fails(bind(s, (void *)&a, address(&a, "name")), EADDRINUSE);
	fails(bind(s, (void *)&a, address(&a, "no/dir")), ENOENT);
	fails(bind(s, (void *)&a, 1), EINVAL);
	fails(bind(s, (void *)&a, sizeof(a) + 1), EINVAL);
	fails(bind(s, BAD, 10), EFAULT);
	len = sizeof(a);
	is(getsockname(s, (void *)&a, &len), 0);
	is(len, 2);
	fails(getpeername(s, (void *)&a, &len), ENOTCONN);
	fails(connect_to(s, "name"), ECONNREFUSED);
	fails(connect_to(s, "missing"), ENOENT);
	fails(connect_to(s, "@missing"), ECONNREFUSED);
	close(open("plain", O_CREAT | O_RDWR, 0600));
	fails(connect_to(s, "plain"), ECONNREFUSED);
	/* A name of its own, abstract. */
	a.sun_family = AF_UNIX;
	is(bind(s, (void *)&a, 2), 0);
	len = sizeof(a);
	is(getsockname(s, (void *)&a, &len), 0);
	is(len, 2 + 6);
	is(a.sun_path[0], 0);
	bound(SOCK_STREAM, "@twice");
	s = works(socket(AF_UNIX, SOCK_STREAM, 0));
	fails(bind(s, (void *)&a, address(&a, "@twice")), EADDRINUSE);
	bound(SOCK_DGRAM, "@twice");
	fails(connect_to(s, "@other"), ECONNREFUSED);
}

TEST(permission)
{
	struct sockaddr_un a;
	int l = bound(SOCK_STREAM, "p"), s;

	is(listen(l, 5), 0);
	is(chmod("p", 0600), 0);
	is(chmod(".", 0755), 0);
	in_child {
		works(setresuid(USER, USER, USER));
		s = works(socket(AF_UNIX, SOCK_STREAM, 0));
		fails(connect_to(s, "p"), EACCES);
		fails(bind(s, (void *)&a, address(&a, "mine")), EACCES);
		_exit(0);
	}
	is(chmod("p", 0666), 0);
	in_child {
		works(setresuid(USER, USER, USER));
		peer_of(SOCK_STREAM, "p");
		_exit(0);
	}
}

TEST(connections)
{
	struct sockaddr_un a;
	struct ucred c;
	socklen_t len = sizeof(a);
	char buf[10];
	int l = bound(SOCK_STREAM, "l"), s, t, i;

	is(listen(l, 2), 0);
	is(option(l, SO_ACCEPTCONN), 1);
	fails(connect_to(l, "l"), EINVAL);
	is(fcntl(l, F_SETFL, O_NONBLOCK), 0);
	fails(accept(l, NULL, NULL), EAGAIN);
	s = peer_of(SOCK_STREAM, "l");
	is(polled(l), POLLIN);
	is(write(s, "early", 5), 5);
	t = works(accept4(l, (void *)&a, &len, SOCK_CLOEXEC));
	is(len, 2);
	is(fcntl(t, F_GETFD), FD_CLOEXEC);
	is(read(t, buf, 10), 5);
	fails(connect_to(s, "l"), EISCONN);
	len = sizeof(a);
	is(getpeername(s, (void *)&a, &len), 0);
	same(a.sun_path, "l");
	len = sizeof(a);
	is(getsockname(t, (void *)&a, &len), 0);
	same(a.sun_path, "l");
	len = sizeof(c);
	is(getsockopt(t, SOL_SOCKET, SO_PEERCRED, &c, &len), 0);
	is(c.pid, getpid());
	is(c.uid, 0);

	/* The backlog. */
	for (i = 0; i < 3; i++)
		peer_of(SOCK_STREAM, "l");
	s = works(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	fails(connect_to(s, "l"), EAGAIN);
	if (!fork()) {
		usleep(100000);
		_exit(accept(l, NULL, NULL) < 0);
	}
	is(fcntl(s, F_SETFL, 0), 0);
	is(connect_to(s, "l"), 0);
	close(l);
	s = works(socket(AF_UNIX, SOCK_STREAM, 0));
	fails(connect_to(s, "l"), ECONNREFUSED);
	s = works(socket(AF_UNIX, SOCK_DGRAM, 0));
	l = bound(SOCK_STREAM, "l2");
	fails(connect_to(s, "l2"), EPROTOTYPE);
}

TEST(listener_dies)
{
	char c;
	int l = bound(SOCK_STREAM, "@d"), s;

	is(listen(l, 5), 0);
	s = peer_of(SOCK_STREAM, "@d");
	close(l);
	soon(polled(s) & POLLHUP);
	fails(read(s, &c, 1), ECONNRESET);
	is(read(s, &c, 1), 0);
}

TEST(many_connections)
{
	int l = bound(SOCK_STREAM, "@m"), s, i, n;

	is(listen(l, 128), 0);
	for (i = 0; i < 4; i++) {
		if (fork() == 0) {
			for (n = 0; n < 50; n++) {
				uint32_t v = i << 16 | n, w = 0;

				s = socket(AF_UNIX, SOCK_STREAM, 0);
				if (connect_to(s, "@m") || write(s, &v, 4) != 4 || read(s, &w, 4) != 4 || w != ~v)
					_exit(1);
				close(s);
			}
			_exit(0);
		}
	}
	for (n = 0; n < 200; n++) {
		uint32_t v;

		s = accept(l, NULL, NULL);
		if (s < 0 || read(s, &v, 4) != 4)
			break;
		v = ~v;
		write(s, &v, 4);
		close(s);
	}
	is(n, 200);
	for (i = 0; i < 4; i++) {
		wait(&n);
		is(n, 0);
	}
}

/* --- what goes along --- */

static ssize_t
send_fds(int s, int *fds, int n)
{
	char control[CMSG_SPACE(sizeof(int) * 260)] = "";
	struct iovec iov = { "f", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	return sendmsg(s, &m, 0);
}

/* The number of descriptors that came, put into fds. */
static int
recv_fds(int s, int *fds, int room, int flags, int *out_flags)
{
	char control[CMSG_SPACE(sizeof(int) * 260)], buf[10];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = room ? CMSG_LEN(sizeof(int) * room) : 0 };
	struct cmsghdr *c;
	int n = 0;

	if (recvmsg(s, &m, flags) < 0)
		return -1;
	if (out_flags)
		*out_flags = m.msg_flags;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		}
	}
	return n;
}

TEST(rights)
{
	int s[2], p[2], got[260], many[260], flags, i;
	char c;

	pair(SOCK_STREAM, s);
	works(pipe(p));
	is(send_fds(s[0], p, 2), 1);
	is(recv_fds(s[1], got, 2, MSG_CMSG_CLOEXEC, &flags), 2);
	is(flags & MSG_CTRUNC, 0);
	is(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	is(write(got[1], "q", 1), 1);
	is(read(p[0], &c, 1), 1);
	is(c, 'q');
	/* Only as many as there is room for; the others are closed. */
	is(send_fds(s[0], p, 2), 1);
	is(recv_fds(s[1], got + 2, 1, 0, &flags), 1);
	check(flags & MSG_CTRUNC);
	is(send_fds(s[0], p, 2), 1);
	is(recv_fds(s[1], got + 2, 0, 0, &flags), 0);
	check(flags & MSG_CTRUNC);
	/* A plain read drops them. */
	is(send_fds(s[0], p, 2), 1);
	is(read(s[1], &c, 1), 1);
	close(p[1]);
	close(got[1]);
	is(read(p[0], &c, 1), 0);
	i = 999;
	fails(send_fds(s[0], &i, 1), EBADF);
	for (i = 0; i < 260; i++)
		many[i] = p[0];
	fails(send_fds(s[0], many, 254), EINVAL);
	is(send_fds(s[0], many, 253), 1);
	is(recv_fds(s[1], got, 253, 0, NULL), 253);
}

TEST(rights_keep_open)
{
	int s[2], p[2];
	char c;

	/* In flight counts as open, until the sockets go. */
	pair(SOCK_STREAM, s);
	works(pipe(p));
	is(send_fds(s[0], &p[1], 1), 1);
	close(p[1]);
	is(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
	fails(read(p[0], &c, 1), EAGAIN);
	close(s[0]);
	close(s[1]);
	soon(read(p[0], &c, 1) == 0);
}

TEST(rights_in_circles)
{
	int s[2], t[2], p[2];
	char c;

	works(pipe(p));
	is(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
	/* A socket in its own queue, and two in each other's, with a pipe's end. */
	pair(SOCK_STREAM, s);
	is(send_fds(s[0], &s[1], 1), 1);
	is(send_fds(s[0], &p[1], 1), 1);
	close(s[0]);
	close(s[1]);
	pair(SOCK_STREAM, s);
	pair(SOCK_STREAM, t);
	is(send_fds(s[0], &t[1], 1), 1);
	is(send_fds(t[0], &s[1], 1), 1);
	is(send_fds(t[0], &p[1], 1), 1);
	close(s[0]);
	close(s[1]);
	close(t[0]);
	close(t[1]);
	close(p[1]);
	pair(SOCK_STREAM, s);
	close(s[0]);
	soon(read(p[0], &c, 1) == 0);
	/* One that can be reached is left alone. */
	pair(SOCK_STREAM, s);
	pair(SOCK_STREAM, t);
	is(send_fds(s[0], &t[1], 1), 1);
	is(send_fds(t[0], t, 1), 1);
	close(t[0]);
	close(t[1]);
	is(recv_fds(s[1], t, 1, 0, NULL), 1);
	is(recv_fds(t[0], t + 1, 1, 0, NULL), 1);
	is(write(t[1], "k", 1), 1);
	is(read(t[0], &c, 1), 1);
}

TEST(rights_nested_deeply)
{
	int last[2], s[2], p[2], i;
	char c;

	/* Each in the queue of the next: all end with the last one. */
	works(pipe(p));
	is(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
	pair(SOCK_STREAM, last);
	is(send_fds(last[0], &p[1], 1), 1);
	close(last[0]);
	close(p[1]);
	for (i = 0; i < 3000; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || send_fds(s[0], &last[1], 1) != 1)
			break;
		close(s[0]);
		close(last[1]);
		last[1] = s[1];
	}
	check(i == 3000);
	close(last[1]);
	soon(read(p[0], &c, 1) == 0);
}

TEST(credentials)
{
	char control[CMSG_SPACE(sizeof(struct ucred))], buf[10];
	struct iovec iov = { buf, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h;
	struct ucred c;
	int s[2];

	pair(SOCK_DGRAM, s);
	set_option(s[1], SO_PASSCRED, 1);
	is(option(s[1], SO_PASSCRED), 1);
	is(send(s[0], "x", 1, 0), 1);
	is(recvmsg(s[1], &m, 0), 1);
	h = CMSG_FIRSTHDR(&m);
	check(h && h->cmsg_type == SCM_CREDENTIALS);
	memcpy(&c, CMSG_DATA(h), sizeof(c));
	is(c.pid, getpid());
	is(c.uid, 0);
	in_child {
		works(setresuid(USER, USER, USER));
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_CREDENTIALS;
		h->cmsg_len = CMSG_LEN(sizeof(c));
		c = (struct ucred){ getpid(), 0, 0 };
		memcpy(CMSG_DATA(h), &c, sizeof(c));
		fails(sendmsg(s[0], &m, 0), EPERM);
		c.uid = USER;
		memcpy(CMSG_DATA(h), &c, sizeof(c));
		is(sendmsg(s[0], &m, 0), 1);
		_exit(0);
	}
}

TEST(vectors)
{
	char a[4] = "", b[4] = "", c[10] = "";
	struct iovec out[2] = { { "abc", 3 }, { "de", 2 } }, in[2] = { { a, 2 }, { b, 4 } };
	struct mmsghdr v[3] = { { .msg_hdr = { .msg_iov = out, .msg_iovlen = 2 } },
				{ .msg_hdr = { .msg_iov = out, .msg_iovlen = 1 } } };
	struct mmsghdr r[3] = { { .msg_hdr = { .msg_iov = in, .msg_iovlen = 2 } },
				{ .msg_hdr = { .msg_iov = (struct iovec[]){ { c, 10 } }, .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = (struct iovec[]){ { c, 10 } }, .msg_iovlen = 1 } } };
	int s[2];

	pair(SOCK_DGRAM, s);
	is(sendmmsg(s[0], v, 2, 0), 2);
	is(v[0].msg_len, 5);
	is(v[1].msg_len, 3);
	is(recvmmsg(s[1], r, 3, MSG_WAITFORONE, NULL), 2);
	is(r[0].msg_len, 5);
	is(memcmp(a, "ab", 2), 0);
	is(memcmp(b, "cde", 3), 0);
	is(r[1].msg_len, 3);
	is(writev(s[0], out, 2), 5);
	is(readv(s[1], in, 2), 5);
	fails(recvmmsg(s[1], r, 1, MSG_DONTWAIT, NULL), EAGAIN);
}

TEST(options)
{
	struct timeval tv = { 0, 100000 };
	socklen_t len = sizeof(tv);
	struct timespec t0, t1;
	char c;
	int s[2];

	pair(SOCK_STREAM, s);
	set_option(s[0], SO_SNDBUF, 50000);
	is(option(s[0], SO_SNDBUF), 100000);
	set_option(s[0], SO_SNDBUF, 1);
	is(option(s[0], SO_SNDBUF), 4608);
	set_option(s[0], SO_REUSEADDR, 1);
	is(option(s[0], SO_REUSEADDR), 1);
	fails(setsockopt(s[0], SOL_SOCKET, SO_TYPE, &len, sizeof(len)), ENOPROTOOPT);
	fails(setsockopt(s[0], SOL_SOCKET, 9999, &len, sizeof(len)), ENOPROTOOPT);
	fails(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &len, 1), EINVAL);
	fails(getsockopt(s[0], SOL_SOCKET, 9999, &tv, &len), ENOPROTOOPT);
	is(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	fails(read(s[0], &c, 1), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	/* Linux counts in ticks. */
	check((t1.tv_sec - t0.tv_sec) * NSEC + t1.tv_nsec - t0.tv_nsec >= 90000000);
	tv.tv_sec = 5;
	is(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	is(tv.tv_sec, 0);
	is(tv.tv_usec, 100000);
	tv.tv_usec = 1000000;
	fails(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM);
}

TEST(low_water_mark)
{
	char buf[10];
	int s[2];

	pair(SOCK_STREAM, s);
	set_option(s[1], SO_RCVLOWAT, 3);
	is(option(s[1], SO_RCVLOWAT), 3);
	is(write(s[0], "ab", 2), 2);
	is(recv(s[1], buf, 10, MSG_DONTWAIT), 2);
	is(write(s[0], "ab", 2), 2);
	if (!fork()) {
		usleep(50000);
		write(s[0], "c", 1);
		_exit(0);
	}
	is(recv(s[1], buf, 10, 0), 3);
	is(write(s[0], "d", 1), 1);
	is(recv(s[1], buf, 1, 0), 1);
}

TEST(watched_by_epoll)
{
	struct epoll_event ev = { EPOLLIN | EPOLLET, { .u32 = 7 } }, got;
	int s[2], ep = works(epoll_create1(0));

	pair(SOCK_STREAM, s);
	is(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &ev), 0);
	is(epoll_wait(ep, &got, 1, 0), 0);
	is(write(s[0], "x", 1), 1);
	is(epoll_wait(ep, &got, 1, 1000), 1);
	is(got.data.u32, 7);
	is(epoll_wait(ep, &got, 1, 0), 0);
	is(write(s[0], "x", 1), 1);
	is(epoll_wait(ep, &got, 1, 1000), 1);
	close(s[0]);
	is(epoll_wait(ep, &got, 1, 1000), 1);
	check(got.events & EPOLLIN);
}
