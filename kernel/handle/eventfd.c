/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd: a counter that reads and writes wait on (eventfd(2)); eventfd_count.c is the counter. */
#include "kernel/handle/eventfd_impl.h"
#include "kernel/handle/handle.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/slab.h"

#define EFD_SEMAPHORE 1

static s64
eventfd_read(struct file *f, struct iter *to, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 n;
	int err;

	if (iter_left(to) < sizeof(n))
		return -EINVAL;
	while ((n = eventfd_take(e)) == 0) {
		if (file_nonblock(f) || to->nowait)
			return -EAGAIN;
		err = wait_event_interruptible(&e->wait, eventfd_count_waiting(e) != 0);
		if (err)
			return err;
	}
	return iter_copy_to(to, &n, sizeof(n)) == sizeof(n) ? (s64)sizeof(n) : -EFAULT;
}

static s64
eventfd_write(struct file *f, struct iter *from, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 n;
	int err;

	if (iter_left(from) < sizeof(n))
		return -EINVAL;
	if (iter_copy_from(&n, from, sizeof(n)) != sizeof(n))
		return -EFAULT;
	if (n == U64_MAX)
		return -EINVAL;
	while (!eventfd_add(e, n)) {
		if (file_nonblock(f) || from->nowait)
			return -EAGAIN;
		err = wait_event_interruptible(&e->wait, EVENTFD_MAX - READ_ONCE(e->base) >= n);
		if (err)
			return err;
	}
	return sizeof(n);
}

static u32
eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->private;
	u64 n;

	poll_wait(f, &e->wait, pt);
	/* With a base there is a count, and a base near the limit is all of it. */
	n = READ_ONCE(e->base);
	if (!n)
		n = eventfd_count(e);
	return (n ? POLLIN | POLLRDNORM : 0) | (n == U64_MAX ? POLLERR : 0) |
	       (n < EVENTFD_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void
eventfd_release(struct file *f)
{
	eventfd_fini(f->private);
	kfree(f->private);
}

static void
eventfd_show(struct file *f, struct seq *s)
{
	seq_printf(s, "eventfd-count: %16lx\n", eventfd_count(f->private));
}

static const struct file_ops eventfd_ops = {
	.name = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.seek = seek_stay,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show,
};

struct eventfd *
file_eventfd(const struct file *f)
{
	return f->ops == &eventfd_ops ? f->private : NULL;
}

long
sys_eventfd2(unsigned int count, int flags)
{
	struct eventfd *e;
	struct file *f;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	eventfd_init(e, count, flags & EFD_SEMAPHORE);
	f = file_alloc(&eventfd_ops, FMODE_READ | FMODE_WRITE | FMODE_NOWAIT,
		       O_RDWR | (flags & O_NONBLOCK), e);
	if (is_err(f)) {
		kfree(e);
		return ptr_err(f);
	}
	return fd_install(f, 0, flags & O_CLOEXEC);
}

long
sys_eventfd(unsigned int count)
{
	return sys_eventfd2(count, 0);
}
