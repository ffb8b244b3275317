/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes.
 *
 * Model: a ring of slots, each a fragment of a page (pipe_ring.c). A write adds to
 * the newest page if its last part fits whole, else takes slots; a read empties the
 * oldest. A write of up to PIPE_BUF bytes fits into one slot, hence is atomic.
 *
 * Locking: readers hold r.lock, writers w.lock, as pipe_ring.c tells. Each write
 * wakes a reader, since edge-triggered watchers see each; a read wakes a writer only
 * when the ring was full.
 */
#include "kernel/handle/pipe.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define FIONREAD 0x541b

static LOCK_CLASS(pipe_class, RANK_PIPE);
static struct slab_cache *pipe_cache;

static int
pipe_init(void)
{
	pipe_cache = slab_cache_create("pipe", sizeof(struct pipe), 0, SLAB_ZERO);
	return pipe_cache ? 0 : -ENOMEM;
}
INITCALL(INIT_CORE, pipe_init);

struct pipe *
pipe_alloc(void)
{
	struct pipe *p = slab_alloc(pipe_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	if (pipe_slots_alloc(p)) {
		slab_free(pipe_cache, p);
		return NULL;
	}
	mutex_init(&p->r.lock, &pipe_class);
	mutex_init(&p->w.lock, &pipe_class);
	async_list_init(&p->async);
	waitq_init(&p->read_wait);
	waitq_init(&p->write_wait);
	return p;
}

void
pipe_free(struct pipe *p)
{
	pipe_drain(p);
	pipe_slots_free(p);
	fs_locks_free(p->locks);
	slab_free(pipe_cache, p);
}

/* --- read and write --- */

/* From the oldest slot; false at a fault. */
static bool
read_slot(struct pipe *p, struct iter *to, s64 *done)
{
	struct pipe_reader *r = &p->r;
	size_t want = min((size_t)(r->end - r->at), iter_left(to));
	size_t n = iter_copy_to(to, (char *)page_to_virt(r->page) + r->at, want);
	bool rest = r->packet && n == want;

	*done += (s64)n;
	pipe_consume(p, rest ? r->end - r->at : (u32)n);
	return n == want;
}

static s64
pipe_read(struct file *f, struct iter *to, u64 *pos)
{
	struct pipe *p = f->private;
	bool packet, room;
	s64 done = 0;
	int err = 0;

	if (iter_left(to) == 0)
		return 0;
	mutex_lock(&p->r.lock);
	while (iter_left(to)) {
		if (!pipe_readable(p)) {
			if (done)
				break;
			err = pipe_wait_readable(p, file_nonblock(f) || to->nowait);
			if (err)
				break;
		}
		packet = p->r.packet;
		if (!read_slot(p, to, &done)) {
			err = -EFAULT;
			break;
		}
		if (packet)
			break;
	}
	room = pipe_made_room(p);
	/* A write woke one reader, us: the next one gets the rest. Who polls has seen it. */
	pipe_pass_data(p);
	mutex_unlock(&p->r.lock);
	if (room)
		pipe_wake_writers(p);
	if (done) {
		async_list_notify(&p->async, FMODE_WRITE, POLL_OUT);
		return done;
	}
	return err == 1 ? 0 : err;
}

/* Adds the first `n` bytes to the newest page if they fit whole. -EFAULT, 0: did not, or n. */
static s64
write_merge(struct pipe *p, struct iter *from, size_t n)
{
	struct pipe_slot *s = pipe_at(p, p->w.head - 1);
	u32 end = s->end;

	if (!p->w.merge || end + n > PAGE_SIZE)
		return 0;
	if (iter_copy_from((char *)page_to_virt(s->page) + end, from, n) != n)
		return -EFAULT;
	smp_store_release(&s->end, end + (u32)n);
	return (s64)n;
}

/* Fills one new slot: bytes, or -EFAULT, -ENOMEM. */
static s64
write_slot(struct pipe *p, struct iter *from, bool packet)
{
	struct page *page = READ_ONCE(p->w.spare) ? atomic_xchg(&p->w.spare, NULL) : NULL;
	size_t n = min(iter_left(from), PAGE_SIZE), got;

	if (!page) {
		page = page_alloc(0, GFP_USER);
		if (!page)
			return -ENOMEM;
	}
	got = iter_copy_from(page_to_virt(page), from, n);
	if (got != n) {
		iter_revert(from, got);
		page_put(page);
		return -EFAULT;
	}
	pipe_push(p, page, 0, (u32)n, packet ? PIPE_PACKET : PIPE_MERGE);
	return (s64)n;
}

static s64
pipe_write(struct file *f, struct iter *from, u64 *pos)
{
	struct pipe *p = f->private;
	bool packet = READ_ONCE(f->flags) & O_DIRECT;
	size_t tail = iter_left(from) & (PAGE_SIZE - 1);
	s64 done = 0, n = 0;
	int err = 0;

	if (iter_left(from) == 0)
		return 0;
	mutex_lock(&p->w.lock);
	if (!p->readers) {
		err = pipe_wait_writable(p, true);
	} else if (tail && !packet) {
		n = write_merge(p, from, tail);
		done = max(n, 0L);
		err = n < 0 ? (int)n : 0;
	}
	while (!err && iter_left(from)) {
		/* What was written is read while we sleep. */
		if (done && !pipe_writable(p))
			pipe_wake_readers(p);
		err = pipe_wait_writable(p, file_nonblock(f) || from->nowait);
		if (err)
			break;
		n = write_slot(p, from, packet);
		if (n < 0)
			err = (int)n;
		else
			done += n;
	}
	pipe_pass_room(p);
	mutex_unlock(&p->w.lock);
	if (!done)
		return err;
	pipe_wake_readers(p);
	async_list_notify(&p->async, FMODE_READ, POLL_IN);
	return done;
}

static u32
pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	u32 ev = 0;

	if (f->mode & FMODE_READ) {
		poll_wait(f, &p->read_wait, pt);
		if (!pipe_empty(p))
			ev |= POLLIN | POLLRDNORM;
		if (!READ_ONCE(p->writers) && READ_ONCE(p->writer_opens) != f->fs_private)
			ev |= POLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		poll_wait(f, &p->write_wait, pt);
		if (!pipe_full(p))
			ev |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(p->readers))
			ev |= POLLERR;
	}
	return ev;
}

