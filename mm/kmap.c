/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page tables.
 *
 * Model: one top-level table, kernel_pml4. All entries of its upper half that
 * will ever be used exist before kmap_init() returns and never change, so that
 * user spaces copy them once. Below them tables are only added. Every mapping
 * is global.
 *
 *      AREA             PAGES                  PROTECTION
 *      direct map       largest the CPU has    RW NX; text and rodata RO NX
 *      kernel image     4 KiB                  text RX, rodata RO NX, else RW NX
 *      struct pages     2 MiB, edges 4 KiB     RW NX
 *      per-CPU areas    4 KiB                  RW NX
 *      vmalloc          4 KiB, devices 2 MiB   as asked, never W and X
 *
 * Locking: none. A table is put into its parent by compare-and-exchange, the
 * loser frees his. A leaf entry is written by the owner of the address.
 *
 * See: Intel SDM vol. 3, 4.5 (4-level paging), 12.12 (page attribute table).
 */
#include "mm/kmap.h"

#include "arch/x86_64/asm/insn.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kasan.h"
#include "mm/memblock.h"
#include "mm/page_impl.h"
#include "mm/percpu_mem.h"
#include "mm/port.h"
#include "mm/tlb.h"
#include "mm/uaccess.h"

#define MSR_PAT 0x277
/* Entry 1 (and 5): write-combining in place of write-through. */
#define PAT_VALUE 0x0007010600070106UL
#define CPUID_1_EDX_PAT BIT(16)
#define CPUID_EXT_EDX_1G BIT(26)

#define TABLE_BITS (PTE_P | PTE_W | PTE_A)
#define RW_NX (PTE_P | PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)
#define RO_NX (PTE_P | PTE_A | PTE_G | PTE_NX)
#define RO_X (PTE_P | PTE_A | PTE_G)

u64 *kernel_pml4;
static bool have_huge;
/* I after boot  bytes of the direct map by page size: 4 KiB, 2 MiB, 1 GiB */
u64 kmap_direct_bytes[3];

static u64 *
table_alloc(void)
{
	struct page *p;

	if (!page_allocator_ready())
		return memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	p = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	return p == NULL ? NULL : page_to_virt(p);
}

/* The table that *entry points at, made if there is none. */
static u64 *
table_below(u64 *entry, bool make)
{
	u64 e = READ_ONCE(*entry);
	u64 *t;

	if (e & PTE_P)
		return e & PTE_PS ? NULL : phys_to_virt(e & PTE_ADDR);
	if (!make)
		return NULL;
	t = table_alloc();
	if (t == NULL)
		return NULL;
	if (atomic_try_cmpxchg(entry, &e, virt_to_phys(t) | TABLE_BITS))
		return t;
	page_put(virt_to_page(t));
	return phys_to_virt(e & PTE_ADDR);
}

/* The entry of va in the table of `shift`: PAGE_SHIFT, LARGE_SHIFT or HUGE_SHIFT. */
static u64 *
entry_at(unsigned long va, unsigned int shift, bool make)
{
	u64 *t = kernel_pml4;

	for (unsigned int s = 39; s > shift && t != NULL; s -= 9)
		t = table_below(&t[va >> s & (PTE_COUNT - 1)], make);
	return t == NULL ? NULL : &t[va >> shift & (PTE_COUNT - 1)];
}

u64 *
kmap_entry(unsigned long va, bool make)
{
	return entry_at(va, PAGE_SHIFT, make);
}

u64 *
kmap_large_entry(unsigned long va, bool make)
{
	return entry_at(va, LARGE_SHIFT, make);
}

u64
kmap_lookup(unsigned long va)
{
	u64 *t = kernel_pml4;

	for (unsigned int s = 39; s >= PAGE_SHIFT; s -= 9) {
		u64 e = READ_ONCE(t[va >> s & (PTE_COUNT - 1)]);

		if (!(e & PTE_P))
			return 0;
		if (s == PAGE_SHIFT || (e & PTE_PS))
			return e;
		t = phys_to_virt(e & PTE_ADDR);
	}
	return 0;
}

