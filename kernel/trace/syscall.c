/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls while they are traced: entry.S comes here instead of calling the
 * function itself. A call is traced as a whole or not at all: one that waited as
 * tracing was switched on shows no end.
 */
#include "kernel/trace/trace_impl.h"

#include "arch/x86_64/asm/regs.h"
#include "kernel/syscall/table.h"

u8 trace_syscalls __read_mostly;

long trace_syscall(const struct regs *r);

/* r: what the program called with; the value for rax. */
long
trace_syscall(const struct regs *r)
{
	u32 nr = (u32)r->orig_rax;
	unsigned long args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
	long ret;

	trace_sys_enter((long)nr, args);
	if (nr < syscall_count && syscall_table[nr])
		ret = syscall_table[nr](args[0], args[1], args[2], args[3], args[4], args[5]);
	else
		ret = syscall_missing(nr);
	trace_sys_exit((long)nr, ret);
	return ret;
}
