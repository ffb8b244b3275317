/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_*: affinity, policies, priorities, nice, yield, intervals. */
#include "tests/abi/abi.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sys/resource.h>

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
	uint32_t util_min;
	uint32_t util_max;
};

static long ncpu;

static void
count_cpus(void)
{
	ncpu = sysconf(_SC_NPROCESSORS_ONLN);
}

TEST(affinity)
{
	cpu_set_t s, old;
	char big[1024];

	count_cpus();
	is(sched_getaffinity(0, sizeof(old), &old), 0);
	is(CPU_COUNT(&old), ncpu);
	for (int i = 0; i < ncpu && i < 8; i++) {
		CPU_ZERO(&s);
		CPU_SET(i, &s);
		is(sched_setaffinity(0, sizeof(s), &s), 0);
		is(sched_getcpu(), i);
	}
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 1);
	in_child {
		sched_getaffinity(0, sizeof(s), &s);
		is(CPU_COUNT(&s), 1);
	}
	CPU_ZERO(&s);
	fails(sched_setaffinity(0, sizeof(s), &s), EINVAL);
	CPU_SET(1023, &s);
	fails(sched_setaffinity(0, sizeof(s), &s), EINVAL);
	/* CPUs that do not exist are ignored beside one that does. */
	CPU_SET(0, &s);
	is(sched_setaffinity(0, sizeof(s), &s), 0);
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 1);
	is(sched_setaffinity(0, sizeof(old), &old), 0);
	fails(sched_setaffinity(4999999, sizeof(old), &old), ESRCH);
	fails(sched_getaffinity(4999999, sizeof(old), &old), ESRCH);
	fails(syscall(SYS_sched_getaffinity, 0, 4L, big), EINVAL);
	fails(syscall(SYS_sched_getaffinity, 0, 1023L, big), EINVAL);
	check(syscall(SYS_sched_getaffinity, 0, 1024L, big) >= 8);
	fails(syscall(SYS_sched_setaffinity, 0, 8L, BAD), EFAULT);
	fails(syscall(SYS_sched_getaffinity, 0, 1024L, BAD), EFAULT);
	in_child {
		drop(USER);
		fails(sched_setaffinity(1, sizeof(old), &old), EPERM);
		is(sched_setaffinity(0, sizeof(old), &old), 0);
	}
}

/* A running task is moved off a CPU that it may no longer use. */
TEST(moves_running_task)
{
	volatile int *cpu = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t s;
	pid_t c;

	count_cpus();
	c = fork();
	if (!c) {
		for (;;)
			*cpu = sched_getcpu();
	}
	for (int i = 0; i < 10; i++) {
		int want = i % ncpu;

		CPU_ZERO(&s);
		CPU_SET(want, &s);
		sched_setaffinity(c, sizeof(s), &s);
		for (int n = 0; n < 1000 && *cpu != want; n++)
			msleep(1);
		is(*cpu, want);
	}
	kill(c, SIGKILL);
	reap(c);
}

