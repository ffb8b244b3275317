/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace(2): who traces whom, from attaching to parting.
 *
 * Model: a tracee is in the list of its tracer's process, so that every thread
 * there can wait for it; but only the tracer, a thread, may work on it. It
 * leaves the list by PTRACE_DETACH, by the end of its tracer, or when the tracer
 * has waited for its end. A tracee that has exited while in the list is a zombie
 * whose tracer releases it: a thread counts in its process until then, a leader's
 * parent learns nothing until then.
 *
 * Locking: stop.c. Who exec()s computes rights from what it is, traced or not,
 * and gets them later: process->in_exec is set in between and nobody attaches.
 */
#include "kernel/ptrace/ptrace_impl.h"

#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/seccomp/seccomp.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"

struct process *
ptrace_lock_tracer(struct task *t)
{
	for (;;) {
		struct task *tracer = rcu_load(t->ptrace.tracer);
		struct process *p;

		if (!tracer)
			return NULL;
		p = tracer->process;
		spin_lock(&p->family_lock);
		if (rcu_locked(t->ptrace.tracer) == tracer)
			return p;
		spin_unlock(&p->family_lock);
	}
}

s32
ptrace_tracer_tid(const struct task *t)
{
	struct task *tracer;
	s32 tid;

	rcu_read_lock();
	tracer = rcu_load(t->ptrace.tracer);
	tid = tracer ? tracer->tid : 0;
	rcu_read_unlock();
	return tid;
}

/* --- the link; the tracer's family_lock is held, and t's process->lock --- */

static void
link_tracee(struct task *t, struct task *tracer, u32 flags, bool capable)
{
	rcu_publish(t->ptrace.tracer, tracer);
	list_add_tail(&t->ptrace.link, &tracer->process->tracees);
	t->ptrace.tracer_capable = capable;
	WRITE_ONCE(t->ptrace.flags, flags);
}

static void
unlink_tracee(struct task *t)
{
	struct process *p = t->process;

	list_del_init(&t->ptrace.link);
	rcu_publish(t->ptrace.tracer, NULL);
	WRITE_ONCE(t->ptrace.flags, 0);
	t->ptrace.zombie = false;
	/* One that runs sees to it itself: ptrace_end_mode(). */
	if ((t->signals.stop & STOP_TRACED) || t == current)
		ptrace_set_mode(t, t->ptrace.mode & PT_FORCED_TF);
	else
		atomic_or(&t->work, WORK_NOTIFY);
	t->signals.stop &= ~(STOP_TRAP | STOP_TRAP_NOTIFY | STOP_TRAPPING);
	/* It takes part in the group stop that the others stand in. */
	if (!(t->flags & TASK_EXITING) &&
	    ((p->signals.flags & PSIG_STOPPED) || p->signals.stop_count))
		t->signals.stop |= STOP_PENDING;
	if (t->signals.stop & STOP_TRACED)
		ptrace_wake(t);
	if (t->signals.stop & STOP_PENDING)
		signal_wake(t, false);
}

void
ptrace_unlink_zombie(struct task *t)
{
	unsigned long flags = spin_lock_irq(&t->process->lock);

	unlink_tracee(t);
	spin_unlock_irq(&t->process->lock, flags);
}

/* --- PTRACE_TRACEME --- */

/* The thread that made us, or the leader that took us in; the family lock of p is held. */
static struct task *
parent_thread(struct process *p)
{
	struct task *t;

	for_each_thread(p, t)
		if (t->tid == current->process->parent_tid)
			return t;
	return rcu_load(p->leader);
}

/* May the parent look into us? Its capabilities must include ours, or be CAP_SYS_PTRACE. */
static bool
parent_may(const struct task *parent, bool *capable)
{
	const struct cred *c = task_cred(parent);

	*capable = cred_capable(c, CAP_SYS_PTRACE);
	return *capable || !(current_cred()->cap_permitted & ~c->cap_permitted);
}

int
ptrace_traceme(void)
{
	struct task *t = current, *parent;
	struct process *p;
	unsigned long flags;
	bool capable;
	int err = 0;

	rcu_read_lock();
	p = process_lock_parent(t->process);
	parent = parent_thread(p);
	flags = spin_lock_irq(&t->process->lock);
	if (t->ptrace.flags || !parent_may(parent, &capable))
		err = -EPERM;
	else if (!(READ_ONCE(parent->flags) & TASK_EXITING))
		link_tracee(t, parent, PT_TRACED, capable);
	spin_unlock_irq(&t->process->lock, flags);
	spin_unlock(&p->family_lock);
	rcu_read_unlock();
	return err;
}

