/* SPDX-License-Identifier: BSD-2-Clause */
/* What stat shows, and who may change it. */
#include "fs/attr.h"

#include "fs/atime.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/parts.h"
#include "kernel/signal/signal.h"
#include "kernel/task/rlimit.h"
#include "kernel/uapi/capability.h"
#include "lib/hash.h"
#include "lib/string.h"

#define ANON_DEV DEV_MAKE(0, 0)

void
kstat_fill(const struct inode *i, struct kstat *st)
{
	st->mask = STATX_BASIC_STATS | STATX_BTIME;
	st->mode = READ_ONCE(i->mode);
	st->nlink = READ_ONCE(i->nlink);
	st->uid = READ_ONCE(i->uid);
	st->gid = READ_ONCE(i->gid);
	st->blksize = PAGE_SIZE;
	st->ino = i->ino;
	st->size = READ_ONCE(i->size);
	st->blocks = i->pages ? READ_ONCE(i->pages->nr_pages) * (PAGE_SIZE / 512) : 0;
	st->dev = i->sb->dev;
	st->rdev = i->rdev;
	st->atime = atime_latest((struct inode *)i);
	st->mtime = READ_ONCE(i->time[TIME_MODIFY]);
	st->ctime = READ_ONCE(i->time[TIME_CHANGE]);
	st->btime = i->btime;
	st->attributes = 0;
	if (i->flags & INODE_IMMUTABLE)
		st->attributes |= STATX_ATTR_IMMUTABLE;
	if (i->flags & INODE_APPEND)
		st->attributes |= STATX_ATTR_APPEND;
	st->attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_AUTOMOUNT;
}

int
path_getattr(const struct path *p, struct kstat *st)
{
	struct inode *i = p->dentry->inode;

	st->mnt_id = p->mnt->id;
	inode_fold(i);
	kstat_fill(i, st);
	st->mask |= STATX_MNT_ID;
	st->attributes_mask |= STATX_ATTR_MOUNT_ROOT;
	if (p->dentry == p->mnt->root)
		st->attributes |= STATX_ATTR_MOUNT_ROOT;
	return i->ops->getattr ? i->ops->getattr(p, st) : 0;
}

/* Handles without an inode: their kind tells the type. */
static void
anonymous_attr(const struct file *f, struct kstat *st)
{
	const char *kind = f->ops->name ? f->ops->name : "";

	*st = (struct kstat){
		.mask = STATX_BASIC_STATS,
		.mode = 0600,
		.nlink = 1,
		.uid = f->cred ? f->cred->fsuid : 0,
		.gid = f->cred ? f->cred->fsgid : 0,
		.blksize = PAGE_SIZE,
		.ino = (u32)hash_ptr(f->private),
		.dev = ANON_DEV,
	};
	if (str_equal(kind, "pipe"))
		st->mode |= S_IFIFO;
	else if (str_equal(kind, "socket"))
		st->mode = S_IFSOCK | 0777;
}

int
file_getattr(struct file *f, struct kstat *st)
{
	if (f->path.mnt)
		return path_getattr(&f->path, st);
	anonymous_attr(f, st);
	return 0;
}

/* --- changes --- */

static int
check_owner(const struct inode *i, const struct cred *c, const struct iattr *a)
{
	bool owner = c->fsuid == i->uid;

	if ((a->valid & ATTR_UID) && !(owner && a->uid == i->uid) && !cred_capable(c, CAP_CHOWN))
		return -EPERM;
	if ((a->valid & ATTR_GID) && !(owner && (a->gid == i->gid || cred_in_group(c, a->gid))) &&
	    !cred_capable(c, CAP_CHOWN))
		return -EPERM;
	return 0;
}

static int
check_mode(const struct inode *i, const struct cred *c, struct iattr *a)
{
	u32 gid = a->valid & ATTR_GID ? a->gid : i->gid;

	if (!inode_owner_or_capable(i, c))
		return -EPERM;
	if (!cred_in_group(c, gid) && !cred_capable(c, CAP_FSETID))
		a->mode &= ~S_ISGID;
	return 0;
}

static int
check_setattr(struct inode *i, struct iattr *a)
{
	const struct cred *c = current_cred();
	int err = 0;

	if ((i->flags & INODE_IMMUTABLE) ||
	    ((i->flags & INODE_APPEND) && (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))))
		return -EPERM;
	if (a->valid & (ATTR_UID | ATTR_GID))
		err = check_owner(i, c, a);
	if (!err && (a->valid & ATTR_MODE))
		err = check_mode(i, c, a);
	if (!err && (a->valid & (ATTR_ATIME_SET | ATTR_MTIME_SET)) && !inode_owner_or_capable(i, c))
		err = -EPERM;
	if (!err && (a->valid & ATTR_TOUCH) && !inode_owner_or_capable(i, c))
		err = inode_permission(i, c, MAY_WRITE);
	return err;
}

/* Set-id bits that a change of owner or a write by somebody else clears. */
static u32
privs_to_kill(const struct inode *i, const struct iattr *a)
{
	u32 mode = READ_ONCE(i->mode);
	u32 kill = 0;

	if (a->valid & ATTR_KILL_SUID)
		kill |= mode & S_ISUID;
	if ((a->valid & ATTR_KILL_SGID) && (mode & S_ISGID)) {
		if ((mode & S_IXGRP) || (!in_group(i->gid) && !capable(CAP_FSETID)))
			kill |= S_ISGID;
	}
	return kill;
}

