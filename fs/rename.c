/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rename(2), renameat2(2).
 *
 * Model: look both names up, check, ask the name table to do it. It refuses with
 * -EAGAIN when a name changed since the look; then everything is done again. Only
 * when a directory gets another parent dir_move_mutex is taken, so that "is this
 * below that" stays true until the move is done.
 */
#include "fs/change_impl.h"
#include "fs/context.h"
#include "fs/notify.h"

/* One attempt. */
struct renaming {
	struct path old_dir;
	struct path new_dir;
	struct last old_last;
	struct last new_last;
	struct dentry *old;
	/* NULL: the name is free */
	struct dentry *target;
	u32 flags;
	/* Something is mounted on one of them in current's namespace. */
	bool busy;
};

/* Whether directories move between parents. */
static bool
moves_directory(const struct renaming *r)
{
	if (r->old_dir.dentry == r->new_dir.dentry)
		return false;
	return dentry_is_dir(r->old) ||
	       ((r->flags & RENAME_EXCHANGE) && r->target && dentry_is_dir(r->target));
}

static int
check_slashes(const struct renaming *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (exchange && !dentry_is_dir(r->target) && r->new_last.slash)
		return -ENOTDIR;
	if (dentry_is_dir(r->old))
		return 0;
	if (r->old_last.slash || (!exchange && r->new_last.slash))
		return -ENOTDIR;
	return 0;
}

static int
check_loops(const struct renaming *r)
{
	int err = 0;

	rcu_read_lock();
	if (dentry_is_below(r->new_dir.dentry, r->old))
		err = -EINVAL;
	else if (r->target && dentry_is_below(r->old_dir.dentry, r->target))
		err = r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	rcu_read_unlock();
	return err;
}

static int
check_permissions(const struct renaming *r)
{
	const struct cred *c = current_cred();
	bool is_dir = dentry_is_dir(r->old);
	bool exchange = r->flags & RENAME_EXCHANGE;
	int err = may_delete(r->old_dir.dentry, r->old, is_dir);

	if (err)
		return err;
	if (!r->target)
		err = may_create(r->new_dir.dentry);
	else
		err = may_delete(r->new_dir.dentry, r->target,
				 exchange ? dentry_is_dir(r->target) : is_dir);
	if (err)
		return err;
	if (!dir_parallel(r->old->parent->inode) && !r->old_dir.dentry->inode->ops->rename)
		return -EPERM;
	/* ".." changes in a directory that moves. */
	if (r->old_dir.dentry == r->new_dir.dentry)
		return 0;
	if (is_dir)
		err = inode_permission(r->old->inode, c, MAY_WRITE);
	if (!err && exchange && dentry_is_dir(r->target))
		err = inode_permission(r->target->inode, c, MAY_WRITE);
	return err;
}

/* Mutexes of both directories on a file system that wants them, in address order. */
static void
lock_dirs(const struct renaming *r)
{
	struct inode *a = r->old_dir.dentry->inode;
	struct inode *b = r->new_dir.dentry->inode;

	if (dir_parallel(a))
		return;
	mutex_lock(a < b ? &a->mutex : &b->mutex);
	if (a != b)
		mutex_lock_nested(a < b ? &b->mutex : &a->mutex);
}

static void
unlock_dirs(const struct renaming *r)
{
	struct inode *a = r->old_dir.dentry->inode;
	struct inode *b = r->new_dir.dentry->inode;

	if (dir_parallel(a))
		return;
	mutex_unlock(&a->mutex);
	if (a != b)
		mutex_unlock(&b->mutex);
}

static int
do_move(const struct renaming *r)
{
	struct inode *dir = r->old_dir.dentry->inode;
	struct rename_args args = {
		.old_dir = dir,
		.old = r->old,
		.new_dir = r->new_dir.dentry->inode,
		.target = r->target,
		.flags = r->flags,
	};
	struct dentry_move m = {
		.old = r->old,
		.old_parent = r->old_dir.dentry,
		.old_name = r->old_last.s,
		.old_len = r->old_last.len,
		.new_parent = r->new_dir.dentry,
		.name = r->new_last.s,
		.len = r->new_last.len,
		.target = r->target,
		.exchange = r->flags & RENAME_EXCHANGE,
	};
	int err = 0;

	lock_dirs(r);
	if (!dir_parallel(dir))
		err = dir->ops->rename(&args);
	if (!err)
		err = dentry_move(&m);
	if (!err && dir_parallel(dir) && dir->ops->rename)
		dir->ops->rename(&args);
	unlock_dirs(r);
	return err;
}

