/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables: a GDT and TSS a CPU, one IDT for all.
 *
 * Ownership: a CPU's GDT and TSS are written by itself at bring-up; afterwards
 * only the TSS's rsp0, at each context switch.
 */
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/vmalloc.h"

/* Interrupt stacks of the TSS (Intel SDM vol. 3, 6.14.5). */
enum { IST_NMI = 1, IST_DF = 2, IST_MC = 3, IST_DB = 4, IST_COUNT = 4 };
#define IST_STACK_SIZE (KERNEL_STACK_SIZE / 2)

/*
 * OFFSET SIZE MEANING
 *      4   24 stack pointers for privilege 0 to 2
 *     36   56 IST 1 to 7
 *    102    2 offset of the I/O permission map
 */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
} __packed;

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

struct __packed desc_ptr {
	u16 limit;
	u64 base;
};

#define GDT_ENTRIES 10

DEFINE_PERCPU(u64, gdt)[GDT_ENTRIES];
DEFINE_PERCPU(struct tss, tss);
/*
 * I  tops of the IST stacks, below two words: the GS base of this CPU, for the
 * entries that cannot trust what they find, and nothing
 */
static DEFINE_PERCPU(u64, ist_top)[IST_COUNT];

static struct gate idt[256] __aligned(16);
/* Of the boot CPU, which needs them before there is an allocator. */
static u8 boot_ist[IST_COUNT][IST_STACK_SIZE] __aligned(4096);

/* Stubs of 16 bytes each: entry.S. */
extern const u8 entry_vectors[256][16];

static void
ist_set(unsigned int cpu, unsigned int i, void *stack)
{
	cpu_of(ist_top[i], cpu) = (u64)stack + IST_STACK_SIZE - 2 * sizeof(u64);
}

void
idt_init(void)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		u64 a = (u64)entry_vectors[i];
		struct gate *g = &idt[i];

		*g = (struct gate){.offset_low = a & 0xffff,
				   .selector = SEL_KERNEL_CODE,
				   .type = 0x8e,
				   .offset_mid = a >> 16 & 0xffff,
				   .offset_high = a >> 32};
	}
	idt[1].ist = IST_DB;
	idt[2].ist = IST_NMI;
	idt[8].ist = IST_DF;
	idt[18].ist = IST_MC;
	/* int3 and into may be raised by user mode. */
	idt[3].type = 0xee;
	idt[4].type = 0xee;
	for (i = 0; i < IST_COUNT; i++)
		ist_set(0, i, boot_ist[i]);
}

int
cpu_ist_alloc(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < IST_COUNT; i++) {
		/* A guard page stands behind each vmalloc area. */
		char *p = vmalloc(IST_STACK_SIZE, GFP_KERNEL);

		if (!p)
			return -ENOMEM;
		ist_set(cpu, i, p);
	}
	return 0;
}

static void
gdt_fill(u64 *g, const struct tss *t)
{
	u64 base = (u64)t;

	g[0] = 0;
	g[1] = 0;
	g[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
	g[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
	/* SYSRET counts from here; nothing is to run in it: there is no way in for its SYSCALL. */
	g[SEL_USER_CODE32 / 8] = 0;
	g[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
	g[SEL_USER_CODE / 8] = 0x00affb000000ffff;
	g[SEL_TSS / 8] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89UL << 40 |
			 (base >> 24 & 0xff) << 56;
	g[SEL_TSS / 8 + 1] = base >> 32;
}

void
desc_init_oncpu(unsigned int cpu)
{
	u64 *g = cpu_ptr(&gdt[0], cpu);
	struct tss *t = &cpu_of(tss, cpu);
	struct desc_ptr gp = {.limit = GDT_ENTRIES * 8 - 1, .base = (u64)g};
	struct desc_ptr ip = {.limit = sizeof(idt) - 1, .base = (u64)idt};
	unsigned int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < IST_COUNT; i++) {
		t->ist[i] = cpu_of(ist_top[i], cpu);
		*(u64 *)t->ist[i] = rdmsr(MSR_GS_BASE);
	}
	t->iomap = sizeof(*t);
	gdt_fill(g, t);
	__asm__ volatile("lgdt %0\n\t"
			 "push %1\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\t"
			 "ltr %3\n\tlidt %4" ::"m"(gp),
			 "i"(SEL_KERNEL_CODE), "r"(SEL_KERNEL_DATA), "r"((u16)SEL_TSS), "m"(ip)
			 : "rax", "memory");
	/*
	 * No local table. After reset there is one at address 0, where a program's
	 * memory may lie, and with it descriptors of its choice.
	 */
	__asm__ volatile("lldt %0" ::"r"((u16)0));
}

void
cpu_set_entry_stack(unsigned long top)
{
	this_cpu_write(entry_stack, top);
	this_cpu(tss).rsp[0] = top;
}
