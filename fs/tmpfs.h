/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs: files in memory. (fs/tmpfs.c tells the model.) */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

#include "fs/dcache.h"
#include "mm/pagecache.h"

struct xattr;

struct tmpfs_inode {
	struct inode inode;
	/* Regular files. */
	struct pagecache pages;
	/* (inode.mutex; readers too)  extended attributes */
	struct list xattrs;
	/* (inode.lock)  directories: order of the last explicit change of the times */
	u64 times_stamp;
};

/* What a CPU counts of one tmpfs, on a line of its own. */
struct tmpfs_pcp {
	s64 blocks __cacheline_aligned;
	s64 inodes;
	/* Files that have no name any more and are not freed yet. */
	s64 orphans;
};

struct tmpfs_super {
	/* Pages and inodes with their limits. */
	struct limit_counter blocks;
	struct limit_counter inodes;
	struct tmpfs_pcp __percpu *pcp;
	u32 mode;
	u32 uid;
	u32 gid;
};

static inline struct tmpfs_inode *
tmpfs_inode(const struct inode *i)
{
	return container_of(i, struct tmpfs_inode, inode);
}

static inline struct tmpfs_super *
tmpfs_super(const struct super *sb)
{
	return sb->private;
}

void tmpfs_init(void);
/* A super with options; flags: SB_* more. err_ptr. */
struct super *tmpfs_create(const struct fs_type *t, const struct mount_args *a, u32 flags);
/* A node without a name (files of memfd, roots); charged. err_ptr(-ENOSPC, -ENOMEM). */
struct inode *tmpfs_inode_new(struct super *sb, const struct inode *dir, u32 mode, u32 rdev);

extern const struct super_ops tmpfs_super_ops;
extern const struct inode_ops tmpfs_file_inode_ops;
extern const struct file_ops tmpfs_file_ops;
extern const struct fs_type tmpfs_type;
extern const struct fs_type rootfs_type;
int tmpfs_fallocate(struct file *f, int mode, u64 off, u64 len);

/* fs/tmpfs_xattr.c */
s64 tmpfs_get_xattr(struct inode *i, const char *name, void *buf, size_t n);
int tmpfs_set_xattr(struct inode *i, const char *name, const void *v, size_t n, int flags);
s64 tmpfs_list_xattr(struct inode *i, char *buf, size_t n, bool trusted);
void tmpfs_free_xattrs(struct inode *i);
/* fs/tmpfs_super.c */
int tmpfs_parse_options(struct super *sb, const struct mount_args *a, bool remount);

#endif
