/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * userfaultfd(2), /dev/userfaultfd: the handle by which a program answers page
 * faults. What it does is mm/uffd.c's; here are its calls.
 */
#include "mm/uffd.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/port_fs.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#define MISC_MAJOR 10
#define USERFAULTFD_MINOR 126

/* May who has no CAP_SYS_PTRACE stop the kernel's own accesses, too? */
static u32 unprivileged_userfaultfd;
SYSCTL_U32(unprivileged_userfaultfd, "vm/unprivileged_userfaultfd", &unprivileged_userfaultfd, 0,
	   1);

static const struct file_ops userfaultfd_ops;

/* --- read, poll --- */

static struct file *
handle_new(struct uffd *u, u32 flags)
{
	return file_alloc(&userfaultfd_ops, FMODE_READ, O_RDONLY | (flags & O_NONBLOCK), u);
}

/* The event of a fork tells the reader's descriptor of the child's handle. */
static int
read_fork(struct file *f, struct uffd_event *fork, struct uffd *child, struct uffd_msg *msg)
{
	int fd = fd_reserve(0, true);
	struct file *new = NULL;

	if (fd >= 0) {
		new = handle_new(child, READ_ONCE(f->flags));
		if (is_err(new)) {
			fd_unreserve((unsigned int)fd);
			fd = (int)ptr_err(new);
		}
	}
	uffd_fork_read(f->private, fork, fd >= 0);
	if (fd < 0)
		return fd;
	msg->arg[0] = (u32)fd;
	fd_publish((unsigned int)fd, new);
	return 0;
}

static int
read_one(struct file *f, struct uffd_msg *msg, bool nowait)
{
	struct uffd *u = f->private, *child;
	struct uffd_event *fork;
	int err;

	while ((err = uffd_next(u, msg, &fork, &child)) == -EAGAIN && !nowait) {
		err = wait_event_interruptible(&u->readers, uffd_readable(u));
		if (err)
			return err;
	}
	return fork ? read_fork(f, fork, child, msg) : err;
}

static s64
userfaultfd_read(struct file *f, struct iter *to, u64 *pos)
{
	struct uffd_msg msg;
	s64 done = 0;
	int err;

	if (!uffd_ready(f->private) || iter_left(to) < sizeof(msg))
		return -EINVAL;
	for (; iter_left(to) >= sizeof(msg); done += sizeof(msg)) {
		err = read_one(f, &msg, done || file_nonblock(f));
		if (!err && iter_copy_to(to, &msg, sizeof(msg)) != sizeof(msg))
			err = -EFAULT;
		if (err)
			return done ? done : err;
	}
	return done;
}

static u32
userfaultfd_poll(struct file *f, struct poll_table *pt)
{
	struct uffd *u = f->private;

	poll_wait(f, &u->readers, pt);
	/* What is to be read may be gone before it is: who polls must not block then. */
	if (!uffd_ready(u) || !file_nonblock(f))
		return POLLERR;
	return uffd_readable(u) ? POLLIN : 0;
}

/* --- ioctls --- */

static long
do_api(struct uffd *u, struct uffdio_api __user *arg)
{
	struct uffdio_api a;
	u64 wanted;
	int err = 0;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	wanted = a.features;
	if (a.api != UFFD_API || wanted & ~(u64)UFFD_FEATURES)
		err = -EINVAL;
	else if (wanted & UFFD_FEATURE_EVENT_FORK && !capable(CAP_SYS_PTRACE))
		err = -EPERM;
	if (!err) {
		a.features = UFFD_FEATURES;
		a.ioctls = UFFD_API_IOCTLS;
		if (copy_to_user(arg, &a, sizeof(a)))
			return -EFAULT;
		if (uffd_choose_features(u, (u32)wanted))
			return 0;
		err = -EINVAL;
	}
	return clear_user(arg, sizeof(a)) ? -EFAULT : err;
}

