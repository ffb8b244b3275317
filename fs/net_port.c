/* SPDX-License-Identifier: BSD-2-Clause */
/* What net/ asks of fs/ (net/port.h): nodes that name local sockets. */
#include "fs/namei.h"
#include "kernel/cred.h"
#include "lib/errno.h"
#include "net/port.h"

int
net_port_socket_make(const char *name, struct path *place)
{
	int err = vfs_mknod(AT_FDCWD, name, S_IFSOCK | 0777, 0);

	if (err)
		return err == -EEXIST ? -EADDRINUSE : err;
	return path_lookup(AT_FDCWD, name, 0, place);
}

int
net_port_socket_find(const char *name, struct path *place)
{
	int err = path_lookup(AT_FDCWD, name, WALK_FOLLOW, place);

	if (err)
		return err;
	err = inode_permission(place->dentry->inode, current_cred(), MAY_WRITE);
	if (!err && !S_ISSOCK(place->dentry->inode->mode))
		err = -ECONNREFUSED;
	if (err) {
		path_put(place);
		place->mnt = NULL;
	}
	return err;
}

void
net_port_place_put(struct path *place)
{
	path_put(place);
}

const void *
net_port_place_key(const struct path *place)
{
	return place->dentry->inode;
}
