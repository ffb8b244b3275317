/* SPDX-License-Identifier: BSD-2-Clause */
/* chmod, chown, utimes, truncate, fallocate. */
#include "fs/attr.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "mm/uaccess.h"

#define ID_KEEP U32_MAX
/* Seconds beyond these do not fit nanoseconds of 64 bits: stored as the nearest that does. */
#define SEC_MAX (S64_MAX / (s64)NSEC_PER_SEC - 1)

/* With write access to the mount. */
static int
setattr_writing(const struct path *p, struct iattr *a)
{
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	err = path_setattr(p, a);
	mount_drop_write(p->mnt);
	return err;
}

static long
setattr_at(int dfd, const char __user *upath, u32 walk, struct iattr *a)
{
	struct path p;
	long err = path_lookup_user(dfd, upath, walk, &p);

	if (err)
		return err;
	err = setattr_writing(&p, a);
	path_put(&p);
	return err;
}

static long
setattr_fd(struct fdref r, struct iattr *a)
{
	long err;

	if (!r.file)
		return -EBADF;
	/* Pipes and the like have nothing that could be changed. */
	err = r.file->path.mnt ? setattr_writing(&r.file->path, a) : -EPERM;
	fd_put(r);
	return err;
}

/* --- modes --- */

static struct iattr
mode_attr(u32 mode)
{
	return (struct iattr){.valid = ATTR_MODE, .mode = mode & S_IALLUGO};
}

