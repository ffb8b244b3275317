/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmpfs: inodes and directories. (tmpfs_file.c has regular files, tmpfs_super.c
 * mounts and options, tmpfs_xattr.c extended attributes.)
 *
 * Model: the name table is the directory: a dentry that is hashed is an entry,
 * and nothing is stored beside it. So tmpfs makes inodes, counts them, and the
 * rest is fs/dcache.c. Directories need no lock (SB_PARALLEL).
 *
 * What a directory shows: entries, subdirectories and the time of the last
 * change are summed over the shards of its dentry; its inode has only what
 * utimensat set and when (times_stamp): the later one counts.
 */
#include "fs/tmpfs.h"
#include "fs/attr.h"
#include "fs/context.h"
#include "fs/generic.h"
#include "fs/mount.h"
#include "fs/parts.h"
#include "fs/tmpfs_impl.h"
#include "kernel/log.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/string.h"
#include "mm/slab.h"

/* What an entry adds to the size that a directory shows. */
#define ENTRY_SIZE 20

static struct slab_cache *tmpfs_cache __ro_after_init;

void
tmpfs_init(void)
{
	tmpfs_cache =
		slab_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), CACHE_LINE, SLAB_ZERO);
	if (!tmpfs_cache)
		panic("no memory for tmpfs");
}

/* Inodes whose last name went are freed late: waits for those, when limits are reached. */
void
tmpfs_settle(struct super *sb)
{
	struct tmpfs_super *ts = tmpfs_super(sb);

	if (counter_sum_ptr(&ts->pcp->orphans) > 0)
		inode_settle_all();
}

static int
charge_inode(struct super *sb)
{
	struct tmpfs_super *ts = tmpfs_super(sb);

	if (limit_counter_try_add(&ts->inodes, 1))
		return 0;
	tmpfs_settle(sb);
	return limit_counter_try_add(&ts->inodes, 1) ? 0 : -ENOSPC;
}

static void
uncharge_inode(struct super *sb)
{
	limit_counter_try_add(&tmpfs_super(sb)->inodes, -1);
}

void
tmpfs_release_inode(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_inode(i);
	struct super *sb = i->sb;

	inode_fini(i);
	if (i->pages)
		pagecache_fini(i->pages);
	tmpfs_free_xattrs(i);
	kfree(i->link);
	uncharge_inode(sb);
	if (i->nlink == 0)
		this_cpu_dec(tmpfs_super(sb)->pcp->orphans);
	slab_free(tmpfs_cache, ti);
}

static void
set_type(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_inode(i);

	i->ops = &tmpfs_special_inode_ops;
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &tmpfs_file_inode_ops;
		i->fops = &tmpfs_file_ops;
		pagecache_init(&ti->pages, &tmpfs_cache_ops, &i->size, i);
		i->pages = &ti->pages;
		break;
	case S_IFDIR:
		i->ops = &tmpfs_dir_inode_ops;
		i->fops = &tmpfs_dir_ops;
		break;
	}
}

struct inode *
tmpfs_inode_new(struct super *sb, const struct inode *dir, u32 mode, u32 rdev)
{
	struct tmpfs_inode *ti;
	int err = charge_inode(sb);

	if (err)
		return err_ptr(err);
	ti = slab_alloc(tmpfs_cache, GFP_KERNEL);
	if (!ti) {
		uncharge_inode(sb);
		return err_ptr(-ENOMEM);
	}
	list_init(&ti->xattrs);
	inode_init(&ti->inode, sb, mode);
	inode_init_owner(&ti->inode, dir, mode);
	ti->inode.rdev = rdev;
	set_type(&ti->inode);
	return &ti->inode;
}

/* --- directories --- */

