/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended attributes of tmpfs: a list on the inode, each with its value.
 *
 * Locking: inode->mutex. Name spaces and permissions have been checked by
 * fs/sys_xattr.c; here only "user.", "trusted." and "security." are stored.
 */
#include "fs/parts.h"
#include "fs/tmpfs_impl.h"
#include "kernel/uapi/xattr.h"
#include "lib/string.h"
#include "mm/slab.h"

/* All values and names of one file together. */
#define XATTR_TOTAL_MAX (1u << 20)

struct xattr {
	struct list link;
	size_t size;
	/* In the same allocation behind the value. */
	const char *name;
	char value[];
};

static bool
stored(const char *name)
{
	return str_after_prefix(name, XATTR_USER_PREFIX) ||
	       str_after_prefix(name, XATTR_TRUSTED_PREFIX) ||
	       str_after_prefix(name, XATTR_SECURITY_PREFIX);
}

static struct xattr *
find(struct tmpfs_inode *ti, const char *name)
{
	struct xattr *x;

	list_for_each_entry(x, &ti->xattrs, link) {
		if (str_equal(x->name, name))
			return x;
	}
	return NULL;
}

s64
tmpfs_get_xattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct xattr *x;
	s64 r = -ENODATA;

	if (!stored(name))
		return -EOPNOTSUPP;
	/* exec asks each program for its capabilities. */
	if (READ_ONCE(tmpfs_inode(i)->xattrs.next) == &tmpfs_inode(i)->xattrs)
		return -ENODATA;
	mutex_lock(&i->mutex);
	x = find(tmpfs_inode(i), name);
	if (x) {
		r = x->size;
		if (n && n < x->size)
			r = -ERANGE;
		else if (n)
			memcpy(buf, x->value, x->size);
	}
	mutex_unlock(&i->mutex);
	return r;
}

static struct xattr *
xattr_new(const char *name, const void *v, size_t n)
{
	size_t len = strlen(name) + 1;
	struct xattr *x = kvmalloc(sizeof(*x) + n + len, GFP_KERNEL);

	if (!x)
		return NULL;
	x->size = n;
	memcpy(x->value, v, n);
	x->name = memcpy(x->value + n, name, len);
	return x;
}

static size_t
total(struct tmpfs_inode *ti)
{
	struct xattr *x;
	size_t n = 0;

	list_for_each_entry(x, &ti->xattrs, link)
		n += x->size + strlen(x->name);
	return n;
}

int
tmpfs_set_xattr(struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	struct tmpfs_inode *ti = tmpfs_inode(i);
	struct xattr *fresh = NULL;
	struct xattr *old;
	int err = 0;

	if (!stored(name))
		return -EOPNOTSUPP;
	if (v) {
		fresh = xattr_new(name, v, n);
		if (!fresh)
			return -ENOMEM;
	}
	mutex_lock(&i->mutex);
	old = find(ti, name);
	if (old && (flags & XATTR_CREATE))
		err = -EEXIST;
	else if (!old && (!v || (flags & XATTR_REPLACE)))
		err = -ENODATA;
	else if (v && total(ti) + n > XATTR_TOTAL_MAX)
		err = -ENOSPC;
	if (!err && old)
		list_del(&old->link);
	if (!err && fresh)
		list_add(&fresh->link, &ti->xattrs);
	if (!err)
		inode_touch_ctime(i);
	mutex_unlock(&i->mutex);
	kvfree(err ? fresh : old);
	return err;
}

s64
tmpfs_list_xattr(struct inode *i, char *buf, size_t n, bool trusted)
{
	struct xattr *x;
	s64 used = 0;

	mutex_lock(&i->mutex);
	list_for_each_entry(x, &tmpfs_inode(i)->xattrs, link) {
		size_t len = strlen(x->name) + 1;

		if (!trusted && str_after_prefix(x->name, XATTR_TRUSTED_PREFIX))
			continue;
		if (n && used + len > n) {
			used = -ERANGE;
			break;
		}
		if (n)
			memcpy(buf + used, x->name, len);
		used += len;
	}
	mutex_unlock(&i->mutex);
	return used;
}

void
tmpfs_free_xattrs(struct inode *i)
{
	struct xattr *x, *tmp;

	list_for_each_entry_safe(x, tmp, &tmpfs_inode(i)->xattrs, link)
		kvfree(x);
}
