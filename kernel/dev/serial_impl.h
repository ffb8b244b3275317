/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial ports, between serial.c (data, interrupts) and serial_line.c (settings).
 *
 * REGISTER  READ                  WRITE (TI TL16C550C, National PC16550D)
 *        0  received byte         byte to send        divisor low (DLAB)
 *        1  interrupts enabled    the same            divisor high (DLAB)
 *        2  interrupt cause       FIFO control
 *        3  line control          the same
 *        4  modem control         the same
 *        5  line status
 *        6  modem status
 *        7  scratch               the same
 */
#ifndef KERNEL_DEV_SERIAL_IMPL_H
#define KERNEL_DEV_SERIAL_IMPL_H

#include "arch/x86_64/asm/insn.h"
#include "kernel/dev/tty_impl.h"
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
#define MSR_CHANGES 0x0fu
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
	/* changes of modem lines (MSR_D*) that were seen and not yet acted on */
	u8 modem_changes;
	/* XON or XOFF to send before all else, 0: none */
	u8 xchar;
	/* opened, hence interrupts wanted */
	bool up;
	struct serial_icounter count;
	/* a  for the work: the carrier came, who waits is woken; it went, the terminal hangs up */
	bool got_carrier;
	bool lost_carrier;
	/* pushes input on, wakes writers */
	struct work work;
};

/* The usual places: I/O address, interrupt. */
struct serial_place {
	u16 base;
	u8 irq;
};
extern const struct serial_place serial_places[PORTS];

/* What console=ttySn,... says; I after boot. cflag 0: nothing. */
struct serial_option {
	bool console;
	u32 cflag;
};
extern struct serial_option serial_options[PORTS];

static inline u8
serial_read_reg(const struct serial *p, unsigned int reg)
{
	return inb((u16)(p->base + reg));
}

static inline void
serial_write_reg(const struct serial *p, unsigned int reg, u8 v)
{
	outb((u16)(p->base + reg), v);
}

/* Modem lines; reading them forgets what has changed, so that is kept. port->lock is held. */
static inline u8
serial_modem(struct serial *p)
{
	u8 msr = serial_read_reg(p, REG_MSR);

	p->modem_changes |= msr & MSR_CHANGES;
	return msr;
}

static inline struct serial *
serial_of(struct tty *tty)
{
	return tty->driver;
}

/* --- serial.c; port->lock is held --- */

/* Sends what waits, as far as the port takes it. */
void serial_tx_run(struct serial *p);

/* --- serial_line.c --- */

/* Speed, format and modem lines by tty->termios; port->lock is held. */
void serial_line_update(struct serial *p);
void serial_set_mcr(struct serial *p, u8 mcr);
void serial_set_termios(struct tty *tty, const struct termios2 *old);
void serial_break(struct tty *tty, bool on);
void serial_throttle(struct tty *tty, bool stop);
long serial_ioctl(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg);

#endif
