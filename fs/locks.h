/* SPDX-License-Identifier: BSD-2-Clause */
/* File locks: POSIX records, open-file-description records, flock. (fs/locks.c tells the model.) */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include "fs/vfs.h"
#include "kernel/uapi/fcntl.h"

/* fcntl F_GETLK ... F_OFD_SETLKW: with a kernel struct flock, changed by the GET forms. */
long locks_fcntl(struct file *f, unsigned int cmd, struct flock *l);
/* flock(2): LOCK_*. */
long locks_flock(struct file *f, unsigned int op);
/* A descriptor was closed: the POSIX locks of its table on the file go. */
void locks_close(struct file *f, void *owner);
/* The last reference of a handle: its flock and OFD locks go. */
void locks_release(struct file *f);
void locks_init(void);
/* The lines of /proc/locks. */
void locks_show(struct seq *s);

#endif
