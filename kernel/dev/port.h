/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/dev needs of the machine: defined in arch/x86_64/dev_port.c, and of fs/. */
#ifndef KERNEL_DEV_PORT_H
#define KERNEL_DEV_PORT_H

#include "arch/x86_64/asm/layout.h"
#include "lib/types.h"

struct file;

/*
 * Has handler(arg) called in hard interrupt context for an ISA interrupt (0 to
 * 15), on the boot CPU. 0, -ENODEV, -ENOSPC. One request an interrupt.
 */
int dev_irq_request(u8 irq, void (*handler)(void *arg), void *arg, const char *name);

/* Where the boot loader left a picture. */
struct dev_display {
	phys_t addr;
	u32 pitch, width, height;
	u32 bits_per_pixel;
	/* EGA text, 16 bits a cell; false: pixels */
	bool text;
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

/* False: it did not say; the firmware may have left an adapter in text mode. */
bool dev_display(struct dev_display *d);

#endif