/* --- PTRACE_ATTACH, PTRACE_SEIZE --- */

int
ptrace_check_options(unsigned long options)
{
	if (options & ~(unsigned long)PTRACE_O_MASK)
		return -EINVAL;
	if ((options & PTRACE_O_SUSPEND_SECCOMP) && !seccomp_may_suspend())
		return -EPERM;
	return 0;
}

void
ptrace_exec_begin(void)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	p->in_exec++;
	spin_unlock_irq(&p->lock, flags);
}

void
ptrace_exec_end(void)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	p->in_exec--;
	spin_unlock_irq(&p->lock, flags);
	waitq_wake_all(&p->child_wait);
}

int
ptrace_wait_for_exec(struct process *p)
{
	struct waiter waiter;
	int err = 0;

	if (likely(!READ_ONCE(p->in_exec)))
		return 0;
	waiter_init_current(&waiter, 0);
	while (!err) {
		waitq_prepare(&p->child_wait, &waiter, PARK_INTERRUPTIBLE);
		if (!READ_ONCE(p->in_exec))
			break;
		err = park(NO_DEADLINE);
	}
	waitq_finish(&p->child_wait, &waiter);
	return err ? -ERESTARTNOINTR : 0;
}

/* Our family_lock and t's process->lock are held. */
static int
attach_locked(struct task *t, u32 flags)
{
	struct process *p = t->process;

	if (p->in_exec)
		return -EAGAIN;
	if (t->exited || t->ptrace.flags || !p->signals.sighand)
		return -EPERM;
	/* An exec that is over may have given it rights since we looked. */
	if (task_may_access(t, ACCESS_REALCREDS))
		return -EPERM;
	link_tracee(t, current, flags, capable(CAP_SYS_PTRACE));
	if (!(flags & PT_SEIZED))
		(void)signal_send_locked(p, t, SIGSTOP, NULL);
	/* From its group stop it comes over to ours. */
	if ((t->signals.stop & STOP_STOPPED) && ptrace_ask(t, STOP_TRAP | STOP_TRAPPING)) {
		signal_wake_stopped(t);
		signal_wake(t, false);
	}
	return 0;
}

/* It stood in a group stop: what we do next shall find it in ours. */
static void
wait_for_trapping(struct task *t)
{
	struct waitq *q = &current->process->child_wait;
	struct waiter waiter;

	if (!(READ_ONCE(t->signals.stop) & STOP_TRAPPING))
		return;
	waiter_init_current(&waiter, 0);
	for (;;) {
		waitq_prepare(q, &waiter, PARK_KILLABLE);
		if (!(READ_ONCE(t->signals.stop) & STOP_TRAPPING) || park(NO_DEADLINE))
			break;
	}
	waitq_finish(q, &waiter);
}

int
ptrace_attach(struct task *t, bool seize, unsigned long addr, unsigned long options)
{
	struct process *self = current->process;
	u32 how = PT_TRACED;
	unsigned long flags;
	int err;

	if (seize) {
		if (addr || (options & ~(unsigned long)PTRACE_O_MASK))
			return -EIO;
		err = ptrace_check_options(options);
		if (err)
			return err;
		how |= PT_SEIZED | (u32)options;
	}
	if (task_is_kthread(t) || t->process == self)
		return -EPERM;
	do {
		err = ptrace_wait_for_exec(t->process);
		if (!err)
			err = task_may_access(t, ACCESS_REALCREDS);
		if (err)
			return err;
		spin_lock(&self->family_lock);
		flags = spin_lock_irq(&t->process->lock);
		err = attach_locked(t, how);
		spin_unlock_irq(&t->process->lock, flags);
		spin_unlock(&self->family_lock);
	} while (err == -EAGAIN);
	if (!err)
		wait_for_trapping(t);
	return err;
}

/* --- fork --- */

void
ptrace_fork(struct task *child, bool traced)
{
	struct task *t = current;
	struct process *p;
	unsigned long flags;
	u32 how;

	if (!traced)
		return;
	rcu_read_lock();
	p = ptrace_lock_tracer(t);
	if (p) {
		flags = spin_lock_irq(&child->process->lock);
		how = READ_ONCE(t->ptrace.flags);
		if (!child->ptrace.flags) {
			link_tracee(child, rcu_locked(t->ptrace.tracer), how,
				    t->ptrace.tracer_capable);
			if (how & PT_SEIZED)
				child->signals.stop |= STOP_TRAP;
			else
				child->signals.pending.set |= sigmask(SIGSTOP);
			atomic_or(&child->work, WORK_SIGNAL);
		}
		spin_unlock_irq(&child->process->lock, flags);
		spin_unlock(&p->family_lock);
	}
	rcu_read_unlock();
}

