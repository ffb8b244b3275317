/* SPDX-License-Identifier: BSD-2-Clause */
/* The initial namespaces, and what those of all types share. (kernel/task/ns.h tells the model.) */
#include "kernel/task/ns.h"

#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "percpu/idpool.h"

/* Behind those of the initial ones, as many as there may be. */
#define NUMBER_FIRST 4026532000u
#define NUMBER_COUNT (1u << 20)

static struct idpool *numbers __read_mostly;

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
	[k] = {.kind = (k), .ino = (nr), .owner = (k) == NS_USER ? NULL : &initial[NS_USER]}

static struct ns initial[NS_KINDS] = {
	INITIAL(NS_TIME, 4026531834), INITIAL(NS_CGROUP, 4026531835), INITIAL(NS_PID, 4026531836),
	INITIAL(NS_USER, 4026531837), INITIAL(NS_UTS, 4026531838),    INITIAL(NS_IPC, 4026531839),
	INITIAL(NS_NET, 4026531840),
};

void
ns_init_numbers(void)
{
	numbers = idpool_create(NUMBER_FIRST, NUMBER_FIRST + NUMBER_COUNT - 1, 0);
	if (!numbers)
		panic("no memory for the numbers of namespaces");
}

int
ns_init(struct ns *ns, enum ns_kind kind)
{
	s64 number = idpool_alloc(numbers);

	if (number < 0)
		return number == -EAGAIN ? -ENOSPC : (int)number;
	*ns = (struct ns){.refs = 1, .kind = kind, .ino = (u32)number, .owner = &initial[NS_USER]};
	return 0;
}

void
ns_fini(struct ns *ns)
{
	idpool_free(numbers, ns->ino);
}

struct ns *
ns_initial(enum ns_kind kind)
{
	return kind == NS_MNT ? mount_ns_initial() : &initial[kind];
}

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
	if (ns && READ_ONCE(ns->refs) && atomic_dec_and_test(&ns->refs))
		ns->free(ns);
}

static struct ns *
mnt_ns_get(struct task *t)
{
	struct ns *ns;

	spin_lock(&t->alloc_lock);
	ns = t->mnt_ns ? ns_get(t->mnt_ns) : NULL;
	spin_unlock(&t->alloc_lock);
	return !ns && task_is_kthread(t) ? ns_initial(NS_MNT) : ns;
}

struct ns *
task_ns_get(struct task *t, enum ns_kind kind, bool children)
{
	/* Credentials and number stay with the task until it is reaped. */
	bool stays = kind == NS_USER || (kind == NS_PID && !children);

	if (kind == NS_MNT)
		return mnt_ns_get(t);
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
