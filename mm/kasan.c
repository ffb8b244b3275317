/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KASAN: the run-time part of the compiler's address checks.
 *
 * Model: each 8 bytes of kernel memory (a granule) have a shadow byte at
 *
 *      KASAN_OFFSET + address / 8
 *
 * that says how many of them may be used (mm/kasan.h). The compiler has every
 * load and store ask here first, writes the shadow of stack frames itself, and
 * lays red zones around global variables, which it registers at boot. The page
 * and object allocators mark what is free.
 *
 *      AREA             SHADOW
 *      direct map       all of RAM's, made at boot (1/8 of memory)
 *      kernel image     its own, made at boot
 *      vmalloc          made when addresses are handed out, kept for ever
 *      everything else  one page of zeros, read-only: no checks
 *
 * Until kasan_start() one writable page is the shadow of everything, so that
 * the code before it runs, and nothing is reported.
 *
 * A report does not stop the kernel. Only the first one is written; the memory
 * is wrong from there on.
 *
 * Ownership: a granule's shadow belongs to who owns the memory.
 *
 * Contexts: any. Nothing here is instrumented.
 *
 * See: Serebryany and others: AddressSanitizer, USENIX ATC 2012.
 */
#include "mm/kasan.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/string.h"
#include "mm/kasan_impl.h"
#include "mm/port.h"
#include "mm/slab_impl.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/port.h"

#define LEVEL_EMERG 0

bool kasan_on __read_mostly;
/* a  reports, those caught aside */
static u32 reports;
/* o  0: written; else kept, counts up from 1 */
static DEFINE_PERCPU(u32, catching);
static DEFINE_PERCPU(struct kasan_report, caught);
/* o  1: a report is being written, which may touch anything */
static DEFINE_PERCPU(u8, reporting);

void
kasan_mark(const void *p, size_t size, u8 why)
{
	if (kasan_on)
		mem_set_raw(kasan_shadow((unsigned long)p), why, div_round_up(size, KASAN_GRANULE));
}

void
kasan_allow(const void *p, size_t size)
{
	u8 *s = kasan_shadow((unsigned long)p);

	if (!kasan_on)
		return;
	mem_set_raw(s, 0, size / KASAN_GRANULE);
	if (size % KASAN_GRANULE != 0)
		s[size / KASAN_GRANULE] = size % KASAN_GRANULE;
}

/* --- reports --- */

static const char *
why_text(u8 why)
{
	switch (why) {
	case KASAN_PAGE_FREE:
		return "use-after-free of a page";
	case KASAN_SLAB_REDZONE:
		return "slab-out-of-bounds";
	case KASAN_SLAB_FREE:
		return "slab-use-after-free";
	case KASAN_GLOBAL:
		return "global-out-of-bounds";
	case KASAN_STACK_SCOPE:
		return "stack-use-after-scope";
	case KASAN_STACK_LEFT:
	case KASAN_STACK_MIDDLE:
	case KASAN_STACK_RIGHT:
		return "stack-out-of-bounds";
	default:
		return "wild-access";
	}
}

static bool
in_direct_map(unsigned long a)
{
	return a >= DIRECT_MAP_BASE && a < DIRECT_MAP_END;
}

static void
describe_memory(unsigned long addr)
{
	const struct page *p;

	if (!in_direct_map(addr))
		return;
	p = page_head(virt_to_page((void *)addr));
	if (p->type == PAGE_SLAB)
		slab_debug_describe(p, (const void *)addr);
	else
		mm_port_log(LEVEL_EMERG, "page %lx, last allocated by %pS", page_to_pfn(p),
			    (void *)p->caller);
}

static void
report_write(const struct kasan_report *r)
{
	unsigned long from = align_down(r->addr - 4 * KASAN_GRANULE, 8UL * KASAN_GRANULE);
	const u8 *s = kasan_shadow(from);

	mm_port_log(LEVEL_EMERG, "BUG: KASAN: %s in %pS", why_text(r->why), (void *)r->pc);
	mm_port_log(LEVEL_EMERG, "%s of size %lu at addr %lx by CPU %u",
		    r->write ? "Write" : "Read", r->size, r->addr, cpu_id());
	sync_port_backtrace();
	describe_memory(r->addr);
	mm_port_log(LEVEL_EMERG,
		    "shadow at %lx: %02x %02x %02x %02x %02x %02x %02x %02x "
		    "%02x %02x %02x %02x %02x %02x %02x %02x",
		    from, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11],
		    s[12], s[13], s[14], s[15]);
}

