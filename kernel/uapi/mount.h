/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags of mount(2), umount2(2) and the calls about trees of mounts and file systems. */
#ifndef KERNEL_UAPI_MOUNT_H
#define KERNEL_UAPI_MOUNT_H

#define MS_RDONLY 1UL
#define MS_NOSUID 2UL
#define MS_NODEV 4UL
#define MS_NOEXEC 8UL
#define MS_SYNCHRONOUS 16UL
#define MS_REMOUNT 32UL
#define MS_MANDLOCK 64UL
#define MS_DIRSYNC 128UL
#define MS_NOSYMFOLLOW 256UL
#define MS_NOATIME 1024UL
#define MS_NODIRATIME 2048UL
#define MS_BIND 4096UL
#define MS_MOVE 8192UL
#define MS_REC 16384UL
#define MS_SILENT 32768UL
#define MS_UNBINDABLE (1UL << 17)
#define MS_PRIVATE (1UL << 18)
#define MS_SLAVE (1UL << 19)
#define MS_SHARED (1UL << 20)
#define MS_RELATIME (1UL << 21)
#define MS_I_VERSION (1UL << 23)
#define MS_STRICTATIME (1UL << 24)
#define MS_LAZYTIME (1UL << 25)
#define MS_MGC_VAL 0xc0ed0000UL
#define MS_MGC_MSK 0xffff0000UL

#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8

#define OPEN_TREE_CLONE 1u
#define OPEN_TREE_CLOEXEC 02000000u

#define MOVE_MOUNT_F_SYMLINKS 0x001u
#define MOVE_MOUNT_F_AUTOMOUNTS 0x002u
#define MOVE_MOUNT_F_EMPTY_PATH 0x004u
#define MOVE_MOUNT_T_SYMLINKS 0x010u
#define MOVE_MOUNT_T_AUTOMOUNTS 0x020u
#define MOVE_MOUNT_T_EMPTY_PATH 0x040u
#define MOVE_MOUNT_SET_GROUP 0x100u
#define MOVE_MOUNT_ALL 0x177u

#define FSOPEN_CLOEXEC 1u
#define FSMOUNT_CLOEXEC 1u

#define FSPICK_CLOEXEC 1u
#define FSPICK_SYMLINK_NOFOLLOW 2u
#define FSPICK_NO_AUTOMOUNT 4u
#define FSPICK_EMPTY_PATH 8u

#define FSCONFIG_SET_FLAG 0u
#define FSCONFIG_SET_STRING 1u
#define FSCONFIG_SET_BINARY 2u
#define FSCONFIG_SET_PATH 3u
#define FSCONFIG_SET_PATH_EMPTY 4u
#define FSCONFIG_SET_FD 5u
#define FSCONFIG_CMD_CREATE 6u
#define FSCONFIG_CMD_RECONFIGURE 7u

/* Of fsmount(2) and mount_setattr(2); the ones of ATIME are an enumeration. */
#define MOUNT_ATTR_RDONLY 0x01u
#define MOUNT_ATTR_NOSUID 0x02u
#define MOUNT_ATTR_NODEV 0x04u
#define MOUNT_ATTR_NOEXEC 0x08u
#define MOUNT_ATTR_ATIME 0x70u
#define MOUNT_ATTR_RELATIME 0x00u
#define MOUNT_ATTR_NOATIME 0x10u
#define MOUNT_ATTR_STRICTATIME 0x20u
#define MOUNT_ATTR_NODIRATIME 0x80u
#define MOUNT_ATTR_IDMAP 0x100000u
#define MOUNT_ATTR_NOSYMFOLLOW 0x200000u
/* What fsmount(2) knows. */
#define MOUNT_ATTR_ALL 0x2000ffu

/*
 * OFFSET SIZE MEANING (mount_setattr(2), version 0)
 * 0      8    MOUNT_ATTR_* to set
 * 8      8    to clear
 * 16     8    MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0
 * 24     8    descriptor of a user namespace, for MOUNT_ATTR_IDMAP
 */
struct mount_attr {
	unsigned long attr_set;
	unsigned long attr_clr;
	unsigned long propagation;
	unsigned long userns_fd;
};
#define MOUNT_ATTR_SIZE_VER0 32

#endif
