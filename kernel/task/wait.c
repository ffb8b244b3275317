/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait4(2) and waitid(2).
 *
 * Model: a struct wait says which children and which events are wanted. A
 * scan looks at each child under the family lock of the waiter's process, and
 * either finds an event (and takes it, unless WNOWAIT), or says whether there
 * is a child that could still have one. The waiter queues itself on child_wait
 * before it scans, so an event between the scan and the sleep wakes it. Tasks
 * that threads of the waiter's process trace are waited for like children, each
 * thread for itself; a child among them is looked at as a tracee only.
 *
 * Locking: family_lock; the child's process->lock for stops and continues. A
 * zombie that is taken becomes PROCESS_REAPED under the family lock and then
 * belongs to the taker alone.
 */
#include "kernel/task/task_impl.h"

#include "kernel/file.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/pid_impl.h"
#include "kernel/uapi/resource.h"
#include "kernel/uapi/wait.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

enum wait_which { WAIT_ALL, WAIT_PID, WAIT_PGRP };

struct wait {
	enum wait_which which;
	/* A reference; NULL for WAIT_ALL. */
	struct pid *pid;
	u32 options;
	/* Out: what was found. */
	s32 status;
	struct siginfo info;
	struct rusage *ru;
	/* Out: a child that was taken and is to be released; a tracee of others' family. */
	struct process *reaped;
	struct task *parted;
};

/* --- one child; the family lock is held --- */

static bool
wait_wanted(const struct wait *w, const struct pid *pid, const struct process *c)
{
	if (w->which == WAIT_PID)
		return pid == w->pid;
	return w->which == WAIT_ALL || rcu_load(c->pgrp) == w->pid;
}

static bool
wait_eligible(const struct wait *w, struct process *c)
{
	bool clone_child = READ_ONCE(rcu_locked(c->leader)->exit_signal) != SIGCHLD;

	if (!wait_wanted(w, c->pid, c))
		return false;
	if ((w->options & __WNOTHREAD) && c->parent_tid != current->tid)
		return false;
	return (w->options & __WALL) || clone_child == !!(w->options & __WCLONE);
}

static void
wait_info(struct wait *w, const struct task *t, int code, int status)
{
	memset(&w->info, 0, sizeof(w->info));
	w->info.signo = SIGCHLD;
	w->info.code = code;
	w->info.pid = t->tid;
	rcu_read_lock();
	w->info.uid = task_cred(t)->uid;
	rcu_read_unlock();
	w->info.status = status;
	if (w->ru)
		process_rusage(t->process, RUSAGE_BOTH, w->ru);
}

/* t, a thread or for its process, has ended. */
static void
wait_end_info(struct wait *w, const struct task *t)
{
	s32 status = t->process->group_exit ? t->process->exit_code : t->exit_code;

	w->status = status;
	if (status & 0x7f)
		wait_info(w, t, status & 0x80 ? CLD_DUMPED : CLD_KILLED, status & 0x7f);
	else
		wait_info(w, t, CLD_EXITED, status >> 8);
}

static bool
wait_zombie(struct wait *w, struct process *c)
{
	if (c->state != PROCESS_ZOMBIE || !(w->options & WEXITED))
		return false;
	wait_end_info(w, rcu_locked(c->leader));
	if (!(w->options & WNOWAIT)) {
		c->state = PROCESS_REAPED;
		list_del_init(&c->sibling);
		w->reaped = c;
	}
	return true;
}

static bool
wait_stopped(struct wait *w, struct process *c)
{
	unsigned long flags;
	u32 sig;

	if (!(w->options & WSTOPPED) || !READ_ONCE(c->signals.stop_signal))
		return false;
	flags = spin_lock_irq(&c->lock);
	sig = c->signals.flags & PSIG_STOPPED ? c->signals.stop_signal : 0;
	if (sig && !(w->options & WNOWAIT))
		c->signals.stop_signal = 0;
	spin_unlock_irq(&c->lock, flags);
	if (!sig)
		return false;
	w->status = sig << 8 | 0x7f;
	wait_info(w, rcu_locked(c->leader), CLD_STOPPED, sig);
	return true;
}

