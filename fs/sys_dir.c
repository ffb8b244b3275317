/* SPDX-License-Identifier: BSD-2-Clause */
/* getdents, and where a task is: chdir, getcwd, chroot, umask. */
#include "fs/context.h"
#include "fs/namei.h"
#include "fs/notify.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* --- reading directories --- */

struct getdents {
	struct dir_context ctx;
	char __user *buf;
	size_t left;
	bool old;
	int err;
};

/* One entry; the name and what surrounds it in one copy. */
static bool
emit_entry(struct dir_context *ctx, const char *name, size_t len, u64 ino, u8 type)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	/* The old form has the type in the last byte. */
	size_t head = g->old ? offsetof(struct linux_dirent, name)
			     : offsetof(struct linux_dirent64, name);
	size_t size = align_up(head + len + 1 + (g->old ? 1 : 0), sizeof(u64));
	char raw[offsetof(struct linux_dirent64, name) + NAME_MAX + 1 + sizeof(u64)] __aligned(
		sizeof(u64));
	struct linux_dirent64 *d = (struct linux_dirent64 *)raw;

	if (size > g->left) {
		g->err = -EINVAL;
		return false;
	}
	memset(raw, 0, size);
	d->ino = ino;
	d->off = ctx->pos;
	d->reclen = size;
	if (g->old)
		raw[size - 1] = type;
	else
		d->type = type;
	memcpy(raw + head, name, len);
	if (copy_to_user(g->buf, raw, size)) {
		g->err = -EFAULT;
		return false;
	}
	g->buf += size;
	g->left -= size;
	return true;
}

static int
iterate(struct file *f, struct getdents *g)
{
	int err;

	if (!f->ops->iterate)
		return -ENOTDIR;
	mutex_lock(&f->pos_lock);
	if (f->path.dentry && (READ_ONCE(f->path.dentry->flags) & D_DEAD)) {
		err = -ENOENT;
	} else {
		g->ctx.pos = f->pos;
		err = f->ops->iterate(f, &g->ctx);
		f->pos = g->ctx.pos;
	}
	mutex_unlock(&f->pos_lock);
	notify_file(f, IN_ACCESS);
	return err;
}

static long
do_getdents(unsigned int fd, void __user *buf, unsigned int n, bool old)
{
	struct getdents g = {
		.ctx.emit = emit_entry,
		.buf = buf,
		.left = n,
		.old = old,
	};
	struct fdref r = fd_get(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = iterate(r.file, &g);
	fd_put(r);
	if (g.left != n)
		return n - g.left;
	return err ? err : g.err;
}

long
sys_getdents64(unsigned int fd, void __user *buf, unsigned int n)
{
	return do_getdents(fd, buf, n, false);
}

long
sys_getdents(unsigned int fd, void __user *buf, unsigned int n)
{
	return do_getdents(fd, buf, n, true);
}

/* --- places --- */

/* May p be a current directory or root? Its references are put if not. */
static int
check_place(struct path *p)
{
	int err = inode_permission(p->dentry->inode, current_cred(), MAY_EXEC);

	if (err)
		path_put(p);
	return err;
}

long
sys_chdir(const char __user *upath)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, upath, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (!err)
		err = check_place(&p);
	if (!err)
		fs_set_pwd(current->fs, &p);
	return err;
}

long
sys_fchdir(unsigned int fd)
{
	struct fdref r = fd_get_path(fd);
	struct path p;
	int err = 0;

	if (!r.file)
		return -EBADF;
	if (!r.file->path.mnt || !dentry_is_dir(r.file->path.dentry))
		err = -ENOTDIR;
	if (!err) {
		p = r.file->path;
		path_get(&p);
	}
	fd_put(r);
	if (!err)
		err = check_place(&p);
	if (!err)
		fs_set_pwd(current->fs, &p);
	return err;
}

long
sys_chroot(const char __user *upath)
{
	struct path p;
	int err = path_lookup_user(AT_FDCWD, upath, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (!err)
		err = check_place(&p);
	if (err)
		return err;
	if (!capable(CAP_SYS_CHROOT)) {
		path_put(&p);
		return -EPERM;
	}
	fs_set_root(current->fs, &p);
	return 0;
}

long
sys_getcwd(char __user *buf, unsigned long n)
{
	struct path root, pwd;
	char *page = kmalloc(PATH_MAX, GFP_KERNEL);
	size_t len;
	char *s;
	long r;

	if (!page)
		return -ENOMEM;
	current_root(&root);
	current_pwd(&pwd);
	if (dentry_deleted(pwd.dentry)) {
		r = -ENOENT;
	} else {
		s = path_name(&pwd, &root, true, page, PATH_MAX);
		r = is_err(s) ? ptr_err(s) : 0;
	}
	if (!r) {
		len = strlen(s) + 1;
		r = len > n ? -ERANGE : copy_to_user(buf, s, len) ? -EFAULT : (long)len;
	}
	path_put(&pwd);
	path_put(&root);
	kfree(page);
	return r;
}

long
sys_umask(int mask)
{
	return atomic_xchg(&current->fs->umask, (u32)mask & S_IRWXUGO);
}
