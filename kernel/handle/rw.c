/* SPDX-License-Identifier: BSD-2-Clause */
/* read, write and their relatives: from descriptors and iovecs to a handle's operations. */
#include "kernel/handle/handle.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/slab.h"

/* preadv2(2) flags. */
#define RWF_HIPRI 0x1
#define RWF_DSYNC 0x2
#define RWF_SYNC 0x4
#define RWF_NOWAIT 0x8
#define RWF_APPEND 0x10
#define RWF_ALL 0x1f

s64
file_read(struct file *f, struct iter *to, u64 *pos)
{
	s64 n;

	if (!(f->mode & FMODE_READ))
		return -EBADF;
	if (!f->ops->read)
		return f->ops->iterate ? -EISDIR : -EINVAL;
	n = f->ops->read(f, to, pos);
	if (n > 0)
		current->io_rchar += (u64)n;
	current->io_syscr++;
	return n;
}

s64
file_write(struct file *f, struct iter *from, u64 *pos)
{
	s64 n;

	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	n = f->ops->write(f, from, pos);
	if (n > 0)
		current->io_wchar += (u64)n;
	current->io_syscw++;
	return n;
}

/* A position and a length that no file can have. */
static bool
beyond(const struct file *f, u64 pos, size_t n)
{
	return f->mode & FMODE_SEEK && (s64)pos >= 0 && n > (u64)S64_MAX - pos;
}

/* At the handle's own position, or without one. */
static s64
rw_here(struct file *f, struct iter *it, bool write)
{
	bool locked = file_pos_lock(f);
	u64 pos = READ_ONCE(f->pos);
	s64 n = -EINVAL;

	if (!beyond(f, pos, iter_left(it)))
		n = write ? file_write(f, it, &pos) : file_read(f, it, &pos);
	/* Where it stays, others may read it undisturbed. */
	if (f->mode & FMODE_SEEK && READ_ONCE(f->pos) != pos)
		WRITE_ONCE(f->pos, pos);
	file_pos_unlock(f, locked);
	return n;
}

static s64
rw_at(struct file *f, struct iter *it, s64 at, bool write)
{
	u64 pos = (u64)at;

	if (at < 0)
		return -EINVAL;
	if (!(f->mode & (write ? FMODE_PWRITE : FMODE_PREAD)))
		return -ESPIPE;
	if (beyond(f, pos, iter_left(it)))
		return -EINVAL;
	return write ? file_write(f, it, &pos) : file_read(f, it, &pos);
}

/* At *at, or where the file stands. The mode is checked before the buffer, as Linux does. */
static long
rw_plain(unsigned int fd, void __user *buf, size_t n, const s64 *at, bool write)
{
	struct fdref r = fd_get(fd);
	struct iter it;
	s64 ret;

	if (!r.file)
		return -EBADF;
	if (!(r.file->mode & (write ? FMODE_WRITE : FMODE_READ)))
		ret = -EBADF;
	else if ((s64)n < 0)
		ret = -EFAULT;
	else if ((ret = iter_init_user(&it, buf, n)) == 0)
		ret = at ? rw_at(r.file, &it, *at, write) : rw_here(r.file, &it, write);
	fd_put(r);
	return ret;
}

long
sys_read(unsigned int fd, void __user *buf, size_t n)
{
	return rw_plain(fd, buf, n, NULL, false);
}

long
sys_write(unsigned int fd, const void __user *buf, size_t n)
{
	return rw_plain(fd, (void __user *)buf, n, NULL, true);
}

long
sys_pread64(unsigned int fd, void __user *buf, size_t n, s64 pos)
{
	return pos < 0 ? -EINVAL : rw_plain(fd, buf, n, &pos, false);
}

long
sys_pwrite64(unsigned int fd, const void __user *buf, size_t n, s64 pos)
{
	return pos < 0 ? -EINVAL : rw_plain(fd, (void __user *)buf, n, &pos, true);
}

/* The flags of one call; they change how the handle behaves for its time only. */
static int
rwf_check(struct file *f, int flags, bool write)
{
	if (flags & ~RWF_ALL || (f->ops->plain && flags & ~RWF_HIPRI))
		return -EOPNOTSUPP;
	if (flags & RWF_NOWAIT && !(f->mode & FMODE_NOWAIT))
		return -EOPNOTSUPP;
	return 0;
}

/* Appending is a property of the handle: a private copy of it carries the flag. */
static s64
write_append(struct file *f, struct iter *it)
{
	u64 pos = f->pos;

	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (!f->ops->write_append)
		return file_write(f, it, &pos);
	return f->ops->write_append(f, it, &pos);
}

struct vec_args {
	const struct iovec __user *iov;
	unsigned long n;
	/* -1: the handle's position */
	s64 pos;
	int flags;
};

