/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace(2): the stops of a traced task.
 *
 * Model: a task (the tracee) may be traced by one other (the tracer), of
 * another process. It then stops at certain points and waits for its tracer,
 * who learns of it by wait(2) and SIGCHLD, looks at it and changes it, and lets
 * it go on in one of several modes:
 * - a signal that it has taken from its queue and that would act (ptrace_signal);
 * - an event: fork, exec, exit (ptrace_event);
 * - a system call, before and behind it (ptrace_syscall_enter, _exit);
 * - its part in a group stop, and what PTRACE_INTERRUPT asks for (ptrace_trap).
 * The relation of both is attach.c's, what the tracer does resume.c's, info.c's
 * and arch's.
 *
 * States of a tracee, bits of signals.stop (process->lock):
 * 1. none: it runs.
 * 2. STOP_TRAP, STOP_TRAP_NOTIFY: it shall stop on its way to user mode.
 *    STOP_TRAPPING with it: attached while it stood in a group stop; who attached
 *    waits until it has come over.
 * 3. STOP_TRACED: it stands in ptrace_stop(), scheduler state TRACED. ptrace.code
 *    is why, until wait(2) has taken it or the tracer says how to go on.
 * 4. STOP_FROZEN with it: its tracer works on it; SIGKILL waits till that is done.
 *    The tracer sets it before it waits for the tracee to be off its CPU.
 * 5. STOP_LISTENING with STOP_TRACED: PTRACE_LISTEN, it stays in its group stop,
 *    nobody works on it, and STOP_TRAP_NOTIFY makes it report anew.
 * From 3 and 5 it leaves when STOP_TRACED is cleared (resume, detach), or as
 * SIGKILL is pending. A tracee that has exited is kept (ptrace.zombie) until its
 * tracer has waited for it; only then does it count as gone to its process and
 * its parent.
 *
 * Ownership: while STOP_FROZEN holds, registers, extended state and mode of the
 * tracee belong to the tracer; else to the tracee.
 *
 * Locking: in order
 * 1. family_lock of the tracer's process: its tracees, which of them have exited.
 *    It is found from the tracee under RCU, locked and looked at again.
 * 2. process->lock of the tracee: its tracer, its options, all of its stop.
 * The family_lock of the tracee's parent is another one: never both at once.
 * There is nothing that all tracers share.
 *
 * Ordering:
 *      ptrace_stop                     wait_tracees
 *      code, STOP_TRACED under lock    waiter queued on child_wait
 *      child_wait is woken             code is read under lock
 *      Either the tracer sees the stop as it looks, or it is woken.
 *
 * Contexts: current's own, in system calls and on the way to user mode; all
 * registers are in its struct regs, and go back from there.
 */
#include "kernel/ptrace/ptrace_impl.h"

#include "kernel/sched/sched.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"

#define NSEC_PER_TICK (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC)

static bool
being_killed(const struct task *t)
{
	return READ_ONCE(t->signals.pending.set) & sigmask(SIGKILL);
}

/* --- telling the tracer --- */

/* tracer's family lock is held. */
static void
send_child_signal(struct process *tracer, const struct siginfo *info)
{
	struct sigaction sa;
	unsigned long flags = spin_lock_irq(&tracer->lock);

	sighand_get_action(tracer, SIGCHLD, &sa);
	if ((unsigned long __force)sa.handler != SIG_IGN && !(sa.flags & SA_NOCLDSTOP))
		signal_send_locked(tracer, NULL, SIGCHLD, info);
	spin_unlock_irq(&tracer->lock, flags);
	waitq_wake_all(&tracer->child_wait);
}

/* True: the tracer is not of our parent's process. */
static bool
tell_tracer(int why, int code)
{
	struct task *t = current;
	struct siginfo info = {.signo = SIGCHLD, .code = why, .pid = t->tid};
	struct process *tracer;
	u64 utime, stime;
	bool foreign = true;

	task_cputime(t, &utime, &stime);
	info.uid = current_cred()->uid;
	info.utime = utime / NSEC_PER_TICK;
	info.stime = stime / NSEC_PER_TICK;
	info.status = code & 0x7f;
	if (why == CLD_STOPPED)
		info.status = READ_ONCE(t->process->signals.stop_signal) & 0x7f;
	rcu_read_lock();
	tracer = ptrace_lock_tracer(t);
	if (tracer) {
		send_child_signal(tracer, &info);
		foreign = rcu_load(t->process->parent) != tracer;
		spin_unlock(&tracer->family_lock);
	}
	rcu_read_unlock();
	return foreign;
}

