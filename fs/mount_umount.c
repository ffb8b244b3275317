/* SPDX-License-Identifier: BSD-2-Clause */
/* umount2(2) and pivot_root(2). */
#include "fs/context.h"
#include "fs/mount_impl.h"

/* References of a mount that only its place and our own lookup hold. */
#define COUNT_IDLE 2

/* --- what goes elsewhere --- */

/*
 * When m goes, so do the mounts at the same point of those that follow its parent, if
 * they can (below): adds them to a list.
 */
static int
add_followers(struct mount *m, struct list *maybe)
{
	struct prop_set set = {0};
	int err;

	if (!m->parent || (!mount_shared(m->parent) && list_empty(&m->parent->slaves)))
		return 0;
	err = prop_collect(&set, m->parent);
	for (u32 i = 1; i < set.n && !err; i++) {
		struct mount *c;

		rcu_read_lock();
		c = mount_find_rcu(set.t[i].m, m->mountpoint);
		rcu_read_unlock();
		if (c && list_empty(&c->gone_link))
			list_add_tail(&c->gone_link, maybe);
	}
	prop_free(&set);
	return err;
}

/* What covers m whole stays: it takes m's place. */
static bool
covers(const struct mount *c, const struct mount *m)
{
	return c->mountpoint == m->root;
}

/* Is there nothing on m but what goes too, or covers it? */
static bool
can_go(const struct mount *m)
{
	const struct mount *c;

	list_for_each_entry(c, &m->children, child_link) {
		if (!c->going && !covers(c, m))
			return false;
	}
	return true;
}

/* Forgets a list that was collected for nothing. */
static void
uncollect(struct list *list)
{
	struct mount *m, *tmp;

	list_for_each_entry_safe(m, tmp, list, gone_link) {
		m->going = false;
		list_del_init(&m->gone_link);
	}
}

/* Adds to what goes all that has to follow it. -ENOMEM. */
static int
collect_followers(struct list *gone)
{
	struct list maybe;
	struct mount *m, *tmp;
	bool more = true;
	int err = 0;

	list_init(&maybe);
	list_for_each_entry(m, gone, gone_link)
		m->going = true;
	/* Leaves first, so that nearly always one pass is enough below. */
	list_for_each_entry_reverse(m, gone, gone_link) {
		err = add_followers(m, &maybe);
		if (err)
			break;
	}
	while (more && !err) {
		more = false;
		list_for_each_entry_safe(m, tmp, &maybe, gone_link) {
			if (!can_go(m))
				continue;
			m->going = true;
			list_move_tail(&m->gone_link, gone);
			more = true;
		}
	}
	uncollect(&maybe);
	return err;
}

/* Write section. Does one that follows m have users of its own? */
static bool
followers_busy(const struct mount *m, const struct list *gone)
{
	const struct mount *c;

	list_for_each_entry(c, gone, gone_link) {
		if (c != m && mount_count(c) > (list_empty(&c->children) ? 1 : 2))
			return true;
	}
	return false;
}

/* Write section. What covers a mount that goes gets the place of that. */
static void
lower_covers(struct list *gone)
{
	struct mount *m, *c, *tmp;

	list_for_each_entry(m, gone, gone_link) {
		list_for_each_entry_safe(c, tmp, &m->children, child_link) {
			struct mount *parent = m->parent;
			struct dentry *point = m->mountpoint;
			struct path place;

			if (c->going)
				continue;
			while (parent->going) {
				point = parent->mountpoint;
				parent = parent->parent;
			}
			mount_unlink(c, &place);
			mount_mark_again(point);
			mount_link(c, parent, point);
			/* m is attached still: not the last. */
			path_put(&place);
		}
	}
}

static int
detach(struct mount *m, bool lazy)
{
	struct list gone;
	int err;

	list_init(&gone);
	mount_collect(m, &gone);
	err = collect_followers(&gone);
	mount_write_lock();
	/* Counted under the lock: a walk that comes later sees mount_seq change. */
	if (!err && !lazy &&
	    (!list_empty(&m->children) || mount_count(m) > COUNT_IDLE || followers_busy(m, &gone)))
		err = -EBUSY;
	if (err) {
		uncollect(&gone);
	} else {
		lower_covers(&gone);
		mount_detach_list(&gone);
	}
	mount_write_unlock();
	if (!err) {
		mount_part_list(&gone);
		mount_tree_open();
		mount_put_list(&gone);
	}
	return err;
}

