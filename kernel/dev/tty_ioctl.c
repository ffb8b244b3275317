/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: ioctl commands other than modes (tty_termios.c) and job control
 * (tty_job.c).
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/cred.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* The only line discipline there is. */
#define N_TTY 0

static long
inject(struct tty *tty, const u8 __user *u)
{
	u16 entry;
	u8 c;

	if (READ_ONCE(current->process->tty) != tty && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(c, u))
		return -EFAULT;
	entry = c;
	mutex_lock(&tty->lock);
	ldisc_receive(tty, &entry, 1);
	ldisc_echo_flush(tty);
	mutex_unlock(&tty->lock);
	if (ldisc_readable(tty, false))
		tty_wake_readers(tty);
	return 0;
}

void
tty_resize(struct tty *tty, const struct winsize *ws)
{
	bool changed;

	mutex_lock(&tty->lock);
	changed = memcmp(&tty->winsize, ws, sizeof(*ws)) != 0;
	tty->winsize = *ws;
	mutex_unlock(&tty->lock);
	if (changed)
		tty_signal(tty, SIGWINCH);
}

static long
get_size(struct tty *tty, void __user *u)
{
	struct winsize ws;

	mutex_lock(&tty->lock);
	ws = tty->winsize;
	mutex_unlock(&tty->lock);
	return copy_to_user(u, &ws, sizeof(ws));
}

static long
set_size(struct tty *tty, const void __user *u)
{
	struct winsize ws;

	if (copy_from_user(&ws, u, sizeof(ws)))
		return -EFAULT;
	tty_resize(tty, &ws);
	return 0;
}

static long
set_discipline(const int __user *u)
{
	int nr;

	if (get_user(nr, u))
		return -EFAULT;
	return nr == N_TTY ? 0 : -EINVAL;
}

/* --- breaks --- */

static long
send_break(struct tty *tty, u32 ms)
{
	if (!tty->ops->set_break)
		return 0;
	if (mutex_lock_interruptible(&tty->write_lock))
		return -EINTR;
	tty->ops->set_break(tty, true);
	if (!signal_pending())
		sleep_until_interruptible(deadline_after(ms * NSEC_PER_MSEC));
	tty->ops->set_break(tty, false);
	mutex_unlock(&tty->write_lock);
	return signal_pending() ? -EINTR : 0;
}

static long
set_break(struct tty *tty, bool on)
{
	if (tty->ops->set_break)
		tty->ops->set_break(tty, on);
	return 0;
}

/* Waits until what was written is out. */
static long
drain(struct tty *tty)
{
	long ret = tty_check_change(tty, SIGTTOU);

	if (ret)
		return ret;
	if (tty->ops->drain)
		tty->ops->drain(tty);
	return signal_pending() ? -EINTR : 0;
}

static long
break_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg)
{
	long ret = cmd == TIOCCBRK ? tty_check_change(tty, SIGTTOU) : drain(tty);

	if (ret)
		return ret;
	switch (cmd) {
	case TIOCSBRK:
		return set_break(tty, true);
	case TIOCCBRK:
		return set_break(tty, false);
	case TCSBRK:
		return arg ? 0 : send_break(tty, 250);
	default:
		return send_break(tty, arg ? (u32)min(arg * 100, 60000ul) : 250);
	}
}

/* --- exclusive use --- */

static long
set_exclusive(struct tty *tty, bool on)
{
	mutex_lock(&tty->open_lock);
	tty->exclusive = on;
	mutex_unlock(&tty->open_lock);
	return 0;
}

static long
vhangup(struct tty *tty)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_hangup(tty);
	return 0;
}

/* The form of a device number in 32 bits. */
static u32
dev_number(const struct tty *tty)
{
	return (tty->minor & 0xff) | tty->major << 8 | (tty->minor & ~0xffu) << 12;
}

static long
pending_output(struct tty *tty, int __user *u)
{
	size_t n = tty->ops->pending ? tty->ops->pending(tty) : 0;

	return put_user((int)n, u);
}

static long
pending_input(struct tty *tty, int __user *u)
{
	u32 n;

	mutex_lock(&tty->lock);
	n = ldisc_count(tty);
	mutex_unlock(&tty->lock);
	return put_user((int)n, u);
}

long
tty_mode_ioctl(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg)
{
	void __user *u = (void __user *)arg;

	switch (cmd) {
	case TIOCGWINSZ:
		return get_size(tty, u);
	case TIOCSWINSZ:
		return set_size(tty, u);
	case TIOCEXCL:
		return set_exclusive(tty, true);
	case TIOCNXCL:
		return set_exclusive(tty, false);
	case TIOCGEXCL:
		return put_user(READ_ONCE(tty->exclusive) ? 1 : 0, (int __user *)u);
	case TIOCGETD:
		return put_user(N_TTY, (int __user *)u);
	case TIOCSETD:
		return set_discipline(u);
	case TIOCGDEV:
		return put_user(dev_number(tty), (u32 __user *)u);
	case TIOCVHANGUP:
		return vhangup(tty);
	case TCSBRK:
	case TCSBRKP:
	case TIOCSBRK:
	case TIOCCBRK:
		return break_ioctl(tty, cmd, arg);
	default:
		return tty_termios_ioctl(tty, cmd, arg);
	}
}

/* Data commands of the terminal itself: a master answers them for its own side. */
static long
data_ioctl(struct tty *tty, struct file *f, unsigned int cmd, void __user *u)
{
	switch (cmd) {
	case TIOCSTI:
		return inject(tty, u);
	case TIOCOUTQ:
		return pending_output(tty, u);
	case TIOCINQ:
		return pending_input(tty, u);
	case TIOCCONS:
		return tty_redirect_console(tty, f);
	default:
		return -ENOTTY;
	}
}

long
tty_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct tty_file *tf = f->private;
	struct tty *tty = tf->tty;
	long ret;

	if (tty_file_dead(tf))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	ret = tty_job_ioctl(tty, f, false, cmd, arg);
	if (ret != -ENOTTY || cmd == TIOCNOTTY || cmd == TIOCSPGRP || cmd == TIOCGPGRP ||
	    cmd == TIOCGSID)
		return ret;
	ret = data_ioctl(tty, f, cmd, (void __user *)arg);
	if (ret == -ENOTTY && tty->ops->ioctl)
		ret = tty->ops->ioctl(tty, f, cmd, arg);
	if (ret == -ENOTTY)
		ret = tty_mode_ioctl(tty, f, cmd, arg);
	return ret;
}
