/* SPDX-License-Identifier: BSD-2-Clause */
/* What a task and a process hold for signals; see signal/signal.h for the calls. */
#ifndef KERNEL_SIGNAL_SIGNAL_TASK_H
#define KERNEL_SIGNAL_SIGNAL_TASK_H

#include "lib/list.h"
#include "lib/types.h"
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

struct sighand {
	/* a  processes (not threads) that use it */
	u32 refs;
	/*
	 * The table is written under process->lock of the writer and this lock. A
	 * reader holds process->lock; it takes this one too when refs > 1, that is
	 * when CLONE_SIGHAND without CLONE_THREAD made two processes share it. refs
	 * leaves 1 only under process->lock.
	 */
	struct spinlock lock;
	struct sigaction action[NSIG];
};

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

struct task_signals {
	/* o, read by senders under process->lock, written under it */
	sigset_t blocked;
	sigset_t saved_mask;
	sigset_t real_blocked;
	/* (process->lock)  signals for this thread alone */
	struct sigpending pending;
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
