/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unshare(2): a task stops sharing what it got from clone(2).
 *
 * Of namespaces it may have one of mounts to itself; asking for another type is the
 * error of a Linux without it.
 */
#include "kernel/file.h"
#include "kernel/port.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/ns.h"
#include "kernel/task/port.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "mm/space.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |              \
	 CLONE_NEWNET | CLONE_NEWTIME | CLONE_NEWUSER)
#define KNOWN                                                                                      \
	(NAMESPACES | CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES |           \
	 CLONE_SYSVSEM)

/* Only a process of one thread can be said not to share these. */
static int
check_alone(unsigned long flags)
{
	struct process *p = current->process;

	if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) && READ_ONCE(p->nr_threads) > 1)
		return -EINVAL;
	if (flags & (CLONE_SIGHAND | CLONE_VM) && atomic_read(&p->signals.sighand->refs) > 1)
		return -EINVAL;
	if (flags & CLONE_VM && !space_single_user(current->space))
		return -EINVAL;
	return 0;
}

static int
unshare_fs(void)
{
	struct task *t = current;
	struct fs_context *old = t->fs, *new;

	if (!fs_context_shared(old))
		return 0;
	new = fs_context_copy(old);
	if (!new)
		return -ENOMEM;
	spin_lock(&t->alloc_lock);
	t->fs = new;
	spin_unlock(&t->alloc_lock);
	fs_context_put(old);
	return 0;
}

/* Root and directory, which are ours alone, move to the copy. */
static int
unshare_mounts(void)
{
	struct task *t = current;
	struct ns *old = t->mnt_ns, *new = mount_ns_copy(t->fs);

	if (is_err(new))
		return ptr_err(new);
	spin_lock(&t->alloc_lock);
	t->mnt_ns = new;
	spin_unlock(&t->alloc_lock);
	ns_put(old);
	return 0;
}

long
sys_unshare(unsigned long flags)
{
	int err;

	/* A namespace of its own needs a view of its own: so says Linux. */
	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_VM)
		flags |= CLONE_SIGHAND;
	if (flags & CLONE_SIGHAND)
		flags |= CLONE_THREAD;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	if (flags & ~(unsigned long)KNOWN)
		return -EINVAL;
	err = check_alone(flags);
	if (err)
		return err;
	if (flags & CLONE_NEWUSER)
		return -EINVAL;
	if (flags & NAMESPACES && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & NAMESPACES & ~CLONE_NEWNS)
		return -EINVAL;
	err = flags & CLONE_FS ? unshare_fs() : 0;
	if (!err && flags & CLONE_FILES)
		err = files_unshare();
	if (!err && flags & CLONE_NEWNS)
		err = unshare_mounts();
	if (!err && flags & CLONE_SYSVSEM)
		ipc_task_unshare();
	return err;
}
