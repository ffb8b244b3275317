/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot information: two formats in, one struct out.
 *
 * Nothing here trusts a length: every structure is bounded by the sizes that
 * its container gives, and by what the struct above can hold. All of it lies
 * below 4 GiB, which the boot page tables map.
 */
#include "arch/x86_64/bootinfo.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/log.h"
#include "lib/string.h"

#define PVH_BOOT_MAGIC 0x336ec578
#define PVH_MEMMAP_ENTRIES 1024
#define MB2_BOOT_MAGIC 0x36d76289
#define BOOT_MAPPED (4UL << 30)

struct boot_info boot_info __ro_after_init;

/*
 * hvm_start_info (Xen public headers, start_info.h)
 *
 * OFFSET SIZE MEANING
 *      0    4 magic 0x336ec578
 *      4    4 version
 *      8    4 flags
 *     12    4 number of modules
 *     16    8 address of the module list
 *     24    8 address of the command line
 *     32    8 address of the RSDP
 *     40    8 address of the memory map (version 1)
 *     48    4 entries of the memory map
 */
struct pvh_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nr_memmap, reserved;
};

struct pvh_module {
	u64 addr, size, cmdline, reserved;
};

struct pvh_memmap {
	u64 addr, size;
	u32 type, reserved;
};

void
boot_add_memory(phys_t start, u64 size, u32 type)
{
	struct boot_memmap *m;

	if (size == 0 || start + size < start)
		return;
	if (boot_info.nr_memmap == BOOT_MEMMAP_MAX) {
		log_warn("boot: memory map has more than %d entries, %#lx ignored", BOOT_MEMMAP_MAX,
			 (unsigned long)start);
		return;
	}
	m = &boot_info.memmap[boot_info.nr_memmap++];
	*m = (struct boot_memmap){.start = start, .size = size, .type = type};
}

void
boot_set_cmdline(const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	boot_info.cmdline_cut = n >= BOOT_CMDLINE_MAX;
	n = min(n, (size_t)BOOT_CMDLINE_MAX - 1);
	memcpy(boot_info.cmdline, s, n);
	boot_info.cmdline[n] = '\0';
}

