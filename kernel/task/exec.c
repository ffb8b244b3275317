/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What execve(2) asks of tasks: to be the only thread and the leader, and clear
 * registers. The new space is task/exit.c's (exec_set_space()), loading programs
 * fs/exec's.
 */
#include "kernel/task/task_impl.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/port.h"
#include "lib/errno.h"

/*
 * current becomes the leader in place of `old`, which has exited: it takes the
 * number over, so that everybody finds the process where it was. p->lock is
 * held. Returns current's former number, to be given back.
 */
static struct pid *
take_leadership(struct process *p, struct task *old)
{
	struct task *t = current;
	struct pid *mine = t->pid;

	rcu_publish(mine->task, NULL);
	t->pid = p->pid;
	t->tid = p->tgid;
	t->start_time = old->start_time;
	t->start_boottime = old->start_boottime;
	t->exit_signal = old->exit_signal;
	old->exit_signal = -1;
	rcu_publish(p->pid->task, t);
	rcu_publish(p->leader, t);
	list_del_rcu(&old->thread_link);
	p->signals.next_target = t;
	return mine;
}

/* All other threads have finished. p->lock is held and released. */
static void
become_leader(struct process *p, unsigned long flags)
{
	struct task *old = rcu_locked(p->leader);
	struct pid *mine = NULL;

	if (old != current)
		mine = take_leadership(p, old);
	p->group_exec = NULL;
	p->exit_code = 0;
	spin_unlock_irq(&p->lock, flags);
	if (!mine)
		return;
	ptrace_forget(old);
	pid_unuse(mine);
	fork_uncharge(old);
	task_put(old);
}

int
exec_dethread(void)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags;

	if (unlikely(t->uring))
		uring_task_exit();
	flags = spin_lock_irq(&p->lock);
	if (p->group_exit || p->group_exec) {
		spin_unlock_irq(&p->lock, flags);
		return -EAGAIN;
	}
	if (p->nr_threads > 1) {
		p->group_exec = t;
		process_zap_threads(p, 0, t);
	}
	while (p->nr_threads > 1) {
		park_prepare(PARK_KILLABLE);
		spin_unlock_irq(&p->lock, flags);
		park(NO_DEADLINE);
		flags = spin_lock_irq(&p->lock);
		if (t->signals.pending.set & sigmask(SIGKILL)) {
			p->group_exec = NULL;
			spin_unlock_irq(&p->lock, flags);
			return -EAGAIN;
		}
	}
	become_leader(p, flags);
	/* Whoever waits expects SIGCHLD of a program, whatever clone() said. */
	WRITE_ONCE(t->exit_signal, SIGCHLD);
	WRITE_ONCE(p->did_exec, true);
	t->flags &= ~TASK_FORKNOEXEC;
	WRITE_ONCE(p->membarrier, 0);
	timers_exec(p);
	return sighand_unshare();
}

void
exec_start_thread(unsigned long ip, unsigned long sp)
{
	struct task *t = current;

	*task_regs(t) = (struct regs){
		.rip = ip,
		.rsp = sp,
		.cs = SEL_USER_CODE,
		.ss = SEL_USER_DATA,
		.rflags = RFLAGS_IF | RFLAGS_FIXED,
		.orig_rax = -1UL,
	};
	arch_debug_flush();
	dispatch_exec();
	arch_set_tls(t, 0);
	arch_clear_gs();
	arch_fpu_reset(t);
}
