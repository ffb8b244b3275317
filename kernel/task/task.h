/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks (threads) and processes (thread groups).
 *
 * Model: the scheduler runs tasks. A process is what its threads share: pids,
 * parent and children, signals sent to all, limits, exit status. A task that
 * has exited stays as a zombie (the leader until it is waited for) and its
 * memory until the last reference and a grace period are gone.
 *
 * Ownership: a field marked `o` is written by the task itself only.
 *
 * Locking: task/pid.c tells the locks of the family tree, of groups and
 * sessions and their order. Letters here: `l` process->lock, `f` the parent's
 * family lock, `g` the lock of the group's shard and process->lock to write,
 * one of them (or RCU) to read.
 */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/asm/regs.h"
#include "kernel/check/kcov.h"
#include "kernel/cred.h"
#include "kernel/ptrace/ptrace_task.h"
#include "kernel/sched/sched_task.h"
#include "kernel/seccomp/seccomp_task.h"
#include "kernel/signal/signal_task.h"
#include "kernel/task/dispatch.h"
#include "kernel/task/rlimit.h"
#include "lib/list.h"
#include "lib/types.h"
#include "percpu/percpu.h"
#include "sync/debug.h"
#include "sync/mutex.h"
#include "sync/pimutex.h"
#include "sync/rcu.h"
#include "sync/seq.h"
#include "sync/waitq.h"

struct completion;
struct core;
struct debug_regs;
struct file;
struct files;
struct fpu;
struct fs_context;
struct kthread;
struct ns;
struct pgroup;
struct process;
struct process_timers;
struct sem_undo_list;
struct session;
struct space;
struct tty;
struct uring_task;
struct uring_worker;

#define TASK_COMM_LEN 16

/* What kind of number a struct pid is used as. */
enum pid_type { PID_TID, PID_TGID, PID_PGID, PID_SID, PID_TYPES };

/*
 * A number of the pid space with all that it names at once. Found by number
 * under RCU; holds no task alive.
 */
struct pid {
	/* a */
	u32 refs;
	/* I */
	s32 nr;
	/* a  what keeps the number taken: a task, a group, a session */
	u32 uses;
	/* r  the task with this tid; the process with this tgid (NULL when gone) */
	struct task __rcu *task;
	struct process __rcu *process;
	/* r  the group and the session with this number (task/pgroup.h) */
	struct pgroup __rcu *group;
	struct session __rcu *session;
	/* poll of a pidfd */
	struct waitq exit_wait;
	struct rcu_head rcu;
};

/* task->flags, written by the task itself. */
#define TASK_KTHREAD 0x01u
#define TASK_EXITING 0x02u
#define TASK_FORKNOEXEC 0x04u
#define TASK_VFORK 0x08u
#define TASK_SIGNALED 0x10u
#define TASK_DUMPED 0x20u
#define TASK_IDLE 0x40u
#define TASK_SUPERPRIV 0x80u
/* A core dump that begins now does not wait for it. Changed under process->lock. */
#define TASK_PAST_CORE 0x100u

/* task->work, atomic: what to do before going back to user mode. */
#define WORK_SIGNAL 0x01u
#define WORK_RSEQ 0x02u
#define WORK_NOTIFY 0x04u
#define WORK_RESTORE_MASK 0x10u
/* Stays: a tracer wants to know of the end of system calls. */
#define WORK_SYSCALL_TRACE 0x20u

/* task->switch_flags, atomic: what the context switch has to do for this task besides the usual. */
#define SWITCH_TSC 0x01u
#define SWITCH_SYSCALLS 0x02u
#define SWITCH_DEBUG 0x04u
#define SWITCH_SECCOMP 0x08u
#define SWITCH_DISPATCH 0x10u
/* Its system calls go through kernel/trace/syscall.c. */
#define SWITCH_WATCHED (SWITCH_SYSCALLS | SWITCH_SECCOMP | SWITCH_DISPATCH)

struct task {
	/* --- entry.S and switch.S know the offsets of these (build/gen asm offsets) --- */
	/* o  kernel stack pointer while switched out */
	u64 ksp;
	/* I  lowest address of the kernel stack */
	void *stack;
	/* a  WORK_* */
	u32 work;
	/* o  TASK_* */
	u32 flags;
	/* o  user FS and GS base while switched out */
	u64 fs_base, gs_base;
	/* o  extended state (XSAVE); NULL for kernel threads */
	struct fpu *fpu;

