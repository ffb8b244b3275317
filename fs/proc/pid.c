/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID and /proc/PID/task/TID.
 *
 * Model: nothing of it is in the name table. Each walk makes dentries and inodes
 * that hold a struct pid_node, that is the number (struct pid), and each use
 * asks again which task has it. So nothing here keeps a process alive, and what
 * is open of one that has gone says -ESRCH or -ENOENT.
 *
 * Ownership: an inode's owner is the task's effective user when it was looked
 * up, or root if the task may not be looked into (PR_SET_DUMPABLE).
 */
#include "fs/proc/pid.h"

#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/proc/proc.h"
#include "kernel/port_fs.h"
#include "kernel/uapi/capability.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

/* Positions of numbers in a directory; names in the table and dots are outside. */
#define POS_FIRST 3
#define PID_DIGITS 10
/* Of a node's key in its inode number. */
#define KEY_BITS 23

struct task *
pid_node_task(const struct pid_node *n)
{
	struct process *p;
	struct task *t;

	rcu_read_lock();
	p = n->thread ? NULL : rcu_load(n->pid->process);
	t = p ? rcu_load(p->leader) : rcu_load(n->pid->task);
	if (t && !atomic_inc_not_zero(&t->refs))
		t = NULL;
	rcu_read_unlock();
	return t;
}

int
pid_check(struct task *t)
{
	return task_may_access(t, ACCESS_FSCREDS) ? -EACCES : 0;
}

