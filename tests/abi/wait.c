/* SPDX-License-Identifier: BSD-2-Clause */
/* wait4 and waitid, orphans, subreapers, parent-death signals, zombies. */
#include "tests/abi/abi.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static pid_t
exits(int code)
{
	pid_t c = fork();

	if (!c)
		_exit(code);
	return c;
}

static pid_t
sleeps(void)
{
	pid_t c = fork();

	if (!c) {
		for (;;)
			pause();
	}
	return c;
}

TEST(none)
{
	siginfo_t si;

	fails(wait(NULL), ECHILD);
	fails(waitpid(-1, NULL, WNOHANG), ECHILD);
	fails(waitpid(1, NULL, 0), ECHILD);
	fails(waitpid(getpid(), NULL, 0), ECHILD);
	fails(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	fails(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), ECHILD);
	fails(waitpid(0, NULL, 0), ECHILD);
	fails(waitpid(-getpgrp(), NULL, 0), ECHILD);
	fails(waitpid(INT_MIN, NULL, 0), ESRCH);
}

TEST(status_words)
{
	int st;
	pid_t c;

	c = exits(0x42);
	is(waitpid(c, &st, 0), c);
	is(st, 0x4200);
	c = sleeps();
	kill(c, SIGTERM);
	is(waitpid(c, &st, 0), c);
	is(st, SIGTERM);
	c = sleeps();
	kill(c, SIGKILL);
	is(waitpid(c, &st, 0), c);
	is(st, SIGKILL);
	c = sleeps();
	kill(c, SIGSTOP);
	is(waitpid(c, &st, WUNTRACED), c);
	is(st, 0x7f | SIGSTOP << 8);
	kill(c, SIGCONT);
	is(waitpid(c, &st, WCONTINUED), c);
	is(st, 0xffff);
	kill(c, SIGKILL);
	is(waitpid(c, &st, WUNTRACED | WCONTINUED), c);
	is(st, SIGKILL);
}

TEST(core_flag)
{
	struct rlimit r = { 0, RLIM_INFINITY };
	int st;
	pid_t c;

	for (int i = 0; i < 2; i++) {
		r.rlim_cur = i ? RLIM_INFINITY : 0;
		c = fork();
		if (!c) {
			setrlimit(RLIMIT_CORE, &r);
			raise(SIGQUIT);
			_exit(1);
		}
		is(waitpid(c, &st, 0), c);
		is(WTERMSIG(st), SIGQUIT);
		is(!!WCOREDUMP(st), i);
	}
	c = fork();
	if (!c) {
		setrlimit(RLIMIT_CORE, &r);
		prctl(PR_SET_DUMPABLE, 0);
		raise(SIGQUIT);
		_exit(1);
	}
	is(waitpid(c, &st, 0), c);
	is(st, SIGQUIT);
}

TEST(stops_reported_once)
{
	int st;
	pid_t c = sleeps();

	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	is(waitpid(c, &st, WNOHANG), 0);
	is(waitpid(c, &st, WNOHANG | WUNTRACED), c);
	is(WSTOPSIG(st), SIGSTOP);
	is(waitpid(c, &st, WNOHANG | WUNTRACED), 0);
	kill(c, SIGCONT);
	check(until_asleep(c));
	is(waitpid(c, &st, WNOHANG | WUNTRACED), 0);
	is(waitpid(c, &st, WNOHANG | WCONTINUED), c);
	is(waitpid(c, &st, WNOHANG | WCONTINUED), 0);
	/* A continue cancels a stop that nobody has seen. */
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	kill(c, SIGCONT);
	check(until_asleep(c));
	is(waitpid(c, &st, WNOHANG | WUNTRACED), 0);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
}

TEST(selectors)
{
	int st;
	pid_t a = exits(1);
	pid_t b = fork();

	if (!b) {
		setpgid(0, 0);
		_exit(2);
	}
	check(until_state(a, 'Z'));
	check(until_state(b, 'Z'));
	is(waitpid(0, &st, 0), a);
	fails(waitpid(0, &st, 0), ECHILD);
	is(waitpid(-b, &st, 0), b);
	is(WEXITSTATUS(st), 2);
	a = exits(3);
	is(waitpid(-getpgrp(), &st, 0), a);
	fails(waitpid(a, &st, 0), ECHILD);
	fails(waitpid(-1, &st, 0x100), EINVAL);
	a = exits(4);
	is(waitpid(-1, &st, 0), a);
}

