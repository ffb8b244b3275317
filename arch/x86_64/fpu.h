/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended processor state (x87, SSE, AVX, AVX-512) of user tasks. */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "lib/types.h"

struct task;

/* The XSAVE area follows; 64-byte aligned, fpu_size bytes. */
struct fpu {
	/* CPU whose registers hold this state as saved; U32_MAX: none */
	u32 cpu;
	u32 pad[15];
	u8 area[];
};

/* I  bytes of the area in standard format, and its components */
extern u32 fpu_size;
extern u64 fpu_xcr0;

/* At the context switch: interrupts off. */
void fpu_switch(struct task *prev, struct task *next);
/* Writes current's registers to its area (signal frame, fork). */
void fpu_sync(void);
/* Makes `area` (fpu_size bytes, acceptable to XRSTOR) current's state. */
void fpu_load(const u8 *area);
/* MXCSR bits that this CPU has. */
u32 fpu_mxcsr_mask(void);
/* The state at program start. */
const u8 *fpu_initial(void);

#endif
