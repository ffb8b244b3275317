/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mount(2), umount2(2), pivot_root(2): what their flags mean. The path lookups
 * are done; users and strings are fs/sys_mount.c.
 */
#include "fs/context.h"
#include "fs/mount_impl.h"
#include "fs/nsfs.h"
#include "kernel/task/ns.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MS_TYPES (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* MOUNT_* of MS_*; `old` gives the atime rules when none is named (remount). */
static u32
mount_flags(u64 flags, u32 old, bool remount)
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

/* Would the same file system be twice at one place? */
static bool
same_again(const struct mount *m, const struct path *where)
{
	return m->sb == where->mnt->sb && where->dentry == where->mnt->root;
}

/*
 * Puts a tree on `where` (on top of what is there by now); `new`: of a file system, no
 * copy of a mount. The tree lock is held.
 */
static int
graft(struct mount *top, const struct path *where, bool new)
{
	struct path p = *where;
	int err;

	path_get(&p);
	mount_follow_top(&p);
	if (!mount_in_ns(p.mnt))
		err = -EINVAL;
	else if (new &&same_again(top, &p))
		err = -EBUSY;
	else
		err = mount_check_kinds(top->root, p.dentry);
	if (!err)
		err = mount_attach_tree(top, p.mnt, p.dentry);
	path_put(&p);
	return err;
}

/* --- new file systems --- */

/* A mount of a fresh (or shared) super, not attached. */
static struct mount *
new_mount(const struct mount_request *r)
{
	struct mount_args args = {.source = r->source, .flags = r->flags, .data = r->data};
	const struct fs_type *t = fs_type_find(r->type);
	struct super *sb;
	struct mount *m;

	if (!t)
		return err_ptr(-ENODEV);
	sb = t->mount(t, &args);
	if (is_err(sb))
		return (struct mount *)sb;
	if (sb->flags & SB_KERNEL) {
		super_put(sb);
		return err_ptr(-EINVAL);
	}
	m = mount_alloc(sb, sb->root, r->source);
	super_put(sb);
	if (!is_err(m))
		m->flags = mount_flags(r->flags, 0, false);
	return m;
}

static int
do_new_mount(const struct path *where, const struct mount_request *r)
{
	struct mount *m;
	int err;

	if (!r->type)
		return -EINVAL;
	m = new_mount(r);
	if (is_err(m))
		return ptr_err(m);
	err = same_again(m, where) ? -EBUSY : mount_attach_local(m, where);
	if (!err)
		return 0;
	mount_tree_lock();
	if (err == -EAGAIN)
		err = graft(m, where, true);
	if (err)
		mount_free_tree(m);
	mount_tree_unlock();
	return err;
}

int
mount_kernel(const char *source, const char *target, const char *type, u64 flags)
{
	struct mount_request r = {.source = source, .type = type, .flags = flags};
	struct path where;
	int err = path_lookup(AT_FDCWD, target, WALK_FOLLOW, &where);

	if (err)
		return err;
	err = do_new_mount(&where, &r);
	path_put(&where);
	return err;
}

/* --- bind and move --- */

/*
 * Only what current sees, and namespaces, but for one of mounts that is not younger than
 * current's: it could keep itself.
 */
static bool
may_bind(const struct path *from)
{
	struct ns *ns = dentry_ns(from->dentry);

	if (from->mnt->flags & MOUNT_UNBINDABLE)
		return false;
	if (!ns)
		return mount_in_ns(from->mnt);
	return ns->kind != NS_MNT || mount_ns_of(ns)->seq > current_mount_ns()->seq;
}

struct mount *
mount_clone(const struct path *from, bool below)
{
	if (!may_bind(from))
		return err_ptr(-EINVAL);
	return mount_copy_tree(from->mnt, from->dentry, COPY_NS_FILES | (below ? COPY_BELOW : 0));
}

static int
do_bind(const struct path *where, const struct mount_request *r)
{
	struct path from;
	struct mount *m;
	int err;

	if (!r->source || !*r->source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, r->source, WALK_FOLLOW, &from);
	if (err)
		return err;
	mount_tree_lock();
	m = mount_clone(&from, r->flags & MS_REC);
	err = is_err(m) ? ptr_err(m) : graft(m, where, false);
	if (err && !is_err(m))
		mount_free_tree(m);
	mount_tree_unlock();
	path_put(&from);
	return err;
}

static bool
has_unbindable(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		if (m->flags & MOUNT_UNBINDABLE)
			return true;
	}
	return false;
}

/* One that stands for a namespace of mounts in which it would then be. */
static bool
has_loop(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		if (mount_is_ns_file(m) &&
		    mount_ns_of(dentry_ns(m->root))->seq <= current_mount_ns()->seq)
			return true;
	}
	return false;
}

