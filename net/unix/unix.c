/* SPDX-License-Identifier: BSD-2-Clause */
/* Local sockets: life, polling, what they tell. (unix_impl.h has the model.) */
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "net/unix/unix_impl.h"

static LOCK_CLASS(unix_class, RANK_SOCKET);
static LOCK_CLASS(unix_read_class, RANK_SOCKET_READ);
static struct slab_cache *unix_cache;

static int
unix_init(void)
{
	unix_cache =
		slab_cache_create("unix_sock", sizeof(struct unix_sock), CACHE_LINE, SLAB_ZERO);
	return unix_cache ? 0 : -ENOMEM;
}
INITCALL(INIT_CORE, unix_init);

struct unix_sock *
unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->lock);
	p = u->peer ? unix_get(u->peer) : NULL;
	spin_unlock(&u->lock);
	return p;
}

void
unix_put(struct unix_sock *u)
{
	if (!atomic_dec_and_test(&u->refs))
		return;
	if (u->name)
		unix_name_put(u->name);
	socket_filter_free(&u->socket);
	slab_free(unix_cache, u);
}

/* --- the end --- */

/* What u has of its peer goes; the peer learns of it. lost: u had not read all. */
static void
leave_peer(struct unix_sock *u, struct unix_sock *peer, bool lost)
{
	if (!unix_is_dgram(u)) {
		spin_lock(&peer->lock);
		peer->shutdown = UNIX_RCV_SHUT | UNIX_SEND_SHUT;
		if (lost)
			peer->error = ECONNRESET;
		spin_unlock(&peer->lock);
		unix_wake(peer, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	}
	unix_put(peer);
}

static void unix_end(struct unix_sock *u, bool lost);

static void
drop_queue(struct list *queue, bool listening)
{
	while (!list_empty(queue)) {
		if (listening) {
			struct unix_sock *e = list_first(queue, struct unix_sock, pending_link);

			list_del(&e->pending_link);
			/* Who connected finds that nobody took the connection. */
			unix_end(e, true);
		} else {
			struct unix_msg *m = list_first(queue, struct unix_msg, link);

			list_del(&m->link);
			unix_msg_drop(m);
		}
	}
}

/* lost: the peer shall see a reset though all it sent was read. */
static void
unix_end(struct unix_sock *u, bool lost)
{
	struct unix_sock *peer;
	struct list queue;
	bool listening;

	unix_name_forget(u);
	list_init(&queue);
	spin_lock(&u->lock);
	listening = u->state == UNIX_LISTENING;
	u->state = UNIX_DEAD;
	u->shutdown = UNIX_RCV_SHUT | UNIX_SEND_SHUT;
	peer = u->peer;
	u->peer = NULL;
	lost |= !list_empty(&u->queue);
	list_splice_tail_init(&u->queue, &queue);
	u->nr_queued = 0;
	spin_unlock(&u->lock);
	if (peer)
		leave_peer(u, peer, lost);
	unix_unblock(u);
	drop_queue(&queue, listening);
	unix_put(u);
}

static void
unix_release(struct socket *s)
{
	unix_end(unix_of(s), false);
	unix_collect();
}

/* --- looking --- */

static u32
unix_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s), *peer;
	/* Allocated before the lock; used if the peer's queue is full. */
	struct unix_blocked *b = NULL;
	u32 ev = 0;
	bool room, no_memory;

	poll_wait(f, &u->wait, pt);
	/* As Linux: writable while a quarter of the buffer is in use at most. */
	room = (u64)atomic_read(&u->charged) * 4 <= READ_ONCE(s->sndbuf);
	spin_lock(&u->lock);
	if (u->error)
		ev |= POLLERR;
	if (u->shutdown == (UNIX_RCV_SHUT | UNIX_SEND_SHUT))
		ev |= POLLHUP;
	if (u->shutdown & UNIX_RCV_SHUT)
		ev |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!list_empty(&u->queue))
		ev |= POLLIN | POLLRDNORM;
	if (!unix_is_dgram(u) && u->state == UNIX_UNCONNECTED)
		ev |= POLLHUP;
	room &= u->state != UNIX_LISTENING;
	spin_unlock(&u->lock);
	peer = unix_is_dgram(u) && room ? unix_peer_get(u) : NULL;
	if (peer) {
		b = kmalloc(sizeof(*b), GFP_KERNEL);
		no_memory = !b;
		spin_lock(&peer->lock);
		/* Who cannot be told later is told now, and finds out when he sends. */
		room = !unix_queue_full(u, peer, &b) || no_memory;
		spin_unlock(&peer->lock);
		kfree(b);
		unix_put(peer);
	}
	return room ? ev | POLLOUT | POLLWRNORM | POLLWRBAND : ev;
}

