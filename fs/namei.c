/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path walks: from a name to a dentry in a mount.
 *
 * Model: a walk goes from directory to directory. It runs in one RCU section and
 * writes nothing at all until it has arrived; then it takes one reference of the
 * mount and one of the dentry, both per-CPU. Only where it must sleep (a name
 * that the file system has to look up, a link whose text must be made) or when
 * the mount tree changed meanwhile (-EWALK) it starts again, now with a reference
 * of each place it stands on.
 *
 * Why the RCU walk is right: a name found in the table is the truth of some
 * moment during the walk; a dentry never loses its inode; the reference of the
 * name table outlives our section, so counting up is allowed. Nothing that
 * happened to the name later makes the result wrong. Only mounts need more:
 * mount_seq must not have changed from the beginning to where the mount is
 * counted.
 *
 * Links are followed without recursion: what comes behind a link waits on a stack
 * while its text is walked. A link that is the last component replaces the name.
 *
 * See: path_resolution(7), openat2(2).
 */
#include "fs/namei.h"
#include "fs/context.h"
#include "fs/namei_impl.h"
#include "kernel/task/task.h"
#include "lib/string.h"
#include "mm/slab.h"

/* --- where a walk stands --- */

/* In an RCU section: references of p, which was found since mount_seq was mseq. */
static int
path_get_rcu(const struct path *p, u32 mseq, struct mount **end)
{
	mount_get(p->mnt);
	if (seq_read_retry(&mount_seq, mseq)) {
		*end = mount_unget_rcu(p->mnt) ? p->mnt : NULL;
		return -EWALK;
	}
	dentry_get(p->dentry);
	return 0;
}

/* Ends the RCU section and what a failed path_get_rcu() left to do. */
static void
leave_rcu(struct walk *w, struct mount *end)
{
	w->rcu = false;
	rcu_read_unlock();
	if (end)
		mount_end(end);
}

int
walk_unlazy(struct walk *w)
{
	struct mount *end = NULL;
	int err;

	if (!w->rcu)
		return 0;
	err = path_get_rcu(&w->path, w->mseq, &end);
	if (err)
		w->path = (struct path){0};
	/* The root is looked up again when a walk with references needs it. */
	w->have_root = false;
	w->root = (struct path){0};
	leave_rcu(w, end);
	return err;
}

static void
saved_drop(struct walk_saved *s)
{
	kfree(s->heap);
	dentry_put(s->link);
	s->heap = NULL;
	s->link = NULL;
}

void
walk_end(struct walk *w)
{
	if (w->rcu) {
		leave_rcu(w, NULL);
	} else {
		if (w->path.mnt)
			path_put(&w->path);
		if (w->have_root)
			path_put(&w->root);
	}
	while (w->depth > 0)
		saved_drop(&w->stack[--w->depth]);
	saved_drop(&w->tail);
	w->path = (struct path){0};
	w->have_root = false;
	if (w->dfd != AT_FDCWD)
		fd_put(w->base);
	w->dfd = AT_FDCWD;
}

/* Stands on p from now on; takes its references in a walk with references. */
static void
walk_move(struct walk *w, const struct path *p)
{
	if (!w->rcu)
		path_put(&w->path);
	w->path = *p;
}

static void
read_context(bool pwd, struct path *p)
{
	struct fs_context *fs = current->fs;
	u32 seq;

	if (!fs) {
		kernel_root(p);
		return;
	}
	do {
		seq = seq_read_begin(&fs->seq);
		*p = pwd ? fs->pwd : fs->root;
	} while (seq_read_retry(&fs->seq, seq));
}

/* The task's root into w->root, unless a base took its place. */
static void
walk_need_root(struct walk *w)
{
	if (w->have_root)
		return;
	if (w->rcu)
		read_context(false, &w->root);
	else
		current_root(&w->root);
	w->have_root = true;
}

static void
walk_to_root(struct walk *w)
{
	struct path p;

	walk_need_root(w);
	p = w->root;
	if (!w->rcu)
		path_get(&p);
	walk_move(w, &p);
}

