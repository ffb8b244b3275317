/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kill(2) and its relatives: who may send what to whom.
 *
 * Locking: the target is found under RCU; the permission is looked at and the
 * signal sent in the same section, so that the target cannot be released in
 * between.
 */
#include "kernel/signal/signal_impl.h"

#include "kernel/file.h"
#include "kernel/port_fs.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/pid_impl.h"
#include "kernel/task/task_impl.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* --- permission (kill(2)) --- */

int
signal_check_permission(struct process *p, int sig)
{
	const struct cred *me = current_cred();
	const struct cred *c;

	if (p == current->process)
		return 0;
	c = task_cred(rcu_load(p->leader));
	if (me->euid == c->suid || me->euid == c->uid || me->uid == c->suid || me->uid == c->uid ||
	    capable(CAP_KILL))
		return 0;
	/* A shell may continue its jobs whoever they run as. */
	if (sig == SIGCONT && rcu_load(p->session) == rcu_load(current->process->session))
		return 0;
	return -EPERM;
}

int
signal_permission(struct process *p, int sig)
{
	int err;

	rcu_read_lock();
	err = signal_check_permission(p, sig);
	rcu_read_unlock();
	return err;
}

static struct siginfo
info_of_caller(int sig, int code)
{
	struct siginfo info = {.signo = sig, .code = code};

	info.pid = current->process->tgid;
	info.uid = current_cred()->uid;
	return info;
}

/* Inside an RCU section. */
static int
send_checked(struct process *p, struct task *t, int sig, const struct siginfo *info)
{
	int err = info->code <= 0 ? signal_check_permission(p, sig) : 0;

	if (err || !sig)
		return err;
	if (t == current && signal_send_self(sig, info, &err))
		return err;
	return t ? signal_send_task(t, sig, info) : signal_send_process(p, sig, info);
}

/* --- kill --- */

struct group_kill {
	const struct siginfo *info;
	int sig;
	int err;
	bool sent;
};

/* pgroup_for_each() holds the group's locks with interrupts off: only process->lock is taken. */
static int
kill_member(struct process *p, void *arg)
{
	struct group_kill *k = arg;
	int err = send_checked(p, NULL, k->sig, k->info);

	k->sent |= !err;
	k->err = err;
	return 0;
}

static int
kill_group(struct pid *pgrp, int sig, const struct siginfo *info)
{
	struct group_kill k = {.info = info, .sig = sig};

	if (!pgrp || pgroup_for_each(pgrp, kill_member, &k) == -ESRCH)
		return -ESRCH;
	return k.sent ? 0 : k.err;
}

static int
kill_all(int sig, const struct siginfo *info)
{
	struct process *p;
	int ret = 0;
	bool any = false;

	for (p = process_next(2); p; p = process_next(p->tgid + 1)) {
		int err;

		if (p == current->process)
			continue;
		err = send_checked(p, NULL, sig, info);
		any = true;
		if (err != -EPERM)
			ret = err;
	}
	return any ? ret : -ESRCH;
}

static int
kill_one(s32 nr, int sig, const struct siginfo *info)
{
	struct task *t = task_find(nr);

	return t ? send_checked(t->process, NULL, sig, info) : -ESRCH;
}

static bool
sig_valid(int sig)
{
	return sig >= 0 && sig <= NSIG;
}

long
sys_kill(int nr, int sig)
{
	struct siginfo info = info_of_caller(sig, SI_USER);
	int err;

	if (nr == INT32_MIN)
		return -ESRCH;
	rcu_read_lock();
	if (nr > 0)
		err = sig_valid(sig) ? kill_one(nr, sig, &info)
				     : (task_find(nr) ? -EINVAL : -ESRCH);
	else if (!sig_valid(sig))
		err = -EINVAL;
	else if (nr == -1)
		err = kill_all(sig, &info);
	else if (nr == 0)
		err = kill_group(rcu_load(current->process->pgrp), sig, &info);
	else
		err = kill_group(pid_find(-nr), sig, &info);
	rcu_read_unlock();
	return err;
}

/* --- one thread --- */

