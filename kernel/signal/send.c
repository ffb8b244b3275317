/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending signals: into a queue, and to a thread that will take them.
 *
 * Model: a signal goes to one thread or to the process. First comes what it
 * does by being sent (SIGCONT continues, stop signals undo a SIGCONT), then it
 * is dropped if it is ignored, then queued; last some thread that does not
 * block it is made to look. A signal that will kill the process does so here:
 * every thread gets SIGKILL.
 *
 * Locking: process->lock of the receiver, with interrupts off. WORK_SIGNAL of
 * a thread is set under it and cleared by the thread itself under it.
 *
 * A thread that sends a signal with a handler to itself (raise(3)) takes no lock:
 * it leaves the signal in a queue that only it touches, and takes it out on the
 * way back from the very call (deliver.c).
 *
 * Ordering:
 *      signal_send_locked              signal_set_blocked, without the lock
 *      a signal becomes pending        blocked = mask
 *      (full barrier)                  (full barrier)
 *      blocked of threads is read      both pending sets are read
 *      Either the sender knows who blocks the signal, or that thread sees it,
 *      takes the lock and hands it on or looks at it.
 *
 *      whoever has work for t          signal_get_own
 *      the work is noted               WORK_SIGNAL = 0 (full barrier)
 *      WORK_SIGNAL = 1 (full barrier)  what others noted is read
 *      No work is lost: either it is seen or the flag stays.
 */
#include "kernel/signal/signal_impl.h"

#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/sched.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "percpu/trace/events.h"

#define SIG_DFL_NEVER_KILLS (SIG_KERNEL_STOP_MASK | SIG_IGNORE_MASK)

/* --- waking --- */

void
signal_wake(struct task *t, bool fatal)
{
	u32 states = STATE_INTERRUPTIBLE;

	if (fatal)
		states |= STATE_KILLABLE | STATE_STOPPED;
	/* A tracer that is at work wakes it when it has done. */
	if (fatal && !(t->signals.stop & STOP_FROZEN))
		states |= STATE_TRACED;
	atomic_or(&t->work, WORK_SIGNAL);
	if (!sched_wake(t, states) && t != current_task_or_null() && task_on_cpu(t))
		sched_kick_cpu(task_cpu(t));
}

void
signal_interrupt(struct task *t)
{
	signal_wake(t, false);
}

void
signal_wake_stopped(struct task *t)
{
	t->signals.stop &= ~STOP_STOPPED;
	sched_wake(t, STATE_STOPPED);
}

bool
signal_others_wait(const struct task *t)
{
	const struct task_signals *s = &t->signals;
	const struct process_signals *p = &t->process->signals;
	sigset_t blocked = READ_ONCE(s->blocked);

	return (READ_ONCE(s->stop) & (STOP_PENDING | STOP_TRAP | STOP_TRAP_NOTIFY)) ||
	       (READ_ONCE(s->pending.set) & ~blocked) || (READ_ONCE(p->pending.set) & ~blocked) ||
	       (READ_ONCE(p->flags) & (PSIG_NOTIFY_STOPPED | PSIG_NOTIFY_CONTINUED));
}

void
signal_recalc(struct task *t)
{
	bool want = signal_others_wait(t) || t->signals.own.set;

	if (want == !!(READ_ONCE(t->work) & WORK_SIGNAL))
		return;
	if (want)
		atomic_or(&t->work, WORK_SIGNAL);
	else
		atomic_and(&t->work, ~(u32)WORK_SIGNAL);
}

bool
signal_pending(void)
{
	return READ_ONCE(current->work) & WORK_SIGNAL;
}

bool
fatal_signal_pending(void)
{
	return signal_pending() && (READ_ONCE(current->signals.pending.set) & sigmask(SIGKILL));
}

/* --- who gets it --- */

