/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables: from the RSDP to a list of checked tables, and the small
 * tables. The MADT has a file of its own (madt.c).
 *
 * Everything is bounded by the table's own length, which is bounded by
 * ACPI_TABLE_MAX; a table whose checksum is wrong is reported and not used.
 * AML is not interpreted: the sleep type of S5 is found by its encoding.
 *
 * Runs on the boot page tables, which map the first 4 GiB; tables that are kept
 * are copied, as the final tables map RAM only.
 */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/acpi_impl.h"
#include "kernel/log.h"
#include "lib/string.h"
#include "mm/memblock.h"

#define ACPI_TABLES_MAX 64
#define ACPI_TABLE_MAX (4UL << 20)
#define EARLY_MAPPED (4UL << 30)

/*
 * RSDP (5.2.5.3)
 *
 * OFFSET SIZE MEANING
 *      0    8 "RSD PTR "
 *      8    1 checksum of the first 20 bytes
 *     15    1 revision
 *     16    4 RSDT
 *     20    4 length (revision 2)
 *     24    8 XSDT
 */
struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 ext_checksum;
	u8 reserved[3];
} __packed;

struct acpi_info acpi_info __ro_after_init;
static const struct acpi_header *tables[ACPI_TABLES_MAX] __ro_after_init;
static unsigned int nr_tables __ro_after_init;

static u8
byte_sum(const void *p, size_t n)
{
	const u8 *b = p;
	u8 s = 0;

	while (n--)
		s += *b++;
	return s;
}

static const void *
early_map(phys_t pa, size_t n)
{
	if (pa >= EARLY_MAPPED || n > EARLY_MAPPED - pa) {
		log_err("acpi: table at %#lx lies above 4 GiB, ignored", (unsigned long)pa);
		return NULL;
	}
	return phys_to_virt(pa);
}

/* Maps a table, checks length and checksum; NULL with a message. */
static const struct acpi_header *
table_map(phys_t pa)
{
	const struct acpi_header *h;
	u32 len;

	if (pa == 0)
		return NULL;
	h = early_map(pa, sizeof(*h));
	if (!h)
		return NULL;
	len = h->length;
	if (len < sizeof(*h) || len > ACPI_TABLE_MAX) {
		log_err("acpi: table at %#lx (%.4s): length %u is not possible, ignored",
			(unsigned long)pa, h->signature, len);
		return NULL;
	}
	h = early_map(pa, len);
	if (!h)
		return NULL;
	if (byte_sum(h, len) != 0) {
		log_err("acpi: table %.4s at %#lx: wrong checksum, ignored", h->signature,
			(unsigned long)pa);
		return NULL;
	}
	return h;
}

const struct acpi_header *
acpi_table(const char *signature, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < nr_tables; i++)
		if (memcmp(tables[i]->signature, signature, 4) == 0 && n-- == 0)
			return tables[i];
	return NULL;
}

static const struct rsdp *
rsdp_at(phys_t pa)
{
	const struct rsdp *r = early_map(pa, sizeof(*r));

	if (!r || memcmp(r->signature, "RSD PTR ", 8) != 0 || byte_sum(r, 20) != 0)
		return NULL;
	return r;
}

/* BIOS: in the extended BIOS data area or the ROM below 1 MiB (5.2.5.1). */
static const struct rsdp *
rsdp_search(void)
{
	const u8 *low = early_map(0, 0x1000);
	phys_t ebda = low ? (phys_t)(low[0x40e] | low[0x40f] << 8) << 4 : 0, pa;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		for (pa = ebda; pa < ebda + 1024; pa += 16)
			if (rsdp_at(pa))
				return rsdp_at(pa);
	for (pa = 0xe0000; pa < 0x100000; pa += 16)
		if (memcmp(phys_to_virt(pa), "RSD PTR ", 8) == 0 && rsdp_at(pa))
			return rsdp_at(pa);
	return NULL;
}

static const struct acpi_header *
table_keep(const struct acpi_header *h)
{
	void *copy = memblock_alloc(h->length, 16);

	memcpy(copy, h, h->length);
	return copy;
}

/* Is there an XSDT to be believed? Else the RSDT, which the first checksum covers, will do. */
static bool
rsdp_extended(const struct rsdp *r)
{
	if (r->revision < 2 || !r->xsdt)
		return false;
	if (r->length >= sizeof(*r) && r->length <= 4096 && byte_sum(r, r->length) == 0)
		return true;
	log_err("acpi: RSDP: wrong checksum, the RSDT is used");
	return false;
}

static void
tables_collect(const struct rsdp *r)
{
	bool xsdt = rsdp_extended(r);
	const struct acpi_header *root = table_map(xsdt ? r->xsdt : r->rsdt), *h;
	u32 size = xsdt ? 8 : 4, n, i;

	if (!root)
		return;
	n = (root->length - sizeof(*root)) / size;
	for (i = 0; i < n; i++) {
		u64 pa = 0;

		memcpy(&pa, (const u8 *)(root + 1) + i * size, size);
		h = table_map(pa);
		if (!h)
			continue;
		if (nr_tables == ACPI_TABLES_MAX) {
			log_warn("acpi: more than %d tables, %.4s ignored", ACPI_TABLES_MAX,
				 h->signature);
			continue;
		}
		tables[nr_tables++] = table_keep(h);
	}
}

