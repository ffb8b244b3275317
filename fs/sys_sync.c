/* SPDX-License-Identifier: BSD-2-Clause */
/* sync, fsync and hints about how a file will be used. */
#include "fs/namei.h"
#include "fs/vfs.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/fcntl.h"

#define SYNC_FILE_RANGE_ALL                                                                        \
	(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

void
fs_sync_all(void)
{
	super_sync_all();
}

long
sys_sync(void)
{
	super_sync_all();
	return 0;
}

long
sys_syncfs(int fd)
{
	struct fdref r = fd_get(fd);
	struct super *sb;
	long err = 0;

	if (!r.file)
		return -EBADF;
	sb = r.file->inode ? r.file->inode->sb : NULL;
	if (sb && sb->ops->sync)
		err = sb->ops->sync(sb);
	fd_put(r);
	return err;
}

int
file_fsync(struct file *f, bool data_only)
{
	return f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
}

static long
do_fsync(unsigned int fd, bool data_only)
{
	struct fdref r = fd_get(fd);
	long err;

	if (!r.file)
		return -EBADF;
	err = file_fsync(r.file, data_only);
	fd_put(r);
	return err;
}

long
sys_fsync(unsigned int fd)
{
	return do_fsync(fd, false);
}

long
sys_fdatasync(unsigned int fd)
{
	return do_fsync(fd, true);
}

/* The handle has no position: a pipe, a socket, a terminal. */
static bool
is_stream(const struct file *f)
{
	return !f->inode || S_ISFIFO(f->inode->mode);
}

static int
sync_range_check(s64 off, s64 n, u32 flags)
{
	s64 end;

	if ((flags & ~SYNC_FILE_RANGE_ALL) || off < 0 || n < 0 ||
	    __builtin_add_overflow(off, n, &end))
		return -EINVAL;
	return 0;
}

int
file_sync_range(struct file *f, s64 off, s64 n, u32 flags)
{
	u32 mode = f->inode ? f->inode->mode : S_IFIFO;
	int err = sync_range_check(off, n, flags);

	if (err)
		return err;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		return -ESPIPE;
	return f->ops->fsync ? f->ops->fsync(f, true) : 0;
}

long
sys_sync_file_range(int fd, s64 off, s64 n, unsigned int flags)
{
	struct fdref r;
	long err = sync_range_check(off, n, flags);

	if (err)
		return err;
	r = fd_get(fd);
	if (!r.file)
		return -EBADF;
	err = file_sync_range(r.file, off, n, flags);
	fd_put(r);
	return err;
}

int
file_fadvise(struct file *f, s64 n, int advice)
{
	if (is_stream(f))
		return -ESPIPE;
	return n < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

long
sys_fadvise64(int fd, s64 off, size_t n, int advice)
{
	struct fdref r = fd_get(fd);
	long err;

	if (!r.file)
		return -EBADF;
	err = file_fadvise(r.file, (s64)n, advice);
	fd_put(r);
	return err;
}

long
sys_readahead(int fd, s64 off, size_t n)
{
	struct fdref r = fd_get(fd);
	long err = 0;

	if (!r.file || !(r.file->mode & FMODE_READ))
		err = -EBADF;
	else if (!r.file->inode || !S_ISREG(r.file->inode->mode))
		err = -EINVAL;
	if (r.file)
		fd_put(r);
	return err;
}

long
sys_name_to_handle_at(int dfd, const char __user *path, void __user *handle, int __user *mnt_id,
		      int flags)
{
	/* No file system here gives its files handles that outlive it. */
	return -EOPNOTSUPP;
}
