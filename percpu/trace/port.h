/* SPDX-License-Identifier: BSD-2-Clause */
/* What percpu/trace/ needs from kernel/ (kernel/trace/control.c). */
#ifndef PERCPU_TRACE_PORT_H
#define PERCPU_TRACE_PORT_H

#include "lib/types.h"

/* Name (TRACE_COMM bytes) and number of the current task; returns the time in ns. Any context. */
u64 trace_port_context(char *comm, s32 *pid);
/* Pages that need not be contiguous, cleared; NULL. May sleep. */
void *trace_port_alloc(size_t size);
void trace_port_free(void *p);

#endif
