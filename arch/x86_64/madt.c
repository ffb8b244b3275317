/* SPDX-License-Identifier: BSD-2-Clause */
/* MADT: CPUs, IO-APICs, overrides of ISA interrupts (ACPI 6.4, 5.2.12); SRAT: nodes (5.2.16). */
#include "arch/x86_64/acpi_impl.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "kernel/log.h"
#include "lib/string.h"
#include "mm/memblock.h"
#include "mm/port.h"
#include "percpu/cpumask.h"

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDR = 5, MADT_X2APIC = 9 };

#define MADT_ENABLED 1u

static u32
get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

static u64
get64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, 8);
	return v;
}

static void
cpu_add(u32 id, u32 flags, unsigned int max, unsigned int *ignored)
{
	unsigned int i;

	if (!(flags & MADT_ENABLED))
		return;
	for (i = 0; i < nr_cpus; i++)
		if (cpu_apic_id[i] == id)
			return;
	if (nr_cpus >= max || (id > 254 && !cpu_features.x2apic)) {
		(*ignored)++;
		return;
	}
	cpu_apic_id[nr_cpus++] = id;
}

static void
madt_entry(const u8 *e, u8 len, unsigned int max, unsigned int *ignored)
{
	if (e[0] == MADT_LAPIC && len >= 8)
		cpu_add(e[3], get32(e + 4), max, ignored);
	else if (e[0] == MADT_X2APIC && len >= 16)
		cpu_add(get32(e + 4), get32(e + 8), max, ignored);
	else if (e[0] == MADT_IOAPIC && len >= 12)
		ioapic_add(e[2], get32(e + 4), get32(e + 8));
	else if (e[0] == MADT_OVERRIDE && len >= 10)
		ioapic_override(e[3], get32(e + 4), (u16)(e[8] | e[9] << 8));
	else if (e[0] == MADT_LAPIC_ADDR && len >= 12)
		acpi_info.lapic = get64(e + 4);
}

void
madt_parse(const struct acpi_header *h, unsigned int max_cpus)
{
	const u8 *e, *end;
	unsigned int ignored = 0;

	/* The boot CPU is number 0 whatever place it has in the table. */
	cpu_apic_id[0] = cpu_apic_id_self();
	nr_cpus = 1;
	max_cpus = min(max_cpus, (unsigned int)CONFIG_MAX_CPUS);
	if (!h || h->length < 44) {
		log_warn("acpi: no usable MADT, one CPU");
		return;
	}
	end = (const u8 *)h + h->length;
	acpi_info.lapic = get32((const u8 *)h + 36);
	acpi_info.pcat_compat = get32((const u8 *)h + 40) & 1;
	for (e = (const u8 *)h + 44; e + 2 <= end; e += e[1]) {
		if (e[1] < 2 || e + e[1] > end) {
			log_err("acpi: MADT: entry of length %u is not possible, the rest ignored",
				e[1]);
			break;
		}
		madt_entry(e, e[1], max_cpus, &ignored);
	}
	if (ignored)
		log_notice("acpi: %u CPUs not used (limit %u)", ignored, max_cpus);
}

/* I  node of each APIC id below 256 and of larger ones by table position */
static u8 node_of_apic[256];

unsigned int
mm_port_cpu_node(unsigned int cpu)
{
	return cpu_apic_id[cpu] < ARRAY_SIZE(node_of_apic) ? node_of_apic[cpu_apic_id[cpu]] : 0;
}

/* Memory affinity entries (type 1, 40 bytes): domain, base, length, flags. */
void
srat_parse(const struct acpi_header *h)
{
	const u8 *e, *end;

	if (!h)
		return;
	end = (const u8 *)h + h->length;
	for (e = (const u8 *)h + 48; e + 2 <= end && e[1] >= 2 && e + e[1] <= end; e += e[1]) {
		u32 node;

		/* Processor affinity (type 0): domain's low byte, APIC id, flags. */
		if (e[0] == 0 && e[1] >= 16 && get32(e + 4) & 1 && e[2] < CONFIG_MAX_NODES)
			node_of_apic[e[3]] = e[2];
		if (e[0] != 1 || e[1] < 40 || !(get32(e + 28) & 1))
			continue;
		node = get32(e + 2);
		if (node >= CONFIG_MAX_NODES) {
			log_warn("acpi: SRAT: node %u is beyond the limit, taken as 0", node);
			node = 0;
		}
		memblock_set_node(get64(e + 8), get64(e + 8) + get64(e + 16), node);
	}
}
