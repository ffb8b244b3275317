/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks and processes as objects: made, counted, freed; and those that exist
 * from the start.
 *
 * Ownership: a task has two references from its birth: one of the scheduler,
 * put by the task that runs after its last switch, and one of its place in the
 * pid table, put when it is released (task/reap.c). A process has one until it
 * is released and one of each task. The memory of both goes a grace period
 * after the last reference, so whoever found them under RCU may look at them.
 */
#include "kernel/task/task.h"

#include "kernel/file.h"
#include "kernel/futex/futex.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/coredump.h"
#include "kernel/signal/signal.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/ns.h"
#include "kernel/task/pgroup_impl.h"
#include "kernel/task/task_impl.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/vmalloc.h"
#include "percpu/trace/events.h"

#define TIMER_SLACK_DEFAULT 50000

LOCK_CLASS(process_lock_class, RANK_SIGHAND);
LOCK_CLASS(family_class, RANK_TASKLIST);
static LOCK_CLASS(alloc_lock_class, RANK_CRED);

static struct slab_cache *task_cache;
static struct slab_cache *process_cache;

struct process idle_process;
struct process *init_process __read_mostly = &idle_process;
struct process *kthreadd_process __read_mostly = &idle_process;

/* --- initial values --- */

static void
task_setup(struct task *t)
{
	t->refs = 1;
	t->timer_slack = TIMER_SLACK_DEFAULT;
	t->timer_slack_default = TIMER_SLACK_DEFAULT;
	t->exit_signal = -1;
	t->loginuid = t->sessionid = U32_MAX;
	list_init(&t->thread_link);
	spin_init(&t->alloc_lock, &alloc_lock_class);
	task_pi_init(&t->pi, PI_PRIO_NORMAL);
	signal_pending_init(&t->signals.pending);
	signal_pending_init(&t->signals.own);
	futex_task_init(t);
	list_init(&t->ptrace.link);
}

static void
process_setup(struct process *p)
{
	p->refs = 1;
	spin_init(&p->lock, &process_lock_class);
	spin_init(&p->family_lock, &family_class);
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->tracees);
	list_init(&p->sibling);
	list_init(&p->pgrp_link);
	waitq_init(&p->child_wait);
	waitq_init(&p->signals.signalfd_wait);
	signal_pending_init(&p->signals.pending);
	p->dumpable = 1;
	p->core_filter = core_filter_default;
}

struct task *
task_alloc(int node)
{
	struct task *t = slab_alloc(task_cache, GFP_KERNEL | GFP_ZERO);

	if (!t)
		return NULL;
	t->stack = kstack_alloc(node);
	if (!t->stack) {
		slab_free(task_cache, t);
		return NULL;
	}
	task_setup(t);
	return t;
}

struct process *
process_alloc(void)
{
	struct process *p = slab_alloc(process_cache, GFP_KERNEL | GFP_ZERO);

	if (p)
		process_setup(p);
	return p;
}

/* --- references --- */

static void
task_free(struct task *t)
{
	trace_sched_process_free(t->comm, t->tid, t->sched.nice + 120);
	sched_task_free(t);
	if (t->stack)
		kstack_free(t->stack);
	if (t->fpu)
		arch_fpu_free(t);
	arch_debug_free(t);
	if (t->cred)
		cred_put(rcu_locked(t->cred));
	if (t->kthread)
		kthread_free(t->kthread);
	if (t->process)
		process_put(t->process);
	slab_free(task_cache, t);
}

static void
task_free_rcu(struct rcu_head *h)
{
	task_free(container_of(h, struct task, rcu));
}

void
task_free_unused(struct task *t)
{
	DEBUG_ASSERT(t->refs == 1);
	task_free(t);
}

struct task *
task_get(struct task *t)
{
	atomic_inc(&t->refs);
	return t;
}

void
task_put(struct task *t)
{
	if (atomic_dec_and_test(&t->refs))
		rcu_call(&t->rcu, task_free_rcu);
}

static void
process_free_rcu(struct rcu_head *h)
{
	struct process *p = container_of(h, struct process, rcu);

	pid_put(p->pid);
	slab_free(process_cache, p);
}

void
process_free_unused(struct process *p)
{
	DEBUG_ASSERT(p->refs == 1);
	slab_free(process_cache, p);
}

struct process *
process_get(struct process *p)
{
	atomic_inc(&p->refs);
	return p;
}

void
process_put(struct process *p)
{
	if (atomic_dec_and_test(&p->refs))
		rcu_call(&p->rcu, process_free_rcu);
}

/* --- what others may look at --- */

void
task_set_comm(struct task *t, const char *name)
{
	trace_task_rename(t->tid, t->comm, name, t->process ? (short)t->process->oom_score_adj : 0);
	spin_lock(&t->alloc_lock);
	memset(t->comm, 0, sizeof(t->comm));
	strscpy(t->comm, name, sizeof(t->comm));
	spin_unlock(&t->alloc_lock);
}

