/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial ports: 16550A and relatives at the four places of a PC.
 *
 * Model: receive and transmit by interrupts. What is received goes to the
 * terminal's input queue; a work item brings it on. Output lies in a ring that
 * is emptied into the transmit FIFO whenever that is empty.
 *
 * The kernel's log is written to the same port by polling, on any CPU, with no
 * lock in common, since it must come out when all else is broken. Such a writer
 * waits for an empty FIFO before each byte. So we put only TX_BURST bytes into
 * it: those that polling writers add at the same moment find room.
 *
 * Locking: port->lock covers the registers and the ring; interrupts off.
 * Interrupts are edges shared by two ports each: the handler looks at all ports
 * of its line until none has anything to say.
 *
 * REGISTER  READ                  WRITE (TI TL16C550C, TI PC16550D)
 *        0  received byte         byte to send        divisor low (DLAB)
 *        1  interrupts enabled    the same            divisor high (DLAB)
 *        2  interrupt cause       FIFO control
 *        3  line control          the same
 *        4  modem control         the same
 *        5  line status
 *        6  modem status
 *        7  scratch               the same
 */
#include "kernel/dev/tty_impl.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/dev/port.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/signal/signal.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "percpu/work.h"

#define REG_DATA 0
#define REG_IER 1
#define REG_IIR 2
#define REG_FCR 2
#define REG_LCR 3
#define REG_MCR 4
#define REG_LSR 5
#define REG_MSR 6
#define REG_SCRATCH 7

#define IER_RX 0x01u
#define IER_TX 0x02u
#define IER_LINE 0x04u
#define IER_MODEM 0x08u
#define IIR_NONE 0x01u
/* FIFO on, receiver cleared, interrupt at the first byte. */
#define FCR_SETUP 0x03u
#define LCR_STOP2 0x04u
#define LCR_PARITY 0x08u
#define LCR_EVEN 0x10u
#define LCR_STICK 0x20u
#define LCR_BREAK 0x40u
#define LCR_DLAB 0x80u
#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define LSR_DATA 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_PARITY 0x04u
#define LSR_FRAME 0x08u
#define LSR_BREAK 0x10u
#define LSR_TX_EMPTY 0x20u
#define LSR_TX_IDLE 0x40u
#define MSR_DCTS 0x01u
#define MSR_DDSR 0x02u
#define MSR_DRING 0x04u
#define MSR_DCD_CHANGED 0x08u
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RING 0x40u
#define MSR_DCD 0x80u

#define BASE_BAUD 115200u
#define TX_RING 4096u
#define TX_BURST 8u
#define FIFO_SIZE 16
/* Type PORT_16550A of TIOCGSERIAL. */
#define PORT_16550A 4
#define PORTS 4

struct serial {
	struct tty tty;
	/* I */
	u16 base;
	u8 irq;
	u8 index;
	/* guards what follows and the registers */
	struct spinlock lock;
	u8 *tx;
	u32 tx_head;
	u32 tx_tail;
	u8 ier;
	u8 mcr;
	u8 lcr;
	u16 divisor;
	/* XON or XOFF to send before all else, 0: none */
	u8 xchar;
	/* opened, hence interrupts wanted */
	bool up;
	struct serial_icounter count;
	/* a  the carrier went and the terminal is to hang up */
	bool lost_carrier;
	/* pushes input on, wakes writers */
	struct work work;
};

