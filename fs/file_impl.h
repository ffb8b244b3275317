/* SPDX-License-Identifier: BSD-2-Clause */
/* What open.c, file.c, device.c and fifo.c share: the state of handles of files. */
#ifndef FS_FILE_IMPL_H
#define FS_FILE_IMPL_H

#include "fs/namei.h"

/* Bits of file->mode that are ours. Opened completely, so that its end is an event. */
#define FS_OPENED 0x01000000u
/* Counts as a user of the inode's pipe. */
#define FS_FIFO 0x02000000u
/* A tree of mounts belongs to it: ->private is their namespace (fs/mount_ns.c). */
#define FS_TREE 0x04000000u

/* Ops of a handle that is not open yet, and of O_PATH. */
extern const struct file_ops fs_no_ops;

/* A handle for *p (takes its references, also when it fails). err_ptr. */
struct file *file_open_taken(struct path *p, u32 flags);
/* For S_IFCHR and S_IFBLK: connects f with what is registered. 0, -ENXIO, ... */
int device_open(struct inode *i, struct file *f);
int fifo_open(struct inode *i, struct file *f);
void fifo_release(struct file *f);
void anon_init(void);

#endif
