/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of mounts: linking, copying and detaching. (fs/mount_attach.c attaches.)
 *
 * Ownership: a linked mount holds a reference of its parent and of its mountpoint;
 * the tree holds one of it. Detaching gives these back, after a grace period.
 */
#include "fs/context.h"
#include "fs/mount_impl.h"
#include "fs/nsfs.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/hash.h"

#define POINT_BITS 8

struct list mount_detached = LIST_INIT(mount_detached);

/* (mount_lock)  by mountpoint: whether a dentry has a mount on it anywhere */
static struct hlist points[1 << POINT_BITS];

bool
mount_in_ns(const struct mount *m)
{
	return READ_ONCE(m->attached) && m->ns == current_mount_ns();
}

bool
mount_is_loose(const struct mount *m)
{
	/* Once the handle is closed it may take a while until the tree goes. */
	return m->ns && m->ns->anon && READ_ONCE(m->ns->common.refs);
}

static struct hlist *
point_chain(const struct dentry *d)
{
	return &points[hash_bits(hash_ptr(d), POINT_BITS)];
}

static bool
point_used(const struct dentry *d)
{
	struct mount *m;

	hlist_for_each_entry(m, point_chain(d), point_hash) {
		if (m->mountpoint == d)
			return true;
	}
	return false;
}

int
mount_mark_point(struct dentry *d)
{
	int err = 0;

	spin_lock(&d->lock);
	if (dentry_deleted(d) || (d->flags & (D_DEAD | D_DYING)))
		err = -ENOENT;
	else
		atomic_or(&d->flags, D_MOUNTED);
	spin_unlock(&d->lock);
	return err;
}

void
mount_mark_again(struct dentry *d)
{
	spin_lock(&d->lock);
	atomic_or(&d->flags, D_MOUNTED);
	spin_unlock(&d->lock);
}

/* Nothing is mounted on d any more? mount_lock held. */
static void
unmark_point(struct dentry *d)
{
	if (point_used(d))
		return;
	spin_lock(&d->lock);
	atomic_and(&d->flags, ~D_MOUNTED);
	spin_unlock(&d->lock);
}

struct mount *
mount_next(struct mount *m, struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first(&m->children, struct mount, child_link);
	while (m != top) {
		struct mount *up = m->parent;

		if (!list_is_last(&m->child_link, &up->children))
			return list_next_entry(m, child_link);
		m = up;
	}
	return NULL;
}

u32
mount_tree_size(struct mount *top)
{
	u32 n = 0;

	for (struct mount *m = top; m; m = mount_next(m, top))
		n++;
	return n;
}

void
mount_place(struct mount *m, struct mount *parent, struct dentry *point)
{
	mount_get(parent);
	WRITE_ONCE(m->mountpoint, dentry_get(point));
	WRITE_ONCE(m->parent, parent);
	mount_table_add(m);
}

void
mount_link_rest(struct mount *m)
{
	list_add_tail(&m->child_link, &m->parent->children);
	hlist_add(&m->point_hash, point_chain(m->mountpoint));
}

void
mount_link(struct mount *m, struct mount *parent, struct dentry *point)
{
	mount_place(m, parent, point);
	mount_link_rest(m);
}

void
mount_unlink(struct mount *m, struct path *place)
{
	place->mnt = m->parent;
	place->dentry = m->mountpoint;
	mount_table_del(m);
	hlist_del_init(&m->point_hash);
	list_del_init(&m->child_link);
	WRITE_ONCE(m->parent, NULL);
	WRITE_ONCE(m->mountpoint, NULL);
	unmark_point(place->dentry);
}

static struct mount *
copy_one(struct mount *m, struct dentry *root)
{
	struct mount *c = mount_alloc(m->sb, root, m->source);

	if (is_err(c))
		return c;
	c->flags = READ_ONCE(m->flags) & (MOUNT_USER_FLAGS | MOUNT_UNBINDABLE);
	mount_clone_type(c, m);
	return c;
}

/* The copy of m at its place below the copy of its parent. */
static struct mount *
copy_below(struct mount *m, struct mount *copy_parent)
{
	struct mount *c = copy_one(m, m->root);

	if (is_err(c))
		return c;
	/* It may have lost its name, as that of a device that is gone. */
	mount_mark_again(m->mountpoint);
	/* No walk is in the copy yet. */
	spin_lock(&mount_lock);
	mount_link(c, copy_parent, m->mountpoint);
	spin_unlock(&mount_lock);
	return c;
}

bool
mount_is_ns_file(const struct mount *m)
{
	const struct ns *ns = dentry_ns(m->root);

	return ns && ns->kind == NS_MNT;
}

/* May there be a copy of m at all? */
static bool
may_copy(const struct mount *m, u32 how)
{
	if ((m->flags & MOUNT_UNBINDABLE) && !(how & COPY_UNBINDABLE))
		return false;
	return (how & COPY_NS_FILES) || !mount_is_ns_file(m);
}

/* Is m, which is below the root of a copied tree, inside what is copied? */
static bool
copy_wanted(const struct mount *m, const struct mount *top, const struct dentry *root)
{
	bool below;

	if (!m->parent->twin)
		return false;
	if (m->parent != top)
		return true;
	rcu_read_lock();
	below = dentry_is_below(m->mountpoint, root);
	rcu_read_unlock();
	return below;
}

