/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets: SEND, RECV, SENDMSG, RECVMSG, ACCEPT, CONNECT, SHUTDOWN, SOCKET. */
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "net/socket.h"
#include "uring/uring_impl.h"

static bool
is_recv(const struct request *r)
{
	return r->opcode == IORING_OP_RECV || r->opcode == IORING_OP_RECVMSG;
}

static bool
has_header(const struct request *r)
{
	return r->opcode == IORING_OP_SENDMSG || r->opcode == IORING_OP_RECVMSG;
}

int
prep_msg(struct request *r, const struct uring_sqe *sqe)
{
	u32 known = IORING_RECVSEND_POLL_FIRST | (is_recv(r) ? IORING_RECV_MULTISHOT : 0);

	if (has_header(r) || is_recv(r)) {
		if (sqe->off || sqe->file_index)
			return -EINVAL;
	}
	if (sqe->ioprio & ~known)
		return -EINVAL;
	r->msg = (struct op_msg){
		.addr = sqe->addr,
		.len = sqe->len,
		.flags = sqe->op_flags,
	};
	if (r->opcode == IORING_OP_SEND) {
		r->msg.name = sqe->off;
		r->msg.name_len = sqe->file_index & 0xffff;
		if (sqe->file_index >> 16)
			return -EINVAL;
	}
	if (sqe->ioprio & IORING_RECVSEND_POLL_FIRST)
		r->flags |= RQ_POLL_FIRST;
	if (sqe->op_flags & MSG_DONTWAIT)
		r->flags |= RQ_NOWAIT;
	if (sqe->ioprio & IORING_RECV_MULTISHOT) {
		if (!(r->flags & RQ_SELECT) || sqe->op_flags & MSG_WAITALL)
			return -EINVAL;
		/* Of a message with its header none is made by halves: io_uring's own form. */
		if (has_header(r) || sqe->len)
			return -EINVAL;
		r->flags |= RQ_MULTISHOT;
	}
	return 0;
}

int
import_msg(struct request *r)
{
	struct socket_msg *g;
	struct sock_addr *a;
	int err;

	if (has_header(r)) {
		g = kmalloc(sizeof(*g), GFP_KERNEL);
		if (!g)
			return -ENOMEM;
		err = socket_msg_get(g, (const struct user_msghdr __user *)r->msg.addr);
		if (err) {
			kfree(g);
			return err;
		}
		r->msg.copied = g;
		return 0;
	}
	if (!r->msg.name)
		return 0;
	a = kmalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	err = sock_addr_get(a, (const void __user *)r->msg.name, (int)r->msg.name_len);
	if (err) {
		kfree(a);
		return err;
	}
	r->msg.copied = a;
	return 0;
}

void
cleanup_msg(struct request *r)
{
	if (has_header(r) && r->msg.copied)
		socket_msg_put(r->msg.copied);
	kfree(r->msg.copied);
}

/* The flags of one attempt. */
static u32
flags_now(const struct request *r, u32 how)
{
	u32 flags = r->msg.flags;

	/* A worker waits, whatever the handle says. */
	if (how & ISSUE_NONBLOCK || file_nonblock(r->file))
		flags |= MSG_DONTWAIT;
	return flags;
}

static s64
send_plain(struct request *r, u32 flags)
{
	struct socket *s = file_socket(r->file);
	struct message m = {.flags = flags, .name = r->msg.copied};
	s64 n = iter_init_user(&m.iter, (void __user *)(r->msg.addr + (u64)r->msg.done),
			       r->msg.len - (u32)r->msg.done);

	if (n)
		return n;
	scm_init(&m.scm);
	return s->ops->send(s, &m);
}

static s64
recv_plain(struct request *r, u64 addr, u32 len, u32 flags)
{
	struct socket *s = file_socket(r->file);
	struct message m = {.flags = flags};
	s64 n = iter_init_user(&m.iter, (void __user *)addr, len);

	if (n)
		return n;
	n = s->ops->recv(s, &m);
	scm_free(&m.scm);
	return n;
}

static s64
send_once(struct request *r, u32 how)
{
	u32 flags = flags_now(r, how);

	return has_header(r) ? socket_msg_send(r->file, r->msg.copied, flags)
			     : send_plain(r, flags);
}

