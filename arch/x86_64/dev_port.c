/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel/dev needs of the machine. */
#include "kernel/dev/port.h"

#include "arch/x86_64/bootinfo.h"
#include "arch/x86_64/irq.h"

int
dev_irq_request(u8 irq, void (*handler)(void *arg), void *arg, const char *name)
{
	return irq_isa_request(irq, 0, handler, arg, name);
}

bool
dev_display(struct dev_display *d)
{
	const struct boot_framebuffer *fb = &boot_info.fb;

	if (fb->type == 0)
		return false;
	*d = (struct dev_display){
		.addr = fb->addr,
		.pitch = fb->pitch,
		.width = fb->width,
		.height = fb->height,
		.bits_per_pixel = fb->bpp,
		.text = fb->type == 2,
		.red_pos = fb->red_pos,
		.red_size = fb->red_size,
		.green_pos = fb->green_pos,
		.green_size = fb->green_size,
		.blue_pos = fb->blue_pos,
		.blue_size = fb->blue_size,
	};
	return true;
}