static long
pipe_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pipe *p = f->private;
	int n = 0;
	u32 i;

	if (cmd != FIONREAD)
		return -ENOTTY;
	pipe_lock_both(p);
	for (i = p->r.tail; i != p->w.head; i++)
		n += (int)(pipe_at(p, i)->end - pipe_slot_start(p, i));
	pipe_unlock_both(p);
	return put_user(n, (int __user *)arg);
}

static void
pipe_release(struct file *f)
{
	struct pipe *p = f->private;
	bool gone;

	if (f->flags & O_ASYNC)
		(void)!async_list_set(&p->async, f, false);
	mutex_lock(&p->w.lock);
	if (f->mode & FMODE_READ)
		p->readers--;
	if (f->mode & FMODE_WRITE)
		p->writers--;
	/* Both ends must look: end of file here, EPIPE there. */
	waitq_wake(&p->read_wait, 0, POLLIN | POLLRDNORM | POLLERR | POLLHUP);
	waitq_wake(&p->write_wait, 0, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
	gone = !p->readers && !p->writers;
	if (!gone && !p->readers != !p->writers) {
		async_list_notify(&p->async, FMODE_READ, POLL_IN);
		async_list_notify(&p->async, FMODE_WRITE, POLL_OUT);
	}
	mutex_unlock(&p->w.lock);
	if (gone && !p->named)
		pipe_free(p);
}

static int
pipe_set_flags(struct file *f, u32 flags)
{
	struct pipe *p = f->private;

	return async_list_set(&p->async, f, flags & O_ASYNC);
}

const struct file_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.set_flags = pipe_set_flags,
	.release = pipe_release,
};

struct pipe *
file_pipe(struct file *f)
{
	return f->ops == &pipe_ops ? f->private : NULL;
}

