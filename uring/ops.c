/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of operations, and those that belong nowhere else. */
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

static long
issue_nop(struct request *r, u32 how)
{
	return 0;
}

/* --- CLOSE --- */

int
prep_close(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->off || sqe->addr || sqe->len || sqe->op_flags || sqe->buf)
		return -EINVAL;
	if (r->flags & RQ_FIXED_FILE)
		return -EBADF;
	r->file_slot = sqe->file_index;
	return r->file_slot && r->fd ? -EINVAL : 0;
}

long
issue_close(struct request *r, u32 how)
{
	struct fdref f;
	bool is_ring;

	if (r->file_slot)
		return ring_file_close(r->ring, r->file_slot - 1, how);
	f = fd_get((unsigned int)r->fd);
	if (!f.file)
		return -EBADF;
	is_ring = file_ring(f.file);
	fd_put(f);
	/* A ring does not close rings. */
	return is_ring ? -EBADF : sys_close((unsigned int)r->fd);
}

/* --- EPOLL_CTL --- */

static int
prep_epoll(struct request *r, const struct uring_sqe *sqe)
{
	struct {
		u32 events;
		u64 data;
	} __packed ev = {0};

	if (sqe->buf || sqe->file_index)
		return -EINVAL;
	/* EPOLL_CTL_DEL has no event. */
	if (sqe->len != 2 && copy_from_user(&ev, (const void __user *)sqe->addr, sizeof(ev)))
		return -EFAULT;
	r->args = (struct op_args){
		.a = (u32)sqe->off, .len = sqe->len, .flags = ev.events, .c = ev.data};
	return 0;
}

static long
issue_epoll(struct request *r, u32 how)
{
	return epoll_ctl(&(struct epoll_ctl){.epfd = r->fd,
					     .op = (int)r->args.len,
					     .fd = (int)r->args.a,
					     .events = r->args.flags,
					     .data = r->args.c});
}

/* --- FILES_UPDATE --- */

static int
prep_files_update(struct request *r, const struct uring_sqe *sqe)
{
	if (r->flags & (RQ_FIXED_FILE | RQ_SELECT) || sqe->op_flags || sqe->file_index)
		return -EINVAL;
	if (!sqe->len)
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->off, .b = sqe->addr, .len = sqe->len};
	return 0;
}

/* Descriptors to be put into slots that are free; each becomes the number of its slot. */
static long
files_alloc_slots(struct request *r, u32 how)
{
	s32 __user *fds = (s32 __user *)r->args.b;
	long ret = 0;
	u32 done;

	for (done = 0; done < r->args.len; done++) {
		struct file *f;
		s32 fd;

		if (get_user(fd, &fds[done]))
			ret = -EFAULT;
		f = ret ? NULL : fd_get_file((unsigned int)fd);
		if (!ret && !f)
			ret = -EBADF;
		if (!ret)
			ret = ring_file_install(r, f, IORING_FILE_INDEX_ALLOC, how);
		if (ret < 0)
			break;
		if (put_user((s32)ret, &fds[done])) {
			(void)ring_file_close(r->ring, (u32)ret, how);
			ret = -EFAULT;
			break;
		}
		ret = 0;
	}
	return done ? (long)done : ret;
}

static long
issue_files_update(struct request *r, u32 how)
{
	struct rsrc_update u = {.offset = (u32)r->args.a, .nr = r->args.len, .data = r->args.b};
	long ret;

	if (r->args.a == IORING_FILE_INDEX_ALLOC)
		return files_alloc_slots(r, how);
	ring_lock(r->ring, how);
	ret = files_update(r->ring, &u);
	ring_unlock(r->ring, how);
	return ret;
}

/* --- MSG_RING --- */

static int
prep_msg_ring(struct request *r, const struct uring_sqe *sqe)
{
	if (sqe->buf || sqe->personality)
		return -EINVAL;
	if (sqe->op_flags & ~IORING_MSG_RING_CQE_SKIP)
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->off,
				   .b = sqe->addr,
				   .len = sqe->len,
				   .flags = sqe->op_flags,
				   .x = sqe->file_index,
				   .c = sqe->addr3};
	return 0;
}

