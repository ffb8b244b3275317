/* SPDX-License-Identifier: BSD-2-Clause */
/* ptrace(2): options and events: fork, clone, exec, exit; threads and exec. */
#include "ptrace.h"

#include <pthread.h>

static unsigned long
message(pid_t pid)
{
	unsigned long v = -1;

	pt(PTRACE_GETEVENTMSG, pid, 0, (long)&v);
	return v;
}

static int
any(pid_t *pid)
{
	int st = -1;

	*pid = waitpid(-1, &st, __WALL);
	return st;
}

TEST(fork_event)
{
	pid_t child;
	siginfo_t si;

	tracee(pid) {
		pid_t p = fork();

		if (!p)
			_exit(3);
		_exit(reap(p));
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_FORK));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_code, SIGTRAP | PTRACE_EVENT_FORK << 8);
	is(si.si_pid, pid);
	child = message(pid);
	is(stop(child), STOPPED(SIGSTOP, 0));
	/* Options and tracing by call are not inherited alike. */
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP | 0x80, 0));
	is(regs_of(pid).rax, child);
	pt(PTRACE_CONT, pid, 0, 0);
	is(go(PTRACE_CONT, child, 0), 3 << 8);
	is(stop(pid), STOPPED(SIGCHLD, 0));
	is(go(PTRACE_CONT, pid, 0), 3 << 8);
}

TEST(seized_child)
{
	struct gate g = gate_new();
	pid_t pid = fork(), child;

	if (!pid) {
		gate_wait(&g);
		pid_t p = fork();

		if (!p)
			_exit(3);
		_exit(reap(p));
	}
	is(pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK), 0);
	gate_open(&g);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_FORK));
	child = message(pid);
	is(stop(child), STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	pt(PTRACE_CONT, pid, 0, 0);
	is(go(PTRACE_CONT, child, 0), 3 << 8);
	is(stop(pid), STOPPED(SIGCHLD, 0));
	is(go(PTRACE_CONT, pid, 0), 3 << 8);
}

TEST(vfork_events)
{
	pid_t child;

	tracee(pid) {
		pid_t p = vfork();

		if (!p)
			_exit(0);
		_exit(reap(p));
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_VFORK));
	child = message(pid);
	is(stop(child), STOPPED(SIGSTOP, 0));
	pt(PTRACE_CONT, pid, 0, 0);
	msleep(10);
	check(quiet(pid));
	is(go(PTRACE_CONT, child, 0), 0);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_VFORK_DONE));
	is(message(pid), child);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGCHLD, 0));
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(exit_event)
{
	tracee(pid) {
		_exit(6);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_EXIT));
	is(message(pid), 6 << 8);
	is(regs_of(pid).orig_rax, SYS_exit_group);
	is(go(PTRACE_CONT, pid, 0), 6 << 8);
	tracee(other) {
		pause();
	}
	is(pt(PTRACE_SETOPTIONS, other, 0, PTRACE_O_TRACEEXIT), 0);
	is(go(PTRACE_CONT, other, SIGTERM), STOPPED(SIGTRAP, PTRACE_EVENT_EXIT));
	is(message(other), SIGTERM);
	/* It dies already: nothing more is sent to it. */
	kill(other, SIGKILL);
	msleep(20);
	check(quiet(other));
	is(go(PTRACE_CONT, other, 0), SIGTERM);
}

HELPER(nothing)
{
	return 0;
}

HELPER(stop)
{
	raise(SIGUSR1);
	return 0;
}

TEST(exec_trap)
{
	siginfo_t si;

	tracee(pid) {
		execl("/proc/self/exe", "ptraceevent", "@nothing", NULL);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_code, SI_USER);
	is(si.si_pid, pid);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(exec_event)
{
	tracee(pid) {
		execl("/nowhere", "x", NULL);
		execl("/proc/self/exe", "ptraceevent", "@nothing", NULL);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_EXEC));
	is(message(pid), pid);
	/* Then the end of the call. */
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP | 0x80, 0));
	is(regs_of(pid).rax, 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* --- threads --- */

static void *
sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *
leaver(void *arg)
{
	return arg;
}

static void *
execer(void *arg)
{
	execl("/proc/self/exe", "ptraceevent", "@stop", NULL);
	return arg;
}

TEST(clone_event)
{
	pid_t thread;
	int st;

	tracee(pid) {
		pthread_t t;

		pthread_create(&t, NULL, leaver, NULL);
		pthread_join(t, NULL);
		_exit(4);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_CLONE));
	thread = message(pid);
	is(stop(thread), STOPPED(SIGSTOP, 0));
	is(pt(PTRACE_CONT, thread, 0, 0), 0);
	/* A thread of its own is waited for without __WCLONE, as it is traced. */
	is(waitpid(thread, &st, 0), thread);
	is(st, 0);
	is(go(PTRACE_CONT, pid, 0), 4 << 8);
}

