/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/map_files: a link for each mapping of a file, named START-END.
 *
 * A link is about what is mapped there when it is used: its node knows where it
 * starts, and that its end is the name's is looked at when the name is.
 */
#include "fs/proc/pid.h"

#include "fs/generic.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/space.h"

#define POS_FIRST 3
/* Two addresses and what is between them. */
#define NAME_MAX_LEN 33

struct mapping {
	unsigned long start, end;
	/* with a reference; NULL: none found */
	struct file *file;
};

static int
take_first(const struct map_info *mi, void *ctx)
{
	struct mapping *m = ctx;

	if (!mi->file)
		return 0;
	m->start = mi->start;
	m->end = mi->end;
	m->file = file_get(mi->file);
	return 1;
}

/* The first mapping of a file of t from `from` up; false: there is none. */
static bool
next_mapping(struct task *t, unsigned long from, struct mapping *m)
{
	struct space *s = task_get_space(t);

	m->file = NULL;
	if (!s)
		return false;
	(void)space_for_each(s, from, false, take_first, m);
	space_put_user(s);
	return m->file != NULL;
}

/* The one that starts there; a walk that begins inside one shows the rest of it. */
static bool
mapping_at(struct task *t, unsigned long start, struct mapping *m)
{
	unsigned long from = start ? start - PAGE_SIZE : 0;

	while (next_mapping(t, from, m)) {
		if (m->start == start)
			return true;
		file_put(m->file);
		if (m->end > start)
			break;
		from = m->end;
	}
	return false;
}

static int
jump_mapping(const struct pid_node *n, struct task *t, struct path *p)
{
	struct mapping m;
	int err;

	if (!mapping_at(t, n->key, &m))
		return -ENOENT;
	err = file_path_get(m.file, p);
	file_put(m.file);
	return err;
}

/* Handles of others can be opened again through it, with rights that they were not given. */
static const struct pid_entry mapping_entry = {
	.name = "", .mode = S_IFLNK, .flags = PID_FOLLOW_ADMIN, .jump = jump_mapping};

/* Hexadecimal digits without zeros in front; NULL: none. */
static const char *
parse_address(const char *s, unsigned long *n)
{
	const char *begin = s;

	for (*n = 0; s - begin < 16; s++) {
		if (*s >= '0' && *s <= '9')
			*n = *n << 4 | (unsigned long)(*s - '0');
		else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
			*n = *n << 4 | (unsigned long)((*s | 0x20) - 'a' + 10);
		else
			break;
	}
	return s == begin || (*begin == '0' && s - begin > 1) ? NULL : s;
}

static bool
parse_name(const struct dentry *d, unsigned long *start, unsigned long *end)
{
	const char *s = parse_address(d->name->s, start);

	if (!s || *s != '-')
		return false;
	s = parse_address(s + 1, end);
	return s && *s == '\0';
}

static int
lookup_mapping(struct inode *dir, struct dentry *d)
{
	struct task *t = pid_node_task(pid_node(dir));
	unsigned long start, end;
	struct mapping m;
	u32 mode;
	int err;

	if (!t)
		return -ENOENT;
	err = pid_check(t);
	if (!err && (!parse_name(d, &start, &end) || !mapping_at(t, start, &m)))
		err = -ENOENT;
	task_put(t);
	if (err)
		return err;
	mode = (m.file->mode & FMODE_READ ? 0400 : 0) | (m.file->mode & FMODE_WRITE ? 0200 : 0);
	file_put(m.file);
	if (m.end != end)
		return -ENOENT;
	err = pid_attach(d, pid_node(dir), &mapping_entry, start);
	if (!err)
		d->inode->mode |= mode;
	return err;
}

/* Positions are the addresses behind the last mapping told. */
static int
emit_mappings(struct dir_context *ctx, struct task *t, const struct pid_node *dir)
{
	struct pid_node like = {.thread = dir->thread, .entry = &mapping_entry};
	char name[NAME_MAX_LEN + 1];
	struct mapping m;
	int len;

	while (next_mapping(t, ctx->pos == POS_FIRST ? 0 : ctx->pos, &m)) {
		u64 old = ctx->pos;

		file_put(m.file);
		ctx->pos = m.end;
		like.key = m.start;
		len = scnprintf(name, sizeof(name), "%lx-%lx", m.start, m.end);
		if (!ctx->emit(ctx, name, len, pid_inode_number(&like, dir->pid->nr), DT_LNK)) {
			ctx->pos = old;
			break;
		}
	}
	return 0;
}

static int
map_files_iterate(struct file *f, struct dir_context *ctx)
{
	const struct pid_node *n = pid_node(f->inode);
	struct task *t = pid_node_task(n);
	int err;

	if (!t)
		return -ENOENT;
	err = pid_check(t);
	if (!err && ctx->pos < POS_FIRST && dcache_emit(f, ctx))
		ctx->pos = POS_FIRST;
	if (!err && ctx->pos >= POS_FIRST)
		err = emit_mappings(ctx, t, n);
	task_put(t);
	return err;
}

const struct inode_ops pid_map_files_ops = {
	.lookup = lookup_mapping,
	.setattr = pid_setattr,
};

const struct file_ops pid_map_files_fops = {
	.name = "dir",
	.seek = dcache_seek,
	.iterate = map_files_iterate,
	.fsync = generic_fsync_none,
};