/* A small integer in AML: ZeroOp, OneOp, BytePrefix. Advances *p. */
static bool
aml_small(const u8 **p, const u8 *end, u8 *v)
{
	if (*p < end && **p <= 1) {
		*v = *(*p)++;
		return true;
	}
	if (*p + 1 < end && **p == 0x0a) {
		*v = (*p)[1];
		*p += 2;
		return true;
	}
	return false;
}

/* Name (_S5_, Package () {a, b, ...}): 08 5f 53 35 5f 12 length count a b. */
static void
find_s5(const u8 *p, const u8 *end)
{
	for (; p + 8 < end; p++) {
		if (memcmp(p, "_S5_\x12", 5) != 0)
			continue;
		p += 5;
		p += (*p >> 6) + 2;
		if (aml_small(&p, end, &acpi_info.s5_a)) {
			acpi_info.s5_b = acpi_info.s5_a;
			aml_small(&p, end, &acpi_info.s5_b);
			acpi_info.s5_valid = true;
		}
		return;
	}
}

/*
 * OperationRegion (PRST, SystemIO, port, 12): 5b 80 50 52 53 54 01 0b port 0a 0c, which QEMU
 * has where acpi_cpu.c knows the registers.
 */
static void
find_cpu_ports(const u8 *p, const u8 *end)
{
	for (; p + 12 <= end; p++) {
		if (memcmp(p, "\x5b\x80PRST\x01\x0b", 8) != 0 || p[10] != 0x0a || p[11] != 12)
			continue;
		memcpy(&acpi_info.cpu_ports, p + 8, 2);
		return;
	}
}

static void
dsdt_parse(phys_t dsdt)
{
	const struct acpi_header *h = table_map(dsdt);

	if (!h)
		return;
	find_s5((const u8 *)(h + 1), (const u8 *)h + h->length);
	find_cpu_ports((const u8 *)(h + 1), (const u8 *)h + h->length);
}

/* FADT (5.2.9): offsets within the table. */
static void
fadt_parse(void)
{
	const struct acpi_header *h = acpi_table("FACP", 0);
	const u8 *b = (const u8 *)h;
	u32 dsdt = 0, v = 0;
	u64 x_dsdt = 0;

	if (!h || h->length < 116) {
		log_err("acpi: no usable FADT");
		return;
	}
	memcpy(&dsdt, b + 40, 4);
	memcpy(&acpi_info.sci_irq, b + 46, 2);
	memcpy(&acpi_info.smi_cmd, b + 48, 2);
	acpi_info.acpi_enable = b[52];
	memcpy(&acpi_info.pm1a_cnt, b + 64, 2);
	memcpy(&acpi_info.pm1b_cnt, b + 68, 2);
	memcpy(&acpi_info.pm_timer, b + 76, 4);
	memcpy(&acpi_info.gpe0, b + 80, 2);
	acpi_info.gpe0_status_bytes = b[92] / 2;
	memcpy(&v, b + 112, 4);
	if (h->length >= 129 && v & BIT(10)) {
		memcpy(&acpi_info.reset_reg, b + 116, sizeof(acpi_info.reset_reg));
		acpi_info.reset_value = b[128];
		acpi_info.reset_valid = true;
	}
	if (h->length >= 148)
		memcpy(&x_dsdt, b + 140, 8);
	dsdt_parse(x_dsdt ? x_dsdt : dsdt);
}

static void
hpet_parse(void)
{
	const struct acpi_header *h = acpi_table("HPET", 0);

	if (h && h->length >= 56)
		memcpy(&acpi_info.hpet, (const u8 *)h + 44, 8);
}

/* MCFG (PCI Firmware specification 3.0, 4.1.2): 16-byte entries from offset 44. */
static void
mcfg_parse(void)
{
	const struct acpi_header *h = acpi_table("MCFG", 0);
	const u8 *e;
	u16 segment;

	if (!h)
		return;
	for (e = (const u8 *)h + 44; e + 16 <= (const u8 *)h + h->length; e += 16) {
		memcpy(&segment, e + 8, 2);
		if (segment != 0)
			continue;
		memcpy(&acpi_info.ecam, e, 8);
		acpi_info.ecam_start_bus = e[10];
		acpi_info.ecam_end_bus = e[11];
		return;
	}
}

void
acpi_init(phys_t rsdp_pa, unsigned int max_cpus)
{
	const struct rsdp *r = rsdp_pa ? rsdp_at(rsdp_pa) : NULL;

	if (!r)
		r = rsdp_search();
	if (r) {
		tables_collect(r);
		fadt_parse();
		hpet_parse();
		mcfg_parse();
	} else {
		log_err("acpi: no RSDP found");
	}
	madt_parse(acpi_table("APIC", 0), max_cpus);
	srat_parse(acpi_table("SRAT", 0));
}
