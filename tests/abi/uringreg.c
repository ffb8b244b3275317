/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring: what is registered with a ring, submission threads, and the end of tasks. */
#include "tests/abi/uring.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

TEST(files)
{
	struct ring r = ring_new(8, 0);
	int fds[3], one;
	struct io_uring_files_update u = { .offset = 1, .fds = (uint64_t)&one };
	struct io_uring_sqe *s;
	char buf[8] = "";

	put("f", "first");
	put("g", "second");
	fds[0] = open("f", O_RDONLY);
	fds[1] = -1;
	fds[2] = open("g", O_RDONLY);
	fails(ring_register(r.fd, IORING_REGISTER_FILES, NULL, 3), EFAULT);
	fails(ring_register(r.fd, IORING_REGISTER_FILES, fds, 0), EINVAL);
	fails(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), ENXIO);
	is(ring_register(r.fd, IORING_REGISTER_FILES, fds, 3), 0);
	fails(ring_register(r.fd, IORING_REGISTER_FILES, fds, 3), EBUSY);
	close(fds[2]);
	s = ring_rw(&r, IORING_OP_READ, 2, buf, 3, 0);
	s->flags = IOSQE_FIXED_FILE;
	is(ring_result(&r), 3);
	same(buf, "sec");
	s = ring_rw(&r, IORING_OP_READ, 1, buf, 3, 0);
	s->flags = IOSQE_FIXED_FILE;
	is(ring_result(&r), -EBADF);
	s = ring_rw(&r, IORING_OP_READ, 3, buf, 3, 0);
	s->flags = IOSQE_FIXED_FILE;
	is(ring_result(&r), -EBADF);
	one = fds[0];
	is(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &u, 1), 1);
	s = ring_rw(&r, IORING_OP_READ, 1, buf, 3, 0);
	s->flags = IOSQE_FIXED_FILE;
	is(ring_result(&r), 3);
	same(buf, "fir");
	u.offset = 3;
	fails(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &u, 1), EINVAL);
	one = 99;
	u.offset = 0;
	fails(ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &u, 1), EBADF);
	is(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0), 0);
	/* A ring cannot hold a ring. */
	one = r.fd;
	fails(ring_register(r.fd, IORING_REGISTER_FILES, &one, 1), EBADF);
}

TEST(files_sparse)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_rsrc_register rr = { .nr = 4, .flags = IORING_RSRC_REGISTER_SPARSE };
	struct io_uring_file_index_range range = { .off = 2, .len = 2 };
	struct io_uring_sqe *s;
	char c;

	put("f", "x");
	is(ring_register(r.fd, IORING_REGISTER_FILES2, &rr, sizeof(rr)), 0);
	s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->file_index = 1;
	is(ring_result(&r), 0);
	s = ring_rw(&r, IORING_OP_READ, 0, &c, 1, 0);
	s->flags = IOSQE_FIXED_FILE;
	is(ring_result(&r), 1);
	is(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), 0);
	for (int i = 0; i < 3; i++) {
		s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
		s->addr = (uint64_t)"f";
		s->file_index = IORING_FILE_INDEX_ALLOC;
		is(ring_result(&r), i < 2 ? 2 + i : -ENFILE);
	}
	s = ring_sqe(&r, IORING_OP_CLOSE, 0, 1);
	s->file_index = 3;
	is(ring_result(&r), 0);
	s = ring_sqe(&r, IORING_OP_CLOSE, 0, 1);
	s->file_index = 3;
	is(ring_result(&r), -EBADF);
	s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->file_index = 50;
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
	s->addr = (uint64_t)"f";
	s->open_flags = O_CLOEXEC;
	s->file_index = 1;
	is(ring_result(&r), -EINVAL);
	range.len = 9;
	fails(ring_register(r.fd, IORING_REGISTER_FILE_ALLOC_RANGE, &range, 0), EINVAL);
}

