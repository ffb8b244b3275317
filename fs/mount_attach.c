/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting a tree of mounts at a place, and what follows from it elsewhere.
 *
 * Model: check, reserve, commit. If the parent is shared, all mounts of the tree
 * become so, and each mount that follows the parent gets a copy, in whatever
 * namespace it is. Each copy is counted as it is made, so that there are never many
 * more than there may be. If its place is taken, the copy goes below what is there: what
 * somebody mounted there by hand stays on top.
 *
 * Locking: the tree lock; walks see the commit as one change (mount_seq).
 */
#include "fs/mount_impl.h"

int
mount_reserve(struct mount_ns *ns, struct mount *tree)
{
	u32 n = mount_tree_size(tree);

	if ((u64)ns->count + ns->coming + n > READ_ONCE(mount_max))
		return -ENOSPC;
	ns->coming += n;
	return 0;
}

/* What was reserved has come, or will not. */
static void
unreserve(const struct prop_set *set, struct mount_ns *ns)
{
	ns->coming = 0;
	for (u32 i = 1; i < set->n; i++) {
		if (set->t[i].copy)
			set->t[i].m->ns->coming = 0;
	}
}

/* All at once: each time would wait for a grace period. */
static void
free_copies(struct prop_set *set)
{
	struct list gone;

	list_init(&gone);
	mount_write_lock();
	for (u32 i = 1; i < set->n; i++) {
		if (set->t[i].copy)
			mount_collect(set->t[i].copy, &gone);
	}
	mount_detach_list(&gone);
	mount_write_unlock();
	if (list_empty(&gone))
		return;
	mount_part_list(&gone);
	mount_put_list(&gone);
}

/* What `there` holds of its place goes back: its parent stays attached, none is the last. */
static void
link_copy(struct mount *copy, struct mount *parent, struct dentry *point)
{
	struct mount *there;
	struct path place;

	rcu_read_lock();
	there = mount_find_rcu(parent, point);
	rcu_read_unlock();
	if (there)
		mount_unlink(there, &place);
	mount_mark_again(point);
	mount_link(copy, parent, point);
	mount_enter_ns(copy, parent->ns);
	if (!there)
		return;
	mount_mark_again(copy->root);
	mount_link(there, copy, copy->root);
	path_put(&place);
}

/*
 * A new tree alone changes nothing for walks that go on: what they found was true
 * before (mount.h). was: what a tree that moves held of its old place.
 */
static void
commit(struct mount *top, const struct path *to, const struct prop_set *set, struct path *was)
{
	bool quiet = !top->parent && set->n <= 1;

	spin_lock(&mount_lock);
	if (!quiet)
		seq_write_begin(&mount_seq);
	if (top->parent)
		mount_unlink(top, was);
	mount_link(top, to->mnt, to->dentry);
	if (top->ns == to->mnt->ns)
		mount_ns_touch(top->ns);
	else
		mount_enter_ns(top, to->mnt->ns);
	for (u32 i = 1; i < set->n; i++) {
		if (set->t[i].copy)
			link_copy(set->t[i].copy, set->t[i].m, to->dentry);
	}
	if (!quiet)
		seq_write_end(&mount_seq);
	spin_unlock(&mount_lock);
}

int
mount_attach_tree(struct mount *top, struct mount *parent, struct dentry *point)
{
	struct path to = {.mnt = parent, .dentry = point}, was = {0};
	bool shared = mount_shared(parent);
	struct prop_set set = {0};
	int err = top->ns == parent->ns ? 0 : mount_reserve(parent->ns, top);

	if (!err && shared) {
		err = prop_make_shared(top);
		if (!err)
			err = prop_collect(&set, parent);
		if (!err)
			err = prop_copy(&set, top, point);
	}
	if (!err)
		err = mount_mark_point(point);
	unreserve(&set, parent->ns);
	if (err)
		free_copies(&set);
	else
		commit(top, &to, &set, &was);
	if (shared)
		prop_settle(top, !err);
	prop_free(&set);
	if (was.mnt)
		path_put(&was);
	return err;
}
