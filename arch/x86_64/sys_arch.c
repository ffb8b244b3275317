/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of this architecture alone. */
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/fpu.h"
#include "fs/port.h"
#include "kernel/cred.h"
#include "kernel/port.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004
#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012
#define ARCH_GET_XCOMP_SUPP 0x1021
#define ARCH_GET_XCOMP_PERM 0x1022
#define ARCH_REQ_XCOMP_PERM 0x1023
#define ARCH_GET_XCOMP_GUEST_PERM 0x1024
#define ARCH_REQ_XCOMP_GUEST_PERM 0x1025
/* One more than the last component that may be asked for (tile data). */
#define XCOMP_REQ_END 19
#define XFEATURES_LEGACY 3UL

static long
set_base(unsigned long base, bool gs)
{
	unsigned long f;

	if (base >= USER_END)
		return -EPERM;
	f = irq_save();
	if (gs) {
		current->gs_base = base;
		wrmsr(MSR_KERNEL_GS_BASE, base);
	} else {
		current->fs_base = base;
		wrmsr(MSR_FS_BASE, base);
	}
	irq_restore(f);
	return 0;
}

long
sys_arch_prctl(int option, unsigned long addr)
{
	u64 base;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		return set_base(addr, option == ARCH_SET_GS);
	case ARCH_GET_FS:
		base = rdmsr(MSR_FS_BASE);
		return put_user(base, (u64 __user *)addr);
	case ARCH_GET_GS:
		base = rdmsr(MSR_KERNEL_GS_BASE);
		return put_user(base, (u64 __user *)addr);
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		/* As on a CPU without CPUID faulting. */
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
	case ARCH_GET_XCOMP_GUEST_PERM:
		/* All that there are everybody has. */
		return put_user(fpu_xcr0 | XFEATURES_LEGACY, (u64 __user *)addr);
	case ARCH_REQ_XCOMP_PERM:
	case ARCH_REQ_XCOMP_GUEST_PERM:
		return addr < XCOMP_REQ_END ? -EOPNOTSUPP : -EINVAL;
	}
	return -EINVAL;
}

#define HWCAP2_FSGSBASE 2u

u64
arch_hwcap(void)
{
	return cpu_features.leaf1_d;
}

u64
arch_hwcap2(void)
{
	return cpu_features.fsgsbase ? HWCAP2_FSGSBASE : 0;
}
