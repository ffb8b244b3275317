/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/fd and fdinfo: the open descriptors of a process. */
#include "fs/proc/pid.h"

#include "fs/generic.h"
#include "fs/namei.h"
#include "kernel/handle/handle.h"
#include "lib/fmt.h"

#define POS_FIRST 3

/* The handle of a descriptor, with a reference; NULL. */
static struct file *
task_fd(struct task *t, u32 fd, bool *cloexec)
{
	struct files *fs = task_get_files(t);
	unsigned int at = fd;
	struct file *f;

	if (!fs)
		return NULL;
	f = files_next(fs, &at);
	if (f && at != fd) {
		file_put(f);
		f = NULL;
	}
	if (f)
		*cloexec = files_get_cloexec(fs, fd);
	files_put(fs);
	return f;
}

static int
jump_fd(const struct pid_node *n, struct task *t, struct path *p)
{
	bool cloexec;
	struct file *f = task_fd(t, n->key, &cloexec);
	int err;

	if (!f)
		return -ENOENT;
	err = file_path_get(f, p);
	file_put(f);
	return err;
}

static int
show_fdinfo(struct seq *s, const struct pid_node *n, struct task *t)
{
	bool cloexec;
	struct file *f = task_fd(t, n->key, &cloexec);
	struct path p;

	if (!f)
		return -ENOENT;
	seq_printf(s, "pos:\t%lu\nflags:\t0%o\n", READ_ONCE(f->pos),
		   READ_ONCE(f->flags) | (cloexec ? O_CLOEXEC : 0));
	if (!file_path_get(f, &p)) {
		seq_printf(s, "mnt_id:\t%d\nino:\t%lu\n", p.mnt->id, p.dentry->inode->ino);
		path_put(&p);
	}
	if (f->ops->show_fdinfo)
		f->ops->show_fdinfo(f, s);
	file_put(f);
	return 0;
}

static const struct pid_entry fd_entry = {.name = "", .mode = S_IFLNK, .jump = jump_fd};
static const struct pid_entry fdinfo_entry = {
	.name = "", .mode = S_IFREG | 0444, .flags = PID_PRIVATE, .show = show_fdinfo};

/* Is the descriptor there? Its permissions as a link: what the handle may do. */
static int
fd_mode(const struct pid_node *dir, u32 fd, u32 *mode)
{
	struct task *t = pid_node_task(dir);
	struct file *f;
	bool cloexec;

	if (!t)
		return -ENOENT;
	f = task_fd(t, fd, &cloexec);
	task_put(t);
	if (!f)
		return -ENOENT;
	*mode = (f->mode & FMODE_READ ? 0500 : 0) | (f->mode & FMODE_WRITE ? 0300 : 0);
	file_put(f);
	return 0;
}

static int
lookup_number(struct inode *dir, struct dentry *d, const struct pid_entry *e)
{
	u32 fd, mode;
	int err;

	if (!pid_parse_number(d, &fd))
		return -ENOENT;
	err = fd_mode(pid_node(dir), fd, &mode);
	if (!err)
		err = pid_attach(d, pid_node(dir), e, fd);
	if (!err && e == &fd_entry)
		d->inode->mode |= mode;
	return err;
}

static int
lookup_fd(struct inode *dir, struct dentry *d)
{
	return lookup_number(dir, d, &fd_entry);
}

static int
lookup_fdinfo(struct inode *dir, struct dentry *d)
{
	return lookup_number(dir, d, &fdinfo_entry);
}

/* A process may always look at its own. */
static int
fd_permission(struct inode *i, const struct cred *c, int mask)
{
	int err = inode_permission_generic(i, c, mask);
	struct task *t;

	if (!err)
		return 0;
	t = pid_node_task(pid_node(i));
	if (t && t->process == current->process)
		err = 0;
	if (t)
		task_put(t);
	return err;
}

static int
emit_all(struct dir_context *ctx, struct files *fs, const struct pid_node *dir,
	 const struct pid_entry *e)
{
	struct pid_node like = {.thread = dir->thread, .entry = e};
	u8 type = e == &fd_entry ? DT_LNK : DT_REG;

	for (;;) {
		unsigned int fd = ctx->pos - POS_FIRST;
		struct file *f = files_next(fs, &fd);
		u64 old = ctx->pos;

		if (!f)
			return 0;
		file_put(f);
		ctx->pos = POS_FIRST + (u64)fd + 1;
		like.key = fd;
		if (!pid_emit_number(ctx, fd, type, pid_inode_number(&like, dir->pid->nr))) {
			ctx->pos = old;
			return 0;
		}
	}
}

static int
fd_iterate(struct file *f, struct dir_context *ctx)
{
	struct task *t = pid_node_task(pid_node(f->inode));
	struct files *fs;
	int err;

	if (!t)
		return -ENOENT;
	err = pid_check(t);
	fs = err ? NULL : task_get_files(t);
	task_put(t);
	if (err)
		return err;
	if (ctx->pos < POS_FIRST && dcache_emit(f, ctx))
		ctx->pos = POS_FIRST;
	if (fs && ctx->pos >= POS_FIRST)
		err = emit_all(ctx, fs, pid_node(f->inode),
			       f->inode->ops == &pid_fd_ops ? &fd_entry : &fdinfo_entry);
	if (fs)
		files_put(fs);
	return err;
}

const struct inode_ops pid_fd_ops = {
	.lookup = lookup_fd,
	.permission = fd_permission,
	.setattr = pid_setattr,
};

const struct inode_ops pid_fdinfo_ops = {
	.lookup = lookup_fdinfo,
	.permission = fd_permission,
	.setattr = pid_setattr,
};

const struct file_ops pid_fd_fops = {
	.name = "dir",
	.seek = dcache_seek,
	.iterate = fd_iterate,
	.fsync = generic_fsync_none,
};