/* --- parting --- */

/* A zombie that nobody waits for any more; no lock is held. */
static void
release_zombie(struct task *t)
{
	if (rcu_locked(t->process->leader) == t)
		process_tell_parent(t->process);
	else
		thread_release(t);
}

int
ptrace_detach(struct task *t, unsigned long sig)
{
	struct process *self = current->process;
	unsigned long flags;

	if (sig > NSIG)
		return -EIO;
	arch_ptrace_step(t, false);
	spin_lock(&self->family_lock);
	flags = spin_lock_irq(&t->process->lock);
	t->ptrace.code = (s32)sig;
	unlink_tracee(t);
	spin_unlock_irq(&t->process->lock, flags);
	spin_unlock(&self->family_lock);
	return 0;
}

void
ptrace_forget(struct task *t)
{
	struct process *p;

	if (!ptrace_traced(t))
		return;
	rcu_read_lock();
	p = ptrace_lock_tracer(t);
	if (p) {
		ptrace_unlink_zombie(t);
		waitq_wake_all(&p->child_wait);
		spin_unlock(&p->family_lock);
	}
	rcu_read_unlock();
}

/* One tracee of ours less. *dead: it was a zombie that is ours to release. */
static bool
part_from_one(struct process *self, struct task **dead)
{
	struct task *t;
	unsigned long flags;
	bool found = false;

	*dead = NULL;
	spin_lock(&self->family_lock);
	list_for_each_entry(t, &self->tracees, ptrace.link) {
		if (rcu_locked(t->ptrace.tracer) != current)
			continue;
		found = true;
		flags = spin_lock_irq(&t->process->lock);
		if (t->ptrace.flags & PTRACE_O_EXITKILL)
			(void)signal_send_locked(t->process, t, SIGKILL, NULL);
		if (t->ptrace.zombie)
			*dead = t;
		unlink_tracee(t);
		spin_unlock_irq(&t->process->lock, flags);
		break;
	}
	spin_unlock(&self->family_lock);
	return found;
}

void
ptrace_exit(struct task *t)
{
	struct process *self = t->process;
	struct task *dead;

	/* Who wants us as tracer from here on sees TASK_EXITING under the lock. */
	while (part_from_one(self, &dead))
		if (dead)
			release_zombie(dead);
}

/* --- the end of a tracee --- */

/* tracer's family lock is held. False: the tracer wants no zombies. */
static bool
tell_of_end(struct process *tracer, const struct siginfo *info)
{
	struct sigaction sa = {};
	unsigned long flags = spin_lock_irq(&tracer->lock);
	bool ignored;

	sighand_get_action(tracer, SIGCHLD, &sa);
	ignored = (unsigned long __force)sa.handler == SIG_IGN;
	if (!ignored)
		signal_send_locked(tracer, NULL, SIGCHLD, info);
	spin_unlock_irq(&tracer->lock, flags);
	waitq_wake_all(&tracer->child_wait);
	return !ignored && !(sa.flags & SA_NOCLDWAIT);
}

/* Makes t a zombie of its tracer, if it has one that wants it. */
static bool
keep(struct task *t, const struct siginfo *info)
{
	struct process *tracer;
	bool kept = false;

	rcu_read_lock();
	tracer = ptrace_lock_tracer(t);
	if (tracer) {
		kept = tell_of_end(tracer, info);
		if (kept)
			t->ptrace.zombie = true;
		else
			ptrace_unlink_zombie(t);
		spin_unlock(&tracer->family_lock);
	}
	rcu_read_unlock();
	return kept;
}

bool
ptrace_keep_thread(struct task *t)
{
	struct siginfo info;

	if (!ptrace_traced(t))
		return false;
	process_exit_info(t->process, t, &info);
	return keep(t, &info);
}

bool
ptrace_keep_leader(struct process *p)
{
	struct task *leader = rcu_locked(p->leader);
	struct siginfo info;

	if (!ptrace_traced(leader))
		return false;
	process_exit_info(p, leader, &info);
	return keep(leader, &info);
}

bool
ptrace_restricts_exec(void)
{
	return ptrace_traced(current) && !READ_ONCE(current->ptrace.tracer_capable);
}
