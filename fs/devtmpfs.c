/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devtmpfs: one tmpfs in which the kernel keeps a node for each device. Users
 * mount it on /dev and may change it as any tmpfs.
 */
#include "fs/device_impl.h"
#include "fs/tmpfs.h"
#include "kernel/log.h"
#include "lib/string.h"

/* I  after devtmpfs_init() */
static struct super *devtmpfs_sb;

/* A node below parent, which exists or is made; with a reference; err_ptr. */
static struct dentry *
make_below(struct dentry *parent, const char *name, u32 len, const struct node_args *a)
{
	struct inode *dir = parent->inode;
	struct dentry *d = dentry_alloc(dir->sb, parent, name, len);
	int err;

	if (!d)
		return err_ptr(-ENOMEM);
	err = dir->ops->create(dir, d, a);
	if (!err)
		err = dentry_publish(d);
	if (err) {
		dentry_put(d);
		return err_ptr(err);
	}
	return d;
}

/* The directory of path's last component, *base points at that; with a reference. */
static struct dentry *
parent_of(const char *path, const char **base, bool make)
{
	struct node_args a = {.mode = S_IFDIR | 0755};
	struct dentry *d = dentry_get(devtmpfs_sb->root);
	const char *slash;

	while ((slash = strchr(path, '/')) != NULL) {
		struct dentry *next = dentry_find(d, path, slash - path);

		if (!next && make)
			next = make_below(d, path, slash - path, &a);
		dentry_put(d);
		if (is_err_or_null(next))
			return next ? next : err_ptr(-ENOENT);
		d = next;
		path = slash + 1;
	}
	*base = path;
	return d;
}

int
devtmpfs_add(const struct dev_desc *desc)
{
	struct node_args a = {
		.mode = S_IFCHR | (desc->mode & S_IALLUGO),
		.rdev = DEV_MAKE(desc->major, desc->minor),
	};
	struct dentry *parent, *d;
	const char *base;

	if (!devtmpfs_sb || !desc->name)
		return 0;
	parent = parent_of(desc->name, &base, true);
	if (is_err(parent))
		return ptr_err(parent);
	d = make_below(parent, base, strlen(base), &a);
	dentry_put(parent);
	if (is_err(d))
		return ptr_err(d);
	d->inode->uid = desc->uid;
	d->inode->gid = desc->gid;
	dentry_put(d);
	return 0;
}

void
devtmpfs_del(const struct dev_desc *desc)
{
	struct dentry *parent, *d;
	const char *base;

	if (!devtmpfs_sb || !desc->name)
		return;
	parent = parent_of(desc->name, &base, false);
	if (is_err(parent))
		return;
	d = dentry_find(parent, base, strlen(base));
	if (d && !dentry_claim(d, false))
		parent->inode->ops->unlink(parent->inode, d);
	dentry_put(d);
	dentry_put(parent);
}

static void
add_early(const struct dev_desc *desc)
{
	int err = devtmpfs_add(desc);

	if (err)
		log_warn("devtmpfs: no node for %s (%d)", desc->name, err);
}

static struct super *
devtmpfs_mount(const struct fs_type *t, const struct mount_args *a)
{
	return devtmpfs_sb ? super_get(devtmpfs_sb) : err_ptr(-ENODEV);
}

REGISTER(filesystems)
static const struct fs_type devtmpfs_type = {
	.name = "devtmpfs",
	.mount = devtmpfs_mount,
};

void
devtmpfs_init(void)
{
	char options[] = "mode=0755";
	struct mount_args a = {.data = options};
	struct super *sb = tmpfs_create(&devtmpfs_type, &a, 0);

	if (is_err(sb))
		panic("devtmpfs: error %ld", ptr_err(sb));
	devtmpfs_sb = sb;
	device_for_each(add_early);
}
