/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back to user mode when there is something to do first. */
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/trap.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task.h"

/*
 * Interrupts are off on entry and on return. Ends only when, with interrupts
 * off, neither a work bit nor a wish to reschedule is left. WORK_SYSCALL_TRACE
 * stays: it only says what is to be done first.
 */
void
user_exit_work(struct regs *r, bool syscall)
{
	struct task *t = current;
	u32 work;

	if (syscall && (READ_ONCE(t->work) & WORK_SYSCALL_TRACE)) {
		irq_enable();
		if (!t->dispatch.taken)
			ptrace_syscall_exit(r);
		t->dispatch.taken = false;
		irq_disable();
	}
	for (;;) {
		if (this_cpu_read(pin_count) == 0) {
			irq_enable();
			sched_yield_now();
			irq_disable();
			continue;
		}
		work = READ_ONCE(t->work) & ~(u32)WORK_SYSCALL_TRACE;
		if (work == 0) {
			/* Set by a tracer or a frame: the way back would fault in the kernel. */
			if (likely(r->rip < USER_END))
				break;
			irq_enable();
			signal_force(SIGSEGV);
			irq_disable();
			continue;
		}
		irq_enable();
		atomic_and(&t->work, ~(u32)(WORK_NOTIFY | WORK_RSEQ));
		if (unlikely(t->ptrace.mode) && !ptrace_traced(t))
			ptrace_end_mode();
		if (work & (WORK_SIGNAL | WORK_RESTORE_MASK))
			signal_deliver(r);
		if (work & WORK_RSEQ)
			rseq_exit_to_user(r);
		irq_disable();
	}
}
