/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of tasks.
 *
 * States of a process (`live`, `nr_threads` and `state`):
 * 1. live > 0: some thread runs.
 * 2. live = 0: all threads have begun task_exit(); timers are gone.
 * 3. nr_threads = 0: all have dropped what they used. Whoever was last, leader
 *    or not, tells the children and the parent (process_exit_notify()).
 * 4. PROCESS_ZOMBIE: waits for wait(2). The leader's task, the number and the
 *    accounts are still there.
 * 5. PROCESS_REAPED: one task claimed it (under the parent's family lock) and
 *    releases it.
 * A thread that is not the leader is released by itself, or by its tracer once
 * that has waited for it (ptrace/attach.c); it counts in nr_threads till then.
 *
 * Contexts: task_exit() runs on the task's own stack, sleeps, and holds no
 * lock on entry. The stack and the scheduler's reference go when the next task
 * runs.
 */
#include "kernel/task/task_impl.h"

#include "kernel/file.h"
#include "kernel/futex/futex.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/priority.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/coredump.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/ns.h"
#include "kernel/task/port.h"
#include "kernel/task/rseq.h"
#include "lib/errno.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "percpu/trace/events.h"
#include "sync/completion.h"

/* --- leaving a space --- */

void
task_release_space(struct task *t)
{
	struct completion *done;

	if (t->space) {
		futex_task_exit();
		if (t->clear_child_tid) {
			if (put_user(0u, t->clear_child_tid) == 0)
				futex_wake_user(t->clear_child_tid, true, 1);
			t->clear_child_tid = NULL;
		}
	}
	spin_lock(&t->alloc_lock);
	done = t->vfork_done;
	t->vfork_done = NULL;
	if (done)
		complete(done);
	spin_unlock(&t->alloc_lock);
}

static void
note_maxrss(struct process *p, struct space *s)
{
	struct space_stat st;
	unsigned long flags;

	/* The cheap figure does not know of a small program's pages yet. */
	space_stat(s, &st);
	flags = spin_lock_irq(&p->lock);
	p->maxrss = max(p->maxrss, st.peak_resident);
	spin_unlock_irq(&p->lock, flags);
}

/* Makes s (NULL: none) current's space; the old one, or NULL. */
static struct space *
swap_space(struct space *s)
{
	struct task *t = current;
	struct space *old;
	unsigned long flags;

	spin_lock(&t->alloc_lock);
	flags = irq_save();
	old = t->space;
	t->space = s;
	space_switch_oncpu(s);
	irq_restore(flags);
	spin_unlock(&t->alloc_lock);
	return old;
}

void
exec_set_space(struct space *s)
{
	struct space *old;

	task_release_space(current);
	rseq_exec(current);
	old = swap_space(s);
	if (old) {
		note_maxrss(current->process, old);
		space_put_user(old);
	}
}

static void
exit_space(struct task *t, bool group_dead)
{
	struct space *s = t->space;

	task_release_space(t);
	if (!s)
		return;
	if (group_dead)
		note_maxrss(t->process, s);
	swap_space(NULL);
	space_put_user(s);
}

static void
exit_files(struct task *t)
{
	struct files *files = t->files;
	struct fs_context *fs = t->fs;
	struct ns *ns = t->mnt_ns;

	spin_lock(&t->alloc_lock);
	t->files = NULL;
	t->fs = NULL;
	t->mnt_ns = NULL;
	spin_unlock(&t->alloc_lock);
	if (files)
		files_put(files);
	if (fs)
		fs_context_put(fs);
	ns_put(ns);
}

/* --- one task --- */

static void
exit_check(struct task *t)
{
	if (in_interrupt())
		panic("task %d (%s) was to end inside an interrupt", t->tid, t->comm);
	if (t->flags & TASK_IDLE)
		panic("an idle task was to end");
	if (!(t->flags & TASK_EXITING))
		return;
	/* A fault in the middle of task_exit(): leave the task as it is. */
	log_write(LOG_ALERT, "task %d (%s) failed while it ended; it is left behind", t->tid,
		  t->comm);
	for (;;) {
		park_prepare(PARK_IDLE);
		park(NO_DEADLINE);
	}
}

/* Counts t out of the running threads; true: it was the last. */
static bool
exit_begin(struct task *t, int code)
{
	struct process *p = t->process;
	unsigned long flags;
	bool dead;

	signal_task_exit(t);
	flags = spin_lock_irq(&p->lock);
	dead = --p->live == 0;
	t->exit_code = code;
	/* The last thread to go gives the status of the process. */
	if (dead && !p->group_exit) {
		p->group_exit = true;
		p->exit_code = code;
	}
	if (dead && p == init_process)
		panic("Attempted to kill init! exitcode=0x%08x", (unsigned int)p->exit_code);
	spin_unlock_irq(&p->lock, flags);
	return dead;
}

/* t has dropped everything. */
static void
exit_end(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	process_account_thread(p, t);
	signal_flush(&t->signals.pending);
	t->exited = true;
	spin_unlock_irq(&p->lock, flags);
}

/* t counts no more. True: no other thread of the process is left. */
static bool
leave_process(struct task *t)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	bool last;

	last = --p->nr_threads == 0;
	if (rcu_locked(p->leader) != t)
		list_del_rcu(&t->thread_link);
	if (p->signals.next_target == t)
		p->signals.next_target = rcu_locked(p->leader);
	if (p->group_exec && p->nr_threads == 1)
		unpark(p->group_exec);
	spin_unlock_irq(&p->lock, flags);
	return last;
}

