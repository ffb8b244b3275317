/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two 8259A interrupt controllers: silenced, as the IO-APICs do their work.
 *
 * A BIOS leaves them running with the timer at vector 8, where a CPU in
 * protected mode expects double faults. The mask of the local APIC's LINT0 keeps
 * that out where they come through it; where the pair is wired to the CPU itself,
 * as in Bochs, nothing but their own masks does. Masked, they can still answer a
 * request that was withdrawn with their last input (7, 15), so their vectors are
 * moved to where the kernel ignores them.
 *
 * See the 8259A's data sheet, initialization command words.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/trap.h"

enum { PIC_MASTER = 0x20, PIC_SLAVE = 0xa0 };

#define ICW1_INIT 0x11
#define ICW4_8086 0x01

static void
pic_mask(u16 port, u8 vector, u8 cascade)
{
	outb(port, ICW1_INIT);
	outb(port + 1, vector);
	outb(port + 1, cascade);
	outb(port + 1, ICW4_8086);
	outb(port + 1, 0xff);
}

void
pic_init(void)
{
	/* The slave hangs on the master's input 2. */
	pic_mask(PIC_MASTER, VEC_PIC, 1 << 2);
	pic_mask(PIC_SLAVE, VEC_PIC + 8, 2);
}
