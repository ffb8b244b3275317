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
#include "kernel/dev/pty_impl.h"

#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/port_fs.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/signal.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

static LOCK_CLASS(ptys_class, RANK_LEAF);
static LOCK_CLASS(pty_class, RANK_TTY_SPIN);
static LOCK_CLASS(pty_write_class, RANK_TTY + 1);
static struct spinlock ptys_lock = SPINLOCK_INIT(ptys_class);
/* (ptys_lock) */
static struct hlist ptys[PTY_BUCKETS];

void
pty_wake_master(struct pty *p, unsigned long key)
{
	if (waitq_active(&p->wait))
		waitq_wake(&p->wait, 0, key);
	if (likely(!READ_ONCE(p->master_async)))
		return;
	spin_lock(&p->tty.files_lock);
	if (p->master)
		file_async_notify(p->master, key & POLLIN ? POLL_IN : POLL_OUT);
	spin_unlock(&p->tty.files_lock);
}

/* --- the slave's driver --- */

size_t
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

void
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
	pty_wake_master(p, POLLIN | POLLRDNORM);
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
		pty_wake_master(p, POLLIN | POLLRDNORM | POLLPRI);
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
	pty_wake_master(pty_of(tty), POLLOUT | POLLWRNORM);
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
	int err;

	if (!tty)
		return -EIO;
	err = tty_open_file(tty, f, f->flags & O_NOCTTY, false);
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
	f->private = p;
	f->ops = &pty_master_ops;
	p->master = f;
	return 0;
}

void
pty_master_gone(struct pty *p)
{
	spin_lock(&ptys_lock);
	hlist_del(&p->link);
	spin_unlock(&ptys_lock);
	spin_lock(&p->tty.files_lock);
	p->master = NULL;
	spin_unlock(&p->tty.files_lock);
	WRITE_ONCE(p->master_gone, true);
	devpts_remove(p->token);
	tty_redirect_forget(&p->tty);
	tty_hangup(&p->tty);
	tty_put(&p->tty);
}

static int
pty_init(void)
{
	static const struct dev_desc master = {
		.name = "ptmx",
		.mode = 0666,
		.major = 5,
		.minor = 2,
		.ops = &pty_master_ops,
		.open = master_open,
	};
	static const struct dev_desc slaves = {
		.major = PTS_MAJOR,
		.count = 1u << 20,
		.ops = &pty_master_ops,
		.open = slave_open,
	};
	int err = dev_register_desc(&master);

	return err ? err : dev_register_desc(&slaves);
}
INITCALL(INIT_DRIVER, pty_init);
