/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/ns: links to the namespaces that a task is in. */
#include "fs/proc/pid.h"

#include "fs/generic.h"
#include "fs/nsfs.h"
#include "kernel/task/ns.h"
#include "lib/string.h"

#define POS_FIRST 3

/* Their index is the nodes' `key`. */
static const struct {
	const char *name;
	enum ns_kind kind;
	bool children;
} links[] = {
	{"net", NS_NET, false},
	{"uts", NS_UTS, false},
	{"ipc", NS_IPC, false},
	{"pid", NS_PID, false},
	{"pid_for_children", NS_PID, true},
	{"user", NS_USER, false},
	{"mnt", NS_MNT, false},
	{"cgroup", NS_CGROUP, false},
	{"time", NS_TIME, false},
	{"time_for_children", NS_TIME, true},
};

static int
jump_ns(const struct pid_node *n, struct task *t, struct path *p)
{
	struct ns *ns = task_ns_get(t, links[n->key].kind, links[n->key].children);

	return ns ? nsfs_path_get(ns, p) : -ENOENT;
}

static const struct pid_entry ns_entry = {
	.name = "", .mode = S_IFLNK | 0777, .jump = jump_ns, .gone = -EACCES};

static int
lookup_ns(struct inode *dir, struct dentry *d)
{
	for (u32 i = 0; i < ARRAY_SIZE(links); i++)
		if (str_equal(links[i].name, d->name->s))
			return pid_attach(d, pid_node(dir), &ns_entry, i);
	return 0;
}

static int
iterate_ns(struct file *f, struct dir_context *ctx)
{
	const struct pid_node *n = pid_node(f->inode);
	struct pid_node like = {.thread = n->thread, .entry = &ns_entry};
	struct task *t = pid_node_task(n);

	if (!t)
		return -ENOENT;
	task_put(t);
	if (ctx->pos < POS_FIRST && dcache_emit(f, ctx))
		ctx->pos = POS_FIRST;
	for (u64 i = ctx->pos - POS_FIRST; ctx->pos >= POS_FIRST && i < ARRAY_SIZE(links); i++) {
		like.key = i;
		ctx->pos = POS_FIRST + i + 1;
		if (!ctx->emit(ctx, links[i].name, strlen(links[i].name),
			       pid_inode_number(&like, n->pid->nr), DT_LNK)) {
			ctx->pos = POS_FIRST + i;
			break;
		}
	}
	return 0;
}

const struct inode_ops pid_ns_ops = {
	.lookup = lookup_ns,
	.setattr = pid_setattr,
};

const struct file_ops pid_ns_fops = {
	.name = "dir",
	.seek = dcache_seek,
	.iterate = iterate_ns,
	.fsync = generic_fsync_none,
};
