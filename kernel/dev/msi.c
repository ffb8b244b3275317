/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI and MSI-X: interrupts as memory writes, one message a vector and CPU
 * (PCI 3.0, 6.8). MSI uses a single message here; who wants more uses MSI-X.
 */
#include "arch/x86_64/asm/insn.h"
#include "kernel/dev/pci.h"
#include "kernel/dev/pci_port.h"
#include "lib/errno.h"
#include "mm/vmalloc.h"

/* MSI capability: control at +2, address at +4, data at +8 or +12. */
#define MSI_ENABLE 0x0001
#define MSI_64BIT 0x0080
/* MSI-X capability: control at +2, table at +4. */
#define MSIX_ENABLE 0x8000
#define MSIX_MASK_ALL 0x4000
#define MSIX_ENTRY 16
#define MSIX_MASKED 1u

int
pci_msix_enable(struct pci_dev *d)
{
	u32 table;
	u16 control;
	unsigned int i;

	if (!d->cap_msix)
		return -ENODEV;
	if (d->msix_table)
		return d->msix_count;
	control = pci_read16(d, d->cap_msix + 2u);
	table = pci_read32(d, d->cap_msix + 4u);
	d->msix_count = (control & 0x7ff) + 1;
	if ((table & 7) > 5 || !d->bar[table & 7].size ||
	    (table & ~7u) + d->msix_count * MSIX_ENTRY > d->bar[table & 7].size)
		return -ENODEV;
	d->msix_table =
		ioremap(d->bar[table & 7].addr + (table & ~7u), d->msix_count * MSIX_ENTRY, MAP_UC);
	if (!d->msix_table)
		return -ENOMEM;
	for (i = 0; i < d->msix_count; i++)
		mmio_write32((char __force *)d->msix_table + i * MSIX_ENTRY + 12, MSIX_MASKED);
	pci_write16(d, d->cap_msix + 2u, (control | MSIX_ENABLE) & ~MSIX_MASK_ALL);
	return d->msix_count;
}

static void
msix_set(struct pci_dev *d, unsigned int index, const struct msi_message *m)
{
	char *e = (char __force *)d->msix_table + index * MSIX_ENTRY;

	mmio_write32(e + 12, MSIX_MASKED);
	mmio_write32(e, (u32)m->addr);
	mmio_write32(e + 4, (u32)(m->addr >> 32));
	mmio_write32(e + 8, m->data);
	mmio_write32(e + 12, 0);
}

static void
msi_set(struct pci_dev *d, const struct msi_message *m)
{
	unsigned int cap = d->cap_msi;
	u16 control = pci_read16(d, cap + 2);

	pci_write32(d, cap + 4, (u32)m->addr);
	if (control & MSI_64BIT) {
		pci_write32(d, cap + 8, (u32)(m->addr >> 32));
		pci_write16(d, cap + 12, (u16)m->data);
	} else {
		pci_write16(d, cap + 8, (u16)m->data);
	}
	/* One message. */
	pci_write16(d, cap + 2, (u16)((control & ~0x70) | MSI_ENABLE));
}

int
pci_irq(struct pci_dev *d, unsigned int index, unsigned int cpu, void (*handler)(void *arg),
	void *arg)
{
	bool msix = d->msix_table != NULL;
	struct msi_message m;
	int vector;

	if (msix ? index >= d->msix_count : index != 0 || !d->cap_msi)
		return -ENODEV;
	vector = arch_msi_alloc(cpu, handler, arg, d->driver ? d->driver->name : "pci", &m);
	if (vector < 0)
		return vector;
	if (msix)
		msix_set(d, index, &m);
	else
		msi_set(d, &m);
	return 0;
}

void
pci_irq_free(struct pci_dev *d, unsigned int index, unsigned int cpu)
{
	unsigned int cap = d->cap_msi;
	u32 data;

	if (d->msix_table) {
		char *e = (char __force *)d->msix_table + index * MSIX_ENTRY;

		mmio_write32(e + 12, MSIX_MASKED);
		data = mmio_read32(e + 8);
	} else {
		u16 control = pci_read16(d, cap + 2);

		pci_write16(d, cap + 2, control & ~MSI_ENABLE);
		data = pci_read16(d, cap + (control & MSI_64BIT ? 12u : 8u));
	}
	arch_msi_free(cpu, (int)(data & 0xff));
}
