/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacking the initramfs.
 *
 * Model: the memory holds pieces one behind another, each plain cpio, or gzip or
 * zstd of it; zeros between pieces mean nothing. All feed one parser, which calls
 * back for each entry. A file that is there already is replaced, a directory gets
 * the new owner and mode. Times are the archive's; those of directories are set
 * last, since what is made in them changes them.
 *
 * An entry that cannot be made is a log line, and the next one follows; a broken
 * archive ends it.
 */
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/init.h"
#include "fs/namei.h"
#include "kernel/log.h"
#include "kernel/time/clock.h"
#include "lib/cpio.h"
#include "lib/inflate.h"
#include "lib/string.h"
#include "lib/unzstd.h"
#include "mm/slab.h"

/* Larger windows than this are an error, not a reason to run out of memory. */
#define WINDOW_MAX (128UL << 20)

struct hard_link {
	struct cpio_link link;
	char name[];
};

struct dir_time {
	struct list link;
	u32 mtime;
	char name[];
};

struct unpack {
	struct cpio cpio;
	struct cpio_links links;
	struct list dir_times;
	/* The entry under way. */
	struct cpio_entry entry;
	struct file *file;
	u64 pos;
	/* Text of a symbolic link, or NULL. */
	char *target;
	u32 target_len;
	bool skip;
	/* First error of an entry. */
	int err;
};

static void
entry_failed(struct unpack *u, const char *what, int err)
{
	log_ratelimited(LOG_ERR, "initramfs: cannot %s %s (error %d)", what, u->entry.name, err);
	if (!u->err)
		u->err = err;
	u->skip = true;
}

/* Owner, mode (not of links) and time of what is there now. */
static void
set_attributes(const char *name, const struct cpio_entry *e, bool times)
{
	struct iattr a = {
		.valid = ATTR_UID | ATTR_GID,
		.uid = e->uid,
		.gid = e->gid,
	};
	struct path p;

	if (path_lookup(AT_FDCWD, name, 0, &p))
		return;
	path_setattr(&p, &a);
	a.valid = 0;
	if (!S_ISLNK(e->mode)) {
		a.valid |= ATTR_MODE;
		a.mode = e->mode;
	}
	if (times) {
		a.valid |= ATTR_ATIME | ATTR_MTIME;
		a.atime = a.mtime = (s64)e->mtime * NSEC_PER_SEC;
	}
	path_setattr(&p, &a);
	path_put(&p);
}

/* Removes what is in the way, unless it and the new one are directories. */
static void
clear_place(const char *name, u32 mode)
{
	struct path p;
	u32 there;

	if (path_lookup(AT_FDCWD, name, 0, &p))
		return;
	there = p.dentry->inode->mode;
	path_put(&p);
	if (S_ISDIR(there) && !S_ISDIR(mode))
		vfs_rmdir(AT_FDCWD, name);
	else if (!S_ISDIR(there))
		vfs_unlink(AT_FDCWD, name);
}

static void
begin_directory(struct unpack *u)
{
	size_t len = strlen(u->entry.name);
	struct dir_time *t;
	int err = vfs_mkdir(AT_FDCWD, u->entry.name, u->entry.mode);

	if (err && err != -EEXIST) {
		entry_failed(u, "make directory", err);
		return;
	}
	set_attributes(u->entry.name, &u->entry, false);
	t = kmalloc(sizeof(*t) + len + 1, GFP_KERNEL);
	if (!t)
		return;
	memcpy(t->name, u->entry.name, len + 1);
	t->mtime = u->entry.mtime;
	list_add(&t->link, &u->dir_times);
}

static void
set_directory_times(struct unpack *u)
{
	while (!list_empty(&u->dir_times)) {
		struct dir_time *t = list_first(&u->dir_times, struct dir_time, link);
		struct iattr a = {.valid = ATTR_ATIME | ATTR_MTIME};
		struct path p;

		a.atime = a.mtime = (s64)t->mtime * NSEC_PER_SEC;
		if (!path_lookup(AT_FDCWD, t->name, 0, &p)) {
			path_setattr(&p, &a);
			path_put(&p);
		}
		list_del(&t->link);
		kfree(t);
	}
}

