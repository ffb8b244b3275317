/* SPDX-License-Identifier: BSD-2-Clause */
/* open(2) and its relatives; memory of flags is fs/open.c's. */
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "mm/uaccess.h"

/* With O_PATH all others are ignored. */
#define O_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

/* What open(2) and openat2(2) check alike: 0 or -EINVAL. */
static int
check_flags(struct open_request *r)
{
	if ((r->flags & O_SYNC) == O_SYNC)
		r->flags |= O_DSYNC;
	if (!(r->flags & O_TMPFILE_BIT))
		return 0;
	if ((r->flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE)
		return -EINVAL;
	/* Both write modes and the third have a bit set. */
	return r->flags & O_ACCMODE ? 0 : -EINVAL;
}

static u32
creates(u32 flags)
{
	return flags & (O_CREAT | O_TMPFILE_BIT);
}

static long
open_request(int dfd, const char __user *upath, struct open_request *r)
{
	struct pathname p;
	struct file *f;
	int fd = pathname_get(&p, upath, 0);

	if (fd)
		return fd;
	fd = fd_reserve(0, r->flags & O_CLOEXEC);
	if (fd >= 0) {
		f = file_open_at(dfd, p.s, r);
		if (is_err(f)) {
			fd_unreserve(fd);
			fd = ptr_err(f);
		} else {
			fd_publish(fd, f);
		}
	}
	pathname_put(&p);
	return fd;
}

/* Flags that nobody knows are ignored here. */
int
open_request_plain(struct open_request *r, u32 flags, u32 mode)
{
	*r = (struct open_request){.flags = (flags & O_ALL) | O_LARGEFILE};
	if (r->flags & O_PATH)
		r->flags &= O_PATH_FLAGS;
	if (creates(r->flags))
		r->mode = mode & S_IALLUGO;
	return check_flags(r);
}

static long
do_open(int dfd, const char __user *path, int flags, u32 mode)
{
	struct open_request r;
	int err = open_request_plain(&r, (u32)flags, mode);

	return err ? err : open_request(dfd, path, &r);
}

long
sys_open(const char __user *path, int flags, unsigned int mode)
{
	return do_open(AT_FDCWD, path, flags, mode);
}

long
sys_openat(int dfd, const char __user *path, int flags, unsigned int mode)
{
	return do_open(dfd, path, flags, mode);
}

long
sys_creat(const char __user *path, unsigned int mode)
{
	return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static u32
walk_flags(u64 resolve)
{
	u32 w = 0;

	w |= resolve & RESOLVE_NO_XDEV ? WALK_NO_XDEV : 0;
	w |= resolve & RESOLVE_NO_MAGICLINKS ? WALK_NO_MAGIC : 0;
	w |= resolve & RESOLVE_NO_SYMLINKS ? WALK_NO_SYMLINKS : 0;
	w |= resolve & RESOLVE_BENEATH ? WALK_BENEATH : 0;
	w |= resolve & RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0;
	w |= resolve & RESOLVE_CACHED ? WALK_CACHED : 0;
	return w;
}

static int
check_how(const struct open_how *how)
{
	if (how->flags & ~(u64)O_ALL || how->resolve & ~(u64)RESOLVE_ALL)
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (creates(how->flags) ? how->mode & ~(u64)S_IALLUGO : how->mode)
		return -EINVAL;
	if ((how->flags & O_PATH) && (how->flags & ~(u64)O_PATH_FLAGS))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (how->flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT)))
		return -EAGAIN;
	return 0;
}

int
open_request_how(struct open_request *r, const struct open_how *how)
{
	int err = check_how(how);

	if (err)
		return err;
	*r = (struct open_request){
		.flags = (u32)how->flags | (how->flags & O_PATH ? 0 : O_LARGEFILE),
		.mode = (u32)how->mode,
		.walk = walk_flags(how->resolve),
	};
	return check_flags(r);
}

long
sys_openat2(int dfd, const char __user *path, struct open_how __user *uhow, size_t size)
{
	struct open_request r;
	struct open_how how;
	int err;

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&how, sizeof(how), uhow, size);
	if (!err)
		err = open_request_how(&r, &how);
	return err ? err : open_request(dfd, path, &r);
}
