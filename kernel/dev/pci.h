/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: functions that were found, their registers, BARs and interrupts
 * (PCI Local Bus 3.0, PCI Express Base 3.0).
 */
#ifndef KERNEL_DEV_PCI_H
#define KERNEL_DEV_PCI_H

#include "lib/list.h"
#include "lib/section.h"
#include "lib/types.h"

struct pci_bar {
	u64 addr;
	/* 0: not there */
	u64 size;
	bool io, is64, prefetch;
};

struct pci_dev {
	/* I */
	struct list link;
	u8 bus, slot, function;
	u16 vendor, device, subvendor, subdevice;
	u8 class, subclass, interface, revision, header;
	u8 irq_line, irq_pin;
	struct pci_bar bar[6];
	/* Offsets of capabilities; 0: not there */
	u8 cap_msi, cap_msix, cap_express;
	/* (driver)  */
	const struct pci_driver *driver;
	void *private;
	/* Mapped MSI-X table */
	void __iomem *msix_table;
	u16 msix_count;
};

struct pci_id {
	u16 vendor, device;
	/* Class and subclass, if vendor is PCI_ANY. */
	u16 class;
};
#define PCI_ANY 0xffffu

struct pci_driver {
	const char *name;
	/* Ends with {0}. */
	const struct pci_id *ids;
	/* 0: the device is this driver's. May sleep. */
	int (*probe)(struct pci_dev *d);
};
/* REGISTER(pci_drivers) static const struct pci_driver x = {...}; */
DECLARE_REGISTRY(pci_drivers, const struct pci_driver);

/* Configuration space: offset 0 to 4095 (255 without ECAM: reads beyond give all ones). */
u8 pci_read8(const struct pci_dev *d, unsigned int off);
u16 pci_read16(const struct pci_dev *d, unsigned int off);
u32 pci_read32(const struct pci_dev *d, unsigned int off);
void pci_write8(const struct pci_dev *d, unsigned int off, u8 v);
void pci_write16(const struct pci_dev *d, unsigned int off, u16 v);
void pci_write32(const struct pci_dev *d, unsigned int off, u32 v);

/* Memory and bus-master access on. */
void pci_enable(struct pci_dev *d);
/* Maps a memory BAR uncached; NULL: not there, or no memory. */
void __iomem *pci_map_bar(struct pci_dev *d, unsigned int bar);
/* The capability's offset, or 0. */
u8 pci_find_cap(const struct pci_dev *d, u8 id);
/* The first function with this vendor and device, or NULL. */
struct pci_dev *pci_find(u16 vendor, u16 device);
#define for_each_pci_dev(d) list_for_each_entry(d, &pci_devices, link)
extern struct list pci_devices;

/*
 * Interrupts by message. pci_msix_enable(): the number of vectors, -ENODEV.
 * pci_irq(): binds message `index` (0 for MSI) to handler(arg) on `cpu`, in
 * hard interrupt context there. 0, -ENOSPC, -ENODEV.
 */
int pci_msix_enable(struct pci_dev *d);
int pci_irq(struct pci_dev *d, unsigned int index, unsigned int cpu, void (*handler)(void *arg),
	    void *arg);
void pci_irq_free(struct pci_dev *d, unsigned int index, unsigned int cpu);

#endif
