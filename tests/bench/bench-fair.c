/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the scheduler shares CPUs among tasks that only compute.
 *
 * Usage: bench-fair equal SECONDS TASKS	tasks of one weight on all CPUs
 *        bench-fair nice SECONDS		tasks of nice -10, -5, 0, 5, 10, 15 on one CPU
 *
 * Prints "fair NAME PER-MILLE": the largest deviation of a task's CPU time from its share,
 * as a part of the share.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TASKS_MAX 256

/* Weights of nice levels (sched(7) has the rule: each level is a quarter more). */
static const struct {
	int nice, weight;
} levels[] = {{-10, 9548}, {-5, 3121}, {0, 1024}, {5, 335}, {10, 110}, {15, 36}};
#define LEVELS (int)(sizeof(levels) / sizeof(levels[0]))

static volatile int *go;

static pid_t
start(int nice_level, int cpu)
{
	pid_t pid = fork();
	cpu_set_t one;

	if (pid)
		return pid;
	if (cpu >= 0) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	setpriority(PRIO_PROCESS, 0, nice_level);
	while (!*go)
		usleep(1000);
	for (;;)
		;
}

static double
cpu_seconds(pid_t pid)
{
	struct timespec t = {0};
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock))
		return 0;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
until(struct timespec *t, double seconds)
{
	t->tv_nsec += (long)(seconds * 1e9) % 1000000000;
	t->tv_sec += (long)seconds + t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL);
}

/*
 * Runs the tasks; the largest deviation from weight[i] of the sum. What is looked at begins
 * when all of them run, and ends while they do: stopping one gives the others its time.
 */
static void
measure(const char *name, int n, pid_t *pid, const int *weight, int seconds)
{
	double before[TASKS_MAX], used[TASKS_MAX], sum = 0, worst = 0;
	long weights = 0;
	struct timespec at;

	usleep(200000);
	setpriority(PRIO_PROCESS, 0, -20);
	*go = 1;
	clock_gettime(CLOCK_MONOTONIC, &at);
	until(&at, 0.5);
	for (int i = 0; i < n; i++)
		before[i] = cpu_seconds(pid[i]);
	until(&at, seconds);
	for (int i = 0; i < n; i++)
		used[i] = cpu_seconds(pid[i]) - before[i];
	for (int i = 0; i < n; i++) {
		sum += used[i];
		weights += weight[i];
		kill(pid[i], SIGKILL);
	}
	for (int i = 0; i < n; i++) {
		double share = sum * weight[i] / (double)weights;
		double off = used[i] > share ? used[i] - share : share - used[i];

		if (off / share > worst)
			worst = off / share;
		waitpid(pid[i], NULL, 0);
	}
	printf("fair %s: %.1f\n", name, worst * 1000);
}

int
main(int argc, char **argv)
{
	int seconds = argc > 2 ? atoi(argv[2]) : 10, n = argc > 3 ? atoi(argv[3]) : 64;
	int weight[TASKS_MAX];
	pid_t pid[TASKS_MAX];

	go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc > 1 && strcmp(argv[1], "nice") == 0) {
		for (int i = 0; i < LEVELS; i++) {
			pid[i] = start(levels[i].nice, 0);
			weight[i] = levels[i].weight;
		}
		measure("nice levels", LEVELS, pid, weight, seconds);
		return 0;
	}
	if (n > TASKS_MAX)
		return 1;
	for (int i = 0; i < n; i++) {
		pid[i] = start(0, -1);
		weight[i] = 1;
	}
	measure("equal tasks", n, pid, weight, seconds);
	return 0;
}
