/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts: from the vector to who handles it.
 *
 * A fault in user mode is a signal and never more. A fault in the kernel is
 * looked up in the exception table (user copies); else it is a bug: it is
 * reported, and ends the task if that is safe, the machine if not.
 */
#include "arch/x86_64/trap.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/debugreg.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/sched/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/timer.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "percpu/counter.h"
#include "percpu/defer.h"
#include "percpu/mailbox.h"
#include "percpu/trace/events.h"
#include "sync/rcu.h"

/* Page-fault error code (Intel SDM vol. 3, 4.7). */
#define PF_PRESENT 0x1
#define PF_WRITE 0x2
#define PF_USER 0x4
#define PF_RESERVED 0x8
#define PF_FETCH 0x10
#define PF_KEY 0x20

/* For /proc/interrupts and /proc/stat. */
DEFINE_PERCPU(u64, irq_count)[256];

/* o  of the innermost interrupt that is handled, its softirqs included; NULL: none */
static DEFINE_PERCPU(struct regs *, irq_regs);

bool
arch_irq_user(void)
{
	const struct regs *r = this_cpu_read(irq_regs);

	return r != NULL && regs_user(r);
}

const struct regs *
trap_irq_regs(void)
{
	return this_cpu_read(irq_regs);
}

struct trap_info {
	const char *name;
	int sig;
	int code;
};

static const struct trap_info traps[32] = {
	[VEC_DE] = {"divide error", SIGFPE, FPE_INTDIV},
	[VEC_DB] = {"debug", SIGTRAP, TRAP_TRACE},
	[VEC_BP] = {"int3", SIGTRAP, SI_KERNEL},
	[VEC_OF] = {"overflow", SIGSEGV, SI_KERNEL},
	[VEC_BR] = {"bounds", SIGSEGV, SI_KERNEL},
	[VEC_UD] = {"invalid opcode", SIGILL, ILL_ILLOPN},
	[VEC_NM] = {"device not available", SIGFPE, SI_KERNEL},
	[VEC_DF] = {"double fault", SIGSEGV, SI_KERNEL},
	[VEC_TS] = {"invalid TSS", SIGSEGV, SI_KERNEL},
	[VEC_NP] = {"segment not present", SIGBUS, SI_KERNEL},
	[VEC_SS] = {"stack segment", SIGBUS, SI_KERNEL},
	[VEC_GP] = {"general protection fault", SIGSEGV, SI_KERNEL},
	[VEC_PF] = {"page fault", SIGSEGV, SEGV_MAPERR},
	[VEC_MF] = {"x87 FPU error", SIGFPE, FPE_FLTINV},
	[VEC_AC] = {"alignment check", SIGBUS, BUS_ADRALN},
	[VEC_MC] = {"machine check", SIGBUS, SI_KERNEL},
	[VEC_XM] = {"SIMD error", SIGFPE, FPE_FLTINV},
};

static const char *
trap_name(u32 vector)
{
	return vector < 32 && traps[vector].name ? traps[vector].name : "unknown trap";
}

/* A bug in the kernel: report; end the task where nothing is held, else panic. */
static void
kernel_fault(struct regs *r, u32 vector, unsigned long addr)
{
	unsigned long fixup = extable_find(r->rip);

	if (fixup) {
		r->rip = fixup;
		return;
	}
	oops_begin();
	if (vector == VEC_PF)
		log_write(LOG_EMERG, "BUG: kernel %s at %#lx (%s), error %#lx",
			  (r->orig_rax & PF_WRITE)   ? "write"
			  : (r->orig_rax & PF_FETCH) ? "jump"
						     : "read",
			  addr, addr < PAGE_SIZE ? "NULL pointer" : "bad address", r->orig_rax);
	else
		log_write(LOG_EMERG, "BUG: kernel %s, error %#lx", trap_name(vector), r->orig_rax);
	regs_show(r);
	oops_end(trap_name(vector), r->rflags & RFLAGS_IF);
}

