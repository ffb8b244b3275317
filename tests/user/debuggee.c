/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests/debuggers.t looks at with gdb; compiled with debugging information.
 * The argument says what it does: count, threads, fork, exec, crash, wait.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int total;
static volatile int started;
double ratio = 0.5;

int
add(int n)
{
	total = total + n;
	return total;
}

static int
count(int depth)
{
	if (depth == 0)
		return add(1);
	return count(depth - 1) + 1;
}

static void *
worker(void *arg)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return arg;
}

void
all_started(void)
{
}

static void
start_workers(int n)
{
	pthread_t t;

	for (int i = 0; i < n; i++)
		pthread_create(&t, NULL, worker, NULL);
	while (started < n)
		usleep(1000);
}

static void
threads(void)
{
	start_workers(3);
	all_started();
}

static void
family(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(add(5));
	waitpid(pid, NULL, 0);
}

static void *
crasher(void *arg)
{
	volatile int *nowhere = arg;

	sleep(1);
	*nowhere = 1;
	return NULL;
}

static void
crash(void)
{
	pthread_t t;

	start_workers(2);
	pthread_create(&t, NULL, crasher, NULL);
	pthread_join(t, NULL);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "count";

	if (!strcmp(what, "count")) {
		count(3);
		add(10);
		add(100);
	} else if (!strcmp(what, "threads")) {
		threads();
	} else if (!strcmp(what, "fork")) {
		family();
	} else if (!strcmp(what, "exec")) {
		execl(argv[0], argv[0], "count", NULL);
	} else if (!strcmp(what, "crash")) {
		crash();
	} else if (!strcmp(what, "wait")) {
		for (;;)
			usleep(10000);
	}
	printf("total %d\n", total);
	return total & 0x7f;
}
