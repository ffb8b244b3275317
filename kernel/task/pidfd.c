/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that stand for a process: pidfd_open(2), pidfd_getfd(2).
 *
 * Ownership: the handle holds the struct pid, not the process; once that is
 * reaped, the handle names nothing (ESRCH) and never another process.
 */
#include "kernel/task/task_impl.h"

#include "kernel/file.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/pid_impl.h"
#include "lib/errno.h"

#define O_RDWR 02
#define O_NONBLOCK 04000
#define O_CLOEXEC 02000000
#define POLL_READABLE 0x0041u

static u32
pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct pid *pid = f->private;
	struct process *p;
	u32 events = 0;

	poll_wait(f, &pid->exit_wait, pt);
	rcu_read_lock();
	p = rcu_load(pid->process);
	if (!p || READ_ONCE(p->nr_threads) == 0)
		events = POLL_READABLE;
	rcu_read_unlock();
	return events;
}

static void
pidfd_release(struct file *f)
{
	pid_put(f->private);
}

static void
pidfd_show_fdinfo(struct file *f, struct seq *s)
{
	struct pid *pid = f->private;
	bool alive;

	rcu_read_lock();
	alive = rcu_load(pid->process) != NULL;
	rcu_read_unlock();
	seq_printf(s, "Pid:\t%d\nNSpid:\t%d\n", alive ? pid->nr : -1, alive ? pid->nr : -1);
}

static const struct file_ops pidfd_ops = {
	.name = "[pidfd]",
	.poll = pidfd_poll,
	.release = pidfd_release,
	.show_fdinfo = pidfd_show_fdinfo,
};

struct file *
pidfd_file(struct pid *p, u32 flags)
{
	struct file *f = file_alloc(&pidfd_ops, FMODE_READ | FMODE_WRITE, flags, p);

	if (!is_err(f))
		pid_get(p);
	return f;
}

struct pid *
pidfd_pid(struct file *f)
{
	return f->ops == &pidfd_ops ? f->private : NULL;
}

long
sys_pidfd_open(int nr, unsigned int flags)
{
	struct pid *pid;
	struct file *f;
	long ret = 0;

	if (flags & ~O_NONBLOCK)
		return -EINVAL;
	if (nr <= 0)
		return -EINVAL;
	pid = pid_find_get(nr);
	if (!pid)
		return -ESRCH;
	rcu_read_lock();
	/* A thread that does not lead its process has a number, but no pidfd. */
	if (!rcu_load(pid->process))
		ret = rcu_load(pid->task) ? -EINVAL : -ESRCH;
	rcu_read_unlock();
	if (!ret) {
		f = pidfd_file(pid, flags | O_RDWR);
		ret = is_err(f) ? ptr_err(f) : fd_install(f, 0, true);
	}
	pid_put(pid);
	return ret;
}

struct task *
pidfd_task(struct pid *pid)
{
	struct task *t;

	rcu_read_lock();
	t = rcu_load(pid->task);
	if (t && !atomic_inc_not_zero(&t->refs))
		t = NULL;
	rcu_read_unlock();
	return t;
}

static struct file *
file_of_task(struct task *t, unsigned int fd)
{
	struct files *files = task_get_files(t);
	unsigned int nr = fd;
	struct file *f;

	if (!files)
		return err_ptr(-ESRCH);
	f = files_next(files, &nr);
	if (f && nr != fd) {
		file_put(f);
		f = NULL;
	}
	files_put(files);
	return f ? f : err_ptr(-EBADF);
}

static long
getfd_from(struct pid *pid, int fd)
{
	struct task *t = pidfd_task(pid);
	struct file *f;
	long ret;

	if (!t)
		return -ESRCH;
	ret = task_may_access(t, ACCESS_REALCREDS);
	if (!ret) {
		f = file_of_task(t, fd);
		ret = is_err(f) ? ptr_err(f) : fd_install(f, 0, true);
	}
	task_put(t);
	return ret;
}

long
sys_pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	struct file *f;
	struct pid *pid;
	long ret;

	if (flags)
		return -EINVAL;
	f = fd_get_file(pidfd);
	if (!f)
		return -EBADF;
	pid = pidfd_pid(f);
	ret = pid ? getfd_from(pid, fd) : -EBADF;
	file_put(f);
	return ret;
}
