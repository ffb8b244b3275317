/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that send and receive messages. */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "net/sys_impl.h"

/* sendmmsg and recvmmsg take no more at a time (UIO_MAXIOV). */
#define BATCH_MAX 1024u

static u32
flags_of(const struct file *f, u32 flags)
{
	return flags | (file_nonblock(f) ? MSG_DONTWAIT : 0);
}

/* --- one buffer --- */

long
sys_sendto(int fd, const void __user *buf, size_t n, unsigned int flags, const void __user *uaddr,
	   int len)
{
	struct message m = {};
	struct sock_addr a;
	struct sockref r;
	s64 ret = sock_get(fd, &r);

	if (ret)
		return ret;
	ret = iter_init_user(&m.iter, (void __user *)buf, n);
	if (!ret && uaddr) {
		ret = sock_addr_get(&a, uaddr, len);
		m.name = &a;
	}
	if (!ret) {
		m.flags = flags_of(r.fd.file, flags);
		scm_init(&m.scm);
		ret = r.s->ops->send(r.s, &m);
	}
	fd_put(r.fd);
	return ret;
}

long
sys_recvfrom(int fd, void __user *buf, size_t n, unsigned int flags, void __user *uaddr,
	     int __user *ulen)
{
	struct message m = {};
	struct sock_addr a = {};
	struct sockref r;
	s64 ret = sock_get(fd, &r);
	int err;

	if (ret)
		return ret;
	ret = iter_init_user(&m.iter, buf, n);
	if (!ret) {
		m.flags = flags_of(r.fd.file, flags);
		m.name = &a;
		ret = r.s->ops->recv(r.s, &m);
		scm_free(&m.scm);
	}
	fd_put(r.fd);
	err = ret >= 0 ? sock_addr_put(&a, uaddr, ulen) : 0;
	return err ? err : ret;
}

/* --- headers --- */

int
socket_msg_get(struct socket_msg *g, const struct user_msghdr __user *uh)
{
	g->m = (struct message){};
	g->iov = NULL;
	if (copy_from_user(&g->h, uh, sizeof(g->h)))
		return -EFAULT;
	if (g->h.iov_len > IOV_MAX)
		return -EMSGSIZE;
	if (g->h.name && g->h.name_len < 0)
		return -EINVAL;
	return iter_init_user_iov(&g->m.iter, g->h.iov, g->h.iov_len, g->fast, &g->iov);
}

void
socket_msg_put(struct socket_msg *g)
{
	kfree(g->iov);
	g->iov = NULL;
}

s64
socket_msg_send(struct file *f, struct socket_msg *g, u32 flags)
{
	struct socket *s = file_socket(f);
	s64 ret = 0;

	if (g->h.name && g->h.name_len) {
		ret = sock_addr_get(&g->addr, g->h.name, min(g->h.name_len, SOCK_ADDR_MAX));
		g->m.name = &g->addr;
	}
	scm_init(&g->m.scm);
	if (!ret && g->h.control_len > INT32_MAX)
		ret = -ENOBUFS;
	if (!ret && g->h.control)
		ret = scm_parse(&g->m.scm, g->h.control, g->h.control_len);
	if (!ret) {
		g->m.flags = flags_of(f, flags);
		ret = s->ops->send(s, &g->m);
	}
	scm_free(&g->m.scm);
	return ret;
}

static s64
send_one(struct sockref *r, struct socket_msg *g, const struct user_msghdr __user *uh, u32 flags)
{
	s64 ret = socket_msg_get(g, uh);

	if (!ret) {
		ret = socket_msg_send(r->fd.file, g, flags);
		socket_msg_put(g);
	}
	return ret;
}

/* Writes back name, control data and flags. */
static int
recv_finish(struct socket *s, struct socket_msg *g, struct user_msghdr __user *uh)
{
	u64 used = g->h.control ? min(g->h.control_len, (u64)INT32_MAX) : 0;
	u32 out = g->m.out_flags | (g->m.flags & MSG_CMSG_CLOEXEC);
	bool creds = atomic_read(&s->options) & SOCKET_PASSCRED;

	out |= scm_deliver(&g->m.scm, g->h.control, &used, creds, g->m.flags);
	if (g->h.name &&
	    copy_to_user(g->h.name, g->addr.bytes, min((u32)g->h.name_len, g->addr.len)))
		return -EFAULT;
	if (put_user((s32)g->addr.len, user_field(uh, name_len)) ||
	    put_user(out, user_field(uh, flags)) || put_user(used, user_field(uh, control_len)))
		return -EFAULT;
	return 0;
}

