/* SPDX-License-Identifier: BSD-2-Clause */
/* ptrace(2): attaching, stops for signals, memory, parting, who may. */
#include "ptrace.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/prctl.h>

static volatile long word = 0x1122334455667788;
static const long fixed = 0x0102030405060708;
static volatile int caught;

static void
count(int sig)
{
	caught += sig;
}

TEST(traceme)
{
	tracee(pid) {
		_exit(7);
	}
	is(pt(PTRACE_CONT, pid, 0, 0), 0);
	is(stop(pid), 7 << 8);
	fails(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	in_child {
		is(pt(PTRACE_TRACEME, 0, 0, 0), 0);
		fails(pt(PTRACE_TRACEME, 0, 0, 0), EPERM);
	}
}

TEST(wait_shows_stops)
{
	siginfo_t si;
	int st;

	tracee(pid) {
		raise(SIGUSR1);
		_exit(0);
	}
	/* What was waited for is not shown again. */
	check(quiet(pid));
	pt(PTRACE_CONT, pid, 0, 0);
	memset(&si, 0, sizeof(si));
	is(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0);
	is(si.si_code, CLD_TRAPPED);
	is(si.si_status, SIGUSR1);
	is(si.si_pid, pid);
	is(si.si_signo, SIGCHLD);
	is(waitpid(pid, &st, __WNOTHREAD), pid);
	is(st, STOPPED(SIGUSR1, 0));
	is(task_state(pid), 't');
	end(pid);
}

TEST(sigchld_of_a_stop)
{
	sigset_t set = sigs(SIGCHLD, 0);
	siginfo_t si;

	sigprocmask(SIG_BLOCK, &set, NULL);
	tracee(pid) {
		_exit(0);
	}
	is(sigwaitinfo(&set, &si), SIGCHLD);
	is(si.si_code, CLD_TRAPPED);
	is(si.si_status, SIGSTOP);
	is(si.si_pid, pid);
	end(pid);
}

TEST(signals_pass_and_change)
{
	siginfo_t si;

	tracee(pid) {
		handle(SIGUSR1, count, 0);
		handle(SIGUSR2, count, 0);
		raise(SIGUSR1);
		if (caught)
			_exit(1);
		raise(SIGUSR1);
		if (caught != SIGUSR1)
			_exit(2);
		raise(SIGUSR1);
		_exit(caught == SIGUSR1 + SIGUSR2 ? 0 : 3);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_signo, SIGUSR1);
	is(si.si_code, SI_TKILL);
	is(si.si_pid, pid);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	is(go(PTRACE_CONT, pid, SIGUSR1), STOPPED(SIGUSR1, 0));
	is(go(PTRACE_CONT, pid, SIGUSR2), 0);
}

TEST(ignored_and_blocked)
{
	tracee(pid) {
		sigset_t set = sigs(SIGUSR1, 0);

		signal(SIGUSR2, SIG_IGN);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGUSR1);
		raise(SIGUSR2);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		_exit(0);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR2, 0));
	is(go(PTRACE_CONT, pid, SIGUSR2), STOPPED(SIGUSR1, 0));
	is(go(PTRACE_CONT, pid, SIGUSR1), SIGUSR1);
}

