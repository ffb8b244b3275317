/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel mappings outside the direct map: large objects from single pages,
 * device registers, stacks with guard pages, the per-CPU areas.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include "mm/page.h"

enum map_prot { MAP_RO, MAP_RW, MAP_RX };
enum map_cache { MAP_WB, MAP_UC, MAP_WC };

/*
 * Page-granular, not contiguous physically, guard pages on both sides; with
 * GFP_ZERO cleared. May sleep. NULL: no memory, no address space, or size 0.
 */
void *vmalloc(size_t size, gfp_t gfp);
/* p may be NULL. May sleep. */
void vfree(const void *p);
/* Bytes of a vmalloc() (whole pages). */
size_t vmalloc_size(const void *p);
/* Does p lie where vmalloc(), ioremap() and stacks live? */
static inline bool
is_vmalloc(const void *p)
{
	return (unsigned long)p - VMALLOC_BASE < VMALLOC_END - VMALLOC_BASE;
}
/* The page behind an address in a vmalloc() or a stack; NULL if none is mapped. */
struct page *vmalloc_to_page(const void *p);

/*
 * Maps device registers or firmware memory; pa and size need no alignment.
 * NULL: no memory or address space, size 0, or the range wraps. May sleep.
 */
void __iomem *ioremap(phys_t pa, size_t size, enum map_cache cache);
void iounmap(void __iomem *p);
/* Firmware tables in RAM or ROM, read-only, write-back. Undone by memunmap(). */
const void *memremap(phys_t pa, size_t size);
void memunmap(const void *p);

/*
 * Kernel stacks of KERNEL_STACK_SIZE with unmapped pages on both sides; cached
 * per CPU. Lowest address, or NULL. Content: anything. alloc may sleep; free: any
 * context but NMI.
 */
void *kstack_alloc(int node);
void kstack_free(void *stack);
/* Stacks in use, for /proc/meminfo. */
u64 kstack_count(void);

/* Returns what vmalloc, stacks and lazy unmaps hold back, for tests of leaks. May sleep. */
void vmalloc_drain(void);
/* Pages of address space in use, of all. */
u64 vmalloc_used(void);
u64 vmalloc_total(void);

/*
 * Changes protection of whole pages of kernel memory mapped with small pages and
 * flushes. -EFAULT: some page is not mapped so. May sleep.
 */
int kernel_protect(unsigned long va, size_t size, enum map_prot prot);

/* Boot: builds the final kernel page tables; fills in W^X. See mm/kmap.c. */
void kmap_init(void);
/* Each CPU, before it uses MAP_WC mappings: sets the page attribute table. */
void kmap_cpu_init(void);
/* The kernel's top-level table: entries 256 to 511 are the same in every space, for ever. */
extern u64 *kernel_pml4;
/*
 * Maps pa at va in the kernel's tables (no flush needed for what was unmapped).
 * -ENOMEM. The caller owns va. May sleep once mm_init() has run.
 */
int kmap_page(unsigned long va, phys_t pa, enum map_prot prot, enum map_cache cache);
/* Takes the mapping of one small page away without a flush; what it was, 0: nothing. */
u64 kmap_unmap(unsigned long va);
/* The entry that maps va in the kernel's tables (small or large), 0: none. */
u64 kmap_lookup(unsigned long va);

#endif
