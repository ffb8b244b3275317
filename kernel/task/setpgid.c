/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setpgid(2), setsid(2) and the calls that ask for groups and sessions.
 *
 * Locking: the family lock of current's process keeps a child from being
 * released while it is moved; the rest is told in task/pgroup.c.
 */
#include "kernel/task/pgroup_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/task/pid_impl.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"

static struct session *
session_lock_of(struct process *p, unsigned long *flags)
{
	for (;;) {
		struct session *s;

		rcu_read_lock();
		s = rcu_load(rcu_load(p->session)->session);
		if (!s) {
			rcu_read_unlock();
			continue;
		}
		*flags = spin_lock_irq(&s->lock);
		rcu_read_unlock();
		if (rcu_locked(p->session) == s->pid)
			return s;
		spin_unlock_irq(&s->lock, *flags);
	}
}

/* The group of this number in s with a reference for a new member; NULL: it has none. */
static struct pgroup *
group_get(struct pid *pid, struct session *s)
{
	struct pgroup *g = pid ? rcu_load(pid->group) : NULL;

	return g && g->session == s && pgroup_get_unless_empty(g) ? g : NULL;
}

/* May current move p, and into group pgid? s->lock of p's session is held. */
static int
setpgid_check(struct process *p, struct session *s, bool child)
{
	struct process *self = current->process;

	if (child) {
		if (rcu_load(self->session) != s->pid)
			return -EPERM;
		if (READ_ONCE(p->did_exec))
			return -EACCES;
	}
	return p->session_leader ? -EPERM : 0;
}

/*
 * p cannot be released meanwhile. *fresh is a new group of p's number, taken if
 * it is needed; *old gets the group whose reference is to be put.
 */
static int
setpgid_locked(struct process *p, s32 pgid, bool child, struct pgroup **fresh, struct pgroup **old)
{
	unsigned long flags;
	struct session *s = session_lock_of(p, &flags);
	int err = setpgid_check(p, s, child);
	struct pgroup *g = NULL;

	if (err)
		goto out;
	g = group_get(pid_find(pgid), s);
	if (!g && pgid != p->tgid) {
		err = -EPERM;
		goto out;
	}
	if (!g) {
		g = *fresh;
		*fresh = NULL;
		g->session = s;
		atomic_inc(&s->refs);
		list_add_tail(&g->session_link, &s->groups);
		rcu_publish(g->pid->group, g);
	}
	/* The reference that is too much: of the group that it leaves, or stays in. */
	*old = rcu_locked(p->pgrp) == g->pid ? g : pgroup_move(p, g);
out:
	spin_unlock_irq(&s->lock, flags);
	return err;
}

/* The process that setpgid means: current's or a child of it, which is then locked. */
static int
setpgid_target(s32 nr, struct process **out, bool *child)
{
	struct process *self = current->process;
	struct task *t = task_find(nr);
	struct process *p = t ? t->process : NULL;

	if (!p)
		return -ESRCH;
	if (p->tgid != nr)
		return -EINVAL;
	*out = p;
	*child = false;
	if (p == self)
		return 0;
	spin_lock(&self->family_lock);
	if (rcu_locked(p->parent) == self && p->state != PROCESS_REAPED) {
		*child = true;
		return 0;
	}
	spin_unlock(&self->family_lock);
	return -ESRCH;
}

long
sys_setpgid(int nr, int pgid)
{
	struct process *self = current->process;
	struct pgroup *fresh = NULL, *old = NULL;
	struct process *p;
	struct pid *pid;
	bool child;
	int err;

	if (!nr)
		nr = self->tgid;
	if (!pgid)
		pgid = nr;
	if (pgid < 0)
		return -EINVAL;
	/* A new group needs memory, so it is made before any lock is taken. */
	pid = pgid == nr ? pid_find_get(nr) : NULL;
	if (pid && !atomic_inc_not_zero(&pid->uses)) {
		pid_put(pid);
		pid = NULL;
	}
	if (pid) {
		err = pgroup_create(pid, NULL, &fresh);
		pid_unuse(pid);
		pid_put(pid);
		if (err)
			return err;
	}
	rcu_read_lock();
	err = setpgid_target(nr, &p, &child);
	if (!err) {
		if (pgid == nr && !fresh)
			err = -ESRCH;
		else
			err = setpgid_locked(p, pgid, child, &fresh, &old);
		if (child)
			spin_unlock(&self->family_lock);
	}
	rcu_read_unlock();
	if (old)
		pgroup_put(old);
	if (fresh)
		pgroup_discard(fresh);
	return err;
}

/* Moves current's process into s and g, both new. The group that it left, or err_ptr. */
static struct pgroup *
setsid_locked(struct process *p, struct session *s, struct pgroup *g)
{
	unsigned long flags, pflags;
	struct session *from = session_lock_of(p, &flags);
	struct pgroup *old = rcu_load(p->pid->group);

	if (p->session_leader || (old && pgroup_get_unless_empty(old))) {
		if (!p->session_leader)
			pgroup_put(old);
		old = err_ptr(-EPERM);
		goto out;
	}
	list_add_tail(&g->session_link, &s->groups);
	rcu_publish(p->pid->session, s);
	rcu_publish(p->pid->group, g);
	old = pgroup_move(p, g);
	pflags = spin_lock_irq(&p->lock);
	p->session_leader = true;
	p->tty = NULL;
	spin_unlock_irq(&p->lock, pflags);
out:
	spin_unlock_irq(&from->lock, flags);
	return old;
}

long
sys_setsid(void)
{
	struct process *p = current->process;
	struct session *s;
	struct pgroup *g, *old;
	int err = session_create(p->pid, &s);

	if (err)
		return err;
	err = pgroup_create(p->pid, s, &g);
	if (err) {
		session_put(s);
		return err;
	}
	rcu_read_lock();
	old = setsid_locked(p, s, g);
	rcu_read_unlock();
	if (is_err(old)) {
		pgroup_discard(g);
		session_put(s);
		return ptr_err(old);
	}
	pgroup_put(old);
	return p->tgid;
}

/* --- asking --- */

/* The number that *field of process nr (0: current's) names, or -ESRCH. */
static long
number_of(int nr, size_t field)
{
	struct process *p = current->process;
	long ret = -ESRCH;

	rcu_read_lock();
	if (nr) {
		struct task *t = task_find(nr);

		p = t ? t->process : NULL;
	}
	if (p) {
		struct pid __rcu **id = (void *)((char *)p + field);

		ret = rcu_load(*id)->nr;
	}
	rcu_read_unlock();
	return ret;
}

long
sys_getpgid(int pid)
{
	return number_of(pid, offsetof(struct process, pgrp));
}

long
sys_getpgrp(void)
{
	return number_of(0, offsetof(struct process, pgrp));
}

long
sys_getsid(int pid)
{
	return number_of(pid, offsetof(struct process, session));
}
