/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/mounts, mountinfo and mountstats.
 *
 * Model: what is shown is decided when the file is opened: the namespace of mounts
 * that the task is in then, and its root. poll(2) tells of changes since the open or
 * the last poll that told of some (POLLERR, POLLPRI).
 */
#include "fs/context.h"
#include "fs/mount.h"
#include "fs/proc/pid.h"
#include "kernel/handle/handle.h"
#include "kernel/port.h"
#include "kernel/task/ns.h"
#include "mm/slab.h"

typedef void show_fn(struct seq *s, struct mount_ns *ns, const struct path *root);

struct mounts_file {
	/* I  with references */
	struct ns *ns;
	struct path root;
	show_fn *show;
	/* a  the changes that poll has told of */
	u32 event;
};

static int
mounts_text(struct seq *s, u64 *pos)
{
	const struct mounts_file *mf = s->private;

	if (*pos)
		return 1;
	mf->show(s, mount_ns_of(mf->ns), &mf->root);
	*pos = 1;
	return 0;
}

static void
mounts_release(struct file *f, void *data)
{
	struct mounts_file *mf = data;

	path_put(&mf->root);
	ns_put(mf->ns);
	kfree(mf);
}

static u32
mounts_poll(struct file *f, void *data, struct poll_table *pt)
{
	struct mounts_file *mf = data;
	struct mount_ns *ns = mount_ns_of(mf->ns);
	u32 event;

	poll_wait(f, &ns->wait, pt);
	event = mount_ns_event(ns);
	if (atomic_xchg(&mf->event, event) != event)
		return POLLIN | POLLRDNORM | POLLERR | POLLPRI;
	return POLLIN | POLLRDNORM;
}

static const struct seq_source mounts_source = {
	.show = mounts_text, .release = mounts_release, .poll = mounts_poll};

/* The task's root, with references; -ENOENT: it has none. */
static int
root_of(struct task *t, struct path *root)
{
	struct fs_context *fs = task_get_fs(t);

	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	*root = fs->root;
	path_get(root);
	spin_unlock(&fs->lock);
	fs_context_put(fs);
	return 0;
}

static int
mounts_open(struct file *f, struct task *t, show_fn *show)
{
	struct mounts_file *mf = kzalloc(sizeof(*mf), GFP_KERNEL);
	int err = -EINVAL;

	if (!mf)
		return -ENOMEM;
	mf->ns = task_ns_get(t, NS_MNT, false);
	if (mf->ns)
		err = root_of(t, &mf->root);
	if (err) {
		ns_put(mf->ns);
		kfree(mf);
		return err;
	}
	mf->show = show;
	mf->event = mount_ns_event(mount_ns_of(mf->ns));
	err = seqfile_open(f, &mounts_source, mf);
	if (err)
		mounts_release(f, mf);
	return err;
}

int
pid_open_mounts(struct file *f, struct task *t)
{
	return mounts_open(f, t, mounts_show);
}

int
pid_open_mountinfo(struct file *f, struct task *t)
{
	return mounts_open(f, t, mountinfo_show);
}

int
pid_open_mountstats(struct file *f, struct task *t)
{
	return mounts_open(f, t, mountstats_show);
}
