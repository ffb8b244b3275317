/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux AIO: io_submit(2), io_cancel(2). aio_ctx.c tells the model. */
#include "fs/namei.h"
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "uring/aio_impl.h"

enum {
	IOCB_CMD_PREAD = 0,
	IOCB_CMD_PWRITE = 1,
	IOCB_CMD_FSYNC = 2,
	IOCB_CMD_FDSYNC = 3,
	IOCB_CMD_POLL = 5,
	IOCB_CMD_PREADV = 7,
	IOCB_CMD_PWRITEV = 8,
};

#define IOCB_FLAG_RESFD 1u
#define IOCB_FLAG_IOPRIO 2u
#define RWF_HIPRI 0x1u

/* What is being submitted. */
struct submission {
	struct aio_ctx *ctx;
	struct aio_iocb cb;
	u64 obj;
	struct file *file, *resfd;
};

static void
finish(struct submission *s, s64 res)
{
	if (res == -ERESTARTSYS || res == -ERESTARTNOINTR || res == -ERESTARTNOHAND)
		res = -EINTR;
	aio_post(s->ctx, &(struct aio_event){s->cb.data, s->obj, res, 0}, s->resfd);
}

static int
submit_rw(struct submission *s, bool write, bool vector)
{
	struct iovec fast[IOV_FAST], *heap = NULL;
	struct iter it;
	int err;

	if (!(s->file->mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write ? !s->file->ops->write : !s->file->ops->read)
		return -EINVAL;
	if (s->cb.rw_flags & ~0x1fu || (s->file->ops->plain && s->cb.rw_flags & ~RWF_HIPRI))
		return -EOPNOTSUPP;
	if (s->cb.offset < 0)
		return -EINVAL;
	if (vector)
		err = iter_init_user_iov(&it, (const struct iovec __user *)s->cb.buf, s->cb.nbytes,
					 fast, &heap);
	else
		err = iter_init_user(&it, (void __user *)s->cb.buf, s->cb.nbytes);
	if (err)
		return err;
	finish(s, file_rw(s->file, &it, s->cb.offset, (int)(s->cb.rw_flags & ~RWF_HIPRI), write));
	kfree(heap);
	return 0;
}

static int
submit_fsync(struct submission *s, bool data_only)
{
	if (s->cb.buf || s->cb.offset || s->cb.nbytes || s->cb.rw_flags)
		return -EINVAL;
	if (!s->file->ops->fsync)
		return -EINVAL;
	finish(s, file_fsync(s->file, data_only));
	return 0;
}

static int
submit_op(struct submission *s)
{
	int err;

	switch (s->cb.opcode) {
	case IOCB_CMD_PREAD:
		return submit_rw(s, false, false);
	case IOCB_CMD_PWRITE:
		return submit_rw(s, true, false);
	case IOCB_CMD_PREADV:
		return submit_rw(s, false, true);
	case IOCB_CMD_PWRITEV:
		return submit_rw(s, true, true);
	case IOCB_CMD_FSYNC:
		return submit_fsync(s, false);
	case IOCB_CMD_FDSYNC:
		return submit_fsync(s, true);
	case IOCB_CMD_POLL:
		err = aio_poll_start(s->ctx, &s->cb, s->obj, s->file, s->resfd);
		/* They are the request's. */
		if (!err)
			s->file = s->resfd = NULL;
		return err;
	default:
		return -EINVAL;
	}
}

static int
take_files(struct submission *s)
{
	s->file = fd_get_file(s->cb.fd);
	if (!s->file)
		return -EBADF;
	if (!(s->cb.flags & IOCB_FLAG_RESFD))
		return 0;
	s->resfd = fd_get_file(s->cb.resfd);
	if (!s->resfd)
		return -EBADF;
	return file_eventfd(s->resfd) ? 0 : -EINVAL;
}

static int
submit_one(struct aio_ctx *c, u64 obj)
{
	struct submission s = {.ctx = c, .obj = obj};
	struct aio_iocb __user *u = (struct aio_iocb __user *)obj;
	int err;

	if (copy_from_user(&s.cb, u, sizeof(s.cb)))
		return -EFAULT;
	if (s.cb.reserved2 || (s64)s.cb.nbytes < 0)
		return -EINVAL;
	err = aio_reserve(c);
	if (err)
		return err;
	err = take_files(&s);
	if (!err && put_user(0u, user_field(u, key)))
		err = -EFAULT;
	if (!err)
		err = submit_op(&s);
	if (err)
		aio_unreserve(c);
	if (s.file)
		file_put(s.file);
	if (s.resfd)
		file_put(s.resfd);
	return err;
}

long
sys_io_submit(u64 id, s64 nr, void __user *uiocbs)
{
	u64 __user *list = uiocbs;
	struct aio_ctx *c;
	int err = 0;
	s64 i;
	u64 obj;

	if (nr < 0)
		return -EINVAL;
	c = aio_ctx_get(id);
	if (!c)
		return -EINVAL;
	nr = min(nr, (s64)c->nr);
	for (i = 0; i < nr; i++) {
		err = get_user(obj, &list[i]) ? -EFAULT : submit_one(c, obj);
		if (err)
			break;
	}
	aio_ctx_put(c);
	return i ? i : err;
}

long
sys_io_cancel(u64 id, void __user *iocb, void __user *result)
{
	struct aio_iocb __user *u = iocb;
	struct aio_ctx *c;
	u32 key;
	bool any;

	if (get_user(key, user_field(u, key)))
		return -EFAULT;
	if (key)
		return -EINVAL;
	c = aio_ctx_get(id);
	if (!c)
		return -EINVAL;
	any = iocb && aio_poll_cancel(c, (u64 __force)iocb);
	aio_ctx_put(c);
	/* The event comes by the ring. */
	return any ? -EINPROGRESS : -EINVAL;
}