static int
sse_code(void)
{
	u32 mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	mxcsr = mxcsr & ~(mxcsr >> 7) & 0x3f;
	if (mxcsr & 1)
		return FPE_FLTINV;
	if (mxcsr & 4)
		return FPE_FLTDIV;
	if (mxcsr & 8)
		return FPE_FLTOVF;
	if (mxcsr & 0x12)
		return FPE_FLTUND;
	return FPE_FLTRES;
}

static int
x87_code(void)
{
	u16 sw, cw;
	u32 e;

	__asm__ volatile("fnstsw %0" : "=m"(sw));
	__asm__ volatile("fnstcw %0" : "=m"(cw));
	e = sw & ~cw & 0x3f;
	if (e & 1)
		return FPE_FLTINV;
	if (e & 4)
		return FPE_FLTDIV;
	if (e & 8)
		return FPE_FLTOVF;
	if (e & 0x12)
		return FPE_FLTUND;
	return e & 0x20 ? FPE_FLTRES : FPE_FLTINV;
}

static void
trap_record(u32 vector, u64 error, u64 addr)
{
	current->trap_nr = vector;
	current->trap_error = error;
	if (vector == VEC_PF)
		current->trap_addr = addr;
}

/* A single step, a breakpoint, or int1, which leaves no trace in DR6 (status). */
static void
debug_trap(struct regs *r, u64 status)
{
	u64 hits = debugreg_hits(r, status);
	int code = TRAP_BRKPT;

	/* Another's breakpoint: nothing that concerns this task. */
	if (!hits && status)
		return;
	if (hits & DR6_STEP)
		code = TRAP_TRACE;
	else if (hits)
		code = TRAP_HWBKPT;
	trap_record(VEC_DB, 0, 0);
	signal_force_fault(SIGTRAP, code, r->rip);
}

static void
user_trap(struct regs *r, u32 vector)
{
	const struct trap_info *t = &traps[vector & 31];
	int code = t->code;
	unsigned long addr = 0;

	switch (vector) {
	case VEC_DE:
	case VEC_UD:
		addr = r->rip;
		break;
	case VEC_MF:
		addr = r->rip;
		code = x87_code();
		break;
	case VEC_XM:
		addr = r->rip;
		code = sse_code();
		break;
	}
	trap_record(vector, r->orig_rax, 0);
	signal_force_fault(t->name ? t->sig : SIGSEGV, code, addr);
}

static void
key_fault(unsigned long addr)
{
	struct siginfo info = {
		.signo = SIGSEGV,
		.code = SEGV_PKUERR,
		.addr = addr,
		/* si_pkey */
		.lower = space_pkey(current->space, addr),
	};

	signal_force_info(&info);
}

static void
page_fault(struct regs *r)
{
	unsigned long addr = read_cr2();
	u64 error = r->orig_rax;
	u32 access = (r->orig_rax & PF_WRITE ? FAULT_WRITE : 0) |
		     (r->orig_rax & PF_FETCH ? FAULT_EXEC : 0) | (regs_user(r) ? FAULT_USER : 0);
	struct fault_sig sig = {SIGSEGV, SEGV_MAPERR};
	bool user = regs_user(r);
	int err = -EFAULT;

	if (user)
		trace_page_fault_user(addr, r->rip, error);
	else
		trace_page_fault_kernel(addr, r->rip, error);
	if (!user && (addr >= USER_END || !(r->rflags & RFLAGS_IF) || pinned_by_count() ||
		      !current->space || !extable_find(r->rip))) {
		kernel_fault(r, VEC_PF, addr);
		return;
	}
	if (r->rflags & RFLAGS_IF)
		irq_enable();
	/* The page is there, and current's keys do not let it. */
	if (r->orig_rax & PF_KEY)
		sig.code = SEGV_PKUERR;
	else if (addr < USER_END && !(r->orig_rax & PF_RESERVED))
		err = space_fault(current->space, addr, access, &sig);
	if (err == 0) {
		irq_disable();
		return;
	}
	if (!user)
		kernel_fault(r, VEC_PF, addr);
	else if (err != -ENOMEM) {
		log_ratelimited(LOG_INFO, "%s[%d]: segfault at %lx ip %lx sp %lx error %lx",
				current->comm, current->tid, addr, r->rip, r->rsp, error);
		trap_record(VEC_PF, error, addr);
		if (sig.code == SEGV_PKUERR && sig.signo == SIGSEGV)
			key_fault(addr);
		else
			signal_force_fault(sig.signo, sig.code, addr);
	}
	irq_disable();
}

