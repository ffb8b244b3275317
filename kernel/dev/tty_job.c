/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: sessions, foreground groups, job control and hang-up.
 *
 * Model: a session has at most one controlling terminal and a terminal controls
 * at most one session. tty->session and tty->pgrp name the session and its
 * foreground group; process->tty of every process of the session points back.
 *
 * After a hang-up the session has no terminal. What was the foreground group is
 * remembered (struct bereaved), because it gets SIGHUP and SIGCONT when the
 * session's leader exits, which usually is what the leader does on its SIGHUP.
 *
 * Locking: ctty_mutex covers every change of who controls what; opening with
 * O_NOCTTY, reading and writing do not take it. tty->ctrl_lock makes single
 * looks possible. process->tty is changed by task/pgroup.c under process->lock.
 *
 * See: POSIX.1-2017 11.1, credentials(7).
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/cred.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/pgroup.h"
#include "kernel/task/port.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

static LOCK_CLASS(ctty_class, RANK_TTY - 1);
static struct mutex ctty_mutex = MUTEX_INIT(ctty_mutex, ctty_class);

/* A session that was hung up, and the group that was in its foreground; references. */
struct bereaved {
	struct list link;
	struct pid *session;
	struct pid *pgrp;
};

/* (ctty_mutex)  looked at without it only to see that it is empty */
static struct list bereaved = LIST_INIT(bereaved);

static struct pid *
pid_get_maybe(struct pid *p)
{
	return p ? pid_get(p) : NULL;
}

static void
pid_put_maybe(struct pid *p)
{
	if (p)
		pid_put(p);
}

/* Of the process that runs: they change only by itself. */
static struct pid *
current_session(void)
{
	return rcu_locked(current->process->session);
}

static struct pid *
current_pgrp_get(void)
{
	struct pid *p;

	rcu_read_lock();
	p = pid_get(rcu_load(current->process->pgrp));
	rcu_read_unlock();
	return p;
}

/* --- the terminal's side --- */

struct pid *
tty_pgrp_get(struct tty *tty)
{
	struct pid *p;

	spin_lock(&tty->ctrl_lock);
	p = pid_get_maybe(tty->pgrp);
	spin_unlock(&tty->ctrl_lock);
	return p;
}

static struct pid *
session_get(struct tty *tty)
{
	struct pid *p;

	spin_lock(&tty->ctrl_lock);
	p = pid_get_maybe(tty->session);
	spin_unlock(&tty->ctrl_lock);
	return p;
}

/* Sets both; takes the references. */
static void
set_control(struct tty *tty, struct pid *session, struct pid *pgrp)
{
	struct pid *old_session, *old_pgrp;

	spin_lock(&tty->ctrl_lock);
	old_session = tty->session;
	old_pgrp = tty->pgrp;
	tty->session = session;
	tty->pgrp = pgrp;
	spin_unlock(&tty->ctrl_lock);
	pid_put_maybe(old_session);
	pid_put_maybe(old_pgrp);
}

void
tty_signal(struct tty *tty, int sig)
{
	struct pid *pgrp = tty_pgrp_get(tty);

	if (!pgrp)
		return;
	signal_send_pgrp(pgrp, sig, NULL);
	pid_put(pgrp);
}

int
tty_check_change(struct tty *tty, int sig)
{
	struct pid *mine, *fore;
	int ret = 0;

	if (READ_ONCE(current->process->tty) != tty)
		return 0;
	mine = current_pgrp_get();
	fore = tty_pgrp_get(tty);
	if (fore && fore != mine) {
		if (signal_ignored_or_blocked(sig)) {
			ret = sig == SIGTTIN ? -EIO : 0;
		} else if (current_pgroup_orphaned()) {
			ret = -EIO;
		} else {
			signal_send_pgrp(mine, sig, NULL);
			ret = -ERESTARTSYS;
		}
	}
	pid_put(mine);
	pid_put_maybe(fore);
	return ret;
}

/* --- the process's side --- */

static struct tty *
tty_of_get(struct process *p)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	struct tty *tty = p->tty;

	if (tty)
		tty_get(tty);
	spin_unlock_irq(&p->lock, flags);
	return tty;
}

struct tty *
tty_current_get(void)
{
	return READ_ONCE(current->process->tty) ? tty_of_get(current->process) : NULL;
}

bool
tty_of_process(struct process *p, u32 *major, u32 *minor, s32 *pgrp)
{
	struct tty *tty = tty_of_get(p);
	struct pid *fore;

	if (!tty)
		return false;
	*major = tty->major;
	*minor = tty->minor;
	fore = tty_pgrp_get(tty);
	*pgrp = fore ? fore->nr : -1;
	pid_put_maybe(fore);
	tty_put(tty);
	return true;
}

