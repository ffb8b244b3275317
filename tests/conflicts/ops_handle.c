/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on descriptors: of s->path, pipes, eventfd, epoll. Where the sides share a
 * handle, arrange() has made it; otherwise setup() makes one for this side.
 */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes in a shared pipe or value of a shared eventfd, so that nobody blocks. */
#define STOCK 2000

/* This side's page of the file, some way from the other side's. */
static off_t
my_offset(const struct side *s)
{
	return (off_t)(s->number * 8 * PAGE);
}

static void
arrange_file(struct side *s)
{
	if (access(s->path, F_OK) != 0)
		make_file(s->path, 16 * PAGE);
	s->fd = must(open(s->path, O_RDWR));
}

static void
setup_file(struct side *s)
{
	if (s->fd < 0)
		arrange_file(s);
}

static void
run_fstat(struct side *s)
{
	struct stat st;

	must(fstat(s->fd, &st));
}

static void
run_pread(struct side *s)
{
	char buffer[64];

	must(pread(s->fd, buffer, sizeof(buffer), my_offset(s)));
}

static void
run_pwrite(struct side *s)
{
	static const char buffer[64];

	must(pwrite(s->fd, buffer, sizeof(buffer), my_offset(s)));
}

static void
rewind_file(struct side *s)
{
	must(lseek(s->fd, 0, SEEK_SET));
}

static void
run_read(struct side *s)
{
	char buffer[64];

	must(read(s->fd, buffer, sizeof(buffer)));
}

static void
run_write(struct side *s)
{
	static const char buffer[64];

	must(write(s->fd, buffer, sizeof(buffer)));
}

static void
run_append(struct side *s)
{
	static const char buffer[64];

	must(write(s->fd2, buffer, sizeof(buffer)));
}

static void
setup_append(struct side *s)
{
	setup_file(s);
	s->fd2 = must(open(s->path, O_WRONLY | O_APPEND));
}

static void
after_append(struct side *s)
{
	if (s->sharing != SAME_FILE)
		must(ftruncate(s->fd, 16 * PAGE));
}

static void
run_ftruncate(struct side *s)
{
	must(ftruncate(s->fd, 12 * PAGE));
}

static void
after_ftruncate(struct side *s)
{
	must(ftruncate(s->fd, 16 * PAGE));
}

static void
run_fsync(struct side *s)
{
	must(fsync(s->fd));
}

static void
run_lseek(struct side *s)
{
	must(lseek(s->fd, 128, SEEK_SET));
}

static void
run_dup(struct side *s)
{
	s->result = must(dup(s->fd));
}

static void
after_dup(struct side *s)
{
	close(s->result);
}

/* On a number of this side's, far from the other's. */
static void
run_dup2(struct side *s)
{
	must(dup2(s->fd, 64 + s->number * 64));
}

static void
run_close(struct side *s)
{
	must(close(s->result));
}

/* A number of this side's: the lowest free one would often be what the other has just closed. */
static void
before_close(struct side *s)
{
	int fd = must(open(s->path, O_RDWR));

	s->result = must(dup2(fd, 64 + s->number));
	must(close(fd));
}

static void
run_getfl(struct side *s)
{
	must(fcntl(s->fd, F_GETFL));
}

static void
run_cloexec(struct side *s)
{
	must(fcntl(s->fd, F_SETFD, FD_CLOEXEC));
}

static void
run_flock(struct side *s)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = my_offset(s), .l_len = 64};

	must(fcntl(s->fd, F_SETLK, &lock));
	lock.l_type = F_UNLCK;
	must(fcntl(s->fd, F_SETLK, &lock));
}

/* --- pipes --- */

static void
arrange_pipe(struct side *s)
{
	static const char stock[STOCK];
	int ends[2];

	must(pipe2(ends, O_NONBLOCK));
	must(write(ends[1], stock, STOCK));
	s->fd = ends[0];
	s->fd2 = ends[1];
}

static void
setup_pipe(struct side *s)
{
	if (s->fd < 0)
		arrange_pipe(s);
}

static void
run_pipe(struct side *s)
{
	int *ends = (int *)&s->object;

	must(pipe(ends));
}

static void
after_pipe(struct side *s)
{
	int *ends = (int *)&s->object;

	close(ends[0]);
	close(ends[1]);
}

static void
run_pipe_write(struct side *s)
{
	must(write(s->fd2, "x", 1));
}

/* Takes back what was written, that the pipe may not fill up. */
static void
after_pipe_write(struct side *s)
{
	char byte;

	if (s->sharing != SAME_HANDLE && s->sharing != SAME_FD)
		must(read(s->fd, &byte, 1));
}

static void
run_pipe_read(struct side *s)
{
	char byte;

	must(read(s->fd, &byte, 1));
}

