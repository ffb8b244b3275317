/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From places to names: getcwd, /proc links, the columns of mountinfo.
 *
 * Model: names are put together from the end of the buffer while climbing to the
 * root, in an RCU section. Each name is consistent by itself; if a directory or a
 * mount moved meanwhile (dir_move_seq, mount_seq) it is done again.
 */
#include "fs/context.h"
#include "fs/namei.h"
#include "kernel/task/task.h"
#include "lib/fmt.h"
#include "lib/hash.h"
#include "lib/string.h"

/* Text that grows towards the front. */
struct front {
	char *start;
	char *p;
};

static int
front_add(struct front *f, const char *s, size_t n)
{
	if ((size_t)(f->p - f->start) < n)
		return -ENAMETOOLONG;
	f->p -= n;
	memcpy(f->p, s, n);
	return 0;
}

static int
front_add_name(struct front *f, const struct dentry *d)
{
	char name[NAME_MAX + 1];
	int n;

	name[0] = '/';
	n = dentry_copy_name(d, name + 1, NAME_MAX);
	return n < 0 ? n : front_add(f, name, n + 1);
}

enum climb { CLIMB_ROOT, CLIMB_UNREACHABLE, CLIMB_DETACHED };

/* Adds the names from p up to root. How it ended in *how. */
static int
climb(struct front *f, const struct path *p, const struct path *root, enum climb *how)
{
	const struct mount *m = p->mnt;
	const struct dentry *d = p->dentry;

	for (;;) {
		int err;

		if (root && m == root->mnt && d == root->dentry) {
			*how = CLIMB_ROOT;
			return 0;
		}
		if (d == m->root || !READ_ONCE(d->parent)) {
			const struct dentry *point = READ_ONCE(m->mountpoint);
			const struct mount *up = READ_ONCE(m->parent);

			if (d == m->root && up && point) {
				d = point;
				m = up;
				continue;
			}
			*how = READ_ONCE(m->attached) ? CLIMB_UNREACHABLE : CLIMB_DETACHED;
			return 0;
		}
		err = front_add_name(f, d);
		if (err)
			return err;
		d = READ_ONCE(d->parent);
	}
}

static char *
special_name(struct dentry *d, char *buf, size_t n)
{
	int len = d->ops->show_name(d, buf, n);

	return len < 0 ? err_ptr(len) : buf;
}

char *
path_name(const struct path *p, const struct path *root, bool mark, char *buf, size_t n)
{
	bool deleted = dentry_deleted(p->dentry);
	enum climb how = CLIMB_ROOT;
	struct front f;
	u32 mseq, dseq;
	int err;

	/* What is mounted has the name of the place. */
	if (p->dentry->ops && p->dentry->ops->show_name && p->dentry != p->mnt->root)
		return special_name(p->dentry, buf, n);
	do {
		mseq = seq_read_begin(&mount_seq);
		dseq = seq_read_begin(&dir_move_seq);
		f = (struct front){.start = buf, .p = buf + n};
		err = front_add(&f, "", 1);
		if (!err && deleted)
			err = front_add(&f, " (deleted)", 10);
		rcu_read_lock();
		if (!err)
			err = climb(&f, p, root, &how);
		rcu_read_unlock();
	} while (seq_read_retry(&mount_seq, mseq) || seq_read_retry(&dir_move_seq, dseq));
	if (!err && (*f.p == '\0' || (deleted && *f.p == ' ')))
		err = front_add(&f, "/", 1);
	if (!err && mark && how != CLIMB_ROOT)
		err = front_add(&f, "(unreachable)", 13);
	return err ? err_ptr(err) : f.p;
}

char *
dentry_full_name(struct dentry *d, char *buf, size_t n)
{
	bool deleted = dentry_deleted(d);
	struct front f;
	u32 dseq;
	int err;

	if (d->ops && d->ops->show_name)
		return special_name(d, buf, n);
	do {
		dseq = seq_read_begin(&dir_move_seq);
		f = (struct front){.start = buf, .p = buf + n};
		err = front_add(&f, "", 1);
		if (!err && deleted)
			err = front_add(&f, "//deleted", 9);
		rcu_read_lock();
		for (const struct dentry *at = d; !err && READ_ONCE(at->parent);
		     at = READ_ONCE(at->parent))
			err = front_add_name(&f, at);
		rcu_read_unlock();
	} while (seq_read_retry(&dir_move_seq, dseq));
	if (!err && !*f.p)
		err = front_add(&f, "/", 1);
	return err ? err_ptr(err) : f.p;
}

static char *
anonymous_name(struct file *f, char *buf, size_t n)
{
	const char *kind = f->ops->name ? f->ops->name : "unknown";
	u32 number = (u32)hash_ptr(f->private);
	int len;

	if (str_equal(kind, "pipe") || str_equal(kind, "socket"))
		len = snprintf(buf, n, "%s:[%u]", kind, number);
	else
		len = snprintf(buf, n, "anon_inode:%s", kind);
	return (size_t)len < n ? buf : err_ptr(-ENAMETOOLONG);
}

char *
file_name(struct file *f, char *buf, size_t n)
{
	struct path root;
	char *s;

	if (!f->path.mnt)
		return anonymous_name(f, buf, n);
	current_root(&root);
	s = path_name(&f->path, &root, false, buf, n);
	path_put(&root);
	return s;
}
