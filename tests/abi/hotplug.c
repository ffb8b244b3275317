/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs that leave and come: /sys/devices/system/cpu/cpuN/online, and what tasks see of it. */
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define CPU "/sys/devices/system/cpu/"
#define SWITCH CPU "cpu2/online"

static void
back_up(void)
{
	put(CPU "cpu1/online", "1");
	put(SWITCH, "1");
	put(CPU "cpu3/online", "1");
}

static int
cpus_of_stat(void)
{
	char text[8192], *p = text;
	int n = 0;

	get("/proc/stat", text, sizeof(text));
	while ((p = strstr(p, "\ncpu"))) {
		p++;
		n++;
	}
	return n;
}

static void
be_on(int cpu)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	is(sched_setaffinity(0, sizeof(s), &s), 0);
}

TEST(files)
{
	char text[4096];
	cpu_set_t s;

	is(sysconf(_SC_NPROCESSORS_ONLN), 4);
	is(access(CPU "cpu0/online", F_OK), -1);
	get(SWITCH, text, sizeof(text));
	same(text, "1\n");
	is(put(SWITCH, "0"), 0);
	get(SWITCH, text, sizeof(text));
	same(text, "0\n");
	get(CPU "online", text, sizeof(text));
	same(text, "0-1,3\n");
	get(CPU "offline", text, sizeof(text));
	same(text, "2\n");
	get(CPU "possible", text, sizeof(text));
	same(text, "0-3\n");
	is(sysconf(_SC_NPROCESSORS_ONLN), 3);
	is(sysconf(_SC_NPROCESSORS_CONF), 4);
	is(cpus_of_stat(), 3);
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 3);
	check(!CPU_ISSET(2, &s));
	is(put(SWITCH, "0"), 0);
	is(put(SWITCH, "1\n"), 0);
	is(put(SWITCH, "1"), 0);
	is(sysconf(_SC_NPROCESSORS_ONLN), 4);
	is(cpus_of_stat(), 4);
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 4);
}

TEST(errors)
{
	int fd = works(open(SWITCH, O_WRONLY));

	fails(write(fd, "x", 1), EINVAL);
	fails(write(fd, "2", 1), EINVAL);
	fails(write(fd, "-1", 2), EINVAL);
	fails(write(fd, BAD, 1), EFAULT);
	close(fd);
	in_child {
		setresuid(USER, USER, USER);
		fails(open(SWITCH, O_WRONLY), EACCES);
		is(open(SWITCH, O_RDONLY) >= 0, 1);
	}
	is(sysconf(_SC_NPROCESSORS_ONLN), 4);
}

/* Ours alone: how often CPUs left and came, and tasks lost their affinity. */
static long
counted(const char *what)
{
	char text[256], *p;

	if (get("/proc/tessera/hotplug", text, sizeof(text)) < 0)
		return -1;
	p = strstr(text, what);
	return p ? atol(p + strlen(what)) : -1;
}

/* Affinity to a CPU that is gone is refused; a task that has no other loses its mask. */
TEST(affinity)
{
	int up[2], down[2];
	cpu_set_t s;
	char c;
	long lost = counted("affinity_lost "), downs = counted("downs ");
	pid_t pid;

	works(pipe(up));
	works(pipe(down));
	pid = works(fork());
	if (pid == 0) {
		be_on(2);
		is(sched_getcpu(), 2);
		write(up[1], "r", 1);
		read(down[0], &c, 1);
		check(sched_getcpu() != 2);
		is(sched_getaffinity(0, sizeof(s), &s), 0);
		is(CPU_COUNT(&s), 3);
		_exit(0);
	}
	read(up[0], &c, 1);
	is(put(SWITCH, "0"), 0);
	CPU_ZERO(&s);
	CPU_SET(2, &s);
	fails(sched_setaffinity(0, sizeof(s), &s), EINVAL);
	CPU_SET(1, &s);
	is(sched_setaffinity(0, sizeof(s), &s), 0);
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 1);
	write(down[1], "g", 1);
	waitpid(pid, NULL, 0);
	is(put(SWITCH, "1"), 0);
	if (lost >= 0) {
		check(counted("affinity_lost ") > lost);
		is(counted("downs "), downs + 1);
	}
	/* What was not there when the mask was set stays out of it. */
	is(sched_getaffinity(0, sizeof(s), &s), 0);
	is(CPU_COUNT(&s), 1);
}

