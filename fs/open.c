/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening: from a name (or a place) to a handle.
 *
 * Steps: walk to the file, or make it (O_CREAT); check what the flags ask for;
 * make the handle and connect it; truncate. What a handle holds is undone in one
 * place, fs_file_release(), whether open succeeded or not.
 */
#include "fs/attr.h"
#include "fs/change_impl.h"
#include "fs/context.h"
#include "fs/file_impl.h"
#include "fs/namei_impl.h"
#include "fs/notify.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* MAY_* that opening with these flags needs. */
static int
access_wanted(u32 flags)
{
	static const u8 modes[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
	int mask = modes[flags & O_ACCMODE];

	if (flags & O_TRUNC)
		mask |= MAY_WRITE;
	return mask;
}

/* The third access mode gives no right. */
static u32
fmode_of(u32 flags)
{
	return (flags + 1) & (FMODE_READ | FMODE_WRITE);
}

static int
check_type(const struct path *p, u32 *flags, int mask)
{
	u32 mode = p->dentry->inode->mode;

	switch (mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		return mask & MAY_WRITE ? -EISDIR : 0;
	case S_IFBLK:
	case S_IFCHR:
		if ((READ_ONCE(p->mnt->flags) & MOUNT_NODEV) || (p->mnt->sb->flags & SB_NODEV))
			return -EACCES;
		fallthrough;
	case S_IFIFO:
	case S_IFSOCK:
		*flags &= ~O_TRUNC;
	}
	return 0;
}

static int
may_open(const struct path *p, u32 *flags)
{
	struct inode *i = p->dentry->inode;
	const struct cred *c = current_cred();
	int mask = access_wanted(*flags);
	int err;

	if ((*flags & O_CREAT) && S_ISDIR(i->mode))
		return -EISDIR;
	if ((*flags & O_DIRECTORY) && !S_ISDIR(i->mode))
		return -ENOTDIR;
	err = check_type(p, flags, mask);
	if (!err)
		err = inode_permission(i, c, mask);
	if (err)
		return err;
	if (i->flags & INODE_APPEND) {
		if ((mask & MAY_WRITE) && !(*flags & O_APPEND))
			return -EPERM;
		if (*flags & O_TRUNC)
			return -EPERM;
	}
	if ((*flags & O_NOATIME) && !inode_owner_or_capable(i, c))
		return -EPERM;
	return 0;
}

/* Write access of inode and mount for the life of the handle. */
static int
take_write(struct file *f)
{
	int err;

	/* A file without a name may be run while its maker can still write it (memfd). */
	if (!S_ISREG(f->inode->mode) || (f->path.mnt->sb->flags & SB_KERNEL))
		return 0;
	err = inode_get_write(f->inode);
	if (err)
		return err;
	err = mount_want_write(f->path.mnt);
	if (err)
		inode_put_write(f->inode);
	else
		f->mode |= FMODE_WRITER;
	return err;
}

static int
connect(struct file *f)
{
	struct inode *i = f->inode;

	switch (i->mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		return device_open(i, f);
	case S_IFIFO:
		return i->ops->open ? i->ops->open(i, f) : fifo_open(i, f);
	case S_IFSOCK:
		return -ENXIO;
	case S_IFREG:
		f->mode |= FMODE_SEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
		f->cache = i->pages;
		break;
	case S_IFDIR:
		f->mode |= FMODE_SEEK | FMODE_ATOMIC_POS;
	}
	if (i->fops)
		f->ops = i->fops;
	return i->ops->open ? i->ops->open(i, f) : 0;
}

static int
open_handle(struct file *f, u32 flags)
{
	int err = 0;

	if (f->mode & FMODE_WRITE)
		err = take_write(f);
	if (!err)
		err = connect(f);
	if (err) {
		f->ops = &fs_no_ops;
		return err;
	}
	f->mode |= FS_OPENED;
	/* No file system here reads around the page cache. */
	if (flags & O_DIRECT)
		return -EINVAL;
	return 0;
}

struct file *
file_open_taken(struct path *p, u32 flags)
{
	u32 keep = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
	u32 mode = flags & O_PATH ? FMODE_PATH : fmode_of(flags);
	struct file *f = file_alloc(&fs_no_ops, mode, keep, NULL);
	int err = 0;

	if (is_err(f)) {
		path_put(p);
		return f;
	}
	f->path = *p;
	f->inode = p->dentry->inode;
	if (!(flags & O_PATH))
		err = open_handle(f, flags);
	/* Devices look for it while they are being opened. */
	f->flags &= ~(u32)O_NOCTTY;
	if (err) {
		file_put(f);
		return err_ptr(err);
	}
	return f;
}

struct file *
file_open_path(const struct path *p, u32 flags, const struct cred *c)
{
	struct path mine = *p;

	path_get(&mine);
	return file_open_taken(&mine, flags);
}

/* An existing file at *p, whose references are taken. */
static struct file *
open_existing(struct path *p, u32 flags)
{
	bool write = false;
	struct file *f;
	int err = may_open(p, &flags);

	if (!err && (flags & O_TRUNC) && S_ISREG(p->dentry->inode->mode)) {
		err = mount_want_write(p->mnt);
		write = !err;
	}
	if (err) {
		path_put(p);
		return err_ptr(err);
	}
	if (write)
		mount_get(p->mnt);
	f = file_open_taken(p, flags);
	if (write) {
		struct mount *m = p->mnt;

		if (!is_err(f)) {
			err = inode_get_write(f->inode);
			if (!err) {
				err = path_truncate(&f->path, 0, ATTR_OPEN);
				inode_put_write(f->inode);
			}
		}
		mount_drop_write(m);
		mount_put(m);
	}
	if (err) {
		file_put(f);
		return err_ptr(err);
	}
	return f;
}

/* --- O_CREAT --- */

/* The walk stands in the directory; the last name is not there. */
static int
create_here(struct walk *w, const struct open_request *r, struct path *out)
{
	struct node_args a = {.mode = S_IFREG | (r->mode & S_IALLUGO & ~current_umask())};
	struct last last = {.type = LAST_NORM, .len = w->last_len};
	struct dentry *d;
	int err;

	/* The name may lie in the text of a link that lives as long as the RCU section. */
	memcpy(last.s, w->last, last.len);
	last.s[last.len] = '\0';
	err = walk_unlazy(w);
	if (err)
		return err;
	err = mount_want_write(w->path.mnt);
	if (err)
		return err;
	err = make_node(&w->path, &last, &a, &d);
	mount_drop_write(w->path.mnt);
	if (err == -EEXIST && !(r->flags & O_EXCL))
		return -EWALK;
	if (err)
		return err;
	mount_get(w->path.mnt);
	*out = (struct path){.mnt = w->path.mnt, .dentry = d};
	return 0;
}

static int
walk_create(struct walk *w, const char *name, const struct open_request *r, struct path *out,
	    bool *created)
{
	bool follow = !(r->flags & (O_EXCL | O_NOFOLLOW));
	const char *s = name;
	int err;

	*created = false;
	do {
		err = walk_parent(w, s);
		if (err)
			return err;
		if (w->last_type != LAST_NORM)
			return r->flags & O_EXCL ? -EEXIST : -EISDIR;
		if (w->last_slash)
			return -EISDIR;
		err = walk_last(w, &s, follow);
	} while (!err && s);
	if (err == -ENOENT && w->missing) {
		err = create_here(w, r, out);
		*created = !err;
		return err;
	}
	if (!err && (r->flags & O_EXCL))
		return -EEXIST;
	return err ? err : walk_take(w, out);
}

static int
walk_open(struct walk *w, const char *name, const struct open_request *r, struct path *out)
{
	int err;

	if (!(r->flags & O_NOFOLLOW))
		w->flags |= WALK_FOLLOW;
	err = walk_all(w, name);
	return err ? err : walk_take(w, out);
}

static int
find_file(int dfd, const char *name, const struct open_request *r, struct path *out, bool *created)
{
	bool rcu = true;
	struct walk w;
	int err;

	*created = false;
	if (!*name)
		return -ENOENT;
	w.cred = current_cred();
	do {
		w.flags = r->walk;
		err = walk_begin(&w, dfd, name, rcu);
		if (!err && (r->flags & O_CREAT))
			err = walk_create(&w, name, r, out, created);
		else if (!err)
			err = walk_open(&w, name, r, out);
		walk_end(&w);
		rcu = false;
	} while (err == -EWALK && !(r->walk & WALK_CACHED));
	return err == -EWALK ? -EAGAIN : err;
}

/* --- O_TMPFILE --- */

static struct dentry *
tmpfile_dentry(const struct path *dir, const struct open_request *r)
{
	u32 mode = S_IFREG | (r->mode & S_IALLUGO & ~current_umask());
	struct inode *i = dir->dentry->inode;
	struct dentry *d;
	char name[24];
	int err = inode_permission(i, current_cred(), MAY_WRITE | MAY_EXEC);

	if (err)
		return err_ptr(err);
	if (!i->ops->tmpfile)
		return err_ptr(-EOPNOTSUPP);
	d = dentry_alloc(i->sb, dir->dentry, "#", 1);
	if (!d)
		return err_ptr(-ENOMEM);
	err = i->ops->tmpfile(i, d, mode);
	if (err) {
		dentry_put(d);
		return err_ptr(err);
	}
	/* Nobody sees it yet: its name can still be written. */
	d->iname.len = scnprintf(name, sizeof(name), "#%lu", d->inode->ino);
	memcpy(d->iname.s, name, d->iname.len + 1);
	if (!(r->flags & O_EXCL))
		d->inode->flags |= INODE_LINKABLE;
	return d;
}

static struct file *
open_tmpfile(int dfd, const char *name, const struct open_request *r)
{
	struct path dir, p;
	struct dentry *d;
	int err = path_lookup(dfd, name, r->walk | WALK_FOLLOW | WALK_DIRECTORY, &dir);

	if (err)
		return err_ptr(err);
	err = mount_want_write(dir.mnt);
	if (err) {
		path_put(&dir);
		return err_ptr(err);
	}
	d = tmpfile_dentry(&dir, r);
	mount_drop_write(dir.mnt);
	dentry_put(dir.dentry);
	if (is_err(d)) {
		mount_put(dir.mnt);
		return (struct file *)d;
	}
	p = (struct path){.mnt = dir.mnt, .dentry = d};
	return file_open_taken(&p, r->flags & ~(O_EXCL | O_DIRECTORY));
}

/* --- entry points --- */

struct file *
file_open_at(int dfd, const char *name, const struct open_request *r)
{
	bool created = false;
	struct path p;
	struct file *f;
	int err;

	if (r->flags & O_TMPFILE_BIT) {
		f = open_tmpfile(dfd, name, r);
	} else {
		err = find_file(dfd, name, r, &p, &created);
		if (err)
			return err_ptr(err);
		/* may_open() says it of what is opened for more. */
		if ((created || (r->flags & O_PATH)) && (r->flags & O_DIRECTORY) &&
		    !dentry_is_dir(p.dentry)) {
			path_put(&p);
			return err_ptr(-ENOTDIR);
		}
		if (r->flags & O_PATH)
			return file_open_taken(&p, r->flags);
		f = created ? file_open_taken(&p, r->flags) : open_existing(&p, r->flags);
	}
	if (!is_err(f))
		notify_file(f, IN_OPEN);
	return f;
}

/* The file at `last`, made if need be: *d with a reference. */
static int
find_in(const struct path *dir, const struct last *last, const struct open_request *r,
	struct dentry **d)
{
	struct node_args a = {.mode = S_IFREG | (r->mode & S_IALLUGO & ~current_umask()),
			      .extra = r->extra};
	int err;

	do {
		*d = dir_lookup(dir, last->s, last->len);
		if (!is_err(*d))
			return r->flags & O_CREAT && r->flags & O_EXCL ? -EEXIST : 0;
		err = (int)ptr_err(*d);
		*d = NULL;
		if (err != -ENOENT || !(r->flags & O_CREAT))
			return err;
		err = make_node(dir, last, &a, d);
		/* A new one is opened whatever its mode says. */
		if (!err)
			return 1;
	} while (err == -EEXIST);
	return err;
}

struct file *
file_open_in(const struct path *dir, const char *name, const struct open_request *r)
{
	static const u8 modes[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, 0};
	u32 access = r->flags & O_ACCMODE;
	struct path p = {.mnt = dir->mnt};
	struct last last;
	int ret = last_of_name(&last, name);

	if (!ret)
		ret = inode_permission(dir->dentry->inode, current_cred(), MAY_EXEC);
	if (ret)
		return err_ptr(ret);
	ret = find_in(dir, &last, r, &p.dentry);
	if (!ret)
		ret = access == O_ACCMODE
			      ? -EINVAL
			      : inode_permission(p.dentry->inode, current_cred(), modes[access]);
	if (ret < 0) {
		if (p.dentry)
			dentry_put(p.dentry);
		return err_ptr(ret);
	}
	mount_get(p.mnt);
	return file_open_taken(&p, r->flags);
}

struct file *
file_open(const char *name, u32 flags, u32 mode)
{
	struct open_request r = {.flags = flags | O_LARGEFILE, .mode = mode};

	return file_open_at(AT_FDCWD, name, &r);
}

static int
may_exec(const struct path *p)
{
	struct inode *i = p->dentry->inode;

	if (!S_ISREG(i->mode))
		return S_ISLNK(i->mode) ? -ELOOP : -EACCES;
	if ((READ_ONCE(p->mnt->flags) & MOUNT_NOEXEC) || (p->mnt->sb->flags & SB_NOEXEC))
		return -EACCES;
	return inode_permission(i, current_cred(), MAY_EXEC);
}

struct file *
file_open_exec(int dfd, const char *name, int at_flags)
{
	u32 walk = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path p;
	struct file *f;
	int err;

	if (at_flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	err = path_lookup(dfd, name, walk, &p);
	if (err)
		return err_ptr(err);
	err = may_exec(&p);
	if (err) {
		path_put(&p);
		return err_ptr(err);
	}
	f = file_open_taken(&p, O_RDONLY | O_LARGEFILE);
	if (is_err(f))
		return f;
	err = inode_deny_write(f->inode);
	if (err) {
		file_put(f);
		return err_ptr(err);
	}
	f->mode |= FMODE_EXEC;
	notify_file(f, IN_OPEN);
	return f;
}

void
file_put_exec(struct file *f)
{
	inode_allow_write(f->inode);
	file_put(f);
}

struct file *
file_open_anon(struct mount *mnt, struct inode *i, const char *name, const struct dentry_ops *dops,
	       u32 flags)
{
	struct dentry *d = dentry_alloc_root(i, name);
	struct path p = {.mnt = mnt, .dentry = d};

	if (!d)
		return err_ptr(-ENOMEM);
	d->flags = D_UNCACHED;
	d->ops = dops;
	mount_get(mnt);
	return file_open_taken(&p, flags);
}
