/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files and names: OPENAT, STATX, RENAMEAT, UNLINKAT, MKDIRAT, SYMLINKAT, LINKAT, xattr;
 * FSYNC, FALLOCATE and others on an open file. Names are copied when a request is made.
 */
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "kernel/uapi/xattr.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

/* A copy of a user's name; err_ptr. */
static struct pathname *
name_get(u64 addr, u32 walk)
{
	struct pathname *p = kmalloc(sizeof(*p), GFP_KERNEL);
	int err;

	if (!p)
		return err_ptr(-ENOMEM);
	err = pathname_get(p, (const char __user *)addr, walk);
	if (!err)
		return p;
	kfree(p);
	return err_ptr(err);
}

static void
name_put(struct pathname *p)
{
	if (!p)
		return;
	pathname_put(p);
	kfree(p);
}

void
cleanup_path(struct request *r)
{
	name_put(r->path.a);
	name_put(r->path.b);
	kfree(r->path.name);
	kvfree(r->path.value);
}

/* Both names, as far as there are; nothing is held after an error. */
static int
names_get(struct request *r, u64 a, u32 walk, u64 b)
{
	r->path.a = name_get(a, walk);
	if (is_err(r->path.a))
		return ptr_err(r->path.a);
	if (!b)
		return 0;
	r->path.b = name_get(b, 0);
	if (!is_err(r->path.b))
		return 0;
	name_put(r->path.a);
	return ptr_err(r->path.b);
}

/* --- OPENAT, OPENAT2 --- */

static int
prep_open_common(struct request *r, const struct uring_sqe *sqe, bool plain)
{
	if (r->flags & RQ_FIXED_FILE)
		return -EBADF;
	r->file_slot = sqe->file_index;
	if (r->file_slot && r->path.flags & O_CLOEXEC)
		return -EINVAL;
	return names_get(r, sqe->addr, 0, 0);
}

int
prep_open(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->buf)
		return -EINVAL;
	r->path = (struct op_path){.dfd = sqe->fd, .flags = sqe->op_flags, .how_mode = sqe->len};
	return prep_open_common(r, sqe, true);
}

int
prep_open2(struct request *r, const struct uring_sqe *sqe)
{
	struct open_how how;
	int err;

	if (sqe->buf)
		return -EINVAL;
	if (sqe->len < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (sqe->len > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&how, sizeof(how), (const void __user *)sqe->off, sqe->len);
	if (err)
		return err;
	r->path = (struct op_path){.dfd = sqe->fd,
				   .flags = (u32)how.flags,
				   .len = how.flags,
				   .how_mode = how.mode,
				   .how_resolve = how.resolve};
	return prep_open_common(r, sqe, false);
}

/* A try that must not wait: not to make anything, nor for the other end of a FIFO. */
static bool
open_quickly(struct open_request *q)
{
	if (q->flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT))
		return false;
	q->flags |= O_NONBLOCK;
	return true;
}

static struct file *
open_now(struct request *r, u32 how)
{
	struct open_request q;
	bool nonblock;
	struct file *f;
	int err;

	if (r->opcode == IORING_OP_OPENAT)
		err = open_request_plain(&q, r->path.flags, (u32)r->path.how_mode);
	else
		err = open_request_how(&q, &(struct open_how){.flags = r->path.len,
							      .mode = r->path.how_mode,
							      .resolve = r->path.how_resolve});
	if (err)
		return err_ptr(err);
	nonblock = q.flags & O_NONBLOCK;
	if (how & ISSUE_NONBLOCK && !open_quickly(&q))
		return err_ptr(-EAGAIN);
	f = file_open_at(r->path.dfd, r->path.a->s, &q);
	if (!is_err(f) && how & ISSUE_NONBLOCK && !nonblock)
		atomic_and(&f->flags, ~(u32)O_NONBLOCK);
	return f;
}

long
issue_open(struct request *r, u32 how)
{
	struct file *f;
	int fd = -1;

	if (!r->file_slot) {
		fd = fd_reserve(0, r->path.flags & O_CLOEXEC);
		if (fd < 0)
			return fd;
	}
	f = open_now(r, how);
	if (is_err(f)) {
		if (fd >= 0)
			fd_unreserve((unsigned int)fd);
		return ptr_err(f);
	}
	if (r->file_slot)
		return ring_file_install(r, f, r->file_slot, how);
	fd_publish((unsigned int)fd, f);
	return fd;
}

/* --- STATX --- */

int
prep_statx(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->buf || sqe->file_index)
		return -EINVAL;
	if (r->flags & RQ_FIXED_FILE)
		return -EBADF;
	r->path = (struct op_path){
		.dfd = sqe->fd, .flags = sqe->op_flags, .mask = sqe->len, .addr = sqe->off};
	return names_get(r, sqe->addr, sqe->op_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0, 0);
}

