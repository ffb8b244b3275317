/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: reading, writing, waiting, and how input gets from the driver to
 * the line discipline.
 *
 * Ordering of a wakeup: the line discipline moves a position, then waitq_wake()
 * looks for waiters behind a full barrier; a waiter queues itself, then looks
 * at the positions (sync/waitq.h).
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"

/* --- input --- */

size_t
tty_input_room(struct tty *tty)
{
	return TTY_INPUT - (READ_ONCE(tty->in_head) - READ_ONCE(tty->in_tail));
}

size_t
tty_input_add(struct tty *tty, const u8 *s, size_t n, unsigned int flag)
{
	unsigned long flags = spin_lock_irq(&tty->in_lock);
	size_t i, room = tty_input_room(tty);

	for (i = 0; i < n && i < room; i++)
		tty->inq[(tty->in_head + i) % TTY_INPUT] = (u16)(s[i] | flag << 8);
	WRITE_ONCE(tty->in_head, tty->in_head + (u32)i);
	tty->in_lost += n - i;
	spin_unlock_irq(&tty->in_lock, flags);
	return i;
}

void
tty_input_forget(struct tty *tty)
{
	unsigned long flags = spin_lock_irq(&tty->in_lock);

	WRITE_ONCE(tty->in_tail, tty->in_head);
	spin_unlock_irq(&tty->in_lock, flags);
}

void
tty_input_flush(struct tty *tty)
{
	mutex_lock(&tty->lock);
	tty_input_forget(tty);
	mutex_unlock(&tty->lock);
	if (tty->ops->input_taken)
		tty->ops->input_taken(tty);
}

/* A run of the queue to the line discipline; entries that it took, *more: there were others. */
static size_t
input_step(struct tty *tty, bool *more)
{
	u32 tail = tty->in_tail, off = tail % TTY_INPUT;
	size_t n = min(smp_load_acquire(&tty->in_head) - tail, TTY_INPUT - off), took;
	unsigned long flags;

	took = n ? ldisc_receive(tty, tty->inq + off, n) : 0;
	flags = spin_lock_irq(&tty->in_lock);
	WRITE_ONCE(tty->in_tail, tail + (u32)took);
	spin_unlock_irq(&tty->in_lock, flags);
	*more = took == n && tty_input_waits(tty);
	return took;
}

void
tty_input_push(struct tty *tty)
{
	size_t took = 0;
	bool more;

	mutex_lock(&tty->lock);
	do {
		took += input_step(tty, &more);
	} while (more);
	ldisc_echo_flush(tty);
	mutex_unlock(&tty->lock);
	if (!took)
		return;
	if (tty->ops->input_taken)
		tty->ops->input_taken(tty);
	if (ldisc_readable(tty, false))
		tty_wake_readers(tty);
}

/* --- wakeups --- */

static void
notify(struct tty *tty, int code)
{
	struct tty_file *tf;

	if (likely(!READ_ONCE(tty->async)))
		return;
	spin_lock(&tty->files_lock);
	list_for_each_entry(tf, &tty->files, link)
		file_async_notify(tf->file, code);
	spin_unlock(&tty->files_lock);
}

void
tty_wake_readers(struct tty *tty)
{
	if (waitq_active(&tty->read_wait))
		waitq_wake(&tty->read_wait, 0, POLLIN | POLLRDNORM | POLLPRI);
	notify(tty, POLL_IN);
}

void
tty_wake_writers(struct tty *tty)
{
	if (waitq_active(&tty->write_wait))
		waitq_wake(&tty->write_wait, 0, POLLOUT | POLLWRNORM);
	notify(tty, POLL_OUT);
}

int
tty_async_owner(struct tty *tty, struct file *f, u32 flags)
{
	struct pid *pgrp;
	s32 nr = current->process->tgid;
	long ret;

	if (!(flags & O_ASYNC))
		return 0;
	WRITE_ONCE(tty->async, true);
	if (file_owner_fcntl(f, F_GETOWN, 0) != 0)
		return 0;
	pgrp = tty_pgrp_get(tty);
	if (pgrp) {
		nr = -pgrp->nr;
		pid_put(pgrp);
	}
	ret = file_owner_fcntl(f, F_SETOWN, (unsigned long)nr);
	/* The group may have gone meanwhile: then nobody is told. */
	return ret == -ESRCH ? 0 : (int)ret;
}

void
tty_output_ready(struct tty *tty)
{
	if (ldisc_echo_waits(tty)) {
		mutex_lock(&tty->lock);
		ldisc_echo_flush(tty);
		mutex_unlock(&tty->lock);
	}
	tty_wake_writers(tty);
}

