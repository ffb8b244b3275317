/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of /proc/PID/mounts, mountinfo and mountstats (proc(5)). */
#include "fs/mount_impl.h"
#include "kernel/seq.h"
#include "mm/slab.h"

static void
show_flags(struct seq *s, const struct mount *m)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{MOUNT_NOSUID, ",nosuid"},	     {MOUNT_NODEV, ",nodev"},
		{MOUNT_NOEXEC, ",noexec"},	     {MOUNT_NOATIME, ",noatime"},
		{MOUNT_NODIRATIME, ",nodiratime"},   {MOUNT_RELATIME, ",relatime"},
		{MOUNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (m->flags & names[i].flag)
			seq_puts(s, names[i].text);
	}
}

/* " /mount/point" as seen from root; false: it cannot be seen from there. */
static bool
show_point(struct seq *s, struct mount *m, const struct path *root, char *buf)
{
	struct path p = {.mnt = m, .dentry = m->root};
	char *name = path_name(&p, root, true, buf, PATH_MAX);

	if (is_err(name) || name[0] != '/')
		return false;
	seq_putc(s, ' ');
	seq_escape(s, name, NULL);
	return true;
}

static void
show_source(struct seq *s, const struct mount *m)
{
	seq_escape(s, *m->source ? m->source : "none", "#");
}

static void
show_super_options(struct seq *s, const struct mount *m)
{
	if (m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, s);
}

static void
mounts_line(struct seq *s, struct mount *m, const struct path *root, char *buf)
{
	size_t start = s->len;

	show_source(s, m);
	if (!show_point(s, m, root, buf)) {
		s->len = start;
		return;
	}
	seq_printf(s, " %s %s", m->sb->type->name, mount_readonly(m) ? "ro" : "rw");
	show_flags(s, m);
	show_super_options(s, m);
	seq_puts(s, " 0 0\n");
}

/* Some peer of m, or m itself, that is below root in that namespace. */
static bool
group_is_below(struct mount *m, const struct mount_ns *ns, const struct path *root)
{
	struct mount *x = m;

	do {
		struct path p = {.mnt = x, .dentry = x->root};

		if (x->ns == ns && path_below(&p, root))
			return true;
		x = list_entry(x->peer.next, struct mount, peer);
	} while (x != m);
	return false;
}

/* The nearest group that m follows and that can be seen from root; 0: none. */
static s32
visible_master(const struct mount *m, const struct path *root)
{
	for (struct mount *up = m->master; up; up = up->master) {
		if (group_is_below(up, m->ns, root))
			return up->group;
	}
	return 0;
}

static void
show_type(struct seq *s, const struct mount *m, const struct path *root)
{
	if (mount_shared(m))
		seq_printf(s, " shared:%d", m->group);
	if (m->master) {
		s32 seen = visible_master(m, root);

		seq_printf(s, " master:%d", m->master->group);
		if (seen && seen != m->master->group)
			seq_printf(s, " propagate_from:%d", seen);
	}
	if (m->flags & MOUNT_UNBINDABLE)
		seq_puts(s, " unbindable");
}

static s32
parent_id(const struct mount *m)
{
	const struct mount *up;
	s32 id;

	rcu_read_lock();
	up = READ_ONCE(m->parent);
	id = up ? up->id : m->id;
	rcu_read_unlock();
	return id;
}

static void
mountinfo_line(struct seq *s, struct mount *m, const struct path *root, char *buf)
{
	size_t start = s->len;
	char *name;

	seq_printf(s, "%d %d %u:%u ", m->id, parent_id(m), DEV_MAJOR(m->sb->dev),
		   DEV_MINOR(m->sb->dev));
	name = dentry_full_name(m->root, buf, PATH_MAX);
	seq_escape(s, is_err(name) ? "/" : name, NULL);
	if (!show_point(s, m, root, buf)) {
		s->len = start;
		return;
	}
	seq_puts(s, m->flags & MOUNT_RDONLY ? " ro" : " rw");
	show_flags(s, m);
	show_type(s, m, root);
	seq_printf(s, " - %s ", m->sb->type->name);
	show_source(s, m);
	seq_puts(s, m->sb->flags & SB_RDONLY ? " ro" : " rw");
	show_super_options(s, m);
	seq_putc(s, '\n');
}

static void
mountstats_line(struct seq *s, struct mount *m, const struct path *root, char *buf)
{
	size_t start = s->len;

	seq_puts(s, "device ");
	show_source(s, m);
	seq_puts(s, " mounted on");
	if (!show_point(s, m, root, buf)) {
		s->len = start;
		return;
	}
	seq_printf(s, " with fstype %s\n", m->sb->type->name);
}

typedef void line_fn(struct seq *s, struct mount *m, const struct path *root, char *buf);

/* Without references, which would make a mount busy that umount(2) finds them on. */
static void
show_all(struct seq *s, struct mount_ns *ns, const struct path *root, line_fn *line)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	struct mount *m;

	if (!buf)
		return;
	mount_tree_lock();
	/* The list is the mutex's alone. */
	mount_tree_open();
	list_for_each_entry(m, &ns->mounts, ns_link)
		line(s, m, root, buf);
	mount_tree_unlock();
	kfree(buf);
}

void
mounts_show(struct seq *s, struct mount_ns *ns, const struct path *root)
{
	show_all(s, ns, root, mounts_line);
}

void
mountinfo_show(struct seq *s, struct mount_ns *ns, const struct path *root)
{
	show_all(s, ns, root, mountinfo_line);
}

void
mountstats_show(struct seq *s, struct mount_ns *ns, const struct path *root)
{
	show_all(s, ns, root, mountstats_line);
}
