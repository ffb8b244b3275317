/* SPDX-License-Identifier: BSD-2-Clause */
/* What net/ asks of fs/ (fs/net_port.c): names of local sockets. */
#ifndef NET_PORT_H
#define NET_PORT_H

#include "kernel/file.h"

/* Makes a node; *place gets references. -EADDRINUSE if the name is taken, or as mknod(2). */
int net_port_socket_make(const char *name, struct path *place);
/* The node, if the caller may write to it: -ECONNREFUSED (no socket), or as open(2). */
int net_port_socket_find(const char *name, struct path *place);
void net_port_place_put(struct path *place);
/* What is the same for all names of one node. */
const void *net_port_place_key(const struct path *place);

#endif
