/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC: registers through MSRs (x2APIC) or memory (xAPIC).
 *
 * x2APIC is used when the CPU has it, as it needs no memory mapping and sends
 * an interrupt by one write. See Intel SDM vol. 3, chapter 11.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/layout.h"

#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/trap.h"
#include "kernel/log.h"
#include "mm/vmalloc.h"

/* Register offsets of the xAPIC page; the x2APIC MSR is 0x800 + offset / 16. */
enum {
	APIC_ID = 0x20,
	APIC_TPR = 0x80,
	APIC_EOI = 0xb0,
	APIC_LDR = 0xd0,
	APIC_SVR = 0xf0,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INIT = 0x380,
	APIC_TIMER_CUR = 0x390,
	APIC_TIMER_DIV = 0x3e0,
};

#define LVT_MASKED 0x10000u
#define LVT_NMI 0x400u
#define LVT_DEADLINE 0x40000u
#define ICR_NMI 0x400u
#define ICR_INIT 0x500u
#define ICR_STARTUP 0x600u
#define ICR_PENDING 0x1000u
#define ICR_ASSERT 0x4000u
#define ICR_ALL_BUT_SELF 0xc0000u
#define APIC_BASE_X2 0x400UL
#define APIC_BASE_ENABLE 0x800UL

/* I  after apic_init() */
static bool x2apic __read_mostly;
static void __iomem *xapic __read_mostly;
static phys_t xapic_pa;

static u32
apic_read(u32 reg)
{
	return x2apic ? (u32)rdmsr(MSR_X2APIC + reg / 16)
		      : mmio_read32((char __force *)xapic + reg);
}

static void
apic_write(u32 reg, u32 v)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		mmio_write32((char __force *)xapic + reg, v);
}

static void
apic_icr(u32 dest, u32 low)
{
	unsigned long f;

	if (x2apic) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)dest << 32 | low);
		return;
	}
	/* An interrupt between the two writes could send one of its own. */
	f = irq_save();
	while (apic_read(APIC_ICR) & ICR_PENDING)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR, low);
	irq_restore(f);
}

bool
apic_is_x2apic(void)
{
	return x2apic;
}

u32
apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return x2apic ? id : id >> 24;
}

void
apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void
apic_error(void)
{
	u32 esr;

	apic_write(APIC_ESR, 0);
	esr = apic_read(APIC_ESR);
	log_ratelimited(LOG_WARNING, "apic: CPU %u: error %#x", cpu_id(), esr);
}

void
apic_init(phys_t base)
{
	x2apic = cpu_features.x2apic;
	xapic_pa = base ? base : rdmsr(MSR_APIC_BASE) & PTE_ADDR;
	if (!x2apic) {
		xapic = ioremap(xapic_pa, PAGE_SIZE, MAP_UC);
		if (!xapic)
			panic("apic: no memory to map its registers");
	}
	apic_init_oncpu();
	log_info("apic: %s at %#lx", x2apic ? "x2APIC" : "xAPIC", (unsigned long)xapic_pa);
}

void
apic_init_oncpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, VEC_ERROR);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_SVR, 0x100 | VEC_SPURIOUS);
}

void
apic_send(u32 id, u8 vector)
{
	apic_icr(id, ICR_ASSERT | vector);
}

void
apic_send_nmi(u32 id)
{
	apic_icr(id, ICR_ASSERT | ICR_NMI);
}

void
apic_broadcast_init(void)
{
	apic_icr(0, ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_INIT);
}

void
apic_broadcast_startup(u8 page)
{
	apic_icr(0, ICR_ALL_BUT_SELF | ICR_ASSERT | ICR_STARTUP | page);
}

void
apic_send_init(u32 id)
{
	apic_icr(id, ICR_ASSERT | ICR_INIT);
}

void
apic_send_startup(u32 id, u8 page)
{
	apic_icr(id, ICR_ASSERT | ICR_STARTUP | page);
}

void
apic_timer_setup_oncpu(bool deadline)
{
	/* Divide by 1. */
	apic_write(APIC_TIMER_DIV, 0xb);
	apic_write(APIC_LVT_TIMER, VEC_TIMER | (deadline ? LVT_DEADLINE : 0));
	/* The mode must be set before the first deadline is (SDM 11.5.4.1). */
	smp_mb();
}

void
apic_timer_oneshot(u32 ticks)
{
	apic_write(APIC_TIMER_INIT, ticks);
}

void
apic_timer_deadline(u64 tsc)
{
	wrmsr(MSR_TSC_DEADLINE, tsc);
}

u32
apic_timer_current(void)
{
	return apic_read(APIC_TIMER_CUR);
}
