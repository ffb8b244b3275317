/* SPDX-License-Identifier: BSD-2-Clause */
/* fsopen(2), fsconfig(2), fspick(2), fsmount(2): handles, permissions, user strings. */
#include "fs/mount_config.h"
#include "fs/namei.h"
#include "fs/sys_mount.h"
#include "kernel/file.h"
#include "kernel/iter.h"
#include "kernel/syscall/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "mm/vmalloc.h"

/* Keys and values, with the NUL. */
#define STRING_MAX 256
#define BLOB_MAX (1024 * 1024)

/* --- the handle --- */

/* One message at a time. */
static s64
config_read(struct file *f, struct iter *to, u64 *pos)
{
	struct mount_config *c = f->private;
	size_t n;
	char *text;
	s64 r = mutex_lock_interruptible(&c->mutex);

	if (r)
		return r;
	text = config_message(c, iter_left(to));
	mutex_unlock(&c->mutex);
	if (is_err(text))
		return ptr_err(text);
	n = strlen(text);
	r = iter_copy_to(to, text, n) == n ? (s64)n : -EFAULT;
	kfree(text);
	return r;
}

static void
config_release(struct file *f)
{
	config_free(f->private);
}

static const struct file_ops config_ops = {
	.name = "[fscontext]",
	.plain = true,
	.read = config_read,
	.release = config_release,
};

/* A descriptor for c, which it takes; NULL: no memory for it. */
static long
config_install(struct mount_config *c, bool cloexec)
{
	struct file *f;

	if (!c)
		return -ENOMEM;
	f = file_alloc(&config_ops, FMODE_READ | FMODE_WRITE, O_RDWR, c);
	if (is_err(f)) {
		config_free(c);
		return ptr_err(f);
	}
	return fd_install(f, 0, cloexec);
}

long
sys_fsopen(const char __user *utype, unsigned int flags)
{
	const struct fs_type *t;
	char *name;

	if (!may_mount())
		return -EPERM;
	if (flags & ~FSOPEN_CLOEXEC)
		return -EINVAL;
	name = user_string(utype, PAGE_SIZE);
	if (is_err(name))
		return ptr_err(name);
	t = fs_type_find(name);
	kfree(name);
	return t ? config_install(config_alloc(t, NULL), flags & FSOPEN_CLOEXEC) : -ENODEV;
}