static bool
wait_continued(struct wait *w, struct process *c)
{
	unsigned long flags;
	bool found;

	if (!(w->options & WCONTINUED) || !(READ_ONCE(c->signals.flags) & PSIG_CONTINUED))
		return false;
	flags = spin_lock_irq(&c->lock);
	found = c->signals.flags & PSIG_CONTINUED;
	if (found && !(w->options & WNOWAIT))
		c->signals.flags &= ~PSIG_CONTINUED;
	spin_unlock_irq(&c->lock, flags);
	if (!found)
		return false;
	w->status = 0xffff;
	wait_info(w, rcu_locked(c->leader), CLD_CONTINUED, SIGCONT);
	return true;
}

/* --- one tracee of ours; the family lock is held --- */

static bool
wait_tracee_eligible(const struct wait *w, const struct task *t)
{
	struct process *c = t->process;
	bool child = rcu_locked(c->leader) == t && rcu_locked(c->parent) == current->process &&
		     c->parent_tid == current->tid;

	if ((w->options & __WNOTHREAD) && rcu_locked(t->ptrace.tracer) != current && !child)
		return false;
	return wait_wanted(w, t->pid, c);
}

static bool
wait_tracee_zombie(struct wait *w, struct task *t)
{
	struct process *c = t->process;

	if (!t->ptrace.zombie || !(w->options & WEXITED))
		return false;
	wait_end_info(w, t);
	if (w->options & WNOWAIT)
		return true;
	ptrace_unlink_zombie(t);
	if (rcu_locked(c->leader) == t && rcu_locked(c->parent) == current->process) {
		c->state = PROCESS_REAPED;
		list_del_init(&c->sibling);
		w->reaped = c;
	} else {
		w->parted = t;
	}
	return true;
}

static bool
wait_tracee_stopped(struct wait *w, struct task *t)
{
	unsigned long flags = spin_lock_irq(&t->process->lock);
	s32 code = 0;

	if ((t->signals.stop & (STOP_TRACED | STOP_LISTENING)) == STOP_TRACED)
		code = t->ptrace.code;
	if (code && !(w->options & WNOWAIT))
		t->ptrace.code = 0;
	spin_unlock_irq(&t->process->lock, flags);
	if (!code)
		return false;
	w->status = code << 8 | 0x7f;
	wait_info(w, t, CLD_TRAPPED, code);
	return true;
}

static long
wait_scan_tracees(struct wait *w, struct process *self)
{
	struct task *t;
	long ret = -ECHILD;

	list_for_each_entry(t, &self->tracees, ptrace.link) {
		if (!wait_tracee_eligible(w, t))
			continue;
		if (wait_tracee_zombie(w, t) || wait_tracee_stopped(w, t))
			return t->tid;
		if (rcu_locked(t->process->leader) == t && wait_continued(w, t->process))
			return t->tid;
		ret = 0;
	}
	return ret;
}

static bool
traced_by_us(const struct process *c)
{
	const struct task *tracer = rcu_locked(rcu_locked(c->leader)->ptrace.tracer);

	return tracer && tracer->process == current->process;
}

/* --- all children --- */

/* The number of the child with an event; 0: none yet; -ECHILD: there never will be. */
static long
wait_scan(struct wait *w)
{
	struct process *self = current->process;
	struct process *c;
	long ret = -ECHILD;

	spin_lock(&self->family_lock);
	list_for_each_entry(c, &self->children, sibling) {
		if (c->state == PROCESS_REAPED || !wait_eligible(w, c) || traced_by_us(c))
			continue;
		if (wait_zombie(w, c) || wait_stopped(w, c) || wait_continued(w, c)) {
			ret = c->tgid;
			break;
		}
		ret = 0;
	}
	if (ret <= 0 && unlikely(!list_empty(&self->tracees))) {
		long traced = wait_scan_tracees(w, self);

		ret = traced == -ECHILD ? ret : traced;
	}
	spin_unlock(&self->family_lock);
	return ret;
}

static void
wait_reap(struct wait *w)
{
	if (w->parted && rcu_locked(w->parted->process->leader) == w->parted)
		process_tell_parent(w->parted->process);
	else if (w->parted)
		thread_release(w->parted);
	if (!w->reaped)
		return;
	process_account_child(current->process, w->reaped);
	process_release(w->reaped);
	w->reaped = NULL;
}

