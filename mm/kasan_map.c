/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory behind KASAN's shadow (mm/kasan.c tells the model).
 *
 * Model: the shadow of the kernel's half takes 32 entries of the top-level
 * table. Those of the direct map, of vmalloc and of the image have tables of
 * their own; all others lead through the tables below to one page of zeros,
 * which head.S has set up for the time before kmap_init().
 *
 * Locking: none, as in mm/kmap.c: an entry is set by compare-and-exchange, and
 * the loser frees his page.
 */
#include "mm/kasan.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/kasan_impl.h"
#include "mm/kmap.h"
#include "mm/memblock.h"
#include "mm/memblock_impl.h"
#include "mm/page_impl.h"
#include "mm/port.h"

#define SHADOW_RW (PTE_P | PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)
#define SHADOW_RO (PTE_P | PTE_A | PTE_G | PTE_NX)

extern u64 *kernel_pml4;

u8 kasan_zero_page[PAGE_SIZE] __aligned(PAGE_SIZE);
u64 kasan_zero_pt[PTE_COUNT] __aligned(PAGE_SIZE);
u64 kasan_zero_pd[PTE_COUNT] __aligned(PAGE_SIZE);
u64 kasan_zero_pdpt[PTE_COUNT] __aligned(PAGE_SIZE);

/* Constructors that register global variables, from the linker script. */
extern void (*const __ctors_start[])(void);
extern void (*const __ctors_end[])(void);

static unsigned long
top_slot(unsigned long va)
{
	return va >> 39 & (PTE_COUNT - 1);
}

/* Boot: a page of zeros of this size; NULL: none. */
static void *
boot_page(size_t size)
{
	void *p = memblock_try_alloc_raw(size, size, 0);

	return p == NULL ? NULL : mem_set_raw(p, 0, size);
}

/* Boot: the shadow of [start, end). */
static void
map_shadow(unsigned long start, unsigned long end)
{
	unsigned long va = align_down((unsigned long)kasan_shadow(start), PAGE_SIZE);
	unsigned long to = align_up((unsigned long)kasan_shadow(end), PAGE_SIZE);

	while (va < to) {
		bool large = is_aligned(va, LARGE_SIZE) && to - va >= LARGE_SIZE;
		u64 *e = large ? kmap_large_entry(va, true) : kmap_entry(va, true);
		size_t size = large ? LARGE_SIZE : PAGE_SIZE;

		ASSERT(e != NULL);
		if (!(*e & PTE_P)) {
			void *p = boot_page(size);

			if (p == NULL)
				mm_port_panic("no memory for KASAN's shadow");
			*e = virt_to_phys(p) | SHADOW_RW | (large ? PTE_PS : 0);
		}
		va += size;
	}
}

void
kasan_map_init(void)
{
	unsigned long first = top_slot((unsigned long)kasan_shadow(KASAN_KERNEL_START));
	unsigned long last = top_slot((unsigned long)kasan_shadow(~0UL));
	const struct memrange *r;

	for (unsigned int i = 0; (r = memblock_ram_range(i)) != NULL; i++)
		map_shadow(DIRECT_MAP_BASE + r->start, DIRECT_MAP_BASE + r->end);
	map_shadow((unsigned long)__text_start, (unsigned long)__kernel_end);
	/* Only the tables on the way: pages come with the addresses. */
	ASSERT(kmap_large_entry((unsigned long)kasan_shadow(VMALLOC_BASE), true) != NULL);
	/* No code above: who looks for some need not walk it all, which is billions of entries. */
	for (unsigned long i = first; i <= last; i++) {
		if (kernel_pml4[i] == 0)
			kernel_pml4[i] =
				virt_to_phys(kasan_zero_pdpt) | PTE_P | PTE_W | PTE_A | PTE_NX;
	}
}

void
kasan_start(void)
{
	mem_set_raw(kasan_zero_page, 0, PAGE_SIZE);
	for (unsigned int i = 0; i < PTE_COUNT; i++)
		kasan_zero_pt[i] = virt_to_phys(kasan_zero_page) | SHADOW_RO;
	/* Flushes: the entries were not global. */
	write_cr3(virt_to_phys(kernel_pml4));
	kasan_on = true;
	for (void (*const *fn)(void) = __ctors_start; fn < __ctors_end; fn++)
		(*fn)();
}

bool
kasan_map_area(unsigned long va, size_t n)
{
	unsigned long s = align_down((unsigned long)kasan_shadow(va), PAGE_SIZE);
	unsigned long end = (unsigned long)kasan_shadow(va + n * PAGE_SIZE);

	for (; s < end; s += PAGE_SIZE) {
		u64 *e = kmap_entry(s, true), none = 0;
		struct page *p;

		if (e == NULL)
			return false;
		if (READ_ONCE(*e) != 0)
			continue;
		p = page_alloc(0, GFP_KERNEL | GFP_ZERO);
		if (p == NULL)
			return false;
		if (!atomic_try_cmpxchg(e, &none, page_to_phys(p) | SHADOW_RW))
			page_put(p);
	}
	kasan_allow((const void *)va, n * PAGE_SIZE);
	return true;
}
