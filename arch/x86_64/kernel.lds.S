/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel image. Linked at KERNEL_BASE + physical address and loaded at the
 * physical address; .boot runs before paging and is linked where it is loaded.
 * Sections of one protection are page-aligned so that mm/kmap.c can enforce W^X.
 */
#include "arch/x86_64/asm/layout.h"
#define VBASE 0xffffffff80000000
#define REGISTRY(name)                                                                             \
	. = ALIGN(8);                                                                              \
	__start_reg_##name = .;                                                                    \
	KEEP(*(SORT(reg_##name)))                                                                  \
	__stop_reg_##name = .;

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_multiboot)

PHDRS
{
	boot PT_LOAD FLAGS(7);
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	init PT_LOAD FLAGS(7);
	bss PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = KERNEL_PHYS_START;
	__kernel_phys_start = .;
	.boot : { KEEP(*(.multiboot)) *(.boot) } :boot
	.note.pvh : { KEEP(*(.note.pvh)) } :boot :note
	. = ALIGN(4096);

	. += VBASE;
	.text : AT(ADDR(.text) - VBASE) {
		__text_start = .;
		__text = .;
		/* By these two perf knows where a kernel begins. */
		_text = .;
		_stext = .;
		*(.text.entry)
		*(.text.hot .text.hot.*)
		/* What makes tasks sleep: /proc/PID/wchan shows who called it. */
		__sched_text_start = .;
		*kernel/sched/[a-z]*.o(.text .text.*)
		*sync/[a-z]*.o(.text .text.*)
		__sched_text_end = .;
		*(.text .text.*)
		. = ALIGN(4096);
		__text_end = .;
		_etext = .;
	} :text

	.rodata : AT(ADDR(.rodata) - VBASE) {
		__rodata_start = .;
		*(.rodata .rodata.*)
		REGISTRY(initcalls)
		REGISTRY(drivers)
		REGISTRY(pci_drivers)
		REGISTRY(filesystems)
		REGISTRY(binfmts)
		REGISTRY(shrinkers)
		REGISTRY(params)
		REGISTRY(proc_entries)
		REGISTRY(sysctls)
		REGISTRY(debugfs_entries)
		REGISTRY(consoles)
		REGISTRY(lock_classes)
		REGISTRY(smap_open)
		REGISTRY(smap_close)
		. = ALIGN(8);
		__start_reg_tests = .;
		KEEP(*(reg_tests))
		__stop_reg_tests = .;
		. = ALIGN(8);
		__ctors_start = .;
		KEEP(*(.init_array .init_array.* .ctors .ctors.*))
		__ctors_end = .;
		. = ALIGN(8);
		__start_extable = .;
		KEEP(*(extable))
		__stop_extable = .;
		. = ALIGN(4096);
	} :rodata
	.symbols : AT(ADDR(.symbols) - VBASE) {
		*(.symbols)
		. = ALIGN(4096);
		__rodata_end = .;
	} :rodata

	.data : AT(ADDR(.data) - VBASE) {
		__data_start = .;
		*(.data.read_mostly)
		. = ALIGN(64);
		*(.data.ro_after_init)
		. = ALIGN(64);
		*(.data .data.*)
		. = ALIGN(4096);
	} :data

	/* The template of the per-CPU areas. */
	.percpu : AT(ADDR(.percpu) - VBASE) {
		__percpu_start = .;
		*(.percpu..first)
		. = ALIGN(64);
		*(.percpu)
		. = ALIGN(64);
		*(.percpu..aligned)
		. = ALIGN(4096);
		__percpu_end = .;
		__data_end = .;
	} :data

	.init : AT(ADDR(.init) - VBASE) {
		__init_start = .;
		*(.init.text)
		. = ALIGN(4096);
		__init_data_start = .;
		*(.init.data)
		. = ALIGN(4096);
		__init_end = .;
	} :init

	.bss : AT(ADDR(.bss) - VBASE) {
		__bss_start = .;
		*(.bss..page_aligned)
		*(.bss .bss.*)
		*(COMMON)
		. = ALIGN(4096);
		__bss_end = .;
	} :bss
	__kernel_end = .;

	/DISCARD/ : { *(.comment) *(.eh_frame) *(.note.gnu.*) *(.note.GNU-stack) }
}
