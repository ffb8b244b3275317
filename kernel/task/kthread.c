/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel threads and the two first processes.
 *
 * Model: a kernel thread is a process of its own, a child of kthreadd (number
 * 2), which does nothing else than be that parent: it ignores SIGCHLD, so its
 * children are released by themselves. kthread_create() works in any task.
 *
 * Ownership: struct kthread belongs to its task and goes with it; who holds a
 * reference on the task may look at it.
 */
#include "kernel/task/task_impl.h"

#include <stdarg.h>

#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/task/port.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "sync/completion.h"

struct kthread {
	int (*fn)(void *arg);
	void *arg;
	/* a  kthread_stop() was called */
	bool should_stop;
	/* I  once done */
	int result;
	struct completion done;
};

void
kthread_free(struct kthread *k)
{
	kfree(k);
}

void __noreturn
kthread_exit(int code)
{
	struct kthread *k = current->kthread;

	/* Its fn has loaded a program. */
	if (!task_is_kthread(current))
		arch_enter_user();
	if (k) {
		k->result = code;
		complete_all(&k->done);
	}
	task_exit(0);
}

static int
kthread_main(void *arg)
{
	struct kthread *k = arg;

	return READ_ONCE(k->should_stop) ? -EINTR : k->fn(k->arg);
}

static struct task *
kthread_make(struct fork_args *a, int cpu, const struct kthread *template)
{
	struct kthread *k = kmemdup(template, sizeof(*k), GFP_KERNEL);
	struct cpumask mask;
	struct task *t;

	if (!k)
		return err_ptr(-ENOMEM);
	completion_init(&k->done);
	a->fn_arg = k;
	t = task_fork(a);
	if (is_err(t)) {
		kfree(k);
		return t;
	}
	t->kthread = k;
	if (cpu >= 0) {
		cpumask_zero(&mask);
		cpumask_set(&mask, cpu);
		WARN_ON(sched_set_affinity(t, &mask) != 0);
		t->sched.bound = true;
	}
	/* One reference for the scheduler, one for the caller. */
	task_get(t);
	task_get(t);
	sched_start_task(t);
	return t;
}

struct task *
kthread_create(int cpu, int (*fn)(void *arg), void *arg, const char *name, ...)
{
	char comm[TASK_COMM_LEN];
	struct kthread k = {.fn = fn, .arg = arg};
	struct fork_args a = {
		.fn = kthread_main,
		.kthread = true,
		.exit_signal = SIGCHLD,
		.name = comm,
	};
	va_list ap;

	va_start(ap, name);
	vsnprintf(comm, sizeof(comm), name, ap);
	va_end(ap);
	return kthread_make(&a, cpu, &k);
}

struct task *
task_create_worker(int (*fn)(void *arg), void *arg, const char *name)
{
	struct fork_args a = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		.fn = fn,
		.fn_arg = arg,
		.worker = true,
		.name = name,
	};

	return task_fork(&a);
}

int
kthread_stop(struct task *t)
{
	struct kthread *k = t->kthread;
	int result;

	WRITE_ONCE(k->should_stop, true);
	unpark(t);
	completion_wait(&k->done);
	result = k->result;
	task_put(t);
	return result;
}

bool
kthread_should_stop(void)
{
	return READ_ONCE(current->kthread->should_stop);
}

int
kthread_become_user(void)
{
	struct task *t = current;
	int err = t->fpu ? 0 : arch_fpu_fork(t, t);

	if (!err)
		err = sighand_unshare();
	if (err)
		return err;
	/* Kernel threads ignore everything. */
	sighand_reset(t->process->signals.sighand, true);
	t->flags &= ~TASK_KTHREAD;
	return 0;
}

/* --- process 1 and 2 --- */

static int
kthreadd_main(void *arg)
{
	for (;;) {
		park_prepare(PARK_IDLE);
		park(NO_DEADLINE);
	}
	return 0;
}

/* Number 2; its children need nobody to wait for them. */
static void
create_kthreadd(void)
{
	struct kthread k = {.fn = kthreadd_main};
	struct fork_args a = {
		.fn = kthread_main,
		.kthread = true,
		.exit_signal = SIGCHLD,
		.name = "kthreadd",
		.set_tid = 2,
	};
	struct task *t = kthread_make(&a, -1, &k);

	if (is_err(t))
		panic("kthreadd: error %ld", -ptr_err(t));
	kthreadd_process = t->process;
}

struct task *
task_create_init(int (*fn)(void *arg), void *arg)
{
	struct fork_args a = {
		.fn = fn,
		.fn_arg = arg,
		.init = true,
		.exit_signal = SIGCHLD,
		.name = "init",
		.set_tid = 1,
	};
	struct task *t = task_fork(&a);

	if (is_err(t))
		return t;
	t->process->signals.flags |= PSIG_UNKILLABLE;
	/* Process 0 ignores everything; a program starts with the defaults. */
	sighand_reset(t->process->signals.sighand, true);
	init_process = t->process;
	create_kthreadd();
	task_get(t);
	sched_start_task(t);
	return t;
}
