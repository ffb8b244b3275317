/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process groups and sessions.
 *
 * Model: a session has groups, a group has processes. Both are objects hung
 * into the struct pid whose number they bear. The members of a group lie in
 * shards, one a CPU up to PGROUP_SHARDS, so that processes of one group that
 * fork at the same time write different lines; a process is in the shard of
 * the CPU that made it.
 *
 * Ownership: each member holds a drained reference on its group, since fork
 * and exit must not write a common count. An empty group therefore goes some
 * milliseconds after its last member; until then its number stays taken, and
 * whoever asks whether a group exists looks for a member. A group holds its
 * session, a session and a group hold their number (pid_use).
 *
 * Locking: see task/pid.c. All locks here disable interrupts, because a
 * terminal's interrupt may signal a group. A process changes groups under
 * session->lock, the locks of all shards of both groups (one group after the
 * other: out of the old, into the new) and process->lock.
 */
#include "kernel/task/pgroup.h"

#include "kernel/log.h"
#include "kernel/signal/signal.h"
#include "kernel/task/pgroup_impl.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"

static LOCK_CLASS(session_class, RANK_TASKLIST + 1);
static LOCK_CLASS(pgroup_class, RANK_TASKLIST + 2);
static struct slab_cache *pgroup_cache;
/* Puts of references that may have been a group's last; and how many at the last drain. */
static DEFINE_COUNTER(last_puts);
static s64 last_puts_drained;
static unsigned int nr_shards __read_mostly;
struct pgroup *boot_pgroup;

void
pgroup_init(void)
{
	nr_shards = min(nr_cpus, (unsigned int)PGROUP_SHARDS);
	pgroup_cache = slab_cache_create(
		"pgroup", sizeof(struct pgroup) + nr_shards * sizeof(struct pgroup_shard), 0, 0);
}

/* --- life --- */

int
session_create(struct pid *pid, struct session **out)
{
	struct session *s = kmalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->pid = pid;
	spin_init(&s->lock, &session_class);
	list_init(&s->groups);
	pid_use(pid);
	*out = s;
	return 0;
}

void
session_put(struct session *s)
{
	if (!atomic_dec_and_test(&s->refs))
		return;
	if (rcu_locked(s->pid->session) == s)
		rcu_publish(s->pid->session, NULL);
	pid_unuse(s->pid);
	kfree_rcu(s, rcu);
}

static void
pgroup_free_rcu(struct rcu_head *h)
{
	slab_free(pgroup_cache, container_of(h, struct pgroup, rcu));
}

/* The last member has gone a while ago. */
static void
pgroup_release(struct ref *r)
{
	struct pgroup *g = container_of(r, struct pgroup, ref);
	unsigned long flags = spin_lock_irq(&g->session->lock);

	list_del(&g->session_link);
	if (rcu_locked(g->pid->group) == g)
		rcu_publish(g->pid->group, NULL);
	spin_unlock_irq(&g->session->lock, flags);
	session_put(g->session);
	pid_unuse(g->pid);
	rcu_call(&g->rcu, pgroup_free_rcu);
}

/* Takes the session reference that session_create() gave, or one of its own, from the caller. */
int
pgroup_create(struct pid *pid, struct session *s, struct pgroup **out)
{
	struct pgroup *g = slab_alloc(pgroup_cache, GFP_KERNEL);

	if (!g)
		return -ENOMEM;
	ref_init(&g->ref, pgroup_release);
	g->pid = pid;
	g->session = s;
	pid_use(pid);
	for (unsigned int i = 0; i < nr_shards; i++) {
		spin_init(&g->shard[i].lock, &pgroup_class);
		list_init(&g->shard[i].members);
	}
	list_init(&g->session_link);
	*out = g;
	return 0;
}

void
pgroup_discard(struct pgroup *g)
{
	pid_unuse(g->pid);
	slab_free(pgroup_cache, g);
}

void
pgroup_put(struct pgroup *g)
{
	ref_put(&g->ref);
	/* Behind the put: pgroups_reclaim(). */
	counter_inc(last_puts);
}

