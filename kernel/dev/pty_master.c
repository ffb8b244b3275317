/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The master of a pseudo-terminal: reading what the slave wrote, writing what it
 * is to read, packet mode, ioctls.
 */
#include "kernel/dev/pty_impl.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* --- the master --- */

/* Bytes for one step of a read; *status: it was a packet's status, and the read is over. */
static size_t
take(struct pty *p, u8 *dst, size_t n, bool first, bool *status)
{
	size_t i = 0, have;

	*status = false;
	spin_lock(&p->lock);
	if (p->packet && p->status) {
		if (first) {
			dst[i++] = p->status;
			p->status = 0;
			*status = true;
		}
	} else {
		have = p->head - p->tail;
		if (p->packet && first && have)
			dst[i++] = TIOCPKT_DATA;
		have = min(have, n - i);
		for (; have; have--)
			dst[i++] = p->ring[p->tail++ % PTY_RING];
	}
	spin_unlock(&p->lock);
	return i;
}

static bool
master_readable(struct pty *p)
{
	return READ_ONCE(p->head) != READ_ONCE(p->tail) ||
	       (READ_ONCE(p->packet) && READ_ONCE(p->status));
}

static s64
master_read(struct file *f, struct iter *to, u64 *pos)
{
	struct pty *p = f->private;
	bool status = false;
	s64 done = 0;
	u8 buf[512];

	while (iter_left(to) && !status) {
		/* Looked at before the ring: what was written before closing is read first. */
		bool closed = smp_load_acquire(&p->slave_closed);
		size_t n = take(p, buf, min(iter_left(to), sizeof(buf)), done == 0, &status);
		int err;

		if (n && iter_copy_to(to, buf, n) != n) {
			done = done ? done : -EFAULT;
			break;
		}
		done += (s64)n;
		if (n)
			continue;
		if (done)
			break;
		if (closed)
			return -EIO;
		if (file_nonblock(f))
			return -EAGAIN;
		err = wait_event_interruptible(&p->wait,
					       master_readable(p) || READ_ONCE(p->slave_closed));
		if (err)
			return err;
	}
	tty_output_ready(&p->tty);
	return done;
}

static bool
master_writable(struct pty *p)
{
	return !READ_ONCE(p->master_stopped) && tty_input_room(&p->tty) > 0;
}

static s64
master_write_locked(struct pty *p, struct file *f, struct iter *from)
{
	s64 done = 0;
	u8 buf[512];
	int err;

	while (iter_left(from)) {
		size_t n, took;

		if (!master_writable(p)) {
			err = -EAGAIN;
			if (!file_nonblock(f))
				err = wait_event_interruptible(&p->wait, master_writable(p));
			if (err)
				return done ? done : err;
		}
		n = iter_copy_from(buf, from, min(iter_left(from), sizeof(buf)));
		if (!n)
			return done ? done : -EFAULT;
		took = tty_input_add(&p->tty, buf, n, INPUT_NORMAL);
		iter_revert(from, n - took);
		done += (s64)took;
		tty_input_push(&p->tty);
	}
	return done;
}

static s64
master_write(struct file *f, struct iter *from, u64 *pos)
{
	struct pty *p = f->private;
	s64 ret;

	if (file_nonblock(f))
		ret = mutex_try_lock(&p->write_lock) ? 0 : -EAGAIN;
	else
		ret = mutex_lock_interruptible(&p->write_lock);
	if (ret)
		return ret;
	ret = master_write_locked(p, f, from);
	mutex_unlock(&p->write_lock);
	return ret;
}

static u32
master_poll(struct file *f, struct poll_table *pt)
{
	struct pty *p = f->private;
	u32 ev = 0;

	poll_wait(f, &p->wait, pt);
	if (READ_ONCE(p->slave_closed))
		ev |= POLLHUP;
	if (master_readable(p))
		ev |= POLLIN | POLLRDNORM;
	if (READ_ONCE(p->packet) && READ_ONCE(p->status))
		ev |= POLLPRI;
	if (master_writable(p))
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}

/* --- ioctls of the master --- */

static long
set_packet(struct pty *p, const int __user *u)
{
	int on;

	if (get_user(on, u))
		return -EFAULT;
	spin_lock(&p->lock);
	if (on && !p->packet)
		p->status = 0;
	p->packet = on != 0;
	spin_unlock(&p->lock);
	return 0;
}

