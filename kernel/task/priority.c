/* SPDX-License-Identifier: BSD-2-Clause */
/* getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2): one task, a group, a user. */
#include "kernel/sched/priority.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/resource.h"
#include "lib/errno.h"

/* What is done to each task; the result over all is kept in it. */
struct visit {
	void (*fn)(struct task *t, struct visit *v);
	int value;
	long result;
	u32 uid;
};

static int
visit_process(struct process *p, void *arg)
{
	struct visit *v = arg;
	struct task *t;

	for_each_thread(p, t)
		v->fn(t, v);
	return 0;
}

static void
visit_user(struct visit *v, u32 uid)
{
	struct process *p;
	struct task *t;

	for (p = process_next(1); p; p = process_next(p->tgid + 1))
		for_each_thread(p, t)
			if (task_cred(t)->uid == uid)
				v->fn(t, v);
}

/* who_group and who_user: 0 means the caller's. Inside an RCU section. */
static void
visit_group(struct visit *v, int who)
{
	struct pid *pgrp = who ? pid_find(who) : rcu_load(current->process->pgrp);

	if (pgrp)
		pgroup_for_each(pgrp, visit_process, v);
}

static void
visit_one(struct visit *v, int who)
{
	struct task *t = who ? task_find(who) : current;

	if (t)
		v->fn(t, v);
}

static void
visit_which(struct visit *v, int which, int who)
{
	rcu_read_lock();
	if (which == 0)
		visit_one(v, who);
	else if (which == 1)
		visit_group(v, who);
	else
		visit_user(v, who ? (u32)who : current_cred()->uid);
	rcu_read_unlock();
}

/* --- nice --- */

static void
nice_get(struct task *t, struct visit *v)
{
	/* 40 (nicest to itself) to 1, so that an error can be told apart. */
	v->result = max(v->result, (long)(20 - sched_get_nice(t)));
}

static bool
may_renice(struct task *t)
{
	const struct cred *me = current_cred();
	const struct cred *c = task_cred(t);

	return c->uid == me->euid || c->euid == me->euid || capable(CAP_SYS_NICE);
}

static void
nice_set(struct task *t, struct visit *v)
{
	int err = may_renice(t) ? sched_set_nice(t, v->value) : -EPERM;

	if (err || v->result == -ESRCH)
		v->result = err;
}

long
sys_getpriority(int which, int who)
{
	struct visit v = {.fn = nice_get, .result = -ESRCH};

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	visit_which(&v, which, who);
	return v.result;
}

long
sys_setpriority(int which, int who, int prio)
{
	struct visit v = {.fn = nice_set, .value = clamp(prio, -20, 19), .result = -ESRCH};

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	visit_which(&v, which, who);
	return v.result;
}

/* --- I/O priority: kept for the block layer --- */

static int
ioprio_check(int prio)
{
	int class = prio >> IOPRIO_CLASS_SHIFT;
	int level = prio & ((1 << IOPRIO_CLASS_SHIFT) - 1);

	switch (class) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		fallthrough;
	case IOPRIO_CLASS_BE:
		return level >= IOPRIO_NR_LEVELS ? -EINVAL : 0;
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void
ioprio_set_one(struct task *t, struct visit *v)
{
	const struct cred *me = current_cred();
	u32 uid = task_cred(t)->uid;

	if (uid != me->euid && uid != me->uid && !capable(CAP_SYS_NICE)) {
		v->result = -EPERM;
		return;
	}
	WRITE_ONCE(t->ioprio, v->value);
	if (v->result == -ESRCH)
		v->result = 0;
}

/* The most urgent of all: the lowest value, but 0 means "as nice says". */
static void
ioprio_get_one(struct task *t, struct visit *v)
{
	long prio = READ_ONCE(t->ioprio);

	if (!prio)
		prio = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | (sched_get_nice(t) + 20) / 5;
	v->result = v->result < 0 ? prio : min(v->result, prio);
}

long
sys_ioprio_set(int which, int who, int prio)
{
	struct visit v = {.fn = ioprio_set_one, .value = prio, .result = -ESRCH};
	int err = ioprio_check(prio);

	if (err)
		return err;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	visit_which(&v, which - IOPRIO_WHO_PROCESS, who);
	return v.result;
}

/* One task shows what was set; several are compared. */
static void
ioprio_get_raw(struct task *t, struct visit *v)
{
	v->result = READ_ONCE(t->ioprio);
}

long
sys_ioprio_get(int which, int who)
{
	struct visit v = {.fn = ioprio_get_one, .result = -ESRCH};

	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	if (which == IOPRIO_WHO_PROCESS)
		v.fn = ioprio_get_raw;
	visit_which(&v, which - IOPRIO_WHO_PROCESS, who);
	return v.result;
}
