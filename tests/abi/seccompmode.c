/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2): who has filters, strict mode, threads, limits, settings, the log. */
#include "seccomp.h"

#include <dirent.h>
#include <pthread.h>

/* --- who has them --- */

HELPER(probe)
{
	errno = 0;
	syscall(CALL);
	return errno == 7 && prctl(PR_GET_SECCOMP) == 2 &&
			       field("/proc/self/status", "Seccomp_filters") == 1
		       ? 55
		       : 56;
}

static void *
in_thread(void *arg)
{
	errno = 0;
	syscall(CALL);
	*(int *)arg = errno;
	return NULL;
}

TEST(inherited)
{
	int e = 0, p[2];
	pthread_t t;
	pid_t pid;

	is(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		read(p[0], &e, 1);
		errno = 0;
		syscall(CALL);
		_exit(errno);
	}
	is(filter_call(0, CALL, ERR(7)), 0);
	in_child {
		fails(syscall(CALL), 7);
		in_child {
			fails(syscall(CALL), 7);
		}
	}
	pthread_create(&t, NULL, in_thread, &e);
	pthread_join(t, NULL);
	is(e, 7);
	/* What was there before has none. */
	close(p[1]);
	is(reap(pid), 0);
	pid = vfork();
	if (!pid) {
		execv("/proc/self/exe", (char *[]){ "x", "@probe", NULL });
		_exit(1);
	}
	is(reap(pid), 55);
}

/* --- strict mode --- */

TEST(strict)
{
	int p[2];
	char c = 'x';

	is(pipe(p), 0);
	in_child {
		is(sec(SECCOMP_SET_MODE_STRICT, 0, NULL), 0);
		write(p[1], &c, 1);
		read(p[0], &c, 1);
		syscall(SYS_exit, 0);
	}
	is(ends_by(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, BAD)), -SIGKILL);
	is(ends_by(({ sec(SECCOMP_SET_MODE_STRICT, 0, NULL); _exit(0); })), -SIGKILL);
	is(ends_by(({ sec(SECCOMP_SET_MODE_STRICT, 0, NULL); prctl(PR_GET_SECCOMP); })), -SIGKILL);
	is(ends_by(({ sec(SECCOMP_SET_MODE_STRICT, 0, NULL); syscall(-1); })), -SIGKILL);
	/* Nor may it read the time. */
	is(ends_by(({
		   sec(SECCOMP_SET_MODE_STRICT, 0, NULL);
		   __asm__ volatile("rdtsc" ::: "eax", "edx");
	   })), -SIGSEGV);
	is(ends_by(({ signal(SIGKILL, SIG_IGN); sec(SECCOMP_SET_MODE_STRICT, 0, NULL); })), -SIGKILL);
}