static int
begin_at_fd(struct walk *w, int dfd, const char *name)
{
	struct file *f;

	w->base = fd_get_path(dfd);
	f = w->base.file;
	if (!f)
		return -EBADF;
	w->dfd = dfd;
	if (!f->path.mnt || (*name && !dentry_is_dir(f->path.dentry)))
		return -ENOTDIR;
	return 0;
}

int
walk_begin(struct walk *w, int dfd, const char *name, bool rcu)
{
	bool scoped = w->flags & (WALK_BENEATH | WALK_IN_ROOT);
	bool absolute = *name == '/' && !scoped;
	int err;

	w->rcu = false;
	w->have_root = false;
	w->path = w->root = (struct path){0};
	w->links = w->depth = 0;
	w->tail = (struct walk_saved){0};
	w->dfd = AT_FDCWD;
	if (*name == '/' && (w->flags & WALK_BENEATH))
		return -EXDEV;
	if (!absolute && dfd != AT_FDCWD) {
		err = begin_at_fd(w, dfd, name);
		if (err)
			return err;
	}
	w->move_seq = seq_read_begin(&dir_move_seq);
	if (rcu) {
		rcu_read_lock();
		w->rcu = true;
		w->mseq = seq_read_begin(&mount_seq);
	}
	if (absolute) {
		walk_need_root(w);
		w->path = w->root;
	} else if (w->dfd != AT_FDCWD) {
		w->path = w->base.file->path;
	} else if (rcu) {
		read_context(true, &w->path);
	} else {
		current_pwd(&w->path);
	}
	if (!rcu && (absolute || w->dfd != AT_FDCWD))
		path_get(&w->path);
	if (scoped) {
		w->root = w->path;
		w->have_root = true;
		if (!rcu)
			path_get(&w->root);
	}
	return 0;
}

/* --- steps --- */

/* May the current directory be searched? */
static int
may_search(struct walk *w)
{
	struct inode *i = w->path.dentry->inode;
	u32 mode = READ_ONCE(i->mode);

	if (!S_ISDIR(mode))
		return -ENOTDIR;
	if ((mode & S_IXUGO) == S_IXUGO && !i->ops->permission)
		return 0;
	return inode_permission(i, w->cred, MAY_EXEC);
}

/* What is mounted on p, down to the top; p has no references. RCU section. */
static bool
follow_mounts_rcu(struct path *p)
{
	bool crossed = false;

	while (READ_ONCE(p->dentry->flags) & D_MOUNTED) {
		struct mount *m = mount_find_rcu(p->mnt, p->dentry);

		if (!m)
			break;
		p->mnt = m;
		p->dentry = m->root;
		crossed = true;
	}
	return crossed;
}

/*
 * Goes to `to` (found in the RCU section that the caller is in, mount_seq mseq)
 * and what is mounted there. The section ends here for a walk with references.
 */
static int
arrive(struct walk *w, struct path *to, u32 mseq)
{
	struct mount *end = NULL;
	int err = 0;

	if (follow_mounts_rcu(to) && (w->flags & WALK_NO_XDEV) && to->mnt != w->path.mnt)
		err = -EXDEV;
	if (w->rcu) {
		if (!err)
			w->path = *to;
		return err;
	}
	if (!err)
		err = path_get_rcu(to, mseq, &end);
	rcu_read_unlock();
	if (end)
		mount_end(end);
	if (!err)
		walk_move(w, to);
	return err;
}

/* Can p's dentry be reached from the root of its mount? Bind mounts may lose directories. */
static bool
path_connected(const struct path *p)
{
	return p->mnt->root == p->mnt->sb->root || dentry_is_below(p->dentry, p->mnt->root);
}

