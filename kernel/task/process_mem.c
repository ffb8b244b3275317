/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_madvise(2), process_mrelease(2): what one process says about the memory
 * of another, which a pidfd names.
 */
#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/mman.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/space.h"

/* The leader of the process behind a descriptor, with a reference; err_ptr. */
static struct task *
pidfd_target(int fd)
{
	struct file *f = fd_get_file((unsigned int)fd);
	struct task *t = NULL;
	struct pid *pid;

	if (!f)
		return err_ptr(-EBADF);
	pid = pidfd_pid(f);
	if (pid)
		t = pidfd_task(pid);
	file_put(f);
	return t ? t : err_ptr(pid ? -ESRCH : -EBADF);
}

/* --- process_madvise --- */

/* Nothing that destroys. */
static bool
advice_allowed(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* May current advise t's process? Its space, with a user reference; err_ptr. */
static struct space *
advised_space(struct task *t, int advice)
{
	struct space *s;

	if (!advice_allowed(advice))
		return err_ptr(-EINVAL);
	if (task_may_access(t, ACCESS_FSCREDS))
		return err_ptr(-EACCES);
	s = task_get_space(t);
	if (!s)
		return err_ptr(-ESRCH);
	if (capable(CAP_SYS_NICE))
		return s;
	space_put_user(s);
	return err_ptr(-EPERM);
}

static s64
advise_all(struct space *s, const struct iter *it, int advice)
{
	s64 done = 0, err = 0;
	size_t left = iter_left(it), n;

	for (u32 i = 0; left && !err; i++) {
		n = min(it->iov[i].len, left);
		err = space_madvise(s, (unsigned long __force)it->iov[i].base, n, advice);
		if (!err) {
			done += (s64)n;
			left -= n;
		}
	}
	return done ? done : err;
}

long
sys_process_madvise(int pidfd, const struct iovec __user *vec, size_t n, int advice,
		    unsigned int flags)
{
	struct iovec fast[IOV_FAST], *heap = NULL;
	struct space *s;
	struct task *t;
	struct iter it;
	s64 ret;

	if (flags)
		return -EINVAL;
	ret = iter_init_user_iov(&it, vec, n, fast, &heap);
	if (ret)
		return ret;
	t = pidfd_target(pidfd);
	ret = is_err(t) ? ptr_err(t) : 0;
	if (!ret) {
		s = advised_space(t, advice);
		task_put(t);
		ret = is_err(s) ? ptr_err(s) : advise_all(s, &it, advice);
		if (!is_err(s))
			space_put_user(s);
	}
	kfree(heap);
	return ret;
}

/* --- process_mrelease --- */

/* Does p, with all its threads, end now whatever happens? In an RCU section. */
static bool
is_leaving(struct process *p)
{
	struct task *t;
	unsigned long flags;
	bool dumps, ends;

	/* What dumps core ends, but needs its memory first. */
	flags = spin_lock_irq(&p->lock);
	ends = p->group_exit;
	dumps = p->core;
	spin_unlock_irq(&p->lock, flags);
	if (ends)
		return !dumps;
	for_each_thread(p, t)
		if (!(READ_ONCE(t->flags) & TASK_EXITING))
			return false;
	return true;
}

/* Do all processes that run in s? */
static bool
all_leave(const struct space *s)
{
	struct process *p;
	struct task *t;
	bool all = true;
	s32 nr = 0;

	rcu_read_lock();
	while (all && (p = process_next(nr + 1)) != NULL) {
		nr = p->tgid;
		for_each_thread(p, t)
			if (READ_ONCE(t->space) == s && !is_leaving(p))
				all = false;
	}
	rcu_read_unlock();
	return all;
}

long
sys_process_mrelease(int pidfd, unsigned int flags)
{
	struct space *s;
	struct task *t;
	int err = 0;

	if (flags)
		return -EINVAL;
	t = pidfd_target(pidfd);
	if (is_err(t))
		return ptr_err(t);
	s = process_get_space(t->process);
	if (!s)
		err = -ESRCH;
	else if (!all_leave(s))
		err = -EINVAL;
	else
		space_reap(s);
	if (!err && fatal_signal_pending())
		err = -EINTR;
	if (s)
		space_put_user(s);
	task_put(t);
	return err;
}
