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
 */
#include "kernel/dev/serial_impl.h"

#include "kernel/dev/port.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/task/port.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "mm/slab.h"

/* So often 10 ms without a byte sent mean that a line does not get on. */
#define SETTLE_TRIES 10

const struct serial_place serial_places[PORTS] = {
	{0x3f8, 4},
	{0x2f8, 3},
	{0x3e8, 4},
	{0x2e8, 3},
};

/* I  after initialisation; NULL: not there */
static struct serial *ports[PORTS];
static LOCK_CLASS(serial_class, RANK_TTY_SPIN);

/* --- transmit; port->lock is held --- */

static void
set_ier(struct serial *p, u8 ier)
{
	if (p->ier == ier)
		return;
	p->ier = ier;
	serial_write_reg(p, REG_IER, ier);
}

static bool
tx_blocked(struct serial *p)
{
	return READ_ONCE(p->tty.stopped) ||
	       ((p->tty.termios.cflag & CRTSCTS) && !(serial_modem(p) & MSR_CTS));
}

/* Fills the FIFO as often as it is empty at once, a bounded number of times. */
void
serial_tx_run(struct serial *p)
{
	unsigned int rounds, i;
	u8 want = p->ier & (u8)~IER_TX;

	for (rounds = 0; rounds < 16 && (serial_read_reg(p, REG_LSR) & LSR_TX_EMPTY); rounds++) {
		if (p->xchar) {
			serial_write_reg(p, REG_DATA, p->xchar);
			p->xchar = 0;
			p->count.tx++;
			continue;
		}
		if (p->tx_head == p->tx_tail || tx_blocked(p))
			break;
		for (i = 0; i < TX_BURST && p->tx_tail != p->tx_head; i++)
			serial_write_reg(p, REG_DATA, p->tx[p->tx_tail++ % TX_RING]);
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
	serial_tx_run(p);
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

	serial_tx_run(p);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_xchar(struct tty *tty, u8 c)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	p->xchar = c;
	serial_tx_run(p);
	spin_unlock_irq(&p->lock, flags);
}

static void
serial_drain(struct tty *tty)
{
	struct serial *p = serial_of(tty);

	if (wait_event_interruptible(&tty->write_wait, serial_pending(tty) == 0))
		return;
	while (!(serial_read_reg(p, REG_LSR) & LSR_TX_IDLE))
		if (sleep_until_interruptible(deadline_after(NSEC_PER_MSEC)))
			return;
}

/* A line that is stopped, or whose other end is not ready, is not waited for. */
void
serial_settle(void)
{
	unsigned int i, still;
	size_t left, before;

	for (i = 0; i < PORTS; i++) {
		if (!ports[i])
			continue;
		before = serial_pending(&ports[i]->tty);
		for (still = 0; before > 0 && still < SETTLE_TRIES; still++) {
			sleep_ns(10 * NSEC_PER_MSEC);
			left = serial_pending(&ports[i]->tty);
			if (left < before)
				still = 0;
			before = left;
		}
	}
}

/* --- interrupts --- */

static void
rx_run(struct serial *p, u8 lsr)
{
	unsigned int flag;
	u8 c;

	/* Bounded: a port that is not there any more reads as all ones. */
	for (unsigned int i = 0; i < 256 && (lsr & (LSR_DATA | LSR_BREAK)); i++) {
		c = serial_read_reg(p, REG_DATA);
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
		lsr = serial_read_reg(p, REG_LSR);
	}
}

static void
modem_run(struct serial *p)
{
	u8 msr = serial_modem(p), changes = p->modem_changes;

	p->modem_changes = 0;
	p->count.cts += (changes & MSR_DCTS) != 0;
	p->count.dsr += (changes & MSR_DDSR) != 0;
	p->count.rng += (changes & MSR_DRING) != 0;
	p->count.dcd += (changes & MSR_DCD_CHANGED) != 0;
	if ((changes & MSR_DCD_CHANGED) && !(msr & MSR_DCD) && !(p->tty.termios.cflag & CLOCAL))
		WRITE_ONCE(p->lost_carrier, true);
	if ((changes & MSR_DCD_CHANGED) && (msr & MSR_DCD))
		WRITE_ONCE(p->got_carrier, true);
}

/* One look at a port; true: it had something to say. */
static bool
serial_service(struct serial *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	bool said = p->up && !(serial_read_reg(p, REG_IIR) & IIR_NONE);

	if (said) {
		rx_run(p, serial_read_reg(p, REG_LSR));
		modem_run(p);
		serial_tx_run(p);
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
	if (unlikely(READ_ONCE(p->got_carrier))) {
		WRITE_ONCE(p->got_carrier, false);
		waitq_wake_all(&p->tty.write_wait);
	}
	if (unlikely(READ_ONCE(p->lost_carrier))) {
		WRITE_ONCE(p->lost_carrier, false);
		tty_hangup(&p->tty);
	}
}

/* --- opening and closing --- */

static void
serial_up(struct serial *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);

	if (!p->up) {
		p->up = true;
		serial_write_reg(p, REG_FCR, FCR_SETUP);
		p->mcr = MCR_OUT2;
		serial_line_update(p);
		set_ier(p, IER_RX | IER_LINE | IER_MODEM);
	}
	spin_unlock_irq(&p->lock, flags);
}

static bool
carrier(struct serial *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	bool there = serial_modem(p) & MSR_DCD;

	spin_unlock_irq(&p->lock, flags);
	return there;
}

static int
serial_wait_ready(struct tty *tty, struct file *f)
{
	struct serial *p = serial_of(tty);

	if (C_FLAG(tty, CLOCAL) || file_nonblock(f))
		return 0;
	serial_up(p);
	return wait_event_interruptible(&tty->write_wait, C_FLAG(tty, CLOCAL) || carrier(p));
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
	if ((tty->termios.cflag & HUPCL) && !serial_options[p->index].console)
		serial_set_mcr(p, 0);
	spin_unlock_irq(&p->lock, flags);
}

/* The line goes down for a moment, so that a modem hangs up; handles come back by opening. */
static void
serial_hangup(struct tty *tty)
{
	struct serial *p = serial_of(tty);
	unsigned long flags = spin_lock_irq(&p->lock);

	if ((tty->termios.cflag & HUPCL) && !serial_options[p->index].console) {
		serial_set_mcr(p, p->mcr & (u8) ~(MCR_DTR | MCR_RTS));
		p->up = false;
		set_ier(p, 0);
	}
	spin_unlock_irq(&p->lock, flags);
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
	p->base = serial_places[i].base;
	p->irq = serial_places[i].irq;
	p->index = (u8)i;
	p->tty.driver = p;
	p->tty.major = 4;
	p->tty.minor = 64 + i;
	snprintf(p->tty.name, sizeof(p->tty.name), "ttyS%u", i);
	spin_init(&p->lock, &serial_class);
	work_init(&p->work, serial_work);
	p->tx = kmalloc(TX_RING, GFP_KERNEL);
	termios_init_std(&t, (serial_options[i].cflag ? serial_options[i].cflag : B9600 | CS8) |
				     CREAD | HUPCL | CLOCAL);
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
		if (!probe(serial_places[i].base))
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
