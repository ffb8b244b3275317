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

/*
 * Nothing is there of the `seen` messages that had come: 0 to look again, 1 at the
 * end, -Exxx. read_lock is let go meanwhile.
 */
static int
wait_for_data(struct unix_sock *u, u32 seen, bool nonblock, u64 deadline)
{
	int err;

	spin_lock(&u->lock);
	err = -u->error;
	u->error = 0;
	if (!err && u->shutdown & UNIX_RCV_SHUT && u->arrivals == seen)
		err = 1;
	spin_unlock(&u->lock);
	if (err)
		return err;
	if (nonblock)
		return READ_ONCE(u->arrivals) == seen ? -EAGAIN : 0;
	mutex_unlock(&u->read_lock);
	err = wait_event_interruptible_until(&u->wait,
					     READ_ONCE(u->arrivals) != seen ||
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

/* MSG_PEEK has seen n bytes more, or (negative) as many were taken: read_lock is held. */
static void
move_peek(struct unix_sock *u, s64 n)
{
	s64 off = READ_ONCE(u->socket.peek_off);

	if (off >= 0)
		WRITE_ONCE(u->socket.peek_off, (s32)clamp(off + n, (s64)0, (s64)INT32_MAX));
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
	/* Bytes that MSG_PEEK passes over. */
	size_t skip;
	bool first, creds;
};

/* Reads from msg: 0 to go on, 1 to stop, -Exxx. */
static int
read_msg(struct stream_read *r, struct unix_msg *msg)
{
	size_t left = msg->len - msg->off, want, n;
	bool files = msg->scm.nr;
	int err = 0;

	if (r->skip >= left && r->skip) {
		r->skip -= left;
		r->last = msg;
		return 0;
	}
	want = min(iter_left(&r->m->iter), left - r->skip);

	/* Bytes of different senders are kept apart for who wants to know. */
	if (r->creds && !r->first && !same_cred(&r->m->scm.cred, &msg->scm.cred))
		return 1;
	n = iter_copy_to(&r->m->iter, msg->data + msg->off + r->skip, want);
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
	if (r->m->flags & MSG_PEEK) {
		r->last = msg;
		r->skip = 0;
		move_peek(r->u, (s64)n);
	} else {
		consume(r->u, msg, n);
		move_peek(r->u, -(s64)n);
	}
	return files || n < want;
}

/* Others may have taken meanwhile what was looked at. */
static void
peek_from_start(struct stream_read *r)
{
	if (!(r->m->flags & MSG_PEEK))
		return;
	r->last = NULL;
	r->skip = (size_t)max(READ_ONCE(r->u->socket.peek_off), 0);
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
	u32 seen;
	int err = 0;

	if (m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK))
		want = (s64)iter_left(&m->iter);
	peek_from_start(&r);
	while (!err && iter_left(&m->iter)) {
		seen = READ_ONCE(u->arrivals);
		msg = next_msg(u, r.last);
		if (msg) {
			err = read_msg(&r, msg);
			continue;
		}
		/* Who looks at what is there does not wait for more. */
		if (r.done >= want || (r.done && m->flags & MSG_PEEK))
			break;
		err = wait_for_data(u, seen, m->flags & MSG_DONTWAIT, deadline);
		peek_from_start(&r);
	}
	return r.done || err == 1 ? r.done : err;
}

/* --- datagrams, packets --- */

/* The message that MSG_PEEK is to look at; NULL. *off: where in it. */
static struct unix_msg *
packet_at(struct unix_sock *u, const struct message *m, size_t *off)
{
	s32 skip = m->flags & MSG_PEEK ? READ_ONCE(u->socket.peek_off) : -1;
	struct unix_msg *msg = next_msg(u, NULL);

	*off = 0;
	if (skip < 0)
		return msg;
	*off = (size_t)skip;
	while (msg && *off >= msg->len && (*off || msg->peeked)) {
		*off -= msg->len;
		msg = next_msg(u, msg);
	}
	if (msg && !msg->len)
		msg->peeked = true;
	return msg;
}

static s64
recv_packet(struct unix_sock *u, struct message *m)
{
	u64 deadline = socket_deadline(READ_ONCE(u->socket.rcv_timeout));
	struct unix_msg *msg;
	size_t len, n, off;
	int err;

	for (;;) {
		u32 seen = READ_ONCE(u->arrivals);

		msg = packet_at(u, m, &off);
		if (msg)
			break;
		err = wait_for_data(u, seen, m->flags & MSG_DONTWAIT, deadline);
		if (err)
			return err == 1 ? 0 : err;
	}
	len = msg->len - off;
	n = min(len, iter_left(&m->iter));
	err = iter_copy_to(&m->iter, msg->data + off, n) == n ? take_scm(u, msg, m) : -EFAULT;
	tell_name(m, msg->from);
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	if (!(m->flags & MSG_PEEK)) {
		consume(u, msg, len);
		move_peek(u, -(s64)len);
	} else if (!err) {
		move_peek(u, (s64)n);
	}
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
