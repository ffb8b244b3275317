/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls while somebody watches: entry.S comes here instead of calling the
 * function itself, if tracepoints are on, the task is traced (ptrace(2)), filters say
 * what it may call (seccomp(2)), or it wants to see them itself (task/dispatch.c).
 * For tracepoints a call is traced as a whole or not at all: one that waited as
 * tracing was switched on shows no end.
 */
#include "kernel/trace/trace_impl.h"

#include "kernel/ptrace/ptrace.h"
#include "kernel/seccomp/seccomp.h"
#include "kernel/syscall/table.h"
#include "kernel/task/task.h"
#include "lib/string.h"

DEFINE_PERCPU(u8, syscall_watch)[2] __aligned(2);

long syscall_watched(struct regs *r);

/* r: what the program called with; the value for rax. */
long
syscall_watched(struct regs *r)
{
	unsigned long args[6];
	long ret;
	u32 nr;

	if ((READ_ONCE(current->switch_flags) & SWITCH_DISPATCH) && dispatch_enter(r))
		return (long)r->rax;
	/* The tracer may have made another call of it, or none, before filters look at it. */
	if (ptrace_syscall_enter(r))
		return (long)r->rax;
	if ((READ_ONCE(current->switch_flags) & SWITCH_SECCOMP) && seccomp_enter(r))
		return (long)r->rax;
	nr = (u32)r->orig_rax;
	if (nr == U32_MAX)
		return (long)r->rax;
	memcpy(args, (unsigned long[6]){r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9},
	       sizeof(args));
	trace_sys_enter((long)nr, args);
	if (nr < syscall_count && syscall_table[nr])
		ret = syscall_table[nr](args[0], args[1], args[2], args[3], args[4], args[5]);
	else
		ret = syscall_missing(nr);
	trace_sys_exit((long)nr, ret);
	return ret;
}
