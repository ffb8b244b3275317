/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data from handle to handle: splice, tee, vmsplice, sendfile, copy_file_range.
 *
 * Model: pages move between pipes by reference; towards and from other handles
 * data goes through the handle's read and write with a buffer of one page.
 */
#include "kernel/handle/handle.h"
#include "kernel/handle/pipe.h"
#include "kernel/port_fs.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/stat.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define SPLICE_F_MOVE 1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE 4u
#define SPLICE_F_GIFT 8u
#define SPLICE_F_ALL 15u

/* --- between pipes --- */

/* Both of in's and w.lock of out's, by address. */
static void
lock_two(struct pipe *in, struct pipe *out)
{
	if (in < out) {
		pipe_lock_both(in);
		mutex_lock_nested(&out->w.lock);
	} else {
		mutex_lock(&out->w.lock);
		mutex_lock_nested(&in->r.lock);
		mutex_lock_nested(&in->w.lock);
	}
}

static void
unlock_two(struct pipe *in, struct pipe *out)
{
	pipe_unlock_both(in);
	mutex_unlock(&out->w.lock);
}

/* Moves or copies (tee) slots while there are any; locked by lock_two(). Bytes. */
static s64
slots_move(struct pipe *in, struct pipe *out, size_t n, bool copy)
{
	s64 done = 0;
	u32 at;

	for (at = in->r.tail; n && at != in->w.head && pipe_writable(out); at++) {
		struct pipe_slot *s = pipe_at(in, at);
		u32 from = pipe_slot_start(in, at);
		u32 len = (u32)min((size_t)(s->end - from), n);

		page_get(s->page);
		/* The page is shared now: nobody may add to it. */
		pipe_freeze(in, at);
		pipe_push(out, s->page, from, len, s->flags);
		n -= len;
		done += len;
		if (!copy && pipe_readable(in)) {
			/* Readers may have known of less. */
			in->r.end = s->end;
			pipe_consume(in, len);
		}
	}
	(void)pipe_made_room(in);
	return done;
}

static s64
pipe_to_pipe(struct pipe *in, struct pipe *out, size_t n, bool copy, bool nonblock)
{
	s64 done = 0;
	int err;

	if (in == out)
		return -EINVAL;
	while (n) {
		mutex_lock(&in->r.lock);
		err = pipe_wait_readable(in, nonblock);
		pipe_pass_data(in);
		mutex_unlock(&in->r.lock);
		if (err)
			return err == 1 ? 0 : err;
		mutex_lock(&out->w.lock);
		err = pipe_wait_writable(out, nonblock);
		pipe_pass_room(out);
		mutex_unlock(&out->w.lock);
		if (err)
			return err;
		lock_two(in, out);
		done = slots_move(in, out, n, copy);
		unlock_two(in, out);
		if (done)
			break;
	}
	pipe_wake_writers(in);
	pipe_wake_readers(out);
	return done;
}

/* --- pipe and another handle --- */

static s64
pipe_to_file(struct pipe *p, struct file *f, u64 *pos, size_t n, bool nonblock)
{
	s64 done = 0, ret = 0;
	struct iter it;
	int err = 0;

	mutex_lock(&p->r.lock);
	while (n) {
		size_t len;

		if (!pipe_readable(p)) {
			if (done)
				break;
			err = pipe_wait_readable(p, nonblock);
			if (err)
				break;
		}
		len = min((size_t)(p->r.end - p->r.at), n);
		iter_init_kernel(&it, (char *)page_to_virt(p->r.page) + p->r.at, len);
		ret = file_write(f, &it, pos);
		if (ret <= 0)
			break;
		pipe_consume(p, (u32)ret);
		done += ret;
		n -= (size_t)ret;
		if ((size_t)ret < len)
			break;
	}
	(void)pipe_made_room(p);
	pipe_pass_data(p);
	mutex_unlock(&p->r.lock);
	pipe_wake_writers(p);
	if (done)
		return done;
	return err == 1 ? 0 : err ? err : ret;
}