/* A task that computes goes on elsewhere, in whatever class it is. */
TEST(running)
{
	static const int policies[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE};
	volatile long *turns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				    -1, 0);

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct sched_param p = {policies[i] == SCHED_FIFO || policies[i] == SCHED_RR};
		pid_t pid = works(fork());
		long before;

		if (pid == 0) {
			be_on(2);
			sched_setscheduler(0, policies[i], &p);
			for (;;)
				turns[0]++;
		}
		before = turns[0];
		soon(turns[0] != before);
		is(put(SWITCH, "0"), 0);
		before = turns[0];
		soon(turns[0] != before);
		is(put(SWITCH, "1"), 0);
		before = turns[0];
		soon(turns[0] != before);
		kill(pid, SIGKILL);
		is(waitpid(pid, NULL, 0), pid);
	}
}

/* Who sleeps there, by a timer or for an event, wakes. */
TEST(sleeping)
{
	int efd = works(eventfd(0, 0)), up[2];
	struct timespec ts = {0, 300000000};
	pid_t timed, waiting;
	uint64_t v = 1;
	char c;

	works(pipe(up));
	timed = works(fork());
	if (timed == 0) {
		be_on(2);
		write(up[1], "r", 1);
		is(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL), 0);
		check(sched_getcpu() != 2);
		_exit(0);
	}
	waiting = works(fork());
	if (waiting == 0) {
		be_on(2);
		write(up[1], "r", 1);
		is(read(efd, &v, 8), 8);
		check(sched_getcpu() != 2);
		_exit(0);
	}
	read(up[0], &c, 1);
	read(up[0], &c, 1);
	usleep(20000);
	is(put(SWITCH, "0"), 0);
	is(write(efd, &v, 8), 8);
	is(waitpid(waiting, NULL, 0), waiting);
	is(waitpid(timed, NULL, 0), timed);
	is(put(SWITCH, "1"), 0);
}

static volatile bool over;

static void *
ping(void *arg)
{
	int *fds = arg;
	long n = 0;
	char c = 0;

	while (!over) {
		if (write(fds[1], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
			break;
		n++;
	}
	return (void *)n;
}

static void *
forks(void *arg)
{
	long n = 0;
	int status;

	while (!over) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(7);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8)
			return (void *)-1L;
		n++;
	}
	return (void *)n;
}

static void *
memory(void *arg)
{
	long n = 0;

	while (!over) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			return (void *)-1L;
		for (int i = 0; i < 1 << 20; i += 4096)
			p[i] = (char)i;
		munmap(p, 1 << 20);
		n++;
	}
	return (void *)n;
}

/* Nothing is lost while CPUs go and come under load; all but the first may go. */
TEST_LIMIT(load, 60)
{
	static void *(*const work[])(void *) = {ping, ping, forks, memory, forks, memory};
	pthread_t th[6];
	int fds[6][2];
	void *n;

	for (int i = 0; i < 6; i++) {
		works(pipe(fds[i]));
		is(pthread_create(&th[i], NULL, work[i], fds[i]), 0);
	}
	for (int i = 0; i < 5; i++) {
		is(put(CPU "cpu1/online", "0"), 0);
		is(put(CPU "cpu3/online", "0"), 0);
		is(put(SWITCH, "0"), 0);
		is(sysconf(_SC_NPROCESSORS_ONLN), 1);
		is(put(CPU "cpu3/online", "1"), 0);
		is(put(SWITCH, "1"), 0);
		is(put(CPU "cpu1/online", "1"), 0);
	}
	over = true;
	for (int i = 0; i < 6; i++) {
		pthread_join(th[i], &n);
		check((long)n > 0);
	}
	back_up();
	is(sysconf(_SC_NPROCESSORS_ONLN), 4);
}