TEST(bad_requests)
{
	tracee(pid) {
		_exit(0);
	}
	fails(pt(PTRACE_CONT, pid, 0, 65), EIO);
	fails(pt(0x4333, pid, 0, 0), EIO);
	fails(pt(PTRACE_SETOPTIONS, pid, 0, 0x100), EINVAL);
	fails(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
	fails(pt(PTRACE_PEEKDATA, pid, 8, (long)&caught), EIO);
	fails(pt(PTRACE_POKEDATA, pid, 8, 0), EIO);
	fails(pt(PTRACE_GETREGS, pid, 0, 8), EFAULT);
	fails(pt(PTRACE_LISTEN, pid, 0, 0), EIO);
	fails(pt(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	fails(pt(PTRACE_CONT, 0, 0, 0), ESRCH);
	fails(pt(PTRACE_CONT, -1, 0, 0), ESRCH);
	fails(pt(PTRACE_ATTACH, 0x7ffffff0, 0, 0), ESRCH);
	fails(pt(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	fails(pt(PTRACE_SEIZE, getppid(), 8, 0), EIO);
	fails(pt(PTRACE_SEIZE, getppid(), 0, 0x100), EIO);
	/* Not while it runs, and not by another. */
	in_child {
		fails(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
		fails(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
	}
	end(pid);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	fails(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	is(pt(PTRACE_SEIZE, pid, 0, 0), 0);
	fails(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	end(pid);
}

TEST(memory)
{
	char path[64];
	long v = 0;
	int fd;

	tracee(pid) {
		_exit(word == 42 && *(volatile long *)&fixed == 43 ? 0 : 1);
	}
	is(peek(PTRACE_PEEKDATA, pid, (long)&word), 0x1122334455667788);
	is(peek(PTRACE_PEEKTEXT, pid, (long)&fixed), fixed);
	/* Not aligned. */
	is(peek(PTRACE_PEEKDATA, pid, (long)&word + 1) & 0xffffff, 0x556677);
	is(pt(PTRACE_POKEDATA, pid, (long)&word, 42), 0);
	is(pt(PTRACE_POKETEXT, pid, (long)&fixed, 44), 0);
	is(word, 0x1122334455667788);
	is(*(volatile long *)&fixed, 0x0102030405060708);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = works(open(path, O_RDWR));
	is(pread(fd, &v, 8, (long)&fixed), 8);
	is(v, 44);
	v = 43;
	is(pwrite(fd, &v, 8, (long)&fixed), 8);
	is(*(volatile long *)&fixed, 0x0102030405060708);
	close(fd);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(memory_protected)
{
	char *m = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *shared;

	ftruncate(fd, 4096);
	shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	strcpy(m, "hello");
	mprotect(m, 4096, PROT_NONE);
	mprotect(m + 4096, 4096, PROT_EXEC);
	munmap(m + 8192, 4096);
	tracee(pid) {
		_exit(0);
	}
	is(peek(PTRACE_PEEKDATA, pid, (long)m) & 0xff, 'h');
	is(pt(PTRACE_POKEDATA, pid, (long)m, 0x4141), 0);
	is(peek(PTRACE_PEEKDATA, pid, (long)m), 0x4141);
	is(pt(PTRACE_POKEDATA, pid, (long)m + 4096, 0x4242), 0);
	is(peek(PTRACE_PEEKDATA, pid, (long)m + 4096), 0x4242);
	fails(pt(PTRACE_POKEDATA, pid, (long)m + 8188, 0), EIO);
	fails(pt(PTRACE_POKEDATA, pid, (long)m + 8192, 0), EIO);
	/* A shared mapping of what it may write, though not through here: no copy of its own. */
	fails(pt(PTRACE_POKEDATA, pid, (long)shared, 1), EIO);
	end(pid);
}

TEST(attach_detach)
{
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	until_asleep(pid);
	is(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	is(stop(pid), STOPPED(SIGSTOP, 0));
	is(task_state(pid), 't');
	is(pt(PTRACE_DETACH, pid, 0, 0), 0);
	check(until_asleep(pid));
	is(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	is(stop(pid), STOPPED(SIGSTOP, 0));
	is(pt(PTRACE_DETACH, pid, 0, SIGTERM), 0);
	is(stop(pid), SIGTERM);
}

TEST(tracer_pid)
{
	char path[64];

	tracee(pid) {
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	is(field(path, "TracerPid"), getpid());
	pt(PTRACE_DETACH, pid, 0, SIGSTOP);
	is(field(path, "TracerPid"), 0);
	check(until_state(pid, 'T'));
	end(pid);
}

TEST(attach_stopped)
{
	pid_t pid = fork();
	siginfo_t si;

	if (!pid) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	check(until_state(pid, 'T'));
	is(waitpid(pid, NULL, WUNTRACED), pid);
	is(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	/* It comes over at once. */
	is(task_state(pid), 't');
	is(stop(pid), STOPPED(SIGSTOP, 0));
	fails(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), EINVAL);
	is(pt(PTRACE_DETACH, pid, 0, 0), 0);
	check(until_state(pid, 'T'));
	kill(pid, SIGCONT);
	check(until_asleep(pid));
	end(pid);
}

TEST(tracer_dies)
{
	pid_t pid = fork(), tracer;
	char path[64];

	if (!pid) {
		for (;;)
			pause();
	}
	tracer = fork();
	if (!tracer) {
		pt(PTRACE_ATTACH, pid, 0, 0);
		is(stop(pid), STOPPED(SIGSTOP, 0));
		_exit(0);
	}
	reap(tracer);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	is(field(path, "TracerPid"), 0);
	check(until_asleep(pid));
	tracer = fork();
	if (!tracer) {
		pt(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL);
		_exit(0);
	}
	reap(tracer);
	is(stop(pid), SIGKILL);
}

/* The tracer sees the end first; then the parent. */
TEST(exit_of_a_foreign_tracee)
{
	struct gate seen = gate_new(), reaped = gate_new(), seized = gate_new();
	pid_t pid = fork(), tracer;
	siginfo_t si = {};
	int st;

	if (!pid) {
		gate_wait(&seized);
		_exit(9);
	}
	tracer = fork();
	if (!tracer) {
		is(pt(PTRACE_SEIZE, pid, 0, 0), 0);
		gate_open(&seized);
		is(waitid(P_PID, pid, &si, WEXITED | WNOWAIT | __WALL), 0);
		is(si.si_status, 9);
		gate_open(&seen);
		gate_wait(&reaped);
		is(waitpid(pid, &st, __WALL), pid);
		is(st, 9 << 8);
		fails(waitpid(pid, &st, __WALL), ECHILD);
		_exit(0);
	}
	gate_wait(&seen);
	is(waitpid(pid, &st, WNOHANG), 0);
	is(task_state(pid), 'Z');
	gate_open(&reaped);
	is(waitpid(pid, &st, 0), pid);
	is(st, 9 << 8);
	is(reap(tracer), 0);
	/* A tracer that does not wait: its end gives the zombie to the parent. */
	pid = fork();
	if (!pid)
		_exit(4);
	until_state(pid, 'Z');
	tracer = fork();
	if (!tracer) {
		fails(pt(PTRACE_SEIZE, pid, 0, 0), EPERM);
		_exit(0);
	}
	reap(tracer);
	is(reap(pid), 4);
}

TEST(kill_always_works)
{
	tracee(pid) {
		_exit(0);
	}
	kill(pid, SIGKILL);
	is(stop(pid), SIGKILL);
	tracee(other) {
		_exit(0);
	}
	is(pt(PTRACE_KILL, other, 0, 0), 0);
	is(stop(other), SIGKILL);
}

TEST(group_stop)
{
	siginfo_t si;

	tracee(pid) {
		for (;;)
			pause();
	}
	pt(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGTSTP);
	is(stop(pid), STOPPED(SIGTSTP, 0));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_code, SI_USER);
	/* Its group is an orphan: SIGTSTP would not stop it. */
	pt(PTRACE_CONT, pid, 0, SIGSTOP);
	is(stop(pid), STOPPED(SIGSTOP, 0));
	fails(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), EINVAL);
	/* SIGCONT does not move one that was not seized. */
	kill(pid, SIGCONT);
	msleep(20);
	is(task_state(pid), 't');
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGCONT, 0));
	end(pid);
}

TEST(seize_interrupt_listen)
{
	pid_t pid = fork();
	siginfo_t si;

	if (!pid) {
		for (;;)
			pause();
	}
	is(pt(PTRACE_SEIZE, pid, 0, 0), 0);
	check(quiet(pid));
	is(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_code, SIGTRAP | PTRACE_EVENT_STOP << 8);
	pt(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGSTOP);
	is(stop(pid), STOPPED(SIGSTOP, 0));
	is(go(PTRACE_CONT, pid, SIGSTOP), STOPPED(SIGSTOP, PTRACE_EVENT_STOP));
	is(pt(PTRACE_LISTEN, pid, 0, 0), 0);
	check(quiet(pid));
	/* It is not ours to look at while it listens. */
	fails(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), ESRCH);
	kill(pid, SIGCONT);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGCONT, 0));
	pt(PTRACE_CONT, pid, 0, 0);
	is(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	is(pt(PTRACE_DETACH, pid, 0, 0), 0);
	check(until_asleep(pid));
	end(pid);
}

TEST(siginfo_and_masks)
{
	struct __ptrace_peeksiginfo_args args = { .nr = 4 };
	siginfo_t si[4];
	unsigned long mask = 0;

	tracee(pid) {
		union sigval v = { .sival_int = 5 };
		sigset_t set = sigs(SIGRTMIN, SIGUSR1);

		sigprocmask(SIG_BLOCK, &set, NULL);
		sigqueue(getpid(), SIGRTMIN, v);
		v.sival_int = 6;
		sigqueue(getpid(), SIGRTMIN, v);
		raise(SIGUSR1);
		raise(SIGUSR2);
		_exit(0);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR2, 0));
	is(pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)si), 1);
	is(si[0].si_signo, SIGUSR1);
	args.flags = PTRACE_PEEKSIGINFO_SHARED;
	is(pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)si), 2);
	is(si[1].si_int, 6);
	args.off = 1;
	is(pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)si), 1);
	is(si[0].si_int, 6);
	args.flags = 8;
	fails(pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)si), EINVAL);
	is(pt(PTRACE_GETSIGMASK, pid, 8, (long)&mask), 0);
	is(mask, 1UL << (SIGUSR1 - 1) | 1UL << (SIGRTMIN - 1));
	fails(pt(PTRACE_GETSIGMASK, pid, 4, (long)&mask), EINVAL);
	mask = ~0UL & ~(1UL << (SIGUSR1 - 1));
	is(pt(PTRACE_SETSIGMASK, pid, 8, (long)&mask), 0);
	mask = 0;
	is(pt(PTRACE_GETSIGMASK, pid, 8, (long)&mask), 0);
	is(mask, ~(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1) | 1UL << (SIGUSR1 - 1)));
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)si), 0);
	si[0].si_signo = SIGUSR2;
	is(pt(PTRACE_SETSIGINFO, pid, 0, (long)si), 0);
	si[0].si_signo = 0;
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)si), 0);
	is(si[0].si_signo, SIGUSR2);
	end(pid);
}