static int
send_thread(s32 tgid, s32 tid, int sig, const struct siginfo *info)
{
	struct task *t;
	int err = -ESRCH;

	if (tid <= 0 || (tgid <= 0 && tgid != -1))
		return -EINVAL;
	rcu_read_lock();
	t = task_find(tid);
	if (t && (tgid == -1 || t->process->tgid == tgid))
		err = sig_valid(sig) ? send_checked(t->process, t, sig, info) : -EINVAL;
	rcu_read_unlock();
	return err;
}

long
sys_tkill(int tid, int sig)
{
	struct siginfo info = info_of_caller(sig, SI_TKILL);

	return send_thread(-1, tid, sig, &info);
}

long
sys_tgkill(int tgid, int tid, int sig)
{
	struct siginfo info = info_of_caller(sig, SI_TKILL);

	return tgid <= 0 ? -EINVAL : send_thread(tgid, tid, sig, &info);
}

/* --- with data --- */

/* Does the kernel know which fields a code of this signal uses? */
static bool
layout_known(int sig, int code)
{
	static const u8 limit[NSIG + 1] = {
		[SIGILL] = 11, [SIGFPE] = 15, [SIGSEGV] = 9, [SIGBUS] = 5,
		[SIGTRAP] = 6, [SIGCHLD] = 6, [SIGIO] = 6,   [SIGSYS] = 2,
	};

	if (code == SI_KERNEL)
		return true;
	if (code > SI_USER)
		return code <= max(limit[sig], (u8)6);
	return code >= SI_DETHREAD || code == SI_ASYNCNL;
}

static int
copy_info(struct siginfo *info, const struct siginfo __user *uinfo, int sig)
{
	if (copy_from_user(info, uinfo, sizeof(*info)))
		return -EFAULT;
	info->signo = sig;
	/* Fields that we would lose are refused. */
	if (!(sig > 0 && sig <= NSIG && layout_known(sig, info->code)) &&
	    memchr_inv(info->zero, 0, sizeof(info->zero)))
		return -E2BIG;
	return 0;
}

/* Nobody may pretend to be the kernel or kill(2), except towards itself. */
static bool
may_forge(const struct siginfo *info, s32 nr)
{
	return (info->code < 0 && info->code != SI_TKILL) || nr == current->process->tgid;
}

long
sys_rt_sigqueueinfo(int nr, int sig, struct siginfo __user *uinfo)
{
	struct siginfo info;
	int err = copy_info(&info, uinfo, sig);

	if (err)
		return err;
	if (!may_forge(&info, nr))
		return -EPERM;
	rcu_read_lock();
	if (!task_find(nr))
		err = -ESRCH;
	else
		err = sig_valid(sig) ? kill_one(nr, sig, &info) : -EINVAL;
	rcu_read_unlock();
	return err;
}

long
sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, struct siginfo __user *uinfo)
{
	struct siginfo info;
	int err = copy_info(&info, uinfo, sig);

	if (err)
		return err;
	if (tid <= 0 || tgid <= 0)
		return -EINVAL;
	if (!((info.code < 0 && info.code != SI_TKILL) || tid == current->tid))
		return -EPERM;
	return send_thread(tgid, tid, sig, &info);
}

long
sys_pidfd_send_signal(int fd, int sig, struct siginfo __user *uinfo, unsigned int flags)
{
	struct siginfo info = info_of_caller(sig, SI_USER);
	struct process *p;
	struct pid *pid;
	struct file *f;
	int err = 0;

	if (flags)
		return -EINVAL;
	f = fd_get_file(fd);
	if (!f)
		return -EBADF;
	pid = pidfd_pid(f);
	if (!pid)
		pid = fs_file_pid(f);
	if (!pid)
		err = -EBADF;
	if (!err && uinfo) {
		err = copy_info(&info, uinfo, sig);
		if (!err && info.signo != sig)
			err = -EINVAL;
		if (!err && !may_forge(&info, pid->nr))
			err = -EPERM;
	}
	if (!err) {
		rcu_read_lock();
		p = rcu_load(pid->process);
		if (!p)
			err = -ESRCH;
		else
			err = sig_valid(sig) ? send_checked(p, NULL, sig, &info) : -EINVAL;
		rcu_read_unlock();
	}
	file_put(f);
	return err;
}