static void
notify_rename(const struct renaming *r)
{
	struct inode *from = r->old_dir.dentry->inode;
	struct inode *to = r->new_dir.dentry->inode;
	u32 dir = dentry_is_dir(r->old) ? IN_ISDIR : 0;
	u32 cookie;

	if (!READ_ONCE(notify_watches))
		return;
	cookie = notify_cookie();
	notify_child(from, IN_MOVED_FROM | dir, r->old_last.s, cookie);
	notify_child(to, IN_MOVED_TO | dir, r->new_last.s, cookie);
	if (r->target && !(r->flags & RENAME_EXCHANGE))
		notify_inode(r->target->inode, IN_ATTRIB);
	notify_inode(r->old->inode, IN_MOVE_SELF);
	if (!(r->flags & RENAME_EXCHANGE))
		return;
	dir = dentry_is_dir(r->target) ? IN_ISDIR : 0;
	cookie = notify_cookie();
	notify_child(to, IN_MOVED_FROM | dir, r->new_last.s, cookie);
	notify_child(from, IN_MOVED_TO | dir, r->old_last.s, cookie);
	notify_inode(r->target->inode, IN_MOVE_SELF);
}

/* RENAME_WHITEOUT: a character device 0:0 stays at the old name. */
static struct dentry *
whiteout_make(const struct renaming *r)
{
	struct node_args a = {.mode = S_IFCHR};
	struct inode *dir = r->old_dir.dentry->inode;
	struct dentry *d;
	int err;

	if (!dir->ops->create)
		return err_ptr(-EINVAL);
	d = dentry_alloc(dir->sb, r->old_dir.dentry, r->old_last.s, r->old_last.len);
	if (!d)
		return err_ptr(-ENOMEM);
	err = dir->ops->create(dir, d, &a);
	if (err) {
		dentry_put(d);
		return err_ptr(err);
	}
	return d;
}

/* Both names were found; dir_move_mutex is held if it is needed. */
static int
rename_found(const struct renaming *r)
{
	struct dentry *whiteout = NULL;
	int err = check_loops(r);

	if (err)
		return err;
	if (r->target && r->target->inode == r->old->inode)
		return 0;
	err = check_permissions(r);
	if (!err && r->busy)
		err = -EBUSY;
	if (err)
		return err;
	if (r->flags & RENAME_WHITEOUT) {
		whiteout = whiteout_make(r);
		if (is_err(whiteout))
			return ptr_err(whiteout);
	}
	err = do_move(r);
	/* Somebody may have taken the name meanwhile: then it is covered already. */
	if (!err && whiteout)
		err = dentry_publish(whiteout) == -ENOMEM ? -ENOMEM : 0;
	dentry_put(whiteout);
	if (!err)
		notify_rename(r);
	return err;
}

static int
rename_look(struct renaming *r)
{
	r->target = NULL;
	r->old = dir_lookup(&r->old_dir, r->old_last.s, r->old_last.len);
	if (is_err(r->old))
		return ptr_err(r->old);
	r->target = dir_lookup(&r->new_dir, r->new_last.s, r->new_last.len);
	if (is_err(r->target)) {
		int err = ptr_err(r->target);

		r->target = NULL;
		if (err != -ENOENT || (r->flags & RENAME_EXCHANGE))
			return err;
	}
	if (r->target && (r->flags & RENAME_NOREPLACE))
		return -EEXIST;
	return check_slashes(r);
}

static int
rename_locked(const struct renaming *r)
{
	bool moves = moves_directory(r);
	int err;

	if (moves)
		mutex_lock(&dir_move_mutex);
	err = rename_found(r);
	if (moves)
		mutex_unlock(&dir_move_mutex);
	return err;
}

static int
rename_once(struct renaming *r)
{
	bool watched = false;
	int err = rename_look(r);

	if (!err) {
		r->busy = mount_point_busy(r->old) || (r->target && mount_point_busy(r->target));
		do {
			err = rename_locked(r);
		} while (err == -EBUSY && !r->busy && r->target && mount_evict(r->target));
		watched = !err && r->target && notify_watched(r->target->inode);
	}
	if (!is_err(r->old))
		dentry_put(r->old);
	dentry_put(r->target);
	inode_settle(watched);
	return err;
}

static int
rename_check_ends(const struct renaming *r)
{
	if (r->old_dir.mnt != r->new_dir.mnt)
		return -EXDEV;
	if (r->old_last.type != LAST_NORM)
		return -EBUSY;
	if (r->new_last.type != LAST_NORM)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	return 0;
}

int
vfs_rename(const struct rename_request *q)
{
	struct renaming r = {.flags = q->flags};
	int err;

	if (q->flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((q->flags & RENAME_EXCHANGE) && (q->flags & ~RENAME_EXCHANGE))
		return -EINVAL;
	err = path_parent(q->odfd, q->old, 0, &r.old_dir, &r.old_last);
	if (err)
		return err;
	err = path_parent(q->ndfd, q->new_name, 0, &r.new_dir, &r.new_last);
	if (err)
		goto out_old;
	err = rename_check_ends(&r);
	if (!err)
		err = mount_want_write(r.old_dir.mnt);
	if (!err) {
		do {
			err = rename_once(&r);
		} while (err == -EAGAIN);
		mount_drop_write(r.old_dir.mnt);
	}
	path_put(&r.new_dir);
out_old:
	path_put(&r.old_dir);
	return err;
}
