/* SPDX-License-Identifier: BSD-2-Clause */
/* What tracing asks of fork, exec, exit, wait and signals: ptrace(2). */
#ifndef KERNEL_PTRACE_PTRACE_H
#define KERNEL_PTRACE_PTRACE_H

#include "kernel/task/task.h"
#include "kernel/uapi/ptrace.h"

struct cred;
struct process;
struct regs;
struct siginfo;

static inline bool
ptrace_traced(const struct task *t)
{
	return READ_ONCE(t->ptrace.flags) != 0;
}

/* Is current's tracer to be told of this event? */
static inline bool
ptrace_event_wanted(int event)
{
	return READ_ONCE(current->ptrace.flags) & BIT(event);
}

/* --- stops of current; no lock is held, may sleep --- */

/* PTRACE_EVENT_*, if the tracer asked for it. */
void ptrace_event(int event, u64 message);
/* exec is done: the event, or the SIGTRAP of old. old_tid: of the thread that called it. */
void ptrace_exec(s32 old_tid);
/* A frame was built while current was stepped: stops at the handler's first instruction. */
void ptrace_step_handler(void);
/* Before a system call: r is what is to be called. True: it is not to be made. */
bool ptrace_syscall_enter(struct regs *r);
/* Behind it, r->rax set. */
void ptrace_syscall_exit(struct regs *r);

/* --- signals; process->lock of t is held --- */

/* Stops current for sig, which it took from its queue. What it shall take instead; 0: nothing. */
int ptrace_signal(int sig, struct siginfo *info, bool shared, unsigned long *flags);
/* current has STOP_TRAP or STOP_TRAP_NOTIFY: stops it. */
void ptrace_trap(unsigned long *flags);
/* The state of t's group stop changed: a tracer that seized it is told. */
void ptrace_trap_notify(struct task *t);

/* --- families --- */

/* child is visible and does not run yet. traced: by current's tracer, from the start. */
void ptrace_fork(struct task *child, bool traced);
/* t, which exits, traces nobody any more. */
void ptrace_exit(struct task *t);
/* t, not the leader, has exited: true if its tracer will release it. */
bool ptrace_keep_thread(struct task *t);
/* The same for the leader of a process without threads; it has been told. */
bool ptrace_keep_leader(struct process *p);
/* t goes away behind its tracer's back (exec by another thread). */
void ptrace_forget(struct task *t);
/* family_lock of the tracer's process is held: t, a zombie, is not its any more. */
void ptrace_unlink_zombie(struct task *t);
/* Does the tracer keep a program from getting rights by exec? p->lock need not be held. */
bool ptrace_restricts_exec(void);
/* Between these current's credentials are computed and changed: nobody attaches. */
void ptrace_exec_begin(void);
void ptrace_exec_end(void);
/* Waits until no thread of p is between them; it may begin anew unless p->lock is held. */
int __must_check ptrace_wait_for_exec(struct process *p);
/* tid of t's tracer, or 0 */
s32 ptrace_tracer_tid(const struct task *t);

/* On current's way to user mode: its tracer went while it ran, what it had asked for ends. */
void ptrace_end_mode(void);

#endif