s64
socket_msg_recv(struct file *f, struct socket_msg *g, struct user_msghdr __user *uh, u32 flags)
{
	struct socket *s = file_socket(f);
	s64 ret;
	int err;

	g->addr = (struct sock_addr){};
	g->m.name = &g->addr;
	g->m.flags = flags_of(f, flags);
	ret = s->ops->recv(s, &g->m);
	if (ret >= 0) {
		err = recv_finish(s, g, uh);
		ret = err ? err : ret;
	}
	scm_free(&g->m.scm);
	return ret;
}

static s64
recv_one(struct sockref *r, struct socket_msg *g, struct user_msghdr __user *uh, u32 flags)
{
	s64 ret = socket_msg_get(g, uh);

	if (!ret) {
		ret = socket_msg_recv(r->fd.file, g, uh, flags);
		socket_msg_put(g);
	}
	return ret;
}

long
sys_sendmsg(int fd, const struct user_msghdr __user *uh, unsigned int flags)
{
	struct sockref r;
	struct socket_msg g;
	s64 ret = sock_get(fd, &r);

	if (ret)
		return ret;
	ret = send_one(&r, &g, uh, flags);
	fd_put(r.fd);
	return ret;
}

long
sys_recvmsg(int fd, struct user_msghdr __user *uh, unsigned int flags)
{
	struct sockref r;
	struct socket_msg g;
	s64 ret = sock_get(fd, &r);

	if (ret)
		return ret;
	ret = recv_one(&r, &g, uh, flags);
	fd_put(r.fd);
	return ret;
}

/* --- several --- */

long
sys_sendmmsg(int fd, struct mmsghdr __user *vec, unsigned int n, unsigned int flags)
{
	struct sockref r;
	struct socket_msg g;
	s64 ret = sock_get(fd, &r);
	unsigned int i;

	if (ret)
		return ret;
	n = min(n, BATCH_MAX);
	for (i = 0; i < n; i++) {
		ret = send_one(&r, &g, user_field(&vec[i], hdr), flags);
		if (ret >= 0 && put_user((u32)ret, user_field(&vec[i], len)))
			ret = -EFAULT;
		if (ret < 0)
			break;
	}
	fd_put(r.fd);
	return i ? (long)i : ret;
}

static int
get_deadline(u64 *deadline, struct timespec __user *uts)
{
	int err = 0;

	*deadline = NO_DEADLINE;
	if (uts) {
		err = get_user_timespec(deadline, uts);
		*deadline = err ? 0 : deadline_after(*deadline);
	}
	return err;
}

/* The time-out is looked at after each message, as in Linux (recvmmsg(2), BUGS). */
long
sys_recvmmsg(int fd, struct mmsghdr __user *vec, unsigned int n, unsigned int flags,
	     struct timespec __user *uts)
{
	struct sockref r;
	struct socket_msg g;
	u64 deadline, now;
	s64 ret = get_deadline(&deadline, uts);
	unsigned int i;

	if (!ret)
		ret = sock_get(fd, &r);
	if (ret)
		return ret;
	n = min(n, BATCH_MAX);
	for (i = 0; i < n; i++) {
		ret = recv_one(&r, &g, user_field(&vec[i], hdr), flags & ~MSG_WAITFORONE);
		if (ret >= 0 && put_user((u32)ret, user_field(&vec[i], len)))
			ret = -EFAULT;
		if (ret < 0)
			break;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != NO_DEADLINE && ktime_get() >= deadline) {
			i++;
			break;
		}
	}
	fd_put(r.fd);
	now = ktime_get();
	if (uts && put_user_timespec(uts, deadline > now ? deadline - now : 0))
		return -EFAULT;
	return i ? (long)i : ret;
}
