/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prctl(PR_SET_SYSCALL_USER_DISPATCH): a program that runs another system's programs
 * gets a SIGSYS for each system call that comes from outside of its own code,
 * unless a byte of its memory allows them.
 *
 * It comes before everything else that looks at calls, since what is called need
 * not mean anything here: tracers and filters are not told. A new task begins
 * without it.
 *
 * Contexts: current's own, on the way into a system call.
 */
#include "kernel/task/dispatch.h"

#include "arch/x86_64/asm/regs.h"
#include "kernel/port.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/prctl.h"
#include "kernel/uapi/ptrace.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

static void
switch_on(bool on)
{
	if (on)
		atomic_or(&current->switch_flags, SWITCH_DISPATCH);
	else
		atomic_and(&current->switch_flags, ~SWITCH_DISPATCH);
	arch_watch_refresh();
}

long
dispatch_prctl(unsigned long mode, unsigned long offset, unsigned long len, u8 __user *selector)
{
	switch (mode) {
	case PR_SYS_DISPATCH_OFF:
		if (offset || len || selector)
			return -EINVAL;
		break;
	case PR_SYS_DISPATCH_ON:
		/* Nothing at all, at 0, is a range too. */
		if (offset && offset + len <= offset)
			return -EINVAL;
		/* The kernel's half; what cannot be read is seen as it is looked at. */
		if ((s64 __force)selector < 0)
			return -EFAULT;
		break;
	default:
		return -EINVAL;
	}
	current->dispatch = (struct task_dispatch){offset, len, selector, false};
	switch_on(mode == PR_SYS_DISPATCH_ON);
	return 0;
}

static void __noreturn
end(int sig)
{
	struct siginfo info = {.signo = sig, .code = SI_KERNEL};

	signal_kill_current(&info);
}

/* The handler finds the registers of the call. */
static void
take(struct regs *r)
{
	struct siginfo info = {.signo = SIGSYS, .code = SYS_USER_DISPATCH};

	info.call_addr = r->rip;
	info.syscall = (s32)r->orig_rax;
	info.arch = AUDIT_ARCH_X86_64;
	r->rax = r->orig_rax;
	signal_force_info(&info);
}

bool
dispatch_enter(struct regs *r)
{
	struct task_dispatch *d = &current->dispatch;
	u8 state;

	d->taken = false;
	if (r->rip - d->offset < d->len)
		return false;
	if (d->selector) {
		if (get_user(state, d->selector))
			end(SIGSEGV);
		if (state == SYSCALL_DISPATCH_FILTER_ALLOW)
			return false;
		if (state != SYSCALL_DISPATCH_FILTER_BLOCK)
			end(SIGSYS);
	}
	d->taken = true;
	take(r);
	return true;
}

void
dispatch_exec(void)
{
	if (READ_ONCE(current->switch_flags) & SWITCH_DISPATCH)
		switch_on(false);
}
