/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of fcntl(2) that concern files, and flock(2). */
#include "fs/locks.h"
#include "fs/memfd.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "mm/uaccess.h"

static long
fcntl_lock(struct file *f, unsigned int cmd, struct flock __user *ufl)
{
	struct flock fl;
	long r;

	if (copy_from_user(&fl, ufl, sizeof(fl)))
		return -EFAULT;
	r = locks_fcntl(f, cmd, &fl);
	if (!r && (cmd == F_GETLK || cmd == F_OFD_GETLK) && copy_to_user(ufl, &fl, sizeof(fl)))
		r = -EFAULT;
	return r;
}

static long
fcntl_lease(struct file *f, unsigned int cmd, unsigned long arg)
{
	/* There are no leases: nobody holds one, nobody gets one. */
	if (cmd == F_GETLEASE)
		return F_UNLCK;
	return -EINVAL;
}

long
fs_fcntl(struct file *f, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(f, cmd, (struct flock __user *)arg);
	case F_SETLEASE:
	case F_GETLEASE:
		return fcntl_lease(f, cmd, arg);
	case F_ADD_SEALS:
		return arg > U32_MAX ? -EINVAL : memfd_add_seals(f, arg);
	case F_GET_SEALS:
		return memfd_get_seals(f);
	}
	return -EINVAL;
}

long
sys_flock(unsigned int fd, unsigned int op)
{
	struct fdref r = fd_get(fd);
	long err;

	if (!r.file)
		return -EBADF;
	if (op != LOCK_UN && !(r.file->mode & (FMODE_READ | FMODE_WRITE)))
		err = -EBADF;
	else
		err = locks_flock(r.file, op);
	fd_put(r);
	return err;
}