static long
do_register(struct uffd *u, struct uffdio_register __user *arg)
{
	struct uffdio_register r;
	u64 ioctls = UFFD_IOCTL_WAKE | UFFD_IOCTL_COPY | UFFD_IOCTL_ZEROPAGE;
	int err;

	if (copy_from_user(&r, arg, sizeof(r) - sizeof(r.ioctls)))
		return -EFAULT;
	if (!r.mode || r.mode & ~(u64)UFFDIO_REGISTER_MODES)
		return -EINVAL;
	err = uffd_check_range(r.range.start, r.range.len);
	if (!err)
		err = uffd_register(u, r.range.start, r.range.start + r.range.len, (u32)r.mode);
	if (err)
		return err;
	if (r.mode & UFFDIO_REGISTER_MODE_WP)
		ioctls |= UFFD_IOCTL_WRITEPROTECT;
	if (r.mode & UFFDIO_REGISTER_MODE_MINOR)
		ioctls |= UFFD_IOCTL_CONTINUE;
	return put_user(ioctls, &arg->ioctls);
}

/* UFFDIO_UNREGISTER, UFFDIO_WAKE */
static long
do_range(struct uffd *u, const struct uffdio_range __user *arg, bool wake)
{
	struct uffdio_range r;
	int err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	err = uffd_check_range(r.start, r.len);
	if (err)
		return err;
	if (!wake)
		return uffd_unregister(u, r.start, r.start + r.len);
	uffd_wake(u, r.start, r.start + r.len);
	return 0;
}

/* Fills, tells how much, and wakes who waited for it. */
static long
fill(struct uffd *u, const struct uffd_fill *f, s64 __user *result, bool wake)
{
	s64 done = uffd_fill(u, f);

	if (done == -ESRCH)
		return -ESRCH;
	if (put_user(done, result))
		return -EFAULT;
	if (done < 0)
		return done;
	if (wake)
		uffd_wake(u, f->start, f->start + (u64)done);
	return f->start + (u64)done == f->end ? 0 : -EAGAIN;
}

static long
do_copy(struct uffd *u, struct uffdio_copy __user *arg)
{
	struct uffdio_copy c;
	struct uffd_fill f;
	int err;

	if (READ_ONCE(u->changing))
		return -EAGAIN;
	if (copy_from_user(&c, arg, sizeof(c) - sizeof(c.copy)))
		return -EFAULT;
	err = uffd_check_range(c.dst, c.len);
	if (err)
		return err;
	if (c.src + c.len <= c.src ||
	    c.mode & ~(u64)(UFFDIO_COPY_MODE_DONTWAKE | UFFDIO_COPY_MODE_WP))
		return -EINVAL;
	f = (struct uffd_fill){.kind = UFFD_FILL_COPY,
			       .start = c.dst,
			       .end = c.dst + c.len,
			       .src = c.src,
			       .protect = c.mode & UFFDIO_COPY_MODE_WP};
	return fill(u, &f, &arg->copy, !(c.mode & UFFDIO_COPY_MODE_DONTWAKE));
}

/* UFFDIO_ZEROPAGE, UFFDIO_CONTINUE */
static long
do_fill(struct uffd *u, struct uffdio_fill __user *arg, enum uffd_fill_kind kind)
{
	struct uffdio_fill z;
	struct uffd_fill f;
	int err;

	if (READ_ONCE(u->changing))
		return -EAGAIN;
	if (copy_from_user(&z, arg, sizeof(z) - sizeof(z.done)))
		return -EFAULT;
	err = uffd_check_range(z.range.start, z.range.len);
	if (err)
		return err;
	if (z.mode & ~(u64)UFFDIO_ZEROPAGE_MODE_DONTWAKE)
		return -EINVAL;
	f = (struct uffd_fill){
		.kind = kind, .start = z.range.start, .end = z.range.start + z.range.len};
	return fill(u, &f, &arg->done, !(z.mode & UFFDIO_ZEROPAGE_MODE_DONTWAKE));
}

