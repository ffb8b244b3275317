/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal frames: what a handler finds on the user's stack, and its undoing.
 *
 * From low to high addresses (psABI; Linux's struct rt_sigframe):
 *
 * SIZE   MEANING
 *    8   return address: sa_restorer
 *   40   uc_flags, uc_link, uc_stack
 *  256   sigcontext: registers
 *    8   uc_sigmask
 *  128   siginfo
 *    -   up to 64-byte alignment
 *    n   extended state as XSAVE writes it, its sizes in bytes 464 to 511,
 *        a second magic number behind it
 *
 * Nothing in a frame is trusted on the way back: segments are ours, reserved
 * flags are dropped, and an extended state that XRSTOR would refuse is a fault
 * of the program.
 */
#include "kernel/signal/signal.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/fpu.h"
#include "arch/x86_64/pkey.h"
#include "fs/port.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define FP_MAGIC1 0x46505853u
#define FP_MAGIC2 0x46505845u
#define SW_OFFSET 464
#define RED_ZONE 128
/* CF PF AF ZF SF TF DF OF RF AC: what a program may set by sigreturn. */
#define FLAGS_RESTORED 0x50dd5UL

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};
static_assert(sizeof(struct sigcontext) == 256, "ABI");

struct ucontext {
	u64 flags;
	u64 link;
	struct sigaltstack stack;
	struct sigcontext mc;
	u64 sigmask;
};

struct rt_sigframe {
	u64 restorer;
	struct ucontext uc;
	struct siginfo info;
};

/* fpx_sw_bytes: how large the state behind is. */
struct fp_sw {
	u32 magic1;
	u32 extended_size;
	u64 xfeatures;
	u32 xstate_size;
	u32 padding[7];
};

/* Bytes of extended state in a frame, second magic number included. */
static size_t
fp_frame_size(void)
{
	return fpu_xcr0 ? fpu_size + 4 : fpu_size;
}

static int
fp_save(u8 __user *to)
{
	struct fp_sw sw = {
		.magic1 = FP_MAGIC1,
		.extended_size = fpu_size + 4,
		.xfeatures = fpu_xcr0,
		.xstate_size = fpu_size,
	};
	u32 magic2 = FP_MAGIC2;

	fpu_sync();
	if (fpu_copy_to_user(to, current->fpu->area))
		return -EFAULT;
	if (!fpu_xcr0)
		return 0;
	if (copy_to_user(to + SW_OFFSET, &sw, sizeof(sw)))
		return -EFAULT;
	return copy_to_user(to + fpu_size, &magic2, 4);
}

static bool
fp_frame_is_extended(const u8 __user *from)
{
	struct fp_sw sw;
	u32 magic2;

	return fpu_xcr0 && !copy_from_user(&sw, from + SW_OFFSET, sizeof(sw)) &&
	       sw.magic1 == FP_MAGIC1 && sw.xstate_size == fpu_size &&
	       sw.extended_size == fpu_size + 4 && !copy_from_user(&magic2, from + fpu_size, 4) &&
	       magic2 == FP_MAGIC2;
}

static int
fp_read(u8 *area, const u8 __user *from)
{
	bool extended = fp_frame_is_extended(from);
	u64 components = 3;
	u32 mxcsr, pkru;

	if (extended ? fpu_copy_from_user(area, from) : copy_from_user(area, from, FPU_LEGACY_SIZE))
		return -EFAULT;
	memcpy(&mxcsr, area + 24, 4);
	mxcsr &= fpu_mxcsr_mask();
	memcpy(area + 24, &mxcsr, 4);
	if (fpu_xcr0 && !extended) {
		memset(area + 512, 0, 64);
		if (cpu_features.pku) {
			components |= XFEATURE_PKRU_BIT;
			pkru = pkru_read();
			memcpy(area + cpuid(0xd, XFEATURE_PKRU).b, &pkru, 4);
		}
		memcpy(area + 512, &components, 8);
	}
	return fpu_xcr0 && !fpu_header_ok(area) ? -EFAULT : 0;
}

static int
fp_restore(const u8 __user *from)
{
	u8 *area;
	int err;

	if (!from) {
		fpu_load(fpu_initial());
		return 0;
	}
	/* What is not read is of components that its header does not name. */
	area = kmalloc(fpu_size, GFP_KERNEL);
	if (!area)
		return -ENOMEM;
	err = fp_read(area, from);
	if (!err)
		fpu_load(area);
	kfree(area);
	return err;
}

