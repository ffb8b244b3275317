/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of directories: new nodes, links, removals. (rename.c has renames.)
 *
 * Model: find the directory, look the name up, check, then let the file system
 * and the name table act. On a SB_PARALLEL file system no lock is held between
 * the look and the act: dentry_publish() and dentry_claim() decide who was first.
 * On others the directory's mutex covers both.
 */
#include "fs/change_impl.h"
#include "fs/context.h"
#include "fs/notify.h"
#include "fs/parts.h"
#include "kernel/uapi/capability.h"
#include "lib/string.h"

bool
dir_parallel(const struct inode *dir)
{
	return READ_ONCE(dir->sb->flags) & SB_PARALLEL;
}

static void
dir_lock(struct inode *dir)
{
	if (!dir_parallel(dir))
		mutex_lock(&dir->mutex);
}

static void
dir_unlock(struct inode *dir)
{
	if (!dir_parallel(dir))
		mutex_unlock(&dir->mutex);
}

int
may_create(const struct dentry *parent)
{
	if (READ_ONCE(parent->flags) & D_DEAD)
		return -ENOENT;
	return inode_permission(parent->inode, current_cred(), MAY_WRITE | MAY_EXEC);
}

/* In a sticky directory only the owner of the entry or of the directory removes it. */
static bool
sticky_forbids(const struct inode *dir, const struct inode *i)
{
	const struct cred *c = current_cred();

	if (!(dir->mode & S_ISVTX) || c->fsuid == i->uid || c->fsuid == dir->uid)
		return false;
	return !cred_capable(c, CAP_FOWNER);
}