/* A further name of a file that an earlier entry made? */
static bool
begin_link(struct unpack *u)
{
	struct cpio_link *l;
	int err;

	if (u->entry.nlink < 2)
		return false;
	l = cpio_links_find(&u->links, &u->entry);
	if (!l)
		return false;
	err = vfs_link(AT_FDCWD, container_of(l, struct hard_link, link)->name, AT_FDCWD,
		       u->entry.name, 0);
	if (err)
		entry_failed(u, "link", err);
	return true;
}

static void
remember_link(struct unpack *u)
{
	size_t len = strlen(u->entry.name);
	struct hard_link *h;

	if (u->entry.nlink < 2)
		return;
	h = kmalloc(sizeof(*h) + len + 1, GFP_KERNEL);
	if (!h) {
		entry_failed(u, "remember", -ENOMEM);
		return;
	}
	memcpy(h->name, u->entry.name, len + 1);
	cpio_links_add(&u->links, &h->link, &u->entry);
}

static void
begin_regular(struct unpack *u)
{
	u32 flags = O_WRONLY | O_LARGEFILE;
	bool linked = begin_link(u);

	/* The data comes with one of the names only. */
	if (u->skip || (linked && !u->entry.filesize))
		return;
	u->file = file_open(u->entry.name, linked ? flags : flags | O_CREAT | O_TRUNC, 0600);
	if (is_err(u->file)) {
		entry_failed(u, "create", ptr_err(u->file));
		u->file = NULL;
		return;
	}
	u->pos = 0;
	if (!linked)
		remember_link(u);
}

static void
begin_special(struct unpack *u)
{
	int err;

	if (begin_link(u))
		return;
	err = vfs_mknod(AT_FDCWD, u->entry.name, u->entry.mode,
			DEV_MAKE(u->entry.rdev_major, u->entry.rdev_minor));
	if (err) {
		entry_failed(u, "make node", err);
		return;
	}
	set_attributes(u->entry.name, &u->entry, true);
	remember_link(u);
}

static int
unpack_begin(void *ctx, const struct cpio_entry *e)
{
	struct unpack *u = ctx;

	u->entry = *e;
	u->file = NULL;
	u->target = NULL;
	u->target_len = 0;
	u->skip = false;
	clear_place(e->name, e->mode);
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		begin_regular(u);
		break;
	case S_IFDIR:
		begin_directory(u);
		break;
	case S_IFLNK:
		if (!e->filesize || e->filesize >= PATH_MAX)
			entry_failed(u, "make link", -ENAMETOOLONG);
		else
			u->target = kzalloc(e->filesize + 1, GFP_KERNEL);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		begin_special(u);
		break;
	default:
		entry_failed(u, "tell the type of", -EINVAL);
	}
	return 0;
}

static int
unpack_data(void *ctx, const void *data, size_t n)
{
	struct unpack *u = ctx;
	s64 r;

	if (u->target && u->target_len + n <= u->entry.filesize) {
		memcpy(u->target + u->target_len, data, n);
		u->target_len += n;
	}
	while (u->file && !u->skip && n) {
		r = file_write_kernel(u->file, data, n, &u->pos);
		if (r <= 0) {
			entry_failed(u, "write", r ? (int)r : -EIO);
			break;
		}
		data = (const char *)data + r;
		n -= r;
	}
	return 0;
}

static int
unpack_end(void *ctx)
{
	struct unpack *u = ctx;
	int err;

	if (u->target) {
		err = vfs_symlink(u->target, AT_FDCWD, u->entry.name);
		kfree(u->target);
		u->target = NULL;
		if (err)
			entry_failed(u, "make link", err);
		else
			set_attributes(u->entry.name, &u->entry, true);
	}
	if (u->file) {
		file_put(u->file);
		u->file = NULL;
		set_attributes(u->entry.name, &u->entry, true);
	}
	return 0;
}

