/* SPDX-License-Identifier: BSD-2-Clause */
/* prctl(PR_SET_SYSCALL_USER_DISPATCH). */
#include "abi.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define DISPATCH(mode, off, len, sel) \
	prctl(PR_SET_SYSCALL_USER_DISPATCH, (long)(mode), (long)(off), (long)(len), (long)(sel))
#define NR 0xfff0
#define ALLOW 0
#define BLOCK 1

static volatile char selector;
static volatile int caught;
static siginfo_t seen;
static greg_t seen_ax, seen_ip, seen_di;

/* A call from an address that is known: the label is behind it. */
static __attribute__((noinline, noclone)) long
call(long nr, long arg)
{
	long ret;

	__asm__ volatile("syscall\n.globl behind_call\nbehind_call:"
			 : "=a"(ret)
			 : "a"(nr), "D"(arg)
			 : "rcx", "r11", "memory");
	return ret;
}

extern char behind_call[];

static void
on_sys(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *u = ctx;

	(void)sig;
	selector = ALLOW;
	seen = *info;
	seen_ax = u->uc_mcontext.gregs[REG_RAX];
	seen_ip = u->uc_mcontext.gregs[REG_RIP];
	seen_di = u->uc_mcontext.gregs[REG_RDI];
	u->uc_mcontext.gregs[REG_RAX] = 4711;
	caught++;
}

static void
catch_sys(void)
{
	struct sigaction sa = { .sa_sigaction = on_sys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
}

TEST(arguments)
{
	fails(DISPATCH(2, 0, 0, 0), EINVAL);
	fails(DISPATCH(-1, 0, 0, 0), EINVAL);
	fails(DISPATCH(0, 1, 0, 0), EINVAL);
	fails(DISPATCH(0, 0, 1, 0), EINVAL);
	fails(DISPATCH(0, 0, 0, &selector), EINVAL);
	fails(DISPATCH(1, 1, 0, &selector), EINVAL);
	fails(DISPATCH(1, -1L, 1, &selector), EINVAL);
	fails(DISPATCH(1, 0x1000, -0x1000L, &selector), EINVAL);
	fails(DISPATCH(1, 0, -1L, -8), EFAULT);
	is(DISPATCH(1, 0, 0, &selector), 0);
	is(DISPATCH(0, 0, 0, 0), 0);
	is(DISPATCH(0, 0, 0, 0), 0);
}

TEST(a_call_is_seen)
{
	long r;

	catch_sys();
	is(DISPATCH(1, 0, 0, &selector), 0);
	is(call(NR, 1), -ENOSYS);
	selector = BLOCK;
	r = call(NR, 99);
	is(selector, ALLOW);
	is(r, 4711);
	is(caught, 1);
	is(seen.si_signo, SIGSYS);
	is(seen.si_code, 2);
	is(seen.si_errno, 0);
	is(seen.si_syscall, NR);
	is(seen.si_arch, 0xc000003eu);
	is((long)seen.si_call_addr, (long)behind_call);
	is(seen_ip, (long)behind_call);
	is(seen_ax, NR);
	is(seen_di, 99);
	/* Calls that mean something here are not made either. */
	selector = BLOCK;
	r = call(SYS_getpid, 0);
	is(r, 4711);
	is(call(SYS_getpid, 0), getpid());
}

TEST(own_code_calls)
{
	char *begin = (char *)((long)behind_call & ~63L);
	long r;

	catch_sys();
	is(DISPATCH(1, begin, behind_call - begin + 1, &selector), 0);
	selector = BLOCK;
	r = call(SYS_getpid, 0);
	selector = ALLOW;
	is(r, getpid());
	is(caught, 0);
	/* The end is not in it. */
	is(DISPATCH(1, begin, behind_call - begin, &selector), 0);
	selector = BLOCK;
	r = call(SYS_getpid, 0);
	is(r, 4711);
	is(caught, 1);
}

TEST(selectors)
{
	pid_t pid = fork();

	if (!pid) {
		DISPATCH(1, 0, 0, &selector);
		selector = 2;
		call(SYS_getpid, 0);
		call(SYS_exit, 0);
	}
	is(reap(pid), -SIGSYS);
	pid = fork();
	if (!pid) {
		/* Whatever is done about it. */
		catch_sys();
		handle(SIGSEGV, SIG_IGN, 0);
		DISPATCH(1, 0, 0, 8);
		call(SYS_getpid, 0);
		call(SYS_exit, 0);
	}
	is(reap(pid), -SIGSEGV);
	/* None: all are seen, the end of the handler too. */
	pid = fork();
	if (!pid) {
		DISPATCH(1, 0, 0, 0);
		call(SYS_getpid, 0);
		call(SYS_exit, 0);
	}
	is(reap(pid), -SIGSYS);
}

HELPER(still_there)
{
	return 42;
}

TEST(fork_and_exec)
{
	pid_t pid;
	long r;

	catch_sys();
	is(DISPATCH(1, 0, 0, &selector), 0);
	pid = fork();
	if (!pid) {
		selector = BLOCK;
		r = call(SYS_getppid, 0);
		_exit(r != 4711 && !caught ? 0 : 1);
	}
	is(reap(pid), 0);
	/* A range that leaves out all of it, but the address of this call: 0 is no selector. */
	pid = fork();
	if (!pid) {
		char *begin = behind_call - 1;

		DISPATCH(1, begin, 2, 0);
		__asm__ volatile("" ::: "memory");
		syscall(SYS_getpid);
		_exit(0);
	}
	is(reap(pid), -SIGSYS);
	pid = fork();
	if (!pid) {
		char *args[] = { "dispatch", "@still_there", NULL };
		long ret;

		DISPATCH(1, behind_call - 1, 2, 0);
		/* By the one call that is let through; it does not come back. */
		__asm__ volatile("jmp *%5" : "=a"(ret) : "a"(SYS_execve), "D"("/proc/self/exe"),
				 "S"(args), "d"(environ), "r"(behind_call - 2) : "memory");
		_exit(1);
	}
	is(reap(pid), 42);
}

TEST(tracers_are_not_told)
{
	pid_t pid = fork();
	int st, stops = 0;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		catch_sys();
		DISPATCH(1, 0, 0, &selector);
		raise(SIGSTOP);
		selector = BLOCK;
		call(NR, 0);
		call(SYS_exit, caught == 1 ? 7 : 8);
	}
	waitpid(pid, &st, 0);
	is(WSTOPSIG(st), SIGSTOP);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	while (waitpid(pid, &st, 0) == pid && WIFSTOPPED(st)) {
		int sig = WSTOPSIG(st);
		long nr = ptrace(PTRACE_PEEKUSER, pid, 15 * 8, 0);

		stops += sig == (SIGTRAP | 0x80) && nr == NR;
		ptrace(PTRACE_SYSCALL, pid, 0, sig == SIGSYS ? SIGSYS : 0);
	}
	is(stops, 0);
	is(WEXITSTATUS(st), 7);
}
