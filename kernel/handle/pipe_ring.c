/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of a pipe.
 *
 * Model: slots tail (oldest) to head-1 (newest) are full; both only grow. Readers
 * own tail and look at the oldest slot through r: its page, and the bytes [r.at,
 * r.end) that they know of. Writers own head, and add to the newest slot as long as
 * w.merge says that it is in the ring and theirs to add to. Each side keeps the
 * other's position as it saw it last and looks again only when it seems to have
 * nothing left: a reader at the end of the bytes it knows of, a writer when it needs
 * a slot and seems to have none. A pipe that is neither empty nor full has two users
 * that share no lines.
 *
 * The last byte: a slot is dropped with its last byte, so an empty pipe has no slots
 * (and all of its capacity). If it is the newest, a writer might be adding to it:
 * the reader takes w.lock too, looks a last time, and clears w.merge.
 *
 * Locking: r.lock and w.lock (RANK_PIPE); who takes more than one, of one pipe or of
 * two, takes them by address. Readers take w.lock for the last byte, and never fault
 * with it. Sleepers let go of all. How many ends there are is covered by w.lock.
 *
 * Ordering:
 *      writer                          reader
 *      bytes are in the page           s->end, w.head (acquire)
 *      s->end or w.head (release)      bytes are read
 *      full barrier (waitq_wake)       is queued, full barrier
 *      read_wait is looked at          w.head
 *
 *      reader drops a slot             writer that polls or sleeps
 *      r.tail, full barrier            is queued, full barrier
 *      w.head: was it full?            r.tail
 *      wakes if it was                 is it full?
 *      A writer that still saw the old tail had filled the ring before, so the reader
 *      sees it full. Who filled it after the reader had looked saw the new tail.
 *
 *      last writer closes              reader of an empty pipe
 *      its bytes, then p->writers      p->writers (acquire), then w.head
 *
 * Rejected: a slot that readers close by compare-and-exchange on s->end instead of
 * w.lock: the writer may be copying into the page, which is then not the reader's.
 */
#include "kernel/handle/pipe.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "lib/errno.h"

/* The order of locks. */
static_assert(offsetof(struct pipe, r.lock) < offsetof(struct pipe, w.lock));

void
pipe_lock_both(struct pipe *p)
{
	mutex_lock(&p->r.lock);
	mutex_lock_nested(&p->w.lock);
}

void
pipe_unlock_both(struct pipe *p)
{
	mutex_unlock(&p->w.lock);
	mutex_unlock(&p->r.lock);
}

/* --- readers --- */

bool
pipe_look(struct pipe *p)
{
	struct pipe_reader *r = &p->r;
	const struct pipe_slot *s;
	u32 tail = r->tail;

	if (r->head == tail) {
		r->head = smp_load_acquire(&p->w.head);
		if (r->head == tail)
			return false;
	}
	s = pipe_at(p, tail);
	r->at = s->offset;
	r->end = smp_load_acquire(&s->end);
	r->packet = s->flags & PIPE_PACKET;
	r->page = s->page;
	return true;
}

/* The page may serve the next write. */
static void
page_done(struct pipe *p, const struct pipe_slot *s)
{
	struct page *page = s->page;

	if (!READ_ONCE(p->w.spare) && s->flags & PIPE_MERGE && atomic_read(&page->refs) == 1)
		page = atomic_xchg(&p->w.spare, page);
	if (page)
		page_put(page);
}

/* The oldest slot, which is not the newest or takes no more, is used up. */
static void
drop(struct pipe *p, const struct pipe_slot *s)
{
	struct pipe_reader *r = &p->r;

	page_done(p, s);
	r->page = NULL;
	/* A full barrier: see Ordering. */
	atomic_xchg(&r->tail, r->tail + 1);
	if (READ_ONCE(p->w.head) - r->tail + 1 >= p->nr_slots)
		r->made_room = true;
}