static s64
rw_iter(struct file *f, struct iter *it, const struct vec_args *a, bool write)
{
	int err = rwf_check(f, a->flags, write);

	if (err)
		return err;
	it->nowait |= a->flags & RWF_NOWAIT;
	if (write && a->flags & RWF_APPEND)
		return write_append(f, it);
	return a->pos < 0 ? rw_here(f, it, write) : rw_at(f, it, a->pos, write);
}

s64
file_rw(struct file *f, struct iter *it, s64 pos, int flags, bool write)
{
	if (!(f->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	/* What has no positions does not look at them here. */
	if (!(f->mode & (write ? FMODE_PWRITE : FMODE_PREAD)))
		pos = -1;
	return rw_iter(f, it, &(struct vec_args){.pos = pos, .flags = flags}, write);
}

static long
rw_vec(unsigned long fd, const struct vec_args *a, bool write)
{
	struct iovec fast[IOV_FAST], *heap;
	struct fdref r = fd_get((unsigned int)fd);
	struct iter it;
	s64 ret;

	if (!r.file)
		return -EBADF;
	if (!(r.file->mode & (write ? FMODE_WRITE : FMODE_READ))) {
		ret = -EBADF;
	} else if (a->pos >= 0 && !(r.file->mode & (write ? FMODE_PWRITE : FMODE_PREAD))) {
		ret = -ESPIPE;
	} else {
		ret = iter_init_user_iov(&it, a->iov, a->n, fast, &heap);
		if (ret == 0) {
			ret = rw_iter(r.file, &it, a, write);
			kfree(heap);
		}
	}
	fd_put(r);
	return ret;
}

long
sys_readv(unsigned long fd, const struct iovec __user *iov, unsigned long n)
{
	return rw_vec(fd, &(struct vec_args){iov, n, -1, 0}, false);
}

long
sys_writev(unsigned long fd, const struct iovec __user *iov, unsigned long n)
{
	return rw_vec(fd, &(struct vec_args){iov, n, -1, 0}, true);
}

long
sys_preadv(unsigned long fd, const struct iovec __user *iov, unsigned long n, unsigned long pos_l,
	   unsigned long pos_h)
{
	return (s64)pos_l < 0 ? -EINVAL
			      : rw_vec(fd, &(struct vec_args){iov, n, (s64)pos_l, 0}, false);
}

long
sys_pwritev(unsigned long fd, const struct iovec __user *iov, unsigned long n, unsigned long pos_l,
	    unsigned long pos_h)
{
	return (s64)pos_l < 0 ? -EINVAL
			      : rw_vec(fd, &(struct vec_args){iov, n, (s64)pos_l, 0}, true);
}

long
sys_preadv2(unsigned long fd, const struct iovec __user *iov, unsigned long n, unsigned long pos_l,
	    unsigned long pos_h, int flags)
{
	if ((s64)pos_l < -1)
		return -EINVAL;
	return rw_vec(fd, &(struct vec_args){iov, n, (s64)pos_l, flags}, false);
}

long
sys_pwritev2(unsigned long fd, const struct iovec __user *iov, unsigned long n, unsigned long pos_l,
	     unsigned long pos_h, int flags)
{
	if ((s64)pos_l < -1)
		return -EINVAL;
	return rw_vec(fd, &(struct vec_args){iov, n, (s64)pos_l, flags}, true);
}

/* --- seek --- */

s64
seek_stay(struct file *f, s64 offset, int whence)
{
	return (s64)f->pos;
}

/*
 * Does a seek leave the handle where it stands? Then it is done when it has looked: whoever
 * else uses the position changes it in one store at the end of what he does.
 */
static bool
seek_is_idle(const struct file *f, s64 offset, unsigned int whence, s64 *stands)
{
	*stands = (s64)READ_ONCE(f->pos);
	return f->ops->seek_idle &&
	       ((whence == SEEK_SET && offset == *stands) || (whence == SEEK_CUR && offset == 0));
}

long
sys_lseek(unsigned int fd, s64 offset, unsigned int whence)
{
	struct fdref r = fd_get(fd);
	bool locked;
	s64 ret;

	if (!r.file)
		return -EBADF;
	if (whence > 4) {
		ret = -EINVAL;
	} else if (!(r.file->mode & FMODE_SEEK) || !r.file->ops->seek) {
		ret = -ESPIPE;
	} else if (!seek_is_idle(r.file, offset, whence, &ret)) {
		locked = file_pos_lock(r.file);
		ret = r.file->ops->seek(r.file, offset, (int)whence);
		file_pos_unlock(r.file, locked);
	}
	fd_put(r);
	return ret;
}
