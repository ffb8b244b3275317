/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking signals: on the way to user mode, and for signalfd and sigtimedwait.
 *
 * Model: signal_deliver() takes signals until one has a handler (then arch
 * builds a frame and the loop of the exit path comes back for the next one),
 * one ends the process, or none is left. A system call that a signal
 * interrupted says by its error how it is to go on: again, again through
 * restart_syscall(2), or with -EINTR (lib/errno.h).
 *
 * Contexts: current's own, interrupts on, on the way to user mode.
 */
#include "kernel/signal/signal_impl.h"

#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/signal/coredump.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "percpu/trace/events.h"

#define NR_RESTART_SYSCALL 219
#define SYSCALL_INSN_SIZE 2

/* --- taking one --- */

int
signal_dequeue_locked(sigset_t blocked, struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	struct sigpending *from = &t->signals.pending;
	bool timer = false;
	int sig = signal_next(from, blocked);

	/* A fault of this thread comes before everything; else SIGKILL is the lowest anyway. */
	if (!sig) {
		from = &p->signals.pending;
		sig = signal_next(from, blocked);
	}
	if (!sig)
		return 0;
	signal_collect(from, sig, info, &timer);
	if (sigmask(sig) & SIG_KERNEL_STOP_MASK)
		t->signals.stop |= STOP_DEQUEUED;
	if (timer)
		posix_timer_rearm(p, info);
	if (sig == SIGALRM && p->timers)
		itimer_real_rearm(p);
	return sig;
}

int
signal_dequeue(sigset_t mask, struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags;
	int sig;

	if (!(signal_pending_set() & mask))
		return 0;
	flags = spin_lock_irq(&p->lock);
	sig = signal_dequeue_locked(~mask, info);
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
	return sig;
}

/* --- choosing --- */

struct delivery {
	int sig;
	struct sigaction sa;
	struct siginfo info;
};

static void
tell_parent(struct process *p, unsigned long *flags)
{
	u32 notify = p->signals.flags & (PSIG_NOTIFY_STOPPED | PSIG_NOTIFY_CONTINUED);

	p->signals.flags &= ~notify;
	spin_unlock_irq(&p->lock, *flags);
	signal_notify_stop(p, notify & PSIG_NOTIFY_CONTINUED ? CLD_CONTINUED : CLD_STOPPED);
	*flags = spin_lock_irq(&p->lock);
}

/* Default actions that are not the end. True: go on with the next; p->lock as on entry. */
static bool
default_action(struct process *p, int sig, unsigned long *flags)
{
	sigset_t mask = sigmask(sig);

	if (mask & SIG_IGNORE_MASK)
		return true;
	if ((p->signals.flags & PSIG_UNKILLABLE) && !(mask & SIG_UNBLOCKABLE))
		return true;
	if (!(mask & SIG_KERNEL_STOP_MASK))
		return false;
	if (sig != SIGSTOP) {
		bool orphaned;

		/* A SIGCONT in between clears STOP_DEQUEUED. */
		spin_unlock_irq(&p->lock, *flags);
		orphaned = current_pgroup_orphaned();
		*flags = spin_lock_irq(&p->lock);
		if (orphaned)
			return true;
	}
	if (signal_do_stop(sig, *flags))
		*flags = spin_lock_irq(&p->lock);
	return true;
}

static void __noreturn
die(struct process *p, int sig, const struct siginfo *info, unsigned long flags)
{
	spin_unlock_irq(&p->lock, flags);
	current->flags |= TASK_SIGNALED;
	if (sigmask(sig) & SIG_COREDUMP_MASK)
		core_dump(sig, info);
	process_exit(sig);
}

void __noreturn
signal_kill_current(const struct siginfo *info)
{
	struct process *p = current->process;

	die(p, info->signo, info, spin_lock_irq(&p->lock));
}

/*
 * The signal that current sent to itself in the system call that is about to end.
 * True: d is to be handled; WORK_SIGNAL is clear. False: there is none, or others
 * wait, or it has no handler any more: signal_get() sees to all.
 */
static bool
signal_get_own(struct delivery *d)
{
	struct task *t = current;
	struct sigpending *own = &t->signals.own;
	bool timer = false;
	unsigned long handler;

	if (!own->set || ptrace_traced(t))
		return false;
	/* Pairs with whoever has work for us: send.c. */
	atomic_and(&t->work, ~(u32)WORK_SIGNAL);
	d->sig = signal_next(own, 0);
	if (!signal_others_wait(t)) {
		sighand_take_action(t->process, d->sig, &d->sa);
		handler = (unsigned long __force)d->sa.handler;
		if (handler != SIG_DFL && handler != SIG_IGN) {
			signal_collect(own, d->sig, &d->info, &timer);
			trace_signal_deliver(d->sig, d->info.err, d->info.code, handler,
					     d->sa.flags);
			return true;
		}
	}
	atomic_or(&t->work, WORK_SIGNAL);
	return false;
}

/*
 * current is asked to stop: with its group, or in a trap of its own if it is
 * traced. p->lock is held, and again on return.
 */
static void
stop_here(struct process *p, unsigned long *flags)
{
	struct task *t = current;

	if (!t->ptrace.flags && (t->signals.stop & STOP_PENDING)) {
		signal_join_stop(*flags);
		*flags = spin_lock_irq(&p->lock);
		return;
	}
	if (t->signals.stop & STOP_PENDING)
		t->signals.stop |= STOP_TRAP;
	ptrace_trap(flags);
}

