/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system calls on sockets share. */
#ifndef NET_SYS_IMPL_H
#define NET_SYS_IMPL_H

#include "net/socket.h"

/* A socket for the time of one system call; fd_put(r->fd) afterwards. */
struct sockref {
	struct fdref fd;
	struct socket *s;
};

/* 0, -EBADF, -ENOTSOCK. */
int sock_get(int fd, struct sockref *r);
/* 0, -EINVAL, -EFAULT. */
int sock_addr_get(struct sock_addr *a, const void __user *user, int len);
/* Cut to *ulen, which gets the true length. user NULL: nothing. 0, -EINVAL, -EFAULT. */
int sock_addr_put(const struct sock_addr *a, void __user *user, int __user *ulen);

#endif
