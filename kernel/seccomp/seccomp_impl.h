/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/seccomp see of each other; filter.c tells the model. */
#ifndef KERNEL_SECCOMP_SECCOMP_IMPL_H
#define KERNEL_SECCOMP_SECCOMP_IMPL_H

#include "kernel/seccomp/seccomp.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/seccomp.h"
#include "lib/cbpf.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct file;

struct seccomp_filter {
	/* a  tasks that have it last, the filter on top, a listener's handle, who looks at it */
	u32 refs;
	/* a  the same without those that run nothing by it: handles and lookers */
	u32 users;
	/* I  what falls to it shall be logged */
	bool log;
	/* I  once a listener has read of it, only what kills interrupts a call */
	bool wait_killable;
	/* I */
	u32 len;
	struct cbpf_insn *insns;
	/* I once attached  what it took of the budget, and those below with it */
	u32 weight;
	/* I once attached  the one that was there before; it holds a reference and a use */
	struct seccomp_filter *prev;
	/* I once attached  calls that all of the chain allows, whatever their arguments */
	unsigned long allowed[BITS_TO_LONGS(SYSCALL_MAX + 1)];

	/* a  calls that have come and for which no reader was let in yet */
	u32 unread;
	/* Guards the rest, and struct notification in the list. */
	struct mutex lock;
	/* l  somebody has its listener open */
	bool heard;
	/* l */
	u64 next_id;
	/* l  struct notification, in the order in which they came */
	struct list notifications;
	/* readers that wait for one; poll(2) of the listener */
	struct waitq readers;
	struct waitq poll;
};

/* --- filter.c --- */
/* A filter from a user's struct sock_fprog, one reference; SECCOMP_FILTER_FLAG_*. err_ptr. */
struct seccomp_filter *seccomp_filter_create(const void __user *uprog, u32 flags);
struct seccomp_filter *seccomp_filter_get(struct seccomp_filter *f);
/* Any context in which locks are taken. */
void seccomp_filter_put(struct seccomp_filter *f);
/*
 * current's last filter from now on (takes the reference), with TSYNC that of all
 * threads. 0; -EINVAL: strict mode, -ENOMEM: budget, -EBUSY: a second listener;
 * TSYNC: -ESRCH or the number of a thread that has other filters. May sleep.
 */
long seccomp_attach(struct seccomp_filter *f, u32 flags);
int seccomp_set_strict(void);

/* --- notify.c --- */
void seccomp_listener_init(struct seccomp_filter *f);
/* A handle by which f's calls are heard: a reference on f. err_ptr. */
struct file *seccomp_listen(struct seccomp_filter *f);
/* Asks f's listener about the call. True: it is not made, *ret is its value. */
bool seccomp_ask(struct seccomp_filter *f, const struct seccomp_data *d, long *ret);

/* --- log.c --- */
/* Writes that action became of d's call, if settings want it. asked: by the filter's flag. */
void seccomp_log(const struct seccomp_data *d, int sig, u32 action, bool asked);
bool seccomp_action_known(u32 action);

#endif
