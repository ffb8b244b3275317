/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of tmpfs share. */
#ifndef FS_TMPFS_IMPL_H
#define FS_TMPFS_IMPL_H

#include "fs/tmpfs.h"

extern const struct inode_ops tmpfs_dir_inode_ops;
extern const struct inode_ops tmpfs_special_inode_ops;
extern const struct file_ops tmpfs_dir_ops;
extern const struct pagecache_ops tmpfs_cache_ops;

void tmpfs_release_inode(struct inode *i);
/* Waits until removed files that nobody uses have given back what they held. May sleep. */
void tmpfs_settle(struct super *sb);

#endif