/* The usual places. */
static const struct {
	u16 base;
	u8 irq;
} places[PORTS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

/* I  after initialisation; NULL: not there */
static struct serial *ports[PORTS];
static LOCK_CLASS(serial_class, RANK_TTY_SPIN);

/* What console=ttySn,... says; I after boot. */
static struct {
	bool console;
	u32 cflag;
} options[PORTS];

static u8
reg_read(const struct serial *p, unsigned int reg)
{
	return inb((u16)(p->base + reg));
}

static void
reg_write(const struct serial *p, unsigned int reg, u8 v)
{
	outb((u16)(p->base + reg), v);
}

static struct serial *
serial_of(struct tty *tty)
{
	return tty->driver;
}

/* --- transmit; port->lock is held --- */

static void
set_ier(struct serial *p, u8 ier)
{
	if (p->ier == ier)
		return;
	p->ier = ier;
	reg_write(p, REG_IER, ier);
}

static bool
tx_blocked(struct serial *p)
{
	return READ_ONCE(p->tty.stopped) ||
	       ((p->tty.termios.cflag & CRTSCTS) && !(reg_read(p, REG_MSR) & MSR_CTS));
}

/* Fills the FIFO as often as it is empty at once, a bounded number of times. */
static void
tx_run(struct serial *p)
{
	unsigned int rounds, i;
	u8 want = p->ier & (u8)~IER_TX;

	for (rounds = 0; rounds < 16 && (reg_read(p, REG_LSR) & LSR_TX_EMPTY); rounds++) {
		if (p->xchar) {
			reg_write(p, REG_DATA, p->xchar);
			p->xchar = 0;
			p->count.tx++;
			continue;
		}
		if (p->tx_head == p->tx_tail || tx_blocked(p))
			break;
		for (i = 0; i < TX_BURST && p->tx_tail != p->tx_head; i++)
			reg_write(p, REG_DATA, p->tx[p->tx_tail++ % TX_RING]);
		p->count.tx += (s32)i;
	}
	if (p->xchar || (p->tx_head != p->tx_tail && !tx_blocked(p)))
		want |= IER_TX;
	set_ier(p, want);
}

static size_t
serial_room(struct tty *tty)
{
	struct serial *p = serial_of(tty);

	return TX_RING - (READ_ONCE(p->tx_head) - READ_ONCE(p->tx_tail));
}

static void
serial_write(struct tty *tty, const u8 *s, size_t n)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);
	size_t i;

	for (i = 0; i < n; i++)
		p->tx[(p->tx_head + i) % TX_RING] = s[i];
	WRITE_ONCE(p->tx_head, p->tx_head + (u32)n);
	tx_run(p);
	spin_unlock_irq(&p->lock, flags);
}

static size_t
serial_pending(struct tty *tty)
{
	return TX_RING - serial_room(tty);
}

static void
serial_flush(struct tty *tty)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	WRITE_ONCE(p->tx_tail, p->tx_head);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_start(struct tty *tty)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	tx_run(p);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_xchar(struct tty *tty, u8 c)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	p->xchar = c;
	tx_run(p);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_drain(struct tty *tty)
{
	struct serial *p = serial_of(tty);

	if (wait_event_interruptible(&tty->write_wait, serial_pending(tty) == 0))
		return;
	while (!(reg_read(p, REG_LSR) & LSR_TX_IDLE))
		if (sleep_until_interruptible(deadline_after(NSEC_PER_MSEC)))
			return;
}

/* --- interrupts --- */

static void
rx_run(struct serial *p, u8 lsr)
{
	unsigned int flag;
	u8 c;

	/* Bounded: a port that is not there any more reads as all ones. */
	for (unsigned int i = 0; i < 256 && (lsr & (LSR_DATA | LSR_BREAK)); i++) {
		c = reg_read(p, REG_DATA);
		flag = INPUT_NORMAL;
		p->count.rx++;
		p->count.overrun += (lsr & LSR_OVERRUN) != 0;
		if (lsr & LSR_BREAK) {
			p->count.brk++;
			flag = INPUT_BREAK;
		} else if (lsr & LSR_PARITY) {
			p->count.parity++;
			flag = INPUT_PARITY;
		} else if (lsr & LSR_FRAME) {
			p->count.frame++;
			flag = INPUT_FRAME;
		}
		if ((p->tty.termios.cflag & CREAD) && !tty_input_add(&p->tty, &c, 1, flag))
			p->count.buf_overrun++;
		lsr = reg_read(p, REG_LSR);
	}
}

static void
modem_run(struct serial *p)
{
	u8 msr = reg_read(p, REG_MSR);

	p->count.cts += (msr & MSR_DCTS) != 0;
	p->count.dsr += (msr & MSR_DDSR) != 0;
	p->count.rng += (msr & MSR_DRING) != 0;
	p->count.dcd += (msr & MSR_DCD_CHANGED) != 0;
	if ((msr & MSR_DCD_CHANGED) && !(msr & MSR_DCD) && !(p->tty.termios.cflag & CLOCAL))
		WRITE_ONCE(p->lost_carrier, true);
}

