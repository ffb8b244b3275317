/* SPDX-License-Identifier: BSD-2-Clause */
/* mq_open(2), mq_unlink(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2). */
#include "ipc/mqueue_impl.h"

#include "fs/namei.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal_task.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sync/port.h"

/* What SIGEV_THREAD sends over the socket that it names. */
#define COOKIE_LEN 32

long
sys_mq_open(const char __user *uname, int flags, unsigned int mode,
	    const struct mq_attr __user *uattr)
{
	struct pathname name;
	struct mq_attr attr;
	struct file *f;
	int err, fd;

	if (uattr && copy_from_user(&attr, uattr, sizeof(attr)))
		return -EFAULT;
	err = pathname_get(&name, uname, 0);
	if (err)
		return err;
	/* First: what has no descriptor makes no queue. */
	fd = fd_reserve(0, true);
	if (fd >= 0) {
		f = mqueue_open(name.s, (u32)flags, mode, uattr ? &attr : NULL);
		if (is_err(f)) {
			fd_unreserve(fd);
			fd = (int)ptr_err(f);
		} else {
			fd_publish(fd, f);
		}
	}
	pathname_put(&name);
	return fd;
}

long
sys_mq_unlink(const char __user *uname)
{
	struct pathname name;
	int err = pathname_get(&name, uname, 0);

	if (err)
		return err;
	err = mqueue_unlink(name.s);
	pathname_put(&name);
	return err;
}

/* The handle of a queue that allows `mode`; .file NULL: -EBADF. */
static struct fdref
get_queue(int fd, u32 mode)
{
	struct fdref r = fd_get((unsigned int)fd);

	if (r.file && (r.file->ops != &mqueue_fops || (r.file->mode & mode) != mode)) {
		fd_put(r);
		r.file = NULL;
	}
	return r;
}

/* The user's time as a monotonic deadline: 0, -EFAULT, -EINVAL. */
static int
get_deadline(u64 *deadline, const struct timespec __user *abs)
{
	s64 offset = clock_real_offset();
	u64 ns;
	int err;

	*deadline = NO_DEADLINE;
	if (!abs)
		return 0;
	err = get_user_timespec(&ns, abs);
	if (!err)
		*deadline = (s64)ns > offset ? ns - (u64)offset : 1;
	return err;
}

/* How long a call on f waits. */
static u64
patience(const struct file *f, u64 deadline)
{
	return file_nonblock(f) ? 0 : deadline;
}

static int
send(struct file *f, const char __user *text, size_t n, unsigned int prio, u64 deadline)
{
	struct mqueue *q = f->inode->private;
	struct message *m;
	int err;

	if (n > q->msgsize)
		return -EMSGSIZE;
	m = message_load(text, n);
	if (is_err(m))
		return (int)ptr_err(m);
	m->type = prio;
	err = mqueue_send(q, m, patience(f, deadline));
	if (err)
		message_free(m);
	else
		mqueue_touch(f);
	return err;
}

long
sys_mq_timedsend(int fd, const char __user *text, size_t n, unsigned int prio,
		 const struct timespec __user *abs)
{
	struct fdref r;
	u64 deadline;
	int err = get_deadline(&deadline, abs);

	if (err)
		return err;
	if (prio >= MQ_PRIO_MAX)
		return -EINVAL;
	r = get_queue(fd, FMODE_WRITE);
	if (!r.file)
		return -EBADF;
	err = send(r.file, text, n, prio, deadline);
	fd_put(r);
	return err;
}

static long
receive(struct file *f, char __user *buf, size_t n, unsigned int __user *prio, u64 deadline)
{
	struct mqueue *q = f->inode->private;
	struct message *m;
	long ret;

	if (n < q->msgsize)
		return -EMSGSIZE;
	m = mqueue_receive(q, patience(f, deadline));
	if (is_err(m))
		return ptr_err(m);
	mqueue_touch(f);
	ret = (long)m->size;
	if ((prio && put_user((u32)m->type, prio)) || copy_to_user(buf, m->text, m->size))
		ret = -EFAULT;
	message_free(m);
	return ret;
}

long
sys_mq_timedreceive(int fd, char __user *buf, size_t n, unsigned int __user *prio,
		    const struct timespec __user *abs)
{
	struct fdref r;
	u64 deadline;
	long ret = get_deadline(&deadline, abs);

	if (ret)
		return ret;
	r = get_queue(fd, FMODE_READ);
	if (!r.file)
		return -EBADF;
	ret = receive(r.file, buf, n, prio, deadline);
	fd_put(r);
	return ret;
}

/* SIGEV_THREAD wants a netlink socket, and there is none. */
static int
check_thread(const struct sigevent *ev)
{
	u8 cookie[COOKIE_LEN];
	struct fdref r;
	int err;

	if (copy_from_user(cookie, (const void __user *)ev->value, sizeof(cookie)))
		return -EFAULT;
	r = fd_get((unsigned int)ev->signo);
	if (!r.file)
		return -EBADF;
	err = (fs_file_mode(r.file) & S_IFMT) == S_IFSOCK ? -EINVAL : -ENOTSOCK;
	fd_put(r);
	return err;
}

static int
check_event(const struct sigevent *ev)
{
	switch (ev->notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL:
		return ev->signo < 0 || ev->signo > NSIG ? -EINVAL : 0;
	case SIGEV_THREAD:
		return check_thread(ev);
	default:
		return -EINVAL;
	}
}

long
sys_mq_notify(int fd, const struct sigevent __user *uev)
{
	struct sigevent ev;
	struct fdref r;
	int err = 0;

	if (uev) {
		if (copy_from_user(&ev, uev, sizeof(ev)))
			return -EFAULT;
		err = check_event(&ev);
	}
	if (err)
		return err;
	r = get_queue(fd, 0);
	if (!r.file)
		return -EBADF;
	err = mqueue_notify(r.file->inode->private, uev ? &ev : NULL);
	fd_put(r);
	return err;
}

long
sys_mq_getsetattr(int fd, const struct mq_attr __user *unew, struct mq_attr __user *uold)
{
	struct mq_attr new, old = {0};
	struct mqueue *q;
	struct fdref r;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	if (unew && new.flags & ~(s64)O_NONBLOCK)
		return -EINVAL;
	r = get_queue(fd, 0);
	if (!r.file)
		return -EBADF;
	q = r.file->inode->private;
	old.flags = READ_ONCE(r.file->flags) & O_NONBLOCK;
	old.maxmsg = q->maxmsg;
	old.msgsize = (s64)q->msgsize;
	old.curmsgs = READ_ONCE(q->count);
	if (unew && new.flags)
		atomic_or(&r.file->flags, O_NONBLOCK);
	else if (unew)
		atomic_and(&r.file->flags, ~(u32)O_NONBLOCK);
	fd_put(r);
	return uold && copy_to_user(uold, &old, sizeof(old)) ? -EFAULT : 0;
}