	/* scheduler (its locks) */
	struct sched_task sched;
	/* priority inheritance (sync/pimutex.h) */
	struct task_pi pi;

	/* I  numbers and relations; tid and pid change in exec_dethread() */
	s32 tid;
	struct pid *pid;
	struct process *process;
	/* (process->lock, r)  in process->threads */
	struct list thread_link;

	/* o  NULL for kernel threads; changed under alloc_lock for readers in other tasks */
	struct space *space;
	struct files *files;
	struct fs_context *fs;
	struct ns *mnt_ns;
	struct spinlock alloc_lock;
	/* r  written by the task itself */
	const struct cred __rcu *cred;
	/* (alloc_lock) */
	char comm[TASK_COMM_LEN];
	u32 personality;

	/* signals (kernel/signal) */
	struct task_signals signals;
	/* being traced (kernel/ptrace) */
	struct task_ptrace ptrace;
	/* what calls it may make (kernel/seccomp) */
	struct task_seccomp seccomp;
	/* o  which of them it wants to see itself (task/dispatch.c) */
	struct task_dispatch dispatch;

	/* o  thread exit: CLONE_CHILD_CLEARTID, robust futexes, rseq */
	u32 __user *set_child_tid;
	u32 __user *clear_child_tid;
	void __user *robust_list;
	void __user *rseq;
	u32 rseq_len;
	u32 rseq_sig;
	/* futexes held with priority inheritance and waited for: kernel/futex */
	struct spinlock pi_state_lock;
	/* (pi_state_lock) */
	struct list pi_states;
	/* (pi_state_lock)  has given them up for ever: it exits */
	bool pi_closed;

	/* o  statistics */
	u64 start_time;
	u64 start_boottime;
	u64 utime, stime;
	u64 nvcsw, nivcsw;
	u64 minflt, majflt;
	u64 io_rchar, io_wchar, io_syscr, io_syscw, io_read_bytes, io_write_bytes;
	u64 timer_slack, timer_slack_default;

	/* o  vfork: whom to wake at exec or exit */
	struct completion *vfork_done;
	/* o  as wait(2) shows it */
	s32 exit_code;
	/* (f of the leader's parent)  -1 for threads that are not the leader */
	s32 exit_signal;
	/* o */
	s32 pdeath_signal;
	/* o; seccomp(2) of another thread may set it, under process->lock and outside of exec */
	bool no_new_privs;
	/* l  this thread has finished task_exit(): nothing of it runs but the last switch */
	bool exited;
	/* o  PR_SET_TSC, ioprio_set(2), PR_SET_THP_DISABLE's are elsewhere */
	u16 ioprio;
	/* o  who logged in and which session it was, U32_MAX: nobody (/proc/PID/loginuid) */
	u32 loginuid, sessionid;
	/* I  kernel threads: kthread_stop() and its result */
	struct kthread *kthread;

	/* o  System V semaphores: what its end takes back; NULL: nothing (ipc/sem_undo.c) */
	struct sem_undo_list *sem_undos;
	/* o  has made System V shared memory */
	bool shm_creator;

	/* o  io_uring: what it has under way, NULL: nothing; the worker that it is */
	struct uring_task *uring;
	struct uring_worker *uring_worker;

	/* o  last fault in user mode, as signal frames show it */
	u64 trap_nr, trap_error, trap_addr;
	/* a  SWITCH_* */
	u32 switch_flags;
	/* o, or its tracer's  DR6 as that sees it; breakpoints, NULL: none (arch's debugreg.c) */
	u32 debug_status;
	struct debug_regs *debug;

	/* o  restart_syscall */
	long (*restart_fn)(u64 args[4]);
	u64 restart_args[4];
	/* o  number of the system call, for /proc and restarts */
	s64 syscall_nr;

	/* o  debug: sleeping locks held */
	struct held_locks held;
	/* o  link waiting for a mutex or PI lock (sync/) */
	void *blocked_on;

#if CONFIG_KCOV
	/* o  who is told what code we run */
	struct task_kcov kcov;
#endif

	/* a  references; the last frees after a grace period */
	u32 refs;
	struct rcu_head rcu;
};

/* process->state: where a process is on its way out (task/exit.c). */
enum process_state {
	PROCESS_LIVE,
	/* All threads have exited; waits for its parent. */
	PROCESS_ZOMBIE,
	/* Somebody has claimed it and will release it. */
	PROCESS_REAPED,
};