static void
exception(struct regs *r, u32 vector)
{
	u64 status = 0;

	if (vector == VEC_PF) {
		page_fault(r);
		return;
	}
	if (!regs_user(r)) {
		kernel_fault(r, vector, r->rip);
		return;
	}
	if (vector == VEC_DB)
		status = debugreg_take_status();
	irq_enable();
	if (vector == VEC_DB)
		debug_trap(r, status);
	else
		user_trap(r, vector);
	irq_disable();
}

static void
interrupt(struct regs *r, u32 vector)
{
	this_cpu_add(pin_count, PIN_HARDIRQ);
	switch (vector) {
	case VEC_RESCHEDULE:
		trace_reschedule_entry(VEC_RESCHEDULE);
		this_cpu_and(pin_count, ~PIN_NO_RESCHED);
		apic_eoi();
		trace_reschedule_exit(VEC_RESCHEDULE);
		break;
	case VEC_MAILBOX:
		apic_eoi();
		trace_call_function_entry(VEC_MAILBOX);
		mailbox_interrupt_oncpu();
		trace_call_function_exit(VEC_MAILBOX);
		break;
	case VEC_TIMER:
		apic_eoi();
		trace_local_timer_entry(VEC_TIMER);
		timer_interrupt_oncpu();
		trace_local_timer_exit(VEC_TIMER);
		break;
	case VEC_STOP:
		apic_eoi();
		stop_handle(r);
		break;
	case VEC_SPURIOUS:
		break;
	case VEC_ERROR:
		apic_error();
		apic_eoi();
		break;
	default:
		if (vector >= VEC_DEVICE_FIRST && vector <= VEC_DEVICE_LAST)
			irq_dispatch(vector);
	}
	this_cpu_sub(pin_count, PIN_HARDIRQ);
}

void
trap_dispatch(struct regs *r, u32 vector)
{
	struct regs *outer = this_cpu_read(irq_regs);
	bool idle;

	this_cpu(irq_count[vector])++;
	if (vector < 32) {
		exception(r, vector);
		/* No system call to restart. */
		if (regs_user(r))
			r->orig_rax = -1;
		return;
	}
	if (regs_user(r))
		r->orig_rax = -1;
	idle = rcu_irq_enter_oncpu();
	this_cpu_write(irq_regs, r);
	interrupt(r, vector);
	if (defer_pending_oncpu() && !in_interrupt())
		defer_run_oncpu();
	this_cpu_write(irq_regs, outer);
	sched_irq_exit(regs_user(r));
	rcu_irq_leave_oncpu(idle);
}

void
trap_dispatch_ist(struct regs *r, u32 vector)
{
	this_cpu_add(pin_count, PIN_NMI);
	this_cpu(irq_count[vector])++;
	if (vector == VEC_NMI) {
		nmi_handle(r);
	} else {
		oops_begin();
		log_write(LOG_EMERG, "BUG: %s (stack overflow?), error %#lx", trap_name(vector),
			  r->orig_rax);
		regs_show(r);
		panic("%s", trap_name(vector));
	}
	this_cpu_sub(pin_count, PIN_NMI);
}
