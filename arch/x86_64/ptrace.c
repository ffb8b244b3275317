/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace(2): registers of a stopped task, and single steps.
 *
 * struct user of the ABI, which PTRACE_PEEKUSER reads word by word; what is not
 * named reads as zero and cannot be written.
 *
 * OFFSET SIZE MEANING
 *      0  168 struct regs
 *    168   48 fs_base, gs_base, ds, es, fs, gs
 *    848   64 debug registers 0 to 7
 *    928      end
 *
 * Single steps: the trap flag of the task's registers is set, and PT_FORCED_TF
 * says that it is not the program's. A step over a system call ends behind the
 * call (PT_STEP: kernel/ptrace/stop.c), one into a handler at its first
 * instruction, with a frame that does not have the flag.
 */
#include "kernel/uapi/ptrace.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/asm/regs.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/debugreg.h"
#include "arch/x86_64/fpu.h"
#include "kernel/port.h"
#include "kernel/ptrace/ptrace_impl.h"
#include "kernel/signal/port.h"
#include "kernel/syscall/table.h"
#include "kernel/task/task.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/uaccess.h"

#define USER_SIZE 928
#define USER_DEBUGREG 848
/* CF PF AF ZF SF TF DF OF NT RF AC: what a tracer may set. */
#define FLAGS_SETTABLE 0x54dd5UL
#define INSN_MAX 15

/* Words of user_regs_struct. */
enum {
	WORD_RIP = offsetof(struct regs, rip) / 8,
	WORD_CS = offsetof(struct regs, cs) / 8,
	WORD_FLAGS = offsetof(struct regs, rflags) / 8,
	WORD_SS = offsetof(struct regs, ss) / 8,
	WORD_FS_BASE = sizeof(struct regs) / 8,
	WORD_GS_BASE,
	WORD_DS,
	WORD_ES,
	WORD_FS,
	WORD_GS,
	WORDS,
};

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

/* --- one register --- */

static u64
get_word(const struct task *t, unsigned int n)
{
	const u64 *words = (const u64 *)task_regs(t);

	switch (n) {
	case WORD_FLAGS:
		return t->ptrace.mode & PT_FORCED_TF ? words[n] & ~RFLAGS_TF : words[n];
	case WORD_FS_BASE:
		return t->fs_base;
	case WORD_GS_BASE:
		return t->gs_base;
	case WORD_DS:
	case WORD_ES:
	case WORD_FS:
	case WORD_GS:
		return 0;
	}
	return words[n];
}

static void
set_flags(struct task *t, u64 v)
{
	struct regs *r = task_regs(t);

	/* A trap flag of its own stays when we take ours away. */
	if (v & RFLAGS_TF)
		ptrace_set_mode(t, t->ptrace.mode & ~PT_FORCED_TF);
	else if (t->ptrace.mode & PT_FORCED_TF)
		v |= RFLAGS_TF;
	r->rflags = (r->rflags & ~FLAGS_SETTABLE) | (v & FLAGS_SETTABLE);
}

static int
set_word(struct task *t, unsigned int n, u64 v)
{
	u64 *words = (u64 *)task_regs(t);

	switch (n) {
	case WORD_CS:
		if (v != SEL_USER_CODE)
			return -EIO;
		break;
	case WORD_SS:
		if (v != SEL_USER_DATA)
			return -EIO;
		break;
	case WORD_FLAGS:
		set_flags(t, v);
		return 0;
	case WORD_FS_BASE:
	case WORD_GS_BASE:
		if (v >= USER_END)
			return -EIO;
		*(n == WORD_FS_BASE ? &t->fs_base : &t->gs_base) = v;
		return 0;
	case WORD_DS:
	case WORD_ES:
	case WORD_FS:
	case WORD_GS:
		/* No program here uses them, and the switch does not keep them. */
		return v != 0 && v != SEL_USER_DATA ? -EIO : 0;
	}
	words[n] = v;
	return 0;
}

/* --- sets of registers --- */

static int
get_regs(const struct task *t, u64 __user *to, size_t n)
{
	u64 words[WORDS];

	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = get_word(t, i);
	return copy_to_user(to, words, n);
}