TEST(policies)
{
	struct sched_param p = { 0 };

	is(sched_getscheduler(0), SCHED_OTHER);
	is(sched_getparam(0, &p), 0);
	is(p.sched_priority, 0);
	p.sched_priority = 10;
	is(sched_setscheduler(0, SCHED_FIFO, &p), 0);
	is(sched_getscheduler(0), SCHED_FIFO);
	is(sched_getparam(0, &p), 0);
	is(p.sched_priority, 10);
	p.sched_priority = 99;
	is(sched_setparam(0, &p), 0);
	p.sched_priority = 100;
	fails(sched_setparam(0, &p), EINVAL);
	p.sched_priority = 0;
	fails(sched_setscheduler(0, SCHED_RR, &p), EINVAL);
	p.sched_priority = 1;
	is(sched_setscheduler(0, SCHED_RR, &p), 0);
	fails(sched_setscheduler(0, SCHED_OTHER, &p), EINVAL);
	p.sched_priority = 0;
	is(sched_setscheduler(0, SCHED_BATCH, &p), 0);
	is(sched_setscheduler(0, SCHED_IDLE, &p), 0);
	is(sched_getscheduler(0), SCHED_IDLE);
	is(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p), 0);
	is(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	is(sched_setscheduler(0, SCHED_OTHER, &p), 0);
	fails(sched_setscheduler(0, 77, &p), EINVAL);
	fails(sched_setscheduler(0, -1, &p), EINVAL);
	fails(sched_setscheduler(-1, SCHED_OTHER, &p), EINVAL);
	fails(sched_setscheduler(4999999, SCHED_OTHER, &p), ESRCH);
	fails(sched_getscheduler(-1), EINVAL);
	fails(sched_getscheduler(4999999), ESRCH);
	fails(sched_getparam(0, NULL), EINVAL);
	fails(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
	fails(sched_setscheduler(0, SCHED_OTHER, BAD), EFAULT);
}

TEST(priority_ranges)
{
	is(sched_get_priority_min(SCHED_FIFO), 1);
	is(sched_get_priority_max(SCHED_FIFO), 99);
	is(sched_get_priority_min(SCHED_RR), 1);
	is(sched_get_priority_max(SCHED_RR), 99);
	is(sched_get_priority_min(SCHED_OTHER), 0);
	is(sched_get_priority_max(SCHED_OTHER), 0);
	is(sched_get_priority_max(SCHED_BATCH), 0);
	is(sched_get_priority_max(SCHED_IDLE), 0);
	is(sched_get_priority_max(SCHED_DEADLINE), 0);
	fails(sched_get_priority_max(77), EINVAL);
	fails(sched_get_priority_min(-1), EINVAL);
}

TEST(inheritance)
{
	struct sched_param p = { .sched_priority = 7 };

	sched_setscheduler(0, SCHED_FIFO, &p);
	in_child {
		is(sched_getscheduler(0), SCHED_FIFO);
		sched_getparam(0, &p);
		is(p.sched_priority, 7);
	}
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
	in_child {
		is(sched_getscheduler(0), SCHED_OTHER);
	}
	p.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &p);
	setpriority(PRIO_PROCESS, 0, -5);
	sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p);
	in_child {
		is(getpriority(PRIO_PROCESS, 0), 0);
	}
}

TEST(unprivileged)
{
	struct sched_param p = { .sched_priority = 1 };
	struct rlimit r = { 0, 0 };

	in_child {
		setrlimit(RLIMIT_RTPRIO, &r);
		setrlimit(RLIMIT_NICE, &r);
		drop(USER);
		fails(sched_setscheduler(0, SCHED_FIFO, &p), EPERM);
		is(setpriority(PRIO_PROCESS, 0, 5), 0);
		fails(setpriority(PRIO_PROCESS, 0, 0), EACCES);
		p.sched_priority = 0;
		is(sched_setscheduler(0, SCHED_BATCH, &p), 0);
		fails(sched_setscheduler(1, SCHED_BATCH, &p), EPERM);
	}
	r.rlim_cur = r.rlim_max = 30;
	in_child {
		setrlimit(RLIMIT_RTPRIO, &r);
		setrlimit(RLIMIT_NICE, &r);
		drop(USER);
		p.sched_priority = 30;
		is(sched_setscheduler(0, SCHED_FIFO, &p), 0);
		p.sched_priority = 31;
		fails(sched_setparam(0, &p), EPERM);
		p.sched_priority = 0;
		is(sched_setscheduler(0, SCHED_OTHER, &p), 0);
		/* A nice limit of 30 allows down to 20 - 30. */
		is(setpriority(PRIO_PROCESS, 0, -10), 0);
		fails(setpriority(PRIO_PROCESS, 0, -11), EACCES);
	}
}

TEST(nice_values)
{
	is(getpriority(PRIO_PROCESS, 0), 0);
	is(nice(5), 5);
	is(getpriority(PRIO_PROCESS, 0), 5);
	is(nice(-7), -2);
	is(setpriority(PRIO_PROCESS, 0, 100), 0);
	is(getpriority(PRIO_PROCESS, 0), 19);
	is(setpriority(PRIO_PROCESS, 0, -100), 0);
	is(getpriority(PRIO_PROCESS, 0), -20);
	is(syscall(SYS_getpriority, PRIO_PROCESS, 0), 40);
	is(setpriority(PRIO_PROCESS, 0, 0), 0);
	is(setpriority(PRIO_PGRP, 0, 3), 0);
	is(getpriority(PRIO_PGRP, 0), 3);
	in_child {
		is(getpriority(PRIO_PROCESS, 0), 3);
		setpriority(PRIO_PROCESS, 0, 1);
		is(getpriority(PRIO_PGRP, 0), 1);
	}
	fails(getpriority(9, 0), EINVAL);
	fails(setpriority(9, 0, 0), EINVAL);
	fails(getpriority(PRIO_PROCESS, 4999999), ESRCH);
	fails(setpriority(PRIO_PROCESS, 4999999, 0), ESRCH);
	fails(getpriority(PRIO_USER, 54321), ESRCH);
	in_child {
		drop(USER + 5);
		is(getpriority(PRIO_USER, USER + 5), 3);
		fails(setpriority(PRIO_PROCESS, 1, 5), EPERM);
	}
}

