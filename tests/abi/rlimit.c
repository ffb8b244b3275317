/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits: setting rules, and each one that is enforced. */
#include "tests/abi/abi.h"

#include <pthread.h>
#include <sys/resource.h>

TEST(set_and_get)
{
	struct rlimit r, old;

	for (int i = 0; i < 16; i++) {
		if (getrlimit(i, &r))
			ok(false, "getrlimit %d", i);
		if (setrlimit(i, &r))
			ok(false, "setrlimit %d to itself", i);
	}
	fails(getrlimit(16, &r), EINVAL);
	fails(setrlimit(16, &r), EINVAL);
	fails(getrlimit(-1, &r), EINVAL);
	fails(syscall(SYS_getrlimit, RLIMIT_CPU, BAD), EFAULT);
	fails(syscall(SYS_setrlimit, RLIMIT_CPU, BAD), EFAULT);
	r = (struct rlimit){ 10, 5 };
	fails(setrlimit(RLIMIT_CORE, &r), EINVAL);
	r = (struct rlimit){ 1 << 20, 1 << 30 };
	is(setrlimit(RLIMIT_CORE, &r), 0);
	is(prlimit(0, RLIMIT_CORE, &(struct rlimit){ 5, 6 }, &old), 0);
	is(old.rlim_cur, 1 << 20);
	is(old.rlim_max, 1 << 30);
	is(prlimit(getpid(), RLIMIT_CORE, NULL, &old), 0);
	is(old.rlim_cur, 5);
	is(old.rlim_max, 6);
	fails(prlimit(4999999, RLIMIT_CORE, NULL, &old), ESRCH);
	in_child {
		is(getrlimit(RLIMIT_CORE, &old), 0);
		is(old.rlim_cur, 5);
		drop(USER);
		is(setrlimit(RLIMIT_CORE, &(struct rlimit){ 6, 6 }), 0);
		fails(setrlimit(RLIMIT_CORE, &(struct rlimit){ 6, 7 }), EPERM);
		is(setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 2 }), 0);
		fails(setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 3 }), EPERM);
		fails(prlimit(1, RLIMIT_CORE, NULL, &old), EPERM);
	}
	/* Of another process, by root. */
	{
		pid_t c = fork();

		if (!c)
			for (;;)
				pause();
		is(prlimit(c, RLIMIT_CORE, &(struct rlimit){ 77, 88 }, &old), 0);
		is(prlimit(c, RLIMIT_CORE, NULL, &old), 0);
		is(old.rlim_cur, 77);
		kill(c, SIGKILL);
		reap(c);
	}
	fails(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1 << 28, 1 << 28 }),
	      EPERM);
}

TEST(defaults)
{
	struct rlimit r;

	getrlimit(RLIMIT_STACK, &r);
	is(r.rlim_cur, 8 << 20);
	check(r.rlim_max == RLIM_INFINITY);
	getrlimit(RLIMIT_NOFILE, &r);
	is(r.rlim_cur, 1024);
	is(r.rlim_max, 4096);
	getrlimit(RLIMIT_CORE, &r);
	is(r.rlim_cur, 0);
	getrlimit(RLIMIT_AS, &r);
	check(r.rlim_cur == RLIM_INFINITY);
	getrlimit(RLIMIT_NICE, &r);
	is(r.rlim_cur, 0);
	getrlimit(RLIMIT_RTPRIO, &r);
	is(r.rlim_cur, 0);
	getrlimit(RLIMIT_NPROC, &r);
	check(r.rlim_cur > 50);
}

static volatile int hits[65];

static void
hit(int sig)
{
	hits[sig]++;
}

TEST(file_size)
{
	struct rlimit r = { 8192, RLIM_INFINITY };
	static char data[10000];
	int fd;
	pid_t c;

	handle(SIGXFSZ, hit, 0);
	in_child {
		setrlimit(RLIMIT_FSIZE, &r);
		fd = works(open("f", O_CREAT | O_RDWR, 0600));
		is(write(fd, data, 10000), 8192);
		is(hits[SIGXFSZ], 0);
		fails(write(fd, data, 1), EFBIG);
		is(hits[SIGXFSZ], 1);
		fails(pwrite(fd, data, 1, 8192), EFBIG);
		is(hits[SIGXFSZ], 2);
		is(pwrite(fd, data, 2, 8190), 2);
		is(pwrite(fd, data, 5, 8190), 2);
		fails(ftruncate(fd, 8193), EFBIG);
		is(hits[SIGXFSZ], 3);
		fails(fallocate(fd, 0, 0, 8193), EFBIG);
		is(ftruncate(fd, 100), 0);
	}
	signal(SIGXFSZ, SIG_DFL);
	c = fork();
	if (!c) {
		setrlimit(RLIMIT_FSIZE, &r);
		fd = open("g", O_CREAT | O_RDWR, 0600);
		pwrite(fd, data, 1, 8192);
		_exit(1);
	}
	is(reap(c), -SIGXFSZ);
}