/* The group that session lost with its terminal, as a reference, or NULL; forgets it. */
static struct pid *
bereaved_take(struct pid *session)
{
	struct bereaved *b;
	struct pid *pgrp;

	list_for_each_entry(b, &bereaved, link) {
		if (b->session != session)
			continue;
		list_del(&b->link);
		pgrp = b->pgrp;
		pid_put(b->session);
		kfree(b);
		return pgrp;
	}
	return NULL;
}

/* tty becomes the terminal of current, which leads its session. ctty_mutex is held. */
static void
set_ctty(struct tty *tty)
{
	struct pid *session = current_session();

	set_control(tty, pid_get(session), current_pgrp_get());
	session_set_tty(tty);
	pid_put_maybe(bereaved_take(session));
}

static bool
may_take_ctty(void)
{
	return current->process->session_leader && !READ_ONCE(current->process->tty);
}

void
tty_open_ctty(struct tty *tty, struct file *f)
{
	struct tty_file *tf = f->private;

	if (!may_take_ctty() || !(f->mode & FMODE_READ))
		return;
	mutex_lock(&ctty_mutex);
	if (may_take_ctty() && !READ_ONCE(tty->session) && !tty_file_dead(tf))
		set_ctty(tty);
	mutex_unlock(&ctty_mutex);
}

/* --- hang-up --- */

/* Both signals of a leader that has lost its terminal. */
static int
signal_leader(struct process *p, void *arg)
{
	if (!p->session_leader)
		return 0;
	signal_send_process(p, SIGHUP, NULL);
	signal_send_process(p, SIGCONT, NULL);
	return 1;
}

static void
signal_bereaved(struct pid *pgrp)
{
	signal_send_pgrp(pgrp, SIGHUP, NULL);
	signal_send_pgrp(pgrp, SIGCONT, NULL);
}

/* Remembers pgrp for the exit of the leader; tells it at once if there is no memory. */
static void
bereaved_add(struct pid *session, struct pid *pgrp)
{
	struct bereaved *b = kmalloc(sizeof(*b), GFP_KERNEL);

	if (!b) {
		signal_bereaved(pgrp);
		return;
	}
	b->session = pid_get(session);
	b->pgrp = pid_get(pgrp);
	list_add(&b->link, &bereaved);
}

/* The session of tty loses it. leader_exits: then its foreground group hears of it now. */
static void
tell_session(struct tty *tty, bool leader_exits)
{
	struct pid *session = session_get(tty), *pgrp = tty_pgrp_get(tty);

	if (session) {
		session_clear_tty(session);
		if (!leader_exits)
			session_for_each(session, signal_leader, NULL);
	}
	if (pgrp && leader_exits)
		signal_send_pgrp(pgrp, SIGHUP, NULL);
	else if (pgrp && session)
		bereaved_add(session, pgrp);
	set_control(tty, NULL, NULL);
	pid_put_maybe(session);
	pid_put_maybe(pgrp);
}

static void
hangup_locked(struct tty *tty, bool leader_exits)
{
	mutex_lock(&tty->open_lock);
	atomic_inc(&tty->hangups);
	tell_session(tty, leader_exits);
	if (tty->ops->flush_output) {
		mutex_lock(&tty->lock);
		tty->ops->flush_output(tty);
		mutex_unlock(&tty->lock);
	}
	tty_reset(tty);
	if (tty->ops->hangup)
		tty->ops->hangup(tty);
	waitq_wake_all(&tty->read_wait);
	waitq_wake_all(&tty->write_wait);
	mutex_unlock(&tty->open_lock);
}

void
tty_hangup(struct tty *tty)
{
	mutex_lock(&ctty_mutex);
	hangup_locked(tty, false);
	mutex_unlock(&ctty_mutex);
}

void
tty_vhangup_current(void)
{
	struct tty *tty = tty_current_get();

	if (!tty)
		return;
	tty_hangup(tty);
	tty_put(tty);
}

long
sys_vhangup(void)
{
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty_vhangup_current();
	return 0;
}

/* --- giving it up --- */

/* The leader of `session` gives tty up; exits: because it ends. ctty_mutex is held. */
static void
leave_tty(struct tty *tty, struct pid *session, bool exits)
{
	struct pid *pgrp;

	if (exits && tty->kind != TTY_PTY) {
		hangup_locked(tty, true);
	} else {
		pgrp = tty_pgrp_get(tty);
		if (pgrp) {
			signal_send_pgrp(pgrp, SIGHUP, NULL);
			if (!exits)
				signal_send_pgrp(pgrp, SIGCONT, NULL);
			pid_put(pgrp);
		}
	}
	if (READ_ONCE(tty->session) == session)
		set_control(tty, NULL, NULL);
	session_clear_tty(session);
}