static int
tmpfs_make(struct inode *dir, struct dentry *d, const struct node_args *a)
{
	struct inode *i = tmpfs_inode_new(dir->sb, dir, a->mode, a->rdev);

	if (is_err(i))
		return ptr_err(i);
	if (S_ISLNK(a->mode)) {
		i->link = kstrdup(a->target, GFP_KERNEL);
		if (!i->link) {
			inode_put(i);
			return -ENOMEM;
		}
		i->size = strlen(a->target);
	}
	dentry_attach(d, i);
	return 0;
}

static int
tmpfs_tmpfile(struct inode *dir, struct dentry *d, u32 mode)
{
	struct inode *i = tmpfs_inode_new(dir->sb, dir, mode, 0);

	if (is_err(i))
		return ptr_err(i);
	i->nlink = 0;
	this_cpu_inc(tmpfs_super(dir->sb)->pcp->orphans);
	dentry_attach(d, i);
	return 0;
}

/* A further name counts as an inode, as in Linux. */
static int
tmpfs_link(struct inode *dir, struct inode *i, bool first)
{
	/* The first one of an O_TMPFILE file costs nothing. */
	if (first) {
		this_cpu_dec(tmpfs_super(dir->sb)->pcp->orphans);
		return 0;
	}
	return charge_inode(dir->sb);
}

static void
drop_links(struct inode *i, u32 n)
{
	inode_touch_ctime(i);
	if (inode_drop_links(i, n))
		this_cpu_inc(tmpfs_super(i->sb)->pcp->orphans);
	else
		uncharge_inode(i->sb);
}

static int
tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	drop_links(d->inode, 1);
	return 0;
}

static int
tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	drop_links(d->inode, 2);
	return 0;
}

static int
tmpfs_rename(const struct rename_args *a)
{
	inode_touch_ctime(a->old->inode);
	if (!a->target)
		return 0;
	if (a->flags & RENAME_EXCHANGE)
		inode_touch_ctime(a->target->inode);
	else
		drop_links(a->target->inode, dentry_is_dir(a->target) ? 2 : 1);
	return 0;
}

static int
tmpfs_dir_getattr(const struct path *p, struct kstat *st)
{
	struct tmpfs_inode *ti = tmpfs_inode(p->dentry->inode);
	struct dir_sums s;

	dir_sum(p->dentry, &s);
	st->size = (s.entries + 2) * ENTRY_SIZE;
	if (st->nlink)
		st->nlink = 2 + s.subdirs;
	if (s.stamp > READ_ONCE(ti->times_stamp))
		st->mtime = s.mtime;
	if (s.stamp && s.mtime > st->ctime)
		st->ctime = s.mtime;
	return 0;
}

static int
tmpfs_dir_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->inode;

	if (a->valid & ATTR_SIZE)
		return -EISDIR;
	setattr_apply(i, a);
	if (a->valid & ATTR_MTIME)
		WRITE_ONCE(tmpfs_inode(i)->times_stamp, ktime_get());
	return 0;
}

static s64
tmpfs_dir_read(struct file *f, struct iter *to, u64 *pos)
{
	return -EISDIR;
}

static int
tmpfs_dir_iterate(struct file *f, struct dir_context *ctx)
{
	dcache_emit(f, ctx);
	file_accessed(f);
	return 0;
}

const struct file_ops tmpfs_dir_ops = {
	.name = "dir",
	.read = tmpfs_dir_read,
	.seek = dcache_seek,
	.iterate = tmpfs_dir_iterate,
	.fsync = generic_fsync_none,
};

const struct inode_ops tmpfs_dir_inode_ops = {
	.create = tmpfs_make,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.getattr = tmpfs_dir_getattr,
	.setattr = tmpfs_dir_setattr,
	.get_xattr = tmpfs_get_xattr,
	.set_xattr = tmpfs_set_xattr,
	.list_xattr = tmpfs_list_xattr,
};

const struct inode_ops tmpfs_special_inode_ops = {
	.get_xattr = tmpfs_get_xattr,
	.set_xattr = tmpfs_set_xattr,
	.list_xattr = tmpfs_list_xattr,
};
