/* SPDX-License-Identifier: BSD-2-Clause */
/* nsfs: places that stand for namespaces. (fs/nsfs.c tells the model.) */
#ifndef FS_NSFS_H
#define FS_NSFS_H

#include "fs/vfs.h"

struct ns;

void nsfs_init(void);
/* The place of a namespace, with references; takes that of ns, also when it fails. -ENOMEM. */
int nsfs_path_get(struct ns *ns, struct path *p);
/* The namespace that d stands for, borrowed; NULL: d is none. */
struct ns *dentry_ns(const struct dentry *d);

#endif
