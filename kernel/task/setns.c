/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setns(2): a task goes over to namespaces that a descriptor names, one by itself
 * or some of a process's.
 *
 * Model: all are collected, then each is asked whether current may go there, then
 * the task goes. But for mounts it is in the initial ones already and there are no
 * others. Who enters a mount namespace has its root as root and directory.
 */
#include "kernel/file.h"
#include "kernel/port.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/ns.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"

/* In the order in which they are entered: capabilities are those in the new user namespace. */
static const enum ns_kind order[NS_KINDS] = {NS_USER, NS_MNT,	 NS_UTS, NS_IPC,
					     NS_PID,  NS_CGROUP, NS_NET, NS_TIME};

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |              \
	 CLONE_NEWNET | CLONE_NEWTIME | CLONE_NEWUSER)

struct change {
	/* With references; NULL: stays as it is. */
	struct ns *to[NS_KINDS];
	/* Nothing but the mount namespace. */
	bool only_mnt;
};

static int
collect_ns(struct change *c, struct ns *ns, u64 flags)
{
	if (flags && flags != ns_flag(ns))
		return -EINVAL;
	c->to[ns->kind] = ns_get(ns);
	c->only_mnt = ns->kind == NS_MNT;
	return 0;
}

static int
collect_task(struct change *c, struct task *t, u64 flags)
{
	for (enum ns_kind k = 0; k < NS_KINDS; k++) {
		struct ns *ns = task_ns_get(t, k, false);

		if (!ns)
			return -ESRCH;
		if (flags & ns_flag(ns))
			c->to[k] = ns;
		else
			ns_put(ns);
	}
	c->only_mnt = flags == CLONE_NEWNS;
	return 0;
}

static int
collect_pidfd(struct change *c, struct pid *pid, u64 flags)
{
	struct task *t;
	int err;

	if (!flags || (flags & ~(u64)NAMESPACES))
		return -EINVAL;
	t = pidfd_task(pid);
	if (!t)
		return -ESRCH;
	err = task_may_access(t, ACCESS_REALCREDS);
	if (!err)
		err = collect_task(c, t, flags);
	task_put(t);
	return err;
}

/* May current be in ns? */
static int
check(const struct change *c, const struct ns *ns)
{
	switch (ns->kind) {
	case NS_USER:
		/* Its capabilities would all come back. */
		return -EINVAL;
	case NS_MNT:
		if (!capable(CAP_SYS_CHROOT) || !capable(CAP_SYS_ADMIN))
			return -EPERM;
		return c->only_mnt && fs_context_shared(current->fs) ? -EINVAL : 0;
	case NS_TIME:
		if (READ_ONCE(current->process->nr_threads) > 1)
			return -EUSERS;
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	default:
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
}

/* The one that current leaves takes the place in c of that which it enters. */
static void
enter_mnt_ns(struct change *c)
{
	struct task *t = current;
	struct ns *old = t->mnt_ns;

	spin_lock(&t->alloc_lock);
	t->mnt_ns = c->to[NS_MNT];
	spin_unlock(&t->alloc_lock);
	c->to[NS_MNT] = old;
	fs_context_enter_root(t->fs);
}

static int
change(struct change *c)
{
	for (size_t i = 0; i < NS_KINDS; i++) {
		const struct ns *ns = c->to[order[i]];
		int err = ns ? check(c, ns) : 0;

		if (err)
			return err;
	}
	if (c->to[NS_MNT])
		enter_mnt_ns(c);
	return 0;
}

long
sys_setns(int fd, int flags)
{
	struct change c = {0};
	struct fdref r = fd_get(fd);
	struct ns *ns;
	struct pid *pid;
	int err = -EINVAL;

	if (!r.file)
		return -EBADF;
	ns = fs_file_ns(r.file);
	pid = pidfd_pid(r.file);
	if (ns)
		err = collect_ns(&c, ns, (u32)flags);
	else if (pid)
		err = collect_pidfd(&c, pid, (u32)flags);
	if (!err)
		err = change(&c);
	for (enum ns_kind k = 0; k < NS_KINDS; k++)
		ns_put(c.to[k]);
	fd_put(r);
	return err;
}
