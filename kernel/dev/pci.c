/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: enumeration, BARs, drivers.
 *
 * Model: buses are walked from bus 0 through bridges as the firmware numbered
 * them; each function becomes a struct pci_dev that lives for ever. Drivers
 * register in a section; each function is offered to those whose ids match.
 *
 * Contexts: enumeration in task context at boot; registers any.
 */
#include "kernel/dev/pci.h"

#include "kernel/dev/pci_port.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

/* Offsets in configuration space (PCI 3.0, 6.1). */
enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x0a,
	PCI_HEADER = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SECONDARY = 0x19,
	PCI_SUBVENDOR = 0x2c,
	PCI_CAPS = 0x34,
	PCI_IRQ_LINE = 0x3c,
	PCI_IRQ_PIN = 0x3d,
};
#define COMMAND_IO 0x1
#define COMMAND_MEMORY 0x2
#define COMMAND_MASTER 0x4
#define STATUS_CAPS 0x10
#define CAP_MSI 0x05
#define CAP_EXPRESS 0x10
#define CAP_MSIX 0x11
#define CLASS_BRIDGE 0x0604
#define BUS_DEPTH_MAX 16

struct list pci_devices = LIST_INIT(pci_devices);

static u16
bdf(const struct pci_dev *d)
{
	return PCI_BDF(d->bus, d->slot, d->function);
}

u8
pci_read8(const struct pci_dev *d, unsigned int off)
{
	return (u8)arch_pci_read(bdf(d), off, 1);
}

u16
pci_read16(const struct pci_dev *d, unsigned int off)
{
	return (u16)arch_pci_read(bdf(d), off, 2);
}

u32
pci_read32(const struct pci_dev *d, unsigned int off)
{
	return arch_pci_read(bdf(d), off, 4);
}

void
pci_write8(const struct pci_dev *d, unsigned int off, u8 v)
{
	arch_pci_write(bdf(d), off, 1, v);
}

void
pci_write16(const struct pci_dev *d, unsigned int off, u16 v)
{
	arch_pci_write(bdf(d), off, 2, v);
}

void
pci_write32(const struct pci_dev *d, unsigned int off, u32 v)
{
	arch_pci_write(bdf(d), off, 4, v);
}

/* The list may be broken: at most as many steps as fit in 256 bytes. */
u8
pci_find_cap(const struct pci_dev *d, u8 id)
{
	u8 at;
	int steps;

	if (!(pci_read16(d, PCI_STATUS) & STATUS_CAPS))
		return 0;
	at = pci_read8(d, PCI_CAPS) & ~3;
	for (steps = 0; at >= 0x40 && steps < 48; steps++) {
		if (pci_read8(d, at) == id)
			return at;
		at = pci_read8(d, at + 1u) & ~3;
	}
	return 0;
}

/* Sizes one BAR by writing ones (PCI 3.0, 6.2.5.1), with decoding off. Returns registers used. */
static unsigned int
bar_probe(struct pci_dev *d, unsigned int n)
{
	struct pci_bar *b = &d->bar[n];
	unsigned int off = PCI_BAR0 + 4 * n;
	u32 low = pci_read32(d, off), high = 0, mask_low, mask_high = U32_MAX;
	u64 mask;

	pci_write32(d, off, U32_MAX);
	mask_low = pci_read32(d, off);
	pci_write32(d, off, low);
	b->io = low & 1;
	b->is64 = !b->io && (low >> 1 & 3) == 2 && n < 5;
	b->prefetch = !b->io && low & 8;
	if (b->is64) {
		high = pci_read32(d, off + 4);
		pci_write32(d, off + 4, U32_MAX);
		mask_high = pci_read32(d, off + 4);
		pci_write32(d, off + 4, high);
	}
	mask = (u64)mask_high << 32 | (mask_low & (b->io ? ~3u : ~15u));
	if (b->io)
		mask |= 0xffffffffffff0000;
	if ((mask_low & (b->io ? ~3u : ~15u)) == 0 && !b->is64)
		return 1;
	b->addr = (u64)high << 32 | (low & (b->io ? ~3u : ~15u));
	b->size = mask ? ~mask + 1 : 0;
	return b->is64 ? 2 : 1;
}

