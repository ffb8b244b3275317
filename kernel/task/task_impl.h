/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/task (and signal, futex) see of each other. */
#ifndef KERNEL_TASK_TASK_IMPL_H
#define KERNEL_TASK_TASK_IMPL_H

#include "kernel/task/task.h"
#include "percpu/counter.h"

/* --- pid.c --- */
void pid_init(void);
/*
 * A new number (want 0) or this very one (-EEXIST, -EINVAL), with one use and
 * one reference; found by number once pid_publish() has been called. -EAGAIN at
 * the limit, -ENOMEM. May sleep.
 */
int pid_alloc(struct pid **out, s32 want);
void pid_publish(struct pid *p);
/* Boot: number 0, which the table does not show. */
struct pid *pid_alloc_zero(void);
static inline void
pid_use(struct pid *p)
{
	atomic_inc(&p->uses);
}
/* The last use gives the number back and drops the first reference. */
void pid_unuse(struct pid *p);

/* --- pgroup.c --- */
void pgroup_init(void);
/* Before the first process of a group or session: 0 or -ENOMEM. */
int session_create(struct pid *pid, struct session **out);
int pgroup_create(struct pid *pid, struct session *s, struct pgroup **out);
/* For fork: child joins parent's group; parent->lock and what pgroup_lock_fork() gave are held. */
struct pgroup *pgroup_lock_fork(struct process *parent, unsigned int *shard, unsigned long *flags);
void pgroup_unlock_fork(struct pgroup *g, unsigned int shard, unsigned long flags);
void pgroup_join_fork(struct pgroup *g, unsigned int shard, struct process *child);
/* A process that nobody sees yet. */
void pgroup_join(struct pgroup *g, struct process *p);
/*
 * Releases groups and sessions that have emptied, whose numbers are taken till
 * then. False: there are none. May sleep.
 */
bool pgroups_reclaim(void);
/* A process that is released. */
void pgroup_leave(struct process *p);
/* idle_process and what it makes at boot. */
extern struct pgroup *boot_pgroup;

/* --- task.c --- */
extern const struct lock_class process_lock_class;
extern const struct lock_class family_class;
extern struct process *init_process;
extern struct process *kthreadd_process;
/* Zeroed but for lists, locks and one reference each; with a stack. NULL: no memory. */
struct task *task_alloc(int node);
struct process *process_alloc(void);
/* They were never seen by anyone. */
void task_free_unused(struct task *t);
void process_free_unused(struct process *p);

/* --- fork.c --- */
void fork_init(void);
struct fork_args {
	u64 flags;
	u32 __user *pidfd;
	u32 __user *child_tid;
	u32 __user *parent_tid;
	u32 exit_signal;
	unsigned long sp;
	unsigned long tls;
	/* Wanted number, 0: any. */
	s32 set_tid;
	/* Kernel threads and init. */
	int (*fn)(void *arg);
	void *fn_arg;
	bool kthread;
	bool init;
	/* A thread of the process that stays in the kernel. */
	bool worker;
	const char *name;
	/* Filled in: the pidfd that CLONE_PIDFD made. */
	struct file *pidfd_file;
	int pidfd_nr;
};
/* The new task, not started, with a reference; err_ptr. */
struct task *task_fork(struct fork_args *a);
/* Gives back what the limits counted for t, which is released. */
void fork_uncharge(struct task *t);
/* clone.c: makes, drops, installs the descriptor that CLONE_PIDFD asks for. */
int fork_pidfd(struct task *t, struct fork_args *a);
void fork_pidfd_undo(struct fork_args *a);
void fork_pidfd_publish(struct fork_args *a);
/* The same, started, with all that clone(2) does for its caller: its tid or -Exxx. */
long task_clone(struct fork_args *a);
/* t leaves its space (exec, exit): robust futexes, clear_child_tid, vfork parent. */
void task_release_space(struct task *t);

/* --- kthread.c --- */
void kthread_free(struct kthread *k);

/* --- exit.c, reap.c --- */
/* Every thread but `except` gets SIGKILL; code: p's wait status. p->lock is held. */
void process_zap_threads(struct process *p, s32 code, const struct task *except);
struct siginfo;
/* What SIGCHLD tells about a process that has ended, or one thread of it that is traced. */
void process_exit_info(struct process *p, const struct task *t, struct siginfo *info);
/* p's tracer, if it has one, knows of its end: now its parent is told. */
void process_tell_parent(struct process *p);
/* t, not the leader, has exited and is not traced (any more): it leaves its process. */
void thread_release(struct task *t);
/* The last thread of p has gone: children, parent. */
void process_exit_notify(struct process *p);
/* t is a thread that is not the leader, or the leader of a reaped process. */
void task_release(struct task *t);
/* p is PROCESS_REAPED and nobody else's. */
void process_release(struct process *p);
/* Locks the family lock of p's parent and returns the parent; caller in an RCU section. */
struct process *process_lock_parent(struct process *p);
/* A thread of p has gone: its children belong to another thread. */
void process_rehome_children(struct process *p, s32 old_tid);

/* --- rusage.c --- */
struct rusage;
/* Sums of a process: its own, gone threads and live ones. */
void process_rusage(struct process *p, int who, struct rusage *ru);
/* t is released: its figures move to the process. Holds p->lock. */
void process_account_thread(struct process *p, struct task *t);
/* A child was waited for: its figures move to its parent. */
void process_account_child(struct process *parent, struct process *child);

/* --- pidfd.c --- */
struct file;
/* The pid behind a descriptor, borrowed from f; NULL: not a pidfd. */
struct pid *pidfd_pid(struct file *f);
/* The task that a pidfd names, with a reference; NULL: gone. */
struct task *pidfd_task(struct pid *pid);

/* --- itimer.c, posix_timer.c --- */
void timers_exec(struct process *p);
/* All threads have begun to exit. */
void timers_exit(struct process *p);
void timers_free(struct process *p);

#endif