/* Reads up to one page from f into a new slot. */
static s64
file_to_slot(struct file *f, u64 *pos, struct pipe *p, size_t n)
{
	struct page *page = page_alloc(0, GFP_USER);
	struct iter it;
	s64 ret;

	if (!page)
		return -ENOMEM;
	iter_init_kernel(&it, page_to_virt(page), min(n, PAGE_SIZE));
	ret = file_read(f, &it, pos);
	if (ret <= 0) {
		page_put(page);
		return ret;
	}
	pipe_push(p, page, 0, (u32)ret, PIPE_MERGE);
	return ret;
}

static s64
file_to_pipe(struct file *f, u64 *pos, struct pipe *p, size_t n, bool nonblock)
{
	s64 done = 0, ret = 0;

	mutex_lock(&p->w.lock);
	ret = pipe_wait_writable(p, nonblock);
	while (!ret && n && pipe_writable(p)) {
		s64 got = file_to_slot(f, pos, p, n);

		if (got <= 0) {
			ret = got;
			break;
		}
		done += got;
		n -= (size_t)got;
		if ((size_t)got < PAGE_SIZE)
			break;
	}
	pipe_pass_room(p);
	mutex_unlock(&p->w.lock);
	pipe_wake_readers(p);
	return done ? done : ret;
}

/* --- splice, tee --- */

/* The offset to use: *off, or (NULL) where the handle stands. mode: what an explicit one needs. */
static int
splice_at(struct file *f, const s64 *off, u32 mode, u64 *pos)
{
	*pos = off ? (u64)*off : f->pos;
	if (off && !(f->mode & mode))
		return -ESPIPE;
	return off && *off < 0 ? -EINVAL : 0;
}

static void
splice_moved(struct file *f, s64 *off, u64 pos)
{
	if (off)
		*off = (s64)pos;
	else if (f->mode & FMODE_SEEK)
		f->pos = pos;
}

s64
file_splice(const struct splice_end *from, const struct splice_end *to, size_t n,
	    unsigned int flags)
{
	struct file *in = from->file, *out = to->file;
	s64 *ioff = from->off, *ooff = to->off;
	struct pipe *pi = file_pipe(in), *po = file_pipe(out);
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	u64 pos;
	s64 ret;

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if ((pi && ioff) || (po && ooff))
		return -ESPIPE;
	if (pi && po)
		return pipe_to_pipe(pi, po, n, false,
				    nonblock || file_nonblock(in) || file_nonblock(out));
	if (pi) {
		if (out->flags & O_APPEND)
			return -EINVAL;
		ret = splice_at(out, ooff, FMODE_PWRITE, &pos);
		if (!ret)
			ret = pipe_to_file(pi, out, &pos, n, nonblock || file_nonblock(in));
	} else if (po) {
		ret = splice_at(in, ioff, FMODE_PREAD, &pos);
		if (!ret)
			ret = file_to_pipe(in, &pos, po, n, nonblock || file_nonblock(out));
	} else {
		return -EINVAL;
	}
	if (ret > 0)
		splice_moved(pi ? out : in, pi ? ooff : ioff, pos);
	return ret;
}

s64
file_tee(struct file *in, struct file *out, size_t n, unsigned int flags)
{
	struct pipe *pi = file_pipe(in), *po = file_pipe(out);

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (!pi || !po)
		return -EINVAL;
	return pipe_to_pipe(pi, po, n, true,
			    flags & SPLICE_F_NONBLOCK || file_nonblock(in) || file_nonblock(out));
}

/* --- system calls --- */

/* An explicit offset, or the handle's own position; *moved goes back after the call. */
struct at {
	struct file *f;
	s64 __user *user;
	u64 pos;
};

