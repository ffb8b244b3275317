/* SPDX-License-Identifier: BSD-2-Clause */
/* What fs/ needs from above: the machine, for starting programs. Defined in arch/x86_64/. */
#ifndef FS_PORT_H
#define FS_PORT_H

#include "lib/types.h"

struct space;

/*
 * Maps the vDSO, above the stack that ends at stack_top if there is room: the
 * address of its ELF header (AT_SYSINFO_EHDR), 0: there is none, or -Exxx.
 */
long arch_vdso_map(struct space *s, unsigned long stack_top);
/* AT_HWCAP (CPUID leaf 1, EDX), AT_HWCAP2 (bit 1: FSGSBASE). */
u64 arch_hwcap(void);
u64 arch_hwcap2(void);
/* AT_MINSIGSTKSZ: bytes that a signal frame needs, alignment included. */
u64 arch_signal_frame_size(void);

#endif
