/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages on their way, of System V and of POSIX queues. */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "lib/list.h"
#include "lib/types.h"

struct message {
	/* (owner's) */
	struct list link;
	/* System V: the type; POSIX: the priority */
	s64 type;
	u64 size;
	u8 text[];
};

/* With room for n bytes; NULL without memory. May sleep. */
struct message *message_alloc(size_t n);
/* With n bytes of a user; err_ptr(-ENOMEM, -EFAULT). May sleep. */
struct message *message_load(const void __user *text, size_t n);
/* `to`, or err_ptr(-EINVAL): it has not the room. */
struct message *message_copy(struct message *to, const struct message *from);
/* May sleep. */
void message_free(struct message *m);

#endif