void
tty_stop(struct tty *tty)
{
	if (tty->stopped)
		return;
	WRITE_ONCE(tty->stopped, true);
	if (tty->ops->stop)
		tty->ops->stop(tty);
}

void
tty_start(struct tty *tty)
{
	if (!tty->stopped || tty->tco_stopped)
		return;
	WRITE_ONCE(tty->stopped, false);
	if (tty->ops->start)
		tty->ops->start(tty);
	ldisc_echo_flush(tty);
	tty_wake_writers(tty);
}

/* --- reading --- */

/* How long a reader in raw mode waits (VMIN, VTIME; termios(3) has the four cases). */
struct patience {
	size_t minimum;
	/* ns between bytes; 0: no limit */
	u64 between;
	/* absolute */
	u64 deadline;
	bool nonblock;
};

static struct patience
patience_of(struct tty *tty, struct file *f)
{
	struct patience p = {.deadline = NO_DEADLINE, .nonblock = file_nonblock(f)};
	u64 time = CC(tty, VTIME) * (NSEC_PER_SEC / 10);

	if (tty_canonical(tty))
		return p;
	p.minimum = CC(tty, VMIN);
	if (p.minimum)
		p.between = time;
	else
		p.deadline = time ? deadline_after(time) : 0;
	if (!p.minimum)
		p.minimum = 1;
	return p;
}

/* Nothing to take. 0: look again, 1: end of file, or -Exxx. */
static int
read_wait(struct tty *tty, struct tty_file *tf, const struct patience *p)
{
	int err;

	if (tty_input_waits(tty)) {
		tty_input_push(tty);
		if (ldisc_readable(tty, false))
			return 0;
	}
	if (tty_file_dead(tf) || p->deadline == 0)
		return 1;
	if (p->nonblock)
		return -EAGAIN;
	err = wait_event_interruptible_until(&tty->read_wait,
					     ldisc_readable(tty, false) || tty_input_waits(tty) ||
						     tty_file_dead(tf),
					     p->deadline);
	return err == -ETIMEDOUT ? 1 : err;
}

/* Moves what is there; *end: the read is complete with it. Bytes, or -EFAULT. */
static s64
read_some(struct tty *tty, struct iter *to, bool *end)
{
	u8 buf[256];
	size_t n;

	mutex_lock(&tty->lock);
	n = ldisc_take(tty, buf, min(iter_left(to), sizeof(buf)), end);
	ldisc_unthrottle(tty);
	mutex_unlock(&tty->lock);
	if (n && iter_copy_to(to, buf, n) != n)
		return -EFAULT;
	return (s64)n;
}

static s64
read_loop(struct tty *tty, struct tty_file *tf, struct iter *to)
{
	struct patience p = patience_of(tty, tf->file);
	bool end = false;
	s64 done = 0, n = 0;
	int err = 0;

	while (iter_left(to) && !end) {
		n = read_some(tty, to, &end);
		if (n < 0)
			break;
		done += n;
		if (n || end) {
			if (p.between)
				p.deadline = deadline_after(p.between);
			continue;
		}
		if (done && (size_t)done >= p.minimum)
			break;
		err = read_wait(tty, tf, &p);
		if (err)
			break;
	}
	if (done)
		return done;
	return n < 0 ? n : min(err, 0);
}

static int
rw_lock(struct mutex *m, struct file *f)
{
	if (!file_nonblock(f))
		return mutex_lock_interruptible(m);
	return mutex_try_lock(m) ? 0 : -EAGAIN;
}

s64
tty_read(struct file *f, struct iter *to, u64 *pos)
{
	struct tty_file *tf = f->private;
	struct tty *tty = tf->tty;
	s64 ret;

	if (tty_file_dead(tf))
		return 0;
	if (!tf->console) {
		ret = tty_check_change(tty, SIGTTIN);
		if (ret)
			return ret;
	}
	ret = rw_lock(&tty->read_lock, f);
	if (ret)
		return ret;
	ret = read_loop(tty, tf, to);
	mutex_unlock(&tty->read_lock);
	if (tty_input_waits(tty))
		tty_input_push(tty);
	return ret;
}

/* --- writing --- */

static bool
can_write(struct tty *tty, struct tty_file *tf)
{
	return tty->ops->room(tty) > 0 || tty_file_dead(tf);
}

static size_t
write_step(struct tty *tty, const u8 *s, size_t n)
{
	size_t took;

	mutex_lock(&tty->lock);
	took = ldisc_write(tty, s, n);
	mutex_unlock(&tty->lock);
	return took;
}

