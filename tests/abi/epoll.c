/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll: level and edge, one-shot, exclusive, nesting, loops, errors. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/eventfd.h>

#define K 65536

static char big[K];

static int
ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, op, fd, &e);
}

/* Events of the one descriptor that is ready now; 0 for none, -1 for more. */
static long
ready(int ep)
{
	struct epoll_event e[2];
	int n = epoll_wait(ep, e, 2, 0);

	return n == 0 ? 0 : n == 1 ? (long)e[0].events : -1;
}

TEST(create_and_control_errors)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = works(epoll_create1(EPOLL_CLOEXEC));
	int p[2];
	int f;

	is(fcntl(ep, F_GETFD), FD_CLOEXEC);
	works(epoll_create(1));
	fails(epoll_create(0), EINVAL);
	fails(epoll_create1(1), EINVAL);
	pipe(p);
	is(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), 0);
	fails(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EEXIST);
	fails(ctl(ep, EPOLL_CTL_MOD, p[1], EPOLLIN, 0), ENOENT);
	fails(ctl(ep, EPOLL_CTL_DEL, p[1], EPOLLIN, 0), ENOENT);
	fails(ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN, 0), EBADF);
	fails(ctl(999, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EBADF);
	fails(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0), EINVAL);
	fails(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0), EINVAL);
	fails(ctl(ep, 9, p[1], EPOLLIN, 0), EINVAL);
	fails(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], BAD), EFAULT);
	is(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), 0);
	put("f", "");
	f = works(open("f", O_RDONLY));
	fails(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 0), EPERM);
	fails(ctl(ep, EPOLL_CTL_ADD, works(open(".", O_RDONLY)), EPOLLIN, 0),
	      EPERM);
	fails(epoll_wait(ep, &e, 0, 0), EINVAL);
	fails(epoll_wait(ep, &e, -1, 0), EINVAL);
	fails(epoll_wait(p[0], &e, 1, 0), EINVAL);
	fails(epoll_wait(999, &e, 1, 0), EBADF);
	fails(read(ep, big, 8), EINVAL);
}

TEST(level)
{
	struct epoll_event e[4];
	int ep = works(epoll_create1(0));
	int p[2];

	pipe(p);
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0x1122334455667788);
	is(ready(ep), 0);
	write(p[1], "xy", 2);
	is(epoll_wait(ep, e, 4, 0), 1);
	is(e[0].events, EPOLLIN);
	is(e[0].data.u64, 0x1122334455667788);
	read(p[0], big, 1);
	is(ready(ep), EPOLLIN);
	read(p[0], big, 1);
	is(ready(ep), 0);
	ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 2);
	is(ready(ep), EPOLLOUT);
	write(p[1], "x", 1);
	is(epoll_wait(ep, e, 4, 0), 2);
	is(epoll_wait(ep, e, 1, 0), 1);
	/* Those not reported last time come first the next time. */
	{
		uint64_t first = e[0].data.u64;

		is(epoll_wait(ep, e, 1, 0), 1);
		check(e[0].data.u64 != first);
	}
	close(p[1]);
	is(ready(ep), EPOLLIN | EPOLLHUP);
	read(p[0], big, 1);
	is(ready(ep), EPOLLHUP);
	is(ctl(ep, EPOLL_CTL_MOD, p[0], 0, 0), 0);
	is(ready(ep), EPOLLHUP);
}

TEST(edge)
{
	int ep = works(epoll_create1(0));
	int p[2];

	pipe(p);
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 0);
	write(p[1], "a", 1);
	is(ready(ep), EPOLLIN);
	is(ready(ep), 0);
	write(p[1], "b", 1);
	is(ready(ep), EPOLLIN);
	is(ready(ep), 0);
	read(p[0], big, 1);
	is(ready(ep), 0);
	/* Setting it again arms it again, since data is there. */
	ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 0);
	is(ready(ep), EPOLLIN);
	is(ready(ep), 0);
	ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 0);
	is(ready(ep), EPOLLOUT);
	is(ready(ep), 0);
	close(p[1]);
	is(ready(ep), EPOLLIN | EPOLLHUP);
	is(ready(ep), 0);
}

TEST(oneshot)
{
	int ep = works(epoll_create1(0));
	int p[2];

	pipe(p);
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 0);
	write(p[1], "a", 1);
	is(ready(ep), EPOLLIN);
	is(ready(ep), 0);
	write(p[1], "b", 1);
	is(ready(ep), 0);
	fails(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EEXIST);
	ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 0);
	is(ready(ep), EPOLLIN);
	is(ready(ep), 0);
}