static void
bars_probe(struct pci_dev *d)
{
	u16 command = pci_read16(d, PCI_COMMAND);
	unsigned int n, count = (d->header & 0x7f) == 0 ? 6 : (d->header & 0x7f) == 1 ? 2 : 0;

	pci_write16(d, PCI_COMMAND, command & ~(COMMAND_IO | COMMAND_MEMORY));
	for (n = 0; n < count;)
		n += bar_probe(d, n);
	pci_write16(d, PCI_COMMAND, command);
}

static void scan_bus(u8 bus, int depth);

static struct pci_dev *
function_add(u8 bus, u8 slot, u8 function)
{
	struct pci_dev *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d) {
		log_err("pci: no memory for %02x:%02x.%u", bus, slot, function);
		return NULL;
	}
	d->bus = bus;
	d->slot = slot;
	d->function = function;
	d->vendor = pci_read16(d, PCI_VENDOR);
	d->device = pci_read16(d, PCI_DEVICE);
	d->revision = pci_read8(d, PCI_REVISION);
	d->interface = pci_read8(d, PCI_REVISION + 1);
	d->subclass = pci_read8(d, PCI_CLASS);
	d->class = pci_read8(d, PCI_CLASS + 1);
	d->header = pci_read8(d, PCI_HEADER);
	d->subvendor = pci_read16(d, PCI_SUBVENDOR);
	d->subdevice = pci_read16(d, PCI_SUBVENDOR + 2);
	d->irq_line = pci_read8(d, PCI_IRQ_LINE);
	d->irq_pin = pci_read8(d, PCI_IRQ_PIN);
	d->cap_msi = pci_find_cap(d, CAP_MSI);
	d->cap_msix = pci_find_cap(d, CAP_MSIX);
	d->cap_express = pci_find_cap(d, CAP_EXPRESS);
	bars_probe(d);
	list_add_tail(&d->link, &pci_devices);
	log_info("pci: %02x:%02x.%u %04x:%04x class %02x%02x", bus, slot, function, d->vendor,
		 d->device, d->class, d->subclass);
	return d;
}

static void
scan_slot(u8 bus, u8 slot, int depth)
{
	u8 function, functions = 1;
	struct pci_dev *d;

	for (function = 0; function < functions; function++) {
		if ((u16)arch_pci_read(PCI_BDF(bus, slot, function), PCI_VENDOR, 2) == 0xffff)
			continue;
		d = function_add(bus, slot, function);
		if (!d)
			return;
		if (function == 0 && d->header & 0x80)
			functions = 8;
		if ((d->class << 8 | d->subclass) == CLASS_BRIDGE && (d->header & 0x7f) == 1) {
			u8 below = pci_read8(d, PCI_SECONDARY);

			/* Numbers only grow downwards; anything else is a loop. */
			if (below > bus && depth < BUS_DEPTH_MAX)
				scan_bus(below, depth + 1);
		}
	}
}

static void
scan_bus(u8 bus, int depth)
{
	u8 slot;

	for (slot = 0; slot < 32; slot++)
		scan_slot(bus, slot, depth);
}

static bool
matches(const struct pci_dev *d, const struct pci_id *id)
{
	if (id->vendor != PCI_ANY)
		return id->vendor == d->vendor && id->device == d->device;
	return id->class == (d->class << 8 | d->subclass);
}

static void
offer(struct pci_dev *d)
{
	const struct pci_driver *drv;
	const struct pci_id *id;

	for_each_registered(pci_drivers, drv)
		for (id = drv->ids; id->vendor && !d->driver; id++)
			if (matches(d, id) && drv->probe(d) == 0)
				d->driver = drv;
}

static int
pci_scan(void)
{
	scan_bus(0, 0);
	return 0;
}
INITCALL(INIT_BUS, pci_scan);

static int
pci_drivers_probe(void)
{
	struct pci_dev *d;

	for_each_pci_dev(d)
		offer(d);
	return 0;
}
INITCALL(INIT_DRIVER, pci_drivers_probe);

struct pci_dev *
pci_find(u16 vendor, u16 device)
{
	struct pci_dev *d;

	for_each_pci_dev(d)
		if (d->vendor == vendor && d->device == device)
			return d;
	return NULL;
}

void
pci_enable(struct pci_dev *d)
{
	pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) | COMMAND_MEMORY | COMMAND_MASTER);
}

void __iomem *
pci_map_bar(struct pci_dev *d, unsigned int bar)
{
	const struct pci_bar *b = &d->bar[bar];

	return bar < 6 && b->size && !b->io ? ioremap(b->addr, b->size, MAP_UC) : NULL;
}
