/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the per-CPU areas.
 *
 * Model: CPU n's area starts at PERCPU_BASE + n * PERCPU_STRIDE with a copy of
 * the template (section .percpu); behind it percpu_alloc() has pages added, at
 * the same offsets for every CPU. The boot CPU's area is made twice over the
 * same pages: in the boot tables, before anything else runs, and in the final
 * ones.
 *
 * Ownership: an area lives for ever. percpu/ decides what lies where in it.
 */
#include "mm/percpu_mem.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/kmap.h"
#include "mm/memblock.h"
#include "mm/page_impl.h"
#include "mm/port.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/port.h"

#define MSR_GS_BASE 0xc0000101
/* The template may not grow beyond this. */
#define STATIC_MAX (64UL << 10)
#define AREA_PAGES (PERCPU_STRIDE / PAGE_SIZE)

extern const u8 __percpu_start[], __percpu_end[];
extern u64 boot_pml4[];

static u8 boot_area[STATIC_MAX] __section(".bss..page_aligned") __aligned(PAGE_SIZE);
static u64 boot_tables[3][PTE_COUNT] __section(".bss..page_aligned") __aligned(PAGE_SIZE);
/* Pages behind the static part that every area has (percpu_port_lock). */
static BITMAP_DECLARE(populated, AREA_PAGES);

static size_t
static_size(void)
{
	return align_up((size_t)(__percpu_end - __percpu_start), PAGE_SIZE);
}

static unsigned long
area_va(unsigned int cpu)
{
	return PERCPU_BASE + cpu * PERCPU_STRIDE;
}

static void
area_set_up(unsigned int cpu)
{
	percpu_offset[cpu] = area_va(cpu) - (unsigned long)__percpu_start;
	cpu_of(percpu_this_offset, cpu) = percpu_offset[cpu];
	cpu_of(percpu_cpu, cpu) = cpu;
}

void
percpu_enter_oncpu(unsigned int cpu)
{
	wrmsr(MSR_GS_BASE, percpu_offset[cpu]);
}

void
percpu_early_init(void)
{
	u64 *pdpt = boot_tables[0], *pd = boot_tables[1], *pt = boot_tables[2];
	unsigned long va = PERCPU_BASE;

	memcpy(boot_area, __percpu_start, (size_t)(__percpu_end - __percpu_start));
	boot_pml4[va >> 39 & (PTE_COUNT - 1)] = virt_to_phys(pdpt) | PTE_P | PTE_W;
	pdpt[va >> HUGE_SHIFT & (PTE_COUNT - 1)] = virt_to_phys(pd) | PTE_P | PTE_W;
	pd[va >> LARGE_SHIFT & (PTE_COUNT - 1)] = virt_to_phys(pt) | PTE_P | PTE_W;
	for (size_t i = 0; i < STATIC_MAX / PAGE_SIZE; i++)
		pt[i] = (virt_to_phys(boot_area) + i * PAGE_SIZE) | PTE_P | PTE_W | PTE_NX;
	barrier();
	area_set_up(0);
	percpu_enter_oncpu(0);
	ASSERT(static_size() <= STATIC_MAX);
}

void
percpu_map_boot_area(void)
{
	for (size_t off = 0; off < static_size(); off += PAGE_SIZE) {
		int err =
			kmap_page(area_va(0) + off, virt_to_phys(boot_area) + off, MAP_RW, MAP_WB);

		ASSERT(err == 0);
	}
}

/* Backs one page of an area unless it is. */
static int
area_back(unsigned int cpu, size_t off)
{
	unsigned long va = area_va(cpu) + off;
	struct page *p;
	int err;

	if (kmap_lookup(va) != 0)
		return 0;
	p = page_alloc_node(mm_port_cpu_node(cpu), 0, GFP_KERNEL | GFP_ZERO);
	if (p == NULL)
		return -ENOMEM;
	err = kmap_page(va, page_to_phys(p), MAP_RW, MAP_WB);
	if (err)
		page_put(p);
	return err;
}

static int
area_make(unsigned int cpu)
{
	size_t i;

	for (size_t off = 0; off < static_size(); off += PAGE_SIZE) {
		if (area_back(cpu, off) != 0)
			return -ENOMEM;
	}
	bitmap_for_each_one(i, populated, AREA_PAGES) {
		if (area_back(cpu, i * PAGE_SIZE) != 0)
			return -ENOMEM;
	}
	memcpy((void *)area_va(cpu), __percpu_start, (size_t)(__percpu_end - __percpu_start));
	area_set_up(cpu);
	pcp_cpu_init(cpu);
	return 0;
}

void
percpu_areas_init(void)
{
	phys_t tail = virt_to_phys(boot_area);

	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		if (area_make(cpu) != 0) {
			mm_port_log(3, "memory for %u CPUs of %u only", cpu, nr_cpus);
			nr_cpus = cpu;
		}
	}
	pcp_set_batch();
	mm_free_reserved(tail + static_size(), tail + STATIC_MAX);
	mm_free_reserved(virt_to_phys(__percpu_start), virt_to_phys(__percpu_end));
}

u64
percpu_area_pages(void)
{
	return nr_cpus * (static_size() / PAGE_SIZE + bitmap_weight(populated, AREA_PAGES));
}

int
percpu_port_populate(unsigned long from, unsigned long to)
{
	unsigned int cpu;

	if (to > PERCPU_STRIDE)
		return -ENOMEM;
	for (; from < to; from += PAGE_SIZE) {
		for_each_possible_cpu(cpu) {
			if (area_back(cpu, from) != 0)
				return -ENOMEM;
		}
		bit_set(populated, from / PAGE_SIZE);
	}
	return 0;
}

void *
percpu_port_alloc(size_t size)
{
	/* The size classes of whole cache lines are aligned to one. */
	if (size >= CACHE_LINE)
		size = align_up(size, CACHE_LINE);
	return kzalloc(size, GFP_KERNEL);
}

bool
percpu_port_fail(void)
{
	return fail_alloc(GFP_KERNEL);
}

void
percpu_port_free(void *p)
{
	kfree(p);
}
