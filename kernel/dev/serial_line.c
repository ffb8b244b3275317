/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial ports: speed and format of the line, modem lines, ioctls, and what
 * console= on the command line says about them.
 *
 * Locking: port->lock, where a comment says so; else the functions take it.
 */
#include "kernel/dev/serial_impl.h"

#include "kernel/init.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/uaccess.h"

struct serial_option serial_options[PORTS];

/* --- line settings; port->lock is held --- */

static u8
lcr_of(u32 cflag)
{
	u8 lcr = (u8)((cflag & CSIZE) >> 4);

	if (cflag & CSTOPB)
		lcr |= LCR_STOP2;
	if (cflag & PARENB)
		lcr |= LCR_PARITY;
	if (!(cflag & PARODD))
		lcr |= LCR_EVEN;
	if (cflag & CMSPAR)
		lcr |= LCR_STICK;
	return lcr;
}

static u16
divisor_of(u32 baud)
{
	return (u16)clamp((BASE_BAUD + baud / 2) / max(baud, 1u), 1u, 0xffffu);
}

static void
divisor_write(u16 base, u8 lcr, u16 divisor)
{
	outb(base + REG_LCR, lcr | LCR_DLAB);
	outb(base + REG_DATA, (u8)divisor);
	outb(base + REG_IER, (u8)(divisor >> 8));
	outb(base + REG_LCR, lcr);
}

static void
line_program(struct serial *p, u8 lcr, u16 divisor)
{
	if (p->divisor != divisor)
		divisor_write(p->base, lcr, divisor);
	else if (p->lcr != lcr)
		serial_write_reg(p, REG_LCR, lcr);
	p->divisor = divisor;
	p->lcr = lcr;
}

void
serial_set_mcr(struct serial *p, u8 mcr)
{
	p->mcr = mcr;
	serial_write_reg(p, REG_MCR, mcr);
}

void
serial_line_update(struct serial *p)
{
	const struct termios2 *t = &p->tty.termios;
	u32 baud = termios_speed(t);

	line_program(p, lcr_of(t->cflag), baud ? divisor_of(baud) : p->divisor);
	/* Speed 0 hangs the line up. */
	if (baud == 0)
		serial_set_mcr(p, p->mcr & (u8) ~(MCR_DTR | MCR_RTS));
	else if (!(p->mcr & MCR_DTR))
		serial_set_mcr(p, p->mcr | MCR_DTR | MCR_RTS);
	serial_tx_run(p);
}

void
serial_set_termios(struct tty *tty, const struct termios2 *old)
{
	struct serial *p = serial_of(tty);
	unsigned long flags;

	tty->termios.cflag &= ~CIBAUD;
	flags = spin_lock_irq(&p->lock);
	if (p->up)
		serial_line_update(p);
	spin_unlock_irq(&p->lock, flags);
}

void
serial_break(struct tty *tty, bool on)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	p->lcr = on ? p->lcr | LCR_BREAK : p->lcr & (u8)~LCR_BREAK;
	serial_write_reg(p, REG_LCR, p->lcr);
	spin_unlock_irq(&p->lock, flags);
}

void
serial_throttle(struct tty *tty, bool stop)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	serial_set_mcr(p, stop ? p->mcr & (u8)~MCR_RTS : p->mcr | MCR_RTS);
	spin_unlock_irq(&p->lock, flags);
}

/* --- ioctls --- */

static const struct {
	u32 tiocm;
	u8 mcr;
	u8 msr;
} modem_bits[] = {
	{TIOCM_DTR, MCR_DTR, 0},   {TIOCM_RTS, MCR_RTS, 0},   {TIOCM_OUT1, MCR_OUT1, 0},
	{TIOCM_OUT2, MCR_OUT2, 0}, {TIOCM_LOOP, MCR_LOOP, 0}, {TIOCM_CTS, 0, MSR_CTS},
	{TIOCM_CAR, 0, MSR_DCD},   {TIOCM_RNG, 0, MSR_RING},  {TIOCM_DSR, 0, MSR_DSR},
};

