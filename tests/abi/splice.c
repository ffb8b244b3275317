/* SPDX-License-Identifier: BSD-2-Clause */
/* splice, tee and vmsplice. */
#include "tests/abi/abi.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

static int
queued(int fd)
{
	int n = -1;

	ioctl(fd, FIONREAD, &n);
	return n;
}

TEST(file_to_pipe)
{
	char buf[16] = "";
	off_t off = 2;
	int p[2];
	int fd;

	put("f", "0123456789");
	fd = works(open("f", O_RDWR));
	pipe(p);
	is(splice(fd, NULL, p[1], NULL, 4, 0), 4);
	is(lseek(fd, 0, SEEK_CUR), 4);
	is(splice(fd, &off, p[1], NULL, 3, 0), 3);
	is(off, 5);
	is(lseek(fd, 0, SEEK_CUR), 4);
	is(read(p[0], buf, 16), 7);
	same(buf, "0123234");
	is(splice(fd, NULL, p[1], NULL, 100, 0), 6);
	is(splice(fd, NULL, p[1], NULL, 100, 0), 0);
}

TEST(pipe_to_file)
{
	char buf[16] = "";
	off_t off = 1;
	int p[2];
	int fd;

	fd = works(open("f", O_CREAT | O_RDWR, 0600));
	pipe(p);
	is(write(p[1], "abcdef", 6), 6);
	is(splice(p[0], NULL, fd, NULL, 2, 0), 2);
	is(splice(p[0], NULL, fd, &off, 100, 0), 4);
	is(off, 5);
	is(lseek(fd, 0, SEEK_CUR), 2);
	is(pread(fd, buf, 16, 0), 5);
	same(buf, "acdef");
	fails(splice(p[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	close(p[1]);
	is(splice(p[0], NULL, fd, NULL, 1, 0), 0);
	fails(splice(p[0], NULL, works(open("f", O_WRONLY | O_APPEND)), NULL,
		     1, 0), EINVAL);
}

TEST(pipe_to_pipe)
{
	char buf[16] = "";
	int a[2], b[2];

	pipe(a);
	pipe(b);
	is(write(a[1], "abcdef", 6), 6);
	is(splice(a[0], NULL, b[1], NULL, 4, 0), 4);
	is(queued(a[0]), 2);
	is(queued(b[0]), 4);
	is(read(b[0], buf, 16), 4);
	same(buf, "abcd");
	fails(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
}

TEST(splice_errors)
{
	off_t off = 0;
	int p[2];
	int fd;

	put("f", "x");
	fd = works(open("f", O_RDWR));
	pipe(p);
	fails(splice(fd, NULL, fd, NULL, 1, 0), EINVAL);
	fails(splice(p[0], &off, fd, NULL, 1, 0), ESPIPE);
	fails(splice(fd, NULL, p[1], &off, 1, 0), ESPIPE);
	fails(splice(-1, NULL, p[1], NULL, 1, 0), EBADF);
	fails(splice(fd, NULL, -1, NULL, 1, 0), EBADF);
	fails(splice(fd, NULL, p[0], NULL, 1, 0), EBADF);
	fails(splice(p[1], NULL, fd, NULL, 1, 0), EBADF);
	fails(splice(fd, NULL, p[1], NULL, 1, 0x80), EINVAL);
	fails(splice(fd, BAD, p[1], NULL, 1, 0), EFAULT);
	off = -1;
	fails(splice(fd, &off, p[1], NULL, 1, 0), EINVAL);
	is(splice(fd, NULL, p[1], NULL, 0, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	fails(splice(fd, NULL, p[1], NULL, 1, 0), EPIPE);
}

TEST(splice_waits)
{
	int p[2];
	pid_t c;
	int fd;

	fd = works(open("f", O_CREAT | O_RDWR, 0600));
	pipe(p);
	c = fork();
	if (!c) {
		close(p[1]);
		_exit(splice(p[0], NULL, fd, NULL, 10, 0));
	}
	check(until_asleep(c));
	is(write(p[1], "abc", 3), 3);
	is(reap(c), 3);
}

TEST(splice_full)
{
	static char big[1 << 17];
	int p[2];
	int fd;

	fd = works(open("f", O_CREAT | O_RDWR, 0600));
	write(fd, big, sizeof(big));
	pipe(p);
	is(splice(fd, (off_t[]){ 0 }, p[1], NULL, sizeof(big),
		  SPLICE_F_NONBLOCK), 65536);
	fails(splice(fd, (off_t[]){ 0 }, p[1], NULL, 1, SPLICE_F_NONBLOCK),
	      EAGAIN);
	is(queued(p[0]), 65536);
}

/* Pages in a pipe are the file's pages: a later write shows, as on Linux. */
TEST(spliced_data)
{
	char buf[8] = "";
	int p[2];
	int fd;

	put("f", "before");
	fd = works(open("f", O_RDWR));
	pipe(p);
	is(splice(fd, NULL, p[1], NULL, 6, 0), 6);
	is(ftruncate(fd, 0), 0);
	is(unlink("f"), 0);
	close(fd);
	is(read(p[0], buf, 8), 6);
}

TEST(tee_call)
{
	char x[16] = "", y[16] = "";
	int a[2], b[2];
	int fd;

	pipe(a);
	pipe(b);
	fails(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK), EAGAIN);
	is(write(a[1], "abcdef", 6), 6);
	is(tee(a[0], b[1], 4, 0), 4);
	is(queued(a[0]), 6);
	is(read(a[0], x, 16), 6);
	is(read(b[0], y, 16), 4);
	same(x, "abcdef");
	same(y, "abcd");
	put("f", "");
	fd = works(open("f", O_RDWR));
	fails(tee(fd, b[1], 1, 0), EINVAL);
	fails(tee(a[0], fd, 1, 0), EINVAL);
	fails(tee(a[0], a[1], 1, 0), EINVAL);
	fails(tee(-1, b[1], 1, 0), EBADF);
	is(tee(a[0], b[1], 0, 0), 0);
	close(a[1]);
	is(tee(a[0], b[1], 1, 0), 0);
}

TEST(vmsplice_call)
{
	static char data[8192] __attribute__((aligned(4096)));
	struct iovec v[2] = { { data, 3 }, { data + 4096, 2 } };
	char buf[16] = "";
	int p[2];
	int fd;

	memcpy(data, "abc", 3);
	memcpy(data + 4096, "de", 2);
	pipe(p);
	is(vmsplice(p[1], v, 2, 0), 5);
	is(read(p[0], buf, 16), 5);
	same(buf, "abcde");
	is(write(p[1], "xyz", 3), 3);
	memset(buf, 0, sizeof(buf));
	v[0] = (struct iovec){ buf, 16 };
	is(vmsplice(p[0], v, 1, 0), 3);
	same(buf, "xyz");
	v[0] = (struct iovec){ BAD, 4096 };
	fails(vmsplice(p[1], v, 1, 0), EFAULT);
	fails(vmsplice(p[1], BAD, 1, 0), EFAULT);
	fails(vmsplice(-1, v, 1, 0), EBADF);
	fd = works(open("f", O_CREAT | O_RDWR, 0600));
	fails(vmsplice(fd, v, 1, 0), EBADF);
	fails(vmsplice(p[1], v, 1, 0x80), EINVAL);
	is(vmsplice(p[1], v, 0, 0), 0);
}

/* --- several sleep, and the one that is woken leaves something --- */

static pid_t
sleeper(pid_t c)
{
	check(until_asleep(c));
	return c;
}

/* The block in a child that is to sleep in it. */
#define asleep(call, want) ({						\
	pid_t abi_c = fork();						\
	if (abi_c == 0)							\
		_exit((call) == (want) ? 7 : 1);			\
	sleeper(abi_c); })

static bool
ended(pid_t c)
{
	int st;

	return waitpid(c, &st, WNOHANG) == c && WIFEXITED(st) && WEXITSTATUS(st) == 7;
}

TEST(rest_wakes_next_reader)
{
	int out = works(open("out", O_WRONLY | O_CREAT, 0600));
	int p[2], q[2];
	pid_t c[2];
	char b;

	pipe(p);
	pipe(q);
	c[0] = asleep(splice(p[0], NULL, out, NULL, 1, 0), 1);
	c[1] = asleep(read(p[0], &b, 1), 1);
	is(write(p[1], "xy", 2), 2);
	soon(ended(c[0]));
	soon(ended(c[1]));

	c[0] = asleep(tee(p[0], q[1], 1, 0), 1);
	c[1] = asleep(read(p[0], &b, 1), 1);
	is(write(p[1], "xy", 2), 2);
	soon(ended(c[0]));
	soon(ended(c[1]));
}

/* Woken by data that it has no room for. */
TEST(blocked_splice_wakes_next_reader)
{
	static char page[4096];
	int p[2], q[2];
	pid_t c[2];
	char b;

	pipe(p);
	pipe(q);
	works(fcntl(q[1], F_SETPIPE_SZ, 4096));
	is(write(q[1], page, 4096), 4096);
	c[0] = asleep(splice(p[0], NULL, q[1], NULL, 1, 0), 1);
	c[1] = asleep(read(p[0], &b, 1), 1);
	is(write(p[1], "x", 1), 1);
	soon(ended(c[1]));
	is(read(q[0], page, 4096), 4096);
	is(write(p[1], "y", 1), 1);
	soon(ended(c[0]));
}

TEST(room_wakes_next_writer)
{
	static char all[65536];
	int in, p[2], q[2];
	pid_t c[2];

	put("in", "abc");
	in = works(open("in", O_RDONLY));
	pipe(p);
	is(write(p[1], all, sizeof(all)), sizeof(all));
	c[0] = asleep(splice(in, NULL, p[1], NULL, 1, 0), 1);
	c[1] = asleep(write(p[1], "z", 1), 1);
	is(read(p[0], all, sizeof(all)), sizeof(all));
	soon(ended(c[0]));
	soon(ended(c[1]));

	/* From a pipe that has nothing any more when it is woken. */
	pipe(p);
	pipe(q);
	is(write(q[1], "x", 1), 1);
	is(write(p[1], all, sizeof(all)), sizeof(all));
	c[0] = asleep(splice(q[0], NULL, p[1], NULL, 1, 0), 1);
	c[1] = asleep(write(p[1], "z", 1), 1);
	is(read(q[0], all, 1), 1);
	is(read(p[0], all, sizeof(all)), sizeof(all));
	soon(ended(c[1]));
	is(write(q[1], "x", 1), 1);
	soon(ended(c[0]));
}
