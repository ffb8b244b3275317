/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's page tables: for mm/ only (public part: mm/vmalloc.h). */
#ifndef MM_KMAP_H
#define MM_KMAP_H

#include "mm/vmalloc.h"

/* Software bit of a small entry: the page belongs to the mapping and is freed with it. */
#define KMAP_OWNED (1UL << 9)

/* The small entry of va; with make, tables on the way are created. NULL: none, or no memory. */
u64 *kmap_entry(unsigned long va, bool make);
/* The entry of the 2 MiB that va lies in; as above. */
u64 *kmap_large_entry(unsigned long va, bool make);
/* Bits of an entry for this protection and caching. */
u64 kmap_bits(enum map_prot prot, enum map_cache cache);

/* As vmalloc(), with pages of `node` and not counted as vmalloc memory. */
void *vmalloc_node(size_t size, unsigned int node, gfp_t gfp);
/* Undoes vmalloc_node(). Any context but NMI for small sizes. */
void vfree_stack(void *p);
/* Frees the stacks that CPUs keep (mm/kstack.c). */
void kstack_drain(void);

/* mm/vmalloc.c: addresses for n pages with guards around them; 0: none. May sleep. */
unsigned long kmap_area_take(size_t n);
/* Gives addresses back that are not mapped any more. May sleep, if n is large. */
void kmap_area_give(unsigned long va, size_t n);
/* Takes n pages at va out of the tables; those that the mapping owns are freed. */
void kmap_unmap_range(unsigned long va, size_t n);
/* Both, for the mapping that starts at va. */
void kmap_area_free(unsigned long va);

/* Bytes of the direct map by page size: 4 KiB, 2 MiB, 1 GiB. */
extern u64 kmap_direct_bytes[3];

/* The kernel image, from the linker script. */
extern const u8 __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern const u8 __data_start[], __data_end[], __init_start[], __init_end[];
extern const u8 __bss_start[], __bss_end[], __kernel_end[];
/* Where writable init data starts, if the script separates it from init code. */
extern const u8 __init_data_start[] __weak;

/* Takes [start, end) of the image, whole pages, out of KERNEL_BASE and flushes. May sleep. */
void kmap_forget_image(phys_t start, phys_t end);

#endif