u64
kmap_bits(enum map_prot prot, enum map_cache cache)
{
	u64 bits = prot == MAP_RW ? RW_NX : prot == MAP_RX ? RO_X : RO_NX;

	if (cache == MAP_UC)
		bits |= PTE_PCD | PTE_PWT;
	else if (cache == MAP_WC)
		bits |= PTE_PWT;
	return bits;
}

int
kmap_page(unsigned long va, phys_t pa, enum map_prot prot, enum map_cache cache)
{
	u64 *e = kmap_entry(va, true);

	if (e == NULL)
		return -ENOMEM;
	WRITE_ONCE(*e, pa | kmap_bits(prot, cache));
	return 0;
}

u64
kmap_unmap(unsigned long va)
{
	u64 *e = kmap_entry(va, false);
	u64 old = 0;

	if (e != NULL) {
		old = *e;
		WRITE_ONCE(*e, 0);
	}
	return old;
}

int
kernel_protect(unsigned long va, size_t size, enum map_prot prot)
{
	unsigned long end = va + size;

	for (unsigned long a = va; a < end; a += PAGE_SIZE) {
		u64 *e = kmap_entry(a, false);

		if (e == NULL || !(*e & PTE_P))
			return -EFAULT;
	}
	for (unsigned long a = va; a < end; a += PAGE_SIZE) {
		u64 *e = kmap_entry(a, false);
		u64 keep = *e & (PTE_ADDR | PTE_PCD | PTE_PWT | KMAP_OWNED);

		WRITE_ONCE(*e, keep | kmap_bits(prot, MAP_WB));
	}
	tlb_flush_kernel(va, end);
	return 0;
}

void
kmap_forget_image(phys_t start, phys_t end)
{
	unsigned long from = KERNEL_BASE + start, to = KERNEL_BASE + end;

	for (unsigned long a = from; a < to; a += PAGE_SIZE)
		kmap_unmap(a);
	tlb_flush_kernel(from, to);
}

/* --- boot --- */

static unsigned int
largest_shift(unsigned long va, phys_t pa, size_t left, unsigned int max_shift)
{
	for (unsigned int s = max_shift; s > PAGE_SHIFT; s -= 9) {
		if (is_aligned(va | pa, 1UL << s) && left >= 1UL << s)
			return s;
	}
	return PAGE_SHIFT;
}

/* Maps [pa, pa + size) at va with pages of at most 2^max_shift bytes. */
static void
map_range(unsigned long va, phys_t pa, size_t size, u64 bits, unsigned int max_shift)
{
	while (size > 0) {
		unsigned int s = largest_shift(va, pa, size, max_shift);
		u64 *e = entry_at(va, s, true);

		ASSERT(e != NULL);
		*e = pa | bits | (s == PAGE_SHIFT ? 0 : PTE_PS);
		va += 1UL << s;
		pa += 1UL << s;
		size -= 1UL << s;
	}
}

static void
map_direct(phys_t start, phys_t end, u64 bits)
{
	unsigned int max_shift = have_huge ? HUGE_SHIFT : LARGE_SHIFT;

	while (start < end) {
		unsigned int s = largest_shift(start, start, end - start, max_shift);

		map_range(DIRECT_MAP_BASE + start, start, 1UL << s, bits, s);
		kmap_direct_bytes[(s - PAGE_SHIFT) / 9] += 1UL << s;
		start += 1UL << s;
	}
}

static void
map_direct_all(void)
{
	phys_t ro_start = virt_to_phys(__text_start), ro_end = virt_to_phys(__rodata_end);
	const struct memrange *r;

	for (unsigned int i = 0; (r = memblock_ram_range(i)) != NULL; i++) {
		map_direct(r->start, min(r->end, ro_start), RW_NX);
		map_direct(max(r->start, ro_start), min(r->end, ro_end), RO_NX);
		map_direct(max(r->start, ro_end), r->end, RW_NX);
	}
}

