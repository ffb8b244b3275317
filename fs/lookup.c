/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking up: names from users, single names in directories, whole paths. (The
 * walk itself is namei.c.)
 */
#include "fs/namei.h"
#include "fs/namei_impl.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

int
pathname_get(struct pathname *p, const char __user *user, u32 flags)
{
	long n = strncpy_from_user(p->inl, user, sizeof(p->inl));

	p->heap = NULL;
	p->s = p->inl;
	if (n == -ENAMETOOLONG) {
		p->heap = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!p->heap)
			return -ENOMEM;
		p->s = p->heap;
		n = strncpy_from_user(p->heap, user, PATH_MAX);
	}
	if (n > 0 || (n == 0 && (flags & WALK_EMPTY)))
		return 0;
	pathname_put(p);
	return n < 0 ? n : -ENOENT;
}

void
pathname_put(struct pathname *p)
{
	kfree(p->heap);
	p->heap = NULL;
}

/* --- one name --- */

/* Asks the file system. A dentry with a reference, or err_ptr. */
static struct dentry *
lookup_slow(struct dentry *parent, const char *name, u32 len)
{
	struct inode *dir = parent->inode;
	bool uncached = READ_ONCE(dir->sb->flags) & SB_UNCACHED;
	struct dentry *d = dentry_alloc(dir->sb, parent, name, len);
	struct dentry *there = NULL;
	int err = 0;

	if (!d)
		return err_ptr(-ENOMEM);
	if (uncached) {
		d->flags = D_UNCACHED;
		err = dir->ops->lookup(dir, d);
	} else {
		mutex_lock(&dir->mutex);
		there = dentry_find(parent, name, len);
		if (!there)
			err = dir->ops->lookup(dir, d);
		if (!there && !err && d->inode)
			err = dentry_publish(d);
		mutex_unlock(&dir->mutex);
	}
	if (!err && !there && !d->inode)
		err = -ENOENT;
	if (err || there) {
		dentry_put(d);
		return err ? err_ptr(err) : there;
	}
	return d;
}

bool
dentry_valid(struct dentry *d)
{
	return !d->ops || !d->ops->valid || d->ops->valid(d);
}

struct dentry *
dir_lookup(const struct path *dir, const char *name, u32 len)
{
	struct dentry *d = dentry_find(dir->dentry, name, len);

	if (d && !dentry_valid(d)) {
		dentry_forget(d);
		dentry_put(d);
		d = NULL;
	}
	if (d)
		return d;
	if (!dir->dentry->inode->ops->lookup)
		return err_ptr(-ENOENT);
	return lookup_slow(dir->dentry, name, len);
}

/* --- paths --- */

static int
lookup_once(struct walk *w, int dfd, const char *name, bool rcu, struct path *out)
{
	int err = walk_begin(w, dfd, name, rcu);

	if (!err && *name)
		err = walk_all(w, name);
	if (!err)
		err = walk_take(w, out);
	walk_end(w);
	return err;
}

int
path_lookup_as(int dfd, const char *name, u32 flags, const struct cred *c, struct path *out)
{
	struct walk w;
	int err;

	if (!*name && !(flags & WALK_EMPTY))
		return -ENOENT;
	w.cred = c;
	w.flags = flags;
	err = lookup_once(&w, dfd, name, true, out);
	if (err == -EWALK && (flags & WALK_CACHED))
		return -EAGAIN;
	while (err == -EWALK) {
		w.flags = flags;
		err = lookup_once(&w, dfd, name, false, out);
	}
	return err;
}

int
path_lookup(int dfd, const char *name, u32 flags, struct path *out)
{
	return path_lookup_as(dfd, name, flags, current_cred(), out);
}

int
path_lookup_user(int dfd, const char __user *name, u32 flags, struct path *out)
{
	struct pathname p;
	int err = pathname_get(&p, name, flags);

	if (err)
		return err;
	err = path_lookup(dfd, p.s, flags, out);
	pathname_put(&p);
	return err;
}

static int
parent_once(struct walk *w, int dfd, const char *name, struct path *parent, struct last *last)
{
	bool rcu = w->rcu;
	int err = walk_begin(w, dfd, name, rcu);

	if (!err)
		err = walk_parent(w, name);
	if (!err) {
		last->type = w->last_type;
		last->slash = w->last_slash;
		last->len = w->last_type == LAST_NORM ? w->last_len : 0;
		if (last->len)
			memcpy(last->s, w->last, last->len);
		last->s[last->len] = '\0';
		err = walk_take(w, parent);
	}
	walk_end(w);
	return err;
}

int
path_parent(int dfd, const char *name, u32 flags, struct path *parent, struct last *last)
{
	struct walk w;
	int err;

	if (!*name)
		return -ENOENT;
	w.cred = current_cred();
	w.flags = flags;
	w.rcu = true;
	err = parent_once(&w, dfd, name, parent, last);
	while (err == -EWALK) {
		w.rcu = false;
		err = parent_once(&w, dfd, name, parent, last);
	}
	return err;
}
