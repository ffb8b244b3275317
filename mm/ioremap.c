/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of memory that is not ours to free: device registers, firmware tables.
 *
 * Model: addresses come from the vmalloc area (mm/vmalloc.c); 2 MiB pages where
 * address and size allow it. Entries lack KMAP_OWNED, so that nothing is freed
 * with them.
 */
#include "mm/kmap.h"

/* One small or, where both sides are aligned, large entry; bytes mapped, 0: no memory. */
static size_t
map_device(unsigned long va, phys_t pa, size_t left, u64 bits)
{
	u64 *e;

	if (is_aligned(va | pa, LARGE_SIZE) && left >= LARGE_SIZE) {
		e = kmap_large_entry(va, true);
		if (e != NULL && *e == 0) {
			WRITE_ONCE(*e, pa | bits | PTE_PS);
			return LARGE_SIZE;
		}
	}
	e = kmap_entry(va, true);
	if (e == NULL)
		return 0;
	WRITE_ONCE(*e, pa | bits);
	return PAGE_SIZE;
}

static void *
map_phys(phys_t pa, size_t size, u64 bits)
{
	phys_t start = align_down(pa, PAGE_SIZE);
	unsigned long va;
	size_t n, step;

	if (size == 0 || pa + size < pa || pa + size - 1 > (PTE_ADDR | (PAGE_SIZE - 1)))
		return NULL;
	size = align_up(pa + size, PAGE_SIZE) - start;
	n = size / PAGE_SIZE;
	va = kmap_area_take(n);
	if (va == 0)
		return NULL;
	for (size_t done = 0; done < size; done += step) {
		step = map_device(va + done, start + done, size - done, bits);
		if (step == 0) {
			kmap_unmap_range(va, done / PAGE_SIZE);
			kmap_area_give(va, n);
			return NULL;
		}
	}
	return (char *)va + (pa - start);
}

void __iomem *
ioremap(phys_t pa, size_t size, enum map_cache cache)
{
	return (void __iomem __force *)map_phys(pa, size, kmap_bits(MAP_RW, cache));
}

void
iounmap(void __iomem *p)
{
	if (p != NULL)
		kmap_area_free(align_down((unsigned long __force)p, PAGE_SIZE));
}

const void *
memremap(phys_t pa, size_t size)
{
	return map_phys(pa, size, kmap_bits(MAP_RO, MAP_WB));
}

void
memunmap(const void *p)
{
	if (p != NULL)
		kmap_area_free(align_down((unsigned long)p, PAGE_SIZE));
}