static long
do_writeprotect(struct uffd *u, const struct uffdio_fill __user *arg)
{
	const u64 wp = UFFDIO_WRITEPROTECT_MODE_WP, dontwake = UFFDIO_WRITEPROTECT_MODE_DONTWAKE;
	struct uffdio_fill w;
	unsigned long end;
	int err;

	if (READ_ONCE(u->changing))
		return -EAGAIN;
	if (copy_from_user(&w, arg, sizeof(w) - sizeof(w.done)))
		return -EFAULT;
	err = uffd_check_range(w.range.start, w.range.len);
	if (err)
		return err;
	if (w.mode & ~(wp | dontwake) || (w.mode & (wp | dontwake)) == (wp | dontwake))
		return -EINVAL;
	end = w.range.start + w.range.len;
	err = uffd_protect(u, w.range.start, end, w.mode & wp);
	if (!err && !w.mode)
		uffd_wake(u, w.range.start, end);
	return err;
}

static long
userfaultfd_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct uffd *u = f->private;

	if (cmd != UFFDIO_API && !uffd_ready(u))
		return -EINVAL;
	switch (cmd) {
	case UFFDIO_API:
		return do_api(u, (struct uffdio_api __user *)arg);
	case UFFDIO_REGISTER:
		return do_register(u, (struct uffdio_register __user *)arg);
	case UFFDIO_UNREGISTER:
	case UFFDIO_WAKE:
		return do_range(u, (const struct uffdio_range __user *)arg, cmd == UFFDIO_WAKE);
	case UFFDIO_COPY:
		return do_copy(u, (struct uffdio_copy __user *)arg);
	case UFFDIO_ZEROPAGE:
		return do_fill(u, (struct uffdio_fill __user *)arg, UFFD_FILL_ZERO);
	case UFFDIO_CONTINUE:
		return do_fill(u, (struct uffdio_fill __user *)arg, UFFD_FILL_CONTINUE);
	case UFFDIO_WRITEPROTECT:
		return do_writeprotect(u, (const struct uffdio_fill __user *)arg);
	}
	return -EINVAL;
}

/* --- the handle --- */

static void
userfaultfd_release(struct file *f)
{
	uffd_release(f->private);
}

static void
userfaultfd_show(struct file *f, struct seq *s)
{
	struct uffd *u = f->private;
	unsigned long pending, total;

	uffd_count(u, &pending, &total);
	seq_printf(s, "pending:\t%lu\ntotal:\t%lu\nAPI:\t%lx:%x:%lx\n", pending, total, UFFD_API,
		   READ_ONCE(u->features),
		   UFFD_API_IOCTLS | UFFD_IOCTL_WAKE | UFFD_IOCTL_COPY | UFFD_IOCTL_ZEROPAGE |
			   UFFD_IOCTL_WRITEPROTECT | UFFD_IOCTL_CONTINUE);
}

static const struct file_ops userfaultfd_ops = {
	.name = "[userfaultfd]",
	.read = userfaultfd_read,
	.plain = true,
	.seek = seek_stay,
	.poll = userfaultfd_poll,
	.ioctl = userfaultfd_ioctl,
	.release = userfaultfd_release,
	.show_fdinfo = userfaultfd_show,
};

static long
userfaultfd_new(int flags)
{
	struct uffd *u;
	struct file *f;

	if (flags & ~(int)(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY))
		return -EINVAL;
	u = uffd_create(current->space, (u32)flags & UFFD_USER_MODE_ONLY, 0);
	if (!u)
		return -ENOMEM;
	f = handle_new(u, (u32)flags);
	if (is_err(f)) {
		uffd_release(u);
		return ptr_err(f);
	}
	return fd_install(f, 0, flags & O_CLOEXEC);
}

long
sys_userfaultfd(int flags)
{
	if (!(flags & (int)UFFD_USER_MODE_ONLY) && !READ_ONCE(unprivileged_userfaultfd) &&
	    !capable(CAP_SYS_PTRACE))
		return -EPERM;
	return userfaultfd_new(flags);
}

/* --- /dev/userfaultfd: who may open it needs no capability --- */

static long
device_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	return cmd == USERFAULTFD_IOC_NEW ? userfaultfd_new((int)arg) : -EINVAL;
}

static const struct file_ops device_ops = {
	.name = "userfaultfd",
	.ioctl = device_ioctl,
};

static int
userfaultfd_init(void)
{
	return dev_register("userfaultfd", 0600, MISC_MAJOR, USERFAULTFD_MINOR, &device_ops);
}
INITCALL(INIT_DRIVER, userfaultfd_init);
