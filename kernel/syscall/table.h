/* SPDX-License-Identifier: BSD-2-Clause */
/* The table that entry.S jumps through, and the counters of what it did not find. */
#ifndef KERNEL_SYSCALL_TABLE_H
#define KERNEL_SYSCALL_TABLE_H

#include "lib/types.h"
#include "percpu/percpu.h"

struct regs;
struct seq;

typedef long (*syscall_fn)(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

/* NULL: no such call. */
extern const syscall_fn syscall_table[];
extern const char *const syscall_names[];
extern const unsigned int syscall_count;

/*
 * Not zero as a whole: system calls on this CPU go through kernel/trace/syscall.c.
 * [0]: (trace_mutex) tracepoints are on; [1]: o, of the current task (SWITCH_WATCHED).
 */
DECLARE_PERCPU(u8, syscall_watch)[2];

/* A number that the table does not have: counts it by number and program; -ENOSYS. */
long syscall_missing(u64 nr);
/* The lines of /proc/tessera/syscalls. */
void syscall_show_missing(struct seq *s);

#endif
