/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pseudo-terminals: /dev/ptmx and the slaves in devpts.
 *
 * Model: the slave is a terminal like any other (struct tty). The master is not:
 * it is the other end of that terminal's cable, with a ring of bytes from the
 * slave to it. What is written to the master is the slave's input. Modes, size
 * and sessions that are asked of the master are the slave's.
 *
 * States:
 *   slave never opened   a reader of the master waits
 *   slave open           data flows
 *   slave closed         a reader gets what is left, then -EIO, until it is
 *                        opened again (slave_closed)
 *   master closed        the slave is hung up for ever (master_gone), its node
 *                        is gone; the number is free when the last handle closes
 *
 * Ownership: the master holds the reference that the driver has on the tty, and
 * each slave handle one; the last frees the struct pty.
 *
 * Locking: ->lock (spinning) covers the ring and the packet state, inside
 * tty->lock. ptys_lock covers the table by number, for opening only.
 *
 * See: pty(7), ioctl_tty(2).
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define PTS_MAJOR 136
#define PTY_RING 8192u
/*
 * A flush of the slave's output does not reach what counts as delivered to the
 * master: as much as its own line discipline holds in Linux.
 */
#define PTY_DELIVERED 4095u
#define PTY_BUCKETS 64u

struct pty {
	struct tty tty;
	/* (ptys_lock) */
	struct hnode link;
	/* I */
	u32 number;
	void *instance;
	/* I once the node exists: what f->path.dentry of its handles is */
	void *token;
	/* a  TIOCSPTLCK: the slave cannot be opened yet */
	bool locked;
	/* a */
	bool slave_closed;
	bool master_gone;
	bool master_exclusive;
	/* a  TCOOFF on the master */
	bool master_stopped;
	/* one writer of the master at a time */
	struct mutex write_lock;
	/* readers and writers of the master */
	struct waitq wait;

	struct spinlock lock;
	/* (lock) */
	u8 *ring;
	u32 head;
	u32 tail;
	/* (lock)  TIOCPKT, and what has happened since the master read it */
	bool packet;
	u8 status;
};

static LOCK_CLASS(ptys_class, RANK_LEAF);
static LOCK_CLASS(pty_class, RANK_TTY_SPIN);
static LOCK_CLASS(pty_write_class, RANK_TTY + 1);
static struct spinlock ptys_lock = SPINLOCK_INIT(ptys_class);
/* (ptys_lock) */
static struct hlist ptys[PTY_BUCKETS];

static const struct file_ops master_ops;

static struct pty *
pty_of(struct tty *tty)
{
	return tty->driver;
}

static void
wake_master(struct pty *p, unsigned long key)
{
	if (waitq_active(&p->wait))
		waitq_wake(&p->wait, 0, key);
}

/* --- the slave's driver --- */

static size_t
pty_room(struct tty *tty)
{
	struct pty *p = pty_of(tty);

	if (READ_ONCE(tty->stopped))
		return 0;
	/* Nobody will ever read it. */
	if (READ_ONCE(p->master_gone))
		return PTY_RING;
	return PTY_RING - (READ_ONCE(p->head) - READ_ONCE(p->tail));
}

static void
pty_write(struct tty *tty, const u8 *s, size_t n)
{
	struct pty *p = pty_of(tty);
	u32 off;
	size_t first;

	if (READ_ONCE(p->master_gone))
		return;
	spin_lock(&p->lock);
	off = p->head % PTY_RING;
	first = min(n, (size_t)(PTY_RING - off));
	memcpy(p->ring + off, s, first);
	memcpy(p->ring, s + first, n - first);
	WRITE_ONCE(p->head, p->head + (u32)n);
	spin_unlock(&p->lock);
	wake_master(p, POLLIN | POLLRDNORM);
}

/* Something that a master in packet mode is told. */
static void
packet_event(struct pty *p, u8 clear, u8 set)
{
	bool packet;

	spin_lock(&p->lock);
	packet = p->packet;
	if (packet)
		p->status = (p->status & (u8)~clear) | set;
	spin_unlock(&p->lock);
	if (packet)
		wake_master(p, POLLIN | POLLRDNORM | POLLPRI);
}

static void
pty_flush_output(struct tty *tty)
{
	struct pty *p = pty_of(tty);

	spin_lock(&p->lock);
	if (p->head - p->tail > PTY_DELIVERED)
		WRITE_ONCE(p->head, p->tail + PTY_DELIVERED);
	spin_unlock(&p->lock);
	packet_event(p, 0, TIOCPKT_FLUSHWRITE);
}

static void
pty_input_flushed(struct tty *tty)
{
	packet_event(pty_of(tty), 0, TIOCPKT_FLUSHREAD);
}

static void
pty_stop(struct tty *tty)
{
	packet_event(pty_of(tty), TIOCPKT_START, TIOCPKT_STOP);
}

static void
pty_start(struct tty *tty)
{
	packet_event(pty_of(tty), TIOCPKT_STOP, TIOCPKT_START);
}

static void
pty_input_taken(struct tty *tty)
{
	wake_master(pty_of(tty), POLLOUT | POLLWRNORM);
}

/* Is it the usual flow control with ^S and ^Q? */
static bool
usual_flow(const struct termios2 *t)
{
	return (t->iflag & IXON) && t->cc[VSTOP] == 0x13 && t->cc[VSTART] == 0x11;
}

