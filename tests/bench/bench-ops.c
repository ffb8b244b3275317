/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Costs of single operations.
 *
 * Model: an operation is a function that does it n times.  n is doubled until
 * a block lasts long enough, then several blocks are measured; each prints
 *
 *	op NAME ITERATIONS TOTAL_NS TOTAL_TSC
 *
 * and whoever reads takes the median.  Under QEMU's -icount shift=0 the time
 * stamp counter counts guest instructions.  What is set up once (processes,
 * mappings) lies outside of the two clock readings.
 *
 * Arguments: blocks (default 9), microseconds a block (default 1000), then
 * names of operations to run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAGES 4096

struct stamp {
	uint64_t ns;
	uint64_t tsc;
};

struct op {
	const char *name;
	void (*run)(long n);
	long max;
};

static struct stamp begun, ended;
static int file, pipe_a[2], pipe_b[2];
static char tiny[] = "/tmp/bench-tiny";
static char path[] = "/tmp/bench-file";

static struct stamp
stamp_now(void)
{
	struct timespec ts;
	struct stamp s;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	s.ns = ts.tv_sec * 1000000000UL + ts.tv_nsec;
	s.tsc = __builtin_ia32_rdtsc();
	return s;
}

/* The measured part of an operation lies between these two. */
static void
begin(void)
{
	begun = stamp_now();
}

static void
end(void)
{
	ended = stamp_now();
}

