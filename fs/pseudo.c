/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees of entries that the kernel makes. (fs/pseudo.h tells the model.) */
#include "fs/pseudo.h"
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/parts.h"
#include "lib/string.h"
#include "mm/slab.h"

__maybe_unused static LOCK_CLASS(single_class, RANK_SB_MOUNT + 1);
static struct mutex single_mutex = MUTEX_INIT(single_mutex, single_class);

void
pseudo_release_inode(struct inode *i)
{
	struct pseudo_inode *pi = pseudo_inode(i);

	inode_fini(i);
	if (pi->free_private)
		pi->free_private(i->private);
	kfree(i->link);
	kfree(pi);
}

struct inode *
pseudo_inode_new(struct super *sb, u32 mode, void *private)
{
	struct pseudo_inode *pi = kzalloc(sizeof(*pi), GFP_KERNEL);

	if (!pi)
		return NULL;
	inode_init(&pi->inode, sb, mode);
	pi->inode.flags = INODE_NOATIME;
	pi->inode.private = private;
	return &pi->inode;
}

/* --- operations --- */

int
pseudo_open(struct inode *i, struct file *f)
{
	struct pseudo_inode *pi = pseudo_inode(i);

	return pi->source ? seqfile_open(f, pi->source, i->private) : 0;
}

/* Sizes mean nothing: O_TRUNC is allowed and does nothing. */
int
pseudo_setattr(struct dentry *d, struct iattr *a)
{
	setattr_apply(d->inode, a);
	return 0;
}

static int
pseudo_dir_getattr(const struct path *p, struct kstat *st)
{
	struct dir_sums s;

	dir_sum(p->dentry, &s);
	if (st->nlink)
		st->nlink = 2 + s.subdirs;
	return 0;
}

static s64
pseudo_dir_read(struct file *f, struct iter *to, u64 *pos)
{
	return -EISDIR;
}

const struct inode_ops pseudo_file_ops = {
	.open = pseudo_open,
	.setattr = pseudo_setattr,
};

const struct inode_ops pseudo_link_ops = {
	.setattr = pseudo_setattr,
};

const struct inode_ops pseudo_dir_ops = {
	.getattr = pseudo_dir_getattr,
	.setattr = pseudo_setattr,
};

const struct file_ops pseudo_dir_fops = {
	.name = "dir",
	.read = pseudo_dir_read,
	.seek = dcache_seek,
	.iterate = dcache_iterate,
	.fsync = generic_fsync_none,
};

/* --- making entries --- */

static u32
entry_mode(const struct pseudo_entry *e)
{
	if (e->mode & S_IFMT)
		return e->mode;
	if (e->target)
		return S_IFLNK | S_IRWXUGO;
	return S_IFREG | e->mode;
}

static const struct inode_ops *
entry_ops(const struct pseudo_entry *e, u32 mode)
{
	if (e->ops)
		return e->ops;
	if (S_ISDIR(mode))
		return &pseudo_dir_ops;
	return S_ISLNK(mode) ? &pseudo_link_ops : &pseudo_file_ops;
}

static struct inode *
entry_inode(struct super *sb, const struct pseudo_entry *e)
{
	u32 mode = entry_mode(e);
	struct inode *i = pseudo_inode_new(sb, mode, e->private);
	struct pseudo_inode *pi;

	if (!i)
		return NULL;
	pi = pseudo_inode(i);
	if (e->target) {
		i->link = kstrdup(e->target, GFP_KERNEL);
		if (!i->link) {
			inode_put(i);
			return NULL;
		}
		i->size = strlen(e->target);
	}
	pi->source = e->source;
	pi->free_private = e->free_private;
	i->uid = e->uid;
	i->gid = e->gid;
	i->rdev = e->rdev;
	i->ops = entry_ops(e, mode);
	i->fops = e->fops ? e->fops : S_ISDIR(mode) ? &pseudo_dir_fops : NULL;
	return i;
}

int
pseudo_attach(struct dentry *d, const struct pseudo_entry *e, u64 ino)
{
	struct inode *i = entry_inode(d->sb, e);

	if (!i)
		return -ENOMEM;
	i->ino = ino;
	dentry_attach(d, i);
	return 0;
}

struct dentry *
pseudo_add(struct dentry *parent, const struct pseudo_entry *e)
{
	struct dentry *d = dentry_alloc(parent->sb, parent, e->name, strlen(e->name));
	struct inode *i;
	int err;

	if (!d)
		return err_ptr(-ENOMEM);
	i = entry_inode(parent->sb, e);
	if (!i) {
		dentry_put(d);
		return err_ptr(-ENOMEM);
	}
	dentry_attach(d, i);
	err = dentry_publish(d);
	/* The name table's reference keeps it. */
	dentry_put(d);
	return err ? err_ptr(err) : d;
}

struct dentry *
pseudo_mkdir(struct dentry *parent, const char *name, u32 mode)
{
	struct pseudo_entry e = {.name = name, .mode = S_IFDIR | mode};

	return pseudo_add(parent, &e);
}

void
pseudo_remove(struct dentry *d)
{
	dentry_get(d);
	if (dentry_is_dir(d))
		dcache_shrink_tree(d);
	dentry_forget(d);
	(void)inode_drop_links(d->inode, U32_MAX);
	dentry_put(d);
}

/* --- supers --- */

struct super *
pseudo_super(const struct fs_type *t, const struct super_ops *ops, u32 flags, u64 magic)
{
	struct super *sb = super_create(t, ops, flags | SB_PARALLEL);
	struct pseudo_entry e = {.mode = S_IFDIR | 0755};
	struct inode *i;

	if (is_err(sb))
		return sb;
	sb->magic = magic;
	i = entry_inode(sb, &e);
	if (i) {
		i->ino = ROOT_INO;
		sb->root = dentry_alloc_root(i, "/");
	}
	if (!sb->root) {
		super_put(sb);
		return err_ptr(-ENOMEM);
	}
	return sb;
}

struct super *
pseudo_single(struct super **keep, struct super *(*make)(void))
{
	struct super *sb;

	mutex_lock(&single_mutex);
	sb = *keep;
	if (!sb) {
		sb = make();
		if (!is_err(sb))
			*keep = sb;
	}
	if (!is_err(sb))
		super_get(sb);
	mutex_unlock(&single_mutex);
	return sb;
}
