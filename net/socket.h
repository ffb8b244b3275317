/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: what all families have in common.
 *
 * A socket is a handle's private object with the operations of its family. The
 * system calls (net/sys_socket.c) copy in and out; operations see kernel
 * memory and iters only.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "kernel/file.h"
#include "kernel/uapi/socket.h"
#include "lib/section.h"
#include "lib/types.h"
#include "net/scm.h"

#define SOCK_ADDR_MAX 128
/* Buffer sizes in bytes: net.core.*mem_default and _max of Linux; the smallest that can be set. */
#define SOCK_BUF_DEFAULT 212992u
#define SOCK_BUF_MAX 212992u
#define SOCK_BUF_MIN 4608u

struct socket;

struct sock_addr {
	u32 len;
	union {
		u16 family;
		u8 bytes[SOCK_ADDR_MAX];
	};
};

/* One message on its way in or out. */
struct message {
	struct iter iter;
	/* In: MSG_*; MSG_DONTWAIT for a nonblocking handle is set by the caller. */
	u32 flags;
	/* Received: MSG_TRUNC, MSG_EOR. */
	u32 out_flags;
	/* To send: where to, NULL: the peer. Received: who from, filled in if not NULL. */
	struct sock_addr *name;
	/* To send: taken over by a send that succeeds. Received: the receiver's to free. */
	struct scm scm;
};

/*
 * NULL: -EOPNOTSUPP. All may sleep. `nonblock`: -EAGAIN instead of sleeping.
 * Addresses that come in have a length of 2 to SOCK_ADDR_MAX.
 */
struct sock_ops {
	int (*bind)(struct socket *s, const struct sock_addr *a);
	int (*connect)(struct socket *s, const struct sock_addr *a, bool nonblock);
	int (*listen)(struct socket *s, u32 backlog);
	/* *out: a socket without a handle. */
	int (*accept)(struct socket *s, bool nonblock, struct socket **out);
	int (*pair)(struct socket *a, struct socket *b);
	int (*shutdown)(struct socket *s, int how);
	/* Of itself or its peer. */
	int (*getname)(struct socket *s, struct sock_addr *a, bool peer);
	s64 (*send)(struct socket *s, struct message *m);
	s64 (*recv)(struct socket *s, struct message *m);
	u32 (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	/* SIOCINQ, SIOCOUTQ: bytes waiting; else -ENOTTY. */
	long (*queued)(struct socket *s, unsigned int cmd);
	/* What the family knows of SOL_SOCKET: SO_ERROR, SO_ACCEPTCONN, SO_PEERCRED. */
	int (*take_error)(struct socket *s);
	bool (*listening)(struct socket *s);
	void (*peer_cred)(struct socket *s, struct ucred *c);
	/* The handle is gone, or there was none: ends the socket. */
	void (*release)(struct socket *s);
};

/* socket->options */
#define SOCKET_PASSCRED 0x1u
#define SOCKET_PASSSEC 0x2u
#define SOCKET_FILTER_LOCKED 0x4u
/* Options that are kept and given back and mean nothing to local sockets: bit of SO_*. */
#define socket_kept(opt) BIT(opt)

struct socket {
	/* I */
	const struct sock_ops *ops;
	u16 family, type;
	u32 protocol;
	/* I  once it has one */
	struct file *file;
	/* a  all below */
	u32 options, kept;
	u32 sndbuf, rcvbuf;
	u32 rcvlowat;
	/* ns; 0: for ever */
	u64 rcv_timeout, snd_timeout;
	struct linger linger;
	/* Where MSG_PEEK begins to look, -1: at the first byte, always. The reader's. */
	s32 peek_off;
	/* r  what packets it takes; NULL: all (net/filter.c) */
	struct socket_filter __rcu *filter;
};

/* A family registers itself. create: 0 and *out, or EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOMEM. */
struct sock_family {
	int family;
	int (*create)(int type, int protocol, struct socket **out);
};
DECLARE_REGISTRY(sock_families, const struct sock_family);

/* For families: the common fields of a new socket. */
void socket_init(struct socket *s, const struct sock_ops *ops, int family, int type);
/* -EAFNOSUPPORT, -EINVAL, or what the family says. */
int socket_create(int family, int type, int protocol, struct socket **out);
/* A handle; takes s, also when it fails. flags: O_NONBLOCK. err_ptr(-ENFILE, -ENOMEM). */
struct file *socket_file(struct socket *s, u32 flags);
/* The socket of a handle, or NULL. */
struct socket *file_socket(const struct file *f);

/* filter.c: SO_ATTACH_FILTER and its kin; len in bytes. 0 or -Exxx. */
int socket_filter_attach(struct socket *s, const void __user *val, u32 len);
int socket_filter_detach(struct socket *s);
/* Instructions that were copied, or are there if len is 0; -EINVAL: no room. */
int socket_filter_get(struct socket *s, void __user *val, u32 len);
/* How much of a packet of n bytes s takes: 0: nothing of it. */
size_t socket_filter_run(struct socket *s, const u8 *data, size_t n);
/* s is about to go. */
void socket_filter_free(struct socket *s);

/* getsockopt, setsockopt of SOL_SOCKET. *len: in the room, out what was used. */
int socket_getopt(struct socket *s, int opt, void __user *val, u32 *len);
int socket_setopt(struct socket *s, int opt, const void __user *val, u32 len);

/* The header of sendmsg(2) or recvmsg(2) and what it points to, in kernel form. */
struct socket_msg {
	struct user_msghdr h;
	struct message m;
	struct sock_addr addr;
	struct iovec fast[IOV_FAST];
	struct iovec *iov;
};
/* Reads it: 0, -EFAULT, -EMSGSIZE, -EINVAL, -ENOMEM. socket_msg_put() afterwards. */
int socket_msg_get(struct socket_msg *g, const struct user_msghdr __user *uh);
void socket_msg_put(struct socket_msg *g);
/* f is a socket. g->m.iter is used up by what was moved. */
s64 socket_msg_send(struct file *f, struct socket_msg *g, u32 flags);
s64 socket_msg_recv(struct file *f, struct socket_msg *g, struct user_msghdr __user *uh, u32 flags);

/* An address of the user's: 0, -EINVAL, -EFAULT. */
int sock_addr_get(struct sock_addr *a, const void __user *user, int len);
/* Cut to *ulen, which gets the true length. user NULL: nothing. 0, -EINVAL, -EFAULT. */
int sock_addr_put(const struct sock_addr *a, void __user *user, int __user *ulen);
/*
 * The next connection of f, a socket, as a handle with SOCK_* flags; its peer's address goes
 * to the user. err_ptr.
 */
struct accept_args {
	void __user *uaddr;
	int __user *ulen;
	u32 flags;
	bool nonblock;
};
struct file *socket_accept(struct file *f, const struct accept_args *a);

/* When a wait that begins now ends: absolute ns, NO_DEADLINE. */
u64 socket_deadline(u64 timeout);
/* What a call returns whose wait ended with err: -EAGAIN in time; timed ones do not restart. */
int socket_wait_error(int err, u64 deadline);

#endif
