/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs as a whole: options, limits, statfs; the types tmpfs, ramfs and rootfs. */
#include "fs/generic.h"
#include "fs/tmpfs_impl.h"
#include "kernel/seq.h"
#include "kernel/uapi/mount.h"
#include "kernel/uapi/stat.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "percpu/percpu.h"

#define MODE_DEFAULT 01777u
#define UNLIMITED S64_MAX

/* Half of the memory; as many inodes as that has pages. */
static s64
default_limit(void)
{
	return pages_total() / 2;
}

/* New values, checked as a whole before any takes effect. */
struct tmpfs_options {
	s64 blocks;
	s64 inodes;
	u32 mode;
	u32 uid;
	u32 gid;
};

static int
parse_blocks(const char *v, s64 *blocks)
{
	size_t n = strlen(v);
	char digits[24];
	u64 x;
	int err;

	if (n > 1 && n < sizeof(digits) && v[n - 1] == '%') {
		strscpy(digits, v, n);
		err = parse_u64(digits, 10, &x);
		if (err || x > 100000)
			return -EINVAL;
		*blocks = pages_total() * x / 100;
	} else {
		err = parse_size(v, &x);
		if (err || x > S64_MAX - PAGE_SIZE)
			return -EINVAL;
		*blocks = div_round_up(x, PAGE_SIZE);
	}
	if (*blocks == 0)
		*blocks = UNLIMITED;
	return 0;
}

static int
parse_count(const char *v, s64 *n)
{
	u64 x;
	int err = parse_size(v, &x);

	if (err || x > S64_MAX)
		return -EINVAL;
	*n = x ? (s64)x : UNLIMITED;
	return 0;
}

static int
parse_option(struct tmpfs_options *o, const char *key, const char *v)
{
	if (str_equal(key, "inode32") || str_equal(key, "inode64"))
		return v ? -EINVAL : 0;
	if (!v)
		return -EINVAL;
	if (str_equal(key, "size"))
		return parse_blocks(v, &o->blocks);
	if (str_equal(key, "nr_blocks"))
		return parse_count(v, &o->blocks);
	if (str_equal(key, "nr_inodes"))
		return parse_count(v, &o->inodes);
	if (str_equal(key, "mode")) {
		if (parse_u32(v, 8, &o->mode))
			return -EINVAL;
		o->mode &= S_IALLUGO;
		return 0;
	}
	if (str_equal(key, "uid"))
		return parse_u32(v, 10, &o->uid) ? -EINVAL : 0;
	if (str_equal(key, "gid"))
		return parse_u32(v, 10, &o->gid) ? -EINVAL : 0;
	if (str_equal(key, "huge"))
		return str_equal(v, "never") ? 0 : -EINVAL;
	return str_equal(key, "mpol") ? 0 : -EINVAL;
}

static int
check_option(const char *key, const char *value)
{
	static const char *const names[] = {"inode32", "inode64", "size", "nr_blocks", "nr_inodes",
					    "mode",    "uid",	  "gid",  "huge",      "mpol"};
	struct tmpfs_options unused;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_equal(key, names[i]))
			return parse_option(&unused, key, value);
	}
	return -ENOENT;
}

/* Of ramfs, which ignores others. */
static int
check_option_ram(const char *key, const char *value)
{
	return str_equal(key, "mode") ? check_option(key, value) : 0;
}

static int
parse_all(struct tmpfs_options *o, char *data)
{
	char *word;

	while ((word = strsep(&data, ",")) != NULL) {
		char *value;
		int err;

		if (!*word)
			continue;
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		err = parse_option(o, word, value);
		if (err)
			return err;
	}
	return 0;
}

int
tmpfs_parse_options(struct super *sb, const struct mount_args *a, bool remount)
{
	struct tmpfs_super *ts = tmpfs_super(sb);
	struct tmpfs_options o = {
		.blocks = ts->blocks.limit,
		.inodes = ts->inodes.limit,
		.mode = ts->mode,
		.uid = ts->uid,
		.gid = ts->gid,
	};
	int err = a->data ? parse_all(&o, a->data) : 0;

	if (err)
		return err;
	if (remount) {
		tmpfs_settle(sb);
		if (o.blocks < limit_counter_sum(&ts->blocks) ||
		    o.inodes < limit_counter_sum(&ts->inodes))
			return -EINVAL;
	}
	limit_counter_set_limit(&ts->blocks, o.blocks);
	limit_counter_set_limit(&ts->inodes, o.inodes);
	ts->mode = o.mode;
	ts->uid = o.uid;
	ts->gid = o.gid;
	return 0;
}

static int
tmpfs_remount(struct super *sb, const struct mount_args *a)
{
	return tmpfs_parse_options(sb, a, true);
}

