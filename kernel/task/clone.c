/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clone(2), clone3(2), fork(2), vfork(2): what they check, and what their
 * caller gets: pidfd, tids in memory, the wait of a vfork.
 */
#include "kernel/task/task_impl.h"

#include "kernel/file.h"
#include "kernel/log.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/sched.h"
#include "lib/errno.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "sync/completion.h"

#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |              \
	 CLONE_NEWNET | CLONE_NEWTIME)
#define O_CLOEXEC 02000000
#define O_RDWR 02

/* --- pidfd of the new task --- */

int
fork_pidfd(struct task *t, struct fork_args *a)
{
	int fd, err;

	if (!(a->flags & CLONE_PIDFD))
		return 0;
	fd = fd_reserve(0, true);
	if (fd < 0)
		return fd;
	a->pidfd_file = pidfd_file(t->pid, O_RDWR | O_CLOEXEC);
	err = is_err(a->pidfd_file) ? ptr_err(a->pidfd_file) : put_user(fd, a->pidfd);
	if (err) {
		if (!is_err(a->pidfd_file))
			file_put(a->pidfd_file);
		fd_unreserve(fd);
		return err;
	}
	a->pidfd_nr = fd;
	return 0;
}

void
fork_pidfd_undo(struct fork_args *a)
{
	if (!(a->flags & CLONE_PIDFD))
		return;
	fd_unreserve(a->pidfd_nr);
	file_put(a->pidfd_file);
}

void
fork_pidfd_publish(struct fork_args *a)
{
	if (a->flags & CLONE_PIDFD)
		fd_publish(a->pidfd_nr, a->pidfd_file);
}

/* --- checks, in Linux's order --- */

static int
clone_check(const struct fork_args *a)
{
	u64 f = a->flags;

	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && (current->process->signals.flags & PSIG_UNKILLABLE))
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID)))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_DETACHED | CLONE_THREAD)))
		return -EINVAL;
	/* But for mounts no namespaces are built in: as Linux without them says. */
	if (f & CLONE_NEWUSER)
		return -EINVAL;
	if ((f & CLONE_NAMESPACES) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return f & CLONE_NAMESPACES & ~CLONE_NEWNS ? -EINVAL : 0;
}

/* Writes the child's tid where the flags say; the child does not run yet. */
static void
clone_store_tids(struct task *t, const struct fork_args *a)
{
	s32 tid = t->tid;

	if (a->flags & CLONE_PARENT_SETTID)
		(void)put_user(tid, a->parent_tid);
	if (!(a->flags & CLONE_CHILD_SETTID))
		return;
	/* A bad address is the child's loss, as on Linux. */
	if (a->flags & CLONE_VM)
		(void)put_user(tid, a->child_tid);
	else
		space_access(t->space, (unsigned long __force)a->child_tid, &tid, sizeof(tid),
			     true);
}

/* False: we are being killed. */
static bool
clone_wait_vfork(struct task *t, struct completion *done)
{
	if (completion_wait_killable(done) == 0)
		return true;
	/* We are being killed; the child must forget our stack. */
	spin_lock(&t->alloc_lock);
	t->vfork_done = NULL;
	spin_unlock(&t->alloc_lock);
	return false;
}