/* t stands for the process where the signal is for all (its leader). */
bool
signal_is_ignored(struct process *p, struct task *t, int sig, bool force)
{
	const struct task_signals *s = &t->signals;
	sigset_t mask = sigmask(sig);
	unsigned long handler = sighand_handler(p, sig);

	/* Who blocks a signal may change its action before it unblocks it. */
	if ((READ_ONCE(s->blocked) | READ_ONCE(s->real_blocked)) & mask)
		return false;
	/* A tracer wants to know of it. */
	if (ptrace_traced(t) && sig != SIGKILL)
		return false;
	if ((p->signals.flags & PSIG_UNKILLABLE) && handler == SIG_DFL &&
	    !(force && (mask & SIG_UNBLOCKABLE)))
		return true;
	return handler == SIG_IGN || (handler == SIG_DFL && (mask & SIG_IGNORE_MASK));
}

static bool
wants_signal(struct task *t, int sig)
{
	if ((READ_ONCE(t->signals.blocked) & sigmask(sig)) || (t->flags & TASK_EXITING))
		return false;
	if (sig == SIGKILL)
		return true;
	if (t->signals.stop & (STOP_STOPPED | STOP_TRACED))
		return false;
	return task_on_cpu(t) || !(READ_ONCE(t->work) & WORK_SIGNAL);
}

/* The thread that shall take a signal of the process; NULL: none can now. */
static struct task *
choose_thread(struct process *p, int sig)
{
	struct task *t, *start = p->signals.next_target;

	if (wants_signal(start, sig))
		return start;
	if (p->nr_threads == 1)
		return NULL;
	for_each_thread(p, t) {
		if (wants_signal(t, sig)) {
			p->signals.next_target = t;
			return t;
		}
	}
	return NULL;
}

static bool
kills(struct process *p, const struct task *t, int sig)
{
	sigset_t mask = sigmask(sig);

	/* SIGKILL ends a core dump. */
	if ((mask & SIG_DFL_NEVER_KILLS) || (mask & READ_ONCE(t->signals.real_blocked)) ||
	    (p->group_exit && !p->core))
		return false;
	if (p->signals.flags & PSIG_UNKILLABLE && !(mask & SIG_UNBLOCKABLE))
		return false;
	/* The tracer decides. */
	if (sig != SIGKILL && ptrace_traced(t))
		return false;
	/* Those that dump core do it when they are delivered, with registers at hand. */
	return sighand_handler(p, sig) == SIG_DFL && !(mask & SIG_COREDUMP_MASK);
}

static void
signal_complete(struct process *p, struct task *to, int sig)
{
	struct task *t = to;

	/* Pairs with signal_set_blocked(). */
	smp_mb();
	if (!to)
		t = choose_thread(p, sig);
	else if (!wants_signal(to, sig))
		t = NULL;
	if (!t)
		return;
	if (kills(p, t, sig)) {
		p->group_exit = true;
		p->signals.flags &= ~(PSIG_STOPPED | PSIG_CONTINUED);
		process_zap_threads(p, sig, NULL);
		return;
	}
	signal_wake(t, sig == SIGKILL);
}

void
signal_retarget(struct process *p, struct task *t, sigset_t which)
{
	sigset_t left = p->signals.pending.set & which;
	struct task *other;

	if (!left)
		return;
	for_each_thread(p, other) {
		sigset_t takes = left & ~READ_ONCE(other->signals.blocked);

		if (other == t || (other->flags & TASK_EXITING) || !takes)
			continue;
		left &= ~takes;
		if (!(READ_ONCE(other->work) & WORK_SIGNAL))
			signal_wake(other, false);
		if (!left)
			return;
	}
}

void
signal_task_exit(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	bool stopped;

	t->flags |= TASK_EXITING;
	stopped = signal_leave_stop(p, t);
	if (p->nr_threads > 1 && !p->group_exit)
		signal_retarget(p, t, ~t->signals.blocked);
	spin_unlock_irq(&p->lock, flags);
	if (stopped)
		signal_notify_stop(p, CLD_STOPPED);
}

/* --- queueing --- */

static bool
from_user(const struct siginfo *info)
{
	return info && info->code <= 0;
}

/* Entries of signals that the kernel sends, and of plain old ones, pass the limit. */
static u64
queue_limit(struct process *p, int sig, const struct siginfo *info)
{
	if (sig < SIGRTMIN && (!info || info->code >= 0))
		return RLIM_INFINITY;
	return READ_ONCE(p->rlim[RLIMIT_SIGPENDING].cur);
}