/* A file of this ring for a slot of another. */
static long
send_file(struct request *r, struct ring *to, u32 how)
{
	struct request other = {.ring = to};
	struct file *f;
	long ret;

	if (to == r->ring)
		return -EINVAL;
	ring_lock(r->ring, how);
	f = ring_file(r->ring, (u32)r->args.c);
	ring_unlock(r->ring, how);
	if (!f)
		return -EBADF;
	/* Two rings that send to each other: who cannot have both locks at once tries later. */
	if (how & ISSUE_LOCKED) {
		if (!mutex_try_lock(&to->mutex)) {
			file_put(f);
			return -EAGAIN;
		}
	} else {
		mutex_lock(&to->mutex);
	}
	ret = ring_file_install(&other, f, r->args.x, ISSUE_LOCKED);
	mutex_unlock(&to->mutex);
	if (ret < 0 || r->args.flags & IORING_MSG_RING_CQE_SKIP)
		return ret;
	return ring_post(to, r->args.a, (s32)ret, 0) ? ret : -EOVERFLOW;
}

static long
issue_msg_ring(struct request *r, u32 how)
{
	struct ring *to = file_ring(r->file);

	if (!to)
		return -EBADFD;
	if (!READ_ONCE(to->enabled))
		return -EBADFD;
	switch (r->args.b) {
	case IORING_MSG_DATA:
		if (r->args.c || r->args.flags)
			return -EINVAL;
		return ring_post(to, r->args.a, (s32)r->args.len, 0) ? 0 : -EOVERFLOW;
	case IORING_MSG_SEND_FD:
		return send_file(r, to, how);
	default:
		return -EINVAL;
	}
}

/* --- the table --- */

#define RW_OP(id, dir)                                                                             \
	{                                                                                          \
		.name = (id), .flags = OP_FILE | (dir) | OP_IOPRIO, .prep = prep_rw,               \
		.import = import_rw, .issue = issue_rw, .cleanup = cleanup_rw                      \
	}
#define FIXED_OP(id, dir)                                                                          \
	{                                                                                          \
		.name = (id), .flags = OP_FILE | (dir) | OP_IOPRIO, .prep = prep_rw_fixed,         \
		.import = import_rw, .issue = issue_rw, .cleanup = cleanup_rw                      \
	}
#define MSG_OP(id, dir)                                                                            \
	{                                                                                          \
		.name = (id), .flags = OP_FILE | (dir) | OP_IOPRIO, .prep = prep_msg,              \
		.import = import_msg, .issue = issue_msg, .cleanup = cleanup_msg                   \
	}
#define FILE_OP(id, more)                                                                          \
	{                                                                                          \
		.name = (id), .flags = (more), .prep = prep_file_call, .issue = issue_file_call    \
	}
#define PATH_OP(id, prepare, call)                                                                 \
	{                                                                                          \
		.name = (id), .prep = (prepare), .issue = (call), .cleanup = cleanup_path          \
	}

