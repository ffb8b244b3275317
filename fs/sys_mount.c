/* SPDX-License-Identifier: BSD-2-Clause */
/* mount(2), umount2(2), pivot_root(2): permissions and user strings. */
#include "fs/sys_mount.h"
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/capability.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

bool
may_mount(void)
{
	return capable(CAP_SYS_ADMIN);
}

char *
user_string(const char __user *u, size_t max)
{
	char *s = kmalloc(max, GFP_KERNEL);
	long n;

	if (!s)
		return err_ptr(-ENOMEM);
	n = strncpy_from_user(s, u, max);
	if (n < 0) {
		kfree(s);
		return err_ptr(n == -ENAMETOOLONG ? -EINVAL : n);
	}
	return s;
}

/* The same; NULL for a null pointer. */
static char *
get_string(const char __user *u)
{
	return u ? user_string(u, PATH_MAX) : NULL;
}

/* Options are a page at most, cut at a fault behind the first byte, as in Linux. */
static char *
get_options(const void __user *u)
{
	size_t missing;
	char *s;

	if (!u)
		return NULL;
	s = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!s)
		return err_ptr(-ENOMEM);
	missing = copy_from_user_partial(s, u, PAGE_SIZE);
	if (missing == PAGE_SIZE) {
		kfree(s);
		return err_ptr(-EFAULT);
	}
	s[PAGE_SIZE - 1] = '\0';
	return s;
}

static void
free_string(char *s)
{
	if (!is_err(s))
		kfree(s);
}

static long
do_mount(const char __user *utarget, const struct mount_request *r)
{
	struct path where;
	long err = path_lookup_user(AT_FDCWD, utarget, WALK_FOLLOW, &where);

	if (err)
		return err;
	err = may_mount() ? mount_at(&where, r) : -EPERM;
	path_put(&where);
	return err;
}

long
sys_mount(const char __user *usource, const char __user *utarget, const char __user *utype,
	  unsigned long flags, const void __user *udata)
{
	char *type = get_string(utype);
	char *source = is_err(type) ? NULL : get_string(usource);
	char *data = is_err(type) || is_err(source) ? NULL : get_options(udata);
	struct mount_request r = {.source = source, .type = type, .flags = flags, .data = data};
	long err;

	if (is_err(type))
		err = ptr_err(type);
	else if (is_err(source))
		err = ptr_err(source);
	else if (is_err(data))
		err = ptr_err(data);
	else
		err = do_mount(utarget, &r);
	free_string(data);
	free_string(source);
	free_string(type);
	return err;
}

long
sys_umount2(const char __user *utarget, int flags)
{
	u32 walk = flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	long err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if ((flags & MNT_EXPIRE) && (flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	if (!may_mount())
		return -EPERM;
	err = path_lookup_user(AT_FDCWD, utarget, walk, &p);
	if (err)
		return err;
	err = mount_umount(&p, flags);
	/* This is no use that MNT_EXPIRE would count. */
	dentry_put(p.dentry);
	mount_put_no_expire(p.mnt);
	return err;
}

long
sys_pivot_root(const char __user *unew, const char __user *uold)
{
	struct path new_root, put_old;
	long err;

	if (!may_mount())
		return -EPERM;
	err = path_lookup_user(AT_FDCWD, unew, WALK_FOLLOW | WALK_DIRECTORY, &new_root);
	if (err)
		return err;
	err = path_lookup_user(AT_FDCWD, uold, WALK_FOLLOW | WALK_DIRECTORY, &put_old);
	if (!err) {
		err = mount_pivot_root(&new_root, &put_old);
		path_put(&put_old);
	}
	path_put(&new_root);
	return err;
}
