/* SPDX-License-Identifier: BSD-2-Clause */
/* Where tasks are: struct fs_context. */
#include "fs/context.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "mm/slab.h"

static LOCK_CLASS(context_lock_class, RANK_MOUNT_TABLE + 2);

static struct fs_context *
context_alloc(void)
{
	struct fs_context *fs = kzalloc(sizeof(*fs), GFP_KERNEL);

	if (!fs)
		return NULL;
	fs->refs = 1;
	fs->umask = 022;
	spin_init(&fs->lock, &context_lock_class);
	return fs;
}

struct fs_context *
fs_context_create(const struct path *root)
{
	struct fs_context *fs = context_alloc();

	if (!fs)
		return NULL;
	path_get(root);
	path_get(root);
	fs->root = *root;
	fs->pwd = *root;
	return fs;
}

/* Both places with references, as they were at one moment. */
static void
context_read(struct fs_context *fs, struct path *root, struct path *pwd)
{
	spin_lock(&fs->lock);
	*root = fs->root;
	*pwd = fs->pwd;
	path_get(root);
	path_get(pwd);
	spin_unlock(&fs->lock);
}

bool
fs_context_shared(const struct fs_context *fs)
{
	return atomic_read(&fs->refs) > 1;
}

struct fs_context *
fs_context_copy(struct fs_context *from)
{
	struct fs_context *fs = context_alloc();

	if (!fs)
		return NULL;
	fs->umask = READ_ONCE(from->umask);
	context_read(from, &fs->root, &fs->pwd);
	return fs;
}

struct fs_context *
fs_context_get(struct fs_context *fs)
{
	atomic_inc(&fs->refs);
	return fs;
}

void
fs_context_put(struct fs_context *fs)
{
	if (!fs || !atomic_dec_and_test(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->pwd);
	kfree(fs);
}

void
kernel_root(struct path *p)
{
	*p = (struct path){.mnt = init_mount_ns.root, .dentry = init_mount_ns.root->root};
}

/*
 * One place of a context, with references. The owner of the only reference needs
 * no lock: nobody else can change it.
 */
static void
context_get(bool pwd, struct path *p)
{
	struct fs_context *fs = current->fs;
	bool shared;

	if (!fs) {
		kernel_root(p);
		path_get(p);
		return;
	}
	shared = atomic_read(&fs->refs) > 1;
	if (shared)
		spin_lock(&fs->lock);
	*p = pwd ? fs->pwd : fs->root;
	path_get(p);
	if (shared)
		spin_unlock(&fs->lock);
}

void
current_root(struct path *p)
{
	context_get(false, p);
}

void
current_pwd(struct path *p)
{
	context_get(true, p);
}

u32
current_umask(void)
{
	return current->fs ? READ_ONCE(current->fs->umask) : 0;
}

struct late_put {
	struct rcu_head rcu;
	struct dentry *d;
};

static void
late_put_rcu(struct rcu_head *h)
{
	struct late_put *l = container_of(h, struct late_put, rcu);

	dentry_put(l->d);
	kfree(l);
}

/*
 * Drops what a context held. Walks of other threads may just have read it without
 * a reference: the dentry's goes after a grace period (the mount's own rules
 * cover the mount).
 */
static void
drop_place(const struct path *p)
{
	struct late_put *l = kmalloc(sizeof(*l), GFP_KERNEL);

	if (l) {
		l->d = p->dentry;
		rcu_call(&l->rcu, late_put_rcu);
	} else {
		rcu_synchronize();
		dentry_put(p->dentry);
	}
	mount_put(p->mnt);
}

static void
replace_place(struct fs_context *fs, struct path *place, const struct path *p)
{
	struct path old;

	spin_lock(&fs->lock);
	old = *place;
	seq_write_begin(&fs->seq);
	*place = *p;
	seq_write_end(&fs->seq);
	spin_unlock(&fs->lock);
	if (atomic_read(&fs->refs) > 1)
		drop_place(&old);
	else
		path_put(&old);
}

void
fs_set_root(struct fs_context *fs, const struct path *p)
{
	replace_place(fs, &fs->root, p);
}

void
fs_set_pwd(struct fs_context *fs, const struct path *p)
{
	replace_place(fs, &fs->pwd, p);
}

void
fs_context_enter_root(struct fs_context *fs)
{
	struct path p;

	mount_ns_root(current_mount_ns(), &p);
	path_get(&p);
	fs_set_root(fs, &p);
	fs_set_pwd(fs, &p);
}

/* Changes the places of one context that are `from`. */
static void
context_replace(struct fs_context *fs, const struct path *from, const struct path *to)
{
	if (path_equal(&fs->root, from)) {
		path_get(to);
		fs_set_root(fs, to);
	}
	if (path_equal(&fs->pwd, from)) {
		path_get(to);
		fs_set_pwd(fs, to);
	}
}

/* The context of a task with a reference, or NULL. */
static struct fs_context *
task_context_get(struct task *t)
{
	struct fs_context *fs;

	spin_lock(&t->alloc_lock);
	fs = t->fs;
	if (fs)
		fs_context_get(fs);
	spin_unlock(&t->alloc_lock);
	return fs;
}

/* All threads of one process; what they hold is put outside the RCU section. */
static void
process_replace(struct process *p, const struct path *from, const struct path *to)
{
	struct fs_context *fs[8];
	struct task *t;
	u32 done = 0;
	u32 seen, n;

	do {
		seen = n = 0;
		rcu_read_lock();
		for_each_thread(p, t) {
			if (seen++ < done)
				continue;
			if (n == ARRAY_SIZE(fs))
				break;
			done++;
			fs[n] = task_context_get(t);
			if (fs[n])
				n++;
		}
		rcu_read_unlock();
		for (u32 i = 0; i < n; i++) {
			context_replace(fs[i], from, to);
			fs_context_put(fs[i]);
		}
	} while (n == ARRAY_SIZE(fs));
}

void
fs_replace_root_all(const struct path *from, const struct path *to)
{
	s32 tgid = 0;

	for (;;) {
		struct process *p;

		rcu_read_lock();
		p = process_next(tgid);
		if (p)
			process_get(p);
		rcu_read_unlock();
		if (!p)
			return;
		tgid = p->tgid + 1;
		process_replace(p, from, to);
		process_put(p);
	}
}
