/* SPDX-License-Identifier: BSD-2-Clause */
/* What a task and a process hold for signals; see signal/signal.h for the calls. */
#ifndef KERNEL_SIGNAL_SIGNAL_TASK_H
#define KERNEL_SIGNAL_SIGNAL_TASK_H

#include "lib/list.h"
#include "lib/types.h"
#include "sync/seq.h"
#include "sync/waitq.h"

/* Signals 1 to 64; bit n - 1. */
#define NSIG 64
typedef u64 sigset_t;
#define sigmask(n) (1UL << ((n)-1))

/* struct kernel_sigaction of the ABI. */
struct sigaction {
	void __user *handler;
	u64 flags;
	void __user *restorer;
	sigset_t mask;
};

/*
 * What one signal does; SA_* of the ABI fit into 32 bits. A writer makes seq odd
 * by compare-and-exchange, interrupts off. A reader of the handler alone needs
 * nothing, of all of it a look at seq before and after: kernel/signal/action.c.
 */
struct signal_action {
	/* s */
	void __user *handler;
	/* s */
	u32 flags;
	struct seqcount seq;
	/* s */
	void __user *restorer;
	/* s */
	sigset_t mask;
};

/* May be used by several processes (CLONE_SIGHAND without CLONE_THREAD). */
struct sighand {
	/* Two to a line, those of n and n + 32: programs use neighbours. */
	struct signal_action action[NSIG];
	/* a  processes (not threads) that use it */
	u32 refs;
};

static inline struct signal_action *
sighand_slot(struct sighand *s, int sig)
{
	return &s->action[((sig - 1) & (NSIG / 2 - 1)) * 2 + (sig - 1) / (NSIG / 2)];
}

/* SIG_DFL, SIG_IGN or an address. */
static inline unsigned long
sighand_slot_handler(struct sighand *s, int sig)
{
	return (unsigned long __force)READ_ONCE(sighand_slot(s, sig)->handler);
}

struct sigpending {
	/* (process->lock)  struct sigqueue entries in order of arrival */
	struct list list;
	sigset_t set;
};

/* task_signals.stop, guarded by process->lock (signal/stop.c). */
#define STOP_PENDING 0x01u
#define STOP_CONSUME 0x02u
#define STOP_DEQUEUED 0x04u
#define STOP_STOPPED 0x08u
/* Of traced tasks: ptrace/stop.c. */
#define STOP_TRAP 0x10u
#define STOP_TRAP_NOTIFY 0x20u
#define STOP_TRAPPING 0x40u
#define STOP_TRACED 0x80u
#define STOP_FROZEN 0x100u
#define STOP_LISTENING 0x200u

struct task_signals {
	/* o, read by senders under process->lock; signal_set_blocked() tells the order */
	sigset_t blocked;
	sigset_t saved_mask;
	sigset_t real_blocked;
	/* (process->lock)  signals for this thread alone */
	struct sigpending pending;
	/* o  what we have sent to ourselves, not blocked, until we are back in user mode */
	struct sigpending own;
	/* o */
	unsigned long altstack_sp;
	size_t altstack_size;
	u32 altstack_flags;
	/* (process->lock) STOP_*; STOP_STOPPED is read without it by /proc */
	u32 stop;
};

/* process_signals.flags (process->lock). */
#define PSIG_STOPPED 0x01u
#define PSIG_CONTINUED 0x02u
#define PSIG_NOTIFY_STOPPED 0x04u
#define PSIG_NOTIFY_CONTINUED 0x08u
#define PSIG_UNKILLABLE 0x10u

struct process_signals {
	/* (process->lock)  signals for any thread */
	struct sigpending pending;
	/* I until exec unshares it */
	struct sighand *sighand;
	/* (process->lock)  group stop: how many threads have yet to stop */
	u32 stop_count;
	/* (process->lock)  the signal that stopped us, 0 once a waiter has seen it */
	u32 stop_signal;
	/* (process->lock)  PSIG_* */
	u32 flags;
	/* (process->lock)  thread to look at first for the next signal */
	struct task *next_target;
	/* signalfd readers */
	struct waitq signalfd_wait;
};

#endif