TEST(permission)
{
	pid_t other, pid;

	other = fork();
	if (!other) {
		drop(USER);
		prctl(PR_SET_DUMPABLE, 1);
		for (;;)
			pause();
	}
	pid = fork();
	if (!pid) {
		drop(USER);
		for (;;)
			pause();
	}
	until_asleep(other);
	until_asleep(pid);
	in_child {
		drop(USER + 1);
		fails(pt(PTRACE_SEIZE, other, 0, 0), EPERM);
		fails(pt(PTRACE_ATTACH, getppid(), 0, 0), EPERM);
	}
	in_child {
		drop(USER);
		is(pt(PTRACE_SEIZE, other, 0, 0), 0);
		/* Not dumpable since its setuid. */
		fails(pt(PTRACE_SEIZE, pid, 0, 0), EPERM);
	}
	is(pt(PTRACE_SEIZE, pid, 0, 0), 0);
	fails(pt(PTRACE_SEIZE, 2, 0, 0), EPERM);
	end(other);
	end(pid);
}

static void *
idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A thread of pid other than its first. */
static pid_t
thread_of(pid_t pid)
{
	struct dirent *d;
	char path[64];
	pid_t tid = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (d = readdir(tasks)) != NULL && (tid = atoi(d->d_name)) <= 0)
		;
	while (tid == pid && (d = readdir(tasks)) != NULL)
		tid = atoi(d->d_name);
	closedir(tasks);
	return tid;
}

TEST(threads_apart)
{
	struct gate g = gate_new();
	pid_t pid = fork(), tid;
	int st;

	if (!pid) {
		pthread_t t;

		pthread_create(&t, NULL, idle, NULL);
		gate_open(&g);
		idle(NULL);
	}
	gate_wait(&g);
	tid = thread_of(pid);
	is(pt(PTRACE_SEIZE, tid, 0, 0), 0);
	is(pt(PTRACE_INTERRUPT, tid, 0, 0), 0);
	is(waitpid(tid, &st, 0), tid);
	is(st, STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	is(task_state(tid), 't');
	check(until_state(pid, 'S'));
	/* The process ends, the traced thread stays until its tracer has waited for it. */
	kill(pid, SIGKILL);
	check(until_state(pid, 'Z'));
	is(waitpid(pid, &st, WNOHANG), 0);
	is(waitpid(tid, &st, __WALL), tid);
	is(st, SIGKILL);
	is(waitpid(pid, &st, 0), pid);
	is(st, SIGKILL);
}
