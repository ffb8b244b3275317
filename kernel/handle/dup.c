/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors as such: close, dup, fcntl, ioctl. */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

/* What F_SETFL may change. */
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

/* ioctl(2) commands that every descriptor knows. */
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451
#define FIONBIO 0x5421
#define FIOASYNC 0x5452

long
sys_close(unsigned int fd)
{
	int err = fd_close(fd);

	/* The descriptor is gone: a restart would close another's. */
	return err == -ERESTARTSYS || err == -ERESTARTNOINTR || err == -ERESTARTNOHAND ? -EINTR
										       : err;
}

long
sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	unsigned int i = first;
	struct file *f;
	int err;

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		err = files_unshare();
		if (err)
			return err;
	}
	if (flags & CLOSE_RANGE_CLOEXEC) {
		fd_set_cloexec_range(first, last);
		return 0;
	}
	while ((f = files_next(current->files, &i)) != NULL && i <= last) {
		file_put(f);
		fd_close(i);
	}
	if (f && i > last)
		file_put(f);
	return 0;
}

long
sys_dup(unsigned int fd)
{
	struct fdref r = fd_get_path(fd);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = fd_install(file_get(r.file), 0, false);
	fd_put(r);
	return ret;
}

static long
dup_to(unsigned int old, unsigned int new, bool cloexec)
{
	struct fdref r = fd_get_path(old);
	struct file *replaced;
	int err;

	if (!r.file)
		return -EBADF;
	file_get(r.file);
	err = fd_replace(new, r.file, cloexec, &replaced);
	if (err)
		file_put(r.file);
	fd_put(r);
	if (err)
		return err;
	if (replaced)
		file_close(replaced, current->files);
	return new;
}

long
sys_dup2(unsigned int old, unsigned int new)
{
	struct fdref r;
	bool open;

	if (old != new)
		return dup_to(old, new, false);
	r = fd_get_path(old);
	open = r.file != NULL;
	fd_put(r);
	return open ? (long)new : -EBADF;
}

long
sys_dup3(unsigned int old, unsigned int new, int flags)
{
	if (flags & ~O_CLOEXEC || old == new)
		return -EINVAL;
	return dup_to(old, new, flags & O_CLOEXEC);
}

/* --- fcntl --- */

static long
fcntl_dup(struct file *f, unsigned long from, bool cloexec)
{
	if (from >= min(rlimit(RLIMIT_NOFILE), (u64)file_nr_open))
		return -EINVAL;
	return fd_install(file_get(f), (unsigned int)from, cloexec);
}

int
file_set_flags(struct file *f, unsigned int fd, u32 flags)
{
	u32 old;
	int err = 0;

	flags &= SETFL_MASK;
	if (!f->ops->set_flags)
		flags &= ~(u32)O_ASYNC;
	if (flags & ~atomic_read(&f->flags) & O_ASYNC)
		err = file_owner_set_fd(f, (int)fd);
	if (f->ops->set_flags && !err)
		err = f->ops->set_flags(f, flags);
	if (err)
		return err;
	old = atomic_read(&f->flags);
	while (!atomic_try_cmpxchg(&f->flags, &old, (old & ~(u32)SETFL_MASK) | flags))
		;
	return 0;
}

static long
fcntl_path_ok(struct file *f, unsigned int fd, unsigned int cmd, unsigned long arg, bool *done)
{
	*done = true;
	switch (cmd) {
	case F_DUPFD:
		return fcntl_dup(f, arg, false);
	case F_DUPFD_CLOEXEC:
		return fcntl_dup(f, arg, true);
	case F_GETFD:
		return files_get_cloexec(current->files, fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		fd_set_cloexec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return atomic_read(&f->flags);
	}
	*done = false;
	return 0;
}

static long
fcntl_do(struct file *f, unsigned int fd, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_SETFL:
		return file_set_flags(f, fd, (u32)arg);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_GETOWNER_UIDS:
	case F_SETSIG:
	case F_GETSIG:
		return file_owner_fcntl(f, cmd, arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl(f, cmd, arg);
	}
	return fs_fcntl(f, cmd, arg);
}

long
sys_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct fdref r = fd_get_path(fd);
	bool done;
	long ret;

	if (!r.file)
		return -EBADF;
	ret = fcntl_path_ok(r.file, fd, cmd, arg, &done);
	if (!done)
		ret = r.file->mode & FMODE_PATH ? -EBADF : fcntl_do(r.file, fd, cmd, arg);
	fd_put(r);
	return ret;
}

/* --- ioctl --- */

static long
ioctl_flag(struct file *f, unsigned int fd, unsigned long arg, u32 flag)
{
	u32 flags = atomic_read(&f->flags);
	int on;

	if (get_user(on, (int __user *)arg))
		return -EFAULT;
	if (flag == O_ASYNC && !on == !!(flags & O_ASYNC) && !f->ops->set_flags)
		return -ENOTTY;
	return file_set_flags(f, fd, on ? flags | flag : flags & ~flag);
}

long
sys_ioctl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct fdref r = fd_get(fd);
	long ret;

	if (!r.file)
		return -EBADF;
	if (cmd == FIOCLEX || cmd == FIONCLEX) {
		fd_set_cloexec(fd, cmd == FIOCLEX);
		ret = 0;
	} else if (cmd == FIONBIO) {
		ret = ioctl_flag(r.file, fd, arg, O_NONBLOCK);
	} else if (cmd == FIOASYNC) {
		ret = ioctl_flag(r.file, fd, arg, O_ASYNC);
	} else {
		ret = fs_ioctl(r.file, cmd, arg);
		if (ret == -ENOTTY && r.file->ops->ioctl)
			ret = r.file->ops->ioctl(r.file, cmd, arg);
	}
	fd_put(r);
	return ret;
}
