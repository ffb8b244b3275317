/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's half of tasks: first stack frames, segment bases, the switch. */
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/debugreg.h"
#include "arch/x86_64/fpu.h"
#include "kernel/port.h"
#include "kernel/syscall/table.h"
#include "kernel/task/port.h"
#include "kernel/task/task.h"
#include "kernel/uapi/prctl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

void entry_fork_child(void);
void entry_kthread(void);

/* What arch_switch() pops: lowest address first. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp, rip;
};

static struct switch_frame *
frame_make(struct task *t, void *top, void (*entry)(void))
{
	struct switch_frame *f = (struct switch_frame *)top - 1;

	memset(f, 0, sizeof(*f));
	f->rip = (u64)entry;
	t->ksp = (u64)f;
	return f;
}

void
arch_task_setup_user(struct task *child, const struct regs *parent_regs, unsigned long sp)
{
	struct regs *r = task_regs(child);

	*r = *parent_regs;
	r->rax = 0;
	/* It is not stepped. */
	if (current->ptrace.mode & PT_FORCED_TF)
		r->rflags &= ~RFLAGS_TF;
	if (sp)
		r->rsp = sp;
	/* The FS base is read from the register, since user mode may have written it. */
	child->fs_base = rdmsr(MSR_FS_BASE);
	child->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	atomic_or(&child->switch_flags, current->switch_flags & SWITCH_TSC);
	frame_make(child, r, entry_fork_child);
}

void
arch_task_setup_kernel(struct task *t, int (*fn)(void *), void *arg)
{
	struct switch_frame *f = frame_make(t, task_regs(t), entry_kthread);

	f->rbx = (u64)fn;
	f->r12 = (u64)arg;
}

void
arch_set_tls(struct task *t, unsigned long base)
{
	t->fs_base = base;
	if (t == current)
		wrmsr(MSR_FS_BASE, base);
}

/* What few tasks have. */
static void
switch_rare(struct task *prev, struct task *next)
{
	u32 changed = prev->switch_flags ^ next->switch_flags;

	if (changed & SWITCH_TSC)
		write_cr4(next->switch_flags & SWITCH_TSC ? read_cr4() | CR4_TSD
							  : read_cr4() & ~CR4_TSD);
	this_cpu(syscall_watch[1]) = !!(next->switch_flags & SWITCH_WATCHED);
	debugreg_switch(prev, next);
}

/*
 * Everything that changes with the task but is not on its stack. Before
 * arch_switch(); interrupts off. FSGSBASE gives the bases by an instruction each.
 */
void
arch_switch_prepare(struct task *prev, struct task *next)
{
	if (prev->fpu) {
		if (cpu_features.fsgsbase) {
			__asm__ volatile("rdfsbase %0" : "=r"(prev->fs_base));
			prev->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
		} else {
			/* Without FSGSBASE only arch_prctl() changes them, and records it. */
			barrier();
		}
	}
	fpu_switch(prev, next);
	if (unlikely(prev->switch_flags | next->switch_flags))
		switch_rare(prev, next);
	if (next->fpu) {
		if (cpu_features.fsgsbase)
			__asm__ volatile("wrfsbase %0" ::"r"(next->fs_base));
		else
			wrmsr(MSR_FS_BASE, next->fs_base);
		if (next->gs_base != prev->gs_base || !prev->fpu)
			wrmsr(MSR_KERNEL_GS_BASE, next->gs_base);
	}
	cpu_set_entry_stack((unsigned long)next->stack + KERNEL_STACK_SIZE);
}

/* exec. All registers are new, so the way back is the one that loads them all. */
void
arch_clear_gs(void)
{
	current->gs_base = 0;
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	atomic_or(&current->work, WORK_NOTIFY);
}

/* PR_SET_TSC: CR4.TSD makes rdtsc a fault in user mode. */
int
arch_set_tsc_mode(unsigned int mode)
{
	bool faults = mode == PR_TSC_SIGSEGV;
	unsigned long f;

	if (mode != PR_TSC_ENABLE && mode != PR_TSC_SIGSEGV)
		return -EINVAL;
	f = irq_save();
	if (faults)
		atomic_or(&current->switch_flags, SWITCH_TSC);
	else
		atomic_and(&current->switch_flags, ~SWITCH_TSC);
	write_cr4(faults ? read_cr4() | CR4_TSD : read_cr4() & ~CR4_TSD);
	irq_restore(f);
	return 0;
}

int
arch_get_tsc_mode(void)
{
	return current->switch_flags & SWITCH_TSC ? PR_TSC_SIGSEGV : PR_TSC_ENABLE;
}