static long
wait_do(struct wait *w)
{
	struct waitq *q = &current->process->child_wait;
	struct waiter waiter;
	long ret = wait_scan(w);

	if (ret == 0 && !(w->options & WNOHANG)) {
		waiter_init_current(&waiter, 0);
		for (;;) {
			int err;

			waitq_prepare(q, &waiter, PARK_INTERRUPTIBLE);
			ret = wait_scan(w);
			if (ret)
				break;
			err = park(NO_DEADLINE);
			if (err) {
				ret = err;
				break;
			}
		}
		waitq_finish(q, &waiter);
	}
	wait_reap(w);
	return ret;
}

/* --- system calls --- */

long
sys_wait4(int nr, int __user *status, int options, struct rusage __user *uru)
{
	struct rusage ru;
	struct wait w = {.options = (u32)options | WEXITED, .ru = uru ? &ru : NULL};
	long ret;

	if ((u32)options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (nr == INT32_MIN)
		return -ESRCH;
	if (nr < -1 || nr == 0) {
		w.which = WAIT_PGRP;
		if (nr) {
			w.pid = pid_find_get(-nr);
		} else {
			rcu_read_lock();
			w.pid = pid_get(rcu_load(current->process->pgrp));
			rcu_read_unlock();
		}
	} else if (nr > 0) {
		w.which = WAIT_PID;
		w.pid = pid_find_get(nr);
	}
	ret = w.which != WAIT_ALL && !w.pid ? -ECHILD : wait_do(&w);
	pid_put(w.pid);
	if (ret > 0 && status && put_user(w.status, status))
		ret = -EFAULT;
	if (ret > 0 && uru && copy_to_user(uru, &ru, sizeof(ru)))
		ret = -EFAULT;
	return ret;
}

/* The pid that waitid's pair names: 0, -EINVAL, -EBADF. *nonblock: a pidfd with O_NONBLOCK. */
static int
waitid_target(int which, int id, struct wait *w, bool *nonblock)
{
	struct file *f;
	struct pid *p;

	switch (which) {
	case P_ALL:
		w->which = WAIT_ALL;
		return 0;
	case P_PID:
		if (id <= 0)
			return -EINVAL;
		w->which = WAIT_PID;
		w->pid = pid_find_get(id);
		return 0;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		w->which = WAIT_PGRP;
		if (id) {
			w->pid = pid_find_get(id);
			return 0;
		}
		rcu_read_lock();
		w->pid = pid_get(rcu_load(current->process->pgrp));
		rcu_read_unlock();
		return 0;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		f = fd_get_file(id);
		p = f ? pidfd_pid(f) : NULL;
		if (p) {
			w->which = WAIT_PID;
			w->pid = pid_get(p);
			*nonblock = file_nonblock(f);
		}
		if (f)
			file_put(f);
		return p ? 0 : -EBADF;
	default:
		return -EINVAL;
	}
}

static int
waitid_put_info(struct siginfo __user *uinfo, const struct wait *w, bool found)
{
	struct siginfo none = {};
	const struct siginfo *i = found ? &w->info : &none;

	/* Only these fields are written, as on Linux. */
	if (put_user(found ? SIGCHLD : 0, user_field(uinfo, signo)) ||
	    put_user(0, user_field(uinfo, err)) || put_user(i->code, user_field(uinfo, code)) ||
	    put_user(i->pid, user_field(uinfo, pid)) || put_user(i->uid, user_field(uinfo, uid)) ||
	    put_user(i->status, user_field(uinfo, status)))
		return -EFAULT;
	return 0;
}

long
sys_waitid(int which, int id, struct siginfo __user *uinfo, int options, struct rusage __user *uru)
{
	struct rusage ru;
	struct wait w = {.options = options, .ru = uru ? &ru : NULL};
	bool nonblock = false;
	long ret;

	if ((u32)options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			     __WCLONE | __WALL))
		return -EINVAL;
	if (!((u32)options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	ret = waitid_target(which, id, &w, &nonblock);
	if (ret)
		return ret;
	if (nonblock)
		w.options |= WNOHANG;
	ret = w.which != WAIT_ALL && !w.pid ? -ECHILD : wait_do(&w);
	pid_put(w.pid);
	if (ret == 0 && nonblock && !((u32)options & WNOHANG))
		return -EAGAIN;
	if (ret > 0 && uru && copy_to_user(uru, &ru, sizeof(ru)))
		return -EFAULT;
	if (ret >= 0 && uinfo && waitid_put_info(uinfo, &w, ret > 0))
		return -EFAULT;
	return ret < 0 ? ret : 0;
}