TEST(many_descriptors)
{
	struct epoll_event e[64];
	int ep = works(epoll_create1(0));
	int p[50][2];
	int n;

	for (int i = 0; i < 50; i++) {
		pipe(p[i]);
		ctl(ep, EPOLL_CTL_ADD, p[i][0], EPOLLIN, i);
	}
	for (int i = 0; i < 50; i += 5)
		write(p[i][1], "x", 1);
	n = epoll_wait(ep, e, 64, 0);
	is(n, 10);
	for (int i = 0; i < n; i++)
		is(e[i].data.u64, 5 * i);
	for (int i = 0; i < 50; i++)
		close(p[i][0]);
	is(ready(ep), 0);
}

/* A registration belongs to the open file and lives as long as it. */
TEST(close_and_dup)
{
	int ep = works(epoll_create1(0));
	int p[2];
	int d;

	pipe(p);
	d = works(dup(p[0]));
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1);
	is(ctl(ep, EPOLL_CTL_ADD, d, EPOLLIN, 2), 0);
	write(p[1], "x", 1);
	is(ready(ep), -1);
	is(epoll_ctl(ep, EPOLL_CTL_DEL, d, NULL), 0);
	close(p[0]);
	is(ready(ep), EPOLLIN);
	fails(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), EBADF);
	close(d);
	is(ready(ep), 0);
}

TEST(waiting)
{
	struct epoll_event e;
	int ep = works(epoll_create1(0));
	int p[2];
	pid_t c;
	long t;

	pipe(p);
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0);
	t = now_ns();
	is(epoll_wait(ep, &e, 1, 50), 0);
	check(now_ns() - t >= NSEC / 20);
	c = fork();
	if (!c)
		_exit(epoll_wait(ep, &e, 1, -1) == 1 ? 7 : 1);
	check(until_asleep(c));
	write(p[1], "x", 1);
	is(reap(c), 7);
}

/* A descriptor added while another task already waits. */
TEST(add_while_waiting)
{
	struct epoll_event e;
	int ep = works(epoll_create1(0));
	int p[2];
	pid_t c;

	pipe(p);
	write(p[1], "x", 1);
	c = fork();
	if (!c)
		_exit(epoll_wait(ep, &e, 1, -1) == 1 ? 7 : 1);
	check(until_asleep(c));
	ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0);
	is(reap(c), 7);
}

static volatile int hits;

static void
hit(int sig)
{
	(void)sig;
	hits++;
}

TEST(pwait_and_signals)
{
	struct timespec ts = { 0, 50000000 };
	struct epoll_event e;
	int ep = works(epoll_create1(0));
	sigset_t usr = sigs(SIGUSR1, 0);
	sigset_t none;
	pid_t c;
	long t;

	sigemptyset(&none);
	handle(SIGUSR1, hit, SA_RESTART);
	c = fork();
	if (!c) {
		if (epoll_wait(ep, &e, 1, -1) != -1)
			_exit(1);
		_exit(errno == EINTR ? 7 : 2);
	}
	check(until_asleep(c));
	kill(c, SIGUSR1);
	is(reap(c), 7);
	sigprocmask(SIG_BLOCK, &usr, NULL);
	raise(SIGUSR1);
	fails(epoll_pwait(ep, &e, 1, -1, &none), EINTR);
	is(hits, 1);
	fails(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &none, 4L), EINVAL);
	t = now_ns();
	is(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 0L), 0);
	check(now_ns() - t >= NSEC / 20);
	ts.tv_nsec = NSEC;
	fails(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 0L), EINVAL);
}

TEST(nested)
{
	int inner = works(epoll_create1(0));
	int outer = works(epoll_create1(0));
	struct pollfd f = { .fd = outer, .events = POLLIN };
	int p[2];

	pipe(p);
	ctl(inner, EPOLL_CTL_ADD, p[0], EPOLLIN, 0);
	ctl(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 0);
	is(ready(outer), 0);
	is(poll(&f, 1, 0), 0);
	write(p[1], "x", 1);
	is(ready(outer), EPOLLIN);
	is(poll(&f, 1, 0), 1);
	is(ready(inner), EPOLLIN);
	read(p[0], big, 1);
	is(ready(outer), 0);
	is(poll(&f, 1, 0), 0);
	close(inner);
	is(ready(outer), 0);
}

