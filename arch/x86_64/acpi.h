/* SPDX-License-Identifier: BSD-2-Clause */
/* Static ACPI tables (ACPI 6.4): found, checked, and what the kernel takes from them. */
#ifndef ARCH_ACPI_H
#define ARCH_ACPI_H

#include "arch/x86_64/asm/layout.h"
#include "lib/types.h"

/* Common head of all tables (5.2.6). */
struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	u32 creator_id;
	u32 creator_revision;
} __packed;

/* Generic address (5.2.3.2). */
struct acpi_gas {
	u8 space, bit_width, bit_offset, access;
	u64 addr;
} __packed;

/* I  after acpi_init(); zero where the firmware has nothing */
struct acpi_info {
	phys_t lapic;
	u16 pm1a_cnt, pm1b_cnt;
	u16 smi_cmd;
	u8 acpi_enable;
	bool s5_valid;
	u8 s5_a, s5_b;
	bool reset_valid;
	struct acpi_gas reset_reg;
	u8 reset_value;
	phys_t hpet;
	u32 pm_timer;
	bool pcat_compat;
	/* PCI configuration space: segment 0 */
	phys_t ecam;
	u8 ecam_start_bus, ecam_end_bus;
	u16 sci_irq;
	/* general-purpose events 0: first status register, number of them */
	u16 gpe0;
	u8 gpe0_status_bytes;
	/* acpi_cpu.c: the registers that tell of CPUs plugged in and out */
	u16 cpu_ports;
};
extern struct acpi_info acpi_info;

/* The machine answers to ACPI's registers, and its events come as interrupts (4.7.2.5). */
void acpi_mode(void);
/* The possible CPU with this APIC id; nr_cpus: none. */
unsigned int cpu_of_apic(u32 id);

/*
 * Reads the tables that `rsdp` (0: search) leads to: fills acpi_info, nr_cpus
 * and cpu_apic_id (the boot CPU first), IO-APICs, memory nodes. A table that is
 * malformed is reported and left out; without any, one CPU and the old ways.
 */
void acpi_init(phys_t rsdp, unsigned int max_cpus);
/* The n-th checked table with this signature, mapped for good; NULL. */
const struct acpi_header *acpi_table(const char *signature, unsigned int n);

#endif
