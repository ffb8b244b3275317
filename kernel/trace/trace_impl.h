/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of kernel/trace/. */
#ifndef KERNEL_TRACE_TRACE_IMPL_H
#define KERNEL_TRACE_TRACE_IMPL_H

#include "kernel/trace/trace.h"
#include "sync/mutex.h"

/* Rings are made, replaced, emptied and taken from under it; events switched. */
extern struct mutex trace_mutex;
/* (trace_mutex)  changes when any ring is replaced or emptied */
extern u32 trace_generation;

#endif
