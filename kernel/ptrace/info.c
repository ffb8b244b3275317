/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace(2): requests about options, events, signals and system calls of a
 * tracee, which is stopped and frozen (stop.c): what they read stays.
 */
#include "kernel/ptrace/ptrace_impl.h"

#include "kernel/seccomp/seccomp.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* Size of struct rseq that rseq(2) takes. */
#define RSEQ_SIZE 32
#define MAX_ERRNO 4095

static long
set_options(struct task *t, unsigned long options)
{
	unsigned long flags;
	int err = ptrace_check_options(options);

	if (err)
		return err;
	flags = spin_lock_irq(&t->process->lock);
	WRITE_ONCE(t->ptrace.flags, (t->ptrace.flags & ~PTRACE_O_MASK) | (u32)options);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

/* --- signals --- */

static long
get_siginfo(struct task *t, unsigned long data)
{
	if (!t->ptrace.info)
		return -EINVAL;
	return copy_to_user((void __user *)data, t->ptrace.info, sizeof(struct siginfo));
}

static long
set_siginfo(struct task *t, unsigned long data)
{
	struct siginfo info;

	if (copy_from_user(&info, (const void __user *)data, sizeof(info)))
		return -EFAULT;
	if (!t->ptrace.info)
		return -EINVAL;
	*t->ptrace.info = info;
	return 0;
}

/* Entry number off of the queue; false: there is none. */
static bool
peek_entry(struct task *t, bool shared, u64 off, struct siginfo *info)
{
	struct process *p = t->process;
	struct sigpending *pending = shared ? &p->signals.pending : &t->signals.pending;
	unsigned long flags = spin_lock_irq(&p->lock);
	struct sigqueue *q;
	bool found = false;

	memset(info, 0, sizeof(*info));
	list_for_each_entry(q, &pending->list, link) {
		if (off--)
			continue;
		memcpy(info, &q->info, SIGINFO_KERNEL_SIZE);
		found = true;
		break;
	}
	spin_unlock_irq(&p->lock, flags);
	return found;
}

static long
peek_siginfo(struct task *t, unsigned long addr, unsigned long data)
{
	struct siginfo __user *to = (struct siginfo __user *)data;
	struct ptrace_peeksiginfo_args a;
	struct siginfo info;
	s32 i;

	if (copy_from_user(&a, (const void __user *)addr, sizeof(a)))
		return -EFAULT;
	if ((a.flags & ~PTRACE_PEEKSIGINFO_SHARED) || a.nr < 0)
		return -EINVAL;
	for (i = 0; i < a.nr; i++) {
		if (a.off + (u64)i < a.off ||
		    !peek_entry(t, a.flags & PTRACE_PEEKSIGINFO_SHARED, a.off + (u64)i, &info))
			break;
		if (copy_to_user(&to[i], &info, sizeof(info)))
			return i ? i : -EFAULT;
		if (fatal_signal_pending() || signal_pending())
			return i + 1;
	}
	return i;
}

/* The mask that it will have again: a call may have set another one for its duration. */
static sigset_t *
mask_of(struct task *t)
{
	return READ_ONCE(t->work) & WORK_RESTORE_MASK ? &t->signals.saved_mask
						      : &t->signals.blocked;
}

static long
get_sigmask(struct task *t, unsigned long size, unsigned long data)
{
	if (size != sizeof(sigset_t))
		return -EINVAL;
	return put_user(*mask_of(t), (u64 __user *)data);
}

static long
set_sigmask(struct task *t, unsigned long size, unsigned long data)
{
	unsigned long flags;
	sigset_t mask;

	if (size != sizeof(sigset_t))
		return -EINVAL;
	if (get_user(mask, (const u64 __user *)data))
		return -EFAULT;
	flags = spin_lock_irq(&t->process->lock);
	t->signals.blocked = mask & ~SIG_UNBLOCKABLE;
	/* What is not blocked any more it finds as it goes on. */
	atomic_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	atomic_or(&t->work, WORK_SIGNAL);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

/* --- system calls, rseq --- */

/* What is to be called, where both kinds of stops before a call show it. */
static size_t
put_call(struct ptrace_syscall_info *i, const struct regs *r)
{
	const u64 args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

	i->entry.nr = r->orig_rax;
	memcpy(i->entry.args, args, sizeof(args));
	return sizeof(i->entry);
}

static long
get_syscall_info(struct task *t, unsigned long size, unsigned long data)
{
	const struct regs *r = task_regs(t);
	struct ptrace_syscall_info i = {
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = r->rip,
		.stack_pointer = r->rsp,
	};
	size_t n = offsetof(struct ptrace_syscall_info, entry);
	int code = t->ptrace.info ? t->ptrace.info->code : 0;

	if (code == (SIGTRAP | 0x80) && t->ptrace.message == PTRACE_EVENTMSG_SYSCALL_ENTRY) {
		i.op = PTRACE_SYSCALL_INFO_ENTRY;
		n += put_call(&i, r);
	} else if (code == (SIGTRAP | 0x80) && t->ptrace.message == PTRACE_EVENTMSG_SYSCALL_EXIT) {
		i.op = PTRACE_SYSCALL_INFO_EXIT;
		i.exit.rval = (s64)r->rax;
		i.exit.is_error = r->rax >= -(u64)MAX_ERRNO;
		n += offsetof(__typeof__(i.exit), is_error) + 1;
	} else if (code == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
		i.op = PTRACE_SYSCALL_INFO_SECCOMP;
		n += put_call(&i, r) + sizeof(i.seccomp.ret_data);
		i.seccomp.ret_data = (u32)t->ptrace.message;
	}
	if (copy_to_user((void __user *)data, &i, min(n, size)))
		return -EFAULT;
	return (long)n;
}

static long
get_rseq(struct task *t, unsigned long size, unsigned long data)
{
	struct ptrace_rseq_configuration c = {
		.rseq_abi_pointer = (u64 __force)t->rseq,
		.rseq_abi_size = RSEQ_SIZE,
		.signature = t->rseq_sig,
	};

	if (copy_to_user((void __user *)data, &c, min(size, sizeof(c))))
		return -EFAULT;
	return sizeof(c);
}

long
ptrace_info_request(struct task *t, unsigned int request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_SETOPTIONS:
	case PTRACE_OLDSETOPTIONS:
		return set_options(t, data);
	case PTRACE_GETEVENTMSG:
		return put_user(t->ptrace.message, (u64 __user *)data);
	case PTRACE_GETSIGINFO:
		return get_siginfo(t, data);
	case PTRACE_SETSIGINFO:
		return set_siginfo(t, data);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(t, addr, data);
	case PTRACE_GETSIGMASK:
		return get_sigmask(t, addr, data);
	case PTRACE_SETSIGMASK:
		return set_sigmask(t, addr, data);
	case PTRACE_GET_SYSCALL_INFO:
		return get_syscall_info(t, addr, data);
	case PTRACE_SECCOMP_GET_FILTER:
		return seccomp_get_filter(t, addr, (void __user *)data);
	case PTRACE_SECCOMP_GET_METADATA:
		return seccomp_get_metadata(t, addr, (void __user *)data);
	case PTRACE_GET_RSEQ_CONFIGURATION:
		return get_rseq(t, addr, data);
	}
	/* Not one of these: no request of ours gives that. */
	return -ENOTTY;
}
