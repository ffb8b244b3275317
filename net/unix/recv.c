/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receiving from local sockets.
 *
 * Only who holds read_lock takes messages out of a queue that is in use, so one
 * that was found at its head stays there while its data is copied.
 */
#include "kernel/handle/handle.h"
#include "lib/errno.h"
#include "net/unix/unix_impl.h"

/* The message behind `last`, or the first; NULL. */
static struct unix_msg *
next_msg(struct unix_sock *u, struct unix_msg *last)
{
	struct unix_msg *m = NULL;
	struct list *at;

	spin_lock(&u->lock);
	at = last ? last->link.next : u->queue.next;
	if (at != &u->queue)
		m = list_entry(at, struct unix_msg, link);
	spin_unlock(&u->lock);
	return m;
}

/* n bytes of msg have been read, of a datagram all: it goes when nothing is left. */
static void
consume(struct unix_sock *u, struct unix_msg *msg, size_t n)
{
	bool room;

	spin_lock(&u->lock);
	msg->off += n;
	u->queued_bytes -= n;
	if (msg->off < msg->len) {
		spin_unlock(&u->lock);
		return;
	}
	list_del(&msg->link);
	WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
	room = !list_empty(&u->blocked) && u->nr_queued <= u->backlog;
	spin_unlock(&u->lock);
	unix_msg_free(msg);
	if (room)
		unix_unblock(u);
}

/* Nothing is there: 0 to look again, 1 at the end, -Exxx. read_lock is let go meanwhile. */
static int
wait_for_data(struct unix_sock *u, bool nonblock, u64 deadline)
{
	int err;

	spin_lock(&u->lock);
	err = -u->error;
	u->error = 0;
	if (!err && u->shutdown & UNIX_RCV_SHUT && list_empty(&u->queue))
		err = 1;
	spin_unlock(&u->lock);
	if (err)
		return err;
	if (nonblock)
		return list_empty(&u->queue) ? -EAGAIN : 0;
	mutex_unlock(&u->read_lock);
	err = wait_event_interruptible_until(&u->wait,
					     !list_empty(&u->queue) ||
						     READ_ONCE(u->shutdown) & UNIX_RCV_SHUT ||
						     READ_ONCE(u->error),
					     deadline);
	mutex_lock(&u->read_lock);
	return socket_wait_error(err, deadline);
}

/* What goes along with msg is the reader's now; when it only looks, a copy. */
static int
take_scm(struct unix_sock *u, struct unix_msg *msg, struct message *m)
{
	struct scm mine;

	if (m->flags & MSG_PEEK)
		return scm_copy(&m->scm, &msg->scm);
	spin_lock(&u->lock);
	mine = msg->scm;
	msg->scm.files = NULL;
	msg->scm.nr = 0;
	msg->scm.user = NULL;
	spin_unlock(&u->lock);
	unix_flight_end(&mine);
	scm_landed(&mine);
	m->scm = mine;
	return 0;
}

static void
tell_name(struct message *m, struct unix_sock *from)
{
	struct unix_name *n = smp_load_acquire(&from->name);

	if (m->name && n)
		*m->name = n->addr;
}

/* --- streams --- */

static bool
same_cred(const struct ucred *a, const struct ucred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* A read of a stream in progress. */
struct stream_read {
	struct unix_sock *u;
	struct message *m;
	struct unix_msg *last;
	s64 done;
	bool first, creds;
};

/* Reads from msg: 0 to go on, 1 to stop, -Exxx. */
static int
read_msg(struct stream_read *r, struct unix_msg *msg)
{
	size_t want = min(iter_left(&r->m->iter), msg->len - msg->off), n;
	bool files = msg->scm.nr;
	int err = 0;

	/* Bytes of different senders are kept apart for who wants to know. */
	if (r->creds && !r->first && !same_cred(&r->m->scm.cred, &msg->scm.cred))
		return 1;
	n = iter_copy_to(&r->m->iter, msg->data + msg->off, want);
	if (!n && want)
		return -EFAULT;
	if (r->first || files)
		err = take_scm(r->u, msg, r->m);
	if (err)
		return err;
	if (r->first)
		tell_name(r->m, msg->from);
	r->first = false;
	r->done += (s64)n;
	if (r->m->flags & MSG_PEEK)
		r->last = msg;
	else
		consume(r->u, msg, n);
	return files || n < want;
}

static s64
recv_stream(struct unix_sock *u, struct message *m)
{
	struct stream_read r = {.u = u,
				.m = m,
				.first = true,
				.creds = atomic_read(&u->socket.options) & SOCKET_PASSCRED};
	u64 deadline = socket_deadline(READ_ONCE(u->socket.rcv_timeout));
	s64 want = (s64)min(iter_left(&m->iter), (size_t)READ_ONCE(u->socket.rcvlowat));
	struct unix_msg *msg;
	int err = 0;

	if (m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK))
		want = (s64)iter_left(&m->iter);
	while (!err && iter_left(&m->iter)) {
		msg = next_msg(u, r.last);
		if (msg)
			err = read_msg(&r, msg);
		else if (r.done >= want)
			break;
		else
			err = wait_for_data(u, m->flags & MSG_DONTWAIT, deadline);
	}
	return r.done || err == 1 ? r.done : err;
}

/* --- datagrams, packets --- */

static s64
recv_packet(struct unix_sock *u, struct message *m)
{
	u64 deadline = socket_deadline(READ_ONCE(u->socket.rcv_timeout));
	struct unix_msg *msg;
	size_t len, n;
	int err;

	while (!(msg = next_msg(u, NULL))) {
		err = wait_for_data(u, m->flags & MSG_DONTWAIT, deadline);
		if (err)
			return err == 1 ? 0 : err;
	}
	len = msg->len;
	n = min(len, iter_left(&m->iter));
	err = iter_copy_to(&m->iter, msg->data, n) == n ? take_scm(u, msg, m) : -EFAULT;
	tell_name(m, msg->from);
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (!(m->flags & MSG_PEEK))
		consume(u, msg, len);
	if (err)
		return err;
	return m->flags & MSG_TRUNC ? (s64)len : (s64)n;
}

s64
unix_recv(struct socket *s, struct message *m)
{
	struct unix_sock *u = unix_of(s);
	s64 ret;

	if (m->flags & MSG_OOB)
		return s->type == SOCK_STREAM ? -EINVAL : -EOPNOTSUPP;
	if (!unix_is_dgram(u) && READ_ONCE(u->state) != UNIX_CONNECTED)
		return s->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
	mutex_lock(&u->read_lock);
	ret = s->type == SOCK_STREAM ? recv_stream(u, m) : recv_packet(u, m);
	mutex_unlock(&u->read_lock);
	return ret;
}
