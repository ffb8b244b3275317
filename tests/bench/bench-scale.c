/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops in the manner of will-it-scale: the same number of operations, done by as many
 * workers as there are CPUs, each bound to one. Prints "scale NAME NANOSECONDS" for each
 * loop, several times; processes or threads as the name says.
 *
 * Usage: bench-scale WORKERS TIMES
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct loop {
	const char *name;
	bool threads;
	/* operations of all workers together */
	long total;
	void (*run)(int worker, long n);
};

/* What workers and the main program share. */
static struct shared {
	volatile int ready, go;
} *shared;

static void
open_close(int worker, long n)
{
	char name[32];

	snprintf(name, sizeof(name), "/tmp/scale%d", worker);
	while (n-- > 0)
		close(open(name, O_RDWR | O_CREAT, 0600));
	unlink(name);
}

static void
map_unmap(int worker, long n)
{
	while (n-- > 0)
		munmap(mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		       1 << 16);
}

static void
page_fault(int worker, long n)
{
	enum { PAGES = 512 };

	for (; n > 0; n -= PAGES) {
		char *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		madvise(p, PAGES * 4096, MADV_NOHUGEPAGE);
		for (int i = 0; i < PAGES; i++)
			p[i * 4096] = 1;
		munmap(p, PAGES * 4096);
	}
}

static void
pipe_ping(int worker, long n)
{
	int fd[2];
	char c = 0;

	if (pipe(fd))
		exit(1);
	while (n-- > 0)
		if (write(fd[1], &c, 1) != 1 || read(fd[0], &c, 1) != 1)
			exit(1);
	close(fd[0]);
	close(fd[1]);
}

static void
futex_wake(int worker, long n)
{
	unsigned int word = 0;

	while (n-- > 0)
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
fork_exit(int worker, long n)
{
	while (n-- > 0) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void
on_signal(int sig)
{
}

static void
signal_self(int worker, long n)
{
	signal(SIGUSR1, on_signal);
	while (n-- > 0)
		raise(SIGUSR1);
}

static void
poll_one(int worker, long n)
{
	int fd[2];
	struct pollfd p;

	if (pipe(fd))
		exit(1);
	p = (struct pollfd){.fd = fd[0], .events = POLLIN};
	while (n-- > 0)
		poll(&p, 1, 0);
	close(fd[0]);
	close(fd[1]);
}

static const struct loop loops[] = {
	{"open, processes", false, 160000, open_close},
	{"open, threads", true, 160000, open_close},
	{"mmap, processes", false, 160000, map_unmap},
	{"mmap, threads", true, 160000, map_unmap},
	{"page fault, processes", false, 245760, page_fault},
	{"page fault, threads", true, 245760, page_fault},
	{"pipe, processes", false, 400000, pipe_ping},
	{"pipe, threads", true, 400000, pipe_ping},
	{"futex, threads", true, 1000000, futex_wake},
	{"fork, processes", false, 3200, fork_exit},
	{"signal, processes", false, 100000, signal_self},
	{"signal, threads", true, 100000, signal_self},
	{"poll, processes", false, 800000, poll_one},
	{"poll, threads", true, 800000, poll_one},
};

struct job {
	const struct loop *loop;
	int worker;
	long n;
};

static void *
work(void *arg)
{
	struct job *j = arg;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(j->worker, &one);
	sched_setaffinity(0, sizeof(one), &one);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (!shared->go)
		sched_yield();
	j->loop->run(j->worker, j->n);
	return NULL;
}

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* From the moment all workers are there until the last has ended. */
static long
measure(const struct loop *l, int workers)
{
	struct job jobs[64];
	pthread_t threads[64];
	long start;

	shared->ready = 0;
	shared->go = 0;
	for (int i = 0; i < workers; i++) {
		jobs[i] = (struct job){.loop = l, .worker = i, .n = l->total / workers};
		if (l->threads) {
			pthread_create(&threads[i], NULL, work, &jobs[i]);
		} else if (fork() == 0) {
			work(&jobs[i]);
			_exit(0);
		}
	}
	while (shared->ready < workers)
		usleep(1000);
	start = now();
	shared->go = 1;
	for (int i = 0; i < workers; i++) {
		if (l->threads)
			pthread_join(threads[i], NULL);
		else
			wait(NULL);
	}
	return now() - start;
}

int
main(int argc, char **argv)
{
	int workers = argc > 1 ? atoi(argv[1]) : 1, times = argc > 2 ? atoi(argv[2]) : 3;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int t = 0; t < times; t++)
		for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++)
			printf("scale %s: %ld\n", loops[i].name, measure(&loops[i], workers));
	return 0;
}
