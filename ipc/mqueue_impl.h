/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files about POSIX message queues share. (mqueue.c tells the model.) */
#ifndef IPC_MQUEUE_IMPL_H
#define IPC_MQUEUE_IMPL_H

#include "ipc/message.h"
#include "kernel/file.h"
#include "kernel/uapi/ipc.h"
#include "kernel/uapi/signal.h"
#include "lib/types.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct process;
struct user;

/* Priorities are below. */
#define MQ_PRIO_MAX 32768u

struct mqueue {
	struct spinlock lock;
	/* I */
	u32 maxmsg;
	u64 msgsize;
	/* l  struct message: highest priority first, among equals the oldest */
	struct list messages;
	u32 count;
	u64 bytes;
	/* l  struct mq_wait: most urgent task first, among equals the oldest */
	struct list senders, receivers;
	struct waitq poll;
	/* l  who is told of a message in the empty queue, with a reference, and how; NULL */
	struct process *notify;
	struct sigevent event;
	/* a  its name, and handles; the last gives back what it was charged */
	u32 uses;
	/* I  who is charged, and how much */
	struct user *user;
	u64 charge;
};

/* --- mqueue.c --- */
/* err_ptr(-ENOSPC, -EINVAL, -EOVERFLOW, -EMFILE, -ENOMEM). a NULL: as the settings say. */
struct mqueue *mqueue_create(const struct mq_attr *a);
bool mqueue_try_get(struct mqueue *q);
void mqueue_put(struct mqueue *q);
/* m is the queue's then, unless it fails. deadline: monotonic; 0: does not wait. */
int mqueue_send(struct mqueue *q, struct message *m, u64 deadline);
/* The most urgent message; err_ptr. */
struct message *mqueue_receive(struct mqueue *q, u64 deadline);
/* ev NULL: takes current's registration back. 0 or -EBUSY. */
int mqueue_notify(struct mqueue *q, const struct sigevent *ev);

/* --- mqueue_fs.c --- */
extern const struct file_ops mqueue_fops;
struct file *mqueue_open(const char *name, u32 flags, u32 mode, const struct mq_attr *a);
int mqueue_unlink(const char *name);
/* Its inode was used: all times become now. */
void mqueue_touch(struct file *f);

#endif
