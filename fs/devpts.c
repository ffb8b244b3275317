/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devpts: the nodes of pseudo-terminals.
 *
 * Model: each mount of the type is an instance with numbers of its own. It has a
 * node "ptmx"; opening that, or a ptmx beside a directory "pts" on which an
 * instance is mounted, makes a pair in it. The terminals themselves are
 * kernel/dev's, which calls in through kernel/port_fs.h.
 *
 * See: pts(4), Linux's filesystems/devpts documentation.
 */
#include "fs/devpts.h"
#include "fs/file_impl.h"
#include "fs/mount_impl.h"
#include "fs/pseudo.h"
#include "kernel/port_fs.h"
#include "kernel/seq.h"
#include "lib/bitmap.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"

#define PTY_MAX 4096u
#define PTMX_MAJOR 5
#define PTMX_MINOR 2
#define ID_UNSET U32_MAX

/* sysctl kernel.pty.max, kernel.pty.nr */
u32 devpts_max = CONFIG_DEBUG ? 64 : PTY_MAX;
u32 devpts_count;

struct instance {
	struct super *sb;
	/* Options. */
	u32 mode;
	u32 ptmxmode;
	u32 uid;
	u32 gid;
	u32 max;
	struct dentry *ptmx;
	struct spinlock lock;
	/* l */
	BITMAP_DECLARE(used, PTY_MAX);
};

static LOCK_CLASS(devpts_class, RANK_DEVICE + 1);

/* --- options --- */

static int
parse_option(struct instance *in, const char *key, const char *v)
{
	if (str_equal(key, "newinstance"))
		return 0;
	if (!v)
		return -EINVAL;
	if (str_equal(key, "mode"))
		return parse_u32(v, 8, &in->mode) ? -EINVAL : 0;
	if (str_equal(key, "ptmxmode"))
		return parse_u32(v, 8, &in->ptmxmode) ? -EINVAL : 0;
	if (str_equal(key, "uid"))
		return parse_u32(v, 10, &in->uid) ? -EINVAL : 0;
	if (str_equal(key, "gid"))
		return parse_u32(v, 10, &in->gid) ? -EINVAL : 0;
	if (str_equal(key, "max"))
		return parse_u32(v, 10, &in->max) || in->max > PTY_MAX ? -EINVAL : 0;
	return -EINVAL;
}

static int
parse_options(struct instance *in, char *data)
{
	char *word;
	int err;

	while ((word = strsep(&data, ",")) != NULL) {
		char *v = strchr(word, '=');

		if (!*word)
			continue;
		if (v)
			*v++ = '\0';
		err = parse_option(in, word, v);
		if (err)
			return err;
	}
	in->mode &= S_IALLUGO;
	in->ptmxmode &= S_IALLUGO;
	return 0;
}

static int
devpts_remount(struct super *sb, const struct mount_args *a)
{
	struct instance *in = sb->private;
	int err = parse_options(in, a->data);

	if (!err)
		WRITE_ONCE(in->ptmx->inode->mode, S_IFCHR | in->ptmxmode);
	return err;
}

static void
devpts_show_options(struct super *sb, struct seq *s)
{
	struct instance *in = sb->private;

	if (in->uid != ID_UNSET)
		seq_printf(s, ",uid=%u", in->uid);
	if (in->gid != ID_UNSET)
		seq_printf(s, ",gid=%u", in->gid);
	seq_printf(s, ",mode=%03o,ptmxmode=%03o", in->mode, in->ptmxmode);
	if (in->max < PTY_MAX)
		seq_printf(s, ",max=%u", in->max);
}

static void
devpts_kill(struct super *sb)
{
	kfree(sb->private);
}

static const struct super_ops devpts_super_ops = {
	.release_inode = pseudo_release_inode,
	.remount = devpts_remount,
	.show_options = devpts_show_options,
	.kill = devpts_kill,
};

static int
fill(struct super *sb, char *data)
{
	struct instance *in = kzalloc(sizeof(*in), GFP_KERNEL);
	struct pseudo_entry e = {.name = "ptmx", .rdev = DEV_MAKE(PTMX_MAJOR, PTMX_MINOR)};
	int err;

	if (!in)
		return -ENOMEM;
	sb->private = in;
	in->sb = sb;
	in->mode = 0600;
	in->uid = in->gid = ID_UNSET;
	in->max = PTY_MAX;
	spin_init(&in->lock, &devpts_class);
	err = parse_options(in, data);
	if (err)
		return err;
	e.mode = S_IFCHR | in->ptmxmode;
	in->ptmx = pseudo_add(sb->root, &e);
	return is_err(in->ptmx) ? ptr_err(in->ptmx) : 0;
}