TEST(strict_and_filters)
{
	in_child {
		is(filter_call(0, CALL, ERR(7)), 0);
		fails(sec(SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
		fails(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
		is(prctl(PR_GET_SECCOMP), 2);
	}
}

static volatile int traps;

static void
handler_in_strict(int sig)
{
	(void)sig;
	traps = 1;
}

TEST(strict_sigreturn)
{
	pid_t p;
	int fd[2];
	char c;

	is(pipe(fd), 0);
	p = fork();
	if (!p) {
		signal(SIGUSR1, handler_in_strict);
		sec(SECCOMP_SET_MODE_STRICT, 0, NULL);
		write(fd[1], "r", 1);
		while (!traps)
			;
		write(fd[1], "d", 1);
		syscall(SYS_exit, 3);
	}
	read(fd[0], &c, 1);
	kill(p, SIGUSR1);
	read(fd[0], &c, 1);
	is(c, 'd');
	is(reap(p), 3);
}

static void *
strict_body(void *arg)
{
	(void)arg;
	sec(SECCOMP_SET_MODE_STRICT, 0, NULL);
	syscall(CALL);
	return NULL;
}

TEST(strict_thread)
{
	is(ends_by(({
		   pthread_t t;
		   pthread_create(&t, NULL, strict_body, NULL);
		   pthread_join(t, NULL);
		   _exit(9);
	   })), 9);
}

/* --- one thread is killed --- */

static void *
killed_body(void *arg)
{
	(void)arg;
	filter_call(0, CALL, SECCOMP_RET_KILL_THREAD);
	syscall(CALL);
	_exit(1);
}

static void *
killing_body(void *arg)
{
	(void)arg;
	filter_call(0, CALL, SECCOMP_RET_KILL_PROCESS);
	syscall(CALL);
	_exit(1);
}

TEST(thread_killed)
{
	pthread_t t;

	pthread_create(&t, NULL, killed_body, NULL);
	is(pthread_join(t, NULL), 0);
	is(syscall(CALL) > 0, true);
	is(ends_by(({
		   pthread_create(&t, NULL, killing_body, NULL);
		   pthread_join(t, NULL);
	   })), -SIGSYS);
}

/* --- TSYNC --- */

static volatile int stage, synced, wrong, right;
static volatile pid_t tid;
static volatile int own, nnp;

static void *
sync_body(void *arg)
{
	(void)arg;
	if (own)
		filter_call(0, own, ERR(9));
	tid = gettid();
	stage = 1;
	while (stage != 2) {
		bool must = synced;
		long r;

		errno = 0;
		r = syscall(CALL);
		if (must && !(r == -1 && errno == 7))
			wrong++;
		else if (must)
			right++;
	}
	nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return NULL;
}

#define TSYNC SECCOMP_FILTER_FLAG_TSYNC
#define ESRCH_TOO (TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

static void
start_threads(pthread_t *t, int n)
{
	for (int i = 0; i < n; i++) {
		stage = 0;
		pthread_create(&t[i], NULL, sync_body, NULL);
		while (!stage)
			sched_yield();
	}
}

/* Threads of ours. */
static int
entries(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
end_threads(pthread_t *t, int n)
{
	stage = 2;
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	/* Joined is not gone. */
	while (entries() > 1)
		abi_nap();
}

/* From the return of the call on, every thread's calls are filtered. */
TEST(sync_running)
{
	pthread_t t[4];

	for (int round = 0; round < 8; round++) {
		in_child {
			synced = 0;
			start_threads(t, 4);
			if (filter_call(TSYNC, CALL, ERR(7)))
				ok(false, "TSYNC");
			synced = 1;
			fails(syscall(CALL), 7);
			while (!right && !wrong)
				;
			end_threads(t, 4);
			is(wrong, 0);
			is(nnp, 0);
		}
	}
}

TEST(sync_gives_no_new_privs)
{
	pthread_t t;

	in_child {
		drop(USER);
		start_threads(&t, 1);
		is(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		is(filter_call(TSYNC, CALL, ERR(7)), 0);
		synced = 1;
		end_threads(&t, 1);
		is(wrong, 0);
		is(nnp, 1);
	}
}

TEST(sync_refused)
{
	pthread_t t;

	own = SYS_getpgrp;
	start_threads(&t, 1);
	is(filter_call(TSYNC, CALL, ERR(7)), tid);
	fails(filter_call(ESRCH_TOO, CALL, ERR(7)), ESRCH);
	/* Nothing has happened. */
	is(prctl(PR_GET_SECCOMP), 0);
	is(field("/proc/self/status", "Seccomp_filters"), 0);
	is(syscall(CALL) > 0, true);
	is(filter_call(0, CALL, ERR(7)), 0);
	is(filter_call(TSYNC, CALL, ERR(7)), tid);
	end_threads(&t, 1);
	is(filter_call(TSYNC, CALL, ERR(7)), 0);
	is(field("/proc/self/status", "Seccomp_filters"), 2);
}

/* A thread that has fewer of the same chain gets the others. */
TEST(sync_descendants)
{
	pthread_t t;
	char path[64];

	own = 0;
	is(filter_call(0, SYS_getpgrp, ERR(9)), 0);
	start_threads(&t, 1);
	is(filter_call(0, SYS_getsid, ERR(9)), 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	is(field(path, "Seccomp_filters"), 1);
	is(filter_call(TSYNC, CALL, ERR(7)), 0);
	synced = 1;
	is(field(path, "Seccomp_filters"), 3);
	is(field(path, "Seccomp"), 2);
	end_threads(&t, 1);
	is(wrong, 0);
}

static void *
waiting_strict_body(void *arg)
{
	char c;
	int fd[2];

	(void)arg;
	pipe(fd);
	tid = gettid();
	sec(SECCOMP_SET_MODE_STRICT, 0, NULL);
	read(fd[0], &c, 1);
	return NULL;
}

TEST(sync_strict_thread)
{
	pthread_t t;

	in_child {
		pthread_create(&t, NULL, waiting_strict_body, NULL);
		while (!tid)
			sched_yield();
		msleep(50);
		is(filter_call(TSYNC, CALL, ERR(7)), tid);
		syscall(SYS_exit_group, 0);
	}
}

/* Threads that add filters for all, while they fork and others come and go: none is lost. */
#define STORM_ROUNDS 60

static void *
storm_guest(void *arg)
{
	return arg;
}

static void *
storm_body(void *arg)
{
	pthread_t t;

	for (int i = 0; i < STORM_ROUNDS; i++) {
		long r = filter_call(TSYNC, CALL, ERR(7));
		pid_t p;

		if (r)
			wrong++;
		pthread_create(&t, NULL, storm_guest, NULL);
		p = fork();
		if (!p)
			_exit(syscall(CALL) == -1 && errno == 7 ? 0 : 1);
		if (reap(p))
			wrong++;
		pthread_join(t, NULL);
	}
	return arg;
}

TEST(sync_storm)
{
	pthread_t t[4];

	in_child {
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, storm_body, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		is(wrong, 0);
		is(field("/proc/self/status", "Seccomp_filters"), 4 * STORM_ROUNDS);
	}
}

/* An exec of another thread: the program has the filters, whoever was first. */
static void *
execing_body(void *arg)
{
	execv("/proc/self/exe", (char *[]){ "x", "@probe", NULL });
	return arg;
}

TEST(sync_and_exec)
{
	for (int i = 0; i < 20; i++) {
		pid_t p = fork();
		pthread_t t;
		int r;

		if (!p) {
			pthread_create(&t, NULL, execing_body, NULL);
			for (int n = i * 200; n > 0; n--)
				__asm__ volatile("pause");
			filter_call(TSYNC, CALL, ERR(7));
			pause();
		}
		r = reap(p);
		ok(r == 55 || r == 56, "ends with %d", r);
	}
}

/* --- limits --- */

/* How many filters of this kind there may be. */
static int
chain(const struct sock_filter *f, int n)
{
	int shared = 0, fd[2];

	is(pipe(fd), 0);
	in_child {
		int i = 0;

		while (!install_n(0, f, n))
			i++;
		fails(install_n(0, f, n), ENOMEM);
		is(field("/proc/self/status", "Seccomp_filters"), i);
		is(syscall(CALL) > 0, true);
		write(fd[1], &i, sizeof(i));
	}
	read(fd[0], &shared, sizeof(shared));
	close(fd[0]);
	close(fd[1]);
	return shared;
}

TEST_LIMIT(chains, 120)
{
	static struct sock_filter large[4096];
	struct sock_filter one[] = { RET(ALLOW) };
	struct sock_filter of_a[] = { S(BPF_LD | BPF_IMM, ALLOW), S(BPF_RET | BPF_A, 0) };
	struct sock_filter jumps[] = {
		J(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 3), J(BPF_JMP | BPF_JEQ | BPF_K, 1, 3, 0),
		J(BPF_JMP | BPF_JEQ | BPF_K, -1, 1, 2), J(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
		J(BPF_JMP | BPF_JGT | BPF_X, 1, 1, 1), RET(ALLOW), RET(ALLOW), RET(ALLOW),
	};
	struct sock_filter division[] = {
		S(BPF_LDX | BPF_IMM, 1), S(BPF_ALU | BPF_DIV | BPF_X, 0), RET(ALLOW),
	};

	for (int i = 0; i < 4095; i++)
		large[i] = (struct sock_filter)S(BPF_ALU | BPF_ADD | BPF_K, 1);
	large[4095] = (struct sock_filter)RET(ALLOW);
	is(chain(one, 1), 3641);
	is(chain(of_a, 2), 3641);
	is(chain(jumps, LEN(jumps)), 32772 / (3 + 1 + 1 + 3 + 2 + 2 + 6 + 4));
	is(chain(division, LEN(division)), 32772 / (3 + 1 + 5 + 2 + 4));
	is(chain(large, 4096), 7);
}

/* --- settings --- */

#define LOGGED "/proc/sys/kernel/seccomp/actions_logged"
#define ALL_LOGGED "kill_process kill_thread trap errno user_notif trace log"

static bool
logged_is(const char *want)
{
	char text[200];

	get(LOGGED, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, want);
}

static int
log_these(const char *names)
{
	int fd = open(LOGGED, O_WRONLY), e = 0;

	if (fd < 0)
		return errno;
	if (write(fd, names, strlen(names)) < 0)
		e = errno;
	close(fd);
	return e;
}

TEST(settings)
{
	char text[200];
	struct stat st;

	is(stat(LOGGED, &st), 0);
	is(st.st_mode, S_IFREG | 0644);
	is(stat("/proc/sys/kernel/seccomp/actions_avail", &st), 0);
	is(st.st_mode, S_IFREG | 0444);
	get("/proc/sys/kernel/seccomp/actions_avail", text, sizeof(text));
	same(text, ALL_LOGGED " allow\n");
	check(logged_is(ALL_LOGGED));
	is(log_these("trap kill_thread\n"), 0);
	check(logged_is("kill_thread trap"));
	is(log_these("errno trap errno"), 0);
	check(logged_is("trap errno"));
	is(log_these("\n"), 0);
	check(logged_is(""));
	is(log_these("log nothing"), EINVAL);
	is(log_these("log allow"), EINVAL);
	is(log_these("logs"), EINVAL);
	is(log_these("lo"), EINVAL);
	check(logged_is(""));
	is(log_these("log  trap"), 0);
	check(logged_is("log"));
	in_child {
		drop(USER);
		is(log_these("trap"), EACCES);
	}
	is(log_these(ALL_LOGGED "\n"), 0);
	check(logged_is(ALL_LOGGED));
}

/* Is there a line of the log about this call? Such lines are few in a second: tries for a while. */
static bool
logs(unsigned int flags, unsigned int ret, int nr)
{
	char text[1024], want[32];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	long end = now_ns() + 7 * NSEC;
	bool found = false;

	snprintf(want, sizeof(want), " syscall=%d ", nr);
	lseek(fd, 0, SEEK_END);
	while (!found && now_ns() < end) {
		pid_t p = fork();
		ssize_t n;

		if (!p) {
			filter_call(flags, nr, ret);
			_exit(syscall(nr, -1, 0, 0) == 12345);
		}
		reap(p);
		msleep(100);
		while ((n = read(fd, text, sizeof(text) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
			text[n < 0 ? 0 : n] = '\0';
			if (strstr(text, want) && strstr(text, "type=1326"))
				found = true;
		}
		if (!(flags & SECCOMP_FILTER_FLAG_LOG) && ret == ERR(7))
			break;
		msleep(400);
	}
	close(fd);
	return found;
}

TEST_LIMIT(log, 60)
{
	check(logs(0, SECCOMP_RET_LOG, SYS_getpgid));
	check(logs(0, SECCOMP_RET_KILL_PROCESS, SYS_getsid));
	check(!logs(0, ERR(7), SYS_getresuid));
	check(logs(SECCOMP_FILTER_FLAG_LOG, ERR(7), SYS_getresgid));
}
