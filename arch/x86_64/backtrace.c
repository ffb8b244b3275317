/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers and symbolic backtraces by frame pointers. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/trap.h"
#include "fs/proc/port.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "mm/port.h"
#include "mm/uaccess.h"
#include "sync/port.h"

extern const u8 __text_start[], __text_end[];
extern const u8 __sched_text_start[], __sched_text_end[];

#define FRAMES_MAX 32

static bool
in_text(unsigned long a)
{
	return a >= (unsigned long)__text_start && a < (unsigned long)__text_end;
}

/* Can 16 bytes at `a` be read as a frame? Kernel stacks lie in vmalloc or the image. */
static bool
frame_ok(unsigned long a, unsigned long prev)
{
	bool vm = a >= VMALLOC_BASE && a < VMALLOC_END;

	if (!is_aligned(a, 8) || a <= prev || a - prev > KERNEL_STACK_SIZE)
		return false;
	return vm || a >= KERNEL_BASE;
}

/* Reads kernel memory that may not be there: a stack that has overflowed, a wild pointer. */
static bool
peek(void *to, unsigned long from, size_t n)
{
	return usercopy(to, (const void *)from, n) == 0;
}

void
backtrace_frames(unsigned long rip, unsigned long rbp)
{
	unsigned long prev = rbp - 8;
	int i;

	log_write(LOG_EMERG, "  [<%lx>] %pS", rip, (void *)rip);
	for (i = 0; i < FRAMES_MAX && frame_ok(rbp, prev); i++) {
		unsigned long f[2];

		if (!peek(f, rbp, sizeof(f)) || !in_text(f[1]))
			break;
		log_write(LOG_EMERG, "  [<%lx>] %pS", f[1], (void *)(f[1] - 1));
		prev = rbp;
		rbp = f[0];
	}
}

unsigned int
mm_port_callers(unsigned long *pcs, unsigned int n)
{
	unsigned long rbp = (unsigned long)__builtin_frame_address(0), prev = rbp - 8, f[2];
	unsigned int i = 0;
	bool own = true;

	while (i < n && frame_ok(rbp, prev) && peek(f, rbp, sizeof(f)) && in_text(f[1])) {
		if (!own)
			pcs[i++] = f[1];
		own = false;
		prev = rbp;
		rbp = f[0];
	}
	return i;
}

unsigned int
arch_stack_trace(struct task *t, unsigned long *pcs, unsigned int n)
{
	unsigned long low = (unsigned long)t->stack, sp = READ_ONCE(t->ksp), f[2], rbp;
	unsigned int i = 0;

	if (t == current || READ_ONCE(t->sched.on_cpu) || !low ||
	    sp - low > KERNEL_STACK_SIZE - 7 * sizeof(u64))
		return 0;
	/* arch_switch pushed rbp first and the return address lies above it. */
	if (!peek(f, sp + 5 * sizeof(u64), sizeof(f)) || !in_text(f[1]))
		return 0;
	do {
		pcs[i++] = f[1];
		rbp = f[0];
		if (!is_aligned(rbp, 8) || rbp <= sp || rbp - low > KERNEL_STACK_SIZE - sizeof(f))
			break;
		sp = rbp;
	} while (i < n && peek(f, rbp, sizeof(f)) && in_text(f[1]));
	return i;
}

unsigned int
sync_port_frames(unsigned long *pcs, unsigned int n)
{
	unsigned long rbp = (unsigned long)__builtin_frame_address(0), prev = rbp - 8, f[2];
	unsigned int i = 0;

	while (i < n && frame_ok(rbp, prev) && peek(f, rbp, sizeof(f)) && in_text(f[1])) {
		pcs[i++] = f[1];
		prev = rbp;
		rbp = f[0];
	}
	return i;
}

bool
arch_in_sched_text(unsigned long pc)
{
	return pc >= (unsigned long)__sched_text_start && pc < (unsigned long)__sched_text_end;
}

/*
 * A function that calls none has no frame: its caller would be missing. Where the
 * stack begins with an address of text it may be that one, or what is left of an
 * older call; hence the question mark.
 */
static void
show_leaf_caller(const struct regs *r)
{
	unsigned long a;

	if (frame_ok(r->rsp, r->rsp - 8) && r->rbp > r->rsp && peek(&a, r->rsp, sizeof(a)) &&
	    in_text(a))
		log_write(LOG_EMERG, "  [<%lx>] ? %pS", a, (void *)(a - 1));
}

void
regs_show(const struct regs *r)
{
	struct task *t = current_task_or_null();

	log_write(LOG_EMERG, "CPU: %u  task: %d (%s)  vendor: %s", cpu_id(), t ? t->tid : 0,
		  t ? t->comm : "boot", cpu_features.vendor);
	log_write(LOG_EMERG, "RIP: %04lx:%016lx %pS", r->cs, r->rip, (void *)r->rip);
	log_write(LOG_EMERG, "RSP: %04lx:%016lx  RFLAGS: %08lx", r->ss, r->rsp, r->rflags);
	log_write(LOG_EMERG, "RAX: %016lx RBX: %016lx RCX: %016lx", r->rax, r->rbx, r->rcx);
	log_write(LOG_EMERG, "RDX: %016lx RSI: %016lx RDI: %016lx", r->rdx, r->rsi, r->rdi);
	log_write(LOG_EMERG, "RBP: %016lx R08: %016lx R09: %016lx", r->rbp, r->r8, r->r9);
	log_write(LOG_EMERG, "R10: %016lx R11: %016lx R12: %016lx", r->r10, r->r11, r->r12);
	log_write(LOG_EMERG, "R13: %016lx R14: %016lx R15: %016lx", r->r13, r->r14, r->r15);
	log_write(LOG_EMERG, "CR2: %016lx CR3: %016lx CR4: %016lx", read_cr2(), read_cr3(),
		  read_cr4());
	if (!regs_user(r)) {
		log_write(LOG_EMERG, "Call trace:");
		show_leaf_caller(r);
		backtrace_frames(r->rip, r->rbp);
	}
}

void
arch_backtrace(struct task *t)
{
	/* arch_switch pushed rbp first and the return address lies above it. */
	const u64 *sp = t ? (const u64 *)t->ksp : NULL;
	const struct regs *r = t ? NULL : trap_irq_regs();

	/* The frames show its callers only. */
	if (r && !regs_user(r))
		log_write(LOG_EMERG, "RIP: %04lx:%016lx %pS", r->cs, r->rip, (void *)r->rip);
	log_write(LOG_EMERG, "Call trace%s%s:", t ? " of " : "", t ? t->comm : "");
	if (!t)
		backtrace_frames((unsigned long)__builtin_return_address(0),
				 *(unsigned long *)__builtin_frame_address(0));
	else if (t != current && sp)
		backtrace_frames(sp[6], sp[5]);
}
