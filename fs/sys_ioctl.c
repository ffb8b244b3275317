/* SPDX-License-Identifier: BSD-2-Clause */
/* The ioctl(2) commands that files and directories have on every file system, and FIGETBSZ. */
#include "fs/attr.h"
#include "kernel/port_fs.h"
#include "kernel/uapi/capability.h"
#include "mm/uaccess.h"

#define FIBMAP 0x0001
#define FIGETBSZ 0x0002
#define FIONREAD 0x541b
#define FIOQSIZE 0x5460
#define FICLONE 0x40049409
#define FICLONERANGE 0x4020940d
#define FIDEDUPERANGE 0xc0189436
#define FS_IOC_FIEMAP 0xc020660b
#define FIFREEZE 0xc0045877
#define FITHAW 0xc0045878

#define SECTOR_SIZE 512

static long
of_regular(struct file *f, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case FIONREAD:
		return put_user((int)(fs_file_size(f) - f->pos), (int __user *)arg);
	case FIBMAP:
		/* No file system here has blocks to tell of. */
		return capable(CAP_SYS_RAWIO) ? -EINVAL : -EPERM;
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return -EOPNOTSUPP;
	}
	return -ENOTTY;
}

static long
of_file(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct kstat st;
	int err;

	switch (cmd) {
	case FIOQSIZE:
		err = file_getattr(f, &st);
		return err ? err : put_user((s64)(st.blocks * SECTOR_SIZE), (s64 __user *)arg);
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	case FIFREEZE:
	case FITHAW:
		return capable(CAP_SYS_ADMIN) ? -EOPNOTSUPP : -EPERM;
	}
	return -ENOTTY;
}

long
fs_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	u32 type = f->inode ? f->inode->mode & S_IFMT : 0;
	struct kstat st;
	long r = -ENOTTY;

	/* Pipes and devices have a block size too. */
	if (cmd == FIGETBSZ) {
		r = file_getattr(f, &st);
		return r ? r : put_user((int)st.blksize, (int __user *)arg);
	}
	if (type == S_IFREG)
		r = of_regular(f, cmd, arg);
	if (r == -ENOTTY && (type == S_IFREG || type == S_IFDIR))
		r = of_file(f, cmd, arg);
	return r;
}