long
issue_statx(struct request *r, u32 how)
{
	return statx_name(r->path.dfd, r->path.a->s, r->path.flags, r->path.mask,
			  (struct statx __user *)r->path.addr);
}

/* --- UNLINKAT, MKDIRAT --- */

int
prep_one_path(struct request *r, const struct uring_sqe *sqe)
{
	bool dir = r->opcode == IORING_OP_MKDIRAT;

	if (sqe->off || (sqe->len && !dir) || sqe->buf || sqe->file_index || (dir && sqe->op_flags))
		return -EINVAL;
	if (r->flags & RQ_FIXED_FILE)
		return -EBADF;
	if (!dir && sqe->op_flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	r->path = (struct op_path){.dfd = sqe->fd, .flags = sqe->op_flags, .mask = sqe->len};
	return names_get(r, sqe->addr, 0, 0);
}

long
issue_one_path(struct request *r, u32 how)
{
	if (r->opcode == IORING_OP_MKDIRAT)
		return vfs_mkdir(r->path.dfd, r->path.a->s, r->path.mask);
	return r->path.flags & AT_REMOVEDIR ? vfs_rmdir(r->path.dfd, r->path.a->s)
					    : vfs_unlink(r->path.dfd, r->path.a->s);
}

/* --- RENAMEAT, SYMLINKAT, LINKAT --- */

int
prep_two_paths(struct request *r, const struct uring_sqe *sqe)
{
	bool sym = r->opcode == IORING_OP_SYMLINKAT;
	u32 walk = 0;

	if (sqe->buf || sqe->file_index || (sym && (sqe->len || sqe->op_flags)))
		return -EINVAL;
	if (r->flags & RQ_FIXED_FILE)
		return -EBADF;
	r->path = (struct op_path){.dfd = sqe->fd, .dfd2 = (s32)sqe->len, .flags = sqe->op_flags};
	if (r->opcode == IORING_OP_LINKAT && sqe->op_flags & AT_EMPTY_PATH)
		walk = WALK_EMPTY;
	return names_get(r, sqe->addr, walk, sqe->off);
}

long
issue_two_paths(struct request *r, u32 how)
{
	const struct op_path *p = &r->path;

	/* A second name that is NULL was not read. */
	if (!p->b)
		return -EFAULT;
	if (r->opcode == IORING_OP_SYMLINKAT)
		return vfs_symlink(p->a->s, p->dfd, p->b->s);
	if (r->opcode == IORING_OP_RENAMEAT)
		return vfs_rename(&(struct rename_request){.odfd = p->dfd,
							   .old = p->a->s,
							   .ndfd = p->dfd2,
							   .new_name = p->b->s,
							   .flags = p->flags});
	if (p->flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return vfs_link(p->dfd, p->a->s, p->dfd2, p->b->s, (int)p->flags);
}

/* --- FSETXATTR, SETXATTR, FGETXATTR, GETXATTR --- */

static bool
xattr_by_path(const struct request *r)
{
	return r->opcode == IORING_OP_SETXATTR || r->opcode == IORING_OP_GETXATTR;
}

static bool
xattr_is_set(const struct request *r)
{
	return r->opcode == IORING_OP_SETXATTR || r->opcode == IORING_OP_FSETXATTR;
}

static int
xattr_import(struct request *r, u64 uname, u64 uvalue)
{
	struct op_path *p = &r->path;
	long n;

	p->name = kmalloc(XATTR_NAME_MAX + 1, GFP_KERNEL);
	if (!p->name)
		return -ENOMEM;
	n = strncpy_from_user(p->name, (const char __user *)uname, XATTR_NAME_MAX + 1);
	if (n == 0 || n == -ENAMETOOLONG)
		return -ERANGE;
	if (n < 0)
		return (int)n;
	if (!xattr_is_set(r))
		return 0;
	if (p->len > XATTR_SIZE_MAX)
		return -E2BIG;
	p->value = kvmalloc(p->len + 1, GFP_KERNEL);
	if (!p->value)
		return -ENOMEM;
	return p->len ? copy_from_user(p->value, (const void __user *)uvalue, p->len) : 0;
}

int
prep_xattr(struct request *r, const struct uring_sqe *sqe)
{
	bool set = xattr_is_set(r);
	int err;

	if (xattr_by_path(r) && r->flags & RQ_FIXED_FILE)
		return -EBADF;
	if (set ? sqe->op_flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE) : sqe->op_flags)
		return -EINVAL;
	r->path = (struct op_path){.flags = sqe->op_flags, .len = sqe->len, .addr = sqe->off};
	err = xattr_import(r, sqe->addr, sqe->off);
	if (!err && xattr_by_path(r))
		err = names_get(r, sqe->addr3, 0, 0);
	if (err) {
		r->path.a = NULL;
		cleanup_path(r);
	}
	return err;
}

static long
xattr_on(struct request *r, const struct path *p)
{
	const struct op_path *x = &r->path;

	if (xattr_is_set(r))
		return xattr_set(p, x->name, x->value, x->len, (int)x->flags);
	return xattr_get(p, x->name, (void __user *)x->addr, x->len);
}

long
issue_xattr(struct request *r, u32 how)
{
	struct path p;
	long ret;

	if (!xattr_by_path(r))
		return r->file->path.mnt ? xattr_on(r, &r->file->path) : -EOPNOTSUPP;
	ret = path_lookup(AT_FDCWD, r->path.a->s, WALK_FOLLOW, &p);
	if (ret)
		return ret;
	ret = xattr_on(r, &p);
	path_put(&p);
	return ret;
}

/* --- FSYNC, SYNC_FILE_RANGE, FALLOCATE, FADVISE, MADVISE --- */

int
prep_file_call(struct request *r, const struct uring_sqe *sqe)
{
	r->args = (struct op_args){
		.a = sqe->off, .b = sqe->addr, .len = sqe->len, .flags = sqe->op_flags};
	switch (r->opcode) {
	case IORING_OP_FSYNC:
		if (sqe->addr || sqe->buf || sqe->file_index ||
		    sqe->op_flags & ~IORING_FSYNC_DATASYNC)
			return -EINVAL;
		return 0;
	case IORING_OP_SYNC_FILE_RANGE:
		return sqe->addr || sqe->buf || sqe->file_index ? -EINVAL : 0;
	case IORING_OP_FALLOCATE:
		return sqe->buf || sqe->op_flags || sqe->file_index ? -EINVAL : 0;
	case IORING_OP_FADVISE:
		return sqe->buf || sqe->addr || sqe->file_index ? -EINVAL : 0;
	default:
		/* MADVISE */
		return sqe->buf || sqe->off || sqe->file_index ? -EINVAL : 0;
	}
}

static long
do_fsync_range(struct request *r)
{
	s64 end = (s64)(r->args.a + r->args.len);

	if ((s64)r->args.a < 0 || end < 0)
		return -EINVAL;
	return file_fsync(r->file, r->args.flags & IORING_FSYNC_DATASYNC);
}

long
issue_file_call(struct request *r, u32 how)
{
	const struct op_args *a = &r->args;

	switch (r->opcode) {
	case IORING_OP_FSYNC:
		return do_fsync_range(r);
	case IORING_OP_SYNC_FILE_RANGE:
		return file_sync_range(r->file, (s64)a->a, a->len, a->flags);
	case IORING_OP_FALLOCATE:
		return file_fallocate(r->file, (int)a->len, (s64)a->a, (s64)a->b);
	case IORING_OP_FADVISE:
		return file_fadvise(r->file, a->len, (int)a->flags);
	default:
		return sys_madvise(a->b, a->len, (int)a->flags);
	}
}

/* --- SPLICE, TEE --- */

int
prep_splice(struct request *r, const struct uring_sqe *sqe)
{
	bool tee = r->opcode == IORING_OP_TEE;

	if (tee && (sqe->addr || sqe->off))
		return -EINVAL;
	if (sqe->op_flags & ~(0xfu | SPLICE_F_FD_IN_FIXED))
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->addr,
				   .b = sqe->off,
				   .len = sqe->len,
				   .flags = sqe->op_flags,
				   .x = sqe->file_index};
	return 0;
}

static struct file *
splice_from(struct request *r, u32 how)
{
	struct file *f;

	if (!(r->args.flags & SPLICE_F_FD_IN_FIXED))
		return fd_get_file(r->args.x);
	ring_lock(r->ring, how);
	f = ring_file(r->ring, r->args.x);
	ring_unlock(r->ring, how);
	return f;
}

long
issue_splice(struct request *r, u32 how)
{
	u32 flags = r->args.flags & ~SPLICE_F_FD_IN_FIXED;
	s64 ioff = (s64)r->args.a, ooff = (s64)r->args.b, n = 0;
	struct file *in = splice_from(r, how);

	if (!in)
		return -EBADF;
	if (r->args.len && r->opcode == IORING_OP_TEE)
		n = file_tee(in, r->file, r->args.len, flags);
	else if (r->args.len)
		n = file_splice(&(struct splice_end){in, ioff == -1 ? NULL : &ioff},
				&(struct splice_end){r->file, ooff == -1 ? NULL : &ooff},
				min((size_t)r->args.len, IO_MAX), flags);
	file_put(in);
	if (n != (s64)r->args.len)
		r->flags |= RQ_FAIL;
	return n;
}
