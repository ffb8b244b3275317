/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device interrupts: a handler is bound to a vector of one CPU. Vectors are per
 * CPU, so N CPUs have N times as many.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include "lib/types.h"

typedef void (*irq_handler)(void *arg);

/* A free vector of `cpu` for handler(arg), which runs in hard interrupt context. -ENOSPC. */
int irq_vector_alloc(unsigned int cpu, irq_handler handler, void *arg, const char *name);
void irq_vector_free(unsigned int cpu, int vector);
/* ISA interrupt (0-15) through the IO-APIC to a vector of `cpu`. 0, -ENODEV, -ENOSPC. */
int irq_isa_request(u8 irq, unsigned int cpu, irq_handler handler, void *arg, const char *name);
/* Message address and data for MSI to a vector of `cpu`. */
void irq_msi_message(unsigned int cpu, int vector, u64 *addr, u32 *data);
/* Lines of /proc/interrupts. */
struct seq;
void irq_show(struct seq *s);

#endif
