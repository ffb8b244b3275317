/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of mm/: the same layout at addresses that a program may have. */
#ifndef MM_HOST_LAYOUT_H
#define MM_HOST_LAYOUT_H

#define phys_to_virt layout_phys_to_virt
#define virt_to_phys layout_virt_to_phys
#include_next "arch/x86_64/asm/layout.h"
#undef phys_to_virt
#undef virt_to_phys
#undef DIRECT_MAP_BASE
#undef DIRECT_MAP_END
#undef PERCPU_BASE
#undef PAGES_BASE
#undef VMALLOC_BASE
#undef VMALLOC_END

#define DIRECT_MAP_BASE 0x200000000000UL
#define DIRECT_MAP_END 0x240000000000UL
#define PAGES_BASE 0x300000000000UL
#define PERCPU_BASE 0x400000000000UL
#define VMALLOC_BASE 0x410000000000UL
#define VMALLOC_END 0x420000000000UL

static inline void *
phys_to_virt(phys_t pa)
{
	return (void *)(DIRECT_MAP_BASE + pa);
}

static inline phys_t
virt_to_phys(const void *p)
{
	return (unsigned long)p - DIRECT_MAP_BASE;
}

#endif
