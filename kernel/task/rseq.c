/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restartable sequences (rseq(2)).
 *
 * Model: a thread registers an area in its memory. On each way back to user
 * mode after it was preempted, moved or signalled (WORK_RSEQ) the kernel
 * writes the number of the CPU there; if the thread was inside the critical
 * section that the area points to, it goes on at the section's abort handler.
 * The word before that handler must be the signature given at registration, so
 * that the mechanism does not help to jump anywhere.
 *
 * See: Linux, Documentation/userspace-api and rseq(2).
 */
#include "kernel/task/rseq.h"

#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/rseq.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* The section that the thread says it is in; *cs.start_ip 0: none. */
static int
read_section(const struct task *t, struct rseq_cs *cs)
{
	const struct rseq __user *area = t->rseq;
	u64 ptr;
	u32 sig;

	cs->start_ip = 0;
	if (get_user(ptr, user_field(area, rseq_cs)))
		return -EFAULT;
	if (!ptr)
		return 0;
	if (ptr >= USER_END || copy_from_user(cs, (const void __user *)ptr, sizeof(*cs)))
		return -EFAULT;
	if (cs->version != 0 || cs->start_ip >= USER_END || cs->abort_ip >= USER_END ||
	    cs->post_commit_offset >= USER_END - cs->start_ip)
		return -EINVAL;
	if (cs->abort_ip - cs->start_ip < cs->post_commit_offset)
		return -EINVAL;
	if (get_user(sig, (const u32 __user *)(cs->abort_ip - sizeof(u32))) || sig != t->rseq_sig)
		return -EINVAL;
	return 0;
}

static int
fix_ip(struct task *t, struct regs *r)
{
	struct rseq __user *area = t->rseq;
	struct rseq_cs cs;
	int err = read_section(t, &cs);

	if (err || !cs.start_ip)
		return err;
	/* Outside the section the pointer is stale: the thread left it without clearing. */
	if (put_user(0UL, user_field(area, rseq_cs)))
		return -EFAULT;
	if (r->rip - cs.start_ip < cs.post_commit_offset)
		r->rip = cs.abort_ip;
	return 0;
}

static int
store_cpu(struct task *t)
{
	struct rseq __user *area = t->rseq;
	u32 cpu = cpu_id();

	return put_user(cpu, user_field(area, cpu_id_start)) ||
			       put_user(cpu, user_field(area, cpu_id))
		       ? -EFAULT
		       : 0;
}

void
rseq_exit_to_user(struct regs *r)
{
	struct task *t = current;

	if (!t->rseq || (t->flags & TASK_EXITING))
		return;
	if (fix_ip(t, r) || store_cpu(t))
		signal_force(SIGSEGV);
}

void
rseq_signal(struct regs *r)
{
	if (fix_ip(current, r))
		signal_force(SIGSEGV);
}

void
rseq_exec(struct task *t)
{
	t->rseq = NULL;
	t->rseq_len = 0;
	t->rseq_sig = 0;
}

static long
rseq_unregister(struct task *t, void __user *area, u32 len, int flags, u32 sig)
{
	struct rseq __user *a = area;

	if (flags & ~RSEQ_FLAG_UNREGISTER)
		return -EINVAL;
	if (!t->rseq || t->rseq != area || len != t->rseq_len)
		return -EINVAL;
	if (sig != t->rseq_sig)
		return -EPERM;
	if (put_user(0u, user_field(a, cpu_id_start)) ||
	    put_user(RSEQ_CPU_ID_UNINITIALIZED, user_field(a, cpu_id)))
		return -EFAULT;
	rseq_exec(t);
	return 0;
}

long
sys_rseq(void __user *area, u32 len, int flags, u32 sig)
{
	struct task *t = current;

	if (flags & RSEQ_FLAG_UNREGISTER)
		return rseq_unregister(t, area, len, flags, sig);
	if (flags)
		return -EINVAL;
	if (t->rseq) {
		if (t->rseq != area || len != t->rseq_len)
			return -EINVAL;
		return sig != t->rseq_sig ? -EPERM : -EBUSY;
	}
	if (((unsigned long __force)area & (sizeof(struct rseq) - 1)) || len != sizeof(struct rseq))
		return -EINVAL;
	if (!user_range_ok(area, len))
		return -EFAULT;
	t->rseq = area;
	t->rseq_len = len;
	t->rseq_sig = sig;
	atomic_or(&t->work, WORK_RSEQ);
	return 0;
}
