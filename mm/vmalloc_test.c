/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel mappings, stacks, and of what the kernel's tables permit. */
#include "arch/x86_64/asm/insn.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/kmap.h"
#include "mm/slab.h"
#include "sync/test_port.h"

static bool
mapped(const void *p)
{
	return kmap_lookup((unsigned long)p) != 0;
}

TEST(vmalloc_sizes)
{
	static const size_t sizes[] = {1, 4096, 4097, 65536, 1000000, 1044480, 1048576, 3000000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *p = vmalloc(sizes[i], GFP_KERNEL | GFP_ZERO);
		size_t n = align_up(sizes[i], PAGE_SIZE);

		ASSERT_TRUE(p != NULL);
		EXPECT(is_vmalloc(p) && is_aligned((unsigned long)p, PAGE_SIZE));
		EXPECT_EQ(vmalloc_size(p), n);
		EXPECT(memchr_inv(p, 0, n) == NULL);
		memset(p, 0x3c, n);
		EXPECT(!mapped(p - 1));
		EXPECT(!mapped(p + n));
		EXPECT(vmalloc_to_page(p + n - 1) != NULL);
		EXPECT(*(u8 *)page_to_virt(vmalloc_to_page(p)) == 0x3c);
		vfree(p);
		EXPECT(!mapped(p));
	}
	EXPECT(vmalloc(0, GFP_KERNEL) == NULL);
	EXPECT(vmalloc(~0UL, GFP_KERNEL) == NULL);
	EXPECT(vmalloc(1UL << 46, GFP_KERNEL) == NULL);
	vfree(NULL);
}

#define MANY 300

TEST(vmalloc_many)
{
	static u64 *ps[MANY];
	u64 seed = 3, used;

	vmalloc_drain();
	used = vmalloc_used();
	for (int round = 0; round < 6; round++) {
		for (u64 i = 0; i < MANY; i++) {
			ps[i] = vmalloc((test_rand(&seed) % 5 + 1) * PAGE_SIZE, GFP_KERNEL);
			ASSERT_TRUE(ps[i] != NULL);
			*ps[i] = i;
		}
		for (u64 i = 0; i < MANY; i++) {
			u64 k = (i * 7) % MANY;

			EXPECT_EQ(*ps[k], k);
			vfree(ps[k]);
		}
	}
	vmalloc_drain();
	EXPECT_LE(vmalloc_used(), used + 64);
}

TEST(ioremap_shows_memory)
{
	struct page *p = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	volatile u32 __iomem *io;
	const u32 *ro;

	ASSERT_TRUE(p != NULL);
	io = ioremap(page_to_phys(p) + 8, 16, MAP_UC);
	ASSERT_TRUE(io != NULL);
	mmio_write32(io, 0x12345678);
	EXPECT_EQ(((u32 *)page_to_virt(p))[2], 0x12345678);
	ro = memremap(page_to_phys(p) + 8, 4);
	ASSERT_TRUE(ro != NULL);
	EXPECT_EQ(*ro, 0x12345678);
	EXPECT(!(kmap_lookup((unsigned long)ro) & PTE_W));
	EXPECT(kmap_lookup((unsigned long)io) & PTE_PCD);
	memunmap(ro);
	iounmap((void __iomem *)io);
	page_put(p);
	EXPECT(ioremap(0, 0, MAP_UC) == NULL);
	EXPECT(ioremap(~0UL - 10, 100, MAP_UC) == NULL);
}

TEST(ioremap_large_pages)
{
	void __iomem *io = ioremap(0xfd000000, 8UL << 20, MAP_WC);

	ASSERT_TRUE(io != NULL);
	EXPECT(kmap_lookup((unsigned long)io) & PTE_PS);
	EXPECT(!mapped((char __force *)io + (8UL << 20)));
	iounmap(io);
	EXPECT(!mapped((char __force *)io));
}

TEST(kernel_protect_pages)
{
	u64 *p = vmalloc(2 * PAGE_SIZE, GFP_KERNEL);
	unsigned long va = (unsigned long)p;

	ASSERT_TRUE(p != NULL);
	EXPECT_EQ(kernel_protect(va, PAGE_SIZE, MAP_RO), 0);
	EXPECT(!(kmap_lookup(va) & PTE_W));
	EXPECT(kmap_lookup(va) & PTE_NX);
	EXPECT(kmap_lookup(va + PAGE_SIZE) & PTE_W);
	EXPECT_EQ(kernel_protect(va, PAGE_SIZE, MAP_RX), 0);
	EXPECT(!(kmap_lookup(va) & (PTE_W | PTE_NX)));
	EXPECT_EQ(kernel_protect(va, 3 * PAGE_SIZE, MAP_RW), -EFAULT);
	EXPECT_EQ(kernel_protect(va, PAGE_SIZE, MAP_RW), 0);
	p[0] = 1;
	EXPECT(vmalloc_to_page(p) != NULL);
	vfree(p);
}

