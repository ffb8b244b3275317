/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page frames: allocation, references, start-up.
 *
 * Model: a frame is reserved (boot, never ours), free (in a zone or on a CPU's
 * list; refs 0), or in use (refs > 0; type says by whom). Ordinary requests leave
 * a reserve in each zone; interrupts may take half of it, and what frees memory
 * by being done may take all.
 *
 * Path of a request:  this CPU's list
 *                     zones of the node, then of the others
 *                     reclaim (if the caller may sleep), again
 *                     OOM killer, again
 *
 * Ownership: whoever drops the last reference frees; page_put() may do so on any
 * CPU. References of the free are 0 at all times, so that page_try_get() by a
 * finder that read an old pointer fails.
 *
 * Contexts: any but NMI; see page_alloc().
 */
#include "mm/page.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/kasan.h"
#include "mm/kmap.h"
#include "mm/memblock_impl.h"
#include "mm/meminfo.h"
#include "mm/page_impl.h"
#include "mm/port.h"
#include "mm/slab_impl.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"
#include "percpu/trace/events.h"

/* Blocks above this order are a convenience: nobody is killed for one. */
#define ORDER_COSTLY 3
#define RECLAIM_ROUNDS 8
/* flags bit of a free frame in debug kernels: filled with the pattern. */
#define PAGE_POISONED 0x80000000u
#define POISON_BYTE 0xaa
#define CPUID_1_ECX_HYPERVISOR BIT(31)

DEFINE_PERCPU(s64[PAGE_TYPES], page_levels);

static bool ready __read_mostly;
/* I after boot  the CPU is QEMU's emulator: a string instruction is a loop there */
static bool slow_strings __read_mostly;

bool
page_allocator_ready(void)
{
	return ready;
}

void
page_poison(struct page *p, unsigned int order)
{
	for (unsigned int i = 0; i < 1u << order; i++) {
		memset(page_to_virt(&p[i]), POISON_BYTE, PAGE_SIZE);
		p[i].flags = PAGE_POISONED;
	}
}

void
page_check_poison(struct page *p, unsigned int order)
{
	for (unsigned int i = 0; i < 1u << order; i++) {
		const u8 *va = page_to_virt(&p[i]), *bad;

		if (!(p[i].flags & PAGE_POISONED))
			continue;
		p[i].flags = 0;
		bad = memchr_inv(va, POISON_BYTE, PAGE_SIZE);
		if (bad != NULL)
			mm_port_panic("free page %lx written at offset %lx: %02x; last user %pS",
				      page_to_pfn(&p[i]), bad - va, *bad, (void *)p[i].caller);
	}
}

/* Makes a block that was taken from a zone or list the caller's. */
static __always_inline struct page *
page_prep(struct page *p, unsigned int order, gfp_t gfp, const void *caller)
{
	kasan_unpoison(page_to_virt(p), PAGE_SIZE << order);
	if (CONFIG_DEBUG) {
		page_check_poison(p, order);
		ASSERT(p->refs == 0);
		p->caller = (unsigned long)caller;
	}
	p->flags = 0;
	p->mapcount = 0;
	for (unsigned int i = 1; i < 1u << order; i++) {
		p[i].refs = 0;
		p[i].type = PAGE_TAIL;
		p[i].flags = 0;
		p[i].head = p;
	}
	atomic_set(&p->refs, 1);
	if (gfp & GFP_ZERO) {
		for (unsigned int i = 0; i < 1u << order; i++)
			page_zero(page_to_virt(&p[i]));
	}
	trace_mm_page_alloc(page_to_pfn(p), order, (unsigned long __force)gfp);
	return p;
}

/* One look at all zones that the request allows. */
static struct page *
alloc_once(unsigned int node, unsigned int order, gfp_t gfp, enum page_level level)
{
	struct page *p = NULL;

	if (order == 0 && !(gfp & GFP_DMA32) && node == this_cpu_read(pcp.node))
		return pcp_refill(level);
	for (struct zone *const *z = zone_order(node); *z != NULL && p == NULL; z++) {
		/* Odd zones lie above 4 GiB. */
		if (!(gfp & GFP_DMA32) || (*z)->id % 2 == 0)
			p = zone_alloc(*z, order, level);
	}
	return p;
}

static void
report_failure(unsigned int order, gfp_t gfp, const void *caller)
{
	mm_stat_inc(MM_ALLOC_FAILED);
	if ((gfp & (GFP_NOWARN | GFP_NORETRY)) || mm_stat_sum(MM_ALLOC_FAILED) > 10)
		return;
	mm_port_log(4, "no memory: order %u, flags %x, for %pS; %lu of %lu pages free", order, gfp,
		    caller, pages_free(), pages_total());
}

/*
 * Nothing was free at first look. True: something may be free now. `round`
 * counts the calls for this request.
 */