TEST(buffers)
{
	struct ring r = ring_new(8, 0);
	static char big[20000] __attribute__((aligned(4096)));
	struct iovec v[2] = { { big + 100, 15000 }, { NULL, 0 } };
	int fd = works(open("f", O_RDWR | O_CREAT, 0644));
	struct io_uring_sqe *s;

	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 0), EINVAL);
	fails(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), ENXIO);
	is(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 2), 0);
	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 2), EBUSY);
	for (int i = 0; i < 15000; i++)
		big[100 + i] = i % 251;
	s = ring_rw(&r, IORING_OP_WRITE_FIXED, fd, big + 200, 14000, 0);
	is(ring_result(&r), 14000);
	memset(big, 0, sizeof(big));
	s = ring_rw(&r, IORING_OP_READ_FIXED, fd, big + 5000, 10000, 100);
	is(ring_result(&r), 10000);
	{
		bool same = true;

		for (int i = 0; i < 10000; i++)
			same &= big[5000 + i] == (char)((i + 200) % 251);
		check(same);
	}
	is(big[4999], 0);
	is(big[15000], 0);
	s = ring_rw(&r, IORING_OP_READ_FIXED, fd, big + 99, 10, 0);
	is(ring_result(&r), -EFAULT);
	s = ring_rw(&r, IORING_OP_READ_FIXED, fd, big + 15095, 10, 0);
	is(ring_result(&r), -EFAULT);
	s = ring_rw(&r, IORING_OP_READ_FIXED, fd, big + 100, 10, 0);
	s->buf_index = 2;
	is(ring_result(&r), -EFAULT);
	s = ring_rw(&r, IORING_OP_READ_FIXED, fd, big + 15090, 10, 0);
	is(ring_result(&r), 10);
	is(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), 0);
	v[0].iov_base = BAD;
	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 1), EFAULT);
	v[0].iov_base = big;
	v[0].iov_len = 2ul << 30;
	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 1), EFAULT);
	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, v, 20000), EINVAL);
}

TEST(tags)
{
	struct ring r = ring_new(8, 0);
	static char a[4096], b[4096];
	struct iovec v = { a, 4096 };
	uint64_t tag = 0x111, next = 0x222;
	struct io_uring_rsrc_register rr = { .nr = 1, .data = (uint64_t)&v,
		.tags = (uint64_t)&tag };
	struct io_uring_rsrc_update2 u = { .nr = 1, .data = (uint64_t)&v,
		.tags = (uint64_t)&next };
	struct cqe c;

	is(ring_register(r.fd, IORING_REGISTER_BUFFERS2, &rr, sizeof(rr)), 0);
	v.iov_base = b;
	is(ring_register(r.fd, IORING_REGISTER_BUFFERS_UPDATE, &u, sizeof(u)), 1);
	c = ring_cqe(&r);
	is(c.user_data, 0x111);
	is(c.res, 0);
	/* The end of all says nothing. */
	is(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), 0);
	is(ring_ready(&r), 0);
	fails(ring_register(r.fd, IORING_REGISTER_BUFFERS2, &rr, 8), EINVAL);
}

/* Pages that buffers hold count for the user, who has a limit. */
TEST(locked_memory)
{
	struct rlimit l = { 65536, 65536 };
	struct iovec v = { NULL, 65536 };

	setrlimit(RLIMIT_MEMLOCK, &l);
	v.iov_base = mmap(NULL, 131072, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	in_child {
		struct ring r, o;

		drop(USER);
		r = ring_new(8, 0);
		o = ring_new(8, 0);
		is(ring_register(r.fd, IORING_REGISTER_BUFFERS, &v, 1), 0);
		/* By ring, and by all of them. */
		fails(ring_register(o.fd, IORING_REGISTER_BUFFERS, &v, 1), ENOMEM);
		is(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), 0);
		is(ring_register(o.fd, IORING_REGISTER_BUFFERS, &v, 1), 0);
		is(ring_register(o.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), 0);
		v.iov_len = 131072;
		fails(ring_register(r.fd, IORING_REGISTER_BUFFERS, &v, 1), ENOMEM);
	}
}

TEST(event)
{
	struct ring r = ring_new(8, 0);
	int ev = works(eventfd(0, EFD_NONBLOCK)), bad = open(".", O_RDONLY);
	uint64_t n;

	fails(ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), ENXIO);
	fails(ring_register(r.fd, IORING_REGISTER_EVENTFD, &bad, 1), EINVAL);
	is(ring_register(r.fd, IORING_REGISTER_EVENTFD, &ev, 1), 0);
	fails(ring_register(r.fd, IORING_REGISTER_EVENTFD, &ev, 1), EBUSY);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_submit(&r);
	is(read(ev, &n, 8), 8);
	*r.cq_flags |= IORING_CQ_EVENTFD_DISABLED;
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_submit(&r);
	fails(read(ev, &n, 8), EAGAIN);
	*r.cq_flags = 0;
	is(ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), 0);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	ring_submit(&r);
	fails(read(ev, &n, 8), EAGAIN);
}

