/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/signal and kernel/task see of each other. */
#ifndef KERNEL_SIGNAL_SIGNAL_IMPL_H
#define KERNEL_SIGNAL_SIGNAL_IMPL_H

#include "kernel/signal/signal.h"
#include "kernel/task/task.h"

struct user;

#define SIG_KERNEL_STOP_MASK                                                                       \
	(sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
/* Default action: core dump (termination, that is). */
#define SIG_COREDUMP_MASK                                                                          \
	(sigmask(SIGQUIT) | sigmask(SIGILL) | sigmask(SIGTRAP) | sigmask(SIGABRT) |                \
	 sigmask(SIGFPE) | sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGSYS) |                  \
	 sigmask(SIGXCPU) | sigmask(SIGXFSZ))
/* Default action: nothing. */
#define SIG_IGNORE_MASK (sigmask(SIGCONT) | sigmask(SIGCHLD) | sigmask(SIGWINCH) | sigmask(SIGURG))
/* Faults are delivered before other signals. */
#define SIG_SYNCHRONOUS_MASK                                                                       \
	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) |                 \
	 sigmask(SIGFPE) | sigmask(SIGSYS))
#define SIG_UNBLOCKABLE (sigmask(SIGKILL) | sigmask(SIGSTOP))

/* --- queue.c --- */

#define SIGQUEUE_PREALLOC 1u

struct sigqueue {
	/* l  in a struct sigpending; empty: not pending */
	struct list link;
	u32 flags;
	/* I  whose count it is in; NULL: none */
	struct user *user;
	struct siginfo info;
};

void signal_queue_init(void);
/* t's user is charged; limit U64_MAX: no limit. NULL: limit or no memory. Any context. */
struct sigqueue *sigqueue_alloc(struct task *t, u64 limit);
void sigqueue_free(struct sigqueue *q);
static inline void
signal_pending_init(struct sigpending *p)
{
	list_init(&p->list);
	WRITE_ONCE(p->set, 0);
}
/* Drops all, or those of mask. process->lock is held (or nobody else sees it). */
void signal_flush(struct sigpending *p);
void signal_flush_mask(struct sigpending *p, sigset_t mask);
/* The next signal of p that mask does not block, without taking it; 0: none. */
int signal_next(const struct sigpending *p, sigset_t blocked);
/* Takes sig out; info as its sender gave it. *timer: a timer's, to be rearmed by the caller. */
void signal_collect(struct sigpending *p, int sig, struct siginfo *info, bool *timer);

/* signal_queue_send() with p->lock held. */
int signal_queue_send_locked(struct sigqueue *q, struct process *p, struct task *t,
			     const struct siginfo *info);

/* --- action.c --- */
struct sighand *sighand_alloc(void);
struct sighand *sighand_get(struct sighand *s);
void sighand_put(struct sighand *s);
/* p->lock is held, or p is current's: the table stays. */
void sighand_get_action(struct process *p, int sig, struct sigaction *sa);
unsigned long sighand_handler(struct process *p, int sig);
/* The same for who delivers sig: SA_RESETHAND makes it SIG_DFL. */
void sighand_take_action(struct process *p, int sig, struct sigaction *sa);
/* All to SIG_DFL; ignored ones stay unless `all`. Nobody else uses the table. */
void sighand_reset(struct sighand *s, bool all);

void sighand_set_default(struct process *p, int sig);
/* exec: a table of our own. 0 or -ENOMEM. */
int sighand_unshare(void);
void signal_altstack_reset(struct task *t);

/* --- send.c --- */
/* To t alone (t->process == p) or to p (t NULL). p->lock is held. 0 or -EAGAIN. */
int signal_send_locked(struct process *p, struct task *t, int sig, const struct siginfo *info);
/*
 * The same from current to itself, in a system call; no lock is held. False: it is
 * one that others have to do with, and nothing was done. *err: 0 or -EAGAIN.
 */
bool signal_send_self(int sig, const struct siginfo *info, int *err);
/* What signal_send_self() left becomes like any other of current's. p->lock is held. */
void signal_own_publish(struct task *t);
/* Is there anything else than that to do on t's way to user mode? Any context. */
bool signal_others_wait(const struct task *t);
/* Computes WORK_SIGNAL of t (current, or one that does not run) anew. process->lock is held. */
void signal_recalc(struct task *t);
/* Has t look at its signals; fatal: wakes it from killable sleep and stops too. p->lock is held. */
void signal_wake(struct task *t, bool fatal);
/* Does p ignore sig, by its disposition or as init? p->lock is held. */
bool signal_is_ignored(struct process *p, struct task *t, int sig, bool force);

/* A wakeup of t from a group stop. p->lock is held. */
void signal_wake_stopped(struct task *t);
/* Newly blocked signals of the process go to threads that do not block them. p->lock is held. */
void signal_retarget(struct process *p, struct task *t, sigset_t which);

/* --- stop.c --- */
/* A stop signal or SIGCONT is sent: undoes the other. p->lock is held. */
void signal_prepare_stop_cont(struct process *p, int sig);
/*
 * A stop signal was taken from current's queue and its action is to stop.
 * p->lock is held. True: it was released, and we have stopped and gone on.
 */
bool signal_do_stop(int sig, unsigned long flags);
/* current is asked to take part in a group stop: releases p->lock, returns when continued. */
void signal_join_stop(unsigned long flags);
/* t does not take part any more (it exits). p->lock is held; true: that completed the stop. */
bool signal_leave_stop(struct process *p, struct task *t);
/* Tells p's parent that p has stopped (CLD_STOPPED) or goes on (CLD_CONTINUED). No lock is held. */
void signal_notify_stop(struct process *p, int code);

/* --- deliver.c --- */
/* Takes current's next signal that `blocked` lets through; 0: none. p->lock is held. */
int signal_dequeue_locked(sigset_t blocked, struct siginfo *info);

/* --- kill.c --- */
/* Caller inside an RCU section. 0 or -EPERM. */
int signal_check_permission(struct process *p, int sig);

/* --- task/itimer.c, task/posix_timer.c; p->lock is held --- */
/* SIGALRM was taken: an interval timer starts again. */
void itimer_real_rearm(struct process *p);
/* A timer's signal was taken: puts its overrun into info and starts it again. */
void posix_timer_rearm(struct process *p, struct siginfo *info);

#endif
