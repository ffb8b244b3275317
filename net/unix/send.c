/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending over local sockets.
 *
 * A message is made whole (memory, data, what goes along) before its receiver is
 * locked, and then joins the queue or is freed again.
 */
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "net/unix/unix_impl.h"

/* Bytes of a stream in one message. */
#define CHUNK 32000u
/* A datagram leaves so much of the buffer. */
#define DGRAM_SLACK 32u

void
unix_msg_free(struct unix_msg *m)
{
	struct unix_sock *u = m->from;

	unix_flight_end(&m->scm);
	scm_landed(&m->scm);
	scm_free(&m->scm);
	atomic_sub(&u->charged, m->charge);
	unix_wake(u, POLLOUT | POLLWRNORM | POLLWRBAND);
	unix_put(u);
	kvfree(m);
}

static int
wait_for_room(struct unix_sock *u, bool nonblock, u64 deadline)
{
	int err;

	if (unix_has_room(u))
		return 0;
	if (nonblock)
		return -EAGAIN;
	err = wait_event_interruptible_until(
		&u->wait, unix_has_room(u) || READ_ONCE(u->shutdown) & UNIX_SEND_SHUT, deadline);
	return socket_wait_error(err, deadline);
}

/* A message of n bytes from m; err_ptr(-EFAULT, -ENOMEM). What goes along stays with m. */
static struct unix_msg *
msg_make(struct unix_sock *u, struct message *m, size_t n)
{
	struct unix_msg *msg = kvmalloc(sizeof(*msg) + n, GFP_KERNEL);
	size_t got;

	if (!msg)
		return err_ptr(-ENOMEM);
	got = iter_copy_from(msg->data, &m->iter, n);
	if (got != n) {
		iter_revert(&m->iter, got);
		kvfree(msg);
		return err_ptr(-EFAULT);
	}
	msg->from = unix_get(u);
	msg->len = n;
	msg->off = 0;
	msg->peeked = false;
	msg->charge = (u32)(sizeof(*msg) + n);
	msg->scm = (struct scm){.cred = m->scm.cred};
	atomic_add(&u->charged, msg->charge);
	return msg;
}

/* The descriptors of m go with msg: 0 or -ETOOMANYREFS. */
static int
msg_attach(struct unix_msg *msg, struct message *m)
{
	int err = scm_depart(&m->scm);

	if (err)
		return err;
	msg->scm = m->scm;
	m->scm.files = NULL;
	m->scm.nr = 0;
	unix_flight_begin(&msg->scm);
	return 0;
}

/* What to's filter leaves of a packet. False: nothing. */
static bool
filter(struct unix_sock *to, struct unix_msg *msg)
{
	size_t take = socket_filter_run(&to->socket, msg->data, msg->len);

	if (!take)
		return false;
	msg->len = min(msg->len, take);
	return true;
}

/* to->lock held. */
static void
enqueue(struct unix_sock *to, struct unix_msg *msg)
{
	list_add_tail(&msg->link, &to->queue);
	WRITE_ONCE(to->nr_queued, to->nr_queued + 1);
	to->queued_bytes += msg->len;
	WRITE_ONCE(to->arrivals, to->arrivals + 1);
}

static s64
broken_pipe(const struct message *m)
{
	if (!(m->flags & MSG_NOSIGNAL))
		signal_send_task(current, SIGPIPE, NULL);
	return -EPIPE;
}

/* --- connections --- */

/* One message of n bytes to the peer: 0 or -Exxx. */
static int
send_chunk(struct unix_sock *u, struct unix_sock *to, struct message *m, size_t n)
{
	u64 deadline = socket_deadline(READ_ONCE(u->socket.snd_timeout));
	struct unix_msg *msg;
	int err = wait_for_room(u, m->flags & MSG_DONTWAIT, deadline);

	if (err)
		return err;
	if (READ_ONCE(u->shutdown) & UNIX_SEND_SHUT)
		return -EPIPE;
	msg = msg_make(u, m, n);
	if (is_err(msg))
		return (int)ptr_err(msg);
	if (u->socket.type != SOCK_STREAM && !filter(to, msg)) {
		unix_msg_free(msg);
		return 0;
	}
	err = m->scm.nr ? msg_attach(msg, m) : 0;
	if (!err) {
		spin_lock(&to->lock);
		if (to->state != UNIX_CONNECTED || to->shutdown & UNIX_RCV_SHUT)
			err = -EPIPE;
		else
			enqueue(to, msg);
		spin_unlock(&to->lock);
	}
	if (err)
		unix_msg_free(msg);
	else
		unix_wake(to, POLLIN | POLLRDNORM);
	return err;
}

static s64
send_connected(struct unix_sock *u, struct message *m)
{
	bool stream = u->socket.type == SOCK_STREAM;
	size_t left = iter_left(&m->iter), n;
	struct unix_sock *to = unix_peer_get(u);
	s64 done = 0;
	int err = 0;

	if (!to)
		return -ENOTCONN;
	if (m->name && stream)
		err = -EISCONN;
	else if (!stream && left > READ_ONCE(u->socket.sndbuf) - DGRAM_SLACK)
		err = -EMSGSIZE;
	else if (READ_ONCE(u->shutdown) & UNIX_SEND_SHUT)
		err = -EPIPE;
	while (!err && (left || (!stream && !done))) {
		n = stream ? min(left, (size_t)CHUNK) : left;
		err = send_chunk(u, to, m, n);
		if (err)
			break;
		done += (s64)n;
		left -= n;
		if (!stream)
			break;
	}
	unix_put(to);
	if (done || !err)
		return done;
	return err == -EPIPE ? broken_pipe(m) : err;
}

