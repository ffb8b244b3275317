/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IO-APICs (Intel 82093AA): redirection entries from global system interrupts
 * to a CPU's vector.
 *
 * Locking: one spinlock for all, since an entry is written by an index and a
 * data register; only set-up and affinity changes come here.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/layout.h"
#include "kernel/log.h"
#include "lib/errno.h"
#include "mm/vmalloc.h"
#include "sync/spinlock.h"

#define IOAPIC_MAX 8
#define IOAPIC_VERSION 1
#define IOAPIC_ENTRY 0x10
#define ENTRY_MASKED 0x10000u
#define ENTRY_LEVEL 0x8000u
#define ENTRY_LOW 0x2000u

static LOCK_CLASS(ioapic_class, RANK_DEVICE);

struct ioapic {
	phys_t pa;
	void __iomem *regs;
	u32 gsi_base;
	u32 entries;
};

struct isa_irq {
	u32 gsi;
	bool overridden, level, low;
};

/* I  after the tables were read */
static struct ioapic ioapics[IOAPIC_MAX];
static unsigned int nr_ioapics;
static struct isa_irq isa[16];
static struct spinlock ioapic_lock = SPINLOCK_INIT(ioapic_class);

static u32
ioapic_read(struct ioapic *io, u32 reg)
{
	mmio_write32((char __force *)io->regs, reg);
	return mmio_read32((char __force *)io->regs + 0x10);
}

static void
ioapic_write(struct ioapic *io, u32 reg, u32 v)
{
	mmio_write32((char __force *)io->regs, reg);
	mmio_write32((char __force *)io->regs + 0x10, v);
}

int
ioapic_add(u8 id, phys_t pa, u32 gsi_base)
{
	if (nr_ioapics == IOAPIC_MAX) {
		log_warn("ioapic: more than %d, id %u ignored", IOAPIC_MAX, id);
		return -ENOSPC;
	}
	ioapics[nr_ioapics++] = (struct ioapic){.pa = pa, .gsi_base = gsi_base};
	return 0;
}

void
ioapic_init(void)
{
	unsigned int n;
	u32 i;

	for (n = 0; n < nr_ioapics; n++) {
		struct ioapic *io = &ioapics[n];

		io->regs = ioremap(io->pa, 0x20, MAP_UC);
		if (!io->regs)
			panic("ioapic: no memory to map its registers");
		io->entries = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
		for (i = 0; i < io->entries; i++)
			ioapic_write(io, IOAPIC_ENTRY + 2 * i, ENTRY_MASKED);
		log_info("ioapic: %#lx, interrupts %u to %u", (unsigned long)io->pa, io->gsi_base,
			 io->gsi_base + io->entries - 1);
	}
}

/* flags (ACPI 5.2.12.5): bits 0-1 polarity (3: low), 2-3 trigger (3: level) */
void
ioapic_override(u8 irq, u32 gsi, u16 flags)
{
	if (irq >= 16) {
		log_err("ioapic: override of ISA interrupt %u ignored", irq);
		return;
	}
	isa[irq] = (struct isa_irq){.gsi = gsi,
				    .overridden = true,
				    .low = (flags & 3) == 3,
				    .level = (flags >> 2 & 3) == 3};
}

u32
ioapic_isa_gsi(u8 irq, bool *level, bool *low)
{
	const struct isa_irq *i = &isa[irq & 15];

	*level = i->level;
	*low = i->low;
	return i->overridden ? i->gsi : irq;
}

static struct ioapic *
ioapic_find(u32 gsi)
{
	unsigned int i;

	for (i = 0; i < nr_ioapics; i++)
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].entries)
			return &ioapics[i];
	return NULL;
}

int
ioapic_route(u32 gsi, u32 apic, u8 vector, bool level, bool low)
{
	struct ioapic *io = ioapic_find(gsi);
	unsigned long f;
	u32 reg;

	if (!io || apic > 255)
		return -ENODEV;
	reg = IOAPIC_ENTRY + 2 * (gsi - io->gsi_base);
	f = spin_lock_irq(&ioapic_lock);
	ioapic_write(io, reg, ENTRY_MASKED);
	ioapic_write(io, reg + 1, apic << 24);
	ioapic_write(io, reg, vector | (level ? ENTRY_LEVEL : 0) | (low ? ENTRY_LOW : 0));
	spin_unlock_irq(&ioapic_lock, f);
	return 0;
}

void
ioapic_mask(u32 gsi, bool masked)
{
	struct ioapic *io = ioapic_find(gsi);
	unsigned long f;
	u32 reg, v;

	if (!io)
		return;
	reg = IOAPIC_ENTRY + 2 * (gsi - io->gsi_base);
	f = spin_lock_irq(&ioapic_lock);
	v = ioapic_read(io, reg);
	ioapic_write(io, reg, masked ? v | ENTRY_MASKED : v & ~ENTRY_MASKED);
	spin_unlock_irq(&ioapic_lock, f);
}
