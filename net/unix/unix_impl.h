/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local sockets (unix(7)).
 *
 * Model: a socket has a queue of messages for its reader. A connected one knows
 * its peer, whose queue its messages go to; a datagram may go to any by name. A
 * listening one's queue holds sockets instead, connected already, that accept(2)
 * hands out. A message is charged to its sender until it is taken (or dropped),
 * which is what limits senders; the sender's struct lives as long.
 *
 * States: UNCONNECTED -> LISTENING            listen
 *         UNCONNECTED -> CONNECTED            connect, pair, or born by a connect
 *         any -> DEAD                         the handle is gone
 *
 * Ownership: refs are held by the handle (or the queue of the listener), the
 * peer, and each message under way from the socket. Peers hold each other until
 * one dies.
 *
 * Locking:
 *   1 read_lock   one reader at a time; sleeping; not while waiting for data
 *   2 lock        everything marked l; two sockets in address order
 * Data is copied from and to users under neither but read_lock. The names have a
 * lock a bucket (name.c), taken first; what is in flight has scm_mutex (gc.c),
 * which is taken only for sockets that are sent over sockets, outside of all.
 */
#ifndef NET_UNIX_UNIX_IMPL_H
#define NET_UNIX_UNIX_IMPL_H

#include "arch/x86_64/asm/atomic.h"
#include "lib/list.h"
#include "net/port.h"
#include "net/socket.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

enum unix_state { UNIX_UNCONNECTED, UNIX_LISTENING, UNIX_CONNECTED, UNIX_DEAD };

#define UNIX_RCV_SHUT 1u
#define UNIX_SEND_SHUT 2u
/* A socket's name: family and up to 108 bytes. */
#define UNIX_PATH_MAX 108

struct unix_name {
	/* a */
	u32 refs;
	/* I  below */
	struct sock_addr addr;
	/* The node, if it is in the file system; .mnt NULL: abstract */
	struct path place;
	u64 hash;
	/* Who is found by it: the socket that was bound, never those it accepted */
	struct unix_sock *owner;
	/* (bucket) */
	struct hnode link;
};

struct unix_sock {
	struct socket socket;
	/* a */
	u32 refs;
	/* a  bytes of messages under way from here */
	u32 charged;
	struct spinlock lock;
	/* l  below */
	enum unix_state state;
	u32 shutdown;
	s32 error;
	struct unix_sock *peer;
	/* Set once: readers need no lock behind an acquire. */
	struct unix_name *name;
	struct ucred peer_cred, own_cred;
	/* struct unix_msg, or, listening: unix_sock.pending_link */
	struct list queue;
	u32 nr_queued, backlog;
	u64 queued_bytes;
	/* Messages that have come, ever. */
	u32 arrivals;
	/* Senders that found the queue full (struct unix_blocked) */
	struct list blocked;
	struct list pending_link;

	struct mutex read_lock;
	/* Data, space, connections, ends: all news of this socket. */
	struct waitq wait;
	/* (scm_mutex)  how often our handle is in queues, and the list of such sockets */
	u32 in_flight;
	s32 outside;
	bool reached;
	struct list flight_link, reach_link;
};

struct unix_msg {
	struct list link;
	/* Reference: charged, and the sender's name. */
	struct unix_sock *from;
	struct scm scm;
	u32 charge;
	size_t len;
	/* Bytes that were read (streams). */
	size_t off;
	/* MSG_PEEK with an offset has seen it, though there is nothing in it. */
	bool peeked;
	u8 data[];
};

struct unix_blocked {
	struct list link;
	struct unix_sock *who;
};

static inline struct unix_sock *
unix_of(struct socket *s)
{
	return container_of(s, struct unix_sock, socket);
}

static inline struct unix_sock *
unix_get(struct unix_sock *u)
{
	atomic_inc(&u->refs);
	return u;
}

/* May sleep. */
void unix_put(struct unix_sock *u);
/* A new one with a reference; NULL without memory. */
struct unix_sock *unix_alloc(int type);
/* The peer with a reference, or NULL. */
struct unix_sock *unix_peer_get(struct unix_sock *u);
static inline bool
unix_is_dgram(const struct unix_sock *u)
{
	return u->socket.type == SOCK_DGRAM;
}
/* news for pollers and sleepers */
static inline void
unix_wake(struct unix_sock *u, unsigned long events)
{
	waitq_wake(&u->wait, 0, events);
}
/* May u send more? */
static inline bool
unix_has_room(const struct unix_sock *u)
{
	return atomic_read(&u->charged) < READ_ONCE(u->socket.sndbuf);
}

/* name.c */
int unix_bind(struct socket *s, const struct sock_addr *a);
int unix_autobind(struct unix_sock *u);
/* The socket of that name with a reference; err_ptr(-EINVAL, -ECONNREFUSED, -EPROTOTYPE, ...). */
struct unix_sock *unix_find(const struct sock_addr *a, int type);
void unix_name_put(struct unix_name *n);
/* Nobody finds u any more. */
void unix_name_forget(struct unix_sock *u);

/* connect.c */
int unix_connect(struct socket *s, const struct sock_addr *a, bool nonblock);
int unix_listen(struct socket *s, u32 backlog);
int unix_accept(struct socket *s, bool nonblock, struct socket **out);
int unix_pair(struct socket *a, struct socket *b);
int unix_shutdown(struct socket *s, int how);

/* send.c, recv.c */
s64 unix_send(struct socket *s, struct message *m);
s64 unix_recv(struct socket *s, struct message *m);
void unix_msg_free(struct unix_msg *m);
/* Is to's queue full for datagrams of u? Then u will be told, as by unix_block_on(). */
bool unix_queue_full(struct unix_sock *u, struct unix_sock *to, struct unix_blocked **b);
/* Puts u on to's list of those to tell, by *b (then NULL) unless it is there. to->lock held. */
void unix_block_on(struct unix_sock *u, struct unix_sock *to, struct unix_blocked **b);
/* to's queue has room, or to is no more: tells who waits for it. No lock. */
void unix_unblock(struct unix_sock *to);

/* gc.c: handles of sockets in messages. */
void unix_flight_begin(struct scm *s);
void unix_flight_end(struct scm *s);
/* A message that nobody will read; with sockets in it, later. */
void unix_msg_drop(struct unix_msg *m);
/* A socket was closed: has those looked for that only one another's queues hold. */
void unix_collect(void);

#endif