void
thread_release(struct task *t)
{
	struct process *p = t->process;

	if (leave_process(t))
		process_exit_notify(p);
	task_release(t);
}

void __noreturn
task_exit(int code)
{
	struct task *t = current;
	struct process *p = t->process;
	bool group_dead;
	s32 tid = t->tid;

	exit_check(t);
	core_task_exit(t);
	ptrace_event(PTRACE_EVENT_EXIT, (u32)code);
	if (unlikely(t->uring))
		uring_task_exit();
	if (unlikely(t->uring_worker))
		uring_worker_exit();
	trace_sched_process_exit(t->comm, tid, t->sched.nice + 120);
	group_dead = exit_begin(t, code);
	if (group_dead)
		timers_exit(p);
	exit_space(t, group_dead);
	ipc_task_exit(t);
	exit_files(t);
	kcov_task_exit();
	sched_release_bandwidth(t);
	if (group_dead && p->session_leader)
		tty_session_exit(p);
	ptrace_exit(t);
	exit_end(t);
	process_rehome_children(p, tid);
	/* Who leads stays what it is: only exec_dethread() changes it, and that waits for us. */
	if (rcu_locked(p->leader) != t) {
		if (!ptrace_keep_thread(t))
			thread_release(t);
	} else if (leave_process(t)) {
		process_exit_notify(p);
	}
	sched_exit_task();
}

/* --- a whole process --- */

void
process_zap_threads(struct process *p, s32 code, const struct task *except)
{
	struct task *t;

	spin_assert_held(&p->lock);
	p->signals.stop_count = 0;
	p->exit_code = code;
	for_each_thread(p, t) {
		t->signals.stop &= ~(STOP_PENDING | STOP_CONSUME);
		if (t == except || t->exited)
			continue;
		WRITE_ONCE(t->signals.pending.set, t->signals.pending.set | sigmask(SIGKILL));
		signal_wake(t, true);
	}
}

void __noreturn
process_exit(int code)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	if (p->group_exit) {
		code = p->exit_code;
	} else if (p->group_exec) {
		code = 0;
	} else {
		p->group_exit = true;
		process_zap_threads(p, code, current);
	}
	spin_unlock_irq(&p->lock, flags);
	task_exit(code);
}

long
sys_exit(int code)
{
	task_exit((code & 0xff) << 8);
}

long
sys_exit_group(int code)
{
	process_exit((code & 0xff) << 8);
}
