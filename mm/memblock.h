/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory before the buddy allocator: the firmware's map, reservations
 * and an allocator for boot. arch fills it, mm/ consumes it.
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "arch/x86_64/asm/layout.h"
#include "lib/types.h"

#define MEMBLOCK_MAX 256

struct memrange {
	phys_t start;
	phys_t end;
	/* NUMA node, 0 if unknown */
	u32 node;
};

/* Called by arch in this order: ram (any order, overlaps allowed), reserve, limit. */
void memblock_add_ram(phys_t start, phys_t end);
/* Kernel image, initrd, tables, firmware: never handed out until freed. */
void memblock_reserve(phys_t start, phys_t end);
/* `mem=`: forget RAM above. */
void memblock_limit(phys_t end);
/* SRAT: RAM in [start, end) belongs to `node` (< CONFIG_MAX_NODES, else ignored). */
void memblock_set_node(phys_t start, phys_t end, u32 node);

/*
 * Zeroed memory from the direct map, aligned (a power of two; 0: 16); panics
 * when there is none. Boot only: until mm_init(). Before kmap_init() it lies
 * below 4 GiB, where the boot tables reach.
 */
void *memblock_alloc(size_t size, size_t align);
/* The same without zeroing and, if possible, in RAM of `node`; NULL if there is none. */
void *memblock_try_alloc_raw(size_t size, size_t align, u32 node);

/* End of RAM: no frame lies above. */
phys_t memblock_top(void);
u64 memblock_ram_bytes(void);
/* Bytes that arch and boot reserved inside RAM. */
u64 memblock_reserved_bytes(void);
/* The i-th range of RAM, of reserved memory, in ascending order; NULL behind the last. */
const struct memrange *memblock_ram_range(unsigned int i);
const struct memrange *memblock_reserved_range(unsigned int i);
/*
 * The first maximal piece of RAM at or above `from` that is not reserved, within
 * one node; false: none. For loops: for (r.end = 0; memblock_next_free(r.end, &r);)
 */
bool memblock_next_free(phys_t from, struct memrange *r);
/* True if [start, end) is RAM throughout, reserved or not. */
bool memblock_is_ram(phys_t start, phys_t end);
/* Frames from now on may lie anywhere in RAM: kmap_init() calls it. */
void memblock_set_reach(phys_t end);

/* Hands all free frames to the buddy allocator; memblock_alloc ends. Slab is up afterwards. */
void mm_init(void);
/*
 * Gives a range reserved at boot (initrd, init sections) to the buddy
 * allocator: whole pages inside [start, end) only. Pages of the kernel image
 * lose their mapping at KERNEL_BASE first. May sleep.
 */
void mm_free_reserved(phys_t start, phys_t end);

#endif