TEST(nested_wakeup)
{
	struct epoll_event e;
	int ep[4];
	int p[2];
	pid_t c;

	pipe(p);
	for (int i = 0; i < 4; i++) {
		ep[i] = epoll_create1(0);
		ctl(ep[i], EPOLL_CTL_ADD, i ? ep[i - 1] : p[0], EPOLLIN, 0);
	}
	c = fork();
	if (!c)
		_exit(epoll_wait(ep[3], &e, 1, -1) == 1 ? 7 : 1);
	check(until_asleep(c));
	write(p[1], "x", 1);
	is(reap(c), 7);
}

TEST(loops)
{
	int ep[8];

	for (int i = 0; i < 8; i++)
		ep[i] = epoll_create1(0);
	is(ctl(ep[0], EPOLL_CTL_ADD, ep[1], EPOLLIN, 0), 0);
	fails(ctl(ep[1], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0), ELOOP);
	is(ctl(ep[1], EPOLL_CTL_ADD, ep[2], EPOLLIN, 0), 0);
	fails(ctl(ep[2], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0), ELOOP);
	is(ctl(ep[2], EPOLL_CTL_ADD, ep[3], EPOLLIN, 0), 0);
	is(ctl(ep[3], EPOLL_CTL_ADD, ep[4], EPOLLIN, 0), 0);
	fails(ctl(ep[4], EPOLL_CTL_ADD, ep[5], EPOLLIN, 0), ELOOP);
	fails(ctl(ep[7], EPOLL_CTL_ADD, ep[0], EPOLLIN, 0), ELOOP);
	close(ep[0]);
	is(ctl(ep[7], EPOLL_CTL_ADD, ep[1], EPOLLIN, 0), 0);
}

TEST(exclusive_rules)
{
	int ep = works(epoll_create1(0));
	int in = works(epoll_create1(0));
	int p[2];

	pipe(p);
	is(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
	fails(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0), EINVAL);
	fails(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
	fails(ctl(ep, EPOLL_CTL_ADD, p[1],
		  EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), EINVAL);
	fails(ctl(ep, EPOLL_CTL_ADD, in, EPOLLIN | EPOLLEXCLUSIVE, 0), EINVAL);
	write(p[1], "x", 1);
	is(ready(ep), EPOLLIN);
}

/* One byte wakes at least one and not all of the exclusive waiters. */
TEST(exclusive_wakes_few)
{
	struct epoll_event e;
	pid_t c[4];
	int p[2];
	int woken = 0;

	pipe(p);
	for (int i = 0; i < 4; i++) {
		c[i] = fork();
		if (!c[i]) {
			int ep = epoll_create1(0);

			ctl(ep, EPOLL_CTL_ADD, p[0],
			    EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 0);
			epoll_wait(ep, &e, 1, -1);
			_exit(7);
		}
		check(until_asleep(c[i]));
	}
	write(p[1], "x", 1);
	msleep(300);
	for (int i = 0; i < 4; i++) {
		int st;

		if (waitpid(c[i], &st, WNOHANG) == c[i]) {
			woken++;
			c[i] = 0;
		}
	}
	check(woken >= 1);
	check(woken < 4);
	for (int i = 0; i < 4; i++) {
		if (c[i])
			kill(c[i], SIGKILL);
	}
}

/* Edge-triggered waiters in two threads share the edges. */
static int shared_ep;
static int got[2];

static void *
waiter(void *arg)
{
	struct epoll_event e;

	while (epoll_wait(shared_ep, &e, 1, 500) == 1)
		__atomic_add_fetch(&got[(long)arg], 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST(edges_are_not_lost)
{
	pthread_t t[2];
	int p[2];

	shared_ep = epoll_create1(0);
	pipe(p);
	ctl(shared_ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 0);
	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, waiter, (void *)i);
	for (int i = 0; i < 20; i++) {
		write(p[1], "x", 1);
		msleep(2);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	check(got[0] + got[1] >= 1 && got[0] + got[1] <= 20);
}

/* Makes the descriptors ready again and again while somebody waits for them. */
static bool pusher_ends;

static void *
pusher(void *arg)
{
	const int *fd = arg;
	uint64_t one = 1;

	while (!__atomic_load_n(&pusher_ends, __ATOMIC_RELAXED)) {
		write(fd[0], &one, sizeof(one));
		write(fd[1], &one, sizeof(one));
	}
	return NULL;
}

/* A wait that cannot store its events loses none, also if they come meanwhile. */
TEST(faults_while_ready)
{
	struct epoll_event *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct epoll_event e[4];
	int fd[2], ep, failed = 0;
	pthread_t t;

	for (int round = 0; round < 10; round++) {
		ep = works(epoll_create1(0));
		for (int i = 0; i < 2; i++) {
			fd[i] = works(eventfd(1, EFD_NONBLOCK));
			is(ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN | EPOLLET, (uint64_t)i), 0);
		}
		pusher_ends = false;
		pthread_create(&t, NULL, pusher, fd);
		for (int i = 0; i < 2000; i++) {
			/*
			 * One is ready, the other becomes so during the wait that fails. It has
			 * no limit but the test's: a busy host keeps a CPU waiting for a second.
			 */
			epoll_wait(ep, e, 4, 0);
			failed += epoll_wait(ep, bad, 2, -1) == -1 && errno == EFAULT;
		}
		__atomic_store_n(&pusher_ends, true, __ATOMIC_RELAXED);
		pthread_join(t, NULL);
		for (int i = 0; i < 2; i++)
			write(fd[i], &(uint64_t){ 1 }, sizeof(uint64_t));
		is(epoll_wait(ep, e, 4, 0), 2);
		is(epoll_wait(ep, e, 4, 0), 0);
		for (int i = 0; i < 2; i++)
			close(fd[i]);
		is(epoll_wait(ep, e, 4, 0), 0);
		close(ep);
	}
	is(failed, 20000);
}

static pid_t
waits_for_one(int ep, struct epoll_event *e, int want)
{
	pid_t c = fork();
	int n;

	if (c)
		return check(until_asleep(c)) ? c : -1;
	n = epoll_wait(ep, e, 1, -1);
	_exit(n == want || (want < 0 && errno == -want) ? 7 : 1);
}

static bool
ended(pid_t c)
{
	int st;

	return waitpid(c, &st, WNOHANG) == c && WIFEXITED(st) && WEXITSTATUS(st) == 7;
}

/* What stays ready after a wait is there for who waits too. */
TEST(level_wakes_all_who_wait)
{
	struct epoll_event e;
	int ep = works(epoll_create1(0));
	int fd = works(eventfd(0, 0));
	pid_t c[3];

	ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 0);
	for (int i = 0; i < 3; i++)
		c[i] = waits_for_one(ep, &e, 1);
	write(fd, &(uint64_t){ 1 }, 8);
	for (int i = 0; i < 3; i++)
		soon(ended(c[i]));
}

/* Nor is an event gone with one who could not store it, whichever end is woken first. */
TEST(fault_wakes_the_next)
{
	struct epoll_event *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct epoll_event e;
	int ep = works(epoll_create1(0));
	int fd = works(eventfd(0, 0));
	pid_t c;

	ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 0);
	waits_for_one(ep, bad, -EFAULT);
	c = waits_for_one(ep, &e, 1);
	waits_for_one(ep, bad, -EFAULT);
	write(fd, &(uint64_t){ 1 }, 8);
	soon(ended(c));
}