/* Threads of earlier tests may still be giving their stacks back. */
static u64
kstack_count_at_rest(void)
{
	u64 n = kstack_count(), last;

	do {
		last = n;
		rcu_barrier();
		test_sleep(20000000);
		n = kstack_count();
	} while (n != last);
	return n;
}

TEST(kstack_guards)
{
	u64 before = kstack_count_at_rest();
	char *s[8];

	for (int i = 0; i < 8; i++) {
		s[i] = kstack_alloc(0);
		ASSERT_TRUE(s[i] != NULL);
		memset(s[i], i, KERNEL_STACK_SIZE);
		EXPECT(!mapped(s[i] - 1));
		EXPECT(!mapped(s[i] + KERNEL_STACK_SIZE));
	}
	EXPECT_GE(kstack_count(), before + 8);
	for (int i = 0; i < 8; i++) {
		EXPECT(memchr_inv(s[i], i, KERNEL_STACK_SIZE) == NULL);
		kstack_free(s[i]);
	}
	kstack_free(NULL);
}

/* --- torture --- */

#define SHELF 32
static void *shelf[SHELF];

struct worker {
	struct test_thread *thread;
	u64 seed;
	u64 rounds;
	u64 bad;
};

static void
vmalloc_worker(void *arg)
{
	struct worker *w = arg;

	for (u64 i = 0; i < w->rounds; i++) {
		u64 r = test_rand(&w->seed);
		u64 n = r % 50 == 0 ? 300 : r % 6 + 1;
		u64 *p = vmalloc(n * PAGE_SIZE, GFP_KERNEL | GFP_NORETRY | GFP_NOWARN);

		if (p != NULL) {
			p[0] = n;
			p[n * PAGE_SIZE / 8 - 1] = n;
		}
		p = atomic_xchg(&shelf[r >> 16 & (SHELF - 1)], p);
		if (p != NULL) {
			w->bad += p[p[0] * PAGE_SIZE / 8 - 1] != p[0];
			vfree(p);
		}
		if (i % 64 == 0)
			test_yield();
	}
}

#define WORKERS_MAX 32

TEST(vmalloc_torture)
{
	static struct worker workers[WORKERS_MAX];
	unsigned int n = min(test_cpus() * 2, (unsigned int)WORKERS_MAX);

	for (unsigned int i = 0; i < n; i++) {
		workers[i] = (struct worker){.seed = i + 1, .rounds = 6000 / n};
		workers[i].thread = test_spawn(i, vmalloc_worker, &workers[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		test_join(workers[i].thread);
		EXPECT_EQ(workers[i].bad, 0);
	}
	for (unsigned int i = 0; i < SHELF; i++)
		vfree(atomic_xchg(&shelf[i], NULL));
}

/* --- protection --- */

/* Init code and data share pages until they are freed, unless the linker script separates them. */
static bool
may_be_both(unsigned long va)
{
	return __init_data_start == NULL && va >= (unsigned long)__init_start &&
	       va < (unsigned long)__init_end;
}

static u64
count_writable_code(const u64 *table, unsigned long va, unsigned int shift)
{
	u64 bad = 0;

	for (unsigned int i = 0; i < PTE_COUNT; i++) {
		unsigned long at = va + ((unsigned long)i << shift);
		u64 e = table[i];

		if (shift == 39 && i < PTE_COUNT / 2)
			continue;
		if (shift == 39)
			at |= 0xffff000000000000UL;
		if (!(e & PTE_P) || ((e & PTE_NX) && shift > PAGE_SHIFT))
			continue;
		if (shift > PAGE_SHIFT && !(e & PTE_PS)) {
			bad += count_writable_code(phys_to_virt(e & PTE_ADDR), at, shift - 9);
		} else if ((e & PTE_W) && !(e & PTE_NX) && !may_be_both(at)) {
			test_printf("# writable and executable: %lx\n", at);
			bad++;
		}
	}
	return bad;
}

TEST(kmap_no_writable_code)
{
	EXPECT_EQ(count_writable_code(kernel_pml4, 0, 39), 0);
}

TEST(kmap_protects_image)
{
	static const char constant[] = "constant";
	static int variable = 1;
	u64 text = kmap_lookup((unsigned long)__text_start);
	u64 rodata = kmap_lookup((unsigned long)constant);
	u64 data = kmap_lookup((unsigned long)&variable);
	u64 alias = kmap_lookup((unsigned long)phys_to_virt(virt_to_phys(__text_start)));

	EXPECT(!(text & (PTE_W | PTE_NX)));
	EXPECT(!(rodata & PTE_W) && (rodata & PTE_NX));
	EXPECT((data & PTE_W) && (data & PTE_NX));
	EXPECT(!(alias & PTE_W) && (alias & PTE_NX));
	EXPECT((text | rodata | data) & PTE_G);
}
