/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Polled output on the first serial port.
 *
 * The console of kernel messages stays polled after the tty driver has taken
 * the port: a message must come out with interrupts off too.
 */
#include "arch/x86_64/early_serial.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/console.h"
#include "kernel/tap.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#define COM1 0x3f8
#define UART_LSR_THRE 0x20

static void
serial_putc(char c)
{
	int i;

	for (i = 0; i < 100000 && !(inb(COM1 + 5) & UART_LSR_THRE); i++)
		cpu_relax();
	outb(COM1, (u8)c);
}

static void
serial_write(struct console *c, const char *s, size_t n)
{
	while (n--) {
		if (*s == '\n')
			serial_putc('\r');
		serial_putc(*s++);
	}
}

static struct console serial_console = {
	.name = "ttyS0", .major = 4, .minor = 64, .write = serial_write};

void
early_serial_init(void)
{
	/* The scratch register keeps what is written: something is there. */
	outb(COM1 + 7, 0x5a);
	if (inb(COM1 + 7) != 0x5a)
		return;
	/* 115200 baud, 8N1, FIFOs on, DTR RTS OUT2 on, interrupts off. */
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 0x80);
	outb(COM1, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3);
	outb(COM1 + 2, 0xc7);
	outb(COM1 + 4, 0xb);
	console_register(&serial_console);
}

static LOCK_CLASS(tap_class, RANK_LEAF);
static struct spinlock tap_lock = SPINLOCK_INIT(tap_class);

void
tap_write(const char *s)
{
	unsigned long f = spin_lock_irq(&tap_lock);

	serial_write(NULL, s, strlen(s));
	spin_unlock_irq(&tap_lock, f);
}