/* Into a buffer of its group, if it says so. */
static s64
recv_once(struct request *r, u32 how)
{
	struct socket_msg *g = r->msg.copied;
	u32 flags = flags_now(r, how), len = r->msg.len;
	u64 addr = r->msg.addr + (u64)r->msg.done;
	int err;

	if (r->flags & RQ_SELECT) {
		if (has_header(r)) {
			if (g->h.iov_len > 1)
				return -EINVAL;
			len = (u32)min(iter_left(&g->m.iter), (size_t)INT32_MAX);
		}
		err = select_buffer(r, &addr, &len, how);
		if (!err && has_header(r))
			err = iter_init_user(&g->m.iter, (void __user *)addr, len);
		if (err)
			return err;
	} else {
		len -= (u32)r->msg.done;
	}
	return has_header(r) ? socket_msg_recv(r->file, g, (struct user_msghdr __user *)r->msg.addr,
					       flags)
			     : recv_plain(r, addr, len, flags);
}

/* What was moved so far is not all, and MSG_WAITALL wants that. True: try for the rest. */
static bool
wants_rest(struct request *r, s64 n, u32 how)
{
	struct socket *s = file_socket(r->file);
	u32 left;

	if (n <= 0 || has_header(r) || r->flags & RQ_SELECT || !(how & ISSUE_NONBLOCK) ||
	    !(r->msg.flags & MSG_WAITALL) || s->type != SOCK_STREAM)
		return false;
	left = r->msg.len - (u32)r->msg.done;
	if ((u64)n >= left)
		return false;
	r->msg.done += n;
	return true;
}

/* Tells of what came, and goes on; the last one is its result. */
static long
recv_multishot(struct request *r, s64 n)
{
	/* Who sends as fast does not keep a task that is killed. */
	if (n <= 0 || fatal_signal_pending() ||
	    !ring_post(r->ring, r->user_data, (s32)n, r->cflags | IORING_CQE_F_MORE)) {
		r->flags &= ~RQ_MULTISHOT;
		return n;
	}
	/* The buffer is the program's now. */
	r->flags &= ~RQ_BUFFER;
	r->cflags = 0;
	return 1;
}

static long
finish_msg(struct request *r, s64 n, u32 how)
{
	size_t all = r->msg.len;

	if (n == -ERESTARTSYS)
		n = -EINTR;
	if (n < 0 && !r->msg.done)
		select_undo(r, how);
	if (r->msg.done)
		n = n > 0 ? n + r->msg.done : r->msg.done;
	if (n >= 0 && r->msg.flags & MSG_WAITALL && !has_header(r) && (size_t)n < all)
		r->flags |= RQ_FAIL;
	return n;
}

long
issue_msg(struct request *r, u32 how)
{
	s64 n;
	int err;

	if (!file_socket(r->file))
		return -ENOTSOCK;
	if (!(r->flags & RQ_IMPORTED)) {
		r->flags |= RQ_IMPORTED;
		err = import_msg(r);
		if (err)
			return err;
	}
	for (;;) {
		n = is_recv(r) ? recv_once(r, how) : send_once(r, how);
		if (n == -EAGAIN && how & ISSUE_NONBLOCK) {
			select_undo(r, how);
			return r->flags & RQ_NOWAIT ? finish_msg(r, n, how) : -EAGAIN;
		}
		if (r->flags & RQ_MULTISHOT) {
			n = recv_multishot(r, n);
			if (r->flags & RQ_MULTISHOT)
				continue;
			return finish_msg(r, n, how);
		}
		if (!wants_rest(r, n, how))
			return finish_msg(r, n, how);
	}
}

/* --- ACCEPT, CONNECT, SHUTDOWN, SOCKET --- */

int
prep_accept(struct request *r, const struct uring_sqe *sqe)
{
	u32 flags = sqe->op_flags;

	if (sqe->len || sqe->buf)
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->addr, .b = sqe->off, .flags = flags};
	r->file_slot = sqe->file_index;
	if (r->file_slot && flags & SOCK_CLOEXEC)
		return -EINVAL;
	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (sqe->ioprio & ~IORING_ACCEPT_MULTISHOT)
		return -EINVAL;
	if (sqe->ioprio & IORING_ACCEPT_MULTISHOT) {
		if (r->file_slot && r->file_slot != IORING_FILE_INDEX_ALLOC)
			return -EINVAL;
		r->flags |= RQ_MULTISHOT;
	}
	return 0;
}