static int
tmpfs_statfs(struct super *sb, struct statfs *st)
{
	struct tmpfs_super *ts = tmpfs_super(sb);

	if (counter_sum_ptr(&ts->pcp->orphans) > 0)
		inode_settle_sometimes();
	if (ts->blocks.limit != UNLIMITED) {
		st->blocks = ts->blocks.limit;
		st->bfree = max(ts->blocks.limit - limit_counter_sum(&ts->blocks), (s64)0);
		st->bavail = st->bfree;
	}
	if (ts->inodes.limit != UNLIMITED) {
		st->files = ts->inodes.limit;
		st->ffree = max(ts->inodes.limit - limit_counter_sum(&ts->inodes), (s64)0);
	}
	return 0;
}

static void
tmpfs_show_options(struct super *sb, struct seq *s)
{
	struct tmpfs_super *ts = tmpfs_super(sb);

	if (ts->blocks.limit != UNLIMITED && ts->blocks.limit != default_limit())
		seq_printf(s, ",size=%luk", (u64)ts->blocks.limit * (PAGE_SIZE / 1024));
	if (ts->inodes.limit != UNLIMITED && ts->inodes.limit != default_limit())
		seq_printf(s, ",nr_inodes=%lu", (u64)ts->inodes.limit);
	if (ts->mode != MODE_DEFAULT)
		seq_printf(s, ",mode=%03o", ts->mode);
	if (ts->uid)
		seq_printf(s, ",uid=%u", ts->uid);
	if (ts->gid)
		seq_printf(s, ",gid=%u", ts->gid);
	if (sb->magic == TMPFS_MAGIC)
		seq_puts(s, ",inode64");
}

static void
tmpfs_kill(struct super *sb)
{
	struct tmpfs_super *ts = tmpfs_super(sb);

	percpu_free(ts->pcp);
	kfree(ts);
}

const struct super_ops tmpfs_super_ops = {
	.release_inode = tmpfs_release_inode,
	.statfs = tmpfs_statfs,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
	.kill = tmpfs_kill,
};

static int
super_private(struct super *sb, s64 limit)
{
	struct tmpfs_super *ts = kzalloc(sizeof(*ts), GFP_KERNEL);

	if (!ts)
		return -ENOMEM;
	ts->mode = MODE_DEFAULT;
	ts->pcp = percpu_alloc(sizeof(*ts->pcp), CACHE_LINE);
	if (!ts->pcp) {
		kfree(ts);
		return -ENOMEM;
	}
	limit_counter_init_with(&ts->blocks, limit, &ts->pcp->blocks);
	limit_counter_init_with(&ts->inodes, limit, &ts->pcp->inodes);
	sb->private = ts;
	return 0;
}

static int
make_root(struct super *sb)
{
	struct tmpfs_super *ts = tmpfs_super(sb);
	struct inode *i = tmpfs_inode_new(sb, NULL, S_IFDIR | ts->mode, 0);

	if (is_err(i))
		return ptr_err(i);
	i->ino = ROOT_INO;
	i->uid = ts->uid;
	i->gid = ts->gid;
	sb->root = dentry_alloc_root(i, "/");
	return sb->root ? 0 : -ENOMEM;
}

static const struct super_ops unborn_ops;

struct super *
tmpfs_create(const struct fs_type *t, const struct mount_args *a, u32 flags)
{
	bool ram = str_equal(t->name, "ramfs");
	struct super *sb = super_create(t, &unborn_ops, flags | SB_PARALLEL);
	int err;

	if (is_err(sb))
		return sb;
	sb->magic = ram ? RAMFS_MAGIC : TMPFS_MAGIC;
	err = super_private(sb, ram || (flags & SB_KERNEL) ? UNLIMITED : default_limit());
	if (!err) {
		sb->ops = &tmpfs_super_ops;
		if (ram)
			tmpfs_super(sb)->mode = 0755;
		err = tmpfs_parse_options(sb, a, false);
	}
	if (!err)
		err = make_root(sb);
	if (err) {
		super_put(sb);
		return err_ptr(err);
	}
	return sb;
}

static struct super *
tmpfs_mount(const struct fs_type *t, const struct mount_args *a)
{
	return tmpfs_create(t, a, a->flags & MS_RDONLY ? SB_RDONLY : 0);
}

REGISTER(filesystems)
const struct fs_type tmpfs_type = {
	.name = "tmpfs",
	.mount = tmpfs_mount,
	.check_option = check_option,
};

REGISTER(filesystems)
static const struct fs_type ramfs_type = {
	.name = "ramfs",
	.mount = tmpfs_mount,
	.check_option = check_option_ram,
};

REGISTER(filesystems)
const struct fs_type rootfs_type = {
	.name = "rootfs",
	.mount = tmpfs_mount,
	.check_option = check_option,
};
