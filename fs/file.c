/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of handles of files, and named pipes. */
#include "fs/attr.h"
#include "fs/file_impl.h"
#include "fs/locks.h"
#include "fs/notify.h"
#include "kernel/handle/pipe.h"
#include "kernel/port_fs.h"
#include "kernel/task/ns.h"

const struct file_ops fs_no_ops = {
	.name = "none",
};

void
fs_file_release(struct file *f)
{
	struct inode *i = f->inode;
	struct path p = f->path;
	bool watched;

	if (!p.mnt)
		return;
	if (f->mode & FS_OPENED) {
		notify_file(f, f->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
		locks_release(f);
	}
	if (f->mode & FS_FIFO)
		fifo_release(f);
	if (f->mode & FMODE_WRITER) {
		inode_put_write(i);
		mount_drop_write(p.mnt);
	}
	watched = READ_ONCE(i->nlink) == 0 && notify_watched(i);
	f->path = (struct path){0};
	path_put(&p);
	if (f->mode & FS_TREE)
		ns_put(f->private);
	inode_settle(watched);
}

void
fs_file_close(struct file *f, void *owner)
{
	locks_close(f, owner);
}

void
fs_file_unlock(struct file *f)
{
	locks_release(f);
}

u64
fs_file_size(const struct file *f)
{
	return READ_ONCE(f->inode->size);
}

u32
fs_file_mode(struct file *f)
{
	struct kstat st;

	if (f->inode)
		return READ_ONCE(f->inode->mode);
	return file_getattr(f, &st) ? 0 : st.mode;
}

/* --- named pipes --- */

static struct pipe *
fifo_alloc(void)
{
	struct pipe *p = pipe_alloc();

	if (p)
		p->named = true;
	return p;
}

int
fifo_open(struct inode *i, struct file *f)
{
	struct pipe *fresh = NULL;
	int err;

	if (!READ_ONCE(i->fifo)) {
		fresh = fifo_alloc();
		if (!fresh)
			return -ENOMEM;
	}
	spin_lock(&i->lock);
	while (!i->fifo && !fresh) {
		/* The last user went meanwhile. */
		spin_unlock(&i->lock);
		fresh = fifo_alloc();
		if (!fresh)
			return -ENOMEM;
		spin_lock(&i->lock);
	}
	if (!i->fifo) {
		i->fifo = fresh;
		fresh = NULL;
	}
	i->fifo_users++;
	spin_unlock(&i->lock);
	if (fresh)
		pipe_free(fresh);
	f->mode |= FS_FIFO;
	f->private = i->fifo;
	f->ops = &pipe_ops;
	err = pipe_open_fifo(i->fifo, f);
	if (err)
		f->ops = &fs_no_ops;
	return err;
}

void
fifo_release(struct file *f)
{
	struct inode *i = f->inode;
	struct pipe *last = NULL;

	spin_lock(&i->lock);
	if (--i->fifo_users == 0) {
		last = i->fifo;
		i->fifo = NULL;
	}
	spin_unlock(&i->lock);
	if (last)
		pipe_free(last);
}