/* --- the stop --- */

bool
ptrace_ask(struct task *t, u32 stop)
{
	spin_assert_held(&t->process->lock);
	if (being_killed(t) || (t->flags & TASK_EXITING))
		return false;
	t->signals.stop |= stop;
	return true;
}

void
ptrace_wake(struct task *t)
{
	t->signals.stop &= ~(STOP_TRACED | STOP_FROZEN | STOP_LISTENING);
	sched_wake(t, STATE_TRACED);
}

/* Parks until STOP_TRACED is gone or SIGKILL came. p->lock is held on entry and on return. */
static void
wait_for_tracer(struct process *p, int why, bool group, unsigned long *flags)
{
	struct task *t = current;
	int code = t->ptrace.code;
	bool tell = true, foreign;

	while ((t->signals.stop & STOP_TRACED) && (tell || !being_killed(t))) {
		/* From here on the tracer or SIGKILL finds us asleep: pairs with sched_wake(). */
		smp_store_mb(&t->sched.state, STATE_TRACED);
		spin_unlock_irq(&p->lock, *flags);
		if (tell) {
			foreign = tell_tracer(why, code);
			if (group && foreign)
				signal_notify_stop(p, CLD_STOPPED);
			tell = false;
		}
		sched_stop_current(true);
		*flags = spin_lock_irq(&p->lock);
	}
}

/*
 * current stops with this code and siginfo (NULL: a group stop of one that was
 * not seized). Returns what it is to go on with. p->lock is held, and released
 * while it stands.
 */
static int
ptrace_stop(int code, int why, u64 message, struct siginfo *info, unsigned long *flags)
{
	struct task *t = current;
	struct process *p = t->process;
	bool group = false;

	spin_assert_held(&p->lock);
	if (!t->ptrace.flags || being_killed(t))
		return code;
	t->ptrace.code = code;
	t->ptrace.info = info;
	t->ptrace.message = message;
	if (why == CLD_STOPPED && (t->signals.stop & STOP_PENDING))
		group = signal_leave_stop(p, t);
	t->signals.stop &= ~(STOP_TRAP | STOP_TRAPPING | STOP_LISTENING);
	if (info && info->code >> 8 == PTRACE_EVENT_STOP)
		t->signals.stop &= ~STOP_TRAP_NOTIFY;
	t->signals.stop |= STOP_TRACED;
	wait_for_tracer(p, why, group, flags);
	/* SIGKILL waits for a tracer that is at work. */
	DEBUG_ASSERT(!(t->signals.stop & STOP_FROZEN));
	t->signals.stop &= ~(STOP_TRACED | STOP_LISTENING);
	code = t->ptrace.code;
	t->ptrace.code = 0;
	t->ptrace.info = NULL;
	t->ptrace.message = 0;
	/*
	 * What came while it stood is looked at. The flag is not cleared: a call that was
	 * interrupted for this very stop has yet to be restarted.
	 */
	if (signal_others_wait(t) || t->signals.own.set)
		atomic_or(&t->work, WORK_SIGNAL);
	/* Any register may have changed: back by the way that loads them all. */
	atomic_or(&t->work, WORK_NOTIFY);
	return code;
}

/* A stop with a siginfo of its own; code's low 7 bits are SIGTRAP or a stop signal. */
static int
notify_locked(int signr, int code, int why, u64 message, unsigned long *flags)
{
	struct siginfo info = {.signo = signr, .code = code, .pid = current->tid};

	info.uid = current_cred()->uid;
	return ptrace_stop(code, why, message, &info, flags);
}

static int
notify(int code, u64 message)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	code = notify_locked(SIGTRAP, code, CLD_TRAPPED, message, &flags);
	spin_unlock_irq(&p->lock, flags);
	return code;
}

/* --- signals --- */