/* RCU section: the place above p, no references. */
static int
find_up(struct walk *w, struct path *p)
{
	for (;;) {
		struct dentry *up;

		if (path_equal(p, &w->root))
			return w->flags & WALK_BENEATH ? -EXDEV : 0;
		if (p->dentry != p->mnt->root) {
			up = READ_ONCE(p->dentry->parent);
			if (!up)
				return 0;
			p->dentry = up;
			return path_connected(p) ? 0 : -ENOENT;
		}
		up = READ_ONCE(p->mnt->mountpoint);
		if (!READ_ONCE(p->mnt->parent) || !up)
			return 0;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		p->mnt = READ_ONCE(p->mnt->parent);
		p->dentry = up;
	}
}

static int
step_up(struct walk *w)
{
	struct path p = w->path;
	u32 mseq = w->mseq;
	int err;

	walk_need_root(w);
	if (!w->rcu) {
		rcu_read_lock();
		mseq = seq_read_begin(&mount_seq);
	}
	err = find_up(w, &p);
	if (!err && (w->flags & (WALK_BENEATH | WALK_IN_ROOT)) &&
	    seq_read_retry(&dir_move_seq, w->move_seq))
		err = -EAGAIN;
	if (err) {
		if (!w->rcu)
			rcu_read_unlock();
		return err;
	}
	return arrive(w, &p, mseq);
}

/*
 * One normal name. Arrives there, or, if it is a link that is to be followed,
 * stays and gives it in *link (with a reference in a walk with references).
 */
static int
step_name(struct walk *w, const char *name, u32 len, bool follow, struct dentry **link)
{
	struct path to = {.mnt = w->path.mnt};
	struct dentry *parent = w->path.dentry;
	struct dentry *d;
	u32 seq, mseq = w->mseq;
	int err;

	*link = NULL;
	if (w->rcu) {
		d = dentry_find_rcu(parent, name, len, dentry_hash(parent, name, len), &seq);
		if (!d)
			return parent->inode->ops->lookup ? -EWALK : -ENOENT;
		if (!dentry_valid(d))
			return -EWALK;
	} else {
		d = dir_lookup(&w->path, name, len);
		if (is_err(d))
			return ptr_err(d);
	}
	if (follow && S_ISLNK(d->inode->mode)) {
		*link = d;
		return 0;
	}
	if (!w->rcu) {
		rcu_read_lock();
		mseq = seq_read_begin(&mount_seq);
	}
	to.dentry = d;
	err = arrive(w, &to, mseq);
	if (!w->rcu)
		dentry_put(d);
	return err;
}

/* --- links --- */

static int
link_allowed(struct walk *w, struct inode *i)
{
	if (w->links++ >= WALK_LINKS_MAX || (w->flags & WALK_NO_SYMLINKS))
		return -ELOOP;
	if (READ_ONCE(w->path.mnt->flags) & MOUNT_NOSYMFOLLOW)
		return -ELOOP;
	if ((w->flags & WALK_NO_MAGIC) && (i->flags & INODE_MAGIC))
		return -ELOOP;
	return 0;
}

static int
link_jump(struct walk *w, struct link_result *r)
{
	if (w->flags & (WALK_BENEATH | WALK_IN_ROOT))
		goto out_xdev;
	if ((w->flags & WALK_NO_XDEV) && r->jump.mnt != w->path.mnt)
		goto out_xdev;
	walk_move(w, &r->jump);
	return 0;
out_xdev:
	path_put(&r->jump);
	return -EXDEV;
}

/*
 * Follows link d, found in the current directory. saved gets what must live as
 * long as the text is walked; *text is NULL after a jump.
 */
static int
follow_link(struct walk *w, struct dentry *d, struct walk_saved *saved, const char **text)
{
	struct path p = {.mnt = w->path.mnt, .dentry = d};
	struct link_result r = {0};
	struct inode *i = d->inode;
	int err = link_allowed(w, i);

	*saved = (struct walk_saved){.link = w->rcu ? NULL : d};
	if (err)
		return err;
	path_accessed(&p);
	r.text = i->link;
	if (!r.text) {
		err = i->ops->get_link(i, d, w->rcu, &r);
		if (err)
			return err == -EAGAIN && w->rcu ? -EWALK : err;
		if (r.jumped) {
			*text = NULL;
			return link_jump(w, &r);
		}
		saved->heap = r.allocated ? (char *)r.text : NULL;
	}
	*text = r.text;
	if (!*r.text)
		return -ENOENT;
	if (*r.text != '/')
		return 0;
	if (w->flags & WALK_BENEATH)
		return -EXDEV;
	walk_need_root(w);
	if ((w->flags & WALK_NO_XDEV) && w->root.mnt != w->path.mnt)
		return -EXDEV;
	walk_to_root(w);
	return 0;
}

