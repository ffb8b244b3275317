/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader told us, whichever it was. */
#ifndef ARCH_BOOTINFO_H
#define ARCH_BOOTINFO_H

#include "arch/x86_64/asm/layout.h"
#include "lib/types.h"

#define BOOT_CMDLINE_MAX 2048
#define BOOT_MEMMAP_MAX 128

/* Types of the firmware's memory map (ACPI 6.4, table 15.4). */
enum { MEM_RAM = 1, MEM_RESERVED = 2, MEM_ACPI = 3, MEM_NVS = 4, MEM_UNUSABLE = 5 };

struct boot_memmap {
	phys_t start;
	u64 size;
	u32 type;
};

struct boot_framebuffer {
	phys_t addr;
	u32 pitch, width, height;
	u8 bpp;
	/* 1: RGB with the fields below, 2: text mode of EGA; 0: none */
	u8 type;
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

/* I  after boot_parse() */
struct boot_info {
	const char *loader;
	char cmdline[BOOT_CMDLINE_MAX];
	bool cmdline_cut;
	u32 nr_memmap;
	struct boot_memmap memmap[BOOT_MEMMAP_MAX];
	phys_t initrd;
	u64 initrd_size;
	/* Physical address of the RSDP, or of a copy; 0: search for it */
	phys_t rsdp;
	struct boot_framebuffer fb;
};
extern struct boot_info boot_info;

/* Fills boot_info from what lies at `info`; halts with a message if magic is unknown. */
void boot_parse(u32 magic, phys_t info);
void boot_parse_pvh(phys_t info);
void boot_parse_multiboot2(phys_t info);
/* For the parsers: ignores what does not fit, with a message. */
void boot_add_memory(phys_t start, u64 size, u32 type);
void boot_set_cmdline(const char *s, size_t max);

#endif
