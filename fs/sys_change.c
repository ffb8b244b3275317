/* SPDX-License-Identifier: BSD-2-Clause */
/* mkdir, mknod, unlink, rmdir, link, symlink, rename: user strings to fs/namei.h. */
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"

long
sys_mkdirat(int dfd, const char __user *path, unsigned int mode)
{
	struct pathname p;
	int err = pathname_get(&p, path, 0);

	if (err)
		return err;
	err = vfs_mkdir(dfd, p.s, mode);
	pathname_put(&p);
	return err;
}

long
sys_mkdir(const char __user *path, unsigned int mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long
sys_mknodat(int dfd, const char __user *path, unsigned int mode, unsigned int dev)
{
	struct pathname p;
	int err = pathname_get(&p, path, 0);

	if (err)
		return err;
	err = vfs_mknod(dfd, p.s, mode & (S_IFMT | S_IALLUGO), dev_decode(dev));
	pathname_put(&p);
	return err;
}

long
sys_mknod(const char __user *path, unsigned int mode, unsigned int dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long
sys_unlinkat(int dfd, const char __user *path, int flags)
{
	struct pathname p;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = pathname_get(&p, path, 0);
	if (err)
		return err;
	err = flags & AT_REMOVEDIR ? vfs_rmdir(dfd, p.s) : vfs_unlink(dfd, p.s);
	pathname_put(&p);
	return err;
}

long
sys_unlink(const char __user *path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long
sys_rmdir(const char __user *path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long
sys_symlinkat(const char __user *target, int dfd, const char __user *path)
{
	struct pathname t, p;
	int err = pathname_get(&t, target, 0);

	if (err)
		return err;
	err = pathname_get(&p, path, 0);
	if (!err) {
		err = vfs_symlink(t.s, dfd, p.s);
		pathname_put(&p);
	}
	pathname_put(&t);
	return err;
}

long
sys_symlink(const char __user *target, const char __user *path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long
sys_linkat(int odfd, const char __user *old, int ndfd, const char __user *new, int flags)
{
	struct pathname o, n;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = pathname_get(&o, old, flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	if (err)
		return err;
	err = pathname_get(&n, new, 0);
	if (!err) {
		err = vfs_link(odfd, o.s, ndfd, n.s, flags);
		pathname_put(&n);
	}
	pathname_put(&o);
	return err;
}

long
sys_link(const char __user *old, const char __user *new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

long
sys_renameat2(int odfd, const char __user *old, int ndfd, const char __user *new,
	      unsigned int flags)
{
	struct rename_request r = {.odfd = odfd, .ndfd = ndfd, .flags = flags};
	struct pathname o, n;
	int err = pathname_get(&o, old, 0);

	if (err)
		return err;
	err = pathname_get(&n, new, 0);
	if (!err) {
		r.old = o.s;
		r.new_name = n.s;
		err = vfs_rename(&r);
		pathname_put(&n);
	}
	pathname_put(&o);
	return err;
}

long
sys_renameat(int odfd, const char __user *old, int ndfd, const char __user *new)
{
	return sys_renameat2(odfd, old, ndfd, new, 0);
}

long
sys_rename(const char __user *old, const char __user *new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}
