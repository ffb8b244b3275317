/* SPDX-License-Identifier: BSD-2-Clause */
/* What PCI needs of the machine. Defined in arch/x86_64/pci_port.c. */
#ifndef KERNEL_DEV_PCI_PORT_H
#define KERNEL_DEV_PCI_PORT_H

#include "lib/types.h"

/* Bus, device and function as one number (PCI Express Base 4.0, 2.2.6.2). */
#define PCI_BDF(bus, slot, function) ((u16)((bus) << 8 | (slot) << 3 | (function)))

/* What a function writes to raise an interrupt. */
struct msi_message {
	u64 addr;
	u32 data;
};

/* Width 1, 2 or 4 bytes; off below 4096. */
u32 arch_pci_read(u16 bdf, unsigned int off, unsigned int width);
void arch_pci_write(u16 bdf, unsigned int off, unsigned int width, u32 v);
/* A vector of `cpu` for handler(arg) and the message that raises it. >= 0: the vector; -ENOSPC. */
int arch_msi_alloc(unsigned int cpu, void (*handler)(void *arg), void *arg, const char *name,
		   struct msi_message *m);
void arch_msi_free(unsigned int cpu, int vector);

#endif