/* Takes the next signal, as a tracer lets it be. 0: none; -1: that one is not to be. */
static int
take_next(struct delivery *d, unsigned long *flags)
{
	struct task *t = current;
	bool shared = !signal_next(&t->signals.pending, t->signals.blocked);

	d->sig = signal_dequeue_locked(t->signals.blocked, &d->info);
	if (!d->sig || likely(!t->ptrace.flags) || d->sig == SIGKILL)
		return d->sig;
	d->sig = ptrace_signal(d->sig, &d->info, shared, flags);
	return d->sig ? d->sig : -1;
}

/* True: d is to be handled. False: nothing is left. Does not return if a signal kills. */
static bool
signal_get(struct delivery *d)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	if (unlikely(t->signals.own.set))
		signal_own_publish(t);
	for (;;) {
		unsigned long handler;

		if (unlikely(p->signals.flags & (PSIG_NOTIFY_STOPPED | PSIG_NOTIFY_CONTINUED))) {
			tell_parent(p, &flags);
			continue;
		}
		if (p->group_exit || (p->group_exec && p->group_exec != t)) {
			/* The tracer may be told that it ends, until it is killed again. */
			if (t->ptrace.flags)
				t->signals.pending.set &= ~sigmask(SIGKILL);
			die(p, SIGKILL, &d->info, flags);
		}
		if (unlikely(t->signals.stop & (STOP_PENDING | STOP_TRAP | STOP_TRAP_NOTIFY))) {
			stop_here(p, &flags);
			continue;
		}
		if (take_next(d, &flags) < 0)
			continue;
		if (!d->sig)
			break;
		sighand_take_action(p, d->sig, &d->sa);
		handler = (unsigned long __force)d->sa.handler;
		trace_signal_deliver(d->sig, d->info.err, d->info.code, handler, d->sa.flags);
		if (handler == SIG_IGN)
			continue;
		if (handler != SIG_DFL)
			break;
		if (!default_action(p, d->sig, &flags))
			die(p, d->sig, &d->info, flags);
	}
	signal_recalc(t);
	spin_unlock_irq(&p->lock, flags);
	return d->sig != 0;
}

/* --- interrupted system calls --- */

static bool
in_syscall(const struct regs *r)
{
	return (s64)r->orig_rax >= 0;
}

static void
restart_again(struct regs *r, u64 nr)
{
	r->rax = nr;
	r->rip -= SYSCALL_INSN_SIZE;
}

/* sa: of the handler that will run; NULL: none will. */
static void
restart_decide(struct regs *r, const struct sigaction *sa)
{
	if (!in_syscall(r))
		return;
	switch ((s64)r->rax) {
	case -ERESTART_RESTARTBLOCK:
		if (sa)
			r->rax = -EINTR;
		else
			restart_again(r, NR_RESTART_SYSCALL);
		break;
	case -ERESTARTNOHAND:
		if (sa)
			r->rax = -EINTR;
		else
			restart_again(r, r->orig_rax);
		break;
	case -ERESTARTSYS:
		if (sa && !(sa->flags & SA_RESTART))
			r->rax = -EINTR;
		else
			restart_again(r, r->orig_rax);
		break;
	case -ERESTARTNOINTR:
		restart_again(r, r->orig_rax);
		break;
	}
}

/* --- handlers --- */

static void
frame_failed(int sig)
{
	struct process *p = current->process;
	unsigned long flags;

	/* A SIGSEGV that finds no stack for its handler cannot be handled. */
	if (sig == SIGSEGV) {
		flags = spin_lock_irq(&p->lock);
		sighand_set_default(p, SIGSEGV);
		spin_unlock_irq(&p->lock, flags);
	}
	signal_force(SIGSEGV);
}

static void
run_handler(struct regs *r, struct delivery *d)
{
	struct task *t = current;
	sigset_t old = t->signals.blocked;
	sigset_t block = d->sa.mask;
	bool stepped = t->ptrace.mode & PT_STEP;

	if (READ_ONCE(t->work) & WORK_RESTORE_MASK)
		old = t->signals.saved_mask;
	restart_decide(r, &d->sa);
	if (t->rseq)
		rseq_signal(r);
	if (unlikely(stepped))
		arch_ptrace_step(t, false);
	if (arch_signal_frame(r, d->sig, &d->sa, &d->info, old)) {
		frame_failed(d->sig);
		return;
	}
	if (READ_ONCE(t->work) & WORK_RESTORE_MASK)
		atomic_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	if (!(d->sa.flags & SA_NODEFER))
		block |= sigmask(d->sig);
	signal_set_blocked(t->signals.blocked | block);
	if (t->signals.altstack_flags & SS_AUTODISARM)
		signal_altstack_reset(t);
	if (unlikely(stepped))
		ptrace_step_handler();
}

void
signal_deliver(struct regs *r)
{
	struct delivery d;

	d.sig = 0;
	if (signal_get_own(&d) || ((READ_ONCE(current->work) & WORK_SIGNAL) && signal_get(&d))) {
		run_handler(r, &d);
		return;
	}
	restart_decide(r, NULL);
	signal_restore_mask(false);
}

/* --- system calls of the way back --- */

long
sys_rt_sigreturn(void)
{
	struct regs *r = task_regs(current);
	sigset_t mask = current->signals.blocked;
	bool bad = false;
	long ret = arch_signal_return(r, &mask, &bad);

	signal_set_blocked(mask);
	if (bad)
		signal_force(SIGSEGV);
	return ret;
}

long
sys_restart_syscall(void)
{
	struct task *t = current;
	long (*fn)(u64 args[4]) = t->restart_fn;

	t->restart_fn = NULL;
	return fn ? fn(t->restart_args) : -EINTR;
}