static bool
make_room(unsigned int order, gfp_t gfp, unsigned int round)
{
	if (reclaim_pages(order, gfp) > 0 && round < RECLAIM_ROUNDS)
		return true;
	if ((gfp & GFP_NORETRY) || order > ORDER_COSTLY)
		return false;
	/* Fragmented rather than empty: killing would not help. */
	if (order > 0 && pages_free() > 2 * pages_reserve() + (16UL << order))
		return false;
	mm_stat_inc(MM_OOM);
	return mm_port_oom_kill(order, gfp);
}

static __noinline struct page *
alloc_slow(unsigned int node, unsigned int order, gfp_t gfp, const void *caller)
{
	enum page_level level = (gfp & GFP_RESERVE)  ? LEVEL_RESERVE
				: (gfp & GFP_ATOMIC) ? LEVEL_ATOMIC
						     : LEVEL_NORMAL;
	struct page *p;

	if (order > PAGE_MAX_ORDER)
		return NULL;
	for (unsigned int round = 0;; round++) {
		p = alloc_once(node, order, gfp, level);
		if (p != NULL)
			return page_prep(p, order, gfp, caller);
		if (!(gfp & GFP_KERNEL) || !may_sleep() || level == LEVEL_RESERVE)
			break;
		if (mm_port_task_dying())
			level = LEVEL_RESERVE;
		else if (!make_room(order, gfp, round))
			break;
	}
	report_failure(order, gfp, caller);
	return NULL;
}

struct page *
page_alloc(unsigned int order, gfp_t gfp)
{
	const void *caller = __builtin_return_address(0);
	struct page *p;

	if (CONFIG_DEBUG && (gfp & GFP_KERNEL) && ready)
		assert_may_sleep();
	if (fail_alloc(gfp))
		return NULL;
	if (likely((order | (u32 __force)(gfp & GFP_DMA32)) == 0)) {
		p = pcp_pop();
		if (likely(p != NULL))
			return page_prep(p, 0, gfp, caller);
	}
	return alloc_slow(this_cpu_read(pcp.node), order, gfp, caller);
}

struct page *
page_alloc_node(unsigned int node, unsigned int order, gfp_t gfp)
{
	if (node >= CONFIG_MAX_NODES || node == this_cpu_read(pcp.node))
		return page_alloc(order, gfp);
	if (fail_alloc(gfp))
		return NULL;
	return alloc_slow(node, order, gfp, __builtin_return_address(0));
}

/* The last reference is gone. */
static __noinline void
page_release_block(struct page *p, unsigned int order, unsigned int type)
{
	this_cpu_sub(page_levels[type], (1L << order) - 1);
	if (type == PAGE_ANON)
		mm_stat_sub(MM_ANON_HUGE, 1L << order);
	mm_stat_add(MM_BLOCKS_FREED, 1UL << order);
	zone_free(p, order);
}

void
page_put(struct page *p)
{
	unsigned int order, type;

	DEBUG_ASSERT(atomic_read(&p->refs) != 0 && p->type != PAGE_FREE && p->type != PAGE_TAIL);
	if (!atomic_dec_and_test(&p->refs))
		return;
	order = p->order;
	type = p->type;
	trace_mm_page_free(page_to_pfn(p), order);
	this_cpu_dec(page_levels[type]);
	p->type = PAGE_KERNEL;
	/* Its last owner may have marked parts of it. */
	kasan_unpoison(page_to_virt(p), PAGE_SIZE << order);
	if (CONFIG_DEBUG)
		page_poison(p, order);
	kasan_poison(page_to_virt(p), PAGE_SIZE << order, KASAN_PAGE_FREE);
	if (unlikely(order != 0))
		page_release_block(p, order, type);
	else if (unlikely(!pcp_push(p)))
		pcp_spill(p);
}

void
page_split(struct page *p)
{
	unsigned int n = 1u << p->order;

	p->order = 0;
	for (unsigned int i = 1; i < n; i++) {
		p[i].type = PAGE_KERNEL;
		p[i].order = 0;
		p[i].node = p->node;
		p[i].zone = p->zone;
		p[i].mapcount = 0;
		p[i].caller = p->caller;
		atomic_set(&p[i].refs, 1);
	}
}

/* The 32 bytes at offset `o` of what %0 points at; rax is 0. */
#define ZERO_32(o)                                                                                 \
	"movq %%rax, " #o "(%0); movq %%rax, " #o "+8(%0);"                                        \
	"movq %%rax, " #o "+16(%0); movq %%rax, " #o "+24(%0);"

/* 16 turns of 32 stores: on an emulator half the time of the string instruction. */
static void
page_zero_stores(void *va)
{
	void *end = (char *)va + PAGE_SIZE;

	__asm__ volatile("1:" ZERO_32(0) ZERO_32(32) ZERO_32(64) ZERO_32(96) ZERO_32(128)
				 ZERO_32(160) ZERO_32(192)
					 ZERO_32(224) "add $256, %0; cmp %1, %0; jne 1b"
			 : "+r"(va)
			 : "r"(end), "a"(0UL)
			 : "memory", "cc");
}