static int
at_get(struct at *a, struct file *f, s64 __user *user, u32 mode)
{
	s64 off;

	a->f = f;
	a->user = user;
	a->pos = f->pos;
	if (!user)
		return 0;
	if (!(f->mode & mode))
		return -ESPIPE;
	if (get_user(off, user))
		return -EFAULT;
	if (off < 0)
		return -EINVAL;
	a->pos = (u64)off;
	return 0;
}

static int
at_put(struct at *a)
{
	if (a->user)
		return put_user((s64)a->pos, a->user);
	if (a->f->mode & FMODE_SEEK)
		a->f->pos = a->pos;
	return 0;
}

struct splice_args {
	size_t n;
	unsigned int flags;
};

static s64
splice_fds(const struct fdref *in, s64 __user *uin, const struct fdref *out, s64 __user *uout,
	   const struct splice_args *a)
{
	bool in_pipe = file_pipe(in->file), out_pipe = file_pipe(out->file);
	s64 ioff, ooff, ret;

	/* An offset that cannot be used is not looked at. */
	if (!(in->file->mode & FMODE_READ) || !(out->file->mode & FMODE_WRITE))
		return -EBADF;
	if ((in_pipe && uin) || (out_pipe && uout))
		return -ESPIPE;
	if (in_pipe == out_pipe ? !in_pipe : in_pipe && out->file->flags & O_APPEND)
		return -EINVAL;
	if ((uin && !(in->file->mode & FMODE_PREAD)) || (uout && !(out->file->mode & FMODE_PWRITE)))
		return -ESPIPE;
	if ((uin && get_user(ioff, uin)) || (uout && get_user(ooff, uout)))
		return -EFAULT;
	ret = file_splice(&(struct splice_end){in->file, uin ? &ioff : NULL},
			  &(struct splice_end){out->file, uout ? &ooff : NULL}, a->n, a->flags);
	if (ret > 0 && ((uin && put_user(ioff, uin)) || (uout && put_user(ooff, uout))))
		return -EFAULT;
	return ret;
}

long
sys_splice(int fin, s64 __user *uin, int fout, s64 __user *uout, size_t n, unsigned int flags)
{
	struct splice_args a = {min(n, IO_MAX), flags};
	struct fdref in, out;
	s64 ret = -EBADF;

	if (n == 0)
		return 0;
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	in = fd_get((unsigned int)fin);
	out = fd_get((unsigned int)fout);
	if (in.file && out.file)
		ret = splice_fds(&in, uin, &out, uout, &a);
	fd_put(out);
	fd_put(in);
	return ret;
}

long
sys_tee(int fin, int fout, size_t n, unsigned int flags)
{
	struct fdref in, out;
	s64 ret = -EBADF;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (n == 0)
		return 0;
	in = fd_get((unsigned int)fin);
	out = fd_get((unsigned int)fout);
	if (in.file && out.file)
		ret = file_tee(in.file, out.file, n, flags);
	fd_put(out);
	fd_put(in);
	return ret;
}

/* The pages are copied, never gifted: what the caller writes later is not seen. */
long
sys_vmsplice(int fd, const struct iovec __user *uiov, unsigned long n, unsigned int flags)
{
	struct iovec fast[IOV_FAST], *heap;
	struct fdref r;
	struct iter it;
	s64 ret;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	r = fd_get((unsigned int)fd);
	if (!r.file || !file_pipe(r.file)) {
		fd_put(r);
		return -EBADF;
	}
	ret = iter_init_user_iov(&it, uiov, n, fast, &heap);
	if (ret == 0) {
		u64 pos = 0;

		if (r.file->mode & FMODE_WRITE)
			ret = file_write(r.file, &it, &pos);
		else
			ret = file_read(r.file, &it, &pos);
		kfree(heap);
	}
	fd_put(r);
	return ret;
}

