/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APIC (xAPIC or x2APIC), IO-APIC, and the controllers that they replace. */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include "arch/x86_64/asm/layout.h"
#include "lib/types.h"

/* Finds and enables the local APIC of the boot CPU; later of each AP. */
void apic_init(phys_t base);
void apic_init_oncpu(void);
void apic_eoi(void);
void apic_error(void);
u32 apic_id(void);
/* One CPU by APIC id; the whole machine but us. Interrupts off for xAPIC's two writes. */
void apic_send(u32 apic_id, u8 vector);
void apic_send_nmi(u32 apic_id);
/* INIT, then start-up at page `page` (physical >> 12), to all others at once. */
void apic_broadcast_init(void);
void apic_broadcast_startup(u8 page);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);
bool apic_is_x2apic(void);
/* One-shot timer in APIC bus ticks, or TSC deadline. 0: off. */
void apic_timer_oneshot(u32 ticks);
void apic_timer_deadline(u64 tsc);
void apic_timer_setup_oncpu(bool deadline);
u32 apic_timer_current(void);

/* Silences the 8259As, once the IDT is there. */
void pic_init(void);

/* IO-APICs: told by the MADT; mapped and masked by ioapic_init() once mm/ is up. */
void ioapic_init(void);
int ioapic_add(u8 id, phys_t pa, u32 gsi_base);
/* ISA interrupt override: irq -> gsi with polarity and trigger. */
void ioapic_override(u8 irq, u32 gsi, u16 flags);
/* Routes a global system interrupt to a CPU's vector, or masks it. 0, -ENODEV. */
int ioapic_route(u32 gsi, u32 apic_id, u8 vector, bool level, bool low);
void ioapic_mask(u32 gsi, bool masked);
/* gsi and trigger of an ISA irq after overrides. */
u32 ioapic_isa_gsi(u8 irq, bool *level, bool *low);

#endif
