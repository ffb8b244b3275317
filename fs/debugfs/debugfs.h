/* SPDX-License-Identifier: BSD-2-Clause */
/* Files at the root of debugfs, registered by who has one. */
#ifndef FS_DEBUGFS_DEBUGFS_H
#define FS_DEBUGFS_DEBUGFS_H

#include "fs/pseudo.h"
#include "lib/section.h"

/* REGISTER(debugfs_entries) static const struct debugfs_entry x = {"name", mode, &ops}; */
struct debugfs_entry {
	const char *name;
	u32 mode;
	const struct inode_ops *ops;
};
DECLARE_REGISTRY(debugfs_entries, const struct debugfs_entry);

#endif