/* One connection, in a descriptor or a slot. */
static long
accept_one(struct request *r, u32 how)
{
	struct accept_args a = {
		.uaddr = (void __user *)r->args.a,
		.ulen = (int __user *)r->args.b,
		.flags = r->args.flags,
		.nonblock = how & ISSUE_NONBLOCK,
	};
	struct file *f;
	int fd = -1;

	if (!r->file_slot) {
		fd = fd_reserve(0, a.flags & SOCK_CLOEXEC);
		if (fd < 0)
			return fd;
	}
	f = socket_accept(r->file, &a);
	if (is_err(f)) {
		if (fd >= 0)
			fd_unreserve((unsigned int)fd);
		return ptr_err(f);
	}
	if (r->file_slot)
		return ring_file_install(r, f, r->file_slot, how);
	fd_publish((unsigned int)fd, f);
	return fd;
}

long
issue_accept(struct request *r, u32 how)
{
	long ret;

	if (!file_socket(r->file))
		return -ENOTSOCK;
	for (;;) {
		ret = accept_one(r, how);
		if (ret == -EAGAIN && how & ISSUE_NONBLOCK)
			return -EAGAIN;
		if (!(r->flags & RQ_MULTISHOT))
			return ret;
		if (ret < 0 || fatal_signal_pending() ||
		    !ring_post(r->ring, r->user_data, (s32)ret, IORING_CQE_F_MORE)) {
			r->flags &= ~RQ_MULTISHOT;
			return ret < 0 ? ret : -ECANCELED;
		}
	}
}

int
prep_connect(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->len || sqe->buf || sqe->op_flags || sqe->file_index)
		return -EINVAL;
	r->msg = (struct op_msg){.name = sqe->addr, .name_len = (u32)sqe->off};
	return 0;
}

int
import_connect(struct request *r)
{
	struct sock_addr *a = kmalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	err = sock_addr_get(a, (const void __user *)r->msg.name, (int)r->msg.name_len);
	if (err) {
		kfree(a);
		return err;
	}
	r->msg.copied = a;
	return 0;
}

void
cleanup_connect(struct request *r)
{
	kfree(r->msg.copied);
}

long
issue_connect(struct request *r, u32 how)
{
	struct socket *s = file_socket(r->file);
	int err;

	if (!s)
		return -ENOTSOCK;
	if (!(r->flags & RQ_IMPORTED)) {
		r->flags |= RQ_IMPORTED;
		err = import_connect(r);
		if (err)
			return err;
	}
	if (!s->ops->connect)
		return -EOPNOTSUPP;
	return s->ops->connect(s, r->msg.copied, how & ISSUE_NONBLOCK || file_nonblock(r->file));
}

int
prep_shutdown(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->op_flags || sqe->buf || sqe->file_index)
		return -EINVAL;
	r->args = (struct op_args){.len = sqe->len};
	return 0;
}

long
issue_shutdown(struct request *r, u32 how)
{
	struct socket *s = file_socket(r->file);

	if (!s)
		return -ENOTSOCK;
	return r->args.len > SHUT_RDWR ? -EINVAL : s->ops->shutdown(s, (int)r->args.len);
}

int
prep_socket(struct request *r, const struct uring_sqe *sqe)
{
	u32 flags = (u32)sqe->off & ~(u32)SOCK_TYPE_MASK;

	if (sqe->addr || sqe->op_flags || sqe->buf)
		return -EINVAL;
	r->args = (struct op_args){.a = (u32)sqe->fd, .b = sqe->off, .len = sqe->len};
	r->file_slot = sqe->file_index;
	if (r->file_slot && flags & SOCK_CLOEXEC)
		return -EINVAL;
	return flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : 0;
}

long
issue_socket(struct request *r, u32 how)
{
	u32 flags = (u32)r->args.b;
	struct socket *s;
	struct file *f;
	int err;

	if (!r->file_slot)
		return sys_socket((int)r->args.a, (int)flags, (int)r->args.len);
	err = socket_create((int)r->args.a, (int)(flags & SOCK_TYPE_MASK), (int)r->args.len, &s);
	if (err)
		return err;
	f = socket_file(s, flags & O_NONBLOCK);
	return is_err(f) ? ptr_err(f) : ring_file_install(r, f, r->file_slot, how);
}
