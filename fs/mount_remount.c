/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of what is mounted: flags of mounts, options of file systems.
 *
 * Before a mount becomes read-only it is marked (MOUNT_WRITE_HOLD): who wants to
 * write waits, and after a grace period the writers that are left are counted.
 */
#include "fs/mount_impl.h"

u32
mount_flags_of(u64 flags, u32 old, bool remount)
{
	static const struct {
		u64 ms;
		u32 mount;
	} map[] = {
		{MS_RDONLY, MOUNT_RDONLY},
		{MS_NOSUID, MOUNT_NOSUID},
		{MS_NODEV, MOUNT_NODEV},
		{MS_NOEXEC, MOUNT_NOEXEC},
		{MS_NOATIME, MOUNT_NOATIME},
		{MS_NODIRATIME, MOUNT_NODIRATIME},
		{MS_NOSYMFOLLOW, MOUNT_NOSYMFOLLOW},
	};
	u32 atime = MOUNT_NOATIME | MOUNT_NODIRATIME | MOUNT_RELATIME;
	u32 f = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		f |= flags & map[i].ms ? map[i].mount : 0;
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		f |= MOUNT_RELATIME;
	if (remount && !(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
		f = (f & ~atime) | (old & atime);
	return f;
}

/* --- writers --- */

static bool
becomes_readonly(const struct mount *m, u32 set)
{
	return (set & MOUNT_RDONLY) && !(m->flags & MOUNT_RDONLY);
}

/* What mount_setattr(2) and remounts are about: a mount, or that and all below. */
static struct mount *
next_of(struct mount *m, struct mount *top, bool below)
{
	return below ? mount_next(m, top) : NULL;
}

/*
 * Makes sure that nobody writes through those that become read-only: 0 or -EBUSY;
 * unhold_writers() in any case.
 */
static int
hold_writers(struct mount *top, u32 set, bool below)
{
	bool any = false;

	for (struct mount *m = top; m; m = next_of(m, top, below)) {
		if (!becomes_readonly(m, set))
			continue;
		atomic_or(&m->flags, MOUNT_WRITE_HOLD);
		any = true;
	}
	if (!any)
		return 0;
	/* Who did not see the mark has counted when the grace period is over. */
	rcu_synchronize();
	for (struct mount *m = top; m; m = next_of(m, top, below)) {
		if ((m->flags & MOUNT_WRITE_HOLD) && mount_writers(m) > 0)
			return -EBUSY;
	}
	return 0;
}

static void
unhold_writers(struct mount *top, bool below)
{
	for (struct mount *m = top; m; m = next_of(m, top, below))
		atomic_and(&m->flags, ~MOUNT_WRITE_HOLD);
}

static void
set_flags(struct mount *m, u32 flags)
{
	u32 old = READ_ONCE(m->flags);

	while (!atomic_try_cmpxchg(&m->flags, &old, (old & ~MOUNT_USER_FLAGS) | flags))
		;
	spin_lock(&mount_lock);
	mount_ns_touch(m->ns);
	spin_unlock(&mount_lock);
}

/* --- one mount --- */

int
mount_reconfigure(const struct path *where, u64 ms)
{
	struct mount *m = where->mnt;
	u32 flags;
	int err;

	if (where->dentry != m->root)
		return -EINVAL;
	mount_tree_lock();
	flags = mount_flags_of(ms, m->flags, true);
	err = mount_in_ns(m) ? hold_writers(m, flags, false) : -EINVAL;
	if (!err)
		set_flags(m, flags);
	unhold_writers(m, false);
	mount_tree_unlock();
	return err;
}

/* --- a tree of them: mount_setattr(2) --- */

/* An attached one of ours, or what open_tree(2) or fsmount(2) made. */
static bool
may_change(const struct mount *m)
{
	if (!READ_ONCE(m->attached) || !m->ns)
		return false;
	return m->parent ? mount_in_ns(m) : mount_is_loose(m);
}

/* Groups are made first, so that nothing fails half way. */
static int
change_types(struct mount *top, const struct mount_change *c)
{
	bool reserve = c->below && c->propagation == MS_SHARED;
	int err = reserve ? prop_make_shared(top) : 0;

	if (reserve)
		prop_settle(top, !err);
	if (err || !c->propagation)
		return err;
	return mount_change_type(top, c->propagation | (c->below ? MS_REC : 0));
}

int
mount_change(const struct path *where, const struct mount_change *c)
{
	struct mount *top = where->mnt;
	int err;

	if (where->dentry != top->root)
		return -EINVAL;
	mount_tree_lock();
	err = may_change(top) ? hold_writers(top, c->set, c->below) : -EINVAL;
	if (!err)
		err = change_types(top, c);
	for (struct mount *m = err ? NULL : top; m; m = next_of(m, top, c->below)) {
		u32 old = READ_ONCE(m->flags) & MOUNT_USER_FLAGS;

		set_flags(m, (old & ~c->clear) | c->set);
	}
	unhold_writers(top, c->below);
	mount_tree_unlock();
	return err;
}

/* --- file systems --- */

static void
hold_one(struct mount *m, void *arg)
{
	atomic_or(&m->flags, MOUNT_WRITE_HOLD);
}

static void
unhold_one(struct mount *m, void *arg)
{
	unhold_writers(m, false);
}

static void
look_for_writers(struct mount *m, void *arg)
{
	if (mount_writers(m) > 0)
		*(int *)arg = -EBUSY;
}

/* All mounts of a super: is one being written? The tree lock is held. */
static int
super_writers(struct super *sb)
{
	int err = 0;

	mount_for_super(sb, hold_one, NULL);
	rcu_synchronize();
	mount_for_super(sb, look_for_writers, &err);
	return err;
}

static int
remount_super(struct super *sb, const struct mount_request *r)
{
	struct mount_args args = {.source = r->source, .flags = r->flags, .data = r->data};
	bool ro = r->flags & MS_RDONLY;
	int err = 0;

	if (ro && !(sb->flags & SB_RDONLY))
		err = super_writers(sb);
	if (!err && sb->ops->remount)
		err = sb->ops->remount(sb, &args);
	if (!err) {
		if (ro)
			atomic_or(&sb->flags, SB_RDONLY);
		else
			atomic_and(&sb->flags, ~SB_RDONLY);
	}
	mount_for_super(sb, unhold_one, NULL);
	return err;
}

int
super_reconfigure(struct super *sb, const struct mount_request *r)
{
	int err;

	mount_tree_lock();
	err = remount_super(sb, r);
	mount_tree_unlock();
	return err;
}

int
mount_remount(const struct path *where, const struct mount_request *r)
{
	struct mount *m = where->mnt;
	u32 flags;
	int err;

	if (where->dentry != m->root)
		return -EINVAL;
	mount_tree_lock();
	flags = mount_flags_of(r->flags, m->flags, true);
	err = mount_in_ns(m) ? remount_super(m->sb, r) : -EINVAL;
	if (!err)
		set_flags(m, flags);
	mount_tree_unlock();
	return err;
}