/* Writes n bytes; those written before something went wrong, *err. */
static size_t
write_chunk(struct tty *tty, struct tty_file *tf, const u8 *s, size_t n, int *err)
{
	size_t done = 0;

	*err = 0;
	while (done < n) {
		size_t took, room;

		if (tty_file_dead(tf)) {
			*err = -EIO;
			break;
		}
		took = write_step(tty, s + done, n - done);
		done += took;
		if (done == n)
			break;
		if (file_nonblock(tf->file)) {
			if (!took)
				*err = -EAGAIN;
			break;
		}
		/* A tab or an end of line may need more room than the little that is left. */
		room = tty->ops->room(tty);
		*err = wait_event_interruptible(&tty->write_wait, tty->ops->room(tty) > room ||
									  room > 16 ||
									  tty_file_dead(tf));
		if (*err)
			break;
	}
	return done;
}

static s64
write_loop(struct tty *tty, struct tty_file *tf, struct iter *from)
{
	s64 done = 0;
	int err = 0;

	while (iter_left(from) && !err) {
		size_t n = iter_copy_from(tty->write_buf, from,
					  min(iter_left(from), (size_t)TTY_WRITE_CHUNK));
		size_t wrote;

		if (!n) {
			err = -EFAULT;
			break;
		}
		if (done && signal_pending()) {
			iter_revert(from, n);
			break;
		}
		wrote = write_chunk(tty, tf, tty->write_buf, n, &err);
		done += (s64)wrote;
		if (wrote < n) {
			iter_revert(from, n - wrote);
			break;
		}
	}
	return done ? done : err;
}

/* --- TIOCCONS --- */

static LOCK_CLASS(redirect_class, RANK_TTY_SPIN);
static struct spinlock redirect_lock = SPINLOCK_INIT(redirect_class);
/* (redirect_lock)  a reference; NULL: none */
static struct tty *redirect;

long
tty_redirect_console(struct tty *tty, struct file *f)
{
	bool console = ((struct tty_file *)f->private)->console;
	struct tty *old = NULL;
	long ret = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	spin_lock(&redirect_lock);
	if (console) {
		old = redirect;
		redirect = NULL;
	} else if (redirect) {
		ret = -EBUSY;
	} else {
		redirect = tty_get(tty);
	}
	spin_unlock(&redirect_lock);
	if (old)
		tty_put(old);
	return ret;
}

void
tty_redirect_forget(struct tty *tty)
{
	bool was;

	spin_lock(&redirect_lock);
	was = redirect == tty;
	if (was)
		redirect = NULL;
	spin_unlock(&redirect_lock);
	if (was)
		tty_put(tty);
}

static struct tty *
redirect_get(void)
{
	struct tty *tty;

	if (likely(!READ_ONCE(redirect)))
		return NULL;
	spin_lock(&redirect_lock);
	tty = redirect ? tty_get(redirect) : NULL;
	spin_unlock(&redirect_lock);
	return tty;
}

/* Where what is written to /dev/console goes: a reference. */
static struct tty *
console_target(struct tty_file *tf)
{
	struct tty *tty = redirect_get();

	return tty ? tty : tty_get(tf->tty);
}

static s64
write_to(struct tty *tty, struct tty_file *tf, struct iter *from)
{
	s64 ret = rw_lock(&tty->write_lock, tf->file);

	if (ret)
		return ret;
	ret = write_loop(tty, tf, from);
	mutex_unlock(&tty->write_lock);
	/* While the lock was held poll() said that nothing can be written. */
	if (waitq_active(&tty->write_wait))
		waitq_wake(&tty->write_wait, 0, POLLOUT | POLLWRNORM);
	return ret;
}

s64
tty_write(struct file *f, struct iter *from, u64 *pos)
{
	struct tty_file *tf = f->private;
	struct tty *tty = tf->tty;
	s64 ret;

	if (tty_file_dead(tf))
		return -EIO;
	if (tf->console) {
		tty = console_target(tf);
		ret = write_to(tty, tf, from);
		tty_put(tty);
		return ret;
	}
	if (READ_ONCE(tty->termios.lflag) & TOSTOP) {
		ret = tty_check_change(tty, SIGTTOU);
		if (ret)
			return ret;
	}
	return write_to(tty, tf, from);
}

u32
tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty_file *tf = f->private;
	struct tty *tty = tf->tty;
	u32 ev = 0;

	poll_wait(f, &tty->read_wait, pt);
	poll_wait(f, &tty->write_wait, pt);
	if (tty_file_dead(tf))
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	if (ldisc_readable(tty, true))
		ev |= POLLIN | POLLRDNORM;
	if (!mutex_locked(&tty->write_lock) && can_write(tty, tf) &&
	    (!tty->ops->pending || tty->ops->pending(tty) < TTY_WAKE_BELOW))
		ev |= POLLOUT | POLLWRNORM;
	return ev;
}
