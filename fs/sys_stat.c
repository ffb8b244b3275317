/* SPDX-License-Identifier: BSD-2-Clause */
/* stat(2), statx(2), access(2), readlink(2), statfs(2). */
#include "fs/attr.h"
#include "fs/context.h"
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* Seconds, rounded down, and the nanoseconds behind them. */
static s64
time_split(s64 ns, u64 *nsec)
{
	s64 sec = ns / (s64)NSEC_PER_SEC;
	s64 rest = ns % (s64)NSEC_PER_SEC;

	if (rest < 0) {
		rest += NSEC_PER_SEC;
		sec--;
	}
	*nsec = rest;
	return sec;
}

static int
put_stat(struct stat __user *ust, const struct kstat *k)
{
	struct stat st = {
		.dev = dev_encode(k->dev),
		.ino = k->ino,
		.nlink = k->nlink,
		.mode = k->mode,
		.uid = k->uid,
		.gid = k->gid,
		.rdev = dev_encode(k->rdev),
		.size = k->size,
		.blksize = k->blksize,
		.blocks = k->blocks,
	};

	st.atime = time_split(k->atime, &st.atime_nsec);
	st.mtime = time_split(k->mtime, &st.mtime_nsec);
	st.ctime = time_split(k->ctime, &st.ctime_nsec);
	return copy_to_user(ust, &st, sizeof(st));
}

/* Of a descriptor: pipes and the like have no path. */
static int
stat_fd(unsigned int fd, struct kstat *k)
{
	struct fdref r = fd_get_path(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = file_getattr(r.file, k);
	fd_put(r);
	return err;
}

/* AT_* of a call that may name a descriptor by an empty path. */
static int
stat_name(int dfd, const char *name, int flags, struct kstat *k)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	int err;

	if (!*name && dfd != AT_FDCWD)
		return stat_fd(dfd, k);
	err = path_lookup(dfd, name, walk | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (!err) {
		err = path_getattr(&p, k);
		path_put(&p);
	}
	return err;
}

static int
stat_at(int dfd, const char __user *upath, int flags, struct kstat *k)
{
	struct pathname name;
	int err = pathname_get(&name, upath, flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);

	if (err)
		return err;
	err = stat_name(dfd, name.s, flags, k);
	pathname_put(&name);
	return err;
}

static long
do_stat(int dfd, const char __user *path, struct stat __user *ust, int flags)
{
	struct kstat k;
	int err = stat_at(dfd, path, flags, &k);

	return err ? err : put_stat(ust, &k);
}

long
sys_stat(const char __user *path, struct stat __user *st)
{
	return do_stat(AT_FDCWD, path, st, 0);
}

long
sys_lstat(const char __user *path, struct stat __user *st)
{
	return do_stat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

long
sys_newfstatat(int dfd, const char __user *path, struct stat __user *st, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return do_stat(dfd, path, st, flags);
}

long
sys_fstat(unsigned int fd, struct stat __user *st)
{
	struct kstat k;
	int err = stat_fd(fd, &k);

	return err ? err : put_stat(st, &k);
}

static struct statx_timestamp
statx_time(s64 ns)
{
	u64 nsec;
	s64 sec = time_split(ns, &nsec);

	return (struct statx_timestamp){.sec = sec, .nsec = nsec};
}

static int
statx_check(u32 flags, u32 mask)
{
	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	return 0;
}

static int
put_statx(struct statx __user *buf, const struct kstat *k)
{
	struct statx x = {
		.mask = k->mask,
		.blksize = k->blksize,
		.attributes = k->attributes,
		.nlink = k->nlink,
		.uid = k->uid,
		.gid = k->gid,
		.mode = k->mode,
		.ino = k->ino,
		.size = k->size,
		.blocks = k->blocks,
		.attributes_mask = k->attributes_mask,
		.atime = statx_time(k->atime),
		.btime = statx_time(k->btime),
		.ctime = statx_time(k->ctime),
		.mtime = statx_time(k->mtime),
		.rdev_major = DEV_MAJOR(k->rdev),
		.rdev_minor = DEV_MINOR(k->rdev),
		.dev_major = DEV_MAJOR(k->dev),
		.dev_minor = DEV_MINOR(k->dev),
		.mnt_id = k->mnt_id,
	};

	return copy_to_user(buf, &x, sizeof(x));
}

int
statx_name(int dfd, const char *name, u32 flags, u32 mask, struct statx __user *buf)
{
	struct kstat k;
	int err = statx_check(flags, mask);

	if (!err)
		err = stat_name(dfd, name, (int)flags, &k);
	return err ? err : put_statx(buf, &k);
}

long
sys_statx(int dfd, const char __user *path, unsigned int flags, unsigned int mask,
	  struct statx __user *buf)
{
	struct kstat k;
	int err = statx_check(flags, mask);

	if (!err)
		err = stat_at(dfd, path, (int)flags, &k);
	return err ? err : put_statx(buf, &k);
}

/* --- access --- */

/* The caller as its real ids would be; NULL without memory. */
static struct cred *
real_cred(void)
{
	struct cred *c = cred_prepare();

	if (!c)
		return NULL;
	c->fsuid = c->uid;
	c->fsgid = c->gid;
	/* A set-id program that asks for its user must not count its own power. */
	c->cap_effective = c->uid ? 0 : c->cap_permitted;
	return c;
}

static bool
needs_real(const struct cred *c, int flags)
{
	if (flags & AT_EACCESS)
		return false;
	return c->fsuid != c->uid || c->fsgid != c->gid ||
	       c->cap_effective != (c->uid ? 0 : c->cap_permitted);
}

static int
access_path(const struct path *p, int mode, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	int err;

	if ((mode & MAY_EXEC) && S_ISREG(i->mode) &&
	    ((READ_ONCE(p->mnt->flags) & MOUNT_NOEXEC) || (p->mnt->sb->flags & SB_NOEXEC)))
		return -EACCES;
	err = inode_permission(i, c, mode);
	if (err || !(mode & MAY_WRITE))
		return err;
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode) || S_ISFIFO(i->mode) || S_ISSOCK(i->mode))
		return 0;
	return mount_readonly(p->mnt) ? -EROFS : 0;
}

