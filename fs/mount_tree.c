/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of mounts: linking, copying, attaching and detaching.
 *
 * Ownership: a linked mount holds a reference of its parent and of its mountpoint;
 * the tree holds one of it. Detaching gives these back, after a grace period.
 */
#include "fs/context.h"
#include "fs/mount_impl.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/hash.h"

#define POINT_BITS 8

/* (mount_lock)  by mountpoint: whether a dentry has a mount on it anywhere */
static struct hlist points[1 << POINT_BITS];

struct mount_ns init_mount_ns;

struct mount_ns *
current_mount_ns(void)
{
	return &init_mount_ns;
}

bool
mount_in_ns(const struct mount *m)
{
	return READ_ONCE(m->attached) && m->ns == current_mount_ns();
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
	c->flags = READ_ONCE(m->flags) & MOUNT_USER_FLAGS;
	mount_clone_type(c, m);
	return c;
}

/* The copy of m at its place below the copy of its parent. */
static struct mount *
copy_below(struct mount *m, struct mount *copy_parent)
{
	struct mount *c = copy_one(m, m->root);
	int err;

	if (is_err(c))
		return c;
	err = mount_mark_point(m->mountpoint);
	if (err) {
		mount_make_private(c);
		mount_put(c);
		return err_ptr(err);
	}
	mount_write_lock();
	mount_link(c, copy_parent, m->mountpoint);
	mount_write_unlock();
	return c;
}

/* Is m, a child of the root of a copied tree, inside what is copied? */
static bool
copy_wanted(const struct mount *m, const struct mount *top, const struct dentry *root)
{
	bool below;

	if (!m->parent->twin || (m->flags & MOUNT_UNBINDABLE))
		return false;
	if (m->parent != top)
		return true;
	rcu_read_lock();
	below = dentry_is_below(m->mountpoint, root);
	rcu_read_unlock();
	return below;
}

struct mount *
mount_copy_tree(struct mount *top, struct dentry *root, bool rec)
{
	struct mount *copy = copy_one(top, root);

	if (is_err(copy))
		return copy;
	top->twin = copy;
	if (!rec)
		return copy;
	for (struct mount *m = mount_next(top, top); m; m = mount_next(m, top)) {
		m->twin = NULL;
		if (!copy_wanted(m, top, root))
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
}

void
mount_enter_ns(struct mount *top, struct mount_ns *ns)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
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
		if (m->ns) {
			list_del_init(&m->ns_link);
			m->ns->count--;
			m->ns = NULL;
		}
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

/* Do the mounts of a propagation fit into the namespace? */
static bool
room_for(const struct prop_set *set, u32 size)
{
	u64 n = size;

	for (u32 i = 1; i < set->n; i++)
		n += set->t[i].copy ? size : 0;
	return current_mount_ns()->count + n <= READ_ONCE(mount_max);
}

static void
free_copies(struct prop_set *set)
{
	for (u32 i = 1; i < set->n; i++) {
		if (set->t[i].copy)
			mount_free_tree(set->t[i].copy);
	}
}

/* What is mounted at (parent, point) already goes on top of what comes under it by propagation. */
static void
link_copy(struct mount *copy, struct mount *parent, struct dentry *point)
{
	struct mount *there = mount_find_rcu(parent, point);

	/* Somebody mounted there by hand: the copy goes on top of that. */
	while (there) {
		parent = there;
		point = there->root;
		there = mount_find_rcu(parent, point);
	}
	spin_lock(&point->lock);
	atomic_or(&point->flags, D_MOUNTED);
	spin_unlock(&point->lock);
	mount_link(copy, parent, point);
	mount_enter_ns(copy, current_mount_ns());
}

/* Walks that go on do not care: what they found was true before. See mount.h. */
static void
attach_alone(struct mount *top, struct mount *parent, struct dentry *point)
{
	spin_lock(&mount_lock);
	mount_link(top, parent, point);
	mount_enter_ns(top, current_mount_ns());
	spin_unlock(&mount_lock);
}

/* Copies may take the places of other mounts. */
static void
attach_with_copies(struct mount *top, struct mount *parent, struct dentry *point,
		   struct prop_set *set)
{
	mount_write_lock();
	mount_link(top, parent, point);
	mount_enter_ns(top, current_mount_ns());
	for (u32 i = 1; i < set->n; i++) {
		if (set->t[i].copy)
			link_copy(set->t[i].copy, set->t[i].m, point);
	}
	mount_write_unlock();
}

int
mount_attach_tree(struct mount *top, struct mount *parent, struct dentry *point)
{
	struct prop_set set = {0};
	int err = 0;

	if (mount_shared(parent)) {
		err = prop_make_shared(top);
		if (!err)
			err = prop_collect(&set, parent);
		if (!err)
			err = prop_copy(&set, top, point);
	}
	if (!err && !room_for(&set, mount_tree_size(top)))
		err = -ENOSPC;
	if (!err)
		err = mount_mark_point(point);
	if (err) {
		free_copies(&set);
	} else {
		if (set.n > 1)
			attach_with_copies(top, parent, point, &set);
		else
			attach_alone(top, parent, point);
		waitq_wake_all(&current_mount_ns()->wait);
	}
	prop_free(&set);
	return err;
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
	mutex_unlock(&mount_mutex);
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
	current->fs = fs_context_create(&root);
	if (!current->fs)
		panic("no memory for the root directory");
}
