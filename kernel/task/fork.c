/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making tasks: processes, threads, kernel threads.
 *
 * Model: check, reserve, commit. task_fork() first counts the new task against
 * the limits, then copies or shares what the flags say, and last, under the
 * locks of the family, the group and the process, makes it visible all at
 * once (fork_commit()). Up to there each step has an undo; from there on
 * nothing fails. A signal that is pending by then makes the call start again,
 * so that a signal to the group reaches parent and child or the parent before
 * the fork.
 *
 * Locking: family_lock of the parent, the shard of the group on this CPU,
 * process->lock of the process that forks (task/pid.c has the order).
 */
#include "kernel/task/task_impl.h"

#include "kernel/file.h"
#include "kernel/futex/futex.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/seccomp/seccomp.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/ns.h"
#include "kernel/task/port.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/space.h"
#include "percpu/counter.h"
#include "percpu/trace/events.h"

#define THREADS_MIN 20
#define THREADS_MAX 4194304

static struct limit_counter task_counter;
static DEFINE_COUNTER(forked);

/* --- limits --- */

void
fork_init(void)
{
	/* As Linux: stacks may fill an eighth of memory. */
	s64 max = pages_total() * PAGE_SIZE / (8 * KERNEL_STACK_SIZE);

	max = clamp(max, (s64)THREADS_MIN, (s64)THREADS_MAX);
	if (limit_counter_init(&task_counter, max))
		panic("no memory for the count of tasks");
}

s64
threads_max_get(void)
{
	return READ_ONCE(task_counter.limit);
}

int
threads_max_set(s64 max)
{
	if (max < 1 || max > THREADS_MAX)
		return -EINVAL;
	limit_counter_set_limit(&task_counter, max);
	return 0;
}

s64
tasks_count(void)
{
	return limit_counter_sum(&task_counter);
}

u64
tasks_forked(void)
{
	return counter_sum(forked);
}

static int
fork_charge(const struct cred *c)
{
	u64 limit = rlimit(RLIMIT_NPROC);

	if (c->uid == 0 || cred_capable(c, CAP_SYS_RESOURCE) || cred_capable(c, CAP_SYS_ADMIN))
		limit = RLIM_INFINITY;
	if (!user_count_try_add(c->user, USER_PROCESSES, 1, limit))
		return -EAGAIN;
	if (!limit_counter_try_add(&task_counter, 1)) {
		user_count_add(c->user, USER_PROCESSES, -1);
		return -EAGAIN;
	}
	return 0;
}

void
fork_uncharge(struct task *t)
{
	user_count_add(rcu_locked(t->cred)->user, USER_PROCESSES, -1);
	limit_counter_try_add(&task_counter, -1);
}

/* --- what is copied --- */

static int
copy_space(struct task *t, u64 flags)
{
	struct space *s = current->space;

	if (!s)
		return 0;
	if (flags & CLONE_VM) {
		space_get_user(s);
	} else {
		s = space_fork(s);
		if (is_err(s))
			return ptr_err(s);
	}
	t->space = s;
	return 0;
}

static int
copy_files(struct task *t, u64 flags)
{
	struct files *f = current->files;

	if (!f)
		return 0;
	f = flags & CLONE_FILES ? files_get(f) : files_copy(f);
	if (is_err_or_null(f))
		return f ? ptr_err(f) : -ENOMEM;
	t->files = f;
	return 0;
}

static int
copy_fs(struct task *t, u64 flags)
{
	struct fs_context *fs = current->fs;

	if (!fs)
		return 0;
	fs = flags & CLONE_FS ? fs_context_get(fs) : fs_context_copy(fs);
	if (is_err_or_null(fs))
		return fs ? ptr_err(fs) : -ENOMEM;
	t->fs = fs;
	return 0;
}

/* After copy_fs(): a namespace of its own takes the place that t is at with it. */
static int
copy_mnt_ns(struct task *t, u64 flags)
{
	struct ns *ns = current->mnt_ns;

	if (!ns)
		return 0;
	ns = flags & CLONE_NEWNS ? mount_ns_copy(t->fs) : ns_get(ns);
	if (is_err(ns))
		return ptr_err(ns);
	t->mnt_ns = ns;
	return 0;
}