/* The event that this fork is to a tracer; 0: none that it wants to know of. */
static int
clone_event(const struct fork_args *a)
{
	int event = PTRACE_EVENT_FORK;

	if (a->flags & CLONE_UNTRACED)
		return 0;
	if (a->flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if ((a->exit_signal & CSIGNAL) != SIGCHLD)
		event = PTRACE_EVENT_CLONE;
	return ptrace_event_wanted(event) ? event : 0;
}

long
task_clone(struct fork_args *a)
{
	struct completion done;
	struct task *t;
	int err, event;
	long tid;

	err = clone_check(a);
	if (err)
		return err;
	event = clone_event(a);
	t = task_fork(a);
	if (is_err(t))
		return ptr_err(t);
	tid = t->tid;
	clone_store_tids(t, a);
	if (a->flags & CLONE_VFORK) {
		completion_init(&done);
		t->vfork_done = &done;
		task_get(t);
	}
	task_get(t);
	ptrace_fork(t, event || (a->flags & CLONE_PTRACE));
	sched_start_task(t);
	/* The child runs. */
	if (unlikely(event))
		ptrace_event(event, (u32)tid);
	if (a->flags & CLONE_VFORK) {
		if (clone_wait_vfork(t, &done))
			ptrace_event(PTRACE_EVENT_VFORK_DONE, (u32)tid);
		task_put(t);
	}
	return tid;
}

/* --- system calls --- */

long
sys_clone(unsigned long flags, unsigned long sp, int __user *ptid, int __user *ctid,
	  unsigned long tls)
{
	struct fork_args a = {
		.flags = (u32)flags & ~CSIGNAL,
		.pidfd = (u32 __user *)ptid,
		.parent_tid = (u32 __user *)ptid,
		.child_tid = (u32 __user *)ctid,
		.exit_signal = flags & CSIGNAL,
		.sp = sp,
		.tls = tls,
	};

	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(&a);
}

long
sys_fork(void)
{
	struct fork_args a = {.exit_signal = SIGCHLD};

	return task_clone(&a);
}

long
sys_vfork(void)
{
	struct fork_args a = {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD};

	return task_clone(&a);
}

static int
clone3_check(const struct clone_args *ca, size_t size)
{
	if (ca->set_tid_size > MAX_PID_NS_LEVEL)
		return -EINVAL;
	if (!ca->set_tid != !ca->set_tid_size)
		return -EINVAL;
	if ((ca->exit_signal & ~CSIGNAL) || ca->exit_signal > NSIG)
		return -EINVAL;
	if ((ca->flags & CLONE_INTO_CGROUP) &&
	    (ca->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (ca->flags & ~(0xfffffffful | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if (ca->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if ((ca->flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) ==
	    (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((ca->flags & (CLONE_THREAD | CLONE_PARENT)) && ca->exit_signal)
		return -EINVAL;
	if (!ca->stack != !ca->stack_size)
		return -EINVAL;
	if (ca->stack && !user_range_ok((void __user *)ca->stack, ca->stack_size))
		return -EINVAL;
	/* There is no cgroup file system whose directory it could be. */
	return ca->flags & CLONE_INTO_CGROUP ? -EBADF : 0;
}

/* The tid asked for: one, since there is one level of pid namespaces. */
static int
clone3_set_tid(const struct clone_args *ca, s32 *tid)
{
	*tid = 0;
	if (!ca->set_tid_size)
		return 0;
	if (ca->set_tid_size > 1)
		return -EINVAL;
	if (get_user(*tid, (const s32 __user *)ca->set_tid))
		return -EFAULT;
	if (*tid < 1 || *tid >= pid_max_get())
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) || capable(CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

long
sys_clone3(struct clone_args __user *args, size_t size)
{
	struct fork_args a = {};
	struct clone_args ca;
	int err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&ca, sizeof(ca), args, size);
	if (err)
		return err;
	err = clone3_check(&ca, size);
	if (err)
		return err;
	err = clone3_set_tid(&ca, &a.set_tid);
	if (err)
		return err;
	a.flags = ca.flags;
	a.pidfd = (u32 __user *)ca.pidfd;
	a.child_tid = (u32 __user *)ca.child_tid;
	a.parent_tid = (u32 __user *)ca.parent_tid;
	a.exit_signal = ca.exit_signal;
	a.sp = ca.stack ? ca.stack + ca.stack_size : 0;
	a.tls = ca.tls;
	if ((a.flags & CLONE_PIDFD) && (a.flags & CLONE_PARENT_SETTID) && a.pidfd == a.parent_tid)
		return -EINVAL;
	return task_clone(&a);
}
