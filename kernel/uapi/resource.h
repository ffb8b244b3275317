/* SPDX-License-Identifier: BSD-2-Clause */
/* getrusage(2), times(2), getpriority(2), ioprio_get(2): the ABI. RLIMIT_*: task/rlimit.h. */
#ifndef KERNEL_UAPI_RESOURCE_H
#define KERNEL_UAPI_RESOURCE_H

#include "lib/types.h"

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_BOTH (-2)
#define RUSAGE_THREAD 1

struct rusage {
	s64 utime_sec, utime_usec;
	s64 stime_sec, stime_usec;
	s64 maxrss, ixrss, idrss, isrss;
	s64 minflt, majflt, nswap, inblock, oublock;
	s64 msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
static_assert(sizeof(struct rusage) == 144, "ABI");

/* Clock ticks (100 a second). */
struct tms {
	s64 utime, stime, cutime, cstime;
};

#define PRIO_PROCESS 0
#define PRIO_PGRP 1
#define PRIO_USER 2

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP 2
#define IOPRIO_WHO_USER 3
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_CLASS_NONE 0
#define IOPRIO_CLASS_RT 1
#define IOPRIO_CLASS_BE 2
#define IOPRIO_CLASS_IDLE 3
#define IOPRIO_NR_LEVELS 8
#define IOPRIO_BE_NORM 4

#endif