static __noinline void
report(struct kasan_report r)
{
	pin();
	if (this_cpu_read(catching) != 0) {
		if (this_cpu_read(catching) == 1)
			this_cpu(caught) = r;
		this_cpu_inc(catching);
	} else if (!this_cpu_read(reporting)) {
		this_cpu_write(reporting, 1);
		if (atomic_fetch_add(&reports, 1) == 0)
			report_write(&r);
		this_cpu_write(reporting, 0);
	}
	unpin();
}

void
kasan_catch_begin(void)
{
	this_cpu_write(catching, 1);
}

u32
kasan_catch_end(struct kasan_report *r)
{
	u32 n = this_cpu_read(catching) - 1;

	this_cpu_write(catching, 0);
	*r = this_cpu(caught);
	return n;
}

/* --- checks --- */

/* The first byte of [addr, addr + size) that may not be used; 0: all may. */
static inline unsigned long
first_bad(unsigned long addr, size_t size)
{
	unsigned long last = addr + size - 1;

	for (unsigned long a = align_down(addr, (unsigned long)KASAN_GRANULE); a <= last;
	     a += KASAN_GRANULE) {
		u8 s = *kasan_shadow(a);

		if (likely(s == 0))
			continue;
		if (s >= KASAN_GRANULE)
			return max(a, addr);
		if (min(last - a, KASAN_GRANULE - 1UL) >= s)
			return max(a + s, addr);
	}
	return 0;
}

/* What made `bad` unusable: a partly usable granule is explained by the next one. */
static u8
why_bad(unsigned long bad)
{
	u8 s = *kasan_shadow(bad);

	return s < KASAN_GRANULE ? *kasan_shadow(bad + KASAN_GRANULE) : s;
}

static __always_inline void
check(unsigned long addr, size_t size, bool write, unsigned long pc)
{
	unsigned long bad;

	/* What lies outside the kernel faults by itself. */
	if (unlikely(!kasan_on || size == 0 || addr < KASAN_KERNEL_START || addr + size < addr))
		return;
	bad = first_bad(addr, size);
	if (unlikely(bad != 0))
		report((struct kasan_report){
			.addr = addr, .size = size, .write = write, .why = why_bad(bad), .pc = pc});
}

#define caller_pc() ((unsigned long)__builtin_return_address(0))

/* Called by instrumented code. */
#define DEFINE_CHECKS(n)                                                                           \
	void __asan_load##n##_noabort(unsigned long addr);                                         \
	void __asan_store##n##_noabort(unsigned long addr);                                        \
	void __asan_load##n##_noabort(unsigned long addr)                                          \
	{                                                                                          \
		check(addr, n, false, caller_pc());                                                \
	}                                                                                          \
	void __asan_store##n##_noabort(unsigned long addr)                                         \
	{                                                                                          \
		check(addr, n, true, caller_pc());                                                 \
	}

DEFINE_CHECKS(1)
DEFINE_CHECKS(2)
DEFINE_CHECKS(4)
DEFINE_CHECKS(8)
DEFINE_CHECKS(16)

void __asan_loadN_noabort(unsigned long addr, size_t n);
void __asan_storeN_noabort(unsigned long addr, size_t n);

void
__asan_loadN_noabort(unsigned long addr, size_t n)
{
	check(addr, n, false, caller_pc());
}

void
__asan_storeN_noabort(unsigned long addr, size_t n)
{
	check(addr, n, true, caller_pc());
}

/* --- stacks and globals --- */

void __asan_handle_no_return(void);
void __asan_poison_stack_memory(unsigned long addr, size_t size);
void __asan_unpoison_stack_memory(unsigned long addr, size_t size);

/* Before a call that does not return: the frames that it leaves are not left in order. */
void
__asan_handle_no_return(void)
{
}

/* A variable goes out of scope, and comes into it. */
void
__asan_poison_stack_memory(unsigned long addr, size_t size)
{
	kasan_mark((const void *)addr, size, KASAN_STACK_SCOPE);
}

void
__asan_unpoison_stack_memory(unsigned long addr, size_t size)
{
	kasan_allow((const void *)addr, size);
}

/* As gcc lays it out (libsanitizer's __asan_global). */
struct asan_global {
	unsigned long start;
	size_t size;
	size_t size_with_redzone;
	const char *name;
	const char *file;
	unsigned long has_init;
	const void *location;
	unsigned long odr;
};

void __asan_register_globals(const struct asan_global *g, size_t n);
void __asan_unregister_globals(const struct asan_global *g, size_t n);

void
__asan_register_globals(const struct asan_global *g, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t whole = align_up(g[i].size, (size_t)KASAN_GRANULE);

		kasan_mark((const void *)(g[i].start + whole), g[i].size_with_redzone - whole,
			   KASAN_GLOBAL);
		kasan_allow((const void *)g[i].start, g[i].size);
	}
}

void
__asan_unregister_globals(const struct asan_global *g, size_t n)
{
}
