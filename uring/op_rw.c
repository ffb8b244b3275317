/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes: READ, WRITE, READV, WRITEV, READ_FIXED, WRITE_FIXED.
 *
 * The vector is imported into ->iov when the request is first tried, and kept, so that
 * what the program does with it afterwards does not matter. ->iter stands where the
 * last attempt began; a write to a pipe that moved a part goes on with the rest.
 */
#include "kernel/task/task.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

#define RWF_NOWAIT 0x8u
#define RWF_APPEND 0x10u

static bool
is_write(const struct request *r)
{
	return r->opcode == IORING_OP_WRITE || r->opcode == IORING_OP_WRITEV ||
	       r->opcode == IORING_OP_WRITE_FIXED;
}

static bool
is_vector(const struct request *r)
{
	return r->opcode == IORING_OP_READV || r->opcode == IORING_OP_WRITEV;
}

int
prep_rw(struct request *r, const struct uring_sqe *sqe)
{
	u32 class = sqe->ioprio >> 13;

	r->rw = (struct op_rw){
		.addr = sqe->addr,
		.pos = (s64)sqe->off,
		.len = sqe->len,
		.flags = sqe->op_flags,
	};
	/* A class of priorities that there is not, or one that is not for everybody. */
	if (sqe->ioprio && class > 3)
		return -EINVAL;
	if (r->flags & RQ_SELECT && is_vector(r) && sqe->len != 1)
		return -EINVAL;
	if (sqe->op_flags & RWF_NOWAIT)
		r->flags |= RQ_NOWAIT;
	return 0;
}

int
prep_rw_fixed(struct request *r, const struct uring_sqe *sqe)
{
	int err = prep_rw(r, sqe);

	if (err)
		return err;
	r->buffer = ring_buffer_get(r->ring, sqe->buf);
	return r->buffer ? 0 : -EFAULT;
}

static int
import_vector(struct request *r)
{
	struct op_rw *rw = &r->rw;
	struct iovec fast[IOV_FAST], *heap;
	int err = iter_init_user_iov(&rw->iter, (const struct iovec __user *)rw->addr, rw->len,
				     fast, &heap);

	if (err)
		return err;
	if (!heap && rw->len) {
		heap = kmemdup(fast, rw->len * sizeof(*heap), GFP_KERNEL);
		if (!heap)
			return -ENOMEM;
		rw->iter.iov = heap;
	}
	rw->iov = heap;
	return 0;
}

int
import_rw(struct request *r)
{
	struct op_rw *rw = &r->rw;

	/* A buffer of a group is chosen when there is something for it. */
	if (r->flags & RQ_SELECT)
		return 0;
	if (r->buffer)
		return ring_buffer_iter(r->buffer, rw);
	if (is_vector(r))
		return import_vector(r);
	return iter_init_user(&rw->iter, (void __user *)rw->addr, rw->len);
}

void
cleanup_rw(struct request *r)
{
	kfree(r->rw.iov);
	if (r->buffer)
		ring_buffer_put(r->buffer);
}

/* The buffer of the group that the request names; a vector of one gives its length. */
static int
choose(struct request *r, u32 how)
{
	struct op_rw *rw = &r->rw;
	struct iovec one;
	u64 addr;
	u32 len = rw->len;
	int err;

	if (is_vector(r)) {
		if (copy_from_user(&one, (const void __user *)rw->addr, sizeof(one)))
			return -EFAULT;
		len = (u32)min(one.len, (size_t)INT32_MAX);
	}
	err = select_buffer(r, &addr, &len, how);
	return err ? err : iter_init_user(&rw->iter, (void __user *)addr, len);
}

static int
ready_iter(struct request *r, u32 how)
{
	int err;

	if (r->flags & RQ_SELECT)
		return choose(r, how);
	if (r->flags & RQ_IMPORTED)
		return 0;
	err = import_rw(r);
	r->flags |= RQ_IMPORTED;
	return err;
}

/* A handle that takes only a part of what it is given when asked not to wait. */
static bool
takes_parts(const struct file *f)
{
	return f->mode & FMODE_NOWAIT_INSIDE && !file_nonblock(f);
}

long
issue_rw(struct request *r, u32 how)
{
	struct op_rw *rw = &r->rw;
	bool write = is_write(r);
	size_t want;
	struct iter it;
	s64 n;
	int err;

	if (!(r->file->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	err = ready_iter(r, how);
	if (err)
		return err;
	want = iter_left(&rw->iter) + (size_t)rw->done;
	it = rw->iter;
	it.nowait = how & ISSUE_NONBLOCK;
	n = file_rw(r->file, &it, rw->pos, (int)rw->flags, write);
	if (n == -EAGAIN && how & ISSUE_NONBLOCK) {
		select_undo(r, how);
		return -EAGAIN;
	}
	if (n > 0 && write && how & ISSUE_NONBLOCK && iter_left(&it) && takes_parts(r->file)) {
		/* The rest is for who may wait. */
		rw->iter = it;
		rw->done += n;
		r->flags |= RQ_ASYNC;
		return -EAGAIN;
	}
	if (rw->done)
		n = n > 0 ? n + rw->done : rw->done;
	if (n >= 0 && (size_t)n != want)
		r->flags |= RQ_FAIL;
	return n;
}
