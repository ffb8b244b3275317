/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_uring with entries of random operations, flags, handles and addresses, from several
 * processes that are killed in the middle of it.  Nothing may hang or fall over, and what
 * they had comes back: the count of open handles is what it was.
 *
 * SEED and SECONDS in the environment choose another run.
 */
#include "tests/abi/uring.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define PROCESSES 6
#define FDS 16
/* More than any length of 32 bits. */
#define ROOM (5UL << 30)

static uint64_t state;
static int fds[FDS];
static char *page;

static uint64_t
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t
address(void)
{
	switch (rnd() % 8) {
	case 0:
		return 0;
	case 1:
		return rnd();
	case 2:
		return (uint64_t)page + 4090;
	default:
		return (uint64_t)page + rnd() % 64 * 8;
	}
}

static int
handle_of(void)
{
	return rnd() % 10 ? fds[rnd() % FDS] : (int)rnd() % 40;
}

static void
make_handles(void)
{
	for (int i = 0; i < 8; i += 2) {
		if (i < 4)
			pipe2(fds + i, i ? O_NONBLOCK : 0);
		else
			socketpair(AF_UNIX, i == 4 ? SOCK_STREAM : SOCK_DGRAM, 0, fds + i);
	}
	fds[8] = open("file", O_RDWR | O_CREAT, 0644);
	fds[9] = eventfd(0, 0);
	fds[10] = epoll_create1(0);
	fds[11] = open(".", O_RDONLY);
	fds[12] = open("/dev/zero", O_RDWR);
	fds[13] = open("/proc/self/status", O_RDONLY);
	fds[14] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[15] = open("/dev/ptmx", O_RDWR);
}

/* Times that pass soon, paths and vectors that may be right. */
static void
fill_page(void)
{
	for (int i = 0; i < 512; i++)
		((uint64_t *)page)[i] = rnd() % 4 ? rnd() % 3 : address();
	for (int i = 0; i < 8; i++)
		snprintf(page + rnd() % 64 * 8, 8, "d/n%d", (int)(rnd() % 4));
}

static void
random_entry(struct ring *r)
{
	static const unsigned char flags[] = { 0, 0, 0, 0, 0, IOSQE_IO_LINK, IOSQE_IO_LINK,
		IOSQE_ASYNC, IOSQE_ASYNC, IOSQE_FIXED_FILE, IOSQE_BUFFER_SELECT,
		IOSQE_IO_HARDLINK, IOSQE_IO_DRAIN, IOSQE_CQE_SKIP_SUCCESS, 0xff };
	struct io_uring_sqe *s = ring_sqe(r, rnd() % 50, handle_of(), rnd() % 16);

	s->flags = flags[rnd() % sizeof(flags)] | flags[rnd() % sizeof(flags)];
	s->addr = address();
	s->len = rnd() % 4 ? rnd() % 64 : rnd();
	s->off = rnd() % 2 ? 0 : address();
	if (rnd() % 3 == 0)
		s->rw_flags = rnd() % 2 ? rnd() % 16 : rnd();
	if (rnd() % 8 == 0)
		s->ioprio = rnd() % 4;
	if (rnd() % 8 == 0)
		s->file_index = rnd() % 2 ? rnd() % 8 : ~0u;
	if (rnd() % 8 == 0)
		s->buf_index = rnd() % 4;
	/* Timeouts that are right in form. */
	if (s->opcode == IORING_OP_TIMEOUT || s->opcode == IORING_OP_LINK_TIMEOUT)
		s->len = 1;
}

static void
register_things(struct ring *r)
{
	struct iovec v[2] = { { page, 4096 }, { page + 100, 1000 } };

	ring_register(r->fd, IORING_REGISTER_FILES, fds, 8);
	ring_register(r->fd, IORING_REGISTER_BUFFERS, v, 2);
	ring_register(r->fd, IORING_REGISTER_EVENTFD, &fds[9], 1);
}

static void
one_ring(void)
{
	static const unsigned setups[] = { 0, 0, IORING_SETUP_SQPOLL, IORING_SETUP_SUBMIT_ALL,
		IORING_SETUP_CQE32 | IORING_SETUP_SQE128,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
	struct ring r = ring_new(1 << rnd() % 6, setups[rnd() % 6]);
	struct timespec ts = { 0, 1000000 };
	struct io_uring_getevents_arg a = { .ts = (uint64_t)&ts };

	if (r.fd < 0)
		return;
	if (rnd() % 2)
		register_things(&r);
	for (int round = 0; round < 20; round++) {
		int n = rnd() % 16;

		fill_page();
		for (int i = 0; i < n && i < (int)r.p.sq_entries; i++)
			random_entry(&r);
		ring_enter(r.fd, n, rnd() % 3,
			   IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_SQ_WAKEUP,
			   &a, sizeof(a));
		if (rnd() % 2)
			*r.cq_head = *r.cq_tail;
		if (rnd() % 50 == 0)
			*r.cq_head = rnd();
		if (rnd() % 20 == 0)
			ring_register(r.fd, rnd() % 30, (void *)address(), rnd() % 3);
		for (int i = 1; i < 8; i += 2)
			write(fds[i], page, rnd() % 16);
	}
	if (rnd() % 2)
		ring_end(&r);
}

static void
worker(uint64_t seed)
{
	struct rlimit { unsigned long cur, max; } files = { 200, 200 };

	state = seed;
	signal(SIGPIPE, SIG_IGN);
	syscall(SYS_prlimit64, 0, 7, &files, NULL);
	/* No length reaches what lies behind it, as the figures of the test do. */
	page = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	mkdir("d", 0755);
	make_handles();
	for (int i = 0; i < 12; i++)
		one_ring();
	_exit(0);
}

static long
handles_open(void)
{
	char buf[64];

	get("/proc/sys/fs/file-nr", buf, sizeof(buf));
	return atol(buf);
}

TEST_LIMIT(random_entries, 60)
{
	const char *seed = getenv("SEED"), *seconds = getenv("SECONDS");
	uint64_t s = seed ? strtoull(seed, NULL, 0) : 88172645463325252ull;
	long end = now_ns() + (seconds ? atol(seconds) : 5) * NSEC, before = handles_open();
	int rounds = 0;

	while (now_ns() < end) {
		pid_t pid[PROCESSES];

		for (int i = 0; i < PROCESSES; i++) {
			s = s * 6364136223846793005ull + 1442695040888963407ull;
			pid[i] = fork();
			if (!pid[i])
				worker(s | 1);
		}
		msleep(s >> 40 & 127);
		for (int i = 0; i < PROCESSES; i++) {
			kill(pid[i], SIGKILL);
			reap(pid[i]);
		}
		rounds++;
	}
	check(rounds > 0);
	soon(handles_open() <= before + 8);
}