void
pipe_wait_no_reader(struct file *f)
{
	struct pipe *p = f->private;

	/* In place of the writer stands a reader, so that the pipe stays. */
	mutex_lock(&p->w.lock);
	p->readers++;
	p->writers--;
	waitq_wake(&p->read_wait, 0, POLLIN | POLLRDNORM | POLLHUP);
	mutex_unlock(&p->w.lock);
	(void)wait_event_interruptible(&p->write_wait, READ_ONCE(p->readers) <= 1);
	mutex_lock(&p->w.lock);
	p->readers--;
	p->writers++;
	mutex_unlock(&p->w.lock);
}

/* --- making them --- */

int
pipe_create(struct file *end[2], u32 flags)
{
	struct pipe *p = pipe_alloc();

	/* Limits of the user or of memory: Linux tells them not apart. */
	if (!p)
		return -ENFILE;
	end[0] = file_alloc(&pipe_ops, FMODE_READ | FMODE_NOWAIT_INSIDE, O_RDONLY | flags, p);
	if (is_err(end[0])) {
		pipe_free(p);
		return (int)ptr_err(end[0]);
	}
	p->readers = p->writers = 1;
	p->reader_opens = p->writer_opens = 1;
	end[1] = file_alloc(&pipe_ops, FMODE_WRITE | FMODE_NOWAIT_INSIDE, O_WRONLY | flags, p);
	if (is_err(end[1])) {
		p->writers = 0;
		file_put(end[0]);
		return (int)ptr_err(end[1]);
	}
	return 0;
}

long
sys_pipe2(int __user *ufds, int flags)
{
	struct file *end[2] = {NULL, NULL};
	int fd[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_create(end, (u32)flags & ~(u32)O_CLOEXEC);
	if (err)
		return err;
	fd[0] = fd_reserve(0, flags & O_CLOEXEC);
	fd[1] = fd[0] < 0 ? fd[0] : fd_reserve(0, flags & O_CLOEXEC);
	if (fd[1] >= 0 && !copy_to_user(ufds, fd, sizeof(fd))) {
		fd_publish((unsigned int)fd[0], end[0]);
		fd_publish((unsigned int)fd[1], end[1]);
		return 0;
	}
	err = fd[1] < 0 ? fd[1] : -EFAULT;
	if (fd[1] >= 0)
		fd_unreserve((unsigned int)fd[1]);
	if (fd[0] >= 0)
		fd_unreserve((unsigned int)fd[0]);
	file_put(end[0]);
	file_put(end[1]);
	return err;
}

long
sys_pipe(int __user *fds)
{
	return sys_pipe2(fds, 0);
}

/* A FIFO's opener waits for the other side (fifo(7)). */
int
pipe_open_fifo(struct pipe *p, struct file *f)
{
	bool reads = f->mode & FMODE_READ, writes = f->mode & FMODE_WRITE;
	u32 seen;
	int err = 0;

	f->mode &= ~(FMODE_SEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS);
	f->mode |= FMODE_NOWAIT_INSIDE;
	mutex_lock(&p->w.lock);
	if (writes && !reads && !p->readers && file_nonblock(f)) {
		mutex_unlock(&p->w.lock);
		return -ENXIO;
	}
	p->readers += reads;
	p->reader_opens += reads;
	p->writers += writes;
	p->writer_opens += writes;
	waitq_wake_all(&p->read_wait);
	waitq_wake_all(&p->write_wait);
	/* A reader without O_NONBLOCK has no hang-up before a first writer came. */
	f->fs_private = reads && !writes && !p->writers ? p->writer_opens : U64_MAX;
	if (reads && !writes && !p->writers && !file_nonblock(f)) {
		seen = p->writer_opens;
		mutex_unlock(&p->w.lock);
		err = wait_event_interruptible(&p->read_wait, READ_ONCE(p->writer_opens) != seen);
		mutex_lock(&p->w.lock);
	} else if (writes && !reads && !p->readers) {
		seen = p->reader_opens;
		mutex_unlock(&p->w.lock);
		err = wait_event_interruptible(&p->write_wait, READ_ONCE(p->reader_opens) != seen);
		mutex_lock(&p->w.lock);
	}
	if (err) {
		p->readers -= reads;
		p->writers -= writes;
		waitq_wake_all(&p->read_wait);
		waitq_wake_all(&p->write_wait);
	}
	mutex_unlock(&p->w.lock);
	return err;
}