struct mount *
mount_copy_tree(struct mount *top, struct dentry *root, u32 how)
{
	struct mount *copy = may_copy(top, how) ? copy_one(top, root) : err_ptr(-EINVAL);

	if (is_err(copy))
		return copy;
	top->twin = copy;
	if (!(how & COPY_BELOW))
		return copy;
	for (struct mount *m = mount_next(top, top); m; m = mount_next(m, top)) {
		m->twin = NULL;
		if (!may_copy(m, how) || !copy_wanted(m, top, root))
			continue;
		m->twin = copy_below(m, m->parent->twin);
		if (is_err(m->twin)) {
			long err = ptr_err(m->twin);

			m->twin = NULL;
			mount_free_tree(copy);
			return err_ptr(err);
		}
	}
	return copy;
}

void
mount_enter_list(struct mount *m, u64 stamp)
{
	struct mount_ns *ns = m->ns;

	list_add_tail(&m->ns_link, &ns->mounts);
	m->ns_seq = max(stamp, ns->last_seq + 1);
	ns->last_seq = m->ns_seq;
	ns->count++;
	mount_ns_touch(ns);
}

static void
leave_list(struct mount *m)
{
	list_del_init(&m->ns_link);
	m->ns->count--;
	mount_ns_touch(m->ns);
	m->ns = NULL;
}

void
mount_enter_ns(struct mount *top, struct mount_ns *ns)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		if (m->ns)
			leave_list(m);
		m->ns = ns;
		WRITE_ONCE(m->attached, true);
		mount_enter_list(m, ktime_get());
	}
}

void
mount_collect(struct mount *top, struct list *gone)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		if (list_empty(&m->gone_link))
			list_add_tail(&m->gone_link, gone);
	}
}

void
mount_detach_list(struct list *gone)
{
	struct mount *m;

	list_for_each_entry(m, gone, gone_link) {
		m->going = false;
		if (m->ns)
			leave_list(m);
		list_add_tail(&m->ns_link, &mount_detached);
		WRITE_ONCE(m->attached, false);
		if (m->parent)
			mount_unlink(m, &m->was);
	}
}

void
mount_part_list(struct list *gone)
{
	struct mount *m;

	list_for_each_entry(m, gone, gone_link)
		mount_make_private(m);
}

void
mount_put_list(struct list *gone)
{
	struct mount *m, *tmp;

	/* Puts that still saw ->attached have counted; from now on they add up. */
	rcu_synchronize();
	list_for_each_entry_safe(m, tmp, gone, gone_link) {
		struct path was = m->was;

		m->was = (struct path){0};
		list_del_init(&m->gone_link);
		if (was.mnt)
			path_put(&was);
		mount_put(m);
	}
}

void
mount_free_tree(struct mount *top)
{
	struct list gone;

	list_init(&gone);
	mount_write_lock();
	mount_collect(top, &gone);
	mount_detach_list(&gone);
	mount_write_unlock();
	mount_part_list(&gone);
	mount_put_list(&gone);
}

/* --- names that go --- */

/* Some mount on d; in current's namespace, if there is one. The tree lock is held. */
static struct mount *
mounted_on(const struct dentry *d)
{
	struct mount *m, *found = NULL;

	spin_lock(&mount_lock);
	hlist_for_each_entry(m, point_chain(d), point_hash) {
		if (m->mountpoint != d)
			continue;
		found = m;
		if (mount_in_ns(m))
			break;
	}
	spin_unlock(&mount_lock);
	return found;
}

bool
mount_point_busy(struct dentry *d)
{
	struct mount *m;
	bool busy;

	if (likely(!(READ_ONCE(d->flags) & D_MOUNTED)))
		return false;
	mount_tree_lock();
	m = mounted_on(d);
	busy = m && mount_in_ns(m);
	mount_tree_unlock();
	return busy;
}

bool
mount_evict(struct dentry *d)
{
	struct mount *m;
	bool evicted = false;

	if (!(READ_ONCE(d->flags) & D_MOUNTED))
		return false;
	mount_tree_lock();
	while ((m = mounted_on(d)) != NULL && !mount_in_ns(m)) {
		mount_free_tree(m);
		evicted = true;
	}
	mount_tree_unlock();
	return evicted && !m;
}

void
mount_follow_top(struct path *p)
{
	for (;;) {
		struct mount *m;
		struct path up;

		rcu_read_lock();
		m = NULL;
		if (READ_ONCE(p->dentry->flags) & D_MOUNTED)
			m = mount_find_rcu(p->mnt, p->dentry);
		if (m) {
			up = (struct path){.mnt = m, .dentry = m->root};
			path_get(&up);
		}
		rcu_read_unlock();
		if (!m)
			return;
		path_put(p);
		*p = up;
	}
}

void
mount_ns_root(struct mount_ns *ns, struct path *p)
{
	mutex_lock(&mount_mutex);
	*p = (struct path){.mnt = ns->root, .dentry = ns->root->root};
	path_get(p);
	mount_follow_top(p);
	mount_mutex_unlock();
}

void
mount_set_root(struct super *sb, const char *source)
{
	struct mount *m = mount_alloc(sb, sb->root, source);
	struct path root;

	if (is_err(m))
		panic("no memory for the root mount");
	m->flags = 0;
	mount_tree_lock();
	mount_write_lock();
	mount_enter_ns(m, &init_mount_ns);
	init_mount_ns.root = m;
	mount_write_unlock();
	mount_tree_unlock();
	root = (struct path){.mnt = m, .dentry = m->root};
	current->mnt_ns = &init_mount_ns.common;
	current->fs = fs_context_create(&root);
	if (!current->fs)
		panic("no memory for the root directory");
}
