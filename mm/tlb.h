/* SPDX-License-Identifier: BSD-2-Clause */
/* Translations of kernel addresses. Those of a space are its own business (mm/space_impl.h). */
#ifndef MM_TLB_H
#define MM_TLB_H

/*
 * Drops translations of kernel addresses [start, end) on every CPU that may
 * have them, this one included; returns when all have. Context: interrupts on
 * (before the APs run: any).
 */
void tlb_flush_kernel(unsigned long start, unsigned long end);

/* A CPU that leaves lets go of the space it has loaded, while it is online. Interrupts off. */
void tlb_quit_oncpu(void);

#endif
