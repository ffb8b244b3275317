/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: its one instance and the files at its root.
 *
 * Static files register themselves (proc.h); directories of processes are
 * looked up by number (pid.c) and never cached.
 */
#include "fs/proc/proc.h"

#include "fs/generic.h"
#include "fs/proc/pid.h"

#include "kernel/init.h"
#include "kernel/log.h"
#include "lib/parse.h"
#include "lib/sink.h"
#include "lib/string.h"

#define PROC_MAGIC 0x9fa0

static struct super *proc_sb;

static int
append(void *ctx, const void *data, size_t n)
{
	seq_write(ctx, data, n);
	return 0;
}

struct sink
seq_sink(struct seq *s)
{
	return (struct sink){.emit = append, .ctx = s};
}

/* One record: the entry's whole text. */
static int
entry_show(struct seq *s, u64 *pos)
{
	const struct proc_entry *e = s->private;

	if (*pos > 0)
		return 1;
	*pos = 1;
	return e->show(s);
}

static const struct seq_source entry_source = {.show = entry_show};

/* The directory that a name with a slash lies in, made when first needed. */
static struct dentry *
parent_of(struct dentry *root, const char **name)
{
	const char *slash = strchr(*name, '/');
	char dir[32];
	struct dentry *d;

	if (!slash)
		return root;
	strscpy(dir, *name, min(sizeof(dir), (size_t)(slash - *name) + 1));
	*name = slash + 1;
	d = pseudo_mkdir(root, dir, 0555);
	if (is_err(d) && ptr_err(d) == -EEXIST)
		d = dentry_find(root, dir, strlen(dir));
	return d;
}

static void
add_entry(struct dentry *root, const struct proc_entry *e)
{
	const char *name = e->name;
	struct dentry *dir = parent_of(root, &name);
	struct pseudo_entry p = {
		.mode = S_IFREG | e->mode, .source = &entry_source, .private = (void *)e};
	struct dentry *d;

	p.name = name;
	d = is_err_or_null(dir) ? err_ptr(-ENOMEM) : pseudo_add(dir, &p);
	if (is_err(d))
		log_err("proc: no file %s: %ld", e->name, ptr_err(d));
}

static const struct inode_ops root_ops = {.lookup = proc_lookup_pid, .setattr = pid_setattr};
static const struct file_ops root_fops = {.name = "dir",
					  .seek = dcache_seek,
					  .iterate = proc_iterate_root,
					  .fsync = generic_fsync_none};

static const struct super_ops proc_super_ops = {.release_inode = pseudo_release_inode};
static struct super *proc_make(void);

static struct super *
proc_mount(const struct fs_type *t, const struct mount_args *a)
{
	return pseudo_single(&proc_sb, proc_make);
}

/* All is shown to everybody, so that no group is asked for. */
static int
proc_check_option(const char *key, const char *value)
{
	u32 gid;

	if (str_equal(key, "gid"))
		return value && !parse_u32(value, 10, &gid) ? 0 : -EINVAL;
	if (str_equal(key, "hidepid"))
		return value && (str_equal(value, "0") || str_equal(value, "off")) ? 0 : -EINVAL;
	return str_equal(key, "subset") ? -EINVAL : -ENOENT;
}

REGISTER(filesystems)
static const struct fs_type proc_type = {
	.name = "proc", .mount = proc_mount, .check_option = proc_check_option};

static struct super *
proc_make(void)
{
	struct super *sb = pseudo_super(&proc_type, &proc_super_ops,
					SB_NODEV | SB_NOEXEC | SB_UNCACHED, PROC_MAGIC);
	const struct proc_entry *e;

	if (is_err(sb))
		return sb;
	sb->root->inode->ops = &root_ops;
	sb->root->inode->fops = &root_fops;
	sb->root->inode->mode = S_IFDIR | 0555;
	if (proc_add_self(sb->root) || proc_add_kmsg(sb->root) || proc_add_kallsyms(sb->root))
		log_err("proc: no memory for self, kmsg and kallsyms");
	if (CONFIG_DEBUG && proc_add_lock_stat(sb->root))
		log_err("proc: no memory for lock_stat");
	for_each_registered(proc_entries, e)
		add_entry(sb->root, e);
	if (proc_add_triggers(sb->root))
		log_err("proc: no memory for sysrq-trigger");
	proc_add_sysctls(sb->root);
	return sb;
}
