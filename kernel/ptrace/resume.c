/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace(2): the call itself, memory, and letting a tracee go on.
 *
 * A request other than attaching needs a tracee that stands; it is frozen first
 * (stop.c), so that not even SIGKILL moves it while it is looked at.
 */
#include "kernel/ptrace/ptrace_impl.h"

#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "lib/errno.h"
#include "mm/space.h"
#include "mm/uaccess.h"

/* Yields to a tracee that is about to stop: no help where we are of the FIFO class. */
#define YIELDS 8

/* --- going on --- */

void
ptrace_set_mode(struct task *t, u32 mode)
{
	WRITE_ONCE(t->ptrace.mode, mode);
	arch_ptrace_watch(t, mode & (PT_SYSCALL | PT_SYSEMU));
	if (mode & (PT_SYSCALL | PT_SYSEMU | PT_STEP))
		atomic_or(&t->work, WORK_SYSCALL_TRACE);
	else
		atomic_and(&t->work, ~(u32)WORK_SYSCALL_TRACE);
}

void
ptrace_end_mode(void)
{
	ptrace_set_mode(current, current->ptrace.mode & PT_FORCED_TF);
}

int
ptrace_resume(struct task *t, unsigned int request, unsigned long sig)
{
	bool step = request == PTRACE_SINGLESTEP || request == PTRACE_SYSEMU_SINGLESTEP;
	u32 mode = t->ptrace.mode & ~(PT_SYSCALL | PT_SYSEMU);
	unsigned long flags;

	if (sig > NSIG)
		return -EIO;
	if (request == PTRACE_SYSCALL)
		mode |= PT_SYSCALL;
	if (request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP)
		mode |= PT_SYSEMU;
	ptrace_set_mode(t, mode);
	arch_ptrace_step(t, step);
	flags = spin_lock_irq(&t->process->lock);
	t->ptrace.code = (s32)sig;
	ptrace_wake(t);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

/* --- PTRACE_INTERRUPT, PTRACE_LISTEN --- */

static int
interrupt(struct task *t)
{
	unsigned long flags;

	if (!(t->ptrace.flags & PT_SEIZED))
		return -EIO;
	flags = spin_lock_irq(&t->process->lock);
	if (!t->exited && ptrace_ask(t, STOP_TRAP)) {
		if (t->signals.stop & STOP_LISTENING)
			ptrace_wake(t);
		signal_wake(t, false);
	}
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

static int
listen_on(struct task *t)
{
	struct siginfo *info;
	unsigned long flags;
	int err = -EIO;

	if (!(t->ptrace.flags & PT_SEIZED))
		return -EIO;
	flags = spin_lock_irq(&t->process->lock);
	info = t->ptrace.info;
	if (info && info->code >> 8 == PTRACE_EVENT_STOP) {
		t->signals.stop |= STOP_LISTENING;
		/* Something has happened since it stopped: it reports anew. */
		if (t->signals.stop & STOP_TRAP_NOTIFY)
			ptrace_wake(t);
		err = 0;
	}
	spin_unlock_irq(&t->process->lock, flags);
	return err;
}

/* --- freezing --- */

/* t is our tracee and stands: 0, -ESRCH. */
static int
freeze(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	bool stands = (t->signals.stop & (STOP_TRACED | STOP_LISTENING)) == STOP_TRACED &&
		      !(t->signals.pending.set & sigmask(SIGKILL));

	if (stands)
		t->signals.stop |= STOP_FROZEN;
	spin_unlock_irq(&p->lock, flags);
	if (!stands)
		return -ESRCH;
	/* It has yet to tell us about it, or to save its registers, perhaps on our CPU. */
	for (int i = 0; !(READ_ONCE(t->sched.state) & STATE_ASLEEP) || task_on_cpu(t); i++) {
		if (i < YIELDS)
			sched_yield_now();
		else
			sleep_ns(NSEC_PER_MSEC / 10);
	}
	return 0;
}

static void
thaw(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	if (t->signals.stop & STOP_FROZEN) {
		t->signals.stop &= ~STOP_FROZEN;
		if (t->signals.pending.set & sigmask(SIGKILL))
			sched_wake(t, STATE_TRACED);
	}
	spin_unlock_irq(&p->lock, flags);
}

/* --- memory --- */

static long
peek(struct task *t, unsigned long addr, unsigned long data)
{
	struct space *s = task_get_space(t);
	u64 word = 0;
	size_t n;

	if (!s)
		return -EIO;
	n = space_access_force(s, addr, &word, sizeof(word), false);
	space_put_user(s);
	return n == sizeof(word) ? put_user(word, (u64 __user *)data) : -EIO;
}

static long
poke(struct task *t, unsigned long addr, unsigned long data)
{
	struct space *s = task_get_space(t);
	size_t n;

	if (!s)
		return -EIO;
	n = space_access_force(s, addr, &data, sizeof(data), true);
	space_put_user(s);
	return n == sizeof(data) ? 0 : -EIO;
}

/* --- the call --- */

static long
stopped_request(struct task *t, unsigned int request, unsigned long addr, unsigned long data)
{
	long ret;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(t, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(t, addr, data);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_SYSEMU:
	case PTRACE_SYSEMU_SINGLESTEP:
		return ptrace_resume(t, request, data);
	case PTRACE_DETACH:
		return ptrace_detach(t, data);
	case PTRACE_LISTEN:
		return listen_on(t);
	}
	ret = ptrace_info_request(t, request, addr, data);
	return ret == -ENOTTY ? arch_ptrace(t, request, addr, data) : ret;
}

static long
request_tracee(struct task *t, unsigned int request, unsigned long addr, unsigned long data)
{
	long ret;

	/* Only we could change that. */
	if (rcu_locked(t->ptrace.tracer) != current)
		return -ESRCH;
	if (request == PTRACE_KILL)
		return signal_send_task(t, SIGKILL, NULL) && false;
	if (request == PTRACE_INTERRUPT)
		return interrupt(t);
	ret = freeze(t);
	if (ret)
		return ret;
	ret = stopped_request(t, request, addr, data);
	thaw(t);
	return ret;
}

long
sys_ptrace(long request, long pid, unsigned long addr, unsigned long data)
{
	struct task *t;
	long ret;

	if (request == PTRACE_TRACEME)
		return ptrace_traceme();
	t = pid > 0 && pid <= INT32_MAX ? task_find_get((s32)pid) : NULL;
	if (!t)
		return -ESRCH;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		ret = ptrace_attach(t, request == PTRACE_SEIZE, addr, data);
	else if (request < 0 || request > INT32_MAX)
		ret = rcu_locked(t->ptrace.tracer) == current ? -EIO : -ESRCH;
	else
		ret = request_tracee(t, (unsigned int)request, addr, data);
	task_put(t);
	return ret;
}