TEST(waitid_info)
{
	siginfo_t si;
	pid_t c = exits(5);

	memset(&si, 0x55, sizeof(si));
	is(waitid(P_PID, c, &si, WEXITED | WNOWAIT), 0);
	is(si.si_signo, SIGCHLD);
	is(si.si_code, CLD_EXITED);
	is(si.si_status, 5);
	is(si.si_pid, c);
	is(si.si_uid, 0);
	is(si.si_errno, 0);
	is(waitid(P_ALL, 0, &si, WEXITED), 0);
	is(si.si_pid, c);
	fails(waitid(P_PID, c, &si, WEXITED), ECHILD);
	c = sleeps();
	memset(&si, 0x55, sizeof(si));
	is(waitid(P_PID, c, &si, WEXITED | WNOHANG), 0);
	is(si.si_pid, 0);
	is(si.si_signo, 0);
	kill(c, SIGSTOP);
	is(waitid(P_PGID, getpgrp(), &si, WSTOPPED), 0);
	is(si.si_code, CLD_STOPPED);
	is(si.si_status, SIGSTOP);
	kill(c, SIGCONT);
	is(waitid(P_PID, c, &si, WCONTINUED), 0);
	is(si.si_code, CLD_CONTINUED);
	is(si.si_status, SIGCONT);
	kill(c, SIGKILL);
	is(waitid(P_PGID, 0, &si, WEXITED), 0);
	is(si.si_code, CLD_KILLED);
	is(si.si_status, SIGKILL);
}

TEST(waitid_errors)
{
	siginfo_t si;
	pid_t c = exits(0);

	fails(waitid(P_ALL, 0, &si, 0), EINVAL);
	fails(waitid(P_ALL, 0, &si, WNOHANG), EINVAL);
	fails(waitid(P_ALL, 0, &si, WEXITED | 0x100), EINVAL);
	fails(waitid(99, 0, &si, WEXITED), EINVAL);
	fails(waitid(P_PID, 0, &si, WEXITED), EINVAL);
	fails(waitid(P_PID, -1, &si, WEXITED), EINVAL);
	fails(waitid(P_PIDFD, 999, &si, WEXITED), EBADF);
	fails(syscall(SYS_waitid, P_PID, c, BAD, WEXITED, NULL), EFAULT);
	c = exits(6);
	is(syscall(SYS_waitid, P_PID, c, NULL, WEXITED, NULL), 0);
}

TEST(usage)
{
	struct rusage ru;
	int st;
	pid_t c = fork();

	if (!c) {
		long end;
		struct timespec ts;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
		end = ts.tv_sec * NSEC + ts.tv_nsec + 60000000;
		do
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
		while (ts.tv_sec * NSEC + ts.tv_nsec < end);
		_exit(0);
	}
	memset(&ru, 0x55, sizeof(ru));
	is(wait4(c, &st, 0, &ru), c);
	check(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
	      ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec >= 50000);
	check(ru.ru_maxrss > 0 && ru.ru_maxrss < 100000);
	c = exits(0);
	check(until_state(c, 'Z'));
	is(syscall(SYS_waitid, P_PID, c, NULL, WEXITED, &ru), 0);
	is(getrusage(RUSAGE_CHILDREN, &ru), 0);
	check(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
	      ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec >= 50000);
}

TEST(zombies)
{
	char path[64], buf[512];
	pid_t c = exits(3);

	check(until_state(c, 'Z'));
	is(kill(c, 0), 0);
	is(kill(c, SIGKILL), 0);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", c);
	is(get(path, buf, sizeof(buf)), 0);
	is(getpgid(c), getpgrp());
	is(reap(c), 3);
	fails(kill(c, 0), ESRCH);
	fails(getpgid(c), ESRCH);
}

static void
on_child(int sig)
{
	(void)sig;
}

TEST(sigchld_ignored)
{
	pid_t c;

	signal(SIGCHLD, SIG_IGN);
	c = exits(1);
	/* No zombie: wait blocks until all are gone. */
	fails(waitpid(c, NULL, 0), ECHILD);
	soon(kill(c, 0) == -1 && errno == ESRCH);
	handle(SIGCHLD, on_child, SA_NOCLDWAIT | SA_RESTART);
	c = exits(1);
	fails(waitpid(c, NULL, 0), ECHILD);
	handle(SIGCHLD, on_child, SA_RESTART);
	c = exits(4);
	is(reap(c), 4);
}