static void
context_save(struct sigcontext *c, const struct regs *r, u64 oldmask)
{
	*c = (struct sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = (u16)r->cs,
		.ss = (u16)r->ss,
		.err = current->trap_error,
		.trapno = current->trap_nr,
		.cr2 = current->trap_addr,
		.oldmask = oldmask,
	};
}

static void
context_restore(struct regs *r, const struct sigcontext *c)
{
	*r = (struct regs){
		.r8 = c->r8,
		.r9 = c->r9,
		.r10 = c->r10,
		.r11 = c->r11,
		.r12 = c->r12,
		.r13 = c->r13,
		.r14 = c->r14,
		.r15 = c->r15,
		.rdi = c->rdi,
		.rsi = c->rsi,
		.rbp = c->rbp,
		.rbx = c->rbx,
		.rdx = c->rdx,
		.rax = c->rax,
		.rcx = c->rcx,
		.rsp = c->rsp,
		.rip = c->rip,
		.cs = SEL_USER_CODE,
		.ss = SEL_USER_DATA,
		.rflags = (r->rflags & ~FLAGS_RESTORED) | (c->rflags & FLAGS_RESTORED),
		.orig_rax = -1,
	};
}

int
arch_signal_frame(struct regs *r, int sig, const struct sigaction *sa, const struct siginfo *info,
		  u64 oldmask)
{
	unsigned long sp = signal_frame_top(sa, r->rsp), fp;
	struct rt_sigframe f = {.restorer = (u64 __force)sa->restorer, .info = *info};
	bool switched = sp != r->rsp;

	if (!(sa->flags & SA_RESTORER))
		return -EFAULT;
	if (!switched)
		sp -= RED_ZONE;
	fp = (sp - fp_frame_size()) & ~63UL;
	sp = ((fp - sizeof(f)) & ~15UL) - 8;
	/* Beyond the end of the alternate stack is as good as no stack. */
	if ((switched || signal_on_altstack(r->rsp)) && sp < current->signals.altstack_sp)
		return -EFAULT;
	f.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_xcr0 ? UC_FP_XSTATE : 0);
	signal_save_altstack(&f.uc.stack, r->rsp);
	context_save(&f.uc.mc, r, oldmask);
	f.uc.mc.fpstate = fp;
	f.uc.sigmask = oldmask;
	if (!user_range_ok((void __user *)sp, fp + fp_frame_size() - sp) ||
	    fp_save((u8 __user *)fp) || copy_to_user((void __user *)sp, &f, sizeof(f)))
		return -EFAULT;
	/* The handler does not know what keys the program uses. */
	if (cpu_features.pku)
		pkru_write(PKRU_INIT);
	r->rdi = (u64)sig;
	r->rsi = sp + offsetof(struct rt_sigframe, info);
	r->rdx = sp + offsetof(struct rt_sigframe, uc);
	r->rax = 0;
	r->rsp = sp;
	r->rip = (u64 __force)sa->handler;
	r->cs = SEL_USER_CODE;
	r->ss = SEL_USER_DATA;
	r->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	r->orig_rax = -1;
	return 0;
}

long
arch_signal_return(struct regs *r, u64 *mask, bool *bad)
{
	/* The handler's ret took the return address off. */
	struct rt_sigframe __user *uf = (void __user *)(r->rsp - 8);
	struct ucontext uc;

	*bad = true;
	if (copy_from_user(&uc, &uf->uc, sizeof(uc)))
		return 0;
	*mask = uc.sigmask;
	context_restore(r, &uc.mc);
	/* All registers are the program's, rcx and r11 too: leave by IRET. exit.c looks at rip. */
	atomic_or(&current->work, WORK_NOTIFY);
	if (fp_restore((const u8 __user *)uc.mc.fpstate)) {
		/* Who handles the fault goes on where the frame says. */
		fpu_load(fpu_initial());
		return 0;
	}
	signal_restore_altstack(&uc.stack, r->rsp);
	*bad = false;
	return (long)r->rax;
}

u64
arch_signal_frame_size(void)
{
	return (sizeof(struct rt_sigframe) + fp_frame_size() + 64 + 16 + 8);
}
