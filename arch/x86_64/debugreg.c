/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware breakpoints: the debug registers that a tracer sets in its tracee
 * (PTRACE_POKEUSER, offsets of u_debugreg).
 *
 * Model: a task has its four addresses and DR7 as its tracer wrote them, from
 * the first write on until exec. They are in the CPU's registers while the task
 * runs; a CPU whose task has none has DR7 clear, so that only tasks with
 * SWITCH_DEBUG, which the context switch looks at anyway, cost anything.
 * Addresses are those of programs. A breakpoint that the kernel hits on behalf of
 * a program, in a copy, is not reported (entry.S drops it).
 *
 * Ownership: the tracer writes while the task is stopped and frozen
 * (kernel/ptrace/stop.c); the task itself at exec and at #DB.
 *
 * See: Intel SDM vol. 3, 17.2.
 */
#include "arch/x86_64/debugreg.h"

#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/asm/regs.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "mm/slab.h"

#define BREAKPOINTS 4
/* DR7: reserved bits, and the one that guards the registers themselves. */
#define DR7_RESERVED 0xffffffff0000fc00UL
#define DR7_FIXED 0x400UL
#define TYPE_EXEC 0u
#define TYPE_IO 2u

struct debug_regs {
	u64 addr[BREAKPOINTS];
	/* As written, and as the CPU gets it. */
	u64 control, hardware;
};

static void
write_dr7(u64 v)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(v) : "memory");
}

static void
load(const struct debug_regs *d)
{
	__asm__ volatile("mov %0, %%dr0" ::"r"(d->addr[0]));
	__asm__ volatile("mov %0, %%dr1" ::"r"(d->addr[1]));
	__asm__ volatile("mov %0, %%dr2" ::"r"(d->addr[2]));
	__asm__ volatile("mov %0, %%dr3" ::"r"(d->addr[3]));
	write_dr7(d->hardware);
}

/* --- fields of DR7 --- */

static bool
enabled(u64 control, unsigned int i)
{
	return control >> (2 * i) & 3;
}

static unsigned int
type_of(u64 control, unsigned int i)
{
	return control >> (16 + 4 * i) & 3;
}

/* Bytes less one, which the address may not have in its low bits. */
static u64
length_mask(u64 control, unsigned int i)
{
	static const u8 mask[4] = {0, 1, 7, 3};

	return mask[control >> (18 + 4 * i) & 3];
}

static bool
acceptable(u64 control, unsigned int i, u64 addr)
{
	if (!enabled(control, i))
		return true;
	if (type_of(control, i) == TYPE_IO)
		return false;
	if (type_of(control, i) == TYPE_EXEC && length_mask(control, i))
		return false;
	return !(addr & length_mask(control, i));
}

/* What the CPU gets: enabled ones in all tasks, since they are switched by us. */
static u64
hardware_of(u64 control)
{
	u64 v = 0;

	for (unsigned int i = 0; i < BREAKPOINTS; i++)
		if (enabled(control, i))
			v |= 2UL << (2 * i) | (control & 0xfUL << (16 + 4 * i));
	return v ? v | DR7_FIXED : 0;
}

/* --- registers of a task --- */

u64
debugreg_get(const struct task *t, unsigned int n)
{
	if (n < BREAKPOINTS)
		return t->debug ? t->debug->addr[n] : 0;
	if (n == 6)
		return t->debug_status ^ DR6_FIXED;
	return n == 7 && t->debug ? t->debug->control : 0;
}

static struct debug_regs *
regs_of(struct task *t)
{
	if (!t->debug)
		t->debug = kzalloc(sizeof(*t->debug), GFP_KERNEL);
	return t->debug;
}

static int
set_address(struct task *t, unsigned int n, u64 addr)
{
	struct debug_regs *d;

	if (addr >= USER_END)
		return -EINVAL;
	d = regs_of(t);
	if (!d)
		return -ENOMEM;
	if (!acceptable(d->control, n, addr))
		return -EINVAL;
	d->addr[n] = addr;
	return 0;
}

static int
set_control(struct task *t, u64 control)
{
	struct debug_regs *d;

	control &= ~DR7_RESERVED;
	if (!control && !t->debug)
		return 0;
	d = regs_of(t);
	if (!d)
		return -ENOMEM;
	for (unsigned int i = 0; i < BREAKPOINTS; i++)
		if (!acceptable(control, i, d->addr[i]))
			return -EINVAL;
	d->control = control;
	d->hardware = hardware_of(control);
	if (d->hardware)
		atomic_or(&t->switch_flags, SWITCH_DEBUG);
	else
		atomic_and(&t->switch_flags, ~SWITCH_DEBUG);
	return 0;
}

int
debugreg_set(struct task *t, unsigned int n, u64 v)
{
	if (n < BREAKPOINTS)
		return set_address(t, n, v);
	if (n == 6) {
		t->debug_status = v ^ DR6_FIXED;
		return 0;
	}
	return n == 7 ? set_control(t, v) : -EIO;
}

void
debugreg_switch(const struct task *prev, const struct task *next)
{
	if (next->switch_flags & SWITCH_DEBUG)
		load(next->debug);
	else if (prev->switch_flags & SWITCH_DEBUG)
		write_dr7(0);
}

void
arch_debug_flush(void)
{
	struct task *t = current;
	unsigned long flags;

	t->debug_status = 0;
	if (!t->debug)
		return;
	flags = irq_save();
	if (t->switch_flags & SWITCH_DEBUG)
		write_dr7(0);
	atomic_and(&t->switch_flags, ~SWITCH_DEBUG);
	irq_restore(flags);
	arch_debug_free(t);
}

void
arch_debug_free(struct task *t)
{
	kfree(t->debug);
	t->debug = NULL;
}

/* --- #DB --- */

u64
debugreg_take_status(void)
{
	u64 status;

	__asm__ volatile("mov %%dr6, %0" : "=r"(status));
	__asm__ volatile("mov %0, %%dr6" ::"r"(DR6_FIXED));
	return (status ^ DR6_FIXED) & (DR6_TRAPS | DR6_STEP);
}

u64
debugreg_hits(struct regs *r, u64 status)
{
	struct task *t = current;
	u64 hits = status & DR6_STEP;

	for (unsigned int i = 0; i < BREAKPOINTS && t->debug; i++) {
		if (!(status & BIT(i)) || !enabled(t->debug->control, i))
			continue;
		hits |= BIT(i);
		/* It comes before the instruction, which is to be executed at last. */
		if (type_of(t->debug->control, i) == TYPE_EXEC)
			r->rflags |= RFLAGS_RF;
	}
	t->debug_status = hits;
	return hits;
}
