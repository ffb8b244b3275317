/* SPDX-License-Identifier: BSD-2-Clause */
/* Single instructions as functions: ports, MSRs, control registers, CPUID, TSC. */
#ifndef ARCH_ASM_INSN_H
#define ARCH_ASM_INSN_H

#include "lib/types.h"

static inline void
outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void
outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void
outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

static inline u8
inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16
inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32
inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Memory-mapped registers: one access of the given width, in program order. */
#define mmio_read8(p) (*(const volatile u8 __force *)(p))
#define mmio_read16(p) (*(const volatile u16 __force *)(p))
#define mmio_read32(p) (*(const volatile u32 __force *)(p))
#define mmio_read64(p) (*(const volatile u64 __force *)(p))
#define mmio_write8(p, v) (*(volatile u8 __force *)(p) = (v))
#define mmio_write16(p, v) (*(volatile u16 __force *)(p) = (v))
#define mmio_write32(p, v) (*(volatile u32 __force *)(p) = (v))
#define mmio_write64(p, v) (*(volatile u64 __force *)(p) = (v))

static inline u64
rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}

static inline void
wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid
cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

#define DEFINE_CR(n)                                                                               \
	static inline u64 read_cr##n(void)                                                         \
	{                                                                                          \
		u64 v;                                                                             \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));                                  \
		return v;                                                                          \
	}                                                                                          \
	static inline void write_cr##n(u64 v)                                                      \
	{                                                                                          \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");                           \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
DEFINE_CR(8)
#undef DEFINE_CR

static inline void
xsetbv(u32 reg, u64 v)
{
	__asm__ volatile("xsetbv" ::"c"(reg), "a"((u32)v), "d"((u32)(v >> 32)));
}

static inline u64
rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (u64)hi << 32;
}

/* Not before earlier loads have completed: for comparing clocks of two CPUs. */
static inline u64
rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return lo | (u64)hi << 32;
}

static inline void
invlpg(unsigned long va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void
cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* Enable interrupts and halt; the sti shadow makes the pair atomic. */
static inline void
sti_hlt(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

/* Set at boot when CR4.SMAP is on. */
extern bool cpu_smap;

/* Permit, forbid, supervisor access to user pages. */
static inline void
user_access_begin(void)
{
	if (cpu_smap)
		__asm__ volatile("stac" ::: "memory");
}

static inline void
user_access_end(void)
{
	if (cpu_smap)
		__asm__ volatile("clac" ::: "memory");
}

#endif