void
tty_session_exit(struct process *leader)
{
	struct pid *session = rcu_locked(leader->session), *pgrp;
	struct tty *tty;

	if (!READ_ONCE(leader->tty) && list_empty(&bereaved))
		return;
	mutex_lock(&ctty_mutex);
	tty = tty_of_get(leader);
	if (tty) {
		leave_tty(tty, session, true);
		tty_put(tty);
	}
	pgrp = bereaved_take(session);
	if (pgrp) {
		signal_bereaved(pgrp);
		pid_put(pgrp);
	}
	mutex_unlock(&ctty_mutex);
}

static long
notty(struct tty *tty)
{
	struct process *p = current->process;

	if (READ_ONCE(p->tty) != tty)
		return -ENOTTY;
	mutex_lock(&ctty_mutex);
	if (p->session_leader && p->tty == tty)
		leave_tty(tty, current_session(), false);
	mutex_unlock(&ctty_mutex);
	process_clear_tty();
	return 0;
}

/* --- ioctls --- */

static long
sctty(struct tty *tty, struct file *f, unsigned long arg)
{
	struct pid *holder;
	long ret = 0;

	mutex_lock(&ctty_mutex);
	holder = session_get(tty);
	if (current->process->session_leader && holder == current_session())
		goto out;
	ret = -EPERM;
	if (!may_take_ctty())
		goto out;
	if (!(f->mode & FMODE_READ) && !capable(CAP_SYS_ADMIN))
		goto out;
	if (holder) {
		/* Stealing it. */
		if (arg != 1 || !capable(CAP_SYS_ADMIN))
			goto out;
		session_clear_tty(holder);
	}
	ret = 0;
	set_ctty(tty);
out:
	mutex_unlock(&ctty_mutex);
	pid_put_maybe(holder);
	return ret;
}

static long
gpgrp(struct tty *tty, bool master, s32 __user *out)
{
	struct pid *p;
	s32 nr;

	if (!master && READ_ONCE(current->process->tty) != tty)
		return -ENOTTY;
	p = tty_pgrp_get(tty);
	nr = p ? p->nr : 0;
	pid_put_maybe(p);
	return put_user(nr, out);
}

static int
session_of_member(struct process *p, void *arg)
{
	*(struct pid **)arg = rcu_load(p->session);
	return 1;
}

/* Is pid a group (or else a process) of current's session? */
static bool
in_my_session(struct pid *pid)
{
	struct pid *session = NULL;
	struct process *p;

	if (pgroup_for_each(pid, session_of_member, &session) == -ESRCH) {
		p = rcu_load(pid->process);
		if (p)
			session = rcu_load(p->session);
	}
	return session == current_session();
}

static long
set_pgrp(struct tty *tty, struct pid *pid)
{
	struct pid *old = NULL;
	long ret = -ENOTTY;

	spin_lock(&tty->ctrl_lock);
	if (tty->session == current_session()) {
		old = tty->pgrp;
		tty->pgrp = pid_get(pid);
		ret = 0;
	}
	spin_unlock(&tty->ctrl_lock);
	pid_put_maybe(old);
	return ret;
}

static long
spgrp(struct tty *tty, const s32 __user *in)
{
	struct pid *pid;
	s32 nr;
	long ret = tty_check_change(tty, SIGTTOU);

	if (ret)
		return ret == -EIO ? -ENOTTY : ret;
	if (get_user(nr, in))
		return -EFAULT;
	if (nr < 0)
		return -EINVAL;
	if (READ_ONCE(current->process->tty) != tty || READ_ONCE(tty->session) != current_session())
		return -ENOTTY;
	rcu_read_lock();
	pid = pid_find(nr);
	if (!pid)
		ret = -ESRCH;
	else if (!in_my_session(pid))
		ret = -EPERM;
	else
		ret = set_pgrp(tty, pid);
	rcu_read_unlock();
	return ret;
}

static long
gsid(struct tty *tty, bool master, s32 __user *out)
{
	struct pid *p;
	s32 nr;

	if (!master && READ_ONCE(current->process->tty) != tty)
		return -ENOTTY;
	p = session_get(tty);
	if (!p)
		return -ENOTTY;
	nr = p->nr;
	pid_put(p);
	return put_user(nr, out);
}

long
tty_job_ioctl(struct tty *tty, struct file *f, bool master, unsigned int cmd, unsigned long arg)
{
	s32 __user *u = (s32 __user *)arg;

	switch (cmd) {
	case TIOCSCTTY:
		return sctty(tty, f, arg);
	case TIOCNOTTY:
		return notty(tty);
	case TIOCGPGRP:
		return gpgrp(tty, master, u);
	case TIOCSPGRP:
		return spgrp(tty, u);
	case TIOCGSID:
		return gsid(tty, master, u);
	default:
		return -ENOTTY;
	}
}