/* One look at a port; true: it had something to say. */
static bool
serial_service(struct serial *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	bool said = p->up && !(reg_read(p, REG_IIR) & IIR_NONE);

	if (said) {
		rx_run(p, reg_read(p, REG_LSR));
		modem_run(p);
		tx_run(p);
	}
	spin_unlock_irq(&p->lock, flags);
	if (said)
		work_post_here(&p->work);
	return said;
}

static void
serial_interrupt(void *arg)
{
	const u8 *irq = arg;
	unsigned int i, rounds;
	bool again = true;

	for (rounds = 0; again && rounds < 64; rounds++) {
		again = false;
		for (i = 0; i < PORTS; i++)
			if (ports[i] && ports[i]->irq == *irq)
				again |= serial_service(ports[i]);
	}
}

static void
serial_work(struct work *w)
{
	struct serial *p = container_of(w, struct serial, work);

	if (tty_input_waits(&p->tty))
		tty_input_push(&p->tty);
	if (serial_pending(&p->tty) < TTY_WAKE_BELOW)
		tty_output_ready(&p->tty);
	if (unlikely(READ_ONCE(p->lost_carrier))) {
		WRITE_ONCE(p->lost_carrier, false);
		tty_hangup(&p->tty);
	}
}

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
		reg_write(p, REG_LCR, lcr);
	p->divisor = divisor;
	p->lcr = lcr;
}

static void
set_mcr(struct serial *p, u8 mcr)
{
	p->mcr = mcr;
	reg_write(p, REG_MCR, mcr);
}

static void
line_update(struct serial *p)
{
	const struct termios2 *t = &p->tty.termios;
	u32 baud = termios_speed(t);

	line_program(p, lcr_of(t->cflag), baud ? divisor_of(baud) : p->divisor);
	/* Speed 0 hangs the line up. */
	if (baud == 0)
		set_mcr(p, p->mcr & (u8) ~(MCR_DTR | MCR_RTS));
	else if (!(p->mcr & MCR_DTR))
		set_mcr(p, p->mcr | MCR_DTR | MCR_RTS);
	tx_run(p);
}

static void
serial_set_termios(struct tty *tty, const struct termios2 *old)
{
	struct serial *p = serial_of(tty);
	unsigned long flags;

	tty->termios.cflag &= ~CIBAUD;
	flags = spin_lock_irq(&p->lock);
	if (p->up)
		line_update(p);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_break(struct tty *tty, bool on)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	p->lcr = on ? p->lcr | LCR_BREAK : p->lcr & (u8)~LCR_BREAK;
	reg_write(p, REG_LCR, p->lcr);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_throttle(struct tty *tty, bool stop)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	set_mcr(p, stop ? p->mcr & (u8)~MCR_RTS : p->mcr | MCR_RTS);
	spin_unlock_irq(&p->lock, flags);
}

/* --- opening and closing --- */

static void
serial_up(struct serial *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);

	if (!p->up) {
		p->up = true;
		reg_write(p, REG_FCR, FCR_SETUP);
		p->mcr = MCR_OUT2;
		line_update(p);
		set_ier(p, IER_RX | IER_LINE | IER_MODEM);
	}
	spin_unlock_irq(&p->lock, flags);
}

static int
serial_wait_ready(struct tty *tty, struct file *f)
{
	struct serial *p = serial_of(tty);

	if ((tty->termios.cflag & CLOCAL) || file_nonblock(f))
		return 0;
	serial_up(p);
	return wait_event_interruptible(&tty->write_wait, (reg_read(p, REG_MSR) & MSR_DCD) ||
								  (tty->termios.cflag & CLOCAL));
}

static int
serial_open(struct tty *tty, struct file *f)
{
	serial_up(serial_of(tty));
	return 0;
}

