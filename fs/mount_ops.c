/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mount(2) and move_mount(2): what their flags mean. The path lookups are done;
 * users and strings are fs/sys_mount.c.
 */
#include "fs/context.h"
#include "fs/mount_impl.h"
#include "fs/nsfs.h"
#include "kernel/task/ns.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MS_TYPES (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

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
		m->flags = mount_flags_of(r->flags, 0, false);
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

/* A namespace of mounts that is not younger than current's: in that it could keep itself. */
static bool
keeps_itself(const struct dentry *d)
{
	struct ns *ns = dentry_ns(d);

	return ns && ns->kind == NS_MNT && mount_ns_of(ns)->seq <= current_mount_ns()->seq;
}

/* Only what current sees, and namespaces. */
struct mount *
mount_clone(const struct path *from, bool below)
{
	if (from->mnt->flags & MOUNT_UNBINDABLE)
		return err_ptr(-EINVAL);
	if (!dentry_ns(from->dentry) && !mount_in_ns(from->mnt))
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
	m = keeps_itself(from.dentry) ? err_ptr(-EINVAL) : mount_clone(&from, r->flags & MS_REC);
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
		if (keeps_itself(m->root))
			return true;
	}
	return false;
}

static int
check_move(const struct path *from, const struct path *to)
{
	struct mount *m = from->mnt;
	bool ours = m->parent ? mount_in_ns(m) : mount_is_loose(m);

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
	/* It is left to the handle that it belongs to. */
	if (!err && was)
		mount_ns_leave(was);
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

/* move_mount(2) with MOVE_MOUNT_SET_GROUP: may `to` follow whom `from` follows? */
static int
check_group(const struct path *from, const struct path *to)
{
	const struct mount *f = from->mnt, *t = to->mnt;
	bool wider;

	if (!f->ns || !t->ns || from->dentry != f->root || to->dentry != t->root)
		return -EINVAL;
	rcu_read_lock();
	wider = f->sb == t->sb && dentry_is_below(t->root, f->root);
	rcu_read_unlock();
	if (!wider || mount_shared(t) || t->master || (!mount_shared(f) && !f->master))
		return -EINVAL;
	return 0;
}

int
mount_join(const struct path *from, const struct path *to)
{
	int err;

	mount_tree_lock();
	err = check_group(from, to);
	if (!err)
		mount_set_group(from->mnt, to->mnt);
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
		return mount_reconfigure(where, q.flags);
	if (q.flags & MS_REMOUNT)
		return mount_remount(where, &q);
	if (q.flags & MS_BIND)
		return do_bind(where, &q);
	if (q.flags & MS_TYPES)
		return do_change_type(where, &q);
	if (q.flags & MS_MOVE)
		return do_move(where, &q);
	return do_new_mount(where, &q);
}