/* Does it say what the inode says already? Then there is nothing but the time of the change. */
static bool
setattr_idle(const struct inode *i, const struct iattr *a)
{
	if (a->valid & (ATTR_ATIME | ATTR_MTIME))
		return false;
	return !((a->valid & ATTR_UID) && a->uid != READ_ONCE(i->uid)) &&
	       !((a->valid & ATTR_GID) && a->gid != READ_ONCE(i->gid)) &&
	       !((a->valid & ATTR_MODE) && ((a->mode ^ READ_ONCE(i->mode)) & S_IALLUGO));
}

/* Of what happens now the latest counts; other times are what somebody wants. */
static void
set_time(struct inode *i, enum inode_time t, s64 value, u32 valid)
{
	if (valid & (ATTR_SIZE | ATTR_TOUCH))
		inode_set_time(i, t, value);
	else
		inode_give_time(i, t, value);
}

void
setattr_apply(struct inode *i, const struct iattr *a)
{
	if (setattr_idle(i, a)) {
		inode_touch_ctime(i);
		return;
	}
	if (a->valid & ATTR_ATIME)
		atime_forget(i);
	spin_lock(&i->lock);
	if (a->valid & ATTR_UID)
		WRITE_ONCE(i->uid, a->uid);
	if (a->valid & ATTR_GID)
		WRITE_ONCE(i->gid, a->gid);
	if (a->valid & ATTR_MODE)
		WRITE_ONCE(i->mode, (i->mode & S_IFMT) | (a->mode & S_IALLUGO));
	if (a->valid & ATTR_ATIME)
		set_time(i, TIME_ACCESS, a->atime, a->valid);
	if (a->valid & ATTR_MTIME)
		set_time(i, TIME_MODIFY, a->mtime, a->valid);
	inode_set_time(i, TIME_CHANGE, a->ctime);
	spin_unlock(&i->lock);
}

/* Which event a change is. */
static u32
setattr_event(const struct iattr *a)
{
	u32 mask = 0;

	if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		mask |= IN_ATTRIB;
	if (a->valid & ATTR_SIZE)
		mask |= IN_MODIFY;
	if ((a->valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		mask |= IN_ATTRIB;
	else if (a->valid & ATTR_ATIME)
		mask |= IN_ACCESS;
	else if ((a->valid & ATTR_MTIME) && !(a->valid & ATTR_SIZE))
		mask |= IN_MODIFY;
	return mask;
}

int
path_setattr(const struct path *p, struct iattr *a)
{
	struct inode *i = p->dentry->inode;
	u32 kill;
	int err = check_setattr(i, a);

	if (err)
		return err;
	kill = privs_to_kill(i, a);
	if (kill) {
		if (!(a->valid & ATTR_MODE))
			a->mode = i->mode;
		a->valid |= ATTR_MODE;
		a->mode &= ~kill;
	}
	a->ctime = inode_now();
	if (a->valid & ATTR_SIZE)
		inode_lock(i);
	if (i->ops->setattr)
		err = i->ops->setattr(p->dentry, a);
	else if (a->valid & ATTR_SIZE)
		err = -EPERM;
	else
		setattr_apply(i, a);
	if (a->valid & ATTR_SIZE)
		inode_unlock(i);
	if (!err)
		notify_dentry(p->dentry, setattr_event(a));
	return err;
}

static int
truncate_limits(const struct inode *i, u64 size)
{
	u64 limit = rlimit(RLIMIT_FSIZE);

	if (size <= READ_ONCE(i->size))
		return 0;
	if (limit != RLIM_INFINITY && size > limit) {
		signal_send_task(current_task_or_null(), SIGXFSZ, NULL);
		return -EFBIG;
	}
	return size > i->sb->max_size ? -EFBIG : 0;
}

int
path_truncate(const struct path *p, u64 size, u32 extra)
{
	struct inode *i = p->dentry->inode;
	struct iattr a = {
		.valid = ATTR_SIZE | ATTR_MTIME | extra,
		.size = size,
		.mtime = inode_now(),
	};
	int err = truncate_limits(i, size);

	if (err)
		return err;
	if (i->flags & INODE_APPEND)
		return -EPERM;
	if (!capable(CAP_FSETID))
		a.valid |= ATTR_KILL_SUID | ATTR_KILL_SGID;
	return path_setattr(p, &a);
}

/* Not by path_setattr(): the writer need not own the file. */
static __noinline void
remove_privs(struct file *f)
{
	const struct iattr a = {.valid = ATTR_KILL_SUID | ATTR_KILL_SGID};
	struct inode *i = f->inode;
	u32 kill;

	spin_lock(&i->lock);
	kill = privs_to_kill(i, &a);
	if (kill) {
		WRITE_ONCE(i->mode, i->mode & ~kill);
		inode_set_time(i, TIME_CHANGE, inode_now());
	}
	spin_unlock(&i->lock);
	if (kill)
		notify_dentry(f->path.dentry, IN_ATTRIB);
}

int
file_remove_privs(struct file *f)
{
	struct inode *i = f->inode;
	u32 mode = READ_ONCE(i->mode);

	if (unlikely(mode & (S_ISUID | S_ISGID)) && S_ISREG(mode) && !capable(CAP_FSETID))
		remove_privs(f);
	return 0;
}
