/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that make, name and connect sockets. (sys_msg.c sends and receives.) */
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "net/sys_impl.h"

int
sock_get(int fd, struct sockref *r)
{
	r->fd = fd_get((unsigned int)fd);
	if (!r->fd.file)
		return -EBADF;
	r->s = file_socket(r->fd.file);
	if (r->s)
		return 0;
	fd_put(r->fd);
	return -ENOTSOCK;
}

int
sock_addr_get(struct sock_addr *a, const void __user *user, int len)
{
	if (len < 0 || len > SOCK_ADDR_MAX)
		return -EINVAL;
	*a = (struct sock_addr){.len = (u32)len};
	return copy_from_user(a->bytes, user, a->len);
}

int
sock_addr_put(const struct sock_addr *a, void __user *user, int __user *ulen)
{
	int room;

	if (!user)
		return 0;
	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(user, a->bytes, min((u32)room, a->len)))
		return -EFAULT;
	return put_user((int)a->len, ulen);
}

/* --- making --- */

static int
check_type(int *type, u32 *flags)
{
	*flags = (u32)*type & ~(u32)SOCK_TYPE_MASK;
	*type &= SOCK_TYPE_MASK;
	return *flags & ~(u32)(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : 0;
}

static long
install(struct socket *s, u32 flags)
{
	struct file *f = socket_file(s, flags & O_NONBLOCK);

	return is_err(f) ? ptr_err(f) : fd_install(f, 0, flags & SOCK_CLOEXEC);
}

long
sys_socket(int family, int type, int protocol)
{
	struct socket *s;
	u32 flags;
	int err = check_type(&type, &flags);

	if (!err)
		err = socket_create(family, type, protocol, &s);
	return err ? err : install(s, flags);
}

/* Two connected sockets as handles. */
static int
make_pair(int family, int type, int protocol, u32 flags, struct file **f)
{
	struct socket *a, *b;
	int err = socket_create(family, type, protocol, &a);

	if (err)
		return err;
	err = socket_create(family, type, protocol, &b);
	if (err) {
		a->ops->release(a);
		return err;
	}
	err = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
	if (err) {
		a->ops->release(a);
		b->ops->release(b);
		return err;
	}
	f[0] = socket_file(a, flags);
	if (is_err(f[0])) {
		b->ops->release(b);
		return (int)ptr_err(f[0]);
	}
	f[1] = socket_file(b, flags);
	if (!is_err(f[1]))
		return 0;
	file_put(f[0]);
	return (int)ptr_err(f[1]);
}

long
sys_socketpair(int family, int type, int protocol, int __user *ufds)
{
	int fd[2] = {-1, -1}, err, i;
	struct file *f[2] = {};
	u32 flags;

	err = check_type(&type, &flags);
	if (err)
		return err;
	for (i = 0; i < 2; i++) {
		fd[i] = fd_reserve(0, flags & SOCK_CLOEXEC);
		if (fd[i] < 0) {
			err = fd[i];
			goto out_unreserve;
		}
	}
	err = copy_to_user(ufds, fd, sizeof(fd));
	if (!err)
		err = make_pair(family, type, protocol, flags, f);
	if (err)
		goto out_unreserve;
	fd_publish((unsigned int)fd[0], f[0]);
	fd_publish((unsigned int)fd[1], f[1]);
	return 0;

out_unreserve:
	while (i-- > 0)
		if (fd[i] >= 0)
			fd_unreserve((unsigned int)fd[i]);
	return err;
}

/* --- naming and connecting --- */

long
sys_bind(int fd, const void __user *uaddr, int len)
{
	struct sockref r;
	struct sock_addr a;
	int err = sock_get(fd, &r);

	if (err)
		return err;
	err = sock_addr_get(&a, uaddr, len);
	if (!err)
		err = r.s->ops->bind ? r.s->ops->bind(r.s, &a) : -EOPNOTSUPP;
	fd_put(r.fd);
	return err;
}

long
sys_connect(int fd, const void __user *uaddr, int len)
{
	struct sockref r;
	struct sock_addr a;
	int err = sock_get(fd, &r);

	if (err)
		return err;
	err = sock_addr_get(&a, uaddr, len);
	if (!err)
		err = r.s->ops->connect ? r.s->ops->connect(r.s, &a, file_nonblock(r.fd.file))
					: -EOPNOTSUPP;
	fd_put(r.fd);
	return err;
}

long
sys_listen(int fd, int backlog)
{
	struct sockref r;
	int err = sock_get(fd, &r);

	if (err)
		return err;
	/* net.core.somaxconn */
	err = r.s->ops->listen ? r.s->ops->listen(r.s, min((u32)backlog, 4096u)) : -EOPNOTSUPP;
	fd_put(r.fd);
	return err;
}

struct file *
socket_accept(struct file *f, const struct accept_args *args)
{
	struct socket *s = file_socket(f), *new;
	struct sock_addr a;
	int err;

	if (!s->ops->accept)
		return err_ptr(-EOPNOTSUPP);
	err = s->ops->accept(s, file_nonblock(f) || args->nonblock, &new);
	if (err)
		return err_ptr(err);
	f = socket_file(new, args->flags & O_NONBLOCK);
	if (is_err(f) || !args->uaddr)
		return f;
	/* The peer may have gone meanwhile: then it has no name. */
	if (new->ops->getname(new, &a, true))
		a = (struct sock_addr){.len = sizeof(u16), .family = new->family};
	err = sock_addr_put(&a, args->uaddr, args->ulen);
	if (err) {
		file_put(f);
		return err_ptr(err);
	}
	return f;
}

static long
accept_on(struct file *f, void __user *uaddr, int __user *ulen, u32 flags)
{
	struct accept_args a = {uaddr, ulen, flags, false};
	int fd = fd_reserve(0, flags & SOCK_CLOEXEC);
	struct file *new;

	if (fd < 0)
		return fd;
	new = socket_accept(f, &a);
	if (is_err(new)) {
		fd_unreserve((unsigned int)fd);
		return ptr_err(new);
	}
	fd_publish((unsigned int)fd, new);
	return fd;
}

long
sys_accept4(int fd, void __user *uaddr, int __user *ulen, int flags)
{
	struct sockref r;
	long ret;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	ret = sock_get(fd, &r);
	if (ret)
		return ret;
	ret = accept_on(r.fd.file, uaddr, ulen, (u32)flags);
	fd_put(r.fd);
	return ret;
}

long
sys_accept(int fd, void __user *uaddr, int __user *ulen)
{
	return sys_accept4(fd, uaddr, ulen, 0);
}

static long
name_of(int fd, void __user *uaddr, int __user *ulen, bool peer)
{
	struct sockref r;
	struct sock_addr a;
	int err = sock_get(fd, &r);

	if (err)
		return err;
	err = r.s->ops->getname(r.s, &a, peer);
	if (!err)
		err = uaddr ? sock_addr_put(&a, uaddr, ulen) : -EFAULT;
	fd_put(r.fd);
	return err;
}

long
sys_getsockname(int fd, void __user *uaddr, int __user *ulen)
{
	return name_of(fd, uaddr, ulen, false);
}

long
sys_getpeername(int fd, void __user *uaddr, int __user *ulen)
{
	return name_of(fd, uaddr, ulen, true);
}

long
sys_shutdown(int fd, int how)
{
	struct sockref r;
	int err = sock_get(fd, &r);

	if (err)
		return err;
	err = how < 0 || how > SHUT_RDWR ? -EINVAL : r.s->ops->shutdown(r.s, how);
	fd_put(r.fd);
	return err;
}

/* --- options --- */

long
sys_setsockopt(int fd, int level, int opt, const void __user *val, int len)
{
	struct sockref r;
	int err;

	if (len < 0)
		return -EINVAL;
	err = sock_get(fd, &r);
	if (err)
		return err;
	err = level == SOL_SOCKET ? socket_setopt(r.s, opt, val, (u32)len) : -EOPNOTSUPP;
	fd_put(r.fd);
	return err;
}

long
sys_getsockopt(int fd, int level, int opt, void __user *val, int __user *ulen)
{
	struct sockref r;
	int len, err = sock_get(fd, &r);
	u32 n;

	if (err)
		return err;
	if (level != SOL_SOCKET) {
		err = -EOPNOTSUPP;
	} else if (get_user(len, ulen)) {
		err = -EFAULT;
	} else if (len < 0) {
		err = -EINVAL;
	} else {
		n = (u32)len;
		err = socket_getopt(r.s, opt, val, &n);
		if (!err)
			err = put_user((int)n, ulen);
	}
	fd_put(r.fd);
	return err;
}