/* --- the walk --- */

/* The component at s: length and kind; s points at a character that is no slash. */
static u32
component(const char *s, enum last_type *type)
{
	u32 n = 0;

	while (s[n] && s[n] != '/')
		n++;
	*type = LAST_NORM;
	if (s[0] == '.' && n == 1)
		*type = LAST_DOT;
	else if (s[0] == '.' && s[1] == '.' && n == 2)
		*type = LAST_DOTDOT;
	return n;
}

static int
step_dots(struct walk *w, enum last_type type)
{
	return type == LAST_DOTDOT ? step_up(w) : 0;
}

/* Puts `rest` aside and goes on with the text of link d. */
static int
push_link(struct walk *w, struct dentry *d, const char *rest, const char **s)
{
	struct walk_saved *saved;
	int err;

	if (w->depth == WALK_LINKS_MAX) {
		if (!w->rcu)
			dentry_put(d);
		return -ELOOP;
	}
	saved = &w->stack[w->depth++];
	err = follow_link(w, d, saved, s);
	saved->rest = rest;
	if (!err && !*s)
		*s = "";
	return err;
}

int
walk_parent(struct walk *w, const char *s)
{
	for (;;) {
		struct dentry *link = NULL;
		enum last_type type;
		const char *rest;
		u32 len;
		int err;

		while (*s == '/')
			s++;
		if (!*s && w->depth > 0) {
			s = w->stack[--w->depth].rest;
			saved_drop(&w->stack[w->depth]);
			continue;
		}
		if (!*s) {
			w->last_type = LAST_ROOT;
			w->last_slash = false;
			return 0;
		}
		err = may_search(w);
		if (err)
			return err;
		len = component(s, &type);
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		for (rest = s + len; *rest == '/'; rest++)
			;
		if (!*rest && w->depth == 0) {
			w->last_type = type;
			w->last = s;
			w->last_len = len;
			w->last_slash = s[len] == '/';
			return 0;
		}
		if (type == LAST_NORM)
			err = step_name(w, s, len, true, &link);
		else
			err = step_dots(w, type);
		s = rest;
		if (!err && link)
			err = push_link(w, link, rest, &s);
		if (err)
			return err;
	}
}

int
walk_last(struct walk *w, const char **next, bool follow)
{
	struct walk_saved saved;
	struct dentry *link;
	int err;

	*next = NULL;
	w->missing = false;
	if (w->last_slash)
		w->flags |= WALK_DIRECTORY;
	if (w->last_type == LAST_ROOT)
		return 0;
	if (w->last_type != LAST_NORM)
		return step_dots(w, w->last_type);
	err = step_name(w, w->last, w->last_len, follow || w->last_slash, &link);
	w->missing = err == -ENOENT;
	if (err || !link)
		return err;
	err = follow_link(w, link, &saved, next);
	/* The name that we come from may be the text that tail keeps: no longer needed. */
	saved_drop(&w->tail);
	w->tail = saved;
	return err;
}

int
walk_all(struct walk *w, const char *name)
{
	const char *s = name;
	int err;

	do {
		err = walk_parent(w, s);
		if (!err)
			err = walk_last(w, &s, w->flags & WALK_FOLLOW);
	} while (!err && s);
	if (!err && (w->flags & WALK_DIRECTORY) && !dentry_is_dir(w->path.dentry))
		err = -ENOTDIR;
	return err;
}

int
walk_take(struct walk *w, struct path *out)
{
	int err = walk_unlazy(w);

	if (!err) {
		*out = w->path;
		w->path = (struct path){0};
	}
	return err;
}
