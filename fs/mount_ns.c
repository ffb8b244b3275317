/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mount namespaces: trees of mounts that tasks are in.
 *
 * Model: a task sees what its root and directory lead to; its namespace says which
 * mounts it may change and which /proc/PID/mounts lists. A new one is a copy of the
 * whole tree: the copies of shared mounts are their peers, of slaves slaves of the
 * same master. One without tasks (anonymous) belongs to the handle that open_tree(2)
 * or fsmount(2) gave for a tree: it goes with that, and so does the tree unless it was
 * put somewhere.
 *
 * Ownership: tasks, handles of /proc/PID/ns/mnt and binds of that count
 * (kernel/task/ns.h). The last one, who may hold locks or be what the holder of the
 * tree lock waits for, retires the namespace: it is pushed on a list, and whoever
 * gets the mutex next takes down what is there, the last one itself if it can.
 *
 * Locking: the tree lock for the list of all.
 *
 * See: mount_namespaces(7).
 */
#include "fs/context.h"
#include "fs/file_impl.h"
#include "fs/mount_impl.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "mm/slab.h"

struct mount_ns init_mount_ns;
u32 mount_ns_max __read_mostly;

static struct list all = LIST_INIT(all);
static u64 last_seq;
/* a  by next_dead */
static struct mount_ns *dead;

static void
retire_common(struct ns *ns)
{
	mount_ns_retire(mount_ns_of(ns));
}

static void
setup(struct mount_ns *ns)
{
	list_init(&ns->mounts);
	list_init(&ns->link);
	waitq_init(&ns->wait);
	ns->seq = atomic_add_return(&last_seq, 1);
}

void
mount_ns_init(void)
{
	struct mount_ns *ns = &init_mount_ns;

	ns->common = (struct ns){.kind = NS_MNT, .ino = 4026531841, .owner = ns_initial(NS_USER)};
	setup(ns);
	list_add_tail(&ns->link, &all);
	/* As Linux: half as many as there may be tasks. */
	mount_ns_max = (u32)threads_max_get() / 2;
}

struct ns *
mount_ns_initial(void)
{
	return &init_mount_ns.common;
}

struct mount_ns *
current_mount_ns(void)
{
	struct ns *ns = current->mnt_ns;

	return ns ? mount_ns_of(ns) : &init_mount_ns;
}

/* False: user has as many as there may be, without those that only wait for their end. */
static bool
count_against(struct user *user)
{
	u32 max = READ_ONCE(mount_ns_max);

	if (user_count_try_add(user, USER_MNT_NAMESPACES, 1, max))
		return true;
	mount_tree_lock();
	mount_tree_unlock();
	return user_count_try_add(user, USER_MNT_NAMESPACES, 1, max);
}

struct mount_ns *
mount_ns_alloc(bool anon)
{
	struct user *user = current_cred()->user;
	struct mount_ns *ns;
	int err;

	if (!count_against(user))
		return err_ptr(-ENOSPC);
	ns = kzalloc(sizeof(*ns), GFP_KERNEL);
	err = ns ? ns_init(&ns->common, NS_MNT) : -ENOMEM;
	if (err) {
		kfree(ns);
		user_count_add(user, USER_MNT_NAMESPACES, -1);
		return err_ptr(err);
	}
	ns->common.free = retire_common;
	ns->anon = anon;
	ns->user = user_get(user);
	setup(ns);
	return ns;
}

/* It counts no more. */
static void
uncount(struct mount_ns *ns)
{
	if (!ns->user)
		return;
	user_count_add(ns->user, USER_MNT_NAMESPACES, -1);
	user_put(ns->user);
	ns->user = NULL;
}

void
mount_ns_free(struct mount_ns *ns)
{
	list_del(&ns->link);
	ns_fini(&ns->common);
	uncount(ns);
	kfree(ns);
}

void
mount_ns_leave(struct mount_ns *ns)
{
	ns->root = NULL;
	uncount(ns);
}

void
mount_ns_start(struct mount_ns *ns, struct mount *top)
{
	spin_lock(&mount_lock);
	mount_enter_ns(top, ns);
	ns->root = top;
	spin_unlock(&mount_lock);
	list_add_tail(&ns->link, &all);
}

void
mount_ns_touch(struct mount_ns *ns)
{
	WRITE_ONCE(ns->event, ns->event + 1);
	waitq_wake_all(&ns->wait);
}

u32
mount_ns_event(struct mount_ns *ns)
{
	/* What is pending will count when it is listed. */
	return mount_local_pending(ns) + READ_ONCE(ns->event);
}

