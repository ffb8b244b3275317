/* SPDX-License-Identifier: BSD-2-Clause */
/* Core dumps. */
#ifndef KERNEL_SIGNAL_COREDUMP_H
#define KERNEL_SIGNAL_COREDUMP_H

#include "lib/types.h"

struct siginfo;
struct task;

/* process->core_filter: which mappings are dumped (/proc/PID/coredump_filter, core(5)). */
#define CORE_ANON_PRIVATE 0x01u
#define CORE_ANON_SHARED 0x02u
#define CORE_FILE_PRIVATE 0x04u
#define CORE_FILE_SHARED 0x08u
#define CORE_ELF_HEADERS 0x10u
#define CORE_FILTER_BITS 0x1ffu
/* Of the first process: coredump_filter=. */
extern u16 core_filter_default;

/*
 * current dies of sig: if its limits allow it, the other threads are ended and a
 * core dump is made, which the wait status then tells. May sleep.
 */
void core_dump(int sig, const struct siginfo *info);

/* t, which is current, begins to exit: waits if another thread dumps. May sleep. */
void core_task_exit(struct task *t);

#endif
