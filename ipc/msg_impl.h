/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files about System V messages share. (msg.c tells the model.) */
#ifndef IPC_MSG_IMPL_H
#define IPC_MSG_IMPL_H

#include "ipc/ipc_impl.h"
#include "ipc/message.h"

struct msg_queue {
	struct ipc_object ipc;
	/* l  struct message, oldest first; what they come to, and may come to */
	struct list messages;
	u64 bytes, count, most;
	/* l  struct msg_wait, oldest first */
	struct list senders, receivers;
	/* l  seconds since 1970, 0: never; processes */
	s64 stime, rtime, ctime;
	s32 last_sender, last_receiver;
};

/* Which message a receiver takes. */
enum msg_mode { MSG_FIRST, MSG_TYPE, MSG_OTHER, MSG_LOWEST, MSG_NUMBER };

/* Results of a wait besides 0 and errors: it goes on; the queue is not what it was. */
#define MSG_WAITING 1
#define MSG_AGAIN 2

/* On the stack of who sends or receives. */
struct msg_wait {
	/* (queue's lock) */
	struct list link;
	struct task *task;
	s32 pid;
	/* senders: theirs; receivers: what they got */
	struct message *message;
	/* receivers: type, or number from the start; how long it may be */
	enum msg_mode mode;
	s64 type;
	u64 room;
	/* a  MSG_WAITING while in the queue's list */
	int result;
};

extern struct ipc_ids msg_ids;
/* a  sysctl: bytes of a message; bytes and messages of a new queue */
extern u32 msg_limit_size, msg_limit_queue;

static inline struct msg_queue *
msg_of(struct ipc_object *o)
{
	return container_of(o, struct msg_queue, ipc);
}

/* IPC_RMID. May sleep. */
int msg_remove(s32 id);
/* Limits or permissions have changed: all who wait begin again. Locked. */
void msg_look_again(struct msg_queue *q);

#endif