TEST(cpu_time)
{
	struct rlimit r = { 1, 2 };
	pid_t c;

	c = fork();
	if (!c) {
		setrlimit(RLIMIT_CPU, &r);
		for (;;)
			;
	}
	is(reap(c), -SIGXCPU);
	c = fork();
	if (!c) {
		signal(SIGXCPU, SIG_IGN);
		setrlimit(RLIMIT_CPU, &r);
		for (;;)
			;
	}
	is(reap(c), -SIGKILL);
}

static void *
sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

TEST(processes)
{
	struct rlimit r = { 5, 5 };
	pthread_t t;
	int n = 0;

	in_child {
		setrlimit(RLIMIT_NPROC, &r);
		/* Root is not bound. */
		for (int i = 0; i < 6; i++) {
			if (!fork())
				_exit(0);
		}
		for (int i = 0; i < 6; i++)
			is(reap(-1), 0);
		drop(USER + 333);
		while (n < 20) {
			pid_t c = fork();

			if (!c)
				sleeper(NULL);
			if (c < 0)
				break;
			n++;
		}
		check(errno == EAGAIN);
		is(n, 4);
		is(pthread_create(&t, NULL, sleeper, NULL), EAGAIN);
		is(kill(0, 0), 0);
		signal(SIGTERM, SIG_IGN);
		kill(0, SIGTERM);
		for (int i = 0; i < n; i++)
			is(reap(-1), -SIGTERM);
		/* And they are counted off again. */
		is(pthread_create(&t, NULL, sleeper, NULL), 0);
		in_child {
			n = 0;
		}
	}
}

TEST(open_files)
{
	struct rlimit r = { 20, 20 };

	in_child {
		int fd = -1, next;

		setrlimit(RLIMIT_NOFILE, &r);
		while ((next = dup(0)) >= 0)
			fd = next;
		check(errno == EMFILE);
		is(fd, 19);
	}
}

TEST(locked_memory)
{
	struct rlimit r = { 8192, 8192 };
	char *m;

	in_child {
		setrlimit(RLIMIT_MEMLOCK, &r);
		drop(USER);
		m = mmap(NULL, 16384, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		is(mlock(m, 8192), 0);
		fails(mlock(m + 8192, 4096), ENOMEM);
		is(munlock(m, 4096), 0);
		is(mlock(m + 8192, 4096), 0);
	}
}

TEST(pending_signals)
{
	struct rlimit r = { 3, 3 };
	sigset_t s = sigs(SIGRTMIN, 0);
	int n = 0;

	sigprocmask(SIG_BLOCK, &s, NULL);
	in_child {
		drop(USER + 444);
		setrlimit(RLIMIT_SIGPENDING, &r);
		while (n < 50 && !sigqueue(getpid(), SIGRTMIN,
					   (union sigval){ 0 }))
			n++;
		is(n, 3);
		fails(timer_create(CLOCK_MONOTONIC, NULL, &(timer_t){ 0 }),
		      EAGAIN);
	}
}

static void
deep(void)
{
	volatile char frame[4096];

	frame[0] = 1;
	if (frame[0])
		deep();
	frame[1] = 1;
}

TEST(stack)
{
	struct rlimit r = { 256 << 10, RLIM_INFINITY };
	pid_t c = fork();

	if (!c) {
		setrlimit(RLIMIT_STACK, &r);
		deep();
	}
	is(reap(c), -SIGSEGV);
	/* A new program gets its stack by the limit of that moment. */
	c = fork();
	if (!c) {
		r.rlim_cur = 32 << 20;
		setrlimit(RLIMIT_STACK, &r);
		execv("/proc/self/exe", (char *[]){ "x", "@big_stack", NULL });
	}
	is(reap(c), 7);
}

HELPER(big_stack)
{
	char first;
	char *volatile here = &first;

	here[-(24 << 20)] = 1;
	return 7;
}

TEST(reported)
{
	static char buf[4096];

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 4096, RLIM_INFINITY });
	get("/proc/self/limits", buf, sizeof(buf));
	check(strstr(buf, "Limit                     Soft Limit           "
		     "Hard Limit           Units     \n") == buf);
	check(strstr(buf, "Max core file size        4096                 "
		     "unlimited            bytes     \n") != NULL);
	check(strstr(buf, "Max open files            1024                 "
		     "4096                 files     \n") != NULL);
	check(strstr(buf, "Max realtime priority     0                    "
		     "0                    \n") != NULL);
}
