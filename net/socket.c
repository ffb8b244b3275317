/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets as handles: making them, reading, writing, polling, the end. */
#include "net/socket.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

void
socket_init(struct socket *s, const struct sock_ops *ops, int family, int type)
{
	*s = (struct socket){
		.ops = ops,
		.family = (u16)family,
		.type = (u16)type,
		.sndbuf = SOCK_BUF_DEFAULT,
		.rcvbuf = SOCK_BUF_DEFAULT,
		.rcvlowat = 1,
		.peek_off = -1,
	};
}

int
socket_create(int family, int type, int protocol, struct socket **out)
{
	const struct sock_family *f;

	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_TYPE_MAX)
		return -EINVAL;
	for_each_registered(sock_families, f)
		if (f->family == family)
			return f->create(type, protocol, out);
	return -EAFNOSUPPORT;
}

u64
socket_deadline(u64 timeout)
{
	return timeout ? deadline_after(timeout) : NO_DEADLINE;
}

int
socket_wait_error(int err, u64 deadline)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && deadline != NO_DEADLINE ? -EINTR : err;
}

/* --- the handle --- */

static u32
nonblock_flag(const struct file *f, const struct iter *it)
{
	return file_nonblock(f) || it->nowait ? MSG_DONTWAIT : 0;
}

static s64
handle_read(struct file *f, struct iter *to, u64 *pos)
{
	struct socket *s = f->private;
	struct message m = {.iter = *to, .flags = nonblock_flag(f, to)};
	s64 n;

	if (!iter_left(to))
		return 0;
	n = s->ops->recv(s, &m);
	*to = m.iter;
	/* Nobody asked for what came along. */
	scm_free(&m.scm);
	return n;
}

static s64
handle_write(struct file *f, struct iter *from, u64 *pos)
{
	struct socket *s = f->private;
	struct message m = {.iter = *from, .flags = nonblock_flag(f, from)};
	s64 n;

	scm_init(&m.scm);
	n = s->ops->send(s, &m);
	*from = m.iter;
	return n;
}

static u32
handle_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->private;

	return s->ops->poll(s, f, pt);
}

static long
handle_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct socket *s = f->private;
	long n = s->ops->queued ? s->ops->queued(s, cmd) : -ENOTTY;

	return n < 0 ? n : put_user((int)n, (int __user *)arg);
}

static void
handle_release(struct file *f)
{
	struct socket *s = f->private;

	s->ops->release(s);
}

static const struct file_ops socket_ops = {
	.name = "socket",
	.read = handle_read,
	.write = handle_write,
	.poll = handle_poll,
	.ioctl = handle_ioctl,
	.release = handle_release,
};

struct file *
socket_file(struct socket *s, u32 flags)
{
	struct file *f = file_alloc(&socket_ops, FMODE_READ | FMODE_WRITE | FMODE_NOWAIT_INSIDE,
				    O_RDWR | (flags & O_NONBLOCK), s);

	if (is_err(f))
		s->ops->release(s);
	else
		s->file = f;
	return f;
}

struct socket *
file_socket(const struct file *f)
{
	return f->ops == &socket_ops ? f->private : NULL;
}