int
ptrace_signal(int sig, struct siginfo *info, bool shared, unsigned long *flags)
{
	struct task *t = current;
	struct process *p = t->process;

	/* It may become a stop signal; a SIGCONT in between clears this. */
	t->signals.stop |= STOP_DEQUEUED;
	sig = ptrace_stop(sig, CLD_TRAPPED, 0, info, flags);
	if (!sig)
		return 0;
	if (sig != info->signo) {
		struct task *tracer;

		memset(info, 0, sizeof(*info));
		info->signo = sig;
		info->code = SI_USER;
		rcu_read_lock();
		tracer = rcu_load(t->ptrace.tracer);
		info->pid = tracer ? tracer->process->tgid : rcu_load(p->parent)->tgid;
		info->uid = tracer ? task_cred(tracer)->uid
				   : task_cred(rcu_load(rcu_load(p->parent)->leader))->uid;
		rcu_read_unlock();
	}
	if (!(t->signals.blocked & sigmask(sig)) && !being_killed(t))
		return sig;
	(void)signal_send_locked(p, shared ? NULL : t, sig, info);
	return 0;
}

void
ptrace_trap(unsigned long *flags)
{
	struct task *t = current;
	const struct process_signals *s = &t->process->signals;
	int sig = t->ptrace.stop_signal;

	if (t->ptrace.flags & PT_SEIZED) {
		if (!s->stop_count && !(s->flags & PSIG_STOPPED))
			sig = SIGTRAP;
		(void)notify_locked(sig, sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0, flags);
	} else {
		(void)ptrace_stop(sig, CLD_STOPPED, 0, NULL, flags);
	}
	/* Unless it was asked for anew, it is done, stopped or not. */
	if (being_killed(t) || !t->ptrace.flags)
		t->signals.stop &= ~(STOP_TRAP | STOP_TRAP_NOTIFY | STOP_TRAPPING);
}

void
ptrace_trap_notify(struct task *t)
{
	if (!ptrace_ask(t, STOP_TRAP_NOTIFY))
		return;
	if (t->signals.stop & STOP_LISTENING)
		ptrace_wake(t);
	signal_wake(t, false);
}

/* --- events --- */

void
ptrace_event(int event, u64 message)
{
	if (ptrace_event_wanted(event))
		(void)notify(event << 8 | SIGTRAP, message);
}

void
ptrace_exec(s32 old_tid)
{
	struct task *t = current;
	u32 flags = READ_ONCE(t->ptrace.flags);
	struct siginfo info = {.signo = SIGTRAP, .code = SI_USER, .pid = t->process->tgid};

	if (ptrace_event_wanted(PTRACE_EVENT_EXEC)) {
		ptrace_event(PTRACE_EVENT_EXEC, (u32)old_tid);
	} else if ((flags & (PT_TRACED | PT_SEIZED)) == PT_TRACED) {
		info.uid = current_cred()->uid;
		(void)signal_send_task(t, SIGTRAP, &info);
	}
}

void
ptrace_step_handler(void)
{
	(void)notify(SIGTRAP, 0);
}

/* --- system calls --- */

static void
report_syscall(u64 message)
{
	u32 good = READ_ONCE(current->ptrace.flags) & PTRACE_O_TRACESYSGOOD;
	int sig = notify(SIGTRAP | (good ? 0x80 : 0), message);

	/* Not quite the same as going on with a signal, but what debuggers expect. */
	if (sig & 0x7f && sig <= NSIG && !being_killed(current))
		(void)signal_send_task(current, sig, NULL);
}

bool
ptrace_syscall_enter(struct regs *r)
{
	u32 mode = READ_ONCE(current->ptrace.mode);

	if (!ptrace_traced(current) || !(mode & (PT_SYSCALL | PT_SYSEMU)))
		return false;
	report_syscall(PTRACE_EVENTMSG_SYSCALL_ENTRY);
	/* The tracer makes the call itself. That it forbids it is seen later, by the number. */
	return (mode & PT_SYSEMU) || being_killed(current);
}

void
ptrace_syscall_exit(struct regs *r)
{
	u32 mode = READ_ONCE(current->ptrace.mode);

	if (!ptrace_traced(current))
		return;
	if ((mode & PT_STEP) && !(mode & PT_SYSEMU))
		signal_force_fault(SIGTRAP, TRAP_BRKPT, r->rip);
	else if (mode & PT_SYSCALL)
		report_syscall(PTRACE_EVENTMSG_SYSCALL_EXIT);
}