static int
set_regs(struct task *t, const u64 __user *from, size_t n)
{
	u64 words[WORDS];
	int err = 0;

	if (copy_from_user(words, from, n))
		return -EFAULT;
	for (unsigned int i = 0; i < n / 8 && !err; i++)
		err = set_word(t, i, words[i]);
	return err;
}

static int
get_fpregs(const struct task *t, void __user *to, size_t n)
{
	return copy_to_user(to, t->fpu->area, n);
}

static int
set_fpregs(struct task *t, const void __user *from, size_t n)
{
	u8 image[FPU_LEGACY_SIZE];

	if (n != sizeof(image))
		return -EINVAL;
	if (copy_from_user(image, from, n))
		return -EFAULT;
	return fpu_set_legacy(t->fpu, image);
}

static int
get_xstate(const struct task *t, void __user *to, size_t n)
{
	u8 *image = kmalloc(fpu_size, GFP_KERNEL);
	int err;

	if (!image)
		return -ENOMEM;
	fpu_get_image(t->fpu, image);
	err = copy_to_user(to, image, n);
	kfree(image);
	return err;
}

static int
set_xstate(struct task *t, const void __user *from, size_t n)
{
	u8 *image;
	int err;

	if (n != fpu_size)
		return -EFAULT;
	image = kmalloc(n, GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	err = copy_from_user(image, from, n);
	if (!err)
		err = fpu_set_image(t->fpu, image);
	kfree(image);
	return err;
}

struct iovec_abi {
	u64 base;
	u64 len;
};

static long
regset(struct task *t, unsigned long type, unsigned long data, bool set)
{
	struct iovec_abi __user *uiov = (struct iovec_abi __user *)data;
	struct iovec_abi iov;
	u64 __user *at;
	size_t size;
	int err;

	if (copy_from_user(&iov, uiov, sizeof(iov)))
		return -EFAULT;
	if (type == NT_PRSTATUS)
		size = WORDS * 8;
	else if (type == NT_PRFPREG)
		size = FPU_LEGACY_SIZE;
	else if (type == NT_X86_XSTATE && fpu_xcr0)
		size = fpu_size;
	else
		return -EINVAL;
	if (iov.len % 8)
		return -EINVAL;
	iov.len = min(iov.len, (u64)size);
	at = (u64 __user *)iov.base;
	if (type == NT_PRSTATUS)
		err = set ? set_regs(t, at, iov.len) : get_regs(t, at, iov.len);
	else if (type == NT_PRFPREG)
		err = set ? set_fpregs(t, at, iov.len) : get_fpregs(t, at, iov.len);
	else
		err = set ? set_xstate(t, at, iov.len) : get_xstate(t, at, iov.len);
	return err ? err : put_user(iov.len, &uiov->len);
}

/* --- struct user --- */

static long
peek_user(struct task *t, unsigned long addr, unsigned long data)
{
	u64 v = 0;

	if ((addr & 7) || addr >= USER_SIZE)
		return -EIO;
	if (addr < WORDS * 8)
		v = get_word(t, addr / 8);
	else if (addr >= USER_DEBUGREG && addr < USER_DEBUGREG + 64)
		v = debugreg_get(t, (addr - USER_DEBUGREG) / 8);
	return put_user(v, (u64 __user *)data);
}

static long
poke_user(struct task *t, unsigned long addr, u64 v)
{
	if ((addr & 7) || addr >= USER_SIZE)
		return -EIO;
	if (addr < WORDS * 8)
		return set_word(t, addr / 8, v);
	if (addr >= USER_DEBUGREG && addr < USER_DEBUGREG + 64)
		return debugreg_set(t, (addr - USER_DEBUGREG) / 8, v);
	return -EIO;
}

static long
set_or_get_base(struct task *t, unsigned long option, unsigned long addr)
{
	u64 *base = option == ARCH_SET_GS || option == ARCH_GET_GS ? &t->gs_base : &t->fs_base;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= USER_END)
			return -EPERM;
		*base = addr;
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		return put_user(*base, (u64 __user *)addr);
	}
	return -EINVAL;
}

