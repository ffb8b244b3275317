/* SPDX-License-Identifier: BSD-2-Clause */
/* stat(2), statx(2), statfs(2), getdents64(2): modes and structures. */
#ifndef KERNEL_UAPI_STAT_H
#define KERNEL_UAPI_STAT_H

#include "lib/types.h"

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u
#define S_ISUID 0004000u
#define S_ISGID 0002000u
#define S_ISVTX 0001000u
#define S_IRWXU 0700u
#define S_IRWXG 0070u
#define S_IRWXO 0007u
#define S_IXGRP 0010u
#define S_IRWXUGO 0777u
#define S_IXUGO 0111u
#define S_IALLUGO 07777u

#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m) (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m) (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12

/*
 * OFFSET  SIZE  MEANING
 * 0       8     device of the file system
 * 8       8     inode number
 * 16      8     links
 * 24      4     mode
 * 28      4     owner
 * 32      4     group
 * 40      8     device that a special file names
 * 48      8     size in bytes
 * 56      8     preferred block size
 * 64      8     blocks of 512 bytes
 * 72      48    atime, mtime, ctime: seconds, nanoseconds
 */
struct stat {
	u64 dev;
	u64 ino;
	u64 nlink;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 pad0;
	u64 rdev;
	s64 size;
	s64 blksize;
	s64 blocks;
	s64 atime;
	u64 atime_nsec;
	s64 mtime;
	u64 mtime_nsec;
	s64 ctime;
	u64 ctime_nsec;
	s64 unused[3];
};
static_assert(sizeof(struct stat) == 144, "ABI");

struct statx_timestamp {
	s64 sec;
	u32 nsec;
	s32 pad;
};

/*
 * OFFSET  SIZE  MEANING
 * 0       4     mask of what is filled in
 * 4       4     block size
 * 8       8     attributes
 * 16      16    links, owner, group, mode
 * 32      32    inode number, size, blocks, which attributes are known
 * 64      64    atime, btime, ctime, mtime
 * 128     16    device numbers
 * 144     16    mount id, alignment of direct I/O
 */
struct statx {
	u32 mask;
	u32 blksize;
	u64 attributes;
	u32 nlink;
	u32 uid;
	u32 gid;
	u16 mode;
	u16 pad0;
	u64 ino;
	u64 size;
	u64 blocks;
	u64 attributes_mask;
	struct statx_timestamp atime;
	struct statx_timestamp btime;
	struct statx_timestamp ctime;
	struct statx_timestamp mtime;
	u32 rdev_major;
	u32 rdev_minor;
	u32 dev_major;
	u32 dev_minor;
	u64 mnt_id;
	u32 dio_mem_align;
	u32 dio_offset_align;
	u64 spare[12];
};
static_assert(sizeof(struct statx) == 256, "ABI");

#define STATX_TYPE 0x1u
#define STATX_MODE 0x2u
#define STATX_NLINK 0x4u
#define STATX_UID 0x8u
#define STATX_GID 0x10u
#define STATX_ATIME 0x20u
#define STATX_MTIME 0x40u
#define STATX_CTIME 0x80u
#define STATX_INO 0x100u
#define STATX_SIZE 0x200u
#define STATX_BLOCKS 0x400u
#define STATX_BASIC_STATS 0x7ffu
#define STATX_BTIME 0x800u
#define STATX_MNT_ID 0x1000u
#define STATX_DIOALIGN 0x2000u
#define STATX_RESERVED 0x80000000u

#define STATX_ATTR_IMMUTABLE 0x10u
#define STATX_ATTR_APPEND 0x20u
#define STATX_ATTR_NODUMP 0x40u
#define STATX_ATTR_AUTOMOUNT 0x1000u
#define STATX_ATTR_MOUNT_ROOT 0x2000u

struct statfs {
	s64 type;
	s64 bsize;
	s64 blocks;
	s64 bfree;
	s64 bavail;
	s64 files;
	s64 ffree;
	s32 fsid[2];
	s64 namelen;
	s64 frsize;
	s64 flags;
	s64 spare[4];
};
static_assert(sizeof(struct statfs) == 120, "ABI");

#define ST_RDONLY 0x1
#define ST_NOSUID 0x2
#define ST_NODEV 0x4
#define ST_NOEXEC 0x8
#define ST_SYNCHRONOUS 0x10
#define ST_VALID 0x20
#define ST_MANDLOCK 0x40
#define ST_NOATIME 0x400
#define ST_NODIRATIME 0x800
#define ST_RELATIME 0x1000
#define ST_NOSYMFOLLOW 0x2000

#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6
#define PROC_SUPER_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEVPTS_SUPER_MAGIC 0x1cd1
#define ANON_INODE_FS_MAGIC 0x09041934
#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534F434B

struct linux_dirent64 {
	u64 ino;
	s64 off;
	u16 reclen;
	u8 type;
	char name[];
};

/* The old form ends with one more byte that holds the type. */
struct linux_dirent {
	u64 ino;
	u64 off;
	u16 reclen;
	char name[];
};

#define UTIME_NOW 0x3fffffffL
#define UTIME_OMIT 0x3ffffffeL

#endif
