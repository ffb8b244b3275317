/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU features and the registers that each CPU sets once.
 *
 * The boot CPU's features decide for all; a CPU that comes up with less is
 * refused (smp.c), since user programs were told what there is.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/pkey.h"
#include "lib/string.h"
#include "mm/vmalloc.h"

struct cpu_features cpu_features __ro_after_init;
u32 cpu_apic_id[CONFIG_MAX_CPUS] __ro_after_init;
bool cpu_smap __read_mostly;

DEFINE_PERCPU(unsigned long, entry_stack);
/* Scratch of entry.S: user rsp for three instructions. */
DEFINE_PERCPU(unsigned long, entry_user_sp);

void entry_syscall(void);

static void
detect_names(struct cpu_features *f)
{
	struct cpuid r = cpuid(0, 0);
	u32 i;

	f->max_leaf = r.a;
	memcpy(f->vendor, &r.b, 4);
	memcpy(f->vendor + 4, &r.d, 4);
	memcpy(f->vendor + 8, &r.c, 4);
	f->max_ext_leaf = cpuid(0x80000000, 0).a;
	if (f->max_ext_leaf >= 0x80000004)
		for (i = 0; i < 3; i++) {
			r = cpuid(0x80000002 + i, 0);
			memcpy(f->brand + 16 * i, &r, 16);
		}
	if (cpuid(1, 0).c & BIT(31)) {
		r = cpuid(0x40000000, 0);
		memcpy(f->hypervisor, &r.b, 12);
	}
}

static void
detect_version(struct cpu_features *f, u32 eax)
{
	f->stepping = eax & 15;
	f->model = eax >> 4 & 15;
	f->family = eax >> 8 & 15;
	if (f->family == 6 || f->family == 15)
		f->model |= (eax >> 16 & 15) << 4;
	if (f->family == 15)
		f->family += eax >> 20 & 255;
}

void
cpu_detect(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid r;

	detect_names(f);
	r = cpuid(1, 0);
	detect_version(f, r.a);
	f->leaf1_c = r.c;
	f->leaf1_d = r.d;
	if (f->max_leaf >= 7) {
		r = cpuid(7, 0);
		f->leaf7_b = r.b;
		f->leaf7_c = r.c;
		f->leaf7_d = r.d;
	}
	r = cpuid(0x80000001, 0);
	f->ext1_c = r.c;
	f->ext1_d = r.d;
	f->phys_bits = 36;
	f->virt_bits = 48;
	if (f->max_ext_leaf >= 0x80000007)
		f->tsc_invariant = cpuid(0x80000007, 0).d & BIT(8);
	if (f->max_ext_leaf >= 0x80000008) {
		r = cpuid(0x80000008, 0);
		f->phys_bits = r.a & 255;
		f->virt_bits = r.a >> 8 & 255;
	}
	f->pcid = f->leaf1_c & BIT(17);
	f->x2apic = f->leaf1_c & BIT(21);
	f->tsc_deadline = f->leaf1_c & BIT(24);
	f->xsave = f->leaf1_c & BIT(26);
	f->rdrand = f->leaf1_c & BIT(30);
	f->fsgsbase = f->leaf7_b & BIT(0);
	f->smep = f->leaf7_b & BIT(7);
	f->erms = f->leaf7_b & BIT(9);
	f->invpcid = f->leaf7_b & BIT(10);
	f->rdseed = f->leaf7_b & BIT(18);
	f->smap = f->leaf7_b & BIT(20);
	f->umip = f->leaf7_c & BIT(2);
	/* Protection keys are of use where their register is switched with the others. */
	f->pku = f->leaf7_c & BIT(3) && f->xsave && cpuid(0xd, 0).a & XFEATURE_PKRU_BIT;
	/* CPUID says so once CR4 does. */
	if (f->pku)
		f->leaf7_c |= BIT(4);
	f->pages_1g = f->ext1_d & BIT(26);
	f->rdtscp = f->ext1_d & BIT(27);
}

static u64
cr4_wanted(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 v = CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (f->fsgsbase)
		v |= CR4_FSGSBASE;
	if (f->smep)
		v |= CR4_SMEP;
	if (f->smap)
		v |= CR4_SMAP;
	if (f->umip)
		v |= CR4_UMIP;
	if (f->xsave)
		v |= CR4_OSXSAVE;
	if (f->pcid)
		v |= CR4_PCIDE;
	if (f->pku)
		v |= CR4_PKE;
	return v;
}

void
cpu_init_oncpu(unsigned int cpu)
{
	u64 cr0 = read_cr0();

	write_cr0((cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
	write_cr4(read_cr4() | cr4_wanted());
	cpu_smap = cpu_features.smap;
	desc_init_oncpu(cpu);
	kmap_cpu_init();
	/* SYSRET adds 16 (64-bit code) and 8 (stack) to bits 63:48. */
	wrmsr(MSR_STAR, (u64)SEL_USER_CODE32 << 48 | (u64)SEL_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	/* CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID */
	wrmsr(MSR_FMASK, 0x257fd5);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	if (cpu_features.rdtscp)
		wrmsr(MSR_TSC_AUX, cpu);
	fpu_init_oncpu();
}