/* The only slot seems to be used up: drops it, unless writers have added to it. */
static void
drop_newest(struct pipe *p, const struct pipe_slot *s)
{
	struct pipe_reader *r = &p->r;
	u32 at = r->at, tail = r->tail;

	mutex_lock_nested(&p->w.lock);
	if (s->end == at) {
		r->head = p->w.head;
		if (r->head == tail + 1)
			p->w.merge = false;
		page_done(p, s);
		r->page = NULL;
		if (r->head - tail >= p->nr_slots)
			r->made_room = true;
		WRITE_ONCE(r->tail, tail + 1);
	} else {
		r->end = s->end;
	}
	mutex_unlock(&p->w.lock);
}

/* First at head: slots but the newest do not grow. */
void
pipe_used_up(struct pipe *p)
{
	struct pipe_reader *r = &p->r;
	const struct pipe_slot *s = pipe_at(p, r->tail);
	u32 next = r->tail + 1, head = r->head, end;

	if (head == next)
		head = smp_load_acquire(&p->w.head);
	end = smp_load_acquire(&s->end);
	r->head = head;
	if (end != r->at)
		r->end = end;
	else if (head == next && s->flags & PIPE_MERGE)
		drop_newest(p, s);
	else
		drop(p, s);
}

void
pipe_drain(struct pipe *p)
{
	while (pipe_readable(p))
		drop(p, pipe_at(p, p->r.tail));
	if (p->w.spare)
		page_put(p->w.spare);
}

/* --- writers --- */

bool
pipe_writable(struct pipe *p)
{
	struct pipe_writer *w = &p->w;

	if (w->head - w->tail >= p->nr_slots)
		w->tail = smp_load_acquire(&p->r.tail);
	return w->head - w->tail < p->nr_slots;
}

void
pipe_push(struct pipe *p, struct page *page, u32 offset, u32 len, u32 flags)
{
	struct pipe_writer *w = &p->w;

	*pipe_at(p, w->head) = (struct pipe_slot){page, offset, offset + len, flags};
	w->merge = flags & PIPE_MERGE;
	smp_store_release(&w->head, w->head + 1);
}

/* --- both --- */

u32
pipe_slot_start(struct pipe *p, u32 pos)
{
	return pos == p->r.tail && p->r.page ? p->r.at : pipe_at(p, pos)->offset;
}

void
pipe_freeze(struct pipe *p, u32 pos)
{
	pipe_at(p, pos)->flags &= ~PIPE_MERGE;
	if (pos + 1 == p->w.head)
		p->w.merge = false;
}

/* --- sleeping --- */

void
pipe_wake_readers(struct pipe *p)
{
	waitq_wake(&p->read_wait, 1, POLLIN | POLLRDNORM);
}

void
pipe_wake_writers(struct pipe *p)
{
	waitq_wake(&p->write_wait, 1, POLLOUT | POLLWRNORM);
}

void
pipe_pass_data(struct pipe *p)
{
	if (p->r.sleeping && pipe_readable(p))
		pipe_wake_readers(p);
}

void
pipe_pass_room(struct pipe *p)
{
	if (p->w.sleeping && pipe_writable(p))
		pipe_wake_writers(p);
}

int
pipe_wait_readable(struct pipe *p, bool nonblock)
{
	u32 writers;
	int err;

	for (;;) {
		/* First: who closed the last end had written before. */
		writers = smp_load_acquire(&p->writers);
		if (pipe_readable(p))
			return 0;
		if (!writers)
			return 1;
		if (nonblock)
			return -EAGAIN;
		p->r.sleeping++;
		mutex_unlock(&p->r.lock);
		err = wait_event_exclusive_interruptible(&p->read_wait,
							 !pipe_empty(p) || !READ_ONCE(p->writers));
		mutex_lock(&p->r.lock);
		p->r.sleeping--;
		if (err)
			return err;
	}
}

int
pipe_wait_writable(struct pipe *p, bool nonblock)
{
	int err;

	for (;;) {
		if (!p->readers) {
			signal_send_task(current, SIGPIPE, NULL);
			return -EPIPE;
		}
		if (pipe_writable(p))
			return 0;
		if (nonblock)
			return -EAGAIN;
		p->w.sleeping++;
		mutex_unlock(&p->w.lock);
		err = wait_event_exclusive_interruptible(&p->write_wait,
							 !pipe_full(p) || !READ_ONCE(p->readers));
		mutex_lock(&p->w.lock);
		p->w.sleeping--;
		if (err)
			return err;
	}
}
