/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file system of POSIX message queues: names, permissions, handles.
 *
 * Model: a queue is a file of the one instance of the type "mqueue", which the
 * kernel keeps and anybody may mount. Reading a file shows the queue's state.
 */
#include "ipc/mqueue_impl.h"

#include "fs/attr.h"
#include "fs/namei.h"
#include "fs/parts.h"
#include "fs/pseudo.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MQUEUE_MAGIC 0x19800202
/* What stat shows as size of a queue. */
#define STATE_SIZE 80

static struct super *mqueue_super __ro_after_init;
static struct mount *mqueue_mnt __ro_after_init;

static struct mqueue *
queue_of(const struct file *f)
{
	return f->inode->private;
}

void
mqueue_touch(struct file *f)
{
	inode_touch_all(f->inode);
}

/* --- handles --- */

static s64
mqueue_read(struct file *f, struct iter *to, u64 *pos)
{
	struct mqueue *q = queue_of(f);
	char text[STATE_SIZE];
	size_t n, moved;

	spin_lock(&q->lock);
	n = (size_t)scnprintf(text, sizeof(text),
			      "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->bytes,
			      q->notify ? q->event.notify : 0,
			      q->notify && q->event.notify == SIGEV_SIGNAL ? q->event.signo : 0,
			      q->notify ? q->notify->tgid : 0);
	spin_unlock(&q->lock);
	if (*pos >= n)
		return 0;
	n = min(n - (size_t)*pos, iter_left(to));
	moved = iter_copy_to(to, text + *pos, n);
	if (n && !moved)
		return -EFAULT;
	*pos += moved;
	return (s64)moved;
}

static u32
mqueue_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = queue_of(f);
	u32 n, events = 0;

	poll_wait(f, &q->poll, pt);
	n = READ_ONCE(q->count);
	if (n)
		events |= POLLIN | POLLRDNORM;
	if (n < q->maxmsg)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static int
mqueue_flush(struct file *f)
{
	return mqueue_notify(queue_of(f), NULL);
}

static void
mqueue_release(struct file *f)
{
	mqueue_put(queue_of(f));
}

const struct file_ops mqueue_fops = {
	.name = "mqueue",
	.read = mqueue_read,
	.poll = mqueue_poll,
	.flush = mqueue_flush,
	.release = mqueue_release,
};

static int
mqueue_inode_open(struct inode *i, struct file *f)
{
	return mqueue_try_get(i->private) ? 0 : -ENOENT;
}

static const struct inode_ops mqueue_inode_ops = {.open = mqueue_inode_open};

/* --- names --- */

static void
free_queue(void *private)
{
	struct mqueue *q = private;

	/* Its name never was, or went with the file system. */
	if (q->uses)
		mqueue_put(q);
	kfree(q);
}

static int
mqueue_make(struct inode *dir, struct dentry *d, const struct node_args *a)
{
	struct mqueue *q;
	struct inode *i;

	if (!S_ISREG(a->mode))
		return -EPERM;
	q = mqueue_create(a->extra);
	if (is_err(q))
		return (int)ptr_err(q);
	i = pseudo_inode_new(dir->sb, a->mode, q);
	if (!i) {
		free_queue(q);
		return -ENOMEM;
	}
	pseudo_inode(i)->free_private = free_queue;
	inode_init_owner(i, dir, a->mode);
	i->ops = &mqueue_inode_ops;
	i->fops = &mqueue_fops;
	i->size = STATE_SIZE;
	dentry_attach(d, i);
	return 0;
}

static int
mqueue_remove(struct inode *dir, struct dentry *d)
{
	inode_touch_ctime(d->inode);
	(void)inode_drop_links(d->inode, 1);
	mqueue_put(d->inode->private);
	return 0;
}

static const struct inode_ops mqueue_dir_ops = {
	.create = mqueue_make,
	.unlink = mqueue_remove,
};

static struct path
root(void)
{
	return (struct path){.mnt = mqueue_mnt, .dentry = mqueue_super->root};
}

struct file *
mqueue_open(const char *name, u32 flags, u32 mode, const struct mq_attr *a)
{
	struct path dir = root();
	struct open_request r = {.flags = flags, .mode = mode, .extra = a};

	return file_open_in(&dir, name, &r);
}

int
mqueue_unlink(const char *name)
{
	struct path dir = root();

	return vfs_unlink_in(&dir, name);
}

/* --- the file system --- */

static const struct super_ops mqueue_super_ops = {.release_inode = pseudo_release_inode};

static struct super *
mqueue_mount(const struct fs_type *t, const struct mount_args *a)
{
	return super_get(mqueue_super);
}

REGISTER(filesystems)
static const struct fs_type mqueue_type = {
	.name = "mqueue", .mount = mqueue_mount, .check_option = fs_no_options};

static int
mqueue_init(void)
{
	struct super *sb =
		pseudo_super(&mqueue_type, &mqueue_super_ops, SB_NODEV | SB_NOEXEC, MQUEUE_MAGIC);

	if (is_err(sb))
		return (int)ptr_err(sb);
	sb->root->inode->mode = S_IFDIR | S_ISVTX | S_IRWXUGO;
	sb->root->inode->ops = &mqueue_dir_ops;
	mqueue_super = sb;
	mqueue_mnt = mount_internal(sb);
	return is_err(mqueue_mnt) ? (int)ptr_err(mqueue_mnt) : 0;
}
INITCALL(INIT_LATE, mqueue_init);