static long
do_access(int dfd, const char __user *upath, int mode, int flags)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	const struct cred *c = current_cred();
	struct cred *real = NULL;
	struct pathname name;
	struct path p;
	int err;

	if (mode & ~(R_OK | W_OK | X_OK))
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	err = pathname_get(&name, upath, walk);
	if (err)
		return err;
	if (needs_real(c, flags)) {
		real = real_cred();
		err = real ? 0 : -ENOMEM;
		c = real;
	}
	if (!err)
		err = path_lookup_as(dfd, name.s, walk, c, &p);
	if (!err) {
		err = access_path(&p, mode, c);
		path_put(&p);
	}
	if (real)
		cred_abort(real);
	pathname_put(&name);
	return err;
}

long
sys_access(const char __user *path, int mode)
{
	return do_access(AT_FDCWD, path, mode, 0);
}

long
sys_faccessat(int dfd, const char __user *path, int mode)
{
	return do_access(dfd, path, mode, 0);
}

long
sys_faccessat2(int dfd, const char __user *path, int mode, int flags)
{
	return do_access(dfd, path, mode, flags);
}

/* --- readlink --- */

/* The text of a magic link: the name of where it jumps to. */
static int
jump_text(struct link_result *r, char *buf, const char **text)
{
	struct path root;
	char *s;

	current_root(&root);
	s = path_name(&r->jump, &root, false, buf, PATH_MAX);
	path_put(&root);
	path_put(&r->jump);
	*text = s;
	return is_err(s) ? ptr_err(s) : 0;
}

static int
copy_link(const char *text, char __user *buf, int n)
{
	size_t len = min(strlen(text), (size_t)n);

	return copy_to_user(buf, text, len) ? -EFAULT : (int)len;
}