/* --- datagrams --- */

void
unix_block_on(struct unix_sock *u, struct unix_sock *to, struct unix_blocked **b)
{
	struct unix_blocked *w;

	list_for_each_entry(w, &to->blocked, link)
		if (w->who == u)
			return;
	if (!*b)
		return;
	(*b)->who = unix_get(u);
	list_add_tail(&(*b)->link, &to->blocked);
	*b = NULL;
}

bool
unix_queue_full(struct unix_sock *u, struct unix_sock *to, struct unix_blocked **b)
{
	if (u == to || to->peer == u || to->nr_queued <= to->backlog)
		return false;
	unix_block_on(u, to, b);
	return true;
}

void
unix_unblock(struct unix_sock *to)
{
	struct unix_blocked *w;
	struct list all;

	list_init(&all);
	spin_lock(&to->lock);
	list_splice_tail_init(&to->blocked, &all);
	spin_unlock(&to->lock);
	while (!list_empty(&all)) {
		w = list_first(&all, struct unix_blocked, link);
		list_del(&w->link);
		unix_wake(w->who, POLLOUT | POLLWRNORM | POLLWRBAND);
		unix_put(w->who);
		kfree(w);
	}
}

/* to->lock held: 0: msg is in its queue; 1: that is full. */
static int
deliver(struct unix_sock *u, struct unix_sock *to, struct unix_msg *msg, struct unix_blocked **b)
{
	if (to->state == UNIX_DEAD)
		return -ECONNREFUSED;
	if (to->peer && to->peer != u && to != u)
		return -EPERM;
	if (to->shutdown & UNIX_RCV_SHUT)
		return -EPIPE;
	if (unix_queue_full(u, to, b))
		return 1;
	enqueue(to, msg);
	return 0;
}

/* Waits until to's queue has room (which it tells u) or to is gone. */
static int
wait_for_queue(struct unix_sock *u, struct unix_sock *to, u64 deadline)
{
	int err =
		wait_event_interruptible_until(&u->wait,
					       READ_ONCE(to->nr_queued) <= READ_ONCE(to->backlog) ||
						       READ_ONCE(to->state) == UNIX_DEAD,
					       deadline);

	return socket_wait_error(err, deadline);
}

static int
send_dgram_to(struct unix_sock *u, struct unix_sock *to, struct message *m)
{
	u64 deadline = socket_deadline(READ_ONCE(u->socket.snd_timeout));
	struct unix_blocked *b;
	struct unix_msg *msg;
	int err = wait_for_room(u, m->flags & MSG_DONTWAIT, deadline);

	if (err)
		return err;
	msg = msg_make(u, m, iter_left(&m->iter));
	if (is_err(msg))
		return (int)ptr_err(msg);
	/* The sender hears nothing of it. */
	if (!filter(to, msg)) {
		unix_msg_free(msg);
		return 0;
	}
	err = m->scm.nr ? msg_attach(msg, m) : 0;
	while (!err) {
		b = kmalloc(sizeof(*b), GFP_KERNEL);
		err = b ? 0 : -ENOMEM;
		if (err)
			break;
		spin_lock(&to->lock);
		err = deliver(u, to, msg, &b);
		spin_unlock(&to->lock);
		kfree(b);
		if (!err)
			break;
		if (err == 1)
			err = m->flags & MSG_DONTWAIT ? -EAGAIN : wait_for_queue(u, to, deadline);
	}
	if (err)
		unix_msg_free(msg);
	else
		unix_wake(to, POLLIN | POLLRDNORM);
	return err;
}

/* The peer that is gone is no longer ours. */
static void
forget_peer(struct unix_sock *u, struct unix_sock *was)
{
	bool ours;

	spin_lock(&u->lock);
	ours = u->peer == was;
	if (ours) {
		u->peer = NULL;
		u->state = UNIX_UNCONNECTED;
	}
	spin_unlock(&u->lock);
	if (ours)
		unix_put(was);
}

static s64
send_dgram(struct unix_sock *u, struct message *m)
{
	size_t n = iter_left(&m->iter);
	struct unix_sock *to;
	int err;

	if (n > READ_ONCE(u->socket.sndbuf) - DGRAM_SLACK)
		return -EMSGSIZE;
	if (READ_ONCE(u->shutdown) & UNIX_SEND_SHUT)
		return broken_pipe(m);
	to = m->name ? unix_find(m->name, SOCK_DGRAM) : unix_peer_get(u);
	if (!to)
		return -ENOTCONN;
	if (is_err(to))
		return ptr_err(to);
	err = send_dgram_to(u, to, m);
	if (err == -ECONNREFUSED && !m->name)
		forget_peer(u, to);
	unix_put(to);
	if (err == -EPIPE)
		return broken_pipe(m);
	return err ? err : (s64)n;
}

s64
unix_send(struct socket *s, struct message *m)
{
	struct unix_sock *u = unix_of(s);
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (atomic_read(&s->options) & SOCKET_PASSCRED && unix_is_dgram(u)) {
		err = unix_autobind(u);
		if (err)
			return err;
	}
	if (unix_is_dgram(u))
		return send_dgram(u, m);
	if (READ_ONCE(u->state) != UNIX_CONNECTED)
		return m->name && s->type == SOCK_STREAM ? -EOPNOTSUPP : -ENOTCONN;
	return send_connected(u, m);
}
