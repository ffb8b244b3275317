/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes and threads up to each limit there is for them. */
#include "tests/exhaust/exhaust.h"

#include <pthread.h>

static pid_t *children;

/* Forks sleepers until it fails or @max; *@err is the error. */
static int
fork_all(int max, int *err)
{
	int n = 0;

	*err = 0;
	children = realloc(children, max * sizeof(*children));
	while (n < max) {
		pid_t c = fork();

		if (!c)
			for (;;)
				pause();
		if (c < 0) {
			*err = errno;
			break;
		}
		children[n++] = c;
	}
	return n;
}

/* The same from children[at] on, which are there; how many. */
static int
fork_some(int at, int max)
{
	int n = 0;

	for (; n < max; n++) {
		pid_t c = fork();

		if (!c)
			for (;;)
				pause();
		if (c < 0)
			break;
		children[at + n] = c;
	}
	return n;
}

static bool
end_all(int n)
{
	bool good = true;

	for (int i = 0; i < n; i++)
		kill(children[i], SIGKILL);
	for (int i = 0; i < n; i++)
		good &= reap(children[i]) == -SIGKILL;
	return good;
}

TEST_LIMIT(pid_numbers, 120)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	long max = 400 + 12 * cpus;
	struct level before = level_now();
	struct limit l;
	pid_t c = 0;
	int n, e;

	if (!limit_set(&l, "kernel/pid_max", max))
		return;
	for (int round = 0; round < 2; round++) {
		bool below = true;

		n = fork_all(max + 10, &e);
		is(e, EAGAIN);
		check(n > 50 && n < max);
		for (int i = 0; i < n; i++)
			below &= children[i] < max;
		check(below);
		fails(fork(), EAGAIN);
		/* One goes, one may come, if no kernel thread is faster. */
		kill(children[n / 2], SIGKILL);
		is(reap(children[n / 2]), -SIGKILL);
		kill(children[n - 1], SIGKILL);
		is(reap(children[n - 1]), -SIGKILL);
		soon(({
			c = fork();
			if (!c)
				_exit(3);
			c > 0;
		}));
		if (c > 0)
			is(reap(c), 3);
		children[n / 2] = children[n - 2];
		check(end_all(n - 2));
	}
	limit_restore(&l);
	level_check(&before);
	still_works();
}

/* The number of a group that has emptied can be had at once, not some time later. */
TEST_LIMIT(numbers_of_groups, 120)
{
	long max = 400 + 12 * sysconf(_SC_NPROCESSORS_CONF);
	struct level before = level_now();
	struct limit l;
	int n, e, more;

	if (!limit_set(&l, "kernel/pid_max", max))
		return;
	n = fork_all(max + 10, &e);
	is(e, EAGAIN);
	for (int i = 0; i < n; i++)
		setpgid(children[i], 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 40; i++) {
			kill(children[n - 1 - i], SIGKILL);
			reap(children[n - 1 - i]);
		}
		/* Kernel threads may come in between. */
		more = fork_some(n - 40, 30);
		is(more, 30);
		for (int i = 0; i < more; i++)
			setpgid(children[n - 40 + i], 0);
		more += fork_some(n - 40 + more, 10);
		n = n - 40 + more;
	}
	check(end_all(n));
	limit_restore(&l);
	level_check(&before);
	still_works();
}

TEST_LIMIT(thread_number, 120)
{
	struct level before = level_now();
	struct limit l;
	int running, total, n, e;
	char text[128];

	get("/proc/loadavg", text, sizeof(text));
	sscanf(text, "%*f %*f %*f %d/%d", &running, &total);
	if (!limit_set(&l, "kernel/threads-max", total + 60))
		return;
	n = fork_all(200, &e);
	is(e, EAGAIN);
	check(n > 20 && n < 100);
	check(end_all(n));
	n = fork_all(20, &e);
	is(n, 20);
	check(end_all(n));
	limit_restore(&l);
	n = fork_all(100, &e);
	is(n, 100);
	check(end_all(n));
	level_check(&before);
	still_works();
}

TEST_LIMIT(per_user, 120)
{
	struct rlimit r = { 100, 100 };
	struct level before = level_now();
	int n, e;

	in_child {
		setrlimit(RLIMIT_NPROC, &r);
		drop(USER + 900);
		n = fork_all(200, &e);
		is(e, EAGAIN);
		is(n, 99);
		/* Zombies count until they are fetched. */
		kill(children[0], SIGKILL);
		check(until_state(children[0], 'Z'));
		fails(fork(), EAGAIN);
		is(reap(children[0]), -SIGKILL);
		children[0] = fork();
		if (!children[0])
			for (;;)
				pause();
		/* Said by the parent alone: the child is killed at once. */
		check(children[0] > 0);
		check(end_all(n));
	}
	level_check(&before);
}

static void *
waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Kernel stacks: many threads in one process come and go with it. */
TEST_LIMIT(kernel_stacks, 300)
{
	struct level before = level_now();
	long stacks = field("/proc/meminfo", "KernelStack");
	int many = sysconf(_SC_PHYS_PAGES) > 100000 ? 2000 : 300;
	struct gate g = gate_new();
	pid_t c;

	for (int round = 0; round < 2; round++) {
		c = fork();
		if (!c) {
			pthread_attr_t a;
			pthread_t t;
			int n = 0;

			pthread_attr_init(&a);
			pthread_attr_setstacksize(&a, 32768);
			while (n < many &&
			       !pthread_create(&t, &a, waits, NULL))
				n++;
			is(n, many);
			is(field("/proc/self/status", "Threads"), many + 1);
			gate_open(&g);
			waits(NULL);
		}
		gate_wait(&g);
		check(field("/proc/meminfo", "KernelStack") - stacks >=
		      many * 4L);
		kill(c, SIGKILL);
		is(reap(c), -SIGKILL);
	}
	soon(field("/proc/meminfo", "KernelStack") - stacks < many);
	level_check(&before);
	still_works();
}

/* Forks that die by themselves at once, everywhere at once. */
TEST_LIMIT(storm, 300)
{
	struct level before = level_now();
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < cpus + 1; i++) {
		if (!fork()) {
			for (int n = 0; n < 200; n++) {
				pid_t c = fork();

				if (!c)
					_exit(n & 63);
				if (c < 0 || reap(c) != (n & 63))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < cpus + 1; i++)
		is(reap(-1), 0);
	level_check(&before);
	still_works();
}

/* Orphans by the hundred: init must fetch them all. */
TEST_LIMIT(orphans, 120)
{
	struct level before = level_now();

	for (int i = 0; i < 20; i++) {
		in_child {
			for (int n = 0; n < 20; n++) {
				if (!fork())
					_exit(0);
			}
		}
	}
	level_check(&before);
}