TEST(interrupted)
{
	pid_t me = getpid();
	pid_t c = sleeps();
	pid_t k;

	handle(SIGUSR1, on_child, 0);
	k = fork();
	if (!k) {
		until_asleep(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	fails(waitpid(c, NULL, 0), EINTR);
	is(reap(k), 0);
	handle(SIGUSR1, on_child, SA_RESTART);
	k = fork();
	if (!k) {
		until_asleep(me);
		kill(me, SIGUSR1);
		msleep(50);
		kill(c, SIGTERM);
		_exit(0);
	}
	is(waitpid(c, NULL, 0), c);
	is(reap(k), 0);
}

TEST(orphans)
{
	struct gate g = gate_new();
	pid_t got = 0;
	int p[2];

	pipe(p);
	in_child {
		if (!fork()) {
			gate_wait(&g);
			got = getppid();
			write(p[1], &got, sizeof(got));
			_exit(0);
		}
	}
	gate_open(&g);
	is(read(p[0], &got, sizeof(got)), sizeof(got));
	is(got, 1);
}

TEST(subreaper)
{
	int on = 0;
	pid_t got = 0;
	int p[2];

	pipe(p);
	is(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	is(on, 0);
	is(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	is(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	is(on, 1);
	in_child {
		pid_t me = getpid();

		prctl(PR_GET_CHILD_SUBREAPER, &on);
		is(on, 0);
		if (!fork()) {
			while (getppid() == me)
				msleep(1);
			got = getppid();
			write(p[1], &got, sizeof(got));
			_exit(9);
		}
	}
	is(read(p[0], &got, sizeof(got)), sizeof(got));
	is(got, getpid());
	is(reap(-1), 9);
	fails(waitpid(-1, NULL, 0), ECHILD);
}

TEST(death_signal)
{
	struct gate ready = gate_new();
	int sig = -1;
	char c;
	int p[2];

	pipe(p);
	is(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	is(prctl(PR_GET_PDEATHSIG, &sig), 0);
	is(sig, SIGUSR1);
	fails(prctl(PR_SET_PDEATHSIG, 100), EINVAL);
	in_child {
		prctl(PR_GET_PDEATHSIG, &sig);
		is(sig, 0);
		if (!fork()) {
			sigset_t s = sigs(SIGUSR2, 0);

			sigprocmask(SIG_BLOCK, &s, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR2);
			gate_open(&ready);
			sigwait(&s, &sig);
			write(p[1], "d", 1);
			_exit(0);
		}
		gate_wait(&ready);
	}
	is(read(p[0], &c, 1), 1);
	is(c, 'd');
}

/* Two waiters, one dead child: one gets it, the other ECHILD. */
TEST(ends_while_waiting)
{
	pid_t c = sleeps();
	pid_t k = fork();

	if (!k) {
		msleep(30);
		kill(c, SIGKILL);
		_exit(0);
	}
	is(reap(c), -SIGKILL);
	is(reap(k), 0);
	fails(waitpid(-1, NULL, 0), ECHILD);
}

TEST(pidfd_wait)
{
	siginfo_t si = { 0 };
	pid_t c = sleeps();
	int fd = syscall(SYS_pidfd_open, c, 0);

	if (fd < 0 && errno == ENOSYS) {
		skip("no pidfd");
		kill(c, SIGKILL);
		return;
	}
	check(fd >= 0);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	is(waitid(P_PIDFD, fd, &si, WEXITED), 0);
	is(si.si_pid, c);
	is(si.si_status, SIGTERM);
	fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	fails(syscall(SYS_pidfd_open, 4999999, 0), ESRCH);
	fails(syscall(SYS_pidfd_open, 0, 0), EINVAL);
	fails(syscall(SYS_pidfd_open, getpid(), 1), EINVAL);
}

/* An open directory /proc/PID names a process too, but only for signals. */
TEST(pidfd_proc_directory)
{
	char path[64];
	pid_t c = sleeps();
	siginfo_t si = { 0 };
	int fd, task;

	snprintf(path, sizeof(path), "/proc/%d", c);
	fd = works(open(path, O_RDONLY | O_DIRECTORY));
	snprintf(path, sizeof(path), "/proc/%d/task/%d", c, c);
	task = works(open(path, O_RDONLY | O_DIRECTORY));
	is(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	fails(syscall(SYS_pidfd_send_signal, task, 0, NULL, 0), EBADF);
	fails(syscall(SYS_pidfd_send_signal, works(open("/proc", O_RDONLY)), 0, NULL, 0), EBADF);
	snprintf(path, sizeof(path), "/proc/%d", c);
	fails(syscall(SYS_pidfd_send_signal, works(open(path, O_PATH)), 0, NULL, 0), EBADF);
	fails(waitid(P_PIDFD, fd, &si, WEXITED), EBADF);
	is(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	is(waitid(P_PID, c, &si, WEXITED), 0);
	is(si.si_status, SIGTERM);
	fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}
