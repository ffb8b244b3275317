/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nsfs: a file for each namespace, which /proc/PID/ns/TYPE leads to.
 *
 * Model: stat shows the namespace's number, the name is TYPE:[NUMBER]. A handle
 * of it is for setns(2) and ioctl_ns(2); it can be mounted on a file by
 * mount --bind. Inodes are made when asked for: two of one namespace have the
 * same number and are the same to a program.
 *
 * Ownership: the inode holds the namespace, thus handles and mounts do.
 */
#include "fs/nsfs.h"

#include "fs/file_impl.h"
#include "fs/pseudo.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "kernel/task/ns.h"
#include "kernel/uapi/nsfs.h"
#include "kernel/uapi/sched.h"
#include "lib/fmt.h"
#include "mm/uaccess.h"

#define NSFS_MAGIC 0x6e736673

static struct mount *nsfs_mount __ro_after_init;

static const struct super_ops nsfs_super_ops = {.release_inode = pseudo_release_inode};
static const struct fs_type nsfs_type = {.name = "nsfs"};

void
nsfs_init(void)
{
	struct super *sb = pseudo_super(&nsfs_type, &nsfs_super_ops, SB_KERNEL, NSFS_MAGIC);

	if (is_err(sb))
		panic("nsfs: error %ld", ptr_err(sb));
	nsfs_mount = mount_internal(sb);
	if (is_err(nsfs_mount))
		panic("nsfs: error %ld", ptr_err(nsfs_mount));
	super_put(sb);
}

static struct ns *
inode_ns(const struct inode *i)
{
	return i->private;
}

static int
ns_show_name(struct dentry *d, char *buf, size_t n)
{
	const struct ns *ns = inode_ns(d->inode);

	return scnprintf(buf, n, "%s:[%u]", ns_name(ns), ns->ino);
}

static const struct dentry_ops ns_dentry_ops = {.show_name = ns_show_name};

/* Only for looking at: no position. */
static int
ns_open(struct inode *i, struct file *f)
{
	f->mode &= ~(FMODE_SEEK | FMODE_ATOMIC_POS);
	return 0;
}

static const struct inode_ops ns_inode_ops = {.open = ns_open};

/* A descriptor of a namespace that belongs to another one; takes the reference. */
static long
open_related(struct ns *ns)
{
	struct path p;
	struct file *f;
	int err = nsfs_path_get(ns, &p);

	if (err)
		return err;
	f = file_open_taken(&p, O_RDONLY | O_CLOEXEC);
	return is_err(f) ? ptr_err(f) : fd_install(f, 0, true);
}

static long
ns_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct ns *ns = inode_ns(f->inode);

	switch (cmd) {
	case NS_GET_USERNS:
		return ns_within_current(ns->owner) ? open_related(ns_get(ns->owner)) : -EPERM;
	case NS_GET_PARENT:
		if (ns->kind != NS_PID && ns->kind != NS_USER)
			return -EINVAL;
		return ns_within_current(ns->parent) ? open_related(ns_get(ns->parent)) : -EPERM;
	case NS_GET_NSTYPE:
		return (long)ns_flag(ns);
	case NS_GET_OWNER_UID:
		if (ns->kind != NS_USER)
			return -EINVAL;
		return put_user(ns->uid, (u32 __user *)arg);
	}
	return -ENOTTY;
}

static const struct file_ops ns_fops = {.name = "ns", .ioctl = ns_ioctl};

static void
free_ns(void *private)
{
	ns_put(private);
}

int
nsfs_path_get(struct ns *ns, struct path *p)
{
	struct inode *i = pseudo_inode_new(nsfs_mount->sb, S_IFREG | 0444, ns);
	struct dentry *d;

	if (!i) {
		ns_put(ns);
		return -ENOMEM;
	}
	pseudo_inode(i)->free_private = free_ns;
	i->ops = &ns_inode_ops;
	i->fops = &ns_fops;
	i->ino = ns->ino;
	d = dentry_alloc_root(i, ns_name(ns));
	if (!d)
		return -ENOMEM;
	d->flags = D_UNCACHED;
	d->ops = &ns_dentry_ops;
	mount_get(nsfs_mount);
	*p = (struct path){.mnt = nsfs_mount, .dentry = d};
	return 0;
}

struct ns *
dentry_ns(const struct dentry *d)
{
	return d->ops == &ns_dentry_ops ? inode_ns(d->inode) : NULL;
}

struct ns *
fs_file_ns(struct file *f)
{
	return f->ops == &ns_fops ? inode_ns(f->inode) : NULL;
}
