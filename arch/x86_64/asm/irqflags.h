/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt flag of this CPU. */
#ifndef ARCH_ASM_IRQFLAGS_H
#define ARCH_ASM_IRQFLAGS_H

#include "lib/types.h"

#define RFLAGS_CF 0x1UL
#define RFLAGS_FIXED 0x2UL
#define RFLAGS_TF 0x100UL
#define RFLAGS_IF 0x200UL
#define RFLAGS_DF 0x400UL
#define RFLAGS_IOPL 0x3000UL
#define RFLAGS_NT 0x4000UL
#define RFLAGS_RF 0x10000UL
#define RFLAGS_AC 0x40000UL

static inline unsigned long
rflags_read(void)
{
	unsigned long f;

	__asm__ volatile("pushfq; popq %0" : "=rm"(f)::"memory");
	return f;
}

static inline bool
irqs_disabled(void)
{
	return !(rflags_read() & RFLAGS_IF);
}

static inline void
irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void
irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* Disable interrupts; returns what irq_restore() wants. Pairs nest. */
static inline unsigned long
irq_save(void)
{
	unsigned long f = rflags_read();

	irq_disable();
	return f;
}

static inline void
irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
}

#endif
