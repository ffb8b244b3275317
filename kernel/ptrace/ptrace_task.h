/* SPDX-License-Identifier: BSD-2-Clause */
/* What a task holds while it is traced; ptrace/stop.c tells the model. */
#ifndef KERNEL_PTRACE_PTRACE_TASK_H
#define KERNEL_PTRACE_PTRACE_TASK_H

#include "lib/list.h"
#include "lib/types.h"
#include "sync/rcu.h"

struct siginfo;
struct task;

/* task_ptrace.flags besides PTRACE_O_*: it is traced; by PTRACE_SEIZE. */
#define PT_TRACED 0x40000000u
#define PT_SEIZED 0x80000000u

/* task_ptrace.mode */
#define PT_SYSCALL 0x01u
#define PT_SYSEMU 0x02u
/* A step is wanted: also over the end of a system call. */
#define PT_STEP 0x04u
/* The trap flag in the registers is ours, the program does not see it. */
#define PT_FORCED_TF 0x08u

/*
 * A,B: to write both, to read one. T: family_lock of the tracer's process;
 * l: process->lock of this task.
 */
struct task_ptrace {
	/* T,l r  NULL: not traced */
	struct task __rcu *tracer;
	/* T  in process->tracees of the tracer's process */
	struct list link;
	/* T  it has exited and waits to be looked at by its tracer */
	bool zombie;
	/* l  the tracer may do what a set-id program may: such an exec keeps its rights */
	bool tracer_capable;
	/* T,l  PTRACE_O_* and PT_*; the task itself reads it without a lock */
	u32 flags;
	/* a  PT_* of how it goes on: the task itself, or its tracer while it is stopped */
	u32 mode;
	/* l  the signal of the group stop that it takes part in */
	s32 stop_signal;
	/* l  why it is stopped, as wait(2) shows it; then what it shall go on with */
	s32 code;
	/* l  of the stop: PTRACE_GETEVENTMSG, PTRACE_GETSIGINFO (NULL: a group stop) */
	u64 message;
	struct siginfo *info;
};

#endif