static void
serial_close(struct tty *tty)
{
	struct serial *p = serial_of(tty);
	unsigned long flags;

	serial_drain(tty);
	tty_reset(tty);
	tty->winsize = (struct winsize){0};
	flags = spin_lock_irq(&p->lock);
	WRITE_ONCE(p->tx_tail, p->tx_head);
	p->up = false;
	set_ier(p, 0);
	if ((tty->termios.cflag & HUPCL) && !options[p->index].console)
		set_mcr(p, 0);
	spin_unlock_irq(&p->lock, flags);
}

/* The line goes down for a moment, so that a modem hangs up; handles come back by opening. */
static void
serial_hangup(struct tty *tty)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	if ((tty->termios.cflag & HUPCL) && !options[p->index].console) {
		set_mcr(p, p->mcr & (u8) ~(MCR_DTR | MCR_RTS));
		p->up = false;
		set_ier(p, 0);
	}
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
	u8 msr = reg_read(p, REG_MSR);
	unsigned int i;
	u32 v = 0;

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
	set_mcr(p, mcr);
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

static long
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

static const struct tty_ops serial_ops = {
	.wait_ready = serial_wait_ready,
	.open = serial_open,
	.close = serial_close,
	.room = serial_room,
	.write = serial_write,
	.pending = serial_pending,
	.flush_output = serial_flush,
	.drain = serial_drain,
	.set_termios = serial_set_termios,
	.start = serial_start,
	.throttle = serial_throttle,
	.send_xchar = serial_xchar,
	.set_break = serial_break,
	.hangup = serial_hangup,
	.ioctl = serial_ioctl,
};

/* --- finding them --- */

/* Registers keep what is written and interrupts are enabled bit by bit. */
static bool
probe(u16 base)
{
	u8 ier = inb(base + REG_IER);
	bool found;

	outb(base + REG_SCRATCH, 0xa5);
	if (inb(base + REG_SCRATCH) != 0xa5)
		return false;
	outb(base + REG_IER, 0);
	found = (inb(base + REG_IER) & 0x0f) == 0;
	outb(base + REG_IER, 0x0f);
	found = found && (inb(base + REG_IER) & 0x0f) == 0x0f;
	outb(base + REG_IER, found ? 0 : ier);
	return found;
}

static int
serial_add(unsigned int i)
{
	struct serial *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct termios2 t;
	int err;

	if (!p)
		return -ENOMEM;
	p->base = places[i].base;
	p->irq = places[i].irq;
	p->index = (u8)i;
	p->tty.driver = p;
	p->tty.major = 4;
	p->tty.minor = 64 + i;
	snprintf(p->tty.name, sizeof(p->tty.name), "ttyS%u", i);
	spin_init(&p->lock, &serial_class);
	work_init(&p->work, serial_work);
	p->tx = kmalloc(TX_RING, GFP_KERNEL);
	termios_init_std(&t, (options[i].cflag ? options[i].cflag : B9600 | CS8) | CREAD | HUPCL | CLOCAL);
	err = p->tx ? tty_init(&p->tty, &serial_ops, TTY_SERIAL, &t) : -ENOMEM;
	if (err) {
		kfree(p->tx);
		kfree(p);
		return err;
	}
	ports[i] = p;
	log_info("%s: 16550A at I/O %#x, irq %u", p->tty.name, p->base, p->irq);
	return tty_register(&p->tty);
}

static int
serial_init(void)
{
	static const u8 lines[] = {4, 3};
	unsigned int i;
	int err = 0, e;

	for (i = 0; i < PORTS; i++) {
		if (!probe(places[i].base))
			continue;
		e = serial_add(i);
		err = err ? err : e;
	}
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!ports[lines[i] == 4 ? 0 : 1] && !ports[lines[i] == 4 ? 2 : 3])
			continue;
		e = dev_irq_request(lines[i], serial_interrupt, (void *)&lines[i], "serial");
		err = err ? err : e;
	}
	return err;
}
INITCALL(INIT_DRIVER, serial_init);

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
	struct termios2 t = {.cflag = options[i].cflag};
	u16 base = places[i].base;

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
	options[nr].console = true;
	options[nr].cflag = cflag | cbaud_of(baud);
	program_early((unsigned int)nr);
	return 0;
}
PARAM("console", param_console_serial);
