/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and changing what an inode says about itself: stat, chmod, chown, truncate, times. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include "fs/vfs.h"

struct kstat {
	/* STATX_* that are filled in */
	u32 mask;
	u32 mode;
	u32 nlink;
	u32 uid;
	u32 gid;
	u32 blksize;
	u64 ino;
	u64 size;
	/* of 512 bytes */
	u64 blocks;
	u32 dev;
	u32 rdev;
	s64 atime, mtime, ctime, btime;
	u64 attributes;
	u64 attributes_mask;
	u64 mnt_id;
};

/* What the inode says, after inode_fold(). No sleep. */
void kstat_fill(const struct inode *i, struct kstat *st);
/* Through ->getattr. 0 or -Exxx. */
int path_getattr(const struct path *p, struct kstat *st);
/* Of a handle; those without an inode (pipes, epoll) too. */
int file_getattr(struct file *f, struct kstat *st);

#define ATTR_MODE 0x01u
#define ATTR_UID 0x02u
#define ATTR_GID 0x04u
#define ATTR_SIZE 0x08u
#define ATTR_ATIME 0x10u
#define ATTR_MTIME 0x20u
/* The time was given, not "now": needs the owner. */
#define ATTR_ATIME_SET 0x40u
#define ATTR_MTIME_SET 0x80u
#define ATTR_CTIME 0x100u
/* "now" for both: write permission is enough. */
#define ATTR_TOUCH 0x200u
/* Drop set-id bits. */
#define ATTR_KILL_SUID 0x400u
#define ATTR_KILL_SGID 0x800u
/* Through an open handle (ftruncate): write permission was checked at open. */
#define ATTR_FILE 0x1000u
#define ATTR_OPEN 0x2000u

struct iattr {
	u32 valid;
	u32 mode;
	u32 uid;
	u32 gid;
	u64 size;
	s64 atime, mtime, ctime;
};

/*
 * Checks permissions, then changes. The caller has write access to the mount.
 * -EPERM, -EACCES, -EROFS, -ETXTBSY, -EFBIG, -EINVAL... May sleep.
 */
int path_setattr(const struct path *p, struct iattr *a);
/* For ->setattr: stores everything but the size. */
void setattr_apply(struct inode *i, const struct iattr *a);
/* truncate(2) and O_TRUNC; extra: ATTR_FILE, ATTR_OPEN. */
int path_truncate(const struct path *p, u64 size, u32 extra);
/* Before a write by somebody without CAP_FSETID: clears set-id bits. */
int file_remove_privs(struct file *f);

#endif
