/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt vectors and how C code gets at them. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "arch/x86_64/asm/regs.h"
#include "lib/types.h"

enum {
	VEC_DE = 0,
	VEC_DB = 1,
	VEC_NMI = 2,
	VEC_BP = 3,
	VEC_OF = 4,
	VEC_BR = 5,
	VEC_UD = 6,
	VEC_NM = 7,
	VEC_DF = 8,
	VEC_TS = 10,
	VEC_NP = 11,
	VEC_SS = 12,
	VEC_GP = 13,
	VEC_PF = 14,
	VEC_MF = 16,
	VEC_AC = 17,
	VEC_MC = 18,
	VEC_XM = 19,
	/* 0x20-0x2f: the old PICs, masked; a stray one is ignored. */
	VEC_PIC = 0x20,
	/* Devices: handed out per CPU by irq.c. */
	VEC_DEVICE_FIRST = 0x30,
	VEC_DEVICE_LAST = 0xef,
	VEC_RESCHEDULE = 0xf0,
	VEC_MAILBOX = 0xf1,
	VEC_STOP = 0xf2,
	VEC_TIMER = 0xf3,
	VEC_ERROR = 0xfe,
	VEC_SPURIOUS = 0xff,
};

/* From entry.S. */
void trap_dispatch(struct regs *r, u32 vector);
void trap_dispatch_ist(struct regs *r, u32 vector);
void user_exit_work(struct regs *r, bool syscall);

/* irq.c: device interrupt of this CPU. */
void irq_dispatch(u32 vector);
/* smp.c */
void nmi_handle(struct regs *r);
void stop_handle(struct regs *r);
/* What the interrupt or softirq that runs on this CPU has interrupted; NULL: none runs. */
const struct regs *trap_irq_regs(void);
/* Prints registers; backtrace.c: prints the frames above rbp. */
void regs_show(const struct regs *r);
void backtrace_frames(unsigned long rip, unsigned long rbp);

#endif