static void
pty_set_termios(struct tty *tty, const struct termios2 *old)
{
	bool was = usual_flow(old), is = usual_flow(&tty->termios);

	if (was != is)
		packet_event(pty_of(tty), TIOCPKT_DOSTOP | TIOCPKT_NOSTOP,
			     is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	if ((old->lflag | tty->termios.lflag) & EXTPROC)
		packet_event(pty_of(tty), 0, TIOCPKT_IOCTL);
	tty->termios.cflag &= ~(CSIZE | PARENB);
	tty->termios.cflag |= CS8 | CREAD;
}

static int
pty_open_slave(struct tty *tty, struct file *f)
{
	struct pty *p = pty_of(tty);

	if (READ_ONCE(p->master_gone) || READ_ONCE(p->locked))
		return -EIO;
	WRITE_ONCE(p->slave_closed, false);
	return 0;
}

static void
pty_close_slave(struct tty *tty)
{
	struct pty *p = pty_of(tty);

	smp_store_release(&p->slave_closed, true);
	waitq_wake(&p->wait, 0, 0);
}

static void
pty_free(struct tty *tty)
{
	struct pty *p = pty_of(tty);

	if (p->instance)
		devpts_number_free(p->instance, p->number);
	tty_fini(tty);
	kfree(p->ring);
	kfree(p);
}

static const struct tty_ops pty_ops = {
	.open = pty_open_slave,
	.close = pty_close_slave,
	.room = pty_room,
	.write = pty_write,
	.flush_output = pty_flush_output,
	.set_termios = pty_set_termios,
	.stop = pty_stop,
	.start = pty_start,
	.input_flushed = pty_input_flushed,
	.input_taken = pty_input_taken,
	.free = pty_free,
};

/* --- opening --- */

static struct hlist *
bucket(u32 number)
{
	return &ptys[number % PTY_BUCKETS];
}

/* With a reference; NULL: no master of this node is open. */
static struct tty *
find(u32 number, const void *token)
{
	struct tty *tty = NULL;
	struct pty *p;

	spin_lock(&ptys_lock);
	hlist_for_each_entry(p, bucket(number), link)
		if (p->token == token) {
			tty = tty_get(&p->tty);
			break;
		}
	spin_unlock(&ptys_lock);
	return tty;
}

static int
slave_open(struct file *f, u32 major, u32 minor, void *arg)
{
	struct tty *tty = find(minor, f->path.dentry);
	bool noctty = f->flags & O_NOCTTY;
	int err;

	if (!tty)
		return -EIO;
	f->flags &= ~(u32)O_NOCTTY;
	err = tty_open_file(tty, f, noctty, false);
	tty_put(tty);
	return err;
}

static struct pty *
pty_alloc(void)
{
	struct pty *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct termios2 t;

	if (!p)
		return NULL;
	termios_init_std(&t, B38400 | CS8 | CREAD);
	p->tty.driver = p;
	p->tty.major = PTS_MAJOR;
	mutex_init(&p->write_lock, &pty_write_class);
	waitq_init(&p->wait);
	spin_init(&p->lock, &pty_class);
	p->locked = true;
	p->ring = kmalloc(PTY_RING, GFP_KERNEL);
	if (!p->ring || tty_init(&p->tty, &pty_ops, TTY_PTY, &t)) {
		kfree(p->ring);
		kfree(p);
		return NULL;
	}
	return p;
}

static int
master_open(struct file *f, u32 major, u32 minor, void *arg)
{
	struct pty *p = pty_alloc();
	void *token;
	s32 n;
	int err;

	if (!p)
		return -ENOMEM;
	n = devpts_number_alloc(f, &p->instance);
	if (n < 0) {
		p->instance = NULL;
		tty_put(&p->tty);
		return n;
	}
	p->number = (u32)n;
	p->tty.minor = (u32)n;
	snprintf(p->tty.name, sizeof(p->tty.name), "pts/%u", n);
	err = devpts_new(p->instance, p->number, PTS_MAJOR, p->number, &token);
	if (err) {
		tty_put(&p->tty);
		return err;
	}
	spin_lock(&ptys_lock);
	p->token = token;
	hlist_add(&p->link, bucket(p->number));
	spin_unlock(&ptys_lock);
	f->flags &= ~(u32)O_NOCTTY;
	f->private = p;
	f->ops = &master_ops;
	return 0;
}

static void
master_release(struct file *f)
{
	struct pty *p = f->private;

	spin_lock(&ptys_lock);
	hlist_del(&p->link);
	spin_unlock(&ptys_lock);
	WRITE_ONCE(p->master_gone, true);
	devpts_remove(p->token);
	tty_redirect_forget(&p->tty);
	tty_hangup(&p->tty);
	tty_put(&p->tty);
}

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
	int fd;

	if (is_err(peer))
		return ptr_err(peer);
	fd = fd_install(peer, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(peer);
	return fd;
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
		wake_master(p, POLLOUT | POLLWRNORM);
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

static const struct file_ops master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
};

static int
pty_init(void)
{
	static const struct dev_desc master = {
		.name = "ptmx",
		.mode = 0666,
		.major = 5,
		.minor = 2,
		.ops = &master_ops,
		.open = master_open,
	};
	static const struct dev_desc slaves = {
		.major = PTS_MAJOR,
		.count = 1u << 20,
		.ops = &master_ops,
		.open = slave_open,
	};
	int err = dev_register_desc(&master);

	return err ? err : dev_register_desc(&slaves);
}
INITCALL(INIT_DRIVER, pty_init);
