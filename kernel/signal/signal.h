/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending signals. Delivery to user mode is signal/deliver.c and arch. */
#ifndef KERNEL_SIGNAL_SIGNAL_H
#define KERNEL_SIGNAL_SIGNAL_H

#include "kernel/signal/signal_task.h"
#include "kernel/uapi/signal.h"

struct pid;
struct process;
struct regs;
struct siginfo;
struct task;

/* Any context but NMI; `info` NULL: from the kernel (SI_KERNEL). 0 or -EAGAIN (queue limit). */
int signal_send_process(struct process *p, int sig, const struct siginfo *info);
int signal_send_task(struct task *t, int sig, const struct siginfo *info);
/* Every process of a group: 0, or -ESRCH if there is none. No permission is checked. */
int signal_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info);
/* A fault of the current task: cannot be blocked or ignored. addr as si_addr. */
void signal_force_fault(int sig, int code, unsigned long addr);
void signal_force(int sig);
/* The same with a whole siginfo (SIGSYS of seccomp, SIGTRAP, pkeys). */
void signal_force_info(const struct siginfo *info);
/* Ends current's process by info->signo, with a core, whatever it or its tracer makes of it. */
void __noreturn signal_kill_current(const struct siginfo *info);
/* Is there something that current would handle now? */
bool signal_pending(void);
bool fatal_signal_pending(void);
/* May current send sig to p? 0 or -EPERM. */
int signal_permission(struct process *p, int sig);
/* Is sig ignored or blocked by current? (tty job control) */
bool signal_ignored_or_blocked(int sig);
/* The interruptible wait of a thread that stays in the kernel ends as by a signal. Any context. */
void signal_interrupt(struct task *t);
/* kernel threads: nothing is ever pending */

/* On the way to user mode with WORK_SIGNAL: builds a frame or ends the process. */
void signal_deliver(struct regs *regs);

/*
 * Alternate stacks, for arch's frames. Is sp on it? The top to start a frame
 * from: it if sa asks for it and we are not on it, else sp.
 */
bool signal_on_altstack(unsigned long sp);
unsigned long signal_frame_top(const struct sigaction *sa, unsigned long sp);
/* uc_stack of a frame, and what sigreturn does with it (errors are ignored). */
void signal_save_altstack(struct sigaltstack *out, unsigned long sp);
void signal_restore_altstack(const struct sigaltstack *ss, unsigned long sp);

/* For fork and exec. */
int signal_copy(struct task *child, struct task *parent, u64 clone_flags);
void signal_exec(void);
/* t begins to exit: what was meant for the process goes to another thread. */
void signal_task_exit(struct task *t);

/* Replaces current's mask of blocked signals (SIGKILL and SIGSTOP are taken out). */
void signal_set_blocked(sigset_t mask);
/*
 * For ppoll, pselect6, epoll_pwait: blocks *umask until the call is over. 0,
 * -EFAULT or -EINVAL (size). umask NULL: nothing. Afterwards signal_restore_mask().
 */
int signal_set_user_mask(const u64 __user *umask, size_t size);
/* interrupted: a handler is to run under the temporary mask; it is restored behind it. */
void signal_restore_mask(bool interrupted);

/*
 * For signalfd and sigtimedwait: takes the next signal of mask that is pending
 * for current; its number, or 0.
 */
int signal_dequeue(sigset_t mask, struct siginfo *info);
/* Signals that are pending for current (its own and the process's), blocked ones included. */
sigset_t signal_pending_set(void);
/*
 * Where signalfd waits: woken with key 0 for each signal sent to current's
 * process. Who leaves a waiter in it for longer than a call holds the process.
 */
struct waitq *signal_waitq(void);

/* For /proc/PID/status: masks of a process. */
struct signal_masks {
	sigset_t pending, shared_pending, blocked, ignored, caught;
	u64 queued, queue_limit;
};
void signal_get_masks(struct task *t, struct signal_masks *m);

/*
 * A signal that a timer owns: allocated once, sent again and again, never
 * queued twice (then overrun counts). signal/queue.c.
 */
struct sigqueue;
/* NULL: limit of pending signals reached, or no memory. */
struct sigqueue *signal_queue_alloc(void);
/* Frees it, or leaves that to the delivery if it is pending. p: to whom it is sent. */
void signal_queue_free(struct process *p, struct sigqueue *q);
/*
 * To the process, or to t alone (t->process is p). While it is pending already
 * only its overrun is counted; else it carries info. 0 sent or pending, 1 it is
 * ignored, -ESRCH. Any context but NMI.
 */
int signal_queue_send(struct sigqueue *q, struct process *p, struct task *t,
		      const struct siginfo *info);

/* Boot. */
void signal_init(void);

#endif