void
task_get_comm(struct task *t, char buf[TASK_COMM_LEN])
{
	spin_lock(&t->alloc_lock);
	memcpy(buf, t->comm, TASK_COMM_LEN);
	spin_unlock(&t->alloc_lock);
}

struct space *
task_get_space(struct task *t)
{
	struct space *s;

	spin_lock(&t->alloc_lock);
	s = t->space;
	if (s && !space_try_get_user(s))
		s = NULL;
	spin_unlock(&t->alloc_lock);
	return s;
}

struct space *
process_get_space(struct process *p)
{
	struct space *s = NULL;
	struct task *t;

	rcu_read_lock();
	for_each_thread(p, t) {
		s = task_get_space(t);
		if (s)
			break;
	}
	rcu_read_unlock();
	return s;
}

struct files *
task_get_files(struct task *t)
{
	struct files *f;

	spin_lock(&t->alloc_lock);
	f = t->files ? files_get(t->files) : NULL;
	spin_unlock(&t->alloc_lock);
	return f;
}

struct fs_context *
task_get_fs(struct task *t)
{
	struct fs_context *fs;

	spin_lock(&t->alloc_lock);
	fs = t->fs ? fs_context_get(t->fs) : NULL;
	spin_unlock(&t->alloc_lock);
	return fs;
}

struct task_pi *
task_pi(struct task *t)
{
	return &t->pi;
}

u64
rlimit(unsigned int which)
{
	return READ_ONCE(current->process->rlim[which].cur);
}

/* --- boot --- */

static void
default_rlimits(struct process *p)
{
	static const struct rlimit_default {
		u8 which;
		u64 cur, max;
	} defaults[] = {
		{RLIMIT_STACK, 8 << 20, RLIM_INFINITY},
		{RLIMIT_CORE, 0, RLIM_INFINITY},
		{RLIMIT_NOFILE, 1024, 4096},
		{RLIMIT_MEMLOCK, 8 << 20, 8 << 20},
		{RLIMIT_MSGQUEUE, 819200, 819200},
		{RLIMIT_NICE, 0, 0},
		{RLIMIT_RTPRIO, 0, 0},
	};

	for (unsigned int i = 0; i < RLIM_NLIMITS; i++)
		p->rlim[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	for (unsigned int i = 0; i < ARRAY_SIZE(defaults); i++)
		p->rlim[defaults[i].which] = (struct rlimit){defaults[i].cur, defaults[i].max};
	/* As Linux: half of the threads that memory allows. */
	p->rlim[RLIMIT_NPROC].cur = threads_max_get() / 2;
	p->rlim[RLIMIT_NPROC].max = p->rlim[RLIMIT_NPROC].cur;
	p->rlim[RLIMIT_SIGPENDING] = p->rlim[RLIMIT_NPROC];
}

/* The group and session of number 0, where init and kernel threads start. */
static void
boot_group(struct process *p, struct pid *pid0)
{
	struct session *s;

	if (session_create(pid0, &s) || pgroup_create(pid0, s, &boot_pgroup))
		panic("no memory for process 0");
	list_add_tail(&boot_pgroup->session_link, &s->groups);
	rcu_publish(pid0->session, s);
	rcu_publish(pid0->group, boot_pgroup);
	p->pid = pid0;
	pgroup_join(boot_pgroup, p);
}

void __init
task_init(void)
{
	struct process *p = &idle_process;

	task_cache = slab_cache_create("task", sizeof(struct task), CACHE_LINE, 0);
	process_cache = slab_cache_create("process", sizeof(struct process), CACHE_LINE, 0);
	pid_init();
	ns_init_numbers();
	pgroup_init();
	fork_init();
	cred_init();
	signal_init();
	futex_init();

	process_setup(p);
	p->signals.sighand = sighand_alloc();
	if (!p->signals.sighand)
		panic("no memory for process 0");
	/* Children that are kernel threads need nobody who waits for them. */
	for (unsigned int i = 0; i < NSIG; i++)
		p->signals.sighand->action[i].handler = (void __user __force *)SIG_IGN;
	rcu_publish(p->parent, p);
	default_rlimits(p);
	boot_group(p, pid_alloc_zero());
}

struct task *
task_alloc_idle(unsigned int cpu)
{
	struct task *t = task_alloc(-1);

	if (!t)
		return NULL;
	t->flags = TASK_KTHREAD | TASK_IDLE;
	t->process = process_get(&idle_process);
	t->pid = idle_process.pid;
	rcu_publish(t->cred, cred_get(&init_cred));
	t->start_time = ktime_get();
	t->start_boottime = t->start_time;
	snprintf(t->comm, sizeof(t->comm), "swapper/%u", cpu);
	if (!idle_process.leader) {
		rcu_publish(idle_process.leader, t);
		idle_process.nr_threads = idle_process.live = 1;
	}
	return t;
}
