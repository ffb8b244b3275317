/* SPDX-License-Identifier: BSD-2-Clause */
/* Power-off and restart: ACPI first, then what else machines listen to. */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/time/clock.h"

#define PM1_SCI_EN 0x0001
#define PM1_SLP_EN 0x2000

void
acpi_mode(void)
{
	int i;

	if (!acpi_info.smi_cmd || !acpi_info.acpi_enable || inw(acpi_info.pm1a_cnt) & PM1_SCI_EN)
		return;
	outb(acpi_info.smi_cmd, acpi_info.acpi_enable);
	for (i = 0; i < 1000 && !(inw(acpi_info.pm1a_cnt) & PM1_SCI_EN); i++)
		udelay(100);
}

void
arch_poweroff(void)
{
	irq_disable();
	if (acpi_info.s5_valid && acpi_info.pm1a_cnt) {
		acpi_mode();
		outw(acpi_info.pm1a_cnt, (u16)(acpi_info.s5_a << 10 | PM1_SLP_EN));
		if (acpi_info.pm1b_cnt)
			outw(acpi_info.pm1b_cnt, (u16)(acpi_info.s5_b << 10 | PM1_SLP_EN));
		udelay(100000);
	}
	/* QEMU and Bochs without usable tables: q35 and pc, old pc, Bochs's own port. */
	outw(0x604, 0x2000);
	outw(0xb004, 0x2000);
	log_write(LOG_EMERG, "power-off did not work; it is safe to switch off");
	arch_halt();
}

static void
triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed none;

	__asm__ volatile("lidt %0; int3" ::"m"(none));
}

void
arch_reboot(void)
{
	int i;

	irq_disable();
	if (acpi_info.reset_valid && acpi_info.reset_reg.space == 1) {
		outb((u16)acpi_info.reset_reg.addr, acpi_info.reset_value);
		udelay(50000);
	}
	/* Keyboard controller: pulse the reset line. */
	for (i = 0; i < 1000 && inb(0x64) & 2; i++)
		udelay(10);
	outb(0x64, 0xfe);
	udelay(50000);
	outb(0xcf9, 0x06);
	udelay(50000);
	triple_fault();
	arch_halt();
}
