/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of a userfaultfd: what a space does by itself with registered ranges.
 *
 * Model: the task that forks, moves, unmaps, or drops pages tells the handle, if
 * that asked to know (UFFDIO_API), and goes on when the event has been read. From
 * before the change until then ->changing refuses to fill memory (EAGAIN): the
 * program does not know yet what its addresses mean. Drops are told of before
 * they are made, the others afterwards.
 *
 * States: EVENT_QUEUED -> EVENT_DONE when it is read. That of a fork is
 * EVENT_READING while its reader makes a descriptor of the child's handle, and
 * may then be queued again.
 *
 * Ownership: an event lies with the task that waits and holds a reference on the
 * handle. The child's handle is the reader's when the event is done.
 *
 * Locking: uffd.c.
 */
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uffd_impl.h"

bool
uffd_wants(const struct region *r, u32 event)
{
	return r->flags & REGION_UFFD && READ_ONCE(r->uffd->features) & event;
}

void
uffd_event_begin(struct uffd *u)
{
	uffd_get(u);
	atomic_add(&u->changing, 1u);
}

/* The change has been told of. */
static void
event_end(struct uffd_event *e)
{
	struct uffd *u = e->uffd;

	atomic_sub(&u->changing, 1u);
	if (e->child && e->state != EVENT_DONE)
		uffd_release(e->child);
	uffd_put(u);
}

/* Queued no longer, and nobody reads it: who waited may end. */
static void
event_leave(struct uffd *u, struct uffd_event *e)
{
	spin_lock(&u->lock);
	while (e->state == EVENT_READING) {
		spin_unlock(&u->lock);
		wait_event(&u->waiters, READ_ONCE(e->state) != EVENT_READING);
		spin_lock(&u->lock);
	}
	if (e->state == EVENT_QUEUED)
		list_del(&e->link);
	spin_unlock(&u->lock);
}

void
uffd_event_send(struct uffd_event *e)
{
	struct uffd *u = e->uffd;
	bool queued;

	e->state = EVENT_QUEUED;
	spin_lock(&u->lock);
	queued = !u->released;
	if (queued)
		list_add_tail(&e->link, &u->events);
	spin_unlock(&u->lock);
	if (queued) {
		waitq_wake_all(&u->readers);
		(void)!wait_event_killable(&u->waiters, READ_ONCE(e->state) == EVENT_DONE ||
								READ_ONCE(u->released));
		event_leave(u, e);
	}
	event_end(e);
}

void
uffd_event_cancel(struct uffd_event *e)
{
	event_end(e);
}

void
uffd_tell_remove(const struct region *r, unsigned long start, unsigned long end)
{
	struct uffd_event e = {.uffd = r->uffd,
			       .msg = {.event = UFFD_EVENT_REMOVE, .arg = {start, end}}};

	uffd_event_begin(e.uffd);
	uffd_event_send(&e);
}

/* The event for u in the list, or a new one. NULL: no memory. */
static struct uffd_event *
event_get(struct list *events, struct uffd *u)
{
	struct uffd_event *e;

	list_for_each_entry(e, events, link)
		if (e->uffd == u)
			return e;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return NULL;
	e->uffd = u;
	uffd_event_begin(u);
	list_add_tail(&e->link, events);
	return e;
}

/* --- unmapping --- */

int
uffd_unmap_prepare(struct space *s, unsigned long start, unsigned long end, struct list *events)
{
	unsigned long va = start;
	struct uffd_event *e;
	struct run r;
	int err = 0;

	for (; !err && space_next_run(s, va, end, &r, true); va = r.end) {
		const struct region *g = meta_region(r.meta);

		if (uffd_wants(g, UFFD_FEATURE_EVENT_UNMAP)) {
			e = event_get(events, g->uffd);
			if (e)
				e->msg = (struct uffd_msg){.event = UFFD_EVENT_UNMAP,
							   .arg = {start, end}};
			else
				err = -ENOMEM;
		}
		meta_hold(r.meta, -1);
	}
	return err;
}

void
uffd_unmap_done(struct list *events)
{
	struct uffd_event *e, *next;

	list_for_each_entry_safe(e, next, events, link) {
		list_del(&e->link);
		uffd_event_send(e);
		kfree(e);
	}
}

/* --- fork --- */

/* The region for the child's runs that have r. err_ptr(-ENOMEM). */
static struct region *
child_region(struct space *child, struct region *r, struct list *events)
{
	struct uffd_event *e;

	if (!uffd_wants(r, UFFD_FEATURE_EVENT_FORK)) {
		region_get(r->plain);
		return r->plain;
	}
	e = event_get(events, r->uffd);
	if (!e)
		return err_ptr(-ENOMEM);
	e->msg.event = UFFD_EVENT_FORK;
	if (!e->child)
		e->child = uffd_create(child, e->uffd->flags, e->uffd->features);
	if (!e->child)
		return err_ptr(-ENOMEM);
	WRITE_ONCE(child->has_uffd, true);
	return uffd_region(e->child, r->plain, r->flags & REGION_UFFD);
}

int
uffd_fork(struct space *child, struct list *events)
{
	unsigned long va = 0;
	struct region *to;
	struct run r;
	int err = 0;

	for (; !err && space_next_run(child, va, USER_END, &r, true); va = r.end) {
		struct region *g = meta_region(r.meta);

		if (g->flags & REGION_UFFD) {
			to = child_region(child, g, events);
			err = is_err(to) ? (int)ptr_err(to)
					 : uffd_change(child, r.start, r.end, g, to);
			if (!is_err(to))
				region_put(to);
		}
		meta_hold(r.meta, -1);
	}
	return err;
}

void
uffd_fork_done(struct list *events, bool send)
{
	struct uffd_event *e, *next;

	list_for_each_entry_safe(e, next, events, link) {
		list_del(&e->link);
		if (send && e->child)
			uffd_event_send(e);
		else
			event_end(e);
		kfree(e);
	}
}