static void
map_image(const u8 *start, const u8 *end, u64 bits)
{
	if (start < end)
		map_range((unsigned long)start, virt_to_phys(start), (size_t)(end - start), bits,
			  PAGE_SHIFT);
}

static void
map_image_all(void)
{
	const u8 *init_data = __init_data_start;

	map_image(__text_start, __text_end, RO_X);
	map_image(__rodata_start, __rodata_end, RO_NX);
	map_image(__data_start, __data_end, RW_NX);
	map_image(__bss_start, __bss_end, RW_NX);
	if (init_data == NULL) {
		/* Code and data on the same pages, until both are freed. */
		map_image(__init_start, __init_end, RW_NX & ~PTE_NX);
	} else {
		map_image(__init_start, init_data, RO_X);
		map_image(init_data, __init_end, RW_NX);
	}
}

/* The array's memory for frames [start, end), multiples of 4 MiB. */
static void
map_page_array(u64 start, u64 end, u32 node)
{
	unsigned long va = (unsigned long)pfn_to_page(start);
	unsigned long to = (unsigned long)pfn_to_page(end);

	while (va < to) {
		size_t size = is_aligned(va, LARGE_SIZE) && to - va >= LARGE_SIZE ? LARGE_SIZE
										  : PAGE_SIZE;
		void *p = memblock_try_alloc_raw(size, size, node);

		if (p == NULL && size == LARGE_SIZE) {
			size = PAGE_SIZE;
			p = memblock_try_alloc_raw(size, size, node);
		}
		if (p == NULL)
			mm_port_panic("no memory for the page array");
		map_range(va, virt_to_phys(p), size, RW_NX, LARGE_SHIFT);
		va += size;
	}
}

/* Blocks of the largest order that hold any RAM get their part of the array. */
static void
map_page_arrays(void)
{
	const struct memrange *r;
	u64 done = 0;

	for (unsigned int i = 0; (r = memblock_ram_range(i)) != NULL; i++) {
		u64 start = align_down(r->start >> PAGE_SHIFT, 1UL << PAGE_MAX_ORDER);
		u64 end = align_up(r->end >> PAGE_SHIFT, 1UL << PAGE_MAX_ORDER);

		start = max(start, done);
		if (start < end)
			map_page_array(start, end, r->node);
		done = max(done, end);
	}
}

/* The second-level tables of all areas that grow later. */
static void
make_top_entries(void)
{
	unsigned long pages_end = (unsigned long)pfn_to_page(memblock_top() >> PAGE_SHIFT);

	for (unsigned long va = VMALLOC_BASE; va < VMALLOC_END; va += 1UL << 39)
		entry_at(va, HUGE_SHIFT, true);
	for (unsigned long va = PAGES_BASE; va < pages_end; va += 1UL << 39)
		entry_at(va, HUGE_SHIFT, true);
	entry_at(PERCPU_BASE, HUGE_SHIFT, true);
	entry_at(KERNEL_BASE, HUGE_SHIFT, true);
}

void
kmap_cpu_init(void)
{
	if (cpuid(1, 0).d & CPUID_1_EDX_PAT)
		wrmsr(MSR_PAT, PAT_VALUE);
}

void
kmap_init(void)
{
	have_huge = cpuid(0x80000001, 0).d & CPUID_EXT_EDX_1G;
	kernel_pml4 = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	make_top_entries();
	map_direct_all();
	map_image_all();
	percpu_map_boot_area();
	if (CONFIG_KASAN)
		kasan_map_init();
	/* The last time that code is writable. */
	uaccess_init();
	kmap_cpu_init();
	write_cr3(virt_to_phys(kernel_pml4));
	memblock_set_reach(memblock_top());
	if (CONFIG_KASAN)
		kasan_start();
	map_page_arrays();
}