long
sys_chmod(const char __user *path, unsigned int mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long
sys_fchmodat(int dfd, const char __user *path, unsigned int mode)
{
	struct iattr a = mode_attr(mode);

	return setattr_at(dfd, path, WALK_FOLLOW, &a);
}

long
sys_fchmod(unsigned int fd, unsigned int mode)
{
	struct iattr a = mode_attr(mode);

	return setattr_fd(fd_get(fd), &a);
}

/* --- owners --- */

static struct iattr
owner_attr(u32 uid, u32 gid)
{
	struct iattr a = {.valid = ATTR_CTIME, .uid = uid, .gid = gid};

	if (uid != ID_KEEP)
		a.valid |= ATTR_UID;
	if (gid != ID_KEEP)
		a.valid |= ATTR_GID;
	return a;
}

static int
chown_path(const struct path *p, struct iattr *a)
{
	if (!S_ISDIR(p->dentry->inode->mode))
		a->valid |= ATTR_KILL_SUID | ATTR_KILL_SGID;
	return setattr_writing(p, a);
}

long
sys_fchownat(int dfd, const char __user *upath, u32 uid, u32 gid, int flags)
{
	struct iattr a = owner_attr(uid, gid);
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	err = path_lookup_user(dfd, upath, walk, &p);
	if (err)
		return err;
	err = chown_path(&p, &a);
	path_put(&p);
	return err;
}

long
sys_chown(const char __user *path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long
sys_lchown(const char __user *path, u32 uid, u32 gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long
sys_fchown(unsigned int fd, u32 uid, u32 gid)
{
	struct iattr a = owner_attr(uid, gid);
	struct fdref r = fd_get(fd);
	long err;

	if (!r.file)
		return -EBADF;
	err = r.file->path.mnt ? chown_path(&r.file->path, &a) : -EPERM;
	fd_put(r);
	return err;
}

/* --- times --- */

/* One of the two times: 0 or -EINVAL. */
static int
one_time(const struct timespec *ts, u32 valid, u32 set, s64 *out, struct iattr *a)
{
	s64 sec = clamp(ts->sec, -SEC_MAX, SEC_MAX);

	if (ts->nsec == UTIME_OMIT)
		return 0;
	a->valid |= valid;
	if (ts->nsec == UTIME_NOW) {
		*out = inode_now();
		return 0;
	}
	if (ts->nsec < 0 || ts->nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	a->valid |= set;
	*out = sec * (s64)NSEC_PER_SEC + ts->nsec;
	return 0;
}

/* ts: NULL: both now. 1: nothing is to be done. */
static int
times_attr(const struct timespec *ts, struct iattr *a)
{
	int err;

	*a = (struct iattr){0};
	if (!ts) {
		a->valid = ATTR_ATIME | ATTR_MTIME | ATTR_TOUCH;
		a->atime = a->mtime = inode_now();
		return 0;
	}
	if (ts[0].nsec == UTIME_OMIT && ts[1].nsec == UTIME_OMIT)
		return 1;
	err = one_time(&ts[0], ATTR_ATIME, ATTR_ATIME_SET, &a->atime, a);
	if (!err)
		err = one_time(&ts[1], ATTR_MTIME, ATTR_MTIME_SET, &a->mtime, a);
	if (err)
		return err;
	if (ts[0].nsec == UTIME_NOW && ts[1].nsec == UTIME_NOW)
		a->valid |= ATTR_TOUCH;
	else
		a->valid |= ATTR_MTIME_SET & -((a->valid & ATTR_MTIME) != 0);
	return 0;
}

static long
do_utimes(int dfd, const char __user *path, const struct timespec *ts, int flags)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct iattr a;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = times_attr(ts, &a);
	if (err)
		return err < 0 ? err : 0;
	if (!path && dfd != AT_FDCWD)
		return flags ? -EINVAL : setattr_fd(fd_get(dfd), &a);
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	return setattr_at(dfd, path, walk, &a);
}

long
sys_utimensat(int dfd, const char __user *path, const struct timespec __user *uts, int flags)
{
	struct timespec ts[2];

	if (uts && copy_from_user(ts, uts, sizeof(ts)))
		return -EFAULT;
	return do_utimes(dfd, path, uts ? ts : NULL, flags);
}

long
sys_futimesat(int dfd, const char __user *path, const struct timeval __user *utv)
{
	struct timespec ts[2];
	struct timeval tv[2];

	if (!utv)
		return do_utimes(dfd, path, NULL, 0);
	if (copy_from_user(tv, utv, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct timespec){.sec = tv[i].sec, .nsec = tv[i].usec * 1000};
	}
	return do_utimes(dfd, path, ts, 0);
}

long
sys_utimes(const char __user *path, const struct timeval __user *tv)
{
	return sys_futimesat(AT_FDCWD, path, tv);
}

long
sys_utime(const char __user *path, const void __user *times)
{
	struct timespec ts[2] = {0};
	s64 sec[2];

	if (!times)
		return do_utimes(AT_FDCWD, path, NULL, 0);
	if (copy_from_user(sec, times, sizeof(sec)))
		return -EFAULT;
	ts[0].sec = sec[0];
	ts[1].sec = sec[1];
	return do_utimes(AT_FDCWD, path, ts, 0);
}

/* --- sizes --- */

static int
truncate_path(const struct path *p, u64 size)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	err = mount_want_write(p->mnt);
	if (err)
		return err;
	err = inode_permission(i, current_cred(), MAY_WRITE);
	if (!err)
		err = inode_get_write(i);
	if (!err) {
		err = path_truncate(p, size, 0);
		inode_put_write(i);
	}
	mount_drop_write(p->mnt);
	return err;
}

long
sys_truncate(const char __user *upath, s64 len)
{
	struct path p;
	int err;

	if (len < 0)
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, upath, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = truncate_path(&p, len);
	path_put(&p);
	return err;
}

long
sys_ftruncate(unsigned int fd, s64 len)
{
	struct fdref r;
	struct file *f;
	int err;

	if (len < 0)
		return -EINVAL;
	r = fd_get(fd);
	f = r.file;
	if (!f)
		return -EBADF;
	if (!f->inode || !S_ISREG(f->inode->mode) || !(f->mode & FMODE_WRITE))
		err = -EINVAL;
	else
		err = path_truncate(&f->path, len, ATTR_FILE);
	fd_put(r);
	return err;
}

static int
check_fallocate(const struct file *f, int mode, s64 off, s64 len)
{
	s64 end;

	if (off < 0 || len <= 0)
		return -EINVAL;
	if ((mode & FALLOC_FL_PUNCH_HOLE) &&
	    (!(mode & FALLOC_FL_KEEP_SIZE) || (mode & FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if ((mode & ~FALLOC_FL_KEEP_SIZE) && f->inode && (f->inode->flags & INODE_APPEND))
		return -EPERM;
	if (!f->inode || S_ISFIFO(f->inode->mode))
		return f->mode & FMODE_SEEK ? -ENODEV : -ESPIPE;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!S_ISREG(f->inode->mode))
		return -ENODEV;
	if (__builtin_add_overflow(off, len, &end) || (u64)end > f->inode->sb->max_size)
		return -EFBIG;
	return f->ops->fallocate ? 0 : -EOPNOTSUPP;
}

int
file_fallocate(struct file *f, int mode, s64 off, s64 len)
{
	int err = check_fallocate(f, mode, off, len);

	return err ? err : f->ops->fallocate(f, mode, (u64)off, (u64)len);
}

long
sys_fallocate(int fd, int mode, s64 off, s64 len)
{
	struct fdref r = fd_get(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = file_fallocate(r.file, mode, off, len);
	fd_put(r);
	return err;
}
