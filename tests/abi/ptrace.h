/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs about ptrace(2) share: tracees, and waiting for their stops. */
#ifndef TESTS_ABI_PTRACE_H
#define TESTS_ABI_PTRACE_H

#include "abi.h"

#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STOPPED(sig, event) ((sig) << 8 | 0x7f | (event) << 16)

/* ptrace(2) without glibc's own idea of what PEEK returns. */
ABI_FN long
pt(long request, pid_t pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

ABI_FN unsigned long
peek(long request, pid_t pid, unsigned long addr)
{
	unsigned long v = 0x5a5a5a5a;

	if (pt(request, pid, addr, (unsigned long)&v))
		return -errno;
	return v;
}

/* The status of the next stop or the end of @pid; -1: none. */
ABI_FN int
stop(pid_t pid)
{
	int st = -1;

	while (waitpid(pid, &st, __WALL) != pid) {
		if (errno != EINTR)
			return -1;
	}
	return st;
}

/* Is there nothing to wait for? */
ABI_FN bool
quiet(pid_t pid)
{
	int st;

	return waitpid(pid, &st, __WALL | WNOHANG) == 0;
}

ABI_FN int
go(long request, pid_t pid, int sig)
{
	if (pt(request, pid, 0, sig))
		return -1;
	return stop(pid);
}

/* A child that traces itself stands in its SIGSTOP, then runs the block. */
#define tracee(var)							\
	pid_t var = fork();						\
	if (!var) {							\
		pt(PTRACE_TRACEME, 0, 0, 0);				\
		raise(SIGSTOP);						\
	} else								\
		is(stop(var), STOPPED(SIGSTOP, 0));			\
	if (!var)

ABI_FN struct user_regs_struct
regs_of(pid_t pid)
{
	struct user_regs_struct r;

	memset(&r, 0, sizeof(r));
	pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r);
	return r;
}

ABI_FN void
end(pid_t pid)
{
	int st;

	kill(pid, SIGKILL);
	while (waitpid(pid, &st, __WALL) == pid && !WIFSIGNALED(st) && !WIFEXITED(st))
		;
}

#endif