const struct op_def op_defs[IORING_OP_LAST] = {
	[IORING_OP_NOP] = {.name = "NOP", .issue = issue_nop},
	[IORING_OP_READV] = RW_OP("READV", OP_POLLIN | OP_SELECT),
	[IORING_OP_WRITEV] = RW_OP("WRITEV", OP_POLLOUT),
	[IORING_OP_FSYNC] = FILE_OP("FSYNC", OP_FILE),
	[IORING_OP_READ_FIXED] = FIXED_OP("READ_FIXED", OP_POLLIN),
	[IORING_OP_WRITE_FIXED] = FIXED_OP("WRITE_FIXED", OP_POLLOUT),
	[IORING_OP_POLL_ADD] = {.name = "POLL_ADD",
				.flags = OP_FILE,
				.prep = prep_poll_add,
				.issue = issue_poll_add},
	[IORING_OP_POLL_REMOVE] = {.name = "POLL_REMOVE",
				   .prep = prep_poll_remove,
				   .issue = issue_poll_remove},
	[IORING_OP_SYNC_FILE_RANGE] = FILE_OP("SYNC_FILE_RANGE", OP_FILE),
	[IORING_OP_SENDMSG] = MSG_OP("SENDMSG", OP_POLLOUT),
	[IORING_OP_RECVMSG] = MSG_OP("RECVMSG", OP_POLLIN | OP_SELECT),
	[IORING_OP_TIMEOUT] = {.name = "TIMEOUT", .prep = prep_timeout, .issue = issue_timeout},
	[IORING_OP_TIMEOUT_REMOVE] = {.name = "TIMEOUT_REMOVE",
				      .prep = prep_timeout_remove,
				      .issue = issue_timeout_remove},
	[IORING_OP_ACCEPT] = {.name = "ACCEPT",
			      .flags = OP_FILE | OP_POLLIN | OP_IOPRIO,
			      .prep = prep_accept,
			      .issue = issue_accept},
	[IORING_OP_ASYNC_CANCEL] = {.name = "ASYNC_CANCEL",
				    .prep = prep_cancel,
				    .issue = issue_cancel},
	[IORING_OP_LINK_TIMEOUT] = {.name = "LINK_TIMEOUT",
				    .prep = prep_link_timeout,
				    .issue = issue_nop},
	[IORING_OP_CONNECT] = {.name = "CONNECT",
			       .flags = OP_FILE,
			       .prep = prep_connect,
			       .import = import_connect,
			       .issue = issue_connect,
			       .cleanup = cleanup_connect},
	[IORING_OP_FALLOCATE] = FILE_OP("FALLOCATE", OP_FILE),
	[IORING_OP_OPENAT] = PATH_OP("OPENAT", prep_open, issue_open),
	[IORING_OP_CLOSE] = {.name = "CLOSE", .prep = prep_close, .issue = issue_close},
	[IORING_OP_FILES_UPDATE] = {.name = "FILES_UPDATE",
				    .prep = prep_files_update,
				    .issue = issue_files_update},
	[IORING_OP_STATX] = PATH_OP("STATX", prep_statx, issue_statx),
	[IORING_OP_READ] = RW_OP("READ", OP_POLLIN | OP_SELECT),
	[IORING_OP_WRITE] = RW_OP("WRITE", OP_POLLOUT),
	[IORING_OP_FADVISE] = FILE_OP("FADVISE", OP_FILE),
	[IORING_OP_MADVISE] = FILE_OP("MADVISE", 0),
	[IORING_OP_SEND] = MSG_OP("SEND", OP_POLLOUT),
	[IORING_OP_RECV] = MSG_OP("RECV", OP_POLLIN | OP_SELECT),
	[IORING_OP_OPENAT2] = PATH_OP("OPENAT2", prep_open2, issue_open),
	[IORING_OP_EPOLL_CTL] = {.name = "EPOLL_CTL", .prep = prep_epoll, .issue = issue_epoll},
	[IORING_OP_SPLICE] = {.name = "SPLICE",
			      .flags = OP_FILE | OP_BLOCKS,
			      .prep = prep_splice,
			      .issue = issue_splice},
	[IORING_OP_PROVIDE_BUFFERS] = {.name = "PROVIDE_BUFFERS",
				       .prep = prep_provide,
				       .issue = issue_provide},
	[IORING_OP_REMOVE_BUFFERS] = {.name = "REMOVE_BUFFERS",
				      .prep = prep_remove_buffers,
				      .issue = issue_remove_buffers},
	[IORING_OP_TEE] = {.name = "TEE",
			   .flags = OP_FILE | OP_BLOCKS,
			   .prep = prep_splice,
			   .issue = issue_splice},
	[IORING_OP_SHUTDOWN] = {.name = "SHUTDOWN",
				.flags = OP_FILE,
				.prep = prep_shutdown,
				.issue = issue_shutdown},
	[IORING_OP_RENAMEAT] = PATH_OP("RENAMEAT", prep_two_paths, issue_two_paths),
	[IORING_OP_UNLINKAT] = PATH_OP("UNLINKAT", prep_one_path, issue_one_path),
	[IORING_OP_MKDIRAT] = PATH_OP("MKDIRAT", prep_one_path, issue_one_path),
	[IORING_OP_SYMLINKAT] = PATH_OP("SYMLINKAT", prep_two_paths, issue_two_paths),
	[IORING_OP_LINKAT] = PATH_OP("LINKAT", prep_two_paths, issue_two_paths),
	[IORING_OP_MSG_RING] = {.name = "MSG_RING",
				.flags = OP_FILE,
				.prep = prep_msg_ring,
				.issue = issue_msg_ring},
	[IORING_OP_FSETXATTR] = {.name = "FSETXATTR",
				 .flags = OP_FILE,
				 .prep = prep_xattr,
				 .issue = issue_xattr,
				 .cleanup = cleanup_path},
	[IORING_OP_SETXATTR] = PATH_OP("SETXATTR", prep_xattr, issue_xattr),
	[IORING_OP_FGETXATTR] = {.name = "FGETXATTR",
				 .flags = OP_FILE,
				 .prep = prep_xattr,
				 .issue = issue_xattr,
				 .cleanup = cleanup_path},
	[IORING_OP_GETXATTR] = PATH_OP("GETXATTR", prep_xattr, issue_xattr),
	[IORING_OP_SOCKET] = {.name = "SOCKET", .prep = prep_socket, .issue = issue_socket},
};
