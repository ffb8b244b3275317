/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that assembly needs; the build turns the output into asm-offsets.h. */
#include "arch/x86_64/asm/regs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"

#define DEFINE(name, value) __asm__ volatile("\n->" #name " %0" ::"i"(value))

void offsets(void);

void
offsets(void)
{
	DEFINE(REGS_SIZE, sizeof(struct regs));
	DEFINE(REGS_RAX, offsetof(struct regs, rax));
	DEFINE(REGS_RBP, offsetof(struct regs, rbp));
	DEFINE(REGS_ORIG_RAX, offsetof(struct regs, orig_rax));
	DEFINE(REGS_CS, offsetof(struct regs, cs));
	DEFINE(TASK_KSP, offsetof(struct task, ksp));
	DEFINE(TASK_WORK, offsetof(struct task, work));
	DEFINE(SYSCALL_LIMIT, SYSCALL_MAX + 1);
}
