/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that an entry to the kernel saves, in the order of Linux's
 * struct pt_regs (ptrace and core files show it). It sits at the top of the
 * task's kernel stack for an entry from user mode.
 */
#ifndef ARCH_ASM_REGS_H
#define ARCH_ASM_REGS_H

#include "lib/types.h"

struct regs {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	/* System-call number, or the error code, or ~irq vector. */
	u64 orig_rax;
	/* Pushed by the CPU (or by the syscall entry in its place). */
	u64 rip, cs, rflags, rsp, ss;
};

static_assert(sizeof(struct regs) == 21 * 8, "entry.S knows this");

static inline bool
regs_user(const struct regs *r)
{
	return (r->cs & 3) != 0;
}

#endif