static long
unix_queued(struct socket *s, unsigned int cmd)
{
	struct unix_sock *u = unix_of(s);
	long n;

	switch (cmd) {
	case SIOCOUTQ:
		return atomic_read(&u->charged);
	case SIOCINQ:
		spin_lock(&u->lock);
		if (u->state == UNIX_LISTENING)
			n = -EINVAL;
		else if (s->type == SOCK_STREAM || list_empty(&u->queue))
			n = (long)u->queued_bytes;
		else
			n = (long)list_first(&u->queue, struct unix_msg, link)->len;
		spin_unlock(&u->lock);
		return n;
	default:
		return -ENOTTY;
	}
}

static int
unix_getname(struct socket *s, struct sock_addr *a, bool peer)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name *n;

	u = peer ? unix_peer_get(u) : unix_get(u);
	if (!u)
		return -ENOTCONN;
	n = smp_load_acquire(&u->name);
	if (n)
		*a = n->addr;
	else
		*a = (struct sock_addr){.len = sizeof(u16), .family = AF_UNIX};
	unix_put(u);
	return 0;
}

static int
unix_take_error(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	int err;

	spin_lock(&u->lock);
	err = u->error;
	u->error = 0;
	spin_unlock(&u->lock);
	return -err;
}

static bool
unix_listening(struct socket *s)
{
	return READ_ONCE(unix_of(s)->state) == UNIX_LISTENING;
}

static void
unix_peer_cred(struct socket *s, struct ucred *c)
{
	struct unix_sock *u = unix_of(s);

	spin_lock(&u->lock);
	*c = u->peer_cred;
	spin_unlock(&u->lock);
}

static const struct sock_ops unix_ops = {
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.shutdown = unix_shutdown,
	.getname = unix_getname,
	.send = unix_send,
	.recv = unix_recv,
	.poll = unix_poll,
	.queued = unix_queued,
	.take_error = unix_take_error,
	.listening = unix_listening,
	.peer_cred = unix_peer_cred,
	.release = unix_release,
};

struct unix_sock *
unix_alloc(int type)
{
	struct unix_sock *u = slab_alloc(unix_cache, GFP_KERNEL);

	if (!u)
		return NULL;
	socket_init(&u->socket, &unix_ops, AF_UNIX, type);
	u->refs = 1;
	spin_init(&u->lock, &unix_class);
	mutex_init(&u->read_lock, &unix_read_class);
	waitq_init(&u->wait);
	list_init(&u->queue);
	list_init(&u->blocked);
	list_init(&u->flight_link);
	/* net.unix.max_dgram_qlen */
	u->backlog = 10;
	u->peer_cred = (struct ucred){0, ~0u, ~0u};
	return u;
}

static int
unix_create(int type, int protocol, struct socket **out)
{
	struct unix_sock *u;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	/* As Linux: what would be raw is a datagram socket. */
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_alloc(type);
	if (!u)
		return -ENOMEM;
	*out = &u->socket;
	return 0;
}

REGISTER(sock_families) static const struct sock_family unix_family = {AF_UNIX, unix_create};