bool
pgroups_reclaim(void)
{
	s64 puts = counter_sum(last_puts);

	/* Nothing has emptied since all that had was released. */
	if (puts == READ_ONCE(last_puts_drained))
		return false;
	ref_drain();
	WRITE_ONCE(last_puts_drained, puts);
	return true;
}

/* --- membership --- */

static unsigned int
shard_here(void)
{
	return cpu_id() % nr_shards;
}

/*
 * parent cannot leave the group while the lock of a shard of it is held if we
 * look again: setpgid() takes them all.
 */
struct pgroup *
pgroup_lock_fork(struct process *parent, unsigned int *shard, unsigned long *flags)
{
	for (;;) {
		struct pgroup *g;

		rcu_read_lock();
		g = rcu_load(rcu_load(parent->pgrp)->group);
		*shard = shard_here();
		*flags = g ? spin_lock_irq(&g->shard[*shard].lock) : 0;
		rcu_read_unlock();
		if (!g)
			continue;
		if (rcu_locked(parent->pgrp) == g->pid)
			return g;
		spin_unlock_irq(&g->shard[*shard].lock, *flags);
	}
}

void
pgroup_unlock_fork(struct pgroup *g, unsigned int shard, unsigned long flags)
{
	spin_unlock_irq(&g->shard[shard].lock, flags);
}

static void
link_member(struct pgroup *g, unsigned int shard, struct process *p)
{
	rcu_publish(p->pgrp, g->pid);
	rcu_publish(p->session, g->session->pid);
	p->pgrp_shard = shard;
	list_add_tail(&p->pgrp_link, &g->shard[shard].members);
}

void
pgroup_join_fork(struct pgroup *g, unsigned int shard, struct process *child)
{
	ref_get(&g->ref);
	link_member(g, shard, child);
}

void
pgroup_join(struct pgroup *g, struct process *p)
{
	unsigned long flags;
	unsigned int shard = shard_here();

	ref_get(&g->ref);
	flags = spin_lock_irq(&g->shard[shard].lock);
	link_member(g, shard, p);
	spin_unlock_irq(&g->shard[shard].lock, flags);
}

/*
 * The put comes before the lock is given back: whoever empties the shard counts,
 * and those that left it before have put. The group stays for a grace period.
 */
static void
leave_shard(struct process *p, struct pgroup *g, struct pgroup_shard *shard)
{
	list_del_init(&p->pgrp_link);
	if (list_empty(&shard->members))
		pgroup_put(g);
	else
		ref_put(&g->ref);
}

void
pgroup_leave(struct process *p)
{
	for (;;) {
		struct pgroup *g;
		unsigned int shard;
		unsigned long flags;
		bool found;

		rcu_read_lock();
		g = rcu_load(rcu_load(p->pgrp)->group);
		shard = READ_ONCE(p->pgrp_shard);
		flags = spin_lock_irq(&g->shard[shard].lock);
		rcu_read_unlock();
		found = rcu_locked(p->pgrp) == g->pid && p->pgrp_shard == shard;
		if (found)
			leave_shard(p, g, &g->shard[shard]);
		spin_unlock_irq(&g->shard[shard].lock, flags);
		if (found)
			return;
	}
}

/* --- all members --- */

static unsigned long
pgroup_lock_all(struct pgroup *g)
{
	unsigned long flags = spin_lock_irq(&g->shard[0].lock);

	for (unsigned int i = 1; i < nr_shards; i++)
		spin_lock_nested(&g->shard[i].lock);
	return flags;
}

static void
pgroup_unlock_all(struct pgroup *g, unsigned long flags)
{
	for (unsigned int i = nr_shards - 1; i > 0; i--)
		spin_unlock(&g->shard[i].lock);
	spin_unlock_irq(&g->shard[0].lock, flags);
}

