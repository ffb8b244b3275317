/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracefs: trace_pipe, which takes records out of the rings as they come.
 *
 * Model: a handle makes lines of what it takes and keeps what its reader had no
 * room for. Who records an event may hold any lock of the scheduler, hence wakes
 * nobody: while anyone waits, the handle's timer looks every LOOK_NS whether
 * there is something.
 *
 * Locking: the handle's mutex for text and reader.
 *
 * Ordering:
 *      look (timer)                    look_later, after it has queued itself
 *      armed = 0 (full barrier)        a waiter is in the queue
 *      the queue is read               armed is exchanged with 1 (full barrier)
 *      Either the timer sees the waiter, or the waiter starts the timer again.
 */
#include "fs/tracefs/pipe.h"

#include "fs/pseudo.h"
#include "kernel/handle/handle.h"
#include "kernel/iter.h"
#include "kernel/seq.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "kernel/trace/trace.h"
#include "mm/slab.h"

#define LOOK_NS (20 * NSEC_PER_MSEC)
/* The longest line: two texts, and what is around them. */
#define TEXT_ROOM 2048u

struct pipe_handle {
	struct mutex mutex;
	unsigned int cpu;
	struct trace_reader *reader;
	/* (mutex)  text that was made; from `from` on it has not been read */
	struct seq text;
	size_t from;
	/* (mutex)  something was read */
	bool read_any;
	/* a  1: the timer is started, or will look at the queue yet */
	u32 armed;
	struct timer timer;
	struct waitq wait;
};

__maybe_unused static LOCK_CLASS(trace_pipe_class, RANK_FILE_POS + 1);

static void
look(struct timer *t)
{
	struct pipe_handle *h = container_of(t, struct pipe_handle, timer);
	bool pending = trace_pending(h->cpu);

	atomic_xchg(&h->armed, 0u);
	if (pending)
		waitq_wake_all(&h->wait);
	else if (waitq_active(&h->wait) && !atomic_xchg(&h->armed, 1u))
		timer_start(t, ktime_get() + LOOK_NS);
}

static void
look_later(struct pipe_handle *h)
{
	if (!atomic_xchg(&h->armed, 1u))
		timer_start(&h->timer, ktime_get() + LOOK_NS);
}

/* For the condition of a wait: evaluated again when queued. */
static bool
ready(struct pipe_handle *h)
{
	if (h->from < h->text.len || trace_pending(h->cpu))
		return true;
	look_later(h);
	return false;
}

/* One more line, if there is a record. */
static bool
make_line(struct pipe_handle *h)
{
	const struct trace_record *rec;
	unsigned int cpu;
	u64 lost;

	rec = trace_reader_next(h->reader, &cpu, &lost);
	if (!rec)
		return false;
	h->from = 0;
	h->text.len = 0;
	trace_show_record(&h->text, cpu, rec, lost);
	h->text.len = min(h->text.len, h->text.size);
	return true;
}

/* What there is and fits; 0: nothing. mutex held. */
static s64
read_some(struct pipe_handle *h, struct iter *to)
{
	s64 done = 0;

	while (iter_left(to) > 0 && (h->from < h->text.len || make_line(h))) {
		size_t n = min(h->text.len - h->from, iter_left(to));
		size_t moved = iter_copy_to(to, h->text.buf + h->from, n);

		h->from += moved;
		done += (s64)moved;
		if (moved < n)
			return done ? done : -EFAULT;
	}
	h->read_any = h->read_any || done > 0;
	return done;
}

static s64
trace_pipe_read(struct file *f, struct iter *to, u64 *pos)
{
	struct pipe_handle *h = f->private;
	bool over;
	s64 r;

	if (iter_left(to) == 0)
		return 0;
	for (;;) {
		mutex_lock(&h->mutex);
		r = read_some(h, to);
		over = h->read_any && !READ_ONCE(trace_recording);
		mutex_unlock(&h->mutex);
		/* When recording was switched off it ends, once it has shown something. */
		if (r || over)
			return r;
		if (file_nonblock(f))
			return -EAGAIN;
		r = wait_event_interruptible(
			&h->wait, ready(h) || (h->read_any && !READ_ONCE(trace_recording)));
		if (r)
			return r;
	}
}

static u32
trace_pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe_handle *h = f->private;

	poll_wait(f, &h->wait, pt);
	return ready(h) ? POLLIN | POLLRDNORM : 0;
}

static void
trace_pipe_release(struct file *f)
{
	struct pipe_handle *h = f->private;

	/* Nobody waits any more, so that it does not start itself again. */
	timer_cancel_sync(&h->timer);
	trace_reader_free(h->reader);
	kfree(h->text.buf);
	kfree(h);
}

static const struct file_ops trace_pipe_fops = {
	.name = "trace_pipe",
	.read = trace_pipe_read,
	.poll = trace_pipe_poll,
	.release = trace_pipe_release,
};

static int
trace_pipe_open(struct inode *i, struct file *f)
{
	struct pipe_handle *h = kzalloc(sizeof(*h), GFP_KERNEL);

	if (!h)
		return -ENOMEM;
	h->cpu = (unsigned int)(unsigned long)i->private;
	h->reader = trace_reader_alloc(h->cpu, true);
	h->text.buf = kmalloc(TEXT_ROOM, GFP_KERNEL);
	h->text.size = TEXT_ROOM;
	if (!h->reader || !h->text.buf) {
		trace_reader_free(h->reader);
		kfree(h->text.buf);
		kfree(h);
		return -ENOMEM;
	}
	mutex_init(&h->mutex, &trace_pipe_class);
	waitq_init(&h->wait);
	timer_init(&h->timer, look);
	f->private = h;
	f->ops = &trace_pipe_fops;
	f->mode &= ~(FMODE_SEEK | FMODE_ATOMIC_POS);
	return 0;
}

static int
trace_pipe_setattr(struct dentry *d, struct iattr *a)
{
	return pseudo_file_ops.setattr(d, a);
}

const struct inode_ops trace_pipe_ops = {.open = trace_pipe_open, .setattr = trace_pipe_setattr};