long
arch_ptrace(struct task *t, unsigned int request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_PEEKUSER:
		return peek_user(t, addr, data);
	case PTRACE_POKEUSER:
		return poke_user(t, addr, data);
	case PTRACE_GETREGS:
		return get_regs(t, (u64 __user *)data, WORDS * 8);
	case PTRACE_SETREGS:
		return set_regs(t, (const u64 __user *)data, WORDS * 8);
	case PTRACE_GETFPREGS:
		return get_fpregs(t, (void __user *)data, FPU_LEGACY_SIZE);
	case PTRACE_SETFPREGS:
		return set_fpregs(t, (const void __user *)data, FPU_LEGACY_SIZE);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(t, addr, data, request == PTRACE_SETREGSET);
	case PTRACE_ARCH_PRCTL:
		return set_or_get_base(t, data, addr);
	}
	return -EIO;
}

/* --- core files --- */

static_assert(CORE_REGS == WORDS && CORE_FPREGS_SIZE == FPU_LEGACY_SIZE, "ABI");

void
arch_core_sync(void)
{
	struct task *t = current;

	fpu_sync();
	t->fs_base = rdmsr(MSR_FS_BASE);
	t->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

void
arch_core_regs(const struct task *t, u64 regs[CORE_REGS])
{
	for (unsigned int i = 0; i < WORDS; i++)
		regs[i] = get_word(t, i);
}

const void *
arch_core_fpregs(const struct task *t)
{
	return t->fpu->area;
}

size_t
arch_core_xstate_size(void)
{
	return fpu_xcr0 ? fpu_size : 0;
}

void
arch_core_xstate(const struct task *t, u8 *image)
{
	fpu_get_image(t->fpu, image);
}

/* --- single steps --- */

static bool
is_prefix(u8 b)
{
	/* Segments, sizes, lock and repeat; REX. */
	return b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || (b >= 0x64 && b <= 0x67) ||
	       b == 0xf0 || b == 0xf2 || b == 0xf3 || (b & 0xf0) == 0x40;
}

/* Will the next instruction, popf or iret, load the trap flag itself? */
static bool
loads_flags(struct task *t)
{
	struct space *s = task_get_space(t);
	u8 code[INSN_MAX];
	size_t n, i;

	if (!s)
		return false;
	n = space_access_force(s, task_regs(t)->rip, code, sizeof(code), false);
	space_put_user(s);
	for (i = 0; i < n && is_prefix(code[i]); i++)
		;
	return i < n && (code[i] == 0x9d || code[i] == 0xcf);
}

void
arch_ptrace_step(struct task *t, bool on)
{
	struct regs *r = task_regs(t);
	u32 mode = t->ptrace.mode;

	if (!on) {
		if (mode & PT_FORCED_TF)
			r->rflags &= ~RFLAGS_TF;
		mode &= ~(PT_STEP | PT_FORCED_TF);
	} else {
		if (loads_flags(t))
			mode &= ~PT_FORCED_TF;
		else if (!(r->rflags & RFLAGS_TF))
			mode |= PT_FORCED_TF;
		r->rflags |= RFLAGS_TF;
		mode |= PT_STEP;
	}
	if (mode != t->ptrace.mode)
		ptrace_set_mode(t, mode);
}

void
arch_watch_refresh(void)
{
	unsigned long flags = irq_save();

	this_cpu(syscall_watch[1]) = !!(READ_ONCE(current->switch_flags) & SWITCH_WATCHED);
	irq_restore(flags);
}

void
arch_ptrace_watch(struct task *t, bool on)
{
	if (on)
		atomic_or(&t->switch_flags, SWITCH_SYSCALLS);
	else
		atomic_and(&t->switch_flags, ~SWITCH_SYSCALLS);
	if (t == current)
		arch_watch_refresh();
}

void
arch_seccomp_watch(struct task *t)
{
	atomic_or(&t->switch_flags, SWITCH_SECCOMP);
	if (t == current)
		arch_watch_refresh();
}
