/* SPDX-License-Identifier: BSD-2-Clause */
/* debugfs: its one instance, of the files that the kernel's configuration has. */
#include "fs/debugfs/debugfs.h"

#include "kernel/log.h"

#define DEBUGFS_MAGIC 0x64626720

static struct super *debugfs_sb;

static const struct super_ops debugfs_super_ops = {.release_inode = pseudo_release_inode};
static struct super *debugfs_make(void);

static struct super *
debugfs_mount(const struct fs_type *t, const struct mount_args *a)
{
	return pseudo_single(&debugfs_sb, debugfs_make);
}

REGISTER(filesystems)
static const struct fs_type debugfs_type = {.name = "debugfs", .mount = debugfs_mount};

static struct super *
debugfs_make(void)
{
	struct super *sb = pseudo_super(&debugfs_type, &debugfs_super_ops, 0, DEBUGFS_MAGIC);
	const struct debugfs_entry *e;

	if (is_err(sb))
		return sb;
	sb->root->inode->mode = S_IFDIR | 0700;
	for_each_registered(debugfs_entries, e) {
		struct pseudo_entry p = {.name = e->name, .mode = S_IFREG | e->mode, .ops = e->ops};
		struct dentry *d = pseudo_add(sb->root, &p);

		if (is_err(d))
			log_err("debugfs: no %s: error %ld", e->name, ptr_err(d));
	}
	return sb;
}
