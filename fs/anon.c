/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places for handles that have none.
 *
 * Model: /proc/PID/fd/N leads to a file. For a pipe, a socket, an epoll set an
 * inode is made on demand that stands for the handle: stat shows what fstat
 * would, its name is the kind, and opening it works for pipes, as in Linux. It
 * holds the handle until it was opened or is forgotten.
 */
#include "fs/attr.h"
#include "fs/file_impl.h"
#include "fs/pseudo.h"
#include "kernel/handle/pipe.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "lib/string.h"

static struct mount *anon_mount __ro_after_init;

static const struct super_ops anon_super_ops = {
	.release_inode = pseudo_release_inode,
};

static const struct fs_type anon_type = {
	.name = "anon_inodefs",
};

void
anon_init(void)
{
	struct super *sb = pseudo_super(&anon_type, &anon_super_ops, SB_KERNEL | SB_NOEXEC,
					ANON_INODE_FS_MAGIC);

	if (is_err(sb))
		panic("anonymous files: error %ld", ptr_err(sb));
	anon_mount = mount_internal(sb);
	if (is_err(anon_mount))
		panic("anonymous files: error %ld", ptr_err(anon_mount));
	super_put(sb);
}

static int
anon_show_name(struct dentry *d, char *buf, size_t n)
{
	return strscpy(buf, d->name->s, n) < 0 ? -ENAMETOOLONG : (int)strlen(buf);
}

static const struct dentry_ops anon_dentry_ops = {
	.show_name = anon_show_name,
};

static void
anon_free(void *private)
{
	if (private)
		file_put(private);
}

/*
 * A pipe is opened again: like a FIFO, but nobody waits for the other side. The
 * handle is taken meanwhile, or two openers could put it twice; once there is a new
 * end, which keeps the pipe, it goes: the old end must be able to end by itself.
 */
static int
anon_open(struct inode *i, struct file *f)
{
	struct file *was = atomic_xchg(&i->private, NULL);
	struct pipe *p = was ? file_pipe(was) : NULL;
	u32 flags = f->flags;
	int err = -ENXIO;

	if (p) {
		f->private = p;
		f->ops = &pipe_ops;
		f->flags |= O_NONBLOCK;
		err = pipe_open_fifo(p, f);
		f->flags = flags;
	}
	if (!err)
		file_put(was);
	else if (was)
		WRITE_ONCE(i->private, was);
	return err;
}

static const struct inode_ops anon_inode_ops = {
	.open = anon_open,
};

static int
anon_place(struct file *f, struct path *p)
{
	char name[64];
	struct kstat st;
	struct pseudo_inode *pi;
	struct inode *i;
	struct dentry *d;

	if (is_err(file_name(f, name, sizeof(name))))
		return -ENAMETOOLONG;
	file_getattr(f, &st);
	i = pseudo_inode_new(anon_mount->sb, st.mode, file_get(f));
	if (!i) {
		file_put(f);
		return -ENOMEM;
	}
	pi = pseudo_inode(i);
	pi->free_private = anon_free;
	i->ops = &anon_inode_ops;
	i->ino = st.ino;
	i->uid = st.uid;
	i->gid = st.gid;
	d = dentry_alloc_root(i, name);
	if (!d)
		return -ENOMEM;
	d->flags = D_UNCACHED;
	d->ops = &anon_dentry_ops;
	mount_get(anon_mount);
	*p = (struct path){.mnt = anon_mount, .dentry = d};
	return 0;
}

int
file_path_get(struct file *f, struct path *p)
{
	if (!f->path.mnt)
		return anon_place(f, p);
	*p = f->path;
	path_get(p);
	return 0;
}