static void
fatal(const char *what)
{
	printf("failed %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Keeps to CPU 0, or to none in particular. */
static void
pin(int one)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	for (int i = 0; i < (one ? 1 : CPU_SETSIZE); i++)
		CPU_SET(i, &s);
	if (sched_setaffinity(0, sizeof(s), &s))
		fatal("affinity");
}

static void
null_syscall(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	end();
}

static void
clock_vdso(long n)
{
	struct timespec ts;

	begin();
	for (long i = 0; i < n; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	end();
}

static void
clock_syscall(long n)
{
	struct timespec ts;

	begin();
	for (long i = 0; i < n; i++)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	end();
}

static void
stat_file(long n)
{
	struct stat st;

	begin();
	for (long i = 0; i < n; i++)
		stat(path, &st);
	end();
}

static void
open_close(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		close(open(path, O_RDONLY));
	end();
}

static void
read_1(long n)
{
	char c;

	begin();
	for (long i = 0; i < n; i++)
		pread(file, &c, 1, 0);
	end();
}

static void
write_1(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		pwrite(file, "x", 1, 0);
	end();
}

static void
pipe_self(long n)
{
	char c = 0;

	begin();
	for (long i = 0; i < n; i++) {
		write(pipe_a[1], &c, 1);
		read(pipe_a[0], &c, 1);
	}
	end();
}

/* A process that sends back each byte, until the pipe is closed. */
static void
echo(void)
{
	char c;

	close(pipe_a[1]);
	close(pipe_b[0]);
	while (read(pipe_a[0], &c, 1) == 1)
		write(pipe_b[1], &c, 1);
	_exit(0);
}

static void
ping_pong(long n)
{
	int a[2] = { pipe_a[0], pipe_a[1] };
	char c = 0;
	pid_t pid;

	if (pipe(pipe_a) || pipe(pipe_b))
		fatal("pipe");
	pid = fork();
	if (!pid)
		echo();
	/* One round first, so that the other has come up. */
	write(pipe_a[1], &c, 1);
	read(pipe_b[0], &c, 1);
	begin();
	for (long i = 0; i < n; i++) {
		write(pipe_a[1], &c, 1);
		read(pipe_b[0], &c, 1);
	}
	end();
	close(pipe_a[0]);
	close(pipe_a[1]);
	close(pipe_b[0]);
	close(pipe_b[1]);
	waitpid(pid, NULL, 0);
	pipe_a[0] = a[0];
	pipe_a[1] = a[1];
}

static void
pipe_round_trip(long n)
{
	pin(0);
	ping_pong(n);
	pin(1);
}

/* Two processes on one CPU; each round is two switches. */
static void
switch_pipe(long n)
{
	ping_pong((n + 1) / 2);
}

static long
futex(uint32_t *w, int op, uint32_t val)
{
	return syscall(SYS_futex, w, op, val, NULL, NULL, 0);
}

static uint32_t turn;
static long rounds;
static int futex_shared;

/* Waits for @mine to come and hands over to the other. */
static void
take_turns(uint32_t *w, uint32_t mine, long n)
{
	int flag = futex_shared ? 0 : FUTEX_PRIVATE_FLAG;

	for (long i = 0; i < n; i++) {
		uint32_t now;

		while ((now = __atomic_load_n(w, __ATOMIC_ACQUIRE)) != mine)
			futex(w, FUTEX_WAIT | flag, now);
		__atomic_store_n(w, !mine, __ATOMIC_RELEASE);
		futex(w, FUTEX_WAKE | flag, 1);
	}
}

static void *
partner(void *arg)
{
	take_turns(arg, 1, rounds);
	return NULL;
}

static void
futex_threads(long n)
{
	pthread_t t;

	turn = 0;
	rounds = n + 1;
	futex_shared = 0;
	if (pthread_create(&t, NULL, partner, &turn))
		fatal("thread");
	take_turns(&turn, 0, 1);
	begin();
	take_turns(&turn, 0, n);
	end();
	pthread_join(t, NULL);
}

/* A wake that finds a waiter and the wait that follows, both sides. */
static void
futex_wake_wait(long n)
{
	pin(0);
	futex_threads(n);
	pin(1);
}

/* Two processes on one CPU through a shared word; two switches a round. */
static void
switch_futex(long n)
{
	uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long half = (n + 1) / 2;
	pid_t pid;

	futex_shared = 1;
	pid = fork();
	if (!pid) {
		take_turns(w, 1, half + 1);
		_exit(0);
	}
	take_turns(w, 0, 1);
	begin();
	take_turns(w, 0, half);
	end();
	waitpid(pid, NULL, 0);
	munmap(w, 4096);
}

static void
futex_wake(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		futex(&turn, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
	end();
}

static void
yield_alone(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		sched_yield();
	end();
}

/*
 * Two processes on one CPU that do nothing but give way.  How often that is
 * a switch is the scheduler's affair.
 */
static void
yield_of_two(long n)
{
	volatile int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *turns = stop + 1;
	pid_t pid = fork();

	if (!pid) {
		while (!*stop) {
			++*turns;
			sched_yield();
		}
		_exit(0);
	}
	/* A new task may have to wait; from then on each yield is a switch. */
	while (*turns < 1000)
		sched_yield();
	begin();
	for (long i = 0; i < n; i++)
		sched_yield();
	end();
	*stop = 1;
	waitpid(pid, NULL, 0);
	munmap((void *)stop, 4096);
}

static volatile long signals;

static void
on_signal(int sig)
{
	signals += sig != 0;
}

static void
signal_self(long n)
{
	pid_t me = getpid();

	signal(SIGUSR1, on_signal);
	begin();
	for (long i = 0; i < n; i++)
		kill(me, SIGUSR1);
	end();
}

static void
page_fault(long n)
{
	char *m = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(m, n * 4096, MADV_NOHUGEPAGE);
	begin();
	for (long i = 0; i < n; i++)
		m[i * 4096] = 1;
	end();
	munmap(m, n * 4096);
}

/* A shared file's pages that are there already. */
static void
page_fault_file(long n)
{
	char *m;

	if (ftruncate(file, n * 4096) || fallocate(file, 0, 0, n * 4096))
		fatal("fallocate");
	m = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	madvise(m, n * 4096, MADV_RANDOM);
	begin();
	for (long i = 0; i < n; i++)
		m[i * 4096] = 1;
	end();
	munmap(m, n * 4096);
	ftruncate(file, 4096);
}

static void
mmap_munmap(long n)
{
	begin();
	for (long i = 0; i < n; i++)
		munmap(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 65536);
	end();
}

static void
fork_exit(long n)
{
	begin();
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	end();
}

static void
fork_exec(long n)
{
	char *argv[] = { tiny, NULL };

	begin();
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();
		int st = 0;

		if (!pid) {
			execve(tiny, argv, argv + 1);
			_exit(1);
		}
		waitpid(pid, &st, 0);
		if (st)
			fatal("exec");
	}
	end();
}

static void *
nothing(void *arg)
{
	return arg;
}

static void
thread(long n)
{
	begin();
	for (long i = 0; i < n; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL))
			fatal("thread");
		pthread_join(t, NULL);
	}
	end();
}

