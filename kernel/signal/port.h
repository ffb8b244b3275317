/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/signal needs from arch and fs/, for core dumps. */
#ifndef KERNEL_SIGNAL_PORT_H
#define KERNEL_SIGNAL_PORT_H

#include "lib/types.h"

struct file;
struct pid;
struct task;

/* --- arch/x86_64/ptrace.c --- */

/* current's registers are put where those of a stopped task are. */
void arch_core_sync(void);
/* What t's NT_PRSTATUS says of registers; t is stopped, or current after arch_core_sync(). */
#define CORE_REGS 27
void arch_core_regs(const struct task *t, u64 regs[CORE_REGS]);
/* NT_PRFPREG, borrowed, and NT_X86_XSTATE: sizes (0: no such note) and contents. */
#define CORE_FPREGS_SIZE 512
const void *arch_core_fpregs(const struct task *t);
size_t arch_core_xstate_size(void);
void arch_core_xstate(const struct task *t, u8 *image);

/* --- fs/ --- */

/* dpath.c. The name of a handle as current sees it, at the end of buf; err_ptr. */
char *file_name(struct file *f, char *buf, size_t n);
/*
 * coredump.c. A new file for a core dump, one that nobody else could have put there.
 * safe: the process has rights that its user has not: by root, seen from the root of
 * process 1. err_ptr.
 */
struct file *core_file_open(const char *name, bool safe);
/* coredump.c. Does the file that is mapped have no name any more? */
bool core_file_unlinked(const struct file *f);
/*
 * coredump.c. Starts a program as root, from the root of process 1, in no session;
 * descriptor 0 is `in`, 3 a pidfd of `of` unless that is NULL. 0 once it runs, or -Exxx.
 */
int core_helper_start(const char *const argv[], struct file *in, struct pid *of);

#endif
