/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that are sent over sockets.
 *
 * Model: the handle of a local socket that lies in a queue is in flight. When all
 * references of a handle come from queues, and those queues belong to sockets of
 * which the same is true, nobody can ever read them: they are garbage, though
 * they hold one another. When a socket is closed a work item looks for them.
 *
 * A candidate is a socket in flight whose handle has no reference but those in
 * flight. What is found of it in the queues of candidates is subtracted; what
 * remains comes from outside (or is on its way into or out of a queue, which
 * counts as outside), and makes it and all that its queue holds reachable. The
 * queues of the rest are emptied, which frees them.
 *
 * Locking: scm_mutex covers the figures and the list, so the references of a
 * candidate cannot grow meanwhile: to get one, somebody would have to read a
 * queue of a socket that he has a handle of, which is no candidate.
 *
 * A socket in the queue of a socket in the queue of a socket ends with the first
 * of them. So that a long chain does not end one inside the other, on one stack,
 * messages with sockets are dropped by a work item, one after the other.
 *
 * Rejected: counts that are kept exact without a lock: it is taken only by who
 * sends a socket over a socket.
 */
#include "kernel/init.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "net/unix/unix_impl.h"
#include "percpu/work.h"

/* Sockets in flight, up to which each close is followed by a look, and the wait for more closes. */
#define COLLECT_AT_ONCE 32u
#define COLLECT_DELAY (20 * NSEC_PER_MSEC)
/* And for so many times as long as the last look took: what has to be dropped gets on meanwhile. */
#define COLLECT_REST 10u

static LOCK_CLASS(scm_class, RANK_SOCKET_READ + 1);
static struct mutex scm_mutex = MUTEX_INIT(scm_mutex, scm_class);
/* (scm_mutex) */
static struct list flying = LIST_INIT(flying);
/* a  how many are on the list */
static u32 nr_flying;
/* a  ns that the last look took */
static u64 look_ns;

/* The local socket of a handle, or NULL. */
static struct unix_sock *
local_socket(const struct file *f)
{
	struct socket *s = file_socket(f);

	return s && s->family == AF_UNIX ? unix_of(s) : NULL;
}

void
unix_flight_begin(struct scm *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		struct unix_sock *u = local_socket(s->files[i]);

		if (!u)
			continue;
		mutex_lock(&scm_mutex);
		if (!u->in_flight++) {
			list_add_tail(&u->flight_link, &flying);
			atomic_inc(&nr_flying);
		}
		mutex_unlock(&scm_mutex);
	}
}

void
unix_flight_end(struct scm *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		struct unix_sock *u = local_socket(s->files[i]);

		if (!u)
			continue;
		mutex_lock(&scm_mutex);
		if (!--u->in_flight) {
			list_del_init(&u->flight_link);
			atomic_dec(&nr_flying);
		}
		mutex_unlock(&scm_mutex);
	}
}

/* --- dropping --- */

static void drop_some(struct work *w);
/* (scm_mutex)  messages whose time has come */
static struct list dropped = LIST_INIT(dropped);
static struct work drop_work = WORK_INIT(drop_some);

static void
drop_some(struct work *w)
{
	struct list batch;

	list_init(&batch);
	mutex_lock(&scm_mutex);
	list_splice_tail_init(&dropped, &batch);
	mutex_unlock(&scm_mutex);
	while (!list_empty(&batch)) {
		struct unix_msg *m = list_first(&batch, struct unix_msg, link);

		list_del(&m->link);
		unix_msg_free(m);
	}
}

void
unix_msg_drop(struct unix_msg *m)
{
	u32 i;

	for (i = 0; i < m->scm.nr; i++)
		if (local_socket(m->scm.files[i]))
			break;
	if (i == m->scm.nr) {
		unix_msg_free(m);
		return;
	}
	mutex_lock(&scm_mutex);
	list_add_tail(&m->link, &dropped);
	mutex_unlock(&scm_mutex);
	work_post_here(&drop_work);
}