TEST(probe)
{
	struct ring r = ring_new(8, 0);
	static struct {
		struct io_uring_probe p;
		struct io_uring_probe_op op[256];
	} pr;

	is(ring_register(r.fd, IORING_REGISTER_PROBE, &pr, 256), 0);
	check(pr.p.last_op >= IORING_OP_SOCKET);
	check(pr.p.ops_len > IORING_OP_SOCKET);
	check(pr.op[IORING_OP_NOP].flags & IO_URING_OP_SUPPORTED);
	check(pr.op[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED);
	fails(ring_register(r.fd, IORING_REGISTER_PROBE, &pr, 256), EINVAL);
	/* What it says is so: an operation that there is not is EINVAL. */
	for (int i = 0; i < pr.p.ops_len; i++) {
		if (pr.op[i].flags & IO_URING_OP_SUPPORTED)
			continue;
		ring_sqe(&r, i, -1, 1);
		is(ring_result(&r), -EINVAL);
	}
}

TEST(personality)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	int id = works(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));

	put("f", "x");
	chmod("f", 0600);
	chmod(".", 0755);
	check(id > 0);
	in_child {
		drop(USER);
		s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
		s->addr = (uint64_t)"f";
		is(ring_result(&r), -EACCES);
		s = ring_sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
		s->addr = (uint64_t)"f";
		s->personality = id;
		check(ring_result(&r) >= 0);
	}
	is(ring_register(r.fd, IORING_UNREGISTER_PERSONALITY, NULL, id), 0);
	fails(ring_register(r.fd, IORING_UNREGISTER_PERSONALITY, NULL, id), EINVAL);
}

TEST(restrictions)
{
	struct ring r = ring_new(8, IORING_SETUP_R_DISABLED);
	struct io_uring_restriction re[3] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_PERSONALITY },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_ASYNC },
	};
	int one = 0;
	struct ring o = ring_new(8, 0);

	fails(ring_register(o.fd, IORING_REGISTER_RESTRICTIONS, re, 3), EBADFD);
	is(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, re, 3), 0);
	fails(ring_register(r.fd, IORING_REGISTER_RESTRICTIONS, re, 3), EBUSY);
	is(ring_register(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0), 0);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	is(ring_result(&r), 0);
	ring_rw(&r, IORING_OP_READ, 0, NULL, 0, 0);
	is(ring_result(&r), -EACCES);
	ring_sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_DRAIN;
	is(ring_result(&r), -EACCES);
	fails(ring_register(r.fd, IORING_REGISTER_FILES, &one, 1), EACCES);
	works(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
}

TEST(ring_descriptors)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_rsrc_update u = { .offset = -1U, .data = r.fd };

	is(ring_register(r.fd, IORING_REGISTER_RING_FDS, &u, 1), 1);
	is(u.offset, 0);
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	is(ring_enter(0, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING, NULL, 0), 1);
	fails(ring_enter(1, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
	fails(ring_enter(99, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EINVAL);
	u = (struct io_uring_rsrc_update){ .offset = 0 };
	is(ring_register(r.fd, IORING_UNREGISTER_RING_FDS, &u, 1), 1);
	fails(ring_enter(0, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
}

TEST(worker_limits)
{
	struct ring r = ring_new(8, 0);
	unsigned n[2] = { 3, 5 };
	char c[4];
	int p[2];

	is(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2), 0);
	check(n[0] > 0 && n[1] > 0);
	n[0] = n[1] = 0;
	is(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2), 0);
	is(n[0], 3);
	is(n[1], 5);
	fails(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 1), EINVAL);
	/* With one worker what waits in it holds up the other, and both end. */
	n[0] = n[1] = 1;
	is(ring_register(r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2), 0);
	pipe(p);
	for (int i = 0; i < 2; i++)
		ring_rw(&r, IORING_OP_READ, p[0], c + i, 1, 0)->flags = IOSQE_ASYNC;
	is(ring_submit(&r), 2);
	for (int i = 0; i < 2; i++) {
		write(p[1], "x", 1);
		is(ring_cqe(&r).res, 1);
	}
}

TEST(sqpoll)
{
	struct ring r = { .p = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 50 } };
	char c;
	int p[2];

	r.fd = works(ring_setup(8, &r.p));
	check(ring_map(&r));
	ring_sqe(&r, IORING_OP_NOP, -1, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (*(volatile unsigned *)r.sq_flags & IORING_SQ_NEED_WAKEUP)
		ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
	soon(ring_ready(&r) == 1);
	is(ring_cqe(&r).user_data, 1);
	/* When nothing comes it sleeps, and says so. */
	soon(*(volatile unsigned *)r.sq_flags & IORING_SQ_NEED_WAKEUP);
	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], &c, 1, 0);
	is(ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0), 1);
	msleep(10);
	write(p[1], "x", 1);
	is(ring_cqe(&r).res, 1);
	ring_end(&r);
	{
		struct io_uring_params q = { .flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
			.sq_thread_cpu = 5000 };

		fails(ring_setup(8, &q), EINVAL);
	}
}

