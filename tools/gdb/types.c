/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's types for the debugger: the kernel itself is compiled with the lines
 * of its functions only (-g1), this file with all that its headers define.
 */
#include "kernel/sched/runq.h"
#include "kernel/task/task.h"
#include "kernel/time/timer.h"
#include "mm/slab_impl.h"
#include "percpu/cpumask.h"
#include "sync/debug.h"
#include "sync/mutex.h"
#include "sync/rcu_impl.h"
#include "sync/rwsem.h"
