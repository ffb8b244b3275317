/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From names to files. (fs/namei.c tells how a walk works.)
 */
#ifndef FS_NAMEI_H
#define FS_NAMEI_H

#include "fs/mount.h"
#include "kernel/uapi/fcntl.h"

/* Follow a symbolic link that is the last component. */
#define WALK_FOLLOW 0x0001u
/* The result must be a directory: -ENOTDIR. */
#define WALK_DIRECTORY 0x0002u
/* An empty name means dfd itself. */
#define WALK_EMPTY 0x0004u
/* Stop before the last component. */
#define WALK_PARENT 0x0008u
#define WALK_NO_XDEV 0x0010u
#define WALK_NO_MAGIC 0x0020u
#define WALK_NO_SYMLINKS 0x0040u
#define WALK_BENEATH 0x0080u
#define WALK_IN_ROOT 0x0100u
/* Only what needs no sleep: -EAGAIN else. */
#define WALK_CACHED 0x0200u

/* A name copied from the user. */
struct pathname {
	const char *s;
	/* kmalloc()ed, or NULL: in `inl` */
	char *heap;
	char inl[216];
};

/* 0, -EFAULT, -ENAMETOOLONG, -ENOENT (empty; unless WALK_EMPTY is in flags), -ENOMEM. */
int __must_check pathname_get(struct pathname *p, const char __user *user, u32 flags);
void pathname_put(struct pathname *p);

/* dfd: a descriptor or AT_FDCWD. *out gets references. All of -Exxx of path_resolution(7). */
int __must_check path_lookup(int dfd, const char *name, u32 flags, struct path *out);
int __must_check path_lookup_user(int dfd, const char __user *name, u32 flags, struct path *out);
/* As somebody else (access(2)). */
int __must_check path_lookup_as(int dfd, const char *name, u32 flags, const struct cred *c,
				struct path *out);

enum last_type { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* The last component, inside the name that was given (or in a link's text: copied). */
struct last {
	enum last_type type;
	/* A slash follows. */
	bool slash;
	u32 len;
	char s[NAME_MAX + 1];
};

/* The directory of the last component. *parent gets references. */
int __must_check path_parent(int dfd, const char *name, u32 flags, struct path *parent,
			     struct last *last);

/* Looks one name up in a directory: positive dentry with a reference; err_ptr(-ENOENT...). */
struct dentry *dir_lookup(const struct path *dir, const char *name, u32 len);

/* --- changes; all check permissions, ask the mount for write access and notify --- */

/* err: what exists is -EEXIST. Mode before umask is applied. */
int vfs_mknod(int dfd, const char *name, u32 mode, u32 rdev);
int vfs_mkdir(int dfd, const char *name, u32 mode);
int vfs_symlink(const char *target, int dfd, const char *name);
int vfs_link(int odfd, const char *old, int ndfd, const char *new_name, int flags);
int vfs_unlink(int dfd, const char *name);
int vfs_rmdir(int dfd, const char *name);
/* One name in a directory, as file_open_in(). */
int vfs_unlink_in(const struct path *dir, const char *name);

struct rename_request {
	int odfd;
	const char *old;
	int ndfd;
	const char *new_name;
	u32 flags;
};
int vfs_rename(const struct rename_request *r);

/* --- opening --- */

struct open_request {
	/* O_* as open(2), checked */
	u32 flags;
	u32 mode;
	/* WALK_* of openat2's resolve */
	u32 walk;
	/* file_open_in(): goes to ->create */
	const void *extra;
};

struct open_how;
/* What openat2(2), or openat(2), was asked, checked: 0, -EINVAL, -EAGAIN. */
int open_request_how(struct open_request *r, const struct open_how *how);
int open_request_plain(struct open_request *r, u32 flags, u32 mode);

struct statx;
/* statx(2) by a name in kernel memory. */
int statx_name(int dfd, const char *name, u32 flags, u32 mask, struct statx __user *buf);
/* setxattr(2), getxattr(2) by a place and a name in kernel memory. */
int xattr_set(const struct path *p, const char *name, const void *value, size_t n, int flags);
long xattr_get(const struct path *p, const char *name, void __user *uvalue, size_t n);
/* Of a handle: fallocate(2), sync_file_range(2), posix_fadvise(2), fsync(2). */
int file_fallocate(struct file *f, int mode, s64 off, s64 len);
int file_sync_range(struct file *f, s64 off, s64 n, u32 flags);
int file_fadvise(struct file *f, s64 n, int advice);
int file_fsync(struct file *f, bool data_only);

/* A new handle; err_ptr(-Exxx). */
struct file *file_open_at(int dfd, const char *name, const struct open_request *r);
/* For the kernel itself, from the root of current. */
struct file *file_open(const char *name, u32 flags, u32 mode);
/*
 * The same for one name (no slash, no dots: -EACCES) in a directory, without a walk: for
 * calls that have names of their own (mq_open(2)).
 */
struct file *file_open_in(const struct path *dir, const char *name, const struct open_request *r);
/*
 * The place of a handle, with references, for links such as /proc/PID/fd/N. Pipes
 * and others without one get a place of their own: it can be looked at, and a
 * pipe can be opened again through it. -ENOMEM.
 */
int file_path_get(struct file *f, struct path *p);
/* A handle for a place that is known (exec). Takes no reference of p. */
struct file *file_open_path(const struct path *p, u32 flags, const struct cred *c);
/* For exec: regular, executable, not being written; takes the deny. err_ptr. */
struct file *file_open_exec(int dfd, const char *name, int at_flags);
/* Puts such a handle; the file may be written from now on, whoever has it mapped. */
void file_put_exec(struct file *f);
/* A handle for i that has no place: gets a dentry of its own on mnt. Takes i's reference. */
struct file *file_open_anon(struct mount *mnt, struct inode *i, const char *name,
			    const struct dentry_ops *dops, u32 flags);

/*
 * The end of a handle that has a path (f->path.mnt != NULL): notifies, gives up
 * write access, locks and the path. kernel/handle calls it from file_put() after
 * ->release.
 */
void fs_file_release(struct file *f);

/* --- names from places --- */

/*
 * The absolute name of p as seen from `root`, at the END of buf; a pointer into
 * buf, or err_ptr(-ENAMETOOLONG). " (deleted)" is appended, and "(unreachable)"
 * put before it if p is not below root and `mark`.
 */
char *path_name(const struct path *p, const struct path *root, bool mark, char *buf, size_t n);
/* The name of d inside its super, whatever is mounted where; as path_name(). */
char *dentry_full_name(struct dentry *d, char *buf, size_t n);
/* Of a handle, as current sees it; those without a path give "pipe:[N]", "anon_inode:NAME". */
char *file_name(struct file *f, char *buf, size_t n);

#endif