/* Plain values; t is zero. */
static void
copy_values(struct task *t, const struct fork_args *a)
{
	struct task *p = current;

	t->flags = TASK_FORKNOEXEC | (a->kthread ? TASK_KTHREAD : 0);
	t->personality = p->personality;
	t->loginuid = p->loginuid;
	t->sessionid = p->sessionid;
	t->timer_slack = p->timer_slack;
	t->timer_slack_default = p->timer_slack;
	t->ioprio = p->ioprio;
	t->syscall_nr = -1;
	t->fs_base = p->fs_base;
	t->gs_base = p->gs_base;
	if (a->flags & CLONE_CHILD_SETTID)
		t->set_child_tid = a->child_tid;
	if (a->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = a->child_tid;
	if (!(a->flags & CLONE_VM)) {
		t->rseq = p->rseq;
		t->rseq_len = p->rseq_len;
		t->rseq_sig = p->rseq_sig;
		t->work = p->rseq ? WORK_RSEQ : 0;
	}
	t->start_time = ktime_get();
	t->start_boottime = t->start_time;
	memcpy(t->comm, p->comm, TASK_COMM_LEN);
}

static int
copy_process(struct task *t, const struct fork_args *a)
{
	struct process *from = current->process;
	struct process *p;

	if (a->flags & CLONE_THREAD) {
		t->process = process_get(from);
		return 0;
	}
	p = process_alloc();
	if (!p)
		return -ENOMEM;
	t->process = process_get(p);
	rcu_publish(p->leader, t);
	p->nr_threads = 1;
	p->live = 1;
	p->dumpable = from->dumpable;
	p->core_filter = READ_ONCE(from->core_filter);
	p->thp_disabled = from->thp_disabled;
	p->oom_score_adj = from->oom_score_adj;
	p->oom_score_adj_min = from->oom_score_adj_min;
	p->has_subreaper = from->has_subreaper || READ_ONCE(from->child_subreaper);
	p->signals.next_target = t;
	if (a->flags & CLONE_VM)
		p->membarrier = from->membarrier;
	return 0;
}

/* Numbers, and what must be there before the first switch to t. */
static int
copy_machine(struct task *t, const struct fork_args *a)
{
	int err;

	if (a->fn) {
		if (a->init || a->worker) {
			err = arch_fpu_fork(t, current);
			if (err)
				return err;
		}
		if (a->worker) {
			/* What debuggers see; it is in no system call. */
			*task_regs(t) = *task_regs(current);
			task_regs(t)->orig_rax = (u64)-1;
			t->signals.blocked = ~(sigmask(SIGKILL) | sigmask(SIGSTOP));
		}
		arch_task_setup_kernel(t, a->fn, a->fn_arg);
		return 0;
	}
	err = arch_fpu_fork(t, current);
	if (err)
		return err;
	arch_task_setup_user(t, task_regs(current), a->sp ? a->sp : task_regs(current)->rsp);
	if (a->flags & CLONE_SETTLS)
		arch_set_tls(t, a->tls);
	return 0;
}

static int
copy_pid(struct task *t, const struct fork_args *a)
{
	int err = pid_alloc(&t->pid, a->set_tid);

	if (err)
		return err;
	t->tid = t->pid->nr;
	if (!(a->flags & CLONE_THREAD)) {
		t->process->pid = pid_get(t->pid);
		t->process->tgid = t->tid;
	}
	return 0;
}

/* Undoes what the copies did, in any state between them. */
static void
fork_undo(struct task *t)
{
	struct process *p = t->process;

	if (t->pid)
		pid_unuse(t->pid);
	ipc_task_fork_undo(t);
	if (t->space)
		space_put_user(t->space);
	if (t->files)
		files_put(t->files);
	if (t->fs)
		fs_context_put(t->fs);
	ns_put(t->mnt_ns);
	fork_uncharge(t);
	if (p && p != current->process) {
		if (p->signals.sighand)
			sighand_put(p->signals.sighand);
		process_put(p);
	}
	task_free_unused(t);
}

static int
fork_copy(struct task *t, struct fork_args *a)
{
	u64 flags = a->flags;
	int err;

	copy_values(t, a);
	if (a->name)
		strscpy(t->comm, a->name, TASK_COMM_LEN);
	err = copy_process(t, a);
	if (err)
		return err;
	err = sched_fork(t, current, true);
	if (err)
		return err;
	/* PI locks count real-time priorities downwards. */
	if (t->sched.rt_priority)
		task_pi_init(&t->pi, 99 - (s32)t->sched.rt_priority);
	if (!a->kthread) {
		err = ipc_task_fork(t, flags);
		if (err)
			return err;
		err = copy_files(t, flags);
		if (err)
			return err;
		err = copy_fs(t, flags);
		if (err)
			return err;
		err = copy_mnt_ns(t, flags);
		if (err)
			return err;
	}
	if (a->kthread) {
		/* Process 0's ignore everything. */
		t->process->signals.sighand = sighand_get(idle_process.signals.sighand);
		signal_altstack_reset(t);
	} else {
		err = signal_copy(t, current, flags);
		if (err)
			return err;
	}
	if (!a->fn || a->worker) {
		err = copy_space(t, flags);
		if (err)
			return err;
	}
	err = copy_machine(t, a);
	return err ? err : copy_pid(t, a);
}

/* --- becoming visible --- */

static void
publish(struct task *t)
{
	if (rcu_locked(t->process->leader) == t)
		rcu_publish(t->pid->process, t->process);
	rcu_publish(t->pid->task, t);
	pid_publish(t->pid);
}

static int
commit_thread(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	signal_recalc(current);
	if (signal_pending()) {
		spin_unlock_irq(&p->lock, flags);
		return -ERESTARTNOINTR;
	}
	seccomp_fork(t);
	p->nr_threads++;
	p->live++;
	list_add_tail_rcu(&t->thread_link, &p->threads);
	publish(t);
	spin_unlock_irq(&p->lock, flags);
	return 0;
}

/* The lock of whoever becomes the parent is held. */
static int
commit_child(struct task *t, struct process *parent, const struct fork_args *a)
{
	struct process *from = current->process;
	struct process *p = t->process;
	unsigned int shard;
	unsigned long flags;
	struct pgroup *g = pgroup_lock_fork(from, &shard, &flags);

	spin_lock(&from->lock);
	signal_recalc(current);
	if (!a->fn && signal_pending()) {
		spin_unlock(&from->lock);
		pgroup_unlock_fork(g, shard, flags);
		return -ERESTARTNOINTR;
	}
	if (!a->kthread)
		seccomp_fork(t);
	memcpy(p->rlim, from->rlim, sizeof(p->rlim));
	p->tty = from->tty;
	p->parent_tid = a->flags & CLONE_PARENT ? from->parent_tid : current->tid;
	rcu_publish(p->parent, parent);
	list_add_tail(&p->sibling, &parent->children);
	list_add_tail_rcu(&t->thread_link, &p->threads);
	pgroup_join_fork(g, shard, p);
	publish(t);
	spin_unlock(&from->lock);
	pgroup_unlock_fork(g, shard, flags);
	return 0;
}

static int
commit_process(struct task *t, const struct fork_args *a)
{
	struct process *parent = current->process;
	int err;

	rcu_read_lock();
	if (a->kthread)
		parent = kthreadd_process;
	if (a->flags & CLONE_PARENT)
		parent = process_lock_parent(parent);
	else
		spin_lock(&parent->family_lock);
	err = commit_child(t, parent, a);
	spin_unlock(&parent->family_lock);
	rcu_read_unlock();
	return err;
}

static void
set_exit_signal(struct task *t, const struct fork_args *a)
{
	if (a->flags & CLONE_THREAD)
		t->exit_signal = -1;
	else if (a->flags & CLONE_PARENT)
		t->exit_signal = rcu_locked(current->process->leader)->exit_signal;
	else
		t->exit_signal = a->exit_signal;
}

struct task *
task_fork(struct fork_args *a)
{
	struct task *t = task_alloc(-1);
	const struct cred *c = a->kthread ? &init_cred : current_cred();
	int err;

	if (!t)
		return err_ptr(-ENOMEM);
	rcu_publish(t->cred, cred_get(c));
	err = fork_charge(c);
	if (err) {
		task_free_unused(t);
		return err_ptr(err);
	}
	err = fork_copy(t, a);
	if (err)
		goto out_undo;
	set_exit_signal(t, a);
	err = fork_pidfd(t, a);
	if (err)
		goto out_undo;
	err = a->flags & CLONE_THREAD ? commit_thread(t) : commit_process(t, a);
	if (err) {
		fork_pidfd_undo(a);
		goto out_undo;
	}
	fork_pidfd_publish(a);
	counter_inc(forked);
	trace_task_newtask(t->tid, t->comm, a->flags, (short)t->process->oom_score_adj);
	trace_sched_process_fork(current->comm, current->tid, t->comm, t->tid);
	return t;

out_undo:
	fork_undo(t);
	return err_ptr(err);
}
