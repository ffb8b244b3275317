/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Job control: stopping a process and letting it go on.
 *
 * States of a group stop:
 * 1. A thread takes a stop signal whose action is to stop. It asks every other
 *    thread to take part (STOP_PENDING, STOP_CONSUME) and counts them in
 *    stop_count; PSIG_STOPPED is clear.
 * 2. Each thread, on its way to user mode, counts itself out and parks
 *    (STOP_STOPPED). A thread that exits counts itself out too.
 * 3. Whoever brings stop_count to 0 sets PSIG_STOPPED and tells the parent.
 * 4. SIGCONT, when it is sent, ends any of these: requests are taken back,
 *    parked threads wake, PSIG_CONTINUED is set if there was something to
 *    continue, and the first thread that runs tells the parent
 *    (PSIG_NOTIFY_CONTINUED; PSIG_NOTIFY_STOPPED if state 3 was not reached).
 * STOP_DEQUEUED says that the stop signal of state 1 was taken while no SIGCONT
 * came in between: it is set when the signal is taken and cleared by SIGCONT.
 *
 * Locking: process->lock. The parent is told without it, under the parent's
 * family lock.
 */
#include "kernel/signal/signal_impl.h"

#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"

#define STOP_REQUEST (STOP_PENDING | STOP_CONSUME | STOP_DEQUEUED)

static void
flush_all(struct process *p, sigset_t mask)
{
	struct task *t;

	signal_flush_mask(&p->signals.pending, mask);
	for_each_thread(p, t)
		signal_flush_mask(&t->signals.pending, mask);
}

static void
prepare_cont(struct process *p)
{
	struct process_signals *s = &p->signals;
	u32 notify = 0;
	struct task *t;

	flush_all(p, SIG_KERNEL_STOP_MASK);
	for_each_thread(p, t) {
		t->signals.stop &= ~STOP_REQUEST;
		if (t->signals.stop & STOP_STOPPED)
			signal_wake_stopped(t);
		if (t->ptrace.flags & PT_SEIZED)
			ptrace_trap_notify(t);
	}
	if (s->flags & PSIG_STOPPED)
		notify = PSIG_NOTIFY_CONTINUED;
	else if (s->stop_count)
		notify = PSIG_NOTIFY_STOPPED;
	if (!notify)
		return;
	s->flags &= ~(PSIG_STOPPED | PSIG_NOTIFY_STOPPED | PSIG_NOTIFY_CONTINUED);
	s->flags |= PSIG_CONTINUED | notify;
	s->stop_count = 0;
	s->stop_signal = 0;
	/* Somebody has to come by and tell. */
	signal_wake(rcu_locked(p->leader)->exited ? s->next_target : rcu_locked(p->leader), false);
}

void
signal_prepare_stop_cont(struct process *p, int sig)
{
	if (p->group_exit)
		return;
	if (sig == SIGCONT)
		prepare_cont(p);
	else
		flush_all(p, sigmask(SIGCONT));
}

/* t counts itself out. True: the stop is complete. */
static bool
participate(struct process *p, struct task *t)
{
	struct process_signals *s = &p->signals;
	bool counted = t->signals.stop & STOP_CONSUME;

	t->signals.stop &= ~STOP_REQUEST;
	if (counted && s->stop_count)
		s->stop_count--;
	if (s->stop_count || (s->flags & PSIG_STOPPED))
		return false;
	s->flags &= ~(PSIG_CONTINUED | PSIG_NOTIFY_STOPPED | PSIG_NOTIFY_CONTINUED);
	s->flags |= PSIG_STOPPED;
	return true;
}

bool
signal_leave_stop(struct process *p, struct task *t)
{
	return (t->signals.stop & STOP_PENDING) && participate(p, t);
}

void
signal_join_stop(unsigned long flags)
{
	struct task *t = current;
	struct process *p = t->process;
	bool complete = participate(p, t);

	t->signals.stop |= STOP_STOPPED;
	for (;;) {
		/* From here on a SIGCONT or SIGKILL finds us asleep: pairs with sched_wake(). */
		smp_store_mb(&t->sched.state, STATE_STOPPED);
		spin_unlock_irq(&p->lock, flags);
		if (complete)
			signal_notify_stop(p, CLD_STOPPED);
		complete = false;
		sched_stop_current(false);
		flags = spin_lock_irq(&p->lock);
		if (!(t->signals.stop & STOP_STOPPED) ||
		    (t->signals.pending.set & sigmask(SIGKILL)))
			break;
	}
	t->signals.stop &= ~STOP_STOPPED;
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
}

bool
signal_do_stop(int sig, unsigned long flags)
{
	struct task *t = current, *other;
	struct process *p = t->process;

	if (!(t->signals.stop & STOP_PENDING)) {
		if (!(t->signals.stop & STOP_DEQUEUED) || p->group_exit || p->group_exec)
			return false;
		/* A process that is stopped already keeps the first signal as its status. */
		if (!(p->signals.flags & PSIG_STOPPED))
			p->signals.stop_signal = sig;
		p->signals.stop_count = 0;
		for_each_thread(p, other) {
			if (other != t && ((other->signals.stop & (STOP_STOPPED | STOP_PENDING)) ||
					   (other->flags & TASK_EXITING)))
				continue;
			other->signals.stop |= STOP_PENDING | STOP_CONSUME;
			other->ptrace.stop_signal = sig;
			p->signals.stop_count++;
			if (other != t && (other->ptrace.flags & PT_SEIZED))
				ptrace_trap_notify(other);
			else if (other != t)
				signal_wake(other, false);
		}
	}
	/* Who is traced does its part in a trap, which comes next. */
	if (t->ptrace.flags) {
		t->signals.stop |= STOP_TRAP;
		return false;
	}
	signal_join_stop(flags);
	return true;
}

void
signal_notify_stop(struct process *p, int code)
{
	struct process *parent;
	struct siginfo info = {.signo = SIGCHLD, .code = code, .pid = p->tgid};
	struct sigaction sa;
	unsigned long flags;
	u64 utime, stime;

	process_cputime(p, &utime, &stime);
	info.utime = utime / (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC);
	info.stime = stime / (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC);
	info.status = code == CLD_CONTINUED ? SIGCONT : READ_ONCE(p->signals.stop_signal);
	rcu_read_lock();
	info.uid = task_cred(rcu_load(p->leader))->uid;
	parent = process_lock_parent(p);
	flags = spin_lock_irq(&parent->lock);
	sighand_get_action(parent, SIGCHLD, &sa);
	if ((unsigned long __force)sa.handler != SIG_IGN && !(sa.flags & SA_NOCLDSTOP))
		signal_send_locked(parent, NULL, SIGCHLD, &info);
	spin_unlock_irq(&parent->lock, flags);
	waitq_wake_all(&parent->child_wait);
	spin_unlock(&parent->family_lock);
	rcu_read_unlock();
}
