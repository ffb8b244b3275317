/* SPDX-License-Identifier: BSD-2-Clause */
/* The initial namespaces. (kernel/task/ns.h tells the model.) */
#include "kernel/task/ns.h"

#include "kernel/task/task.h"
#include "kernel/uapi/sched.h"

static const struct {
	const char *name;
	u64 flag;
} types[NS_KINDS] = {
	[NS_NET] = {"net", CLONE_NEWNET},	   [NS_UTS] = {"uts", CLONE_NEWUTS},
	[NS_IPC] = {"ipc", CLONE_NEWIPC},	   [NS_PID] = {"pid", CLONE_NEWPID},
	[NS_USER] = {"user", CLONE_NEWUSER},	   [NS_MNT] = {"mnt", CLONE_NEWNS},
	[NS_CGROUP] = {"cgroup", CLONE_NEWCGROUP}, [NS_TIME] = {"time", CLONE_NEWTIME},
};

static struct ns initial[NS_KINDS];

#define INITIAL(k, nr)                                                                             \
	[k] = {.refs = 1,                                                                          \
	       .kind = (k),                                                                        \
	       .ino = (nr),                                                                        \
	       .owner = (k) == NS_USER ? NULL : &initial[NS_USER]}

static struct ns initial[NS_KINDS] = {
	INITIAL(NS_TIME, 4026531834), INITIAL(NS_CGROUP, 4026531835), INITIAL(NS_PID, 4026531836),
	INITIAL(NS_USER, 4026531837), INITIAL(NS_UTS, 4026531838),    INITIAL(NS_IPC, 4026531839),
	INITIAL(NS_NET, 4026531840),  INITIAL(NS_MNT, 4026531841),
};

const char *
ns_name(const struct ns *ns)
{
	return types[ns->kind].name;
}

u64
ns_flag(const struct ns *ns)
{
	return types[ns->kind].flag;
}

void
ns_put(struct ns *ns)
{
	if (ns && atomic_dec_and_test(&ns->refs))
		ns->free(ns);
}

struct ns *
task_ns_get(struct task *t, enum ns_kind kind, bool children)
{
	/* Credentials and number stay with the task until it is reaped. */
	bool stays = kind == NS_USER || (kind == NS_PID && !children);

	return stays || !READ_ONCE(t->exited) ? ns_get(&initial[kind]) : NULL;
}

bool
ns_within_current(const struct ns *ns)
{
	for (const struct ns *p = ns; p; p = p->parent) {
		if (p == &initial[ns->kind])
			return true;
	}
	return false;
}
