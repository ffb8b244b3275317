/* SPDX-License-Identifier: BSD-2-Clause */
/* open_tree(2), move_mount(2), mount_setattr(2): flags and user structures. */
#include "fs/file_impl.h"
#include "fs/sys_mount.h"
#include "kernel/file.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/ns.h"
#include "mm/uaccess.h"

#define MOUNT_TYPES (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

static u32
walk_of(unsigned int flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

long
sys_open_tree(int dfd, const char __user *upath, unsigned int flags)
{
	bool clone = flags & OPEN_TREE_CLONE;
	struct path p;
	struct file *f;
	long err;

	if (flags & ~(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
		      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if ((flags & AT_RECURSIVE) && !clone)
		return -EINVAL;
	if (clone && !may_mount())
		return -EPERM;
	err = path_lookup_user(dfd, upath, walk_of(flags), &p);
	if (err)
		return err;
	if (clone) {
		f = mount_open_copy(&p, flags & AT_RECURSIVE);
		path_put(&p);
	} else {
		f = file_open_taken(&p, O_PATH);
	}
	return is_err(f) ? ptr_err(f) : fd_install(f, 0, flags & OPEN_TREE_CLOEXEC);
}

long
sys_move_mount(int from_dfd, const char __user *ufrom, int to_dfd, const char __user *uto,
	       unsigned int flags)
{
	u32 walk_from = 0, walk_to = 0;
	struct path from, to;
	long err;

	if (!may_mount())
		return -EPERM;
	if (flags & ~MOVE_MOUNT_ALL)
		return -EINVAL;
	walk_from |= flags & MOVE_MOUNT_F_SYMLINKS ? WALK_FOLLOW : 0;
	walk_from |= flags & MOVE_MOUNT_F_EMPTY_PATH ? WALK_EMPTY : 0;
	walk_to |= flags & MOVE_MOUNT_T_SYMLINKS ? WALK_FOLLOW : 0;
	walk_to |= flags & MOVE_MOUNT_T_EMPTY_PATH ? WALK_EMPTY : 0;
	err = path_lookup_user(from_dfd, ufrom, walk_from, &from);
	if (err)
		return err;
	err = path_lookup_user(to_dfd, uto, walk_to, &to);
	if (!err) {
		err = flags & MOVE_MOUNT_SET_GROUP ? mount_join(&from, &to)
						   : mount_move(&from, &to);
		path_put(&to);
	}
	path_put(&from);
	return err;
}

/* --- mount_setattr --- */

int
mount_flags_of_attr(u64 attr, u32 *flags)
{
	static const struct {
		u32 attr, mount;
	} map[] = {
		{MOUNT_ATTR_RDONLY, MOUNT_RDONLY},
		{MOUNT_ATTR_NOSUID, MOUNT_NOSUID},
		{MOUNT_ATTR_NODEV, MOUNT_NODEV},
		{MOUNT_ATTR_NOEXEC, MOUNT_NOEXEC},
		{MOUNT_ATTR_NODIRATIME, MOUNT_NODIRATIME},
		{MOUNT_ATTR_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW},
	};
	u64 atime = attr & MOUNT_ATTR_ATIME;

	*flags = 0;
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		*flags |= attr & map[i].attr ? map[i].mount : 0;
	if (atime == MOUNT_ATTR_RELATIME)
		*flags |= MOUNT_RELATIME;
	else if (atime == MOUNT_ATTR_NOATIME)
		*flags |= MOUNT_NOATIME;
	else if (atime != MOUNT_ATTR_STRICTATIME)
		return -EINVAL;
	return 0;
}

/*
 * A mount that maps owners: the user namespace that says how must not be the initial
 * one, and there is no other.
 */
static int
check_idmap(const struct mount_attr *a)
{
	struct fdref r;
	struct ns *ns;
	int err;

	if (!((a->attr_set | a->attr_clr) & MOUNT_ATTR_IDMAP))
		return 0;
	if ((a->attr_clr & MOUNT_ATTR_IDMAP) || a->userns_fd > INT32_MAX)
		return -EINVAL;
	r = fd_get((unsigned int)a->userns_fd);
	if (!r.file)
		return -EBADF;
	ns = fs_file_ns(r.file);
	err = ns && ns->kind == NS_USER ? -EPERM : -EINVAL;
	fd_put(r);
	return err;
}

static int
make_change(const struct mount_attr *a, struct mount_change *c)
{
	bool atime = a->attr_clr & MOUNT_ATTR_ATIME;
	u64 clear = a->attr_clr & ~(u64)MOUNT_ATTR_ATIME;

	if ((a->propagation & ~MOUNT_TYPES) || (a->propagation && !is_power_of_2(a->propagation)))
		return -EINVAL;
	if ((a->attr_set | a->attr_clr) & ~(u64)(MOUNT_ATTR_ALL | MOUNT_ATTR_IDMAP))
		return -EINVAL;
	/* What is an enumeration is cleared as a whole, and only then set. */
	if (atime && (a->attr_clr & MOUNT_ATTR_ATIME) != MOUNT_ATTR_ATIME)
		return -EINVAL;
	if (!atime && (a->attr_set & MOUNT_ATTR_ATIME))
		return -EINVAL;
	if (mount_flags_of_attr(a->attr_set, &c->set) || mount_flags_of_attr(clear, &c->clear))
		return -EINVAL;
	c->clear &= ~MOUNT_RELATIME;
	if (atime)
		c->clear |= MOUNT_RELATIME | MOUNT_NOATIME;
	else
		c->set &= ~MOUNT_RELATIME;
	c->propagation = a->propagation;
	return check_idmap(a);
}

long
sys_mount_setattr(int dfd, const char __user *upath, unsigned int flags,
		  struct mount_attr __user *uattr, size_t size)
{
	struct mount_change c = {.below = flags & AT_RECURSIVE};
	struct mount_attr a;
	struct path p;
	long err;

	if (flags & ~(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < MOUNT_ATTR_SIZE_VER0)
		return -EINVAL;
	if (!may_mount())
		return -EPERM;
	err = copy_struct_from_user(&a, sizeof(a), uattr, size);
	if (err)
		return err;
	if (!a.attr_set && !a.attr_clr && !a.propagation)
		return 0;
	err = make_change(&a, &c);
	if (err)
		return err;
	err = path_lookup_user(dfd, upath, walk_of(flags), &p);
	if (err)
		return err;
	err = mount_change(&p, &c);
	path_put(&p);
	return err;
}