static int
check_move(const struct path *from, const struct path *to)
{
	struct mount *m = from->mnt;
	bool ours = m->parent ? mount_in_ns(m) : m->ns && m->ns->anon;

	if (!ours || !mount_in_ns(to->mnt) || from->dentry != m->root)
		return -EINVAL;
	if (mount_check_kinds(m->root, to->dentry))
		return -EINVAL;
	if (m->parent && mount_shared(m->parent))
		return -EINVAL;
	if (mount_shared(to->mnt) && has_unbindable(m))
		return -EINVAL;
	if (has_loop(m))
		return -ELOOP;
	for (struct mount *up = to->mnt; up; up = up->parent) {
		if (up == m)
			return -ELOOP;
	}
	return 0;
}

int
mount_move(const struct path *from, const struct path *where)
{
	struct mount_ns *was = NULL;
	struct path to = *where;
	int err;

	path_get(&to);
	mount_tree_lock();
	mount_follow_top(&to);
	err = check_move(from, &to);
	if (!err) {
		was = from->mnt->ns->anon ? from->mnt->ns : NULL;
		err = mount_attach_tree(from->mnt, to.mnt, to.dentry);
	}
	if (!err && was)
		mount_ns_free(was);
	mount_tree_unlock();
	path_put(&to);
	return err;
}

static int
do_move(const struct path *where, const struct mount_request *r)
{
	struct path from;
	int err;

	if (!r->source || !*r->source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, r->source, WALK_FOLLOW, &from);
	if (err)
		return err;
	err = mount_move(&from, where);
	path_put(&from);
	return err;
}

/* --- remount --- */

/* Makes sure that nobody writes through m: 0 or -EBUSY. The tree lock is held. */
static int
hold_writers(struct mount *m)
{
	atomic_or(&m->flags, MOUNT_WRITE_HOLD);
	/* Who did not see the mark has counted when the grace period is over. */
	rcu_synchronize();
	return mount_writers(m) > 0 ? -EBUSY : 0;
}

static void
unhold_writers(struct mount *m)
{
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

static int
do_reconfigure(const struct path *where, const struct mount_request *r)
{
	struct mount *m = where->mnt;
	u32 flags;
	int err = 0;

	if (where->dentry != m->root)
		return -EINVAL;
	mount_tree_lock();
	flags = mount_flags(r->flags, m->flags, true);
	if (!mount_in_ns(m))
		err = -EINVAL;
	if (!err && (flags & MOUNT_RDONLY) && !(m->flags & MOUNT_RDONLY)) {
		err = hold_writers(m);
		if (err)
			unhold_writers(m);
	}
	if (!err) {
		set_flags(m, flags);
		unhold_writers(m);
	}
	mount_tree_unlock();
	return err;
}

static void
hold_one(struct mount *m, void *arg)
{
	atomic_or(&m->flags, MOUNT_WRITE_HOLD);
}

static void
unhold_one(struct mount *m, void *arg)
{
	unhold_writers(m);
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

static int
do_remount(const struct path *where, const struct mount_request *r)
{
	struct mount *m = where->mnt;
	u32 flags;
	int err;

	if (where->dentry != m->root)
		return -EINVAL;
	mount_tree_lock();
	flags = mount_flags(r->flags, m->flags, true);
	err = mount_in_ns(m) ? remount_super(m->sb, r) : -EINVAL;
	if (!err)
		set_flags(m, flags);
	mount_tree_unlock();
	return err;
}

/* --- types --- */

static int
do_change_type(const struct path *where, const struct mount_request *r)
{
	u64 type = r->flags & ~(MS_REC | MS_SILENT);
	int err;

	if (type & ~MS_TYPES || !is_power_of_2(type) || where->dentry != where->mnt->root)
		return -EINVAL;
	mount_tree_lock();
	err = mount_in_ns(where->mnt) ? mount_change_type(where->mnt, r->flags) : -EINVAL;
	mount_tree_unlock();
	return err;
}

int
mount_at(const struct path *where, const struct mount_request *r)
{
	struct mount_request q = *r;

	if ((q.flags & MS_MGC_MSK) == MS_MGC_VAL)
		q.flags &= ~MS_MGC_MSK;
	if ((q.flags & (MS_REMOUNT | MS_BIND)) == (MS_REMOUNT | MS_BIND))
		return do_reconfigure(where, &q);
	if (q.flags & MS_REMOUNT)
		return do_remount(where, &q);
	if (q.flags & MS_BIND)
		return do_bind(where, &q);
	if (q.flags & MS_TYPES)
		return do_change_type(where, &q);
	if (q.flags & MS_MOVE)
		return do_move(where, &q);
	return do_new_mount(where, &q);
}
