/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended attributes: name spaces, permissions, limits (xattr(7)). The file
 * system stores them.
 */
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/xattr.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

struct xattr_name {
	char s[XATTR_NAME_MAX + 1];
};

static int
get_name(struct xattr_name *name, const char __user *u)
{
	long n = strncpy_from_user(name->s, u, sizeof(name->s));

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? n : 0;
}

/* May the caller use this name of i? mask: MAY_READ or MAY_WRITE. */
static int
check_name(struct inode *i, const char *name, int mask)
{
	const char *rest;

	if (mask == MAY_WRITE && (i->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		return -EPERM;
	rest = str_after_prefix(name, XATTR_SECURITY_PREFIX);
	if (rest) {
		if (!*rest)
			return -EINVAL;
		return mask == MAY_WRITE && !capable(CAP_SYS_ADMIN) ? -EPERM : 0;
	}
	rest = str_after_prefix(name, XATTR_TRUSTED_PREFIX);
	if (rest) {
		if (!capable(CAP_SYS_ADMIN))
			return mask == MAY_WRITE ? -EPERM : -ENODATA;
		return *rest ? 0 : -EINVAL;
	}
	rest = str_after_prefix(name, XATTR_USER_PREFIX);
	if (!rest)
		return -EOPNOTSUPP;
	if (!*rest)
		return -EINVAL;
	if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
		return mask == MAY_WRITE ? -EPERM : -ENODATA;
	if (mask == MAY_WRITE && S_ISDIR(i->mode) && (i->mode & S_ISVTX) &&
	    !inode_owner_or_capable(i, current_cred()))
		return -EPERM;
	return inode_permission(i, current_cred(), mask);
}

/* value NULL: remove. */
int
xattr_set(const struct path *p, const char *name, const void *value, size_t n, int flags)
{
	struct inode *i = p->dentry->inode;
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	err = check_name(i, name, MAY_WRITE);
	if (!err)
		err = i->ops->set_xattr ? i->ops->set_xattr(i, name, value, n, flags) : -EOPNOTSUPP;
	if (!err)
		notify_dentry(p->dentry, IN_ATTRIB);
	mount_drop_write(p->mnt);
	return err;
}

static long
do_set(const struct path *p, const char __user *uname, const void __user *uvalue, size_t n,
       int flags)
{
	struct xattr_name name;
	void *value;
	int err;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = get_name(&name, uname);
	if (err)
		return err;
	if (n > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kvmalloc(n + 1, GFP_KERNEL);
	if (!value)
		return -ENOMEM;
	err = n ? copy_from_user(value, uvalue, n) : 0;
	if (!err)
		err = xattr_set(p, name.s, value, n, flags);
	kvfree(value);
	return err;
}

long
xattr_get(const struct path *p, const char *name, void __user *uvalue, size_t n)
{
	struct inode *i = p->dentry->inode;
	void *value = NULL;
	s64 r = check_name(i, name, MAY_READ);

	if (r)
		return r;
	if (!i->ops->get_xattr)
		return -EOPNOTSUPP;
	n = min(n, (size_t)XATTR_SIZE_MAX);
	if (n) {
		value = kvmalloc(n, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
	}
	r = i->ops->get_xattr(i, name, value, n);
	if (r > 0 && n && copy_to_user(uvalue, value, r))
		r = -EFAULT;
	kvfree(value);
	return r;
}

static long
do_get(const struct path *p, const char __user *uname, void __user *uvalue, size_t n)
{
	struct xattr_name name;
	int err = get_name(&name, uname);

	return err ? err : xattr_get(p, name.s, uvalue, n);
}

static long
do_list(const struct path *p, char __user *ulist, size_t n)
{
	struct inode *i = p->dentry->inode;
	char *list = NULL;
	s64 r;

	if (!i->ops->list_xattr)
		return 0;
	n = min(n, (size_t)XATTR_LIST_MAX);
	if (n) {
		list = kvmalloc(n, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
	}
	r = i->ops->list_xattr(i, list, n, capable(CAP_SYS_ADMIN));
	if (r > 0 && n && copy_to_user(ulist, list, r))
		r = -EFAULT;
	kvfree(list);
	return r;
}

static long
do_remove(const struct path *p, const char __user *uname)
{
	struct xattr_name name;
	int err = get_name(&name, uname);

	return err ? err : xattr_set(p, name.s, NULL, 0, 0);
}

/* --- the calls: by path, by link, by descriptor --- */

/* The path of a descriptor with references: -EBADF, -EOPNOTSUPP (a pipe has no attributes). */
static int
fd_path(int fd, struct path *p)
{
	struct fdref r = fd_get(fd);
	int err = 0;

	if (!r.file)
		return -EBADF;
	*p = r.file->path;
	if (p->mnt)
		path_get(p);
	else
		err = -EOPNOTSUPP;
	fd_put(r);
	return err;
}

static int
user_path(const char __user *u, u32 walk, struct path *p)
{
	return path_lookup_user(AT_FDCWD, u, walk, p);
}

#define ON_PATH(find, call)                                                                        \
	({                                                                                         \
		struct path p;                                                                     \
		long _r = (find);                                                                  \
		if (!_r) {                                                                         \
			_r = (call);                                                               \
			path_put(&p);                                                              \
		}                                                                                  \
		_r;                                                                                \
	})

long
sys_setxattr(const char __user *path, const char __user *name, const void __user *value, size_t n,
	     int flags)
{
	return ON_PATH(user_path(path, WALK_FOLLOW, &p), do_set(&p, name, value, n, flags));
}

long
sys_lsetxattr(const char __user *path, const char __user *name, const void __user *value, size_t n,
	      int flags)
{
	return ON_PATH(user_path(path, 0, &p), do_set(&p, name, value, n, flags));
}

long
sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t n, int flags)
{
	return ON_PATH(fd_path(fd, &p), do_set(&p, name, value, n, flags));
}

long
sys_getxattr(const char __user *path, const char __user *name, void __user *value, size_t n)
{
	return ON_PATH(user_path(path, WALK_FOLLOW, &p), do_get(&p, name, value, n));
}

long
sys_lgetxattr(const char __user *path, const char __user *name, void __user *value, size_t n)
{
	return ON_PATH(user_path(path, 0, &p), do_get(&p, name, value, n));
}

long
sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t n)
{
	return ON_PATH(fd_path(fd, &p), do_get(&p, name, value, n));
}

long
sys_listxattr(const char __user *path, char __user *list, size_t n)
{
	return ON_PATH(user_path(path, WALK_FOLLOW, &p), do_list(&p, list, n));
}

long
sys_llistxattr(const char __user *path, char __user *list, size_t n)
{
	return ON_PATH(user_path(path, 0, &p), do_list(&p, list, n));
}

long
sys_flistxattr(int fd, char __user *list, size_t n)
{
	return ON_PATH(fd_path(fd, &p), do_list(&p, list, n));
}

long
sys_removexattr(const char __user *path, const char __user *name)
{
	return ON_PATH(user_path(path, WALK_FOLLOW, &p), do_remove(&p, name));
}

long
sys_lremovexattr(const char __user *path, const char __user *name)
{
	return ON_PATH(user_path(path, 0, &p), do_remove(&p, name));
}

long
sys_fremovexattr(int fd, const char __user *name)
{
	return ON_PATH(fd_path(fd, &p), do_remove(&p, name));
}