/* An exclusive wakeup goes to a set that somebody waits for. */
TEST(exclusive_passes_idle_sets)
{
	struct epoll_event e;
	int idle = works(epoll_create1(0));
	int ep = works(epoll_create1(0));
	int p[2];
	pid_t c;

	pipe(p);
	is(ctl(idle, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
	is(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 0), 0);
	c = waits_for_one(ep, &e, 1);
	write(p[1], "x", 1);
	soon(ended(c));
	is(ready(idle), EPOLLIN);
}

static bool asker_ends;

static void *
asker(void *arg)
{
	struct epoll_event e;

	while (!__atomic_load_n(&asker_ends, __ATOMIC_RELAXED))
		epoll_wait(*(int *)arg, &e, 1, 0);
	return NULL;
}

/* A set is ready for poll(2) also while a wait asks its handles. */
TEST(poll_while_others_wait)
{
	int ep = works(epoll_create1(0));
	int fd = works(eventfd(1, 0));
	struct pollfd pf = { .fd = ep, .events = POLLIN };
	int missed = 0;
	pthread_t t;

	ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN, 0);
	pthread_create(&t, NULL, asker, &ep);
	for (int i = 0; i < 20000; i++)
		missed += poll(&pf, 1, 0) != 1;
	__atomic_store_n(&asker_ends, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	is(missed, 0);
}

/* --- sets that several CPUs change --- */

/* Of the first two CPUs; with one it stays there. */
static void
on_cpu(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n % 2, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#define MANY 24

/* What one wait for up to `max` says: the data, in its order. */
static void
told(int ep, int max, const int *expected, int n)
{
	struct epoll_event e[MANY];

	is(epoll_wait(ep, e, max, 0), n);
	for (int i = 0; i < n; i++)
		is(e[i].data.u64, expected[i]);
}

/* All rules hold, and the order in which they got ready, wherever the descriptors were added. */
TEST(set_of_two_cpus)
{
	int ep = works(epoll_create1(0)), other = works(epoll_create1(0));
	int fd[MANY], order[MANY], left = 0;
	uint64_t one = 1;

	is(ctl(other, EPOLL_CTL_ADD, ep, EPOLLIN, 7), 0);
	for (int i = 0; i < MANY; i++) {
		on_cpu(i);
		fd[i] = works(eventfd(i % 3 == 0, 0));
		is(ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN, i), 0);
		fails(ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN, i), EEXIST);
		if (i % 3 == 0)
			order[left++] = i;
	}
	is(left, 8);
	told(ep, MANY, order, left);
	told(other, MANY, (int[]){ 7 }, 1);
	/* One after another, round and round. */
	for (int i = 0; i < 2 * left; i++)
		told(ep, 1, &order[i % left], 1);
	/* Others get ready, last first: behind those. */
	for (int i = MANY - 1; i >= 0; i--) {
		on_cpu(i);
		if (i % 3 == 1) {
			write(fd[i], &one, 8);
			order[left++] = i;
		}
	}
	told(ep, MANY, order, left);
	/* Half of them go by name, some of the others with their descriptor. */
	for (int i = 0; i < MANY; i++) {
		on_cpu(i / 2);
		if (i % 2 == 0)
			is(ctl(ep, EPOLL_CTL_DEL, fd[i], 0, 0), 0);
		else if (i % 3 == 0)
			close(fd[i]);
		else
			is(ctl(ep, EPOLL_CTL_MOD, fd[i], EPOLLIN | EPOLLET, i + 100), 0);
	}
	fails(ctl(ep, EPOLL_CTL_DEL, fd[0], 0, 0), ENOENT);
	left = 0;
	for (int i = MANY - 1; i >= 0; i--)
		if (i % 3 == 1 && i % 2)
			order[left++] = i + 100;
	told(ep, MANY, order, left);
	is(ready(ep), 0);
	is(ready(other), 0);
	write(fd[7], &one, 8);
	told(other, MANY, (int[]){ 7 }, 1);
	told(ep, MANY, (int[]){ 107 }, 1);
}

