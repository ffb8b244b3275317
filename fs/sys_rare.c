/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls about file systems that few programs make: ustat(2), sysfs(2), and
 * quotactl(2) and swapon(2), which find nothing here that they could work on and say
 * so as Linux does of such files.
 */
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "kernel/file.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/stat.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* --- ustat --- */

struct ustat_abi {
	s32 tfree;
	u64 tinode;
	char fname[6];
	char fpack[6];
};
static_assert(sizeof(struct ustat_abi) == 32, "ABI");

/* As stat shows it: 12 bits of the major number amid 20 of the minor. */
static u32
decode_dev(u32 dev)
{
	return DEV_MAKE((dev & 0xfff00) >> 8, (dev & 0xff) | (dev >> 12 & 0xfff00));
}

long
sys_ustat(unsigned int dev, void __user *buf)
{
	struct super *sb = super_find(decode_dev(dev));
	struct ustat_abi out = {0};
	struct statfs st = {0};
	int err;

	if (!sb)
		return -EINVAL;
	err = sb->ops->statfs ? sb->ops->statfs(sb, &st) : 0;
	super_put(sb);
	if (err)
		return err;
	out.tfree = (s32)st.bfree;
	out.tinode = (u64)st.ffree;
	return copy_to_user(buf, &out, sizeof(out));
}

/* --- sysfs --- */

/* Types have the numbers of their order. */
static long
type_number(const char __user *uname)
{
	const struct fs_type *t;
	struct pathname p;
	long n = 0, found = -EINVAL;
	int err = pathname_get(&p, uname, 0);

	if (err)
		return err;
	for_each_registered(filesystems, t) {
		if (found < 0 && str_equal(t->name, p.s))
			found = n;
		n++;
	}
	pathname_put(&p);
	return found;
}

static long
type_name(unsigned long nr, char __user *buf)
{
	const struct fs_type *t;

	for_each_registered(filesystems, t) {
		if (nr-- == 0)
			return copy_to_user(buf, t->name, strlen(t->name) + 1);
	}
	return -EINVAL;
}

static long
count_types(void)
{
	const struct fs_type *t;
	long n = 0;

	for_each_registered(filesystems, t)
		n++;
	return n;
}

long
sys_sysfs(int option, unsigned long a1, unsigned long a2)
{
	switch (option) {
	case 1:
		return type_number((const char __user *)a1);
	case 2:
		return type_name((u32)a1, (char __user *)a2);
	case 3:
		return count_types();
	default:
		return -EINVAL;
	}
}

/* --- quotactl --- */

#define SUBCMD_SHIFT 8
#define QUOTA_TYPES 3
#define Q_SYNC 0x800001u
#define Q_GETFMT 0x800004u
#define Q_GETINFO 0x800005u
/* Those of XFS: 'X' << 8 and a number. */
#define Q_XGETQUOTA 0x5803u
#define Q_XGETQSTAT 0x5805u
#define Q_XQUOTASYNC 0x5807u
#define Q_XGETQSTATV 0x5808u
#define Q_XGETNEXTQUOTA 0x5809u

/* As Linux sees it: Q_GETQUOTA is one that writes. */
static bool
quota_writes(u32 cmd)
{
	switch (cmd) {
	case Q_SYNC:
	case Q_GETFMT:
	case Q_GETINFO:
	case Q_XGETQUOTA:
	case Q_XGETQSTAT:
	case Q_XQUOTASYNC:
	case Q_XGETQSTATV:
	case Q_XGETNEXTQUOTA:
		return false;
	}
	return true;
}

/* No block device holds a file system. */
long
sys_quotactl(unsigned int cmd, const char __user *special, unsigned int id, void __user *addr)
{
	struct path p;
	u32 mode;
	int err;

	if ((cmd & 0xff) >= QUOTA_TYPES)
		return -EINVAL;
	if (!special)
		return cmd >> SUBCMD_SHIFT == Q_SYNC ? 0 : -ENODEV;
	err = path_lookup_user(AT_FDCWD, special, WALK_FOLLOW, &p);
	if (err)
		return err;
	mode = p.dentry->inode->mode;
	err = (READ_ONCE(p.mnt->flags) & MOUNT_NODEV) || (p.mnt->sb->flags & SB_NODEV) ? -EACCES
										       : -ENODEV;
	path_put(&p);
	return S_ISBLK(mode) ? err : -ENOTBLK;
}

/* No file system counts by users. */
long
sys_quotactl_fd(unsigned int fd, unsigned int cmd, unsigned int id, void __user *addr)
{
	struct fdref r = fd_get_path(fd);
	struct mount *m;
	int err = 0;

	if (!r.file)
		return -EBADF;
	m = r.file->path.mnt;
	if ((cmd & 0xff) >= QUOTA_TYPES)
		err = -EINVAL;
	else if (m && quota_writes(cmd >> SUBCMD_SHIFT))
		err = mount_want_write(m);
	if (!err) {
		if (m && quota_writes(cmd >> SUBCMD_SHIFT))
			mount_drop_write(m);
		err = -ENOSYS;
	}
	fd_put(r);
	return err;
}

/* --- swap --- */

#define SWAP_FLAGS 0x7ffff

/* The file is opened as if it were to be used; no kind of file that there is can be. */
static long
swap_file(const char __user *path)
{
	struct pathname p;
	struct file *f;
	int err = pathname_get(&p, path, 0);

	if (err)
		return err;
	f = file_open(p.s, O_RDWR | O_LARGEFILE, 0);
	pathname_put(&p);
	if (is_err(f))
		return ptr_err(f);
	file_put(f);
	return -EINVAL;
}

long
sys_swapon(const char __user *path, int flags)
{
	if (flags & ~SWAP_FLAGS)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? swap_file(path) : -EPERM;
}

long
sys_swapoff(const char __user *path)
{
	return capable(CAP_SYS_ADMIN) ? swap_file(path) : -EPERM;
}
