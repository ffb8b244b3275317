/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual address space (4-level paging) and page-table entry bits.
 *
 * FROM                 SIZE     MEANING
 * 0                    128 TiB  user (last page never mapped)
 * ffff888000000000      64 TiB  direct map of physical memory, RW NX
 * ffffc90000000000      32 TiB  vmalloc: stacks, device registers, large objects
 * ffffd00000000000       1 TiB  per-CPU areas, PERCPU_STRIDE each
 * ffffea0000000000       1 TiB  struct page array
 * ffffffff80000000       1 GiB  kernel image
 */
#ifndef ARCH_ASM_LAYOUT_H
#define ARCH_ASM_LAYOUT_H

#include "config/config.h"

#define PAGE_SHIFT 12
#define LARGE_SHIFT 21
#define HUGE_SHIFT 30

#ifndef __ASSEMBLER__
#include "lib/types.h"

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define LARGE_SIZE (1UL << LARGE_SHIFT)
#define HUGE_SIZE (1UL << HUGE_SHIFT)

#define USER_END 0x00007ffffffff000UL
#define DIRECT_MAP_BASE 0xffff888000000000UL
#define DIRECT_MAP_END 0xffffc88000000000UL
#define VMALLOC_BASE 0xffffc90000000000UL
#define VMALLOC_END 0xffffc98000000000UL
#define PERCPU_BASE 0xffffd00000000000UL
#define PERCPU_STRIDE 0x200000UL
#define PAGES_BASE 0xffffea0000000000UL
#define KERNEL_BASE 0xffffffff80000000UL

typedef u64 phys_t;

static inline void *
phys_to_virt(phys_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

/* For an address in the direct map or in the kernel image. */
static inline phys_t
virt_to_phys(const void *p)
{
	unsigned long va = (unsigned long)p;

	return va >= KERNEL_BASE ? va - KERNEL_BASE : va - DIRECT_MAP_BASE;
}

/* Page-table entries (Intel SDM vol. 3, 4.5). Bits 9 to 11 and 52 to 58 are ours. */
#define PTE_P 0x001UL
#define PTE_W 0x002UL
#define PTE_U 0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A 0x020UL
#define PTE_D 0x040UL
#define PTE_PS 0x080UL
#define PTE_G 0x100UL
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL
#define PTE_COUNT 512

#endif
#define KERNEL_PHYS_START 0x100000
/* The address checks make frames larger. */
#if CONFIG_KASAN
#define KERNEL_STACK_SHIFT 15
#else
#define KERNEL_STACK_SHIFT 14
#endif
#define KERNEL_STACK_SIZE (1 << KERNEL_STACK_SHIFT)

#define SEL_KERNEL_CODE 0x10
#define SEL_KERNEL_DATA 0x18
#define SEL_USER_CODE32 0x23
#define SEL_USER_DATA 0x2b
#define SEL_USER_CODE 0x33
#define SEL_TSS 0x40
#endif
