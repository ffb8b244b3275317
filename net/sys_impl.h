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

#endif
