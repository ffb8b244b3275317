/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits of a process: numbers of the ABI (getrlimit(2)). */
#ifndef KERNEL_TASK_RLIMIT_H
#define KERNEL_TASK_RLIMIT_H

#include "lib/types.h"

enum {
	RLIMIT_CPU,
	RLIMIT_FSIZE,
	RLIMIT_DATA,
	RLIMIT_STACK,
	RLIMIT_CORE,
	RLIMIT_RSS,
	RLIMIT_NPROC,
	RLIMIT_NOFILE,
	RLIMIT_MEMLOCK,
	RLIMIT_AS,
	RLIMIT_LOCKS,
	RLIMIT_SIGPENDING,
	RLIMIT_MSGQUEUE,
	RLIMIT_NICE,
	RLIMIT_RTPRIO,
	RLIMIT_RTTIME,
	RLIM_NLIMITS
};
#define RLIM_INFINITY U64_MAX

struct rlimit {
	u64 cur;
	u64 max;
};

/* The current process's soft limit. */
u64 rlimit(unsigned int which);
/* setrlimit(2) by current for p. 0, -EINVAL, -EPERM. */
struct process;
int rlimit_set(struct process *p, unsigned int which, const struct rlimit *want,
	       struct rlimit *old);

#endif
