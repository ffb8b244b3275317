/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MADT: CPUs, IO-APICs, overrides of ISA interrupts (ACPI 6.4, 5.2.12); SRAT: nodes (5.2.16).
 *
 * CPUs that are enabled come first. One that is not may be plugged in later if the
 * machine can tell that (acpi_cpu.c); elsewhere such entries are places without a CPU.
 */
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
/* The APIC id of a place without a CPU. */
#define NO_APIC 0xff

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

/* Of the CPUs with this state. */
struct cpu_search {
	bool enabled;
	unsigned int max;
	/* Beyond the limit. */
	unsigned int ignored;
};

static void
cpu_add(u32 id, u32 flags, struct cpu_search *search)
{
	bool enabled = flags & MADT_ENABLED;

	if (enabled != search->enabled || (!enabled && id == NO_APIC))
		return;
	if (cpu_of_apic(id) < nr_cpus)
		return;
	if (nr_cpus >= search->max || (id > 254 && !cpu_features.x2apic)) {
		search->ignored++;
		return;
	}
	if (enabled)
		cpumask_set(&cpu_present_mask, nr_cpus);
	cpu_apic_id[nr_cpus++] = id;
}

static void
madt_cpu(const u8 *e, u8 len, struct cpu_search *search)
{
	if (e[0] == MADT_LAPIC && len >= 8)
		cpu_add(e[3], get32(e + 4), search);
	else if (e[0] == MADT_X2APIC && len >= 16)
		cpu_add(get32(e + 4), get32(e + 8), search);
}

static void
madt_other(const u8 *e, u8 len)
{
	if (e[0] == MADT_IOAPIC && len >= 12)
		ioapic_add(e[2], get32(e + 4), get32(e + 8));
	else if (e[0] == MADT_OVERRIDE && len >= 10)
		ioapic_override(e[3], get32(e + 4), (u16)(e[8] | e[9] << 8));
	else if (e[0] == MADT_LAPIC_ADDR && len >= 12)
		acpi_info.lapic = get64(e + 4);
}

/* The end of the entries that can be believed, from `e` on. */
static const u8 *
madt_end(const u8 *e, const u8 *end)
{
	for (; e + 2 <= end; e += e[1]) {
		if (e[1] < 2 || e + e[1] > end) {
			log_err("acpi: MADT: entry of length %u is not possible, the rest ignored",
				e[1]);
			return e;
		}
	}
	return e;
}

void
madt_parse(const struct acpi_header *h, unsigned int max_cpus)
{
	struct cpu_search search = {.enabled = true,
				    .max = min(max_cpus, (unsigned int)CONFIG_MAX_CPUS)};
	const u8 *e, *first, *end;

	/* The boot CPU is number 0 whatever place it has in the table. */
	cpu_apic_id[0] = cpu_apic_id_self();
	cpumask_set(&cpu_present_mask, 0);
	nr_cpus = 1;
	if (!h || h->length < 44) {
		log_warn("acpi: no usable MADT, one CPU");
		return;
	}
	acpi_info.lapic = get32((const u8 *)h + 36);
	acpi_info.pcat_compat = get32((const u8 *)h + 40) & 1;
	first = (const u8 *)h + 44;
	end = madt_end(first, (const u8 *)h + h->length);
	for (e = first; e < end; e += e[1]) {
		madt_cpu(e, e[1], &search);
		madt_other(e, e[1]);
	}
	search.enabled = false;
	for (e = first; acpi_info.cpu_ports && e < end; e += e[1])
		madt_cpu(e, e[1], &search);
	if (search.ignored)
		log_notice("acpi: %u CPUs not used (limit %u)", search.ignored, search.max);
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
