/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracefs: its one instance. The files have the names, modes and texts of Linux,
 * as far as there is what they are about; there is no tracer but "nop", which
 * records events.
 */
#include "fs/tracefs/tracefs.h"

#include "fs/attr.h"
#include "kernel/log.h"
#include "lib/string.h"
#include "mm/slab.h"

#define TRACEFS_MAGIC 0x74726163

static struct super *tracefs_sb;

/* ->private of a text file. */
struct bound {
	const struct trace_file *file;
	unsigned long arg;
};

static int
bound_show(struct seq *s, u64 *pos)
{
	const struct bound *b = s->private;

	if (*pos > 0)
		return 1;
	*pos = 1;
	return b->file->show ? b->file->show(s, b->arg) : -EINVAL;
}

static s64
bound_write(struct file *f, void *data, char *text, size_t n)
{
	const struct bound *b = data;
	size_t len = n;
	int err;

	if (!b->file->store)
		return -EINVAL;
	while (len > 0 && strchr(" \t\n", text[len - 1]))
		text[--len] = '\0';
	err = b->file->store(text, b->arg);
	return err ? err : (s64)n;
}

static const struct seq_source bound_source = {.show = bound_show, .write = bound_write};

static int
bound_open(struct inode *i, struct file *f)
{
	return seqfile_open(f, &bound_source, i->private);
}

static int
bound_setattr(struct dentry *d, struct iattr *a)
{
	const struct bound *b = d->inode->private;

	if (b->file->truncate && (a->valid & ATTR_OPEN))
		b->file->truncate(b->arg);
	return pseudo_file_ops.setattr(d, a);
}

static const struct inode_ops bound_ops = {.open = bound_open, .setattr = bound_setattr};

static void
bound_free(void *private)
{
	kfree(private);
}

static int
add_one(struct dentry *dir, const struct trace_file *file, unsigned long arg)
{
	struct pseudo_entry e = {.name = file->name,
				 .mode = S_IFREG | file->mode,
				 .ops = &bound_ops,
				 .free_private = bound_free};
	struct bound *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct dentry *d;

	if (!b)
		return -ENOMEM;
	b->file = file;
	b->arg = arg;
	e.private = b;
	d = pseudo_add(dir, &e);
	return is_err(d) ? (int)ptr_err(d) : 0;
}

int
tracefs_add(struct dentry *dir, const struct trace_file *files, size_t n, unsigned long arg)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = add_one(dir, &files[i], arg);
	return err;
}

int
tracefs_add_special(struct dentry *dir, const char *name, u32 mode, const struct inode_ops *ops,
		    unsigned long arg)
{
	struct pseudo_entry e = {
		.name = name, .mode = S_IFREG | mode, .ops = ops, .private = (void *)arg};
	struct dentry *d = pseudo_add(dir, &e);

	return is_err(d) ? (int)ptr_err(d) : 0;
}

struct dentry *
tracefs_mkdir(struct dentry *dir, const char *name)
{
	return pseudo_mkdir(dir, name, 0750);
}

static const struct super_ops tracefs_super_ops = {.release_inode = pseudo_release_inode};
static struct super *tracefs_make(void);

static struct super *
tracefs_mount(const struct fs_type *t, const struct mount_args *a)
{
	return pseudo_single(&tracefs_sb, tracefs_make);
}

REGISTER(filesystems)
static const struct fs_type tracefs_type = {.name = "tracefs", .mount = tracefs_mount};

static struct super *
tracefs_make(void)
{
	struct super *sb = pseudo_super(&tracefs_type, &tracefs_super_ops, SB_NODEV | SB_NOEXEC,
					TRACEFS_MAGIC);
	int err;

	if (is_err(sb))
		return sb;
	sb->root->inode->mode = S_IFDIR | 0700;
	err = tracefs_fill_buffer(sb->root);
	if (!err)
		err = tracefs_fill_events(sb->root);
	if (err)
		log_err("tracefs: not complete: error %d", err);
	return sb;
}
