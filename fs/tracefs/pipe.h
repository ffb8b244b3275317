/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of trace_pipe (pipe.c); inode->private is the CPU, or TRACE_ALL_CPUS. */
#ifndef FS_TRACEFS_PIPE_H
#define FS_TRACEFS_PIPE_H

#include "fs/vfs.h"

extern const struct inode_ops trace_pipe_ops;

#endif