/* --- looking for garbage; scm_mutex held --- */

static bool
is_candidate(const struct unix_sock *u)
{
	return tally_sum(&u->socket.file->refs) == u->in_flight;
}

/* Each local socket in the messages of one queue. */
static void
each_in_queue(struct unix_sock *u, void (*fn)(struct unix_sock *v))
{
	struct unix_msg *m;
	u32 i;

	list_for_each_entry(m, &u->queue, link)
		for (i = 0; i < m->scm.nr; i++) {
			struct unix_sock *v = local_socket(m->scm.files[i]);

			if (v)
				fn(v);
		}
}

/* The same, and what waits to be accepted. */
static void
each_held(struct unix_sock *u, void (*fn)(struct unix_sock *v))
{
	struct unix_sock *e;

	spin_lock(&u->lock);
	if (u->state == UNIX_LISTENING) {
		list_for_each_entry(e, &u->queue, pending_link) {
			spin_lock_nested(&e->lock);
			each_in_queue(e, fn);
			spin_unlock(&e->lock);
		}
	} else {
		each_in_queue(u, fn);
	}
	spin_unlock(&u->lock);
}

static void
subtract(struct unix_sock *v)
{
	v->outside--;
}

/* Reachable, and its queue not looked at yet. */
static struct list reached = LIST_INIT(reached);

static void
reach(struct unix_sock *v)
{
	if (v->reached)
		return;
	v->reached = true;
	list_add_tail(&v->reach_link, &reached);
}

static void
find_garbage(void)
{
	struct unix_sock *u;

	list_for_each_entry(u, &flying, flight_link) {
		u->outside = (s32)u->in_flight;
		u->reached = false;
		if (!is_candidate(u))
			reach(u);
	}
	list_for_each_entry(u, &flying, flight_link)
		if (!u->reached)
			each_held(u, subtract);
	list_for_each_entry(u, &flying, flight_link)
		if (u->outside > 0)
			reach(u);
	while (!list_empty(&reached)) {
		u = list_first(&reached, struct unix_sock, reach_link);
		list_del(&u->reach_link);
		each_held(u, reach);
	}
}

/* Takes the messages of a queue. */
static void
take_queue(struct unix_sock *u, struct list *out)
{
	spin_lock(&u->lock);
	if (u->state != UNIX_LISTENING) {
		list_splice_tail_init(&u->queue, out);
		u->nr_queued = 0;
		u->queued_bytes = 0;
	}
	spin_unlock(&u->lock);
}

static void
collect(struct work *w)
{
	struct unix_sock *u;
	struct list garbage;
	u64 start;

	list_init(&garbage);
	mutex_lock(&scm_mutex);
	start = ktime_get();
	find_garbage();
	list_for_each_entry(u, &flying, flight_link)
		if (!u->reached)
			take_queue(u, &garbage);
	WRITE_ONCE(look_ns, ktime_get() - start);
	mutex_unlock(&scm_mutex);
	while (!list_empty(&garbage)) {
		struct unix_msg *m = list_first(&garbage, struct unix_msg, link);

		list_del(&m->link);
		unix_msg_drop(m);
	}
}

static struct work collect_work = WORK_INIT(collect);

static void
collect_later(struct timer *t)
{
	work_post_here(&collect_work);
}

static struct timer collect_timer;

static int
collect_init(void)
{
	timer_init(&collect_timer, collect_later);
	return 0;
}
INITCALL(INIT_CORE, collect_init);

/* A look costs as much as there is in flight, so many closes share one. */
void
unix_collect(void)
{
	u32 n = atomic_read(&nr_flying);

	if (n && n <= COLLECT_AT_ONCE)
		work_post_here(&collect_work);
	else if (n && !timer_pending(&collect_timer))
		timer_start(&collect_timer,
			    ktime_get() + max(COLLECT_DELAY, COLLECT_REST * READ_ONCE(look_ns)));
}