void
mount_for_super(const struct super *sb, void (*fn)(struct mount *m, void *arg), void *arg)
{
	struct mount_ns *ns;
	struct mount *m;

	list_for_each_entry(ns, &all, link) {
		list_for_each_entry(m, &ns->mounts, ns_link) {
			if (m->sb == sb)
				fn(m, arg);
		}
	}
	/* These may end meanwhile. */
	spin_lock(&mount_lock);
	list_for_each_entry(m, &mount_detached, ns_link) {
		if (m->sb == sb)
			fn(m, arg);
	}
	spin_unlock(&mount_lock);
}

/* --- the end --- */

/* With the tree lock. */
static void
take_down(struct mount_ns *ns)
{
	if (ns->root)
		mount_free_tree(ns->root);
	mount_ns_free(ns);
}

bool
mount_ns_dead(void)
{
	return READ_ONCE(dead);
}

void
mount_ns_reap(void)
{
	while (mount_ns_dead() && mount_tree_try_lock()) {
		struct mount_ns *ns = atomic_xchg(&dead, NULL);

		while (ns) {
			struct mount_ns *next = ns->next_dead;

			take_down(ns);
			ns = next;
		}
		mount_tree_unlock_plain();
		/* Pairs with mount_ns_retire(), as in mount_mutex_unlock(). */
		smp_mb();
	}
}

void
mount_ns_retire(struct mount_ns *ns)
{
	struct mount_ns *first = READ_ONCE(dead);

	/* A full barrier: whoever keeps us from the mutex looks for it afterwards. */
	do {
		ns->next_dead = first;
	} while (!atomic_try_cmpxchg(&dead, &first, ns));
	mount_ns_reap();
}

/* --- copies --- */

/* The place in the copy of from's tree; false: p is not in that. With a reference of each. */
static bool
place_in_copy(const struct path *p, const struct mount_ns *from, struct path *copy)
{
	if (!p->mnt->attached || p->mnt->ns != from || !p->mnt->twin)
		return false;
	*copy = (struct path){.mnt = p->mnt->twin, .dentry = p->dentry};
	path_get(copy);
	return true;
}

struct ns *
mount_ns_copy(struct fs_context *fs)
{
	struct mount_ns *from = current_mount_ns();
	struct mount_ns *ns = mount_ns_alloc(false);
	struct path root, pwd;
	bool root_moves = false, pwd_moves = false;
	struct mount *top;

	if (is_err(ns))
		return (struct ns *)ns;
	mount_tree_lock();
	top = mount_copy_tree(from->root, from->root->root, COPY_BELOW | COPY_UNBINDABLE);
	if (is_err(top)) {
		mount_ns_free(ns);
	} else {
		mount_ns_start(ns, top);
		/* pivot_root(2) changes the places of all. */
		spin_lock(&fs->lock);
		root_moves = place_in_copy(&fs->root, from, &root);
		pwd_moves = place_in_copy(&fs->pwd, from, &pwd);
		spin_unlock(&fs->lock);
	}
	mount_tree_unlock();
	if (is_err(top))
		return (struct ns *)top;
	if (root_moves)
		fs_set_root(fs, &root);
	if (pwd_moves)
		fs_set_pwd(fs, &pwd);
	return &ns->common;
}

/* --- trees that are nowhere --- */

/* A handle that ns, whose tree is whole, belongs to. */
static struct file *
open_tree(struct mount_ns *ns, struct dentry *d)
{
	struct path p = {.mnt = ns->root, .dentry = d};
	struct file *f;

	path_get(&p);
	f = file_open_taken(&p, O_PATH);
	if (is_err(f)) {
		ns_put(&ns->common);
		return f;
	}
	f->mode |= FS_TREE;
	f->private = &ns->common;
	return f;
}

struct file *
mount_open_copy(const struct path *from, bool below)
{
	struct mount_ns *ns = mount_ns_alloc(true);
	struct mount *m;

	if (is_err(ns))
		return (struct file *)ns;
	mount_tree_lock();
	m = mount_clone(from, below);
	if (is_err(m))
		mount_ns_free(ns);
	else
		mount_ns_start(ns, m);
	mount_tree_unlock();
	return is_err(m) ? (struct file *)m : open_tree(ns, from->dentry);
}

struct file *
mount_open_new(struct super *sb, const char *source, u32 flags)
{
	struct mount_ns *ns = mount_ns_alloc(true);
	struct mount *m;

	if (is_err(ns))
		return (struct file *)ns;
	m = mount_alloc(sb, sb->root, source);
	mount_tree_lock();
	if (is_err(m)) {
		mount_ns_free(ns);
	} else {
		m->flags = flags;
		mount_ns_start(ns, m);
	}
	mount_tree_unlock();
	return is_err(m) ? (struct file *)m : open_tree(ns, sb->root);
}