#define ADDERS 4
#define EACH 200

static int shared_set;

/* Adds, one after another, what gets ready before, at or after that; it is told once. */
static void *
adder(void *arg)
{
	uint64_t v = 1;

	for (int i = 0; i < EACH; i++) {
		int fd = eventfd(i % 3 == 0, 0);

		ctl(shared_set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT,
		    (uint64_t)fd << 32 | ((long)arg * EACH + i));
		if (i % 3 != 0)
			write(fd, &v, 8);
		if (i % 5 == 0)
			sched_yield();
	}
	return NULL;
}

TEST(events_of_a_growing_set_are_not_lost)
{
	static char seen[ADDERS * EACH];
	pthread_t t[ADDERS];
	int twice = 0, n;

	for (int round = 0; round < 3; round++) {
		memset(seen, 0, sizeof(seen));
		shared_set = works(epoll_create1(0));
		for (long i = 0; i < ADDERS; i++)
			pthread_create(&t[i], NULL, adder, (void *)i);
		for (int all = 0; all < ADDERS * EACH; all += n) {
			struct epoll_event e[16];

			n = epoll_wait(shared_set, e, 16, 20000);
			if (n <= 0)
				break;
			for (int i = 0; i < n; i++) {
				twice += seen[(uint32_t)e[i].data.u64]++;
				close(e[i].data.u64 >> 32);
			}
		}
		for (int i = 0; i < ADDERS; i++)
			pthread_join(t[i], NULL);
		is(twice, 0);
		is(memchr(seen, 0, sizeof(seen)), NULL);
		is(ready(shared_set), 0);
		close(shared_set);
	}
}

/* Who put a signalfd into a set that others have too has ended. */
TEST(signalfd_of_the_dead)
{
	int ep = epoll_create1(0), fds[16];
	struct epoll_event e = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (int i = 0; i < 16; i++) {
		fds[i] = signalfd(-1, &set, 0);
		if (!fork())
			_exit(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e) ? 1 : 7);
		is(reap(-1), 7);
	}
	/* Others have their memory meanwhile. */
	for (int i = 0; i < 64; i++) {
		if (!fork())
			_exit(7);
		reap(-1);
	}
	msleep(100);
	is(epoll_wait(ep, &e, 1, 0), 0);
	for (int i = 0; i < 8; i++)
		is(epoll_ctl(ep, EPOLL_CTL_DEL, fds[i], NULL), 0);
	for (int i = 8; i < 16; i++)
		close(fds[i]);
	close(ep);
}
