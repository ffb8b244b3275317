/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space: memory-mapped (ECAM, from the MCFG table), or
 * through ports 0xcf8 and 0xcfc where there is none. The ports are an address
 * and a data register, hence the lock.
 */
#include "kernel/dev/pci_port.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/irq.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "lib/errno.h"
#include "mm/vmalloc.h"
#include "sync/spinlock.h"

static LOCK_CLASS(pci_port_class, RANK_DEVICE);
static struct spinlock port_lock = SPINLOCK_INIT(pci_port_class);
/* I  mapping of each bus's 1 MiB, made when it is first looked at */
static void __iomem *bus_map[256];

static char *
ecam(u16 bdf, unsigned int off)
{
	u8 bus = (u8)(bdf >> 8);
	void __iomem *none = NULL, *m = READ_ONCE(bus_map[bus]);

	if (!acpi_info.ecam || bus < acpi_info.ecam_start_bus || bus > acpi_info.ecam_end_bus)
		return NULL;
	if (!m) {
		m = ioremap(acpi_info.ecam + ((u64)bus << 20), 1u << 20, MAP_UC);
		if (!m)
			return NULL;
		if (!atomic_try_cmpxchg(&bus_map[bus], &none, m)) {
			iounmap(m);
			m = none;
		}
	}
	return (char __force *)m + ((u32)(bdf & 0xff) << 12 | off);
}

static u32
port_address(u16 bdf, unsigned int off)
{
	return 0x80000000u | (u32)bdf << 8 | (off & 0xfc);
}

u32
arch_pci_read(u16 bdf, unsigned int off, unsigned int width)
{
	char *p = ecam(bdf, off);
	unsigned long f;
	u32 v;

	if (p)
		return width == 1 ? mmio_read8(p) : width == 2 ? mmio_read16(p) : mmio_read32(p);
	if (off > 255)
		return U32_MAX;
	f = spin_lock_irq(&port_lock);
	outl(0xcf8, port_address(bdf, off));
	if (width == 1)
		v = inb((u16)(0xcfc + (off & 3)));
	else if (width == 2)
		v = inw((u16)(0xcfc + (off & 2)));
	else
		v = inl(0xcfc);
	spin_unlock_irq(&port_lock, f);
	return v;
}

void
arch_pci_write(u16 bdf, unsigned int off, unsigned int width, u32 v)
{
	char *p = ecam(bdf, off);
	unsigned long f;

	if (p) {
		if (width == 1)
			mmio_write8(p, (u8)v);
		else if (width == 2)
			mmio_write16(p, (u16)v);
		else
			mmio_write32(p, v);
		return;
	}
	if (off > 255)
		return;
	f = spin_lock_irq(&port_lock);
	outl(0xcf8, port_address(bdf, off));
	if (width == 1)
		outb((u16)(0xcfc + (off & 3)), (u8)v);
	else if (width == 2)
		outw((u16)(0xcfc + (off & 2)), (u16)v);
	else
		outl(0xcfc, v);
	spin_unlock_irq(&port_lock, f);
}

int
arch_msi_alloc(unsigned int cpu, void (*handler)(void *arg), void *arg, const char *name,
	       struct msi_message *m)
{
	int vector = irq_vector_alloc(cpu, handler, arg, name);

	if (vector >= 0)
		irq_msi_message(cpu, vector, &m->addr, &m->data);
	return vector;
}

void
arch_msi_free(unsigned int cpu, int vector)
{
	irq_vector_free(cpu, vector);
}
