/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes along with a message: descriptors and credentials (cmsg(3), unix(7)). */
#ifndef NET_SCM_H
#define NET_SCM_H

#include "kernel/uapi/socket.h"
#include "lib/types.h"

struct file;
struct user;

struct scm {
	struct ucred cred;
	/* Held references; NULL if nr is 0. */
	struct file **files;
	u32 nr;
	/* Who they are counted for while they are under way. */
	struct user *user;
};

/* Nothing but current's credentials. */
void scm_init(struct scm *s);
/*
 * Reads control data of the user: 0, -EFAULT, -EINVAL, -EBADF, -EPERM (credentials
 * that are not the caller's), -ENOMEM. s was initialised; scm_free() afterwards.
 */
int scm_parse(struct scm *s, const void __user *control, size_t len);
/*
 * Writes control data to the user and installs the descriptors; what finds no room
 * is dropped. *len: in the room, out what was used. MSG_CTRUNC or 0.
 */
u32 scm_deliver(struct scm *s, void __user *control, u64 *len, bool creds, u32 flags);
void scm_free(struct scm *s);
/* The same descriptors once more (MSG_PEEK): 0 or -ENOMEM. */
int scm_copy(struct scm *to, const struct scm *from);

/* Counted for current's user until scm_landed(): 0 or -ETOOMANYREFS. */
int scm_depart(struct scm *s);
void scm_landed(struct scm *s);

#endif