/* *found: there was a member. Caller inside an RCU section. */
static int
pgroup_walk(struct pgroup *g, int (*fn)(struct process *p, void *arg), void *arg, bool *found)
{
	unsigned long flags = pgroup_lock_all(g);
	int ret = 0;

	for (unsigned int i = 0; i < nr_shards && ret == 0; i++) {
		struct process *p, *tmp;

		list_for_each_entry_safe(p, tmp, &g->shard[i].members, pgrp_link) {
			*found = true;
			ret = fn(p, arg);
			if (ret)
				break;
		}
	}
	pgroup_unlock_all(g, flags);
	return ret;
}

int
pgroup_for_each(struct pid *pgrp, int (*fn)(struct process *p, void *arg), void *arg)
{
	struct pgroup *g;
	bool found = false;
	int ret = 0;

	rcu_read_lock();
	g = rcu_load(pgrp->group);
	if (g)
		ret = pgroup_walk(g, fn, arg, &found);
	rcu_read_unlock();
	return found ? ret : -ESRCH;
}

int
session_for_each(struct pid *session, int (*fn)(struct process *p, void *arg), void *arg)
{
	struct session *s;
	struct pgroup *g;
	bool found = false;
	unsigned long flags;
	int ret = 0;

	rcu_read_lock();
	s = rcu_load(session->session);
	if (s) {
		flags = spin_lock_irq(&s->lock);
		list_for_each_entry(g, &s->groups, session_link) {
			ret = pgroup_walk(g, fn, arg, &found);
			if (ret)
				break;
		}
		spin_unlock_irq(&s->lock, flags);
	}
	rcu_read_unlock();
	return found ? ret : -ESRCH;
}

/* --- orphaned groups --- */

struct orphan_arg {
	struct pid *pgrp;
	const struct process *ignored;
};

/* 1: p's parent keeps the group from being orphaned. */
static int
keeps_group(struct process *p, void *arg)
{
	const struct orphan_arg *o = arg;
	struct process *parent = rcu_load(p->parent);

	if (p == o->ignored || READ_ONCE(p->live) == 0 || parent == init_process)
		return 0;
	return rcu_load(parent->pgrp) != o->pgrp &&
	       rcu_load(parent->session) == rcu_load(p->session);
}

bool
pgroup_orphaned(struct pid *pgrp, const struct process *ignored)
{
	struct orphan_arg o = {.pgrp = pgrp, .ignored = ignored};

	return pgroup_for_each(pgrp, keeps_group, &o) != 1;
}

bool
current_pgroup_orphaned(void)
{
	bool ret;

	rcu_read_lock();
	ret = pgroup_orphaned(rcu_load(current->process->pgrp), NULL);
	rcu_read_unlock();
	return ret;
}

/* --- moving --- */

struct pgroup *
pgroup_move(struct process *p, struct pgroup *g)
{
	struct pgroup *old = rcu_locked(rcu_locked(p->pgrp)->group);
	unsigned int shard = p->pgrp_shard;
	unsigned long flags;

	flags = pgroup_lock_all(old);
	spin_lock(&p->lock);
	list_del_init(&p->pgrp_link);
	spin_unlock(&p->lock);
	pgroup_unlock_all(old, flags);
	flags = pgroup_lock_all(g);
	spin_lock(&p->lock);
	link_member(g, shard, p);
	spin_unlock(&p->lock);
	pgroup_unlock_all(g, flags);
	return old;
}

bool
pgroup_get_unless_empty(struct pgroup *g)
{
	unsigned long flags = pgroup_lock_all(g);
	bool found = false;

	for (unsigned int i = 0; i < nr_shards && !found; i++)
		found = !list_empty(&g->shard[i].members);
	if (found)
		ref_get(&g->ref);
	pgroup_unlock_all(g, flags);
	return found;
}

/* --- controlling terminal --- */

void
session_set_tty(struct tty *tty)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irq(&p->lock);

	p->tty = tty;
	spin_unlock_irq(&p->lock, flags);
}

static int
clear_tty(struct process *p, void *arg)
{
	spin_lock(&p->lock);
	p->tty = NULL;
	spin_unlock(&p->lock);
	return 0;
}

void
session_clear_tty(struct pid *session)
{
	session_for_each(session, clear_tty, NULL);
}

void
process_clear_tty(void)
{
	session_set_tty(NULL);
}
