/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting local sockets: pairs, listeners, the calls that end it. */
#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "net/unix/unix_impl.h"

static struct ucred
cred_now(void)
{
	const struct cred *c = current_cred();

	return (struct ucred){current->process->tgid, c->euid, c->egid};
}

int
unix_pair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = unix_of(sa), *b = unix_of(sb);

	/* Nobody else knows them yet. */
	a->peer = unix_get(b);
	b->peer = unix_get(a);
	a->state = b->state = UNIX_CONNECTED;
	a->peer_cred = b->peer_cred = cred_now();
	return 0;
}

/* --- datagrams: the peer is where messages go if nothing else is said --- */

static int
connect_dgram(struct unix_sock *u, const struct sock_addr *a)
{
	struct unix_sock *to = NULL, *old;
	int err = 0;

	if (a->family != AF_UNSPEC) {
		to = unix_find(a, SOCK_DGRAM);
		if (is_err(to))
			return (int)ptr_err(to);
		spin_lock(&to->lock);
		if (to->peer && to->peer != u)
			err = -EPERM;
		spin_unlock(&to->lock);
	}
	if (err) {
		unix_put(to);
		return err;
	}
	spin_lock(&u->lock);
	old = u->peer;
	u->peer = to;
	u->state = to ? UNIX_CONNECTED : UNIX_UNCONNECTED;
	spin_unlock(&u->lock);
	if (old)
		unix_put(old);
	unix_wake(u, POLLOUT);
	return 0;
}

/* --- connections --- */

/* Both locked: connects u through e, which joins l's queue. 0, or why not; 1: the queue is full. */
static int
try_connect(struct unix_sock *u, struct unix_sock *l, struct unix_sock *e)
{
	if (u->state == UNIX_CONNECTED)
		return -EISCONN;
	if (u->state != UNIX_UNCONNECTED)
		return -EINVAL;
	if (l->state != UNIX_LISTENING || l->shutdown & UNIX_RCV_SHUT)
		return -ECONNREFUSED;
	if (l->nr_queued > l->backlog)
		return 1;
	e->peer = unix_get(u);
	u->peer = unix_get(e);
	u->state = e->state = UNIX_CONNECTED;
	e->peer_cred = cred_now();
	u->peer_cred = l->own_cred;
	e->socket.options = atomic_read(&l->socket.options);
	atomic_inc(&l->name->refs);
	smp_store_release(&e->name, l->name);
	list_add_tail(&e->pending_link, &l->queue);
	l->nr_queued++;
	return 0;
}

/* Waits for room in l's queue: l wakes those on its list of blocked. */
static int
wait_for_listener(struct unix_sock *u, struct unix_sock *l)
{
	u64 deadline = socket_deadline(READ_ONCE(u->socket.snd_timeout));
	struct unix_blocked *b = kmalloc(sizeof(*b), GFP_KERNEL);
	int err;

	if (!b)
		return -ENOMEM;
	spin_lock(&l->lock);
	unix_block_on(u, l, &b);
	spin_unlock(&l->lock);
	kfree(b);
	err = wait_event_interruptible_until(&u->wait,
					     READ_ONCE(l->nr_queued) <= READ_ONCE(l->backlog) ||
						     READ_ONCE(l->state) != UNIX_LISTENING,
					     deadline);
	return socket_wait_error(err, deadline);
}

static int
connect_to(struct unix_sock *u, struct unix_sock *l, struct unix_sock *e, bool nonblock)
{
	int err;

	for (;;) {
		spin_lock_two(&u->lock, &l->lock);
		err = try_connect(u, l, e);
		spin_unlock_two(&u->lock, &l->lock);
		if (err != 1)
			return err;
		err = nonblock ? -EAGAIN : wait_for_listener(u, l);
		if (err)
			return err;
	}
}

int
unix_connect(struct socket *s, const struct sock_addr *a, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *l, *e;
	int err;

	if (a->len < sizeof(u16))
		return -EINVAL;
	if (atomic_read(&s->options) & SOCKET_PASSCRED) {
		err = unix_autobind(u);
		if (err)
			return err;
	}
	if (unix_is_dgram(u))
		return connect_dgram(u, a);
	l = unix_find(a, s->type);
	if (is_err(l))
		return (int)ptr_err(l);
	e = unix_alloc(s->type);
	err = e ? connect_to(u, l, e, nonblock) : -ENOMEM;
	if (err && e)
		e->socket.ops->release(&e->socket);
	/* One accept(2) for one connection. */
	if (!err)
		waitq_wake(&l->wait, 1, POLLIN | POLLRDNORM);
	unix_put(l);
	return err;
}

int
unix_listen(struct socket *s, u32 backlog)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	if (unix_is_dgram(u))
		return -EOPNOTSUPP;
	spin_lock(&u->lock);
	if (!u->name || (u->state != UNIX_UNCONNECTED && u->state != UNIX_LISTENING)) {
		err = -EINVAL;
	} else {
		u->state = UNIX_LISTENING;
		WRITE_ONCE(u->backlog, backlog);
		u->own_cred = cred_now();
	}
	spin_unlock(&u->lock);
	/* A longer queue may have room for who waits. */
	if (!err)
		unix_unblock(u);
	return err;
}

int
unix_accept(struct socket *s, bool nonblock, struct socket **out)
{
	struct unix_sock *u = unix_of(s), *e = NULL;
	u64 deadline = socket_deadline(READ_ONCE(s->rcv_timeout));
	int err = 0;

	if (unix_is_dgram(u))
		return -EOPNOTSUPP;
	while (!err) {
		spin_lock(&u->lock);
		if (u->state != UNIX_LISTENING) {
			err = -EINVAL;
		} else if (!list_empty(&u->queue)) {
			e = list_first(&u->queue, struct unix_sock, pending_link);
			list_del(&e->pending_link);
			WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
		} else if (u->shutdown & UNIX_RCV_SHUT) {
			err = -EINVAL;
		} else if (nonblock) {
			err = -EAGAIN;
		}
		spin_unlock(&u->lock);
		if (e || err)
			break;
		err = wait_event_common(&u->wait, !list_empty(&u->queue) || READ_ONCE(u->shutdown),
					PARK_INTERRUPTIBLE, deadline, WAITER_EXCLUSIVE);
		err = socket_wait_error(err, deadline);
	}
	if (err)
		return err;
	unix_unblock(u);
	*out = &e->socket;
	return 0;
}

int
unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *peer;
	/* SHUT_RD, SHUT_WR, SHUT_RDWR */
	u32 mine = (u32)how + 1, theirs = (mine & 1) << 1 | mine >> 1;

	spin_lock(&u->lock);
	u->shutdown |= mine;
	peer = u->peer && !unix_is_dgram(u) ? unix_get(u->peer) : NULL;
	spin_unlock(&u->lock);
	unix_wake(u, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	if (!peer)
		return 0;
	spin_lock(&peer->lock);
	peer->shutdown |= theirs;
	spin_unlock(&peer->lock);
	unix_wake(peer, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	unix_put(peer);
	return 0;
}
