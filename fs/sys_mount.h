/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system calls about mounts share. */
#ifndef FS_SYS_MOUNT_H
#define FS_SYS_MOUNT_H

#include "lib/types.h"

/* Who may change mounts at all. */
bool may_mount(void);
/* A user's string of less than max bytes; err_ptr(-EFAULT, -EINVAL: too long, -ENOMEM). */
char *user_string(const char __user *u, size_t max);
/* MOUNT_* of MOUNT_ATTR_*, of which one of ATIME is meant. 0, -EINVAL: none of them. */
int mount_flags_of_attr(u64 attr, u32 *flags);

#endif