/*
 * Processes that want to find their children of all threads alike: a child
 * also remembers the thread that made it (__WNOTHREAD, PR_SET_PDEATHSIG).
 */
struct process {
	/* a  one until reaped, one for each task, and others' */
	u32 refs;
	/* I  number of the leader */
	s32 tgid;
	struct pid *pid;
	/* g  group and session: numbers; the objects are pgrp->group and session->session */
	struct pid __rcu *pgrp;
	struct pid __rcu *session;
	struct list pgrp_link;
	u32 pgrp_shard;
	/* r  changes at exec from a thread (l) */
	struct task __rcu *leader;

	/* guards what is marked l; rank RANK_SIGHAND; irq-safe */
	struct spinlock lock;
	/* l, r  threads that are not released, the (dead) leader included */
	struct list threads;
	/* l  threads that have not finished task_exit(), and those that a tracer keeps */
	u32 nr_threads;
	/* l  threads that have not begun to exit */
	u32 live;

	/* f  family; parent can be read under RCU */
	struct process __rcu *parent;
	struct list sibling;
	/* f  tid of the parent's thread that made us */
	s32 parent_tid;
	/* f  enum process_state */
	u32 state;
	/* Guards children and what is marked f in each of them; rank RANK_TASKLIST. */
	struct spinlock family_lock;
	/* (our family_lock) */
	struct list children;
	/* (our family_lock)  tasks that our threads trace, by ptrace.link */
	struct list tracees;
	/* (our family_lock)  no child may be added any more */
	bool childless;
	/* a  PR_SET_CHILD_SUBREAPER of us, and: some ancestor is one */
	bool child_subreaper;
	bool has_subreaper;

	/* l  wait status of a process that ends as a whole (group_exit) */
	s32 exit_code;
	bool group_exit;
	/* l  the thread that execs and waits for the others to go */
	struct task *group_exec;
	/* l  the core dump that is being made (signal/coredump.c) */
	struct core *core;
	/* l  threads whose exec has looked at their rights, and not yet changed them */
	u32 in_exec;
	struct process_signals signals;
	/* wait4 of this process's threads */
	struct waitq child_wait;

	/* s  RLIMIT_*, written under the lock; cur alone is read without more */
	struct seqcount rlim_seq;
	struct rlimit rlim[RLIM_NLIMITS];
	/*
	 * l  controlling terminal: borrowed; its owner calls session_clear_tty()
	 * before it goes away
	 */
	struct tty *tty;
	bool session_leader;
	/* l  itimers and POSIX timers, NULL until used (task/timers_impl.h) */
	struct process_timers *timers;
	/* l  of threads that have gone, and of children waited for */
	u64 utime, stime, cutime, cstime;
	u64 nvcsw, nivcsw, cnvcsw, cnivcsw, minflt, majflt, cminflt, cmajflt, maxrss, cmaxrss;
	u64 io_rchar, io_wchar, io_syscr, io_syscw, io_read_bytes, io_write_bytes;
	u64 inblock, oublock, cinblock, coublock;
	s16 oom_score_adj, oom_score_adj_min;
	/* l  PR_SET_DUMPABLE; 2: by root alone (suid_dumpable) */
	u8 dumpable;
	/* a  CORE_*: what a core dump takes (signal/coredump.h) */
	u16 core_filter;
	bool did_exec;
	/* a  PR_SET_THP_DISABLE: no huge pages for this process, and for those that it forks */
	bool thp_disabled;
	/* a  MEMBARRIER_CMD_REGISTER_* that were called, as command bits */
	u32 membarrier;
	struct rcu_head rcu;
};

DECLARE_PERCPU(struct task *, current_task);

/* The task that runs here. Constant for the task, hence no volatile read. */
#define current arch_percpu_read_stable(current_task)

static inline struct regs *
task_regs(const struct task *t)
{
	return (struct regs *)((char *)t->stack + KERNEL_STACK_SIZE) - 1;
}

static inline bool
task_is_kthread(const struct task *t)
{
	return t->flags & TASK_KTHREAD;
}

struct task *task_get(struct task *t);
void task_put(struct task *t);
struct process *process_get(struct process *p);
void process_put(struct process *p);