long
sys_fspick(int dfd, const char __user *upath, unsigned int flags)
{
	u32 walk = flags & FSPICK_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct mount_config *c;
	struct path p;
	long err;

	if (!may_mount())
		return -EPERM;
	if (flags &
	    ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	walk |= flags & FSPICK_EMPTY_PATH ? WALK_EMPTY : 0;
	err = path_lookup_user(dfd, upath, walk, &p);
	if (err)
		return err;
	if (p.dentry != p.mnt->root) {
		err = -EINVAL;
	} else {
		c = config_alloc(p.mnt->sb->type, super_get(p.mnt->sb));
		if (!c)
			super_put(p.mnt->sb);
		err = config_install(c, flags & FSPICK_CLOEXEC);
	}
	path_put(&p);
	return err;
}

/* --- fsconfig --- */

static int
check_arguments(unsigned int cmd, bool key, bool value, int aux)
{
	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		return key && !value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_STRING:
		return key && value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_BINARY:
		return key && value && aux > 0 && aux <= BLOB_MAX ? 0 : -EINVAL;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		return key && value && (aux == AT_FDCWD || aux >= 0) ? 0 : -EINVAL;
	case FSCONFIG_SET_FD:
		return key && !value && aux >= 0 ? 0 : -EINVAL;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_RECONFIGURE:
		return !key && !value && !aux ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

/* No type takes bytes, paths or descriptors; what was given is looked at all the same. */
static int
check_other(unsigned int cmd, const void __user *value, int aux)
{
	struct pathname name;
	struct fdref r;
	void *blob;
	int err;

	switch (cmd) {
	case FSCONFIG_SET_BINARY:
		blob = kvmalloc((size_t)aux, GFP_KERNEL);
		if (!blob)
			return -ENOMEM;
		err = copy_from_user(blob, value, (size_t)aux) ? -EFAULT : 0;
		kvfree(blob);
		return err;
	case FSCONFIG_SET_FD:
		r = fd_get((unsigned int)aux);
		if (!r.file)
			return -EBADF;
		fd_put(r);
		return 0;
	}
	err = pathname_get(&name, value, cmd == FSCONFIG_SET_PATH_EMPTY ? WALK_EMPTY : 0);
	if (!err)
		pathname_put(&name);
	return err;
}

/* The parameter's strings, which the caller frees. */
static int
get_param(struct config_param *p, unsigned int cmd, const char __user *ukey,
	  const void __user *uvalue, int aux)
{
	char *s = user_string(ukey, STRING_MAX);

	if (is_err(s))
		return ptr_err(s);
	p->key = s;
	switch (cmd) {
	case FSCONFIG_SET_FLAG:
		p->kind = PARAM_FLAG;
		return 0;
	case FSCONFIG_SET_STRING:
		p->kind = PARAM_STRING;
		s = user_string(uvalue, STRING_MAX);
		if (is_err(s))
			return ptr_err(s);
		p->value = s;
		return 0;
	}
	p->kind = PARAM_OTHER;
	return check_other(cmd, uvalue, aux);
}

static long
do_command(struct mount_config *c, unsigned int cmd, const struct config_param *p)
{
	long err = mutex_lock_interruptible(&c->mutex);

	if (err)
		return err;
	if (cmd == FSCONFIG_CMD_CREATE)
		err = config_create(c);
	else if (cmd == FSCONFIG_CMD_RECONFIGURE)
		err = config_change(c);
	else
		err = config_set(c, p);
	mutex_unlock(&c->mutex);
	return err;
}

static bool
is_other(unsigned int cmd)
{
	return cmd >= FSCONFIG_SET_BINARY && cmd <= FSCONFIG_SET_FD;
}

long
sys_fsconfig(int fd, unsigned int cmd, const char __user *ukey, const void __user *uvalue, int aux)
{
	struct config_param p = {0};
	struct mount_config *c;
	struct fdref r;
	long err = fd < 0 ? -EINVAL : check_arguments(cmd, ukey, uvalue, aux);

	if (err)
		return err;
	r = fd_get((unsigned int)fd);
	if (!r.file)
		return -EBADF;
	if (r.file->ops != &config_ops) {
		err = -EINVAL;
		goto out_fd;
	}
	c = r.file->private;
	if (config_is_plain(c) && is_other(cmd)) {
		err = -EOPNOTSUPP;
		goto out_fd;
	}
	err = ukey ? get_param(&p, cmd, ukey, uvalue, aux) : 0;
	if (!err)
		err = do_command(c, cmd, &p);
	kfree(p.key);
	kfree(p.value);
out_fd:
	fd_put(r);
	return err;
}

/* --- fsmount --- */

static long
do_fsmount(struct file *f, u32 mount_flags, bool cloexec)
{
	struct mount_config *c = f->private;
	struct file *tree;
	long fd;

	if (f->ops != &config_ops)
		return -EINVAL;
	fd = fd_reserve(0, cloexec);
	if (fd < 0)
		return fd;
	tree = err_ptr(mutex_lock_interruptible(&c->mutex));
	if (!tree) {
		tree = config_mount(c, mount_flags);
		mutex_unlock(&c->mutex);
	}
	if (is_err(tree)) {
		fd_unreserve((unsigned int)fd);
		return ptr_err(tree);
	}
	fd_publish((unsigned int)fd, tree);
	return fd;
}

long
sys_fsmount(int fd, unsigned int flags, unsigned int attr_flags)
{
	u32 mount_flags;
	struct fdref r;
	long err;

	if (!may_mount())
		return -EPERM;
	if ((flags & ~FSMOUNT_CLOEXEC) || (attr_flags & ~MOUNT_ATTR_ALL))
		return -EINVAL;
	err = mount_flags_of_attr(attr_flags, &mount_flags);
	if (err)
		return err;
	r = fd_get((unsigned int)fd);
	if (!r.file)
		return -EBADF;
	err = do_fsmount(r.file, mount_flags, flags & FSMOUNT_CLOEXEC);
	fd_put(r);
	return err;
}