bool
pid_parse_number(const struct dentry *d, u32 *n)
{
	const char *s = d->name->s;
	u32 len = d->name->len, v = 0;

	if (!len || len >= PID_DIGITS || (s[0] == '0' && len > 1))
		return false;
	for (u32 i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*n = v;
	return true;
}

bool
pid_emit_number(struct dir_context *ctx, u32 n, u8 type, u64 ino)
{
	char name[PID_DIGITS + 1];
	int len = scnprintf(name, sizeof(name), "%u", n);

	return ctx->emit(ctx, name, len, ino, type);
}

/* --- inodes --- */

static void
free_node(void *private)
{
	struct pid_node *n = private;

	pid_put(n->pid);
	kfree(n);
}

static void
owner_of(struct task *t, const struct pid_entry *e, struct pseudo_entry *p)
{
	const struct cred *c;

	/* What tells no secrets belongs to the user in any case: the directories. */
	if (READ_ONCE(t->process->dumpable) != 1 && e->mode != (S_IFDIR | 0555))
		return;
	if (task_is_kthread(t))
		return;
	rcu_read_lock();
	c = task_cred(t);
	p->uid = c->euid;
	p->gid = c->egid;
	rcu_read_unlock();
}

u64
pid_inode_number(const struct pid_node *n, s32 nr)
{
	u64 key = (n->key ^ n->key >> KEY_BITS) & (BIT(KEY_BITS) - 1);

	return 1UL << 62 | (u64)nr << 36 | (u64)n->thread << 35 | key << 12 |
	       ((u64)n->entry >> 3 & 0xfff);
}

static int
attach(struct dentry *d, const struct pid_node *like, struct task *t)
{
	const struct pid_entry *e = like->entry;
	struct pid_node *n = kmemdup(like, sizeof(*like), GFP_KERNEL);
	struct pseudo_entry p = {.mode = e->mode,
				 .ops = e->ops,
				 .fops = e->fops,
				 .private = n,
				 .free_private = free_node};
	int err;

	if (!n)
		return -ENOMEM;
	pid_get(n->pid);
	if (!p.ops)
		p.ops = e->jump ? &pid_link_inode_ops : &pid_file_inode_ops;
	if (!(p.mode & S_IFMT))
		p.mode |= S_IFREG;
	owner_of(t, e, &p);
	err = pseudo_attach(d, &p, pid_inode_number(n, n->pid->nr));
	if (err)
		free_node(n);
	else if (e->jump)
		d->inode->flags |= INODE_MAGIC;
	return err;
}

int
pid_attach(struct dentry *d, const struct pid_node *dir, const struct pid_entry *e, u64 key)
{
	struct pid_node n = {.pid = dir->pid, .thread = dir->thread, .entry = e, .key = key};
	struct task *t = pid_node_task(dir);
	int err;

	if (!t)
		return -ENOENT;
	err = attach(d, &n, t);
	task_put(t);
	return err;
}

/* Mode and links cannot be changed. */
int
pid_setattr(struct dentry *d, struct iattr *a)
{
	if (a->valid & ATTR_MODE)
		return -EPERM;
	setattr_apply(d->inode, a);
	return 0;
}

/* --- files --- */

static int
text_show(struct seq *s, u64 *pos)
{
	const struct pid_node *n = s->private;
	struct task *t;
	int r = 1;

	if (*pos && !n->entry->show_at)
		return 1;
	t = pid_node_task(n);
	if (!t)
		return -ESRCH;
	if (n->entry->show_at) {
		r = n->entry->show_at(s, t, pos);
	} else {
		r = n->entry->show(s, n, t);
		*pos = 1;
	}
	task_put(t);
	return r;
}

static s64
text_write(struct file *f, void *data, char *text, size_t len)
{
	const struct pid_node *n = data;
	struct task *t;
	s64 r;

	if (!n->entry->write)
		return -EINVAL;
	t = pid_node_task(n);
	if (!t)
		return -ESRCH;
	r = n->entry->write(t, text, len);
	task_put(t);
	return r;
}

static const struct seq_source text_source = {.show = text_show, .write = text_write};

/* What an open file about a space holds: a program that execs is not seen through it. */
struct space_file {
	const struct pid_entry *entry;
	/* A reference, not a user: it does not keep the mappings. NULL: there was none. */
	struct space *space;
};

static int
space_show(struct seq *s, u64 *pos)
{
	const struct space_file *sf = s->private;
	int r;

	if (!sf->space)
		return 1;
	if (sf->entry->flags & PID_LAYOUT)
		return sf->entry->show_space(s, sf->space, pos);
	if (!space_try_get_user(sf->space))
		return 1;
	r = sf->entry->show_space(s, sf->space, pos);
	space_put_user(sf->space);
	return r;
}

static void
space_release(struct file *f, void *data)
{
	struct space_file *sf = data;

	if (sf->space)
		space_put(sf->space);
	kfree(sf);
}

static const struct seq_source space_source = {.show = space_show, .release = space_release};

struct space *
pid_space_ref(struct task *t)
{
	struct space *space = task_get_space(t);

	if (!space)
		return NULL;
	space_get(space);
	space_put_user(space);
	return space;
}

static int
space_open(struct file *f, const struct pid_entry *e, struct task *t)
{
	struct space_file *sf = kmalloc(sizeof(*sf), GFP_KERNEL);
	int err;

	if (!sf)
		return -ENOMEM;
	sf->entry = e;
	sf->space = pid_space_ref(t);
	err = seqfile_open(f, &space_source, sf);
	if (err)
		space_release(f, sf);
	return err;
}

static int
file_open_node(struct inode *i, struct file *f)
{
	const struct pid_node *n = pid_node(i);
	struct task *t = pid_node_task(n);
	int err;

	if (!t)
		return -ESRCH;
	err = n->entry->flags & PID_PRIVATE ? pid_check(t) : 0;
	if (!err && n->entry->open)
		err = n->entry->open(f, t);
	else if (!err && n->entry->show_space)
		err = space_open(f, n->entry, t);
	task_put(t);
	if (err || n->entry->fops || n->entry->show_space)
		return err;
	return seqfile_open(f, &text_source, (void *)n);
}

const struct inode_ops pid_file_inode_ops = {
	.open = file_open_node,
	.setattr = pid_setattr,
};

/* --- links --- */

static int
link_get(struct inode *i, struct dentry *d, bool rcu, struct link_result *r)
{
	const struct pid_node *n = pid_node(i);
	struct task *t;
	int err;

	if (rcu)
		return -EAGAIN;
	t = pid_node_task(n);
	if (!t)
		return n->entry->gone ? n->entry->gone : -ENOENT;
	err = pid_check(t);
	if (!err && n->entry->flags & PID_FOLLOW_ADMIN && !r->reading && !capable(CAP_SYS_ADMIN) &&
	    !capable(CAP_CHECKPOINT_RESTORE))
		err = -EPERM;
	if (!err)
		err = n->entry->jump(n, t, &r->jump);
	task_put(t);
	r->jumped = !err;
	return err;
}

const struct inode_ops pid_link_inode_ops = {
	.get_link = link_get,
	.setattr = pid_setattr,
};

/* --- directories --- */

/* t's number, with a reference: exec may be giving t another one. */
static struct pid *
task_pid_get(struct task *t)
{
	struct pid *p;

	rcu_read_lock();
	do {
		p = READ_ONCE(t->pid);
	} while (!atomic_inc_not_zero(&p->refs));
	rcu_read_unlock();
	return p;
}

static int lookup_entry(struct inode *dir, struct dentry *d);
static int lookup_thread(struct inode *dir, struct dentry *d);
static int iterate_entries(struct file *f, struct dir_context *ctx);
static int iterate_threads(struct file *f, struct dir_context *ctx);
static int base_getattr(const struct path *p, struct kstat *st);
static int task_getattr(const struct path *p, struct kstat *st);

static const struct inode_ops base_ops = {
	.lookup = lookup_entry, .getattr = base_getattr, .setattr = pid_setattr};
static const struct inode_ops task_dir_ops = {
	.lookup = lookup_thread, .getattr = task_getattr, .setattr = pid_setattr};
static const struct file_ops base_fops = {.name = "dir",
					  .seek = dcache_seek,
					  .iterate = iterate_entries,
					  .fsync = generic_fsync_none};
static const struct file_ops task_dir_fops = {.name = "dir",
					      .seek = dcache_seek,
					      .iterate = iterate_threads,
					      .fsync = generic_fsync_none};

static const struct pid_entry base_entry = {
	.name = "", .mode = S_IFDIR | 0555, .ops = &base_ops, .fops = &base_fops};

struct pid *
fs_file_pid(const struct file *f)
{
	const struct pid_node *n = f->ops == &base_fops ? pid_node(f->inode) : NULL;

	return n && !n->thread ? n->pid : NULL;
}

#define TEXT(n, m, fn)                                                                             \
	{                                                                                          \
		.name = (n), .mode = (m), .show = (fn)                                             \
	}
#define SECRET(n, m, fn)                                                                           \
	{                                                                                          \
		.name = (n), .mode = (m), .show = (fn), .flags = PID_PRIVATE                       \
	}
#define RECORDS(n, m, fn, fl)                                                                      \
	{                                                                                          \
		.name = (n), .mode = (m), .show_at = (fn), .flags = (fl)                           \
	}
#define SPACE(n, m, fn)                                                                            \
	{                                                                                          \
		.name = (n), .mode = (m), .show_space = (fn), .flags = PID_PRIVATE                 \
	}
#define OPENED(n, m, fn)                                                                           \
	{                                                                                          \
		.name = (n), .mode = (m), .open = (fn), .fops = &seqfile_ops                       \
	}
#define LINK(n, fn)                                                                                \
	{                                                                                          \
		.name = (n), .mode = S_IFLNK | 0777, .jump = (fn)                                  \
	}

static const struct pid_entry entries[] = {
	{.name = "task",
	 .mode = S_IFDIR | 0555,
	 .flags = PID_GROUP,
	 .ops = &task_dir_ops,
	 .fops = &task_dir_fops},
	{.name = "fd", .mode = S_IFDIR | 0500, .ops = &pid_fd_ops, .fops = &pid_fd_fops},
	{.name = "map_files",
	 .mode = S_IFDIR | 0500,
	 .flags = PID_GROUP,
	 .ops = &pid_map_files_ops,
	 .fops = &pid_map_files_fops},
	{.name = "fdinfo", .mode = S_IFDIR | 0555, .ops = &pid_fdinfo_ops, .fops = &pid_fd_fops},
	{.name = "ns", .mode = S_IFDIR | 0511, .ops = &pid_ns_ops, .fops = &pid_ns_fops},
	TEXT("stat", 0444, pid_show_stat),
	TEXT("statm", 0444, pid_show_statm),
	RECORDS("cmdline", 0444, pid_show_cmdline, 0),
	SPACE("environ", 0400, pid_show_environ),
	{.name = "auxv",
	 .mode = 0400,
	 .flags = PID_PRIVATE | PID_LAYOUT,
	 .show_space = pid_show_auxv},
	{.name = "mem",
	 .mode = 0600,
	 .flags = PID_PRIVATE,
	 .fops = &pid_mem_fops,
	 .open = pid_open_mem},
	{.name = "comm", .mode = 0644, .show = pid_show_comm, .write = pid_write_comm},
	TEXT("limits", 0444, pid_show_limits),
	SECRET("io", 0400, pid_show_io),
	TEXT("oom_score", 0444, pid_show_oom_score),
	{.name = "oom_score_adj",
	 .mode = 0644,
	 .show = pid_show_oom_adj,
	 .write = pid_write_oom_adj},
	{.name = "coredump_filter",
	 .mode = 0644,
	 .flags = PID_GROUP,
	 .show = pid_show_core_filter,
	 .write = pid_write_core_filter},
	TEXT("wchan", 0444, pid_show_wchan),
	TEXT("syscall", 0400, pid_show_syscall),
	TEXT("stack", 0400, pid_show_stack),
	TEXT("schedstat", 0444, pid_show_schedstat),
	TEXT("cgroup", 0444, pid_show_cgroup),
	SECRET("personality", 0400, pid_show_personality),
	{.name = "loginuid", .mode = 0644, .show = pid_show_loginuid, .write = pid_write_loginuid},
	TEXT("sessionid", 0444, pid_show_sessionid),
	TEXT("uid_map", 0444, pid_show_idmap),
	TEXT("gid_map", 0444, pid_show_idmap),
	OPENED("mounts", 0444, pid_open_mounts),
	OPENED("mountinfo", 0444, pid_open_mountinfo),
	OPENED("mountstats", 0400, pid_open_mountstats),
	LINK("exe", pid_jump_exe),
	LINK("cwd", pid_jump_cwd),
	LINK("root", pid_jump_root),
	TEXT("status", 0444, pid_show_status),
	SPACE("maps", 0444, pid_show_maps),
	SPACE("smaps", 0444, pid_show_smaps),
	SPACE("smaps_rollup", 0444, pid_show_smaps_rollup),
};

static bool
entry_here(const struct pid_entry *e, const struct pid_node *dir)
{
	return !(e->flags & (dir->thread ? PID_GROUP : PID_THREAD));
}

static int
lookup_entry(struct inode *dir, struct dentry *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (entry_here(&entries[i], pid_node(dir)) &&
		    str_equal(entries[i].name, d->name->s))
			return pid_attach(d, pid_node(dir), &entries[i], 0);
	return 0;
}

static int
iterate_entries(struct file *f, struct dir_context *ctx)
{
	const struct pid_node *n = pid_node(f->inode);
	struct task *t = pid_node_task(n);

	if (!t)
		return -ENOENT;
	task_put(t);
	if (ctx->pos < POS_FIRST) {
		if (!dcache_emit(f, ctx))
			return 0;
		ctx->pos = POS_FIRST;
	}
	for (u64 i = ctx->pos - POS_FIRST; i < ARRAY_SIZE(entries); i++) {
		const struct pid_entry *e = &entries[i];
		u32 type = e->mode & S_IFMT ? e->mode & S_IFMT : S_IFREG;
		struct pid_node like = {.pid = n->pid, .thread = n->thread, .entry = e};
		u64 old = ctx->pos;

		ctx->pos = POS_FIRST + i + 1;
		if (entry_here(e, n) &&
		    !ctx->emit(ctx, e->name, strlen(e->name), pid_inode_number(&like, n->pid->nr),
			       type >> 12)) {
			ctx->pos = old;
			break;
		}
	}
	return 0;
}

static int
base_getattr(const struct path *p, struct kstat *st)
{
	struct task *t = pid_node_task(pid_node(p->dentry->inode));

	if (!t)
		return -ENOENT;
	st->nlink = pid_node(p->dentry->inode)->thread ? 5 : 7;
	task_put(t);
	return 0;
}

/* --- task/ --- */

static int
task_getattr(const struct path *p, struct kstat *st)
{
	struct task *t = pid_node_task(pid_node(p->dentry->inode));

	if (!t)
		return -ENOENT;
	st->nlink = 2 + READ_ONCE(t->process->nr_threads);
	task_put(t);
	return 0;
}

static int
lookup_thread(struct inode *dir, struct dentry *d)
{
	struct pid_node n = {.thread = true, .entry = &base_entry};
	struct task *leader, *t;
	u32 nr;
	int err = 0;

	if (!pid_parse_number(d, &nr))
		return 0;
	leader = pid_node_task(pid_node(dir));
	t = leader ? task_find_get(nr) : NULL;
	if (t && t->process == leader->process) {
		n.pid = task_pid_get(t);
		err = attach(d, &n, t);
		pid_put(n.pid);
	}
	if (t)
		task_put(t);
	if (leader)
		task_put(leader);
	return err;
}

/* The lowest number of a thread that is not below `from`; 0: none. */
static u32
next_thread(struct process *p, u32 from)
{
	struct task *t;
	u32 best = 0;

	rcu_read_lock();
	for_each_thread(p, t) {
		u32 tid = t->tid;

		if (tid >= from && (!best || tid < best))
			best = tid;
	}
	rcu_read_unlock();
	return best;
}

static int
iterate_threads(struct file *f, struct dir_context *ctx)
{
	struct task *leader = pid_node_task(pid_node(f->inode));
	const struct pid_node like = {.thread = true, .entry = &base_entry};
	u32 tid;

	if (!leader)
		return -ENOENT;
	if (ctx->pos < POS_FIRST && dcache_emit(f, ctx))
		ctx->pos = POS_FIRST;
	while (ctx->pos >= POS_FIRST) {
		u64 old = ctx->pos;

		tid = next_thread(leader->process, old - POS_FIRST);
		if (!tid)
			break;
		ctx->pos = POS_FIRST + tid + 1;
		if (!pid_emit_number(ctx, tid, DT_DIR, pid_inode_number(&like, tid))) {
			ctx->pos = old;
			break;
		}
	}
	task_put(leader);
	return 0;
}

/* --- the root --- */

int
proc_lookup_pid(struct inode *dir, struct dentry *d)
{
	struct pid_node n = {.entry = &base_entry};
	struct task *t;
	u32 nr;
	int err;

	if (!pid_parse_number(d, &nr))
		return 0;
	t = task_find_get(nr);
	if (!t)
		return 0;
	n.pid = task_pid_get(t);
	err = nr ? attach(d, &n, t) : 0;
	pid_put(n.pid);
	task_put(t);
	return err;
}

int
proc_iterate_root(struct file *f, struct dir_context *ctx)
{
	const struct pid_node like = {.entry = &base_entry};

	if (ctx->pos < POS_FIRST || ctx->pos >= DIR_COOKIE_MIN) {
		if (!dcache_emit(f, ctx))
			return 0;
		ctx->pos = POS_FIRST;
	}
	for (;;) {
		u64 old = ctx->pos;
		struct process *p;
		u32 tgid;

		rcu_read_lock();
		p = process_next(max(old - POS_FIRST, 1UL));
		tgid = p ? p->tgid : 0;
		rcu_read_unlock();
		if (!tgid)
			return 0;
		ctx->pos = POS_FIRST + tgid + 1;
		if (!pid_emit_number(ctx, tgid, DT_DIR, pid_inode_number(&like, tgid))) {
			ctx->pos = old;
			return 0;
		}
	}
}

/* --- self --- */

static int
self_get_link(struct inode *i, struct dentry *d, bool rcu, struct link_result *r)
{
	char text[48];

	if (rcu)
		return -EAGAIN;
	if (i->private)
		scnprintf(text, sizeof(text), "%d/task/%d", current->process->tgid, current->tid);
	else
		scnprintf(text, sizeof(text), "%d", current->process->tgid);
	r->text = kstrdup(text, GFP_KERNEL);
	r->allocated = true;
	return r->text ? 0 : -ENOMEM;
}

static const struct inode_ops self_ops = {.get_link = self_get_link, .setattr = pid_setattr};

int
proc_add_self(struct dentry *root)
{
	struct pseudo_entry self = {.name = "self", .mode = S_IFLNK | 0777, .ops = &self_ops};
	struct pseudo_entry thread = {.name = "thread-self",
				      .mode = S_IFLNK | 0777,
				      .ops = &self_ops,
				      .private = (void *)1};
	struct pseudo_entry mounts = {.name = "mounts", .target = "self/mounts"};
	struct dentry *d = pseudo_add(root, &self);

	if (!is_err(d))
		d = pseudo_add(root, &thread);
	if (!is_err(d))
		d = pseudo_add(root, &mounts);
	return is_err(d) ? (int)ptr_err(d) : 0;
}