void
page_zero(void *va)
{
	unsigned long n = PAGE_SIZE / 8;

	if (slow_strings)
		page_zero_stores(va);
	else
		__asm__ volatile("rep stosq" : "+D"(va), "+c"(n) : "a"(0UL) : "memory");
}

void
page_copy(void *dst, const void *src)
{
	unsigned long n = PAGE_SIZE / 8;

	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

struct page *
page_lookup(u64 pfn)
{
	phys_t pa = pfn << PAGE_SHIFT;

	if (pfn > memblock_top() >> PAGE_SHIFT || !memblock_is_ram(pa, pa + PAGE_SIZE) ||
	    !zone_frame_used(pfn))
		return NULL;
	return pfn_to_page(pfn);
}

u64
page_level(enum page_type type)
{
	unsigned int cpu;
	s64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(cpu_of(page_levels, cpu)[type]);
	return sum < 0 ? 0 : (u64)sum;
}

u64
pages_total(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < ZONES_MAX; i++)
		sum += zones[i].total;
	return sum;
}

u64
pages_free(void)
{
	u64 sum = pcp_count();

	for (unsigned int i = 0; i < ZONES_MAX; i++)
		sum += READ_ONCE(zones[i].nr_free);
	return sum;
}

u64
pages_reserve(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < ZONES_MAX; i++)
		sum += zones[i].reserve;
	return sum;
}

void
pages_drain(void)
{
	pcp_drain_all();
}

/* --- boot --- */

static void
clear_pages(u64 start, u64 end)
{
	if (start < end)
		memset(pfn_to_page(start), 0, (end - start) * sizeof(struct page));
}

/* Sets up struct pages [start, end), whole blocks, but not those of blocks that are free. */
static void
set_up_pages(u64 start, u64 end)
{
	struct memrange r = {.end = start << PAGE_SHIFT};

	while (memblock_next_free(r.end, &r) && r.start < end << PAGE_SHIFT) {
		u64 first = align_up(r.start >> PAGE_SHIFT, BLOCK_FRAMES);
		u64 last = align_down(min(r.end >> PAGE_SHIFT, end), BLOCK_FRAMES);

		if (first < last) {
			clear_pages(start, first);
			start = last;
		}
	}
	clear_pages(start, end);
}

/* Hypervisor leaf 0x40000000: a name of 12 letters in ebx, ecx, edx. */
static bool
is_emulator(void)
{
	struct cpuid c;

	if (!(cpuid(1, 0).c & CPUID_1_ECX_HYPERVISOR))
		return false;
	c = cpuid(0x40000000, 0);
	return memcmp(&c.b, "TCGTCGTCGTCG", 12) == 0;
}

void
mm_init(void)
{
	const struct memrange *ram;
	struct memrange r = {.end = 0};
	u64 done = 0;

	memblock_reserve(0, PAGE_SIZE);
	memblock_close();
	for (unsigned int i = 0; (ram = memblock_ram_range(i)) != NULL; i++) {
		u64 start = align_down(ram->start >> PAGE_SHIFT, BLOCK_FRAMES);
		u64 end = align_up(ram->end >> PAGE_SHIFT, BLOCK_FRAMES);

		set_up_pages(max(start, done), end);
		done = end;
	}
	slow_strings = is_emulator();
	zones_init();
	while (memblock_next_free(r.end, &r))
		zone_add_range(r.node, r.start >> PAGE_SHIFT, r.end >> PAGE_SHIFT);
	zones_set_reserves();
	pcp_cpu_init(0);
	pcp_set_batch();
	ready = true;
	slab_init();
}

/* Frees [start, end), RAM of one range. */
static void
free_reserved(u32 node, phys_t start, phys_t end)
{
	phys_t border = clamp((phys_t)DMA32_END, start, end);

	if (start < border)
		zone_add_frames(node, start >> PAGE_SHIFT, border >> PAGE_SHIFT);
	if (border < end)
		zone_add_frames(node, border >> PAGE_SHIFT, end >> PAGE_SHIFT);
}

void
mm_free_reserved(phys_t start, phys_t end)
{
	phys_t image = virt_to_phys(__text_start), image_end = virt_to_phys(__kernel_end);
	const struct memrange *ram;

	start = align_up(start, PAGE_SIZE);
	end = align_down(end, PAGE_SIZE);
	if (start >= end)
		return;
	if (max(start, image) < min(end, image_end))
		kmap_forget_image(max(start, image), min(end, image_end));
	for (unsigned int i = 0; (ram = memblock_ram_range(i)) != NULL; i++) {
		phys_t from = max(start, ram->start), to = min(end, ram->end);

		if (from < to)
			free_reserved(ram->node, from, to);
	}
}
