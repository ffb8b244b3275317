/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens around a process that ends: its children get a new parent, its
 * group may become orphaned, its parent is told, and at last it is released.
 *
 * Locking: the family lock of the new parent, then that of the process that
 * ends (an ancestor comes first, task/pid.c); signals are sent under them.
 */
#include "kernel/task/task_impl.h"

#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/seccomp/seccomp.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/pgroup.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"

#define NSEC_PER_TICK (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC)

struct process *
process_lock_parent(struct process *p)
{
	for (;;) {
		struct process *parent = rcu_load(p->parent);

		spin_lock(&parent->family_lock);
		if (rcu_locked(p->parent) == parent)
			return parent;
		spin_unlock(&parent->family_lock);
	}
}

/* --- orphaned groups (POSIX, _exit()) --- */

static int
is_stopped(struct process *p, void *arg)
{
	return READ_ONCE(p->signals.flags) & PSIG_STOPPED;
}

/*
 * p leaves the group, or its parent `left` has gone: if that made p's group an
 * orphaned one with stopped processes, nobody could continue them.
 */
static void
orphan_check(struct process *p, struct process *left, const struct process *ignored)
{
	struct pid *pgrp = rcu_load(p->pgrp);

	if (rcu_load(left->pgrp) == pgrp || rcu_load(left->session) != rcu_load(p->session))
		return;
	if (!pgroup_orphaned(pgrp, ignored) || pgroup_for_each(pgrp, is_stopped, NULL) != 1)
		return;
	signal_send_pgrp(pgrp, SIGHUP, NULL);
	signal_send_pgrp(pgrp, SIGCONT, NULL);
}

/* --- telling the parent --- */

void
process_exit_info(struct process *p, const struct task *t, struct siginfo *info)
{
	s32 status = p->group_exit ? p->exit_code : t->exit_code;

	*info = (struct siginfo){.signo = SIGCHLD, .pid = t->tid};
	rcu_read_lock();
	info->uid = task_cred(t)->uid;
	rcu_read_unlock();
	info->utime = p->utime / NSEC_PER_TICK;
	info->stime = p->stime / NSEC_PER_TICK;
	info->status = status & 0x7f;
	if (status & 0x80) {
		info->code = CLD_DUMPED;
	} else if (status & 0x7f) {
		info->code = CLD_KILLED;
	} else {
		info->code = CLD_EXITED;
		info->status = status >> 8;
	}
}

/* parent's family lock is held. True: the parent does not want to wait for p. */
static bool
notify_parent(struct process *p, struct process *parent)
{
	s32 sig = READ_ONCE(rcu_locked(p->leader)->exit_signal);
	struct siginfo info;
	struct sigaction sa;
	unsigned long flags;
	bool autoreap = false;

	process_exit_info(p, rcu_locked(p->leader), &info);
	flags = spin_lock_irq(&parent->lock);
	if (sig == SIGCHLD) {
		sighand_get_action(parent, sig, &sa);
		autoreap = (unsigned long)sa.handler == SIG_IGN || (sa.flags & SA_NOCLDWAIT);
		if ((unsigned long)sa.handler == SIG_IGN)
			sig = 0;
	}
	info.signo = sig;
	if (sig > 0 && sig <= NSIG)
		signal_send_locked(parent, NULL, sig, &info);
	spin_unlock_irq(&parent->lock, flags);
	waitq_wake_all(&parent->child_wait);
	return autoreap;
}

/* p becomes a zombie, or goes to `dead` if nobody wants it. */
static void
make_zombie(struct process *p, struct process *parent, struct list *dead)
{
	if (notify_parent(p, parent)) {
		p->state = PROCESS_REAPED;
		list_move_tail(&p->sibling, dead);
	} else {
		p->state = PROCESS_ZOMBIE;
	}
}

/* --- children of a process that ends --- */

/* The nearest ancestor that takes children in, its family lock held. */
static struct process *
lock_reaper(struct process *p)
{
	for (;;) {
		struct process *r = init_process;

		if (p->has_subreaper) {
			r = rcu_load(p->parent);
			while (r != init_process && r != &idle_process &&
			       !(READ_ONCE(r->child_subreaper) && READ_ONCE(r->live)))
				r = rcu_load(r->parent);
			if (r == &idle_process)
				r = init_process;
		}
		spin_lock(&r->family_lock);
		if (!r->childless)
			return r;
		spin_unlock(&r->family_lock);
	}
}

