/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits: getrlimit(2), setrlimit(2), prlimit(2). */
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "mm/uaccess.h"

/* fs.nr_open */
#define NR_OPEN_MAX (1024 * 1024)

int
rlimit_set(struct process *p, unsigned int which, const struct rlimit *want, struct rlimit *old)
{
	struct rlimit *r = &p->rlim[which];
	unsigned long flags;
	int err = 0;

	if (want->cur > want->max)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && want->max > NR_OPEN_MAX)
		return -EPERM;
	flags = spin_lock_irq(&p->lock);
	*old = *r;
	if (want->max > r->max && !capable(CAP_SYS_RESOURCE)) {
		err = -EPERM;
	} else {
		seq_write_begin(&p->rlim_seq);
		*r = *want;
		seq_write_end(&p->rlim_seq);
	}
	spin_unlock_irq(&p->lock, flags);
	return err;
}

static void
limit_get(const struct process *p, unsigned int which, struct rlimit *r)
{
	u32 seq;

	do {
		seq = seq_read_begin(&p->rlim_seq);
		*r = p->rlim[which];
	} while (seq_read_retry(&p->rlim_seq, seq));
}

/* May current see and set the limits of t? Inside an RCU section. */
static int
limit_permission(struct task *t)
{
	const struct cred *me = current_cred();
	const struct cred *c = task_cred(t);

	if (t == current)
		return 0;
	if (me->uid == c->euid && me->uid == c->suid && me->uid == c->uid && me->gid == c->egid &&
	    me->gid == c->sgid && me->gid == c->gid)
		return 0;
	return capable(CAP_SYS_RESOURCE) ? 0 : -EPERM;
}

long
sys_getrlimit(unsigned int which, struct rlimit __user *r)
{
	struct rlimit old;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	limit_get(current->process, which, &old);
	return copy_to_user(r, &old, sizeof(old));
}

long
sys_setrlimit(unsigned int which, const struct rlimit __user *r)
{
	struct rlimit want, old;

	if (copy_from_user(&want, r, sizeof(want)))
		return -EFAULT;
	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	return rlimit_set(current->process, which, &want, &old);
}

/* The process of a task, whose limits are meant, with a reference. */
static struct process *
limit_target(int pid)
{
	struct process *p;
	struct task *t;
	int err;

	rcu_read_lock();
	t = task_find(pid);
	err = t ? limit_permission(t) : -ESRCH;
	p = err ? err_ptr(err) : process_get(t->process);
	rcu_read_unlock();
	return p;
}

long
sys_prlimit64(int pid, unsigned int which, const struct rlimit __user *unew,
	      struct rlimit __user *uold)
{
	struct rlimit want, old;
	struct process *p;
	int err;

	if (unew && copy_from_user(&want, unew, sizeof(want)))
		return -EFAULT;
	/* One's own process needs no reference. */
	p = pid ? limit_target(pid) : current->process;
	if (is_err(p))
		return ptr_err(p);
	err = which >= RLIM_NLIMITS ? -EINVAL : 0;
	if (!err && unew)
		err = rlimit_set(p, which, &want, &old);
	else if (!err)
		limit_get(p, which, &old);
	if (pid)
		process_put(p);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}
