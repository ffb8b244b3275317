/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU features, model-specific registers, descriptor tables of a CPU. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/layout.h"
#include "config/config.h"
#include "lib/types.h"
#include "percpu/percpu.h"

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_ADJUST 0x3b
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define CR0_MP 0x2UL
#define CR0_EM 0x4UL
#define CR0_TS 0x8UL
#define CR0_NE 0x20UL
#define CR0_WP 0x10000UL
#define CR4_TSD 0x4UL
#define CR4_PGE 0x80UL
#define CR4_OSFXSR 0x200UL
#define CR4_OSXMMEXCPT 0x400UL
#define CR4_UMIP 0x800UL
#define CR4_FSGSBASE 0x10000UL
#define CR4_PCIDE 0x20000UL
#define CR4_OSXSAVE 0x40000UL
#define CR4_SMEP 0x100000UL
#define CR4_SMAP 0x200000UL
#define CR4_PKE 0x400000UL

/* I  features of the boot CPU (every CPU is checked to have them) */
struct cpu_features {
	u32 max_leaf, max_ext_leaf;
	u32 leaf1_c, leaf1_d, leaf7_b, leaf7_c, leaf7_d, ext1_c, ext1_d;
	u32 family, model, stepping;
	char vendor[13];
	char brand[49];
	/* "TCGTCGTCGTCG", "KVMKVMKVM", ... or "" */
	char hypervisor[13];
	u8 phys_bits, virt_bits;
	bool x2apic, tsc_deadline, xsave, fsgsbase, pcid, invpcid, smep, smap, umip, pages_1g,
		rdtscp, pku;
	bool rdrand, rdseed, erms, tsc_invariant;
};
extern struct cpu_features cpu_features;

/* I  APIC id of each CPU */
extern u32 cpu_apic_id[CONFIG_MAX_CPUS];

void cpu_detect(void);
/* Control registers and MSRs of the CPU that runs this; descriptor tables. */
void cpu_init_oncpu(unsigned int cpu);
/* GDT, TSS, IST stacks; cpu_ist_alloc() before the CPU starts. */
int cpu_ist_alloc(unsigned int cpu);
void desc_init_oncpu(unsigned int cpu);
void idt_init(void);
/* Stack that entries from user mode use: top of the current task's. */
void cpu_set_entry_stack(unsigned long top);
DECLARE_PERCPU(unsigned long, entry_stack);

/* Extended state. */
void fpu_init(void);
void fpu_init_oncpu(void);

/* smp.c */
#define TRAMPOLINE_PHYS 0x8000UL
void smp_start_cpus(unsigned int max);
u32 cpu_apic_id_self(void);

#endif