/* A ring of one entry: an operation that does nothing, submitted and waited for by one call. */
static void
uring_nop(long n)
{
	struct io_uring_params p = { 0 };
	int fd = syscall(SYS_io_uring_setup, 1, &p);
	struct io_uring_sqe *sqe;
	unsigned *sq_tail, *sq_array, *cq_head;
	char *ring;

	if (fd < 0)
		fatal("io_uring_setup");
	ring = mmap(NULL, p.sq_off.array + sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    IORING_OFF_SQ_RING);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqe == MAP_FAILED)
		fatal("mmap of a ring");
	sq_tail = (unsigned *)(ring + p.sq_off.tail);
	sq_array = (unsigned *)(ring + p.sq_off.array);
	cq_head = (unsigned *)(ring + p.cq_off.head);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_NOP;
	sq_array[0] = 0;
	begin();
	for (long i = 0; i < n; i++) {
		__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
		syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
		__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	}
	end();
	munmap(ring, p.sq_off.array + sizeof(unsigned));
	munmap(sqe, 4096);
	close(fd);
}

static const struct op ops[] = {
	{ "null_syscall", null_syscall, LONG_MAX },
	{ "clock_gettime_vdso", clock_vdso, LONG_MAX },
	{ "clock_gettime_syscall", clock_syscall, LONG_MAX },
	{ "stat", stat_file, LONG_MAX },
	{ "open_close", open_close, LONG_MAX },
	{ "read_1_byte", read_1, LONG_MAX },
	{ "write_1_byte", write_1, LONG_MAX },
	{ "pipe_write_read", pipe_self, LONG_MAX },
	{ "pipe_round_trip", pipe_round_trip, LONG_MAX },
	{ "switch_by_pipe", switch_pipe, LONG_MAX },
	{ "switch_by_futex", switch_futex, LONG_MAX },
	{ "sched_yield", yield_alone, LONG_MAX },
	{ "yield_of_two", yield_of_two, LONG_MAX },
	{ "signal", signal_self, LONG_MAX },
	{ "page_fault", page_fault, MAX_PAGES },
	{ "page_fault_file", page_fault_file, MAX_PAGES },
	{ "mmap_munmap", mmap_munmap, LONG_MAX },
	{ "fork_exit", fork_exit, LONG_MAX },
	{ "fork_exec", fork_exec, LONG_MAX },
	{ "thread", thread, LONG_MAX },
	{ "io_uring_nop", uring_nop, LONG_MAX },
	{ "futex_wake", futex_wake, LONG_MAX },
	{ "futex_wake_wait", futex_wake_wait, LONG_MAX },
};

/* An ELF file of one segment whose code is exit(0). */
static void
make_tiny(void)
{
	static const uint8_t image[] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 62, 0, 1, 0, 0, 0,
		0x78, 0, 0x40, 0, 0, 0, 0, 0,
		64, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 5, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0x40, 0, 0, 0, 0, 0,
		0, 0, 0x40, 0, 0, 0, 0, 0,
		0x84, 0, 0, 0, 0, 0, 0, 0,
		0x84, 0, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0, 0, 0, 0, 0,
		0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b, 0x90,
	};
	int fd = open(tiny, O_CREAT | O_TRUNC | O_WRONLY, 0755);

	if (write(fd, image, sizeof(image)) != sizeof(image))
		fatal("tiny program");
	close(fd);
}

/* Whether n times take long enough, and again: one alone may be an accident. */
static int
long_enough(const struct op *op, long n, uint64_t want)
{
	for (int i = 0; i < 2; i++) {
		op->run(n);
		if (ended.ns - begun.ns < want)
			return 0;
	}
	return 1;
}

static void
measure(const struct op *op, int blocks, uint64_t want)
{
	long n = 1;

	op->run(n);
	while (n <= op->max / 2 && !long_enough(op, n, want))
		n *= 2;
	for (int i = 0; i < blocks; i++) {
		op->run(n);
		printf("op %s %ld %lu %lu\n", op->name, n,
		       ended.ns - begun.ns, ended.tsc - begun.tsc);
	}
	fflush(stdout);
}

static int
wanted(const char *name, int argc, char **argv)
{
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return 1;
	}
	return argc <= 3;
}

int
main(int argc, char **argv)
{
	int blocks = argc > 1 ? atoi(argv[1]) : 9;
	uint64_t want = (argc > 2 ? atol(argv[2]) : 1000) * 1000UL;

	mkdir("/tmp", 0777);
	make_tiny();
	file = open(path, O_CREAT | O_RDWR, 0600);
	if (file < 0 || write(file, "x", 1) != 1 || pipe(pipe_a))
		fatal("set-up");
	pin(1);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (wanted(ops[i].name, argc, argv))
			measure(&ops[i], blocks, want);
	}
	printf("done\n");
	return 0;
}