static void
forget_links(struct unpack *u)
{
	struct cpio_link *l;

	while ((l = cpio_links_take(&u->links)) != NULL)
		kfree(container_of(l, struct hard_link, link));
}

static int
unpack_trailer(void *ctx)
{
	forget_links(ctx);
	return 0;
}

static const struct cpio_ops unpack_ops = {
	.begin = unpack_begin,
	.data = unpack_data,
	.end = unpack_end,
	.trailer = unpack_trailer,
};

/* --- pieces --- */

/* Decoded data: all of it must be archive. */
static int
feed(void *ctx, const void *data, size_t n)
{
	struct unpack *u = ctx;
	long took = cpio_feed(&u->cpio, data, n);

	if (took < 0)
		return (int)took;
	if ((size_t)took == n)
		return 0;
	u->cpio.reason = "junk within compressed archive";
	return -EINVAL;
}

static int
piece_gzip(struct unpack *u, const void *data, size_t n, size_t *used)
{
	struct sink sink = {.emit = feed, .ctx = u};
	struct inflate *st = kvmalloc(sizeof(*st), GFP_KERNEL);
	int err;

	if (!st)
		return -ENOMEM;
	err = inflate_gzip(st, data, n, &sink, used);
	kvfree(st);
	return err;
}

static int
piece_zstd(struct unpack *u, const void *data, size_t n, size_t *used)
{
	struct sink sink = {.emit = feed, .ctx = u};
	struct unzstd *st;
	void *window;
	u64 size;
	int err = unzstd_window(data, n, &size);

	if (err)
		return err;
	if (size > WINDOW_MAX)
		return -E2BIG;
	size = max(size, (u64)UNZSTD_BLOCK_MAX);
	st = kvmalloc(sizeof(*st), GFP_KERNEL);
	window = kvmalloc(size, GFP_KERNEL);
	if (st && window) {
		unzstd_init(st, window, size);
		err = unzstd(st, data, n, &sink, used);
		/* A later frame wants more: it is the next piece, with a window of its own. */
		if (err == -E2BIG && *used)
			err = 0;
	} else {
		err = -ENOMEM;
	}
	kvfree(st);
	kvfree(window);
	return err;
}

/* One piece at data: 0 and what it used, or -Exxx. */
static int
piece(struct unpack *u, const u8 *data, size_t n, size_t *used)
{
	long took;

	if (inflate_is_gzip(data, n))
		return piece_gzip(u, data, n, used);
	if (unzstd_is_frame(data, n))
		return piece_zstd(u, data, n, used);
	took = cpio_feed(&u->cpio, data, n);
	if (took < 0)
		return (int)took;
	*used = took;
	if (took)
		return 0;
	u->cpio.reason = "unknown format";
	return -EINVAL;
}

static int
unpack_all(struct unpack *u, const u8 *data, size_t n)
{
	int err = 0;

	while (n && !err) {
		size_t used = 0;

		if (!*data) {
			data++;
			n--;
			continue;
		}
		u->cpio.reason = NULL;
		err = piece(u, data, n, &used);
		if (!err && !used)
			err = -EINVAL;
		if (!err) {
			data += used;
			n -= used;
		}
	}
	return err ? err : cpio_finish(&u->cpio);
}

int
initramfs_unpack(const void *data, size_t n)
{
	struct unpack *u = kzalloc(sizeof(*u), GFP_KERNEL);
	int err;

	if (!u) {
		log_err("Initramfs unpacking failed: out of memory");
		return -ENOMEM;
	}
	log_info("Unpacking initramfs...");
	cpio_init(&u->cpio, &unpack_ops, u);
	cpio_links_init(&u->links);
	list_init(&u->dir_times);
	err = unpack_all(u, data, n);
	if (err)
		log_err("Initramfs unpacking failed: %s (error %d)",
			u->cpio.reason ? u->cpio.reason : "broken archive", err);
	if (u->file)
		file_put(u->file);
	kfree(u->target);
	set_directory_times(u);
	forget_links(u);
	if (!err)
		err = u->err;
	kfree(u);
	return err;
}