/* By number. Without a reference: inside an RCU section; the _get forms take one. */
struct pid *pid_find(s32 nr);
struct task *task_find(s32 tid);
struct task *task_find_get(s32 tid);
struct process *process_find(s32 tgid);
struct process *process_find_get(s32 tgid);
struct pid *pid_get(struct pid *p);
/* A pidfd (reference on p taken); err_ptr. */
struct file *pidfd_file(struct pid *p, u32 flags);
void pid_put(struct pid *p);

/* The process with the lowest tgid >= from_tgid, or NULL; caller inside an RCU section. */
struct process *process_next(s32 from_tgid);
/* All threads of a process: caller inside an RCU section or holding p->lock. */
#define for_each_thread(p, t) list_for_each_entry_rcu(t, &(p)->threads, thread_link)

/* Numbers for /proc/sys/kernel and sysinfo(2). */
s32 pid_max_get(void);
/* 0 or -EINVAL: outside 301 to 4194304. */
int pid_max_set(s32 max);
s64 threads_max_get(void);
int threads_max_set(s64 max);
/* Tasks that exist now (idle tasks are not counted), and tasks made since boot. */
s64 tasks_count(void);
u64 tasks_forked(void);
/* The number that fork gave last, for /proc/loadavg. */
s32 pid_last(void);

/* --- boot --- */

/* Number 0: owner of the idle tasks (sched/port.h: task_alloc_idle), parent of 1 and 2. */
extern struct process idle_process;
/* Caches, pid table, process 0. Once, after the allocators are there and before sched_init(). */
void task_init(void);
/*
 * Process 1: runs fn(arg) on a kernel stack of its own; when fn returns, after
 * an exec, it goes to user mode (arch_enter_user()). Started at once; files and
 * fs are copies of current's. err_ptr(-ENOMEM). Any kthread_create() comes later.
 */
struct task *task_create_init(int (*fn)(void *arg), void *arg);

/*
 * A kernel thread that runs fn(arg) on any CPU (cpu < 0) or on one; it starts
 * at once. Ends when fn returns. name is cut at TASK_COMM_LEN. err_ptr(-ENOMEM,
 * -EAGAIN). The reference is for kthread_stop; task_put if that is never called.
 */
struct task *kthread_create(int cpu, int (*fn)(void *arg), void *arg, const char *name, ...)
	__printf(4, 5);
/*
 * A thread of current's process that runs fn(arg) in the kernel and ends by task_exit():
 * with current's space, descriptors and credentials, all signals blocked that can be.
 * Not started; fn may be called once sched_start_task() was. err_ptr(-ENOMEM, -EAGAIN,
 * -ERESTARTNOINTR: a signal is pending).
 */
struct task *task_create_worker(int (*fn)(void *arg), void *arg, const char *name);
/* Asks it to stop, wakes it, waits and returns what fn returned. Puts the reference. */
int kthread_stop(struct task *t);
bool kthread_should_stop(void);
/* The end of a kernel thread (entry.S). */
void __noreturn kthread_exit(int code);

/* Sets t's name as /proc/PID/comm shows it; t is current or a task that does not run yet. */
void task_set_comm(struct task *t, const char *name);
/* Copies it out whole. */
void task_get_comm(struct task *t, char buf[TASK_COMM_LEN]);

/* A user reference on t's space, or NULL (kernel thread, exited). Any task; may not be pinned. */
struct space *task_get_space(struct task *t);
/* The same of any of its threads that still has it. */
struct space *process_get_space(struct process *p);
/* References on what t uses, or NULL when it has exited. */
struct files *task_get_files(struct task *t);
struct fs_context *task_get_fs(struct task *t);

/* Ends the current task (never returns); code as wait(2) shows it. */
void __noreturn task_exit(int code);
/* Ends the whole process. */
void __noreturn process_exit(int code);

/*
 * current, a kernel thread that is about to exec a program, becomes an ordinary
 * process, with all that one needs but files. 0 or -ENOMEM: it still is one.
 */
int __must_check kthread_become_user(void);

/*
 * For exec: kills other threads and makes the current one the leader. 0, -EAGAIN
 * (being killed), -ENOMEM; after an error the program cannot go on: task_exit().
 */
int exec_dethread(void);
/* Installs a new space (takes the user reference), drops the old one, wakes a vfork parent. */
void exec_set_space(struct space *s);
/* Points current's user registers at the program: clears all others. */
void exec_start_thread(unsigned long ip, unsigned long sp);

/* Times of a process with all its threads, those that have gone included: ns. */
void process_cputime(struct process *p, u64 *utime, u64 *stime);

#endif