/* --- the end --- */

/* A ring with one of each kind of request that waits. */
static struct ring
busy_ring(int p[2])
{
	static char c[4];
	static struct timespec ts = { 100, 0 };
	struct ring r = ring_new(16, 0);

	pipe(p);
	ring_rw(&r, IORING_OP_READ, p[0], c, 1, 0);
	ring_rw(&r, IORING_OP_READ, p[0], c, 1, 0)->flags = IOSQE_ASYNC;
	ring_sqe(&r, IORING_OP_POLL_ADD, p[0], 3)->poll32_events = POLLIN;
	ring_rw(&r, IORING_OP_TIMEOUT, -1, &ts, 1, 0);
	ring_rw(&r, IORING_OP_READ, p[0], c, 1, 0)->flags = IOSQE_IO_LINK;
	ring_rw(&r, IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0);
	ring_sqe(&r, IORING_OP_NOP, -1, 9)->flags = IOSQE_IO_DRAIN;
	is(ring_submit(&r), 7);
	msleep(20);
	is(ring_ready(&r), 0);
	return r;
}

/* The pipe's writer sees when the last reader has gone. */
static bool
reader_gone(int fd)
{
	struct pollfd pf = { .fd = fd };

	poll(&pf, 1, 0);
	return pf.revents & POLLERR;
}

TEST(close_while_busy)
{
	int p[2];
	struct ring r = busy_ring(p);

	close(p[0]);
	check(!reader_gone(p[1]));
	ring_end(&r);
	soon(reader_gone(p[1]));
}

TEST(exit_while_busy)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	pipe(p);
	for (int how = 0; how < 3; how++) {
		pid_t child = fork();

		if (!child) {
			int q[2];

			busy_ring(q);
			dup2(q[1], p[1]);
			if (how == 0)
				_exit(0);
			if (how == 1)
				syscall(SYS_exit, 0);
			kill(getpid(), SIGKILL);
			pause();
		}
		is(reap(child), how == 2 ? -SIGKILL : 0);
	}
}

static struct ring of_thread;

static void *
busy_thread(void *arg)
{
	of_thread = busy_ring(arg);
	return NULL;
}

/* A thread that ends leaves its ring to the others. */
TEST(thread_exit)
{
	pthread_t t;
	int p[2];

	pthread_create(&t, NULL, busy_thread, p);
	pthread_join(t, NULL);
	close(p[0]);
	ring_sqe(&of_thread, IORING_OP_NOP, -1, 77);
	is(ring_submit(&of_thread), 1);
	ring_end(&of_thread);
	soon(reader_gone(p[1]));
}

HELPER(done)
{
	return field("/proc/self/status", "Threads") == 1 ? 7 : 8;
}

TEST(exec_while_busy)
{
	pid_t child = fork();

	if (!child) {
		char *argv[] = { "/proc/self/exe", "@done", NULL };
		int p[2];

		busy_ring(p);
		execv(argv[0], argv);
		_exit(1);
	}
	is(reap(child), 7);
}

/* A child has the ring and not its parent's requests. */
TEST(fork_while_busy)
{
	int p[2];
	struct ring r = busy_ring(p);

	in_child {
		ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 5)->addr = IORING_OP_READ;
		r.pending = 1;
		ring_submit(&r);
	}
	check(!reader_gone(p[1]));
	write(p[1], "abc", 3);
	soon(ring_ready(&r) >= 4);
	in_child {
		struct ring o = ring_new(8, 0);

		ring_sqe(&o, IORING_OP_NOP, -1, 1);
		is(ring_result(&o), 0);
	}
}

/* Workers stop with their process, and go on. */
TEST(stopped)
{
	pid_t child = fork();
	int st;

	if (!child) {
		int p[2];

		busy_ring(p);
		for (;;)
			pause();
	}
	msleep(100);
	kill(child, SIGSTOP);
	is(waitpid(child, &st, WUNTRACED), child);
	check(WIFSTOPPED(st));
	kill(child, SIGCONT);
	is(waitpid(child, &st, WCONTINUED), child);
	kill(child, SIGKILL);
	is(reap(child), -SIGKILL);
}