static long
set_locked(struct pty *p, const int __user *u)
{
	int on;

	if (get_user(on, u))
		return -EFAULT;
	WRITE_ONCE(p->locked, on != 0);
	return 0;
}

static long
send_signal(struct pty *p, unsigned long sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal(&p->tty, (int)sig);
	return 0;
}

static long
open_peer(struct pty *p, struct file *f, u32 flags)
{
	struct file *peer = devpts_open_peer(f, p->token, flags & O_ALL);

	return is_err(peer) ? ptr_err(peer) : fd_install(peer, 0, flags & O_CLOEXEC);
}

static long
flush(struct pty *p, unsigned long what)
{
	if (what > TCIOFLUSH)
		return -EINVAL;
	if (what != TCOFLUSH) {
		spin_lock(&p->lock);
		WRITE_ONCE(p->tail, p->head);
		spin_unlock(&p->lock);
		tty_output_ready(&p->tty);
	}
	if (what != TCIFLUSH)
		tty_input_flush(&p->tty);
	return 0;
}

static long
flow(struct pty *p, unsigned long what)
{
	u8 c;

	switch (what) {
	case TCOOFF:
	case TCOON:
		WRITE_ONCE(p->master_stopped, what == TCOOFF);
		pty_wake_master(p, POLLOUT | POLLWRNORM);
		return 0;
	case TCIOFF:
	case TCION:
		c = what == TCIOFF ? 0x13 : 0x11;
		tty_input_add(&p->tty, &c, 1, INPUT_NORMAL);
		tty_input_push(&p->tty);
		return 0;
	default:
		return -EINVAL;
	}
}

/* As if the slave had sent it. */
static long
inject(struct pty *p, const u8 __user *u)
{
	u8 c;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(c, u))
		return -EFAULT;
	mutex_lock(&p->tty.lock);
	if (pty_room(&p->tty))
		pty_write(&p->tty, &c, 1);
	mutex_unlock(&p->tty.lock);
	return 0;
}

/* What concerns the master's own side. -ENOTTY: the rest. */
static long
side_ioctl(struct pty *p, unsigned int cmd, unsigned long arg)
{
	int __user *u = (int __user *)arg;

	switch (cmd) {
	case TIOCINQ:
		return put_user((int)(READ_ONCE(p->head) - READ_ONCE(p->tail)), u);
	case TIOCOUTQ:
		return put_user(0, u);
	case TIOCSTI:
		return inject(p, (const u8 __user *)arg);
	case TCFLSH:
		return flush(p, arg);
	case TCXONC:
		return flow(p, arg);
	case TIOCEXCL:
	case TIOCNXCL:
		WRITE_ONCE(p->master_exclusive, cmd == TIOCEXCL);
		return 0;
	case TIOCGEXCL:
		return put_user(READ_ONCE(p->master_exclusive) ? 1 : 0, u);
	default:
		return -ENOTTY;
	}
}

static long
master_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pty *p = f->private;
	int __user *u = (int __user *)arg;
	long ret;

	switch (cmd) {
	case TIOCGPTN:
		return put_user(p->number, (u32 __user *)u);
	case TIOCSPTLCK:
		return set_locked(p, u);
	case TIOCGPTLCK:
		return put_user(READ_ONCE(p->locked) ? 1 : 0, u);
	case TIOCPKT:
		return set_packet(p, u);
	case TIOCGPKT:
		return put_user(READ_ONCE(p->packet) ? 1 : 0, u);
	case TIOCSIG:
		return send_signal(p, arg);
	case TIOCGPTPEER:
		return open_peer(p, f, (u32)arg);
	case TIOCNOTTY:
		return -ENOTTY;
	}
	ret = side_ioctl(p, cmd, arg);
	if (ret == -ENOTTY)
		ret = tty_job_ioctl(&p->tty, f, true, cmd, arg);
	if (ret == -ENOTTY && cmd != TIOCSPGRP && cmd != TIOCGSID)
		ret = tty_mode_ioctl(&p->tty, f, cmd, arg);
	return ret;
}

static int
master_set_flags(struct file *f, u32 flags)
{
	struct pty *p = f->private;

	if (flags & O_ASYNC)
		WRITE_ONCE(p->master_async, true);
	return 0;
}

static void
master_release(struct file *f)
{
	pty_master_gone(f->private);
}

const struct file_ops pty_master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.set_flags = master_set_flags,
	.release = master_release,
};