static int
enqueue(struct process *p, struct task *t, struct sigpending *pending, int sig,
	const struct siginfo *info)
{
	struct sigqueue *q;

	if (sig == SIGKILL || (t->flags & TASK_KTHREAD))
		goto out;
	q = sigqueue_alloc(t, queue_limit(p, sig, info));
	if (!q) {
		if (sig >= SIGRTMIN && info && info->code != SI_USER)
			return -EAGAIN;
		goto out;
	}
	if (info)
		memcpy(&q->info, info, SIGINFO_KERNEL_SIZE);
	else
		memset(&q->info, 0, SIGINFO_KERNEL_SIZE);
	if (!info)
		q->info.code = SI_KERNEL;
	q->info.signo = sig;
	list_add_tail(&q->link, &pending->list);
out:
	WRITE_ONCE(pending->set, pending->set | sigmask(sig));
	return 0;
}

/* What became of a signal, as the tracepoint says it. */
enum { SENT, IGNORED, ALREADY_PENDING, NO_ROOM };

static void
trace_sent(int sig, const struct siginfo *info, const struct task *to, bool group, int result)
{
	trace_signal_generate(sig, info ? info->err : 0, info ? info->code : SI_KERNEL, to->comm,
			      to->tid, group, result);
}

int
signal_send_locked(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	struct task *face = t ? t : rcu_locked(p->leader);
	struct sigpending *pending = t ? &t->signals.pending : &p->signals.pending;
	int err;

	spin_assert_held(&p->lock);
	if (!p->signals.sighand)
		return -ESRCH;
	/* Who dumps core is disturbed by nothing else. */
	if (p->core && sig != SIGKILL)
		return 0;
	if (sigmask(sig) & (SIG_KERNEL_STOP_MASK | sigmask(SIGCONT)))
		signal_prepare_stop_cont(p, sig);
	if (signal_is_ignored(p, face, sig,
			      !info || (!from_user(info) && info->code == SI_KERNEL))) {
		trace_sent(sig, info, face, !t, IGNORED);
		return 0;
	}
	if (sig < SIGRTMIN && (pending->set & sigmask(sig))) {
		trace_sent(sig, info, face, !t, ALREADY_PENDING);
		return 0;
	}
	err = enqueue(p, face, pending, sig, info);
	trace_sent(sig, info, face, !t, err ? NO_ROOM : SENT);
	if (err)
		return err;
	waitq_wake_all(&p->signals.signalfd_wait);
	signal_complete(p, t, sig);
	return 0;
}

bool
signal_send_self(int sig, const struct siginfo *info, int *err)
{
	struct task *t = current;
	struct task_signals *s = &t->signals;
	sigset_t mask = sigmask(sig);
	unsigned long handler = sighand_handler(t->process, sig);

	if (handler == SIG_DFL || handler == SIG_IGN || s->own.set || ptrace_traced(t) ||
	    (mask & (SIG_KERNEL_STOP_MASK | sigmask(SIGCONT))) ||
	    (mask & (s->blocked | READ_ONCE(s->real_blocked) | READ_ONCE(s->pending.set))))
		return false;
	*err = enqueue(t->process, t, &s->own, sig, info);
	trace_sent(sig, info, t, false, *err ? NO_ROOM : SENT);
	if (!*err)
		atomic_or(&t->work, WORK_SIGNAL);
	return true;
}

void
signal_own_publish(struct task *t)
{
	struct task_signals *s = &t->signals;

	spin_assert_held(&t->process->lock);
	list_splice_tail_init(&s->own.list, &s->pending.list);
	WRITE_ONCE(s->pending.set, s->pending.set | s->own.set);
	s->own.set = 0;
}

int
signal_send_process(struct process *p, int sig, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	int err = signal_send_locked(p, NULL, sig, info);

	spin_unlock_irq(&p->lock, flags);
	return err;
}

int
signal_send_task(struct task *t, int sig, const struct siginfo *info)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	int err = t->exited ? -ESRCH : signal_send_locked(p, t, sig, info);

	spin_unlock_irq(&p->lock, flags);
	return err;
}

struct pgrp_send {
	int sig;
	const struct siginfo *info;
};