static int
read_made_link(const struct path *p, char __user *buf, int n)
{
	struct inode *i = p->dentry->inode;
	struct link_result r = {.reading = true};
	const char *text;
	char *page;
	int err = i->ops->get_link(i, p->dentry, false, &r);

	if (err)
		return err;
	if (!r.jumped) {
		err = copy_link(r.text, buf, n);
		if (r.allocated)
			kfree(r.text);
		return err;
	}
	page = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!page) {
		path_put(&r.jump);
		return -ENOMEM;
	}
	err = jump_text(&r, page, &text);
	if (!err)
		err = copy_link(text, buf, n);
	kfree(page);
	return err;
}

static int
read_link(const struct path *p, char __user *buf, int n)
{
	struct inode *i = p->dentry->inode;

	if (!S_ISLNK(i->mode))
		return -EINVAL;
	path_accessed(p);
	return i->link ? copy_link(i->link, buf, n) : read_made_link(p, buf, n);
}

static long
do_readlink(int dfd, const char __user *upath, char __user *buf, int n)
{
	struct pathname name;
	struct path p;
	int err;

	if (n <= 0)
		return -EINVAL;
	err = pathname_get(&name, upath, WALK_EMPTY);
	if (err)
		return err;
	err = path_lookup(dfd, name.s, WALK_EMPTY, &p);
	if (!err) {
		err = read_link(&p, buf, n);
		/* Only a link itself may be named by an empty path. */
		if (!*name.s && err == -EINVAL)
			err = -ENOENT;
		path_put(&p);
	}
	pathname_put(&name);
	return err;
}

long
sys_readlink(const char __user *path, char __user *buf, int n)
{
	return do_readlink(AT_FDCWD, path, buf, n);
}

long
sys_readlinkat(int dfd, const char __user *path, char __user *buf, int n)
{
	return do_readlink(dfd, path, buf, n);
}

/* --- statfs --- */

static s64
statfs_flags(const struct mount *m)
{
	u32 f = READ_ONCE(m->flags);
	s64 st = ST_VALID;

	st |= mount_readonly(m) ? ST_RDONLY : 0;
	st |= f & MOUNT_NOSUID ? ST_NOSUID : 0;
	st |= f & MOUNT_NODEV ? ST_NODEV : 0;
	st |= f & MOUNT_NOEXEC ? ST_NOEXEC : 0;
	st |= f & MOUNT_NOATIME ? ST_NOATIME : 0;
	st |= f & MOUNT_NODIRATIME ? ST_NODIRATIME : 0;
	st |= f & MOUNT_RELATIME ? ST_RELATIME : 0;
	st |= f & MOUNT_NOSYMFOLLOW ? ST_NOSYMFOLLOW : 0;
	return st;
}

static long
statfs_path(const struct path *p, struct statfs __user *buf)
{
	struct super *sb = p->dentry->sb;
	struct statfs st = {
		.type = sb->magic,
		.bsize = PAGE_SIZE,
		.frsize = PAGE_SIZE,
		.namelen = NAME_MAX,
		.fsid = {sb->dev, 0},
		.flags = statfs_flags(p->mnt),
	};
	int err = sb->ops->statfs ? sb->ops->statfs(sb, &st) : 0;

	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

long
sys_statfs(const char __user *path, struct statfs __user *buf)
{
	struct path p;
	long err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = statfs_path(&p, buf);
	path_put(&p);
	return err;
}

static long
statfs_anonymous(struct statfs __user *buf)
{
	struct statfs st = {
		.type = ANON_INODE_FS_MAGIC,
		.bsize = PAGE_SIZE,
		.frsize = PAGE_SIZE,
		.namelen = NAME_MAX,
		.flags = ST_VALID,
	};

	return copy_to_user(buf, &st, sizeof(st));
}

long
sys_fstatfs(unsigned int fd, struct statfs __user *buf)
{
	struct fdref r = fd_get_path(fd);
	long err;

	if (!r.file)
		return -EBADF;
	err = r.file->path.mnt ? statfs_path(&r.file->path, buf) : statfs_anonymous(buf);
	fd_put(r);
	return err;
}