/* The last reference of a ring's handle is a request of its own submission thread. */
TEST(sqpoll_polls_itself)
{
	pid_t child = fork();
	int st = 0;

	if (!child) {
		struct ring r = ring_new(8, IORING_SETUP_SQPOLL);
		struct __kernel_timespec ts = { .tv_nsec = 200000000 };
		struct io_uring_sqe *s;

		ring_sqe(&r, IORING_OP_POLL_ADD, r.fd, 1)->poll32_events = POLLIN;
		s = ring_sqe(&r, IORING_OP_TIMEOUT, -1, 2);
		s->addr = (uint64_t)&ts;
		s->len = 1;
		ring_enter(r.fd, 2, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
		soon(*r.sq_head == *r.sq_tail);
		ring_end(&r);
		msleep(400);
		_exit(7);
	}
	soon(waitpid(child, &st, WNOHANG) == child);
	is(WEXITSTATUS(st), 7);
	/* And if it is never called: the thread's end drops it. */
	child = fork();
	if (!child) {
		struct ring r = ring_new(8, IORING_SETUP_SQPOLL);

		ring_sqe(&r, IORING_OP_POLL_ADD, r.fd, 1)->poll32_events = POLLIN;
		ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
		soon(*r.sq_head == *r.sq_tail);
		ring_end(&r);
		_exit(7);
	}
	soon(waitpid(child, &st, WNOHANG) == child);
	is(WEXITSTATUS(st), 7);
}

/* A worker that gave a request to a queue has nothing to do with it any more. */
TEST(cancel_after_worker)
{
	struct ring r = ring_new(8, 0);
	struct io_uring_sqe *s;
	int p[2];

	pipe2(p, O_NONBLOCK);
	s = ring_sqe(&r, IORING_OP_POLL_ADD, p[0], 1);
	s->poll32_events = POLLIN;
	s->flags = IOSQE_ASYNC;
	is(ring_submit(&r), 1);
	/* The worker ends when it has been idle for five seconds. */
	soon(field("/proc/self/status", "Threads") > 1);
	for (int i = 0; i < 80; i++)
		msleep(100);
	ring_rw(&r, IORING_OP_WRITE, p[1], "x", 1, -1)->user_data = 2;
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 3)->addr = 1;
	is(ring_submit(&r), 2);
	is(ring_result_of(&r, 2, 1), 1);
	soon(ring_ready(&r) == 2);
	ring_end(&r);
}

/* What is linked behind a timeout that has passed holds a large registered buffer alone. */
TEST(timeout_fails_buffer)
{
	enum { SIZE = 64 << 20 };
	struct ring r = ring_new(8, 0);
	struct __kernel_timespec ts = { .tv_nsec = 50000000 };
	struct iovec v = { mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0), SIZE };
	struct io_uring_sqe *s;
	int p[2];

	pipe(p);
	is(ring_register(r.fd, IORING_REGISTER_BUFFERS, &v, 1), 0);
	s = ring_sqe(&r, IORING_OP_TIMEOUT, -1, 1);
	s->addr = (uint64_t)&ts;
	s->len = 1;
	s->flags = IOSQE_IO_LINK;
	s = ring_rw(&r, IORING_OP_WRITE_FIXED, p[1], v.iov_base, 100, 0);
	s->user_data = 2;
	is(ring_submit(&r), 2);
	munmap(v.iov_base, SIZE);
	/* Linux waits until nobody uses them. */
	is(ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0), 0);
	is(ring_result_of(&r, 2, 2), -ECANCELED);
	ring_end(&r);
}

/* A ring in the queue of a socket that it has registered would never end. */
TEST(not_sent)
{
	struct ring r = ring_new(8, 0);
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int s[2];

	is(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	is(ring_register(r.fd, IORING_REGISTER_FILES, s, 1), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &r.fd, sizeof(int));
	fails(sendmsg(s[1], &m, 0), EINVAL);
	ring_end(&r);
}

/* Slots of a message count from one. */
TEST(message_to_no_slot)
{
	struct ring r = ring_new(8, 0), to = ring_new(8, 0);
	struct io_uring_sqe *s;
	int p[2];

	pipe(p);
	is(ring_register(r.fd, IORING_REGISTER_FILES, p, 2), 0);
	is(ring_register(to.fd, IORING_REGISTER_FILES, p, 2), 0);
	s = ring_sqe(&r, IORING_OP_MSG_RING, to.fd, 1);
	s->addr = IORING_MSG_SEND_FD;
	s->file_index = 0;
	is(ring_result(&r), -EINVAL);
	s = ring_sqe(&r, IORING_OP_MSG_RING, to.fd, 1);
	s->addr = IORING_MSG_SEND_FD;
	s->file_index = 3;
	is(ring_result(&r), -EINVAL);
	ring_end(&to);
	ring_end(&r);
}
