/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: modes in the forms that user space knows (termio, termios,
 * termios2), line speeds, and changing them.
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/cred.h"
#include "kernel/signal/signal.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* Speeds by the bits of CBAUD: 0 to 15, then those with CBAUDEX from 1 on. */
static const u32 speeds[] = {
	0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
};
static const u32 speeds_ex[] = {
	0,	 57600,	  115200,  230400,  460800,  500000,  576000,  921600,
	1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static u32
speed_of(u32 bits, u32 other)
{
	if (bits == BOTHER)
		return other;
	return bits & CBAUDEX ? speeds_ex[bits & 15] : speeds[bits & 15];
}

u32
termios_speed(const struct termios2 *t)
{
	return speed_of(t->cflag & CBAUD, t->ospeed);
}

static u32
input_speed(const struct termios2 *t)
{
	u32 bits = (t->cflag & CIBAUD) >> CIBAUD_SHIFT;

	return bits == 0 ? termios_speed(t) : speed_of(bits, t->ispeed);
}

void
termios_init_std(struct termios2 *t, u32 cflag)
{
	static const u8 cc[TTY_NCCS] = {
		[VINTR] = 3,	 [VQUIT] = 28,	 [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
		[VMIN] = 1,	 [VSTART] = 17,	 [VSTOP] = 19,	 [VSUSP] = 26, [VREPRINT] = 18,
		[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
	};

	*t = (struct termios2){
		.iflag = ICRNL | IXON,
		.oflag = OPOST | ONLCR,
		.cflag = cflag,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};
	memcpy(t->cc, cc, sizeof(cc));
	t->ospeed = termios_speed(t);
	t->ispeed = t->ospeed;
}

/* Bits that TIOCSLCKTRMIOS has locked stay as they are. */
static void
keep_locked(struct termios2 *t, const struct termios2 *old, const struct termios2 *locked)
{
	unsigned int i;

	t->iflag ^= (t->iflag ^ old->iflag) & locked->iflag;
	t->oflag ^= (t->oflag ^ old->oflag) & locked->oflag;
	t->cflag ^= (t->cflag ^ old->cflag) & locked->cflag;
	t->lflag ^= (t->lflag ^ old->lflag) & locked->lflag;
	for (i = 0; i < TTY_NCCS; i++)
		if (locked->cc[i])
			t->cc[i] = old->cc[i];
}

static void
termios_set(struct tty *tty, struct termios2 *t)
{
	struct termios2 old;

	mutex_lock(&tty->lock);
	old = tty->termios;
	keep_locked(t, &old, &tty->termios_locked);
	t->ospeed = termios_speed(t);
	t->ispeed = input_speed(t);
	t->line = old.line;
	tty->termios = *t;
	if (tty->ops->set_termios)
		tty->ops->set_termios(tty, &old);
	ldisc_termios_changed(tty, &old);
	mutex_unlock(&tty->lock);
	tty_wake_readers(tty);
	tty_wake_writers(tty);
}

/* --- forms --- */

enum form { FORM_TERMIO, FORM_TERMIOS, FORM_TERMIOS2 };

static struct termios2
termios_copy(struct tty *tty)
{
	struct termios2 t;

	mutex_lock(&tty->lock);
	t = tty->termios;
	mutex_unlock(&tty->lock);
	return t;
}

static long
termios_out(const struct termios2 *t, enum form form, void __user *u)
{
	struct termio old;

	if (form == FORM_TERMIOS2)
		return copy_to_user(u, t, sizeof(*t));
	if (form == FORM_TERMIOS)
		return copy_to_user(u, t, sizeof(struct termios));
	old = (struct termio){
		.iflag = (u16)t->iflag,
		.oflag = (u16)t->oflag,
		.cflag = (u16)t->cflag,
		.lflag = (u16)t->lflag,
		.line = t->line,
	};
	memcpy(old.cc, t->cc, sizeof(old.cc));
	return copy_to_user(u, &old, sizeof(old));
}

/* Fills *t, which holds the present modes. */
static int
termios_in(struct termios2 *t, enum form form, const void __user *u)
{
	struct termio old;

	if (form == FORM_TERMIOS2)
		return copy_from_user(t, u, sizeof(*t));
	if (form == FORM_TERMIOS)
		return copy_from_user(t, u, sizeof(struct termios));
	if (copy_from_user(&old, u, sizeof(old)))
		return -EFAULT;
	t->iflag = (t->iflag & 0xffff0000u) | old.iflag;
	t->oflag = (t->oflag & 0xffff0000u) | old.oflag;
	t->cflag = (t->cflag & 0xffff0000u) | old.cflag;
	t->lflag = (t->lflag & 0xffff0000u) | old.lflag;
	memcpy(t->cc, old.cc, sizeof(old.cc));
	return 0;
}

/* What happens before the change. */
#define CHANGE_DRAIN 1u
#define CHANGE_FLUSH 2u

static void
flush_input(struct tty *tty)
{
	mutex_lock(&tty->lock);
	tty_input_forget(tty);
	ldisc_flush_input(tty);
	mutex_unlock(&tty->lock);
	if (tty->ops->input_taken)
		tty->ops->input_taken(tty);
}

static long
termios_change(struct tty *tty, enum form form, unsigned int how, const void __user *u)
{
	long ret = tty_check_change(tty, SIGTTOU);
	struct termios2 t;

	if (ret)
		return ret;
	t = termios_copy(tty);
	ret = termios_in(&t, form, u);
	if (ret)
		return ret;
	if (how & CHANGE_FLUSH)
		flush_input(tty);
	if (how & CHANGE_DRAIN && tty->ops->drain) {
		tty->ops->drain(tty);
		if (signal_pending())
			return -ERESTARTSYS;
	}
	termios_set(tty, &t);
	return 0;
}

static long
set_locked(struct tty *tty, const void __user *u)
{
	struct termios t;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&t, u, sizeof(t)))
		return -EFAULT;
	mutex_lock(&tty->lock);
	memcpy(&tty->termios_locked, &t, sizeof(t));
	mutex_unlock(&tty->lock);
	return 0;
}

static long
soft_carrier(struct tty *tty, int __user *u)
{
	struct termios2 t = termios_copy(tty);
	int on;

	if (get_user(on, u))
		return -EFAULT;
	t.cflag = on ? t.cflag | CLOCAL : t.cflag & ~CLOCAL;
	termios_set(tty, &t);
	return 0;
}

/* --- flow and flushing --- */

static long
flow(struct tty *tty, unsigned long what)
{
	long ret = tty_check_change(tty, SIGTTOU);
	u8 c = 0;

	if (ret)
		return ret;
	mutex_lock(&tty->lock);
	switch (what) {
	case TCOOFF:
		if (!tty->tco_stopped) {
			tty->tco_stopped = true;
			tty_stop(tty);
		}
		break;
	case TCOON:
		if (tty->tco_stopped) {
			tty->tco_stopped = false;
			tty_start(tty);
		}
		break;
	case TCIOFF:
		c = CC(tty, VSTOP);
		break;
	case TCION:
		c = CC(tty, VSTART);
		break;
	default:
		ret = -EINVAL;
	}
	if (c != CC_DISABLED && tty->ops->send_xchar)
		tty->ops->send_xchar(tty, c);
	mutex_unlock(&tty->lock);
	return ret;
}

static long
flush(struct tty *tty, unsigned long what)
{
	long ret = tty_check_change(tty, SIGTTOU);

	if (ret)
		return ret;
	if (what > TCIOFLUSH)
		return -EINVAL;
	if (what != TCOFLUSH)
		flush_input(tty);
	if (what == TCIFLUSH)
		return 0;
	mutex_lock(&tty->lock);
	if (tty->ops->flush_output)
		tty->ops->flush_output(tty);
	mutex_unlock(&tty->lock);
	tty_wake_writers(tty);
	return 0;
}

long
tty_termios_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg)
{
	void __user *u = (void __user *)arg;
	struct termios2 t;

	switch (cmd) {
	case TCGETS:
	case TCGETS2:
	case TCGETA:
		t = termios_copy(tty);
		return termios_out(&t,
				   cmd == TCGETA   ? FORM_TERMIO
				   : cmd == TCGETS ? FORM_TERMIOS
						   : FORM_TERMIOS2,
				   u);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return termios_change(
			tty, FORM_TERMIOS,
			cmd == TCSETS ? 0 : CHANGE_DRAIN | (cmd == TCSETSF ? CHANGE_FLUSH : 0), u);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return termios_change(
			tty, FORM_TERMIOS2,
			cmd == TCSETS2 ? 0 : CHANGE_DRAIN | (cmd == TCSETSF2 ? CHANGE_FLUSH : 0),
			u);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return termios_change(
			tty, FORM_TERMIO,
			cmd == TCSETA ? 0 : CHANGE_DRAIN | (cmd == TCSETAF ? CHANGE_FLUSH : 0), u);
	case TIOCGLCKTRMIOS:
		return copy_to_user(u, &tty->termios_locked, sizeof(struct termios));
	case TIOCSLCKTRMIOS:
		return set_locked(tty, u);
	case TIOCGSOFTCAR:
		return put_user(C_FLAG(tty, CLOCAL) ? 1 : 0, (int __user *)u);
	case TIOCSSOFTCAR:
		return soft_carrier(tty, u);
	case TCXONC:
		return flow(tty, arg);
	case TCFLSH:
		return flush(tty, arg);
	default:
		return -ENOTTY;
	}
}