static long
modem_get(struct serial *p, int __user *u)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	u8 msr = serial_modem(p);
	unsigned int i;
	u32 v = 0;

	spin_unlock_irq(&p->lock, flags);
	for (i = 0; i < ARRAY_SIZE(modem_bits); i++)
		if ((modem_bits[i].mcr & p->mcr) | (modem_bits[i].msr & msr))
			v |= modem_bits[i].tiocm;
	/* OUT2 is the interrupt gate of a PC, no line. */
	return put_user((int)(v & ~TIOCM_OUT2), u);
}

static long
modem_set(struct serial *p, unsigned int cmd, const int __user *u)
{
	const u8 mine = MCR_DTR | MCR_RTS | MCR_OUT1 | MCR_LOOP;
	unsigned long flags;
	u8 bits = 0, mcr;
	unsigned int i;
	u32 v;

	if (get_user(v, u))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(modem_bits); i++)
		if (v & modem_bits[i].tiocm)
			bits |= modem_bits[i].mcr & mine;
	flags = spin_lock_irq(&p->lock);
	if (cmd == TIOCMBIS)
		mcr = p->mcr | bits;
	else if (cmd == TIOCMBIC)
		mcr = p->mcr & (u8)~bits;
	else
		mcr = (p->mcr & (u8)~mine) | bits;
	serial_set_mcr(p, mcr);
	spin_unlock_irq(&p->lock, flags);
	return 0;
}

static long
serial_info(struct serial *p, void __user *u)
{
	struct serial_struct s = {
		.type = PORT_16550A,
		.line = p->index,
		.port = p->base,
		.irq = p->irq,
		.xmit_fifo_size = FIFO_SIZE,
		.baud_base = BASE_BAUD,
		.close_delay = 50,
		.closing_wait = 3000,
	};

	return copy_to_user(u, &s, sizeof(s));
}

static long
serial_counts(struct serial *p, void __user *u)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	struct serial_icounter c = p->count;

	spin_unlock_irq(&p->lock, flags);
	return copy_to_user(u, &c, sizeof(c));
}

long
serial_ioctl(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg)
{
	struct serial *p = serial_of(tty);
	void __user *u = (void __user *)arg;

	switch (cmd) {
	case TIOCMGET:
		return modem_get(p, u);
	case TIOCMBIS:
	case TIOCMBIC:
	case TIOCMSET:
		return modem_set(p, cmd, u);
	case TIOCGSERIAL:
		return serial_info(p, u);
	case TIOCGICOUNT:
		return serial_counts(p, u);
	default:
		return -ENOTTY;
	}
}

/* --- console=ttySn,115200n8r --- */

static u32
cbaud_of(u64 baud)
{
	struct termios2 t = {0};
	u32 bits;

	for (bits = 0; bits < 32; bits++) {
		t.cflag = bits < 16 ? bits : CBAUDEX | (bits - 16);
		if (t.cflag != BOTHER && termios_speed(&t) == baud)
			return t.cflag;
	}
	return B9600;
}

/* The port speaks like this from now on, so that the log comes out right. */
static void
program_early(unsigned int i)
{
	struct termios2 t = {.cflag = serial_options[i].cflag};
	u16 base = serial_places[i].base;

	outb(base + REG_SCRATCH, 0x5a);
	if (inb(base + REG_SCRATCH) == 0x5a)
		divisor_write(base, lcr_of(t.cflag), divisor_of(termios_speed(&t)));
}

static int
param_console_serial(const char *v)
{
	const char *s = v ? str_after_prefix(v, "ttyS") : NULL;
	u64 nr, baud = 9600;
	u32 cflag = CS8;

	if (!s)
		return 0;
	if (parse_u64_prefix(&s, 10, &nr))
		return -EINVAL;
	if (nr >= PORTS)
		return 0;
	if (*s == ',') {
		s++;
		if (parse_u64_prefix(&s, 10, &baud))
			return -EINVAL;
		if (*s == 'o' || *s == 'e')
			cflag |= *s == 'o' ? PARENB | PARODD : PARENB;
		if (*s)
			s++;
		if (*s == '7')
			cflag = (cflag & ~CSIZE) | CS7;
		if (*s)
			s++;
		if (*s == 'r')
			cflag |= CRTSCTS;
	}
	serial_options[nr].console = true;
	serial_options[nr].cflag = cflag | cbaud_of(baud);
	program_early((unsigned int)nr);
	return 0;
}
PARAM("console", param_console_serial);