static int
send_member(struct process *p, void *arg)
{
	const struct pgrp_send *s = arg;

	spin_lock(&p->lock);
	signal_send_locked(p, NULL, s->sig, s->info);
	spin_unlock(&p->lock);
	return 0;
}

int
signal_send_pgrp(struct pid *pgrp, int sig, const struct siginfo *info)
{
	struct pgrp_send s = {.sig = sig, .info = info};

	return pgroup_for_each(pgrp, send_member, &s);
}

/* --- timers --- */

int
signal_queue_send_locked(struct sigqueue *q, struct process *p, struct task *t,
			 const struct siginfo *info)
{
	struct sigpending *pending = t ? &t->signals.pending : &p->signals.pending;
	struct task *face = t ? t : rcu_locked(p->leader);
	int sig = info->signo;

	if (!p->signals.sighand || (t && t->exited))
		return -ESRCH;
	if (!list_empty(&q->link)) {
		q->info.overrun++;
		/* Who takes it starts the timer as it is set now. */
		q->info.timer_private = info->timer_private;
		return 0;
	}
	if (p->core || signal_is_ignored(p, face, sig, false))
		return 1;
	memcpy(&q->info, info, SIGINFO_KERNEL_SIZE);
	list_add_tail(&q->link, &pending->list);
	WRITE_ONCE(pending->set, pending->set | sigmask(sig));
	trace_sent(sig, info, face, !t, SENT);
	waitq_wake_all(&p->signals.signalfd_wait);
	signal_complete(p, t, sig);
	return 0;
}

int
signal_queue_send(struct sigqueue *q, struct process *p, struct task *t, const struct siginfo *info)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	int ret = signal_queue_send_locked(q, p, t, info);

	spin_unlock_irq(&p->lock, flags);
	return ret;
}

/* --- faults of current --- */

void
signal_force_info(const struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	int sig = info->signo;
	sigset_t mask = sigmask(sig);
	unsigned long flags = spin_lock_irq(&p->lock);
	unsigned long handler = sighand_handler(p, sig);

	if (handler == SIG_IGN || (t->signals.blocked & mask)) {
		sighand_set_default(p, sig);
		handler = SIG_DFL;
		t->signals.blocked &= ~mask;
	}
	/* Even process 1 ends by its own fault. */
	if (handler == SIG_DFL && !ptrace_traced(t))
		p->signals.flags &= ~PSIG_UNKILLABLE;
	signal_send_locked(p, t, sig, info);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
}

void
signal_force(int sig)
{
	struct siginfo info = {.signo = sig, .code = SI_KERNEL};

	signal_force_info(&info);
}

void
signal_force_fault(int sig, int code, unsigned long addr)
{
	struct siginfo info = {.signo = sig, .code = code};

	info.addr = addr;
	signal_force_info(&info);
}

/* --- looking --- */

bool
signal_ignored_or_blocked(int sig)
{
	struct task *t = current;

	return (t->signals.blocked & sigmask(sig)) || sighand_handler(t->process, sig) == SIG_IGN;
}

sigset_t
signal_pending_set(void)
{
	struct task *t = current;

	return READ_ONCE(t->signals.pending.set) | READ_ONCE(t->process->signals.pending.set);
}

struct waitq *
signal_waitq(void)
{
	return &current->process->signals.signalfd_wait;
}

void
signal_get_masks(struct task *t, struct signal_masks *m)
{
	struct process *p = t->process;
	unsigned long flags;

	memset(m, 0, sizeof(*m));
	rcu_read_lock();
	m->queued = user_count_sum(task_cred(t)->user, USER_SIGPENDING);
	rcu_read_unlock();
	flags = spin_lock_irq(&p->lock);
	m->pending = t->signals.pending.set;
	m->shared_pending = p->signals.pending.set;
	m->blocked = READ_ONCE(t->signals.blocked);
	m->queue_limit = p->rlim[RLIMIT_SIGPENDING].cur;
	for (int sig = 1; p->signals.sighand && sig <= NSIG; sig++) {
		unsigned long handler = sighand_handler(p, sig);

		if (handler == SIG_IGN)
			m->ignored |= sigmask(sig);
		else if (handler != SIG_DFL)
			m->caught |= sigmask(sig);
	}
	spin_unlock_irq(&p->lock, flags);
}