int
may_delete(const struct dentry *parent, const struct dentry *victim, bool is_dir)
{
	struct inode *dir = parent->inode;
	const struct inode *i = victim->inode;
	int err = inode_permission(dir, current_cred(), MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((dir->flags & INODE_APPEND) || sticky_forbids(dir, i) ||
	    (i->flags & (INODE_APPEND | INODE_IMMUTABLE)))
		return -EPERM;
	if (is_dir && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (!is_dir && S_ISDIR(i->mode))
		return -EISDIR;
	return READ_ONCE(parent->flags) & D_DEAD ? -ENOENT : 0;
}

int
make_node(const struct path *parent, const struct last *last, const struct node_args *a,
	  struct dentry **out)
{
	struct inode *dir = parent->dentry->inode;
	struct dentry *d;
	int err = may_create(parent->dentry);

	if (err)
		return err;
	if ((S_ISBLK(a->mode) || (S_ISCHR(a->mode) && a->rdev)) && !capable(CAP_MKNOD))
		return -EPERM;
	if (!dir->ops->create && (dir->sb->flags & SB_UNCACHED))
		return -ENOENT;
	if (!dir->ops->create)
		return S_ISREG(a->mode) ? -EACCES : -EPERM;
	d = dentry_alloc(dir->sb, parent->dentry, last->s, last->len);
	if (!d)
		return -ENOMEM;
	dir_lock(dir);
	if (!dir_parallel(dir) && !is_err(*out = dir_lookup(parent, last->s, last->len))) {
		dentry_put(*out);
		err = -EEXIST;
	}
	if (!err)
		err = dir->ops->create(dir, d, a);
	if (!err)
		err = dentry_publish(d);
	dir_unlock(dir);
	if (err) {
		dentry_put(d);
		return err;
	}
	notify_child(dir, IN_CREATE | (S_ISDIR(a->mode) ? IN_ISDIR : 0), last->s, 0);
	*out = d;
	return 0;
}

/*
 * The place for a new name: directory and last component; the name is free and
 * the mount may be written (to be ended with place_end()).
 */
static int
place_begin(int dfd, const char *name, bool is_dir, struct path *parent, struct last *last)
{
	struct dentry *d;
	int err = path_parent(dfd, name, 0, parent, last);

	if (err)
		return err;
	if (last->type != LAST_NORM) {
		err = -EEXIST;
		goto out_path;
	}
	d = dir_lookup(parent, last->s, last->len);
	err = is_err(d) ? ptr_err(d) : -EEXIST;
	if (!is_err(d))
		dentry_put(d);
	if (err != -ENOENT)
		goto out_path;
	if (last->slash && !is_dir)
		goto out_path;
	err = mount_want_write(parent->mnt);
	if (!err)
		return 0;
out_path:
	path_put(parent);
	return err;
}

static void
place_end(struct path *parent)
{
	mount_drop_write(parent->mnt);
	path_put(parent);
}

static int
make_at(int dfd, const char *name, const struct node_args *a)
{
	struct path parent;
	struct last last;
	struct dentry *d;
	int err = place_begin(dfd, name, S_ISDIR(a->mode), &parent, &last);

	if (err)
		return err;
	err = make_node(&parent, &last, a, &d);
	if (!err)
		dentry_put(d);
	place_end(&parent);
	return err;
}

int
vfs_mknod(int dfd, const char *name, u32 mode, u32 rdev)
{
	struct node_args a = {.mode = mode & ~current_umask(), .rdev = rdev};

	switch (mode & S_IFMT) {
	case 0:
		a.mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		a.rdev = 0;
		break;
	case S_IFCHR:
	case S_IFBLK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make_at(dfd, name, &a);
}

int
vfs_mkdir(int dfd, const char *name, u32 mode)
{
	struct node_args a = {
		.mode = S_IFDIR | (mode & (S_IRWXUGO | S_ISVTX) & ~current_umask()),
	};

	return make_at(dfd, name, &a);
}

int
vfs_symlink(const char *target, int dfd, const char *name)
{
	struct node_args a = {.mode = S_IFLNK | S_IRWXUGO, .target = target};

	return make_at(dfd, name, &a);
}

static int
link_node(const struct path *parent, const struct last *last, struct inode *i)
{
	struct inode *dir = parent->dentry->inode;
	bool linked = false, first;
	struct dentry *d;
	int err = may_create(parent->dentry);

	if (err)
		return err;
	if (i->sb != dir->sb)
		return -EXDEV;
	if ((i->flags & (INODE_APPEND | INODE_IMMUTABLE)) || !dir->ops->link || S_ISDIR(i->mode))
		return -EPERM;
	d = dentry_alloc(dir->sb, parent->dentry, last->s, last->len);
	if (!d)
		return -ENOMEM;
	err = inode_add_link(i, &first);
	if (err)
		goto out_dentry;
	dentry_attach(d, inode_get(i));
	dir_lock(dir);
	err = dir->ops->link(dir, i, first);
	linked = !err;
	if (!err)
		err = dentry_publish(d);
	if (err && linked)
		dir->ops->unlink(dir, d);
	dir_unlock(dir);
	if (err) {
		if (!linked)
			(void)inode_drop_links(i, 1);
		goto out_dentry;
	}
	if (READ_ONCE(i->flags) & INODE_LINKABLE)
		atomic_and(&i->flags, ~INODE_LINKABLE);
	inode_touch_ctime(i);
	notify_inode(i, IN_ATTRIB);
	notify_child(dir, IN_CREATE, last->s, 0);
out_dentry:
	dentry_put(d);
	return err;
}

int
vfs_link(int odfd, const char *old, int ndfd, const char *new_name, int flags)
{
	u32 walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	struct path from, parent;
	struct last last;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk |= WALK_EMPTY;
	}
	err = path_lookup(odfd, old, walk, &from);
	if (err)
		return err;
	err = place_begin(ndfd, new_name, false, &parent, &last);
	if (err)
		goto out_from;
	err = parent.mnt == from.mnt ? link_node(&parent, &last, from.dentry->inode) : -EXDEV;
	place_end(&parent);
out_from:
	path_put(&from);
	return err;
}

/* Takes the name away, in the file system and in the name table. */
static int
remove_node(struct dentry *parent, struct dentry *d, bool is_dir)
{
	struct inode *dir = parent->inode;
	int (*op)(struct inode *, struct dentry *) = is_dir ? dir->ops->rmdir : dir->ops->unlink;
	int err;

	if (!op)
		return -EPERM;
	if (dir_parallel(dir)) {
		err = dentry_claim(d, is_dir);
		if (!err)
			op(dir, d);
		return err;
	}
	mutex_lock(&dir->mutex);
	err = dentry_deleted(d) ? -ENOENT : op(dir, d);
	if (!err)
		dentry_forget(d);
	mutex_unlock(&dir->mutex);
	return err;
}

static int
remove_checked(const struct path *parent, const struct last *last, bool is_dir)
{
	struct dentry *d = dir_lookup(parent, last->s, last->len);
	bool watched;
	int err;

	if (is_err(d))
		return ptr_err(d);
	err = 0;
	if (last->slash && !is_dir)
		err = dentry_is_dir(d) ? -EISDIR : -ENOTDIR;
	if (!err)
		err = may_delete(parent->dentry, d, is_dir);
	if (!err && mount_point_busy(d))
		err = -EBUSY;
	if (!err) {
		do {
			err = remove_node(parent->dentry, d, is_dir);
		} while (err == -EBUSY && mount_evict(d));
	}
	watched = !err && notify_watched(d->inode);
	if (!err && !is_dir)
		notify_inode(d->inode, IN_ATTRIB);
	if (!err)
		notify_child(parent->dentry->inode, is_dir ? IN_DELETE | IN_ISDIR : IN_DELETE,
			     last->s, 0);
	dentry_put(d);
	inode_settle(watched);
	return err;
}

static int
remove_at(int dfd, const char *name, bool is_dir)
{
	struct path parent;
	struct last last;
	int err = path_parent(dfd, name, 0, &parent, &last);

	if (err)
		return err;
	if (last.type == LAST_NORM)
		err = 0;
	else if (!is_dir)
		err = -EISDIR;
	else
		err = last.type == LAST_DOT	 ? -EINVAL
		      : last.type == LAST_DOTDOT ? -ENOTEMPTY
						 : -EBUSY;
	if (!err)
		err = mount_want_write(parent.mnt);
	if (!err) {
		err = remove_checked(&parent, &last, is_dir);
		mount_drop_write(parent.mnt);
	}
	path_put(&parent);
	return err;
}

int
vfs_unlink(int dfd, const char *name)
{
	return remove_at(dfd, name, false);
}

int
last_of_name(struct last *last, const char *name)
{
	size_t n = strlen(name);

	if (!n || str_equal(name, ".") || str_equal(name, "..") || strchr(name, '/'))
		return -EACCES;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	*last = (struct last){.type = LAST_NORM, .len = (u32)n};
	memcpy(last->s, name, n + 1);
	return 0;
}

int
vfs_unlink_in(const struct path *dir, const char *name)
{
	struct last last;
	int err = last_of_name(&last, name);

	return err ? err : remove_checked(dir, &last, false);
}

int
vfs_rmdir(int dfd, const char *name)
{
	return remove_at(dfd, name, true);
}
