/* SPDX-License-Identifier: BSD-2-Clause */
/* Between device.c and devtmpfs.c. */
#ifndef FS_DEVICE_IMPL_H
#define FS_DEVICE_IMPL_H

#include "fs/vfs.h"
#include "kernel/port_fs.h"

struct device {
	struct hnode link;
	struct dev_desc desc;
	struct rcu_head rcu;
};

/* All that are registered; boot only. */
void device_for_each(void (*fn)(const struct dev_desc *d));

/* Makes and removes the node; before devtmpfs_init() nothing happens. */
int devtmpfs_add(const struct dev_desc *d);
void devtmpfs_del(const struct dev_desc *d);
void devtmpfs_init(void);

#endif