/* All other threads go, and their tracer sees each of them, before the event. */
TEST(exec_by_a_thread)
{
	pid_t who, first, second, killed = 0, event = 0;
	int st, stops = 0;

	tracee(pid) {
		pthread_t t;

		pthread_create(&t, NULL, sleeper, NULL);
		pthread_create(&t, NULL, execer, NULL);
		sleeper(NULL);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_CLONE));
	first = message(pid);
	is(stop(first), STOPPED(SIGSTOP, 0));
	pt(PTRACE_CONT, first, 0, 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_CLONE));
	second = message(pid);
	is(stop(second), STOPPED(SIGSTOP, 0));
	pt(PTRACE_CONT, pid, 0, 0);
	pt(PTRACE_CONT, second, 0, 0);
	while (!event && stops++ < 10) {
		st = any(&who);
		if (who == first && WIFEXITED(st))
			killed = who;
		else if (st == STOPPED(SIGTRAP, PTRACE_EVENT_EXEC))
			event = who;
		else if (WIFSTOPPED(st))
			pt(PTRACE_CONT, who, 0, 0);
	}
	is(killed, first);
	is(event, pid);
	is(message(pid), second);
	fails(pt(PTRACE_CONT, second, 0, 0), ESRCH);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(group_stop_of_threads)
{
	pid_t thread, who;
	int st, seen = 0;

	tracee(pid) {
		pthread_t t;

		pthread_create(&t, NULL, sleeper, NULL);
		sleeper(NULL);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_CLONE));
	thread = message(pid);
	is(stop(thread), STOPPED(SIGSTOP, 0));
	pt(PTRACE_CONT, pid, 0, 0);
	pt(PTRACE_CONT, thread, 0, 0);
	syscall(SYS_tgkill, pid, thread, SIGSTOP);
	is(stop(thread), STOPPED(SIGSTOP, 0));
	pt(PTRACE_CONT, thread, 0, SIGSTOP);
	for (int i = 0; i < 2; i++) {
		st = any(&who);
		is(st, STOPPED(SIGSTOP, 0));
		seen |= who == pid ? 1 : who == thread ? 2 : 4;
	}
	is(seen, 3);
	kill(pid, SIGKILL);
	is(stop(thread), SIGKILL);
	is(stop(pid), SIGKILL);
}

/* The tracer of another's child: PTRACE_O_EXITKILL takes threads and children along. */
TEST(exitkill_of_a_family)
{
	struct gate ready = gate_new();
	pid_t tracer, pid;

	tracer = fork();
	if (!tracer) {
		tracee(pid) {
			if (!fork())
				gate_open(&ready);
			sleeper(NULL);
		}
		pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK);
		go(PTRACE_CONT, pid, 0);
		pid = message(pid);
		stop(pid);
		pt(PTRACE_CONT, pid, 0, 0);
		gate_wait(&ready);
		put("child", "x");
		char text[16];

		snprintf(text, sizeof(text), "%d", pid);
		put("child", text);
		_exit(0);
	}
	is(reap(tracer), 0);
	char text[16];

	get("child", text, sizeof(text));
	pid = atoi(text);
	check(pid > 1);
	soon(task_state(pid) == '?' || task_state(pid) == 'Z');
}

/* A sleep that was interrupted for the tracer goes on. */
TEST(interrupted_sleep)
{
	struct gate g = gate_new();
	pid_t pid = fork();

	if (!pid) {
		struct timespec ts = { 0, 400000000 };

		gate_open(&g);
		_exit(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL));
	}
	gate_wait(&g);
	check(until_asleep(pid));
	is(pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	is(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
	is(stop(pid), STOPPED(SIGTRAP, PTRACE_EVENT_STOP));
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP | 0x80, 0));
	is(regs_of(pid).orig_rax, SYS_restart_syscall);
	pt(PTRACE_SYSCALL, pid, 0, 0);
	is(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
	/* The end of the call takes the place of that stop. */
	is(stop(pid), STOPPED(SIGTRAP | 0x80, 0));
	is(regs_of(pid).rax, -516);
	is(pt(PTRACE_DETACH, pid, 0, 0), 0);
	is(reap(pid), 0);
}