static void
send_pdeath(struct process *child, s32 parent_tid)
{
	struct task *t;

	for_each_thread(child, t) {
		s32 sig = READ_ONCE(t->pdeath_signal);
		struct siginfo info = {.signo = sig, .code = SI_USER};

		info.pid = current->process->tgid;
		info.uid = current_cred()->uid;
		if (sig)
			signal_send_process(child, sig, &info);
	}
}

/* Both family locks are held. */
static void
adopt(struct process *child, struct process *old, struct process *reaper, struct list *dead)
{
	rcu_publish(child->parent, reaper);
	child->parent_tid = reaper->tgid;
	list_move_tail(&child->sibling, &reaper->children);
	send_pdeath(child, old->tgid);
	/* The new parent expects nothing else. */
	rcu_locked(child->leader)->exit_signal = SIGCHLD;
	if (child->state == PROCESS_ZOMBIE)
		make_zombie(child, reaper, dead);
	orphan_check(child, old, NULL);
}

static void
give_children_away(struct process *p, struct list *dead)
{
	struct process *reaper, *child, *tmp;

	spin_lock(&p->family_lock);
	if (list_empty(&p->children))
		p->childless = true;
	spin_unlock(&p->family_lock);
	if (p->childless)
		return;
	reaper = lock_reaper(p);
	spin_lock_nested(&p->family_lock);
	p->childless = true;
	list_for_each_entry_safe(child, tmp, &p->children, sibling)
		adopt(child, p, reaper, dead);
	spin_unlock(&p->family_lock);
	spin_unlock(&reaper->family_lock);
}

void
process_rehome_children(struct process *p, s32 old_tid)
{
	struct process *child;
	struct task *heir = NULL, *t;

	if (list_empty(&p->children))
		return;
	spin_lock(&p->family_lock);
	for_each_thread(p, t) {
		if (!(READ_ONCE(t->flags) & TASK_EXITING)) {
			heir = t;
			break;
		}
	}
	list_for_each_entry(child, &p->children, sibling) {
		if (!heir || child->parent_tid != old_tid)
			continue;
		child->parent_tid = heir->tid;
		send_pdeath(child, old_tid);
	}
	spin_unlock(&p->family_lock);
}

/* --- the last thread has gone --- */

static void
release_list(struct list *dead)
{
	struct process *p, *tmp;

	list_for_each_entry_safe(p, tmp, dead, sibling) {
		list_del_init(&p->sibling);
		process_release(p);
	}
}

void
process_tell_parent(struct process *p)
{
	struct process *parent;
	struct list dead;

	list_init(&dead);
	rcu_read_lock();
	parent = process_lock_parent(p);
	make_zombie(p, parent, &dead);
	spin_unlock(&parent->family_lock);
	rcu_read_unlock();
	release_list(&dead);
}

void
process_exit_notify(struct process *p)
{
	struct list dead;

	list_init(&dead);
	rcu_read_lock();
	give_children_away(p, &dead);
	orphan_check(p, rcu_load(p->parent), p);
	waitq_wake_all(&p->pid->exit_wait);
	rcu_read_unlock();
	release_list(&dead);
	if (!ptrace_keep_leader(p))
		process_tell_parent(p);
}

/* --- release --- */

void
task_release(struct task *t)
{
	struct pid *pid = t->pid;

	rcu_publish(pid->task, NULL);
	seccomp_release(t);
	fork_uncharge(t);
	pid_unuse(pid);
	task_put(t);
}

void
process_release(struct process *p)
{
	struct task *leader = rcu_locked(p->leader);
	struct sighand *sighand;
	unsigned long flags;

	pgroup_leave(p);
	rcu_publish(p->pid->process, NULL);
	flags = spin_lock_irq(&p->lock);
	signal_flush(&p->signals.pending);
	list_del_rcu(&leader->thread_link);
	/* Whoever comes with a signal from here on finds that nobody is there. */
	sighand = p->signals.sighand;
	p->signals.sighand = NULL;
	spin_unlock_irq(&p->lock, flags);
	timers_free(p);
	sighand_put(sighand);
	task_release(leader);
	process_put(p);
}
