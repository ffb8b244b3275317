/* SPDX-License-Identifier: BSD-2-Clause */
/* The page and what is computed from it; for pvclock.c and its test. */
#ifndef ARCH_PVCLOCK_IMPL_H
#define ARCH_PVCLOCK_IMPL_H

#include "arch/x86_64/pvclock.h"

/*
 * struct pvclock_vcpu_time_info (Linux, Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW)
 *
 * OFFSET SIZE MEANING
 *      0    4 version: odd while the rest is being changed
 *      8    8 the TSC when this was written
 *     16    8 time at that moment, ns
 *     24    4 multiplier
 *     28    1 shift, signed: ns = (cycles << shift) * multiplier >> 32
 *     29    1 flags: bit 0: time is the same on all CPUs; bit 1: the guest was stopped
 */
struct pvclock_page {
	u32 version;
	u32 pad;
	u64 tsc;
	u64 ns;
	u32 mul;
	s8 shift;
	u8 flags;
	u8 pad_end[2];
};

#define PVCLOCK_STABLE 0x01

struct pvclock {
	/* I  one a CPU; written by the hypervisor */
	struct pvclock_page *pages;
	/* I  the flags that it sets when they are true */
	u8 known;
	/* a  the latest time that was read, where CPUs may differ */
	u64 latest;
};

/* What so many cycles are in ns. */
u64 pvclock_scale(u64 cycles, u32 mul, s8 shift);
/* Cycles a second; 0 without a multiplier. */
u64 pvclock_hz(u32 mul, s8 shift);
/* The time on the CPU whose page this is, and the page's flags. */
u64 pvclock_page_time(const struct pvclock_page *p, u8 *flags);
/* The time here: never earlier than what any CPU has read before. */
u64 pvclock_time(struct pvclock *c);

#endif