static u8
cmos_read(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

/*
 * Memory as the CMOS tells it, in units of 64 KiB: registers 0x34 and 0x35 from
 * 16 MiB up, 0x5b to 0x5d from 4 GiB up. The firmware's tables lie at the end of
 * what is below 4 GiB; QEMU leaves them 160 KiB.
 */
static void
memory_from_cmos(void)
{
	u64 below = (16UL << 20) + ((u64)(cmos_read(0x34) | cmos_read(0x35) << 8) << 16);
	u64 above = (u64)(cmos_read(0x5b) | cmos_read(0x5c) << 8 | cmos_read(0x5d) << 16) << 16;

	boot_add_memory(0, 0x9fc00, MEM_RAM);
	boot_add_memory(1UL << 20, below - 0x28000 - (1UL << 20), MEM_RAM);
	boot_add_memory(4UL << 30, above, MEM_RAM);
}

static void
pvh_memory(const struct pvh_info *info)
{
	const struct pvh_memmap *map = phys_to_virt(info->memmap);
	u32 i;

	/* QEMU 7.2 writes a command line of more than 4096 bytes over all this. */
	if (info->magic != PVH_BOOT_MAGIC) {
		log_err("boot: PVH information is overwritten (magic %#x), memory taken from CMOS",
			info->magic);
		memory_from_cmos();
		return;
	}
	if (info->version < 1 || info->memmap >= BOOT_MAPPED)
		return;
	for (i = 0; i < min(info->nr_memmap, (u32)PVH_MEMMAP_ENTRIES); i++)
		boot_add_memory(map[i].addr, map[i].size, map[i].type);
}

void
boot_parse_pvh(phys_t pa)
{
	const struct pvh_info *info = phys_to_virt(pa);
	const struct pvh_module *mod = phys_to_virt(info->modules);

	boot_info.loader = "PVH";
	if (info->cmdline && info->cmdline < BOOT_MAPPED)
		boot_set_cmdline(phys_to_virt(info->cmdline), 65536);
	boot_info.rsdp = info->rsdp;
	pvh_memory(info);
	if (info->nr_modules >= 1 && info->modules < BOOT_MAPPED) {
		boot_info.initrd = mod->addr;
		boot_info.initrd_size = mod->size;
	}
}

/* Tags of the Multiboot2 specification, section 3.6. */
enum {
	MB2_END,
	MB2_CMDLINE,
	MB2_LOADER,
	MB2_MODULE,
	MB2_MMAP = 6,
	MB2_FB = 8,
	MB2_ACPI1 = 14,
	MB2_ACPI2 = 15
};

struct mb2_tag {
	u32 type, size;
	u8 data[];
};

static void
mb2_memmap(const u8 *d, u32 size)
{
	u32 entry = *(const u32 *)d, off;
	u64 start, len;

	if (entry < 20)
		return;
	for (off = 8; off + 20 <= size; off += entry) {
		memcpy(&start, d + off, 8);
		memcpy(&len, d + off + 8, 8);
		boot_add_memory(start, len, *(const u32 *)(d + off + 16));
	}
}

static void
mb2_framebuffer(const u8 *d, u32 size)
{
	struct boot_framebuffer *fb = &boot_info.fb;

	if (size < 24)
		return;
	memcpy(&fb->addr, d, 8);
	memcpy(&fb->pitch, d + 8, 4);
	memcpy(&fb->width, d + 12, 4);
	memcpy(&fb->height, d + 16, 4);
	fb->bpp = d[20];
	fb->type = d[21];
	if (fb->type == 1 && size >= 30) {
		fb->red_pos = d[24];
		fb->red_size = d[25];
		fb->green_pos = d[26];
		fb->green_size = d[27];
		fb->blue_pos = d[28];
		fb->blue_size = d[29];
	} else if (fb->type != 2) {
		fb->type = 0;
	}
}

static void
mb2_tag(const struct mb2_tag *t)
{
	u32 size = t->size - 8;

	switch (t->type) {
	case MB2_CMDLINE:
		boot_set_cmdline((const char *)t->data, size);
		break;
	case MB2_MODULE:
		if (size >= 8 && boot_info.initrd == 0) {
			u32 start = *(const u32 *)t->data, end = *(const u32 *)(t->data + 4);

			boot_info.initrd = start;
			boot_info.initrd_size = end > start ? end - start : 0;
		}
		break;
	case MB2_MMAP:
		if (size >= 8)
			mb2_memmap(t->data, size);
		break;
	case MB2_FB:
		mb2_framebuffer(t->data, size);
		break;
	case MB2_ACPI1:
	case MB2_ACPI2:
		boot_info.rsdp = virt_to_phys(t->data);
		break;
	}
}

void
boot_parse_multiboot2(phys_t pa)
{
	const u8 *info = phys_to_virt(pa);
	u32 total = *(const u32 *)info, off = 8;

	boot_info.loader = "Multiboot2";
	while (off + 8 <= total) {
		const struct mb2_tag *t = (const void *)(info + off);

		if (t->type == MB2_END || t->size < 8 || t->size > total - off)
			break;
		mb2_tag(t);
		off += align_up(t->size, 8u);
	}
}

void
boot_parse(u32 magic, phys_t info)
{
	if (magic == PVH_BOOT_MAGIC)
		boot_parse_pvh(info);
	else if (magic == MB2_BOOT_MAGIC)
		boot_parse_multiboot2(info);
	else
		panic("boot: unknown loader (magic %#x)", magic);
	if (boot_info.nr_memmap == 0)
		panic("boot: %s gave no memory map", boot_info.loader);
}