TEST(attributes)
{
	struct attr a;

	memset(&a, 0x55, sizeof(a));
	is(syscall(SYS_sched_getattr, 0, &a, 48, 0), 0);
	is(a.size, 48);
	is(a.policy, SCHED_OTHER);
	is(a.nice, 0);
	is(a.priority, 0);
	a = (struct attr){ .size = 48, .policy = SCHED_OTHER, .nice = 4 };
	is(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	is(getpriority(PRIO_PROCESS, 0), 4);
	a = (struct attr){ .size = 48, .policy = SCHED_RR, .priority = 5 };
	is(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	is(syscall(SYS_sched_getattr, 0, &a, 56, 0), 0);
	is(a.policy, SCHED_RR);
	is(a.priority, 5);
	fails(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	fails(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
	fails(syscall(SYS_sched_getattr, 0, &a, 40, 0), EINVAL);
	fails(syscall(SYS_sched_getattr, 0, &a, 5000, 0), EINVAL);
	fails(syscall(SYS_sched_getattr, 4999999, &a, 48, 0), ESRCH);
	a.size = 20;
	fails(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	is(a.size == 48 || a.size == 56, 1);
	a = (struct attr){ .size = 48, .policy = 77 };
	fails(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	a = (struct attr){ .size = 48, .flags = 1UL << 40 };
	fails(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
}

TEST(deadline_class)
{
	struct attr a = { .size = 48, .policy = SCHED_DEADLINE,
			  .runtime = 10000000, .deadline = 100000000,
			  .period = 100000000 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	in_child {
		is(syscall(SYS_sched_setattr, 0, &a, 0), 0);
		is(sched_getscheduler(0), SCHED_DEADLINE);
		memset(&a, 0, sizeof(a));
		is(syscall(SYS_sched_getattr, 0, &a, 48, 0), 0);
		is(a.runtime, 10000000);
		is(a.period, 100000000);
		fails(fork(), EAGAIN);
		is(sched_yield(), 0);
	}
	a.runtime = 200000000;
	fails(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	a.runtime = 100;
	fails(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	/* Not with an affinity, and not for everybody. */
	a.runtime = 10000000;
	in_child {
		sched_setaffinity(0, sizeof(one), &one);
		if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
			fails(syscall(SYS_sched_setattr, 0, &a, 0), EPERM);
	}
	in_child {
		drop(USER);
		fails(syscall(SYS_sched_setattr, 0, &a, 0), EPERM);
	}
}

/* Who dies without a budget has a period to come, in which there is nobody to run. */
TEST(deadline_ends_without_budget)
{
	struct attr a = { .size = 48, .policy = SCHED_DEADLINE, .deadline = 50000000,
			  .period = 50000000 };

	for (int i = 0; i < 40; i++) {
		pid_t c = fork();

		if (!c) {
			a.runtime = 20000 + 20000 * (uint64_t)i;
			if (i % 2)
				_exit(syscall(SYS_sched_setattr, 0, &a, 0) ? 1 : 0);
			if (syscall(SYS_sched_setattr, 0, &a, 0) == 0)
				sched_yield();
			for (;;)
				;
		}
		msleep(i % 2 ? 0 : 5);
		if (i % 2 == 0)
			kill(c, SIGKILL);
		is(reap(c), i % 2 ? 0 : -SIGKILL);
	}
	msleep(200);
}

TEST(round_robin_interval)
{
	struct sched_param p = { .sched_priority = 1 };
	struct timespec ts;

	is(sched_rr_get_interval(0, &ts), 0);
	is(sched_setscheduler(0, SCHED_RR, &p), 0);
	is(sched_rr_get_interval(0, &ts), 0);
	is(ts.tv_sec, 0);
	is(ts.tv_nsec, 100000000);
	is(sched_setscheduler(0, SCHED_FIFO, &p), 0);
	is(sched_rr_get_interval(0, &ts), 0);
	is(ts.tv_nsec, 0);
	fails(sched_rr_get_interval(-1, &ts), EINVAL);
	fails(sched_rr_get_interval(4999999, &ts), ESRCH);
	fails(sched_rr_get_interval(0, BAD), EFAULT);
}

static void
pin(int cpu)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	sched_setaffinity(0, sizeof(s), &s);
}

/* On one CPU a FIFO task that wakes runs before an ordinary one goes on. */
TEST(fifo_preempts)
{
	volatile int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sched_param p = { .sched_priority = 50 };
	struct gate g = gate_new();
	bool good = true;
	pid_t c;

	pin(0);
	c = fork();
	if (!c) {
		sched_setscheduler(0, SCHED_FIFO, &p);
		for (int i = 1; i <= 50; i++) {
			gate_wait(&g);
			*word = i;
		}
		_exit(0);
	}
	for (int i = 1; i <= 50; i++) {
		until_asleep(c);
		gate_open(&g);
		good &= *word == i;
	}
	check(good);
	is(reap(c), 0);
}

/* Equal tasks on one CPU share it. */
TEST(fair_shares)
{
	volatile long *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t c[3];

	pin(0);
	for (int i = 0; i < 3; i++) {
		c[i] = fork();
		if (!c[i]) {
			struct timespec ts;

			setpriority(PRIO_PROCESS, 0, i == 2 ? 10 : 0);
			for (;;) {
				clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
				n[i * 8] = ts.tv_sec * NSEC + ts.tv_nsec;
			}
		}
	}
	msleep(2000);
	for (int i = 0; i < 3; i++)
		kill(c[i], SIGKILL);
	for (int i = 0; i < 3; i++)
		reap(c[i]);
	diag("CPU ms: %ld %ld %ld", n[0] / 1000000, n[8] / 1000000,
	     n[16] / 1000000);
	check(n[0] < n[8] * 2 && n[8] < n[0] * 2);
	check(n[16] > 0);
	check(n[16] < n[0]);
}

TEST(yielding)
{
	is(sched_yield(), 0);
	pin(0);
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			for (int n = 0; n < 1000; n++)
				sched_yield();
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
}

/* Each CPU runs something: one spinner on each, all make progress. */
TEST(all_cpus_work)
{
	volatile long *n = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long cpus, good = 0;
	pid_t *c;

	count_cpus();
	cpus = ncpu > 64 ? 64 : ncpu;
	c = calloc(cpus, sizeof(*c));
	for (long i = 0; i < cpus; i++) {
		c[i] = fork();
		if (!c[i]) {
			pin(i);
			for (;;)
				n[i * 8] += sched_getcpu() == i;
		}
	}
	msleep(500);
	for (long i = 0; i < cpus; i++) {
		kill(c[i], SIGKILL);
		reap(c[i]);
		good += n[i * 8] > 0;
	}
	is(good, cpus);
}

TEST(priority_of_ioprio)
{
	is(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3), 0);
	is(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 3);
	fails(syscall(SYS_ioprio_set, 9, 0, 0), EINVAL);
	fails(syscall(SYS_ioprio_get, 1, 4999999), ESRCH);
}

/* Tasks that all wake at once, wherever that puts them, then compute: none has much less than others. */
TEST(equal_shares)
{
	enum { N = 24 };
	volatile int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double used[N], sum = 0, least = 1e9, most = 0;
	pid_t pid[N];

	for (int i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		while (!*go)
			msleep(1);
		for (;;)
			;
	}
	msleep(100);
	setpriority(PRIO_PROCESS, 0, -20);
	*go = 1;
	msleep(3000);
	for (int i = 0; i < N; i++) {
		struct timespec t = { 0 };
		clockid_t clock;

		is(clock_getcpuclockid(pid[i], &clock), 0);
		clock_gettime(clock, &t);
		used[i] = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		sum += used[i];
		least = used[i] < least ? used[i] : least;
		most = used[i] > most ? used[i] : most;
	}
	for (int i = 0; i < N; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	diag("%.3f to %.3f s of CPU time, %.3f each", least, most, sum / N);
	check(least > sum / N / 2);
	check(most < sum / N * 2);
}
