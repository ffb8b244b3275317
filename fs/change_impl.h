/* SPDX-License-Identifier: BSD-2-Clause */
/* What change.c, rename.c and open.c share. */
#ifndef FS_CHANGE_IMPL_H
#define FS_CHANGE_IMPL_H

#include "fs/namei.h"

bool dir_parallel(const struct inode *dir);
/* One name by itself: 0, -EACCES, -ENAMETOOLONG. */
int last_of_name(struct last *last, const char *name);
/* May the caller make a name in parent? -ENOENT: it is dead. */
int may_create(const struct dentry *parent);
/* May it remove victim, as a directory or as something else? */
int may_delete(const struct dentry *parent, const struct dentry *victim, bool is_dir);
/* Makes a node at a free name: *out with a reference. -EEXIST: it was not free. */
int make_node(const struct path *parent, const struct last *last, const struct node_args *a,
	      struct dentry **out);

#endif
