/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seccomp(2): what becomes of a system call.
 *
 * Every filter of the chain sees it, the last first. The one that is strictest
 * decides, of equal ones the last: kill the process, kill the thread, a signal,
 * an error, ask a listener, ask a tracer, log, allow. It is asked after a tracer
 * that stops the task at system calls, whose changes it sees; a call that a
 * tracer changes when a filter asks it is looked at once more, and then "ask the
 * tracer" lets it through.
 *
 * Contexts: current's own, on the way into a system call, nothing held.
 */
#include "kernel/seccomp/seccomp_impl.h"

#include "arch/x86_64/asm/barrier.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"

#define MAX_ERRNO 4095

static void
fill_data(struct seccomp_data *d, const struct regs *r)
{
	*d = (struct seccomp_data){
		.nr = (s32)r->orig_rax,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = r->rip,
		.args = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9},
	};
}

/* What the chain says; *by: the filter that said it, NULL: all allow it. */
static u32
run_filters(const struct seccomp_data *d, struct seccomp_filter **by)
{
	struct seccomp_filter *f = smp_load_acquire(&current->seccomp.filter);
	u32 ret = SECCOMP_RET_ALLOW;

	*by = NULL;
	if ((u32)d->nr <= SYSCALL_MAX &&
	    (f->allowed[d->nr / BITS_PER_LONG] & BIT(d->nr % BITS_PER_LONG)))
		return ret;
	for (; f; f = f->prev) {
		u32 v = cbpf_run(f->insns, (const u8 *)d, sizeof(*d), sizeof(*d));

		if ((s32)(v & SECCOMP_RET_ACTION_FULL) < (s32)(ret & SECCOMP_RET_ACTION_FULL)) {
			ret = v;
			*by = f;
		}
	}
	return ret;
}

static void
fill_siginfo(struct siginfo *info, const struct seccomp_data *d, u32 value)
{
	*info = (struct siginfo){
		.signo = SIGSYS,
		.err = (s32)(value & SECCOMP_RET_DATA),
		.code = SYS_SECCOMP,
	};
	info->call_addr = d->instruction_pointer;
	info->syscall = d->nr;
	info->arch = d->arch;
}

static void __noreturn
end_task(struct regs *r, const struct seccomp_data *d, u32 value)
{
	u32 action = value & SECCOMP_RET_ACTION_FULL;
	struct siginfo info;

	seccomp_log(d, SIGSYS, action, true);
	WRITE_ONCE(current->seccomp.mode, SECCOMP_MODE_DEAD);
	if (action == SECCOMP_RET_KILL_THREAD && READ_ONCE(current->process->live) > 1)
		task_exit(SIGSYS);
	/* The core shows the registers of the call. */
	r->rax = r->orig_rax;
	fill_siginfo(&info, d, value);
	signal_kill_current(&info);
}

static void
trap(struct regs *r, const struct seccomp_data *d, u32 value)
{
	struct siginfo info;

	/* The handler finds the registers of the call. */
	r->rax = r->orig_rax;
	fill_siginfo(&info, d, value);
	signal_force_info(&info);
}

/* False: the tracer lets the call be made, perhaps another one. */
static bool
ask_tracer(struct regs *r, u32 value)
{
	if (!ptrace_event_wanted(PTRACE_EVENT_SECCOMP)) {
		r->rax = -(u64)ENOSYS;
		return true;
	}
	ptrace_event(PTRACE_EVENT_SECCOMP, value & SECCOMP_RET_DATA);
	/* It may not have come to forbid it; or it did. */
	return fatal_signal_pending() || (s32)r->orig_rax < 0;
}

/* True: the call is not made. traced: the tracer has been asked. */
static bool
filter_call(struct regs *r, bool traced)
{
	struct seccomp_filter *by;
	struct seccomp_data d;
	bool skip = true;
	long ret = 0;
	u32 value;

	fill_data(&d, r);
	value = run_filters(&d, &by);
	switch (value & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return false;
	case SECCOMP_RET_LOG:
		seccomp_log(&d, 0, SECCOMP_RET_LOG, true);
		return false;
	case SECCOMP_RET_TRACE:
		if (traced)
			return false;
		skip = ask_tracer(r, value);
		if (!skip)
			return filter_call(r, true);
		break;
	case SECCOMP_RET_USER_NOTIF:
		skip = seccomp_ask(by, &d, &ret);
		if (skip)
			r->rax = (u64)ret;
		break;
	case SECCOMP_RET_ERRNO:
		r->rax = -(u64)min(value & SECCOMP_RET_DATA, (u32)MAX_ERRNO);
		break;
	case SECCOMP_RET_TRAP:
		trap(r, &d, value);
		break;
	default:
		end_task(r, &d, value);
	}
	if (skip)
		seccomp_log(&d, 0, value & SECCOMP_RET_ACTION_FULL, by->log);
	return skip;
}

/* read, write, _exit, sigreturn. */
static void
strict_call(const struct regs *r)
{
	static const u8 allowed[] = {0, 1, 60, 15};
	struct seccomp_data d;

	for (unsigned int i = 0; i < ARRAY_SIZE(allowed); i++)
		if ((s32)r->orig_rax == allowed[i])
			return;
	fill_data(&d, r);
	seccomp_log(&d, SIGKILL, SECCOMP_RET_KILL_THREAD, true);
	WRITE_ONCE(current->seccomp.mode, SECCOMP_MODE_DEAD);
	task_exit(SIGKILL);
}

bool
seccomp_enter(struct regs *r)
{
	u32 mode = smp_load_acquire(&current->seccomp.mode);

	if (READ_ONCE(current->ptrace.flags) & PTRACE_O_SUSPEND_SECCOMP)
		return false;
	if (mode == SECCOMP_MODE_STRICT)
		strict_call(r);
	return mode == SECCOMP_MODE_FILTER && filter_call(r, false);
}
