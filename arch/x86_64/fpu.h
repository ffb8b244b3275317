/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended processor state (x87, SSE, AVX, AVX-512) of user tasks. */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "lib/types.h"

struct task;

#define FPU_LEGACY_SIZE 512

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
/* Makes `area` (64-byte aligned, acceptable to XRSTOR) current's state; read before it returns. */
void fpu_load(const u8 *area);
/*
 * An area to or from a signal frame, without the gaps between components: 0, -EFAULT.
 * May fault; the gaps are left as they are.
 */
int fpu_copy_to_user(u8 __user *to, const u8 *area);
int fpu_copy_from_user(u8 *area, const u8 __user *from);
/*
 * f is of a task that is stopped, or current's after fpu_sync(). Its image as
 * debuggers see it (fpu_size bytes): all components there, the components that
 * the CPU has in byte 464.
 */
void fpu_get_image(const struct fpu *f, u8 *image);
/* A stopped task gets this state: 0, -EINVAL (reserved bits). image may be changed. */
int fpu_set_image(struct fpu *f, u8 *image);
/* The same for x87 and SSE alone (FPU_LEGACY_SIZE bytes, as FXSAVE writes them). */
int fpu_set_legacy(struct fpu *f, const u8 *image);
/* Would XRSTOR take the header of this area? Known components, reserved bytes zero. */
bool fpu_header_ok(const u8 *area);
/* MXCSR bits that this CPU has. */
u32 fpu_mxcsr_mask(void);
/* The state at program start. */
const u8 *fpu_initial(void);

#endif
