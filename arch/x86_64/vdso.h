/* SPDX-License-Identifier: BSD-2-Clause */
/* The vDSO, for exec. */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

struct space;

/*
 * Maps it, above stack_top if there is room. The address of its ELF header
 * (AT_SYSINFO_EHDR), 0: there is none, or -Exxx.
 */
long arch_vdso_map(struct space *s, unsigned long stack_top);

#endif