/* Copies through a page until n bytes, the end of `in`, or a short write. */
static s64
copy_between(struct file *in, u64 *ipos, struct file *out, u64 *opos, size_t n)
{
	struct page *page = page_alloc(0, GFP_USER);
	s64 done = 0, got = 0, put;
	struct iter it;

	if (!page)
		return -ENOMEM;
	while (n) {
		u64 from = *ipos;

		iter_init_kernel(&it, page_to_virt(page), min(n, PAGE_SIZE));
		got = file_read(in, &it, ipos);
		if (got <= 0)
			break;
		iter_init_kernel(&it, page_to_virt(page), (size_t)got);
		put = file_write(out, &it, opos);
		if (put < got) {
			/* What was read and not written is not lost: the position stays there. */
			*ipos = from + (u64)max(put, 0L);
			if (put > 0)
				done += put;
			got = put;
			break;
		}
		done += put;
		n -= (size_t)put;
		if (fatal_signal_pending())
			break;
		cond_resched();
	}
	page_put(page);
	return done ? done : got;
}

/* Only a pipe takes what cannot be read again. */
static int
sendfile_check(struct file *in, struct file *out, bool offset)
{
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (offset && !(in->mode & FMODE_PREAD))
		return -ESPIPE;
	if (file_pipe(out))
		return in->ops->read && !file_pipe(in) ? 0 : -EINVAL;
	if (out->flags & O_APPEND || !(in->mode & FMODE_SEEK) || !in->ops->read)
		return -EINVAL;
	return 0;
}

long
sys_sendfile(int fout, int fin, s64 __user *uoff, size_t n)
{
	struct fdref in = fd_get((unsigned int)fin), out = fd_get((unsigned int)fout);
	struct at a, b;
	s64 ret = -EBADF;

	if (in.file && out.file) {
		ret = sendfile_check(in.file, out.file, uoff != NULL);
		if (!ret)
			ret = at_get(&a, in.file, uoff, FMODE_PREAD);
		if (!ret)
			ret = at_get(&b, out.file, NULL, 0);
		if (!ret &&
		    (ret = copy_between(in.file, &a.pos, out.file, &b.pos, min(n, IO_MAX))) > 0 &&
		    (at_put(&a) || at_put(&b)))
			ret = -EFAULT;
	}
	fd_put(out);
	fd_put(in);
	return ret;
}

static s64
range_check(struct file *in, struct file *out, struct at *a, struct at *b, size_t *n)
{
	u32 from = fs_file_mode(in), to = fs_file_mode(out);
	u64 size;

	if (S_ISDIR(from) || S_ISDIR(to))
		return -EISDIR;
	if (!S_ISREG(from) || !S_ISREG(to))
		return -EINVAL;
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE) || out->flags & O_APPEND)
		return -EBADF;
	if (a->pos + *n < a->pos || b->pos + *n < b->pos)
		return -EOVERFLOW;
	if (in->cache) {
		size = fs_file_size(in);
		*n = a->pos < size ? min(*n, size - a->pos) : 0;
	}
	if (in->inode == out->inode && a->pos < b->pos + *n && b->pos < a->pos + *n)
		return -EINVAL;
	return 0;
}

long
sys_copy_file_range(int fin, s64 __user *uin, int fout, s64 __user *uout, size_t n,
		    unsigned int flags)
{
	struct fdref in, out;
	struct at a, b;
	s64 ret = -EBADF;

	if (flags)
		return -EINVAL;
	in = fd_get((unsigned int)fin);
	out = fd_get((unsigned int)fout);
	if (in.file && out.file) {
		n = min(n, IO_MAX);
		ret = at_get(&a, in.file, uin, FMODE_PREAD);
		if (!ret)
			ret = at_get(&b, out.file, uout, FMODE_PWRITE);
		if (!ret)
			ret = range_check(in.file, out.file, &a, &b, &n);
		if (!ret && n && (ret = copy_between(in.file, &a.pos, out.file, &b.pos, n)) > 0 &&
		    (at_put(&a) || at_put(&b)))
			ret = -EFAULT;
	}
	fd_put(out);
	fd_put(in);
	return ret;
}
