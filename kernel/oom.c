/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The OOM killer: ends the program whose end gives back the most.
 *
 * Model: a process that is on its way out (killed by us, or ending by itself) has
 * memory to give until its last thread has let go of its space and files. As long
 * as there is one, nobody else is killed: who needs memory sleeps for a moment and
 * tries again. One that has not ended after WAIT_NS is waited for no longer.
 *
 * A process counts what it shows, its tables, and what oom_score_adj adds (in
 * thousandths of all memory); -1000, init and kernel threads are left alone. All
 * processes that run in the victim's space go with it, or nothing would be freed.
 *
 * The log tells who asked, what there was, and who went; the format is Linux's,
 * since people and tools search for it.
 *
 * Locking: one task at a time chooses (`choosing`); others sleep meanwhile.
 */
#include "kernel/cred.h"
#include "kernel/log.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/time/timer.h"
#include "mm/meminfo.h"
#include "mm/port.h"
#include "mm/space.h"

#define PAUSE_NS 2000000UL
#define WAIT_NS 5000000000UL
#define OOM_NEVER (-1000)
#define KIB(pages) ((pages) << (PAGE_SHIFT - 10))

/* a  a task looks for a victim */
static u32 choosing;
/* (choosing)  until then those on their way out are waited for; 0: none is known */
static u64 wait_until;

struct choice {
	struct process *process;
	s64 points;
	struct space_stat stat;
};

/* The process behind number `nr`, with a reference. */
static struct process *
next_process(s32 nr)
{
	struct process *p;

	rcu_read_lock();
	p = process_next(nr + 1);
	if (p)
		p = process_get(p);
	rcu_read_unlock();
	return p;
}

static bool
on_the_way_out(const struct process *p)
{
	return READ_ONCE(p->group_exit) && READ_ONCE(p->nr_threads) > 0;
}

static bool
killable(const struct process *p)
{
	return p->tgid > 1 && READ_ONCE(p->oom_score_adj) != OOM_NEVER &&
	       !(p->signals.flags & PSIG_UNKILLABLE) && !READ_ONCE(p->group_exit);
}

/* Takes p if it is better than what there is. */
static void
consider(struct process *p, struct choice *c)
{
	struct space *s = killable(p) ? process_get_space(p) : NULL;
	struct space_stat st;
	s64 points;

	if (!s)
		return;
	space_stat(s, &st);
	space_put_user(s);
	points = (s64)(st.resident + st.swap + st.tables) +
		 READ_ONCE(p->oom_score_adj) * (s64)pages_total() / 1000;
	if (c->process && points <= c->points)
		return;
	if (c->process)
		process_put(c->process);
	c->process = process_get(p);
	c->points = points;
	c->stat = st;
}

static bool
somebody_leaves(void)
{
	bool leaves = false;
	struct process *p;
	s32 nr = 0;

	rcu_read_lock();
	while (!leaves && (p = process_next(nr + 1)) != NULL) {
		nr = p->tgid;
		leaves = on_the_way_out(p);
	}
	rcu_read_unlock();
	return leaves;
}

/* Are those who leave to be waited for? */
static bool
wait_is_worth(void)
{
	u64 now = ktime_get();

	if (!somebody_leaves()) {
		wait_until = 0;
		return false;
	}
	if (!wait_until)
		wait_until = now + WAIT_NS;
	return now < wait_until;
}

static void
look(struct choice *c)
{
	struct process *p;
	s32 nr = 0;

	while ((p = next_process(nr)) != NULL) {
		nr = p->tgid;
		consider(p, c);
		process_put(p);
	}
}

static void
report(const struct choice *c, unsigned int order, gfp_t gfp)
{
	const struct space_stat *st = &c->stat;
	char name[TASK_COMM_LEN] = "?", asker[TASK_COMM_LEN];
	struct task *t;
	u32 uid = 0;

	task_get_comm(current, asker);
	rcu_read_lock();
	t = rcu_load(c->process->leader);
	if (t) {
		task_get_comm(t, name);
		uid = task_cred(t)->uid;
	}
	rcu_read_unlock();
	log_warn("%s invoked oom-killer: gfp_mask=%x, order=%u, oom_score_adj=%d", asker,
		 (u32 __force)gfp, order, current->process ? current->process->oom_score_adj : 0);
	log_warn(
		"Mem-Info: total:%lukB free:%lukB reserved:%lukB anon:%lukB shmem:%lukB file:%lukB "
		"slab:%lukB "
		"pagetables:%lukB",
		KIB(pages_total()), KIB(pages_free()), KIB(pages_reserve()),
		KIB(page_level(PAGE_ANON)), KIB(page_level(PAGE_SHMEM)),
		KIB(page_level(PAGE_CACHE)), KIB(mm_stat_sum(MM_SLAB)),
		KIB(page_level(PAGE_TABLE)));
	log_err("Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, "
		"file-rss:%lukB, "
		"shmem-rss:%lukB, UID:%u pgtables:%lukB oom_score_adj:%d",
		c->process->tgid, name, KIB(st->total),
		KIB(st->resident - st->shared_file - st->shared_anon), KIB(st->shared_file),
		KIB(st->shared_anon), uid, KIB(st->tables), c->process->oom_score_adj);
}

/* Ends the victim and whoever runs in its space. */
static void
kill_all(struct process *victim)
{
	struct space *s = process_get_space(victim), *other;
	struct process *p;
	s32 nr = 0;

	signal_send_process(victim, SIGKILL, NULL);
	for (; s && (p = next_process(nr)) != NULL; process_put(p)) {
		nr = p->tgid;
		other = p != victim && nr > 1 ? process_get_space(p) : NULL;
		if (other == s)
			signal_send_process(p, SIGKILL, NULL);
		if (other)
			space_put_user(other);
	}
	if (s)
		space_put_user(s);
}

/* Kills one. False: there is none to kill. */
static bool
choose_and_kill(unsigned int order, gfp_t gfp)
{
	struct choice c = {.points = 0};

	look(&c);
	if (!c.process) {
		log_err("Out of memory and no killable processes (order %u, %lu of %lu pages free)",
			order, pages_free(), pages_total());
		return false;
	}
	report(&c, order, gfp);
	wait_until = ktime_get() + WAIT_NS;
	kill_all(c.process);
	process_put(c.process);
	return true;
}

bool
mm_port_oom_kill(unsigned int order, gfp_t gfp)
{
	bool hope = true;

	if (!current_task_or_null())
		return false;
	if (!atomic_xchg(&choosing, 1)) {
		hope = wait_is_worth() || choose_and_kill(order, gfp);
		atomic_xchg(&choosing, 0);
	}
	/* Whoever is dying needs the CPU more than we do. */
	if (hope && !mm_port_task_dying())
		sleep_ns(PAUSE_NS);
	return hope;
}