/* --- umount --- */

/* MNT_EXPIRE: 0 when it was marked before and has not been used since. */
static int
expire(struct mount *m)
{
	if (mount_count(m) > COUNT_IDLE || !list_empty(&m->children))
		return -EBUSY;
	if (!(atomic_fetch_or(&m->flags, MOUNT_EXPIRING) & MOUNT_EXPIRING))
		return -EAGAIN;
	return 0;
}

/* Unmounting the root itself means making it read-only. */
static int
umount_root(struct mount *m)
{
	struct path p = {.mnt = m, .dentry = m->root};
	struct mount_request r = {.flags = MS_REMOUNT | MS_RDONLY};

	return mount_at(&p, &r);
}

int
mount_umount(const struct path *where, int flags)
{
	struct mount *m = where->mnt;
	struct path root;
	bool is_root;
	int err = 0;

	if (where->dentry != m->root || !mount_in_ns(m))
		return -EINVAL;
	current_root(&root);
	is_root = root.mnt == m && !(flags & MNT_DETACH);
	path_put(&root);
	if (is_root)
		return flags & MNT_EXPIRE ? -EINVAL : umount_root(m);
	mount_tree_lock();
	if (!mount_in_ns(m) || !m->parent)
		err = -EINVAL;
	if (!err && (flags & MNT_EXPIRE))
		err = expire(m);
	if (!err)
		err = detach(m, flags & MNT_DETACH);
	mount_tree_unlock();
	return err;
}

/* --- pivot_root --- */

bool
path_below(const struct path *p, const struct path *base)
{
	const struct mount *m = p->mnt;
	const struct dentry *d = p->dentry;
	bool below;

	while (m != base->mnt && m->parent) {
		d = m->mountpoint;
		m = m->parent;
	}
	rcu_read_lock();
	below = m == base->mnt && dentry_is_below(d, base->dentry);
	rcu_read_unlock();
	return below;
}

static int
check_pivot(const struct path *new_root, const struct path *put_old, const struct path *root)
{
	struct mount *new_mnt = new_root->mnt;
	struct mount *root_mnt = root->mnt;

	if (mount_shared(put_old->mnt) || (new_mnt->parent && mount_shared(new_mnt->parent)) ||
	    (root_mnt->parent && mount_shared(root_mnt->parent)))
		return -EINVAL;
	if (!mount_in_ns(root_mnt) || !mount_in_ns(new_mnt))
		return -EINVAL;
	if (dentry_deleted(new_root->dentry))
		return -ENOENT;
	if (new_mnt == root_mnt || put_old->mnt == root_mnt)
		return -EBUSY;
	if (root->dentry != root_mnt->root || !root_mnt->parent)
		return -EINVAL;
	if (new_root->dentry != new_mnt->root || !new_mnt->parent)
		return -EINVAL;
	if (!path_below(put_old, new_root) || !path_below(new_root, root))
		return -EINVAL;
	return 0;
}

/* Both mounts leave their places; new takes that of root, root goes to put_old. */
static int
swap_roots(struct mount *new_mnt, struct mount *root_mnt, const struct path *put_old)
{
	struct path new_was, root_was;
	int err = mount_mark_point(put_old->dentry);

	if (err)
		return err;
	mount_write_lock();
	mount_unlink(new_mnt, &new_was);
	mount_unlink(root_mnt, &root_was);
	mount_link(root_mnt, put_old->mnt, put_old->dentry);
	mount_mark_again(root_was.dentry);
	mount_link(new_mnt, root_was.mnt, root_was.dentry);
	mount_ns_touch(new_mnt->ns);
	mount_write_unlock();
	path_put(&new_was);
	path_put(&root_was);
	return 0;
}

int
mount_pivot_root(const struct path *new_root, const struct path *put_old)
{
	struct path old = *put_old;
	struct path root, new_place;
	int err;

	current_root(&root);
	path_get(&old);
	mount_tree_lock();
	mount_follow_top(&old);
	err = check_pivot(new_root, &old, &root);
	if (!err)
		err = swap_roots(new_root->mnt, root.mnt, &old);
	if (!err) {
		/* With the lock: a namespace that is copied meanwhile has tasks at its root. */
		new_place = (struct path){.mnt = new_root->mnt, .dentry = new_root->mnt->root};
		fs_replace_root_all(&root, &new_place);
	}
	mount_tree_unlock();
	path_put(&old);
	path_put(&root);
	return err;
}
