/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs: its one instance, and what its parts make it of.
 *
 * Model: the tree is made whole at the first mount; only the directories of CPUs come
 * and go after that.
 */
#include "fs/sysfs/sysfs.h"

#include "kernel/log.h"
#include "lib/string.h"
#include "mm/slab.h"

#define SYSFS_MAGIC 0x62656572

static struct super *sysfs_sb;

/* ->private of a file. */
struct bound {
	const struct sysfs_attr *attr;
	/* NULL: read-only */
	sysfs_store store;
	unsigned long arg;
};

static int
bound_show(struct seq *s, u64 *pos)
{
	const struct bound *b = s->private;

	if (*pos > 0)
		return 1;
	*pos = 1;
	return b->attr->show(s, b->arg);
}

static s64
bound_write(struct file *f, void *data, char *text, size_t n)
{
	const struct bound *b = data;
	int err;

	if (!b->store)
		return -EIO;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	err = b->store(text, b->arg);
	return err ? err : (s64)n;
}

static const struct seq_source bound_source = {.show = bound_show, .write = bound_write};

static void
bound_free(void *private)
{
	kfree(private);
}

int
sysfs_file_rw(struct dentry *dir, const struct sysfs_attr *a, sysfs_store store, unsigned long arg)
{
	struct pseudo_entry e = {.name = a->name,
				 .mode = S_IFREG | (store ? 0644 : 0444),
				 .source = &bound_source,
				 .free_private = bound_free};
	struct bound *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct dentry *d;

	if (!b)
		return -ENOMEM;
	b->attr = a;
	b->store = store;
	b->arg = arg;
	e.private = b;
	d = pseudo_add(dir, &e);
	return is_err(d) ? (int)ptr_err(d) : 0;
}

int
sysfs_file(struct dentry *dir, const struct sysfs_attr *a, unsigned long arg)
{
	return sysfs_file_rw(dir, a, NULL, arg);
}

int
sysfs_files(struct dentry *dir, const struct sysfs_attr *a, size_t n, unsigned long arg)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = sysfs_file(dir, &a[i], arg);
	return err;
}

int
sysfs_link(struct dentry *dir, const char *name, const char *target)
{
	struct pseudo_entry e = {.name = name, .target = target};
	struct dentry *d = pseudo_add(dir, &e);

	return is_err(d) ? (int)ptr_err(d) : 0;
}

struct dentry *
sysfs_dir(struct dentry *d, const char *path)
{
	char name[NAME_MAX + 1];

	while (*path && !is_err(d)) {
		size_t n = strcspn(path, "/");
		struct dentry *sub;

		strscpy(name, path, min(n + 1, sizeof(name)));
		path += n + (path[n] == '/');
		sub = dentry_find(d, name, strlen(name));
		if (sub)
			dentry_put(sub);
		else
			sub = pseudo_mkdir(d, name, 0755);
		d = sub;
	}
	return d;
}

static const struct super_ops sysfs_super_ops = {.release_inode = pseudo_release_inode};
static struct super *sysfs_make(void);

static struct super *
sysfs_mount(const struct fs_type *t, const struct mount_args *a)
{
	return pseudo_single(&sysfs_sb, sysfs_make);
}

REGISTER(filesystems)
static const struct fs_type sysfs_type = {
	.name = "sysfs", .mount = sysfs_mount, .check_option = fs_no_options};

/* Folders that programs expect, and that others mount on. */
static int
fill_folders(struct dentry *root)
{
	static const char *const paths[] = {
		"block",    "bus", "class",	     "dev/block",    "dev/char", "devices",
		"firmware", "fs",  "kernel/tracing", "kernel/debug", "module"};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !err; i++) {
		struct dentry *d = sysfs_dir(root, paths[i]);

		err = is_err(d) ? (int)ptr_err(d) : 0;
	}
	return err;
}

static struct super *
sysfs_make(void)
{
	struct super *sb =
		pseudo_super(&sysfs_type, &sysfs_super_ops, SB_NODEV | SB_NOEXEC, SYSFS_MAGIC);
	int err;

	if (is_err(sb))
		return sb;
	err = fill_folders(sb->root);
	if (!err)
		err = sysfs_fill_cpus(sb->root);
	if (!err)
		err = sysfs_fill_class(sb->root);
	if (!err)
		err = sysfs_fill_mm(sb->root);
	if (err)
		log_err("sysfs: not complete: error %d", err);
	return sb;
}