static void
after_pipe_read(struct side *s)
{
	if (s->sharing != SAME_HANDLE && s->sharing != SAME_FD)
		must(write(s->fd2, "x", 1));
}

static void
run_socketpair(struct side *s)
{
	int *ends = (int *)&s->object;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void
run_memfd(struct side *s)
{
	s->result = must(memfd_create("pair", 0));
}

/* --- eventfd, epoll --- */

static void
arrange_eventfd(struct side *s)
{
	s->fd = must(eventfd(STOCK, EFD_NONBLOCK | EFD_SEMAPHORE));
}

static void
setup_eventfd(struct side *s)
{
	if (s->fd < 0)
		arrange_eventfd(s);
}

static void
run_eventfd(struct side *s)
{
	s->result = must(eventfd(0, 0));
}

static void
run_eventfd_write(struct side *s)
{
	static const uint64_t one = 1;

	must(write(s->fd, &one, sizeof(one)));
}

static void
run_eventfd_read(struct side *s)
{
	uint64_t one;

	must(read(s->fd, &one, sizeof(one)));
}

/* A set and, in fd2, a ready eventfd of this side's. */
static void
arrange_epoll(struct side *s)
{
	s->fd = must(epoll_create1(0));
}

static void
setup_epoll(struct side *s)
{
	if (s->fd < 0)
		arrange_epoll(s);
	s->fd2 = must(eventfd(1, 0));
}

static void
run_epoll_create(struct side *s)
{
	s->result = must(epoll_create1(0));
}

static void
run_epoll_add(struct side *s)
{
	struct epoll_event e = {.events = EPOLLIN};

	must(epoll_ctl(s->fd, EPOLL_CTL_ADD, s->fd2, &e));
}

static void
run_epoll_del(struct side *s)
{
	must(epoll_ctl(s->fd, EPOLL_CTL_DEL, s->fd2, NULL));
}

static void
setup_epoll_wait(struct side *s)
{
	setup_epoll(s);
	run_epoll_add(s);
}

static void
run_epoll_wait(struct side *s)
{
	struct epoll_event e;

	must(epoll_wait(s->fd, &e, 1, 0));
}

static void
run_epoll_wake(struct side *s)
{
	static const uint64_t one = 1;

	must(write(s->fd2, &one, sizeof(one)));
}

const struct op ops_handle[] = {
	{"fstat", run_fstat, NULL, NULL, setup_file, arrange_file},
	{"pread", run_pread, NULL, NULL, setup_file, arrange_file},
	{"pwrite", run_pwrite, NULL, NULL, setup_file, arrange_file},
	{"read", run_read, rewind_file, NULL, setup_file, arrange_file},
	{"write", run_write, rewind_file, NULL, setup_file, arrange_file},
	{"append", run_append, NULL, after_append, setup_append, arrange_file},
	{"ftruncate", run_ftruncate, NULL, after_ftruncate, setup_file, arrange_file},
	{"fsync", run_fsync, NULL, NULL, setup_file, arrange_file},
	{"lseek", run_lseek, NULL, NULL, setup_file, arrange_file},
	{"dup", run_dup, NULL, after_dup, setup_file, arrange_file},
	{"dup2", run_dup2, NULL, NULL, setup_file, arrange_file},
	{"close", run_close, before_close, NULL, setup_file, arrange_file},
	{"getfl", run_getfl, NULL, NULL, setup_file, arrange_file},
	{"cloexec", run_cloexec, NULL, NULL, setup_file, arrange_file},
	{"lock", run_flock, NULL, NULL, setup_file, arrange_file},
	{"pipe", run_pipe, NULL, after_pipe, NULL, NULL},
	{"pipe-write", run_pipe_write, NULL, after_pipe_write, setup_pipe, arrange_pipe},
	{"pipe-read", run_pipe_read, NULL, after_pipe_read, setup_pipe, arrange_pipe},
	{"socketpair", run_socketpair, NULL, after_pipe, NULL, NULL},
	{"memfd", run_memfd, NULL, after_dup, NULL, NULL},
	{"eventfd", run_eventfd, NULL, after_dup, NULL, NULL},
	{"eventfd-write", run_eventfd_write, NULL, NULL, setup_eventfd, arrange_eventfd},
	{"eventfd-read", run_eventfd_read, NULL, NULL, setup_eventfd, arrange_eventfd},
	{"epoll-create", run_epoll_create, NULL, after_dup, NULL, NULL},
	{"epoll-add", run_epoll_add, NULL, run_epoll_del, setup_epoll, arrange_epoll},
	{"epoll-del", run_epoll_del, run_epoll_add, NULL, setup_epoll, arrange_epoll},
	{"epoll-wait", run_epoll_wait, NULL, NULL, setup_epoll_wait, arrange_epoll},
	{"epoll-wake", run_epoll_wake, NULL, NULL, setup_epoll_wait, arrange_epoll},
	{NULL},
};