static struct super *
devpts_mount(const struct fs_type *t, const struct mount_args *a)
{
	struct super *sb = pseudo_super(t, &devpts_super_ops, SB_NOEXEC, DEVPTS_SUPER_MAGIC);
	int err;

	if (is_err(sb))
		return sb;
	err = fill(sb, a->data);
	if (err) {
		super_put(sb);
		return err_ptr(err);
	}
	return sb;
}

REGISTER(filesystems)
static const struct fs_type devpts_type = {
	.name = "devpts",
	.mount = devpts_mount,
};

void
devpts_init(void)
{
	devpts_max = min(devpts_max, PTY_MAX);
}

/* --- finding the instance --- */

/* Goes from a ptmx node outside devpts to the directory "pts" beside it: *p with references. */
static int
find_pts(struct file *ptmx, struct path *p)
{
	struct dentry *d;
	struct path dir;

	rcu_read_lock();
	dir.dentry = READ_ONCE(ptmx->path.dentry->parent);
	dir.mnt = ptmx->path.mnt;
	if (dir.dentry)
		path_get(&dir);
	rcu_read_unlock();
	if (!dir.dentry)
		return -ENODEV;
	d = dir_lookup(&dir, "pts", 3);
	dentry_put(dir.dentry);
	if (is_err(d)) {
		mount_put(dir.mnt);
		return ptr_err(d);
	}
	*p = (struct path){.mnt = dir.mnt, .dentry = d};
	mount_follow_top(p);
	return 0;
}

/* The root of the instance that an opening of `ptmx` means, with references. */
static int
instance_path(struct file *ptmx, struct path *p)
{
	int err;

	if (ptmx->path.dentry->sb->type == &devpts_type) {
		p->mnt = ptmx->path.mnt;
		p->dentry = ptmx->path.dentry->sb->root;
		path_get(p);
		return 0;
	}
	err = find_pts(ptmx, p);
	if (err)
		return err;
	if (p->dentry->sb->type == &devpts_type && p->dentry == p->mnt->root)
		return 0;
	path_put(p);
	return -ENODEV;
}

/* --- what kernel/dev calls --- */

s32
devpts_number_alloc(struct file *ptmx, void **instance)
{
	struct instance *in;
	struct path p;
	size_t n;
	int err = instance_path(ptmx, &p);

	if (err)
		return err;
	in = p.dentry->sb->private;
	super_get(in->sb);
	path_put(&p);
	spin_lock(&in->lock);
	n = bitmap_first_zero(in->used, PTY_MAX);
	if (n < in->max && n < PTY_MAX && devpts_count < READ_ONCE(devpts_max)) {
		bit_set(in->used, n);
		atomic_inc(&devpts_count);
	} else {
		err = -ENOSPC;
	}
	spin_unlock(&in->lock);
	if (err) {
		super_put(in->sb);
		return err;
	}
	*instance = in;
	return n;
}

void
devpts_number_free(void *instance, u32 n)
{
	struct instance *in = instance;

	spin_lock(&in->lock);
	bit_clear(in->used, n);
	spin_unlock(&in->lock);
	atomic_dec(&devpts_count);
	super_put(in->sb);
}

int
devpts_new(void *instance, u32 n, u32 major, u32 minor, void **token)
{
	struct instance *in = instance;
	const struct cred *c = current_cred();
	char name[12];
	struct pseudo_entry e = {
		.name = name,
		.mode = S_IFCHR | in->mode,
		.rdev = DEV_MAKE(major, minor),
		.uid = in->uid == ID_UNSET ? c->fsuid : in->uid,
		.gid = in->gid == ID_UNSET ? c->fsgid : in->gid,
	};
	struct dentry *d;

	snprintf(name, sizeof(name), "%u", n);
	d = pseudo_add(in->sb->root, &e);
	if (is_err(d))
		return ptr_err(d);
	*token = dentry_get(d);
	return 0;
}

void
devpts_remove(void *token)
{
	struct dentry *d = token;

	pseudo_remove(d);
	dentry_put(d);
}

struct file *
devpts_open_peer(struct file *ptmx, void *token, u32 flags)
{
	struct dentry *d = token;
	struct path p;
	int err = instance_path(ptmx, &p);

	if (err)
		return err_ptr(err);
	if (p.dentry->sb != d->sb) {
		path_put(&p);
		return err_ptr(-ENODEV);
	}
	dentry_put(p.dentry);
	p.dentry = dentry_get(d);
	return file_open_taken(&p, flags);
}
